//! How does one block move its rows?
//!
//! A [`Part`] is what one block owns of one side: rows, moments, clocks, gradients. Nobody else has them while the stratum lasts.
//!
//! ```text
//! ḡ  = (B/n_row)·Σ_e [ g_e·(the other row)  +  2λ·(s_row/n_row)·θ ]    e runs over the n examples of the block that touch the row, of n_row in all
//! θ  ← rule(t, θ, ḡ)                                                   t touches of the row so far
//! ```
//!
//! Each example carries its share of the row's penalty: the same objective as in full batch. The sum is divided by the number of examples that a block has of the row on average, not by the n that this
//! one has: so every example counts alike, whether it shares its block with many of the row's others or with none, and B steps add up to the gradient of the whole.

use crate::data::layout::Order;
use crate::gradient::TablePenalty;
use crate::kernels::block::BlockRows;
use crate::kernels::rows::{GradientRows, RowsView};
use crate::kernels::{Lanes, Real, lanes};
use crate::model::Table;
use crate::optimizer::MAX_MOMENTS;
use crate::optimizer::block::{BlockRule, SummedRow};

/// A run of rows of a table, to be changed.
#[derive(Debug, Default)]
pub(super) struct Rows<'a, T> {
    pub(super) factors: &'a mut [T],
    /// Empty where there are none.
    pub(super) biases: &'a mut [T],
    pub(super) stride: usize,
}

/// The rows of one block of one side, or of a whole table of features.
pub(super) struct Part<'a, T> {
    pub(super) rows: Rows<'a, T>,
    pub(super) n_factors: usize,
    pub(super) moments: [Rows<'a, T>; MAX_MOMENTS],
    /// How often each row was touched.
    pub(super) touches: &'a mut [u32],
    /// Composed rows and the offsets that features give them, where the side has features.
    pub(super) composed: Option<(Rows<'a, T>, Rows<'a, T>)>,
    /// Where gradients of the whole epoch are added up.
    pub(super) of_epoch: Option<GradientRows<'a, T>>,
    pub(super) penalty: Penalty<'a>,
    /// Steps of a row in an epoch, at most: B, or 1 where a whole epoch is one step.
    pub(super) n_steps: usize,
}

/// What the penalty adds to the gradient of a row for each example: (2λ·s_row + decay)/n_row times the row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Penalty<'a> {
    pub(super) lambda: TablePenalty,
    /// Whether s_row is n_row; otherwise it is 1.
    pub(super) by_rating: bool,
    /// PyTorch's weight decay times N.
    pub(super) decay: f64,
    /// n_row.
    pub(super) counts: &'a [u32],
}

#[inline(always)]
fn one<T: Real>() -> T {
    T::from_f32(1.0)
}

impl Penalty<'_> {
    /// The factor of row `row`'s factors, and that of its bias, for `n` examples.
    #[inline(always)]
    fn of<T: Real>(&self, row: usize, n: T) -> (T, T) {
        let share = one::<T>() / T::from_f32(self.counts[row] as f32);
        let scale = if self.by_rating { one() } else { share };
        let decay = T::from_f64(self.decay) * share;
        let of = |lambda: f64| n * (T::from_f64(2.0 * lambda) * scale + decay);
        (of(self.lambda.factors), of(self.lambda.biases))
    }
}

impl<T: Real> Part<'_, T> {
    /// The rows that are scored.
    #[inline(always)]
    pub(super) fn scored(&self) -> BlockRows<'_, T> {
        let rows = self.composed.as_ref().map_or(&self.rows, |(rows, _)| rows);
        BlockRows {
            factors: RowsView {
                values: rows.factors,
                stride: rows.stride,
            },
            biases: Some(&*rows.biases).filter(|biases| !biases.is_empty()),
        }
    }

    /// Moves the `touched` rows: (row, how many examples of the block touch it).
    #[inline(always)]
    pub(super) fn step<L: Lanes, R: BlockRule<T>>(
        &mut self,
        lanes: L,
        rule: R,
        gradient: &GradientRows<'_, T>,
        touched: impl Iterator<Item = (u32, u32)>,
    ) {
        let stride = self.rows.stride;
        let mut mean = vec![T::ZERO; stride];
        for (row, n_examples) in touched {
            let row = row as usize;
            let range = row * stride..(row + 1) * stride;
            self.touches[row] += 1;
            let t = self.touches[row];
            let share =
                T::from_f32(self.n_steps as f32) / T::from_f32(self.penalty.counts[row] as f32);
            let n = share * T::from_f32(n_examples as f32);
            let (penalty, bias_penalty) = self.penalty.of(row, n);

            let summed = SummedRow {
                x: &mut self.rows.factors[range.clone()],
                sum: &gradient.factors[range.clone()],
                share,
                penalty,
            };
            let moments = self.moments.each_mut().map(|moment| {
                let of_row = row * moment.stride..(row + 1) * moment.stride;
                moment.factors.get_mut(of_row).unwrap_or_default()
            });
            rule.update_by_sum(lanes, t, self.n_factors, summed, moments, &mut mean);

            if let Some(x) = self.rows.biases.get_mut(row) {
                let sum = gradient.biases.as_ref().map_or(T::ZERO, |sums| sums[row]);
                let mean = sum * share + bias_penalty * *x;
                let moments = self
                    .moments
                    .each_mut()
                    .map(|moment| moment.biases.get_mut(row..=row).unwrap_or_default());
                rule.update(t, 1, std::slice::from_mut(x), &[mean], moments);
            }
            if self.composed.is_some() {
                self.follow(row, range, gradient);
            }
        }
    }

    /// Keeps what goes along with row `row`: its composed row, and its gradient of the epoch.
    #[inline(always)]
    fn follow(
        &mut self,
        row: usize,
        range: std::ops::Range<usize>,
        gradient: &GradientRows<'_, T>,
    ) {
        if let Some((composed, offset)) = &mut self.composed {
            let own = self.rows.factors[range.clone()].iter();
            let sum = own.zip(&offset.factors[range.clone()]);
            for (composed, (&x, &offset)) in composed.factors[range.clone()].iter_mut().zip(sum) {
                *composed = x + offset;
            }
            if let Some(composed) = composed.biases.get_mut(row) {
                let own = self.rows.biases.get(row).copied().unwrap_or(T::ZERO);
                *composed = own + offset.biases[row];
            }
        }
        if let Some(of_epoch) = &mut self.of_epoch {
            let factors = &gradient.factors[range.clone()];
            lanes::add_scaled(&mut of_epoch.factors[range], one(), factors);
            if let (Some(sums), Some(biases)) = (&mut of_epoch.biases, &gradient.biases) {
                sums[row] += biases[row];
            }
        }
    }
}

impl<'a, T: Real> Rows<'a, T> {
    pub(super) fn of(table: &'a mut Table<T>) -> Rows<'a, T> {
        let stride = table.stride();
        let (factors, biases) = table.parts_mut();
        Rows {
            factors,
            biases: biases.unwrap_or_default(),
            stride,
        }
    }

    /// The rows of every block of `order`.
    pub(super) fn cut(self, order: &Order) -> Vec<Rows<'a, T>> {
        let stride = self.stride;
        let biases = cut(self.biases, order, 1);
        let factors = cut(self.factors, order, stride).into_iter().zip(biases);
        factors
            .map(|(factors, biases)| Rows {
                factors,
                biases,
                stride,
            })
            .collect()
    }
}

/// The part of every block of `order` of an array with `width` numbers a row; empty parts of an empty one.
pub(super) fn cut<'a, V>(values: &'a mut [V], order: &Order, width: usize) -> Vec<&'a mut [V]> {
    let mut rest = values;
    let sizes = order.cuts.windows(2).map(|cut| (cut[1] - cut[0]) as usize);
    sizes
        .map(|n_rows| {
            let n = (n_rows * width).min(rest.len());
            let (part, others) = std::mem::take(&mut rest).split_at_mut(n);
            rest = others;
            part
        })
        .collect()
}
