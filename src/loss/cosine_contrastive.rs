//! How far are the items that a user took, and how near are those that come too near?
//!
//! c are cosines, N the number of negatives, m a margin and ω the weight of the negatives.
//!
//! ```text
//! ℓ_i       = (1 − c_i) + (ω/N) Σ_j max(0, c_j − m)
//! ∂ℓ_i/∂c_i = −1
//! ∂ℓ_i/∂c_j = ω/N  where c_j > m,  otherwise 0
//! ```
//!
//! Negatives below the margin cost a dot product and no update: with m near 1 and many of them, only the hard ones push. There is a kink at c_j = m. With c_i = ½, one negative at 0.9,
//! m = 0.8, ω = 2: ℓ = ½ + 2·0.1 = 0.7. Mao et al., *SimpleX: a simple and strong baseline for collaborative filtering* (2021), eq. 1.
//!
//! **A user's positives together.** The negatives are the same for each positive, so with weights w_i their slope is (ω/N)·Σ_i w_i.

use super::{List, Listwise};
use crate::kernels::Real;

/// 1 − cos of the positives, and the mean excess of the negatives over a margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CosineContrastive {
    /// m, the cosine from which on a negative is too near; at least −1 and below 1.
    pub margin: f64,
    /// ω, at least 0.
    pub negative_weight: f64,
}

impl Listwise for CosineContrastive {
    #[inline(always)]
    fn differentiate<T: Real>(self, list: List<'_, T>) -> f64 {
        let (mut value, mut weight) = (0.0, 0.0);
        for (c, &w) in list.positives.iter_mut().zip(list.weights) {
            // Rounding may leave a cosine a little above 1.
            value += w.to_f64() * (1.0 - c.to_f64()).max(0.0);
            weight += w.to_f64();
            *c = -w;
        }
        let lowest = T::from_f64(f64::NEG_INFINITY);
        let margin = T::from_f64(self.margin);
        let n = list.negatives.iter().filter(|&&c| c > lowest).count();
        let share = self.negative_weight / n.max(1) as f64;
        let slope = T::from_f64(weight * share);
        let mut excess = 0.0;
        for c in list.negatives {
            let too_near = *c > margin;
            excess += if too_near {
                (*c - margin).to_f64()
            } else {
                0.0
            };
            *c = if too_near { slope } else { T::ZERO };
        }
        value + weight * share * excess
    }
}
