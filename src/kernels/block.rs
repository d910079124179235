//! How are many users scored against many items at once?
//!
//! ```text
//! s_ui = (base_u + offset_i) + ⟨p_u, q_i⟩            for a block of users and a run of items: a matrix product and two vectors
//! ```
//!
//! The dot product is that of [`lanes`], bit for bit, so a list for everybody shows what a single prediction does. A register holds the
//! *same* lane of eight items instead of the eight lanes of one: no sum is reordered, and the tree that adds the lanes needs no shuffle.
//!
//! ```text
//! packed       G rows side by side, lane after lane:     values[(l·C + c)·G + g] = row_g[8c + l],     C = stride / 8
//! tile         4 users × 16 items:   lane_l = Σ_c p_u[8c + l]·q_i[8c + l]     in rising c, for l = 0 … 7
//! ```
//!
//! The 64 sums of a tile stay in registers while a lane is added up, and a number that was loaded is used four or sixteen times. Ends are filled with
//! rows of zeros, so there is one shape of tile. The caller keeps the runs of items and the blocks of users so small that both, and the scores, stay in the cache.
//! The plain loop is [`naive::scores`](super::naive::scores).

use super::Job;
use super::lanes::LANES;
use super::rows::RowsView;

/// Users of a tile.
pub const USERS: usize = 4;
/// Items of a tile.
pub const ITEMS: usize = 16;

/// Rows packed `G` by `G`, with a number each: the base of a user, the offset of an item.
#[derive(Clone, Debug, Default)]
pub struct Packed<const G: usize> {
    values: Vec<[f32; G]>,
    numbers: Vec<[f32; G]>,
    stride: usize,
    n_rows: usize,
}

impl<const G: usize> Packed<G> {
    /// Packs the rows `chosen` of a table, each with what `number` says of it.
    ///
    /// # Panics
    /// Where the stride is not a multiple of the lanes, or the table has no such row.
    pub fn new(table: RowsView<'_, f32>, chosen: &[u32], number: impl Fn(u32) -> f32) -> Packed<G> {
        let stride = table.stride;
        assert!(stride.is_multiple_of(LANES), "rows are padded");
        let per_lane = stride / LANES;
        let n_groups = chosen.len().div_ceil(G);
        let mut values = vec![[0.0; G]; n_groups * stride];
        let mut numbers = vec![[0.0; G]; n_groups];
        for (n, &r) in chosen.iter().enumerate() {
            let row = &table.values[r as usize * stride..(r as usize + 1) * stride];
            let group = &mut values[n / G * stride..][..stride];
            for (c, chunk) in row.as_chunks::<LANES>().0.iter().enumerate() {
                for (l, &value) in chunk.iter().enumerate() {
                    group[l * per_lane + c][n % G] = value;
                }
            }
            numbers[n / G][n % G] = number(r);
        }
        Packed {
            values,
            numbers,
            stride,
            n_rows: chosen.len(),
        }
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

/// Scores a block of users against a run of items.
#[derive(Debug)]
pub struct ScoreBlock<'a> {
    /// The users with their bases.
    pub users: &'a Packed<USERS>,
    /// The items with their offsets.
    pub items: &'a Packed<ITEMS>,
    /// The run: the first group of items and one past the last.
    pub groups: std::ops::Range<usize>,
    /// Where the scores go, user after user, [`ITEMS`] for each group; what stands for a row of zeros means nothing.
    pub scores: &'a mut [f32],
}

/// The numbers of a tile.
type Tile = [[f32; ITEMS]; USERS];

impl Job for ScoreBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
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
                        score[i] = (base + score[i]) + dots[i];
                    }
                    row[at] = score;
                }
            }
        }
    }
}

/// The dot products of four users with sixteen items: the tree of [`lanes`](super::lanes), for each pair.
#[inline(always)]
fn tile(p: &[[f32; USERS]], q: &[[f32; ITEMS]]) -> Tile {
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
fn lane(l: usize, p: &[[f32; USERS]], q: &[[f32; ITEMS]]) -> Tile {
    let per_lane = p.len() / LANES;
    let (p, q) = (&p[l * per_lane..], &q[l * per_lane..]);
    let mut sums = [[0.0; ITEMS]; USERS];
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
fn add(mut a: Tile, b: Tile) -> Tile {
    for u in 0..USERS {
        for i in 0..ITEMS {
            a[u][i] += b[u][i];
        }
    }
    a
}
