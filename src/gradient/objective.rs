//! What is minimised?
//!
//! The objective J of the chapter's first page: which loss, and which penalty on which row. Nothing of it changes during a run.

use crate::kernels::Real;
use crate::kernels::rows::RowRange;
use crate::loss::LossKind;
use crate::model::Side;

/// λ of a table's factors and of its biases.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TablePenalty {
    /// λ of the factors.
    pub factors: f64,
    /// λ of the biases.
    pub biases: f64,
}

/// What s_row is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum L2Scale {
    /// s_row = 1.
    #[default]
    Row,
    /// s_row = the number of training examples that touch the row.
    Rating,
}

/// The penalties of one side, and how often training touches its rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SidePenalty {
    /// Of the identity table, then of each group's.
    pub tables: Vec<TablePenalty>,
    /// n_row of the identity table's rows, then of each group's.
    pub counts: Vec<Vec<u32>>,
}

/// The objective: everything that J depends on beside the parameters and the examples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Objective {
    /// ℓ.
    pub loss: LossKind,
    /// s_row.
    pub l2_scale: L2Scale,
    /// λ of the users' tables.
    pub users: SidePenalty,
    /// λ of the items' tables.
    pub items: SidePenalty,
}

impl SidePenalty {
    /// No penalty yet, and n_row counted over `touched`, the rows of the side's training examples.
    pub fn new<T: Real>(side: &Side<T>, touched: &[RowRange]) -> SidePenalty {
        let mut counts: Vec<Vec<u32>> = side.tables().map(|t| vec![0; t.n_rows()]).collect();
        for range in touched {
            counts[0][range.row as usize] += range.n_examples() as u32;
            for (group, counts) in side.groups.iter().zip(&mut counts[1..]) {
                for (f, weight) in group.features.row(range.row as usize) {
                    if weight != 0.0 {
                        counts[f as usize] += range.n_examples() as u32;
                    }
                }
            }
        }
        SidePenalty {
            tables: vec![TablePenalty::default(); counts.len()],
            counts,
        }
    }
}
