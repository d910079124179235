//! How are scores and gradients of many ratings computed in one pass?
//!
//! Two passes over the ratings, each owning the rows it writes, so that threads never meet:
//!
//! ```text
//! ScoreRows    for each own row p, for each of its examples e:   s_e = slope(e, ⟨p, q_e⟩);   ∂p += s_e · q_e
//! GatherRows   for each own row q, for each of its examples e:                               ∂q += s_e · p_e
//! ```
//!
//! The slopes of W neighbouring examples may depend on each other: one for a rating, two for a pair.
//!
//! The first goes user by user, scores every rating, and leaves its slope; the second goes item by item and finds the slopes there. The row at
//! work and its gradient stay in registers: per rating only the other row moves. No n × k intermediate is ever made.
//!
//! Common row lengths are compiled with the length known; `any` does the rest with the same sums in the same order. What a slope *is*, the caller says.

use super::lanes::{LANES, chunked, chunked_mut, lanes_of, lanes_of_mut};
use super::{Job, Lanes, Real};

/// A row of one side and the range of its examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowRange {
    /// The row of the side's table.
    pub row: u32,
    /// Its first example.
    pub start: u32,
    /// One past its last example.
    pub end: u32,
}

impl RowRange {
    /// Its examples.
    #[inline(always)]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// How many examples touch the row.
    pub fn n_examples(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// A table as the loops see it: rows of `stride` numbers, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct RowsView<'a, T> {
    /// All rows.
    pub values: &'a [T],
    /// The length of a row, padding included.
    pub stride: usize,
}

/// The gradient of a run of rows, to be overwritten: rows of factors, and a bias each where the table has biases.
#[derive(Debug)]
pub struct GradientRows<'a, T> {
    /// One row of `stride` numbers for each range.
    pub factors: &'a mut [T],
    /// One number for each range.
    pub biases: Option<&'a mut [T]>,
}

impl<T: Real> GradientRows<'_, T> {
    /// Zeros everywhere.
    #[inline(always)]
    pub fn fill_with_zeros(&mut self) {
        self.factors.fill(T::ZERO);
        if let Some(biases) = &mut self.biases {
            biases.fill(T::ZERO);
        }
    }
}

impl<'a, T> GradientRows<'a, T> {
    /// The same rows for a while.
    #[inline(always)]
    pub fn reborrow(&mut self) -> GradientRows<'_, T> {
        GradientRows {
            factors: self.factors,
            biases: self.biases.as_deref_mut(),
        }
    }

    /// The first `n_rows` rows, and the rest.
    pub fn split_at(self, n_rows: usize, stride: usize) -> (Self, Self) {
        let (factors, other_factors) = self.factors.split_at_mut(n_rows * stride);
        let (biases, other_biases) = self
            .biases
            .map(|biases| biases.split_at_mut(n_rows))
            .unzip();
        let rest = GradientRows {
            factors: other_factors,
            biases: other_biases,
        };
        (GradientRows { factors, biases }, rest)
    }
}

/// Scores every example of a run of rows, keeps the slopes, and adds up the rows' gradients.
#[derive(Debug)]
pub struct ScoreRows<'a, T, F, const W: usize> {
    /// The rows and their examples, consecutive.
    pub ranges: &'a [RowRange],
    /// The other row of every example of the whole set.
    pub others: &'a [u32],
    /// The table of the own rows.
    pub own: RowsView<'a, T>,
    /// The table of the other rows.
    pub other: RowsView<'a, T>,
    /// Where the slopes go, one for each example from `ranges[0].start` on.
    pub slopes: &'a mut [T],
    /// Where the gradients go.
    pub gradient: GradientRows<'a, T>,
    /// (own row, first of W examples, their other rows, ⟨own, other⟩ of each) → slopes.
    pub slope: F,
}

impl<T: Real, F: FnMut(u32, usize, [u32; W], [T; W]) -> [T; W], const W: usize>
    ScoreRows<'_, T, F, W>
{
    #[inline(always)]
    fn fixed<const C: usize>(mut self, lanes: impl Lanes) {
        let (own, other) = (
            chunked::<T, C>(self.own.values),
            chunked::<T, C>(self.other.values),
        );
        let gradient = chunked_mut::<T, C>(std::mem::take(&mut self.gradient.factors));
        let first = self.ranges.first().map_or(0, |range| range.start as usize);
        for (n, (range, sum)) in self.ranges.iter().zip(gradient).enumerate() {
            let p = &own[range.row as usize];
            let mut bias = T::ZERO;
            *sum = [[T::ZERO; LANES]; C];
            for e in range.range().step_by(W) {
                let others: [u32; W] = std::array::from_fn(|n| self.others[e + n]);
                let rows = others.map(|r| &other[r as usize]);
                let slopes = (self.slope)(range.row, e, others, rows.map(|q| lanes.dot(p, q)));
                for n in 0..W {
                    self.slopes[e - first + n] = slopes[n];
                    lanes.add_scaled(sum, slopes[n], rows[n]);
                    bias += slopes[n];
                }
            }
            if let Some(biases) = &mut self.gradient.biases {
                biases[n] = bias;
            }
        }
    }

    #[inline(always)]
    fn any(mut self, lanes: impl Lanes) {
        let n_chunks = self.own.stride / LANES;
        let row = |r: u32| r as usize * n_chunks..(r as usize + 1) * n_chunks;
        let (own, other) = (lanes_of(self.own.values), lanes_of(self.other.values));
        let gradient = lanes_of_mut(std::mem::take(&mut self.gradient.factors));
        let first = self.ranges.first().map_or(0, |range| range.start as usize);
        let gradient = gradient.chunks_exact_mut(n_chunks);
        for (n, (range, sum)) in self.ranges.iter().zip(gradient).enumerate() {
            let p = &own[row(range.row)];
            let mut bias = T::ZERO;
            sum.fill([T::ZERO; LANES]);
            for e in range.range().step_by(W) {
                let others: [u32; W] = std::array::from_fn(|n| self.others[e + n]);
                let rows = others.map(|r| &other[row(r)]);
                let slopes = (self.slope)(range.row, e, others, rows.map(|q| lanes.dot(p, q)));
                for n in 0..W {
                    self.slopes[e - first + n] = slopes[n];
                    lanes.add_scaled(sum, slopes[n], rows[n]);
                    bias += slopes[n];
                }
            }
            if let Some(biases) = &mut self.gradient.biases {
                biases[n] = bias;
            }
        }
    }
}

/// Adds up the gradients of a run of rows from slopes that [`ScoreRows`] left.
#[derive(Debug)]
pub struct GatherRows<'a, T> {
    /// The rows and their places in `order`.
    pub ranges: &'a [RowRange],
    /// The examples of the ranges.
    pub order: &'a [u32],
    /// The other row of every example of the whole set.
    pub others: &'a [u32],
    /// The slope of every example of the whole set.
    pub slopes: &'a [T],
    /// The table of the other rows.
    pub other: RowsView<'a, T>,
    /// Where the gradients go.
    pub gradient: GradientRows<'a, T>,
}

impl<T: Real> GatherRows<'_, T> {
    #[inline(always)]
    fn fixed<const C: usize>(self, lanes: impl Lanes) {
        let other = chunked::<T, C>(self.other.values);
        let gradient = chunked_mut::<T, C>(self.gradient.factors);
        let mut biases = self.gradient.biases;
        for (n, (range, sum)) in self.ranges.iter().zip(gradient).enumerate() {
            let mut bias = T::ZERO;
            *sum = [[T::ZERO; LANES]; C];
            for &e in &self.order[range.range()] {
                let slope = self.slopes[e as usize];
                lanes.add_scaled(sum, slope, &other[self.others[e as usize] as usize]);
                bias += slope;
            }
            if let Some(biases) = &mut biases {
                biases[n] = bias;
            }
        }
    }

    #[inline(always)]
    fn any(self, lanes: impl Lanes) {
        let n_chunks = self.other.stride / LANES;
        let other = lanes_of(self.other.values);
        let gradient = lanes_of_mut(self.gradient.factors).chunks_exact_mut(n_chunks);
        let mut biases = self.gradient.biases;
        for (n, (range, sum)) in self.ranges.iter().zip(gradient).enumerate() {
            let mut bias = T::ZERO;
            sum.fill([T::ZERO; LANES]);
            for &e in &self.order[range.range()] {
                let (slope, r) = (self.slopes[e as usize], self.others[e as usize] as usize);
                lanes.add_scaled(sum, slope, &other[r * n_chunks..(r + 1) * n_chunks]);
                bias += slope;
            }
            if let Some(biases) = &mut biases {
                biases[n] = bias;
            }
        }
    }
}

/// Runs `$job` of numbers `$t` compiled for its row length, if it is a common one: so many times eight lanes.
macro_rules! by_width {
    ($job:expr, $t:ty, $lanes:ident: $l:ty, $stride:expr) => {
        if <$t>::COMMON_LENGTHS && <$l>::COMMON_LENGTHS {
            match $stride {
                8 => $job.fixed::<1>($lanes),
                16 => $job.fixed::<2>($lanes),
                24 => $job.fixed::<3>($lanes),
                32 => $job.fixed::<4>($lanes),
                64 => $job.fixed::<8>($lanes),
                128 => $job.fixed::<16>($lanes),
                _ => $job.any($lanes),
            }
        } else {
            $job.any($lanes)
        }
    };
}
pub(super) use by_width;

impl<T: Real, F: FnMut(u32, usize, [u32; W], [T; W]) -> [T; W], const W: usize> Job
    for ScoreRows<'_, T, F, W>
{
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        by_width!(self, T, lanes: L, self.own.stride);
    }
}

impl<T: Real> Job for GatherRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        by_width!(self, T, lanes: L, self.other.stride);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{Kernel, Portable, naive};

    /// Two rows with three and two examples; others 4, 1, 4, 0, 2.
    const RANGES: [RowRange; 2] = [
        RowRange {
            row: 1,
            start: 0,
            end: 3,
        },
        RowRange {
            row: 2,
            start: 3,
            end: 5,
        },
    ];
    const OTHERS: [u32; 5] = [4, 1, 4, 0, 2];

    fn table(n_rows: usize, stride: usize, salt: usize) -> Vec<f32> {
        (0..n_rows * stride)
            .map(|f| ((f * 7919 + salt * 104_729) % 2003) as f32 / 1001.5 - 1.0)
            .collect()
    }

    /// Slopes, factor gradients and bias gradients of both passes.
    fn passes(stride: usize, kernel: Kernel) -> [Vec<f32>; 5] {
        let (own, other) = (table(3, stride, 1), table(5, stride, 2));
        let (mut slopes, mut own_factors, mut own_biases) =
            (vec![0.0; 5], vec![9.0; 2 * stride], vec![9.0; 2]);
        kernel.run(ScoreRows {
            ranges: &RANGES,
            others: &OTHERS,
            own: RowsView {
                values: &own,
                stride,
            },
            other: RowsView {
                values: &other,
                stride,
            },
            slopes: &mut slopes,
            gradient: GradientRows {
                factors: &mut own_factors,
                biases: Some(&mut own_biases),
            },
            slope: |_, e, _, [dot]: [f32; 1]| [dot - e as f32],
        });
        let (mut factors, mut biases) = (vec![9.0; 2 * stride], vec![9.0; 2]);
        kernel.run(GatherRows {
            ranges: &RANGES,
            order: &[3, 1, 4, 0, 2],
            others: &OTHERS,
            slopes: &slopes,
            other: RowsView {
                values: &other,
                stride,
            },
            gradient: GradientRows {
                factors: &mut factors,
                biases: Some(&mut biases),
            },
        });
        [slopes, own_factors, own_biases, factors, biases]
    }

    #[test]
    fn both_passes_agree_with_the_naive_loops() {
        // n·ε of the longest sum here, times the size of its terms (all below 8·stride).
        for stride in [8, 16, 24, 32, 40, 64, 128] {
            let [slopes, own_factors, own_biases, factors, biases] =
                passes(stride, Kernel::Portable);
            let (own, other) = (table(3, stride, 1), table(5, stride, 2));
            let tolerance = 8.0 * stride as f32 * stride as f32 * f32::EPSILON;
            let close =
                |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance);
            let mut naive_slopes = vec![0.0; 5];
            for (n, range) in RANGES.iter().enumerate() {
                let p = &own[range.row as usize * stride..][..stride];
                let (gradient, bias) = naive::score_row(
                    p,
                    range.range(),
                    &OTHERS,
                    &other,
                    |e, dot| dot - e as f32,
                    &mut naive_slopes,
                );
                assert!(
                    close(&own_factors[n * stride..][..stride], &gradient),
                    "{stride}"
                );
                assert!(close(&own_biases[n..=n], &[bias]), "{stride}");
                let order = &[3, 1, 4, 0, 2][range.range()];
                let (gradient, bias) = naive::gather_row(order, &OTHERS, &slopes, &other, stride);
                assert!(
                    close(&factors[n * stride..][..stride], &gradient),
                    "{stride}"
                );
                assert!(close(&biases[n..=n], &[bias]), "{stride}");
            }
            assert!(close(&slopes, &naive_slopes), "{stride}");
        }
    }

    #[test]
    fn a_known_row_length_gives_the_same_bits_as_any() {
        let bits =
            |out: &[Vec<f32>; 5]| out.concat().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        // 16 runs `fixed`, 40 runs `any`; so pad both tables of width 16 to 40 with zeros: the extra lanes add nothing.
        let wide = |values: Vec<f32>| {
            values
                .chunks(16)
                .flat_map(|r| [r, &[0.0; 24]].concat())
                .collect::<Vec<f32>>()
        };
        let run = |stride: usize, own: &[f32], other: &[f32]| {
            let (mut slopes, mut factors, mut biases) =
                (vec![0.0; 5], vec![0.0; 2 * stride], vec![0.0; 2]);
            ScoreRows {
                ranges: &RANGES,
                others: &OTHERS,
                own: RowsView {
                    values: own,
                    stride,
                },
                other: RowsView {
                    values: other,
                    stride,
                },
                slopes: &mut slopes,
                gradient: GradientRows {
                    factors: &mut factors,
                    biases: Some(&mut biases),
                },
                slope: |_, e, _, [dot]: [f32; 1]| [dot - e as f32],
            }
            .run(Portable);
            let narrow: Vec<f32> = factors
                .chunks(stride)
                .flat_map(|r| r[..16].to_vec())
                .collect();
            [slopes, narrow, biases, vec![], vec![]]
        };
        let (own, other) = (table(3, 16, 1), table(5, 16, 2));
        assert_eq!(
            bits(&run(16, &own, &other)),
            bits(&run(40, &wide(own), &wide(other)))
        );
    }

    #[test]
    fn every_kernel_gives_the_same_bits() {
        for stride in [8, 16, 40, 64] {
            let portable = passes(stride, Kernel::Portable);
            let detected = passes(stride, Kernel::detect());
            assert_eq!(portable, detected);
        }
    }
}
