//! What is a model judged by, whatever it was trained for?
//!
//! | a model of | figures, the main one first | better is | beside it |
//! |---|---|---|---|
//! | ratings | RMSE, MAE | less | the mean, the mean with biases |
//! | an order, or probabilities | NDCG@20, recall@20 | more | the most rated items |
//!
//! Cross-validation, tuning and the record of a run ask this, so that they need not know what a model is for. [`evaluate`] and [`ranking`](super::ranking) measure.

use super::ranking::{OfModel, OfPopularity, Ranking, TestUsers, everybody, measure};
use super::{Cold, Errors, cold_of, evaluate};
use crate::data::Interactions;
use crate::evaluation::baselines::Popularity;
use crate::kernels::pool::Pool;
use crate::metrics::held_out::CUTOFF;
use crate::metrics::{Kind, Metric};
use crate::model::Meaning;
use crate::{Error, Model, Result};

/// Metrics with their values, the main one first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures(pub Vec<(Metric, f64)>);

/// What [`judge`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The model's figures.
    pub model: Figures,
    /// Test rows.
    pub rows: u64,
    /// What of them is cold.
    pub cold: Cold,
    /// The figures of models without factors, by name.
    pub baselines: Vec<(&'static str, Figures)>,
}

impl Figures {
    /// The value of a metric.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        let found = self.0.iter().find(|(of, _)| *of == metric);
        found.map(|(_, value)| *value)
    }

    /// The main one; `None` where nothing was measured.
    pub fn main(&self) -> Option<(Metric, f64)> {
        self.0.first().copied()
    }

    /// The main one as a cost: the less, the better. A number that is none costs most.
    pub fn cost(&self) -> f64 {
        match self.main() {
            Some((metric, value)) if !value.is_nan() => match metric.kind.is_better_greater() {
                true => -value,
                false => value,
            },
            _ => f64::INFINITY,
        }
    }

    /// Each metric over several figures that have the same.
    pub fn over(all: &[Figures], of: impl Fn(&[f64]) -> f64) -> Figures {
        let metrics = all.first().map_or(&[][..], |first| &first.0[..]);
        let value = |&(metric, _): &(Metric, f64)| {
            let values = all.iter().filter_map(|figures| figures.get(metric));
            (metric, of(&values.collect::<Vec<f64>>()))
        };
        Figures(metrics.iter().map(value).collect())
    }
}

impl From<Errors> for Figures {
    fn from(errors: Errors) -> Figures {
        let of = |kind, value| (Metric::new(kind, None), value);
        Figures(vec![of(Kind::Rmse, errors.rmse), of(Kind::Mae, errors.mae)])
    }
}

#[cfg(feature = "cli")]
impl serde::Serialize for Figures {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .map(|(metric, value)| (metric.to_string(), value)),
        )
    }
}

/// Judges `model` by `test`, in which a number beyond the model's ids is one that it does not know. The result is the same for any number of threads.
///
/// # Errors
/// [`Error::Config`] for a test set without rows.
pub fn judge(model: &Model, test: &Interactions, pool: &Pool) -> Result<Judged> {
    if model.meaning() == Meaning::Rating {
        let found = evaluate(model, test, pool)?;
        let biases = found.baselines.biases.map(|of| ("biases", of.into()));
        let mean = ("global_mean", found.baselines.global_mean.into());
        return Ok(Judged {
            model: found.model.into(),
            rows: found.rows,
            cold: found.cold,
            baselines: std::iter::once(mean).chain(biases).collect(),
        });
    }
    if test.is_empty() {
        return Err(Error::config("test", "no rows", "one or more"));
    }
    let users = TestUsers::new(model, test, None);
    let recommender = everybody(model, CUTOFF)?;
    let popular = OfPopularity {
        model,
        popularity: Popularity::new(model.items().counts()),
    };
    Ok(Judged {
        model: lists(&OfModel::new(model, &recommender), model, &users, pool),
        rows: test.len() as u64,
        cold: cold_of(model, test),
        baselines: vec![("popularity", lists(&popular, model, &users, pool))],
    })
}

/// NDCG@20 and recall@20, the metrics that lists are judged by.
pub const OF_LISTS: [Metric; 2] = [
    Metric::new(Kind::Ndcg, Some(CUTOFF)),
    Metric::new(Kind::Recall, Some(CUTOFF)),
];

fn lists(ranking: &impl Ranking, model: &Model, users: &TestUsers, pool: &Pool) -> Figures {
    let found = measure(ranking, model, users, &OF_LISTS, pool);
    Figures(found.iter().map(|of| (of.metric, of.value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Purpose, Similarity, example};

    /// The example as a model of an order.
    fn of_order() -> Model {
        let mut model = example::model();
        model.purpose = Some(Purpose {
            meaning: Meaning::Rank,
            similarity: Similarity::Dot,
            loss: "bpr".into(),
            l2: 0.0,
            bias_l2: 0.0,
            l2_per_rating: false,
        });
        model
    }

    fn test() -> Interactions {
        Interactions {
            users: vec![0, 0, 1, 9],
            items: vec![2, 77, 2, 3],
            ratings: vec![1.0; 4],
            ..Interactions::default()
        }
    }

    #[test]
    fn an_order_is_judged_by_lists_and_ratings_by_errors() {
        let found = judge(&of_order(), &test(), &Pool::new(2)).unwrap();
        let names: Vec<String> = found.model.0.iter().map(|(m, _)| m.to_string()).collect();
        assert_eq!(names, ["ndcg@20", "recall@20"]);
        // ann: m3 is second, m77 no list can hold. bob: m3 is first. The stranger: m2 3¼, m1 3, m3 3, m4 2¾: last of four.
        let log = |rank: f64| 1.0 / (rank + 1.0).log2();
        let ndcg = (log(2.0) / (1.0 + log(2.0)) + 1.0 + log(4.0)) / 3.0;
        assert!((found.model.0[0].1 - ndcg).abs() < 1e-15);
        assert_eq!(found.model.0[1].1, (0.5 + 1.0 + 1.0) / 3.0);
        assert_eq!(found.model.cost(), -found.model.0[0].1, "more is better");
        assert_eq!(
            (
                found.rows,
                found.cold.users,
                found.cold.items,
                found.cold.rows
            ),
            (4, 1, 1, 2)
        );
        // Counts 2 2 1 2. ann: m2 m4 m3; bob: m1 m3; the stranger: m1 m2 m4 m3.
        let popular = &found.baselines[0];
        let ndcg = (log(3.0) / (1.0 + log(2.0)) + log(2.0) + log(3.0)) / 3.0;
        assert_eq!(popular.0, "popularity");
        assert!((popular.1.0[0].1 - ndcg).abs() < 1e-15);

        let found = judge(&example::model(), &test(), &Pool::new(1)).unwrap();
        let errors = evaluate(&example::model(), &test(), &Pool::new(1)).unwrap();
        assert_eq!(found.model, errors.model.into());
        assert_eq!(found.model.cost(), errors.model.rmse);
        assert_eq!(found.cold, errors.cold);
        assert!(judge(&of_order(), &Interactions::default(), &Pool::new(1)).is_err());
    }
}
