//! Step 1: which loop is compiled for which loss and link?
//!
//! Loss and link are chosen here, once a step, and not once a rating: every pair of them becomes a loop of its own.

use crate::loss::{LossKind, Pointwise, Squared};
use crate::model::Link;

/// Work that needs the chain (score, target) → (ℓ, ∂ℓ/∂score).
pub(crate) trait WithChain {
    /// What the work gives.
    type Output;
    /// Does the work.
    fn run(self, chain: impl Fn(f64, f64) -> (f64, f64) + Copy + Send + Sync) -> Self::Output;
}

/// Does `work` with the chain of a loss by name.
pub(crate) fn with_chain<W: WithChain>(loss: LossKind, link: Link, work: W) -> W::Output {
    match loss {
        LossKind::Squared => with_link(Squared, link, work),
    }
}

/// Does `work` with the chain of any loss of one prediction against one target.
pub(super) fn with_link<W: WithChain>(loss: impl Pointwise, link: Link, work: W) -> W::Output {
    match link {
        Link::Identity => {
            work.run(|score, target| (loss.value(score, target), loss.slope(score, target)))
        }
        link @ Link::Sigmoid { .. } => work.run(|score, target| {
            let prediction = link.value(score);
            (
                loss.value(prediction, target),
                loss.slope(prediction, target) * link.slope(score),
            )
        }),
    }
}
