//! What stands ready before the first step?
//!
//! Columns are chosen, tables drawn, λ given to every table, batches laid out: everything that a [`Trainer`] holds.

use std::borrow::Cow;
use std::sync::Arc;

use super::batches::laying::Laying;
use super::batches::positives::{self, Positives};
use super::config::Checked;
use super::config::PerTable;
use super::config::{Batch, ClipRule, Config, KernelChoice};
use super::groups::{self, Chosen};
use super::initial;
use super::state::State;
use super::trainer::Trainer;
use super::validation::{Lists, Predictions};
use crate::data::{Dataset, Interactions, SideData};
use crate::gradient::{Gradient, Objective, SidePenalty, TablePenalty};
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real};
use crate::model::{Clip, Graph, Link, Meaning, Parameters, Side, Table};
use crate::{Error, Result};

impl Checked {
    /// A trainer with freshly drawn tables; `valid` holds the held-out ratings, with rows of `train`'s users and items (a number beyond them is a stranger).
    ///
    /// # Errors
    /// [`Error::Config`] where there is nothing to train on, or a key of `l2` or `init_std` names no table; [`Error::Unknown`] for a feature column
    /// that is not there.
    pub fn trainer<'d, T: Real>(
        &self,
        train: &'d Dataset,
        valid: Option<&'d Interactions>,
    ) -> Result<Trainer<'d, T>> {
        let checked = self.for_data(train.n_ratings(), train.stored.is_some())?;
        let config = &checked.0;
        if train.n_ratings() == 0 {
            return Err(Error::config(
                "ratings",
                "none",
                "at least one rating to train on",
            ));
        }
        let Positives {
            examples,
            only_positives,
            least,
        } = positives::of(config, train)?;
        let survey = match &examples {
            Cow::Borrowed(_) => train.survey()?,
            Cow::Owned(examples) => train.with(examples.clone()).survey()?,
        };
        let columns = groups::choose(config, train, &survey)?;
        known_keys("l2", &config.l2, &columns)?;
        known_keys("init-std", &config.init_std, &columns)?;
        let side = |name, data: &SideData, chosen: &Chosen| {
            let mut side = Side {
                identity: Table::zeros(data.ids.len(), config.factors(), config.biases),
                groups: groups::build(chosen, name, train, config)?,
            };
            initial::draw(&mut side, name, config);
            Ok::<_, Error>(side)
        };
        let mut users = side("user", &train.users, &columns[0])?;
        let mut items = side("item", &train.items, &columns[1])?;
        if survey.weight == 0.0 {
            return Err(Error::config(
                "weight",
                "0 for every rating",
                "at least one weight above 0",
            ));
        }
        let objective = Objective {
            loss: config.loss,
            similarity: config.score_of(),
            l2_scale: config.l2_scale,
            users: penalty(&users, "user", survey.user_counts, &config.l2),
            items: penalty(&items, "item", survey.item_counts, &config.l2),
        };
        if config.untouched_rows_are_zero {
            initial::clear_untouched(&mut users.identity, &objective.users.counts[0]);
            initial::clear_untouched(&mut items.identity, &objective.items.counts[0]);
        }
        let training_mean = survey.mean;
        let global_mean = config.global_mean.then_some(training_mean);
        let parameters = Parameters {
            global_mean,
            link: link(config),
            users,
            items,
            graph: (config.layers > 0).then(|| {
                let (n_users, n_items) = (train.n_users(), train.n_items());
                Arc::new(Graph::new(config.layers, &examples, n_users, n_items))
            }),
        };
        let optimizer = checked.optimizer();
        let pool = Pool::new(config.threads);
        let kernel = match config.kernel {
            KernelChoice::Auto => Kernel::detect(),
            KernelChoice::Portable => Kernel::Portable,
        };
        let batches = Laying {
            config,
            train,
            only_positives,
            counts: (&objective.users.counts[0], &objective.items.counts[0]),
            pool: &pool,
        }
        .batches(examples)?;
        Ok(Trainer {
            batches,
            predictions: Predictions {
                training_mean,
                clip: clip(config, survey.scale),
                similarity: objective.similarity,
            },
            lists: match valid {
                Some(ratings) if config.ranks() => Some(Lists::new(train, ratings, least)?),
                _ => None,
            },
            state: State::new(parameters, optimizer.kind, config.batch == Batch::Blocks),
            gradient: Gradient::default(),
            negatives: 0,
            pool,
            kernel,
            valid: valid
                .filter(|ratings| !ratings.is_empty())
                .map(Cow::Borrowed),
            in_block_order: false,
            strata: None,
            last_good: None,
            checked,
            data: train,
            objective,
            optimizer,
            columns,
        })
    }
}

/// λ of every table of a side.
fn penalty<T: Real>(side: &Side<T>, name: &str, counts: Vec<u32>, l2: &PerTable) -> SidePenalty {
    let mut penalty = SidePenalty::new(side, counts);
    let names =
        std::iter::once(None).chain(side.groups.iter().map(|group| Some(group.name.as_str())));
    for (of_table, group) in penalty.tables.iter_mut().zip(names) {
        *of_table = TablePenalty {
            factors: l2.factors(name, group),
            biases: l2.biases(name, group),
        };
    }
    penalty
}

/// Refuses a key that names no table.
fn known_keys(flag: &str, values: &PerTable, [users, items]: &[Chosen; 2]) -> Result<()> {
    let mut known = vec!["bias".to_owned()];
    for (side, chosen) in [("user", users), ("item", items)] {
        let columns = chosen.used.iter();
        let columns = columns.map(|used| format!("{side}.{}", used.name()));
        for table in std::iter::once(side.to_owned()).chain(columns) {
            known.push(format!("{table}.bias"));
            known.push(table);
        }
        known.extend(chosen.implicit.map(|name| format!("{side}.{name}")));
    }
    match values
        .exceptions
        .iter()
        .find(|(key, _)| !known.contains(key))
    {
        Some((key, _)) => Err(Error::config(
            flag,
            format!("the key {key:?}"),
            format!("one of {}", known.join(", ")),
        )),
        None => Ok(()),
    }
}

/// From score to prediction: the loss of labels has a sigmoid inside.
fn link(config: &Config) -> Link {
    match config.loss.meaning() {
        Meaning::Probability => Link::Sigmoid { lo: 0.0, hi: 1.0 },
        _ => config.link,
    }
}

fn clip(config: &Config, scale: Option<(f32, f32)>) -> Option<Clip> {
    match config.clip {
        // Probabilities and orders are on no scale of the ratings.
        ClipRule::Auto if config.ranks() => None,
        ClipRule::Auto => scale.map(|(lo, hi)| Clip { lo, hi }),
        ClipRule::None => None,
        ClipRule::Range { lo, hi } => Some(Clip { lo, hi }),
    }
}
