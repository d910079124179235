//! What may be removed?
//!
//! ```text
//! a version     that no alias is, that no rollback could make one (an alias remembers ten versions before the one it is), and that is not among the newest
//! a leftover    of a push, a removal or a replacing that something ended: what is under way is locked
//! ```
//!
//! A version loses its name first, and that is flushed: what a power cut brings back is whole.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;

use super::push::{PUSH, lock_of};
use super::unfinished::{bytes, remove};
use super::{ALIASES, LOCK, MARKER, Registry};
use crate::storage::FileSystem;
use crate::storage::replace::{create_beside, name_when_finished};
use crate::{Error, Result};

/// What a version that is being removed is called.
const GONE: &str = "gone";

/// Something that was removed, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The model; nothing for what is the registry's own.
    pub name: Option<String>,
    /// The version; nothing for a leftover.
    pub version: Option<u64>,
    /// The file or folder, seen from the registry.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
}

impl<F: FileSystem> Registry<F> {
    /// Removes what may be removed, or with `dry_run` says what would be; of every name the newest `keep` versions stay.
    ///
    /// # Errors
    /// Where `keep` is 0 (a number could be given twice then), or something cannot be removed.
    pub fn collect(&self, keep: usize, dry_run: bool) -> Result<Vec<Removed>> {
        if keep == 0 {
            let wanted = "1 or more: the newest version stays, so that no number is given twice";
            return Err(Error::config("keep", keep, wanted));
        }
        let mut removed = Vec::new();
        self.leftovers_of_root(dry_run, &mut removed)?;
        for name in self.names_in(&self.root)? {
            if self.is_kept(&name)? {
                let _lock = self.lock(&name)?;
                self.leftovers(&name, dry_run, &mut removed)?;
                self.old_versions(&name, keep, dry_run, &mut removed)?;
            }
        }
        Ok(removed)
    }

    /// What was left when the registry was made.
    fn leftovers_of_root(&self, dry_run: bool, removed: &mut Vec<Removed>) -> Result<()> {
        let lock = self.root.join(LOCK);
        let held = self.file_system.lock(&lock);
        let _lock = held.map_err(Error::io(&lock, "lock"))?;
        for file in self.names_in(&self.root)? {
            if name_when_finished(&file) == Some(MARKER) {
                let path = self.root.join(&file);
                self.remove_file(&path, dry_run)?;
                removed.push(Removed {
                    name: None,
                    version: None,
                    path: file,
                    bytes: 0,
                });
            }
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path, dry_run: bool) -> Result<()> {
        if dry_run {
            return Ok(());
        }
        match self.file_system.remove(path) {
            // Whoever drops a push takes its own lock away.
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io(path, "remove")(error))
            }
            _ => Ok(()),
        }
    }

    /// What was left by those who were ended. The lock of the name is held.
    fn leftovers(&self, name: &str, dry_run: bool, removed: &mut Vec<Removed>) -> Result<()> {
        let place = self.root.join(name);
        // A folder and its lock are one thing; either may be all that is left of it.
        let names = self.names_in(&place)?;
        let things: BTreeSet<&str> = names
            .iter()
            .map(|file| file.strip_suffix(LOCK).unwrap_or(file))
            .collect();
        for thing in things {
            let path = place.join(thing);
            let size = match name_when_finished(thing) {
                Some(PUSH) => {
                    let lock = lock_of(&path);
                    let held = self.file_system.try_lock(&lock);
                    let Some(held) = held.map_err(Error::io(&lock, "lock"))? else {
                        continue;
                    };
                    let size = self.remove_folder(&path, dry_run)?;
                    drop(held);
                    self.remove_file(&lock, dry_run)?;
                    size
                }
                Some(GONE) => self.remove_folder(&path, dry_run)?,
                Some(ALIASES) => {
                    self.remove_file(&path, dry_run)?;
                    0
                }
                _ => continue,
            };
            removed.push(Removed {
                name: Some(name.into()),
                version: None,
                path: format!("{name}/{thing}"),
                bytes: size,
            });
        }
        Ok(())
    }

    /// Removes a folder, where it is there; gives its bytes.
    fn remove_folder(&self, path: &Path, dry_run: bool) -> Result<u64> {
        let size = bytes(&self.file_system, path);
        if !dry_run {
            match remove(&self.file_system, path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io(path, "remove")(error));
                }
                _ => {}
            }
        }
        Ok(size)
    }

    /// The versions that nothing needs. The lock of the name is held.
    fn old_versions(
        &self,
        name: &str,
        keep: usize,
        dry_run: bool,
        removed: &mut Vec<Removed>,
    ) -> Result<()> {
        let place = self.root.join(name);
        let versions = self.versions_in(name)?;
        let aliases = self.aliases(name)?;
        let needed: BTreeSet<u64> = aliases.reachable().map(|(_, version)| version).collect();
        let old = &versions[..versions.len().saturating_sub(keep)];
        for &version in old.iter().filter(|version| !needed.contains(version)) {
            let folder = self.folder(name, version);
            let size = bytes(&self.file_system, &folder);
            if !dry_run {
                let (gone, ()) = create_beside(&place, OsStr::new(GONE), |to| {
                    self.file_system.rename(&folder, to)
                })
                .map_err(Error::io(&folder, "remove"))?;
                let flushed = self.file_system.sync_folder(&place);
                flushed.map_err(Error::io(&place, "flush"))?;
                self.remove_folder(&gone, false)?;
            }
            removed.push(Removed {
                name: Some(name.into()),
                version: Some(version),
                path: format!("{name}/{version}"),
                bytes: size,
            });
        }
        Ok(())
    }
}
