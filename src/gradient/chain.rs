//! Step 1: which loop is compiled for which loss and link?
//!
//! Loss and link are chosen here, once a step, and not once a rating. Squared errors have a loop of their own for each link. The other losses share one: in it a match that always goes the same way
//! costs less than what they compute, and a loop for each would make the crate three times as long to build. Losses are `f64`; the slope, for which the next operations wait, is in
//! the numbers of the tables where the link is the identity.

use crate::kernels::Real;
use crate::loss::{Absolute, CosineEmbedding, Huber, Logistic, LossKind, Pointwise, Squared};
use crate::model::Link;

/// Work that needs the chain (score, target) → (ℓ, ∂ℓ/∂score).
pub(crate) trait WithChain<T> {
    /// What the work gives.
    type Output;
    /// Does the work.
    fn run(self, chain: impl Fn(T, T) -> (f64, T) + Copy + Send + Sync) -> Self::Output;
}

/// Does `work` with the chain of a loss by name.
///
/// # Panics
/// For a loss that is not of one prediction and one target: the trainer brings it pairs or lists.
pub(crate) fn with_chain<T: Real, W: WithChain<T>>(
    loss: LossKind,
    link: Link,
    work: W,
) -> W::Output {
    match Other::of(loss) {
        None if loss == LossKind::Squared => with_link(Squared, link, work),
        None => panic!("{loss} is no loss of single predictions"),
        Some(other) => {
            // Labels see the score itself: the logit, the cosine.
            let link = if loss.takes_labels() {
                Link::Identity
            } else {
                link
            };
            work.run(move |score: T, target: T| chained(other, link, score, target))
        }
    }
}

/// Losses that share a loop.
#[derive(Clone, Copy)]
enum Other {
    Absolute,
    Huber(Huber),
    Logistic,
    CosineEmbedding(CosineEmbedding),
}

impl Other {
    fn of(loss: LossKind) -> Option<Other> {
        Some(match loss {
            LossKind::Absolute => Other::Absolute,
            LossKind::Huber { width } => Other::Huber(Huber { width }),
            LossKind::Logistic => Other::Logistic,
            LossKind::CosineEmbedding { margin } => {
                Other::CosineEmbedding(CosineEmbedding { margin })
            }
            _ => return None,
        })
    }
}

impl Pointwise for Other {
    #[inline(always)]
    fn value(self, prediction: f64, target: f64) -> f64 {
        match self {
            Other::Absolute => Absolute.value(prediction, target),
            Other::Huber(loss) => loss.value(prediction, target),
            Other::Logistic => Logistic.value(prediction, target),
            Other::CosineEmbedding(loss) => loss.value(prediction, target),
        }
    }

    #[inline(always)]
    fn slope(self, prediction: f64, target: f64) -> f64 {
        match self {
            Other::Absolute => Absolute.slope(prediction, target),
            Other::Huber(loss) => loss.slope(prediction, target),
            Other::Logistic => Logistic.slope(prediction, target),
            Other::CosineEmbedding(loss) => loss.slope(prediction, target),
        }
    }
}

/// Does `work` with the chain of any loss of one prediction against one target.
pub(super) fn with_link<T: Real, W: WithChain<T>>(
    loss: impl Pointwise,
    link: Link,
    work: W,
) -> W::Output {
    match link {
        Link::Identity => work.run(|score: T, target: T| {
            let value = loss.value(score.to_f64(), target.to_f64());
            (value, loss.slope_in(score, target))
        }),
        link @ Link::Sigmoid { .. } => {
            work.run(move |score: T, target: T| chained(loss, link, score, target))
        }
    }
}

/// ℓ and ∂ℓ/∂s through a link.
#[inline(always)]
fn chained<T: Real>(loss: impl Pointwise, link: Link, score: T, target: T) -> (f64, T) {
    let (score, target) = (score.to_f64(), target.to_f64());
    let prediction = link.value(score);
    let slope = loss.slope(prediction, target) * link.slope(score);
    (loss.value(prediction, target), T::from_f64(slope))
}
