//! How are ratings kept so that they are read back at the speed of memory?
//!
//! Reading text takes most of a short run, and the same file is read for every run. A cache holds what reading found: dense row numbers and flat
//! columns, after duplicates were settled, in the order of the file. It is a file of [`sections`](crate::storage::sections) whose content is marked `rate`.
//!
//! ```text
//! record                         what was found while reading, and the stamp of the source     `record`
//! source                 u8      the path of the text file, absolute, UTF-8
//! told       .ends .bytes        name, value, name, value, …: the options that it was read with
//! separator              u8      what stood between two fields
//! roles      .ends .bytes        role, column, role, column, …
//! ignored    .ends .bytes        the columns that were not used
//! users.ids  .ends .bytes .sorted    names in the order of first appearance, and their byte order
//! items.ids  .ends .bytes .sorted
//! users  items           u32     N each
//! ratings                f32     N
//! weights                f32     N, where there is a column of weights
//! timestamps             i64     N, where there is a column of times
//! ```
//!
//! | file | question |
//! |---|---|
//! | `record` | what else does a cache say of its ratings? |
//! | `told` | with which options was the text read, and do others ask for the same? |
//! | `layout` | which sections are there, and what do they say? |
//! | `write` | how does a data set become a cache? |
//!
//! It is known by its first bytes, whatever its name. The same text, options and stamp give the same bytes. Whatever is read is checked, each 64 KiB
//! by its checksum and each number by its range; what is not asked for is not read, so a [`RatingsCache`] of any size takes the memory of its
//! names. Whether the text has changed since is for the caller to find out from [`source`](RatingsCache::source): this room looks at no
//! file that it was not given.

mod record;
//
mod told;
//
mod layout;
//
mod write;

#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::reader::{FileReport, Limits};
use super::{Duplicates, Ids, Interactions};
use crate::storage::sections::{CHUNK, MAGIC};
use crate::storage::{Container, Element, FileSource, Section, Source};
use crate::{Error, Result};

use layout::Layout;
use record::Record;
use told::Told;

/// What marks the content of a cache.
const CONTENT: [u8; 4] = *b"rate";

/// The text file that a cache was made from, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSource {
    /// Its absolute path.
    pub path: PathBuf,
    /// How to know it again; `None` for a pipe, which is gone when it was read.
    pub stamp: Option<Stamp>,
}

/// How a file is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its length.
    pub bytes: u64,
    /// When it was last written, in nanoseconds since 1970; 0 where the system does not say.
    pub modified: i64,
    /// The SHA-256 of its bytes, packed as they are.
    pub sha256: [u8; 32],
}

/// An open cache of ratings: names and counts are in memory, ratings are read when they are asked for. Several threads may read at once.
///
/// ```
/// use lowrank::data::{CacheSource, Dataset, RatingsCache};
/// # let folder = std::env::temp_dir().join(format!("lowrank-doc-cache-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).expect("a folder");
/// let options = Default::default();
/// let data = Dataset::builder().ratings_from(&b"ann,Heat,5\nbob,Heat,3\nann,Up,1\n"[..], "r.csv")?.build()?;
/// let path = folder.join("ratings.cache");
/// RatingsCache::write(&path, &data, &options, &CacheSource { path: "/r.csv".into(), stamp: None })?;
///
/// let cache = RatingsCache::open(&path)?;
/// assert_eq!((cache.n_ratings(), cache.n_users(), cache.n_items()), (3, 2, 2));
/// assert_eq!(cache.read(1..3)?.ratings, [3.0, 1.0]);
/// let pieces: Vec<usize> = cache.chunks(2).map(|piece| Ok(piece?.len())).collect::<lowrank::Result<_>>()?;
/// assert_eq!(pieces, [2, 1]);
/// # std::fs::remove_dir_all(&folder).expect("a folder");
/// # Ok::<(), lowrank::Error>(())
/// ```
#[derive(Debug)]
pub struct RatingsCache<S = FileSource> {
    container: Container<S>,
    at: Layout,
    record: Record,
    told: Told,
    source: CacheSource,
    report: FileReport,
    users: Ids,
    items: Ids,
}

impl RatingsCache {
    /// Opens the cache at `path`. Reads the names, and no ratings.
    ///
    /// # Errors
    /// Where it cannot be read, is no cache, is damaged or cut short.
    pub fn open(path: impl AsRef<Path>) -> Result<RatingsCache> {
        RatingsCache::new(FileSource::open(path)?)
    }

    /// The cache at `path`, or `None` where something else is there, or nothing. A pipe is not touched: it can be read once only.
    ///
    /// # Errors
    /// A cache that is damaged, and other files of this crate, which are no ratings.
    pub fn at(path: impl AsRef<Path>) -> Result<Option<RatingsCache>> {
        let path = path.as_ref();
        if !std::fs::metadata(path).is_ok_and(|there| there.is_file()) {
            return Ok(None);
        }
        let mut first = Vec::new();
        File::open(path)
            .map_err(Error::io(path, "open"))?
            .take(MAGIC.len() as u64)
            .read_to_end(&mut first)
            .map_err(Error::io(path, "read"))?;
        match first == MAGIC {
            true => RatingsCache::open(path).map(Some),
            false => Ok(None),
        }
    }
}

impl<S: Source> RatingsCache<S> {
    /// Opens a cache that lies in memory, or anywhere else.
    ///
    /// # Errors
    /// As [`open`](RatingsCache::open).
    pub fn new(source: S) -> Result<RatingsCache<S>> {
        let container = Container::open(source, CONTENT)?;
        let record = Record::from_bytes(container.record()).map_err(|bad| {
            let offset = container.record_offset() + bad.at;
            container.corrupt(offset, bad.got, bad.wanted)
        })?;
        let (at, texts) = Layout::read(&container, &record)?;
        Ok(RatingsCache {
            source: CacheSource {
                path: texts.source,
                stamp: record.stamp,
            },
            container,
            at,
            record,
            told: texts.told,
            report: texts.report,
            users: texts.users,
            items: texts.items,
        })
    }

    /// The number of ratings.
    pub fn n_ratings(&self) -> u64 {
        self.at.ratings.rows
    }

    /// The number of users; each has a rating.
    pub fn n_users(&self) -> usize {
        self.users.len()
    }

    /// The number of items; each has a rating.
    pub fn n_items(&self) -> usize {
        self.items.len()
    }

    /// The names of the users.
    pub fn users(&self) -> &Ids {
        &self.users
    }

    /// The names of the items.
    pub fn items(&self) -> &Ids {
        &self.items
    }

    /// Whether ratings have weights.
    pub fn has_weights(&self) -> bool {
        self.at.weights.is_some()
    }

    /// Whether ratings have times.
    pub fn has_timestamps(&self) -> bool {
        self.at.timestamps.is_some()
    }

    /// The text file that it was made from.
    pub fn source(&self) -> &CacheSource {
        &self.source
    }

    /// What the reader found out about that file.
    pub fn report(&self) -> &FileReport {
        &self.report
    }

    /// Its duplicates, which are settled.
    pub fn duplicates(&self) -> Duplicates {
        self.record.duplicates
    }

    /// The ratings in `rows`, counted from 0. Reads and checks the chunks of 64 KiB that hold them, no others; ranges that begin at multiples of
    /// 16,384 read no chunk twice. Memory: the ratings and one chunk.
    ///
    /// # Errors
    /// [`Error::Config`] where there are no such rows, [`Error::Corrupt`] where the file is damaged there.
    pub fn read(&self, rows: Range<u64>) -> Result<Interactions> {
        let n = self.n_ratings();
        if rows.start > rows.end || rows.end > n {
            let got = format!("{} to {}", rows.start, rows.end);
            return Err(Error::config("rows", got, format!("rows within 0 to {n}")));
        }
        let (n_users, n_items) = (self.n_users() as u32, self.n_items() as u32);
        let at = &self.at;
        let user = self.column(&at.users, &rows, "a user's row", |&u| u < n_users)?;
        let item = self.column(&at.items, &rows, "an item's row", |&i| i < n_items)?;
        let finite = |r: &f32| r.is_finite();
        let rating = self.column(&at.ratings, &rows, "a finite number", finite)?;
        let weight = |c: &f32| c.is_finite() & (*c >= 0.0);
        let wanted = "a finite number that is not negative";
        let weights = at.weights.as_ref();
        let weights = weights.map(|at| self.column(at, &rows, wanted, weight));
        let times = at.timestamps.as_ref();
        let times = times.map(|at| self.column(at, &rows, "a time", |_: &i64| true));
        Ok(Interactions {
            users: user,
            items: item,
            ratings: rating,
            weights: weights.transpose()?,
            timestamps: times.transpose()?,
        })
    }

    /// All ratings in order, `rows` at a time, the last time perhaps fewer. Memory: one piece. After an error the next piece follows.
    pub fn chunks(&self, rows: usize) -> impl Iterator<Item = Result<Interactions>> + '_ {
        let rows = rows.max(1);
        let n = self.n_ratings();
        (0..n)
            .step_by(rows)
            .map(move |start| self.read(start..n.min(start.saturating_add(rows as u64))))
    }

    /// All ratings.
    ///
    /// # Errors
    /// Where the file is damaged.
    pub fn all(&self) -> Result<Interactions> {
        self.read(0..self.n_ratings())
    }

    /// Itself, where it holds no more than a reader of text would read.
    ///
    /// # Errors
    /// [`Error::File`] where there are more ratings or names.
    pub(in crate::data) fn within(&self, limits: Limits) -> Result<&RatingsCache<S>> {
        for (n, limit, things) in [
            (self.n_ratings(), limits.max_rows, "ratings"),
            (self.n_users() as u64, limits.max_ids, "users"),
            (self.n_items() as u64, limits.max_ids, "items"),
        ] {
            if n > u64::from(limit) {
                return Err(Error::File {
                    path: self.container.source().path().into(),
                    got: format!("{n} {things}"),
                    wanted: format!("at most {limit} {things}"),
                });
            }
        }
        Ok(self)
    }

    /// The names of users and of items.
    pub(in crate::data) fn into_names(self) -> [Ids; 2] {
        [self.users, self.items]
    }

    /// Elements of a column, each looked at while it is still in the processor's cache.
    fn column<T: Element + Display>(
        &self,
        at: &Section,
        rows: &Range<u64>,
        wanted: &str,
        good: impl Fn(&T) -> bool,
    ) -> Result<Vec<T>> {
        let mut cursor = self.container.cursor(at);
        // The rows lie within the file, so this is no more than its length.
        let mut values: Vec<T> = Vec::with_capacity((rows.end - rows.start) as usize);
        let per_chunk = CHUNK / T::TYPE.size();
        let mut start = rows.start;
        while start < rows.end {
            let end = rows.end.min((start / per_chunk + 1) * per_chunk);
            let before = values.len();
            cursor.append(start..end, &mut values)?;
            // Without a way out of the loop, so that it runs on many lanes.
            if !values[before..].iter().fold(true, |ok, x| ok & good(x)) {
                let bad = (before..values.len()).find(|&n| !good(&values[n]));
                let n = bad.unwrap_or(before);
                let got = format!("{} in {}", values[n], at.name);
                let offset = at.offset_of(rows.start + n as u64);
                return Err(self.container.corrupt(offset, got, wanted));
            }
            start = end;
        }
        Ok(values)
    }
}
