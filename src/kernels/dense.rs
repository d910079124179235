//! How do the slopes of many users for many items become gradients?
//!
//! ```text
//! slopes        G, one row a user, `width` numbers each
//! RowSums       for each user u:    ∂p_u += Σ_j G_uj·q_j
//! ColumnSums    for each item j:    ∂q_j += Σ_u G_uj·p_u,     ∂b_j += Σ_u G_uj
//! ```
//!
//! Two matrix products, cut so that a piece of the other side's rows stays in the cache while all own rows meet it. Terms are added in the rising order of the other side's rows,
//! whoever does which part, and a slope of 0 costs a comparison. The naive twins are [`naive::row_sums`](super::naive::row_sums) and
//! [`naive::column_sums`](super::naive::column_sums).

use super::lanes::{LANES, chunked, chunked_mut, lanes_of, lanes_of_mut};
use super::rows::{GradientRows, by_width};
use super::{Job, Lanes, Real};

/// Rows of the other side that meet all own rows before the next ones do: 32 KiB of 64 factors in `f32`.
const PIECE: usize = 128;

/// The gradient of a run of users.
#[derive(Debug)]
pub struct RowSums<'a, T> {
    /// The slopes of the run's users, row after row.
    pub slopes: &'a [T],
    /// The length of a row of slopes; what stands beyond the number of items means nothing.
    pub width: usize,
    /// The rows of the items, one a column.
    pub others: &'a [T],
    /// The length of such a row, padding included.
    pub stride: usize,
    /// ∂p of the run, to be added to.
    pub gradient: &'a mut [T],
}

/// The gradient of a run of items.
#[derive(Debug)]
pub struct ColumnSums<'a, T> {
    /// The slopes of all users, row after row.
    pub slopes: &'a [T],
    /// The length of a row of slopes.
    pub width: usize,
    /// The columns of the run's items.
    pub columns: &'a [u32],
    /// The rows of the users, one a row of slopes.
    pub others: &'a [T],
    /// The length of such a row, padding included.
    pub stride: usize,
    /// ∂q and ∂b of the run, to be added to.
    pub gradient: GradientRows<'a, T>,
}

impl<T: Real> RowSums<'_, T> {
    #[inline(always)]
    fn fixed<const C: usize>(self, lanes: impl Lanes) {
        let (others, sums) = (
            chunked::<T, C>(self.others),
            chunked_mut::<T, C>(self.gradient),
        );
        for (n, piece) in others.chunks(PIECE).enumerate() {
            for (slopes, sum) in self.slopes.chunks(self.width).zip(sums.iter_mut()) {
                let slopes = &slopes[n * PIECE..][..piece.len()];
                let mut total = *sum;
                for (&slope, other) in slopes.iter().zip(piece) {
                    if slope != T::ZERO {
                        lanes.add_scaled(&mut total, slope, other);
                    }
                }
                *sum = total;
            }
        }
    }

    #[inline(always)]
    fn any(self, lanes: impl Lanes) {
        let n_chunks = self.stride / LANES;
        let (others, sums) = (lanes_of(self.others), lanes_of_mut(self.gradient));
        for (n, piece) in others.chunks(PIECE * n_chunks).enumerate() {
            let rows = self
                .slopes
                .chunks(self.width)
                .zip(sums.chunks_exact_mut(n_chunks));
            for (slopes, sum) in rows {
                let piece = piece.chunks_exact(n_chunks);
                for (&slope, other) in slopes[n * PIECE..].iter().zip(piece) {
                    if slope != T::ZERO {
                        lanes.add_scaled(sum, slope, other);
                    }
                }
            }
        }
    }
}

impl<T: Real> ColumnSums<'_, T> {
    #[inline(always)]
    fn fixed<const C: usize>(mut self, lanes: impl Lanes) {
        let others = chunked::<T, C>(self.others);
        let sums = chunked_mut::<T, C>(self.gradient.factors);
        for (n, piece) in others.chunks(PIECE).enumerate() {
            let slopes = &self.slopes[n * PIECE * self.width..];
            for (at, (&column, sum)) in self.columns.iter().zip(sums.iter_mut()).enumerate() {
                let (mut total, mut bias) = (*sum, T::ZERO);
                for (other, slopes) in piece.iter().zip(slopes.chunks(self.width)) {
                    let slope = slopes[column as usize];
                    if slope != T::ZERO {
                        lanes.add_scaled(&mut total, slope, other);
                        bias += slope;
                    }
                }
                *sum = total;
                if let Some(biases) = &mut self.gradient.biases {
                    biases[at] += bias;
                }
            }
        }
    }

    #[inline(always)]
    fn any(mut self, lanes: impl Lanes) {
        let n_chunks = self.stride / LANES;
        let others = lanes_of(self.others);
        let sums = lanes_of_mut(self.gradient.factors);
        for (n, piece) in others.chunks(PIECE * n_chunks).enumerate() {
            let slopes = &self.slopes[n * PIECE * self.width..];
            let columns = self.columns.iter().zip(sums.chunks_exact_mut(n_chunks));
            for (at, (&column, sum)) in columns.enumerate() {
                let mut bias = T::ZERO;
                let piece = piece.chunks_exact(n_chunks);
                for (other, slopes) in piece.zip(slopes.chunks(self.width)) {
                    let slope = slopes[column as usize];
                    if slope != T::ZERO {
                        lanes.add_scaled(sum, slope, other);
                        bias += slope;
                    }
                }
                if let Some(biases) = &mut self.gradient.biases {
                    biases[at] += bias;
                }
            }
        }
    }
}

impl<T: Real> Job for RowSums<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        by_width!(self, T, lanes: L, self.stride);
    }
}

impl<T: Real> Job for ColumnSums<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        by_width!(self, T, lanes: L, self.stride);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{Kernel, naive};

    fn numbers(n: usize, salt: usize) -> Vec<f32> {
        (0..n)
            .map(|f| ((f * 7919 + salt * 104_729) % 2003) as f32 / 1001.5 - 1.0)
            .collect()
    }

    /// Slopes of 150 users for 300 items, some of them 0, in rows of 304.
    fn slopes() -> Vec<f32> {
        let mut slopes = numbers(150 * 304, 3);
        slopes.iter_mut().step_by(7).for_each(|slope| *slope = 0.0);
        slopes
    }

    fn sums(stride: usize, kernel: Kernel) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let (users, items) = (numbers(150 * stride, 1), numbers(300 * stride, 2));
        let mut of_users = numbers(150 * stride, 4);
        kernel.run(RowSums {
            slopes: &slopes(),
            width: 304,
            others: &items,
            stride,
            gradient: &mut of_users,
        });
        let columns: Vec<u32> = (0..300).rev().step_by(3).collect();
        let mut of_items = numbers(columns.len() * stride, 5);
        let mut biases = numbers(columns.len(), 6);
        kernel.run(ColumnSums {
            slopes: &slopes(),
            width: 304,
            columns: &columns,
            others: &users,
            stride,
            gradient: GradientRows {
                factors: &mut of_items,
                biases: Some(&mut biases),
            },
        });
        (of_users, of_items, biases)
    }

    #[test]
    fn both_products_agree_with_the_naive_loops() {
        for stride in [8, 16, 24, 32, 40, 64, 128] {
            let (users, items) = (numbers(150 * stride, 1), numbers(300 * stride, 2));
            let (of_users, of_items, biases) = sums(stride, Kernel::detect());
            // n·ε of the longest sum, of terms below 1.
            let near = |found: &[f32], before: Vec<f32>, wanted: Vec<f64>| {
                assert_eq!(found.len(), wanted.len());
                for ((found, before), wanted) in found.iter().zip(before).zip(wanted) {
                    let wanted = wanted + f64::from(before);
                    let error = (f64::from(*found) - wanted).abs();
                    assert!(
                        error <= 301.0 * f64::from(f32::EPSILON) * 301.0,
                        "{found} for {wanted}"
                    );
                    assert!(error <= 1e-4, "{found} for {wanted}");
                }
            };
            near(
                &of_users,
                numbers(150 * stride, 4),
                naive::row_sums(&slopes(), 304, &items, stride),
            );
            let all = naive::column_sums(&slopes(), 304, &users, stride);
            let columns = (0..300usize).rev().step_by(3);
            let wanted = columns
                .clone()
                .flat_map(|c| all.0[c * stride..(c + 1) * stride].to_vec());
            near(&of_items, numbers(100 * stride, 5), wanted.collect());
            near(
                &biases,
                numbers(100, 6),
                columns.map(|c| all.1[c]).collect(),
            );
        }
    }

    #[test]
    fn kernels_give_the_same_bits() {
        for stride in [8, 40, 64, 136] {
            let bits = |(a, b, c): (Vec<f32>, Vec<f32>, Vec<f32>)| {
                [a, b, c]
                    .concat()
                    .iter()
                    .map(|x| x.to_bits())
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                bits(sums(stride, Kernel::Portable)),
                bits(sums(stride, Kernel::detect()))
            );
        }
    }
}
