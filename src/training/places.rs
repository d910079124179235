//! How do tables come into block order, and back?
//!
//! While training goes by blocks, row r of an identity table stands at its *place* in the [`Order`] of its side: then the rows of a block are neighbours, and a table is cut into blocks by
//! slicing. Everything that goes by rows goes along: tables, moments, features, counts, held-out ratings. Tables of groups stay as they are.

use std::sync::Arc;

use crate::data::Interactions;
use crate::data::layout::{Blocks, Order};
use crate::gradient::{Objective, SidePenalty};
use crate::kernels::Real;
use crate::model::{Parameters, Side, Table};
use crate::training::State;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From rows to places.
    In,
    /// From places to rows.
    Out,
}

impl Way {
    /// Where each row of the result comes from.
    fn sources(self, order: &Order) -> &[u32] {
        match self {
            Way::In => &order.row_at,
            Way::Out => &order.place_of,
        }
    }
}

/// Puts a state in the other order.
pub(super) fn state<T: Real>(state: &mut State<T>, blocks: &Blocks, way: Way) {
    let n_user_tables = state.parameters.users.tables().count();
    parameters(&mut state.parameters, blocks, way);
    for (table, order) in [(0, &blocks.users), (n_user_tables, &blocks.items)] {
        let sources = way.sources(order);
        for moment in &mut state.moments[table] {
            *moment = moment.arranged(sources);
        }
        if let Some(touches) = state.touches.get_mut(table) {
            *touches = arranged(touches, sources);
        }
    }
    let best = state
        .best
        .as_mut()
        .and_then(|best| best.parameters.as_mut());
    if let Some(best) = best {
        parameters(best, blocks, way);
    }
}

fn parameters<T: Real>(parameters: &mut Parameters<T>, blocks: &Blocks, way: Way) {
    side(&mut parameters.users, way.sources(&blocks.users));
    side(&mut parameters.items, way.sources(&blocks.items));
}

fn side<T: Real>(side: &mut Side<T>, sources: &[u32]) {
    side.identity = side.identity.arranged(sources);
    for group in &mut side.groups {
        group.features = Arc::new(group.features.arranged(sources));
    }
}

/// Puts the counts of an objective in the other order.
pub(super) fn objective(objective: &mut Objective, blocks: &Blocks, way: Way) {
    let of = |penalty: &mut SidePenalty, order| {
        penalty.counts[0] = arranged(&penalty.counts[0], way.sources(order));
    };
    of(&mut objective.users, &blocks.users);
    of(&mut objective.items, &blocks.items);
}

/// Held-out ratings with places for rows; strangers stay strangers.
pub(super) fn ratings(ratings: &Interactions, blocks: &Blocks) -> Interactions {
    let of = |rows: &[u32], order: &Order| {
        let place = |&row: &u32| order.place_of.get(row as usize).copied().unwrap_or(row);
        rows.iter().map(place).collect()
    };
    Interactions {
        users: of(&ratings.users, &blocks.users),
        items: of(&ratings.items, &blocks.items),
        ..ratings.clone()
    }
}

fn arranged(values: &[u32], sources: &[u32]) -> Vec<u32> {
    sources.iter().map(|&at| values[at as usize]).collect()
}

impl<T: Real> Table<T> {
    /// Row n of the result is row `sources[n]` of this table.
    fn arranged(&self, sources: &[u32]) -> Table<T> {
        let mut table = self.zeros_like();
        for (row, &source) in sources.iter().enumerate() {
            table
                .row_mut(row)
                .copy_from_slice(self.row(source as usize));
        }
        if let (Some(biases), Some(from)) = (table.bias_slice_mut(), self.bias_slice()) {
            for (bias, &source) in biases.iter_mut().zip(sources) {
                *bias = from[source as usize];
            }
        }
        table
    }
}
