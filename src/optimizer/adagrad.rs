//! What if every number has a rate of its own?
//!
//! ```text
//! g ← g + decay·θ
//! G ← G + g²
//! θ ← θ − η·g / (√G + ε)
//! ```
//!
//! Numbers that moved much move less from then on. G only grows, so the steps only shrink: Adam forgets instead.
//! Duchi, Hazan and Singer, *Adaptive subgradient methods* (2011).

use super::{MAX_MOMENTS, Rule};
use crate::kernels::Real;

/// Adagrad; its one moment is the sum of squared gradients.
///
/// ```
/// use lowrank::optimizer::{Adagrad, Rule};
/// let (mut row, mut sum) = ([1.0f64], [0.0]);
/// Adagrad::new(0.1, 0.0, 1e-10).update(&mut row, &[4.0], [&mut sum, &mut [], &mut []]);
/// assert_eq!(sum, [16.0]);
/// assert!((row[0] - 0.9f64).abs() < 1e-9); // the first step is η, whatever the gradient: 0.1·4/√16
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Adagrad<T> {
    rate: T,
    decay: T,
    epsilon: T,
}

impl<T: Real> Adagrad<T> {
    /// The rule at learning rate η.
    pub fn new(learning_rate: f64, weight_decay: f64, epsilon: f64) -> Adagrad<T> {
        Adagrad {
            rate: T::from_f64(learning_rate),
            decay: T::from_f64(weight_decay),
            epsilon: T::from_f64(epsilon),
        }
    }
}

impl<T: Real> Rule<T> for Adagrad<T> {
    #[inline(always)]
    fn update(self, row: &mut [T], gradient: &[T], [sum, ..]: [&mut [T]; MAX_MOMENTS]) {
        for ((x, &g), sum) in row.iter_mut().zip(gradient).zip(sum) {
            let g = g + self.decay * *x;
            *sum += g * g;
            *x -= self.rate * g / (sum.square_root() + self.epsilon);
        }
    }
}
