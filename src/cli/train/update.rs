//! `update`: what do new ratings make of a model that is there?
//!
//! The ratings of the run and the new ones are trained on together, from where the run's model stands: rows by id, new ones folded in, a tenth of the epochs. Nobody's history is cut: whoever gave only the last ratings would teach the
//! model that nothing else ever was.
//!
//! ```text
//! 1  a tenth of the new ratings is held out    the run's model and one that is updated without them are judged by these
//! 2  then all ratings are trained on           the model of the new run; `train --warm-start` with its config.toml gives the same bytes
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde::Serialize;

use super::inputs::{self, Inputs};
use super::progress::Progress;
use super::session::{self, Session};
use super::settings::Settings;
use crate::artifact::RunDirectory;
use crate::cli::given::ModelArgument;
use crate::cli::keep::runs::record;
use crate::cli::output::{Manner, counted, grouped};
use crate::cli::sources::{InputFile, hex, stamp};
use crate::data::reader::read_test;
use crate::data::{Dataset, Interactions};
use crate::evaluation::comparison::{compare, compare_lists};
use crate::evaluation::statistics::Difference;
use crate::kernels::pool::Pool;
use crate::metrics::{Kind, Metric};
use crate::model::Meaning;
use crate::random::Stream;
use crate::training::Ending;
use crate::{Error, Model, Result};

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

/// Fewer held-out ratings than this say nothing.
const FEWEST: usize = 20;

/// What an update did, for `run.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Updated {
    /// The SHA-256 of the model that it started from.
    from: Option<String>,
    /// Pairs of user and item that the new ratings have.
    new_ratings: usize,
    /// Users and items that they touch.
    users: usize,
    items: usize,
    /// How both models do on some of them.
    compared: Option<Compared>,
}

/// Two models on the same held-out ratings.
#[derive(Clone, Debug, Serialize)]
struct Compared {
    held_out: usize,
    of: Vec<Figure>,
}

/// One figure of both.
#[derive(Clone, Debug, Serialize)]
struct Figure {
    metric: String,
    old: f64,
    updated: f64,
    /// The 95 % interval of the second less the first.
    difference: Option<[f64; 2]>,
}

impl Update {
    /// Runs the command.
    pub fn run(self, manner: Manner) -> Result<()> {
        let began = Instant::now();
        let started = SystemTime::now().duration_since(UNIX_EPOCH);
        let run = RunDirectory::open(&self.run)?;
        let output = self.output.clone().unwrap_or_else(|| {
            let mut name = run.path().as_os_str().to_owned();
            name.push("-updated");
            name.into()
        });
        RunDirectory::check(&output, self.force)?;
        let (ratings, settings) = self.settings(&run)?;
        let files = inputs::hashing(&ratings, &settings);
        let inputs = Inputs::read(&ratings, &settings, &output, manner)?;
        let read = began.elapsed().as_secs_f64();
        let updated = self.judge(&run, &inputs, &settings, manner)?;

        let checked = settings.config()?.check()?;
        let (training, recipe) = session::begin(&checked, &inputs, &settings, manner)?;
        let files = files.finish()?;
        let new_run = RunDirectory::create(&output, self.force)?;
        let kind = training.trainer().optimizer().kind;
        let settings = settings.resolved(training.config(), kind);
        new_run.write_config(&toml::to_string(&settings).expect("settings are plain values"))?;
        let started = started.map_or(0, |time| time.as_secs());
        let note = session::note(&ratings, &settings, recipe, started, None, &files);
        let session = Session {
            run: &new_run,
            inputs: &inputs,
            training,
            settings,
            files,
            note,
            update: Some(updated),
            began,
            read,
            progress: self.progress,
        };
        session.run(manner)
    }

    /// The old ratings, and how all are trained on.
    fn settings(&self, run: &RunDirectory) -> Result<(PathBuf, Settings)> {
        let before = Settings::read(&run.config())?;
        let inputs = record::inputs(run, &record::read(run)?)?;
        let old = inputs.iter().find(|input| input.role() == "ratings");
        let old = old.ok_or_else(|| record::no_record(run, "no file of ratings"))?;
        let ratings = match &self.ratings {
            Some(path) => path.clone(),
            None => self.found(Path::new(old.path()), "ratings")?,
        };
        // The very ratings of the run: others would be another model's past.
        let now = InputFile::of("ratings", &ratings)?;
        if !now.is_same(old) {
            return Err(Error::File {
                path: ratings,
                got: "other ratings than the run was trained on".into(),
                wanted: format!(
                    "SHA-256 {}; new ratings go into a file of their own, or train anew",
                    old.sha256().unwrap_or_default()
                ),
            });
        }
        let found = |newer: &Option<PathBuf>, path: &Option<PathBuf>, role| match (newer, path) {
            (Some(newer), _) => Ok(Some(newer.clone())),
            (None, Some(path)) => self.found(path, role).map(Some),
            (None, None) => Ok(None),
        };
        let mut add = Vec::new();
        for path in before.add.iter().flatten() {
            add.push(self.found(path, "further ratings")?);
        }
        add.push(self.new_ratings.clone());
        let epochs = before.epochs.map(|epochs| epochs.div_ceil(10).max(2));
        let settings = Settings {
            add: Some(add),
            items: found(&self.items, &before.items, "items")?,
            users: found(&self.users, &before.users, "users")?,
            valid: found(&None, &before.valid, "valid")?,
            // What one training held out the other has seen.
            valid_fraction: None,
            valid_by: None,
            patience: None,
            init: None,
            warm_start: Some(self.run.clone()),
            epochs: self.epochs.or(epochs),
            threads: self.threads.or(before.threads),
            ..before
        };
        Ok((ratings, settings))
    }

    fn found(&self, path: &Path, role: &str) -> Result<PathBuf> {
        let mut places = record::places(&self.run, path).into_iter();
        places
            .find(|place| place.is_file())
            .ok_or_else(|| Error::File {
                path: path.into(),
                got: format!("no such file: the {role} of the run are gone"),
                wanted: match role {
                    "ratings" | "items" | "users" => format!("--{role} FILE, where they are now"),
                    _ => "the files that the run read, where they were".into(),
                },
            })
    }

    /// What the new ratings touch, and how both models do on some of them.
    fn judge(
        &self,
        run: &RunDirectory,
        inputs: &Inputs,
        settings: &Settings,
        manner: Manner,
    ) -> Result<Updated> {
        let data = &inputs.train;
        let all = data.in_memory("updating a model")?;
        let (users, items) = (&data.users.ids, &data.items.ids);
        let new = read_test(&self.new_ratings, &settings.read_options()?, users, items)?;
        let new = new.interactions.users.iter().zip(&new.interactions.items);
        let new: BTreeSet<(u32, u32)> = new.map(|(&user, &item)| (user, item)).collect();
        let is_new = |&n: &usize| new.contains(&(all.users[n], all.items[n]));
        let mut positions: Vec<usize> = (0..all.len()).filter(is_new).collect();
        let touched = |of: fn(&(u32, u32)) -> u32| new.iter().map(of).collect::<BTreeSet<_>>();
        let (by, on) = (touched(|pair| pair.0).len(), touched(|pair| pair.1).len());
        manner.note(format_args!(
            "{} by {} on {}, {} ratings in all",
            counted(new.len() as u64, "new rating"),
            counted(by as u64, "user"),
            counted(on as u64, "item"),
            grouped(all.len() as u64)
        ));
        let mut stream = Stream::new(settings.seed.unwrap_or(42), "update.held-out");
        stream.shuffle(&mut positions);
        positions.truncate((self.hold_out * positions.len() as f64) as usize);
        positions.sort_unstable();
        if self.hold_out > 0.0 && positions.len() < FEWEST {
            manner.note(format_args!(
                "note: nothing is compared: fewer than {FEWEST} of the new ratings would be held out"
            ));
        }
        let compared = match positions.len() >= FEWEST {
            true => Some(self.compare(data, &positions, settings, manner)?),
            false => None,
        };
        Ok(Updated {
            from: stamp(&run.model())?.map(|stamp| hex(&stamp.sha256)),
            new_ratings: new.len(),
            users: by,
            items: on,
            compared,
        })
    }

    /// The run's model and one that is updated without the ratings at `positions`, judged by these.
    fn compare(
        &self,
        data: &Dataset,
        positions: &[usize],
        settings: &Settings,
        manner: Manner,
    ) -> Result<Compared> {
        let mut held_out = positions.iter().peekable();
        let is_left = |n: &usize| held_out.next_if_eq(&n).is_none();
        let rest: Vec<usize> = (0..data.interactions.len()).filter(is_left).collect();
        let without = Inputs {
            train: data.with(data.interactions.select(&rest)),
            valid: None,
        };
        let quiet = Manner {
            quiet: true,
            ..manner
        };
        let checked = settings.config()?.check()?;
        let (mut training, _) = session::begin(&checked, &without, settings, quiet)?;
        if let Ending::Diverged(error) | Ending::Failed(error) = training.run(&mut ()).ending {
            return Err(error);
        }
        let updated = training.into_model()?;
        let old = ModelArgument::new(&self.run, false).load()?;
        let test = data.interactions.select(positions);
        let seen_by_old = of_model(&old, data, &test);
        let (models, tests) = ([&old, &updated], [&seen_by_old, &test]);
        let pool = Pool::new(settings.threads.unwrap_or(0));
        let of = match old.meaning() == Meaning::Rating && data.report.has_ratings() {
            true => {
                let found = compare(models, tests, &pool)?;
                let [old, updated] = found.errors;
                let metric = Metric::new(Kind::Rmse, None);
                vec![Figure::new(metric, old.rmse, updated.rmse, found.rmse())]
            }
            false => {
                let lists = compare_lists(models, tests, &pool)?.into_iter();
                let figure = |of: crate::evaluation::comparison::ListComparison| {
                    Figure::new(of.metric, of.values[0], of.values[1], of.difference)
                };
                lists.map(figure).collect()
            }
        };
        Ok(Compared {
            held_out: positions.len(),
            of,
        })
    }
}

/// `test` with the numbers that a model has for its users and items; whom it has not is a stranger of a number of his own.
fn of_model(model: &Model, data: &Dataset, test: &Interactions) -> Interactions {
    let renumbered = |rows: &[u32], from: &crate::data::Ids, to: &crate::data::Ids| {
        let beyond = to.len() as u32;
        let number = |&row: &u32| to.index(from.name(row)).unwrap_or(beyond + row);
        rows.iter().map(number).collect()
    };
    Interactions {
        users: renumbered(&test.users, &data.users.ids, model.users().ids()),
        items: renumbered(&test.items, &data.items.ids, model.items().ids()),
        ..test.clone()
    }
}

impl Figure {
    fn new(metric: Metric, old: f64, updated: f64, difference: Option<Difference>) -> Figure {
        Figure {
            metric: metric.to_string(),
            old,
            updated,
            difference: difference.map(|of| [of.low, of.high]),
        }
    }
}

impl Updated {
    /// The comparison, a line a figure.
    pub fn lines(&self) -> Vec<String> {
        let Some(compared) = &self.compared else {
            return Vec::new();
        };
        let mut lines = vec![format!(
            "{} held out, then trained on too:",
            counted(compared.held_out as u64, "new rating")
        )];
        for of in &compared.of {
            let interval = of.difference.map_or(String::new(), |[low, high]| {
                format!(", difference {low:+.4} to {high:+.4}")
            });
            lines.push(format!(
                "  {:<14}  before {:.4}  updated {:.4}{interval}",
                of.metric.to_uppercase(),
                of.old,
                of.updated
            ));
        }
        lines
    }
}
