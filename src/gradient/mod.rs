//! Chapter 5. Which way is less wrong, for every number of every table?
//!
//! The chain rule, in full, for the objective that every way of training minimises:
//!
//! ```text
//! J = (1/N) Σ_e c_e·ℓ(ŷ_e, r_e)  +  (1/N) Σ_rows λ·s_row·‖θ_row‖²            e runs over the N training examples (u, i, r)
//! ŷ = link(s),     s = μ + b_u + b_i + ⟨P_u, Q_i⟩,     P_u = p_u + Σ_f w_uf·x_f,     Q_i = q_i + Σ_f w_if·y_f
//! ```
//!
//! **1. From the loss to the score.** One number per example, its *slope*:
//!
//! ```text
//! g_e = ∂J/∂s_e = (1/N)·c_e·ℓ'(ŷ_e, r_e)·link'(s_e)
//! ```
//!
//! **2. From the score to the composed rows.** s is linear in each row when the other is held fixed:
//!
//! ```text
//! ∂P_u = Σ_{e of u} g_e·Q_i        ∂b_u = Σ_{e of u} g_e
//! ∂Q_i = Σ_{e of i} g_e·P_u        ∂b_i = Σ_{e of i} g_e
//! ```
//!
//! **3. From the composed rows to the tables.** A composed row is a weighted sum, so its gradient is handed on with the same weights; a feature's
//! bias likewise:
//!
//! ```text
//! ∂p_u = ∂P_u        ∂x_f = Σ_u w_uf·∂P_u        (items alike)
//! ```
//!
//! **4. The penalty.** s_row is 1 (`--l2-scale row`) or the number n_row of examples that touch the row (`rating`); a row that none touches has none.
//! So that batches add up to the whole, each example carries the share λ·s_row/n_row of the penalty of every row that it touches. In a batch of B
//! examples of which n touch the row (in full batch B = N and n = n_row):
//!
//! ```text
//! ∂θ_row += (n/B)·2·λ·(s_row/n_row)·θ_row
//! ```
//!
//! **By hand**, with one factor, μ = 0, N = 1, λ = 0, no features: p = 2, q = 3, r = 5. Then s = 6, ℓ = 1, g = 2·(6 − 5) = 2, ∂p = g·q = 6, ∂q = g·p = 4.
//!
//! Steps 1 and 2 are one pass over blocks ([`kernels::block`](crate::kernels::block)) where the ratings are cut into such, and the two passes of
//! [`kernels::rows`](crate::kernels::rows) for a mini-batch. Where cells without an example count too, [`all_cells`] adds what they do. What an optimizer makes of a gradient is chapter 6's.

pub mod all_cells;
mod chain;
mod objective;
mod passes;
mod sides;
mod strata;
//
pub mod naive;

pub use all_cells::AllCells;
pub use objective::{L2Scale, Objective, SidePenalty, TablePenalty};
pub use sides::{RowGradients, SideGradient};

use crate::data::layout::{Blocks, Examples};
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real};
use crate::loss::Pointwise;
use crate::model::{Parameters, Side, Table};
pub(crate) use chain::{WithChain, with_chain};
use passes::Passes;
use strata::Strata;

/// The examples of a step, as they are laid out.
#[derive(Clone, Copy, Debug)]
pub enum Batch<'a> {
    /// By user and by item.
    Examples(&'a Examples),
    /// In blocks; then all tables are in block order.
    Blocks(&'a Blocks),
}

impl<'a> From<&'a Examples> for Batch<'a> {
    fn from(examples: &'a Examples) -> Batch<'a> {
        Batch::Examples(examples)
    }
}

impl<'a> From<&'a Blocks> for Batch<'a> {
    fn from(blocks: &'a Blocks) -> Batch<'a> {
        Batch::Blocks(blocks)
    }
}

impl Batch<'_> {
    /// The number of examples.
    fn len(&self) -> usize {
        match self {
            Batch::Examples(examples) => examples.len(),
            Batch::Blocks(blocks) => blocks.len(),
        }
    }
}

/// The gradient of everything that is learnt, and the buffers that it is computed in; kept between steps.
#[derive(Clone, Debug, Default)]
pub struct Gradient<T> {
    /// The users' side.
    pub users: SideGradient<T>,
    /// The items' side.
    pub items: SideGradient<T>,
    slopes: Vec<T>,
    composed: [Option<Table<T>>; 2],
}

impl<T: Real> Gradient<T> {
    /// The gradient of every table, in the order of the tables: the users' identity and groups, then the items'.
    pub fn tables(&self) -> impl Iterator<Item = &RowGradients<T>> {
        self.users.tables().chain(self.items.tables())
    }

    /// Fills the gradient of the objective over `examples`, a batch or all of them, and returns Σ_e c_e·ℓ_e at the parameters as they are.
    ///
    /// The result does not depend on the number of threads or the kernel. Cost: two passes over the examples, n_factors multiply-adds
    /// thrice in all.
    pub fn compute<'a>(
        &mut self,
        objective: &Objective,
        parameters: &Parameters<T>,
        batch: impl Into<Batch<'a>>,
        pool: &Pool,
        kernel: Kernel,
    ) -> f64 {
        let step = self.step(objective, parameters, batch.into(), pool, kernel);
        with_chain(objective.loss, parameters.link, step)
    }

    /// [`compute`](Gradient::compute) for any loss of one prediction against one target.
    pub fn pointwise<'a>(
        &mut self,
        loss: impl Pointwise,
        objective: &Objective,
        parameters: &Parameters<T>,
        batch: impl Into<Batch<'a>>,
        pool: &Pool,
        kernel: Kernel,
    ) -> f64 {
        let step = self.step(objective, parameters, batch.into(), pool, kernel);
        chain::with_link(loss, parameters.link, step)
    }

    fn step<'s>(
        &'s mut self,
        objective: &'s Objective,
        parameters: &'s Parameters<T>,
        batch: Batch<'s>,
        pool: &'s Pool,
        kernel: Kernel,
    ) -> Step<'s, T> {
        Step {
            gradient: self,
            objective,
            parameters,
            batch,
            pool,
            kernel,
        }
    }
}

/// A gradient that waits for its chain.
struct Step<'s, T> {
    gradient: &'s mut Gradient<T>,
    objective: &'s Objective,
    parameters: &'s Parameters<T>,
    batch: Batch<'s>,
    pool: &'s Pool,
    kernel: Kernel,
}

impl<T: Real> WithChain<T> for Step<'_, T> {
    type Output = f64;

    fn run(mut self, chain: impl Fn(T, T) -> (f64, T) + Copy + Send + Sync) -> f64 {
        let loss = self.observed(chain);
        let (scale, n) = (self.objective.l2_scale, self.batch.len());
        for (gradient, side, penalty) in self.sides() {
            gradient.backprop(side);
            gradient.add_penalty(side, penalty, scale, n);
        }
        loss
    }
}

/// The gradient of a side, its tables and their penalty.
type OfSide<'a, T> = (&'a mut SideGradient<T>, &'a Side<T>, &'a SidePenalty);

impl<T: Real> Step<'_, T> {
    fn sides(&mut self) -> [OfSide<'_, T>; 2] {
        let Gradient { users, items, .. } = &mut *self.gradient;
        let (parameters, objective) = (self.parameters, self.objective);
        [
            (users, &parameters.users, &objective.users),
            (items, &parameters.items, &objective.items),
        ]
    }

    /// Steps 1 and 2: fills ∂P and ∂Q, and returns Σ c·ℓ.
    fn observed(&mut self, chain: impl Fn(T, T) -> (f64, T) + Copy + Send + Sync) -> f64 {
        let Step {
            parameters,
            batch,
            pool,
            kernel,
            ..
        } = *self;
        let Gradient {
            users: user_gradient,
            items: item_gradient,
            slopes,
            composed: [user_scratch, item_scratch],
        } = &mut *self.gradient;
        match batch {
            Batch::Examples(examples) => {
                let user_rows = examples.by_user.iter().map(|range| range.row);
                let item_rows = examples.by_item.iter().map(|range| range.row);
                let passes = Passes {
                    parameters,
                    examples,
                    users: parameters.users.compose(user_rows, user_scratch),
                    items: parameters.items.compose(item_rows, item_scratch),
                };
                slopes.resize(examples.len(), T::ZERO);
                let of_users = &mut user_gradient.identity;
                let loss = passes.forward(chain, slopes, of_users, pool, kernel);
                passes.gather(slopes, &mut item_gradient.identity, pool, kernel);
                loss
            }
            Batch::Blocks(blocks) => {
                let strata = Strata {
                    global_mean: parameters.global_mean,
                    blocks,
                    users: parameters.users.compose_all(user_scratch),
                    items: parameters.items.compose_all(item_scratch),
                };
                let (of_users, of_items) =
                    (&mut user_gradient.identity, &mut item_gradient.identity);
                strata.run(chain, of_users, of_items, pool, kernel)
            }
        }
    }
}
