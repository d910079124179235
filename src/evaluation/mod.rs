//! Chapter 10. How good is a model, and against what?
//!
//! Errors on ratings that training never saw, beside those of models without factors. A number alone says little: an RMSE of 0.95 is good
//! where guessing the mean gives 1.12 and fair where two biases give 0.94.
//!
//! | file | question |
//! |---|---|
//! | [`baselines`] | what do simple models make of the same ratings? |
//! | [`fit`] | what does one call make of a data set? what suits it, and what do several models say together? |
//! | [`report`] | how far off is a model: on all ratings, on parts of them, and in its lists? |
//! | [`statistics`] | is a difference more than chance? |
//! | [`cross_validation`] | how good is a way of training, whichever ratings it is judged by? |
//! | [`tuning`] | which settings suit the data? |
//! | [`drift`] | is what a model meets today like what it was trained on? |
//! | [`comparison`] | which of two models is better, and is it chance? |
//! | [`gate`] | is a model good enough to be released? |
//!
//! The metrics themselves are chapter 4's.

pub mod baselines;
#[cfg(feature = "train")]
pub mod drift;
#[cfg(feature = "train")]
pub mod fit;
pub mod report;
//
pub mod statistics;
//
pub mod comparison;
#[cfg(feature = "train")]
pub mod cross_validation;
pub mod gate;
#[cfg(feature = "train")]
pub mod tuning;

#[cfg(feature = "train")]
pub use cross_validation::{Candidate, CrossEvent, CrossObserver, cross_validate};
#[cfg(feature = "train")]
pub use fit::{Recipe, Training};
pub use report::judged::{Figures, Judged, judge};
pub use report::split_report::SplitReport;
pub use report::{BaselineErrors, Cold, Errors, Evaluation, evaluate};
