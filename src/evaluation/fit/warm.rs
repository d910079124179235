//! How does a training start from a model that is there already?
//!
//! Rows are matched by id. What the model has learnt of a row is where it starts; a row that the model never saw starts where its ratings put it while all others stand still:
//!
//! | method | a new row starts |
//! |---|---|
//! | one set of tables | folded in: first the users by the items that the model knows, then the items by all users |
//! | closed form | at 0; the first half of a sweep finds the users, the second the items, exactly |
//! | variational | at 0 with what is believed of every row; likewise |
//!
//! λ, noise and what is believed of every row come from the model too where they are found in training. Samples and ensembles are drawn anew: a chain that has forgotten its start is no cheaper
//! for a better one.

use std::collections::BTreeMap;
use std::fmt;

use super::Training;
use crate::data::{Dataset, Ids, Interactions};
use crate::model::{Model, ModelSide, Parameters, Rows, Side, Spread, Table};
use crate::recommend::fold_in::{Ratings, own_rows};
use crate::training::config::Method;
use crate::training::{Trainer, groups};
use crate::{Error, Result};

/// What became of a model's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WarmStart {
    /// Of the users.
    pub users: Warmed,
    /// Of the items.
    pub items: Warmed,
}

/// What became of the rows of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Warmed {
    /// Rows that start where the model has them.
    pub taken: usize,
    /// Rows with ratings that the model has not.
    pub new: usize,
    /// Rows of the model that the data has not.
    pub gone: usize,
    /// Values of features that start where the model has them, and those that it has not.
    pub features: usize,
    /// Values of features that the model has not.
    pub new_features: usize,
}

impl fmt::Display for WarmStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "warm start: ")?;
        for (name, of, between) in [("users", self.users, "; "), ("items", self.items, "")] {
            write!(f, "{} {name} as they were, {} new", of.taken, of.new)?;
            if of.gone > 0 {
                write!(f, ", {} no longer there", of.gone)?;
            }
            if of.features + of.new_features > 0 {
                write!(
                    f,
                    ", {} feature values as they were, {} new",
                    of.features, of.new_features
                )?;
            }
            write!(f, "{between}")?;
        }
        Ok(())
    }
}

impl Training<'_> {
    /// Starts from `model` instead of from drawn tables; before the first epoch.
    ///
    /// # Errors
    /// [`Error::Config`] where the model has another number of factors, or the training or the model averages samples.
    pub fn warm_start(&mut self, model: &Model) -> Result<WarmStart> {
        let samples_of = |spread: &Spread| matches!(spread, Spread::Samples { .. });
        let of_model = model.posterior().map(|posterior| posterior.spread());
        let config = self.config();
        let is_drawn = matches!(config.method, Method::Samples(_) | Method::Ensemble);
        if is_drawn || of_model.is_some_and(samples_of) {
            let got = "an average of samples";
            let wanted =
                "one set of tables, --als or --bayes: samples are drawn anew, so train anew";
            return Err(Error::config("warm-start", got, wanted));
        }
        if config.factors() != model.n_factors() {
            let wanted = format!("{}, as many as the model has", model.n_factors());
            return Err(Error::config("factors", config.factors(), wanted));
        }
        match self {
            Training::Point(trainer) => {
                let start = place(trainer, model);
                fold_in(trainer, model)?;
                Ok(start)
            }
            Training::Closed(als) => Ok(place(als.trainer_mut(), model)),
            Training::Posterior(inference) => {
                let start = place(inference.trainer_mut(), model);
                inference.start_from(model);
                Ok(start)
            }
            // Refused above.
            Training::Ensemble(_) => Ok(WarmStart::default()),
        }
    }
}

/// Gives the tables what the model has learnt; rows that it has not are 0.
fn place(trainer: &mut Trainer<'_, f32>, model: &Model) -> WarmStart {
    let data = trainer.data();
    let objective = trainer.objective();
    let touched = [&objective.users, &objective.items].map(|of| of.counts[0].clone());
    let Parameters {
        users,
        items,
        global_mean,
        ..
    } = trainer.parameters_mut();
    let [of_users, of_items] = touched;
    let start = WarmStart {
        users: side(users, "user", data, &of_users, model.users()),
        items: side(items, "item", data, &of_items, model.items()),
    };
    // The model's biases are around its own mean.
    let off = model.global_mean().zip(*global_mean);
    if let Some((off, biases)) = off.zip(users.identity.bias_slice_mut()) {
        let off = (off.0 - off.1) as f32;
        for (bias, id) in biases.iter_mut().zip(data.users.ids.names().iter()) {
            if model.users().ids().index(id).is_some() {
                *bias += off;
            }
        }
    }
    start
}

fn side(
    tables: &mut Side<f32>,
    name: &str,
    data: &Dataset,
    touched: &[u32],
    from: &ModelSide,
) -> Warmed {
    let ids = match name {
        "user" => &data.users.ids,
        _ => &data.items.ids,
    };
    let learnt = |row: u32| from.counts()[row as usize] > 0;
    let rows = rows_of(ids, from.ids());
    let mut warmed = Warmed {
        gone: from.ids().len() - rows.iter().flatten().count(),
        ..Warmed::default()
    };
    copy(
        &mut tables.identity,
        &rows,
        from.identity(),
        from.identity_biases(),
    );
    for (old, _) in rows.iter().zip(touched).filter(|(_, n)| **n > 0) {
        match old {
            Some(old) if learnt(*old) => warmed.taken += 1,
            _ => warmed.new += 1,
        }
    }
    for group in &mut tables.groups {
        let own = group.values.clone();
        let Some(values) = groups::values(data, name, &group.name, own.as_deref()) else {
            continue;
        };
        let of_model = from.groups().iter().find(|of| of.name() == group.name);
        let Some(of_model) = of_model else {
            warmed.new_features += values.len();
            continue;
        };
        let rows = rows_of(values, of_model.values());
        copy(&mut group.table, &rows, of_model.table(), of_model.biases());
        let known = rows.iter().flatten().count();
        warmed.features += known;
        warmed.new_features += rows.len() - known;
    }
    warmed
}

/// The model's row of each of `ids`.
fn rows_of(ids: &Ids, from: &Ids) -> Vec<Option<u32>> {
    ids.names().iter().map(|id| from.index(id)).collect()
}

/// Copies rows of the model; 0 where it has none.
fn copy(table: &mut Table<f32>, rows: &[Option<u32>], from: &Rows, biases: Option<&[f32]>) {
    for (row, old) in rows.iter().enumerate() {
        match old {
            Some(old) => table
                .row_mut(row)
                .copy_from_slice(from.padded_row(*old as usize)),
            None => table.row_mut(row).fill(0.0),
        }
    }
    if let Some(own) = table.bias_slice_mut() {
        for (to, old) in own.iter_mut().zip(rows) {
            let of = |&old: &u32| biases.map(|biases| biases[old as usize]);
            *to = old.as_ref().and_then(of).unwrap_or(0.0);
        }
    }
}

/// Finds the rows that have ratings now and had none when the model was trained.
fn fold_in(trainer: &mut Trainer<'_, f32>, model: &Model) -> Result<()> {
    let data = trainer.data();
    // Of ratings on disk nothing is gathered: a row starts at 0, and its first steps find it.
    if data.stored.is_some() {
        return Ok(());
    }
    let least = trainer.config().threshold.unwrap_or(f64::NEG_INFINITY);
    for users in [true, false] {
        let now = trainer.model()?;
        let (ids, other_ids) = match users {
            true => (&data.users.ids, &data.items.ids),
            false => (&data.items.ids, &data.users.ids),
        };
        let (of_model, of_others) = match users {
            true => (model.users(), model.items()),
            false => (model.items(), model.users()),
        };
        let is_new = newcomers(ids, of_model);
        // A new user is found by what the model knows; then a new item by all users.
        let stands = match users {
            true => newcomers(other_ids, of_others)
                .into_iter()
                .map(|new| !new)
                .collect(),
            false => vec![true; other_ids.len()],
        };
        let histories = histories(&data.interactions, users, &is_new, &stands, least);
        let found = own_rows(&now, users, histories, trainer.pool())?;
        let parameters = trainer.parameters_mut();
        let table = match users {
            true => &mut parameters.users.identity,
            false => &mut parameters.items.identity,
        };
        for (row, factors, bias) in found {
            for (to, value) in table.row_mut(row as usize).iter_mut().zip(factors) {
                *to = value as f32;
            }
            if let Some(biases) = table.bias_slice_mut() {
                biases[row as usize] = bias as f32;
            }
        }
    }
    Ok(())
}

/// Which of `ids` the model has learnt nothing of.
fn newcomers(ids: &Ids, of: &ModelSide) -> Vec<bool> {
    let learnt = |id: &str| {
        let row = of.ids().index(id);
        row.is_some_and(|row| of.counts()[row as usize] > 0)
    };
    ids.names().iter().map(|id| !learnt(id)).collect()
}

/// The ratings of each newcomer by those who stand, of at least so much, rising by row.
fn histories(
    ratings: &Interactions,
    users: bool,
    is_new: &[bool],
    stands: &[bool],
    least: f64,
) -> Vec<(u32, Ratings)> {
    let mut of_rows: BTreeMap<u32, Ratings> = BTreeMap::new();
    for (n, &rating) in ratings.ratings.iter().enumerate() {
        let (own, other) = match users {
            true => (ratings.users[n], ratings.items[n]),
            false => (ratings.items[n], ratings.users[n]),
        };
        if is_new[own as usize] && stands[other as usize] && f64::from(rating) >= least {
            of_rows.entry(own).or_default().insert(other, rating);
        }
    }
    of_rows.into_iter().collect()
}
