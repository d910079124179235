//! How does a version become a run directory?
//!
//! Its files are copied into an unfinished folder beside, hashed on the way, and the folder gets its name when all are there, flushed, and as the manifest says.

use std::path::Path;

use super::manifest::{MANIFEST, Manifest};
use super::unfinished::Unfinished;
use super::{MARKER, Registry, is_file};
use crate::artifact::run_directory;
use crate::storage::file_system::folder_of;
use crate::storage::{FileSystem, create_folders};
use crate::{Error, Result};

impl<F: FileSystem + Clone> Registry<F> {
    /// Copies a version to `to`, an empty folder or none yet, and checks it. Gives the number of files.
    ///
    /// # Errors
    /// Where `to` is in use, a file is not what the manifest says, or something cannot be read or written. Nothing is left then.
    pub fn pull(&self, name: &str, version: u64, to: &Path) -> Result<usize> {
        let file_system = &self.file_system;
        if !run_directory::names(file_system, to, true)?.is_empty() {
            return Err(Error::File {
                path: to.into(),
                got: "a folder that is not empty".into(),
                wanted: "an empty or a new one".into(),
            });
        }
        let whole = std::path::absolute(to).map_err(Error::io(to, "find"))?;
        for folder in whole.ancestors().skip(1) {
            if is_file(file_system, &folder.join(MARKER))? {
                return Err(Error::File {
                    path: to.into(),
                    got: "a place in a registry".into(),
                    wanted: "a folder elsewhere: what lies in a registry was pushed".into(),
                });
            }
        }
        let Some(last) = to.file_name() else {
            return Err(Error::File {
                path: to.into(),
                got: "no name of a folder".into(),
                wanted: "a new folder".into(),
            });
        };
        let folder = folder_of(to);
        create_folders(file_system, folder)?;
        let from = self.folder(name, version);
        let manifest = Manifest::read(file_system, &from)?;
        let mut copy = Unfinished::new(file_system.clone(), folder, last)?;
        for (name, wanted) in manifest.files() {
            let got = copy.copy(&from.join(name), name)?;
            if got != wanted {
                return Err(Error::File {
                    path: from.join(name),
                    got: format!("the SHA-256 {got}"),
                    wanted: format!("{wanted}, as {MANIFEST} says"),
                });
            }
        }
        copy.write(MANIFEST, &manifest.to_string())?;
        copy.finish(to).map_err(Error::io(to, "write"))?;
        Ok(manifest.files().count() + 1)
    }
}
