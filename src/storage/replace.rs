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

use std::ffi::{OsStr, OsString};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::file_system::{FileSystem, Kind, folder_of};
use crate::{Error, Result};

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
    if let Ok(Some(Kind::Folder | Kind::Other)) = file_system.kind(path) {
        return Err(Error::File {
            path: path.into(),
            got: "something that is no file".into(),
            wanted: "a file to replace, or a new name".into(),
        });
    }
    let folder = folder_of(path);
    let (beside, file) = create_beside(folder, name, |path| file_system.create_new(path))
        .map_err(Error::io(path, "write"))?;
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

/// By `create`, something unfinished in `folder` that will be called `name`. A name left by a killed process with the same number is passed over.
pub(crate) fn create_beside<T>(
    folder: &Path,
    name: &OsStr,
    create: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    const TRIES: usize = 1000;
    let mut last = io::ErrorKind::AlreadyExists.into();
    for _ in 0..TRIES {
        let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
        let mut beside = OsString::from(".");
        beside.push(name);
        beside.push(format!("{UNFINISHED}{}-{counter}", std::process::id()));
        let beside = folder.join(beside);
        match create(&beside) {
            Ok(made) => return Ok((beside, made)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// The name that something unfinished was to have, where `name` is one that [`create_beside`] gives.
pub(crate) fn name_when_finished(name: &str) -> Option<&str> {
    let (finished, number) = name.strip_prefix('.')?.rsplit_once(UNFINISHED)?;
    let is_number = |b: u8| b.is_ascii_digit() || b == b'-';
    number.bytes().all(is_number).then_some(finished)
}

/// Writes and flushes; the file is closed at the end, because some systems rename no open file.
pub(crate) fn fill<F: FileSystem>(
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
mod tests {
    use super::super::file_system::Disk;
    use super::super::file_system::folder::TestFolder;
    use super::super::lying_disk::{Fault, LyingDisk};
    use super::*;
    use std::fs;

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

    /// A disk with a file `a` that says "old".
    fn with_old() -> LyingDisk {
        let disk = LyingDisk::new();
        write_atomically(&disk, Path::new("a"), |w| w.write_all(b"old")).unwrap();
        disk
    }

    fn replace(disk: &LyingDisk) -> Result<()> {
        write_atomically(disk, Path::new("a"), |w| w.write_all(b"0123456789"))
    }

    #[test]
    fn whatever_fails_the_old_file_or_the_new_one_is_there_and_nothing_beside_it() {
        let disk = with_old();
        let steps = disk.steps_of(|disk| replace(disk).unwrap());
        for step in 0..steps {
            let disk = with_old().with(Fault::Once(step));
            let outcome = replace(&disk);
            let now = disk.bytes("a");
            assert_eq!(disk.names("."), ["a"], "step {step}");
            match outcome {
                // Looking what is there is no part of the work; the last step is flushing the folder.
                Ok(()) => assert_eq!((step, &now[..]), (0, &b"0123456789"[..])),
                Err(_) if step + 1 == steps => assert_eq!(now, b"0123456789"),
                Err(error) => {
                    assert!(matches!(error, Error::Io { .. }), "{error}");
                    assert_eq!(now, b"old", "step {step}");
                }
            }
        }
        for room in 0..10 {
            let disk = with_old().with(Fault::FullAfter(room));
            assert!(replace(&disk).is_err(), "{room}");
            assert_eq!(disk.bytes("a"), b"old");
            assert_eq!(disk.names("."), ["a"]);
        }
        let disk = with_old().with(Fault::FullAfter(10));
        replace(&disk).unwrap();
        assert_eq!(disk.bytes("a"), b"0123456789");
    }

    #[test]
    fn whenever_the_power_goes_the_file_is_the_old_one_or_the_new_one() {
        with_old().at_every_cut(replace, |disk, done| {
            let now = disk.bytes("a");
            assert!(now == b"0123456789" || (now == b"old" && !done));
        });
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

    #[test]
    fn unfinished_names_are_known() {
        let cases = [
            (".a.tmp-1-0", Some("a")),
            (".a.tmp-b.tmp-12-3", Some("a.tmp-b")),
            ("a.tmp-1-0", None),
            (".a.tmp-1x", None),
            (".a", None),
        ];
        for (name, finished) in cases {
            assert_eq!(name_when_finished(name), finished, "{name}");
        }
    }
}
