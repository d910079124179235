//! What do the fast loops compute, in the fewest words?
//!
//! One plain loop each, in the order of the formula. They are the oracle of the tests and the baseline of the benches;
//! nothing else calls them. Read these first.

use super::Real;

/// ⟨a, b⟩ = Σ_f a_f·b_f, added from the first factor to the last.
pub fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).map(|(&a, &b)| a * b).sum()
}

/// Σ_f |a_f·b_f| in `f64`: what the rounding error of a dot product is measured against.
pub fn dot_abs<T: Real>(a: &[T], b: &[T]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| (a.to_f64() * b.to_f64()).abs())
        .sum()
}
