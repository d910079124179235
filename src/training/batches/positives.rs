//! What does a row of the file say: how much, yes or no, or only yes?
//!
//! | the loss takes | ratings of | become |
//! |---|---|---|
//! | ratings | any kind | what they are |
//! | labels, `--threshold R` | any kind | 1 for R or more, 0 below |
//! | labels | 0 and 1 | what they are |
//! | labels | one value alone: clicks | 1, and items that the user did not take are drawn for 0 |
//! | positives, `--threshold R` | any kind | those of R or more; the others are no negatives either |
//! | positives, `--implicit-weight` | 0 or more: how often, how long | those above 0, each with a weight |
//! | positives | 0 and 1, or one value alone | the ones; all |
//!
//! Anything else is refused: a loss of clicks that takes one star for a yes learns what to avoid.

use std::borrow::Cow;

use crate::data::{Dataset, Interactions};
use crate::loss::{LossKind, LossShape};
use crate::training::config::{Config, Strength};
use crate::{Error, Result};

/// The examples that a loss trains on.
#[derive(Debug)]
pub(in crate::training) struct Positives<'d> {
    /// The examples: ratings, labels, or positives with a rating of 1.
    pub(in crate::training) examples: Cow<'d, Interactions>,
    /// Whether there are no labels of 0, so that negatives must be drawn.
    pub(in crate::training) only_positives: bool,
    /// Ratings of so much or more are a yes, held-out ones alike.
    pub(in crate::training) least: f64,
}

/// What `config`'s loss trains on.
///
/// # Errors
/// [`Error::Config`] where ratings do not fit the loss, or are not in memory.
pub(in crate::training) fn of<'d>(config: &Config, train: &'d Dataset) -> Result<Positives<'d>> {
    let loss = config.loss;
    if !wants_positives(loss) && !loss.takes_labels() {
        plain(config)?;
        return Ok(Positives {
            examples: Cow::Borrowed(&train.interactions),
            only_positives: false,
            least: f64::NEG_INFINITY,
        });
    }
    let ratings = train.in_memory(&format!("the loss {}", loss.name()))?;
    let values = Values::of(ratings);
    if config.strength != Strength::None && values.lowest < 0.0 {
        let wanted = "ratings of 0 or more with --implicit-weight: how often, or how long";
        return Err(Error::config("ratings", values.lowest, wanted));
    }
    let least = match config.threshold {
        Some(threshold) => threshold,
        None if values.one => f64::from(values.lowest),
        None if values.labels => 1.0,
        // Less than any rating above 0.
        None if config.strength != Strength::None => f64::MIN_POSITIVE,
        None => return Err(does_not_fit(loss, &values)),
    };
    let only_positives = !loss.takes_labels() || (config.threshold.is_none() && values.one);
    let examples = labelled(config, ratings, only_positives, least);
    if !examples.ratings.contains(&1.0) {
        return Err(Error::config(
            "threshold",
            "no rating that reaches it",
            "at least one positive",
        ));
    }
    Ok(Positives {
        examples: Cow::Owned(examples),
        only_positives,
        least,
    })
}

/// Whether a loss compares positives with others.
fn wants_positives(loss: LossKind) -> bool {
    loss.shape() != LossShape::Pointwise
}

/// A loss of ratings has no use for what makes labels of them.
fn plain(config: &Config) -> Result<()> {
    let loss = config.loss.name();
    let wanted = format!(
        "nothing with the loss {loss}, which takes ratings as they are; logistic, bpr, softmax or another loss of clicks takes it"
    );
    if let Some(threshold) = config.threshold {
        return Err(Error::config("threshold", threshold, wanted));
    }
    match config.strength {
        Strength::None => Ok(()),
        strength => Err(Error::config("implicit-weight", strength, wanted)),
    }
}

fn does_not_fit(loss: LossKind, values: &Values) -> Error {
    let got = format!(
        "ratings from {} to {} and the loss {}",
        values.lowest,
        values.highest,
        loss.name()
    );
    let wanted = match loss.takes_labels() {
        true => "labels of 0 and 1, or --threshold R: a rating of R or more is a yes, another a no",
        false => {
            "--threshold R (a rating of R or more is a yes, another says nothing), or --implicit-weight where ratings say how often or how long"
        }
    };
    Error::config("ratings", got, wanted)
}

/// What values there are.
struct Values {
    lowest: f32,
    highest: f32,
    /// Whether there is only one.
    one: bool,
    /// Whether all are 0 or 1.
    labels: bool,
}

impl Values {
    fn of(ratings: &Interactions) -> Values {
        let (lowest, highest) = ratings.scale().unwrap_or((1.0, 1.0));
        Values {
            lowest,
            highest,
            one: lowest == highest,
            labels: ratings.ratings.iter().all(|&r| r == 0.0 || r == 1.0),
        }
    }
}

/// The ratings as labels of 0 and 1, perhaps without the zeros, with their weights.
fn labelled(
    config: &Config,
    ratings: &Interactions,
    only_positives: bool,
    least: f64,
) -> Interactions {
    let is_yes = |rating: f32| f64::from(rating) >= least;
    let kept: Vec<usize> = (0..ratings.len())
        .filter(|&n| !only_positives || is_yes(ratings.ratings[n]))
        .collect();
    let mut examples = ratings.select(&kept);
    if config.strength != Strength::None {
        let weights = examples
            .weights
            .get_or_insert_with(|| vec![1.0; kept.len()]);
        for (weight, &rating) in weights.iter_mut().zip(&examples.ratings) {
            *weight = (f64::from(*weight) * config.strength.weight(rating)) as f32;
        }
    }
    for rating in &mut examples.ratings {
        *rating = if is_yes(*rating) { 1.0 } else { 0.0 };
    }
    examples
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(ratings: &[f32]) -> Dataset {
        let rows = ratings
            .iter()
            .enumerate()
            .map(|(n, &r)| (format!("u{n}"), format!("i{n}"), r));
        Dataset::builder()
            .rows(rows)
            .expect("rows")
            .build()
            .expect("data")
    }

    fn outcome(
        loss: &str,
        ratings: &[f32],
        change: impl Fn(Config) -> Config,
    ) -> Result<(Vec<f32>, Option<Vec<f32>>, bool)> {
        let config = change(Config::clicks().loss(loss.parse().expect("a loss")));
        let data = data(ratings);
        let positives = of(&config, &data)?;
        let Interactions {
            ratings, weights, ..
        } = positives.examples.into_owned();
        Ok((ratings, weights, positives.only_positives))
    }

    #[test]
    fn every_line_of_the_table() {
        let same = |c: Config| c;
        let stars = [1.0, 5.0, 3.0];
        assert_eq!(
            outcome("squared", &stars, same).expect("ratings"),
            (stars.to_vec(), None, false)
        );
        let four = |c: Config| c.threshold(Some(3.0));
        assert_eq!(
            outcome("logistic", &stars, four).expect("labels"),
            (vec![0.0, 1.0, 1.0], None, false)
        );
        assert_eq!(
            outcome("logistic", &[0.0, 1.0], same).expect("labels"),
            (vec![0.0, 1.0], None, false)
        );
        assert_eq!(
            outcome("logistic", &[1.0, 1.0], same).expect("clicks"),
            (vec![1.0, 1.0], None, true)
        );
        assert_eq!(
            outcome("bpr", &stars, four).expect("positives"),
            (vec![1.0, 1.0], None, true)
        );
        let often = |c: Config| c.strength(Strength::Linear { alpha: 2.0 });
        assert_eq!(
            outcome("softmax", &[0.0, 5.0, 3.0], often).expect("strengths"),
            (vec![1.0, 1.0], Some(vec![11.0, 7.0]), true)
        );
        assert_eq!(
            outcome("bpr", &[0.0, 1.0], same).expect("ones"),
            (vec![1.0], None, true)
        );
        assert_eq!(
            outcome("bpr", &[4.0, 4.0], same).expect("all"),
            (vec![1.0, 1.0], None, true)
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_to_do() {
        let same = |c: Config| c;
        let said = |loss: &str, ratings: &[f32], change: &dyn Fn(Config) -> Config| {
            outcome(loss, ratings, change).expect_err(loss).to_string()
        };
        let stars = [1.0, 5.0, 3.0];
        assert!(said("bpr", &stars, &same).contains("--threshold"));
        assert!(said("logistic", &stars, &same).contains("labels of 0 and 1"));
        assert!(
            said("softmax", &[-1.0, 2.0], &|c| c
                .strength(Strength::Log { alpha: 1.0 }))
            .contains("0 or more")
        );
        assert!(said("squared", &stars, &|c| c.threshold(Some(4.0))).contains("as they are"));
        assert!(
            said("squared", &stars, &|c| c
                .strength(Strength::Log { alpha: 1.0 }))
            .contains("as they are")
        );
        assert!(said("bpr", &stars, &|c| c.threshold(Some(6.0))).contains("at least one positive"));
    }
}
