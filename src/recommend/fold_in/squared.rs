//! Which row fits the ratings?
//!
//! ```text
//! J(p, b) = Σ_H ℓ(link(s_i) − r_i) + λ‖p‖² + λ_b b²,      s_i = c_i + b + ⟨p, Q_i⟩
//! ```
//!
//! With the identity as link and the squared error e² that is a ridge regression, solved at once. Of another link the straight line at the score is taken instead (Gauss and Newton), of another loss the parabola ½·ℓ'(e)/e·e² that touches it
//! at the error (iteratively reweighted squares): with g = link'(s) and v = ½·ℓ'(e)/e the equations have the weights v·g² and the targets ⟨p, Q_i⟩ + b + (r_i − link(s_i))/g. A step that does not lessen J is halved until it
//! does, so J falls until it stands still.

use super::history::{History, Own};
use super::ridge::{Equations, Solution};
use crate::Result;
use crate::loss::{Huber, LossKind, Pointwise};

/// Steps, and halvings of one step; J stands still long before.
const STEPS: usize = 100;
const HALVINGS: usize = 40;
/// J that falls by less than this share of itself stands still.
const STILL: f64 = 1e-14;
/// A slope below this is taken for it: a score far out on a sigmoid says nothing, and is not divided by.
const LEAST_SLOPE: f64 = 1e-6;

/// An error below this is taken for it where the absolute error has its kink: there no parabola touches.
const LEAST_ERROR: f64 = 1e-6;

pub(super) fn own(history: &History<'_>, loss: LossKind) -> Result<Own> {
    let others = &history.others;
    let constants: Vec<f64> = others.iter().map(|&i| history.constant(i)).collect();
    let n_factors = history.model.n_factors();
    let mut equations = Equations {
        rows: others.iter().map(|&i| history.other_row(i)).collect(),
        weights: vec![1.0; constants.len()],
        targets: vec![0.0; constants.len()],
        penalty: history.penalty(),
    };
    let mut at = Solution {
        factors: vec![0.0; n_factors],
        bias: 0.0,
    };
    let mut value = objective(history, loss, &equations, &constants, &at);
    for _ in 0..STEPS {
        let link = history.model.link();
        for (n, constant) in constants.iter().enumerate() {
            let own = at.dot(equations.rows[n]);
            let score = constant + own;
            let slope = link.slope(score).max(LEAST_SLOPE);
            let error = link.value(score) - history.ratings[n];
            equations.weights[n] = weight(loss, error) * slope * slope;
            equations.targets[n] = own - error / slope;
        }
        let next = equations.solve()?;
        let mut share = 1.0;
        let better = (0..HALVINGS).find_map(|_| {
            let there = at.towards(&next, share);
            let value_there = objective(history, loss, &equations, &constants, &there);
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

/// ℓ of an error.
fn value(loss: LossKind, error: f64) -> f64 {
    match loss {
        LossKind::Absolute => error.abs(),
        LossKind::Huber { width } => Huber { width }.value(error, 0.0),
        _ => error * error,
    }
}

/// ½·ℓ'(e)/e.
fn weight(loss: LossKind, error: f64) -> f64 {
    let error = error.abs().max(LEAST_ERROR);
    match loss {
        LossKind::Absolute => 0.5 / error,
        LossKind::Huber { width } => 0.5 * Huber { width }.slope(error, 0.0) / error,
        _ => 1.0,
    }
}

/// J.
fn objective(
    history: &History<'_>,
    loss: LossKind,
    equations: &Equations<'_>,
    constants: &[f64],
    at: &Solution,
) -> f64 {
    let link = history.model.link();
    let scores = equations
        .rows
        .iter()
        .zip(constants)
        .map(|(row, c)| c + at.dot(row));
    let errors = scores.zip(&history.ratings).map(|(s, r)| link.value(s) - r);
    let fit: f64 = errors.map(|error| value(loss, error)).sum();
    fit + equations.penalty.of(at)
}
