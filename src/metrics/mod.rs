//! Chapter 4. How far are predictions from the truth?
//!
//! Pure functions of numbers; where the numbers come from, and which ratings are asked about, is left to [`evaluation`](crate::evaluation).
//!
//! | file | question |
//! |---|---|
//! | [`rating`] | how far is a predicted rating from the rating? |

pub mod rating;

pub use rating::{RatingErrors, mae, rmse};
