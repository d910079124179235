//! How is a folder made whole, or not at all?
//!
//! Under another name, beside where it will be. What is not finished goes when it is dropped; what a process that was ended has left, `gc` removes.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::manifest::hash;
use crate::storage::FileSystem;
use crate::storage::replace::{create_beside, fill};
use crate::{Error, Result};

/// A folder that is being filled.
pub(super) struct Unfinished<F: FileSystem> {
    file_system: F,
    path: PathBuf,
    finished: bool,
}

impl<F: FileSystem> Unfinished<F> {
    /// A new one in `folder`, which will be called `name` or anything else.
    pub(super) fn new(file_system: F, folder: &Path, name: &OsStr) -> Result<Self> {
        let (path, ()) = create_beside(folder, name, |path| file_system.create_dir(path))
            .map_err(Error::io(folder, "write"))?;
        Ok(Unfinished {
            file_system,
            path,
            finished: false,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Copies a file into it, under its own name, and flushes it; gives its SHA-256.
    pub(super) fn copy(&self, from: &Path, name: &str) -> Result<String> {
        let source = self.file_system.open(from)?;
        let mut sha256 = String::new();
        self.create(name, |writer| {
            sha256 = hash(&source, |block| writer.write_all(block))?;
            Ok(())
        })?;
        Ok(sha256)
    }

    /// Writes a small file into it, and flushes it.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        self.create(name, |writer| writer.write_all(text.as_bytes()))
    }

    fn create(
        &self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        let path = self.path.join(name);
        let file = self.file_system.create_new(&path);
        file.and_then(|file| fill(&self.file_system, file, write))
            .map_err(Error::io(&path, "write"))
    }

    /// Removes a file from it, where there is one.
    pub(super) fn forget(&self, name: &str) {
        // What is there still is in the way of the next one of that name, which says so.
        let _ = self.file_system.remove(&self.path.join(name));
    }

    /// Gives it its name, in one step; what is in it is flushed before, the name after it.
    ///
    /// # Errors
    /// Where the name is taken (`AlreadyExists`, `DirectoryNotEmpty`), or the operating system refuses.
    pub(super) fn finish(&mut self, to: &Path) -> io::Result<()> {
        self.file_system.sync_folder(&self.path)?;
        self.file_system.rename(&self.path, to)?;
        self.finished = true;
        self.file_system
            .sync_folder(crate::storage::file_system::folder_of(to))
    }
}

impl<F: FileSystem> Drop for Unfinished<F> {
    fn drop(&mut self) {
        if !self.finished {
            // There is an error already, and `gc` takes what is left.
            let _ = remove(&self.file_system, &self.path);
        }
    }
}

/// Removes a folder of files.
pub(super) fn remove(file_system: &impl FileSystem, folder: &Path) -> io::Result<()> {
    for name in file_system.read_dir(folder)? {
        file_system.remove(&folder.join(name))?;
    }
    file_system.remove_dir(folder)
}

/// The bytes of the files in a folder.
pub(super) fn bytes(file_system: &impl FileSystem, folder: &Path) -> u64 {
    use crate::storage::Source;
    let names = file_system.read_dir(folder).unwrap_or_default();
    let length = |name| Some(file_system.open(&folder.join(name)).ok()?.len());
    names.into_iter().filter_map(length).sum()
}
