//! How are versions of models kept, found again, and told which is in use?
//!
//! A plain folder, which any copying keeps whole:
//!
//! ```text
//! REGISTRY/.lowrank-registry        which format this is
//! REGISTRY/movies/1/                a version, never changed again: model.lowrank, run.json, metrics.jsonl, config.toml,
//!                                     version.json     its number, when it was pushed, from where
//!                                     README.md        its model card
//!                                     SHA256SUMS       a line for each of these files, for `sha256sum -c`
//! REGISTRY/movies/aliases.json      which version each alias is, and was
//! REGISTRY/movies/.lock             locked by whoever gives a number, moves an alias, or removes something
//! REGISTRY/movies/.push.tmp-…       a push that is under way (its `.lock` is locked) or that something ended
//! REGISTRY/movies/.gone.tmp-…       a version that is being removed
//! ```
//!
//! | file | question |
//! |---|---|
//! | [`names`] | what may be a name, and which version does `movies@champion` mean? |
//! | [`manifest`] | are a version's files the ones that were pushed? |
//! | [`aliases`] | which version is an alias, and what was it before? |
//! | [`about`] | what does a version say of itself? |
//! | [`card`] | what should somebody know who is given the model? |
//! | [`push`] | how does a run become a version, whole or not at all? |
//! | [`pull`] | how does a version become a run directory? |
//! | [`collect`] | what may be removed? |
//! | [`check`] | is everything as it was pushed? |
//! | `unfinished` | how is a folder made whole, or not at all? |
//!
//! A version is a folder that gets its name, in one step, when all in it is flushed; one that is removed loses its name first. Numbers are never given twice: the newest version
//! is never removed. Locks are the operating system's: those of a process end with it. Readers lock nothing. No clock is read: whoever pushes or promotes says when.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::storage::replace::name_when_finished;
use crate::storage::{Disk, FileSystem, Kind, create_folders, read_file, write_atomically};
use crate::{Error, Result};

pub mod about;
pub mod aliases;
pub mod card;
pub mod check;
pub mod collect;
pub mod manifest;
pub mod names;
pub mod pull;
pub mod push;
mod unfinished;

pub use about::Version;
pub use aliases::{Aliases, Moved};
pub use check::Report;
pub use collect::Removed;
pub use names::{Reference, Which};
pub use push::Candidate;

use super::run_directory::MODEL;
use names::{as_version, is_name};

/// The file that makes a folder a registry. No name begins with a dot, so none is in its way.
const MARKER: &str = ".lowrank-registry";
const FORMAT: &str = "lowrank registry";
/// The version of the format that is written, and the newest that is read.
const VERSION: u64 = 1;
const LOCK: &str = ".lock";
const ALIASES: &str = "aliases.json";
/// Bytes of the marker.
const MAX_MARKER: u64 = 4096;

/// What the marker says.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Marker {
    format: String,
    version: u64,
}

/// A folder of versions.
#[derive(Clone, Debug)]
pub struct Registry<F = Disk> {
    root: PathBuf,
    file_system: F,
}

impl Registry {
    /// The registry in a folder.
    ///
    /// # Errors
    /// Where there is none, or one that a newer program wrote.
    pub fn open(root: impl Into<PathBuf>) -> Result<Registry> {
        Registry::open_on(Disk, root)
    }
}

impl<F: FileSystem> Registry<F> {
    /// [`open`](Registry::open) on any file system.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn open_on(file_system: F, root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        let registry = Registry { root, file_system };
        if registry.marker()?.is_none() {
            return Err(Error::File {
                path: registry.root,
                got: "no registry".into(),
                wanted: format!("a folder with {MARKER}, which `lowrank registry push` makes"),
            });
        }
        Ok(registry)
    }

    /// The registry in a folder; where the folder is empty or not there, a new one.
    ///
    /// # Errors
    /// Where the folder holds something else, or cannot be written.
    pub fn create_on(file_system: F, root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        let registry = Registry { root, file_system };
        if registry.marker()?.is_some() {
            return Ok(registry);
        }
        let Registry { root, file_system } = &registry;
        create_folders(file_system, root)?;
        // What a push that was ended left of making one is no content.
        let content = |name: &String| name_when_finished(name) != Some(MARKER) && name != LOCK;
        let has_content = registry.names_in(root)?.iter().any(content);
        // Asked again: somebody else may have made a registry of it, and put something in.
        if has_content && registry.marker()?.is_none() {
            return Err(Error::File {
                path: root.into(),
                got: "a folder that is no registry and not empty".into(),
                wanted: "a registry, an empty folder or a new one".into(),
            });
        }
        let lock = root.join(LOCK);
        let _lock = file_system.lock(&lock).map_err(Error::io(&lock, "lock"))?;
        if registry.marker()?.is_some() {
            return Ok(registry);
        }
        let marker = Marker {
            format: FORMAT.into(),
            version: VERSION,
        };
        let text = serde_json::to_string(&marker).expect("plain values") + "\n";
        write_atomically(file_system, &root.join(MARKER), |w| {
            w.write_all(text.as_bytes())
        })?;
        Ok(registry)
    }

    /// What makes the folder a registry; `None` where nothing does.
    fn marker(&self) -> Result<Option<Marker>> {
        let path = self.root.join(MARKER);
        if !is_file(&self.file_system, &path)? {
            return Ok(None);
        }
        let bytes = read_file(&self.file_system, &path, MAX_MARKER)?;
        let wrong = |got: String| Error::File {
            path: path.clone(),
            got,
            wanted: format!("\"{FORMAT}\" of version {VERSION}"),
        };
        let marker: Marker = serde_json::from_slice(&bytes)
            .map_err(|error| wrong(format!("no marker of a registry: {error}")))?;
        if marker.format != FORMAT || marker.version == 0 {
            let Marker { format, version } = marker;
            return Err(wrong(format!("{format:?} of version {version}")));
        }
        if marker.version > VERSION {
            let version = marker.version;
            return Err(wrong(format!(
                "a registry of version {version}, which a newer lowrank wrote; update this one"
            )));
        }
        Ok(Some(marker))
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Everything that has a version, by name.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for name in self.names_in(&self.root)? {
            if self.is_kept(&name)? && !self.versions_in(&name)?.is_empty() {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// The versions of `name`, from the first to the newest.
    ///
    /// # Errors
    /// Where there are none; the error says what there is.
    pub fn versions(&self, name: &str) -> Result<Vec<u64>> {
        names::check("name", name)?;
        let versions = match self.is_kept(name)? {
            true => self.versions_in(name)?,
            false => Vec::new(),
        };
        if versions.is_empty() {
            return Err(Error::Unknown {
                what: "model",
                name: name.into(),
                hint: there_is(&self.root, &self.names()?),
            });
        }
        Ok(versions)
    }

    /// The version that is meant.
    ///
    /// # Errors
    /// Where there is none; the error says what there is.
    pub fn resolve(&self, reference: &Reference) -> Result<u64> {
        let name = &reference.name;
        let versions = self.versions(name)?;
        let unknown = |what, asked: String, there: Vec<String>| Error::Unknown {
            what,
            name: asked,
            hint: there_is(Path::new(name), &there),
        };
        match &reference.which {
            Which::Newest => Ok(*versions.last().expect("there is one")),
            Which::Version(version) if versions.contains(version) => Ok(*version),
            Which::Version(version) => {
                let there = versions.iter().map(u64::to_string).collect();
                Err(unknown("version", version.to_string(), there))
            }
            Which::Alias(alias) => {
                let aliases = self.aliases(name)?;
                let names = aliases.names().map(str::to_owned).collect();
                let found = aliases.version(alias);
                found.ok_or_else(|| unknown("alias", alias.clone(), names))
            }
        }
    }

    /// The folder of a version.
    pub fn folder(&self, name: &str, version: u64) -> PathBuf {
        self.root.join(name).join(version.to_string())
    }

    /// Whether something has versions under that name, or had.
    fn is_kept(&self, name: &str) -> Result<bool> {
        let path = self.root.join(name);
        let kind = self.file_system.kind(&path);
        Ok(is_name(name) && kind.map_err(Error::io(&path, "read"))? == Some(Kind::Folder))
    }

    fn versions_in(&self, name: &str) -> Result<Vec<u64>> {
        let names = self.names_in(&self.root.join(name))?;
        let mut versions: Vec<u64> = names.iter().filter_map(|name| as_version(name)).collect();
        versions.sort_unstable();
        Ok(versions)
    }

    /// The names in a folder, sorted; those that are not UTF-8 are nobody's here.
    fn names_in(&self, folder: &Path) -> Result<Vec<String>> {
        let names = self.file_system.read_dir(folder);
        let names = names.map_err(Error::io(folder, "read"))?;
        let mut names: Vec<String> = names
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Waits until nobody else gives numbers to `name`, moves its aliases or removes something of it.
    fn lock(&self, name: &str) -> Result<F::Lock> {
        let path = self.root.join(name).join(LOCK);
        let lock = self.file_system.lock(&path);
        lock.map_err(Error::io(&path, "lock"))
    }
}

/// The model file that `path` means: `REGISTRY/name`, `REGISTRY/name@alias` or `REGISTRY/name@7`; `None` where it is in no registry.
///
/// # Errors
/// Where it is in a registry that has no such version.
pub(super) fn resolve_model(path: &Path) -> Result<Option<PathBuf>> {
    let Some((root, reference)) = names::split(path) else {
        return Ok(None);
    };
    if !is_file(&Disk, &root.join(MARKER))? {
        return Ok(None);
    }
    let (registry, reference) = (Registry::open(root)?, reference?);
    let version = registry.resolve(&reference)?;
    Ok(Some(registry.folder(&reference.name, version).join(MODEL)))
}

/// Whether a file is there. That it cannot be seen is no answer: aliases that are taken for none would let `gc` remove what they need.
fn is_file(file_system: &impl FileSystem, path: &Path) -> Result<bool> {
    let kind = file_system.kind(path).map_err(Error::io(path, "read"))?;
    Ok(matches!(kind, Some(Kind::File | Kind::Link)))
}

/// "movies has 1, 2, 3": at most some, the last ones.
fn there_is(place: &Path, names: &[String]) -> String {
    const SOME: usize = 10;
    let place = place.display();
    if names.is_empty() {
        return format!("{place} has none");
    }
    let more = if names.len() > SOME { "…, " } else { "" };
    let last = &names[names.len().saturating_sub(SOME)..];
    format!("{place} has {more}{}", last.join(", "))
}

#[cfg(test)]
mod tests;
