//! Chapter 10. How good is a model, and against what?
//!
//! Errors on ratings that training never saw, beside those of models without factors. A number alone says little: an RMSE of 0.95 is good
//! where guessing the mean gives 1.12 and fair where two biases give 0.94.
//!
//! | file | question |
//! |---|---|
//! | [`baselines`] | what do simple models make of the same ratings? |
//! | `fit` | what does one call make of a data set? |
//! | [`report`] | how far off is the model on a test set? |
//! | [`rows`] | and row by row, whoever predicted? |
//! | [`ranking`] | how good are the lists that a model makes? |
//! | [`bootstrap`] | how sure is a number? |
//! | [`slices`] | where is a model good, and where not? |
//! | [`split_report`] | is a test set fit to judge what was trained beside it? |
//!
//! The metrics themselves are chapter 4's.

pub mod baselines;
#[cfg(feature = "train")]
pub mod bootstrap;
#[cfg(feature = "train")]
mod fit;
pub mod ranking;
pub mod report;
pub mod rows;
pub mod slices;
pub mod split_report;

pub use report::{BaselineErrors, Cold, Errors, Evaluation, evaluate};
pub use split_report::SplitReport;
