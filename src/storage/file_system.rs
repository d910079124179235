//! How is a file replaced so that neither a crash nor a full disk leaves half of one?
//!
//! ```text
//! 1  write   .name.tmp-<process>-<counter>  beside the file      a full disk shows here, the old file is untouched
//! 2  flush   its bytes to the disk                              before its name: else a crash leaves an empty file
//! 3  rename  it over the old one                                one step, done or not done
//! 4  flush   the folder                                         the name itself
//! ```
//!
//! Where a step before the third fails, or the third does, the new file is removed and the old one is as it was. Where the fourth fails the
//! new file is in place and whole, but a power cut may still bring the old one back. A symbolic link is replaced, not followed; what is
//! no file at all (a device, a pipe, a folder) is refused, because renaming over it would take it away.
//!
//! The steps go through the trait [`FileSystem`], so that tests can let any of them fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Result};

/// What writing needs of an operating system.
pub trait FileSystem {
    /// A file that is being written.
    type File: Write;

    /// Creates a file that is not there yet.
    ///
    /// # Errors
    /// The operating system's; `AlreadyExists` where it is there.
    fn create_new(&self, path: &Path) -> io::Result<Self::File>;

    /// Waits until the bytes of the file are on the disk.
    ///
    /// # Errors
    /// The operating system's.
    fn sync(&self, file: &mut Self::File) -> io::Result<()>;

    /// Gives a file a new name, replacing what had it.
    ///
    /// # Errors
    /// The operating system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Waits until the names in a folder are on the disk.
    ///
    /// # Errors
    /// The operating system's.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The operating system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// All bytes of a file.
    ///
    /// # Errors
    /// The operating system's.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
}

/// The operating system's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl FileSystem for Disk {
    type File = File;

    fn create_new(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    fn sync(&self, file: &mut File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        // Elsewhere a folder cannot be opened, and its names are written through.
        if cfg!(unix) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }
}

/// All bytes of a file that may not have more than `limit`: a device or a pipe may never end.
///
/// # Errors
/// The operating system's, and [`Error::File`] where there are more bytes.
pub fn read_at_most(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(Error::io(path, "open"))?;
    let mut bytes = Vec::new();
    let mut some = file.take(limit.saturating_add(1));
    some.read_to_end(&mut bytes)
        .map_err(Error::io(path, "read"))?;
    if bytes.len() as u64 > limit {
        return Err(Error::File {
            path: path.into(),
            got: format!("more than {limit} bytes"),
            wanted: "a shorter file".into(),
        });
    }
    Ok(bytes)
}

/// What stands between a file's name and the number in the name of its unfinished successor.
pub(crate) const UNFINISHED: &str = ".tmp-";

/// Writes a file by `write` and puts it in the place of `path` when it is whole and on the disk.
///
/// # Errors
/// Those of `write` and of the file system, with the path of the file.
pub fn write_atomically<F: FileSystem>(
    file_system: &F,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let Some(name) = path.file_name() else {
        return Err(Error::File {
            path: path.into(),
            got: "no name of a file".into(),
            wanted: "the name of a file to write".into(),
        });
    };
    if let Ok(there) = fs::metadata(path)
        && !there.is_file()
    {
        return Err(Error::File {
            path: path.into(),
            got: "something that is no file".into(),
            wanted: "a file to replace, or a new name".into(),
        });
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let (beside, file) = create_beside(file_system, folder, name, path)?;
    let outcome = fill(file_system, file, write)
        .map_err(Error::io(path, "write"))
        .and_then(|()| {
            file_system
                .rename(&beside, path)
                .map_err(Error::io(path, "replace"))
        });
    if let Err(error) = outcome {
        // The first error is the one to report; a second one here would only hide it.
        let _ = file_system.remove(&beside);
        return Err(error);
    }
    file_system
        .sync_folder(folder)
        .map_err(Error::io(folder, "flush"))
}

/// A new file beside `path`. A name left by a killed process with the same number is passed over.
fn create_beside<F: FileSystem>(
    file_system: &F,
    folder: &Path,
    name: &std::ffi::OsStr,
    path: &Path,
) -> Result<(PathBuf, F::File)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    const TRIES: usize = 1000;
    let mut last = io::ErrorKind::AlreadyExists.into();
    for _ in 0..TRIES {
        let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
        let mut beside = std::ffi::OsString::from(".");
        beside.push(name);
        beside.push(format!("{UNFINISHED}{}-{counter}", std::process::id()));
        let beside = folder.join(beside);
        match file_system.create_new(&beside) {
            Ok(file) => return Ok((beside, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(Error::io(path, "write")(error)),
        }
    }
    Err(Error::io(path, "write")(last))
}

/// Writes and flushes; the file is closed at the end, because some systems rename no open file.
fn fill<F: FileSystem>(
    file_system: &F,
    file: F::File,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut writer = BufWriter::with_capacity(1 << 16, file);
    let outcome = write(&mut writer).and_then(|()| writer.flush());
    // Taken apart, because a dropped buffer would try to write once more.
    let (mut file, _) = writer.into_parts();
    outcome?;
    file_system.sync(&mut file)
}

#[cfg(test)]
pub(crate) mod faulty {
    //! A disk that fails when it is told to.

    use super::*;

    /// The step that fails.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Fault {
        /// Nobody may create a file.
        Create,
        /// The disk takes that many bytes of a file and no more.
        FullAfter(u64),
        /// Flushing a file.
        Sync,
        /// Renaming.
        Rename,
        /// Flushing a folder.
        SyncFolder,
    }

    /// The disk with one fault.
    pub(crate) struct FaultyDisk(pub(crate) Fault);

    pub(crate) struct FaultyFile {
        file: File,
        room: u64,
    }

    impl Write for FaultyFile {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(self.room as usize);
            if n == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let n = self.file.write(&bytes[..n])?;
            self.room -= n as u64;
            Ok(n)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.file.flush()
        }
    }

    impl FaultyDisk {
        fn fail(&self, fault: Fault) -> io::Result<()> {
            if self.0 == fault {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            Ok(())
        }
    }

    impl FileSystem for FaultyDisk {
        type File = FaultyFile;

        fn create_new(&self, path: &Path) -> io::Result<FaultyFile> {
            self.fail(Fault::Create)?;
            let room = match self.0 {
                Fault::FullAfter(bytes) => bytes,
                _ => u64::MAX,
            };
            let file = Disk.create_new(path)?;
            Ok(FaultyFile { file, room })
        }

        fn sync(&self, file: &mut FaultyFile) -> io::Result<()> {
            self.fail(Fault::Sync)?;
            Disk.sync(&mut file.file)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.fail(Fault::Rename)?;
            Disk.rename(from, to)
        }

        fn sync_folder(&self, folder: &Path) -> io::Result<()> {
            self.fail(Fault::SyncFolder)?;
            Disk.sync_folder(folder)
        }

        fn remove(&self, path: &Path) -> io::Result<()> {
            Disk.remove(path)
        }

        fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
            Disk.read(path)
        }
    }
}

#[cfg(test)]
pub(crate) mod folder {
    //! A folder of a test's own, gone when the test ends.

    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    pub(crate) struct TestFolder(pub(crate) PathBuf);

    impl TestFolder {
        pub(crate) fn new(test: &str) -> TestFolder {
            // Tests run side by side, and several may ask for a folder of one name.
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("lowrank-{test}-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            TestFolder(path)
        }

        /// The names in it, sorted.
        pub(crate) fn names(&self) -> Vec<String> {
            let mut names: Vec<String> = fs::read_dir(&self.0)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for TestFolder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::faulty::{Fault, FaultyDisk};
    use super::folder::TestFolder;
    use super::*;

    #[test]
    fn a_file_is_written_and_replaced_and_nothing_stays_beside_it() {
        let folder = TestFolder::new("replace");
        let path = folder.0.join("a");
        for content in ["first", "second"] {
            write_atomically(&Disk, &path, |w| w.write_all(content.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(folder.names(), ["a"]);
    }

    #[test]
    fn whatever_fails_the_old_file_is_untouched_and_nothing_is_left() {
        let folder = TestFolder::new("faults");
        let path = folder.0.join("a");
        fs::write(&path, "old").unwrap();
        let faults = [Fault::Create, Fault::Sync, Fault::Rename];
        for fault in (0..10).map(Fault::FullAfter).chain(faults) {
            let outcome =
                write_atomically(&FaultyDisk(fault), &path, |w| w.write_all(b"0123456789"));
            assert!(matches!(outcome, Err(Error::Io { .. })), "{fault:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "old", "{fault:?}");
            assert_eq!(folder.names(), ["a"], "{fault:?}");
        }
        let enough = FaultyDisk(Fault::FullAfter(10));
        write_atomically(&enough, &path, |w| w.write_all(b"0123456789")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "0123456789");
    }

    #[test]
    fn where_the_folder_cannot_be_flushed_the_new_file_is_whole_and_the_error_is_told() {
        let folder = TestFolder::new("sync-folder");
        let path = folder.0.join("a");
        let disk = FaultyDisk(Fault::SyncFolder);
        assert!(write_atomically(&disk, &path, |w| w.write_all(b"new")).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(folder.names(), ["a"]);
    }

    #[test]
    fn an_error_of_the_writer_itself_leaves_nothing() {
        let folder = TestFolder::new("writer");
        let path = folder.0.join("a");
        let outcome = write_atomically(&Disk, &path, |w| {
            w.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert!(outcome.unwrap_err().to_string().contains("no more"));
        assert_eq!(folder.names(), [] as [&str; 0]);
    }

    #[test]
    fn a_path_without_a_folder_or_a_name_is_an_error() {
        assert!(write_atomically(&Disk, Path::new("/"), |_| Ok(())).is_err());
        let nowhere = Path::new("no-such-folder-here/a");
        assert!(write_atomically(&Disk, nowhere, |_| Ok(())).is_err());
    }
}
