//! Chapter 3. How wrong is a prediction, and which way is less wrong?
//!
//! A loss file shows the value ℓ and its slope ∂ℓ/∂ŷ on one screen. A loss knows numbers only: no tables, no rows, no batches. The chain rule that
//! carries its slope to the tables stands in [`gradient`](crate::gradient).
//!
//! | shape | sees | gives | losses |
//! |---|---|---|---|
//! | pointwise | a prediction and a target | ℓ, ∂ℓ/∂ŷ | [`Squared`] |
//!
//! **Convention.** No ½ in front of a square, and no mean inside a loss: the objective divides by the number of examples, once.

mod squared;

pub use squared::Squared;

use crate::kernels::Real;

/// A loss of one prediction against one target.
///
/// Implementations are plain numbers, copied into the loop that calls them:
///
/// ```
/// use lowrank::loss::{Pointwise, Squared};
/// assert_eq!(Squared.value(3.5, 5.0), 2.25); // (3.5 − 5)²
/// assert_eq!(Squared.slope(3.5, 5.0), -3.0); // 2·(3.5 − 5)
/// ```
pub trait Pointwise: Copy + Send + Sync {
    /// ℓ(ŷ, r).
    fn value(self, prediction: f64, target: f64) -> f64;
    /// ∂ℓ/∂ŷ at (ŷ, r).
    fn slope(self, prediction: f64, target: f64) -> f64;
    /// [`slope`](Pointwise::slope) in the numbers of the tables, where the prediction is one of theirs: the hot loop waits for nothing else. A loss that is no more than a few basic operations
    /// does them in those numbers; others go through `f64`.
    #[inline(always)]
    fn slope_in<T: Real>(self, prediction: T, target: T) -> T {
        T::from_f64(self.slope(prediction.to_f64(), target.to_f64()))
    }
}

/// The losses by name, to be picked once per run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossKind {
    /// [`Squared`].
    #[default]
    Squared,
}

impl LossKind {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            LossKind::Squared => "squared",
        }
    }
}
