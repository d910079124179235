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
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::storage::file_system::UNFINISHED;
use crate::storage::{Disk, write_atomically};
use crate::{Error, Result};

/// The model's file in a run directory.
pub const MODEL: &str = "model.lowrank";
const RUN: &str = "run.json";
const METRICS: &str = "metrics.jsonl";
const CONFIG: &str = "config.toml";
const CHECKPOINT: &str = "checkpoint.lowrank";

/// The folder of one training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// A new run in `path`. With `force` the files of an earlier run are removed first.
    ///
    /// # Errors
    /// Where the folder is not empty and `force` is not given, where `path` is a file, or the operating system refuses.
    pub fn create(path: impl Into<PathBuf>, force: bool) -> Result<RunDirectory> {
        let path = path.into();
        let names = Self::names(&path, force)?;
        fs::create_dir_all(&path).map_err(Error::io(&path, "create"))?;
        for name in names {
            if name.to_str().is_some_and(is_ours) {
                let file = path.join(name);
                fs::remove_file(&file).map_err(Error::io(&file, "remove"))?;
            }
        }
        Ok(RunDirectory { path })
    }

    /// Whether [`create`](RunDirectory::create) would take `path`; nothing is changed.
    ///
    /// # Errors
    /// As `create`'s.
    pub fn check(path: &Path, force: bool) -> Result<()> {
        Self::names(path, force).map(drop)
    }

    /// The names in a folder that a run may use; none where the folder is not there yet.
    fn names(path: &Path, force: bool) -> Result<Vec<OsString>> {
        if !path.exists() {
            return Ok(Vec::new());
        }
        if !path.is_dir() {
            return Err(Error::File {
                path: path.into(),
                got: "a file".into(),
                wanted: "a folder for the run, or none yet".into(),
            });
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(Error::io(path, "read"))? {
            names.push(entry.map_err(Error::io(path, "read"))?.file_name());
        }
        if !force && !names.is_empty() {
            let ours = names.iter().any(|name| name == MODEL || name == RUN);
            return Err(Error::File {
                path: path.into(),
                got: if ours { "an earlier run" } else { "a folder that is not empty" }.into(),
                wanted: "an empty or a new folder, or --force, which removes the files of an earlier run".into(),
            });
        }
        Ok(names)
    }

    /// The run that is in `path`.
    ///
    /// # Errors
    /// Where there is no such folder, or no run in it.
    pub fn open(path: impl Into<PathBuf>) -> Result<RunDirectory> {
        let path = path.into();
        let run = RunDirectory { path };
        let files = [run.model(), run.record(), run.config(), run.checkpoint()];
        if files.iter().any(|file| file.is_file()) {
            return Ok(run);
        }
        let got = if run.path.is_dir() {
            "a folder without a run"
        } else {
            "no such folder"
        };
        Err(Error::File {
            path: run.path,
            got: got.into(),
            wanted: format!(
                "a run directory, which holds {MODEL}, {RUN}, {CONFIG} or {CHECKPOINT}"
            ),
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
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
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
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
        write_atomically(&Disk, &self.record(), |w| w.write_all(json.as_bytes()))
    }

    /// Replaces `config.toml`.
    ///
    /// # Errors
    /// Where it cannot be written; the old one is untouched then.
    pub fn write_config(&self, toml: &str) -> Result<()> {
        write_atomically(&Disk, &self.config(), |w| w.write_all(toml.as_bytes()))
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
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()))
            .map_err(Error::io(&path, "write"))
    }

    /// Keeps the first `n` lines of `metrics.jsonl`: what a run has written since its checkpoint is written again when it goes on,
    /// and a line that a crash cut short is gone.
    ///
    /// # Errors
    /// Where it cannot be read or written, or has fewer whole lines.
    pub fn keep_metrics(&self, n: usize) -> Result<()> {
        let path = self.metrics();
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && n == 0 => return Ok(()),
            outcome => outcome.map_err(Error::io(&path, "read"))?,
        };
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
        write_atomically(&Disk, &path, |w| w.write_all(&bytes[..length]))
    }
}

/// Whether a run wrote a file of that name.
fn is_ours(name: &str) -> bool {
    let name = match name
        .strip_prefix('.')
        .and_then(|n| n.split_once(UNFINISHED))
    {
        Some((finished, number)) if number.bytes().all(|b| b.is_ascii_digit() || b == b'-') => {
            finished
        }
        _ => name,
    };
    [MODEL, RUN, METRICS, CONFIG, CHECKPOINT].contains(&name)
        || (name.starts_with("checkpoint-") && name.ends_with(".lowrank"))
}

/// The model file that `path` means: itself, or `model.lowrank` in it where it is a run directory.
///
/// # Errors
/// Where there is neither; the error says what was looked for.
pub fn resolve_model(path: impl AsRef<Path>) -> Result<PathBuf> {
    let path = path.as_ref();
    let inside = path.join(MODEL);
    if inside.is_file() {
        return Ok(inside);
    }
    if path.is_dir() {
        return Err(Error::File {
            path: path.into(),
            got: format!("a folder without {MODEL}"),
            wanted: format!("a model file, or a run directory, which holds {MODEL}"),
        });
    }
    if !path.exists() {
        return Err(Error::File {
            path: path.into(),
            got: "no such file or folder".into(),
            wanted: format!("a model file, or a run directory, which holds {MODEL}"),
        });
    }
    Ok(path.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::file_system::folder::TestFolder;

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
}
