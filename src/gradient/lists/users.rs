//! How do the lists of users become slopes, and those the gradients of users?
//!
//! Some users at a time: their rows of S, what is left out of it, the loss of each list, and ∂P of both its parts.

use super::{Columns, Passes};
use crate::data::layout::{Candidates, Examples};
use crate::gradient::RowGradients;
use crate::kernels::dense::RowSums;
use crate::kernels::rows::{RowRange, RowsView};
use crate::kernels::tiles::{ITEMS, Packed, ScoreTiles, USERS};
use crate::kernels::{Job, Lanes, Real, lanes};
use crate::loss::{List, Listwise};

/// Users per task: their scores for a few ten thousand items stay in the second cache.
const USERS_PER_TASK: usize = 8 * USERS;

impl<T: Real, L: Listwise> Passes<'_, T, L> {
    /// S, the slopes, and ∂P, some users at a time.
    pub(super) fn by_user(
        &self,
        candidates: &Columns<'_, T>,
        packed: &Packed<ITEMS, T>,
        rows: &[T],
        matrix: &mut [T],
        slopes: &mut [T],
        gradient: &mut RowGradients<T>,
    ) -> f64 {
        let positives = &self.lists.positives;
        let stride = self.users.stride();
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
                self.scores(packed, rows, matrix, candidates.width);
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

    /// Packs the candidates' rows for a product, with what is added to each score.
    pub(super) fn pack(&self, candidates: &Columns<'_, T>, packed: &mut Packed<ITEMS, T>) {
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
        let number = |n: u32| {
            let bias = biases.map_or(T::ZERO, |b| b[candidates.columns[n as usize] as usize]);
            let odds = odds.get(n as usize).map_or(0.0, |&odds| f64::from(odds));
            bias - T::from_f64(self.temperature * odds)
        };
        packed.renew(view, &all, number, self.pool);
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
