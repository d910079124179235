//! How good are the lists that a model makes?
//!
//! ```text
//! candidates(u) = all items of the model − those that u rated in training                 as `recommend` has them
//! relevant(u)   = u's items in the test set (with a rating of at least a threshold, if there is one) − those that u rated in training
//! ```
//!
//! The whole catalogue is ranked, not a sample of it: metrics over samples order models differently (Krichene and Rendle, 2020). Lists and scores are those of `recommend --all`, to the last bit.
//!
//! | edge | rule |
//! |---|---|
//! | a user without a relevant item | left out of the means over relevance, and counted; the list still counts for coverage, novelty, Gini and overlap |
//! | a test user whom training never saw | gets what the model gives any stranger |
//! | a test item that training never saw | relevant, and missed |
//! | a test pair that is in training too | can be neither listed nor missed: left out, and counted |
//!
//! Users are taken in blocks that the test set alone cuts; every sum is in the order of the users.

use super::rankers::seen;
pub use super::rankers::{OfModel, OfNeighbours, OfPopularity, Ranking, everybody};
use crate::Model;
use crate::data::{Csr, Interactions};
use crate::evaluation::baselines::Popularity;
use crate::kernels::pool::Pool;
use crate::metrics::{Hits, Kind, Metric, coverage, exposures, gini, novelty, overlap};

/// Users of a task.
const TASK: usize = 128;
/// Tasks whose lists are in memory at once.
const ROUND: usize = 16;

/// The users of a test set and what is relevant for each.
#[derive(Clone, Debug)]
pub struct TestUsers {
    /// Rising; one beyond the model's ids is a stranger.
    pub users: Vec<u32>,
    /// The relevant items of each, rising.
    pub relevant: Csr,
    /// Distinct relevant pairs that are left out because they are in training too.
    pub n_leaked: u64,
}

impl TestUsers {
    /// Of a test set; `at_least` is the rating from which a row is relevant, every row is without.
    pub fn new(model: &Model, test: &Interactions, at_least: Option<f32>) -> TestUsers {
        let mut users = test.users.clone();
        users.sort_unstable();
        users.dedup();
        let place = |user: u32| users.partition_point(|&u| u < user) as u32;
        let rows =
            (0..test.len()).filter(|&n| at_least.is_none_or(|least| test.ratings[n] >= least));
        let pairs = rows.map(|n| (place(test.users[n]), test.items[n]));
        let all = Csr::from_pairs(users.len(), pairs);
        let mut relevant = Csr::default();
        for (n, &user) in users.iter().enumerate() {
            let seen = seen(model, user);
            let items = all.row(n).iter().copied();
            let unseen = items.filter(|item| seen.binary_search(item).is_err());
            relevant.push_row(&unseen.collect::<Vec<u32>>());
        }
        let n_leaked = (all.n_entries() - relevant.n_entries()) as u64;
        TestUsers {
            users,
            relevant,
            n_leaked,
        }
    }

    /// The users for whom nothing is relevant.
    pub fn n_without_relevant(&self) -> u64 {
        let rows = 0..self.users.len();
        rows.filter(|&n| self.relevant.row(n).is_empty()).count() as u64
    }
}

/// One metric of a ranking.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Which.
    pub metric: Metric,
    /// Its value; NaN where there is nothing to measure.
    pub value: f64,
    /// The value of each test user where it is a mean over them, NaN where the user is left out.
    pub of_users: Option<Vec<f64>>,
}

impl Measured {
    /// The users that the value is a mean over.
    pub fn n_users(&self) -> Option<u64> {
        let of_users = self.of_users.as_ref()?;
        Some(of_users.iter().filter(|value| !value.is_nan()).count() as u64)
    }
}

/// The `metrics` that are about rankings of all items, in their order. The result is the same for any number of threads.
pub fn measure(
    ranking: &impl Ranking,
    model: &Model,
    test: &TestUsers,
    metrics: &[Metric],
    pool: &Pool,
) -> Vec<Measured> {
    let metrics: Vec<Metric> = metrics
        .iter()
        .copied()
        .filter(|m| m.kind.is_ranking() && m.negatives.is_none())
        .collect();
    let n_items = model.items().ids().len();
    let task = Task {
        ranking,
        popular: OfPopularity {
            model,
            popularity: Popularity::new(model.items().counts()),
        },
        test,
        metrics: &metrics,
        n_items,
        longest: metrics.iter().filter_map(|m| m.cutoff).max(),
    };
    let mut of_users: Vec<Vec<f64>> = vec![Vec::new(); metrics.len()];
    let mut shown: Vec<Vec<u64>> = vec![vec![0; n_items]; metrics.len()];
    let places: Vec<usize> = (0..test.users.len()).collect();
    let tasks: Vec<&[usize]> = places.chunks(TASK).collect();
    for round in tasks.chunks(ROUND) {
        for part in pool.map(round.to_vec(), |places| task.run(places)) {
            for (m, values) in part.of_users.into_iter().enumerate() {
                of_users[m].extend(values);
            }
            for (m, metric) in metrics
                .iter()
                .enumerate()
                .filter(|(_, m)| is_of_all(m.kind))
            {
                let cut = cut(&part.lists, metric.cutoff);
                for (sum, more) in shown[m].iter_mut().zip(exposures(&cut, n_items)) {
                    *sum += more;
                }
            }
        }
    }
    let all = metrics.iter().zip(of_users.into_iter().zip(shown));
    all.map(|(&metric, (of_users, shown))| match metric.kind {
        Kind::Coverage => of_all(metric, coverage(&shown)),
        Kind::Gini => of_all(metric, gini(&shown)),
        Kind::Novelty => of_all(metric, novelty(&shown, model.items().counts())),
        _ => Measured {
            metric,
            value: mean(of_users.iter().copied()),
            of_users: Some(of_users),
        },
    })
    .collect()
}

/// The mean of the numbers that are numbers; NaN where there is none.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for value in values.filter(|value| !value.is_nan()) {
        sum += value;
        n += 1.0;
    }
    sum / n
}

fn of_all(metric: Metric, value: f64) -> Measured {
    Measured {
        metric,
        value,
        of_users: None,
    }
}

/// Whether a metric is of all lists together.
fn is_of_all(kind: Kind) -> bool {
    matches!(kind, Kind::Coverage | Kind::Novelty | Kind::Gini)
}

/// The first places of lists.
fn cut(lists: &[Vec<u32>], cutoff: Option<usize>) -> Vec<&[u32]> {
    let cutoff = cutoff.unwrap_or(usize::MAX);
    lists
        .iter()
        .map(|list| &list[..cutoff.min(list.len())])
        .collect()
}

struct Task<'a, R> {
    ranking: &'a R,
    popular: OfPopularity<'a>,
    test: &'a TestUsers,
    metrics: &'a [Metric],
    n_items: usize,
    longest: Option<usize>,
}

/// What one task finds.
struct Part {
    lists: Vec<Vec<u32>>,
    /// Of each metric, the values of the users; none where it is of all lists together.
    of_users: Vec<Vec<f64>>,
}

impl<R: Ranking> Task<'_, R> {
    fn run(&self, places: &[usize]) -> Part {
        let users: Vec<u32> = places.iter().map(|&n| self.test.users[n]).collect();
        let relevant: Vec<&[u32]> = places.iter().map(|&n| self.test.relevant.row(n)).collect();
        let longest = self.longest.unwrap_or(0).min(self.n_items);
        let lists = match longest {
            0 => vec![Vec::new(); users.len()],
            n => self.ranking.lists(&users, n),
        };
        let both = lists.iter().zip(&relevant);
        let hits: Vec<Option<Hits>> = both
            .map(|(list, relevant)| Hits::of(list, relevant))
            .collect();
        let of_hits = |of: &dyn Fn(&Hits) -> f64| -> Vec<f64> {
            hits.iter()
                .map(|hits| hits.as_ref().map_or(f64::NAN, of))
                .collect()
        };
        let of_metric = |metric: &Metric| {
            let n = metric.cutoff.unwrap_or(longest);
            match metric.kind {
                Kind::Precision => of_hits(&|h| h.precision(n)),
                Kind::Recall => of_hits(&|h| h.recall(n)),
                Kind::Ndcg => of_hits(&|h| h.ndcg(n)),
                Kind::Map => of_hits(&|h| h.average_precision(n)),
                Kind::Mrr => of_hits(&|h| h.reciprocal_rank(n)),
                Kind::Hit => of_hits(&|h| h.hit(n)),
                Kind::Auc => numbers(self.ranking.aucs(&users, &relevant)),
                Kind::Overlap => self.overlaps(&users, &cut(&lists, metric.cutoff)),
                _ => Vec::new(),
            }
        };
        Part {
            of_users: self.metrics.iter().map(of_metric).collect(),
            lists,
        }
    }

    fn overlaps(&self, users: &[u32], lists: &[&[u32]]) -> Vec<f64> {
        let longest = lists.iter().map(|list| list.len()).max().unwrap_or(0);
        let popular = self.popular.lists(users, longest);
        let both = lists.iter().zip(&popular);
        numbers(both.map(|(list, popular)| overlap(list, popular)).collect())
    }
}

fn numbers(values: Vec<Option<f64>>) -> Vec<f64> {
    values
        .into_iter()
        .map(|value| value.unwrap_or(f64::NAN))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example;

    fn test(rows: &[(u32, u32, f32)]) -> Interactions {
        Interactions {
            users: rows.iter().map(|r| r.0).collect(),
            items: rows.iter().map(|r| r.1).collect(),
            ratings: rows.iter().map(|r| r.2).collect(),
            ..Interactions::default()
        }
    }

    fn metrics(names: &[&str]) -> Vec<Metric> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn values(model: &Model, test: &TestUsers, names: &[&str], threads: usize) -> Vec<f64> {
        let recommender = everybody(model, 10).unwrap();
        let of_model = OfModel::new(model, &recommender);
        let found = measure(&of_model, model, test, &metrics(names), &Pool::new(threads));
        found.iter().map(|m| m.value).collect()
    }

    #[test]
    fn four_users_can_be_worked_by_hand() {
        let model = example::model();
        // Lists: ann m2 m3 m4; bob m3 m1; zoe none; a stranger, by b_i and then the index, m2 m1 m3 m4.
        let rows = [
            (0, 2, 5.0),
            (1, 0, 4.0),
            (1, 1, 5.0),
            (3, 0, 5.0),
            (9, 1, 3.0),
            (9, 77, 5.0),
        ];
        let users = TestUsers::new(&model, &test(&rows), None);
        assert_eq!(users.users, [0, 1, 3, 9]);
        // bob's m2 and zoe's m1 are in training.
        assert_eq!((users.n_leaked, users.n_without_relevant()), (2, 1));
        let names = [
            "mrr@3",
            "recall@1",
            "precision@2",
            "hit@1",
            "auc",
            "coverage@1",
            "overlap@1",
        ];
        let found = values(&model, &users, &names, 1);
        // First hits: ann's m3 is second, bob's m1 too, the stranger's m2 first. Nobody's m77 can be found.
        assert_eq!(found[0], (0.5 + 0.5 + 1.0) / 3.0);
        assert_eq!(found[1], (0.0 + 0.0 + 0.5) / 3.0);
        assert_eq!(found[2], 0.5);
        assert_eq!(found[3], 1.0 / 3.0);
        // ann's m3 ties with m2 and beats m4; bob's m1 stands behind m3.
        assert_eq!(found[4], (0.75 + 0.0 + 1.0) / 3.0);
        assert_eq!(found[5], 2.0 / 4.0, "m2 and m3");
        // Counts 2 2 1 2: the most rated is m2 for ann, m1 for bob and the stranger; zoe has no list.
        assert_eq!(found[6], (1.0 + 0.0 + 0.0) / 3.0);
    }

    #[test]
    fn a_threshold_leaves_rows_out_and_users_with_them() {
        let model = example::model();
        let rows = test(&[(0, 2, 3.5), (0, 1, 4.0), (1, 0, 3.0)]);
        let users = TestUsers::new(&model, &rows, Some(4.0));
        assert_eq!(
            (users.relevant.row(0), users.relevant.row(1)),
            (&[1][..], &[][..])
        );
        assert_eq!(users.n_without_relevant(), 1);
        assert_eq!(values(&model, &users, &["hit@1"], 1), [1.0]);
    }

    #[test]
    fn threads_and_blocks_change_nothing_and_every_ranking_keeps_seen_items_out() {
        let model = example::model();
        let rows: Vec<(u32, u32, f32)> = (0..900u32).map(|n| (n % 300, n * 7 % 5, 4.0)).collect();
        let users = TestUsers::new(&model, &test(&rows), None);
        let names = [
            "ndcg@2",
            "map@3",
            "auc",
            "novelty@2",
            "gini@3",
            "overlap@2",
            "coverage@1",
        ];
        let one = values(&model, &users, &names, 1);
        assert_eq!(values(&model, &users, &names, 3), one);
        assert!(one.iter().all(|value| value.is_finite()), "{one:?}");
        let recommender = everybody(&model, 10).unwrap();
        let popular = OfPopularity {
            model: &model,
            popularity: Popularity::new(model.items().counts()),
        };
        let of_model = OfModel::new(&model, &recommender);
        for lists in [
            of_model.lists(&[0, 1, 2, 3, 8], 9),
            popular.lists(&[0, 1, 2, 3, 8], 9),
        ] {
            for (user, list) in lists.iter().enumerate() {
                assert_eq!(list.len(), 4 - seen(&model, [0, 1, 2, 3, 8][user]).len());
                assert!(
                    list.iter()
                        .all(|i| !seen(&model, [0, 1, 2, 3, 8][user]).contains(i))
                );
            }
        }
        assert_eq!(
            of_model.lists(&[1], 2)[0],
            recommender.everyone().top_n(&[1])[0]
                .iter()
                .map(|r| r.item)
                .collect::<Vec<u32>>()
        );
    }
}
