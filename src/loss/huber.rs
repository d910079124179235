//! How wrong is a predicted rating, if near misses count by their square and wild ones by their distance?
//!
//! With d = ŷ − r and a width δ:
//!
//! ```text
//! ℓ        = d²              where |d| ≤ δ          ∂ℓ/∂ŷ = 2d
//!          = δ·(2|d| − δ)    beyond                 ∂ℓ/∂ŷ = 2δ·sign(d)
//! ```
//!
//! Both pieces and their slopes meet at |d| = δ: value δ², slope 2δ. It is the squared loss for δ → ∞, so it has no ½ either: twice the value that
//! Huber, *Robust estimation of a location parameter* (1964), and PyTorch's `HuberLoss` give. With δ = 1, r = 5, ŷ = 3.5: ℓ = 2 and the slope is −2.

use super::Pointwise;

/// Squared up to a distance δ, straight beyond.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Huber {
    /// δ, above 0, in the units of the ratings.
    pub width: f64,
}

impl Pointwise for Huber {
    #[inline(always)]
    fn value(self, prediction: f64, target: f64) -> f64 {
        let distance = (prediction - target).abs();
        if distance <= self.width {
            distance * distance
        } else {
            self.width * (2.0 * distance - self.width)
        }
    }

    #[inline(always)]
    fn slope(self, prediction: f64, target: f64) -> f64 {
        2.0 * (prediction - target).clamp(-self.width, self.width)
    }
}
