//! What if every row has a clock of its own?
//!
//! Where ratings are visited block by block, a row is touched when its block is. Its t counts *its own* touches, so that a row that comes late starts its bias correction late:
//!
//! ```text
//! block     θ ← θ − (η/(1 − β₁ᵗ)) · m / (√v · 1/√(1 − β₂ᵗ) + ε)                            m, v as in Adam
//! row       v ← β₂·v + (1 − β₂)·mean_f g_f²   one number a row;   the rest as above
//! ```
//!
//! The row-wise variant keeps half the moments and takes one root and one division a row instead of one a factor. The corrections of all t are computed once a run.
//! The rules without a clock (SGD, Adagrad) are what they are everywhere.

use super::{MAX_MOMENTS, Optimizer, OptimizerKind, Rule};
use crate::kernels::lanes::{AdamRow, AdamStep, lanes_of, lanes_of_mut};
use crate::kernels::{Lanes, Real, lanes};

/// A rule for a row that was touched `t` times, this time included.
pub trait BlockRule<T: Real>: Copy + Send + Sync {
    /// Moves `row` and updates its moments. `n_factors` of the numbers count, the rest is padding.
    fn update(
        self,
        t: u32,
        n_factors: usize,
        row: &mut [T],
        gradient: &[T],
        moments: [&mut [T]; MAX_MOMENTS],
    );

    /// [`update`](BlockRule::update) by the mean gradient share·Σg + penalty·row, which `mean` has room for.
    #[inline(always)]
    fn update_by_sum<L: Lanes>(
        self,
        _: L,
        t: u32,
        n_factors: usize,
        row: SummedRow<'_, T>,
        moments: [&mut [T]; MAX_MOMENTS],
        mean: &mut [T],
    ) {
        for ((mean, &sum), &x) in mean.iter_mut().zip(row.sum).zip(&*row.x) {
            *mean = sum * row.share + row.penalty * x;
        }
        self.update(t, n_factors, row.x, mean, moments);
    }
}

/// A row, and what its mean gradient is made of.
#[derive(Debug)]
pub struct SummedRow<'a, T> {
    /// The row, padded.
    pub x: &'a mut [T],
    /// Σ g, padded.
    pub sum: &'a [T],
    /// What the sum is multiplied by.
    pub share: T,
    /// What times the row is added to that.
    pub penalty: T,
}

/// A rule without a clock.
#[derive(Clone, Copy, Debug)]
pub struct Timeless<R>(pub R);

impl<T: Real, R: Rule<T>> BlockRule<T> for Timeless<R> {
    #[inline(always)]
    fn update(
        self,
        _: u32,
        _: usize,
        row: &mut [T],
        gradient: &[T],
        moments: [&mut [T]; MAX_MOMENTS],
    ) {
        self.0.update(row, gradient, moments);
    }
}

/// 1/(1 − β₁ᵗ) and 1/√(1 − β₂ᵗ) for t = 1, 2, …
#[derive(Clone, Debug, Default)]
pub struct Corrections<T>(Vec<(T, T)>);

/// The longest table of corrections. Past it they are taken to be what they are at its end.
const LONGEST: usize = 1 << 20;

impl<T: Real> Corrections<T> {
    /// For rows that are touched `most` times at most. It ends where both are 1.
    pub fn new(optimizer: &Optimizer, most: usize) -> Corrections<T> {
        let of = |t: usize| {
            let rest = |beta: f64| 1.0 - libm::pow(beta, t as f64);
            (
                1.0 / rest(optimizer.beta1),
                1.0 / rest(optimizer.beta2).sqrt(),
            )
        };
        let mut all = Vec::new();
        for t in 1..=most.clamp(1, LONGEST) {
            let (first, second) = of(t);
            all.push((T::from_f64(first), T::from_f64(second)));
            if first == 1.0 && second == 1.0 {
                break;
            }
        }
        Corrections(all)
    }

    #[inline(always)]
    fn at(&self, t: u32) -> (T, T) {
        let last = self.0.len() - 1;
        self.0[(t as usize - 1).min(last)]
    }
}

/// What the rules of this file share at one learning rate.
#[derive(Clone, Copy, Debug)]
struct Step<'a, T> {
    beta1: T,
    one_minus_beta1: T,
    beta2: T,
    one_minus_beta2: T,
    learning_rate: T,
    epsilon: T,
    /// 1 − η·decay, of AdamW; 1 in all others.
    keep: T,
    corrections: &'a Corrections<T>,
}

impl<'a, T: Real> Step<'a, T> {
    fn new(optimizer: &Optimizer, learning_rate: f64, corrections: &'a Corrections<T>) -> Self {
        let decay = match optimizer.kind {
            OptimizerKind::AdamW => learning_rate * optimizer.weight_decay,
            _ => 0.0,
        };
        Step {
            beta1: T::from_f64(optimizer.beta1),
            one_minus_beta1: T::from_f64(1.0 - optimizer.beta1),
            beta2: T::from_f64(optimizer.beta2),
            one_minus_beta2: T::from_f64(1.0 - optimizer.beta2),
            learning_rate: T::from_f64(learning_rate),
            epsilon: T::from_f64(optimizer.epsilon),
            keep: T::from_f64(1.0 - decay),
            corrections,
        }
    }
}

/// Adam on a row's own clock; also AdamW. Other weight decay is no part of it: it joins the penalty.
///
/// ```
/// use lowrank::optimizer::block::{BlockAdam, BlockRule, Corrections};
/// use lowrank::optimizer::{Optimizer, OptimizerKind};
/// let optimizer = Optimizer::new(OptimizerKind::Adam);
/// let corrections = Corrections::new(&optimizer, 10);
/// let (mut row, mut m, mut v) = ([1.0f64], [0.0], [0.0]);
/// BlockAdam::new(&optimizer, 0.01, &corrections).update(1, 1, &mut row, &[4.0], [&mut m, &mut v, &mut []]);
/// assert!((row[0] - 0.99f64).abs() < 1e-10); // one η against the gradient's sign
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BlockAdam<'a, T>(Step<'a, T>);

/// [`BlockAdam`] with one second moment a row.
#[derive(Clone, Copy, Debug)]
pub struct RowAdam<'a, T>(Step<'a, T>);

impl<'a, T: Real> BlockAdam<'a, T> {
    /// The rule at one learning rate.
    pub fn new(
        optimizer: &Optimizer,
        learning_rate: f64,
        corrections: &'a Corrections<T>,
    ) -> BlockAdam<'a, T> {
        BlockAdam(Step::new(optimizer, learning_rate, corrections))
    }
}

impl<'a, T: Real> RowAdam<'a, T> {
    /// The rule at one learning rate.
    pub fn new(
        optimizer: &Optimizer,
        learning_rate: f64,
        corrections: &'a Corrections<T>,
    ) -> RowAdam<'a, T> {
        RowAdam(Step::new(optimizer, learning_rate, corrections))
    }
}

impl<T: Real> BlockRule<T> for BlockAdam<'_, T> {
    #[inline(always)]
    fn update(
        self,
        t: u32,
        _: usize,
        row: &mut [T],
        gradient: &[T],
        [m, v, _]: [&mut [T]; MAX_MOMENTS],
    ) {
        let step = self.0;
        let (first, second) = step.corrections.at(t);
        let size = step.learning_rate * first;
        for (((x, &g), m), v) in row.iter_mut().zip(gradient).zip(m).zip(v) {
            *m = (step.beta1 * *m + step.one_minus_beta1 * g).flushed();
            *v = (step.beta2 * *v + step.one_minus_beta2 * (g * g)).flushed();
            *x = step.keep * *x - size * *m / (v.square_root() * second + step.epsilon);
        }
    }

    #[inline(always)]
    fn update_by_sum<L: Lanes>(
        self,
        lanes: L,
        t: u32,
        _: usize,
        row: SummedRow<'_, T>,
        [m, v, _]: [&mut [T]; MAX_MOMENTS],
        _: &mut [T],
    ) {
        let step = self.0;
        let (first, second) = step.corrections.at(t);
        let numbers = AdamStep {
            share: row.share,
            penalty: row.penalty,
            first: (step.beta1, step.one_minus_beta1),
            second: (step.beta2, step.one_minus_beta2),
            keep: step.keep,
            size: step.learning_rate * first,
            root: second,
            epsilon: step.epsilon,
        };
        let row = AdamRow {
            x: lanes_of_mut(row.x),
            sum: lanes_of(row.sum),
            first: lanes_of_mut(m),
            second: lanes_of_mut(v),
        };
        lanes.adam(&numbers, row);
    }
}

impl<T: Real> BlockRule<T> for RowAdam<'_, T> {
    #[inline(always)]
    fn update(
        self,
        t: u32,
        n_factors: usize,
        row: &mut [T],
        gradient: &[T],
        [m, v, _]: [&mut [T]; MAX_MOMENTS],
    ) {
        let step = self.0;
        let (first, second) = step.corrections.at(t);
        let squares = match gradient {
            &[g] => g * g,
            _ => lanes::dot(gradient, gradient) / T::from_f64(n_factors as f64),
        };
        v[0] = (step.beta2 * v[0] + step.one_minus_beta2 * squares).flushed();
        let size = step.learning_rate * first / (v[0].square_root() * second + step.epsilon);
        for ((x, &g), m) in row.iter_mut().zip(gradient).zip(m) {
            *m = (step.beta1 * *m + step.one_minus_beta1 * g).flushed();
            *x = step.keep * *x - size * *m;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::Adam;

    /// Rows of three factors, padded, and their gradients at five touches.
    const GRADIENTS: [f64; 5] = [4.0, -1.0, 0.5, 0.0, 2.0];

    #[test]
    fn touched_at_every_step_it_is_adam() {
        let optimizer = Optimizer {
            beta2: 0.99,
            ..Optimizer::new(OptimizerKind::Adam)
        };
        let corrections = Corrections::new(&optimizer, 100);
        let (mut row, mut m, mut v) = ([1.0f64; 8], [0.0; 8], [0.0; 8]);
        let (mut dense, mut dense_m, mut dense_v) = (row, m, v);
        for (t, g) in (1..).zip(GRADIENTS) {
            let rule = BlockAdam::new(&optimizer, 0.1, &corrections);
            rule.update(t, 8, &mut row, &[g; 8], [&mut m, &mut v, &mut []]);
            let adam = Adam::new(&optimizer, 0.1, u64::from(t));
            adam.update(&mut dense, &[g; 8], [&mut dense_m, &mut dense_v, &mut []]);
            // Two orders of one division and one multiplication.
            assert!((row[0] - dense[0]).abs() < 1e-14, "{t}");
        }
    }

    #[test]
    fn with_equal_gradients_the_row_wise_rule_is_the_same() {
        let optimizer = Optimizer::new(OptimizerKind::RowAdam);
        let corrections = Corrections::new(&optimizer, 100);
        let (mut row, mut m, mut v) = ([1.0f64; 8], [0.0; 8], [0.0; 8]);
        let (mut wise, mut wise_m, mut wise_v) = (row, m, [0.0]);
        for (t, g) in (1..).zip(GRADIENTS) {
            let rule = BlockAdam::new(&optimizer, 0.1, &corrections);
            rule.update(t, 8, &mut row, &[g; 8], [&mut m, &mut v, &mut []]);
            let rule = RowAdam::new(&optimizer, 0.1, &corrections);
            rule.update(
                t,
                8,
                &mut wise,
                &[g; 8],
                [&mut wise_m, &mut wise_v, &mut []],
            );
            assert!((row[0] - wise[0]).abs() < 1e-14, "{t}");
        }
    }

    #[test]
    fn corrections_end_where_there_is_nothing_to_correct() {
        let optimizer = Optimizer {
            beta2: 0.99,
            ..Optimizer::new(OptimizerKind::Adam)
        };
        let corrections = Corrections::<f64>::new(&optimizer, 1 << 20);
        assert!(corrections.0.len() < 5000);
        assert_eq!(corrections.at(u32::MAX), (1.0, 1.0));
        assert!((corrections.at(1).0 - 10.0).abs() < 1e-12);
        assert!((corrections.at(1).1 - 10.0).abs() < 1e-12);
    }

    #[test]
    fn moments_never_become_subnormal() {
        let optimizer = Optimizer::new(OptimizerKind::Adam);
        let corrections = Corrections::new(&optimizer, 10_000);
        let (mut row, mut m, mut v) = ([1.0f32; 8], [0.0; 8], [0.0; 8]);
        for t in 1..10_000 {
            let gradient = [if t == 1 { 1e-15 } else { 0.0 }; 8];
            let rule = BlockAdam::new(&optimizer, 0.1, &corrections);
            rule.update(t, 8, &mut row, &gradient, [&mut m, &mut v, &mut []]);
            assert!(
                !m[0].is_subnormal() && !v[0].is_subnormal(),
                "{t}: {m:?} {v:?}"
            );
        }
        assert_eq!((m[0], v[0]), (0.0, 0.0));
    }
}
