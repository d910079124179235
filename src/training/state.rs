//! What must be known to go on from an epoch?
//!
//! The tables, the optimizer's moments, how many steps and epochs are done, and the best epoch so far. Random draws are no part of it: every epoch has a
//! stream of its own name, so the number of the epoch is enough. There are no files here.

use crate::kernels::Real;
use crate::metrics::RatingErrors;
use crate::model::{Parameters, Side, Table};

/// Training after a whole number of epochs.
#[derive(Clone, Debug, PartialEq)]
pub struct State<T> {
    /// What is learnt.
    pub parameters: Parameters<T>,
    /// The moments of each table: the users' identity and groups, then the items'.
    pub moments: Vec<Vec<Table<T>>>,
    /// Updates done.
    pub steps: u64,
    /// Epochs done.
    pub epoch: usize,
    /// The best epoch so far, where there is validation.
    pub best: Option<Best<T>>,
}

/// The epoch with the least error so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Best<T> {
    /// Its number, from 1.
    pub epoch: usize,
    /// Its errors on the held-out ratings.
    pub errors: RatingErrors,
    /// Its parameters, where they are to be kept.
    pub parameters: Option<Parameters<T>>,
}

impl<T: Real> State<T> {
    /// Nothing done yet.
    pub fn new(parameters: Parameters<T>, n_moments: usize) -> State<T> {
        let moments = |side: &Side<T>| -> Vec<Vec<Table<T>>> {
            side.tables()
                .map(|table| vec![table.zeros_like(); n_moments])
                .collect()
        };
        State {
            moments: [moments(&parameters.users), moments(&parameters.items)].concat(),
            parameters,
            steps: 0,
            epoch: 0,
            best: None,
        }
    }
}
