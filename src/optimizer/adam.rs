//! What if a number's rate follows the size of its recent gradients?
//!
//! ```text
//! m ← β₁·m + (1 − β₁)·g            a running mean of gradients: the direction
//! v ← β₂·v + (1 − β₂)·g²           a running mean of their squares: the size
//! m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)                        both start at zero; at step t this takes their bias off
//! θ ← θ − η·m̂/(√v̂ + ε)
//! ```
//!
//! The step is at most about η, whatever the scale of the gradient. At the first step m̂ = g and v̂ = g², so θ moves by η·sign(g).
//! Kingma and Ba, *Adam* (2015), algorithm 1. The bias corrections are computed once a step, not once a number:
//!
//! ```text
//! dense     η·m̂/(√v̂ + ε) = (η/(1 − β₁ᵗ)) · m / (√v/√(1 − β₂ᵗ) + ε)
//! lazy      (η·√(1 − β₂ᵗ)/(1 − β₁ᵗ)) · m / (√v + ε)                  ε is added before the correction, as PyTorch's SparseAdam does
//! AMSGrad   the dense step with max v over all steps so far in place of v      (Reddi, Kale and Kumar, 2018)
//! AdamW     θ ← θ − η·decay·θ first, and no decay in g                         (Loshchilov and Hutter, 2019)
//! ```

use super::{MAX_MOMENTS, Optimizer, OptimizerKind, Rule};
use crate::kernels::Real;

/// What the rules of this file share at one step.
#[derive(Clone, Copy, Debug)]
struct Step<T> {
    beta1: T,
    one_minus_beta1: T,
    beta2: T,
    one_minus_beta2: T,
    /// η over the first bias correction (lazy: times the root of the second).
    size: T,
    /// √(1 − β₂ᵗ).
    root_correction: T,
    epsilon: T,
    /// Decay that joins the gradient.
    decay: T,
    /// 1 − η·decay, of AdamW; 1 in all others.
    keep: T,
}

impl<T: Real> Step<T> {
    fn new(optimizer: &Optimizer, learning_rate: f64, t: u64) -> Step<T> {
        let Optimizer {
            kind,
            beta1,
            beta2,
            epsilon,
            weight_decay,
        } = *optimizer;
        let correction = |beta: f64| 1.0 - libm::pow(beta, t as f64);
        let root_correction = correction(beta2).sqrt();
        let lazily = if kind == OptimizerKind::LazyAdam {
            root_correction
        } else {
            1.0
        };
        let decoupled = kind == OptimizerKind::AdamW;
        Step {
            beta1: T::from_f64(beta1),
            one_minus_beta1: T::from_f64(1.0 - beta1),
            beta2: T::from_f64(beta2),
            one_minus_beta2: T::from_f64(1.0 - beta2),
            size: T::from_f64(learning_rate * lazily / correction(beta1)),
            root_correction: T::from_f64(root_correction),
            epsilon: T::from_f64(epsilon),
            decay: T::from_f64(if decoupled { 0.0 } else { weight_decay }),
            keep: T::from_f64(if decoupled {
                1.0 - learning_rate * weight_decay
            } else {
                1.0
            }),
        }
    }

    /// Updates m and v, and returns them.
    #[inline(always)]
    fn moments(&self, x: T, g: T, m: &mut T, v: &mut T) -> (T, T) {
        let g = g + self.decay * x;
        *m = (self.beta1 * *m + self.one_minus_beta1 * g).flushed();
        *v = (self.beta2 * *v + self.one_minus_beta2 * (g * g)).flushed();
        (*m, *v)
    }
}

/// Adam with dense moments; also AdamW.
///
/// ```
/// use lowrank::optimizer::{Adam, Optimizer, OptimizerKind, Rule};
/// let (mut row, mut m, mut v) = ([1.0f64], [0.0], [0.0]);
/// let first_step = Adam::new(&Optimizer::new(OptimizerKind::Adam), 0.01, 1);
/// first_step.update(&mut row, &[4.0], [&mut m, &mut v, &mut []]);
/// assert!((m[0] - 0.4f64).abs() < 1e-15 && (v[0] - 0.016f64).abs() < 1e-15);
/// assert!((row[0] - 0.99f64).abs() < 1e-10); // one η against the gradient's sign
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Adam<T>(Step<T>);

/// Adam whose second moment never falls.
#[derive(Clone, Copy, Debug)]
pub struct AmsGrad<T>(Step<T>);

/// Adam for rows that are touched now and then.
#[derive(Clone, Copy, Debug)]
pub struct LazyAdam<T>(Step<T>);

impl<T: Real> Adam<T> {
    /// The rule at step t = 1, 2, …
    pub fn new(optimizer: &Optimizer, learning_rate: f64, t: u64) -> Adam<T> {
        Adam(Step::new(optimizer, learning_rate, t))
    }
}

impl<T: Real> AmsGrad<T> {
    /// The rule at step t = 1, 2, …
    pub fn new(optimizer: &Optimizer, learning_rate: f64, t: u64) -> AmsGrad<T> {
        AmsGrad(Step::new(optimizer, learning_rate, t))
    }
}

impl<T: Real> LazyAdam<T> {
    /// The rule at step t = 1, 2, …
    pub fn new(optimizer: &Optimizer, learning_rate: f64, t: u64) -> LazyAdam<T> {
        LazyAdam(Step::new(optimizer, learning_rate, t))
    }
}

impl<T: Real> Rule<T> for Adam<T> {
    #[inline(always)]
    fn update(self, row: &mut [T], gradient: &[T], [m, v, _]: [&mut [T]; MAX_MOMENTS]) {
        let step = self.0;
        for (((x, &g), m), v) in row.iter_mut().zip(gradient).zip(m).zip(v) {
            let (m, v) = step.moments(*x, g, m, v);
            let denominator = v.square_root() / step.root_correction + step.epsilon;
            *x = step.keep * *x - step.size * m / denominator;
        }
    }
}

impl<T: Real> Rule<T> for AmsGrad<T> {
    #[inline(always)]
    fn update(self, row: &mut [T], gradient: &[T], [m, v, greatest]: [&mut [T]; MAX_MOMENTS]) {
        let step = self.0;
        for ((((x, &g), m), v), greatest) in
            row.iter_mut().zip(gradient).zip(m).zip(v).zip(greatest)
        {
            let (m, v) = step.moments(*x, g, m, v);
            *greatest = greatest.greater(v);
            let denominator = greatest.square_root() / step.root_correction + step.epsilon;
            *x -= step.size * m / denominator;
        }
    }
}

impl<T: Real> Rule<T> for LazyAdam<T> {
    #[inline(always)]
    fn update(self, row: &mut [T], gradient: &[T], [m, v, _]: [&mut [T]; MAX_MOMENTS]) {
        let step = self.0;
        for (((x, &g), m), v) in row.iter_mut().zip(gradient).zip(m).zip(v) {
            let (m, v) = step.moments(*x, g, m, v);
            *x -= step.size * m / (v.square_root() + step.epsilon);
        }
    }
}
