//! What may a setting be, and which value does a trial draw?
//!
//! ```text
//! u uniform in [0, 1), from the stream `tune.<trial>.<setting>` of the seed
//!
//! choice    the ⌊u·n⌋-th of n values
//! int       lo + ⌊u·(hi − lo + 1)⌋
//! log-int   ⌊exp(ln lo + u·(ln(hi + 1) − ln lo))⌋
//! real      lo + u·(hi − lo)
//! log       exp(ln lo + u·(ln hi − ln lo))
//! ```
//!
//! Of numbers that are not whole four digits are kept: more say nothing, and nobody could type them.

use crate::random::Stream;

/// What a setting may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// One of so many values.
    Choice(usize),
    /// A whole number, each equally likely.
    Int(i64, i64),
    /// A whole number, its logarithm evenly.
    LogInt(i64, i64),
    /// A number.
    Real(f64, f64),
    /// A number, its logarithm evenly.
    Log(f64, f64),
}

/// What was drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drawn {
    /// The n-th choice, from 0.
    Nth(usize),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
}

/// Whole numbers beyond this are no longer told apart by `f64`.
const MAX_WHOLE: i64 = 1 << 53;

impl Range {
    /// The range, if it is one.
    ///
    /// # Errors
    /// What was wanted.
    pub fn check(self) -> Result<Range, &'static str> {
        let whole = |lo: i64, hi: i64| lo <= hi && lo >= -MAX_WHOLE && hi <= MAX_WHOLE;
        let finite = |lo: f64, hi: f64| lo <= hi && lo.is_finite() && hi.is_finite();
        match self {
            Range::Choice(n) if n > 0 => Ok(self),
            Range::Int(lo, hi) if whole(lo, hi) => Ok(self),
            Range::LogInt(lo, hi) if whole(lo, hi) && lo > 0 => Ok(self),
            Range::Real(lo, hi) if finite(lo, hi) => Ok(self),
            Range::Log(lo, hi) if finite(lo, hi) && lo > 0.0 => Ok(self),
            Range::Choice(_) => Err("one value or more to choose from"),
            Range::Int(..) | Range::Real(..) => {
                Err("the least and the greatest number, in this order")
            }
            Range::LogInt(..) | Range::Log(..) => {
                Err("the least and the greatest number, in this order, both above 0")
            }
        }
    }

    /// What trial `trial` draws for the setting `name`.
    ///
    /// ```
    /// use lowrank::evaluation::tuning::{Drawn, Range};
    /// let range = Range::Log(1e-3, 0.1);
    /// let drawn = range.draw(42, 7, "learning-rate");
    /// assert_eq!(drawn, range.draw(42, 7, "learning-rate"));
    /// let Drawn::Number(number) = drawn else { unreachable!() };
    /// assert!((1e-3..=0.1).contains(&number));
    /// ```
    pub fn draw(self, seed: u64, trial: usize, name: &str) -> Drawn {
        self.at(Stream::new(seed, &format!("tune.{trial}.{name}")).uniform())
    }

    /// Where `u` in [0, 1] falls.
    fn at(self, u: f64) -> Drawn {
        let between = |lo: f64, hi: f64| lo + u * (hi - lo);
        let log = |lo: f64, hi: f64| libm::exp(between(libm::log(lo), libm::log(hi)));
        let whole = |number: f64, lo: i64, hi: i64| Drawn::Whole((number as i64).clamp(lo, hi));
        match self {
            Range::Choice(n) => Drawn::Nth(((u * n as f64) as usize).min(n - 1)),
            Range::Int(lo, hi) => {
                let steps = (u * (hi - lo + 1) as f64) as i64;
                Drawn::Whole((lo + steps).min(hi))
            }
            Range::LogInt(lo, hi) => whole(log(lo as f64, hi as f64 + 1.0), lo, hi),
            Range::Real(lo, hi) => Drawn::Number(short(between(lo, hi)).clamp(lo, hi)),
            Range::Log(lo, hi) => Drawn::Number(short(log(lo, hi)).clamp(lo, hi)),
        }
    }

    /// Values from one end to the other: every choice, the ends of the others.
    pub fn ends(self) -> Vec<Drawn> {
        match self {
            Range::Choice(n) => (0..n).map(Drawn::Nth).collect(),
            Range::Int(lo, hi) | Range::LogInt(lo, hi) => vec![Drawn::Whole(lo), Drawn::Whole(hi)],
            Range::Real(lo, hi) | Range::Log(lo, hi) => vec![Drawn::Number(lo), Drawn::Number(hi)],
        }
    }
}

/// To four digits.
fn short(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_their_range_and_reach_its_ends() {
        let draw = |range: Range| (0..400).map(move |trial| range.draw(1, trial, "x"));
        let mut counts = [0; 3];
        for drawn in draw(Range::Int(-1, 1)) {
            let Drawn::Whole(n) = drawn else { panic!() };
            counts[(n + 1) as usize] += 1;
        }
        // Five standard deviations of a binomial count with n = 400 and p = 1/3.
        assert!(
            counts
                .iter()
                .all(|&n| (n as f64 - 400.0 / 3.0).abs() < 5.0 * 9.5),
            "{counts:?}"
        );
        // Evenly by logarithm: half of them below √(lo·hi).
        let below = draw(Range::Log(1e-4, 1.0))
            .filter(|drawn| matches!(drawn, Drawn::Number(x) if *x < 1e-2));
        assert!((below.count() as f64 - 200.0).abs() < 50.0);
        let small = draw(Range::LogInt(1, 8))
            .filter(|drawn| *drawn == Drawn::Whole(1))
            .count();
        // ln 2 / ln 9 of them.
        assert!((small as f64 - 400.0 * 0.315).abs() < 5.0 * 9.3, "{small}");
        for u in [0.0, 0.5, 1.0] {
            assert!(matches!(Range::LogInt(3, 3).at(u), Drawn::Whole(3)));
            assert!(matches!(Range::Real(0.1, 0.1).at(u), Drawn::Number(x) if x == 0.1));
        }
        assert_eq!(Range::Real(0.0, 1.0).at(1.0 / 3.0), Drawn::Number(0.3333));
        assert_eq!(Range::Choice(4).at(0.74), Drawn::Nth(2));
    }

    #[test]
    fn settings_and_trials_have_streams_of_their_own() {
        let range = Range::Real(0.0, 1.0);
        let drawn = range.draw(1, 2, "a");
        assert_ne!(drawn, range.draw(1, 2, "b"));
        assert_ne!(drawn, range.draw(1, 3, "a"));
        assert_ne!(drawn, range.draw(2, 2, "a"));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for bad in [
            Range::Choice(0),
            Range::Int(2, 1),
            Range::Int(i64::MIN, 0),
            Range::LogInt(0, 5),
            Range::Real(0.0, f64::NAN),
            Range::Real(f64::NEG_INFINITY, 0.0),
            Range::Log(0.0, 1.0),
            Range::Log(2.0, 1.0),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        assert!(Range::Real(-1.0, -1.0).check().is_ok());
    }
}
