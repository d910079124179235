//! `train`: how does a file of ratings become a model?
//!
//! Read, hold out, train, write. The run directory is looked at first, so that a folder in the way is noticed before the work and not after it, and
//! made when the input has turned out to be good.

use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::checkpoints::Every;
use super::dry_run;
use super::inputs::{self, Inputs};
use super::progress::Progress;
use super::session::{self, Session};
use super::settings::{Refusals, Settings};
use crate::artifact::{InitTables, RunDirectory};
use crate::cli::fresh;
use crate::cli::output::{Manner, counted, grouped};
use crate::evaluation::Training;
use crate::loss::LossKind;
use crate::model::Similarity;
use crate::training::groups::Used;
use crate::training::{Checked, Config, Method};
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
        let started = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_secs());
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

        let (mut training, why) = session::begin(&checked, &inputs, &settings, manner)?;
        let trainer = training.trainer();
        why.iter().for_each(|line| manner.note(line));
        describe(&inputs, &training, settings.patience, manner);
        let files = files.finish()?;
        let run = RunDirectory::create(&self.output, self.force)?;
        let settings = settings.resolved(training.config(), trainer.optimizer().kind);
        run.write_config(&toml::to_string(&settings).expect("settings are plain values"))?;
        if self.checkpoint_every.is_some() && training.point_mut().is_none() {
            manner.note("note: of a posterior only the start is put down: resume begins its sweeps anew, to the same bytes");
        }
        let note = session::note(
            &self.ratings,
            &settings,
            why,
            started,
            self.checkpoint_every.clone(),
            &files,
        );
        let session = Session {
            run: &run,
            inputs: &inputs,
            training,
            settings,
            files,
            note,
            update: None,
            began,
            read,
            progress: self.progress,
        };
        session.run(manner)
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

/// Says what was read and what will be trained.
fn describe(inputs: &Inputs, training: &Training<'_>, patience: Option<usize>, manner: Manner) {
    let trainer = training.trainer();
    let (data, report) = (&inputs.train, &inputs.train.report);
    let held_out = inputs.valid.as_ref().map_or(String::new(), |valid| {
        format!(", {} held out", grouped(valid.len() as u64))
    });
    manner.note(format_args!(
        "{} of {} and {}{held_out}",
        counted(data.n_ratings() as u64, "rating"),
        counted(data.n_users() as u64, "user"),
        counted(data.n_items() as u64, "item")
    ));
    if inputs.valid.is_none() && patience.is_some() {
        manner.note(
            "note: --patience does nothing here: no ratings are held out, see --valid-fraction",
        );
    }
    if report.later_ratings > 0 {
        manner.note(format_args!(
            "{} later than --as-of are left out",
            counted(report.later_ratings as u64, "rating")
        ));
    }
    for (side, versions) in [
        ("item", report.item_versions),
        ("user", report.user_versions),
    ] {
        if let Some(versions) = versions {
            manner.note(fresh::of_versions(side, &versions));
        }
    }
    let duplicates = report.duplicates;
    if duplicates.dropped > 0 {
        manner.note(format_args!(
            "{} of {} of user and item settled by --dedupe {}",
            counted(duplicates.dropped as u64, "duplicate"),
            counted(duplicates.pairs as u64, "pair"),
            duplicates.policy
        ));
    }
    for (side, chosen) in ["user", "item"].iter().zip(trainer.columns()) {
        let used: Vec<String> = chosen.used.iter().map(Used::to_string).collect();
        let of_ratings = chosen.implicit.map(str::to_owned).into_iter().collect();
        for (names, what) in [
            (&used, "used"),
            (&of_ratings, "made of the ratings"),
            (&chosen.skipped, "not used"),
        ] {
            if !names.is_empty() {
                manner.note(format_args!("{side} features {what}: {}", names.join(", ")));
            }
        }
    }
    let config = trainer.config();
    manner.note(format_args!(
        "{}: {}, {}, {}, seed {}; {}, {} kernel",
        what(training),
        counted(config.factors() as u64, "factor"),
        counted(trainer.n_parameters() as u64, "parameter"),
        counted(config.n_epochs() as u64, "epoch"),
        config.seed_number(),
        counted(trainer.threads() as u64, "thread"),
        trainer.kernel().name()
    ));
}

/// How the tables are found.
fn what(training: &Training<'_>) -> String {
    let trainer = training.trainer();
    match training.config().method {
        Method::Variational => "variational posterior".into(),
        Method::Samples(kept) => format!("average of {}", counted(kept as u64, "sample")),
        Method::Ensemble => "three models; the first".into(),
        _ => {
            let preset = trainer.config().preset_name();
            let config = trainer.config();
            let loss = match config.loss {
                LossKind::Squared => String::new(),
                loss => format!(", {loss} of {}s", similarity(config)),
            };
            format!("preset {preset}{loss}, {}", trainer.optimizer().kind.name())
        }
    }
}

/// What a score is made of.
fn similarity(config: &Config) -> &'static str {
    match config.score_of() {
        Similarity::Cosine => "cosine",
        _ => "dot product",
    }
}
