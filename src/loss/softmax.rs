//! How unlikely was the item that the user took, among all that could have been taken?
//!
//! Scores become probabilities, sharper the lower the temperature τ:
//!
//! ```text
//! p_j      = e^(s_j/τ) / Z          Z = Σ_j e^(s_j/τ)             j runs over all items, or over i and a sample of the others
//! ℓ_i      = −ln p_i = ln Z − s_i/τ
//! ∂ℓ_i/∂s_j = (p_j − [j = i])/τ
//! ```
//!
//! (∂ ln Z/∂s_j = e^(s_j/τ)/(τ·Z) = p_j/τ.) The positive rises, every other item falls in proportion to the probability it still has: the hard negatives get the push without being
//! looked for. For two items with scores 0 and τ = 1: p = ½, ℓ = ln 2, slopes −½ and ½.
//!
//! **A sample of the items.** With negatives drawn from a distribution in which item j comes up with probability n_j, common items would be pushed down too often. Taking ln n_j off the negative's
//! logit mends it (the caller does, before the loss sees the scores): then Z is, up to a constant factor, an unbiased estimate of the whole sum. For a uniform draw the
//! correction is the same for all negatives and left out. Bengio and Senécal, *Adaptive importance sampling to accelerate training of a neural probabilistic language model* (2008), section III; Yi et al.,
//! *Sampling-bias-corrected neural modeling* (2019), eq. 3.
//!
//! **A user's positives together.** Let E_j = e^(s_j/τ) for the negatives. With all items as negatives, Z is the same for each positive; with a sample it is Z_i = e^(s_i/τ) + Σ_j E_j.
//! Summed over positives with weights w_i:
//!
//! ```text
//! slope of negative j   E_j·κ/τ,     κ = Σ_i w_i/Z_i
//! slope of positive i   −w_i/τ, and of a sample also + w_i·e^(s_i/τ)/(τ·Z_i)
//! ```
//!
//! Exponentials are taken of s/τ less the greatest of the negatives, or of the positive where that is greater, so none overflows.

use super::{List, Listwise};
use crate::kernels::Real;
use crate::kernels::lanes::exp;

/// −ln of the softmax, the positives' share of Σ e^(s/τ).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softmax {
    /// τ, above 0, in the units of the scores.
    pub temperature: f64,
}

impl Listwise for Softmax {
    #[inline(always)]
    fn differentiate<T: Real>(self, list: List<'_, T>) -> f64 {
        let List {
            positives,
            weights,
            negatives,
            everything,
        } = list;
        let sharpness = 1.0 / self.temperature;
        let lowest = T::from_f64(f64::NEG_INFINITY);
        let top = negatives.iter().fold(lowest, |a, &b| a.greater(b));
        if top == lowest {
            // Nobody to be compared with: the positives cannot be wrong.
            positives.fill(T::ZERO);
            negatives.fill(T::ZERO);
            return 0.0;
        }
        let of_negatives = exp::shifted(negatives, T::from_f64(sharpness), top);
        let (mut value, mut kappa) = (0.0, 0.0);
        for (s, &w) in positives.iter_mut().zip(weights) {
            let w = w.to_f64();
            let ahead = (s.to_f64() - top.to_f64()) * sharpness;
            // Both sums over e^(the greater of s_i/τ and top/τ), so that neither overflows and they are never both 0.
            let (own, shrunk) = match ahead > 0.0 && !everything {
                true => (1.0, libm::exp(-ahead)),
                false => (libm::exp(ahead), 1.0),
            };
            let z = of_negatives * shrunk + if everything { 0.0 } else { own };
            let logit = if everything { ahead } else { ahead.min(0.0) };
            value += w * (libm::log(z) - logit).max(0.0);
            kappa += w * shrunk / z;
            let of_own = if everything { 0.0 } else { own / z };
            *s = T::from_f64((w * of_own - w) * sharpness);
        }
        let kappa = T::from_f64(kappa * sharpness);
        for e in negatives {
            *e *= kappa;
        }
        value
    }
}
