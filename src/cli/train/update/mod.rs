//! `update`: what do new ratings make of a model that is there?
//!
//! The ratings of the run and the new ones are trained on together, from where the run's model stands: rows by id, new ones folded in, a tenth of the epochs. Nobody's history is cut: whoever gave only the last ratings would teach the
//! model that nothing else ever was.
//!
//! ```text
//! 1  a tenth of the new ratings is held out    the run's model and one that is updated without them are judged by these
//! 2  then all ratings are trained on           the model of the new run; `train --warm-start` with its config.toml gives the same bytes
//! ```

mod judge;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::Value;

use super::inputs::{self, Inputs};
use super::progress::Progress;
use super::settings::Settings;
use super::start::{self, Start};
use crate::artifact::RunDirectory;
use crate::cli::calendar;
use crate::cli::given::ModelArgument;
use crate::cli::keep::runs::record;
use crate::cli::output::{Manner, counted};
use crate::cli::sources::{InputFile, MORE};
use crate::data::RatingsCache;
use crate::training::groups::{RATED, RATERS};
use crate::{Error, Model, Result};
pub use judge::Updated;

/// Train a model further on new ratings, from where it stands
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank update run today.csv -o run-2\n  \
    lowrank update run today.csv --items movies.csv --epochs 5 -o run-2\n\n\
    The ratings that the run was trained on are read again and the new ones after them; of a pair of user and item that is in both, the run's\n\
    --dedupe says which counts. New users and items are folded in; then every row takes a tenth of the run's epochs. A share of the new ratings\n\
    is held out first, to compare the run's model with one that is updated without them; the new model is trained on all. The old run stays as it is.\n\
    Averages and ensembles are drawn anew by `train`.")]
pub struct Update {
    /// The run directory of the model
    run: PathBuf,
    /// The file of new ratings
    new_ratings: PathBuf,
    /// The new run directory [default: RUN-updated]
    #[arg(short = 'o', long = "output", value_name = "RUN")]
    output: Option<PathBuf>,
    /// Remove the files of an earlier run in that directory
    #[arg(long)]
    force: bool,
    /// Where the ratings that the run was trained on are now
    #[arg(long, value_name = "FILE")]
    ratings: Option<PathBuf>,
    /// Items, where there are newer ones than those of the run
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    /// Users, where there are newer ones
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Passes over all ratings [default: a tenth of the run's, at least 2]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// The share of the new ratings that both models are judged by; 0 for no comparison
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = share)]
    hold_out: f64,
    /// How progress is shown
    #[arg(long, value_enum, value_name = "HOW", default_value = "auto")]
    progress: Progress,
    /// Threads; they change speed alone [default: those of the run]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| "wanted a share from 0 to below 1, as in 0.1".into())
}

impl Update {
    /// Runs the command.
    pub fn run(self, manner: Manner) -> Result<()> {
        let (began, started) = (Instant::now(), calendar::now());
        let run = RunDirectory::open(&self.run)?;
        let output = self.output.clone().unwrap_or_else(|| {
            // Without a slash at its end: the new run stands beside the old one.
            let mut name = run.path().components().as_path().as_os_str().to_owned();
            name.push("-updated");
            name.into()
        });
        RunDirectory::check(&output, self.force)?;
        start::not_the_model(&output, Some(run.path()))?;
        let (ratings, settings) = self.settings(&run, manner)?;
        let files = inputs::hashing(&ratings, &settings);
        let inputs = Inputs::read(&ratings, &settings, &output, manner)?;
        let read = began.elapsed().as_secs_f64();
        let old = ModelArgument::new(&self.run, false).load()?;
        without_features(&old, &inputs, manner);
        let updated = self.judge(&old, &inputs, &settings, manner)?;
        let start = Start {
            output: &output,
            force: self.force,
            ratings: &ratings,
            checked: settings.config()?.check()?,
            settings,
            inputs: &inputs,
            files,
            every: None,
            update: Some(updated),
            began,
            started,
            read,
            progress: self.progress,
        };
        start.run(manner)
    }

    /// The old ratings, and how all are trained on.
    fn settings(&self, run: &RunDirectory, manner: Manner) -> Result<(PathBuf, Settings)> {
        let before = Settings::read(&run.config())?;
        let record = record::read(run)?;
        let inputs = record::inputs(run, &record)?;
        let (mut ratings, mut add) = (None, Vec::new());
        let (mut items, mut users, mut valid) = (None, None, None);
        for then in &inputs {
            let (given, place) = match then.role() {
                "ratings" => (self.ratings.as_deref(), &mut ratings),
                "items" => (self.items.as_deref(), &mut items),
                "users" => (self.users.as_deref(), &mut users),
                "valid" => (None, &mut valid),
                MORE => {
                    add.push(self.the_same(then, None)?);
                    continue;
                }
                _ => continue,
            };
            *place = Some(match then.role() {
                // The very ratings of the run: others would be another model's past.
                "ratings" => text_of(self.the_same(then, given)?, then)?,
                role => {
                    let (path, is_same) = self.found(then, given)?;
                    if !is_same && given.is_none() {
                        let path = path.display();
                        manner.note(format_args!("note: {role}: {path} has changed since the run, and is read as it is now"));
                    }
                    path
                }
            });
        }
        let ratings = ratings.ok_or_else(|| record::no_record(run, "no file of ratings"))?;
        add.push(self.new_ratings.clone());
        let epochs = before.epochs.map(|epochs| epochs.div_ceil(10).max(2));
        let settings = Settings {
            add: Some(add),
            items: items.or(self.items.clone()),
            users: users.or(self.users.clone()),
            valid,
            // The columns of the run, also where a newer file would make others look likely.
            item_features: before.item_features.clone().or(columns(&record, "items")),
            user_features: before.user_features.clone().or(columns(&record, "users")),
            // What one training held out the other has seen.
            valid_fraction: None,
            valid_by: None,
            patience: None,
            init: None,
            // What is new is later than the moment of the old features, and a schedule is made for all epochs.
            as_of: None,
            horizon: None,
            warmup: None,
            warm_start: Some(self.run.clone()),
            epochs: self.epochs.or(epochs),
            threads: self.threads.or(before.threads),
            ..before
        };
        Ok((ratings, settings))
    }

    /// A file of the run as it was.
    fn the_same(&self, then: &InputFile, given: Option<&Path>) -> Result<PathBuf> {
        match self.found(then, given)? {
            (path, true) => Ok(path),
            (path, false) => Err(Error::File {
                path,
                got: "other ratings than the run was trained on".into(),
                wanted: format!(
                    "SHA-256 {}; new ratings go into a file of their own, or train anew",
                    then.sha256().unwrap_or_default()
                ),
            }),
        }
    }

    /// Where a file of the run is now, and whether it is what it was.
    fn found(&self, then: &InputFile, given: Option<&Path>) -> Result<(PathBuf, bool)> {
        let found = record::look(&self.run, then, given)?;
        let (path, now) = found.ok_or_else(|| Error::File {
            path: then.path().into(),
            got: format!("no such file: the {} of the run are gone", then.role()),
            wanted: match then.role() {
                role @ ("ratings" | "items" | "users") => {
                    format!("--{role} FILE, where they are now")
                }
                _ => "the files that the run read, where they were".into(),
            },
        })?;
        let is_same = now.is_same(then);
        Ok((path, is_same))
    }
}

/// The columns that were features of the run; those that are made of ratings are settings of their own.
fn columns(record: &Value, side: &str) -> Option<String> {
    let names = record["features"][side].as_array()?.iter();
    let names: Vec<&str> = names
        .filter_map(Value::as_str)
        .filter(|name| ![RATED, RATERS].contains(name))
        .collect();
    Some(match names.is_empty() {
        true => "none".into(),
        false => names.join(","),
    })
}

/// Says how many rows of the old model had features and have none now.
fn without_features(old: &Model, inputs: &Inputs, manner: Manner) {
    let data = &inputs.train;
    for (what, before, now) in [
        ("user", old.users(), &data.users),
        ("item", old.items(), &data.items),
    ] {
        for group in before.groups() {
            let Some(column) = now.catalog.column(group.name()) else {
                continue;
            };
            let lost = before.ids().names().iter().enumerate().filter(|(row, id)| {
                let row_now = now.ids.index(id);
                group.features().row(*row).next().is_some()
                    && row_now.is_some_and(|row| column.rows.row(row as usize).is_empty())
            });
            let lost = lost.count() as u64;
            if lost > 0 {
                manner.note(format_args!(
                    "warning: {} had {} and have none in the file that is read now",
                    counted(lost, what),
                    group.name()
                ));
            }
        }
    }
}

/// The text that a cache was made from: ratings beside those of a cache could not be settled.
fn text_of(path: PathBuf, then: &InputFile) -> Result<PathBuf> {
    let Some(cache) = RatingsCache::at(&path)? else {
        return Ok(path);
    };
    let text = cache.source().path.clone();
    if text.is_file() && InputFile::of("ratings", &text)?.is_same(then) {
        return Ok(text);
    }
    Err(Error::File {
        path,
        got: "a cache, beside which no other ratings can stand".into(),
        wanted: format!(
            "the text that it was made from, {}, which is not there or has changed: --ratings FILE, where it is now",
            text.display()
        ),
    })
}
