//! What is the simplest step?
//!
//! ```text
//! g ← g + decay·θ
//! θ ← θ − η·g
//! ```
//!
//! All numbers move with one rate: a row with many ratings and one with few, a bias and a factor. Adam is the answer to that.

use super::{MAX_MOMENTS, Rule};
use crate::kernels::Real;

/// Stochastic gradient descent, without momentum.
///
/// ```
/// use lowrank::optimizer::{Rule, Sgd};
/// let mut row = [1.0f64];
/// Sgd::new(0.1, 0.0).update(&mut row, &[4.0], Default::default());
/// assert!((row[0] - 0.6f64).abs() < 1e-15); // 1 − 0.1·4
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sgd<T> {
    rate: T,
    decay: T,
}

impl<T: Real> Sgd<T> {
    /// The rule at learning rate η.
    pub fn new(learning_rate: f64, weight_decay: f64) -> Sgd<T> {
        Sgd {
            rate: T::from_f64(learning_rate),
            decay: T::from_f64(weight_decay),
        }
    }
}

impl<T: Real> Rule<T> for Sgd<T> {
    #[inline(always)]
    fn update(self, row: &mut [T], gradient: &[T], _: [&mut [T]; MAX_MOMENTS]) {
        for (x, &g) in row.iter_mut().zip(gradient) {
            let g = g + self.decay * *x;
            *x -= self.rate * g;
        }
    }
}
