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
//! rate is that of the stratum. The plain loop that says the same in fewer words is the oracle of the tests: `naive`.
//!
//! | file | question |
//! |---|---|
//! | `side` | which part of a side does each block take? |
//! | `block` | what does one block do? |
//! | `part` | how does one block move its rows? |
//! | `features` | how do the features move that all blocks share? |
//! | `naive` | what does training by blocks compute, in the fewest words? |

mod block;
mod features;
#[cfg(test)]
mod naive;
mod part;
mod side;
#[cfg(test)]
mod tests;

use super::state::State;
use crate::Result;
use crate::data::layout::Blocks;
use crate::gradient::{Objective, WithChain, with_chain};
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real};
use crate::model::{Side, Table};
use crate::optimizer::block::{BlockAdam, BlockRule, Corrections, RowAdam, Timeless};
use crate::optimizer::{Adagrad, Optimizer, OptimizerKind, Sgd};
use block::TrainBlock;
use features::Features;
use side::SideAtWork;

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
    pub(super) fn new(
        state: &State<T>,
        blocks: &Blocks,
        optimizer: &Optimizer,
        epochs: usize,
        pool: &Pool,
    ) -> Strata<T> {
        let n_blocks = blocks.n_blocks();
        let work = |side: &Side<T>| {
            let n_rows = side.identity.n_rows();
            Work {
                gradient: Table::zeros(n_rows, side.identity.n_factors(), side.has_biases()),
                features: Features::new(side, blocks.len() / n_blocks, pool),
            }
        };
        Strata {
            users: work(&state.parameters.users),
            items: work(&state.parameters.items),
            corrections: Corrections::new(optimizer, epochs.saturating_mul(n_blocks)),
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
        let Strata {
            users,
            items,
            corrections,
        } = self.strata;
        let (optimizer, rate) = (self.task.optimizer, self.learning_rate);
        let pass = Pass {
            users,
            items,
            state: self.state,
            task: self.task,
            s: self.s,
            chain,
        };
        match optimizer.kind {
            OptimizerKind::Sgd => pass.run(Timeless(Sgd::new(rate, 0.0))),
            OptimizerKind::Adagrad => {
                pass.run(Timeless(Adagrad::new(rate, 0.0, optimizer.epsilon)))
            }
            OptimizerKind::RowAdam => pass.run(RowAdam::new(optimizer, rate, corrections)),
            // The check of the configuration leaves Adam and AdamW.
            _ => pass.run(BlockAdam::new(optimizer, rate, corrections)),
        }
    }
}

/// A stratum whose loss and link are settled, and that waits for its rule.
struct Pass<'s, T, F> {
    users: &'s mut Work<T>,
    items: &'s mut Work<T>,
    state: &'s mut State<T>,
    task: Task<'s>,
    s: usize,
    chain: F,
}

impl<T: Real, F: Fn(T, T) -> (f64, T) + Copy + Send + Sync> Pass<'_, T, F> {
    fn run(self, rule: impl BlockRule<T>) -> Result<f64> {
        let Pass {
            state,
            task,
            s,
            chain,
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
            work: self.users,
            penalty: &task.objective.users,
            order: &blocks.users,
        };
        let mut items = SideAtWork {
            side: &mut state.parameters.items,
            moments: item_moments,
            touches: item_touches,
            work: self.items,
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
            let (of_block, of_users, of_items) = result?;
            loss += of_block;
            by_users.push(of_users);
            by_items.push(of_items);
        }
        let last = s + 1 == blocks.n_blocks();
        users.step_features(by_users, last, rule, task);
        items.step_features(by_items, last, rule, task);
        Ok(loss)
    }
}
