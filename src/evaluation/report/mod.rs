//! How far off is the model on a test set?
//!
//! ```text
//! over all test rows:   RMSE and MAE of the model,  of the mean μ of the training ratings,  of μ + b_u + b_i
//! ```
//!
//! No row is left out. A row whose user or item training never saw is *cold*: it is predicted from what is left, counted among the errors, and
//! counted apart, because a test set with many of them says more about the newcomers than about the factors.
//! The baselines are clipped as the model's predictions are.
//!
//! | file | question |
//! |---|---|
//! | [`judged`] | what is a model judged by, whatever it was trained for? |
//! | [`rows`] | and row by row, whoever predicted? |
//! | `rankers` | who ranks all unseen items for a user? |
//! | [`ranking`] | how good are the lists that a model makes? |
//! | [`sampled`] | how does a relevant item do against a few drawn ones? |
//! | [`bootstrap`] | how sure is a number? |
//! | [`slices`] | where is a model good, and where not? |
//! | [`split_report`] | is a test set fit to judge what was trained beside it? |

#[cfg(feature = "train")]
pub mod bootstrap;
pub mod judged;
mod rankers;
pub mod ranking;
pub mod rows;
#[cfg(feature = "train")]
pub mod sampled;
pub mod slices;
pub mod split_report;

use crate::data::Interactions;
use crate::kernels::pool::Pool;
use crate::metrics::RatingErrors;
use crate::model::{ModelSide, Scorer};
use crate::{Error, Model, Result};

/// Rows of a task. Fixed, so that the order of the sums does not depend on the number of threads.
const CHUNK: usize = 1 << 14;

/// What [`evaluate`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The model's errors.
    pub model: Errors,
    /// The number of test rows.
    pub rows: u64,
    /// What of them is cold.
    pub cold: Cold,
    /// The errors of models without factors.
    pub baselines: BaselineErrors,
}

/// The errors of one model.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize))]
pub struct Errors {
    /// The root of the mean squared error.
    pub rmse: f64,
    /// The mean absolute error.
    pub mae: f64,
}

/// How much of a test set training never saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cold {
    /// Distinct users without a training rating.
    pub users: u64,
    /// Distinct items without a training rating.
    pub items: u64,
    /// Rows with such a user or such an item.
    pub rows: u64,
}

/// The errors of models without factors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BaselineErrors {
    /// Always the mean of the training ratings.
    pub global_mean: Errors,
    /// μ + b_u + b_i; `None` where the model file holds no baseline.
    pub biases: Option<Errors>,
}

impl From<RatingErrors> for Errors {
    fn from(errors: RatingErrors) -> Errors {
        Errors {
            rmse: errors.rmse(),
            mae: errors.mae(),
        }
    }
}

/// The errors of `model` on `test`; a user or item beyond the model's ids is one that it does not know. Weights are not looked at: every row counts once.
///
/// The result is the same for any number of threads.
///
/// # Errors
/// [`Error::Config`] for a test set without ratings.
pub fn evaluate(model: &Model, test: &Interactions, pool: &Pool) -> Result<Evaluation> {
    if test.is_empty() {
        return Err(Error::config("test", "no ratings", "one or more"));
    }
    let chunks = (0..test.len()).step_by(CHUNK);
    let chunks = chunks.map(|start| start..(start + CHUNK).min(test.len()));
    let parts = pool.map(chunks.collect(), |rows| Part::of(model, test, rows));
    let mut whole = Part::default();
    for part in &parts {
        whole.model.merge(&part.model);
        whole.global_mean.merge(&part.global_mean);
        whole.biases.merge(&part.biases);
        whole.cold_rows += part.cold_rows;
    }
    Ok(Evaluation {
        model: whole.model.into(),
        rows: whole.model.count(),
        cold: Cold {
            rows: whole.cold_rows,
            ..cold_sides(model, test)
        },
        baselines: BaselineErrors {
            global_mean: whole.global_mean.into(),
            biases: model.baseline.as_ref().map(|_| whole.biases.into()),
        },
    })
}

/// How much of `test` the training of `model` never saw.
pub fn cold_of(model: &Model, test: &Interactions) -> Cold {
    let rows = test.users.iter().zip(&test.items);
    let is_cold = |pair: &(&u32, &u32)| cold(&model.users, *pair.0) || cold(&model.items, *pair.1);
    Cold {
        rows: rows.filter(is_cold).count() as u64,
        ..cold_sides(model, test)
    }
}

/// The cold users and items of `test`.
fn cold_sides(model: &Model, test: &Interactions) -> Cold {
    Cold {
        users: distinct_cold(&model.users, &test.users),
        items: distinct_cold(&model.items, &test.items),
        rows: 0,
    }
}

/// The sums of one chunk.
#[derive(Default)]
struct Part {
    model: RatingErrors,
    global_mean: RatingErrors,
    biases: RatingErrors,
    cold_rows: u64,
}

impl Part {
    fn of(model: &Model, test: &Interactions, rows: std::ops::Range<usize>) -> Part {
        let clip = |value: f64| {
            model.clip.map_or(value, |clip| {
                value.max(f64::from(clip.lo)).min(f64::from(clip.hi))
            })
        };
        let mean = clip(model.training_mean);
        let mut part = Part::default();
        for n in rows {
            let (user, item) = (test.users[n], test.items[n]);
            let rating = f64::from(test.ratings[n]);
            let known_user = known(&model.users, user);
            let known_item = known(&model.items, item);
            let value = Scorer::new(model, known_user).value(known_item);
            part.model.push(f64::from(value), rating);
            part.global_mean.push(mean, rating);
            if let Some(baseline) = &model.baseline {
                part.biases
                    .push(clip(baseline.predict(known_user, known_item)), rating);
            }
            part.cold_rows += u64::from(cold(&model.users, user) || cold(&model.items, item));
        }
        part
    }
}

/// The row, where the model has it.
fn known(side: &ModelSide, row: u32) -> Option<u32> {
    ((row as usize) < side.ids.len()).then_some(row)
}

/// Whether no training rating touches the row.
pub(crate) fn cold(side: &ModelSide, row: u32) -> bool {
    side.counts
        .get(row as usize)
        .is_none_or(|&count| count == 0)
}

fn distinct_cold(side: &ModelSide, rows: &[u32]) -> u64 {
    let mut rows: Vec<u32> = rows
        .iter()
        .copied()
        .filter(|&row| cold(side, row))
        .collect();
    rows.sort_unstable();
    rows.dedup();
    rows.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Baseline, example};

    fn model() -> Model {
        let mut model = example::model();
        model.baseline = Some(Baseline {
            global_mean: 3.0,
            user_biases: vec![0.5, -0.5, 0.0, 3.0],
            item_biases: vec![0.25, 0.0, 0.0, -0.25],
        });
        model
    }

    fn test(rows: &[(u32, u32, f32)]) -> Interactions {
        Interactions {
            users: rows.iter().map(|r| r.0).collect(),
            items: rows.iter().map(|r| r.1).collect(),
            ratings: rows.iter().map(|r| r.2).collect(),
            ..Interactions::default()
        }
    }

    #[test]
    fn three_rows_can_be_worked_by_hand() {
        // ann on m2: 3¾ of 4. zoe on m1: 3 + (1, 1)·(1¼, ¼) = 4½ of 3. A stranger on m4: 3 − ¼ of 3¾.
        let test = test(&[(0, 1, 4.0), (3, 0, 3.0), (9, 3, 3.75)]);
        let found = evaluate(&model(), &test, &Pool::new(1)).unwrap();
        assert_eq!(found.rows, 3);
        assert_eq!(found.model.mae, (0.25 + 1.5 + 1.0) / 3.0);
        assert_eq!(found.model.rmse, ((0.0625 + 2.25 + 1.0) / 3.0f64).sqrt());
        assert_eq!(found.baselines.global_mean.mae, (1.0 + 0.0 + 0.75) / 3.0);
        // 3½ of 4, 6¼ clipped to 5 of 3, 2¾ of 3¾.
        let biases = found.baselines.biases.unwrap();
        assert_eq!(biases.mae, (0.5 + 2.0 + 1.0) / 3.0);
        assert_eq!(
            found.cold,
            Cold {
                users: 1,
                items: 0,
                rows: 1
            }
        );
    }

    /// Many rows, some of them cold on either side.
    fn many() -> Interactions {
        let rows = 3 * CHUNK + 17;
        let row = |n: usize| {
            let (user, item) = ((n * 7919 % 6) as u32, (n * 104_729 % 5) as u32);
            (user, item, (n % 9) as f32 * 0.5 + 0.7)
        };
        test(&(0..rows).map(row).collect::<Vec<_>>())
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let (model, test) = (model(), many());
        let one = evaluate(&model, &test, &Pool::new(1)).unwrap();
        for threads in [2, 3, 8] {
            assert_eq!(evaluate(&model, &test, &Pool::new(threads)).unwrap(), one);
        }
    }

    #[test]
    fn the_sums_are_those_of_a_plain_loop() {
        let (model, test) = (model(), many());
        let found = evaluate(&model, &test, &Pool::new(2)).unwrap();
        let (mut squared, mut absolute, mut cold) = (0.0, 0.0, 0);
        for n in 0..test.len() {
            let user = Some(test.users[n]).filter(|&u| u < 4);
            let item = Some(test.items[n]).filter(|&i| i < 4);
            let error =
                f64::from(model.predict_rows(user, item).value) - f64::from(test.ratings[n]);
            squared += error * error;
            absolute += error.abs();
            // eve of row 2 has no training rating.
            cold += u64::from(user.is_none_or(|u| u == 2) || item.is_none());
        }
        let n = test.len() as f64;
        // Two orders of n sums of positive terms: n·2⁻⁵³ each (Higham, 4.2).
        let tolerance = 2.0 * n * 2f64.powi(-53);
        assert!((found.model.rmse / (squared / n).sqrt() - 1.0).abs() <= tolerance);
        assert!((found.model.mae / (absolute / n) - 1.0).abs() <= tolerance);
        let wanted = Cold {
            users: 3,
            items: 1,
            rows: cold,
        };
        assert_eq!(found.cold, wanted);
    }

    #[test]
    fn a_test_set_without_ratings_is_an_error() {
        let nothing = evaluate(&model(), &Interactions::default(), &Pool::new(1));
        assert!(matches!(nothing, Err(Error::Config { .. })));
    }
}
