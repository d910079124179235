//! How wrong is a predicted rating?
//!
//! ```text
//! ℓ(ŷ, r)  = (ŷ − r)²
//! ∂ℓ/∂ŷ    = 2·(ŷ − r)
//! ```
//!
//! With r = 5 and ŷ = 3.5: ℓ = 2.25 and the slope is −3: raising ŷ lowers the loss. The mean of ℓ over all ratings is the mean squared
//! error, its root the RMSE. Koren, Bell and Volinsky, *Matrix factorization techniques for recommender systems* (2009), eq. 2.

use super::Pointwise;
use crate::kernels::Real;

/// (ŷ − r)², without a ½.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Squared;

impl Pointwise for Squared {
    #[inline(always)]
    fn value(self, prediction: f64, target: f64) -> f64 {
        (prediction - target) * (prediction - target)
    }

    #[inline(always)]
    fn slope(self, prediction: f64, target: f64) -> f64 {
        2.0 * (prediction - target)
    }

    #[inline(always)]
    fn slope_in<T: Real>(self, prediction: T, target: T) -> T {
        // Doubling is exact.
        let difference = prediction - target;
        difference + difference
    }
}
