//! Steps 1 and 2 of a pair: what does the order of two items say?
//!
//! ```text
//! margin   m = s_ui − s_uj,     g = (1/N)·c·ℓ'(m)
//! ∂P_u     = g·(Q_i − Q_j)      ∂Q_i = g·P_u      ∂Q_j = −g·P_u      ∂b_i = g      ∂b_j = −g
//! ```
//!
//! μ and b_u stand in both scores and cancel: their gradient is 0. N counts pairs. The passes are those of the examples, two to a pair.

use super::RowGradients;
use super::passes::Passes;
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real};
use crate::loss::Pairwise;

impl<T: Real> Passes<'_, T> {
    /// Slopes of both of each pair and ∂P, user by user; returns Σ c·ℓ.
    pub(super) fn forward_pairs(
        &self,
        loss: impl Pairwise,
        slopes: &mut [T],
        gradient: &mut RowGradients<T>,
        pool: &Pool,
        kernel: Kernel,
    ) -> f64 {
        let examples = self.examples;
        let biases = self.items.bias_slice();
        let bias = |item: u32| biases.map_or(T::ZERO, |b| b[item as usize]);
        let share = 1.0 / (examples.len() / 2) as f64;
        self.score(
            slopes,
            gradient,
            pool,
            kernel,
            |_, e, [i, j], [of_i, of_j]| {
                let margin = ((bias(i) + of_i) - (bias(j) + of_j)).to_f64();
                let weight = examples.weight(e);
                let slope = T::from_f64(loss.slope(margin) * (weight * share));
                (weight * loss.value(margin), [slope, -slope])
            },
        )
    }
}
