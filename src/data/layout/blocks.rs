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

use super::order::{Order, count, n_blocks};
use super::sort::Sorter;
use crate::data::Interactions;
use crate::kernels::block::{BlockExamples, Run, Touched};
use crate::kernels::pool::Pool;

/// Ratings in B × B blocks.
#[derive(Clone, Debug, Default)]
pub struct Blocks {
    /// The users in block order.
    pub users: Order,
    /// The items in block order.
    pub items: Order,
    /// The number of examples of the user at each place.
    pub user_counts: Vec<u32>,
    /// The number of examples of the item at each place.
    pub item_counts: Vec<u32>,
    /// User block by user block.
    cells: Vec<Cell>,
    item_places: Vec<u32>,
    targets: Vec<f32>,
    weights: Option<Vec<f32>>,
}

/// What is known of a block beside its examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// The users that occur, each with its examples.
    pub(super) runs: Vec<Run>,
    /// The items that occur, each with the number of its examples.
    pub(super) touched: Vec<Touched>,
    /// Its first example.
    pub(super) start: usize,
}

impl Blocks {
    /// All of `interactions`, whose users and items are rows of tables with `n_users` and `n_items` rows.
    ///
    /// # Panics
    /// Where a user or item is not below its number of rows.
    pub fn new(interactions: &Interactions, n_users: usize, n_items: usize, pool: &Pool) -> Blocks {
        let n_blocks = n_blocks(interactions.len(), n_users, n_items);
        Blocks::cut(interactions, n_users, n_items, n_blocks, pool)
    }

    /// [`new`](Blocks::new) with a number of blocks of one's own.
    ///
    /// # Panics
    /// As [`new`](Blocks::new); and for 0 blocks, or more than 65,536.
    pub fn cut(
        interactions: &Interactions,
        n_users: usize,
        n_items: usize,
        n_blocks: usize,
        pool: &Pool,
    ) -> Blocks {
        assert!((1..=1 << 16).contains(&n_blocks), "{n_blocks} blocks");
        let rows = [
            (&interactions.users, n_users),
            (&interactions.items, n_items),
        ];
        let sides = pool.map(rows.into(), |(rows, n_rows)| {
            let counts = count(rows, n_rows);
            let order = Order::new(&counts, n_blocks);
            let counts = order.row_at.iter().map(|&row| counts[row as usize]);
            (counts.collect(), order)
        });
        let Ok([(user_counts, users), (item_counts, items)]) = <[_; 2]>::try_from(sides) else {
            unreachable!("two tasks give two results")
        };
        let mut sorter = Sorter::new(&users, &items, interactions, pool);
        let cells = sorter.sort_cells(pool);
        let Sorter {
            items: item_places,
            targets,
            weights,
            ..
        } = sorter;
        Blocks {
            users,
            items,
            user_counts,
            item_counts,
            cells,
            item_places,
            targets,
            weights,
        }
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
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

    /// The block of the `a`-th run of users and the `b`-th run of items.
    pub fn block(&self, a: usize, b: usize) -> BlockExamples<'_> {
        let cell = &self.cells[a * self.n_blocks() + b];
        let n = cell.runs.last().map_or(0, |run| run.end as usize);
        let range = cell.start..cell.start + n;
        BlockExamples {
            runs: &cell.runs,
            touched: &cell.touched,
            others: &self.item_places[range.clone()],
            targets: &self.targets[range.clone()],
            weights: self.weights.as_ref().map(|weights| &weights[range]),
        }
    }
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

    #[test]
    fn every_rating_is_in_the_block_of_its_rows_once() {
        for (n, n_users, n_items, wanted) in [(500, 60, 40, 1), (200_000, 700, 500, 4)] {
            let ratings = ratings(n, n_users, n_items);
            let blocks = Blocks::new(&ratings, n_users as usize, n_items as usize, &Pool::new(2));
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
            let blocks = Blocks::new(ratings, 900, 700, &Pool::new(threads));
            (blocks.item_places, blocks.targets, blocks.cells)
        };
        let one = layout(&ratings, 1);
        assert_eq!(one, layout(&ratings, 3));
        let backwards: Vec<usize> = (0..ratings.len()).rev().collect();
        assert_eq!(one, layout(&ratings.select(&backwards), 2));
    }
}
