//! Which losses are there, by name?
//!
//! ```text
//! squared   absolute   huber:1   logistic   bpr   softmax:0.1   cosine-embedding:0   cosine-contrastive:0.9:150   all-cells:0.01
//! ```
//!
//! A name may be followed by its parameters, each after a colon; what is left away is what stands here.

use std::fmt;
use std::str::FromStr;

use crate::model::{Meaning, Similarity};
use crate::{Error, Result};

/// The losses by name, to be picked once per run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum LossKind {
    /// [`Squared`](super::Squared).
    #[default]
    Squared,
    /// [`Absolute`](super::Absolute).
    Absolute,
    /// [`Huber`](super::Huber).
    Huber {
        /// δ.
        width: f64,
    },
    /// [`Logistic`](super::Logistic).
    Logistic,
    /// [`Bpr`](super::Bpr).
    Bpr,
    /// [`Softmax`](super::Softmax).
    Softmax {
        /// τ.
        temperature: f64,
    },
    /// [`CosineEmbedding`](super::CosineEmbedding).
    CosineEmbedding {
        /// m.
        margin: f64,
    },
    /// [`CosineContrastive`](super::CosineContrastive).
    CosineContrastive {
        /// m.
        margin: f64,
        /// ω.
        negative_weight: f64,
    },
    /// Squared error of every cell of the matrix: 1 where there is an example, 0 elsewhere with a small weight. See `gradient::all_cells`.
    AllCells {
        /// The weight of a cell without an example.
        unobserved_weight: f64,
    },
}

/// What a loss sees of the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossShape {
    /// A prediction and its target.
    Pointwise,
    /// Two scores of a user.
    Pairwise,
    /// All scores of a user, or a sample of them.
    Listwise,
    /// Every cell.
    Everything,
}

/// What may follow a name: the parameters' names, defaults and ranges.
type Parameter = (&'static str, f64, fn(f64) -> bool, &'static str);
const WIDTH: Parameter = ("width", 1.0, positive, "a number above 0");
const TEMPERATURE: Parameter = ("temperature", 0.1, positive, "a number above 0");
const MARGIN: Parameter = ("margin", 0.0, margin, "a number from -1 to below 1");
const HARD_MARGIN: Parameter = ("margin", 0.9, margin, "a number from -1 to below 1");
const NEGATIVE_WEIGHT: Parameter = (
    "negative weight",
    150.0,
    not_negative,
    "a number of 0 or more",
);
const UNOBSERVED: Parameter = ("unobserved weight", 0.01, positive, "a number above 0");

fn positive(x: f64) -> bool {
    x > 0.0 && x < f64::INFINITY
}

fn not_negative(x: f64) -> bool {
    (0.0..f64::INFINITY).contains(&x)
}

fn margin(x: f64) -> bool {
    (-1.0..1.0).contains(&x)
}

impl LossKind {
    /// The name of each, without parameters.
    pub const NAMES: [&'static str; 9] = [
        "squared",
        "absolute",
        "huber",
        "logistic",
        "bpr",
        "softmax",
        "cosine-embedding",
        "cosine-contrastive",
        "all-cells",
    ];

    /// The name, without parameters.
    pub fn name(self) -> &'static str {
        match self {
            LossKind::Squared => "squared",
            LossKind::Absolute => "absolute",
            LossKind::Huber { .. } => "huber",
            LossKind::Logistic => "logistic",
            LossKind::Bpr => "bpr",
            LossKind::Softmax { .. } => "softmax",
            LossKind::CosineEmbedding { .. } => "cosine-embedding",
            LossKind::CosineContrastive { .. } => "cosine-contrastive",
            LossKind::AllCells { .. } => "all-cells",
        }
    }

    /// The loss of this name, with its parameters as they are by default.
    fn named(name: &str) -> Option<LossKind> {
        Some(match name {
            "squared" => LossKind::Squared,
            "absolute" => LossKind::Absolute,
            "huber" => LossKind::Huber { width: WIDTH.1 },
            "logistic" => LossKind::Logistic,
            "bpr" => LossKind::Bpr,
            "softmax" => LossKind::Softmax {
                temperature: TEMPERATURE.1,
            },
            "cosine-embedding" => LossKind::CosineEmbedding { margin: MARGIN.1 },
            "cosine-contrastive" => LossKind::CosineContrastive {
                margin: HARD_MARGIN.1,
                negative_weight: NEGATIVE_WEIGHT.1,
            },
            "all-cells" => LossKind::AllCells {
                unobserved_weight: UNOBSERVED.1,
            },
            _ => return None,
        })
    }

    /// Its parameters, to be read or set, each with its name, default and range.
    fn parameters(&mut self) -> Vec<(&mut f64, Parameter)> {
        match self {
            LossKind::Huber { width } => vec![(width, WIDTH)],
            LossKind::Softmax { temperature } => vec![(temperature, TEMPERATURE)],
            LossKind::CosineEmbedding { margin } => vec![(margin, MARGIN)],
            LossKind::CosineContrastive {
                margin,
                negative_weight,
            } => {
                vec![(margin, HARD_MARGIN), (negative_weight, NEGATIVE_WEIGHT)]
            }
            LossKind::AllCells { unobserved_weight } => vec![(unobserved_weight, UNOBSERVED)],
            _ => Vec::new(),
        }
    }

    /// What it sees of the scores.
    pub fn shape(self) -> LossShape {
        match self {
            LossKind::Bpr => LossShape::Pairwise,
            LossKind::Softmax { .. } | LossKind::CosineContrastive { .. } => LossShape::Listwise,
            LossKind::AllCells { .. } => LossShape::Everything,
            _ => LossShape::Pointwise,
        }
    }

    /// What a score means that was trained with it.
    pub fn meaning(self) -> Meaning {
        match self {
            LossKind::Squared | LossKind::Absolute | LossKind::Huber { .. } => Meaning::Rating,
            LossKind::Logistic => Meaning::Probability,
            _ => Meaning::Rank,
        }
    }

    /// Whether it is made for cosines: the score is the angle alone.
    pub fn needs_cosine(self) -> bool {
        matches!(
            self,
            LossKind::CosineEmbedding { .. } | LossKind::CosineContrastive { .. }
        )
    }

    /// The similarity that it is used with unless something else is asked for.
    pub fn usual_similarity(self) -> Similarity {
        match self {
            LossKind::Softmax { .. } => Similarity::Cosine,
            _ if self.needs_cosine() => Similarity::Cosine,
            _ => Similarity::Dot,
        }
    }

    /// Whether its targets are yes (1) and no (0), not ratings.
    pub fn takes_labels(self) -> bool {
        matches!(self, LossKind::Logistic | LossKind::CosineEmbedding { .. })
    }

    /// Whether it needs items that the user did not take beside those that the user took.
    pub fn takes_negatives(self) -> bool {
        matches!(self.shape(), LossShape::Pairwise | LossShape::Listwise)
    }
}

impl fmt::Display for LossKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        let mut copy = *self;
        copy.parameters()
            .iter()
            .try_for_each(|(value, _)| write!(f, ":{value}"))
    }
}

impl FromStr for LossKind {
    type Err = Error;

    /// ```
    /// use lowrank::loss::LossKind;
    /// let loss: LossKind = "softmax".parse()?;
    /// assert_eq!(loss, LossKind::Softmax { temperature: 0.1 });
    /// assert_eq!("cosine-contrastive:0.8".parse::<LossKind>()?.to_string(), "cosine-contrastive:0.8:150");
    /// assert!("huber:-1".parse::<LossKind>().is_err());
    /// # Ok::<(), lowrank::Error>(())
    /// ```
    fn from_str(text: &str) -> Result<LossKind> {
        let mut parts = text.split(':').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let Some(mut loss) = LossKind::named(name) else {
            return Err(Error::config(
                "loss",
                format!("{text:?}"),
                LossKind::NAMES.join(", "),
            ));
        };
        for (value, (what, _, ok, wanted)) in loss.parameters() {
            let Some(part) = parts.next() else { break };
            let number = part.parse().ok().filter(|&x| ok(x));
            *value = number.ok_or_else(|| {
                Error::config("loss", format!("the {what} {part:?} of {name}"), wanted)
            })?;
        }
        match parts.next() {
            Some(more) => Err(Error::config(
                "loss",
                format!("{more:?} after {loss}"),
                "nothing more",
            )),
            None => Ok(loss),
        }
    }
}
