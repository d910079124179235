//! What does a trial leave behind?
//!
//! ```text
//! DIR/trials.jsonl    a line a training, in the order of rungs and trials, each when it and all before it are done
//! DIR/best.toml       the settings of the best so far, for `train --config`
//! ```

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::{Table, Value};

use crate::cli::train::settings::Settings;
use crate::evaluation::Figures;
use crate::storage::{Disk, write_atomically};
use crate::{Error, Result};

/// One line of `trials.jsonl`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    pub(super) trial: usize,
    /// 0 is the first.
    pub(super) rung: usize,
    /// Those asked for; 0 where the settings were refused.
    pub(super) epochs: usize,
    /// What was drawn.
    pub(super) settings: Table,
    pub(super) status: Status,
    /// None where there is no model.
    #[serde(flatten)]
    pub(super) figures: Figures,
    pub(super) seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    Diverged,
    /// The settings do not go together.
    Refused,
}

impl Status {
    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Diverged => "diverged",
            Status::Refused => "refused",
        }
    }

    /// What an error of a training means; `None` where it has nothing to do with the settings.
    fn of(error: &Error) -> Option<Status> {
        match error {
            Error::Diverged { .. } => Some(Status::Diverged),
            Error::Config { .. } | Error::Unknown { .. } => Some(Status::Refused),
            _ => None,
        }
    }
}

impl Line {
    /// Puts down what became of the training; whether that has to do with the settings.
    pub(super) fn put(&mut self, outcome: &Result<Figures>) -> bool {
        match outcome {
            Ok(figures) => self.figures = figures.clone(),
            Err(error) => {
                let Some(status) = Status::of(error) else {
                    return false;
                };
                self.status = status;
                self.error = Some(error.to_string());
            }
        }
        true
    }

    /// The drawn settings on one line.
    pub(super) fn shown(&self) -> String {
        let mut parts = Vec::new();
        flatten("", &self.settings, &mut parts);
        parts.join(" ")
    }
}

/// `key=value`, of a table within with both keys: `l2.bias=4`.
fn flatten(before: &str, table: &Table, parts: &mut Vec<String>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) => flatten(&format!("{before}{key}."), inner, parts),
            value => parts.push(format!("{before}{key}={value}")),
        }
    }
}

/// The folder of a search.
pub(super) struct Folder {
    trials: PathBuf,
    best: PathBuf,
}

impl Folder {
    /// The files of a search in `path`; none of them may be there unless `force` is given.
    pub(super) fn at(path: &Path, force: bool) -> Result<Folder> {
        let folder = Folder {
            trials: path.join("trials.jsonl"),
            best: path.join("best.toml"),
        };
        for file in [&folder.trials, &folder.best] {
            if !force && file.exists() {
                return Err(Error::File {
                    path: file.clone(),
                    got: "an earlier search".into(),
                    wanted:
                        "another folder, or --force, which removes its trials.jsonl and best.toml"
                            .into(),
                });
            }
        }
        Ok(folder)
    }

    /// Makes the folder, with an empty list of trials.
    pub(super) fn begin(&self) -> Result<()> {
        let folder = self.trials.parent().expect("a file in a folder");
        std::fs::create_dir_all(folder).map_err(Error::io(folder, "create"))?;
        if self.best.exists() {
            std::fs::remove_file(&self.best).map_err(Error::io(&self.best, "remove"))?;
        }
        write_atomically(&Disk, &self.trials, |_| Ok(()))
    }

    /// Adds a line. One call of the operating system: whoever reads along sees whole lines.
    pub(super) fn add(&self, line: &Line) -> Result<()> {
        let text = serde_json::to_string(line).expect("numbers and names") + "\n";
        let file = OpenOptions::new().append(true).open(&self.trials);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(Error::io(&self.trials, "write"))
    }

    /// Replaces the best settings.
    pub(super) fn write_best(
        &self,
        line: &Line,
        settings: &Settings,
        measured: &str,
    ) -> Result<()> {
        let main = line.figures.main();
        let main = main.map_or(String::new(), |(metric, value)| {
            format!("{} {value}", metric.to_string().to_uppercase())
        });
        let text = format!(
            "# Trial {}: {main} {measured}.\n\
             # `train RATINGS --config` this file repeats it; without the lines that begin with valid, on all ratings.\n{}",
            line.trial,
            toml::to_string(settings).map_err(|error| Error::config(
                "settings",
                error,
                "paths in UTF-8"
            ))?
        );
        write_atomically(&Disk, &self.best, |file| file.write_all(text.as_bytes()))
    }

    /// `best.toml`
    pub(super) fn best(&self) -> &Path {
        &self.best
    }
}
