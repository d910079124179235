//! How are the gradients of both rows of every rating added up in one pass?
//!
//! ```text
//! for each run of examples of one own row p:
//!     for each of its examples e:    (ℓ_e, g_e) = chain(μ + b_p + b_q + ⟨p, q_e⟩, r_e)
//!                                    ∂p += c_e·g_e·share · q_e        ∂q_e += c_e·g_e·share · p        (biases: the factor alone)
//! ```
//!
//! The own row and its gradient stay in registers or next to them; per rating only the other row and its gradient move. Both gradients are written here, so a block must own all
//! the rows it touches: that is what [`data::layout`](crate::data::layout) cuts it for. Without such blocks, two passes do the same ([`rows`](super::rows)).
//!
//! Common row lengths are compiled with the length known; `any` does the rest with the same sums in the same order. What a loss *is*, the caller says.

use super::lanes::{LANES, chunked, chunked_mut, lanes_of, lanes_of_mut};
use super::rows::{GradientRows, RowsView, by_width};
use super::{Job, Lanes, Real};

/// Examples of one own row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The row, counted from the first of the block.
    pub row: u32,
    /// One past its last example; the first follows the run before.
    pub end: u32,
}

/// An other row that occurs in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The row, counted from the first of the block.
    pub row: u32,
    /// How many examples of the block touch it.
    pub n_examples: u32,
}

/// The examples of one block.
#[derive(Clone, Copy, Debug)]
pub struct BlockExamples<'a> {
    /// The own rows that occur, rising, each with its examples.
    pub runs: &'a [Run],
    /// The other rows that occur, rising.
    pub touched: &'a [Touched],
    /// The other row of each example, counted from the first of the block.
    pub others: &'a [u32],
    /// The target r of each example.
    pub targets: &'a [f32],
    /// The weight c of each example; 1 each where absent.
    pub weights: Option<&'a [f32]>,
}

/// The rows of one side of a block.
#[derive(Clone, Copy, Debug)]
pub struct BlockRows<'a, T> {
    /// The factors.
    pub factors: RowsView<'a, T>,
    /// A bias each, where the side has them.
    pub biases: Option<&'a [T]>,
}

/// Scores every example of a block, and adds to the gradients of its rows.
#[derive(Debug)]
pub struct ScoreBlock<'a, T, F> {
    /// The examples.
    pub examples: BlockExamples<'a>,
    /// μ.
    pub mean: T,
    /// The own rows.
    pub own: BlockRows<'a, T>,
    /// The other rows.
    pub other: BlockRows<'a, T>,
    /// What is added to for the own rows; overwritten where `overwrite` says so.
    pub own_gradient: GradientRows<'a, T>,
    /// What is added to for the other rows.
    pub other_gradient: GradientRows<'a, T>,
    /// (score, target) → (ℓ, ∂ℓ/∂score).
    pub chain: F,
    /// What every slope is multiplied by.
    pub share: f64,
    /// Whether the gradients of the own rows that occur begin at zero, whatever stands there.
    pub overwrite: bool,
}

impl<T: Real, F: Fn(T, T) -> (f64, T)> ScoreBlock<'_, T, F> {
    /// Rows of `C` times eight lanes. Up to four such chunks, the row and its sum are copied into registers; more stay where they are.
    #[inline(always)]
    fn fixed<const C: usize>(self, lanes: impl Lanes) -> f64 {
        let own = chunked::<T, C>(self.own.factors.values);
        let other = chunked::<T, C>(self.other.factors.values);
        let own_gradient = chunked_mut::<T, C>(self.own_gradient.factors);
        // One length for all of them, so that one check of the index does.
        let n_others = other.len();
        let other_gradient = &mut chunked_mut::<T, C>(self.other_gradient.factors)[..n_others];
        let mut biases = Biases {
            own: self.own.biases,
            other: self.other.biases.map(|biases| &biases[..n_others]),
            own_gradient: self.own_gradient.biases,
            other_gradient: self.other_gradient.biases.map(|b| &mut b[..n_others]),
        };
        let (mut start, mut loss) = (0, 0.0);
        for run in self.examples.runs {
            let (base, mut slopes) = (self.mean + biases.of_own(run.row), T::ZERO);
            let there = &mut own_gradient[run.row as usize];
            if self.overwrite {
                *there = [[T::ZERO; LANES]; C];
                biases.clear_own(run.row);
            }
            let (row, mut sum) = (&own[run.row as usize], *there);
            let copy = *row;
            let p = if C <= 4 { &copy } else { row };
            let examples = self.examples.of(start, run);
            for (e, (&r, &target)) in examples.others.iter().zip(examples.targets).enumerate() {
                let q = &other[r as usize];
                let score = base + biases.of_other(r) + lanes.dot(p, q);
                let (value, slope) = (self.chain)(score, T::from_f32(target));
                let weight = examples.weight(e);
                let slope = slope * T::from_f64(weight * self.share);
                lanes.add_scaled(if C <= 4 { &mut sum } else { &mut *there }, slope, q);
                lanes.add_scaled(&mut other_gradient[r as usize], slope, p);
                biases.add_to_other(r, slope);
                slopes += slope;
                loss += weight * value;
            }
            if C <= 4 {
                *there = sum;
            }
            biases.add_to_own(run.row, slopes);
            start = run.end;
        }
        loss
    }

    #[inline(always)]
    fn any(self, lanes: impl Lanes) -> f64 {
        let n_chunks = self.own.factors.stride / LANES;
        let range = |row: u32| row as usize * n_chunks..(row as usize + 1) * n_chunks;
        let own = lanes_of(self.own.factors.values);
        let other = lanes_of(self.other.factors.values);
        let own_gradient = lanes_of_mut(self.own_gradient.factors);
        let other_gradient = lanes_of_mut(self.other_gradient.factors);
        let mut biases = Biases {
            own: self.own.biases,
            other: self.other.biases,
            own_gradient: self.own_gradient.biases,
            other_gradient: self.other_gradient.biases,
        };
        let (mut start, mut loss) = (0, 0.0);
        for run in self.examples.runs {
            let (base, mut slopes) = (self.mean + biases.of_own(run.row), T::ZERO);
            let (p, sum) = (&own[range(run.row)], &mut own_gradient[range(run.row)]);
            if self.overwrite {
                sum.fill([T::ZERO; LANES]);
                biases.clear_own(run.row);
            }
            let examples = self.examples.of(start, run);
            for (e, (&r, &target)) in examples.others.iter().zip(examples.targets).enumerate() {
                let q = &other[range(r)];
                let score = base + biases.of_other(r) + lanes.dot(p, q);
                let (value, slope) = (self.chain)(score, T::from_f32(target));
                let weight = examples.weight(e);
                let slope = slope * T::from_f64(weight * self.share);
                lanes.add_scaled(sum, slope, q);
                lanes.add_scaled(&mut other_gradient[range(r)], slope, p);
                biases.add_to_other(r, slope);
                slopes += slope;
                loss += weight * value;
            }
            biases.add_to_own(run.row, slopes);
            start = run.end;
        }
        loss
    }
}

impl BlockExamples<'_> {
    /// Those of `run`, which begins at `start`.
    #[inline(always)]
    fn of(&self, start: u32, run: &Run) -> BlockExamples<'_> {
        let range = start as usize..run.end as usize;
        BlockExamples {
            runs: &[],
            touched: &[],
            others: &self.others[range.clone()],
            targets: &self.targets[range.clone()],
            weights: self.weights.map(|weights| &weights[range]),
        }
    }

    /// The weight of example `e`.
    #[inline(always)]
    pub fn weight(&self, e: usize) -> f64 {
        self.weights.map_or(1.0, |weights| f64::from(weights[e]))
    }
}

/// The biases of both sides, and their gradients, where there are any.
struct Biases<'a, T> {
    own: Option<&'a [T]>,
    other: Option<&'a [T]>,
    own_gradient: Option<&'a mut [T]>,
    other_gradient: Option<&'a mut [T]>,
}

impl<T: Real> Biases<'_, T> {
    #[inline(always)]
    fn of_own(&self, row: u32) -> T {
        self.own.map_or(T::ZERO, |biases| biases[row as usize])
    }

    #[inline(always)]
    fn of_other(&self, row: u32) -> T {
        self.other.map_or(T::ZERO, |biases| biases[row as usize])
    }

    #[inline(always)]
    fn clear_own(&mut self, row: u32) {
        if let Some(gradient) = &mut self.own_gradient {
            gradient[row as usize] = T::ZERO;
        }
    }

    #[inline(always)]
    fn add_to_own(&mut self, row: u32, slopes: T) {
        if let Some(gradient) = &mut self.own_gradient {
            gradient[row as usize] += slopes;
        }
    }

    #[inline(always)]
    fn add_to_other(&mut self, row: u32, slope: T) {
        if let Some(gradient) = &mut self.other_gradient {
            gradient[row as usize] += slope;
        }
    }
}

impl<T: Real, F: Fn(T, T) -> (f64, T)> Job for ScoreBlock<'_, T, F> {
    /// Σ c·ℓ, in the order of the examples.
    type Output = f64;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> f64 {
        by_width!(self, T, lanes: L, self.own.factors.stride)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{Kernel, naive};

    const RUNS: [Run; 2] = [Run { row: 1, end: 3 }, Run { row: 2, end: 5 }];
    const OTHERS: [u32; 5] = [4, 1, 4, 0, 4];
    const TARGETS: [f32; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];
    const WEIGHTS: [f32; 5] = [1.0, 0.5, 2.0, 0.0, 1.5];

    fn table(n_rows: usize, stride: usize, salt: usize) -> Vec<f32> {
        (0..n_rows * stride)
            .map(|f| ((f * 7919 + salt * 104_729) % 2003) as f32 / 1001.5 - 1.0)
            .collect()
    }

    fn chain(score: f64, target: f64) -> (f64, f64) {
        ((score - target).powi(2), 2.0 * (score - target))
    }

    /// The loss, and the gradients of own factors, other factors, own biases, other biases, on top of ones.
    fn fast(
        stride: usize,
        kernel: Kernel,
        weighted: bool,
        biased: bool,
        overwrite: bool,
    ) -> (f64, [Vec<f32>; 4]) {
        let (own, other) = (table(3, stride, 1), table(5, stride, 2));
        let (own_biases, other_biases) = (table(3, 1, 3), table(5, 1, 4));
        let mut gradient = [3 * stride, 5 * stride, 3, 5].map(|n| vec![1.0; n]);
        let [own_factors, other_factors, own_slopes, other_slopes] = &mut gradient;
        let rows = |values, biases| BlockRows {
            factors: RowsView { values, stride },
            biases: Some(biases).filter(|_| biased),
        };
        let of = |factors, biases| GradientRows {
            factors,
            biases: Some(biases).filter(|_| biased),
        };
        let loss = kernel.run(ScoreBlock {
            examples: BlockExamples {
                runs: &RUNS,
                touched: &[],
                others: &OTHERS,
                targets: &TARGETS,
                weights: weighted.then_some(&WEIGHTS),
            },
            mean: 0.25,
            own: rows(&own, &own_biases),
            other: rows(&other, &other_biases),
            own_gradient: of(own_factors, own_slopes),
            other_gradient: of(other_factors, other_slopes),
            chain: |score: f32, target: f32| {
                let (value, slope) = chain(score.into(), target.into());
                (value, slope as f32)
            },
            share: 0.5,
            overwrite,
        });
        (loss, gradient)
    }

    #[test]
    fn the_pass_agrees_with_the_formula() {
        for stride in [8, 16, 24, 32, 40, 64, 128] {
            for (weighted, biased) in [(false, false), (true, false), (false, true), (true, true)] {
                let (own, other) = (table(3, stride, 1), table(5, stride, 2));
                let (own_biases, other_biases) = (table(3, 1, 3), table(5, 1, 4));
                let mut wanted = [3 * stride, 5 * stride, 3, 5].map(|n| vec![1.0f64; n]);
                let mut wanted_loss = 0.0;
                for (e, user) in [1usize, 1, 1, 2, 2].into_iter().enumerate() {
                    let item = OTHERS[e] as usize;
                    let (p, q) = (
                        &own[user * stride..][..stride],
                        &other[item * stride..][..stride],
                    );
                    let bias = if biased {
                        own_biases[user] + other_biases[item]
                    } else {
                        0.0
                    };
                    let score = f64::from(0.25 + bias + naive::dot(p, q));
                    let weight = if weighted { f64::from(WEIGHTS[e]) } else { 1.0 };
                    let (value, slope) = chain(score, f64::from(TARGETS[e]));
                    wanted_loss += weight * value;
                    let slope = weight * slope * 0.5;
                    for f in 0..stride {
                        wanted[0][user * stride + f] += slope * f64::from(q[f]);
                        wanted[1][item * stride + f] += slope * f64::from(p[f]);
                    }
                    if biased {
                        wanted[2][user] += slope;
                        wanted[3][item] += slope;
                    }
                }
                let (loss, gradient) = fast(stride, Kernel::Portable, weighted, biased, false);
                // n·ε of the longest sum here, times the size of its terms (all below 8·stride).
                let tolerance = 8.0 * (stride * stride) as f64 * f64::from(f32::EPSILON);
                assert!(
                    (loss - wanted_loss).abs() < tolerance * wanted_loss,
                    "{stride}"
                );
                for (got, wanted) in gradient.iter().zip(&wanted) {
                    let close = |(a, b): (&f32, &f64)| (f64::from(*a) - b).abs() < tolerance;
                    assert!(
                        got.iter().zip(wanted).all(close),
                        "{stride} {weighted} {biased}"
                    );
                }
            }
        }
    }

    #[test]
    fn overwriting_is_adding_to_zeros() {
        for stride in [8, 40, 64] {
            let (_, added) = fast(stride, Kernel::Portable, true, true, false);
            let (_, written) = fast(stride, Kernel::Portable, true, true, true);
            // The tables of gradients began at one; row 0 of the own ones has no example.
            for (n, (added, written)) in added.iter().zip(&written).enumerate() {
                let width = [stride, 5 * stride, 1, 5][n];
                let own = n % 2 == 0;
                for (at, (added, written)) in added.iter().zip(written).enumerate() {
                    let begun = if own && at >= width { 1.0 } else { 0.0 };
                    assert!((added - written - begun).abs() < 1e-3, "{stride} {n} {at}");
                }
            }
        }
    }

    #[test]
    fn both_kernels_give_the_same_bits() {
        for stride in [8, 16, 24, 32, 40, 64, 128] {
            let (loss, gradient) = fast(stride, Kernel::Portable, true, true, false);
            let (fast_loss, fast_gradient) = fast(stride, Kernel::detect(), true, true, false);
            let bits = |rows: &[Vec<f32>; 4]| {
                rows.concat()
                    .iter()
                    .map(|x| x.to_bits())
                    .collect::<Vec<_>>()
            };
            assert_eq!(loss.to_bits(), fast_loss.to_bits());
            assert_eq!(bits(&gradient), bits(&fast_gradient), "{stride}");
        }
    }
}
