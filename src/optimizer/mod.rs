//! Chapter 6. How far does a step go?
//!
//! A gradient says which way is down, not how far to walk. An optimizer is a rule for **one row**: its numbers, their gradient, and what the rule
//! remembers of earlier gradients (its *moments*). It knows no tables, no users, no losses.
//!
//! | rule | θ ← θ − … | remembers | PyTorch's name |
//! |---|---|---|---|
//! | [`Sgd`] | η·g | nothing | `SGD` |
//! | [`Adagrad`] | η·g / (√Σg² + ε) | Σg² | `Adagrad` |
//! | [`Adam`] | η·m̂ / (√v̂ + ε) | m, v | `Adam`; with decoupled decay `AdamW` |
//! | [`AmsGrad`] | η·m̂ / (√max v̂ + ε) | m, v, max v | `Adam(amsgrad=True)` |
//! | [`LazyAdam`] | the same with ε before the bias correction | m, v | `SparseAdam` |
//!
//! Adam's clocks differ in *which rows move*. *Dense*: every row at every step, also those whose gradient is zero, because their moments still push them;
//! t counts steps. *Lazy*: only rows that the batch touches; t counts steps all the same.
//!
//! *Block* and *row*: where ratings are visited block by block, each row has a clock of its own ([`block`]).
//!
//! How the learning rate η changes over time stands in [`schedule`]; [`sweep`] takes a rule through a table.

mod adagrad;
mod adam;
pub mod block;
pub mod schedule;
mod sgd;
pub mod sweep;

pub use adagrad::Adagrad;
pub use adam::{Adam, AmsGrad, LazyAdam};
pub use schedule::Schedule;
pub use sgd::Sgd;

use crate::kernels::Real;

/// The most tables that a rule remembers.
pub const MAX_MOMENTS: usize = 3;

/// A rule for one row at one step: everything that depends on the step, but not on the row, is already computed.
///
/// `row`, `gradient` and the moments that the rule uses have equal lengths; moments that it does not use are empty.
pub trait Rule<T: Real>: Copy + Send + Sync {
    /// Moves `row` and updates its moments.
    fn update(self, row: &mut [T], gradient: &[T], moments: [&mut [T]; MAX_MOMENTS]);
}

/// The optimizers by name, to be picked once per run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptimizerKind {
    /// [`Adam`], dense: every row moves at every step.
    Adam,
    /// [`LazyAdam`]: only touched rows move.
    LazyAdam,
    /// [`Adam`] with decoupled weight decay, dense.
    AdamW,
    /// [`AmsGrad`], dense.
    AmsGrad,
    /// [`Sgd`].
    Sgd,
    /// [`Adagrad`].
    Adagrad,
    /// [`RowAdam`](block::RowAdam): one second moment a row; for training by blocks.
    RowAdam,
}

impl OptimizerKind {
    /// All of them.
    pub const ALL: [OptimizerKind; 7] = [
        OptimizerKind::Adam,
        OptimizerKind::LazyAdam,
        OptimizerKind::AdamW,
        OptimizerKind::AmsGrad,
        OptimizerKind::Sgd,
        OptimizerKind::Adagrad,
        OptimizerKind::RowAdam,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            OptimizerKind::Adam => "adam",
            OptimizerKind::LazyAdam => "lazy-adam",
            OptimizerKind::AdamW => "adamw",
            OptimizerKind::AmsGrad => "amsgrad",
            OptimizerKind::Sgd => "sgd",
            OptimizerKind::Adagrad => "adagrad",
            OptimizerKind::RowAdam => "row-adam",
        }
    }

    /// How many moments it keeps.
    pub fn n_moments(self) -> usize {
        match self {
            OptimizerKind::Sgd => 0,
            OptimizerKind::Adagrad => 1,
            OptimizerKind::Adam
            | OptimizerKind::LazyAdam
            | OptimizerKind::AdamW
            | OptimizerKind::RowAdam => 2,
            OptimizerKind::AmsGrad => 3,
        }
    }

    /// Whether it knows a clock for each row, as training by blocks wants it.
    pub fn goes_by_blocks(self) -> bool {
        !matches!(self, OptimizerKind::LazyAdam | OptimizerKind::AmsGrad)
    }

    /// Whether it goes with steps that see the whole table, or rows of a batch.
    pub fn goes_by_batches(self) -> bool {
        self != OptimizerKind::RowAdam
    }

    /// Whether a row without a gradient stays where it is.
    ///
    /// With weight decay it moves in every dense rule; without, in those that carry a momentum.
    pub fn only_touched_rows(self, weight_decay: f64) -> bool {
        match self {
            OptimizerKind::LazyAdam | OptimizerKind::RowAdam => true,
            OptimizerKind::Sgd | OptimizerKind::Adagrad => weight_decay == 0.0,
            OptimizerKind::Adam | OptimizerKind::AdamW | OptimizerKind::AmsGrad => false,
        }
    }
}

/// The numbers of an optimizer that stay the same for a whole run.
///
/// | field | symbol | default | range |
/// |---|---|---|---|
/// | `beta1` | β₁ | 0.9 | [0, 1) |
/// | `beta2` | β₂ | 0.999 | [0, 1) |
/// | `epsilon` | ε | 1e-8; Adagrad 1e-10 | > 0 |
/// | `weight_decay` | | 0 | ≥ 0 |
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimizer {
    /// Which rule.
    pub kind: OptimizerKind,
    /// How much of the first moment is kept at each step.
    pub beta1: f64,
    /// How much of the second moment is kept at each step.
    pub beta2: f64,
    /// Keeps the denominator above zero.
    pub epsilon: f64,
    /// AdamW: the share η·decay of a row is taken off at each step. All others: decay·θ is added to the gradient. In J this is λ = decay·N/2.
    pub weight_decay: f64,
}

impl Optimizer {
    /// The rule with PyTorch's default numbers, and no weight decay.
    pub fn new(kind: OptimizerKind) -> Optimizer {
        let epsilon = if kind == OptimizerKind::Adagrad {
            1e-10
        } else {
            1e-8
        };
        Optimizer {
            kind,
            beta1: 0.9,
            beta2: 0.999,
            epsilon,
            weight_decay: 0.0,
        }
    }
}
