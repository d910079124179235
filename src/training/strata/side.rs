//! Which part of a side does each block take?
//!
//! Tables, moments, clocks and gradients are cut where the blocks are: no two blocks of a stratum hold one row.

use super::features::{Debt, Memory, Owed};
use super::part::{self, Part, Penalty, Rows};
use super::{Task, Work};
use crate::data::layout::Order;
use crate::gradient::{L2Scale, SidePenalty};
use crate::kernels::Real;
use crate::kernels::rows::GradientRows;
use crate::model::{Side, Table};
use crate::optimizer::OptimizerKind;
use crate::optimizer::block::BlockRule;

/// A side while a stratum is trained.
pub(super) struct SideAtWork<'a, T> {
    pub(super) side: &'a mut Side<T>,
    /// Of the identity table, then of the groups'.
    pub(super) moments: &'a mut [Vec<Table<T>>],
    pub(super) touches: &'a mut [Vec<u32>],
    pub(super) work: &'a mut Work<T>,
    pub(super) penalty: &'a SidePenalty,
    pub(super) order: &'a Order,
}

/// What a block takes of a side: its rows, and the features that it owes gradients to.
pub(super) struct Share<'a, T> {
    pub(super) part: Part<'a, T>,
    /// Σ g·(the other row) of the stratum.
    pub(super) gradient: GradientRows<'a, T>,
    pub(super) owed: Vec<Owed<'a, T>>,
}

impl<T: Real> SideAtWork<'_, T> {
    /// What each block takes.
    pub(super) fn parts(&mut self, task: Task<'_>) -> Vec<Share<'_, T>> {
        let order = self.order;
        let Side { identity, groups } = &mut *self.side;
        let n_factors = identity.n_factors();
        let mut moments = self.moments[0]
            .iter_mut()
            .map(|moment| Rows::of(moment).cut(order).into_iter())
            .collect::<Vec<_>>();
        let mut touches = part::cut(&mut self.touches[0], order, 1).into_iter();
        let mut gradient = Rows::of(&mut self.work.gradient).cut(order).into_iter();
        let mut features = match &mut self.work.features {
            Some(features) => features.cut(order, groups),
            None => Vec::new(),
        }
        .into_iter();
        let penalty = penalty(self.penalty, 0, task);
        let rows = Rows::of(identity).cut(order).into_iter();
        let cuts = order.cuts.windows(2);
        rows.zip(cuts)
            .map(|(rows, cut)| {
                let of_features = features.next().unwrap_or_default();
                let part = Part {
                    rows,
                    n_factors,
                    moments: std::array::from_fn(|n| {
                        moments
                            .get_mut(n)
                            .and_then(Iterator::next)
                            .unwrap_or_default()
                    }),
                    touches: touches.next().expect("a clock for every row"),
                    composed: of_features.composed,
                    of_epoch: of_features.of_epoch,
                    n_steps: task.blocks.n_blocks(),
                    penalty: Penalty {
                        counts: &penalty.counts[cut[0] as usize..cut[1] as usize],
                        ..penalty
                    },
                };
                Share {
                    part,
                    gradient: gradient_rows(gradient.next().expect("a gradient for every row")),
                    owed: of_features.owed,
                }
            })
            .collect()
    }

    /// One step of the features, from what the blocks owe them, in the order of the blocks.
    pub(super) fn step_features(
        &mut self,
        owed: Vec<Vec<Debt<T>>>,
        last: bool,
        rule: impl BlockRule<T>,
        task: Task<'_>,
    ) {
        if let Some(features) = &mut self.work.features {
            let penalties: Vec<_> = (0..=self.side.groups.len())
                .map(|table| penalty(self.penalty, table, task))
                .collect();
            let memory = Memory {
                moments: &mut self.moments[1..],
                touches: &mut self.touches[1..],
                penalties: &penalties[1..],
                counts: &self.penalty.counts[0],
            };
            features.step(self.side, owed, last, memory, rule, task);
        }
    }
}

/// The penalty of a table. Weight decay is one too, unless it is decoupled: λ = decay·N/2, once a row.
fn penalty<'a>(of_side: &'a SidePenalty, table: usize, task: Task<'_>) -> Penalty<'a> {
    let decay = match task.optimizer.kind {
        OptimizerKind::AdamW => 0.0,
        _ => task.optimizer.weight_decay * task.blocks.len() as f64,
    };
    Penalty {
        lambda: of_side.tables[table],
        by_rating: task.objective.l2_scale == L2Scale::Rating,
        decay,
        counts: &of_side.counts[table],
    }
}

pub(super) fn gradient_rows<'a, T: Real>(rows: Rows<'a, T>) -> GradientRows<'a, T> {
    GradientRows {
        factors: rows.factors,
        biases: (!rows.biases.is_empty()).then_some(rows.biases),
    }
}
