//! How are a few penalised equations solved?
//!
//! ```text
//! min over p, b   Σ_i w_i·(t_i − b − ⟨p, q_i⟩)² + Σ_f λ_f·p_f² + λ_b·b²
//!
//! by factors      (Σ_i w_i q̃_i q̃_iᵀ + diag λ̃)·(p, b) = Σ_i w_i t_i q̃_i,      q̃ = (q, 1)           one equation a factor
//! by examples     (⟨q̃_i, q̃_j⟩_{1/λ̃} + 1/w_i if i = j)·α = t,   p = Σ_i α_i q̃_i/λ̃                one equation an example
//! ```
//!
//! Both have the same solution; the smaller one is solved. A λ of ∞ pins its number to 0. All sums are `f64`, in the order written.

use crate::linalg::Cholesky;
use crate::{Error, Result};

/// Equations that are solved together; more would take memory and time without bound.
const MOST: usize = 4096;

/// λ of each factor, and of the bias where there is one.
#[derive(Clone, Debug)]
pub(super) struct Penalty {
    pub(super) factors: Vec<f64>,
    pub(super) bias: Option<f64>,
}

/// What is to be fitted: rows of items, each with its weight and target.
#[derive(Debug)]
pub(super) struct Equations<'a> {
    pub(super) rows: Vec<&'a [f32]>,
    pub(super) weights: Vec<f64>,
    pub(super) targets: Vec<f64>,
    pub(super) penalty: Penalty,
}

/// p, then b; 0 where there is no bias.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Solution {
    pub(super) factors: Vec<f64>,
    pub(super) bias: f64,
}

impl Solution {
    /// ⟨p, q⟩ + b.
    pub(super) fn dot(&self, row: &[f32]) -> f64 {
        let products = row.iter().zip(&self.factors);
        self.bias + products.map(|(&q, p)| f64::from(q) * p).sum::<f64>()
    }

    /// A share of the way to another.
    pub(super) fn towards(&self, to: &Solution, share: f64) -> Solution {
        let part = |a: f64, b: f64| a + share * (b - a);
        let both = self.factors.iter().zip(&to.factors);
        Solution {
            factors: both.map(|(&a, &b)| part(a, b)).collect(),
            bias: part(self.bias, to.bias),
        }
    }
}

/// When a descent stops.
pub(super) struct Limits {
    pub(super) steps: usize,
    /// Of one step.
    pub(super) halvings: usize,
    /// A value that falls by less than this share of itself stands still.
    pub(super) still: f64,
}

/// Goes from 0 to where `step` says, and from there on; a step that does not lessen `value` is halved until it does, so it falls until it stands still.
pub(super) fn descend(
    n_factors: usize,
    limits: Limits,
    value: impl Fn(&Solution) -> f64,
    mut step: impl FnMut(&Solution) -> Result<Solution>,
) -> Result<Solution> {
    let mut at = Solution {
        factors: vec![0.0; n_factors],
        bias: 0.0,
    };
    let mut least = value(&at);
    for _ in 0..limits.steps {
        let next = step(&at)?;
        let mut share = 1.0;
        let better = (0..limits.halvings).find_map(|_| {
            let there = at.towards(&next, share);
            let found = value(&there);
            share *= 0.5;
            (found < least).then_some((there, found))
        });
        let Some((there, found)) = better else {
            break;
        };
        let still = least - found <= limits.still * least.abs();
        (at, least) = (there, found);
        if still {
            break;
        }
    }
    Ok(at)
}

impl Penalty {
    /// Σ_f λ_f·p_f² + λ_b·b².
    pub(super) fn of(&self, at: &Solution) -> f64 {
        let squares = self.factors.iter().zip(&at.factors);
        let of_bias = self.bias.map_or(0.0, |l2| l2 * at.bias * at.bias);
        squares.map(|(l2, p)| l2 * p * p).sum::<f64>() + of_bias
    }

    /// 2λ̃, what a penalty adds to the second derivatives.
    pub(super) fn doubled(mut self) -> Penalty {
        self.factors.iter_mut().for_each(|l2| *l2 *= 2.0);
        self.bias = self.bias.map(|l2| 2.0 * l2);
        self
    }

    /// No λ below `share` of `unit`, nor that of the bias below `share`.
    pub(super) fn at_least(mut self, share: f64, unit: f64) -> Penalty {
        for l2 in &mut self.factors {
            *l2 = l2.max(share * unit);
        }
        self.bias = self.bias.map(|l2| l2.max(share));
        self
    }

    /// λ̃: of the factors, then of the bias; ∞ where there is none.
    fn all(&self) -> impl Iterator<Item = f64> + '_ {
        let bias = self.bias.unwrap_or(f64::INFINITY);
        self.factors.iter().copied().chain([bias])
    }
}

/// The numbers of a symmetric system that are not pinned.
pub(super) struct System {
    /// Which of the numbers it is about: factors, then the bias.
    pub(super) free: Vec<usize>,
    /// Row after row, the lower triangle filled.
    pub(super) matrix: Vec<f64>,
    pub(super) right: Vec<f64>,
}

impl System {
    /// diag λ̃ on the left, 0 on the right.
    pub(super) fn new(penalty: &Penalty) -> Result<System> {
        let all: Vec<f64> = penalty.all().collect();
        let free: Vec<usize> = (0..all.len()).filter(|&a| all[a].is_finite()).collect();
        let n = checked(free.len())?;
        let mut matrix = vec![0.0; n * n];
        for (a, &number) in free.iter().enumerate() {
            matrix[a * n + a] = all[number];
        }
        Ok(System {
            right: vec![0.0; n],
            free,
            matrix,
        })
    }

    /// Adds w·q̃·q̃ᵀ on the left and w·t·q̃ on the right.
    pub(super) fn add(&mut self, row: &[f32], weight: f64, target: f64) {
        self.add_with(row, 1.0, weight, target);
    }

    /// [`add`](System::add) with the last number of q̃, that of the bias.
    pub(super) fn add_with(&mut self, row: &[f32], last: f64, weight: f64, target: f64) {
        let n = self.free.len();
        let wide = |&a: &usize| row.get(a).map_or(last, |&q| f64::from(q));
        let q: Vec<f64> = self.free.iter().map(wide).collect();
        for (a, q_a) in q.iter().enumerate() {
            let of_row = &mut self.matrix[a * n..=a * n + a];
            for (to, q_b) in of_row.iter_mut().zip(&q) {
                *to += weight * q_a * q_b;
            }
            self.right[a] += weight * target * q_a;
        }
    }

    /// Adds α·q̃ on the right; q̃ ends as told.
    pub(super) fn pull(&mut self, row: &[f32], last: f64, alpha: f64) {
        for (to, &a) in self.right.iter_mut().zip(&self.free) {
            *to += alpha * row.get(a).map_or(last, |&q| f64::from(q));
        }
    }

    fn factorized(&self) -> Result<Cholesky> {
        let n = self.free.len();
        let mut factor = Cholesky::new(n);
        match factor.factorize(n, n, &self.matrix) {
            true => Ok(factor),
            false => Err(no_solution()),
        }
    }

    /// The solution, with 0 for what is pinned.
    pub(super) fn solve(&self, n_factors: usize) -> Result<Solution> {
        let mut x = self.right.clone();
        self.factorized()?.solve(&mut x);
        Ok(self.spread_out(&x, n_factors))
    }

    /// The diagonal of the inverse, in the places of the solution.
    pub(super) fn inverse_diagonal(&self, n_factors: usize) -> Result<Solution> {
        let n = self.free.len();
        let mut inverse = vec![0.0; n * n];
        self.factorized()?.inverse(n, &mut inverse);
        let diagonal: Vec<f64> = (0..n).map(|a| inverse[a * n + a]).collect();
        Ok(self.spread_out(&diagonal, n_factors))
    }

    fn spread_out(&self, x: &[f64], n_factors: usize) -> Solution {
        let mut all = vec![0.0; n_factors + 1];
        for (&number, &x) in self.free.iter().zip(x) {
            all[number] = x;
        }
        let bias = all.pop().unwrap_or(0.0);
        Solution { factors: all, bias }
    }
}

impl Equations<'_> {
    /// The solution, by whichever way has fewer equations.
    pub(super) fn solve(&self) -> Result<Solution> {
        match self.rows.len() <= self.penalty.factors.len() {
            true => self.by_examples(),
            false => self.by_factors()?.solve(self.penalty.factors.len()),
        }
    }

    /// One equation a factor.
    pub(super) fn by_factors(&self) -> Result<System> {
        let mut system = System::new(&self.penalty)?;
        for ((row, &weight), &target) in self.rows.iter().zip(&self.weights).zip(&self.targets) {
            system.add(row, weight, target);
        }
        Ok(system)
    }

    fn by_examples(&self) -> Result<Solution> {
        let n = checked(self.rows.len())?;
        // ⟨q̃_i, q̃_j⟩ with each number divided by its λ: 1/∞ is 0.
        let kernel = |i: usize, j: usize| {
            let pairs = self.rows[i].iter().zip(self.rows[j]);
            let products = pairs.zip(&self.penalty.factors);
            let of_factors: f64 = products
                .map(|((&a, &b), l2)| f64::from(a) * f64::from(b) / l2)
                .sum();
            of_factors + self.penalty.bias.map_or(0.0, |l2| 1.0 / l2)
        };
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                matrix[i * n + j] = kernel(i, j);
            }
            matrix[i * n + i] += 1.0 / self.weights[i];
        }
        let mut factor = Cholesky::new(n);
        if !factor.factorize(n, n, &matrix) {
            return Err(no_solution());
        }
        let mut alpha = self.targets.clone();
        factor.solve(&mut alpha);
        let number = |f: usize| {
            let sum: f64 = self
                .rows
                .iter()
                .zip(&alpha)
                .map(|(row, alpha)| alpha * f64::from(row[f]))
                .sum();
            sum / self.penalty.factors[f]
        };
        Ok(Solution {
            factors: (0..self.penalty.factors.len()).map(number).collect(),
            bias: self
                .penalty
                .bias
                .map_or(0.0, |l2| alpha.iter().sum::<f64>() / l2),
        })
    }
}

fn checked(n: usize) -> Result<usize> {
    if n > MOST {
        let got = format!("{n} equations");
        let wanted = format!("at most {MOST} items, or as many factors");
        return Err(Error::config("history", got, wanted));
    }
    Ok(n)
}

fn no_solution() -> Error {
    let got = "ratings that no row fits best";
    Error::config("history", got, "ratings and rows of a common size")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [[f32; 3]; 5] = [
        [1.0, 0.5, -1.0],
        [0.0, 2.0, 0.25],
        [-1.5, 0.5, 0.5],
        [1.0, 0.5, -1.0],
        [0.25, -0.75, 2.0],
    ];

    fn equations(n: usize, factors: [f64; 3], bias: Option<f64>) -> Equations<'static> {
        Equations {
            rows: ROWS[..n].iter().map(|row| &row[..]).collect(),
            weights: [1.0, 0.5, 2.0, 1.0, 0.25][..n].to_vec(),
            targets: [1.0, -0.5, 0.25, 2.0, 0.75][..n].to_vec(),
            penalty: Penalty {
                factors: factors.to_vec(),
                bias,
            },
        }
    }

    /// Half the derivative of the objective by each number, straight from its definition.
    fn slopes(of: &Equations<'_>, at: &Solution) -> Vec<f64> {
        let l2: Vec<f64> = of.penalty.all().collect();
        let numbers = [&at.factors[..], &[at.bias]].concat();
        let mut slopes: Vec<f64> = l2.iter().zip(&numbers).map(|(l2, x)| l2 * x).collect();
        for ((row, w), t) in of.rows.iter().zip(&of.weights).zip(&of.targets) {
            let dot: f64 = row
                .iter()
                .zip(&at.factors)
                .map(|(&q, p)| f64::from(q) * p)
                .sum();
            let error = w * (at.bias + dot - t);
            for (slope, q) in slopes.iter_mut().zip(row.iter().chain([&1.0])) {
                *slope += error * f64::from(*q);
            }
        }
        slopes
    }

    #[test]
    fn both_ways_find_the_minimum() {
        for n in 1..=5 {
            for factors in [[0.5, 1.0, 2.0], [0.5, f64::INFINITY, 2.0], [1e-6; 3]] {
                for bias in [None, Some(4.0), Some(1e-6)] {
                    let of = equations(n, factors, bias);
                    let by_factors = of.by_factors().unwrap().solve(3).unwrap();
                    let by_examples = of.by_examples().unwrap();
                    for solution in [&by_factors, &by_examples] {
                        for (f, slope) in slopes(&of, solution).into_iter().enumerate() {
                            let pinned = factors
                                .get(f)
                                .or(bias.as_ref())
                                .is_none_or(|l2| l2.is_infinite());
                            // Condition 1e7, numbers near 1.
                            assert!(
                                pinned || slope.abs() < 1e-8,
                                "{n} {factors:?} {bias:?}: {slope}"
                            );
                        }
                    }
                    let numbers = |s: &Solution| [&s.factors[..], &[s.bias]].concat();
                    for (a, b) in numbers(&by_factors).iter().zip(numbers(&by_examples)) {
                        assert!((a - b).abs() < 1e-6, "{n} {factors:?} {bias:?}: {a} {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_history_beyond_all_measure_is_refused() {
        let row = vec![0.5; MOST + 1];
        let many = Equations {
            rows: vec![&row; MOST + 1],
            weights: vec![1.0; MOST + 1],
            targets: vec![1.0; MOST + 1],
            penalty: Penalty {
                factors: vec![1.0; MOST + 1],
                bias: None,
            },
        };
        let message = many.solve().unwrap_err().to_string();
        assert!(message.contains("4097 equations"), "{message}");
        assert!(many.by_factors().is_err());
    }
}
