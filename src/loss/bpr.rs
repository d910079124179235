//! How wrong is the order of two items?
//!
//! The user took item i and not item j; the margin m = s_ui − s_uj says how much the model agrees.
//!
//! ```text
//! ℓ(m)     = −ln σ(m) = ln(1 + e^(−m))
//! ∂ℓ/∂m    = −σ(−m) = σ(m) − 1
//! ```
//!
//! The chain rule gives ∂ℓ/∂s_ui = −σ(−m) and ∂ℓ/∂s_uj = σ(−m): i rises, j falls, by little once they are well apart. With m = 0: ℓ = ln 2 and the slope
//! is −½. μ and b_u are in both scores and cancel. Rendle, Freudenthaler, Gantner and Schmidt-Thieme, *BPR: Bayesian personalized ranking from implicit feedback* (2009),
//! section 4.1. (Some libraries call 1 − σ(m) by this name; this is the paper's.)

use super::Pairwise;
use crate::model::link::sigmoid;

/// −ln σ(margin).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bpr;

impl Pairwise for Bpr {
    #[inline(always)]
    fn value(self, margin: f64) -> f64 {
        (-margin).max(0.0) + libm::log1p(libm::exp(-margin.abs()))
    }

    #[inline(always)]
    fn slope(self, margin: f64) -> f64 {
        -sigmoid(-margin)
    }
}
