//! How does a relevant item do against a few drawn ones?
//!
//! ```text
//! for each user, for each relevant item i:    N items drawn of those that the user neither took in training nor in the test, all different
//!     rank of i among those N and itself      1 … N + 1
//! a user's figure is the mean over the relevant items, as if each were the only one; then the mean over users
//! ```
//!
//! Such figures are far greater than those over the whole catalogue, depend on N, and can order two models the other way round (Krichene and Rendle, *On Sampled Metrics for Item Recommendation*,
//! 2020). They are measured only when asked for, to compare with papers that report them, and say everywhere that they are sampled.
//!
//! A relevant item that training never saw is missed. Where fewer than N items are left, all of them are taken. Each user has a random stream of its own: threads and other users change nothing.

use super::rankers::{Ranking, seen};
use super::ranking::{Measured, TestUsers, mean};
use crate::Model;
use crate::kernels::pool::Pool;
use crate::metrics::{Hits, Kind, Metric};
use crate::random::Stream;

/// Users of a task.
const TASK: usize = 128;

/// Those of `metrics` that have [`negatives`](Metric::negatives), in their order.
pub fn measure_sampled(
    ranking: &impl Ranking,
    model: &Model,
    test: &TestUsers,
    metrics: &[Metric],
    seed: u64,
    pool: &Pool,
) -> Vec<Measured> {
    let metrics = metrics.iter().copied().filter(|m| m.negatives.is_some());
    let metrics: Vec<Metric> = metrics.collect();
    let Some(n) = metrics.first().and_then(|metric| metric.negatives) else {
        return Vec::new();
    };
    let places: Vec<usize> = (0..test.users.len()).collect();
    let values = pool.map(places.chunks(TASK).collect(), |places: &[usize]| {
        let of_user = |&place: &usize| {
            let user = test.users[place];
            let relevant = test.relevant.row(place);
            let hits = hits(
                ranking,
                (user, seen(model, user)),
                relevant,
                model,
                (n, seed),
            );
            let of = |metric: &Metric| mean(hits.iter().map(|hits| value(hits, *metric)));
            metrics.iter().map(of).collect::<Vec<f64>>()
        };
        places.iter().map(of_user).collect::<Vec<_>>()
    });
    let values: Vec<Vec<f64>> = values.into_iter().flatten().collect();
    let measured = |(m, &metric): (usize, &Metric)| {
        let of_users: Vec<f64> = values.iter().map(|of_user| of_user[m]).collect();
        Measured {
            metric,
            value: mean(of_users.iter().copied()),
            of_users: Some(of_users),
        }
    };
    metrics.iter().enumerate().map(measured).collect()
}

/// Where each relevant item of a user stands among `n` drawn ones.
fn hits(
    ranking: &impl Ranking,
    (user, seen): (u32, &[u32]),
    relevant: &[u32],
    model: &Model,
    (n, seed): (usize, u64),
) -> Vec<Hits> {
    let n_items = model.items().ids().len() as u32;
    let is_open =
        |item: &u32| seen.binary_search(item).is_err() && relevant.binary_search(item).is_err();
    let mut open: Vec<u32> = (0..n_items).filter(is_open).collect();
    let mut stream = Stream::new(seed, &format!("negatives.{user}"));
    let hits = relevant.iter().map(|&item| {
        if item >= n_items {
            return Hits::at(Vec::new(), 1);
        }
        // The first steps of a shuffle: n different items, each set equally likely.
        let n = n.min(open.len());
        for at in 0..n {
            let other = at + stream.below((open.len() - at) as u64) as usize;
            open.swap(at, other);
        }
        let candidates: Vec<u32> = std::iter::once(item)
            .chain(open[..n].iter().copied())
            .collect();
        let scores = ranking.scores(user, &candidates);
        let own = scores[0];
        let before = |pair: &(&f32, &u32)| {
            let (score, other) = (*pair.0, *pair.1);
            score > own || (score == own && other < item) || (own.is_nan() && !score.is_nan())
        };
        let rank = 1 + scores.iter().zip(&candidates).filter(before).count();
        Hits::at(vec![rank], 1)
    });
    hits.collect()
}

fn value(hits: &Hits, metric: Metric) -> f64 {
    let n = metric.cutoff.unwrap_or(usize::MAX);
    match metric.kind {
        Kind::Precision => hits.precision(n),
        Kind::Recall => hits.recall(n),
        Kind::Ndcg => hits.ndcg(n),
        Kind::Map => hits.average_precision(n),
        Kind::Mrr => hits.reciprocal_rank(n),
        Kind::Hit => hits.hit(n),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rankers::{OfModel, everybody};
    use super::super::ranking::measure;
    use super::*;
    use crate::data::Interactions;
    use crate::model::example;

    fn of(names: &[(&str, usize)], rows: &[(u32, u32)], threads: usize, seed: u64) -> Vec<f64> {
        let model = example::model();
        let test = Interactions {
            users: rows.iter().map(|row| row.0).collect(),
            items: rows.iter().map(|row| row.1).collect(),
            ratings: vec![1.0; rows.len()],
            ..Interactions::default()
        };
        let users = TestUsers::new(&model, &test, None);
        let recommender = everybody(&model, 4).unwrap();
        let ranking = OfModel::new(&model, &recommender);
        let metric = |&(name, n): &(&str, usize)| Metric {
            negatives: Some(n),
            ..name.parse().unwrap()
        };
        let metrics: Vec<Metric> = names.iter().map(metric).collect();
        let pool = Pool::new(threads);
        let found = measure_sampled(&ranking, &model, &users, &metrics, seed, &pool);
        // They are no business of those who rank everything.
        assert!(measure(&ranking, &model, &users, &metrics, &pool).is_empty());
        found.iter().map(|measured| measured.value).collect()
    }

    #[test]
    fn with_all_items_drawn_it_can_be_worked_by_hand() {
        // ann has seen m1; m3 ties with m2 (index) and beats m4: rank 2 of 3. m77 cannot be found.
        // bob has m1 and m3 in the test and m2, m4 in training: nothing is left to draw, both are first.
        let rows = [(0, 2), (0, 77), (1, 0), (1, 2)];
        let names = [
            ("mrr@10", 50),
            ("recall@1", 50),
            ("ndcg@2", 50),
            ("precision@2", 50),
        ];
        let found = of(&names, &rows, 1, 1);
        let log3 = libm::log2(3.0);
        let wanted = [
            ((0.5 + 0.0) / 2.0 + 1.0) / 2.0,
            (0.0 + 1.0) / 2.0,
            ((1.0 / log3 + 0.0) / 2.0 + 1.0) / 2.0,
            ((0.5 + 0.0) / 2.0 + 0.5) / 2.0,
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn draws_follow_from_the_seed_and_are_even() {
        let names = [("mrr@10", 1)];
        // A stranger's m4 (2¾) loses to whichever of the others is drawn.
        let last: Vec<(u32, u32)> = (0..600).map(|n| (10 + n, 3)).collect();
        assert_eq!(of(&names, &last, 1, 5), [0.5]);
        // m3 (3) loses to m2 (3¼) and to m1 (3, a lower index), and beats m4: ⅔·½ + ⅓·1, five deviations of 600 draws.
        let rows: Vec<(u32, u32)> = (0..600).map(|n| (10 + n, 2)).collect();
        let found = of(&names, &rows, 1, 5)[0];
        assert_eq!(of(&names, &rows, 3, 5), [found]);
        assert_ne!(of(&names, &rows, 1, 6), [found]);
        assert!(
            (found - 2.0 / 3.0).abs() < 5.0 * 0.236 / 600f64.sqrt(),
            "{found}"
        );
    }
}
