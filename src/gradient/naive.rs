//! What is the objective and its gradient, one example at a time?
//!
//! The formulas of the chapter's first page as plain loops over ratings in the order they came: dense tables, no passes, no lanes, no threads.
//! [`value`] is what the gradient check differentiates numerically; [`gradient`] is the oracle of [`Gradient`](super::Gradient) in tests, its baseline
//! in benches, and the version to read first.

use super::{L2Scale, Objective, SidePenalty};
use crate::data::Interactions;
use crate::kernels::{Real, naive};
use crate::loss::{LossKind, Pointwise, Squared};
use crate::model::{Parameters, Side, Table};

/// The composed row r of a side, and its bias.
pub(super) fn composed<T: Real>(side: &Side<T>, r: usize) -> (Vec<T>, T) {
    let mut row = side.identity.row(r).to_vec();
    let mut bias = side
        .identity
        .bias_slice()
        .map_or(T::ZERO, |biases| biases[r]);
    for group in &side.groups {
        for (f, weight) in group.features.row(r) {
            let weight = T::from_f32(weight);
            for (x, &of_feature) in row.iter_mut().zip(group.table.row(f as usize)) {
                *x += weight * of_feature;
            }
            bias += group
                .table
                .bias_slice()
                .map_or(T::ZERO, |biases| weight * biases[f as usize]);
        }
    }
    (row, bias)
}

/// ℓ and ∂ℓ/∂s of one example, with the composed rows that it joins.
struct Forward<T> {
    value: f64,
    slope: f64,
    p_u: Vec<T>,
    q_i: Vec<T>,
}

fn forward<T: Real>(
    objective: &Objective,
    parameters: &Parameters<T>,
    user: usize,
    item: usize,
    target: f64,
) -> Forward<T> {
    let (p_u, user_bias) = composed(&parameters.users, user);
    let (q_i, item_bias) = composed(&parameters.items, item);
    let mean = T::from_f64(parameters.global_mean.unwrap_or(0.0));
    let score = (mean + user_bias + item_bias + naive::dot(&p_u, &q_i)).to_f64();
    let prediction = parameters.link.value(score);
    let (value, slope) = match objective.loss {
        LossKind::Squared => (
            Squared.value(prediction, target),
            Squared.slope(prediction, target),
        ),
    };
    Forward {
        value,
        slope: slope * parameters.link.slope(score),
        p_u,
        q_i,
    }
}

/// λ·s_row/N of the factors and of the biases of each row of each table of a side.
fn penalties<'a, T: Real>(
    side: &'a Side<T>,
    penalty: &'a SidePenalty,
    scale: L2Scale,
    n_examples: usize,
) -> impl Iterator<Item = Vec<(f64, f64)>> + 'a {
    side.tables()
        .zip(&penalty.tables)
        .zip(&penalty.counts)
        .map(move |((table, lambda), counts)| {
            let row = |r: usize| {
                let s_row = match (counts[r], scale) {
                    (0, _) => 0.0,
                    (_, L2Scale::Row) => 1.0,
                    (n, L2Scale::Rating) => f64::from(n),
                } / n_examples as f64;
                (lambda.factors * s_row, lambda.biases * s_row)
            };
            (0..table.n_rows()).map(row).collect()
        })
}

/// J, the whole objective over `ratings`, the training set.
pub fn value<T: Real>(
    objective: &Objective,
    parameters: &Parameters<T>,
    ratings: &Interactions,
) -> f64 {
    let n = ratings.len();
    let mut total = 0.0;
    for e in 0..n {
        let (user, item) = (ratings.users[e] as usize, ratings.items[e] as usize);
        let weight = ratings
            .weights
            .as_ref()
            .map_or(1.0, |weights| f64::from(weights[e]));
        total += weight
            * forward(
                objective,
                parameters,
                user,
                item,
                f64::from(ratings.ratings[e]),
            )
            .value
            / n as f64;
    }
    let squared = |x: T| x.to_f64() * x.to_f64();
    for (side, penalty) in [
        (&parameters.users, &objective.users),
        (&parameters.items, &objective.items),
    ] {
        for (table, rows) in side
            .tables()
            .zip(penalties(side, penalty, objective.l2_scale, n))
        {
            for (r, (of_factors, of_biases)) in rows.into_iter().enumerate() {
                total += of_factors * table.row(r).iter().map(|&x| squared(x)).sum::<f64>();
                total += of_biases * table.bias_slice().map_or(0.0, |biases| squared(biases[r]));
            }
        }
    }
    total
}

/// ∂J over `ratings`, the training set, as tables of the parameters' shapes; and Σ c·ℓ.
pub fn gradient<T: Real>(
    objective: &Objective,
    parameters: &Parameters<T>,
    ratings: &Interactions,
) -> (Parameters<T>, f64) {
    let n = ratings.len();
    let mut gradient = parameters.clone();
    for side in [&mut gradient.users, &mut gradient.items] {
        side.tables_mut()
            .for_each(|table| *table = table.zeros_like());
    }
    let mut loss = 0.0;
    for e in 0..n {
        let (user, item) = (ratings.users[e] as usize, ratings.items[e] as usize);
        let weight = ratings
            .weights
            .as_ref()
            .map_or(1.0, |weights| f64::from(weights[e]));
        let example = forward(
            objective,
            parameters,
            user,
            item,
            f64::from(ratings.ratings[e]),
        );
        loss += weight * example.value;
        let slope = T::from_f64(weight * example.slope / n as f64);
        hand_on(&mut gradient.users, user, slope, &example.q_i);
        hand_on(&mut gradient.items, item, slope, &example.p_u);
    }
    for (gradient, side, penalty) in [
        (&mut gradient.users, &parameters.users, &objective.users),
        (&mut gradient.items, &parameters.items, &objective.items),
    ] {
        let rows = penalties(side, penalty, objective.l2_scale, n);
        for ((gradient, table), rows) in gradient.tables_mut().zip(side.tables()).zip(rows) {
            add_penalty(gradient, table, &rows);
        }
    }
    (gradient, loss)
}

/// Steps 2 and 3 for one example and one side: ∂row += slope·other, through the weights of the features.
pub(super) fn hand_on<T: Real>(gradient: &mut Side<T>, r: usize, slope: T, other: &[T]) {
    add(&mut gradient.identity, r, slope, other);
    for group in &mut gradient.groups {
        for (f, weight) in group.features.row(r) {
            add(
                &mut group.table,
                f as usize,
                slope * T::from_f32(weight),
                other,
            );
        }
    }
}

fn add<T: Real>(table: &mut Table<T>, r: usize, slope: T, other: &[T]) {
    for (g, &x) in table.row_mut(r).iter_mut().zip(other) {
        *g += slope * x;
    }
    if let Some(biases) = table.bias_slice_mut() {
        biases[r] += slope;
    }
}

/// Step 4: ∂θ += 2·(λ·s_row/N)·θ.
fn add_penalty<T: Real>(gradient: &mut Table<T>, table: &Table<T>, rows: &[(f64, f64)]) {
    for (r, &(of_factors, of_biases)) in rows.iter().enumerate() {
        for (g, &x) in gradient.row_mut(r).iter_mut().zip(table.row(r)) {
            *g += T::from_f64(2.0 * of_factors) * x;
        }
        if let (Some(gradient), Some(biases)) = (gradient.bias_slice_mut(), table.bias_slice()) {
            gradient[r] += T::from_f64(2.0 * of_biases) * biases[r];
        }
    }
}
