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
//! Steps 1 and 2 are the two passes of [`kernels::rows`](crate::kernels::rows). What an optimizer makes of a gradient is chapter 6's.

mod objective;
mod passes;
mod sides;
//
pub mod naive;

pub use objective::{L2Scale, Objective, SidePenalty, TablePenalty};
pub use sides::{RowGradients, SideGradient};

use crate::data::examples::Examples;
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real};
use crate::loss::{LossKind, Pointwise, Squared};
use crate::model::{Link, Parameters, Table};
use passes::Passes;

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
    pub fn compute(
        &mut self,
        objective: &Objective,
        parameters: &Parameters<T>,
        examples: &Examples,
        pool: &Pool,
        kernel: Kernel,
    ) -> f64 {
        match objective.loss {
            LossKind::Squared => {
                self.pointwise(Squared, objective, parameters, examples, pool, kernel)
            }
        }
    }

    /// [`compute`](Gradient::compute) for any loss of one prediction against one target.
    pub fn pointwise(
        &mut self,
        loss: impl Pointwise,
        objective: &Objective,
        parameters: &Parameters<T>,
        examples: &Examples,
        pool: &Pool,
        kernel: Kernel,
    ) -> f64 {
        // Each arm is a loop of its own: the link is chosen here, once, and not per rating.
        match parameters.link {
            Link::Identity => {
                let chain = |score: f64, target: f64| {
                    (loss.value(score, target), loss.slope(score, target))
                };
                self.chain(chain, objective, parameters, examples, pool, kernel)
            }
            link @ Link::Sigmoid { .. } => {
                let chain = |score: f64, target: f64| {
                    let prediction = link.value(score);
                    (
                        loss.value(prediction, target),
                        loss.slope(prediction, target) * link.slope(score),
                    )
                };
                self.chain(chain, objective, parameters, examples, pool, kernel)
            }
        }
    }

    /// `chain` is step 1: (score, target) → (ℓ, ∂ℓ/∂s).
    fn chain(
        &mut self,
        chain: impl Fn(f64, f64) -> (f64, f64) + Copy + Send + Sync,
        objective: &Objective,
        parameters: &Parameters<T>,
        examples: &Examples,
        pool: &Pool,
        kernel: Kernel,
    ) -> f64 {
        let [user_scratch, item_scratch] = &mut self.composed;
        let users = parameters
            .users
            .compose(examples.by_user.iter().map(|range| range.row), user_scratch);
        let items = parameters
            .items
            .compose(examples.by_item.iter().map(|range| range.row), item_scratch);
        self.slopes.resize(examples.len(), T::ZERO);

        let passes = Passes {
            parameters,
            examples,
            users,
            items,
        };
        let loss = passes.forward(
            chain,
            &mut self.slopes,
            &mut self.users.identity,
            pool,
            kernel,
        );
        passes.gather(&self.slopes, &mut self.items.identity, pool, kernel);

        let scale = objective.l2_scale;
        self.users.backprop(&parameters.users);
        self.items.backprop(&parameters.items);
        self.users
            .add_penalty(&parameters.users, &objective.users, scale, examples.len());
        self.items
            .add_penalty(&parameters.items, &objective.items, scale, examples.len());
        loss
    }
}
