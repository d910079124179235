//! What does a run directory say of its run?

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::artifact::RunDirectory;
use crate::cli::sources::InputFile;
use crate::storage::read_at_most;
use crate::{Error, Result};

/// Bytes of a run's record.
const MAX_RECORD: u64 = 1 << 24;

/// `run.json`.
///
/// # Errors
/// Where it cannot be read, or is no JSON.
pub fn read(run: &RunDirectory) -> Result<Value> {
    let file = run.record();
    let bytes = read_at_most(&file, MAX_RECORD)?;
    serde_json::from_slice(&bytes).map_err(|error| Error::Line {
        path: file,
        line: error.line() as u64,
        column: error.column() as u64,
        got: "no JSON".into(),
        wanted: "the record that `train` writes".into(),
    })
}

/// What stands at the end of `path`; null where there is nothing.
pub fn at<'r>(record: &'r Value, path: &[&str]) -> &'r Value {
    path.iter().fold(record, |value, key| &value[*key])
}

/// The first of some figures that is there, with its name.
pub fn main_figure(figures: &Value) -> Option<(&'static str, f64)> {
    let names = ["rmse", "ndcg@20"].into_iter();
    names
        .into_iter()
        .find_map(|name| Some((name, figures[name].as_f64()?)))
}

/// A file that a run read as it is now: `given`, or of the places where it may be the first that is as it was, else the first that is there. `None` where there is none.
///
/// # Errors
/// Where one cannot be read.
pub fn look(
    run: &Path,
    then: &InputFile,
    given: Option<&Path>,
) -> Result<Option<(PathBuf, InputFile)>> {
    let places = match given {
        Some(path) => vec![path.to_path_buf()],
        None => places(run, Path::new(then.path())),
    };
    let mut first = None;
    for path in places.into_iter().filter(|path| path.is_file()) {
        let now = InputFile::of(then.role(), &path)?;
        if now.is_same(then) {
            return Ok(Some((path, now)));
        }
        first.get_or_insert((path, now));
    }
    Ok(first)
}

/// Where something that a run called `path` may be: from here, or from a folder above the run.
pub fn places(run: &Path, path: &Path) -> Vec<PathBuf> {
    let run = run.canonicalize().unwrap_or_else(|_| run.into());
    let above = run.ancestors().skip(1).map(|folder| folder.join(path));
    let mut places = vec![path.to_path_buf()];
    if path.is_relative() {
        places.extend(above);
    }
    places
}

/// The inputs that the record names.
///
/// # Errors
/// Where it names none.
pub fn inputs(run: &RunDirectory, record: &Value) -> Result<Vec<InputFile>> {
    serde_json::from_value(record["inputs"].clone()).map_err(|_| no_record(run, "no inputs"))
}

/// The error of a record that lacks something.
pub fn no_record(run: &RunDirectory, got: &str) -> Error {
    Error::File {
        path: run.record(),
        got: got.into(),
        wanted: "the record that `train` writes".into(),
    }
}
