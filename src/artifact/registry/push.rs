//! How does a run become a version, whole or not at all?
//!
//! ```text
//! 1  copy    the run's files into  .push.tmp-…, each flushed; its .lock is held, so that nobody takes it for a leftover
//! 2  verify  the copied model, to the last byte
//! –  here whoever pushes may look at the candidate, and drop it
//! 3  lock    the name: the next number is now this push's
//! 4  write   version.json, README.md, SHA256SUMS, flush them and the folder
//! 5  rename  the folder to its number, and flush that
//! ```
//!
//! Where locks do nothing (some network disks), the renaming still decides: it never replaces a version, and the next number is tried.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::about::{ABOUT, About, record};
use super::card::{self, Facts};
use super::manifest::{MANIFEST, Manifest};
use super::unfinished::Unfinished;
use super::{LOCK, Registry, is_file, names};
use crate::artifact::ModelFile;
use crate::artifact::run_directory::{CHECKPOINT, CONFIG, METRICS, MODEL, RUN};
use crate::storage::{FileSystem, create_folders};
use crate::{Error, Result};

/// What a push that is under way is to be called.
pub(super) const PUSH: &str = "push";
const CARD: &str = "README.md";

/// A run that may become a version: copied, flushed and checked. Dropped, it leaves nothing.
pub struct Candidate<F: FileSystem> {
    registry: Registry<F>,
    name: String,
    /// The run directory, as it was given.
    run: PathBuf,
    // Before its lock: what goes first is no leftover.
    folder: Unfinished<F>,
    lock: Lock<F>,
    manifest: Manifest,
    facts: Facts,
}

/// That somebody is at it.
struct Lock<F: FileSystem> {
    file_system: F,
    path: PathBuf,
    held: Option<F::Lock>,
}

impl<F: FileSystem> Drop for Lock<F> {
    fn drop(&mut self) {
        // Some systems remove no file that is open.
        self.held = None;
        let _ = self.file_system.remove(&self.path);
    }
}

impl<F: FileSystem + Clone> Candidate<F> {
    /// Takes the run in `run` as a candidate for the next version of `name` in the registry at `root`, which is made where it is not there.
    ///
    /// # Errors
    /// Where the run has no model, is not done, or its model is damaged; where the name may not be; where something cannot be written. Nothing is left then, but perhaps an empty registry.
    pub fn prepare(file_system: F, root: &Path, name: &str, run: &Path) -> Result<Candidate<F>> {
        names::check("name", name)?;
        check_run(&file_system, run)?;
        let registry = Registry::create_on(file_system.clone(), root)?;
        let place = root.join(name);
        create_folders(&file_system, &place)?;
        let (folder, lock) = {
            // Whoever removes leftovers holds this lock too, so a folder is never seen before its own.
            let _lock = registry.lock(name)?;
            let folder = Unfinished::new(file_system.clone(), &place, OsStr::new(PUSH))?;
            let path = lock_of(folder.path());
            let held = file_system.lock(&path).map_err(Error::io(&path, "lock"))?;
            let held = Some(held);
            let file_system = file_system.clone();
            (
                folder,
                Lock {
                    file_system,
                    path,
                    held,
                },
            )
        };
        let mut manifest = Manifest::default();
        for file in [MODEL, RUN, METRICS, CONFIG] {
            let from = run.join(file);
            if is_file(&file_system, &from)? {
                manifest.add(file, folder.copy(&from, file)?);
            }
        }
        let facts = facts(&file_system, folder.path()).map_err(|error| at(error, run))?;
        Ok(Candidate {
            registry,
            name: name.into(),
            run: run.into(),
            folder,
            lock,
            manifest,
            facts,
        })
    }

    /// The registry that it may go to.
    pub fn registry(&self) -> &Registry<F> {
        &self.registry
    }

    /// The copied model file: what a check may look at, before the version is there.
    pub fn model(&self) -> PathBuf {
        self.folder.path().join(MODEL)
    }

    /// Makes it the next version; gives the number.
    ///
    /// # Errors
    /// Where something cannot be written. Nothing is left then; where the last flush fails the version is there, and a power cut may take it.
    pub fn claim(mut self, now: u64) -> Result<u64> {
        let registry = self.registry.clone();
        let _lock = registry.lock(&self.name)?;
        let newest = registry.versions_in(&self.name)?.last().copied();
        let mut version = newest.unwrap_or(0);
        loop {
            version = version.checked_add(1).ok_or_else(|| {
                Error::config("name", &self.name, "one with numbers left for versions")
            })?;
            self.describe(version, now)?;
            let to = registry.folder(&self.name, version);
            match self.folder.finish(&to) {
                Ok(()) => break,
                Err(error) if is_taken(&error) => {}
                Err(error) => return Err(Error::io(&to, "write")(error)),
            }
        }
        drop(self.lock);
        Ok(version)
    }

    /// Writes what a version says of itself.
    fn describe(&self, version: u64, now: u64) -> Result<()> {
        let about = About {
            name: self.name.clone(),
            version,
            pushed: now,
            run: self.run.display().to_string(),
            lowrank: env!("CARGO_PKG_VERSION").into(),
        };
        let mut manifest = self.manifest.clone();
        let mut add = |name: &str, text: &str| {
            self.folder.forget(name);
            self.folder.write(name, text)?;
            let sha256 = super::manifest::hash(&text.as_bytes(), |_| Ok(()));
            manifest.add(name, sha256.expect("memory can be read"));
            Result::Ok(())
        };
        let json = serde_json::to_string_pretty(&about).expect("plain values") + "\n";
        add(ABOUT, &json)?;
        add(CARD, &card::text(&about, &self.facts))?;
        self.folder.forget(MANIFEST);
        self.folder.write(MANIFEST, &manifest.to_string())
    }
}

/// The lock of an unfinished folder: beside it, so that it is no part of the version.
pub(super) fn lock_of(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(LOCK);
    name.into()
}

fn is_taken(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory
    )
}

/// Refuses a run that is not done.
fn check_run(file_system: &impl FileSystem, run: &Path) -> Result<()> {
    let has = |name: &str| is_file(file_system, &run.join(name));
    let got = match (has(MODEL)?, has(CHECKPOINT)?) {
        (true, false) => return Ok(()),
        (_, true) => "a run that is not done",
        (false, false) if file_system.read_dir(run).is_ok() => "a folder without a model",
        (false, false) => "no run directory",
    };
    Err(Error::File {
        path: run.into(),
        got: got.into(),
        wanted: format!("the run directory of a training that is done, which holds {MODEL}"),
    })
}

/// Checks the model in a folder to the last byte, and reads what the card says.
fn facts(file_system: &impl FileSystem, folder: &Path) -> Result<Facts> {
    let file = ModelFile::new(file_system.open(&folder.join(MODEL))?)?;
    file.verify()?;
    let model = file.model_for_users(&[])?;
    Ok(Facts {
        n_users: file.n_users(),
        n_items: file.n_items(),
        n_factors: file.n_factors(),
        meaning: model.meaning(),
        record: record(file_system, folder)?,
    })
}

/// The error, with the run that was given in the place of the copy that is gone.
fn at(error: Error, run: &Path) -> Error {
    let there = |path: PathBuf| run.join(path.file_name().unwrap_or_default());
    match error {
        Error::Corrupt {
            path,
            offset,
            got,
            wanted,
        } => Error::Corrupt {
            path: there(path),
            offset,
            got,
            wanted,
        },
        Error::File { path, got, wanted } => Error::File {
            path: there(path),
            got,
            wanted,
        },
        Error::Line {
            path,
            line,
            column,
            got,
            wanted,
        } => Error::Line {
            path: there(path),
            line,
            column,
            got,
            wanted,
        },
        other => other,
    }
}
