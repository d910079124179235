//! What is a metric called, and what does its number mean?
//!
//! [`Metric`] is what `--metrics` takes; [`ABOUT`] what `--explain` prints. Both are made of one table, so that nothing can be asked for that is not explained.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// The cut-off of a metric that is asked for without one.
pub const USUAL_CUTOFF: usize = 10;
/// No list is longer; longer ones than this are no lists that somebody looks at.
pub const MAX_CUTOFF: usize = 100_000;

/// A metric to be measured.
///
/// ```
/// use lowrank::metrics::{Metric, Kind};
/// let metric: Metric = "NDCG@20".parse()?;
/// assert_eq!((metric.kind, metric.cutoff), (Kind::Ndcg, Some(20)));
/// assert_eq!(metric.to_string(), "ndcg@20");
/// assert_eq!("recall".parse::<Metric>()?.to_string(), "recall@10");
/// assert!("ndcg@0".parse::<Metric>().is_err());
/// # Ok::<(), lowrank::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// What is measured.
    pub kind: Kind,
    /// How many places of a list count; `None` where there is no list.
    pub cutoff: Option<usize>,
    /// How many drawn items stand beside each relevant one; `None` where all items are ranked.
    pub negatives: Option<usize>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// See [`rating`](super::rating).
    Rmse,
    /// See [`rating`](super::rating).
    Mae,
    /// See [`ranking`](super::ranking).
    Precision,
    /// See [`ranking`](super::ranking).
    Recall,
    /// See [`ranking`](super::ranking).
    Ndcg,
    /// See [`ranking`](super::ranking).
    Map,
    /// See [`ranking`](super::ranking).
    Mrr,
    /// See [`ranking`](super::ranking).
    Hit,
    /// See [`auc`](super::auc).
    Auc,
    /// See [`labels`](super::labels).
    LogLoss,
    /// See [`labels`](super::labels).
    LabelAuc,
    /// See [`lists`](super::lists).
    Coverage,
    /// See [`lists`](super::lists).
    Novelty,
    /// See [`lists`](super::lists).
    Gini,
    /// See [`lists`](super::lists).
    Overlap,
}

/// What one metric means.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Which.
    pub kind: Kind,
    /// Its name, without a cut-off.
    pub name: &'static str,
    /// Whether it has a cut-off.
    pub has_cutoff: bool,
    /// What it asks.
    pub question: &'static str,
    /// How it is computed.
    pub formula: &'static [&'static str],
    /// Which numbers are possible, and which are good.
    pub range: &'static str,
    /// What happens at the edges.
    pub edges: &'static [&'static str],
    /// What happens between equals.
    pub ties: &'static str,
}

const NO_TIES: &str = "nothing is ordered";
const BY_INDEX: &str =
    "equal scores are ordered by item index: the order of first appearance in the training file";
const NO_RELEVANT: &str =
    "a user without a relevant test item is left out of the mean, and counted";
const SHORT: &str = "places beyond the end of a short list are misses; a relevant item that training never saw is missed";
const NO_ENTRY: &str = "without any entry in any list: no number";

/// All metrics, in the order of their chapters.
pub const ABOUT: [About; 15] = [
    About {
        kind: Kind::Rmse,
        name: "rmse",
        has_cutoff: false,
        question: "How far is a predicted rating from the rating, large errors counting more?",
        formula: &["RMSE = √( (1/n) Σ (prediction − rating)² )          over all n test rows"],
        range: "0 (right) … ∞, in stars",
        edges: &["every test row counts, cold ones too; without a row: an error"],
        ties: NO_TIES,
    },
    About {
        kind: Kind::Mae,
        name: "mae",
        has_cutoff: false,
        question: "How far is a predicted rating from the rating?",
        formula: &["MAE = (1/n) Σ |prediction − rating|          over all n test rows"],
        range: "0 (right) … ∞, in stars; never above RMSE",
        edges: &["every test row counts, cold ones too; without a row: an error"],
        ties: NO_TIES,
    },
    About {
        kind: Kind::Precision,
        name: "precision",
        has_cutoff: true,
        question: "Which share of the first n places is relevant?",
        formula: &[
            "precision@n = |relevant items in the first n places| / n          mean over users",
        ],
        range: "0 … 1; a user with fewer than n relevant items cannot reach 1",
        edges: &[NO_RELEVANT, SHORT],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Recall,
        name: "recall",
        has_cutoff: true,
        question: "Which share of the relevant items is in the first n places?",
        formula: &[
            "recall@n = |relevant items in the first n places| / |relevant items|          mean over users",
        ],
        range: "0 … 1; a user with more than n relevant items cannot reach 1",
        edges: &[
            "divided by all relevant items, not by min(n, |relevant|): what papers on Gowalla, Yelp and Amazon books report",
            NO_RELEVANT,
            SHORT,
        ],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Ndcg,
        name: "ndcg",
        has_cutoff: true,
        question: "How near to the front are the relevant items?",
        formula: &[
            "DCG@n  = Σ 1/log₂(rank + 1)          over the relevant items in the first n places",
            "NDCG@n = DCG@n / the DCG@n of a list with min(n, |relevant|) relevant items in front          mean over users",
        ],
        range: "0 … 1 (all relevant items in front)",
        edges: &[
            "gains are binary: relevant or not",
            "the best list has min(n, |relevant|) relevant items in front: what papers on Gowalla, Yelp and Amazon books report",
            NO_RELEVANT,
            SHORT,
        ],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Map,
        name: "map",
        has_cutoff: true,
        question: "How pure is the list down to each relevant item?",
        formula: &[
            "AP@n  = (1 / min(n, |relevant|)) Σ precision@rank          over the ranks ≤ n of relevant items",
            "MAP@n = mean of AP@n over users",
        ],
        range: "0 … 1 (all relevant items in front)",
        edges: &[NO_RELEVANT, SHORT],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Mrr,
        name: "mrr",
        has_cutoff: true,
        question: "How far down is the first relevant item?",
        formula: &[
            "MRR@n = mean over users of 1 / rank of the first relevant item, 0 where it is beyond n",
        ],
        range: "0 (none in the first n) … 1 (always in front)",
        edges: &[NO_RELEVANT, SHORT],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Hit,
        name: "hit",
        has_cutoff: true,
        question: "How many users have anything relevant in the first n places?",
        formula: &["hit@n = |users with a relevant item in the first n places| / |users|"],
        range: "0 … 1",
        edges: &[NO_RELEVANT, SHORT],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Auc,
        name: "auc",
        has_cutoff: false,
        question: "How often does a relevant item stand before one that is not?",
        formula: &[
            "AUC = |pairs (relevant, other) in the right order| / |pairs|, over all unseen items          mean over users",
        ],
        range: "0 … 1; ½ by chance. The whole ranking counts, most of which nobody sees",
        edges: &[
            "a user without such a pair is left out of the mean, and counted",
            "a relevant item that training never saw has no score: left out",
        ],
        ties: "equal scores count as half a pair",
    },
    About {
        kind: Kind::LogLoss,
        name: "log_loss",
        has_cutoff: false,
        question: "How far is a predicted probability from what happened?",
        formula: &[
            "log loss = −(1/n) Σ ln p of a yes, ln(1 − p) of a no          over all n test rows",
        ],
        range: "0 (right) … ∞; ln 2 = 0.693 by always saying ½",
        edges: &[
            "for models of probabilities, and a test file with both labels: 1 and 0, or ratings and --relevant",
            "p is kept within 10⁻⁷ of 0 and 1; every row counts, cold ones too",
        ],
        ties: NO_TIES,
    },
    About {
        kind: Kind::LabelAuc,
        name: "label_auc",
        has_cutoff: false,
        question: "How often has a test row that is a yes a higher probability than one that is a no?",
        formula: &["|pairs (yes, no) of test rows in the right order| / |pairs|"],
        range: "0 … 1; ½ by chance. Over all users at once; auc is over all items of each",
        edges: &[
            "for models of probabilities, and a test file with both labels: 1 and 0, or ratings and --relevant",
        ],
        ties: "equal probabilities count as half a pair",
    },
    About {
        kind: Kind::Coverage,
        name: "coverage",
        has_cutoff: true,
        question: "How much of the catalogue is ever shown?",
        formula: &["coverage@n = |items in any list of n| / |items of the model|"],
        range: "0 … 1",
        edges: &["the lists of all users of the test set count"],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Novelty,
        name: "novelty",
        has_cutoff: true,
        question: "How little known are the items that are shown?",
        formula: &[
            "novelty@n = mean over all list entries of −log₂(training ratings of the item / all training ratings)",
        ],
        range: "bits, 0 … log₂(training ratings); one bit more is half as popular",
        edges: &[
            "an item without a training rating counts as if it had one",
            NO_ENTRY,
        ],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Gini,
        name: "gini",
        has_cutoff: true,
        question: "How unevenly are items shown?",
        formula: &[
            "gini@n = Σ_i Σ_j |E_i − E_j| / (2·items·Σ E)          E_i = lists of n that show item i",
        ],
        range: "0 (all alike) … 1 − 1/items (one item has every place)",
        edges: &["items that are never shown count", NO_ENTRY],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Overlap,
        name: "overlap",
        has_cutoff: true,
        question: "How much of a list would the most rated items have given?",
        formula: &[
            "overlap@n = mean over users of |list ∩ popularity list| / |list|          both without what the user rated in training",
        ],
        range: "0 … 1 (nothing but the most popular items)",
        edges: &["a user with an empty list is left out", NO_ENTRY],
        ties: BY_INDEX,
    },
];

impl Kind {
    /// What it means.
    pub fn about(self) -> &'static About {
        let about = ABOUT.iter().find(|about| about.kind == self);
        about.expect("every kind is in the table")
    }

    /// Whether lists or ranks are needed for it.
    pub fn is_ranking(self) -> bool {
        !matches!(
            self,
            Kind::Rmse | Kind::Mae | Kind::LogLoss | Kind::LabelAuc
        )
    }

    /// Whether it tells from the places of relevant items how good lists are.
    pub fn is_of_hits(self) -> bool {
        matches!(
            self,
            Kind::Precision | Kind::Recall | Kind::Ndcg | Kind::Map | Kind::Mrr | Kind::Hit
        )
    }

    /// Whether it needs labels: test rows that are no as well as such that are yes.
    pub fn is_of_labels(self) -> bool {
        matches!(self, Kind::LogLoss | Kind::LabelAuc)
    }

    /// Whether more is better; of novelty, Gini and overlap nobody can say.
    pub fn is_better_greater(self) -> bool {
        !matches!(self, Kind::Rmse | Kind::Mae | Kind::LogLoss)
    }
}

impl Metric {
    /// A metric over all items.
    pub const fn new(kind: Kind, cutoff: Option<usize>) -> Metric {
        Metric {
            kind,
            cutoff,
            negatives: None,
        }
    }

    /// Its name where there is room: `recall@20 (sampled, 100 negatives)`.
    pub fn label(self) -> String {
        let whole = Metric {
            negatives: None,
            ..self
        };
        match self.negatives {
            None => whole.to_string(),
            Some(n) => format!("{whole} (sampled, {n} negatives)"),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negatives.is_some() {
            f.write_str("sampled_")?;
        }
        f.write_str(self.kind.about().name)?;
        self.cutoff.map_or(Ok(()), |cutoff| write!(f, "@{cutoff}"))
    }
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(text: &str) -> Result<Metric, Error> {
        let text = text.trim().to_lowercase();
        let (name, cutoff) = match text.split_once('@') {
            Some((name, cutoff)) => (name, Some(cutoff)),
            None => (text.as_str(), None),
        };
        let about = ABOUT.iter().find(|about| about.name == name);
        let about = about.ok_or_else(|| {
            let name = |about: &About| {
                format!(
                    "{}{}",
                    about.name,
                    if about.has_cutoff { "@10" } else { "" }
                )
            };
            let names: Vec<String> = ABOUT.iter().map(name).collect();
            Error::config("metrics", &text, names.join(", "))
        })?;
        let cutoff = match (about.has_cutoff, cutoff) {
            (false, None) => None,
            (false, Some(_)) => {
                return Err(Error::config(
                    "metrics",
                    &text,
                    format!("{name}, which has no cut-off"),
                ));
            }
            (true, None) => Some(USUAL_CUTOFF),
            (true, Some(cutoff)) => {
                let number = cutoff.parse().ok();
                let number = number.filter(|n| (1..=MAX_CUTOFF).contains(n));
                Some(number.ok_or_else(|| {
                    Error::config(
                        "metrics",
                        &text,
                        format!("{name}@n with n from 1 to {MAX_CUTOFF}"),
                    )
                })?)
            }
        };
        Ok(Metric {
            kind: about.kind,
            cutoff,
            negatives: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for about in &ABOUT {
            let metric: Metric = about.name.parse().expect(about.name);
            assert_eq!(metric.kind, about.kind);
            assert_eq!(metric.cutoff.is_some(), about.has_cutoff);
            assert_eq!(metric.to_string().parse::<Metric>().ok(), Some(metric));
        }
    }

    #[test]
    fn what_is_no_metric_says_what_is() {
        for (text, wanted) in [
            ("ndgc@10", "ndcg@10"),
            ("rmse@10", "no cut-off"),
            ("ndcg@0", "1 to 100000"),
            ("ndcg@", "1 to 100000"),
            ("recall@-3", "1 to 100000"),
            ("", "rmse, mae"),
        ] {
            let message = text.parse::<Metric>().unwrap_err().to_string();
            assert!(message.contains(wanted), "{text}: {message}");
        }
    }
}
