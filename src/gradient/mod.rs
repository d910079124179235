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
//! **Where rows spread over a graph**, P and Q are what they are then: `spread`. **Where only the angle counts**, P_u and Q_i are of length 1 in all this, and there is a step between 2 and 3: `angle`. **Where items are compared**, the slopes of several scores
//! depend on each other: step 1 is another, `pairs` and `lists`; the rest is the same.
//!
//! Steps 1 and 2 are one pass over blocks ([`kernels::block`](crate::kernels::block)) where the ratings are cut into such, and the two passes of
//! [`kernels::rows`](crate::kernels::rows) for a mini-batch. Where cells without an example count too, [`all_cells`] adds what they do. What an optimizer makes of a gradient is chapter 6's.

pub mod all_cells;
mod angle;
mod chain;
mod lists;
mod objective;
mod pairs;
mod passes;
mod sides;
mod spread;
mod step;
mod strata;
//
pub mod naive;

pub use all_cells::AllCells;
pub use objective::{L2Scale, Objective, SidePenalty, TablePenalty};
pub use sides::{RowGradients, SideGradient};

use crate::data::layout::{Blocks, Examples, Lists, Pairs};
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real};
use crate::loss::{Bpr, CosineContrastive, LossKind, Pointwise, Softmax};
use crate::model::{Parameters, Table};
use angle::Directions;
pub(crate) use chain::{WithChain, with_chain};
use spread::Spread;
use step::Step;

/// The examples of a step, as they are laid out.
#[derive(Clone, Copy, Debug)]
pub enum Batch<'a> {
    /// By user and by item.
    Examples(&'a Examples),
    /// In blocks; then all tables are in block order.
    Blocks(&'a Blocks),
    /// Two items of a user at a time.
    Pairs(&'a Pairs),
    /// All positives of each user, against candidates.
    Lists(&'a Lists<'a>),
}

macro_rules! batch_from {
    ($($type:ty => $variant:ident,)*) => {
        $(impl<'a> From<&'a $type> for Batch<'a> {
            fn from(batch: &'a $type) -> Batch<'a> {
                Batch::$variant(batch)
            }
        })*
    };
}
batch_from! { Examples => Examples, Blocks => Blocks, Pairs => Pairs, Lists<'a> => Lists, }

impl Batch<'_> {
    /// The number N of examples: ratings, pairs, or positives.
    fn len(&self) -> usize {
        match self {
            Batch::Examples(examples) => examples.len(),
            Batch::Blocks(blocks) => blocks.len(),
            Batch::Pairs(pairs) => pairs.len(),
            Batch::Lists(lists) => lists.positives.len(),
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
    spread: Spread<T>,
    directions: [Directions<T>; 2],
    lists: lists::Buffers<T>,
}

impl<T: Real> Gradient<T> {
    /// The gradient of every table, in the order of the tables: the users' identity and groups, then the items'.
    pub fn tables(&self) -> impl Iterator<Item = &RowGradients<T>> {
        self.users.tables().chain(self.items.tables())
    }

    /// Fills the gradient of the objective over `examples`, a batch or all of them, and returns Σ_e c_e·ℓ_e at the parameters as they are.
    ///
    /// The result does not depend on the number of threads or the kernel. Cost: two passes over the examples, n_factors multiply-adds
    /// thrice in all; of lists three products of users by candidates.
    ///
    /// # Panics
    /// Where the batch is not laid out for the loss: pairs are for [`Pairwise`](crate::loss::Pairwise), lists for [`Listwise`](crate::loss::Listwise) losses, ratings for
    /// [`Pointwise`] ones.
    pub fn compute<'a>(
        &mut self,
        objective: &Objective,
        parameters: &Parameters<T>,
        batch: impl Into<Batch<'a>>,
        pool: &Pool,
        kernel: Kernel,
    ) -> f64 {
        let batch = batch.into();
        if let LossKind::AllCells { unobserved_weight } = objective.loss {
            let cells = AllCells::new(unobserved_weight, objective.l2_scale);
            return self.all_cells(&cells, objective, parameters, batch, pool, kernel);
        }
        let step = self.step(objective, parameters, batch, pool, kernel);
        match objective.loss {
            LossKind::Bpr => step.pairs(Bpr),
            LossKind::Softmax { temperature } => step.lists(Softmax { temperature }),
            LossKind::CosineContrastive {
                margin,
                negative_weight,
            } => step.lists(CosineContrastive {
                margin,
                negative_weight,
            }),
            loss => with_chain(loss, parameters.link, step),
        }
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
