//! Which settings suit the data?
//!
//! ```text
//! trial n   draws every setting from a stream of its own, named by the number and the setting        ranges
//! rungs     random: one for all.   halving: many trials of few epochs, a third of them of three times as many, …       rungs
//! in order  trials run side by side, and are told of in the order of their numbers        in_order
//! figures   on what is held out, or the mean over folds: RMSE, of a model of an order NDCG@20        here
//! ```
//!
//! Trial n is what it is whatever happens to the others: with another number of trials or threads, or an end by the clock, it draws the same settings and trains to the same
//! bits. A limit cuts the list short and changes nothing on it.
//!
//! What the settings are called, and how they become a configuration, is the command line's.

mod in_order;
pub mod ranges;
mod rungs;

pub use in_order::in_order;
pub use ranges::{Drawn, Range};
pub use rungs::{Rung, best, rungs};

use super::cross_validation::{Candidate, cross_validate};
use super::statistics::Spread;
use super::{Figures, judge};
use crate::Result;
use crate::data::{Dataset, Folds, Halves};
use crate::kernels::pool::Pool;
use crate::training::Checked;

/// What trials are judged by.
#[derive(Clone, Debug)]
pub enum Objective {
    /// The figures on held-out ratings, which training sees as `train` would: it may stop early by them, or keep its best epoch.
    HeldOut(Box<Halves>),
    /// The mean figures over folds, whose test ratings training does not see.
    Folds(Box<Dataset>, Folds),
}

impl Objective {
    /// The ratings of one training, about.
    pub fn n_ratings(&self) -> usize {
        match self {
            Objective::HeldOut(halves) => halves.train.n_ratings(),
            Objective::Folds(data, folds) => data.n_ratings() - data.n_ratings() / folds.len(),
        }
    }

    /// Trainings of one trial.
    pub fn trainings(&self) -> usize {
        match self {
            Objective::HeldOut(_) => 1,
            Objective::Folds(_, folds) => folds.len(),
        }
    }

    /// Trains as `checked` says, and measures.
    ///
    /// # Errors
    /// Those of training, [`Error::Diverged`](crate::Error::Diverged) among them, and of [`judge`].
    pub fn measure(&self, checked: &Checked, pool: &Pool) -> Result<Figures> {
        match self {
            Objective::HeldOut(halves) => {
                let model = checked.fit(&halves.train, Some(&halves.valid), &mut ())?;
                Ok(judge(&model, &halves.valid.interactions, pool)?.model)
            }
            Objective::Folds(data, folds) => {
                let halves = (0..folds.len()).map(|fold| folds.halves(data, fold));
                let candidate = [Candidate::new(checked.clone())];
                let table = cross_validate(halves, &candidate, pool, &mut ())?;
                let of_folds: Vec<Figures> = table
                    .into_iter()
                    .flatten()
                    .map(|found| found.model)
                    .collect();
                Ok(Figures::over(&of_folds, |values| Spread::of(values).mean))
            }
        }
    }
}
