//! How are ratings cut so that threads never meet?
//!
//! Users and items are put into an order that has nothing to do with the file (a constant hash of their row numbers), and each order is cut into B runs with about
//! equally many ratings. That cuts the ratings into B × B *blocks*. Blocks on a diagonal share neither a user nor an item; B diagonals, the *strata*, hold everything:
//!
//! ```text
//!              items 0  1  2  3                stratum s = { (a, (a + s) mod B) : a = 0 … B − 1 }
//!      users 0       ▪  ·  ·  ·
//!            1       ·  ▪  ·  ·                ▪  the blocks of stratum 0: any thread may take any of them,
//!            2       ·  ·  ▪  ·                   and no two touch one row
//!            3       ·  ·  ·  ▪
//! ```
//!
//! The place of a row in its order is its *place*. Within a block the examples stand by user, then by item: a user's row is loaded once and its examples follow. B, the orders and the layout depend on the
//! ratings alone, never on the seed or on the number of threads. Few ratings make one block, whose order is that of the rows.
//!
//! Cost: four passes over the ratings; 12 bytes a rating while sorting, 8 afterwards (4 more with weights).

use std::path::Path;

use super::order::{Order, blocks_for_steps};
use super::sort::{gather, sort_cell};
use super::stored::StoredCells;
use crate::Result;
use crate::data::{Interactions, RatingsCache};
use crate::kernels::block::{BlockExamples, Run, Touched};
use crate::kernels::pool::Pool;

/// Ratings in B × B blocks.
#[derive(Debug)]
pub struct Blocks {
    /// The users in block order.
    pub users: Order,
    /// The items in block order.
    pub items: Order,
    /// The number of examples of the user at each place.
    pub user_counts: Vec<u32>,
    /// The number of examples of the item at each place.
    pub item_counts: Vec<u32>,
    n_ratings: usize,
    examples: Examples,
}

/// Where the examples of the blocks are.
#[derive(Debug)]
enum Examples {
    /// User block by user block.
    Memory(Vec<OwnedExamples>),
    Stored(StoredCells),
}

/// The examples of a block, in memory for a while.
#[derive(Debug)]
pub enum Fetched<'a> {
    /// They always are.
    Borrowed(BlockExamples<'a>),
    /// They were read for this.
    Owned(OwnedExamples),
}

/// The examples of a block on their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnedExamples {
    pub(super) runs: Vec<Run>,
    pub(super) touched: Vec<Touched>,
    pub(super) others: Vec<u32>,
    pub(super) targets: Vec<f32>,
    pub(super) weights: Option<Vec<f32>>,
}

impl Fetched<'_> {
    /// The examples.
    pub fn examples(&self) -> BlockExamples<'_> {
        match self {
            Fetched::Borrowed(examples) => *examples,
            Fetched::Owned(owned) => owned.examples(),
        }
    }
}

impl OwnedExamples {
    fn examples(&self) -> BlockExamples<'_> {
        BlockExamples {
            runs: &self.runs,
            touched: &self.touched,
            others: &self.others,
            targets: &self.targets,
            weights: self.weights.as_deref(),
        }
    }
}

impl Blocks {
    /// All of `interactions` in `n_blocks` × `n_blocks` blocks; `counts` are the ratings of each user and of each item.
    ///
    /// # Panics
    /// Where the counts are others, and for 0 blocks, or more than 65,536.
    pub fn cut(
        interactions: &Interactions,
        counts: (&[u32], &[u32]),
        n_blocks: usize,
        pool: &Pool,
    ) -> Blocks {
        assert!((1..=1 << 16).contains(&n_blocks), "{n_blocks} blocks");
        let [(user_counts, users), (item_counts, items)] = orders(counts, n_blocks);
        let rows_in = |order: &Order| -> Vec<usize> {
            let cuts = order.cuts.windows(2);
            cuts.map(|cut| (cut[1] - cut[0]) as usize).collect()
        };
        let (in_users, in_items) = (rows_in(&users), rows_in(&items));
        let unsorted = gather(&users, &items, interactions, pool).into_iter();
        let cells = pool.map(unsorted.enumerate().collect(), |(cell, unsorted)| {
            let (a, b) = (cell / n_blocks, cell % n_blocks);
            sort_cell(unsorted, in_users[a], in_items[b])
        });
        Blocks {
            users,
            items,
            user_counts,
            item_counts,
            n_ratings: interactions.len(),
            examples: Examples::Memory(cells),
        }
    }

    /// The ratings of a cache, whose blocks then lie in a nameless file in `folder`: 12 bytes a rating while sorting, and some 12 more for good. In memory there is one piece
    /// of the cache at a time.
    ///
    /// `counts` are the ratings of each user and of each item.
    ///
    /// # Errors
    /// A damaged cache, a full disk.
    pub fn stored(
        cache: &RatingsCache,
        counts: (&[u32], &[u32]),
        folder: &Path,
        pool: &Pool,
    ) -> Result<Blocks> {
        let n_ratings = cache.n_ratings() as usize;
        let n_blocks = blocks_for_steps(n_ratings, counts.0.len(), counts.1.len());
        let [(user_counts, users), (item_counts, items)] = orders(counts, n_blocks);
        let cells = StoredCells::sort(cache, (&users, &items), folder, pool)?;
        Ok(Blocks {
            users,
            items,
            user_counts,
            item_counts,
            n_ratings,
            examples: Examples::Stored(cells),
        })
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.n_ratings
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.n_ratings == 0
    }

    /// B.
    pub fn n_blocks(&self) -> usize {
        self.users.n_blocks()
    }

    /// What each block of stratum `s` is to work on: its numbers (a, b), and the parts of both sides that belong to it.
    pub fn stratum<U, I>(
        &self,
        s: usize,
        users: Vec<U>,
        items: Vec<I>,
    ) -> Vec<((usize, usize), U, I)> {
        let n = self.n_blocks();
        let mut items: Vec<Option<I>> = items.into_iter().map(Some).collect();
        let users = users.into_iter().enumerate();
        users
            .map(|(a, user)| {
                let b = (a + s) % n;
                ((a, b), user, items[b].take().expect("every b once"))
            })
            .collect()
    }

    /// The examples of the `a`-th run of users and the `b`-th run of items, read where they are not in memory.
    ///
    /// # Errors
    /// Where reading fails.
    pub fn fetch(&self, a: usize, b: usize) -> Result<Fetched<'_>> {
        let cell = a * self.n_blocks() + b;
        match &self.examples {
            Examples::Memory(cells) => Ok(Fetched::Borrowed(cells[cell].examples())),
            Examples::Stored(cells) => cells.read(cell).map(Fetched::Owned),
        }
    }

    /// The examples of a block that is in memory.
    ///
    /// # Panics
    /// Where they are not.
    pub fn block(&self, a: usize, b: usize) -> BlockExamples<'_> {
        match &self.examples {
            Examples::Memory(cells) => cells[a * self.n_blocks() + b].examples(),
            Examples::Stored(_) => panic!("examples in a file are fetched"),
        }
    }
}

/// The order of each side, and the counts at its places.
fn orders(counts: (&[u32], &[u32]), n_blocks: usize) -> [(Vec<u32>, Order); 2] {
    [counts.0, counts.1].map(|counts| {
        let order = Order::new(counts, n_blocks);
        let at_places = order.row_at.iter().map(|&row| counts[row as usize]);
        (at_places.collect(), order)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ratings of 60 users and 40 items, each pair at most once, in no order; enough for two blocks a side.
    fn ratings(n: usize, n_users: u32, n_items: u32) -> Interactions {
        let pair =
            |n: usize| (n as u64 * 2_654_435_761) % (u64::from(n_users) * u64::from(n_items));
        Interactions {
            users: (0..n)
                .map(|n| (pair(n) / u64::from(n_items)) as u32)
                .collect(),
            items: (0..n)
                .map(|n| (pair(n) % u64::from(n_items)) as u32)
                .collect(),
            ratings: (0..n).map(|n| n as f32).collect(),
            weights: Some((0..n).map(|n| n as f32 / 2.0).collect()),
            timestamps: None,
        }
    }

    fn count(rows: &[u32], n_rows: u32) -> Vec<u32> {
        let mut counts = vec![0; n_rows as usize];
        rows.iter().for_each(|&row| counts[row as usize] += 1);
        counts
    }

    #[test]
    fn every_rating_is_in_the_block_of_its_rows_once() {
        for (n, n_users, n_items, wanted) in [(500, 60, 40, 1), (200_000, 700, 500, 4)] {
            let ratings = ratings(n, n_users, n_items);
            let (by_user, by_item) = (
                count(&ratings.users, n_users),
                count(&ratings.items, n_items),
            );
            let blocks = Blocks::cut(&ratings, (&by_user, &by_item), wanted, &Pool::new(2));
            assert_eq!(blocks.n_blocks(), wanted);
            let mut seen = vec![false; n];
            for a in 0..wanted {
                for b in 0..wanted {
                    let block = blocks.block(a, b);
                    let (mut start, mut last) = (0, None);
                    for item in block.touched {
                        let of_item = block.others.iter().filter(|&&other| other == item.row);
                        assert_eq!(of_item.count(), item.n_examples as usize);
                    }
                    let n: u32 = block.touched.iter().map(|item| item.n_examples).sum();
                    assert_eq!(n as usize, block.others.len());
                    for run in block.runs {
                        assert!(run.end > start && last < Some(run.row), "runs rise");
                        last = Some(run.row);
                        let user = blocks.users.row_at[(blocks.users.cuts[a] + run.row) as usize];
                        for e in start as usize..run.end as usize {
                            let item = blocks.items.cuts[b] + block.others[e];
                            assert!(item < blocks.items.cuts[b + 1]);
                            let position = block.targets[e] as usize;
                            assert_eq!(ratings.users[position], user);
                            assert_eq!(ratings.items[position], blocks.items.row_at[item as usize]);
                            assert_eq!(block.weights.expect("weights")[e] * 2.0, block.targets[e]);
                            assert!(!std::mem::replace(&mut seen[position], true), "once");
                        }
                        start = run.end;
                    }
                }
            }
            assert!(seen.iter().all(|&seen| seen));
        }
    }

    #[test]
    fn the_layout_is_the_same_for_any_number_of_threads_and_order_of_the_file() {
        let ratings = ratings(300_000, 900, 700);
        let layout = |ratings: &Interactions, threads| {
            let counts = (count(&ratings.users, 900), count(&ratings.items, 700));
            let blocks = Blocks::cut(ratings, (&counts.0, &counts.1), 4, &Pool::new(threads));
            match blocks.examples {
                Examples::Memory(cells) => cells,
                Examples::Stored(_) => panic!("not in memory"),
            }
        };
        let one = layout(&ratings, 1);
        assert_eq!(one, layout(&ratings, 3));
        let backwards: Vec<usize> = (0..ratings.len()).rev().collect();
        assert_eq!(one, layout(&ratings.select(&backwards), 2));
    }
}
