//! What is a metric called, and how is it asked for?
//!
//! [`Metric`] is what `--metrics` takes. Names are those of the table of [`about`](super::about), so that nothing can be asked for that is not explained.

use std::fmt;
use std::str::FromStr;

use super::about::{ABOUT, About};
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
