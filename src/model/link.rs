//! How does a score become a prediction?
//!
//! ```text
//! identity      ŷ = s                              dŷ/ds = 1
//! sigmoid       ŷ = lo + (hi − lo)·σ(s)            dŷ/ds = (hi − lo)·σ(s)·(1 − σ(s)),     σ(s) = 1 / (1 + e^(−s))
//! ```
//!
//! The sigmoid keeps predictions between lo and hi during training. Clipping happens after training and has no derivative: see
//! [`Clip`].

/// The function from score to prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Link {
    /// The prediction is the score.
    Identity,
    /// A range that the prediction cannot leave.
    Sigmoid {
        /// The lower end.
        lo: f64,
        /// The upper end.
        hi: f64,
    },
}

impl Link {
    /// The prediction ŷ for a score.
    ///
    /// ```
    /// use lowrank::model::Link;
    /// let link = Link::Sigmoid { lo: 1.0, hi: 5.0 };
    /// assert_eq!(link.value(0.0), 3.0);
    /// assert_eq!(link.slope(0.0), 1.0); // 4 · ½ · ½
    /// ```
    #[inline(always)]
    pub fn value(self, score: f64) -> f64 {
        match self {
            Link::Identity => score,
            Link::Sigmoid { lo, hi } => lo + (hi - lo) * sigmoid(score),
        }
    }

    /// dŷ/ds at a score.
    #[inline(always)]
    pub fn slope(self, score: f64) -> f64 {
        match self {
            Link::Identity => 1.0,
            Link::Sigmoid { lo, hi } => {
                let sigma = sigmoid(score);
                (hi - lo) * sigma * (1.0 - sigma)
            }
        }
    }
}

/// σ(s), through `libm`'s exponential, and through e^(−|s|) so that it never overflows.
#[inline(always)]
pub fn sigmoid(score: f64) -> f64 {
    let e = libm::exp(-score.abs());
    if score >= 0.0 {
        1.0 / (1.0 + e)
    } else {
        e / (1.0 + e)
    }
}

/// The scale that finished predictions are cut to: a model may predict 5.3 of 5 stars, nobody should read it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clip {
    /// The least prediction.
    pub lo: f32,
    /// The greatest prediction.
    pub hi: f32,
}

impl Clip {
    /// `prediction`, cut to the scale.
    pub fn apply(self, prediction: f32) -> f32 {
        prediction.max(self.lo).min(self.hi)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_agree_with_central_differences() {
        let h = 1e-5;
        for link in [
            Link::Identity,
            Link::Sigmoid { lo: 1.0, hi: 5.0 },
            Link::Sigmoid {
                lo: -10.0,
                hi: 10.0,
            },
        ] {
            for score in [-30.0, -2.5, -0.1, 0.0, 0.7, 3.0, 30.0] {
                let numeric = (link.value(score + h) - link.value(score - h)) / (2.0 * h);
                let slope = link.slope(score);
                assert!(
                    (slope - numeric).abs() <= 1e-8 * slope.abs().max(1.0),
                    "{link:?} at {score}"
                );
            }
        }
    }

    #[test]
    fn the_sigmoid_is_finite_everywhere() {
        assert_eq!((sigmoid(1e4), sigmoid(-1e4), sigmoid(0.0)), (1.0, 0.0, 0.5));
        assert!((sigmoid(2.0) + sigmoid(-2.0) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn clipping_cuts_both_ends() {
        let clip = Clip { lo: 1.0, hi: 5.0 };
        assert_eq!([0.5, 3.2, 5.5].map(|p| clip.apply(p)), [1.0, 3.2, 5.0]);
    }
}
