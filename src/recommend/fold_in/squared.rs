//! Which row fits the ratings?
//!
//! ```text
//! J(p, b) = Σ_H (link(s_i) − r_i)² + λ‖p‖² + λ_b b²,      s_i = c_i + b + ⟨p, Q_i⟩
//! ```
//!
//! With the identity as link that is a ridge regression, solved at once. Of another link the straight line at the score is taken instead (Gauss and Newton): with g = link'(s) the equations have the weights g² and the targets
//! ⟨p, Q_i⟩ + b + (r_i − link(s_i))/g. A step that does not lessen J is halved until it does, so J falls until it stands still.

use super::ridge::{Equations, Solution};
use super::{History, Own};
use crate::Result;

/// Steps, and halvings of one step; J stands still long before.
const STEPS: usize = 100;
const HALVINGS: usize = 40;
/// J that falls by less than this share of itself stands still.
const STILL: f64 = 1e-14;
/// A slope below this is taken for it: a score far out on a sigmoid says nothing, and is not divided by.
const LEAST_SLOPE: f64 = 1e-6;

pub(super) fn own(history: &History<'_>) -> Result<Own> {
    let constants: Vec<f64> = history.items.iter().map(|&i| history.constant(i)).collect();
    let n_factors = history.model.n_factors();
    let mut equations = Equations {
        rows: history.items.iter().map(|&i| history.item_row(i)).collect(),
        weights: vec![1.0; constants.len()],
        targets: vec![0.0; constants.len()],
        penalty: history.penalty(),
    };
    let mut at = Solution {
        factors: vec![0.0; n_factors],
        bias: 0.0,
    };
    let mut value = objective(history, &equations, &constants, &at);
    for _ in 0..STEPS {
        let link = history.model.link();
        for (n, constant) in constants.iter().enumerate() {
            let own = dot(equations.rows[n], &at);
            let score = constant + own;
            let slope = link.slope(score).max(LEAST_SLOPE);
            equations.weights[n] = slope * slope;
            equations.targets[n] = own + (history.ratings[n] - link.value(score)) / slope;
        }
        let next = equations.solve()?;
        let mut share = 1.0;
        let better = (0..HALVINGS).find_map(|_| {
            let there = between(&at, &next, share);
            let value_there = objective(history, &equations, &constants, &there);
            share *= 0.5;
            (value_there < value).then_some((there, value_there))
        });
        let Some((there, value_there)) = better else {
            break;
        };
        let still = value - value_there <= STILL * value;
        (at, value) = (there, value_there);
        if still {
            break;
        }
    }
    Ok(Own {
        factors: at.factors,
        bias: at.bias,
        spread: None,
    })
}

/// b + ⟨p, Q_i⟩.
fn dot(row: &[f32], at: &Solution) -> f64 {
    let products = row.iter().zip(&at.factors).map(|(&q, p)| f64::from(q) * p);
    at.bias + products.sum::<f64>()
}

fn between(from: &Solution, to: &Solution, share: f64) -> Solution {
    let part = |a: f64, b: f64| a + share * (b - a);
    let both = from.factors.iter().zip(&to.factors);
    Solution {
        factors: both.map(|(&a, &b)| part(a, b)).collect(),
        bias: part(from.bias, to.bias),
    }
}

/// J.
fn objective(
    history: &History<'_>,
    equations: &Equations<'_>,
    constants: &[f64],
    at: &Solution,
) -> f64 {
    let link = history.model.link();
    let scores = equations
        .rows
        .iter()
        .zip(constants)
        .map(|(row, c)| c + dot(row, at));
    let errors = scores.zip(&history.ratings).map(|(s, r)| link.value(s) - r);
    let fit: f64 = errors.map(|error| error * error).sum();
    let penalty = &equations.penalty;
    let squares = penalty
        .factors
        .iter()
        .zip(&at.factors)
        .map(|(l2, p)| l2 * p * p);
    let of_bias = penalty.bias.map_or(0.0, |l2| l2 * at.bias * at.bias);
    fit + squares.sum::<f64>() + of_bias
}
