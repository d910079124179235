//! Which row puts the items of the history above the others?
//!
//! ```text
//! logistic       J = Σ_H ln(1 + e^(−x_i)) + (ν·|H|/n)·Σ_{j ∉ H} ln(1 + e^(x_j)) + penalty          n others, ν = 4 of them drawn for each of H in training
//! softmax:τ      J = Σ_H (ln Σ_j e^(x_j/τ) − x_i/τ) + penalty
//! bpr            J = Σ_H (1/m)·Σ_{j ∈ M} ln(1 + e^(x_j − x_i)) + penalty                             M: m of the others, evenly spaced
//! penalty        λ‖p‖² + λ_b b²
//! ```
//!
//! Newton's method: with g the slopes and h the curvatures of J in the scores, the next row solves (Σ h·q̃q̃ᵀ + 2λ̃)·θ = Σ (h·⟨θ, q̃⟩ − g)·q̃. J is convex; a step that does not lessen it is halved until it does. Nothing is drawn.
//! Lists and pairs are a user's, so a new item of those losses gets the mean of its users' rows.
//!
//! Cost of a step: a row of every item, n_items · n_factors²; of bpr |H|·m of them.

use super::history::{History, Own};
use super::ridge::{Limits, Penalty, Solution, System, descend};
use crate::Result;
use crate::loss::{Bpr, Logistic, LossKind, Pairwise, Pointwise};
use crate::model::link::sigmoid;
use crate::recommend::filter::Whose;

/// J stands still long before.
const LIMITS: Limits = Limits {
    steps: 50,
    halvings: 30,
    still: 1e-12,
};
/// Others that training compares a positive of `logistic` with, unless it is told otherwise.
const NEGATIVES: f64 = 4.0;
/// Others that each of the history is compared with by `bpr`.
const COMPARED: usize = 200;

/// The loss of one newcomer.
struct Problem<'h, 'm> {
    history: &'h History<'m>,
    loss: LossKind,
    /// c of every row of the other side.
    constants: Vec<f64>,
    /// Rows that are not in the history; of `bpr` some of them.
    others: Vec<u32>,
    penalty: Penalty,
}

pub(super) fn own(history: &History<'_>, loss: LossKind) -> Result<Own> {
    if history.whose == Whose::Items && loss != LossKind::Logistic {
        return Ok(history.mean());
    }
    let all = history.other().ids().len() as u32;
    let mut others: Vec<u32> = (0..all)
        .filter(|other| history.others.binary_search(other).is_err())
        .collect();
    if loss == LossKind::Bpr {
        let step = others.len().div_ceil(COMPARED).max(1);
        others = others.into_iter().step_by(step).collect();
    }
    let problem = Problem {
        constants: (0..all).map(|other| history.constant(other)).collect(),
        history,
        loss,
        others,
        penalty: history.penalty(),
    };
    let n_factors = history.model.n_factors();
    let solution = descend(
        n_factors,
        LIMITS,
        |at| problem.value(at),
        |at| problem.step(at),
    )?;
    Ok(solution.into())
}

impl Problem<'_, '_> {
    /// ⟨θ, q̃⟩ of a row.
    fn part(&self, other: u32, at: &Solution) -> f64 {
        at.dot(self.history.other_row(other))
    }

    fn score(&self, other: u32, at: &Solution) -> f64 {
        self.constants[other as usize] + self.part(other, at)
    }

    /// What each other counts beside the history in `logistic`.
    fn weight(&self) -> f64 {
        NEGATIVES * self.history.others.len() as f64 / self.others.len().max(1) as f64
    }

    /// e^(x_j/τ) over their sum, and the logarithm of the sum.
    fn shares(&self, temperature: f64, at: &Solution) -> (Vec<f64>, f64) {
        let rows = 0..self.constants.len() as u32;
        let mut shares: Vec<f64> = rows.map(|j| self.score(j, at) / temperature).collect();
        let top = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        shares.iter_mut().for_each(|x| *x = libm::exp(*x - top));
        let sum: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|x| *x /= sum);
        (shares, top + libm::log(sum))
    }

    /// J.
    fn value(&self, at: &Solution) -> f64 {
        let own = self.history.others.iter();
        let fit: f64 = match self.loss {
            LossKind::Softmax { temperature } => {
                let (_, log_sum) = self.shares(temperature, at);
                own.map(|&i| log_sum - self.score(i, at) / temperature)
                    .sum()
            }
            LossKind::Bpr => {
                let others: Vec<f64> = self.others.iter().map(|&j| self.score(j, at)).collect();
                let of_pairs = |x: f64| others.iter().map(|y| Bpr.value(x - y)).sum::<f64>();
                let sum: f64 = own.map(|&i| of_pairs(self.score(i, at))).sum();
                sum / others.len().max(1) as f64
            }
            _ => {
                let yes: f64 = own.map(|&i| Logistic.value(self.score(i, at), 1.0)).sum();
                let no = self.others.iter();
                let no: f64 = no.map(|&j| Logistic.value(self.score(j, at), 0.0)).sum();
                yes + self.weight() * no
            }
        };
        fit + self.penalty.of(at)
    }

    /// Where Newton's parabola has its least.
    fn step(&self, at: &Solution) -> Result<Solution> {
        let mut system = System::new(&self.penalty.clone().doubled())?;
        match self.loss {
            LossKind::Softmax { temperature } => self.softmax(&mut system, temperature, at),
            LossKind::Bpr => self.bpr(&mut system, at),
            _ => {
                let yes = self.history.others.iter().map(|&i| (i, 1.0, 1.0));
                let no = self.others.iter().map(|&j| (j, self.weight(), 0.0));
                for (row, weight, label) in yes.chain(no) {
                    let x = self.score(row, at);
                    let curvature = sigmoid(x) * sigmoid(-x);
                    let parts = (weight * curvature, weight * Logistic.slope(x, label));
                    self.add(&mut system, row, parts, at);
                }
            }
        }
        system.solve(self.history.model.n_factors())
    }

    /// A row whose score has this curvature and slope.
    fn add(&self, system: &mut System, other: u32, (h, g): (f64, f64), at: &Solution) {
        let row = self.history.other_row(other);
        system.add(row, h, self.part(other, at));
        system.pull(row, 1.0, -g);
    }

    /// h = diag π − ππᵀ, g = π of each of the history, over τ² and τ.
    fn softmax(&self, system: &mut System, temperature: f64, at: &Solution) {
        let (shares, _) = self.shares(temperature, at);
        let n = self.history.others.len() as f64;
        let mut mean = vec![0.0f64; self.history.model.n_factors()];
        for (other, &share) in (0..).zip(&shares) {
            let parts = (
                n * share / (temperature * temperature),
                n * share / temperature,
            );
            self.add(system, other, parts, at);
            for (sum, &q) in mean.iter_mut().zip(self.history.other_row(other)) {
                *sum += share * f64::from(q);
            }
        }
        let mean: Vec<f32> = mean.iter().map(|&q| q as f32).collect();
        system.add(&mean, -n / (temperature * temperature), at.dot(&mean));
        for &own in &self.history.others {
            system.pull(self.history.other_row(own), 1.0, 1.0 / temperature);
        }
    }

    /// Of each pair the difference of two rows; its bias is 0 and stays so.
    fn bpr(&self, system: &mut System, at: &Solution) {
        let share = 1.0 / self.others.len().max(1) as f64;
        let mut difference = vec![0.0f32; self.history.model.n_factors()];
        for &i in &self.history.others {
            for &j in &self.others {
                let margin = self.score(i, at) - self.score(j, at);
                let rows = self.history.other_row(i).iter();
                let rows = rows.zip(self.history.other_row(j));
                for (to, (a, b)) in difference.iter_mut().zip(rows) {
                    *to = a - b;
                }
                let curvature = share * sigmoid(margin) * sigmoid(-margin);
                let part = at.dot(&difference) - at.bias;
                system.add_with(&difference, 0.0, curvature, part);
                system.pull(&difference, 0.0, -share * Bpr.slope(margin));
            }
        }
    }
}
