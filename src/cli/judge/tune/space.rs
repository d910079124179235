//! What may the settings of a trial be?
//!
//! A TOML file whose keys are those of `train --config`. A value is fixed, or one of
//!
//! ```text
//! factors       = { choice = [8, 16, 32] }      one of these; they may be of any kind
//! epochs        = { int = [50, 300] }           a whole number, each equally likely
//! batch         = { log-int = [64, 65536] }     a whole number, its logarithm evenly
//! warmup        = { real = [0, 10] }            a number
//! learning-rate = { log = [1e-3, 0.1] }         a number, its logarithm evenly
//! l2            = { default = { log = [1, 100] }, bias = { log = [1, 10] } }
//! ```
//!
//! Every key is tried with the ends of its range before the first trial, so that a mistake is found in its line.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use crate::cli::toml_text::TomlText;
use crate::cli::train::settings::Settings;
use crate::evaluation::tuning::{Drawn, Range};
use crate::{Error, Result};

/// The settings that trials draw.
#[derive(Debug)]
pub(super) struct Space {
    /// Sorted by name.
    keys: Vec<(String, Template)>,
}

/// A value, with ranges in it.
#[derive(Clone, Debug)]
enum Template {
    Fixed(Value),
    /// A range, and its choices where it has some.
    Drawn(Range, Vec<Value>),
    Table(Vec<(String, Template)>),
}

/// Keys that are no knobs of a model or a training: all trials share them.
const SHARED: [&str; 17] = [
    "add",
    "items",
    "users",
    "columns",
    "sep",
    "weight",
    "dedupe",
    "valid",
    "valid-fraction",
    "valid-by",
    "monitor",
    "init",
    "warm-start",
    "seed",
    "threads",
    "kernel",
    "max-memory",
];

const RANGES: &str = "a value, or a range: { choice = [8, 16] }, { int = [50, 300] }, { log-int = [8, 64] }, { real = [0, 10] } or { log = [1e-3, 0.1] }";

impl Space {
    /// Reads the file. A key that is among the `flags` too is an error.
    pub(super) fn read(path: &Path, flags: &Settings) -> Result<Space> {
        let file = TomlText::read(path)?;
        let refused = |error: toml::de::Error| file.refused(&error, "TOML");
        let spans = DeTable::parse(&file.text).map_err(refused)?;
        let values: Table = toml::from_str(&file.text).map_err(refused)?;
        let flags = Table::try_from(flags).unwrap_or_default();
        let mut keys = Vec::new();
        for (key, span) in spans.get_ref().iter() {
            let name = key.get_ref().as_ref();
            let wrong = |got: &str, wanted: &str| file.wrong(key.span(), got, wanted);
            if SHARED.contains(&name) {
                return Err(wrong(
                    &format!("`{name}`"),
                    "a knob of the model or the training; what all trials share is a flag",
                ));
            }
            if flags.contains_key(name) {
                return Err(wrong(&format!("`{name}`, and --{name}"), "it in one place"));
            }
            let template = Template::of(&values[name], span, &file)?;
            template
                .check(name)
                .map_err(|(got, wanted)| wrong(&got, &wanted))?;
            keys.push((name.to_owned(), template));
        }
        if keys.iter().all(|(_, template)| template.ends() == 0) {
            let got = "no range";
            return Err(Error::File {
                path: path.into(),
                got: got.into(),
                wanted: RANGES.into(),
            });
        }
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Space { keys })
    }

    /// What trial `trial` draws: every key with its value.
    pub(super) fn draw(&self, seed: u64, trial: usize) -> Table {
        let draw = &mut |range: Range, path: &str| range.draw(seed, trial, path);
        let keys = self.keys.iter();
        keys.map(|(name, template)| (name.clone(), template.fill(name, draw)))
            .collect()
    }
}

/// What was drawn, as settings.
pub(super) fn settings(drawn: &Table) -> Result<Settings> {
    let settings = Settings::deserialize(drawn.clone());
    settings.map_err(|error| Error::config("space", error.message(), "keys of train"))
}

impl Template {
    fn of(value: &Value, span: &Spanned<DeValue<'_>>, file: &TomlText) -> Result<Template> {
        let Value::Table(table) = value else {
            return Ok(Template::Fixed(value.clone()));
        };
        if let (1, Some((kind, Value::Array(values)))) = (table.len(), table.iter().next())
            && let Some(range) = range(kind, values)
        {
            let wrong = |wanted: &str| {
                file.wrong(
                    span.span(),
                    &format!("{kind} = {}", Value::from(values.clone())),
                    wanted,
                )
            };
            let range = range.and_then(Range::check).map_err(wrong)?;
            let choices = if kind == "choice" {
                values.clone()
            } else {
                Vec::new()
            };
            return Ok(Template::Drawn(range, choices));
        }
        let spans = span.get_ref().as_table();
        let parts = table.iter().map(|(key, value)| {
            let inner =
                spans.and_then(|spans| spans.iter().find(|(name, _)| name.get_ref() == key));
            let template = Template::of(value, inner.map_or(span, |(_, inner)| inner), file)?;
            Ok((key.clone(), template))
        });
        Ok(Template::Table(parts.collect::<Result<_>>()?))
    }

    /// The value, with every range replaced by what `draw` makes of it and its name.
    fn fill(&self, path: &str, draw: &mut impl FnMut(Range, &str) -> Drawn) -> Value {
        match self {
            Template::Fixed(value) => value.clone(),
            Template::Drawn(range, choices) => match draw(*range, path) {
                Drawn::Nth(n) => choices[n].clone(),
                Drawn::Whole(number) => number.into(),
                Drawn::Number(number) => number.into(),
            },
            Template::Table(parts) => {
                let fill = |(key, part): &(String, Template)| {
                    (key.clone(), part.fill(&format!("{path}.{key}"), draw))
                };
                Value::Table(parts.iter().map(fill).collect())
            }
        }
    }

    /// The most ends of a range within; 0 where there is none.
    fn ends(&self) -> usize {
        match self {
            Template::Fixed(_) => 0,
            Template::Drawn(range, _) => range.ends().len(),
            Template::Table(parts) => parts.iter().map(|(_, part)| part.ends()).max().unwrap_or(0),
        }
    }

    /// Whether the setting `name` takes every end of the range: else what was got, and what was wanted.
    fn check(&self, name: &str) -> Result<(), (String, String)> {
        for end in 0..self.ends().max(1) {
            let pick = &mut |range: Range, _: &str| {
                let ends = range.ends();
                ends[end.min(ends.len() - 1)]
            };
            let value = self.fill(name, pick);
            let alone = Table::from_iter([(name.to_owned(), value.clone())]);
            let settings = Settings::deserialize(alone).map_err(|error| {
                let message = error.message().trim().replace('\n', " ");
                let message = message
                    .split(", expected one of `")
                    .next()
                    .unwrap_or_default();
                (message.to_owned(), format!("a key of train, with {RANGES}"))
            })?;
            // How long a warm-up may be depends on the epochs.
            if name == "warmup" {
                continue;
            }
            let checked = settings.config().and_then(|config| config.check());
            checked.map_err(|error| match error {
                Error::Config { name, got, wanted } => (format!("{name} = {got}"), wanted),
                other => (value.to_string(), other.to_string()),
            })?;
        }
        Ok(())
    }
}

/// The range called `kind`; `None` where there is none of that name.
fn range(kind: &str, values: &[Value]) -> Option<Result<Range, &'static str>> {
    let whole = || match values {
        [Value::Integer(lo), Value::Integer(hi)] => Ok((*lo, *hi)),
        _ => Err("two whole numbers, the least and the greatest"),
    };
    let number = |value: &Value| match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    };
    let numbers = || match values {
        [lo, hi] => number(lo).zip(number(hi)),
        _ => None,
    };
    let numbers = || numbers().ok_or("two numbers, the least and the greatest");
    Some(match kind {
        "choice" => Ok(Range::Choice(values.len())),
        "int" => whole().map(|(lo, hi)| Range::Int(lo, hi)),
        "log-int" => whole().map(|(lo, hi)| Range::LogInt(lo, hi)),
        "real" => numbers().map(|(lo, hi)| Range::Real(lo, hi)),
        "log" => numbers().map(|(lo, hi)| Range::Log(lo, hi)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::file_system::folder::TestFolder;

    /// `test` has a folder of its own: tests run side by side.
    fn read(test: &str, text: &str, flags: &Settings) -> Result<Space> {
        let folder = TestFolder::new(test);
        let path = folder.0.join("space.toml");
        std::fs::write(&path, text).unwrap();
        Space::read(&path, flags)
    }

    #[test]
    fn a_trial_draws_every_key_whatever_the_others_are() {
        let text = "factors = { choice = [8, 16, 32] }\nbatch = \"full\"\nlearning-rate = { log = [1e-3, 0.1] }\n\
                    l2 = { default = { log = [1, 100] }, bias = 4 }\n";
        let read = |text: &str| read("space", text, &Settings::default());
        let space = read(text).unwrap();
        let drawn = space.draw(42, 3);
        let settings = settings(&drawn).unwrap();
        assert!([8, 16, 32].contains(&settings.factors.unwrap()));
        assert_eq!(settings.batch.as_deref(), Some("full"));
        assert_eq!(settings.l2.unwrap().len(), 2);
        // Another order and another key change nothing.
        let other = "epochs = { int = [5, 9] }\nlearning-rate = { log = [0.001, 1e-1] }\nfactors.choice = [8, 16, 32]\n";
        let other = read(other).unwrap().draw(42, 3);
        assert_eq!(
            (&other["factors"], &other["learning-rate"]),
            (&drawn["factors"], &drawn["learning-rate"])
        );
        assert_ne!(space.draw(42, 4), drawn);
        assert_ne!(space.draw(43, 3), drawn);
    }

    #[test]
    fn a_mistake_is_found_in_its_line() {
        let flags = Settings {
            epochs: Some(3),
            ..Settings::default()
        };
        for (text, place, wanted) in [
            (
                "factors = 8\nfactor = { int = [1, 2] }\n",
                "line 2, column 1: got unknown field `factor`",
                "a key of train",
            ),
            (
                "\nfactors = { int = [0, 8] }\n",
                "line 2, column 1: got factors = 0",
                "from 1 to 4096",
            ),
            (
                "learning-rate = { lgo = [1, 2] }\n",
                "line 1, column 1",
                "log",
            ),
            (
                "learning-rate = { log = [0, 1] }\n",
                "line 1, column 17: got log = [0, 1]",
                "above 0",
            ),
            (
                "learning-rate = { log = [1, 2, 3] }\n",
                "line 1, column 17",
                "two numbers",
            ),
            (
                "factors = { int = [1.5, 2] }\n",
                "line 1, column 11",
                "two whole numbers",
            ),
            (
                "l2.bias = { log = [2, 1] }\n",
                "line 1, column 11",
                "in this order",
            ),
            (
                "schedule = { choice = [\"cosine\", \"sine\"] }\n",
                "line 1, column 1: got schedule = \"sine\"",
                "constant",
            ),
            (
                "factors = { int = [1, 2] }\nthreads = { int = [1, 2] }\n",
                "line 2, column 1: got `threads`",
                "a flag",
            ),
            (
                "epochs = { int = [1, 2] }\n",
                "line 1, column 1: got `epochs`, and --epochs",
                "one place",
            ),
            ("factors = \n", "line 1", "TOML"),
            ("factors = 8\n", "no range", "log"),
        ] {
            let error = read("space-mistakes", text, &flags)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(place) && error.contains(wanted),
                "{text}{error}"
            );
        }
    }
}
