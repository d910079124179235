//! How does training go block by block?
//!
//! ```text
//! for each stratum s = 0 … B − 1 of an epoch:                      blocks on a diagonal: no two touch one row
//!     for each of its blocks, on any thread:
//!         scores, slopes and gradients of its examples             at rows that stay as they are
//!         one step of every row that it touches                    part
//!     one step of the features that all blocks share               features
//! ```
//!
//! A block is a mini-batch whose rows are its own, so a stratum is B mini-batches at once, and the result is what one thread would get that took them one after the other. The learning
//! rate is that of the stratum. The plain loop that says the same in fewer words is the oracle of the tests: [`naive`].

mod features;
#[cfg(test)]
mod naive;
mod part;
#[cfg(test)]
mod tests;

use super::state::State;
use crate::Result;
use crate::data::layout::{Blocks, Order};
use crate::gradient::{L2Scale, Objective, SidePenalty, WithChain, with_chain};
use crate::kernels::block::{BlockExamples, ScoreBlock};
use crate::kernels::pool::Pool;
use crate::kernels::rows::GradientRows;
use crate::kernels::{Job, Kernel, Lanes, Real};
use crate::model::{Side, Table};
use crate::optimizer::block::{BlockAdam, BlockRule, Corrections, RowAdam, Timeless};
use crate::optimizer::{Adagrad, Optimizer, OptimizerKind, Sgd};
use features::{Features, Owed};
use part::{Part, Penalty, Rows};

/// What training by blocks holds beside a [`State`] in block order.
#[derive(Debug)]
pub(super) struct Strata<T> {
    users: Work<T>,
    items: Work<T>,
    corrections: Corrections<T>,
}

/// What never changes during a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task<'a> {
    pub(super) blocks: &'a Blocks,
    /// With counts in block order.
    pub(super) objective: &'a Objective,
    pub(super) optimizer: &'a Optimizer,
    pub(super) pool: &'a Pool,
    pub(super) kernel: Kernel,
}

/// The buffers of one side.
#[derive(Debug)]
struct Work<T> {
    /// Gradients of the scored rows.
    gradient: Table<T>,
    features: Option<Features<T>>,
}

impl<T: Real> Strata<T> {
    /// Ready for `state`, in block order. `epochs` is how many there will be.
    pub(super) fn new(state: &State<T>, task: Task<'_>, epochs: usize) -> Strata<T> {
        let n_blocks = task.blocks.n_blocks();
        let work = |side: &Side<T>| {
            let n_rows = side.identity.n_rows();
            Work {
                gradient: Table::zeros(n_rows, side.identity.n_factors(), side.has_biases()),
                features: Features::new(side, task.blocks.len() / n_blocks, task.pool),
            }
        };
        Strata {
            users: work(&state.parameters.users),
            items: work(&state.parameters.items),
            corrections: Corrections::new(task.optimizer, epochs.saturating_mul(n_blocks)),
        }
    }

    /// Trains stratum `s`; returns Σ c·ℓ, each example's before its block's step.
    pub(super) fn stratum(
        &mut self,
        state: &mut State<T>,
        task: Task<'_>,
        s: usize,
        learning_rate: f64,
    ) -> Result<f64> {
        let (loss, link) = (task.objective.loss, state.parameters.link);
        let stratum = Stratum {
            strata: self,
            state,
            task,
            s,
            learning_rate,
        };
        with_chain(loss, link, stratum)
    }
}

/// A stratum that waits for its chain.
struct Stratum<'s, T> {
    strata: &'s mut Strata<T>,
    state: &'s mut State<T>,
    task: Task<'s>,
    s: usize,
    learning_rate: f64,
}

impl<T: Real> WithChain<T> for Stratum<'_, T> {
    type Output = Result<f64>;

    fn run(self, chain: impl Fn(T, T) -> (f64, T) + Copy + Send + Sync) -> Result<f64> {
        let (optimizer, rate) = (*self.task.optimizer, self.learning_rate);
        let corrections = std::mem::take(&mut self.strata.corrections);
        let strata = self;
        let (loss, strata) = match optimizer.kind {
            OptimizerKind::Sgd => strata.with(chain, Timeless(Sgd::new(rate, 0.0))),
            OptimizerKind::Adagrad => {
                strata.with(chain, Timeless(Adagrad::new(rate, 0.0, optimizer.epsilon)))
            }
            OptimizerKind::RowAdam => {
                strata.with(chain, RowAdam::new(&optimizer, rate, &corrections))
            }
            // The check of the configuration leaves Adam and AdamW.
            _ => strata.with(chain, BlockAdam::new(&optimizer, rate, &corrections)),
        };
        strata.corrections = corrections;
        loss
    }
}

impl<'s, T: Real> Stratum<'s, T> {
    fn with(
        self,
        chain: impl Fn(T, T) -> (f64, T) + Copy + Send + Sync,
        rule: impl BlockRule<T>,
    ) -> (Result<f64>, &'s mut Strata<T>) {
        let Stratum {
            strata,
            state,
            task,
            s,
            ..
        } = self;
        let blocks = task.blocks;
        let mean = T::from_f64(state.parameters.global_mean.unwrap_or(0.0));
        let n_user_tables = state.parameters.users.tables().count();
        let (user_moments, item_moments) = state.moments.split_at_mut(n_user_tables);
        let (user_touches, item_touches) = state.touches.split_at_mut(n_user_tables);
        let mut users = SideAtWork {
            side: &mut state.parameters.users,
            moments: user_moments,
            touches: user_touches,
            work: &mut strata.users,
            penalty: &task.objective.users,
            order: &blocks.users,
        };
        let mut items = SideAtWork {
            side: &mut state.parameters.items,
            moments: item_moments,
            touches: item_touches,
            work: &mut strata.items,
            penalty: &task.objective.items,
            order: &blocks.items,
        };
        let tasks = blocks.stratum(s, users.parts(task), items.parts(task));
        let results = task.pool.map(tasks, |((a, b), users, items)| {
            let fetched = blocks.fetch(a, b)?;
            Ok(task.kernel.run(TrainBlock {
                examples: fetched.examples(),
                mean,
                users,
                items,
                chain,
                rule,
            }))
        });
        let mut loss = 0.0;
        let (mut by_users, mut by_items) = (Vec::new(), Vec::new());
        for result in results {
            let (of_block, of_users, of_items) = match result {
                Ok(result) => result,
                Err(error) => return (Err(error), strata),
            };
            loss += of_block;
            by_users.push(of_users);
            by_items.push(of_items);
        }
        let last = s + 1 == blocks.n_blocks();
        users.step_features(by_users, last, rule, task);
        items.step_features(by_items, last, rule, task);
        (Ok(loss), strata)
    }
}

/// A side while a stratum is trained.
struct SideAtWork<'a, T> {
    side: &'a mut Side<T>,
    /// Of the identity table, then of the groups'.
    moments: &'a mut [Vec<Table<T>>],
    touches: &'a mut [Vec<u32>],
    work: &'a mut Work<T>,
    penalty: &'a SidePenalty,
    order: &'a Order,
}

/// What a block takes of a side: its rows, and the features that it owes gradients to.
struct Share<'a, T> {
    part: Part<'a, T>,
    owed: Vec<Owed<'a, T>>,
}

impl<T: Real> SideAtWork<'_, T> {
    /// What each block takes.
    fn parts(&mut self, task: Task<'_>) -> Vec<Share<'_, T>> {
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
                    gradient: gradient_rows(gradient.next().expect("a gradient for every row")),
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
                    owed: of_features.owed,
                }
            })
            .collect()
    }

    /// One step of the features, from what the blocks owe them, in the order of the blocks.
    fn step_features(
        &mut self,
        owed: Vec<Vec<features::Debt<T>>>,
        last: bool,
        rule: impl BlockRule<T>,
        task: Task<'_>,
    ) {
        if let Some(features) = &mut self.work.features {
            let penalties: Vec<_> = (0..=self.side.groups.len())
                .map(|table| penalty(self.penalty, table, task))
                .collect();
            let memory = features::Memory {
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

fn gradient_rows<'a, T: Real>(rows: Rows<'a, T>) -> GradientRows<'a, T> {
    GradientRows {
        factors: rows.factors,
        biases: (!rows.biases.is_empty()).then_some(rows.biases),
    }
}

/// One block: the pass over its examples, then the steps of its rows.
struct TrainBlock<'a, T, F, R> {
    examples: BlockExamples<'a>,
    mean: T,
    users: Share<'a, T>,
    items: Share<'a, T>,
    chain: F,
    rule: R,
}

impl<T, F, R> Job for TrainBlock<'_, T, F, R>
where
    T: Real,
    F: Fn(T, T) -> (f64, T),
    R: BlockRule<T>,
{
    /// Σ c·ℓ, and what the block owes the features of both sides.
    type Output = (f64, Vec<features::Debt<T>>, Vec<features::Debt<T>>);

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Self::Output {
        let TrainBlock {
            examples,
            mean,
            mut users,
            mut items,
            chain,
            rule,
        } = self;
        let loss = {
            let (users, items) = (&mut users.part, &mut items.part);
            zero(&mut items.gradient);
            let mut user_gradient = take(&mut users.gradient);
            let mut item_gradient = take(&mut items.gradient);
            let loss = ScoreBlock {
                examples,
                mean,
                own: users.scored(),
                other: items.scored(),
                own_gradient: user_gradient.reborrow(),
                other_gradient: item_gradient.reborrow(),
                chain,
                share: 1.0,
                overwrite: true,
            }
            .run(lanes);
            users.gradient = user_gradient;
            items.gradient = item_gradient;
            loss
        };
        let mut start = 0;
        let of_users = examples.runs.iter().map(move |run| {
            let n_examples = run.end - std::mem::replace(&mut start, run.end);
            (run.row, n_examples)
        });
        let of_items = examples
            .touched
            .iter()
            .map(|item| (item.row, item.n_examples));
        let by_users = Owed::debts(&users.owed, of_users.clone(), &users.part.gradient);
        let by_items = Owed::debts(&items.owed, of_items.clone(), &items.part.gradient);
        users.part.step(lanes, rule, of_users);
        items.part.step(lanes, rule, of_items);
        (loss, by_users, by_items)
    }
}

fn zero<T: Real>(gradient: &mut GradientRows<'_, T>) {
    gradient.factors.fill(T::ZERO);
    if let Some(biases) = &mut gradient.biases {
        biases.fill(T::ZERO);
    }
}

fn take<'a, T>(gradient: &mut GradientRows<'a, T>) -> GradientRows<'a, T> {
    GradientRows {
        factors: std::mem::take(&mut gradient.factors),
        biases: gradient.biases.take(),
    }
}
