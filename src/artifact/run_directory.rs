//! What does a training leave behind, and where?
//!
//! ```text
//! RUN/model.lowrank          the model: the only file that inference needs
//! RUN/run.json               what was trained, on what, with which result
//! RUN/metrics.jsonl          one line an epoch
//! RUN/config.toml            the resolved configuration
//! RUN/checkpoint*.lowrank    where to go on
//! ```
//!
//! A folder that holds anything is refused: two runs in one folder would be a lie about both. With force the files above are
//! removed, unfinished successors of them too, and nothing else ever.
//!
//! Here are names and writing; what the files say is said by those who write them.

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::storage::replace::name_when_finished;
use crate::storage::{Disk, FileSystem, Kind, create_folders, read_file, write_atomically};
use crate::{Error, Result};

/// The model's file in a run directory.
pub const MODEL: &str = "model.lowrank";
pub(super) const RUN: &str = "run.json";
pub(super) const METRICS: &str = "metrics.jsonl";
pub(super) const CONFIG: &str = "config.toml";
pub(super) const CHECKPOINT: &str = "checkpoint.lowrank";
/// Locked by the training that writes there.
const LOCK: &str = ".lock";

/// A folder that one training has; nothing of it is left.
pub struct Held<'r, F: FileSystem> {
    run: &'r RunDirectory<F>,
    _lock: F::Lock,
}

impl<F: FileSystem> Drop for Held<'_, F> {
    fn drop(&mut self) {
        // Where it stays it is nobody's.
        let _ = self.run.file_system.remove(&self.run.path.join(LOCK));
    }
}

fn in_use(path: &Path) -> Error {
    Error::File {
        path: path.into(),
        got: "a run that another training is writing".into(),
        wanted: "another folder, or that training to end first".into(),
    }
}

/// The folder of one training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDirectory<F = Disk> {
    path: PathBuf,
    file_system: F,
}

impl RunDirectory {
    /// A new run in `path`. With `force` the files of an earlier run are removed first.
    ///
    /// # Errors
    /// Where the folder is not empty and `force` is not given, where `path` is a file, or the operating system refuses.
    pub fn create(path: impl Into<PathBuf>, force: bool) -> Result<RunDirectory> {
        RunDirectory::create_on(Disk, path, force)
    }

    /// Whether [`create`](RunDirectory::create) would take `path`; nothing is changed.
    ///
    /// # Errors
    /// As `create`'s.
    pub fn check(path: &Path, force: bool) -> Result<()> {
        names(&Disk, path, force).map(drop)
    }

    /// The run that is in `path`.
    ///
    /// # Errors
    /// Where there is no such folder, or no run in it.
    pub fn open(path: impl Into<PathBuf>) -> Result<RunDirectory> {
        RunDirectory::open_on(Disk, path)
    }
}

/// The names in a folder that a run may use; none where the folder is not there yet.
pub(super) fn names(
    file_system: &impl FileSystem,
    path: &Path,
    force: bool,
) -> Result<Vec<OsString>> {
    let names = match file_system.read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            return Err(Error::File {
                path: path.into(),
                got: "a file".into(),
                wanted: "a folder for the run, or none yet".into(),
            });
        }
        names => names.map_err(Error::io(path, "read"))?,
    };
    if !force && !names.is_empty() {
        let ours = names.iter().any(|name| name == MODEL || name == RUN);
        return Err(Error::File {
            path: path.into(),
            got: if ours {
                "an earlier run"
            } else {
                "a folder that is not empty"
            }
            .into(),
            wanted:
                "an empty or a new folder, or --force, which removes the files of an earlier run"
                    .into(),
        });
    }
    Ok(names)
}

impl<F: FileSystem> RunDirectory<F> {
    /// [`create`](RunDirectory::create) on any file system.
    ///
    /// # Errors
    /// Those of `create`.
    pub fn create_on(file_system: F, path: impl Into<PathBuf>, force: bool) -> Result<Self> {
        let path = path.into();
        let names = names(&file_system, &path, force)?;
        create_folders(&file_system, &path)?;
        // A training that is under way there keeps its files.
        if names.iter().any(|name| name == LOCK) {
            let lock = path.join(LOCK);
            let held = file_system.try_lock(&lock);
            if held.map_err(Error::io(&lock, "lock"))?.is_none() {
                return Err(in_use(&path));
            }
        }
        for name in names {
            if name.to_str().is_some_and(is_ours) {
                let file = path.join(name);
                let removed = file_system.remove(&file);
                removed.map_err(Error::io(&file, "remove"))?;
            }
        }
        Ok(RunDirectory { path, file_system })
    }

    /// Keeps the folder for one training, until what is returned is dropped or the process ends.
    ///
    /// # Errors
    /// Where another training has it, or it cannot be locked.
    pub fn hold(&self) -> Result<Held<'_, F>> {
        let lock = self.path.join(LOCK);
        let held = self.file_system.try_lock(&lock);
        match held.map_err(Error::io(&lock, "lock"))? {
            Some(held) => Ok(Held {
                run: self,
                _lock: held,
            }),
            None => Err(in_use(&self.path)),
        }
    }

    /// [`open`](RunDirectory::open) on any file system.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn open_on(file_system: F, path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let run = RunDirectory { path, file_system };
        let files = [run.model(), run.record(), run.config(), run.checkpoint()];
        if files.iter().any(|file| run.is_file(file)) {
            return Ok(run);
        }
        let got = match run.file_system.read_dir(&run.path) {
            Ok(_) => "a folder without a run",
            Err(_) => "no such folder",
        };
        Err(Error::File {
            path: run.path,
            got: got.into(),
            wanted: format!(
                "a run directory, which holds {MODEL}, {RUN}, {CONFIG} or {CHECKPOINT}"
            ),
        })
    }

    fn is_file(&self, path: &Path) -> bool {
        let kind = self.file_system.kind(path);
        matches!(kind, Ok(Some(Kind::File | Kind::Link)))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is kept.
    pub(super) fn file_system(&self) -> &F {
        &self.file_system
    }

    /// `model.lowrank`
    pub fn model(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    /// `run.json`
    pub fn record(&self) -> PathBuf {
        self.path.join(RUN)
    }

    /// `metrics.jsonl`
    pub fn metrics(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    /// `config.toml`
    pub fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// `checkpoint.lowrank`
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }

    /// Removes `checkpoint.lowrank`, where there is one: the run is done.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub fn remove_checkpoint(&self) -> Result<()> {
        let path = self.checkpoint();
        match self.file_system.remove(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io(&path, "remove")(error))
            }
            _ => Ok(()),
        }
    }

    /// Replaces `run.json`.
    ///
    /// # Errors
    /// Where it cannot be written; the old one is untouched then.
    pub fn write_record(&self, json: &str) -> Result<()> {
        write_atomically(&self.file_system, &self.record(), |w| {
            w.write_all(json.as_bytes())
        })
    }

    /// Replaces `config.toml`.
    ///
    /// # Errors
    /// Where it cannot be written; the old one is untouched then.
    pub fn write_config(&self, toml: &str) -> Result<()> {
        write_atomically(&self.file_system, &self.config(), |w| {
            w.write_all(toml.as_bytes())
        })
    }

    /// Adds a line to `metrics.jsonl`. `line` has no line break of its own.
    ///
    /// # Errors
    /// Where it cannot be written, or would be two lines.
    pub fn append_metrics(&self, line: &str) -> Result<()> {
        let path = self.metrics();
        if line.contains('\n') {
            return Err(Error::File {
                path,
                got: "a line break within a line".into(),
                wanted: "one line an epoch".into(),
            });
        }
        // One call of the operating system: whoever reads along sees whole lines.
        self.file_system
            .append(&path)
            .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()))
            .map_err(Error::io(&path, "write"))
    }

    /// Waits until the lines of `metrics.jsonl` are on the disk.
    pub(super) fn flush_metrics(&self) -> Result<()> {
        let path = self.metrics();
        if !self.is_file(&path) {
            return Ok(());
        }
        let file = self.file_system.append(&path);
        file.and_then(|mut file| self.file_system.sync(&mut file))
            .and_then(|()| self.file_system.sync_folder(&self.path))
            .map_err(Error::io(&path, "flush"))
    }

    /// Keeps the first `n` lines of `metrics.jsonl`: what a run has written since its checkpoint is written again when it goes on,
    /// and a line that a crash cut short is gone.
    ///
    /// # Errors
    /// Where it cannot be read or written, or has fewer whole lines.
    pub fn keep_metrics(&self, n: usize) -> Result<()> {
        let path = self.metrics();
        if n == 0 && !self.is_file(&path) {
            return Ok(());
        }
        let bytes = read_file(&self.file_system, &path, u64::MAX)?;
        let lines = || {
            bytes
                .split_inclusive(|&b| b == b'\n')
                .filter(|line| line.ends_with(b"\n"))
        };
        if lines().count() < n {
            return Err(Error::File {
                path,
                got: format!("{} whole lines", lines().count()),
                wanted: format!("{n}, one for each epoch of the checkpoint"),
            });
        }
        let length: usize = lines().take(n).map(<[u8]>::len).sum();
        write_atomically(&self.file_system, &path, |w| w.write_all(&bytes[..length]))
    }
}

/// Whether a run wrote a file of that name.
fn is_ours(name: &str) -> bool {
    let name = name_when_finished(name).unwrap_or(name);
    [MODEL, RUN, METRICS, CONFIG, CHECKPOINT, LOCK].contains(&name)
        || (name.starts_with("checkpoint-") && name.ends_with(".lowrank"))
}

/// The model file that `path` means: itself, `model.lowrank` in it where it is a run directory, or that of a version in a registry: `REGISTRY/name`, `REGISTRY/name@alias`, `REGISTRY/name@7`.
/// A file or a run directory of that very name comes first.
///
/// # Errors
/// Where there is none; the error says what was looked for.
pub fn resolve_model(path: impl AsRef<Path>) -> Result<PathBuf> {
    let path = path.as_ref();
    let inside = path.join(MODEL);
    if inside.is_file() {
        return Ok(inside);
    }
    if path.exists() && !path.is_dir() {
        return Ok(path.into());
    }
    #[cfg(feature = "cli")]
    if let Some(model) = super::registry::resolve_model(path)? {
        return Ok(model);
    }
    let (got, or) = match path.is_dir() {
        true => (format!("a folder without {MODEL}"), ""),
        false => (
            "no such file or folder".into(),
            ", or REGISTRY/name@alias of a registry",
        ),
    };
    Err(Error::File {
        path: path.into(),
        got,
        wanted: format!("a model file, or a run directory, which holds {MODEL}{or}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::file_system::folder::TestFolder;
    use std::fs;

    #[test]
    fn a_folder_that_is_not_empty_is_refused_and_force_removes_what_a_run_wrote() {
        let folder = TestFolder::new("run");
        let path = folder.0.join("deep/run");
        let run = RunDirectory::create(&path, false).unwrap();
        run.write_record("{}").unwrap();
        run.write_config("").unwrap();
        run.append_metrics("{}").unwrap();
        for ours in [
            MODEL,
            CHECKPOINT,
            "checkpoint-3.lowrank",
            ".model.lowrank.tmp-12-0",
        ] {
            fs::write(path.join(ours), "").unwrap();
        }
        let theirs = [".bashrc", ".note.tmp-1", "model.lowrank.bak", "notes.txt"];
        for name in theirs {
            fs::write(path.join(name), "").unwrap();
        }
        fs::create_dir(path.join("folder")).unwrap();
        let error = RunDirectory::create(&path, false).unwrap_err().to_string();
        assert!(
            error.contains("an earlier run") && error.contains("--force"),
            "{error}"
        );
        RunDirectory::create(&path, true).unwrap();
        let mut left: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, [theirs[0], theirs[1], "folder", theirs[2], theirs[3]]);
    }

    #[test]
    fn a_file_is_no_run_directory() {
        let folder = TestFolder::new("run-file");
        let path = folder.0.join("a");
        fs::write(&path, "").unwrap();
        assert!(RunDirectory::create(&path, true).is_err());
        assert!(RunDirectory::open(&path).is_err());
        assert!(RunDirectory::open(&folder.0).is_err());
        fs::write(folder.0.join(CONFIG), "").unwrap();
        assert!(RunDirectory::open(&folder.0).is_ok());
    }

    #[test]
    fn metrics_grow_by_lines_and_are_cut_back_to_whole_ones() {
        let folder = TestFolder::new("metrics");
        let run = RunDirectory::create(&folder.0, false).unwrap();
        run.keep_metrics(0).unwrap();
        assert!(run.keep_metrics(1).is_err());
        for line in ["a", "b", "c"] {
            run.append_metrics(line).unwrap();
        }
        assert!(run.append_metrics("d\ne").is_err());
        assert_eq!(fs::read_to_string(run.metrics()).unwrap(), "a\nb\nc\n");
        fs::write(run.metrics(), "a\nb\nhalf").unwrap();
        assert!(run.keep_metrics(3).is_err());
        run.keep_metrics(2).unwrap();
        assert_eq!(fs::read_to_string(run.metrics()).unwrap(), "a\nb\n");
        run.keep_metrics(1).unwrap();
        assert_eq!(fs::read_to_string(run.metrics()).unwrap(), "a\n");
    }

    #[test]
    fn a_model_is_found_by_its_file_or_its_run() {
        let folder = TestFolder::new("resolve");
        let model = folder.0.join(MODEL);
        let error = resolve_model(&folder.0).unwrap_err().to_string();
        assert!(error.contains(MODEL), "{error}");
        fs::write(&model, "").unwrap();
        assert_eq!(resolve_model(&folder.0).unwrap(), model);
        assert_eq!(resolve_model(&model).unwrap(), model);
        let error = resolve_model(folder.0.join("none"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("no such file"), "{error}");
    }

    #[test]
    fn one_training_at_a_time_has_a_folder() {
        let folder = TestFolder::new("hold");
        let run = RunDirectory::create(&folder.0, false).unwrap();
        let held = run.hold().unwrap();
        let refused = |error: Error| error.to_string().contains("another training is writing");
        assert!(refused(run.hold().err().unwrap()));
        assert!(refused(RunDirectory::create(&folder.0, true).unwrap_err()));
        drop(held);
        assert_eq!(folder.names(), [] as [&str; 0]);
        drop(run.hold().unwrap());
        RunDirectory::create(&folder.0, true).unwrap();
    }
}
