//! How do lines become test sets and pairs?
//!
//! A file of ratings gives new rows to new names; a test set must not, so its ids are *extended*: a name that the model does not have gets a number past its last row.
//!
//! ```text
//! model's users  0 … n−1      test set's users  0 … n−1 | n …        "unknown" is: number ≥ n
//! ```

use std::path::Path;

use super::columns::Purpose;
use super::ratings::RatingsReader;
use super::{FileReport, ReadOptions, Source};
use crate::Result;
use crate::data::{Ids, Interactions, RatingsCache};

/// Held-out ratings, to be compared with predictions.
#[derive(Clone, Debug)]
pub struct TestSet {
    /// All rows of the file, in its order; a pair that stands twice counts twice, but for a cache, where duplicates are settled.
    pub interactions: Interactions,
    /// The model's users, then those that only the file has.
    pub users: Ids,
    /// The model's items, then those that only the file has.
    pub items: Ids,
    /// What was found out about the file; without "rating" among its roles all ratings are 1.
    pub report: FileReport,
}

/// Users and items to be predicted.
#[derive(Clone, Debug)]
pub struct Pairs {
    /// The user of each pair, in `user_ids`.
    pub users: Vec<u32>,
    /// The item of each pair, in `item_ids`.
    pub items: Vec<u32>,
    /// The model's users, then those that only the file has.
    pub user_ids: Ids,
    /// The model's items, then those that only the file has.
    pub item_ids: Ids,
    /// What was found out about the file.
    pub report: FileReport,
}

/// Reads the ratings of `path` for a model with these `users` and `items`.
///
/// # Errors
/// A file that cannot be read, or is not a file of ratings.
pub fn read_test(
    path: impl AsRef<Path>,
    options: &ReadOptions,
    users: &Ids,
    items: &Ids,
) -> Result<TestSet> {
    read_as(path.as_ref(), options, users, items, Purpose::Ratings)
}

/// Reads predictions of `path`, each in the place of a rating; a column that is called so goes before one that is called a rating, other columns are ignored.
///
/// # Errors
/// A file that cannot be read, or has no such columns.
pub fn read_predictions(
    path: impl AsRef<Path>,
    options: &ReadOptions,
    users: &Ids,
    items: &Ids,
) -> Result<TestSet> {
    read_as(path.as_ref(), options, users, items, Purpose::Predictions)
}

fn read_as(
    path: &Path,
    options: &ReadOptions,
    users: &Ids,
    items: &Ids,
    purpose: Purpose,
) -> Result<TestSet> {
    let mut reader = RatingsReader::new(users, items, purpose);
    let report = reader.read_any(path, options)?;
    Ok(TestSet {
        interactions: reader.interactions,
        users: reader.users.finish(),
        items: reader.items.finish(),
        report,
    })
}

/// Reads the users and items of `path` for a model with these `users` and `items`; other columns are ignored.
///
/// # Errors
/// A file that cannot be read, or has no two columns.
pub fn read_pairs(
    path: impl AsRef<Path>,
    options: &ReadOptions,
    users: &Ids,
    items: &Ids,
) -> Result<Pairs> {
    let mut reader = RatingsReader::new(users, items, Purpose::Pairs);
    let report = reader.read_any(path.as_ref(), options)?;
    Ok(Pairs {
        users: reader.interactions.users,
        items: reader.interactions.items,
        user_ids: reader.users.finish(),
        item_ids: reader.items.finish(),
        report,
    })
}

impl RatingsReader {
    /// Adds the rows of `path`, the first file: text, or a cache, whose duplicates are settled.
    fn read_any(&mut self, path: &Path, options: &ReadOptions) -> Result<FileReport> {
        let Some(cache) = RatingsCache::at(path)? else {
            return self.read(Source::open(path)?, path, options);
        };
        cache.check_options(options)?;
        self.interactions = cache.within(options.limits)?.all()?;
        for (rows, own, names) in [
            (&mut self.interactions.users, cache.users(), &mut self.users),
            (&mut self.interactions.items, cache.items(), &mut self.items),
        ] {
            let numbers: Vec<u32> = own.names().iter().map(|name| names.intern(name)).collect();
            for row in rows {
                *row = numbers[*row as usize];
            }
        }
        Ok(cache.report().clone())
    }
}
