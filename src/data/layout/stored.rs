//! What if the blocks do not fit into memory?
//!
//! Then they lie in a nameless file, and each is read when it is its turn. They are sorted in two rounds:
//!
//! ```text
//! gather     each piece of the cache: its ratings, block after block, are written as they are            12 bytes a rating
//! sort       each block: its part of every piece is read, sorted by user and item, written for good      8 bytes a rating, 8 a run of a user, 8 an item
//! ```
//!
//! The bytes of a block are those of the layout in memory, and so is what is trained on them. Per epoch every block is read once, from one end of the file to the other: a billion
//! ratings are some 12 GB an epoch, of which a disk of 2 GB/s reads in 6 s what two threads compute in about 7.

use std::path::Path;

use super::blocks::OwnedExamples;
use super::order::Order;
use super::sort::{self, Record, Unsorted, sort_cell};
use crate::Result;
use crate::data::RatingsCache;
use crate::kernels::block::{Run, Touched};
use crate::kernels::pool::Pool;
use crate::storage::{Element, Scratch};

/// Ratings of a piece of the cache: a multiple of what one of its chunks holds.
const PIECE: usize = 1 << 21;
/// Blocks that are sorted before they are written.
const BATCH: usize = 64;

/// The examples of all blocks, in a file.
#[derive(Debug)]
pub(super) struct StoredCells {
    scratch: Scratch,
    cells: Vec<Place>,
    weighted: bool,
}

/// Where a block is in the file, and how much of everything it has.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    n_runs: usize,
    n_touched: usize,
    n_examples: usize,
}

/// A piece of the cache whose ratings are written block after block, and then their weights.
struct Gathered {
    offset: u64,
    /// The first rating of each block, and the end of the last.
    starts: Vec<usize>,
}

impl StoredCells {
    /// The ratings of `cache` in the blocks that the orders of users and items cut.
    pub(super) fn sort(
        cache: &RatingsCache,
        (users, items): (&Order, &Order),
        folder: &Path,
        pool: &Pool,
    ) -> Result<StoredCells> {
        let weighted = cache.has_weights();
        let gathered = Scratch::new(folder)?;
        let pieces = gather(cache, (users, items), &gathered, pool)?;

        let scratch = Scratch::new(folder)?;
        let n_cells = users.n_blocks() * items.n_blocks();
        let n_rows =
            |order: &Order, block: usize| (order.cuts[block + 1] - order.cuts[block]) as usize;
        let (mut cells, mut offset) = (Vec::with_capacity(n_cells), 0);
        let mut waiting = (0..n_cells).peekable();
        while waiting.peek().is_some() {
            let batch: Vec<usize> = waiting.by_ref().take(BATCH).collect();
            let sorted = pool.map(batch, |cell| {
                let (a, b) = (cell / items.n_blocks(), cell % items.n_blocks());
                let unsorted = Gathered::read(&pieces, &gathered, cell, weighted)?;
                let sorted = sort_cell(unsorted, n_rows(users, a), n_rows(items, b));
                Ok(bytes_of(&sorted))
            });
            for block in sorted {
                let (bytes, place) = block?;
                scratch.write_at(offset, &bytes)?;
                cells.push(Place { offset, ..place });
                offset += bytes.len() as u64;
            }
        }
        Ok(StoredCells {
            scratch,
            cells,
            weighted,
        })
    }

    /// The examples of a block.
    pub(super) fn read(&self, cell: usize) -> Result<OwnedExamples> {
        let place = self.cells[cell];
        let n_columns = if self.weighted { 3 } else { 2 };
        let numbers = 2 * (place.n_runs + place.n_touched) + n_columns * place.n_examples;
        let mut bytes = vec![0; 4 * numbers];
        self.scratch.read_at(place.offset, &mut bytes)?;
        let mut rest = &bytes[..];
        let mut next = |n: usize| {
            let (head, others) = rest.split_at(4 * n);
            rest = others;
            head
        };
        let pairs = |bytes: &[u8]| {
            let numbers: Vec<u32> = numbers_of(bytes);
            numbers.as_chunks::<2>().0.to_vec()
        };
        let runs = pairs(next(2 * place.n_runs)).into_iter();
        let touched = pairs(next(2 * place.n_touched)).into_iter();
        Ok(OwnedExamples {
            runs: runs.map(|[row, end]| Run { row, end }).collect(),
            touched: touched
                .map(|[row, n_examples]| Touched { row, n_examples })
                .collect(),
            others: numbers_of(next(place.n_examples)),
            targets: numbers_of(next(place.n_examples)),
            weights: self.weighted.then(|| numbers_of(next(place.n_examples))),
        })
    }
}

/// Writes the ratings of every piece of the cache block after block.
fn gather(
    cache: &RatingsCache,
    (users, items): (&Order, &Order),
    scratch: &Scratch,
    pool: &Pool,
) -> Result<Vec<Gathered>> {
    let (mut pieces, mut offset) = (Vec::new(), 0);
    for piece in cache.chunks(PIECE) {
        let cells = sort::gather(users, items, &piece?, pool);
        let mut bytes = Vec::new();
        let mut starts = vec![0];
        for cell in &cells {
            for record in &cell.records {
                put(&[record.user, record.item], &mut bytes);
                put(&[record.target], &mut bytes);
            }
            starts.push(starts[starts.len() - 1] + cell.records.len());
        }
        for cell in &cells {
            put(cell.weights.as_deref().unwrap_or_default(), &mut bytes);
        }
        scratch.write_at(offset, &bytes)?;
        pieces.push(Gathered { offset, starts });
        offset += bytes.len() as u64;
    }
    Ok(pieces)
}

impl Gathered {
    /// The parts of a block in all pieces.
    fn read(
        pieces: &[Gathered],
        scratch: &Scratch,
        cell: usize,
        weighted: bool,
    ) -> Result<Unsorted> {
        let (mut records, mut weights) = (Vec::new(), Vec::new());
        let append = |bytes: &mut Vec<u8>, offset: u64, n: usize| {
            let before = bytes.len();
            bytes.resize(before + n, 0);
            scratch.read_at(offset, &mut bytes[before..])
        };
        for piece in pieces {
            let (start, end) = (piece.starts[cell], piece.starts[cell + 1]);
            let n_piece = piece.starts[piece.starts.len() - 1];
            append(
                &mut records,
                piece.offset + 12 * start as u64,
                12 * (end - start),
            )?;
            if weighted {
                let offset = piece.offset + 12 * n_piece as u64 + 4 * start as u64;
                append(&mut weights, offset, 4 * (end - start))?;
            }
        }
        let records = records.as_chunks::<12>().0.iter().map(|record| Record {
            user: u32::get(&record[..4]),
            item: u32::get(&record[4..8]),
            target: f32::get(&record[8..]),
        });
        Ok(Unsorted {
            records: records.collect(),
            weights: weighted.then(|| numbers_of(&weights)),
        })
    }
}

/// A block for good, and what it has; its offset is still to be set.
fn bytes_of(sorted: &OwnedExamples) -> (Vec<u8>, Place) {
    let mut bytes = Vec::new();
    for run in &sorted.runs {
        put(&[run.row, run.end], &mut bytes);
    }
    for item in &sorted.touched {
        put(&[item.row, item.n_examples], &mut bytes);
    }
    put(&sorted.others, &mut bytes);
    put(&sorted.targets, &mut bytes);
    put(sorted.weights.as_deref().unwrap_or_default(), &mut bytes);
    let place = Place {
        offset: 0,
        n_runs: sorted.runs.len(),
        n_touched: sorted.touched.len(),
        n_examples: sorted.targets.len(),
    };
    (bytes, place)
}

fn put<T: Element>(values: &[T], bytes: &mut Vec<u8>) {
    values.iter().for_each(|value| value.put(bytes));
}

fn numbers_of<T: Element>(bytes: &[u8]) -> Vec<T> {
    bytes.chunks_exact(4).map(T::get).collect()
}
