//! What did new ratings do, and what were they good for?
//!
//! Some of them are held out; the run's model and one that is updated without them are judged by these, on the same rows, with the 95 % interval of the difference. Pairs that the old model was trained on are none of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Update;
use crate::cli::output::{Manner, counted, grouped};
use crate::cli::train::inputs::Inputs;
use crate::cli::train::session;
use crate::cli::train::settings::Settings;
use crate::data::reader::read_test;
use crate::data::{Dataset, Ids, Interactions};
use crate::evaluation::comparison::{ListComparison, compare, compare_lists};
use crate::evaluation::statistics::Difference;
use crate::kernels::pool::Pool;
use crate::metrics::{Kind, Metric};
use crate::model::Meaning;
use crate::random::Stream;
use crate::training::Ending;
use crate::{Model, Result};

/// Fewer held-out ratings than this say nothing.
const FEWEST: usize = 20;

/// What an update did, for `run.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Updated {
    /// Pairs of user and item that the new ratings have.
    new_ratings: usize,
    /// Users and items that they touch.
    users: usize,
    items: usize,
    /// How both models do on some of them.
    compared: Option<Compared>,
}

/// Two models on the same held-out ratings.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Compared {
    held_out: usize,
    of: Vec<Figure>,
}

/// One figure of both.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Figure {
    metric: String,
    old: f64,
    updated: f64,
    /// The 95 % interval of the second less the first.
    difference: Option<[f64; 2]>,
}

impl Update {
    /// What the new ratings touch, and how both models do on some of them.
    pub(super) fn judge(
        &self,
        old: &Model,
        inputs: &Inputs,
        settings: &Settings,
        manner: Manner,
    ) -> Result<Updated> {
        let data = &inputs.train;
        let all = data.in_memory("updating a model")?;
        let (users, items) = (&data.users.ids, &data.items.ids);
        let new = read_test(&self.new_ratings, &settings.read_options()?, users, items)?;
        let new = new.interactions.users.iter().zip(&new.interactions.items);
        let new: BTreeSet<(u32, u32)> = new.map(|(&user, &item)| (user, item)).collect();
        let is_new = |&n: &usize| new.contains(&(all.users[n], all.items[n]));
        let mut positions: Vec<usize> = (0..all.len()).filter(is_new).collect();
        let touched = |of: fn(&(u32, u32)) -> u32| new.iter().map(of).collect::<BTreeSet<_>>();
        let (by, on) = (touched(|pair| pair.0).len(), touched(|pair| pair.1).len());
        manner.note(format_args!(
            "{} by {} on {}, {} ratings in all",
            counted(new.len() as u64, "new rating"),
            counted(by as u64, "user"),
            counted(on as u64, "item"),
            grouped(all.len() as u64)
        ));
        // What the old model was trained on it remembers: by these it would look better than it is.
        let (old_users, old_items) = (old.users().ids(), old.items().ids());
        positions.retain(|&n| {
            let user = old_users.index(users.name(all.users[n]));
            let item = old_items.index(items.name(all.items[n]));
            let pair = user.zip(item);
            pair.is_none_or(|(user, item)| old.seen(user).binary_search(&item).is_err())
        });
        let known = new.len().saturating_sub(positions.len());
        if known > 0 {
            manner.note(format_args!(
                "note: {} of them the model was trained on before: the run's --dedupe says which rating counts",
                grouped(known as u64)
            ));
        }
        let mut stream = Stream::new(settings.seed.unwrap_or(42), "update.held-out");
        stream.shuffle(&mut positions);
        positions.truncate((self.hold_out * positions.len() as f64) as usize);
        positions.sort_unstable();
        if self.hold_out > 0.0 && positions.len() < FEWEST {
            manner.note(format_args!(
                "note: nothing is compared: fewer than {FEWEST} of the new ratings would be held out"
            ));
        }
        let compared = match positions.len() >= FEWEST {
            true => Some(self.compare(old, data, &positions, settings, manner)?),
            false => None,
        };
        Ok(Updated {
            new_ratings: new.len(),
            users: by,
            items: on,
            compared,
        })
    }

    /// The run's model and one that is updated without the ratings at `positions`, judged by these.
    fn compare(
        &self,
        old: &Model,
        data: &Dataset,
        positions: &[usize],
        settings: &Settings,
        manner: Manner,
    ) -> Result<Compared> {
        let mut held_out = positions.iter().peekable();
        let is_left = |n: &usize| held_out.next_if_eq(&n).is_none();
        let rest: Vec<usize> = (0..data.interactions.len()).filter(is_left).collect();
        let without = Inputs {
            train: data.with(data.interactions.select(&rest)),
            valid: None,
        };
        let quiet = Manner {
            quiet: true,
            ..manner
        };
        let checked = settings.config()?.check()?;
        let (mut training, _) = session::begin(&checked, &without, settings, quiet)?;
        if let Ending::Diverged(error) | Ending::Failed(error) = training.run(&mut ()).ending {
            return Err(error);
        }
        let updated = training.into_model()?;
        let test = data.interactions.select(positions);
        let seen_by_old = of_model(old, data, &test);
        let (models, tests) = ([old, &updated], [&seen_by_old, &test]);
        let pool = Pool::new(settings.threads.unwrap_or(0));
        let of = match old.meaning() == Meaning::Rating && data.report.has_ratings() {
            true => {
                let found = compare(models, tests, &pool)?;
                let [old, updated] = found.errors;
                let metric = Metric::new(Kind::Rmse, None);
                vec![Figure::new(metric, old.rmse, updated.rmse, found.rmse())]
            }
            false => {
                let lists = compare_lists(models, tests, &pool)?.into_iter();
                let figure = |of: ListComparison| {
                    Figure::new(of.metric, of.values[0], of.values[1], of.difference)
                };
                lists.map(figure).collect()
            }
        };
        Ok(Compared {
            held_out: positions.len(),
            of,
        })
    }
}

/// `test` with the numbers that a model has for its users and items; whom it has not is a stranger of a number of his own.
fn of_model(model: &Model, data: &Dataset, test: &Interactions) -> Interactions {
    let renumbered = |rows: &[u32], from: &Ids, to: &Ids| {
        let beyond = to.len() as u32;
        let number = |&row: &u32| to.index(from.name(row)).unwrap_or(beyond + row);
        rows.iter().map(number).collect()
    };
    Interactions {
        users: renumbered(&test.users, &data.users.ids, model.users().ids()),
        items: renumbered(&test.items, &data.items.ids, model.items().ids()),
        ..test.clone()
    }
}

impl Figure {
    fn new(metric: Metric, old: f64, updated: f64, difference: Option<Difference>) -> Figure {
        Figure {
            metric: metric.to_string(),
            old,
            updated,
            difference: difference.map(|of| [of.low, of.high]),
        }
    }
}

impl Updated {
    /// The comparison, a line a figure.
    pub fn lines(&self) -> Vec<String> {
        let Some(compared) = &self.compared else {
            return Vec::new();
        };
        let mut lines = vec![format!(
            "{} held out, then trained on too:",
            counted(compared.held_out as u64, "new rating")
        )];
        for of in &compared.of {
            let interval = of.difference.map_or(String::new(), |[low, high]| {
                format!(", difference {low:+.4} to {high:+.4}")
            });
            lines.push(format!(
                "  {:<14}  before {:.4}  updated {:.4}{interval}",
                of.metric.to_uppercase(),
                of.old,
                of.updated
            ));
        }
        lines
    }
}
