//! `tune`: which settings suit these ratings?

mod search;
mod space;
mod trials;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

use self::search::Search;
use self::space::Space;
use self::trials::{Folder, Line, Status};
use super::asked;
use crate::cli::output::{Cell, Column, Format, Manner, Output, Set, counted};
use crate::cli::table;
use crate::cli::train::inputs::Inputs;
use crate::cli::train::settings::{Refusals, Settings};
use crate::data::{FoldRule, Folds, Halves};
use crate::evaluation::tuning::Objective;
use crate::metrics::Metric;
use crate::{Error, Result};

/// Search for settings that suit a file of ratings
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  \
    lowrank tune ratings.csv --space space.toml -o tuned\n  \
    lowrank tune ratings.csv --space space.toml --strategy halving --trials 60 --time-limit 10m -o tuned\n  \
    lowrank tune ratings.csv --items movies.csv --space space.toml --folds 5 --epochs 100 -o tuned\n  \
    lowrank train ratings.csv --config tuned/best.toml -o run\n\n\
    The space is a TOML file whose keys are those of `train --config`; a value is fixed or a range:\n  \
    factors = { choice = [8, 16, 32] }       epochs = { int = [50, 300] }       batch = { log-int = [64, 65536] }\n  \
    learning-rate = { log = [1e-3, 0.1] }    warmup = { real = [0, 10] }        l2 = { log = [1, 100] }\n\n\
    Flags are the same in all trials. Trial n draws its settings from --seed and n alone, whatever the other\n\
    trials, the threads or the limits are; a limit cuts the list short. Trials run side by side, a thread each.\n\
    A trial is judged by its RMSE on held-out ratings, or of a training for an order by its NDCG@20 of held-out items\n\
    (a tenth, if no --valid flag says more), which may also choose\n\
    its best epoch, as in `train`; or by the mean over --folds, which choose nothing.\n\
    Halving trains all trials for a fraction of their epochs, and the best third anew for three times as many, and so on."
)]
pub struct Tune {
    /// The file of ratings, or its cache
    ratings: PathBuf,
    /// The ranges of settings, a TOML file
    #[arg(long, value_name = "FILE")]
    space: PathBuf,
    /// The folder for trials.jsonl and best.toml; it is made if it is not there
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Replace the trials.jsonl and best.toml that are there
    #[arg(long)]
    force: bool,
    /// Trials at most
    #[arg(long, default_value_t = 20, value_name = "N")]
    trials: usize,
    /// Who trains for how long
    #[arg(long, value_enum, default_value_t = Strategy::Random)]
    strategy: Strategy,
    /// Epochs of all trainings together, at most; no training begins that would exceed them
    #[arg(long, value_name = "N")]
    budget_epochs: Option<usize>,
    /// No training begins after this time, as in 90s, 10m or 2h; one always does
    #[arg(long, value_name = "TIME", value_parser = crate::cli::duration::parse)]
    time_limit: Option<Duration>,
    /// Judge by the mean over so many random folds instead of held-out ratings
    #[arg(long, value_name = "N", conflicts_with_all = ["valid", "valid_fraction", "valid_by"])]
    folds: Option<usize>,
    /// A TOML file with flags of `train` as keys; flags and the space win
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    refusals: Refusals,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Strategy {
    /// Every trial for all its epochs
    Random,
    /// Many for few epochs, the best of them for more
    Halving,
}

/// More would take days, and their numbers memory.
const MAX_TRIALS: usize = 100_000;

/// What is printed as JSON.
#[derive(Serialize)]
struct Document<'a> {
    best: &'a Line,
    config: String,
    trials: usize,
    trainings: usize,
    diverged: usize,
    refused: usize,
}

impl Tune {
    /// Runs the command.
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        if !(1..=MAX_TRIALS).contains(&self.trials) {
            let wanted = format!("a whole number from 1 to {MAX_TRIALS}");
            return Err(Error::config("trials", self.trials, wanted));
        }
        let folder = Folder::at(&self.output, self.force)?;
        let flags = self.settings.clone().or(self.refusals.settings());
        let space = Space::read(&self.space, &flags)?;
        let config = self
            .config
            .as_deref()
            .map_or(Ok(Settings::default()), Settings::read)?;
        let mut fixed = flags.or(config);
        // Knobs are searched, so a trial must not choose them for itself.
        if fixed.preset.is_none() && !fixed.names_a_method() {
            fixed.preset = Some("rating".into());
        }
        asked::refuse_what_train_alone_does(&fixed)?;
        let held_out = [
            fixed.valid.is_some(),
            fixed.valid_fraction.is_some(),
            fixed.valid_by.is_some(),
        ];
        match (self.folds, held_out.contains(&true)) {
            (Some(folds), true) => {
                let wanted = "none where ratings are held out by the file of --config";
                return Err(Error::config("folds", folds, wanted));
            }
            (None, false) => fixed.valid_fraction = Some(0.1),
            _ => {}
        }
        fixed.config()?.check()?;
        let inputs = Inputs::read(&self.ratings, &fixed, &self.output, manner)?;
        let seed = fixed.seed.unwrap_or(42);
        let (objective, measured) = match (self.folds, inputs.valid) {
            (Some(n), _) => {
                let folds = Folds::deal(&inputs.train, FoldRule::Random, n, seed)?;
                (
                    Objective::Folds(Box::new(inputs.train), folds),
                    format!("over {n} folds"),
                )
            }
            (None, valid) => {
                let valid = inputs.train.with(valid.unwrap_or_default());
                let measured = format!(
                    "on {}",
                    counted(valid.n_ratings() as u64, "held-out rating")
                );
                let halves = Halves {
                    train: inputs.train,
                    valid,
                };
                (Objective::HeldOut(Box::new(halves)), measured)
            }
        };
        let n = counted(objective.n_ratings() as u64, "rating");
        manner.note(format_args!("{n} to train on, judged {measured}"));
        if self.folds.is_some() && fixed.patience.is_some() {
            manner.note("note: --patience does nothing here: folds are not looked at in training");
        }
        let search = Search {
            space: &space,
            fixed: &fixed,
            objective: &objective,
            folder: &folder,
            measured: &measured,
            seed,
            n_trials: self.trials,
            halving: self.strategy == Strategy::Halving,
            budget: self.budget_epochs,
            time_limit: self.time_limit,
            manner,
        };
        print(&search.run()?, &folder, manner)
    }
}

/// The best first; those without a figure last. Of equals the first.
fn ranked(lines: &[Line]) -> Vec<&Line> {
    let mut ranked: Vec<&Line> = lines.iter().collect();
    ranked.sort_by(|a, b| a.figures.cost().total_cmp(&b.figures.cost()));
    ranked
}

/// Lines of the table; all are in the other formats.
const SHOWN: usize = 10;

fn print(lines: &[Line], folder: &Folder, manner: Manner) -> Result<()> {
    let count = |status| lines.iter().filter(|line| line.status == status).count();
    let ranked = ranked(lines);
    manner.output(None, |out| match out.format() {
        Format::Json | Format::JsonLines => out.json(&Document {
            best: ranked[0],
            config: folder.best().display().to_string(),
            trials: lines.iter().filter(|line| line.rung == 0).count(),
            trainings: lines.len(),
            diverged: count(Status::Diverged),
            refused: count(Status::Refused),
        }),
        Format::Csv => listing(out, &ranked),
        Format::Table => {
            listing(out, &ranked[..ranked.len().min(SHOWN)])?;
            let best = folder.best().display().to_string();
            out.text(&format!("best settings: {}\n", table::safe(&best)))
        }
    })
}

fn listing(out: &mut Output<'_>, lines: &[&Line]) -> Result<()> {
    // Those of the best; where no trial has any, nothing was measured and nothing is listed.
    let metrics: Vec<Metric> = lines[0].figures.0.iter().map(|(m, _)| *m).collect();
    let figures = metrics
        .iter()
        .map(|m| Column::new(asked::header(*m), Set::Right));
    let columns = COLUMNS[..2].iter().copied().chain(figures);
    let columns: Vec<Column> = columns.chain(COLUMNS[2..].iter().copied()).collect();
    let mut listing = out.listing(&columns)?;
    for line in lines {
        let figure = |&metric: &Metric| {
            let value = line.figures.get(metric);
            value.map_or(Cell::Text(""), Cell::Metric)
        };
        let (status, settings) = (line.status.name(), line.shown());
        let mut cells = vec![
            Cell::Count(line.trial as u64),
            Cell::Count(line.epochs as u64),
        ];
        cells.extend(metrics.iter().map(figure));
        cells.extend([
            Cell::Metric(line.seconds),
            Cell::Text(status),
            Cell::Text(&settings),
        ]);
        listing.row(&(), &cells)?;
    }
    listing.finish()
}

/// Figures stand before the seconds.
const COLUMNS: [Column; 5] = [
    Column::new("trial", Set::Right),
    Column::new("epochs", Set::Right),
    Column::new("seconds", Set::Right),
    Column::new("status", Set::Left),
    Column::new("settings", Set::Cut),
];
