//! How good is a way of training, whichever ratings it is judged by?
//!
//! ```text
//! for each fold:  for each candidate:  train on the fold's training ratings,  judge by its test ratings
//! ```
//!
//! All candidates meet the same folds, so their differences are taken fold by fold: folds differ more among each other than candidates do. Everything made of ratings
//! (means, baselines, counts, features of the ratings) is made of a fold's training ratings; names and side files are shared. The test ratings choose nothing: where a candidate
//! stops early or keeps its best epoch, it holds out a share of the *training* ratings for that.
//!
//! There is no clock here: who wants seconds takes them between two events.

use std::ops::ControlFlow;

use super::{Judged, judge};
use crate::data::{Halves, Split};
use crate::kernels::pool::Pool;
use crate::training::{Checked, Event, Observer};
use crate::{Model, Result};

/// A way of training that is to be judged.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The configuration.
    pub checked: Checked,
    /// What is held out of the training ratings for early stopping.
    pub hold_out: Option<Split>,
}

impl Candidate {
    /// A configuration that trains on all of a fold's training ratings.
    pub fn new(checked: Checked) -> Candidate {
        let hold_out = None;
        Candidate { checked, hold_out }
    }
}

/// What happens, in this order, for each fold and in it for each candidate, both counted from 0.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CrossEvent<'a> {
    /// A fold is laid out.
    FoldStarted {
        /// Its number.
        fold: usize,
        /// Ratings to train on.
        n_train: usize,
        /// Ratings to be judged by.
        n_test: usize,
    },
    /// Training begins.
    FitStarted {
        /// The fold's number.
        fold: usize,
        /// The candidate's.
        candidate: usize,
    },
    /// Something happens in it.
    Training {
        /// The fold's number.
        fold: usize,
        /// The candidate's.
        candidate: usize,
        /// What.
        event: &'a Event,
    },
    /// The model is there.
    FitEnded {
        /// The fold's number.
        fold: usize,
        /// The candidate's.
        candidate: usize,
    },
    /// The model was judged.
    Judged {
        /// The fold's number.
        fold: usize,
        /// The candidate's.
        candidate: usize,
        /// How good it was.
        found: &'a Judged,
    },
}

/// Somebody who watches.
pub trait CrossObserver {
    /// Hears of an event; `Break` ends the validation, and the fold at work is forgotten.
    fn on_event(&mut self, event: &CrossEvent<'_>) -> ControlFlow<()>;
}

/// Nobody watches.
impl CrossObserver for () {
    fn on_event(&mut self, _: &CrossEvent<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A closure watches.
impl<F: FnMut(&CrossEvent<'_>) -> ControlFlow<()>> CrossObserver for F {
    fn on_event(&mut self, event: &CrossEvent<'_>) -> ControlFlow<()> {
        self(event)
    }
}

/// Trains and judges every candidate on every fold. The result has a row a fold, in it a judgement a candidate.
///
/// Each of `folds` is asked for when its turn comes, so that one is in memory at a time.
///
/// ```
/// use lowrank::data::{Dataset, FoldRule, Folds};
/// use lowrank::evaluation::{Candidate, cross_validate};
/// use lowrank::kernels::pool::Pool;
/// use lowrank::training::Config;
/// let ratings = (0..60).map(|n| (format!("u{}", n % 6), format!("i{}", n / 6), (n % 5) as f32));
/// let data = Dataset::builder().rows(ratings)?.build()?;
/// let folds = Folds::deal(&data, FoldRule::Random, 3, 42)?;
/// let candidates = [1, 2].map(|n| Config::rating().n_factors(n).epochs(5).check().map(Candidate::new));
/// let candidates = candidates.into_iter().collect::<Result<Vec<_>, _>>()?;
/// let halves = (0..folds.len()).map(|fold| folds.halves(&data, fold));
/// let found = cross_validate(halves, &candidates, &Pool::new(1), &mut ())?;
/// assert_eq!((found.len(), found[0].len()), (3, 2));
/// assert_eq!(found.iter().map(|fold| fold[0].rows).sum::<u64>(), 60);
/// # Ok::<(), lowrank::Error>(())
/// ```
///
/// # Errors
/// Those of making a fold, of training and of [`judge`]; [`Error::Diverged`](crate::Error::Diverged) among them.
pub fn cross_validate(
    folds: impl IntoIterator<Item = Result<Halves>>,
    candidates: &[Candidate],
    pool: &Pool,
    observer: &mut impl CrossObserver,
) -> Result<Vec<Vec<Judged>>> {
    let mut table = Vec::new();
    for (fold, halves) in folds.into_iter().enumerate() {
        let halves = halves?;
        let started = CrossEvent::FoldStarted {
            fold,
            n_train: halves.train.n_ratings(),
            n_test: halves.valid.n_ratings(),
        };
        if observer.on_event(&started).is_break() {
            break;
        }
        let mut row = Vec::new();
        for (candidate, way) in candidates.iter().enumerate() {
            let mut go_on = true;
            let mut tell = |event: &CrossEvent<'_>| {
                let told = observer.on_event(event);
                go_on &= told.is_continue();
                told
            };
            let _ = tell(&CrossEvent::FitStarted { fold, candidate });
            let mut watch = |event: &Event| {
                tell(&CrossEvent::Training {
                    fold,
                    candidate,
                    event,
                })
            };
            let model = way.fit(&halves, &mut watch)?;
            let _ = tell(&CrossEvent::FitEnded { fold, candidate });
            // A training that was stopped is not what was asked for: it is not judged.
            if !go_on {
                return Ok(table);
            }
            let found = judge(&model, &halves.valid.interactions, pool)?;
            let judged = CrossEvent::Judged {
                fold,
                candidate,
                found: &found,
            };
            if observer.on_event(&judged).is_break() {
                return Ok(table);
            }
            row.push(found);
        }
        table.push(row);
    }
    Ok(table)
}

impl Candidate {
    /// The model of a fold's training ratings.
    fn fit(&self, halves: &Halves, observer: &mut impl Observer) -> Result<Model> {
        match &self.hold_out {
            None => self.checked.fit(&halves.train, None, observer),
            Some(split) => {
                let inner = halves.train.split(split)?;
                let valid = Some(&inner.valid);
                self.checked.fit(&inner.train, valid, observer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, FoldRule, Folds};
    use crate::training::{Config, Implicit, PerTable};

    fn data() -> Dataset {
        let rows = (0..200u32).map(|n| {
            let (user, item) = (n % 14, n * 7 % 19);
            let rating = 1.0 + ((user * item + n) % 5) as f32;
            (format!("u{user}"), format!("i{item}"), rating)
        });
        Dataset::builder().rows(rows).unwrap().build().unwrap()
    }

    /// Features of the ratings and every count in the model, so that a leak shows.
    fn candidate() -> Candidate {
        let config = Config::rating()
            .n_factors(2)
            .epochs(20)
            .l2(PerTable::new(1.0))
            .implicit(Implicit::Both);
        Candidate::new(config.check().unwrap())
    }

    #[test]
    fn what_is_tested_leaves_no_trace_in_the_model() {
        let data = data();
        let folds = Folds::deal(&data, FoldRule::Random, 4, 1).unwrap();
        for fold in 0..4 {
            let halves = folds.halves(&data, fold).unwrap();
            let model = candidate().fit(&halves, &mut ()).unwrap();
            // The tested rows say something else altogether, of other pairs.
            let mut poisoned = data.clone();
            let tested = &halves.valid.interactions;
            let all = &mut poisoned.interactions;
            let mut n_poisoned = 0;
            for position in 0..all.len() {
                let pair = (all.users[position], all.items[position]);
                let mut pairs = tested
                    .users
                    .iter()
                    .copied()
                    .zip(tested.items.iter().copied());
                if pairs.any(|other| other == pair) {
                    (all.users[position], all.items[position]) = (0, 0);
                    all.ratings[position] = 1e6;
                    n_poisoned += 1;
                }
            }
            assert_eq!(n_poisoned, tested.len());
            let again = candidate()
                .fit(&folds.halves(&poisoned, fold).unwrap(), &mut ())
                .unwrap();
            assert_eq!(model.to_bytes().unwrap(), again.to_bytes().unwrap());
            let counts: u32 = model.users.counts.iter().sum();
            assert_eq!(counts as usize, halves.train.n_ratings());
        }
    }

    #[test]
    fn a_break_keeps_whole_folds() {
        let data = data();
        let folds = Folds::deal(&data, FoldRule::Random, 4, 1).unwrap();
        let both = [candidate(), candidate()];
        let mut judged = 0;
        let mut watch = |event: &CrossEvent<'_>| match event {
            CrossEvent::Judged { .. } if judged == 2 => ControlFlow::Break(()),
            CrossEvent::Judged { .. } => {
                judged += 1;
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Continue(()),
        };
        let halves = (0..4).map(|fold| folds.halves(&data, fold));
        let found = cross_validate(halves, &both, &Pool::new(1), &mut watch).unwrap();
        assert_eq!((found.len(), found[0].len()), (1, 2));
        assert_eq!(found[0][0], found[0][1]);
    }

    #[test]
    fn a_training_that_was_stopped_is_not_judged() {
        let data = data();
        let folds = Folds::deal(&data, FoldRule::Random, 4, 1).unwrap();
        let (mut epochs, mut judged) = (0, 0);
        let mut watch = |event: &CrossEvent<'_>| {
            judged += usize::from(matches!(event, CrossEvent::Judged { .. }));
            if let CrossEvent::Training {
                fold: 1,
                event: Event::EpochEnded(_),
                ..
            } = event
            {
                epochs += 1;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let halves = (0..4).map(|fold| folds.halves(&data, fold));
        let found = cross_validate(halves, &[candidate()], &Pool::new(1), &mut watch).unwrap();
        assert_eq!((found.len(), epochs, judged), (1, 1, 1));
    }

    #[test]
    fn early_stopping_looks_at_a_share_of_the_training_ratings() {
        let data = data();
        let folds = Folds::deal(&data, FoldRule::User, 3, 1).unwrap();
        let halves = folds.halves(&data, 0).unwrap();
        let stopping = Candidate {
            hold_out: Some(Split::random(0.25, 3)),
            ..candidate()
        };
        let model = stopping.fit(&halves, &mut ()).unwrap();
        let counted: u32 = model.users.counts.iter().sum();
        let n = halves.train.n_ratings();
        assert_eq!(counted as usize, n - (n as f64 * 0.25 + 0.5) as usize);
    }
}
