//! How do ratings in the order of a file become blocks, on all threads?
//!
//! ```text
//! count     each piece of the file: how many of its ratings fall into each block
//! gather    each piece: its ratings to its own part of each block                    12 bytes a rating
//! sort      each block: by user, then by item                                        8 bytes a rating; the 12 go
//! ```
//!
//! Every task writes parts of its own, so nothing depends on who does it. A rating is gathered as one record: a thousand blocks are a thousand places to write to, and three times as many
//! would be more than a processor keeps at hand.

use super::blocks::OwnedExamples;
use super::order::Order;
use crate::data::Interactions;
use crate::kernels::block::{Run, Touched};
use crate::kernels::pool::Pool;

/// Ratings per task; a constant, so that the layout depends on the data alone.
const RATINGS_PER_TASK: usize = 1 << 18;

/// A rating whose rows are counted from the first of its block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Record {
    pub(super) user: u32,
    pub(super) item: u32,
    pub(super) target: f32,
}

/// The ratings of one block in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unsorted {
    pub(super) records: Vec<Record>,
    pub(super) weights: Option<Vec<f32>>,
}

/// The block of each row, and where it stands there.
struct Places {
    users: Vec<(u32, u32)>,
    items: Vec<(u32, u32)>,
    n_blocks: u32,
}

impl Places {
    fn new(users: &Order, items: &Order) -> Places {
        let of = |order: &Order| {
            let mut places = vec![(0, 0); order.row_at.len()];
            for (block, cut) in (0u32..).zip(order.cuts.windows(2)) {
                for place in cut[0]..cut[1] {
                    places[order.row_at[place as usize] as usize] = (block, place - cut[0]);
                }
            }
            places
        };
        Places {
            users: of(users),
            items: of(items),
            n_blocks: items.n_blocks() as u32,
        }
    }

    /// The block of a rating.
    #[inline(always)]
    fn cell(&self, user: u32, item: u32) -> usize {
        let (a, b) = (self.users[user as usize].0, self.items[item as usize].0);
        (a * self.n_blocks + b) as usize
    }
}

/// Brings the ratings of each block together, in the order of the file.
pub(super) fn gather(
    users: &Order,
    items: &Order,
    ratings: &Interactions,
    pool: &Pool,
) -> Vec<Unsorted> {
    let n = ratings.len();
    let n_cells = users.n_blocks() * items.n_blocks();
    let places = Places::new(users, items);
    let pieces: Vec<_> = (0..n)
        .step_by(RATINGS_PER_TASK)
        .map(|start| start..(start + RATINGS_PER_TASK).min(n))
        .collect();
    let sizes = pool.map(pieces.clone(), |piece| {
        let mut sizes = vec![0u32; n_cells];
        for (&user, &item) in ratings.users[piece.clone()]
            .iter()
            .zip(&ratings.items[piece])
        {
            sizes[places.cell(user, item)] += 1;
        }
        sizes
    });
    let mut cells: Vec<Unsorted> = (0..n_cells)
        .map(|cell| {
            let size = sizes.iter().map(|of_piece| of_piece[cell] as usize).sum();
            Unsorted {
                records: vec![Record::default(); size],
                weights: ratings.weights.as_ref().map(|_| vec![0.0; size]),
            }
        })
        .collect();
    // Every piece of the file has a part of its own in every block.
    let mut parts: Vec<Vec<_>> = pieces.iter().map(|_| Vec::with_capacity(n_cells)).collect();
    for (cell, unsorted) in cells.iter_mut().enumerate() {
        let mut records = &mut unsorted.records[..];
        let mut weights = unsorted.weights.as_deref_mut().unwrap_or_default();
        for (parts, sizes) in parts.iter_mut().zip(&sizes) {
            let size = sizes[cell] as usize;
            let (of_piece, others) = std::mem::take(&mut records).split_at_mut(size);
            let n_weights = size.min(weights.len());
            let (weights_of_piece, other_weights) =
                std::mem::take(&mut weights).split_at_mut(n_weights);
            parts.push((of_piece, weights_of_piece));
            (records, weights) = (others, other_weights);
        }
    }
    pool.map(
        pieces.into_iter().zip(parts).collect(),
        |(piece, mut parts)| {
            let mut next = vec![0u32; n_cells];
            for position in piece {
                let (user, item) = (ratings.users[position], ratings.items[position]);
                let (a, user) = places.users[user as usize];
                let (b, item) = places.items[item as usize];
                let cell = (a * places.n_blocks + b) as usize;
                let at = next[cell] as usize;
                next[cell] += 1;
                parts[cell].0[at] = Record {
                    user,
                    item,
                    target: ratings.ratings[position],
                };
                if let Some(weights) = &ratings.weights {
                    parts[cell].1[at] = weights[position];
                }
            }
        },
    );
    cells
}

/// Sorts a block by user, then by item: two stable counting sorts.
pub(super) fn sort_cell(cell: Unsorted, n_users: usize, n_items: usize) -> OwnedExamples {
    let Unsorted { records, weights } = cell;
    let n = records.len() as u32;
    let by_item = counting_sort(0..n, |e| records[e as usize].item, n_items);
    let mut touched: Vec<Touched> = Vec::new();
    for &e in &by_item {
        let row = records[e as usize].item;
        match touched.last_mut() {
            Some(last) if last.row == row => last.n_examples += 1,
            _ => touched.push(Touched { row, n_examples: 1 }),
        }
    }
    let order = counting_sort(
        by_item.iter().copied(),
        |e| records[e as usize].user,
        n_users,
    );
    let mut runs: Vec<Run> = Vec::new();
    for (end, &e) in (1u32..).zip(&order) {
        let row = records[e as usize].user;
        match runs.last_mut() {
            Some(last) if last.row == row => last.end = end,
            _ => runs.push(Run { row, end }),
        }
    }
    touched.shrink_to_fit();
    runs.shrink_to_fit();
    let sorted = order.iter().map(|&e| records[e as usize]);
    OwnedExamples {
        runs,
        touched,
        others: sorted.clone().map(|record| record.item).collect(),
        targets: sorted.map(|record| record.target).collect(),
        weights: weights.map(|weights| order.iter().map(|&e| weights[e as usize]).collect()),
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
