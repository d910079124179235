//! Where does work lie that is too large for memory?
//!
//! In a file that has no name: it is unlinked as soon as it is open, so nothing of it stays behind, whatever becomes of the process. (Where an open file keeps its name, it is removed in the
//! end.) Nobody else reads it, so it has no checksums.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Result};

/// A nameless file in a folder. Several threads may read and write at once.
#[derive(Debug)]
pub struct Scratch {
    /// The name that it had.
    path: PathBuf,
    file: Positioned,
}

/// Files of this process so far: no two have one name.
static COUNT: AtomicU64 = AtomicU64::new(0);

impl Scratch {
    /// A new one in `folder`.
    ///
    /// # Errors
    /// [`Error::Io`] where none can be made.
    pub fn new(folder: &Path) -> Result<Scratch> {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!(".lowrank-scratch-{}-{number}", std::process::id());
        let path = folder.join(name);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(Error::io(&path, "create"))?;
        if cfg!(unix) {
            std::fs::remove_file(&path).map_err(Error::io(&path, "unlink"))?;
        }
        Ok(Scratch {
            path,
            file: Positioned::new(file),
        })
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// [`Error::Io`] where the system refuses: a full disk, say.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all_at(bytes, offset);
        written.map_err(Error::io(&self.path, "write"))
    }

    /// Fills `bytes` from `offset` on.
    ///
    /// # Errors
    /// [`Error::Io`] where the system refuses, or nothing was written there.
    pub fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let read = self.file.read_exact_at(bytes, offset);
        read.map_err(Error::io(&self.path, "read"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !cfg!(unix) {
            // Nothing more can be done about a file that stays.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(unix)]
use std::os::unix::fs::FileExt as _;

/// A file that is read and written anywhere.
#[cfg(unix)]
type Positioned = Here;

#[cfg(unix)]
#[derive(Debug)]
struct Here(File);

#[cfg(unix)]
impl Here {
    fn new(file: File) -> Here {
        Here(file)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> std::io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
        self.0.read_exact_at(bytes, offset)
    }
}

/// Seeking and reading are two calls; the lock makes them one.
#[cfg(not(unix))]
#[derive(Debug)]
struct Positioned(std::sync::Mutex<File>);

#[cfg(not(unix))]
impl Positioned {
    fn new(file: File) -> Positioned {
        Positioned(std::sync::Mutex::new(file))
    }

    fn at(&self, offset: u64) -> std::io::Result<std::sync::MutexGuard<'_, File>> {
        use std::io::{Seek, SeekFrom};
        let lock = self.0.lock();
        let mut file = lock.unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        Ok(file)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> std::io::Result<()> {
        std::io::Write::write_all(&mut *self.at(offset)?, bytes)
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
        std::io::Read::read_exact(&mut *self.at(offset)?, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::file_system::folder::TestFolder;

    #[test]
    fn what_is_written_is_read_and_nothing_is_left() {
        let folder = TestFolder::new("scratch");
        let scratch = Scratch::new(&folder.0).expect("a file");
        scratch.write_at(3, &[1, 2, 3]).expect("written");
        scratch.write_at(0, &[7, 8, 9]).expect("written");
        let mut bytes = [0; 4];
        scratch.read_at(2, &mut bytes).expect("read");
        assert_eq!(bytes, [9, 1, 2, 3]);
        assert!(scratch.read_at(3, &mut bytes).is_err(), "past the end");
        if cfg!(unix) {
            assert!(folder.names().is_empty(), "it has no name");
        }
        drop(scratch);
        assert!(folder.names().is_empty());
        let nowhere = Scratch::new(Path::new("/nowhere/at all")).unwrap_err();
        assert!(nowhere.to_string().contains("create"), "{nowhere}");
    }
}
