//! What is the objective of pairs and of lists, and its gradient, one score at a time?
//!
//! As the page before: plain loops, no matrix, no lanes. `moves` says whether the gradient is wanted too, because the gradient check asks for values by the thousand.

use super::{Rows, finish, penalty, push, score, weight, zeros};
use crate::data::layout::{Candidates, Lists, Pairs};
use crate::gradient::{Objective, lists};
use crate::kernels::Real;
use crate::loss::{Bpr, CosineContrastive, List, Listwise, LossKind, Pairwise, Softmax};
use crate::model::{Parameters, Similarity};

/// J over all `pairs`, and ∂J as tables of the parameters' shapes.
pub fn of_pairs<T: Real>(
    objective: &Objective,
    parameters: &Parameters<T>,
    pairs: &Pairs,
    moves: bool,
) -> (f64, Parameters<T>) {
    let n = pairs.len();
    let examples = &pairs.examples;
    let rows = Rows::of(parameters);
    let of = |user: usize, item: usize| score(objective.similarity, None, &rows, user, item);
    let mut sum = zeros(parameters);
    let mut loss = 0.0;
    for e in (0..2 * n).step_by(2) {
        let user = examples.users[e] as usize;
        let [i, j] = [examples.items[e] as usize, examples.items[e + 1] as usize];
        let [of_i, of_j] = [of(user, i), of(user, j)];
        let margin = (of_i.value - of_j.value).to_f64();
        let weight = weight(examples.weights.as_deref(), e);
        loss += weight * Bpr.value(margin);
        if moves {
            let slope = T::from_f64(weight * Bpr.slope(margin) / n as f64);
            push(&mut sum, (user, i), slope, &of_i);
            push(&mut sum, (user, j), -slope, &of_j);
        }
    }
    finish(&mut sum, objective, parameters, n);
    (loss / n as f64 + penalty(objective, parameters, n), sum)
}

/// J over all `lists`, and ∂J as tables of the parameters' shapes.
pub fn of_lists<T: Real>(
    objective: &Objective,
    parameters: &Parameters<T>,
    lists: &Lists<'_>,
    moves: bool,
) -> (f64, Parameters<T>) {
    let positives = &lists.positives;
    let n = positives.len();
    let everything: Vec<u32> = (0..parameters.items.identity.n_rows() as u32).collect();
    let (candidates, corrections) = match &lists.candidates {
        Candidates::Everything => (&everything, None),
        Candidates::Sample(sample) => (&sample.items, Some(&sample.corrections)),
    };
    let temperature = lists::temperature(objective.loss);
    let rows = Rows::of(parameters);
    let mut sum = zeros(parameters);
    let mut loss = 0.0;
    for range in &positives.by_user {
        let user = range.row as usize;
        let of = |item: u32| score(objective.similarity, None, &rows, user, item as usize);
        let own: Vec<_> = positives.items[range.range()]
            .iter()
            .map(|&item| of(item))
            .collect();
        let others: Vec<_> = candidates.iter().map(|&item| of(item)).collect();
        let is_out = |item: &u32| {
            lists
                .left_out
                .is_some_and(|out| out.row(user).contains(item))
        };
        let mut slopes: Vec<T> = own.iter().map(|score| score.value).collect();
        let mut of_others: Vec<T> = (0..candidates.len())
            .map(|at| match is_out(&candidates[at]) {
                true => T::from_f64(f64::NEG_INFINITY),
                false => {
                    let odds = corrections.map_or(0.0, |odds| f64::from(odds[at]));
                    others[at].value - T::from_f64(temperature * odds)
                }
            })
            .collect();
        let weights: Vec<T> = range
            .range()
            .map(|e| T::from_f64(weight(positives.weights.as_deref(), e)))
            .collect();
        loss += differentiate(
            objective.loss,
            List {
                positives: &mut slopes,
                weights: &weights,
                negatives: &mut of_others,
                everything: corrections.is_none(),
            },
        );
        if moves {
            let items = positives.items[range.range()].iter().chain(candidates);
            let scores = own.iter().chain(&others);
            for ((item, slope), score) in items.zip(slopes.iter().chain(&of_others)).zip(scores) {
                let slope = T::from_f64(slope.to_f64() / n as f64);
                push(&mut sum, (user, *item as usize), slope, score);
            }
        }
    }
    if let (Similarity::Dot, Some(biases)) =
        (objective.similarity, sum.users.identity.bias_slice_mut())
    {
        // A user's bias raises all scores of its list alike.
        biases.fill(T::ZERO);
    }
    finish(&mut sum, objective, parameters, n);
    (loss / n as f64 + penalty(objective, parameters, n), sum)
}

fn differentiate<T: Real>(loss: LossKind, list: List<'_, T>) -> f64 {
    match loss {
        LossKind::Softmax { temperature } => Softmax { temperature }.differentiate(list),
        LossKind::CosineContrastive {
            margin,
            negative_weight,
        } => CosineContrastive {
            margin,
            negative_weight,
        }
        .differentiate(list),
        loss => panic!("{loss} is no loss of lists"),
    }
}
