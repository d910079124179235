//! What does a run directory say of its run?
//!
//! `run.json` and `config.toml`, leaf by leaf: `counts.train = 90000`, `result.valid.rmse = 0.91`. Two runs differ where leaves of one name do.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::Result;
use crate::artifact::RunDirectory;
use crate::cli::keep::runs::record;
use crate::cli::toml_text::TomlText;

/// Everything that a run says of itself, by its path.
pub(super) type Leaves = BTreeMap<String, Value>;

/// One run.
pub(super) struct Run {
    pub(super) directory: RunDirectory,
    pub(super) version: Leaves,
    /// Fingerprints, counts, columns.
    pub(super) data: Leaves,
    pub(super) config: Leaves,
    /// Results and times.
    pub(super) metrics: Leaves,
}

/// A leaf that two runs have with different values; absent where a run has none.
pub(super) struct Differing<'a> {
    pub(super) what: &'a str,
    pub(super) values: [Option<&'a Value>; 2],
}

impl Run {
    /// Reads the run in `path`.
    pub(super) fn read(path: &Path) -> Result<Run> {
        let directory = RunDirectory::open(path)?;
        let record = record::read(&directory)?;
        let config = TomlText::read(&directory.config())?;
        let table: toml::Table = toml::from_str(&config.text)
            .map_err(|error| config.refused(&error, "the configuration that `train` writes"))?;
        let config = serde_json::to_value(table).unwrap_or_default();
        let part = |name: &str| record.get(name).unwrap_or(&Value::Null);
        let of = |parts: &[(&str, &Value)]| {
            let mut found = Leaves::new();
            parts
                .iter()
                .for_each(|(name, value)| leaves(name, value, &mut found));
            found
        };
        let mut data = of(&[("counts", part("counts")), ("features", part("features"))]);
        for input in part("inputs").as_array().into_iter().flatten() {
            let role = input.get("role").and_then(Value::as_str).unwrap_or("input");
            for key in ["bytes", "sha256"] {
                // A cache is what its text is.
                let file = input.get("source").filter(|source| !source.is_null());
                let value = file.unwrap_or(input).get(key);
                data.insert(format!("{role}.{key}"), value.cloned().unwrap_or_default());
            }
        }
        Ok(Run {
            version: of(&[("version", part("version"))]),
            config: of(&[("", &config)]),
            metrics: of(&[("", part("result")), ("seconds", part("times"))]),
            data,
            directory,
        })
    }
}

/// The leaves below `value`, which is called `path`; a list is one.
fn leaves(path: &str, value: &Value, found: &mut Leaves) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                leaves(&path, value, found);
            }
        }
        Value::Null => {}
        _ => {
            found.insert(path.into(), value.clone());
        }
    }
}

/// Every leaf of either.
pub(super) fn both<'a>(first: &'a Leaves, second: &'a Leaves) -> Vec<Differing<'a>> {
    let mut names: Vec<&String> = first.keys().chain(second.keys()).collect();
    names.sort();
    names.dedup();
    let values = |name: &String| [first.get(name), second.get(name)];
    let leaf = |name: &'a String| Differing {
        what: name,
        values: values(name),
    };
    names.into_iter().map(leaf).collect()
}

/// The leaves in which they differ.
pub(super) fn differing<'a>(first: &'a Leaves, second: &'a Leaves) -> Vec<Differing<'a>> {
    let mut all = both(first, second);
    all.retain(|leaf| leaf.values[0] != leaf.values[1]);
    all
}
