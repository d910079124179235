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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_agrees_with_central_differences() {
        let h = 1e-5;
        for prediction in [-1e3, -2.0, 0.0, 0.3, 4.999, 1e3] {
            for target in [-10.0, 0.0, 1.0, 5.0] {
                assert_eq!(
                    Squared.slope_in(prediction, target),
                    Squared.slope(prediction, target)
                );
                let (above, below) = (
                    Squared.value(prediction + h, target),
                    Squared.value(prediction - h, target),
                );
                let (slope, numeric) = (
                    Squared.slope(prediction, target),
                    (above - below) / (2.0 * h),
                );
                // Rounding of the two values, ε·ℓ/h, joins promise 4's tolerance where ℓ is large.
                let tolerance = 1e-8 * slope.abs().max(1.0) + f64::EPSILON * above / h;
                assert!(
                    (slope - numeric).abs() <= tolerance,
                    "at {prediction} for {target}"
                );
            }
        }
    }

    #[test]
    fn the_value_is_never_negative_and_least_at_the_target() {
        assert_eq!(Squared.value(4.0, 4.0), 0.0);
        assert_eq!(Squared.slope(4.0, 4.0), 0.0);
        assert!(Squared.value(4.1, 4.0) > 0.0 && Squared.slope(4.1, 4.0) > 0.0);
        assert!(Squared.value(3.9, 4.0) > 0.0 && Squared.slope(3.9, 4.0) < 0.0);
    }
}
