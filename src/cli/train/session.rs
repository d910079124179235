//! From where everything is chosen to where the run directory is complete: what do `train` and `resume` do alike?

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::checkpoints::{self, Checkpoints, Note};
use super::inputs::Inputs;
use super::progress::{Progress, Watch};
use super::record::{Features, Machine, Outcome, Record, Times, outcome};
use super::settings::Settings;
use super::update::Updated;
use crate::Result;
use crate::artifact::{InitTables, RunDirectory};
use crate::cli::given::ModelArgument;
use crate::cli::output::{Format, Manner, counted};
use crate::cli::sources::InputFile;
use crate::cli::table;
use crate::data::LoadReport;
use crate::evaluation::Training;
use crate::training::groups::Chosen;
use crate::training::{Checked, Ending, Event, Observer, Trainer};

/// A training that is ready, and what is to be written down of it.
pub struct Session<'a> {
    /// Where it goes.
    pub run: &'a RunDirectory,
    /// What goes in.
    pub inputs: &'a Inputs,
    /// At its start, or where it was put down.
    pub training: Training<'a>,
    /// Every knob.
    pub settings: Settings,
    /// The inputs' fingerprints.
    pub files: Vec<InputFile>,
    /// What a checkpoint says.
    pub note: Note,
    /// When the command began.
    pub began: Instant,
    /// Seconds of reading.
    pub read: f64,
    /// How progress is shown.
    pub progress: Progress,
}

/// What is printed in the end.
#[derive(Serialize)]
struct Summary<'a> {
    run: String,
    model: String,
    #[serde(flatten)]
    outcome: &'a Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<&'a Updated>,
    seconds: f64,
}

/// A training at its start, with first values from elsewhere where the settings name them; and what was chosen, where that was left open.
///
/// # Errors
/// What settling, laying out and reading those tables say.
pub fn begin<'d>(
    checked: &Checked,
    inputs: &'d Inputs,
    settings: &Settings,
    manner: Manner,
) -> Result<(Training<'d>, Vec<String>)> {
    let (train, valid) = (&inputs.train, inputs.valid.as_ref());
    let recipe = checked.settle(train, valid)?;
    let mut training = recipe.checked.training(train, valid)?;
    if let (Some(folder), Some(trainer)) = (&settings.init, training.point_mut()) {
        manner.note(InitTables::read(folder)?.apply(trainer)?);
    }
    if let Some(path) = &settings.warm_start {
        let model = ModelArgument::new(path, false).load()?;
        manner.note(training.warm_start(&model)?);
    }
    Ok((training, recipe.why))
}

/// The note of a training on `ratings`, with these settings resolved.
pub fn note(
    ratings: &Path,
    settings: &Settings,
    recipe: Vec<String>,
    started: u64,
    every: Option<String>,
    files: &[InputFile],
) -> Note {
    Note {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        folder: std::path::absolute(".").unwrap_or_default().into(),
        ratings: ratings.into(),
        config: toml::to_string(settings).expect("settings are plain values"),
        recipe,
        started,
        every,
        update: None,
        inputs: files.iter().map(InputFile::known_by).collect(),
    }
}

impl Session<'_> {
    /// Trains to the end and writes everything down.
    ///
    /// # Errors
    /// Where training ends before its end, or something cannot be written.
    pub fn run(mut self, manner: Manner) -> Result<()> {
        let (run, inputs) = (self.run, self.inputs);
        checkpoints::listen();
        let from_start = self.training.point_mut().is_none();
        let mut last_loss = None;
        let mut watch = Watch::new(self.progress, manner.quiet, Some(run));
        let mut checkpoints = Checkpoints::new(run, &self.note)?;
        if from_start {
            checkpoints.before(self.training.trainer().state())?;
        }
        let mut observer = |event: &Event| {
            let mut control = watch.on_event(event);
            if let Event::EpochEnded(epoch) = event {
                last_loss = Some(epoch.train_loss);
                if from_start && checkpoints::interrupted() {
                    control = ControlFlow::Break(());
                }
            }
            control
        };
        let finish = self
            .training
            .run_keeping(&mut observer, &mut |epoch, state| {
                checkpoints.after(epoch, state)
            });
        let train_seconds = watch.seconds();
        watch.finish()?;
        let ended = !matches!(finish.ending, Ending::Observer);
        if from_start && !ended {
            checkpoints.broken_off(finish.epochs, self.training.trainer().state());
        }
        checkpoints.finish(ended)?;

        let trainer = self.training.trainer();
        let counts = inputs.counts(trainer.n_parameters());
        let features = features(trainer, &inputs.train.report);
        let machine = Machine {
            kernel: trainer.kernel().name(),
            threads: trainer.threads(),
        };
        let model = self.training.into_model()?;
        model.save(run.model())?;
        let outcome = outcome(&finish, last_loss, &model, inputs.valid.as_ref())?;
        let total = self.began.elapsed().as_secs_f64();
        let update = self.note.update;
        let record = Record {
            version: env!("CARGO_PKG_VERSION"),
            started: self.note.started,
            counts,
            features,
            machine,
            times: Times {
                read: self.read,
                train: train_seconds,
                total,
            },
            inputs: self.files,
            config: self.settings,
            recipe: self.note.recipe,
            result: outcome.clone(),
            update: update.clone(),
        };
        run.write_record(&serde_json::to_string_pretty(&record).expect("plain values"))?;
        run.remove_checkpoint()?;
        if let Ending::Diverged(error) | Ending::Failed(error) = finish.ending {
            manner.note(format_args!(
                "the parameters before that epoch are kept in {}",
                run.model().display()
            ));
            return Err(error);
        }
        let summary = Summary {
            run: run.path().display().to_string(),
            model: run.model().display().to_string(),
            outcome: &outcome,
            update: update.as_ref(),
            seconds: total,
        };
        manner.output(None, |out| match out.format() {
            Format::Json | Format::JsonLines => out.json(&summary),
            _ => out.text(&summary.text()),
        })
    }
}

fn features(trainer: &Trainer<'_, f32>, report: &LoadReport) -> Features {
    let [users, items] = trainer.columns();
    let groups = |chosen: &Chosen| chosen.groups().map(str::to_owned).collect();
    Features {
        items: groups(items),
        items_skipped: items.skipped.clone(),
        users: groups(users),
        users_skipped: users.skipped.clone(),
        as_of: {
            let mut versions = [report.item_versions, report.user_versions].into_iter();
            versions.find_map(|versions| versions?.as_of)
        },
    }
}

impl Summary<'_> {
    fn text(&self) -> String {
        let mut lines = vec![format!(
            "trained {} in {:.1} s, kept epoch {}",
            counted(self.outcome.epochs as u64, "epoch"),
            self.seconds,
            self.outcome.kept_epoch
        )];
        lines.extend(self.outcome.lines());
        lines.extend(self.update.iter().flat_map(|update| update.lines()));
        lines.push(format!("model: {}", table::safe(&self.model)));
        lines.join("\n") + "\n"
    }
}
