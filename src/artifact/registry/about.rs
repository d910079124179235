//! What does a version say of itself?
//!
//! `version.json` has what only the push knew; `run.json` is the training's own record.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::manifest::Manifest;
use super::{Registry, is_file};
use crate::artifact::run_directory::RUN;
use crate::storage::{FileSystem, Source, read_file};
use crate::{Error, Result};

/// The file of what the push knew.
pub(super) const ABOUT: &str = "version.json";
/// Bytes of it.
const MAX_ABOUT: u64 = 1 << 16;
/// Bytes of a run's record.
const MAX_RECORD: u64 = 1 << 24;

/// What the push knew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The name.
    pub name: String,
    /// The number.
    pub version: u64,
    /// When, in seconds since 1970.
    pub pushed: u64,
    /// The run directory, as it was given.
    pub run: String,
    /// The version of the program.
    pub lowrank: String,
}

/// A file of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its fingerprint, as the manifest has it.
    pub sha256: String,
}

/// A version, but for its contents.
#[derive(Clone, Debug)]
pub struct Version {
    /// What the push knew.
    pub about: About,
    /// Its files, the manifest left out.
    pub files: Vec<File>,
    /// What the training wrote; null where there is nothing.
    pub record: Value,
}

impl Version {
    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The figures on what was held out, by metric.
    pub fn figures(&self) -> Vec<(&str, f64)> {
        figures(&self.record["result"]["valid"])
    }
}

/// The numbers of an object.
pub(super) fn figures(object: &Value) -> Vec<(&str, f64)> {
    let all = object.as_object().into_iter().flatten();
    all.filter_map(|(name, value)| Some((name.as_str(), value.as_f64()?)))
        .collect()
}

/// The record of the run in a folder; null where there is none.
pub(super) fn record(file_system: &impl FileSystem, folder: &Path) -> Result<Value> {
    let path = folder.join(RUN);
    if !is_file(file_system, &path)? {
        return Ok(Value::Null);
    }
    let bytes = read_file(file_system, &path, MAX_RECORD)?;
    serde_json::from_slice(&bytes).map_err(|error| Error::Line {
        path,
        line: error.line() as u64,
        column: error.column() as u64,
        got: "no JSON".into(),
        wanted: "the record that `train` writes".into(),
    })
}

/// What the push knew of the version in a folder.
pub(super) fn about(file_system: &impl FileSystem, folder: &Path) -> Result<About> {
    let path = folder.join(ABOUT);
    let bytes = read_file(file_system, &path, MAX_ABOUT)?;
    serde_json::from_slice(&bytes).map_err(|error| Error::File {
        path,
        got: error.to_string(),
        wanted: "what `lowrank registry push` wrote".into(),
    })
}

impl<F: FileSystem> Registry<F> {
    /// What a version says of itself. Nothing is hashed.
    ///
    /// # Errors
    /// Where a file is missing or cannot be read.
    pub fn version(&self, name: &str, version: u64) -> Result<Version> {
        let (file_system, folder) = (&self.file_system, self.folder(name, version));
        let manifest = Manifest::read(file_system, &folder)?;
        let mut files = Vec::new();
        for (name, sha256) in manifest.files() {
            files.push(File {
                name: name.into(),
                bytes: file_system.open(&folder.join(name))?.len(),
                sha256: sha256.into(),
            });
        }
        Ok(Version {
            about: about(file_system, &folder)?,
            files,
            record: record(file_system, &folder)?,
        })
    }
}
