//! How wrong is a probability, if the answer was yes or no?
//!
//! The score s is the logit of the probability: ŷ = σ(s) = 1/(1 + e^(−s)). The target t is 1 for yes and 0 for no.
//!
//! ```text
//! ℓ(s, t)  = −t·ln σ(s) − (1 − t)·ln(1 − σ(s))
//!          = ln(1 + e^s) − t·s
//!          = max(s, 0) − t·s + ln(1 + e^(−|s|))            the same, without an exponential that overflows
//! ∂ℓ/∂s    = σ(s) − t
//! ```
//!
//! The derivative of ln(1 + e^s) is e^s/(1 + e^s) = σ(s). With s = 0, t = 1: ℓ = ln 2 ≈ 0.693 and the slope is −½. Known as binary cross-entropy with
//! logits. What stands here as `prediction` is the score itself: the loss has the link inside, because the two together never overflow.

use super::Pointwise;
use crate::model::link::sigmoid;

/// Binary cross-entropy of a logit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Logistic;

impl Pointwise for Logistic {
    #[inline(always)]
    fn value(self, score: f64, target: f64) -> f64 {
        // The two terms are of one sign each for a target of 0 or 1, so their difference is exact where it matters.
        (score.max(0.0) - target * score) + libm::log1p(libm::exp(-score.abs()))
    }

    #[inline(always)]
    fn slope(self, score: f64, target: f64) -> f64 {
        sigmoid(score) - target
    }
}
