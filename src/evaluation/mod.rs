//! Chapter 10. How good is a model, and against what?
//!
//! Errors on ratings that training never saw, beside those of models without factors. A number alone says little: an RMSE of 0.95 is good
//! where guessing the mean gives 1.12 and fair where two biases give 0.94.
//!
//! | file | question |
//! |---|---|
//! | [`baselines`] | what does a model without factors make of the same ratings? |
//! | `by_blocks` | how is the baseline fitted on all threads? |
//! | `fit` | what does one call make of a data set? |
//! | [`ensemble`] | what do several models say together? |
//! | [`recipe`] | what suits these ratings? |
//! | [`report`] | how far off is the model on a test set? |
//! | [`statistics`] | is a difference more than chance? |
//! | [`cross_validation`] | how good is a way of training, whichever ratings it is judged by? |
//! | [`tuning`] | which settings suit the data? |
//! | [`comparison`] | which of two models is better, and is it chance? |
//!
//! The metrics themselves are chapter 4's.

pub mod baselines;
#[cfg(feature = "train")]
mod by_blocks;
#[cfg(feature = "train")]
pub mod ensemble;
#[cfg(feature = "train")]
mod fit;
#[cfg(feature = "train")]
pub mod recipe;
pub mod report;
//
pub mod statistics;
//
pub mod comparison;
#[cfg(feature = "train")]
pub mod cross_validation;
#[cfg(feature = "train")]
pub mod tuning;

#[cfg(feature = "train")]
pub use cross_validation::{Candidate, CrossEvent, CrossObserver, cross_validate};
#[cfg(feature = "train")]
pub use fit::Training;
#[cfg(feature = "train")]
pub use recipe::Recipe;
pub use report::{BaselineErrors, Cold, Errors, Evaluation, evaluate};
