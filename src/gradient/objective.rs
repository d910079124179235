//! What is minimised?
//!
//! The objective J of the chapter's first page: which loss, and which penalty on which row. Nothing of it changes during a run.

use crate::kernels::Real;
use crate::loss::LossKind;
use crate::model::{Purpose, Side, Similarity};

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
    /// What a score is made of: composed rows, or those of length 1.
    pub similarity: Similarity,
    /// s_row.
    pub l2_scale: L2Scale,
    /// λ of the users' tables.
    pub users: SidePenalty,
    /// λ of the items' tables.
    pub items: SidePenalty,
}

impl Objective {
    /// What a model of this objective is for; squared errors of ratings need no word.
    pub fn purpose(&self) -> Option<Purpose> {
        let lambda = self.users.tables.first().copied().unwrap_or_default();
        (self.loss != LossKind::Squared).then(|| Purpose {
            meaning: self.loss.meaning(),
            similarity: self.similarity,
            loss: self.loss.to_string(),
            l2: lambda.factors,
            bias_l2: lambda.biases,
            l2_per_rating: self.l2_scale == L2Scale::Rating,
        })
    }
}

impl SidePenalty {
    /// No penalty yet; `counts` are the training examples of each row of the side.
    pub fn new<T: Real>(side: &Side<T>, counts: Vec<u32>) -> SidePenalty {
        let mut all: Vec<Vec<u32>> = side.tables().map(|t| vec![0; t.n_rows()]).collect();
        for (group, of_features) in side.groups.iter().zip(&mut all[1..]) {
            for (row, &count) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
                for (f, _) in group.features.row(row).filter(|&(_, weight)| weight != 0.0) {
                    of_features[f as usize] += count;
                }
            }
        }
        all[0] = counts;
        SidePenalty {
            tables: vec![TablePenalty::default(); all.len()],
            counts: all,
        }
    }
}
