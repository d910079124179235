//! What is the score, in one line?
//!
//! ```text
//! score = ((μ + b_u) + b_i) + ⟨P_u, Q_i⟩
//! ```
//!
//! The brackets matter: training, `predict` and `recommend` all call this function, so all print the same number.

use crate::kernels::{Real, lanes};

/// The score of one pair, from composed rows (padded to whole lanes) and composed biases; absent terms are 0.
///
/// ```
/// let p = [1.0f32, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
/// let q = [3.0f32, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
/// // 3.5 + 0.25 − 0.5 + (1·3 + 2·½)
/// assert_eq!(lowrank::model::forward::score(3.5, 0.25, -0.5, &p, &q), 7.25);
/// ```
#[inline(always)]
pub fn score<T: Real>(global_mean: T, user_bias: T, item_bias: T, p_u: &[T], q_i: &[T]) -> T {
    with_dot(global_mean, user_bias, item_bias, lanes::dot(p_u, q_i))
}

/// [`score`] where ⟨P_u, Q_i⟩ is at hand.
#[inline(always)]
pub fn with_dot<T: Real>(global_mean: T, user_bias: T, item_bias: T, dot: T) -> T {
    ((global_mean + user_bias) + item_bias) + dot
}
