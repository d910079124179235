//! Step 1: which loop is compiled for which loss and link?
//!
//! Loss and link are chosen here, once a step, and not once a rating: every pair of them becomes a loop of its own. Losses are `f64`; the slope, for which the next operations wait, is in
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
    match loss {
        LossKind::Squared => with_link(Squared, link, work),
        LossKind::Absolute => with_link(Absolute, link, work),
        LossKind::Huber { width } => with_link(Huber { width }, link, work),
        // These two see the score itself: the logit, the cosine.
        LossKind::Logistic => with_link(Logistic, Link::Identity, work),
        LossKind::CosineEmbedding { margin } => {
            with_link(CosineEmbedding { margin }, Link::Identity, work)
        }
        LossKind::Bpr
        | LossKind::Softmax { .. }
        | LossKind::CosineContrastive { .. }
        | LossKind::AllCells { .. } => panic!("{loss} is no loss of single predictions"),
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
        link @ Link::Sigmoid { .. } => work.run(|score: T, target: T| {
            let (score, target) = (score.to_f64(), target.to_f64());
            let prediction = link.value(score);
            let slope = loss.slope(prediction, target) * link.slope(score);
            (loss.value(prediction, target), T::from_f64(slope))
        }),
    }
}
