//! When is a training put down, and what must be known to take it up?
//!
//! Of a posterior, whose sweeps take seconds, only the start: `resume` sweeps anew, to the same bytes. Of everything else, after some epochs or seconds and after every best epoch, where `--checkpoint-every` asks for it; and on Ctrl-C or SIGTERM, whatever was asked. The [`Note`] in the checkpoint names the ratings
//! and holds the resolved configuration, so that a run goes on from its own folder alone.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::update::Updated;
use crate::artifact::RunDirectory;
use crate::cli::duration;
use crate::training::State;
use crate::training::observer::Epoch;
use crate::{Error, Result};

/// Whether somebody wants the training to stop.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// After so many epochs.
    Epochs(usize),
    /// After so much time.
    Time(Duration),
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Every, String> {
        let wanted = "a number of epochs, or a time such as 90s, 10m or 2h";
        match text.parse() {
            Ok(0) => Err(wanted.to_owned()),
            Ok(epochs) => Ok(Every::Epochs(epochs)),
            Err(_) => duration::parse(text)
                .map(Every::Time)
                .map_err(|_| wanted.to_owned()),
        }
    }
}

/// What a checkpoint says of the training that it is of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Note {
    /// The version of the program.
    pub version: String,
    /// Where relative paths begin; like the next, a name that need not be UTF-8.
    pub folder: OsString,
    /// The file of ratings.
    pub ratings: OsString,
    /// The resolved configuration, as in `config.toml`.
    pub config: String,
    /// What was chosen, where it was left open.
    pub recipe: Vec<String>,
    /// Seconds since 1970 when the run began.
    pub started: u64,
    /// How often it is put down.
    pub every: Option<String>,
    /// What an update found before it trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<Updated>,
    /// Role and SHA-256 of every input.
    pub inputs: Vec<(String, Option<String>)>,
}

impl Note {
    /// Where relative paths begin.
    pub fn folder(&self) -> &Path {
        Path::new(&self.folder)
    }

    /// The file of ratings, from anywhere.
    pub fn ratings(&self) -> PathBuf {
        self.folder().join(&self.ratings)
    }

    /// The note as it is put down.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("plain values")
    }

    /// How often it is put down.
    ///
    /// # Errors
    /// Where the note does not say so in words that [`Every`] knows.
    pub fn every(&self) -> Result<Option<Every>> {
        let every = self.every.as_deref().map(str::parse).transpose();
        every.map_err(|wanted: String| {
            let got = self.every.as_deref().unwrap_or_default();
            Error::config("checkpoint-every", got, wanted)
        })
    }

    /// From the note of the checkpoint at `path`.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(path: &Path, text: &str) -> Result<Note> {
        serde_json::from_str(text).map_err(|error| Error::Corrupt {
            path: path.into(),
            offset: 0,
            got: format!("a note that cannot be read: {error}"),
            wanted: "the note of lowrank train".into(),
        })
    }
}

/// Whether somebody wants the training to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// From now on Ctrl-C and SIGTERM end the training after its epoch; the second one ends the program at once.
pub fn listen() {
    // Where there is a handler already, it is this one.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            #[allow(clippy::exit, reason = "asked twice")]
            std::process::exit(130);
        }
    });
}

/// Puts a training down when it is time.
pub struct Checkpoints<'r> {
    run: &'r RunDirectory,
    note: String,
    every: Option<Every>,
    last: Instant,
    outcome: Outcome,
}

/// What has come of it.
enum Outcome {
    GoesOn,
    Interrupted { epoch: usize },
    Failed(Error),
}

impl<'r> Checkpoints<'r> {
    /// Into `run`, with this note.
    ///
    /// # Errors
    /// As [`Note::every`].
    pub fn new(run: &'r RunDirectory, note: &Note) -> Result<Checkpoints<'r>> {
        Ok(Checkpoints {
            run,
            note: note.text(),
            every: note.every()?,
            last: Instant::now(),
            outcome: Outcome::GoesOn,
        })
    }

    /// After an epoch.
    pub fn after(&mut self, epoch: &Epoch, state: &dyn Fn() -> State<f32>) -> ControlFlow<()> {
        let interrupted = interrupted();
        if !interrupted && !self.is_due(epoch) {
            return ControlFlow::Continue(());
        }
        if let Err(error) = self.run.put_down(&self.note, &state()) {
            self.outcome = Outcome::Failed(error);
            return ControlFlow::Break(());
        }
        self.last = Instant::now();
        if interrupted {
            let epoch = epoch.epoch;
            self.outcome = Outcome::Interrupted { epoch };
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Before a training of which only the start is put down: the same sweeps find the rest again.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn before(&self, start: &State<f32>) -> Result<()> {
        match self.every {
            Some(_) => self.run.put_down(&self.note, start),
            None => Ok(()),
        }
    }

    /// After such a training, where it was interrupted.
    pub fn broken_off(&mut self, epoch: usize, start: &State<f32>) {
        self.outcome = match self.run.put_down(&self.note, start) {
            Ok(()) => Outcome::Interrupted { epoch },
            Err(error) => Outcome::Failed(error),
        };
    }

    fn is_due(&self, epoch: &Epoch) -> bool {
        match self.every {
            None => false,
            Some(_) if epoch.improved => true,
            Some(Every::Epochs(n)) => epoch.epoch.is_multiple_of(n),
            Some(Every::Time(time)) => self.last.elapsed() >= time,
        }
    }

    /// When training is over; `complete` where its last epoch is done.
    ///
    /// # Errors
    /// Where a checkpoint could not be written, or the training was interrupted before its end.
    pub fn finish(self, complete: bool) -> Result<()> {
        match self.outcome {
            Outcome::Failed(error) => Err(error),
            Outcome::Interrupted { epoch } if !complete => Err(Error::Interrupted {
                epoch,
                run: self.run.path().into(),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_or_time() {
        assert_eq!("5".parse(), Ok(Every::Epochs(5)));
        assert_eq!("1.5m".parse(), Ok(Every::Time(Duration::from_secs(90))));
        for bad in ["0", "-1", "1.5", "", "often", "0s"] {
            let error = bad.parse::<Every>().expect_err(bad);
            assert!(error.contains("epochs") && error.contains("90s"), "{error}");
        }
    }
}
