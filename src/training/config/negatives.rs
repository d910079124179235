//! Against which items is what a user took judged?
//!
//! | knob | flag | what |
//! |---|---|---|
//! | [`Count`] | `--negatives` | how many a positive (pairs: of one each; labels: 4), or how many all share (lists) |
//! | [`Sampling`] | `--negative-sampling` | how likely each item is |
//! | `unseen_negatives` | `--unseen-negatives` | whether a user's own items are left out |

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// How many negatives there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Every item: no sample is drawn.
    All,
    /// So many.
    Some(usize),
}

/// How likely each item is to be drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Sampling {
    /// All alike.
    #[default]
    Uniform,
    /// In proportion to count^β of its training examples.
    Popularity {
        /// β, at least 0: 0 is uniform, 1 as often as it was taken.
        exponent: f64,
    },
    /// The items that other users of the step took.
    InBatch,
}

/// What a rating says besides yes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Strength {
    /// Nothing.
    #[default]
    None,
    /// An example counts 1 + α·r.
    Linear {
        /// α, above 0.
        alpha: f64,
    },
    /// An example counts 1 + α·ln(1 + r).
    Log {
        /// α, above 0.
        alpha: f64,
    },
}

impl Strength {
    /// How much an example of this rating counts; r is not negative.
    pub fn weight(self, rating: f32) -> f64 {
        let rating = f64::from(rating);
        match self {
            Strength::None => 1.0,
            Strength::Linear { alpha } => 1.0 + alpha * rating,
            Strength::Log { alpha } => 1.0 + alpha * libm::log1p(rating),
        }
    }
}

/// The number after a colon, or what stands there otherwise.
fn number(
    flag: &str,
    text: Option<&str>,
    default: f64,
    ok: fn(f64) -> bool,
    wanted: &str,
) -> Result<f64> {
    let Some(text) = text else { return Ok(default) };
    let number = text.trim().parse().ok().filter(|&x| ok(x));
    number.ok_or_else(|| Error::config(flag, format!("{text:?}"), wanted))
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Count::All => f.write_str("all"),
            Count::Some(n) => write!(f, "{n}"),
        }
    }
}

impl FromStr for Count {
    type Err = Error;

    fn from_str(text: &str) -> Result<Count> {
        match text {
            "all" => Ok(Count::All),
            _ => match text.parse() {
                Ok(n) if n > 0 => Ok(Count::Some(n)),
                _ => Err(Error::config(
                    "negatives",
                    format!("{text:?}"),
                    "all, or a whole number of 1 or more",
                )),
            },
        }
    }
}

impl fmt::Display for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sampling::Uniform => f.write_str("uniform"),
            Sampling::Popularity { exponent } => write!(f, "popularity:{exponent}"),
            Sampling::InBatch => f.write_str("in-batch"),
        }
    }
}

impl FromStr for Sampling {
    type Err = Error;

    /// ```
    /// use lowrank::training::Sampling;
    /// assert_eq!("popularity:0.75".parse::<Sampling>()?, Sampling::Popularity { exponent: 0.75 });
    /// # Ok::<(), lowrank::Error>(())
    /// ```
    fn from_str(text: &str) -> Result<Sampling> {
        let (name, rest) = text
            .split_once(':')
            .map_or((text, None), |(name, rest)| (name, Some(rest)));
        match (name, rest) {
            ("uniform", None) => Ok(Sampling::Uniform),
            ("in-batch", None) => Ok(Sampling::InBatch),
            ("popularity", rest) => {
                let ok = |x: f64| (0.0..f64::INFINITY).contains(&x);
                let wanted = "an exponent of 0 or more";
                Ok(Sampling::Popularity {
                    exponent: number("negative-sampling", rest, 0.75, ok, wanted)?,
                })
            }
            _ => Err(Error::config(
                "negative-sampling",
                format!("{text:?}"),
                "uniform, popularity:EXPONENT, in-batch",
            )),
        }
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Strength::None => f.write_str("none"),
            Strength::Linear { alpha } => write!(f, "linear:{alpha}"),
            Strength::Log { alpha } => write!(f, "log:{alpha}"),
        }
    }
}

impl FromStr for Strength {
    type Err = Error;

    fn from_str(text: &str) -> Result<Strength> {
        let (name, rest) = text
            .split_once(':')
            .map_or((text, None), |(name, rest)| (name, Some(rest)));
        let alpha = |default| {
            let ok = |x: f64| x > 0.0 && x < f64::INFINITY;
            number("implicit-weight", rest, default, ok, "a number above 0")
        };
        match name {
            "none" if rest.is_none() => Ok(Strength::None),
            "linear" => Ok(Strength::Linear { alpha: alpha(1.0)? }),
            "log" => Ok(Strength::Log { alpha: alpha(1.0)? }),
            _ => Err(Error::config(
                "implicit-weight",
                format!("{text:?}"),
                "none, linear:ALPHA (a rating r counts 1 + α·r), or log:ALPHA (1 + α·ln(1 + r))",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["uniform", "popularity:0.5", "in-batch"] {
            assert_eq!(text.parse::<Sampling>().expect(text).to_string(), text);
        }
        for text in ["none", "linear:0.5", "log:2"] {
            assert_eq!(text.parse::<Strength>().expect(text).to_string(), text);
        }
        for text in ["all", "1", "1024"] {
            assert_eq!(text.parse::<Count>().expect(text).to_string(), text);
        }
        for text in ["", "popularity:-1", "popularity:x", "uniform:1", "often"] {
            assert!(text.parse::<Sampling>().is_err(), "{text}");
        }
        for text in ["", "linear:0", "log:nan", "none:1", "2"] {
            assert!(text.parse::<Strength>().is_err(), "{text}");
        }
        assert!("0".parse::<Count>().is_err() && "-1".parse::<Count>().is_err());
    }

    #[test]
    fn strengths_by_hand() {
        assert_eq!(Strength::None.weight(7.0), 1.0);
        assert_eq!(Strength::Linear { alpha: 0.5 }.weight(4.0), 3.0);
        assert_eq!(Strength::Log { alpha: 2.0 }.weight(0.0), 1.0);
    }
}
