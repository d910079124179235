//! Where do the bytes of a container come from?
//!
//! From memory or from an open file; a reader asks both for a range and need not know which it is.

use std::path::Path;

use crate::{Error, Result};

/// Bytes of a known number that can be read anywhere.
pub trait Source {
    /// The number of bytes.
    fn len(&self) -> u64;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// Where there are not that many, or the operating system refuses.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// The file, for error messages; empty where the bytes are in memory.
    fn path(&self) -> &Path {
        Path::new("")
    }
}

impl Source for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let bytes = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..start.checked_add(buffer.len())?));
        match bytes {
            Some(bytes) => buffer.copy_from_slice(bytes),
            None => {
                return Err(Error::Corrupt {
                    path: Default::default(),
                    offset,
                    got: format!("{} bytes in all", <[u8]>::len(self)),
                    wanted: format!("{} more bytes", buffer.len()),
                });
            }
        }
        Ok(())
    }
}

/// An open file. Its length is taken when it is opened.
#[cfg(feature = "train")]
#[derive(Debug)]
pub struct FileSource {
    path: std::path::PathBuf,
    length: u64,
    /// Seeking and reading are two calls; the lock makes them one, on every operating system.
    file: std::sync::Mutex<std::fs::File>,
}

#[cfg(feature = "train")]
impl FileSource {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// Where it cannot be opened, or is a folder.
    pub fn open(path: impl AsRef<Path>) -> Result<FileSource> {
        let path = path.as_ref();
        let file = std::fs::File::open(path).map_err(Error::io(path, "open"))?;
        let metadata = file.metadata().map_err(Error::io(path, "open"))?;
        if metadata.is_dir() {
            return Err(Error::File {
                path: path.into(),
                got: "a folder".into(),
                wanted: "a file".into(),
            });
        }
        Ok(FileSource {
            path: path.into(),
            length: metadata.len(),
            file: std::sync::Mutex::new(file),
        })
    }
}

#[cfg(feature = "train")]
impl Source for FileSource {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        // A reader that panicked left no half-done state behind: every read begins with a seek.
        let mut file = self
            .file
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.read_exact(buffer))
            .map_err(Error::io(&self.path, "read"))
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_gives_what_it_has_and_no_more() {
        let bytes: &[u8] = &[1, 2, 3, 4];
        let mut two = [0; 2];
        bytes.read_at(2, &mut two).unwrap();
        assert_eq!(two, [3, 4]);
        for offset in [3, 4, 5, u64::MAX] {
            assert!(bytes.read_at(offset, &mut two).is_err(), "{offset}");
        }
    }
}
