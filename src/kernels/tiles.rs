//! How are many users scored against many items at once?
//!
//! ```text
//! s_ui = (base_u + offset_i) + ⟨p_u, q_i⟩            for a block of users and a run of items: a matrix product and two vectors
//! ```
//!
//! The dot product is that of [`lanes`](super::lanes), bit for bit, so a list for everybody shows what a single prediction does. A register holds the
//! *same* lane of eight items instead of the eight lanes of one: no sum is reordered, and the tree that adds the lanes needs no shuffle.
//!
//! ```text
//! packed       G rows side by side, lane after lane:     values[(l·C + c)·G + g] = row_g[8c + l],     C = stride / 8
//! tile         4 users × 16 items:   lane_l = Σ_c p_u[8c + l]·q_i[8c + l]     in rising c, for l = 0 … 7
//! ```
//!
//! The 64 sums of a tile stay in registers while a lane is added up, and a number that was loaded is used four or sixteen times. Ends are filled with
//! rows of zeros, so there is one shape of tile. The caller keeps the runs of items and the blocks of users so small that both, and the scores, stay in the cache.
//! The loop over a lane is not compiled for its length: unrolled, it was found three times slower. The plain loop is [`naive::scores`](super::naive::scores).

use super::lanes::LANES;
use super::pool::Pool;
use super::rows::RowsView;
use super::{Job, Lanes, Real};

/// Users of a tile.
pub const USERS: usize = 4;
/// Items of a tile.
pub const ITEMS: usize = 16;
/// Rows that a thread packs at a time.
const ROWS_PER_TASK: usize = 1024;

/// Rows packed `G` by `G`, with a number each: the base of a user, the offset of an item.
#[derive(Clone, Debug, Default)]
pub struct Packed<const G: usize, T = f32> {
    values: Vec<[T; G]>,
    numbers: Vec<[T; G]>,
    stride: usize,
    n_rows: usize,
}

impl<const G: usize, T: Real> Packed<G, T> {
    /// Packs the rows `chosen` of a table, each with what `number` says of it.
    ///
    /// # Panics
    /// Where the stride is not a multiple of the lanes, or the table has no such row.
    pub fn new(table: RowsView<'_, T>, chosen: &[u32], number: impl Fn(u32) -> T) -> Packed<G, T> {
        let mut packed = Packed::default();
        let tasks = packed.tasks(table.stride, chosen, chosen.len());
        tasks.into_iter().for_each(|task| task.run(table, &number));
        packed
    }

    /// [`new`](Packed::new) in the place of what was packed before, by all threads.
    ///
    /// # Panics
    /// As [`new`](Packed::new).
    pub fn renew(
        &mut self,
        table: RowsView<'_, T>,
        chosen: &[u32],
        number: impl Fn(u32) -> T + Sync,
        pool: &Pool,
    ) {
        let tasks = self.tasks(table.stride, chosen, ROWS_PER_TASK);
        pool.map(tasks, |task: Packing<'_, G, T>| task.run(table, &number));
    }

    /// Room for the rows `chosen`, so many at a time.
    fn tasks<'a>(
        &'a mut self,
        stride: usize,
        chosen: &'a [u32],
        n_rows: usize,
    ) -> Vec<Packing<'a, G, T>> {
        assert!(stride.is_multiple_of(LANES), "rows are padded");
        let n_groups = chosen.len().div_ceil(G);
        self.values.resize(n_groups * stride, [T::ZERO; G]);
        self.numbers.resize(n_groups, [T::ZERO; G]);
        (self.stride, self.n_rows) = (stride, chosen.len());
        let per_task = n_rows.div_ceil(G).max(1);
        let numbers = self.numbers.chunks_mut(per_task);
        let values = self.values.chunks_mut(per_task * stride);
        let rows = chosen.chunks(per_task * G);
        let tasks = rows.zip(values.zip(numbers));
        tasks
            .map(|(chosen, (values, numbers))| Packing {
                chosen,
                values,
                numbers,
            })
            .collect()
    }

    /// The number of rows, without the zeros at the end.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The number of groups of `G` rows.
    pub fn n_groups(&self) -> usize {
        self.numbers.len()
    }
}

/// Some groups that are being packed.
struct Packing<'a, const G: usize, T> {
    chosen: &'a [u32],
    values: &'a mut [[T; G]],
    numbers: &'a mut [[T; G]],
}

impl<const G: usize, T: Real> Packing<'_, G, T> {
    fn run(self, table: RowsView<'_, T>, number: impl Fn(u32) -> T) {
        let stride = table.stride;
        let per_lane = stride / LANES;
        if !self.chosen.len().is_multiple_of(G) {
            // The last group is filled up with zeros.
            let at = self.numbers.len() - 1;
            self.numbers[at] = [T::ZERO; G];
            self.values[at * stride..].fill([T::ZERO; G]);
        }
        for (n, &r) in self.chosen.iter().enumerate() {
            let row = &table.values[r as usize * stride..(r as usize + 1) * stride];
            let group = &mut self.values[n / G * stride..][..stride];
            for (c, chunk) in row.as_chunks::<LANES>().0.iter().enumerate() {
                for (l, &value) in chunk.iter().enumerate() {
                    group[l * per_lane + c][n % G] = value;
                }
            }
            self.numbers[n / G][n % G] = number(r);
        }
    }
}

/// Scores a block of users against a run of items.
#[derive(Debug)]
pub struct ScoreTiles<'a, T = f32> {
    /// The users with their bases.
    pub users: &'a Packed<USERS, T>,
    /// The items with their offsets.
    pub items: &'a Packed<ITEMS, T>,
    /// The run: the first group of items and one past the last.
    pub groups: std::ops::Range<usize>,
    /// Where the scores go, user after user, [`ITEMS`] for each group; what stands for a row of zeros means nothing.
    pub scores: &'a mut [T],
}

/// The numbers of a tile.
type Tile<T> = [[T; ITEMS]; USERS];

impl<T: Real> Job for ScoreTiles<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) {
        let (users, items, stride) = (self.users, self.items, self.items.stride);
        assert_eq!(users.stride, stride, "rows of one length");
        let n_groups = self.groups.len();
        let scores = self.scores.as_chunks_mut::<ITEMS>().0;
        for (at, n) in self.groups.enumerate() {
            let (q, offsets) = (&items.values[n * stride..][..stride], &items.numbers[n]);
            for (k, bases) in users.numbers.iter().enumerate() {
                let dots = tile(&users.values[k * stride..][..stride], q);
                let block = &mut scores[k * USERS * n_groups..][..USERS * n_groups];
                let rows = block.chunks_exact_mut(n_groups);
                for ((row, base), dots) in rows.zip(bases).zip(dots) {
                    let mut score = *offsets;
                    for i in 0..ITEMS {
                        score[i] = (*base + score[i]) + dots[i];
                    }
                    row[at] = score;
                }
            }
        }
    }
}

/// The dot products of four users with sixteen items: the tree of [`lanes`](super::lanes), for each pair.
#[inline(always)]
fn tile<T: Real>(p: &[[T; USERS]], q: &[[T; ITEMS]]) -> Tile<T> {
    let even = add(
        add(lane(0, p, q), lane(4, p, q)),
        add(lane(2, p, q), lane(6, p, q)),
    );
    let odd = add(
        add(lane(1, p, q), lane(5, p, q)),
        add(lane(3, p, q), lane(7, p, q)),
    );
    add(even, odd)
}

/// Lane `l` of the dot products of a tile.
#[inline(always)]
fn lane<T: Real>(l: usize, p: &[[T; USERS]], q: &[[T; ITEMS]]) -> Tile<T> {
    let per_lane = p.len() / LANES;
    let (p, q) = (&p[l * per_lane..], &q[l * per_lane..]);
    let mut sums = [[T::ZERO; ITEMS]; USERS];
    for (p, q) in p[..per_lane].iter().zip(&q[..per_lane]) {
        for u in 0..USERS {
            for i in 0..ITEMS {
                sums[u][i] += p[u] * q[i];
            }
        }
    }
    sums
}

/// a + b, number by number.
#[inline(always)]
fn add<T: Real>(mut a: Tile<T>, b: Tile<T>) -> Tile<T> {
    for u in 0..USERS {
        for i in 0..ITEMS {
            a[u][i] += b[u][i];
        }
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{Kernel, lanes, naive};

    fn table(n_rows: usize, stride: usize, salt: usize) -> Vec<f32> {
        (0..n_rows * stride)
            .map(|f| ((f * 7919 + salt * 104_729) % 2003) as f32 / 1001.5 - 1.0)
            .collect()
    }

    fn number(salt: u32) -> impl Fn(u32) -> f32 {
        move |row| ((row * 31 + salt) % 17) as f32 / 7.0 - 1.0
    }

    /// The scores of every user for every item, in runs of `run` groups, without what the rows of zeros give.
    fn scores(
        kernel: Kernel,
        users: &[f32],
        items: &[f32],
        stride: usize,
        run: usize,
    ) -> Vec<Vec<f32>> {
        let rows = |values: &[f32]| (0..(values.len() / stride) as u32).collect::<Vec<_>>();
        let view = |values| RowsView { values, stride };
        let packed_users = Packed::new(view(users), &rows(users), number(1));
        let packed_items = Packed::new(view(items), &rows(items), number(2));
        let mut all = vec![Vec::new(); packed_users.n_rows()];
        for first in (0..packed_items.n_groups()).step_by(run) {
            let groups = first..(first + run).min(packed_items.n_groups());
            let width = groups.len() * ITEMS;
            let mut scores = vec![f32::NAN; packed_users.n_groups() * USERS * width];
            kernel.run(ScoreTiles {
                users: &packed_users,
                items: &packed_items,
                groups,
                scores: &mut scores,
            });
            for (all, row) in all.iter_mut().zip(scores.chunks(width)) {
                all.extend_from_slice(row);
            }
        }
        for row in &mut all {
            row.truncate(packed_items.n_rows());
        }
        all
    }

    #[test]
    fn every_dot_product_is_that_of_the_lanes_to_the_last_bit() {
        for stride in (8..=136).step_by(8) {
            for (n_users, n_items, run) in [(1, 1, 1), (4, 16, 2), (5, 50, 2), (9, 33, 100)] {
                let (users, items) = (table(n_users, stride, 1), table(n_items, stride, 2));
                for kernel in [Kernel::Portable, Kernel::detect()] {
                    let found = scores(kernel, &users, &items, stride, run);
                    for (u, (p, row)) in users.chunks(stride).zip(&found).enumerate() {
                        assert_eq!(row.len(), n_items);
                        for (i, (q, &score)) in items.chunks(stride).zip(row).enumerate() {
                            let constant = number(1)(u as u32) + number(2)(i as u32);
                            let wanted = constant + lanes::dot(p, q);
                            assert_eq!(score.to_bits(), wanted.to_bits(), "{u}, {i} of {stride}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn scores_are_the_naive_ones_up_to_rounding() {
        for stride in [8, 40, 64] {
            let (users, items) = (table(6, stride, 3), table(20, stride, 4));
            let bases: Vec<f32> = (0..6).map(number(1)).collect();
            let offsets: Vec<f32> = (0..20).map(number(2)).collect();
            let wanted = naive::scores((&users, &bases), (&items, &offsets), stride);
            let found = scores(Kernel::detect(), &users, &items, stride, 1).concat();
            assert_eq!(found.len(), wanted.len());
            // (n + 2)·ε of either sum, of terms below 1 and two constants below 2.
            let tolerance =
                2.0 * (stride as f32 + 2.0) * (stride as f32 + 4.0) * f32::EPSILON / 2.0;
            for (found, wanted) in found.iter().zip(&wanted) {
                assert!((found - wanted).abs() <= tolerance, "{found} for {wanted}");
            }
        }
    }

    #[test]
    fn rows_are_those_that_were_chosen() {
        let items = table(40, 8, 5);
        let view = RowsView {
            values: &items,
            stride: 8,
        };
        let one = Packed::<USERS>::new(view, &[7], |_| 0.0);
        let chosen = [39, 0, 7, 7];
        let packed = Packed::<ITEMS>::new(view, &chosen, |row| row as f32);
        let mut scores = vec![0.0; USERS * ITEMS];
        ScoreTiles {
            users: &one,
            items: &packed,
            groups: 0..1,
            scores: &mut scores,
        }
        .run(crate::kernels::Portable);
        for (row, score) in chosen.iter().zip(scores) {
            let q = &items[*row as usize * 8..][..8];
            assert_eq!(score, *row as f32 + lanes::dot(&items[56..64], q));
        }
    }
}
