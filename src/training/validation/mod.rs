//! How well do the tables do on what they were not trained on?
//!
//! | file | question |
//! |---|---|
//! | here | how wrong are predictions of held-out ratings? |
//! | `lists` | where do held-out items stand in the lists that the tables make? |
//!
//! The same numbers that the finished model will predict: composed rows, score, link, clipping. A user or item that training never saw has no row; its terms are 0,
//! and without μ the training mean stands in, as in [`Scorer`](crate::model::Scorer). All held-out ratings count.

mod lists;

pub(super) use lists::Lists;

use crate::data::Interactions;
use crate::kernels::Real;
use crate::kernels::pool::Pool;
use crate::metrics::RatingErrors;
use crate::model::{Clip, Parameters, Similarity, Table, forward};

/// Ratings per task; a constant, so that the order of sums depends on the data alone.
const RATINGS_PER_TASK: usize = 16_384;

/// What finished predictions need beside the parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Predictions {
    pub(super) training_mean: f64,
    pub(super) clip: Option<Clip>,
    /// How two rows make a score; lists are judged by it.
    pub(super) similarity: Similarity,
}

/// The errors of the parameters on `ratings`.
pub(super) fn errors<T: Real>(
    parameters: &Parameters<T>,
    predictions: Predictions,
    ratings: &Interactions,
    pool: &Pool,
) -> RatingErrors {
    let (mut user_scratch, mut item_scratch) = (None, None);
    let users = parameters.users.compose_all(&mut user_scratch);
    let items = parameters.items.compose_all(&mut item_scratch);
    let zeros = vec![T::ZERO; users.stride()];
    let known =
        |table: &Table<T>, row: u32| ((row as usize) < table.n_rows()).then_some(row as usize);
    let mean = T::from_f64(parameters.global_mean.unwrap_or(0.0));

    let predict = |user: u32, item: u32| {
        let (user, item) = (known(users, user), known(items, item));
        if parameters.global_mean.is_none() && (user.is_none() || item.is_none()) {
            return predictions.training_mean as f32;
        }
        let row = |table: &'_ Table<T>, r: Option<usize>| {
            r.map_or(T::ZERO, |r| table.bias_slice().map_or(T::ZERO, |b| b[r]))
        };
        let p_u = user.map_or(&zeros[..], |r| users.row(r));
        let q_i = item.map_or(&zeros[..], |r| items.row(r));
        let score = forward::score(mean, row(users, user), row(items, item), p_u, q_i);
        let prediction = parameters.link.value(score.to_f64()) as f32;
        predictions
            .clip
            .map_or(prediction, |clip| clip.apply(prediction))
    };
    let starts = (0..ratings.len()).step_by(RATINGS_PER_TASK).collect();
    let parts = pool.map(starts, |start: usize| {
        let end = (start + RATINGS_PER_TASK).min(ratings.len());
        (start..end)
            .map(|n| {
                (
                    f64::from(predict(ratings.users[n], ratings.items[n])),
                    f64::from(ratings.ratings[n]),
                )
            })
            .collect::<RatingErrors>()
    });
    let mut errors = RatingErrors::default();
    parts.iter().for_each(|part| errors.merge(part));
    errors
}
