//! How does the cosine of two rows change with each of them?
//!
//! ```text
//! c        = ⟨p, q⟩ / (‖p‖·‖q‖)
//! ∂c/∂p    = q/(‖p‖·‖q‖) − c·p/‖p‖²   = (q̂ − c·p̂)/‖p‖            p̂ = p/‖p‖,  q̂ = q/‖q‖
//! ∂c/∂q    = p/(‖p‖·‖q‖) − c·q/‖q‖²   = (p̂ − c·q̂)/‖q‖
//! ```
//!
//! The first term would turn p towards q and lengthen it; the second takes off what would lengthen it, because length does not count: ⟨∂c/∂p, p⟩ = 0. For the sum of many
//! cosines with slopes g, the terms add up before the division: with ∂p̂ = Σ g·q̂,
//!
//! ```text
//! ∂p = (∂p̂ − ⟨∂p̂, p̂⟩·p̂)/‖p‖
//! ```
//!
//! So a loss of cosines is trained as a loss of dot products of p̂ and q̂, and each row's gradient is taken back through its normalisation once ([`backprop`]).
//! (p̂ is made by [`lanes::normalize`].) A row of zeros has no angle: its cosines are 0 and its gradient is 0.
//!
//! **By hand**: p = (3, 4), q = (1, 0). ‖p‖ = 5, c = 0.6, p̂ = (0.6, 0.8); ∂c/∂p = ((1, 0) − 0.6·(0.6, 0.8))/5 = (0.128, −0.096), and 3·0.128 − 4·0.096 = 0.

use crate::kernels::{Real, lanes};

/// Takes ∂x̂, in `gradient`, to ∂x = (∂x̂ − ⟨∂x̂, x̂⟩·x̂)/‖x‖.
#[inline(always)]
pub fn backprop<T: Real>(unit: &[T], norm: T, gradient: &mut [T]) {
    if norm == T::ZERO {
        return gradient.fill(T::ZERO);
    }
    let along = lanes::dot(gradient, unit);
    let inverse = T::from_f64(1.0 / norm.to_f64());
    for (g, &unit) in gradient.iter_mut().zip(unit) {
        *g = (*g - along * unit) * inverse;
    }
}
