//! Is what a model meets today like what it was trained on?
//!
//! A log of interactions beside the training:
//!
//! | what | reference | log |
//! |---|---|---|
//! | unknown rows | | rows whose user, whose item the model has not |
//! | ratings | the training ratings, by value or by bin | the log's ratings; a value that training never had is one more bin |
//! | popularity | the [ten bins](popularity_bins) of items that have a tenth of the training ratings each | rows of items that the model has |
//! | scores | predictions of training pairs, in 20 bins | predictions of pairs of which the model has both |
//! | errors | the RMSE on training pairs, and on those held out where somebody knows it | the RMSE of all rows that have a rating, unknown users and items too |
//!
//! Training pairs are predicted by a model that saw them. Of ratings, such predictions spread a little wider than others of the same kind, and their errors are smaller; the difference is far below the usual bounds,
//! but for a model that has learnt its ratings by heart. A model of an order is made to put what it saw above all else, so what comes later scores lower though nothing has changed: there the scores are compared, but
//! judged only where the past is of [other ratings](Past::of_ratings), which should be such that the model never saw.
//!
//! What is compared is judged by [`Bounds`]. The measures are chapter 4's ([`drift`](crate::metrics::drift)).

use super::report::rows;
use crate::data::{Dataset, Interactions};
use crate::kernels::pool::Pool;
use crate::metrics::drift::{bins_in_use, jensen_shannon, psi, psi_by_chance};
use crate::metrics::{RatingErrors, coverage, gini};
use crate::model::reference::{Histogram, POPULARITY_BINS, popularity_bins};
use crate::model::{Meaning, Reference};
use crate::{Model, Result};

/// What a log is put beside.
#[derive(Clone, Debug)]
pub struct Past {
    /// `None` of a model whose file does not say: ratings and scores have nothing to be compared with.
    pub reference: Option<Reference>,
    /// Ratings of each item.
    pub item_counts: Vec<u32>,
    /// Whether the scores of a log may be judged by the reference's.
    pub judges_scores: bool,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Rows of the recent.
    pub rows: u64,
    /// Users that the model has not.
    pub users: Unknown,
    /// Items that the model has not.
    pub items: Unknown,
    /// `None` without a reference, without ratings in the log, or where training had one value alone.
    pub ratings: Option<Drift>,
    /// `None` where training or log have no item of the model.
    pub popularity: Option<Drift>,
    /// `None` without a reference, or without a pair of which the model has both.
    pub scores: Option<Drift>,
    /// Whether the scores have a bound.
    pub judges_scores: bool,
    /// How much of the catalogue the log has.
    pub coverage: Coverage,
    /// The same of the training.
    pub coverage_before: Coverage,
    /// `None` of a log without ratings, or a model that does not predict them.
    pub errors: Option<Errors>,
    /// The errors of predictions that were served, where the log has them.
    pub served: Option<Errors>,
}

/// What of a log the model has not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Unknown {
    /// Rows with such a user, or item.
    pub rows: u64,
    /// Different ones.
    pub ids: u64,
    /// Different ids of the log, known or not.
    pub of_ids: u64,
}

/// Two distributions over the same bins.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// What each bin is called.
    pub bins: Vec<String>,
    /// How many of the reference are in each.
    pub reference: Vec<u64>,
    /// How many of the recent.
    pub current: Vec<u64>,
}

/// How a set of rows spreads over the catalogue.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize))]
pub struct Coverage {
    /// Different items of the model.
    pub items: u64,
    /// As a share of the model's items.
    pub share: f64,
    /// How unevenly the rows are spread over the catalogue.
    pub gini: f64,
    /// The share of the rows that the most frequent hundredth of the catalogue has, at least one item.
    pub top: f64,
}

/// The error of predictions, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize))]
pub struct Errors {
    /// The root of the mean squared error.
    pub rmse: f64,
    /// How far off that may be: half of the 95 % interval, 1.96·s/(2·RMSE·√n) with s the deviation of the squared errors.
    pub within: f64,
    /// Rows.
    pub rows: u64,
}

/// What is allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Of each PSI.
    pub psi: f64,
    /// Of each Jensen–Shannon divergence.
    pub js: f64,
    /// Of the share of rows with an unknown user, and of those with an unknown item.
    pub unknown: f64,
    /// Of the RMSE; `None` says nothing about it.
    pub rmse: Option<f64>,
}

/// A PSI of 0.2 by convention; for a change that is spread over the bins a divergence of 0.05 is about as much; a row in ten may be new; nothing is said of errors.
impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            psi: 0.2,
            js: 0.05,
            unknown: 0.1,
            rmse: None,
        }
    }
}

/// One comparison with a bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Check {
    /// `psi.ratings`, `unknown.items`, `rmse`, …
    pub name: &'static str,
    /// What was found.
    pub value: f64,
    /// What is allowed.
    pub bound: f64,
}

impl Check {
    /// Whether the value is at most the bound; not a number is not.
    pub fn passed(&self) -> bool {
        self.value <= self.bound
    }
}

impl Past {
    /// What the model's file knows.
    pub fn of_model(model: &Model) -> Past {
        Past {
            reference: model.reference().cloned(),
            item_counts: model.items().counts().to_vec(),
            judges_scores: model.meaning() == Meaning::Rating,
        }
    }

    /// Other ratings, whose users and items are numbered as the model's are and beyond.
    ///
    /// # Errors
    /// None today: the ratings are in memory.
    pub fn of_ratings(model: &Model, ratings: Interactions) -> Result<Past> {
        let mut item_counts = vec![0; model.items().ids().len()];
        for &item in &ratings.items {
            if let Some(count) = item_counts.get_mut(item as usize) {
                *count += 1;
            }
        }
        let data = Dataset::default().with(ratings);
        Ok(Past {
            reference: Some(Reference::of(model, &data)?),
            item_counts,
            judges_scores: true,
        })
    }
}

/// Puts `recent` beside `past`; users and items beyond the model's are unknown. Without `has_ratings` the log's ratings mean nothing. `served` are predictions of the log's rows.
pub fn watch(
    model: &Model,
    past: &Past,
    recent: &Interactions,
    has_ratings: bool,
    served: Option<&[f32]>,
    pool: &Pool,
) -> Watched {
    let (n_users, n_items) = (model.users().ids().len(), model.items().ids().len());
    let predictions = rows::predictions(model, recent, pool);
    let known =
        |n: usize| (recent.users[n] as usize) < n_users && (recent.items[n] as usize) < n_items;
    let reference = past.reference.as_ref();
    let of_ratings = has_ratings && model.meaning() == Meaning::Rating;
    let mut exposures = vec![0u64; n_items];
    for &item in &recent.items {
        if let Some(exposure) = exposures.get_mut(item as usize) {
            *exposure += 1;
        }
    }
    let before: Vec<u64> = past.item_counts.iter().map(|&n| n.into()).collect();
    let scores = reference.and_then(|reference| {
        let of_known = (0..recent.len())
            .filter(|&n| known(n))
            .map(|n| predictions[n] as f32);
        Drift::of(&reference.scores, of_known)
    });
    let ratings = reference.filter(|reference| has_ratings && reference.ratings.counts().len() > 1);
    let errors = |predictions: &[f64]| Errors::of(predictions, &recent.ratings);
    Watched {
        rows: recent.len() as u64,
        users: Unknown::of(&recent.users, n_users),
        items: Unknown::of(&recent.items, n_items),
        ratings: ratings
            .and_then(|reference| Drift::of(&reference.ratings, recent.ratings.iter().copied())),
        popularity: Drift::of_popularity(&past.item_counts, &exposures),
        scores,
        judges_scores: past.judges_scores,
        coverage: Coverage::of(&exposures),
        coverage_before: Coverage::of(&before),
        errors: Some(errors(&predictions)).filter(|_| of_ratings),
        served: served
            .filter(|_| of_ratings)
            .map(|served| errors(&served.iter().map(|&p| p.into()).collect::<Vec<f64>>())),
    }
}

impl Unknown {
    fn of(rows: &[u32], n_known: usize) -> Unknown {
        let unknown = |row: &&u32| **row as usize >= n_known;
        let mut ids = rows.to_vec();
        ids.sort_unstable();
        ids.dedup();
        Unknown {
            rows: rows.iter().filter(unknown).count() as u64,
            ids: ids.iter().filter(unknown).count() as u64,
            of_ids: ids.len() as u64,
        }
    }
}

impl Drift {
    /// Of numbers; `None` where one side has none.
    fn of(reference: &Histogram, numbers: impl IntoIterator<Item = f32>) -> Option<Drift> {
        let (mut current, other) = reference.count(numbers);
        let mut before = reference.counts().to_vec();
        let mut bins: Vec<String> = (0..before.len()).map(|k| reference.name(k)).collect();
        if other > 0 {
            bins.push("other".into());
            before.push(0);
            current.push(other);
        }
        Drift {
            bins,
            reference: before,
            current,
        }
        .if_any()
    }

    fn of_popularity(counts: &[u32], exposures: &[u64]) -> Option<Drift> {
        let mut drift = Drift {
            bins: (1..=POPULARITY_BINS)
                .map(|tenth| tenth.to_string())
                .collect(),
            reference: vec![0; POPULARITY_BINS],
            current: vec![0; POPULARITY_BINS],
        };
        for (item, bin) in popularity_bins(counts).into_iter().enumerate() {
            drift.reference[bin as usize] += u64::from(counts[item]);
            drift.current[bin as usize] += exposures[item];
        }
        drift.if_any()
    }

    fn if_any(self) -> Option<Drift> {
        (self.n_reference() > 0 && self.n_current() > 0).then_some(self)
    }

    /// All of the reference.
    pub fn n_reference(&self) -> u64 {
        self.reference.iter().sum()
    }

    /// All of the log that is compared.
    pub fn n_current(&self) -> u64 {
        self.current.iter().sum()
    }

    /// The population stability index.
    pub fn psi(&self) -> f64 {
        psi(&self.reference, &self.current)
    }

    /// The Jensen–Shannon divergence, in bits.
    pub fn js(&self) -> f64 {
        jensen_shannon(&self.reference, &self.current)
    }

    /// The PSI that one in twenty logs of this length exceeds though nothing has changed.
    pub fn psi_by_chance(&self) -> f64 {
        psi_by_chance(self.n_bins(), self.n_reference(), self.n_current())
    }

    /// Bins that are not empty in both.
    pub fn n_bins(&self) -> usize {
        bins_in_use(&self.reference, &self.current)
    }
}

impl Coverage {
    fn of(exposures: &[u64]) -> Coverage {
        let mut falling = exposures.to_vec();
        falling.sort_unstable_by(|a, b| b.cmp(a));
        let top: u64 = falling.iter().take(falling.len().div_ceil(100)).sum();
        let all: u64 = falling.iter().sum();
        Coverage {
            items: exposures.iter().filter(|&&n| n > 0).count() as u64,
            share: coverage(exposures),
            gini: gini(exposures),
            top: top as f64 / all as f64,
        }
    }
}

impl Errors {
    fn of(predictions: &[f64], ratings: &[f32]) -> Errors {
        let pairs = || {
            let pairs = predictions.iter().zip(ratings);
            pairs.map(|(&p, &r)| (p, f64::from(r)))
        };
        let rmse = pairs().collect::<RatingErrors>().rmse();
        let n = predictions.len() as f64;
        let off = |(p, r): (f64, f64)| {
            let off = (p - r) * (p - r) - rmse * rmse;
            off * off
        };
        let deviation = (pairs().map(off).sum::<f64>() / n).sqrt();
        Errors {
            rows: predictions.len() as u64,
            rmse,
            within: match rmse > 0.0 {
                true => 1.96 * deviation / (2.0 * rmse * n.sqrt()),
                false => 0.0,
            },
        }
    }
}

impl Watched {
    /// The distributions that were compared.
    pub fn drifts(&self) -> impl Iterator<Item = (&'static str, &Drift)> {
        let all = [
            ("ratings", &self.ratings),
            ("popularity", &self.popularity),
            ("scores", &self.scores),
        ];
        let all = all.into_iter();
        all.filter_map(|(name, drift)| Some((name, drift.as_ref()?)))
    }

    /// Everything that has a value and a bound.
    pub fn checks(&self, bounds: &Bounds) -> Vec<Check> {
        let check = |name, value, bound| Check { name, value, bound };
        let share = |unknown: &Unknown| unknown.rows as f64 / self.rows as f64;
        let mut checks = vec![
            check("unknown.users", share(&self.users), bounds.unknown),
            check("unknown.items", share(&self.items), bounds.unknown),
        ];
        let judged = |(name, _): &(&str, &Drift)| *name != "scores" || self.judges_scores;
        for (name, drift) in self.drifts().filter(judged) {
            let [of_psi, of_js] = match name {
                "ratings" => ["psi.ratings", "js.ratings"],
                "popularity" => ["psi.popularity", "js.popularity"],
                _ => ["psi.scores", "js.scores"],
            };
            checks.push(check(of_psi, drift.psi(), bounds.psi));
            checks.push(check(of_js, drift.js(), bounds.js));
        }
        for (name, errors) in [("rmse", &self.errors), ("rmse.served", &self.served)] {
            if let (Some(errors), Some(bound)) = (errors, bounds.rmse) {
                checks.push(check(name, errors.rmse, bound));
            }
        }
        checks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example;

    fn log(rows: &[(u32, u32, f32)]) -> Interactions {
        Interactions {
            users: rows.iter().map(|row| row.0).collect(),
            items: rows.iter().map(|row| row.1).collect(),
            ratings: rows.iter().map(|row| row.2).collect(),
            ..Interactions::default()
        }
    }

    /// Twice the same rows are alike in everything; rows beyond the model's are counted by row and by id.
    #[test]
    fn a_log_beside_itself_and_beside_strangers() {
        let model = example::model();
        let own = log(&[(0, 0, 4.0), (1, 1, 2.0), (2, 2, 5.0), (0, 1, 3.0)]);
        let past = Past::of_ratings(&model, own.clone()).unwrap();
        assert_eq!(past.item_counts, [1, 2, 1, 0]);
        let pool = Pool::new(1);
        let same = watch(&model, &past, &own, true, None, &pool);
        for (name, drift) in same.drifts() {
            assert_eq!((drift.psi(), drift.js()), (0.0, 0.0), "{name}");
        }
        assert_eq!(same.drifts().count(), 3);
        assert_eq!(same.coverage, same.coverage_before);
        assert_eq!((same.coverage.items, same.coverage.share), (3, 0.75));
        assert_eq!(same.coverage.top, 0.5);
        let rmse = past.reference.as_ref().and_then(Reference::train_rmse);
        assert_eq!(same.errors.map(|errors| errors.rmse), rmse);
        let checks = same.checks(&Bounds::default());
        assert_eq!(checks.len(), 8);
        assert!(checks.iter().all(Check::passed));

        let strangers = log(&[(9, 0, 4.0), (9, 7, 2.0), (8, 7, 2.5), (0, 1, 3.0)]);
        let found = watch(&model, &past, &strangers, true, None, &pool);
        assert_eq!(
            (found.users, found.items),
            (
                Unknown {
                    rows: 3,
                    ids: 2,
                    of_ids: 3
                },
                Unknown {
                    rows: 2,
                    ids: 1,
                    of_ids: 3
                }
            )
        );
        // Only the pair that the model has is scored; only items that it has are popular or not.
        assert_eq!(found.scores.as_ref().map(Drift::n_current), Some(1));
        assert_eq!(found.popularity.as_ref().map(Drift::n_current), Some(2));
        // 2.5 is a rating that the past never had.
        let ratings = found.ratings.as_ref().unwrap();
        assert_eq!(ratings.bins, ["2", "3", "4", "5", "other"]);
        assert_eq!(ratings.current, [1, 1, 1, 0, 1]);
        let failed: Vec<&str> = found
            .checks(&Bounds::default())
            .iter()
            .filter(|check| !check.passed())
            .map(|check| check.name)
            .collect();
        assert!(failed.starts_with(&["unknown.users", "unknown.items"]));
    }

    #[test]
    fn without_a_reference_there_is_what_the_model_knows() {
        let model = example::model();
        let own = log(&[(0, 0, 4.0), (1, 1, 2.0)]);
        let past = Past::of_model(&model);
        assert!(past.reference.is_none());
        let found = watch(&model, &past, &own, true, None, &Pool::new(1));
        let names: Vec<&str> = found.drifts().map(|(name, _)| name).collect();
        assert_eq!(names, ["popularity"]);
        assert!(found.errors.is_some());
        let clicks = watch(&model, &past, &own, false, Some(&[4.0, 2.0]), &Pool::new(1));
        assert_eq!((clicks.errors, clicks.served), (None, None));
    }

    #[test]
    fn errors_have_an_interval_worked_by_hand() {
        // Errors 1, 1, 1, 3: squares 1, 1, 1, 9 of mean 3; deviations 2, 2, 2, 6, so s = √12.
        let errors = Errors::of(&[2.0, 2.0, 2.0, 4.0], &[1.0, 3.0, 1.0, 1.0]);
        assert_eq!((errors.rows, errors.rmse), (4, 3f64.sqrt()));
        let within = 1.96 * 12f64.sqrt() / (2.0 * 3f64.sqrt() * 2.0);
        assert!((errors.within - within).abs() < 1e-12);
        assert_eq!(Errors::of(&[2.0], &[2.0]).within, 0.0);
        let nan = Check {
            name: "rmse",
            value: f64::NAN,
            bound: 1.0,
        };
        assert!(!nan.passed());
    }
}
