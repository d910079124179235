//! With which options was the text read, and do others ask for the same?
//!
//! A cache has one reading in it. Whoever asks for another must not get this one in silence, so the options are kept as the command line says them, with the
//! line that makes the cache anew.

use std::fmt::Write as _;
use std::path::Path;

use super::RatingsCache;
use crate::data::Dedupe;
use crate::data::reader::ReadOptions;
use crate::storage::Source;
use crate::{Error, Result};

/// The options of the reading, in their one spelling; absent where the reader found out by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told([Option<String>; 3]);

/// What they are called on the command line.
const NAMES: [&str; 3] = ["columns", "sep", "weight"];

impl Told {
    pub(super) fn of(options: &ReadOptions) -> Told {
        Told([
            options.columns.as_ref().map(ToString::to_string),
            options.separator.map(|separator| separator.to_string()),
            options.weight.clone(),
        ])
    }

    /// Name, value, name, value, …
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.given().flat_map(|(name, value)| [name, value])
    }

    /// From such texts; `None` where they are none.
    pub(super) fn from_texts<'t>(mut texts: impl Iterator<Item = &'t str>) -> Option<Told> {
        let mut told = Told::default();
        let mut next = 0;
        while let Some(name) = texts.next() {
            let n = next + NAMES[next..].iter().position(|known| *known == name)?;
            told.0[n] = Some(texts.next()?.to_owned());
            next = n + 1;
        }
        Some(told)
    }

    fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let pairs = NAMES.into_iter().zip(&self.0);
        pairs.filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// These, and the `others` where these say nothing.
    fn or(self, others: &Told) -> Told {
        let both = self.0.into_iter().zip(&others.0);
        let mut told = both.map(|(own, other)| own.or_else(|| other.clone()));
        Told(std::array::from_fn(|_| told.next().flatten()))
    }
}

impl<S: Source> RatingsCache<S> {
    /// The command that makes this cache anew.
    pub fn command(&self) -> String {
        self.command_with(&self.told, self.record.duplicates.policy)
    }

    fn command_with(&self, told: &Told, policy: Dedupe) -> String {
        let mut line = String::from("lowrank data convert ");
        match self.source.stamp {
            Some(_) => line.push_str(&quoted(&self.source.path.display().to_string())),
            None => line.push_str("RATINGS"),
        }
        for (name, value) in told.given() {
            // Writing into a string cannot fail.
            let _ = write!(line, " --{name} {}", quoted(value));
        }
        if policy != Dedupe::default() {
            let _ = write!(line, " --dedupe {policy}");
        }
        let own = self.container.source().path().display().to_string();
        let _ = write!(line, " -o {} --force", quoted(&own));
        line
    }

    /// Whether `options` ask for what is in the cache; silence asks for nothing.
    ///
    /// # Errors
    /// [`Error::Config`] for the first option that asks for something else, with the command that makes such a cache.
    pub fn check_options(&self, options: &ReadOptions) -> Result<()> {
        let asked = Told::of(options);
        for (n, name) in NAMES.into_iter().enumerate() {
            let Some(value) = &asked.0[n] else { continue };
            let found = match name {
                "sep" => Some(self.report.separator.to_string()),
                _ => None,
            };
            let made_with = self.told.0[n].as_ref().or(found.as_ref());
            if made_with != Some(value) {
                let made_with = match made_with {
                    Some(value) => format!("made with --{name} {}", quoted(value)),
                    None => format!("made without --{name}"),
                };
                let told = asked.clone().or(&self.told);
                let command = self.command_with(&told, self.record.duplicates.policy);
                return Err(self.other(name, &quoted(value), &made_with, &command));
            }
        }
        Ok(())
    }

    /// Whether duplicates were settled by `policy`; `None` asks for nothing.
    ///
    /// # Errors
    /// [`Error::Config`] where they were settled otherwise, with the command that makes such a cache.
    pub fn check_dedupe(&self, policy: Option<Dedupe>) -> Result<()> {
        let own = self.record.duplicates.policy;
        match policy {
            Some(policy) if policy != own => {
                let made_with = format!("made with --dedupe {own}");
                let command = self.command_with(&self.told, policy);
                Err(self.other("dedupe", &policy.to_string(), &made_with, &command))
            }
            _ => Ok(()),
        }
    }

    fn other(&self, name: &str, value: &str, made_with: &str, command: &str) -> Error {
        let path: &Path = self.container.source().path();
        Error::config(
            name,
            format!("{value} for the cache {}, {made_with}", path.display()),
            format!("no --{name}, or another cache: {command}"),
        )
    }
}

/// One word of a shell's line.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-=,:+@%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_back_from_their_texts() {
        for bits in 0..8u8 {
            let told = Told(std::array::from_fn(|n| {
                (bits >> n & 1 == 1).then(|| format!("value {n}"))
            }));
            assert_eq!(Told::from_texts(told.texts()), Some(told));
        }
        for bad in [
            &["columns"][..],
            &["dedupe", "last"],
            &["sep", ",", "columns", "a"],
            &["sep", ",", "sep", ","],
        ] {
            assert_eq!(Told::from_texts(bad.iter().copied()), None, "{bad:?}");
        }
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_take_it_apart() {
        assert_eq!(quoted("/a/b-c.csv"), "/a/b-c.csv");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(";"), "';'");
        assert_eq!(quoted(""), "''");
    }
}
