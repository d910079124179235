//! How wrong is an angle, if the pair was alike or not?
//!
//! c is the cosine of the angle between the two rows, the target t is 1 for alike and 0 for unlike, and m a margin.
//!
//! ```text
//! ℓ(c, t)  = 1 − c              where t = 1          ∂ℓ/∂c = −1
//!          = max(0, c − m)      where t = 0          ∂ℓ/∂c = 1 where c > m, otherwise 0
//! ```
//!
//! An alike pair is drawn together until it points one way; an unlike one is pushed apart until its cosine is m. There is a kink at c = m. With c = ½, m = 0: ℓ = ½ either way.
//! PyTorch's `CosineEmbeddingLoss`. What c's slope is to the two rows stands in [`angular`](super::angular).

use super::Pointwise;

/// 1 − cos of the pairs that are alike, max(0, cos − margin) of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CosineEmbedding {
    /// The cosine that unlike pairs may keep, at least −1 and below 1.
    pub margin: f64,
}

impl Pointwise for CosineEmbedding {
    #[inline(always)]
    fn value(self, cosine: f64, target: f64) -> f64 {
        // Rounding may leave a cosine a little above 1.
        if target > 0.5 {
            (1.0 - cosine).max(0.0)
        } else {
            (cosine - self.margin).max(0.0)
        }
    }

    #[inline(always)]
    fn slope(self, cosine: f64, target: f64) -> f64 {
        if target > 0.5 {
            -1.0
        } else if cosine > self.margin {
            1.0
        } else {
            0.0
        }
    }
}
