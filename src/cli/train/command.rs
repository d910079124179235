//! `train`: how does a file of ratings become a model?
//!
//! Read, hold out, train, write. The run directory is looked at first, so that a folder in the way is noticed before the work and not after it, and
//! made when the input has turned out to be good.

use std::path::PathBuf;
use std::time::Instant;

use super::checkpoints::Every;
use super::dry_run;
use super::inputs::{self, Inputs};
use super::progress::Progress;
use super::settings::{Refusals, Settings};
use super::start::{self, Start};
use crate::artifact::{InitTables, RunDirectory};
use crate::cli::calendar;
use crate::cli::output::Manner;
use crate::training::{Checked, Method};
use crate::{Error, Result};
use clap::Args;

/// Train a model on a file of ratings
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  \
    lowrank train ratings.csv -o run\n  \
    lowrank train ratings.csv --items movies.csv --valid-fraction 0.1 -o run\n  \
    lowrank train ratings.csv --average -o run\n  \
    lowrank train ratings.csv --preset notebook --factors 32 --epochs 100 -o run\n  \
    lowrank train ratings.csv --factors 64 --dry-run\n\n\
    Without --preset, --epochs or another knob of a method, a tenth of the ratings is held out, what is promising is tried on the rest,\n\
    and everything is trained on with what was best; what was chosen, and why, is printed and stands in run.json and config.toml.\n\
    Ratings: a line each, user, item, rating and perhaps a time; plain or .gz; with a header or without.\n\
    Or a cache of such a file, which `lowrank data convert` writes.\n\
    The run directory then holds model.lowrank, run.json, metrics.jsonl and config.toml."
)]
pub struct Train {
    /// The file of ratings, or its cache
    ratings: PathBuf,
    /// The run directory, new or empty
    #[arg(
        short = 'o',
        long = "output",
        value_name = "RUN",
        default_value = "run"
    )]
    output: PathBuf,
    /// Remove the files of an earlier run in that directory
    #[arg(long)]
    force: bool,
    /// Say what the training would be, take and cost, and do nothing: no epoch is kept, no file written
    #[arg(long)]
    dry_run: bool,
    /// A TOML file with any of the flags below as keys; flags win
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Put the training down after so many epochs (`10`) or so much time (`10m`), and after every best epoch, for `resume`
    #[arg(long, value_name = "N|TIME")]
    checkpoint_every: Option<String>,
    /// How progress is shown
    #[arg(long, value_enum, value_name = "HOW", default_value = "auto")]
    progress: Progress,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    refusals: Refusals,
}

impl Train {
    /// Runs the command.
    pub fn run(self, manner: Manner) -> Result<()> {
        let began = Instant::now();
        let started = calendar::now();
        let file = self
            .config
            .as_deref()
            .map_or(Ok(Settings::default()), Settings::read)?;
        let flags = self.settings.clone().or(self.refusals.settings());
        let settings = flags.or(file);
        let checked = settings.config()?.check()?;
        // Before the work: a path that the record cannot hold would make the run one that nobody can repeat.
        toml::to_string(&settings)
            .map_err(|error| Error::config("settings", error, "paths in UTF-8"))?;
        self.check_every()?;
        if self.dry_run {
            return self.dry(&checked, &settings, manner);
        }
        RunDirectory::check(&self.output, self.force)?;
        start::not_the_model(&self.output, settings.warm_start.as_deref())?;
        let files = inputs::hashing(&self.ratings, &settings);
        let inputs = Inputs::read(&self.ratings, &settings, &self.output, manner)?;
        let read = began.elapsed().as_secs_f64();
        let (settings, checked) = match inputs.train.report.has_ratings() {
            true => (settings, checked),
            false => {
                let settings = settings.of_clicks();
                let checked = settings.config()?.check()?;
                (settings, checked)
            }
        };

        let start = Start {
            output: &self.output,
            force: self.force,
            ratings: &self.ratings,
            settings,
            checked,
            inputs: &inputs,
            files,
            every: self.checkpoint_every,
            update: None,
            began,
            started,
            read,
            progress: self.progress,
        };
        start.run(manner)
    }
}

impl Train {
    /// Refuses `--checkpoint-every` before the work, where it is no such thing.
    fn check_every(&self) -> Result<()> {
        let Some(asked) = &self.checkpoint_every else {
            return Ok(());
        };
        let every = asked.parse::<Every>().map(drop);
        every.map_err(|wanted| Error::config("checkpoint-every", asked, wanted))
    }

    /// What the training would be. A run directory in the way stops nothing here.
    fn dry(&self, checked: &Checked, settings: &Settings, manner: Manner) -> Result<()> {
        if let Err(error) = RunDirectory::check(&self.output, self.force) {
            manner.note(format_args!("note: the training would be refused: {error}"));
        }
        if let Some(folder) = &settings.init {
            InitTables::read(folder)?;
        }
        if settings
            .implicit
            .as_deref()
            .is_some_and(|which| which != "none")
        {
            let wanted =
                "none with --dry-run: what features made of the ratings cost is not counted";
            return Err(Error::config("implicit", "some", wanted));
        }
        if settings.max_memory.is_some() {
            manner.note(
                "note: the figures are those of ratings in memory, whatever --max-memory says",
            );
        }
        let in_memory = Settings {
            max_memory: None,
            ..settings.clone()
        };
        let method = checked.config().method;
        if !matches!(method, Method::Point | Method::Auto) {
            let wanted = "one set of tables with --dry-run: what a posterior costs is not counted";
            return Err(Error::config("method", "a posterior", wanted));
        }
        if method == Method::Auto {
            manner.note("note: without --preset, training tries what suits the ratings; the figures are those of --preset rating");
        }
        let began = Instant::now();
        let inputs = Inputs::read(&self.ratings, &in_memory, &self.output, manner)?;
        if checked.config().ranks() || !inputs.train.report.has_ratings() {
            let wanted =
                "a loss of ratings with --dry-run: what negatives and lists cost is not counted";
            return Err(Error::config("loss", "one of clicks", wanted));
        }
        dry_run::run(checked, &inputs, began.elapsed().as_secs_f64(), manner)
    }
}
