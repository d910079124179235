//! What does a gate demand?
//!
//! ```text
//! gate   = figure ( "<=" | "<" | ">=" | ">" ) bound
//! bound  = [ number "*" ] ( number | reference ) [ ( "+" | "-" ) number ]
//! ```
//!
//! | figure | is | may be compared with |
//! |---|---|---|
//! | `rmse`, `mae` | over all test rows | `champion`, `biases`, `global_mean`, `knn` |
//! | `rmse_cold`, `mae_cold` | over the rows whose user or item training never saw | the same |
//! | `rmse_cold_users`, `rmse_cold_items` | over the rows of new users, of new items | the same |
//! | `rmse_train`, `rmse_gap` | on the training ratings; how much less that is than `rmse` | `champion`, `biases`, `global_mean` |
//! | a metric of lists | of all test users | `champion`, `popularity`, `knn` |
//! | `log_loss`, `label_auc` | over all test rows | `champion` |

use std::fmt;
use std::str::FromStr;

use super::words::Words;
use crate::metrics::{Kind, Metric};
use crate::{Error, Result};

/// A demand on a model.
///
/// ```
/// use lowrank::evaluation::gate::{Figure, Gate, Operator, Reference};
/// let gate: Gate = "ndcg@10 >= 1.05 * popularity - 0.01".parse()?;
/// assert_eq!(gate.figure, Figure::Of("ndcg@10".parse()?));
/// assert_eq!((gate.operator, gate.bound.reference), (Operator::AtLeast, Some(Reference::Popularity)));
/// assert_eq!((gate.bound.factor, gate.bound.offset), (1.05, -0.01));
/// let error = "rmse <= champoin".parse::<Gate>().unwrap_err().to_string();
/// assert!(error.contains("\"champoin\" at character 9"));
/// # Ok::<(), lowrank::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// As it was written.
    pub text: String,
    /// What is measured.
    pub figure: Figure,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub bound: Bound,
}

/// What a gate looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// A metric of the test ratings.
    Of(Metric),
    /// RMSE or MAE of the test rows of newcomers.
    Cold(Kind, Newcomers),
    /// The RMSE of the training ratings.
    Train,
    /// The RMSE of the test ratings less that of the training ratings.
    Gap,
}

/// Whom training never saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newcomers {
    /// The user or the item.
    Any,
    /// The user.
    Users,
    /// The item.
    Items,
}

/// How a figure is compared with its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

/// factor · reference + offset; without a reference the offset alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Above 0.
    pub factor: f64,
    /// Whose figure.
    pub reference: Option<Reference>,
    /// What is added.
    pub offset: f64,
}

/// Whose figure a bound is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The model that is in use.
    Champion,
    /// μ + b_u + b_i.
    Biases,
    /// μ.
    GlobalMean,
    /// The most rated items.
    Popularity,
    /// The nearest neighbours among items.
    Knn,
}

pub(super) const REFERENCES: [(&str, Reference); 5] = [
    ("champion", Reference::Champion),
    ("biases", Reference::Biases),
    ("global_mean", Reference::GlobalMean),
    ("popularity", Reference::Popularity),
    ("knn", Reference::Knn),
];
/// Figures that are no metrics of the whole test.
pub(super) const FIGURES: [(&str, Figure); 6] = [
    ("rmse_cold", Figure::Cold(Kind::Rmse, Newcomers::Any)),
    ("mae_cold", Figure::Cold(Kind::Mae, Newcomers::Any)),
    (
        "rmse_cold_users",
        Figure::Cold(Kind::Rmse, Newcomers::Users),
    ),
    (
        "rmse_cold_items",
        Figure::Cold(Kind::Rmse, Newcomers::Items),
    ),
    ("rmse_train", Figure::Train),
    ("rmse_gap", Figure::Gap),
];
/// `<=` stands before `<`, which it begins with.
pub(super) const OPERATORS: [(&str, Operator); 4] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Below),
    (">", Operator::Above),
];

impl Figure {
    /// The metric of the whole test that it is.
    pub fn metric(self) -> Option<Metric> {
        match self {
            Figure::Of(metric) => Some(metric),
            _ => None,
        }
    }

    /// Whether it is made of errors on ratings.
    pub fn is_of_errors(self) -> bool {
        match self {
            Figure::Of(metric) => matches!(metric.kind, Kind::Rmse | Kind::Mae),
            _ => true,
        }
    }

    /// Whether the training ratings are needed for it.
    pub fn needs_training(self) -> bool {
        matches!(self, Figure::Train | Figure::Gap)
    }

    /// Whose figures of the kind are measured.
    pub fn references(self) -> &'static [Reference] {
        use Reference::{Biases, Champion, GlobalMean, Knn, Popularity};
        match self {
            Figure::Train | Figure::Gap => &[Champion, Biases, GlobalMean],
            Figure::Of(metric) if metric.kind.is_of_labels() => &[Champion],
            Figure::Of(metric) if metric.kind.is_ranking() => &[Champion, Popularity, Knn],
            _ => &[Champion, Biases, GlobalMean, Knn],
        }
    }
}

impl Reference {
    /// Its name, here and in JSON.
    pub fn name(self) -> &'static str {
        named(&REFERENCES, &self)
    }
}

impl Operator {
    /// Whether `value` is on the right side of `bound`; no number is on neither.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Operator::AtMost => value <= bound,
            Operator::Below => value < bound,
            Operator::AtLeast => value >= bound,
            Operator::Above => value > bound,
        }
    }
}

impl Gate {
    /// Whether the bound is made of this reference.
    pub fn names(&self, reference: Reference) -> bool {
        self.bound.reference == Some(reference)
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn named<T: PartialEq>(names: &[(&'static str, T)], value: &T) -> &'static str {
    let found = names.iter().find(|(_, of)| of == value);
    found.map_or("", |(name, _)| name)
}

impl FromStr for Gate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Gate> {
        let mut words = Words::new(text);
        let figure = words.figure()?;
        let operator = words.operator()?;
        let bound = words.bound(figure)?;
        Ok(Gate {
            text: text.trim().to_owned(),
            figure,
            operator,
            bound,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(text: &str) -> Gate {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_form_is_read() {
        let rmse = Figure::Of(Metric::new(Kind::Rmse, None));
        for (text, figure, operator, factor, reference, offset) in [
            ("rmse <= 1.1", rmse, Operator::AtMost, 1.0, None, 1.1),
            (
                "rmse<champion",
                rmse,
                Operator::Below,
                1.0,
                Some(Reference::Champion),
                0.0,
            ),
            (
                " RMSE <= champion + 0.002 ",
                rmse,
                Operator::AtMost,
                1.0,
                Some(Reference::Champion),
                0.002,
            ),
            (
                "rmse < 0.98*biases",
                rmse,
                Operator::Below,
                0.98,
                Some(Reference::Biases),
                0.0,
            ),
            (
                "rmse_gap > -2e-1",
                Figure::Gap,
                Operator::Above,
                1.0,
                None,
                -0.2,
            ),
            (
                "rmse_train >= 2 * 0.25 - .5",
                Figure::Train,
                Operator::AtLeast,
                2.0,
                None,
                0.0,
            ),
            (
                "mae_cold <= global_mean-1E-3",
                Figure::Cold(Kind::Mae, Newcomers::Any),
                Operator::AtMost,
                1.0,
                Some(Reference::GlobalMean),
                -0.001,
            ),
            (
                "rmse_cold_users < knn",
                Figure::Cold(Kind::Rmse, Newcomers::Users),
                Operator::Below,
                1.0,
                Some(Reference::Knn),
                0.0,
            ),
            (
                "recall >= popularity",
                Figure::Of(Metric::new(Kind::Recall, Some(10))),
                Operator::AtLeast,
                1.0,
                Some(Reference::Popularity),
                0.0,
            ),
        ] {
            let found = gate(text);
            assert_eq!((found.figure, found.operator), (figure, operator), "{text}");
            let bound = found.bound;
            assert_eq!(
                (bound.factor, bound.reference, bound.offset),
                (factor, reference, offset),
                "{text}"
            );
            assert_eq!(found.to_string(), text.trim());
        }
    }

    #[test]
    fn what_is_no_gate_says_where_and_what_was_wanted() {
        for (text, got, wanted) in [
            ("", "the end at character 1", "a figure: rmse, mae,"),
            ("rsme <= 1", "\"rsme\" at character 1", "rmse_gap"),
            ("ndcg@0 >= 1", "\"ndcg@0\" at character 1", "1 to 100000"),
            ("rmse", "the end at character 5", "<=, <, >= or >"),
            ("rmse = 1", "\"=\" at character 6", "<=, <, >= or >"),
            ("rmse <== 1", "\"<==\" at character 6", "<=, <, >= or >"),
            ("rmse <> 1", "\"<>\" at character 6", "<=, <, >= or >"),
            (
                "rmse <=",
                "the end at character 8",
                "a number, or one of champion, biases, global_mean, knn",
            ),
            (
                "rmse <= champoin",
                "\"champoin\" at character 9",
                "champion",
            ),
            (
                "rmse <= popularity",
                "\"popularity\" at character 9",
                "not measured",
            ),
            (
                "ndcg@5 >= biases",
                "\"biases\" at character 11",
                "champion, popularity, knn",
            ),
            ("rmse_gap <= knn", "\"knn\" at character 13", "global_mean"),
            (
                "log_loss < popularity",
                "\"popularity\" at character 12",
                "one of champion",
            ),
            ("rmse <= 1.5x", "\"1.5x\" at character 9", "a number"),
            ("rmse <= 1e999", "\"1e999\" at character 9", "a number"),
            (
                "rmse <= 1e300 * 1e300",
                "\"1e300\" at character 9",
                "finite",
            ),
            ("rmse <= nan", "\"nan\" at character 9", "a number"),
            ("rmse <= 0 * champion", "\"0\" at character 9", "above 0"),
            ("rmse <= champion +", "the end at character 19", "a number"),
            (
                "rmse <= champion + -1",
                "\"-1\" at character 20",
                "a number",
            ),
            ("rmse <= champion +- 1", "\"-\" at character 19", "a number"),
            (
                "rmse <= champion * 1.05",
                "\"*\" at character 18",
                "1.05 * champion",
            ),
            ("rmse <= champion 1", "\"1\" at character 18", "the end"),
            ("rmse <= 1 + 1 + 1", "\"+\" at character 15", "the end"),
            ("größe <= 1", "\"größe\" at character 1", "a figure"),
            ("rmse ≤ 1", "\"≤\" at character 6", "<="),
        ] {
            let error = text.parse::<Gate>().expect_err(text).to_string();
            assert!(
                error.contains(got) && error.contains(wanted),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic() {
        let parts = [
            "rmse", "ndcg@10", "<=", "<", "champion", "1.5", "e", "-", "+", "*", " ", "é", ".",
            "@", "1",
        ];
        let mut state = 7u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..6 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                text += parts[(state >> 33) as usize % parts.len()];
            }
            if let Ok(gate) = text.parse::<Gate>() {
                assert!(gate.bound.factor > 0.0 && gate.bound.offset.is_finite());
            }
        }
    }
}
