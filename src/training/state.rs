//! What must be known to go on from an epoch?
//!
//! The tables, the optimizer's moments, how many steps and epochs are done, and the best epoch so far. Random draws are no part of it: every epoch has a
//! stream of its own name, so the number of the epoch is enough. There are no files here.

use crate::kernels::Real;
use crate::metrics::HeldOut;
use crate::model::{Parameters, Side, Table};
use crate::optimizer::OptimizerKind;

/// Training after a whole number of epochs.
#[derive(Clone, Debug, PartialEq)]
pub struct State<T> {
    /// What is learnt.
    pub parameters: Parameters<T>,
    /// The moments of each table: the users' identity and groups, then the items'.
    pub moments: Vec<Vec<Table<T>>>,
    /// How often each row of each table was touched, where rows have clocks of their own; empty otherwise.
    pub touches: Vec<Vec<u32>>,
    /// Updates done.
    pub steps: u64,
    /// Epochs done.
    pub epoch: usize,
    /// The best epoch so far, where there is validation.
    pub best: Option<Best<T>>,
}

/// The epoch that did best so far on what was held out.
#[derive(Clone, Debug, PartialEq)]
pub struct Best<T> {
    /// Its number, from 1.
    pub epoch: usize,
    /// How that came out.
    pub valid: HeldOut,
    /// Its parameters, where they are to be kept.
    pub parameters: Option<Parameters<T>>,
}

/// The moments of a table, all zero; the second of the row-wise rule has one number a row.
fn moments<T: Real>(table: &Table<T>, kind: OptimizerKind) -> Vec<Table<T>> {
    let mut moments = vec![table.zeros_like(); kind.n_moments()];
    if kind == OptimizerKind::RowAdam {
        moments[1] = Table::zeros(table.n_rows(), 1, table.bias_slice().is_some());
    }
    moments
}

impl<T: Real> State<T> {
    /// Nothing done yet.
    pub fn new(parameters: Parameters<T>, kind: OptimizerKind, with_clocks: bool) -> State<T> {
        let moments = |side: &Side<T>| -> Vec<Vec<Table<T>>> {
            side.tables().map(|table| moments(table, kind)).collect()
        };
        let tables = parameters.users.tables().chain(parameters.items.tables());
        let clocks: Vec<_> = tables.map(|table| vec![0; table.n_rows()]).collect();
        State {
            touches: if with_clocks { clocks } else { Vec::new() },
            moments: [moments(&parameters.users), moments(&parameters.items)].concat(),
            parameters,
            steps: 0,
            epoch: 0,
            best: None,
        }
    }
}
