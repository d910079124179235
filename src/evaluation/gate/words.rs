//! How is the text of a gate read, and what is said of one that cannot be?
//!
//! Left to right, a word at a time; an error names the character at which the reader noticed, what stands there and what was wanted.

use super::grammar::{Bound, FIGURES, Figure, OPERATORS, Operator, REFERENCES, Reference};
use crate::metrics::{ABOUT, Metric};
use crate::{Error, Result};

/// What is left to read.
pub(super) struct Words<'a> {
    text: &'a str,
    /// The byte that comes next.
    at: usize,
}

impl<'a> Words<'a> {
    /// All of `text`.
    pub(super) fn new(text: &'a str) -> Words<'a> {
        Words { text, at: 0 }
    }

    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    /// Takes what `is_part` says, perhaps nothing.
    fn take(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn word(&mut self) -> &'a str {
        self.take(|c| c.is_alphanumeric() || c == '_' || c == '@')
    }

    /// Takes `mark`, if it is there.
    fn mark(&mut self, mark: &str) -> bool {
        let there = self.rest().starts_with(mark);
        self.at += if there { mark.len() } else { 0 };
        there
    }

    /// Not what was wanted, from byte `at` on.
    fn wrong(&self, at: usize, wanted: impl Into<String>) -> Error {
        let rest = &self.text[at..];
        let end = rest
            .find(|c: char| c.is_whitespace())
            .filter(|&end| end > 0);
        let place = self.text[..at].chars().count() + 1;
        let got = match &rest[..end.unwrap_or(rest.len())] {
            "" => format!("the end at character {place} of {:?}", self.text),
            word => format!("{word:?} at character {place} of {:?}", self.text),
        };
        Error::config("gate", got, wanted)
    }

    /// Takes a figure.
    pub(super) fn figure(&mut self) -> Result<Figure> {
        self.rest();
        let at = self.at;
        let word = self.word().to_lowercase();
        if let Some(figure) = called(&FIGURES, &word) {
            return Ok(figure);
        }
        if word.starts_with(|c: char| c.is_alphabetic()) {
            let is_metric = |name: &str| ABOUT.iter().any(|about| about.name == name);
            match word.parse::<Metric>() {
                Ok(metric) => return Ok(Figure::Of(metric)),
                Err(Error::Config { wanted, .. })
                    if is_metric(word.split('@').next().unwrap_or_default()) =>
                {
                    return Err(self.wrong(at, wanted));
                }
                Err(_) => {}
            }
        }
        let metrics = ABOUT.iter().map(|about| match about.has_cutoff {
            true => format!("{}@10", about.name),
            false => about.name.to_owned(),
        });
        let others = FIGURES.iter().map(|(name, _)| (*name).to_owned());
        let names: Vec<String> = metrics.chain(others).collect();
        Err(self.wrong(at, format!("a figure: {}", names.join(", "))))
    }

    /// Takes an operator.
    pub(super) fn operator(&mut self) -> Result<Operator> {
        let found = OPERATORS.iter().find(|(mark, _)| self.mark(mark));
        // `=<` and `==` begin like nothing, `<==` and `<>` go on like nothing.
        match found.filter(|_| !self.text[self.at..].starts_with(['<', '>', '='])) {
            Some(&(_, operator)) => Ok(operator),
            None => {
                let at = self.at - found.map_or(0, |(mark, _)| mark.len());
                Err(self.wrong(at, "<=, <, >= or >"))
            }
        }
    }

    /// Takes all that is left: the bound of a figure.
    pub(super) fn bound(&mut self, figure: Figure) -> Result<Bound> {
        let references = figure.references();
        let names = references.iter().map(|of| of.name());
        let names = names.collect::<Vec<&str>>().join(", ");
        let wanted = format!("a number, or one of {names}");
        self.rest();
        let at = self.at;
        let mut bound = Bound {
            factor: 1.0,
            reference: None,
            offset: 0.0,
        };
        let first = self.number();
        let times = first.is_some() && self.mark("*");
        match first {
            None => bound.reference = Some(self.reference(references, &wanted)?),
            Some(number) if !times => bound.offset = number,
            Some(factor) if factor > 0.0 => {
                self.rest();
                bound.factor = factor;
                match self.number() {
                    Some(number) => bound.offset = factor * number,
                    None => bound.reference = Some(self.reference(references, &wanted)?),
                }
            }
            Some(_) => return Err(self.wrong(at, "a factor above 0")),
        }
        let sign = match (self.mark("+"), self.mark("-")) {
            (true, false) => Some(1.0),
            (false, true) => Some(-1.0),
            (true, true) => return Err(self.wrong(self.at - 1, "a number")),
            _ => None,
        };
        if let Some(sign) = sign {
            self.rest();
            let at = self.at;
            let number = self.number().filter(|number| *number >= 0.0);
            bound.offset += sign * number.ok_or_else(|| self.wrong(at, "a number"))?;
        }
        match self.rest() {
            "" if bound.offset.is_finite() => Ok(bound),
            "" => Err(self.wrong(at, "a bound that is a finite number")),
            rest if rest.starts_with('*') => {
                Err(self.wrong(self.at, "the factor before, as in 1.05 * champion"))
            }
            _ if sign.is_some() => Err(self.wrong(self.at, "the end")),
            _ => Err(self.wrong(self.at, "+ NUMBER, - NUMBER, or the end")),
        }
    }

    /// Takes a finite number, if one is next.
    fn number(&mut self) -> Option<f64> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let mut end = usize::from(bytes.first().is_some_and(|b| *b == b'-'));
        let digits = |mut end: usize, dot: bool| {
            while bytes
                .get(end)
                .is_some_and(|b| b.is_ascii_digit() || dot && *b == b'.')
            {
                end += 1;
            }
            end
        };
        end = digits(end, true);
        if bytes.get(end).is_some_and(|b| matches!(b, b'e' | b'E')) {
            let sign = bytes.get(end + 1).is_some_and(|b| matches!(b, b'+' | b'-'));
            end = digits(end + 1 + usize::from(sign), false);
        }
        // A word that begins with a digit is no number.
        if rest[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let number = rest[..end].parse().ok().filter(|n: &f64| n.is_finite())?;
        self.at += end;
        Some(number)
    }

    fn reference(&mut self, measured: &[Reference], wanted: &str) -> Result<Reference> {
        let at = self.at;
        let word = self.word().to_lowercase();
        match called(&REFERENCES, &word) {
            Some(reference) if measured.contains(&reference) => Ok(reference),
            Some(_) => Err(self.wrong(
                at,
                format!("{wanted}: the other is not measured by that figure"),
            )),
            None => Err(self.wrong(at, wanted)),
        }
    }
}

fn called<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    names.iter().find(|(of, _)| *of == name).map(|(_, of)| *of)
}
