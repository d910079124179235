//! What is the objective and its gradient, one example at a time?
//!
//! The formulas of the chapter's first page as plain loops over ratings in the order they came: dense tables, no passes, no lanes, no threads.
//! [`value`] is what the gradient check differentiates numerically; [`gradient`] is the oracle of [`Gradient`](super::Gradient) in tests, its baseline
//! in benches, and the version to read first.

mod lists;

pub use lists::{of_lists, of_pairs};

use super::{L2Scale, Objective, SidePenalty};
use crate::data::Interactions;
use crate::kernels::{Real, naive};
use crate::loss::{Absolute, CosineEmbedding, Huber, Logistic, LossKind, Pointwise, Squared};
use crate::model::{Link, Parameters, Side, Similarity, Table};

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

/// The rows of both sides as they are scored, each with its bias.
pub(super) struct Rows<T> {
    users: Vec<(Vec<T>, T)>,
    items: Vec<(Vec<T>, T)>,
}

impl<T: Real> Rows<T> {
    /// Composed, and spread over the graph where there is one.
    pub(super) fn of(parameters: &Parameters<T>) -> Rows<T> {
        let all = |side: &Side<T>| {
            (0..side.identity.n_rows())
                .map(|r| composed(side, r))
                .collect()
        };
        let mut rows = Rows {
            users: all(&parameters.users),
            items: all(&parameters.items),
        };
        let Some(graph) = &parameters.graph else {
            return rows;
        };
        let zeros = |rows: &[(Vec<T>, T)]| vec![vec![T::ZERO; rows[0].0.len()]; rows.len()];
        let only = |rows: &[(Vec<T>, T)]| rows.iter().map(|row| row.0.clone()).collect::<Vec<_>>();
        let (mut users, mut items) = (only(&rows.users), only(&rows.items));
        for _ in 0..graph.layers() {
            let (mut next_users, mut next_items) = (zeros(&rows.users), zeros(&rows.items));
            for (u, i, a) in graph.edges() {
                for f in 0..users[u].len() {
                    next_users[u][f] += a * items[i][f];
                    next_items[i][f] += a * users[u][f];
                }
            }
            (users, items) = (next_users, next_items);
            for (rows, more) in [(&mut rows.users, &users), (&mut rows.items, &items)] {
                for (row, more) in rows.iter_mut().zip(more) {
                    row.0.iter_mut().zip(more).for_each(|(x, &more)| *x += more);
                }
            }
        }
        rows
    }
}

/// A score, and where it would go.
pub(super) struct Score<T> {
    /// s.
    pub(super) value: T,
    /// ∂s/∂P_u.
    toward_user: Vec<T>,
    /// ∂s/∂Q_i.
    toward_item: Vec<T>,
}

/// The score of a pair: μ + b_u + b_i + ⟨P_u, Q_i⟩, or the cosine of the two rows.
pub(super) fn score<T: Real>(
    similarity: Similarity,
    global_mean: Option<f64>,
    rows: &Rows<T>,
    user: usize,
    item: usize,
) -> Score<T> {
    let (p_u, user_bias) = rows.users[user].clone();
    let (q_i, item_bias) = rows.items[item].clone();
    let mean = T::from_f64(global_mean.unwrap_or(0.0));
    match similarity {
        Similarity::Dot => Score {
            value: mean + user_bias + item_bias + naive::dot(&p_u, &q_i),
            toward_user: q_i,
            toward_item: p_u,
        },
        Similarity::Cosine => {
            let norm = |row: &[T]| naive::dot(row, row).square_root();
            let (of_p, of_q) = (norm(&p_u), norm(&q_i));
            let cosine = naive::dot(&p_u, &q_i) / (of_p * of_q);
            let toward = |own: &[T], other: &[T], norm: T| {
                let one = |(&own, &other)| other / (of_p * of_q) - cosine * own / (norm * norm);
                own.iter().zip(other).map(one).collect()
            };
            Score {
                value: cosine,
                toward_user: toward(&p_u, &q_i, of_p),
                toward_item: toward(&q_i, &p_u, of_q),
            }
        }
    }
}

/// ℓ and ∂ℓ/∂s of one example.
fn forward(objective: &Objective, link: Link, score: f64, target: f64) -> (f64, f64) {
    fn of(loss: impl Pointwise, link: Link, score: f64, target: f64) -> (f64, f64) {
        let prediction = link.value(score);
        (
            loss.value(prediction, target),
            loss.slope(prediction, target) * link.slope(score),
        )
    }
    match objective.loss {
        LossKind::Squared => of(Squared, link, score, target),
        LossKind::Absolute => of(Absolute, link, score, target),
        LossKind::Huber { width } => of(Huber { width }, link, score, target),
        LossKind::Logistic => of(Logistic, Link::Identity, score, target),
        LossKind::CosineEmbedding { margin } => {
            of(CosineEmbedding { margin }, Link::Identity, score, target)
        }
        loss => panic!("{loss} is no loss of single predictions"),
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
    let rows = Rows::of(parameters);
    let losses = (0..n).map(|e| {
        let (value, _, _) = example(objective, parameters, &rows, ratings, e);
        value
    });
    losses.sum::<f64>() / n as f64 + penalty(objective, parameters, n)
}

/// c·ℓ and c·∂ℓ/∂s of example `e`, and its score.
fn example<T: Real>(
    objective: &Objective,
    parameters: &Parameters<T>,
    rows: &Rows<T>,
    ratings: &Interactions,
    e: usize,
) -> (f64, f64, Score<T>) {
    let (user, item) = (ratings.users[e] as usize, ratings.items[e] as usize);
    let mean = parameters.global_mean;
    let score = score(objective.similarity, mean, rows, user, item);
    let target = f64::from(ratings.ratings[e]);
    let (value, slope) = forward(objective, parameters.link, score.value.to_f64(), target);
    let weight = weight(ratings.weights.as_deref(), e);
    (weight * value, weight * slope, score)
}

/// The weight of example `e`.
fn weight(weights: Option<&[f32]>, e: usize) -> f64 {
    weights.map_or(1.0, |weights| f64::from(weights[e]))
}

/// (1/N) Σ_rows λ·s_row·‖θ_row‖².
fn penalty<T: Real>(objective: &Objective, parameters: &Parameters<T>, n: usize) -> f64 {
    let squared = |x: T| x.to_f64() * x.to_f64();
    let mut total = 0.0;
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
    let rows = Rows::of(parameters);
    let mut sum = zeros(parameters);
    let mut loss = 0.0;
    for e in 0..n {
        let (value, slope, score) = example(objective, parameters, &rows, ratings, e);
        loss += value;
        let pair = (ratings.users[e] as usize, ratings.items[e] as usize);
        push(&mut sum, pair, T::from_f64(slope / n as f64), &score);
    }
    finish(&mut sum, objective, parameters, n);
    (sum, loss)
}

/// Zeros of the parameters' shapes.
fn zeros<T: Real>(parameters: &Parameters<T>) -> Parameters<T> {
    let mut zeros = parameters.clone();
    for side in [&mut zeros.users, &mut zeros.items] {
        side.tables_mut()
            .for_each(|table| *table = table.zeros_like());
    }
    zeros
}

/// Steps 2 and 3 for one score, both sides. Where rows spread, step 3 waits for the end, and the gradients of the rows gather in the identity tables.
fn push<T: Real>(
    sum: &mut Parameters<T>,
    (user, item): (usize, usize),
    slope: T,
    score: &Score<T>,
) {
    let waits = sum.graph.is_some();
    for (side, r, toward) in [
        (&mut sum.users, user, &score.toward_user),
        (&mut sum.items, item, &score.toward_item),
    ] {
        match waits {
            true => add(&mut side.identity, r, slope, toward),
            false => hand_on(side, r, slope, toward),
        }
    }
}

/// Steps 2 and 3 for one example and one side: ∂row += slope·toward, through the weights of the features.
pub(super) fn hand_on<T: Real>(gradient: &mut Side<T>, r: usize, slope: T, toward: &[T]) {
    add(&mut gradient.identity, r, slope, toward);
    for group in &mut gradient.groups {
        for (f, weight) in group.features.row(r) {
            let slope = slope * T::from_f32(weight);
            add(&mut group.table, f as usize, slope, toward);
        }
    }
}

/// Where rows spread: back over the graph, and step 3. Then step 4.
fn finish<T: Real>(
    sum: &mut Parameters<T>,
    objective: &Objective,
    parameters: &Parameters<T>,
    n: usize,
) {
    if sum.graph.is_some() {
        // Gradients spread as rows do.
        let rows = Rows::of(&Parameters {
            users: alone(&sum.users),
            items: alone(&sum.items),
            ..sum.clone()
        });
        for (side, rows) in [(&mut sum.users, rows.users), (&mut sum.items, rows.items)] {
            for (r, (row, _)) in rows.iter().enumerate() {
                side.identity.row_mut(r).copy_from_slice(row);
                for group in &mut side.groups {
                    for (f, weight) in group.features.row(r) {
                        add(&mut group.table, f as usize, T::from_f32(weight), row);
                    }
                }
            }
        }
    }
    let Parameters { users, items, .. } = sum;
    for (gradient, side, penalty) in [
        (users, &parameters.users, &objective.users),
        (items, &parameters.items, &objective.items),
    ] {
        let rows = penalties(side, penalty, objective.l2_scale, n);
        for ((gradient, table), rows) in gradient.tables_mut().zip(side.tables()).zip(rows) {
            add_penalty(gradient, table, &rows);
        }
    }
}

/// A side without its groups.
fn alone<T: Real>(side: &Side<T>) -> Side<T> {
    Side {
        groups: Vec::new(),
        ..side.clone()
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
