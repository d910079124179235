//! How wrong is a predicted rating, if a wild one shall not count more than its distance?
//!
//! ```text
//! ℓ(ŷ, r)  = |ŷ − r|
//! ∂ℓ/∂ŷ    = sign(ŷ − r),     0 at ŷ = r, where the value has a kink
//! ```
//!
//! With r = 5 and ŷ = 3.5: ℓ = 1.5 and the slope is −1, as it is for ŷ = −100. The least sum of ℓ is at the median of the ratings, as that of
//! squares is at their mean.

use super::Pointwise;

/// |ŷ − r|.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Absolute;

impl Pointwise for Absolute {
    #[inline(always)]
    fn value(self, prediction: f64, target: f64) -> f64 {
        (prediction - target).abs()
    }

    #[inline(always)]
    fn slope(self, prediction: f64, target: f64) -> f64 {
        let difference = prediction - target;
        if difference == 0.0 {
            0.0
        } else {
            difference.signum()
        }
    }
}
