//! Steps 1 and 2 of lists: what do all of a user's positives say, each against the same candidates?
//!
//! For the users of a step, the positives' scores and the matrix S of the candidates' scores become slopes, row by row ([`Listwise`]); then two matrix products hand them on:
//!
//! ```text
//! S_uj     = b_j + ⟨P_u, Q_j⟩ − τ·corrections_j       −∞ for an item that is left out
//! g, G     = (1/N)·∂ℓ/∂s of the positives and of the candidates
//! ∂P_u     = Σ_j G_uj·Q_j + Σ_i g_ui·Q_i
//! ∂Q_j     = Σ_u G_uj·P_u + Σ_u g_uj·P_u            ∂b_j alike
//! ```
//!
//! N counts positives. μ and b_u raise all scores of a list alike and are left out. A row of S belongs to one task, and so does a row of either gradient: sums are added in an order that
//! the data gives. Cost: three matrix products of the users by the candidates.

use super::RowGradients;
use crate::data::layout::{Candidates, Examples, Lists};
use crate::kernels::dense::{ColumnSums, RowSums};
use crate::kernels::pool::Pool;
use crate::kernels::rows::{GradientRows, RowRange, RowsView};
use crate::kernels::tiles::{ITEMS, Packed, ScoreTiles, USERS};
use crate::kernels::{Job, Kernel, Lanes, Real, lanes};
use crate::loss::{List, Listwise, LossKind};
use crate::model::Table;

/// Users per task: their scores for a few ten thousand items stay in the second cache.
const USERS_PER_TASK: usize = 8 * USERS;
/// Rows of the items' gradient per task.
const ITEMS_PER_TASK: usize = 256;

/// Buffers that are kept between steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers<T> {
    /// S, then G.
    matrix: Vec<T>,
    /// The users' rows of the step, one after the other.
    users: Vec<T>,
    /// The candidates' rows, where they are not all items.
    candidates: Vec<T>,
    /// The slopes of the positives.
    slopes: Vec<T>,
}

/// What the passes over lists see.
pub(super) struct Passes<'a, T, L> {
    pub(super) loss: L,
    /// τ where the candidates' odds are taken off their scores.
    pub(super) temperature: f64,
    pub(super) lists: &'a Lists<'a>,
    /// Composed, perhaps of length 1.
    pub(super) users: &'a Table<T>,
    /// Composed, perhaps of length 1.
    pub(super) items: &'a Table<T>,
    pub(super) pool: &'a Pool,
    pub(super) kernel: Kernel,
}

/// The τ that odds are multiplied with: that of a softmax, and 0 of others, which do not correct for them.
pub(super) fn temperature(loss: LossKind) -> f64 {
    match loss {
        LossKind::Softmax { temperature } => temperature,
        _ => 0.0,
    }
}

/// The items that a step touches, rising: positives and candidates. `None` where that is all of them.
pub(super) fn touched(lists: &Lists<'_>) -> Option<Vec<u32>> {
    let Candidates::Sample(sample) = &lists.candidates else {
        return None;
    };
    let positives = lists.positives.by_item.iter().map(|range| range.row);
    let mut rows: Vec<u32> = positives.chain(sample.items.iter().copied()).collect();
    rows.sort_unstable();
    rows.dedup();
    Some(rows)
}

impl<T: Real, L: Listwise> Passes<'_, T, L> {
    /// ∂P and ∂Q of the touched rows; returns Σ c·ℓ.
    pub(super) fn run(
        &self,
        touched: Option<&[u32]>,
        buffers: &mut Buffers<T>,
        users: &mut RowGradients<T>,
        items: &mut RowGradients<T>,
    ) -> f64 {
        let positives = &self.lists.positives;
        let stride = self.users.stride();
        buffers.users.clear();
        for range in &positives.by_user {
            buffers
                .users
                .extend_from_slice(self.users.row(range.row as usize));
        }
        let everything: Vec<u32>;
        let (columns, rows): (&[u32], &[T]) = match &self.lists.candidates {
            Candidates::Everything => {
                everything = (0..self.items.n_rows() as u32).collect();
                (&everything, self.items.as_slice())
            }
            Candidates::Sample(sample) => {
                buffers.candidates.clear();
                for &item in &sample.items {
                    buffers
                        .candidates
                        .extend_from_slice(self.items.row(item as usize));
                }
                (&sample.items, &buffers.candidates)
            }
        };
        let width = columns.len().div_ceil(ITEMS) * ITEMS;
        buffers
            .matrix
            .resize(positives.by_user.len() * width, T::ZERO);
        buffers.slopes.resize(positives.len(), T::ZERO);
        users.reset(
            &positives.by_user,
            stride,
            self.users.bias_slice().is_some(),
        );
        users.biases.fill(T::ZERO);
        let candidates = Columns {
            columns,
            rows,
            width,
        };
        let loss = self.by_user(
            &candidates,
            &buffers.users,
            &mut buffers.matrix,
            &mut buffers.slopes,
            users,
        );
        self.by_item(&candidates, touched.unwrap_or(columns), buffers, items);
        loss
    }

    /// S, the slopes, and ∂P, some users at a time.
    fn by_user(
        &self,
        candidates: &Columns<'_, T>,
        rows: &[T],
        matrix: &mut [T],
        slopes: &mut [T],
        gradient: &mut RowGradients<T>,
    ) -> f64 {
        let positives = &self.lists.positives;
        let stride = self.users.stride();
        let packed = self.packed(candidates);
        let mut tasks = Vec::new();
        let mut rest = (slopes, matrix, &mut gradient.factors[..], rows);
        for ranges in positives.by_user.chunks(USERS_PER_TASK) {
            let n_examples = ranges.iter().map(|range| range.n_examples()).sum();
            let (slopes, more_slopes) = rest.0.split_at_mut(n_examples);
            let (matrix, more_matrix) = rest.1.split_at_mut(ranges.len() * candidates.width);
            let (factors, more_factors) = rest.2.split_at_mut(ranges.len() * stride);
            let (rows, more_rows) = rest.3.split_at(ranges.len() * stride);
            rest = (more_slopes, more_matrix, more_factors, more_rows);
            tasks.push((ranges, slopes, matrix, factors, rows));
        }
        let losses = self
            .pool
            .map(tasks, |(ranges, slopes, matrix, factors, rows)| {
                self.scores(&packed, rows, matrix, candidates.width);
                let rows = rows
                    .chunks_exact(stride)
                    .zip(factors.chunks_exact_mut(stride));
                let first = ranges[0].start as usize;
                let mut loss = 0.0;
                for ((range, scores), (p_u, sum)) in ranges
                    .iter()
                    .zip(matrix.chunks_mut(candidates.width))
                    .zip(rows)
                {
                    let scores = &mut scores[..candidates.columns.len()];
                    self.leave_out(range.row, candidates.columns, scores);
                    let slopes =
                        &mut slopes[range.start as usize - first..range.end as usize - first];
                    loss += self.kernel.run(OneUser {
                        passes: self,
                        range: *range,
                        p_u,
                        scores,
                        slopes,
                        sum,
                    });
                }
                self.kernel.run(RowSums {
                    slopes: matrix,
                    width: candidates.width,
                    others: candidates.rows,
                    stride,
                    gradient: factors,
                });
                loss
            });
        losses.iter().sum()
    }

    /// The candidates' rows, packed for a product, with what is added to each score.
    fn packed(&self, candidates: &Columns<'_, T>) -> Packed<ITEMS, T> {
        let odds = match &self.lists.candidates {
            Candidates::Sample(sample) => &sample.corrections[..],
            Candidates::Everything => &[],
        };
        let biases = self.items.bias_slice();
        let all: Vec<u32> = (0..candidates.columns.len() as u32).collect();
        let view = RowsView {
            values: candidates.rows,
            stride: self.items.stride(),
        };
        Packed::new(view, &all, |n| {
            let bias = biases.map_or(T::ZERO, |b| b[candidates.columns[n as usize] as usize]);
            let odds = odds.get(n as usize).map_or(0.0, |&odds| f64::from(odds));
            bias - T::from_f64(self.temperature * odds)
        })
    }

    /// A run of rows of S.
    fn scores(&self, candidates: &Packed<ITEMS, T>, rows: &[T], matrix: &mut [T], width: usize) {
        let stride = self.users.stride();
        let n_users = rows.len() / stride;
        let all: Vec<u32> = (0..n_users as u32).collect();
        let users = Packed::new(
            RowsView {
                values: rows,
                stride,
            },
            &all,
            |_| T::ZERO,
        );
        let groups = 0..candidates.n_groups();
        let tiles = |scores| ScoreTiles {
            users: &users,
            items: candidates,
            groups,
            scores,
        };
        if n_users.is_multiple_of(USERS) {
            return self.kernel.run(tiles(matrix));
        }
        // The last group of users is filled up with rows of zeros, for which the matrix has no room.
        let mut filled_up = vec![T::ZERO; users.n_groups() * USERS * width];
        self.kernel.run(tiles(&mut filled_up));
        matrix.copy_from_slice(&filled_up[..matrix.len()]);
    }

    /// −∞ for the items that are left out for `user`; both lists rise.
    fn leave_out(&self, user: u32, columns: &[u32], scores: &mut [T]) {
        let Some(left_out) = self.lists.left_out else {
            return;
        };
        let mut rest = columns;
        let mut at = 0;
        for item in left_out.row(user as usize) {
            at += rest.partition_point(|column| column < item);
            rest = &columns[at..];
            if rest.first() == Some(item) {
                scores[at] = T::from_f64(f64::NEG_INFINITY);
            }
        }
    }

    /// ∂Q of the touched items, some at a time.
    fn by_item(
        &self,
        candidates: &Columns<'_, T>,
        touched: &[u32],
        buffers: &Buffers<T>,
        gradient: &mut RowGradients<T>,
    ) {
        let by_item = &self.lists.positives.by_item;
        gradient.reset(
            &merged(touched, by_item),
            self.items.stride(),
            self.items.bias_slice().is_some(),
        );
        gradient.factors.fill(T::ZERO);
        gradient.biases.fill(T::ZERO);
        let stride = self.items.stride();
        let mut tasks = Vec::new();
        let (mut rest, mut columns_before, mut ranges_before) = (gradient.rows_mut(), 0, 0);
        for rows in touched.chunks(ITEMS_PER_TASK) {
            let beyond = rows[rows.len() - 1];
            let columns = columns_before..candidates.columns.partition_point(|&c| c <= beyond);
            let ranges = ranges_before..by_item.partition_point(|range| range.row <= beyond);
            (columns_before, ranges_before) = (columns.end, ranges.end);
            let (mine, others) = rest.split_at(rows.len(), stride);
            rest = others;
            tasks.push((rows, columns, &by_item[ranges], mine));
        }
        self.pool
            .map(tasks, |(rows, columns, ranges, mut gradient)| {
                // The candidates among the rows stand in a buffer of their own, because the kernel wants them side by side.
                let (mut sums, mut biases) = (
                    vec![T::ZERO; columns.len() * stride],
                    vec![T::ZERO; columns.len()],
                );
                let numbers: Vec<u32> = columns.clone().map(|column| column as u32).collect();
                self.kernel.run(ColumnSums {
                    slopes: &buffers.matrix,
                    width: candidates.width,
                    columns: &numbers,
                    others: &buffers.users,
                    stride,
                    gradient: GradientRows {
                        factors: &mut sums,
                        biases: Some(&mut biases),
                    },
                });
                let mut sums = candidates.columns[columns]
                    .iter()
                    .zip(sums.chunks_exact(stride).zip(&biases))
                    .peekable();
                let mut ranges = ranges.iter().peekable();
                for (at, &row) in rows.iter().enumerate() {
                    let sum = &mut gradient.factors[at * stride..(at + 1) * stride];
                    let mut bias = T::ZERO;
                    if let Some((_, (of_candidate, &of_bias))) =
                        sums.next_if(|(column, _)| **column == row)
                    {
                        sum.copy_from_slice(of_candidate);
                        bias = of_bias;
                    }
                    if let Some(range) = ranges.next_if(|range| range.row == row) {
                        bias += self.gather(range, buffers, sum);
                    }
                    if let Some(biases) = &mut gradient.biases {
                        biases[at] = bias;
                    }
                }
            });
    }

    /// Adds Σ g·P_u over the positives of an item; returns Σ g.
    fn gather(&self, range: &RowRange, buffers: &Buffers<T>, sum: &mut [T]) -> T {
        let Examples {
            item_order, users, ..
        } = &self.lists.positives;
        let mut bias = T::ZERO;
        for &e in &item_order[range.range()] {
            let slope = buffers.slopes[e as usize];
            lanes::add_scaled(sum, slope, self.users.row(users[e as usize] as usize));
            bias += slope;
        }
        bias
    }
}

/// The candidates of a step: which items they are, their rows side by side, and the length of a row of S.
struct Columns<'a, T> {
    columns: &'a [u32],
    rows: &'a [T],
    width: usize,
}

/// The touched items, each with its positives; none for those that are candidates alone.
fn merged(touched: &[u32], by_item: &[RowRange]) -> Vec<RowRange> {
    let mut ranges = by_item.iter().peekable();
    let of = |&row: &u32| {
        let range = ranges.next_if(|range| range.row == row);
        range.copied().unwrap_or(RowRange {
            row,
            start: 0,
            end: 0,
        })
    };
    touched.iter().map(of).collect()
}

/// The scores of one user's list become slopes; those of the positives are handed on at once.
struct OneUser<'a, T, L> {
    passes: &'a Passes<'a, T, L>,
    range: RowRange,
    p_u: &'a [T],
    scores: &'a mut [T],
    slopes: &'a mut [T],
    sum: &'a mut [T],
}

impl<T: Real, L: Listwise> Job for OneUser<'_, T, L> {
    type Output = f64;

    #[inline(always)]
    fn run<K: Lanes>(self, lanes: K) -> f64 {
        let OneUser {
            passes,
            range,
            p_u,
            scores,
            slopes,
            sum,
        } = self;
        let Examples {
            items: others,
            weights,
            ..
        } = &passes.lists.positives;
        let items = passes.items;
        let biases = items.bias_slice();
        let row = |e: usize| lanes::lanes_of(items.row(others[e] as usize));
        for (score, e) in slopes.iter_mut().zip(range.range()) {
            let bias = biases.map_or(T::ZERO, |b| b[others[e] as usize]);
            *score = bias + lanes.dot(lanes::lanes_of(p_u), row(e));
        }
        let weights: Vec<T> = match weights {
            Some(weights) => weights[range.range()]
                .iter()
                .map(|&w| T::from_f32(w))
                .collect(),
            None => vec![T::from_f64(1.0); slopes.len()],
        };
        let everything = matches!(passes.lists.candidates, Candidates::Everything);
        let value = passes.loss.differentiate(List {
            positives: slopes,
            weights: &weights,
            negatives: scores,
            everything,
        });
        let share = T::from_f64(1.0 / passes.lists.positives.len() as f64);
        scores.iter_mut().for_each(|slope| *slope *= share);
        let sum = lanes::lanes_of_mut(sum);
        sum.fill([T::ZERO; lanes::LANES]);
        for (slope, e) in slopes.iter_mut().zip(range.range()) {
            *slope *= share;
            lanes.add_scaled(sum, *slope, row(e));
        }
        value
    }
}
