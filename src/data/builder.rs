//! How do files become a data set?
//!
//! Settings first, then files, then [`build`](DatasetBuilder::build): ratings give rows to their users and items in the order of appearance, files of users and items
//! add titles, columns, and the rows that no rating mentions; duplicates are settled last.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::reader::{
    ColumnSpec, FileReport, Limits, RatingsReader, ReadOptions, Separator, Side, SideFile, Source,
    VersionReport,
};
use super::{Dataset, Dedupe, Duplicates, Interactions, RatingsCache};
use crate::{Error, Result};

/// What was found while loading, for people to check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadReport {
    /// Each file of ratings; for a cache, the text that it was made from.
    pub ratings: Vec<FileReport>,
    /// The cache that the ratings came from.
    pub cache: Option<PathBuf>,
    /// The file of users.
    pub users: Option<FileReport>,
    /// The file of items.
    pub items: Option<FileReport>,
    /// Rows of ratings read, before duplicates went.
    pub rows: u64,
    /// The duplicates.
    pub duplicates: Duplicates,
    /// Users whom only the file of users has.
    pub users_added: usize,
    /// Items that only the file of items has.
    pub items_added: usize,
    /// What came of the times in the file of users.
    pub user_versions: Option<VersionReport>,
    /// What came of the times in the file of items.
    pub item_versions: Option<VersionReport>,
    /// Ratings after the [moment](DatasetBuilder::as_of), which are left out.
    pub later_ratings: usize,
}

impl LoadReport {
    /// Whether ratings were read, or clicks that all count as 1.
    pub fn has_ratings(&self) -> bool {
        self.ratings.is_empty() || self.ratings.iter().any(FileReport::has_ratings)
    }
}

/// Gathers a [`Dataset`] from files or from memory. Settings apply to what is read after them.
///
/// ```
/// use lowrank::data::Dataset;
/// let data = Dataset::builder()
///     .rows([("ann", "Heat", 5.0), ("bob", "Heat", 3.0), ("ann", "Heat", 4.0)])?
///     .build()?;
/// assert_eq!((data.n_users(), data.n_items(), data.n_ratings()), (2, 1, 2));
/// // Ann's last word, in its own place.
/// assert_eq!(data.interactions.ratings, [3.0, 4.0]);
/// # Ok::<(), lowrank::Error>(())
/// ```
#[derive(Debug)]
pub struct DatasetBuilder {
    pub(super) options: ReadOptions,
    pub(super) dedupe: Option<Dedupe>,
    pub(super) drop_timestamps: bool,
    pub(super) as_of: Option<i64>,
    pub(super) ratings: RatingsReader,
    /// Instead of what the reader has read; its names and ratings.
    pub(super) cache: Option<(RatingsCache, Interactions)>,
    /// Where work on ratings may be put down that stay in their cache.
    pub(super) folder: Option<PathBuf>,
    pub(super) users: Option<SideFile>,
    pub(super) items: Option<SideFile>,
    pub(super) report: LoadReport,
}

impl Dataset {
    /// Starts to gather a data set.
    pub fn builder() -> DatasetBuilder {
        DatasetBuilder {
            options: ReadOptions::default(),
            dedupe: None,
            drop_timestamps: false,
            as_of: None,
            ratings: RatingsReader::ratings(),
            cache: None,
            folder: None,
            users: None,
            items: None,
            report: LoadReport::default(),
        }
    }
}

impl DatasetBuilder {
    /// What to do with several ratings of one pair; [`Dedupe::Last`] by default, and for a cache what was done when it was made.
    pub fn dedupe(mut self, policy: Dedupe) -> DatasetBuilder {
        self.dedupe = Some(policy);
        self
    }

    /// Whether times stay in the data set; they do by default. Duplicates are settled by them all the same. Without them a rating takes 8 bytes less.
    pub fn keep_timestamps(mut self, keep: bool) -> DatasetBuilder {
        self.drop_timestamps = !keep;
        self
    }

    /// The data as they were at a moment, in seconds since 1970: ratings that are not after it, and of users and items the latest row that is not. Without it, files of users and items whose rows have
    /// times are taken as they were at the last rating, of a [split](DatasetBuilder::build_split) the last of its training.
    pub fn as_of(mut self, moment: i64) -> DatasetBuilder {
        self.as_of = Some(moment);
        self
    }

    /// What was found while loading, as far as it is known before the data set is built.
    pub fn report(&self) -> &LoadReport {
        &self.report
    }

    /// Whether the rows of a file of users or items have times.
    pub fn is_versioned(&self) -> bool {
        let sides = [&self.users, &self.items];
        sides.into_iter().flatten().any(SideFile::is_versioned)
    }

    /// Which column of the ratings is what; found out by default.
    pub fn columns(mut self, columns: ColumnSpec) -> DatasetBuilder {
        self.options.columns = Some(columns);
        self
    }

    /// What stands between two fields of the ratings; found out by default. Files of users and items may differ: theirs is found out, with this one among the candidates.
    pub fn separator(mut self, separator: Separator) -> DatasetBuilder {
        self.options.separator = Some(separator);
        self
    }

    /// The column of weights, by its name or its position from 1; none by default.
    pub fn weight_column(mut self, column: impl Into<String>) -> DatasetBuilder {
        self.options.weight = Some(column.into());
        self
    }

    /// How much is read at most.
    pub fn limits(mut self, limits: Limits) -> DatasetBuilder {
        self.options.limits = limits;
        self
    }

    /// How many threads read ratings, 0 for all cores; the data set is the same for any number.
    pub fn threads(mut self, threads: usize) -> DatasetBuilder {
        self.options.threads = threads;
        self
    }

    /// All that the reader is told, at once.
    pub fn options(mut self, options: ReadOptions) -> DatasetBuilder {
        self.options = options;
        self
    }

    /// Leaves the ratings of a [cache](RatingsCache) in their file, for a training that goes by blocks. `folder` is where it may put nameless files, on a disk with room for some
    /// 24 bytes a rating.
    pub fn leave_ratings_stored(mut self, folder: impl Into<PathBuf>) -> DatasetBuilder {
        self.folder = Some(folder.into());
        self
    }

    /// Adds a file of ratings: text, or a [cache](RatingsCache), which has to be the only one.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::File`] or [`Error::Line`], with the place; [`Error::Corrupt`] for a damaged cache, [`Error::Config`] for one that was made with other options.
    pub fn ratings(self, path: impl AsRef<Path>) -> Result<DatasetBuilder> {
        if let Some(cache) = RatingsCache::at(&path)? {
            return self.add_cache(cache, path.as_ref());
        }
        let source = Source::open(path.as_ref())?;
        self.add_ratings(source, path.as_ref())
    }

    /// Adds ratings from `reader`, which errors call `name`.
    ///
    /// # Errors
    /// As [`ratings`](DatasetBuilder::ratings).
    pub fn ratings_from(self, reader: impl Read, name: &str) -> Result<DatasetBuilder> {
        let source = Source::new(reader, Path::new(name))?;
        self.add_ratings(source, Path::new(name))
    }

    fn add_cache(mut self, cache: RatingsCache, path: &Path) -> Result<DatasetBuilder> {
        self.beside_no_cache(path)?;
        if !self.ratings.interactions.is_empty() {
            return Err(not_alone(path, "a cache beside other ratings"));
        }
        cache.check_options(&self.options)?;
        cache.within(self.options.limits)?;
        let interactions = match self.folder {
            Some(_) => Interactions::default(),
            None => cache.all()?,
        };
        self.report.ratings.push(cache.report().clone());
        self.report.cache = Some(path.into());
        self.cache = Some((cache, interactions));
        Ok(self)
    }

    /// Duplicates between a cache and other ratings could not be settled as if they had been read together.
    fn beside_no_cache(&self, path: &Path) -> Result<()> {
        match self.cache {
            Some(_) => Err(not_alone(path, "ratings beside those of a cache")),
            None => Ok(()),
        }
    }

    fn add_ratings(mut self, source: Source<'_>, path: &Path) -> Result<DatasetBuilder> {
        self.beside_no_cache(path)?;
        let file = self.ratings.read(source, path, &self.options)?;
        self.report.ratings.push(file);
        Ok(self)
    }

    /// Adds ratings: user, item, number.
    ///
    /// # Errors
    /// [`Error::Line`] with the number of the row, for an empty id or a number that is not finite.
    pub fn rows<U, I>(
        mut self,
        rows: impl IntoIterator<Item = (U, I, f32)>,
    ) -> Result<DatasetBuilder>
    where
        U: AsRef<str>,
        I: AsRef<str>,
    {
        self.beside_no_cache(Path::new("rows"))?;
        self.ratings.add(rows, self.options.limits)?;
        Ok(self)
    }

    /// Reads titles and columns of the items.
    ///
    /// # Errors
    /// As [`ratings`](DatasetBuilder::ratings); [`Error::Config`] for a second file.
    pub fn items(self, path: impl AsRef<Path>) -> Result<DatasetBuilder> {
        let source = Source::open(path.as_ref())?;
        self.add_side(source, path.as_ref(), Side::Items)
    }

    /// Reads titles and columns of the items from `reader`, which errors call `name`.
    ///
    /// # Errors
    /// As [`items`](DatasetBuilder::items).
    pub fn items_from(self, reader: impl Read, name: &str) -> Result<DatasetBuilder> {
        let source = Source::new(reader, Path::new(name))?;
        self.add_side(source, Path::new(name), Side::Items)
    }

    /// Reads columns of the users.
    ///
    /// # Errors
    /// As [`items`](DatasetBuilder::items).
    pub fn users(self, path: impl AsRef<Path>) -> Result<DatasetBuilder> {
        let source = Source::open(path.as_ref())?;
        self.add_side(source, path.as_ref(), Side::Users)
    }

    /// Reads columns of the users from `reader`, which errors call `name`.
    ///
    /// # Errors
    /// As [`items`](DatasetBuilder::items).
    pub fn users_from(self, reader: impl Read, name: &str) -> Result<DatasetBuilder> {
        let source = Source::new(reader, Path::new(name))?;
        self.add_side(source, Path::new(name), Side::Users)
    }

    fn add_side(mut self, source: Source<'_>, path: &Path, side: Side) -> Result<DatasetBuilder> {
        let file = SideFile::read(source, path, side, &self.options)?;
        let (name, place) = match side {
            Side::Users => ("users", &mut self.users),
            Side::Items => ("items", &mut self.items),
        };
        if place.is_some() {
            return Err(Error::config(
                name,
                format!("a second file, {}", path.display()),
                "one",
            ));
        }
        *place = Some(file);
        Ok(self)
    }
}

fn not_alone(path: &Path, got: &str) -> Error {
    Error::File {
        path: path.into(),
        got: got.into(),
        wanted: "one cache alone, or text files alone".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ratings_of_a_pair_are_found_across_files() {
        let error = Dataset::builder()
            .dedupe(Dedupe::Error)
            .ratings_from(&b"u,i,1\nu,j,2\n"[..], "a.csv")
            .and_then(|b| b.ratings_from(&b"\nv,i,1\nu,j,2\n"[..], "b.csv"))
            .and_then(DatasetBuilder::build)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "b.csv: line 3, column 1: got a pair that has a rating already, on line 2 of a.csv, \
             wanted one rating for each user and item, or --dedupe last"
        );
    }

    #[test]
    fn times_settle_duplicates_before_they_go() {
        for keep in [true, false] {
            let data = Dataset::builder()
                .keep_timestamps(keep)
                .ratings_from(&b"u,i,1,9\nu,i,2,8\n"[..], "a.csv")
                .and_then(DatasetBuilder::build)
                .unwrap();
            assert_eq!(data.interactions.ratings, [1.0]);
            assert_eq!(data.interactions.timestamps, keep.then(|| vec![9]));
        }
    }

    #[test]
    fn files_must_agree_on_times() {
        let error = Dataset::builder()
            .ratings_from(&b"u,i,1,5\n"[..], "a.csv")
            .and_then(|b| b.ratings_from(&b"u,i,1\n"[..], "b.csv"))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "b.csv: got no timestamp column, wanted a timestamp column, as the ratings before"
        );
    }

    #[test]
    fn rows_from_memory_are_checked_like_lines() {
        let of = |user, item, rating| {
            Dataset::builder()
                .rows([("u", "i", 1.0), (user, item, rating)])
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            of("", "i", 1.0),
            "rows: line 2, column 1: got an empty id, wanted an id"
        );
        assert_eq!(
            of("u", "", 1.0),
            "rows: line 2, column 2: got an empty id, wanted an id"
        );
        assert_eq!(
            of("u", "i", f32::NAN),
            "rows: line 2, column 3: got NaN, wanted a finite number"
        );
        let none: [(&str, &str, f32); 0] = [];
        assert!(Dataset::builder().rows(none).unwrap().build().is_err());
    }
}
