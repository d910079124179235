//! Chapter 4. How far are predictions from the truth?
//!
//! Pure functions of numbers and lists; where they come from, and which ratings are asked about, is left to [`evaluation`](crate::evaluation).
//!
//! | file | question |
//! |---|---|
//! | [`rating`] | how far is a predicted rating from the rating? |
//! | [`ranking`] | how good is a ranked list, when some items are known to be relevant? |
//! | [`held_out`] | how did what was held out of a training come out? |
//! | [`auc`] | does a relevant item stand before one that is not? |
//! | [`labels`] | how far are probabilities from what happened? |
//! | [`lists`] | what do many lists look like together? |
//! | [`drift`] | have two sets of counts been drawn alike? |
//! | [`named`] | what is a metric called, and how is it asked for? |
//! | [`about`] | what does the number of a metric mean? |

pub mod about;
pub mod auc;
pub mod drift;
pub mod held_out;
pub mod labels;
pub mod lists;
pub mod named;
pub mod ranking;
pub mod rating;

pub use about::{ABOUT, About};
pub use auc::PairCount;
pub use drift::{jensen_shannon, psi, psi_by_chance};
pub use held_out::{HeldOut, ListMeans};
pub use labels::{label_auc, log_loss};
pub use lists::{coverage, exposures, gini, novelty, overlap};
pub use named::{Kind, Metric};
pub use ranking::Hits;
pub use rating::{RatingErrors, mae, rmse};
