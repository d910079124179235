//! How do ratings in the order of a file become blocks, on all threads?
//!
//! ```text
//! count     each piece of the file: how many of its ratings fall into each block
//! scatter   each piece: its ratings to its own part of each block                    12 bytes a rating
//! sort      each block: by user, then by item
//! ```
//!
//! Every task writes parts of its own, so nothing depends on who does it.

use super::blocks::Cell;
use super::order::Order;
use crate::data::Interactions;
use crate::kernels::block::{Run, Touched};
use crate::kernels::pool::Pool;

/// Ratings per task of the sort; a constant, so that the layout depends on the data alone.
const RATINGS_PER_TASK: usize = 1 << 20;

/// The columns of the examples, block after block.
pub(super) struct Sorter<'a> {
    user_order: &'a Order,
    item_order: &'a Order,
    /// Places, counted from the first of the block.
    pub(super) users: Vec<u32>,
    pub(super) items: Vec<u32>,
    pub(super) targets: Vec<f32>,
    pub(super) weights: Option<Vec<f32>>,
    /// Examples of each block.
    pub(super) sizes: Vec<usize>,
}

/// A part of every column.
pub(super) struct Columns<'a> {
    pub(super) users: &'a mut [u32],
    pub(super) items: &'a mut [u32],
    pub(super) targets: &'a mut [f32],
    pub(super) weights: Option<&'a mut [f32]>,
}

impl<'a> Columns<'a> {
    /// The same part for a while.
    pub(super) fn reborrow(&mut self) -> Columns<'_> {
        Columns {
            users: self.users,
            items: self.items,
            targets: self.targets,
            weights: self.weights.as_deref_mut(),
        }
    }

    fn split_at(self, n: usize) -> (Columns<'a>, Columns<'a>) {
        let (users, other_users) = self.users.split_at_mut(n);
        let (items, other_items) = self.items.split_at_mut(n);
        let (targets, other_targets) = self.targets.split_at_mut(n);
        let (weights, other_weights) = self.weights.map(|w| w.split_at_mut(n)).unzip();
        let of = |users, items, targets, weights| Columns {
            users,
            items,
            targets,
            weights,
        };
        (
            of(users, items, targets, weights),
            of(other_users, other_items, other_targets, other_weights),
        )
    }
}

impl<'a> Sorter<'a> {
    /// Brings the ratings of each block together, in the order of the file.
    pub(super) fn new(
        user_order: &'a Order,
        item_order: &'a Order,
        ratings: &Interactions,
        pool: &Pool,
    ) -> Sorter<'a> {
        let n = ratings.len();
        let n_cells = user_order.n_blocks() * item_order.n_blocks();
        let (user_blocks, item_blocks) = (user_order.block_of_place(), item_order.block_of_place());
        let place = |position: usize| {
            let user = user_order.place_of[ratings.users[position] as usize];
            let item = item_order.place_of[ratings.items[position] as usize];
            let (a, b) = (
                usize::from(user_blocks[user as usize]),
                usize::from(item_blocks[item as usize]),
            );
            (
                a * item_order.n_blocks() + b,
                user - user_order.cuts[a],
                item - item_order.cuts[b],
            )
        };
        let pieces: Vec<_> = (0..n)
            .step_by(RATINGS_PER_TASK)
            .map(|start| start..(start + RATINGS_PER_TASK).min(n))
            .collect();
        let sizes = pool.map(pieces.clone(), |piece| {
            let mut sizes = vec![0usize; n_cells];
            piece.for_each(|position| sizes[place(position).0] += 1);
            sizes
        });
        let mut sorter = Sorter {
            user_order,
            item_order,
            users: vec![0; n],
            items: vec![0; n],
            targets: vec![0.0; n],
            weights: ratings.weights.as_ref().map(|_| vec![0.0; n]),
            sizes: (0..n_cells)
                .map(|cell| sizes.iter().map(|of_piece| of_piece[cell]).sum())
                .collect(),
        };
        // Every piece of the file has a part of its own in every block.
        let mut parts: Vec<Vec<Columns<'_>>> = pieces.iter().map(|_| Vec::new()).collect();
        let mut rest = sorter.columns();
        for cell in 0..n_cells {
            for (parts, sizes) in parts.iter_mut().zip(&sizes) {
                let (part, others) = rest.split_at(sizes[cell]);
                parts.push(part);
                rest = others;
            }
        }
        pool.map(
            pieces.into_iter().zip(parts).collect(),
            |(piece, mut parts)| {
                let mut next = vec![0usize; n_cells];
                for position in piece {
                    let (cell, user, item) = place(position);
                    let (part, at) = (&mut parts[cell], next[cell]);
                    next[cell] += 1;
                    part.users[at] = user;
                    part.items[at] = item;
                    part.targets[at] = ratings.ratings[position];
                    if let (Some(part), Some(weights)) = (&mut part.weights, &ratings.weights) {
                        part[at] = weights[position];
                    }
                }
            },
        );
        sorter
    }

    fn columns(&mut self) -> Columns<'_> {
        Columns {
            users: &mut self.users,
            items: &mut self.items,
            targets: &mut self.targets,
            weights: self.weights.as_deref_mut(),
        }
    }

    /// Sorts every block by user, then by item; returns what is known of it.
    pub(super) fn sort_cells(&mut self, pool: &Pool) -> Vec<Cell> {
        let rows_in = |order: &Order| {
            order
                .cuts
                .windows(2)
                .map(|cut| (cut[1] - cut[0]) as usize)
                .collect::<Vec<_>>()
        };
        let (n_users, n_items) = (rows_in(self.user_order), rows_in(self.item_order));
        let sizes = std::mem::take(&mut self.sizes);
        let mut rest = self.columns();
        let mut start = 0;
        let mut tasks = Vec::new();
        for (cell, &size) in sizes.iter().enumerate() {
            let (columns, others) = rest.split_at(size);
            rest = others;
            let (a, b) = (cell / n_items.len(), cell % n_items.len());
            tasks.push((columns, n_users[a], n_items[b], start));
            start += size;
        }
        pool.map(tasks, |(columns, n_users, n_items, start)| {
            sort_cell(columns, n_users, n_items, start)
        })
    }
}

/// Two stable counting sorts, by item and then by user.
pub(super) fn sort_cell(
    columns: Columns<'_>,
    n_users: usize,
    n_items: usize,
    start: usize,
) -> Cell {
    let n = columns.users.len() as u32;
    let by_item = counting_sort(0..n, |e| columns.items[e as usize], n_items);
    let mut touched: Vec<Touched> = Vec::new();
    for &e in &by_item {
        let row = columns.items[e as usize];
        match touched.last_mut() {
            Some(last) if last.row == row => last.n_examples += 1,
            _ => touched.push(Touched { row, n_examples: 1 }),
        }
    }
    touched.shrink_to_fit();
    let order = counting_sort(
        by_item.iter().copied(),
        |e| columns.users[e as usize],
        n_users,
    );
    fn arrange<T: Copy>(values: &mut [T], order: &[u32]) {
        let sorted: Vec<T> = order.iter().map(|&e| values[e as usize]).collect();
        values.copy_from_slice(&sorted);
    }
    arrange(columns.users, &order);
    arrange(columns.items, &order);
    arrange(columns.targets, &order);
    if let Some(weights) = columns.weights {
        arrange(weights, &order);
    }
    let mut runs: Vec<Run> = Vec::new();
    for (end, &user) in (1u32..).zip(&*columns.users) {
        match runs.last_mut() {
            Some(last) if last.row == user => last.end = end,
            _ => runs.push(Run { row: user, end }),
        }
    }
    runs.shrink_to_fit();
    Cell {
        runs,
        touched,
        start,
    }
}

/// `examples` in the rising order of their rows, equal rows in the order they come.
fn counting_sort(
    examples: impl Iterator<Item = u32> + Clone,
    row_of: impl Fn(u32) -> u32,
    n_rows: usize,
) -> Vec<u32> {
    let mut next = vec![0u32; n_rows + 1];
    let mut n = 0;
    for e in examples.clone() {
        next[row_of(e) as usize + 1] += 1;
        n += 1;
    }
    for row in 0..n_rows {
        next[row + 1] += next[row];
    }
    let mut order = vec![0u32; n];
    for e in examples {
        let next = &mut next[row_of(e) as usize];
        order[*next as usize] = e;
        *next += 1;
    }
    order
}
