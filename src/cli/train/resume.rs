//! `resume`: how does a training go on from where it was put down?
//!
//! The checkpoint in the run directory says which ratings and which configuration; both must be what they were. What the run wrote since is written again, so that the end is that of a training
//! that nobody interrupted, byte for byte.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::checkpoints::Note;
use super::inputs::{self, Inputs};
use super::progress::Progress;
use super::session::{self, Session};
use super::settings::Settings;
use crate::artifact::{Checkpoint, RunDirectory};
use crate::cli::output::Manner;
use crate::cli::sources::InputFile;
use crate::training::Method;
use crate::{Error, Result};

/// Go on with a training that was interrupted
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank train ratings.csv --preset rating --checkpoint-every 10 -o run\n  \
    lowrank resume run\n\n\
    Ctrl-C and SIGTERM put a training down after its epoch; --checkpoint-every does so now and then, for when the power fails.\n\
    The ratings must lie where they lay, unchanged. The model has the very bytes of a training that was not interrupted.")]
pub struct Resume {
    /// The run directory
    run: PathBuf,
    /// More epochs than the run was to have; the learning rate stays where its schedule ends, and the bytes are those of no other run
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// How progress is shown
    #[arg(long, value_enum, value_name = "HOW", default_value = "auto")]
    progress: Progress,
    /// Threads; they change speed alone [default: those of the run]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

impl Resume {
    /// Runs the command.
    pub fn run(self, manner: Manner) -> Result<()> {
        let began = Instant::now();
        let run = RunDirectory::open(&self.run)?;
        let path = run.checkpoint();
        if !path.is_file() {
            let done = run.record().is_file();
            return Err(Error::File {
                path: self.run,
                got: if done { "a run that is done" } else { "a run without a checkpoint" }.into(),
                wanted: "a run that was interrupted, or trained with --checkpoint-every until something ended it".into(),
            });
        }
        let _held = run.hold()?;
        let checkpoint = Checkpoint::open(&path)?;
        let mut note = Note::read(&path, checkpoint.note())?;
        let mut settings = settings_of(&path, &note)?;
        if self.raise(&mut settings)? {
            note.config = toml::to_string(&settings).expect("settings are plain values");
        }
        let there = Settings {
            threads: self.threads.or(settings.threads),
            ..settings.within(note.folder())
        };
        let ratings = note.ratings();
        let files = inputs::hashing(&ratings, &there);
        let inputs = Inputs::read(&ratings, &there, &self.run, manner)?;
        let files = files.finish()?;
        unchanged(&note, &files)?;
        let read = began.elapsed().as_secs_f64();

        let checked = there.config()?.check()?;
        let training = match checked.config().method {
            Method::Point | Method::Als => {
                let mut training = checked.training(&inputs.train, inputs.valid.as_ref())?;
                if let Some(trainer) = training.point_mut() {
                    checkpoint.restore(trainer.state_mut())?;
                }
                training
            }
            // Of a posterior the start is all there is; what a warm start found is found again.
            _ => session::begin(&checked, &inputs, &there, manner)?.0,
        };
        // Also where it seems to be so already: a kill may have left that of a resume with other epochs.
        run.write_config(&note.config)?;
        run.keep_metrics(checkpoint.epoch())?;
        manner.note(match checkpoint.epoch() {
            0 => "going on from the start".to_owned(),
            epoch => format!(
                "going on after epoch {epoch} of {}",
                training.config().n_epochs()
            ),
        });
        let session = Session {
            run: &run,
            inputs: &inputs,
            training,
            settings,
            files,
            note,
            began,
            read,
            progress: self.progress,
        };
        session.run(manner)
    }
}

impl Resume {
    /// Takes more epochs into the settings, and the ones that the schedule was made for.
    fn raise(&self, settings: &mut Settings) -> Result<bool> {
        let Some(epochs) = self.epochs else {
            return Ok(false);
        };
        let Some(before) = settings.epochs else {
            let wanted = "none: the members of an ensemble have their own";
            return Err(Error::config("epochs", epochs, wanted));
        };
        if epochs < before {
            let wanted = format!("{before} or more: the schedule is made for as many");
            return Err(Error::config("epochs", epochs, wanted));
        }
        // Sweeps have no rate.
        if !settings.names_a_method() {
            settings.horizon = settings.horizon.or(Some(before));
        }
        settings.epochs = Some(epochs);
        Ok(epochs > before)
    }
}

/// The configuration that the note holds.
fn settings_of(path: &Path, note: &Note) -> Result<Settings> {
    toml::from_str(&note.config).map_err(|error| Error::Corrupt {
        path: path.into(),
        offset: 0,
        got: format!("a configuration that cannot be read: {error}"),
        wanted: "that of lowrank train".into(),
    })
}

/// Refuses inputs that are not what the training began with.
fn unchanged(note: &Note, files: &[InputFile]) -> Result<()> {
    let now: Vec<_> = files.iter().map(InputFile::known_by).collect();
    let Some(at) =
        (0..now.len().max(note.inputs.len())).find(|&n| now.get(n) != note.inputs.get(n))
    else {
        return Ok(());
    };
    let role = now.get(at).or(note.inputs.get(at));
    let role = role.map_or("an input", |(role, _)| role);
    Err(Error::File {
        path: note.ratings(),
        got: format!("{role} with another SHA-256 than when the run began"),
        wanted: "the same files: going on with others would be no run at all; train anew, or put them back".into(),
    })
}
