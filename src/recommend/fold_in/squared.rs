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
use super::ridge::{Equations, Limits, Penalty, Solution, descend};
use crate::Result;
use crate::loss::{Huber, LossKind, Pointwise};

/// J stands still long before.
const LIMITS: Limits = Limits {
    steps: 100,
    halvings: 40,
    still: 1e-14,
};
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
    let link = history.model.link();
    // What stays as it is while the equations change with every step.
    let (rows, penalty) = (equations.rows.clone(), equations.penalty.clone());
    let value = |at: &Solution| objective(history, loss, (&rows, &penalty), &constants, at);
    let solution = descend(n_factors, LIMITS, value, |at| {
        for (n, constant) in constants.iter().enumerate() {
            let own = at.dot(equations.rows[n]);
            let score = constant + own;
            let slope = link.slope(score).max(LEAST_SLOPE);
            let error = link.value(score) - history.ratings[n];
            equations.weights[n] = weight(loss, error) * slope * slope;
            equations.targets[n] = own - error / slope;
        }
        equations.solve()
    })?;
    Ok(solution.into())
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
    (rows, penalty): (&[&[f32]], &Penalty),
    constants: &[f64],
    at: &Solution,
) -> f64 {
    let link = history.model.link();
    let scores = rows.iter().zip(constants).map(|(row, c)| c + at.dot(row));
    let errors = scores.zip(&history.ratings).map(|(s, r)| link.value(s) - r);
    let fit: f64 = errors.map(|error| value(loss, error)).sum();
    fit + penalty.of(at)
}
