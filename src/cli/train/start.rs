//! From settings to a training that runs: what do `train` and `update` do alike?
//!
//! The run directory is made when the inputs have turned out to be good and the training stands.

use std::path::Path;
use std::time::Instant;

use super::inputs::Inputs;
use super::progress::Progress;
use super::session::{self, Session};
use super::settings::Settings;
use super::update::Updated;
use crate::artifact::RunDirectory;
use crate::cli::fresh;
use crate::cli::output::{Manner, counted, grouped};
use crate::cli::sources::Hashing;
use crate::evaluation::Training;
use crate::loss::LossKind;
use crate::model::Similarity;
use crate::training::groups::Used;
use crate::training::{Checked, Config, Method};
use crate::{Error, Result};

/// Everything that a training starts from.
pub struct Start<'a> {
    /// The new run directory.
    pub output: &'a Path,
    /// Whether the files of an earlier run there are removed.
    pub force: bool,
    /// The file of ratings.
    pub ratings: &'a Path,
    /// What was asked for.
    pub settings: Settings,
    /// The same, checked.
    pub checked: Checked,
    /// What was read.
    pub inputs: &'a Inputs,
    /// Its fingerprints, as they come.
    pub files: Hashing,
    /// How often it is put down.
    pub every: Option<String>,
    /// What an update found.
    pub update: Option<Updated>,
    /// When the command began.
    pub began: Instant,
    /// Seconds since 1970 then.
    pub started: u64,
    /// Seconds of reading.
    pub read: f64,
    /// How progress is shown.
    pub progress: Progress,
}

impl Start<'_> {
    /// Trains to the end and writes everything down.
    ///
    /// # Errors
    /// What settling, laying out, training and writing say.
    pub fn run(self, manner: Manner) -> Result<()> {
        let Start {
            inputs, settings, ..
        } = self;
        let (mut training, why) = session::begin(&self.checked, inputs, &settings, manner)?;
        why.iter().for_each(|line| manner.note(line));
        describe(inputs, &training, settings.patience, manner);
        let files = self.files.finish()?;
        let run = RunDirectory::create(self.output, self.force)?;
        let _held = run.hold()?;
        let kind = training.trainer().optimizer().kind;
        let settings = settings.resolved(training.config(), kind);
        run.write_config(&toml::to_string(&settings).expect("settings are plain values"))?;
        if self.every.is_some() && training.point_mut().is_none() {
            manner.note("note: of a posterior only the start is put down: resume begins its sweeps anew, to the same bytes");
        }
        let mut note = session::note(
            self.ratings,
            &settings,
            why,
            self.started,
            self.every,
            &files,
        );
        note.update = self.update;
        let session = Session {
            run: &run,
            inputs,
            training,
            settings,
            files,
            note,
            began: self.began,
            read: self.read,
            progress: self.progress,
        };
        session.run(manner)
    }
}

/// Refuses to write over the run whose model a training starts from.
pub fn not_the_model(output: &Path, model: Option<&Path>) -> Result<()> {
    let place = |path: &Path| path.canonicalize().ok();
    let here = place(output);
    let Some(model) = model.and_then(place).filter(|_| here.is_some()) else {
        return Ok(());
    };
    if Some(&model) == here.as_ref() || model.parent() == here.as_deref() {
        return Err(Error::File {
            path: output.into(),
            got: "the run whose model the training starts from".into(),
            wanted: "another folder for the new run: that model is needed to go on, and to verify"
                .into(),
        });
    }
    Ok(())
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
