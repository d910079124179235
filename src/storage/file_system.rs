//! What does keeping files need of an operating system?
//!
//! Creating, flushing, renaming, removing, looking, locking: one trait, so that tests can let any step fail, cut the power after it, or let somebody else come in between. [`Disk`] is the only real one.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

use super::source::{FileSource, Source};
use crate::{Error, Result};

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link to a file, or to nothing.
    Link,
    /// A device, a pipe, a link to a folder.
    Other,
}

/// What keeping files needs of an operating system.
pub trait FileSystem {
    /// A file that is being written.
    type File: Write;
    /// A file that is being read.
    type Source: Source;
    /// A lock; it is given back when it is dropped, or its process ends, however that ends.
    type Lock;

    /// Creates a file that is not there yet.
    ///
    /// # Errors
    /// The operating system's; `AlreadyExists` where it is there.
    fn create_new(&self, path: &Path) -> io::Result<Self::File>;

    /// Opens a file to write at its end; it is created where it is not there.
    ///
    /// # Errors
    /// The operating system's.
    fn append(&self, path: &Path) -> io::Result<Self::File>;

    /// Waits until the bytes of the file are on the disk.
    ///
    /// # Errors
    /// The operating system's.
    fn sync(&self, file: &mut Self::File) -> io::Result<()>;

    /// Gives a file or a folder a new name. A file replaces the file that had it; a folder replaces an empty folder at most.
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

    /// Creates a folder in one that is there.
    ///
    /// # Errors
    /// The operating system's; `AlreadyExists` where it is there.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty folder.
    ///
    /// # Errors
    /// The operating system's.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// The names in a folder, in no order.
    ///
    /// # Errors
    /// The operating system's.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>>;

    /// What stands under a name; `None` where nothing does.
    ///
    /// # Errors
    /// The operating system's.
    fn kind(&self, path: &Path) -> io::Result<Option<Kind>>;

    /// Opens a file to read it.
    ///
    /// # Errors
    /// Where it cannot be opened, or is a folder.
    fn open(&self, path: &Path) -> Result<Self::Source>;

    /// Waits for the lock of the file at `path`, which is created where it is not there.
    ///
    /// # Errors
    /// The operating system's, where it cannot lock.
    fn lock(&self, path: &Path) -> io::Result<Self::Lock>;

    /// [`lock`](FileSystem::lock) where nobody has it; `None` where somebody has.
    ///
    /// # Errors
    /// Those of `lock`.
    fn try_lock(&self, path: &Path) -> io::Result<Option<Self::Lock>>;
}

/// The operating system's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk;

impl FileSystem for Disk {
    type File = File;
    type Source = FileSource;
    type Lock = File;

    fn create_new(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    fn append(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().append(true).create(true).open(path)
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

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name()))
            .collect()
    }

    fn kind(&self, path: &Path) -> io::Result<Option<Kind>> {
        let found = match fs::symlink_metadata(path) {
            Err(error) if is_nothing(&error) => return Ok(None),
            found => found?,
        };
        Ok(Some(match found.is_symlink() {
            true => match fs::metadata(path) {
                Ok(there) if !there.is_file() => Kind::Other,
                _ => Kind::Link,
            },
            false if found.is_file() => Kind::File,
            false if found.is_dir() => Kind::Folder,
            false => Kind::Other,
        }))
    }

    fn open(&self, path: &Path) -> Result<FileSource> {
        FileSource::open(path)
    }

    fn lock(&self, path: &Path) -> io::Result<File> {
        let file = lock_file(path)?;
        file.lock()?;
        Ok(file)
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<File>> {
        let file = lock_file(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path)
}

/// Whether an error says that nothing has that name.
fn is_nothing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The folder in which `path` stands.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Creates a folder where it is not there, and those above it. Each new name is on the disk when this ends.
///
/// # Errors
/// Where something that is no folder is in the way, or the operating system refuses.
pub fn create_folders<F: FileSystem>(file_system: &F, path: &Path) -> Result<()> {
    let parent = folder_of(path);
    let create = || file_system.create_dir(path);
    let created = match create() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && parent != path => {
            create_folders(file_system, parent)?;
            create()
        }
        created => created,
    };
    match created {
        Ok(()) => file_system
            .sync_folder(parent)
            .map_err(Error::io(parent, "flush")),
        // What says so, a root or `a/..` say, may be another error on another system.
        Err(_) if file_system.read_dir(path).is_ok() => Ok(()),
        Err(error) => Err(Error::io(path, "create")(error)),
    }
}

/// All bytes of a regular file that may not have more than `limit`.
///
/// # Errors
/// Where it is no file, cannot be read, or has more bytes.
pub fn read_file<F: FileSystem>(file_system: &F, path: &Path, limit: u64) -> Result<Vec<u8>> {
    let wrong = |got: String| Error::File {
        path: path.into(),
        got,
        wanted: format!("a file of at most {limit} bytes"),
    };
    match file_system.kind(path).map_err(Error::io(path, "read"))? {
        None => {
            let none = io::Error::from(io::ErrorKind::NotFound);
            return Err(Error::io(path, "open")(none));
        }
        Some(Kind::File | Kind::Link) => {}
        Some(_) => return Err(wrong("no file".into())),
    }
    let source = file_system.open(path)?;
    if source.len() > limit {
        return Err(wrong(format!("{} bytes", source.len())));
    }
    let mut bytes = vec![0; source.len() as usize];
    source.read_at(0, &mut bytes)?;
    Ok(bytes)
}

/// All bytes of what may be a device or a pipe, which may never end: not more than `limit`.
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

#[cfg(test)]
pub(crate) mod folder {
    //! A folder of a test's own, gone when the test ends.

    use std::path::PathBuf;
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
    use super::folder::TestFolder;
    use super::*;

    #[test]
    fn folders_are_made_down_to_the_last_and_may_be_there() {
        let folder = TestFolder::new("folders");
        let deep = folder.0.join("a/b/c");
        for _ in 0..2 {
            create_folders(&Disk, &deep).unwrap();
            assert_eq!(Disk.kind(&deep).unwrap(), Some(Kind::Folder));
        }
        create_folders(&Disk, Path::new(".")).unwrap();
        create_folders(&Disk, Path::new("/")).unwrap();
        let file = folder.0.join("file");
        fs::write(&file, "12345").unwrap();
        assert!(create_folders(&Disk, &file).is_err());
        assert!(create_folders(&Disk, &file.join("under")).is_err());
        assert_eq!(read_file(&Disk, &file, 5).unwrap(), b"12345");
        assert!(read_file(&Disk, &file, 4).is_err());
        assert!(read_file(&Disk, &deep, 4).is_err());
        assert!(read_file(&Disk, &folder.0.join("none"), 4).is_err());
        assert_eq!(Disk.kind(&file.join("under")).unwrap(), None);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_told_from_what_they_lead_to() {
        let folder = TestFolder::new("links");
        let link = |name: &str, to: &str| {
            let path = folder.0.join(name);
            std::os::unix::fs::symlink(to, &path).unwrap();
            Disk.kind(&path).unwrap()
        };
        fs::write(folder.0.join("file"), "").unwrap();
        assert_eq!(link("a", "file"), Some(Kind::Link));
        assert_eq!(link("b", "nothing"), Some(Kind::Link));
        assert_eq!(link("c", "."), Some(Kind::Other));
        assert_eq!(link("d", "/dev/null"), Some(Kind::Other));
    }

    #[test]
    fn a_lock_is_had_by_one() {
        let folder = TestFolder::new("lock");
        let path = folder.0.join("lock");
        let held = Disk.lock(&path).unwrap();
        assert!(Disk.try_lock(&path).unwrap().is_none());
        drop(held);
        assert!(Disk.try_lock(&path).unwrap().is_some());
    }
}
