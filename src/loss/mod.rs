//! Chapter 3. How wrong is a prediction, and which way is less wrong?
//!
//! A loss file shows the value ℓ and its slope on one screen. A loss knows numbers only: no tables, no rows, no batches. The chain rule that
//! carries its slope to the tables stands in [`gradient`](crate::gradient).
//!
//! | shape | sees | gives | losses |
//! |---|---|---|---|
//! | [`Pointwise`] | a prediction and a target | ℓ, ∂ℓ/∂ŷ | [`Squared`], [`Absolute`], [`Huber`], [`Logistic`], [`CosineEmbedding`] |
//! | [`Pairwise`] | how much higher the positive item scores than another | ℓ, ∂ℓ/∂margin | [`Bpr`] |
//! | [`Listwise`] | the scores of a user's positives and of other items | Σ ℓ, the slope of every score | [`Softmax`], [`CosineContrastive`] |
//! | [`angular`] | p·q, ‖p‖, ‖q‖ | the cosine, and what its slope is to p and to q | whatever takes the cosine as its score |
//!
//! Which to take:
//!
//! | what there is | wanted | loss |
//! |---|---|---|
//! | ratings | a predicted rating | `squared`; with outliers `huber` or `absolute` |
//! | yes and no | a probability | `logistic` |
//! | clicks, plays, purchases | the right order | `softmax`, `cosine-contrastive`, `bpr`; in closed form `all-cells` |
//! | pairs that are alike or not | an angle | `cosine-embedding` |
//!
//! **Convention.** No ½ in front of a square, and no mean inside a loss: the objective divides by the number of examples, once. (Exception by
//! definition: the mean over the negatives in [`CosineContrastive`].)

mod absolute;
pub mod angular;
mod bpr;
mod cosine_contrastive;
mod cosine_embedding;
mod huber;
mod kind;
mod logistic;
mod softmax;
mod squared;

pub use absolute::Absolute;
pub use bpr::Bpr;
pub use cosine_contrastive::CosineContrastive;
pub use cosine_embedding::CosineEmbedding;
pub use huber::Huber;
pub use kind::{LossKind, LossShape};
pub use logistic::Logistic;
pub use softmax::Softmax;
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

/// A loss of how much higher one item scores than another: margin = s_ui − s_uj, where the user took i and not j.
pub trait Pairwise: Copy + Send + Sync {
    /// ℓ(margin).
    fn value(self, margin: f64) -> f64;
    /// ∂ℓ/∂margin; ∂ℓ/∂s_ui is the same and ∂ℓ/∂s_uj its negative.
    fn slope(self, margin: f64) -> f64;
}

/// The scores of one user's list, each to be replaced by the slope of the list's loss in it.
#[derive(Debug)]
pub struct List<'a, T> {
    /// s_ui of the positives.
    pub positives: &'a mut [T],
    /// How much each positive counts.
    pub weights: &'a [T],
    /// s_uj of the other items, the same for each positive. A score of −∞ is an item that is left out; its slope is 0.
    pub negatives: &'a mut [T],
    /// Whether the negatives are all items, the positives among them.
    pub everything: bool,
}

/// A loss of a whole list of scores at once: the sum of the losses of its positives, each against all negatives.
pub trait Listwise: Copy + Send + Sync {
    /// Σ_i w_i·ℓ_i; the scores become ∂/∂s.
    fn differentiate<T: Real>(self, list: List<'_, T>) -> f64;
}

#[cfg(test)]
mod tests;
