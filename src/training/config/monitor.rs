//! Which epoch is the best?
//!
//! | monitor | `--monitor` | better is | of a training |
//! |---|---|---|---|
//! | `ValidRmse` | `valid_rmse` | less | for ratings; unless another is named |
//! | `ValidMae` | `valid_mae` | less | for ratings |
//! | `ValidNdcg` | `valid_ndcg@20` | more | for an order; unless another is named |
//! | `ValidRecall` | `valid_recall@20` | more | for an order |

use crate::metrics::{HeldOut, ListMeans, RatingErrors};

/// What early stopping and `Keep::Best` look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// RMSE on the held-out ratings.
    ValidRmse,
    /// MAE on the held-out ratings.
    ValidMae,
    /// NDCG@20 of the held-out items.
    ValidNdcg,
    /// Recall@20 of the held-out items.
    ValidRecall,
}

impl Monitor {
    /// All of them.
    pub const ALL: [Monitor; 4] = [
        Monitor::ValidRmse,
        Monitor::ValidMae,
        Monitor::ValidNdcg,
        Monitor::ValidRecall,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Monitor::ValidRmse => "valid_rmse",
            Monitor::ValidMae => "valid_mae",
            Monitor::ValidNdcg => "valid_ndcg@20",
            Monitor::ValidRecall => "valid_recall@20",
        }
    }

    /// What is looked at unless something is named.
    pub(crate) fn usual(ranks: bool) -> Monitor {
        match ranks {
            false => Monitor::ValidRmse,
            true => Monitor::ValidNdcg,
        }
    }

    /// Whether it is about lists, and not about ratings.
    pub(crate) fn is_of_lists(self) -> bool {
        matches!(self, Monitor::ValidNdcg | Monitor::ValidRecall)
    }

    /// Whether what was held out came out better than at the best epoch so far.
    pub(crate) fn is_better(self, new: &HeldOut, best: &HeldOut) -> bool {
        self.cost(new) < self.cost(best)
    }

    /// What is to fall; of the other kind than the monitor, what is usual for that kind.
    fn cost(self, valid: &HeldOut) -> f64 {
        match (self, valid.errors(), valid.lists()) {
            (Monitor::ValidMae, Some(errors), _) => errors.mae(),
            (Monitor::ValidRecall, _, Some(means)) => -means.recall(),
            (_, errors, means) => {
                let ndcg = means.map_or(f64::NAN, ListMeans::ndcg);
                errors.map_or(-ndcg, RatingErrors::rmse)
            }
        }
    }
}
