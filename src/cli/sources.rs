//! Which files does a command read, and are its caches still fresh?
//!
//! A file is known by the SHA-256 of its bytes. A [cache](RatingsCache) of ratings carries that of the text it was made from, with the text's length and time:
//!
//! ```text
//! the text is gone               nothing to compare with; a remark
//! same length, same time         fresh
//! same length, another time      fresh where the SHA-256 is the same
//! else                           an error, with the command that makes the cache anew
//! ```

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::output::{Manner, grouped};
use super::table;
pub(super) use crate::artifact::registry::manifest::hex;
use crate::data::{RatingsCache, Stamp};
use crate::{Error, Result};

/// A file that goes in and its fingerprint, for `run.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InputFile {
    role: String,
    #[serde(flatten)]
    file: Fingerprint,
    /// The text that a cache was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Fingerprint>,
}

/// A file and how to know it again.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Fingerprint {
    path: String,
    /// Absent, like the fingerprint, for a pipe: it can be read once only.
    bytes: Option<u64>,
    sha256: Option<String>,
}

impl InputFile {
    /// A file as it is now.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn of(role: &str, path: &Path) -> Result<InputFile> {
        // A model is no cache, though of the same kind of file.
        let cache = match role {
            MODEL => None,
            _ => RatingsCache::at(path)?,
        };
        let source = cache.map(|cache| {
            let source = cache.source();
            Fingerprint::of(&source.path, source.stamp)
        });
        Ok(InputFile {
            role: role.to_owned(),
            file: Fingerprint::of(path, stamp(path)?),
            source,
        })
    }

    /// Its role, and the SHA-256 that it is known by.
    pub fn known_by(&self) -> (String, Option<String>) {
        (self.role.clone(), self.file.sha256.clone())
    }

    /// "ratings", "add", "items", "users", "valid" or "warm-start".
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Where it was read, as it was called then.
    pub fn path(&self) -> &str {
        &self.file.path
    }

    /// How long it was; not known of a pipe.
    pub fn bytes(&self) -> Option<u64> {
        self.file.bytes
    }

    /// The SHA-256 of its text: of a cache, that of what it was made from.
    pub fn sha256(&self) -> Option<&str> {
        let source = self.source.as_ref().and_then(|of| of.sha256.as_deref());
        source.or(self.file.sha256.as_deref())
    }

    /// Whether two files give the same ratings: they have the same bytes, or are or were made from the same text.
    pub fn is_same(&self, other: &InputFile) -> bool {
        let same = |a: Option<&str>, b: Option<&str>| a.is_some() && a == b;
        let own = |of: &InputFile| of.file.sha256.clone();
        same(self.sha256(), other.sha256()) || same(own(self).as_deref(), own(other).as_deref())
    }
}

/// The role of a model that a training starts from.
pub const MODEL: &str = "warm-start";
/// The role of ratings beyond the first file.
pub const MORE: &str = "add";

/// Files that are being hashed, a thread each: it takes longer than reading a cache.
pub struct Hashing(Vec<JoinHandle<Result<InputFile>>>);

impl Hashing {
    /// Begins with files and what each is for.
    pub fn of<'p>(files: impl Iterator<Item = (&'static str, &'p Path)>) -> Hashing {
        Hashing(files.map(|(role, path)| hashed(role, path)).collect())
    }

    /// Waits for the rest.
    ///
    /// # Errors
    /// The first of a file that could not be read.
    pub fn finish(self) -> Result<Vec<InputFile>> {
        let threads = self.0.into_iter();
        threads
            .map(|thread| thread.join().expect("hashing does not panic"))
            .collect()
    }
}

fn hashed(role: &'static str, path: &Path) -> JoinHandle<Result<InputFile>> {
    let path = path.to_path_buf();
    std::thread::spawn(move || InputFile::of(role, &path))
}

impl Fingerprint {
    fn of(path: &Path, stamp: Option<Stamp>) -> Fingerprint {
        Fingerprint {
            path: path.display().to_string(),
            bytes: stamp.map(|stamp| stamp.bytes),
            sha256: stamp.map(|stamp| hex(&stamp.sha256)),
        }
    }
}

/// Reads and hashes a file; `None` for a pipe or a device.
pub(super) fn stamp(path: &Path) -> Result<Option<Stamp>> {
    let there = std::fs::metadata(path).map_err(Error::io(path, "open"))?;
    if !there.is_file() {
        return Ok(None);
    }
    let mut file = File::open(path).map_err(Error::io(path, "open"))?;
    let (mut hash, mut bytes, mut block) = (Sha256::new(), 0, vec![0; 1 << 18]);
    loop {
        let n = file.read(&mut block).map_err(Error::io(path, "read"))?;
        if n == 0 {
            break;
        }
        hash.update(&block[..n]);
        bytes += n as u64;
    }
    Ok(Some(Stamp {
        bytes,
        modified: modified(&there),
        sha256: hash.finalize().into(),
    }))
}

/// Nanoseconds since 1970; 0 where the system does not say.
fn modified(there: &Metadata) -> i64 {
    let nanoseconds = |time: std::time::Duration| i64::try_from(time.as_nanos()).unwrap_or(0);
    match there.modified().map(|time| time.duration_since(UNIX_EPOCH)) {
        Ok(Ok(after)) => nanoseconds(after),
        Ok(Err(before)) => -nanoseconds(before.duration()),
        Err(_) => 0,
    }
}

/// Whether a file has the length and the time of its stamp.
fn untouched(there: &Metadata, stamp: &Stamp) -> bool {
    there.len() == stamp.bytes && modified(there) == stamp.modified && stamp.modified != 0
}

/// Whether a file is still as it was when it was hashed, a moment ago.
///
/// # Errors
/// Where somebody wrote to it since.
pub(super) fn unchanged(path: &Path, before: &Stamp) -> Result<()> {
    let there = std::fs::metadata(path).map_err(Error::io(path, "read"))?;
    match there.len() == before.bytes && modified(&there) == before.modified {
        true => Ok(()),
        false => Err(Error::File {
            path: path.into(),
            got: "a file that changed while it was read".into(),
            wanted: "one that nobody writes to".into(),
        }),
    }
}

/// Looks at each of `paths` that is a cache, and at the text that it was made from.
///
/// # Errors
/// Where that text has changed since.
pub(super) fn check_fresh<'p>(
    paths: impl IntoIterator<Item = &'p Path>,
    manner: Manner,
) -> Result<()> {
    for path in paths {
        let Some(cache) = RatingsCache::at(path)? else {
            continue;
        };
        let source = &cache.source().path;
        let Some(stamp) = cache.source().stamp else {
            continue;
        };
        let Some(there) = std::fs::metadata(source).ok().filter(Metadata::is_file) else {
            let (cache, source) = (path.display(), source.display());
            let note = format!("note: {cache} was made from {source}, which is gone");
            manner.note(table::safe(&note));
            continue;
        };
        if untouched(&there, &stamp) {
            continue;
        }
        let same = there.len() == stamp.bytes
            && self::stamp(source)?.is_some_and(|now| now.sha256 == stamp.sha256);
        if !same {
            return Err(Error::File {
                path: path.into(),
                got: format!(
                    "a cache of {}, which has changed since ({} bytes then, {} now)",
                    source.display(),
                    grouped(stamp.bytes),
                    grouped(there.len())
                ),
                wanted: format!("a new cache: {}", cache.command()),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::file_system::folder::TestFolder;

    #[test]
    fn a_file_that_was_written_to_since_it_was_hashed_is_noticed() {
        let folder = TestFolder::new("stamp");
        let path = folder.0.join("a");
        std::fs::write(&path, "abc").unwrap();
        let before = stamp(&path).unwrap().unwrap();
        // FIPS 180-2, appendix B.1.
        assert!(hex(&before.sha256).starts_with("ba7816bf8f01cfea414140de5dae2223"));
        assert_eq!(before.bytes, 3);
        assert!(unchanged(&path, &before).is_ok());
        std::fs::write(&path, "abcd").unwrap();
        assert!(unchanged(&path, &before).is_err());
        std::fs::write(&path, "abc").unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(9);
        let file = File::options().append(true).open(&path).unwrap();
        file.set_modified(later).unwrap();
        assert!(unchanged(&path, &before).is_err());
    }

    #[test]
    fn times_before_1970_and_to_the_nanosecond_are_told_apart() {
        let folder = TestFolder::new("times");
        let path = folder.0.join("a");
        std::fs::write(&path, "").unwrap();
        let file = File::options().append(true).open(&path).unwrap();
        let time = std::time::Duration::from_millis(1500);
        for (at, wanted) in [
            (UNIX_EPOCH + time, 1_500_000_000),
            (UNIX_EPOCH - time, -1_500_000_000),
        ] {
            file.set_modified(at).unwrap();
            assert_eq!(modified(&file.metadata().unwrap()), wanted);
        }
    }
}
