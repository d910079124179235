//! How do ratings, names and side files become one data set?
//!
//! Duplicates are settled, names closed, and what the files of users and items say is put beside the rows that the ratings gave. The ratings of a cache are done already.

use std::sync::Arc;

use super::builder::{DatasetBuilder, LoadReport};
use super::dataset::StoredRatings;
use super::dedupe::{Clash, dedupe};
use super::reader::{FileReport, Lines, Placed, RatingsReader, SideFile, VersionReport};
use super::split::until::until;
use super::{Catalog, Dataset, Halves, Ids, Interactions, Interner, SideData, Split};
use crate::kernels::pool::Pool;
use crate::{Error, Result};

impl DatasetBuilder {
    /// The data set.
    ///
    /// # Errors
    /// [`Error::Config`] where there are no ratings, or duplicates of a cache were settled otherwise; [`Error::Line`] for a pair with two ratings under [`super::Dedupe::Error`], and for a sum beyond `f32`.
    pub fn build(self) -> Result<Dataset> {
        if !self.is_versioned() {
            return self.at_once();
        }
        let (alone, later) = self.apart();
        let mut data = alone.at_once()?;
        later.onto(&mut [&mut data])?;
        Ok(data)
    }

    /// The data set in two halves. What files of users and items say is that of the last rating of training, where their rows have times and no
    /// [moment](DatasetBuilder::as_of) was given: nothing of the future gets in.
    ///
    /// # Errors
    /// Those of [`build`](DatasetBuilder::build) and of [`Dataset::split`].
    pub fn build_split(self, split: &Split) -> Result<Halves> {
        if !self.is_versioned() {
            return self.at_once()?.split(split);
        }
        if split.is_given() {
            return self.build()?.split(split);
        }
        let (alone, later) = self.apart();
        let mut halves = alone.at_once()?.split(split)?;
        later.onto(&mut [&mut halves.train, &mut halves.valid])?;
        Ok(halves)
    }

    /// Without the files of users and items, and with times; and what comes later.
    fn apart(mut self) -> (DatasetBuilder, Later) {
        let later = Later {
            sides: [self.users.take(), self.items.take()],
            as_of: self.as_of,
            max_ids: self.options.limits.max_ids,
            drop_timestamps: std::mem::take(&mut self.drop_timestamps),
        };
        (self, later)
    }

    fn at_once(self) -> Result<Dataset> {
        let max_ids = self.options.limits.max_ids;
        let sides = [self.users, self.items];
        if let Some((cache, interactions)) = self.cache {
            cache.check_dedupe(self.dedupe)?;
            let report = LoadReport {
                rows: cache.report().rows,
                duplicates: cache.duplicates(),
                ..self.report
            };
            let Some(folder) = self.folder else {
                let mut names = cache.into_names();
                let (mut interactions, mut report) = (interactions, report);
                if let Some(moment) = self.as_of {
                    let dropped = report.duplicates.dropped;
                    if dropped > 0 {
                        let got = format!(
                            "a moment, of a cache that settled {dropped} duplicates at another"
                        );
                        return Err(Error::config(
                            "as-of",
                            got,
                            "the text that it was made from",
                        ));
                    }
                    let [users, items] = &names;
                    let (there, _, now) = until(
                        &interactions,
                        moment,
                        |row| users.name(row),
                        |row| items.name(row),
                    )?;
                    report.later_ratings = interactions.len() - there.len();
                    (interactions, names) = (there, now.map(Interner::finish));
                }
                if self.drop_timestamps {
                    interactions.timestamps = None;
                }
                return whole(
                    interactions,
                    names.map(Names::Known),
                    sides,
                    max_ids,
                    report,
                );
            };
            if self.as_of.is_some() {
                let wanted = "more memory: what is left out at a moment is left out there";
                return Err(Error::config(
                    "max-memory",
                    "less than the ratings take, and a moment",
                    wanted,
                ));
            }
            let names = [cache.users(), cache.items()].map(|ids| Names::Known(ids.clone()));
            let data = whole(interactions, names, sides, max_ids, report)?;
            let stored = Some(Arc::new(StoredRatings { cache, folder }));
            return Ok(Dataset { stored, ..data });
        }
        if self.folder.is_some() {
            return Err(Error::config(
                "ratings",
                "text",
                "a cache of ratings, as `lowrank data convert` makes it, to leave on disk",
            ));
        }
        let RatingsReader {
            mut users,
            mut items,
            mut interactions,
            lines,
            ..
        } = self.ratings;
        let mut report = self.report;
        if interactions.is_empty() {
            return Err(Error::config("ratings", "none", "at least one"));
        }
        report.rows = interactions.len() as u64;
        let mut kept = None;
        if let Some(moment) = self.as_of {
            let (user, item) = (
                |row: u32| users.name(row as usize),
                |row: u32| items.name(row as usize),
            );
            let (there, positions, [now_users, now_items]) =
                until(&interactions, moment, user, item)?;
            report.later_ratings = interactions.len() - there.len();
            (interactions, users, items) = (there, now_users, now_items);
            kept = Some(positions);
        }
        let line_row = |row: usize| kept.as_ref().map_or(row, |kept| kept[row]);
        let policy = self.dedupe.unwrap_or_default();
        let pool = Pool::new(self.options.threads);
        let (n_users, n_items) = (users.len(), items.len());
        report.duplicates = dedupe(&mut interactions, n_users, n_items, policy, &pool)
            .map_err(|clash| error(&lines, clash, line_row))?;
        if self.drop_timestamps {
            interactions.timestamps = None;
        }
        let names = [users, items].map(Names::Growing);
        whole(interactions, names, sides, max_ids, report)
    }
}

/// The error for duplicates that cannot be settled.
fn error(lines: &Lines, clash: Clash, line_row: impl Fn(usize) -> usize) -> Error {
    let (row, got, wanted) = match clash {
        Clash::Pair { first, again } => {
            let (first, again) = (line_row(first), line_row(again));
            let (path, line) = lines.of(first);
            let first = if path == lines.of(again).0 {
                format!("line {line}")
            } else {
                format!("line {line} of {}", path.display())
            };
            (
                again,
                format!("a pair that has a rating already, on {first}"),
                "one rating for each user and item, or --dedupe last".to_owned(),
            )
        }
        Clash::Sum { first } => (
            line_row(first),
            "ratings of one pair whose sum is beyond 3.4e38".into(),
            "a finite sum".into(),
        ),
    };
    let (path, line) = lines.of(row);
    Error::Line {
        path: path.into(),
        line,
        column: 1,
        got,
        wanted,
    }
}

/// The names in the ratings.
enum Names {
    /// As text was read.
    Growing(Interner),
    /// As a cache has them.
    Known(Ids),
}

/// The data set: ratings, the names of users and items, and what their files say.
fn whole(
    interactions: Interactions,
    [user_names, item_names]: [Names; 2],
    [users_file, items_file]: [Option<SideFile>; 2],
    max_ids: u32,
    mut report: LoadReport,
) -> Result<Dataset> {
    let users = side(user_names, users_file, max_ids, None)?;
    let items = side(item_names, items_file, max_ids, None)?;
    (report.users, report.users_added) = (users.report, users.added);
    (report.items, report.items_added) = (items.report, items.added);
    Ok(Dataset {
        users: Arc::new(users.data),
        items: Arc::new(items.data),
        interactions,
        stored: None,
        report,
    })
}

/// Files of users and items that wait for the moment at which they are wanted.
struct Later {
    sides: [Option<SideFile>; 2],
    as_of: Option<i64>,
    max_ids: u32,
    drop_timestamps: bool,
}

impl Later {
    /// Says of the users and items of `all`, which are the same in each, what the files say at the moment: the one that was asked for, or the last rating of the first.
    fn onto(self, all: &mut [&mut Dataset]) -> Result<()> {
        let moment = match (self.as_of, last_rating(all[0])?) {
            (Some(moment), _) => moment,
            (None, Some(last)) => last,
            (None, None) => {
                return Err(Error::config(
                    "as-of",
                    "none, with files of users or items whose rows have times, and ratings that have none",
                    "a moment, as in --as-of 2024-01-31, or ratings with a timestamp column: which rows were known when a rating was given cannot be told",
                ));
            }
        };
        let train = &*all[0];
        let mut report = train.report.clone();
        let [users_file, items_file] = self.sides;
        let known = |data: &SideData| Names::Known(data.ids.clone());
        let users = side(known(&train.users), users_file, self.max_ids, Some(moment))?;
        let items = side(known(&train.items), items_file, self.max_ids, Some(moment))?;
        report.user_versions = users.versions_beside(train, |piece| &piece.users)?;
        report.item_versions = items.versions_beside(train, |piece| &piece.items)?;
        (report.users, report.users_added) = (users.report, users.added);
        (report.items, report.items_added) = (items.report, items.added);
        let (users, items) = (Arc::new(users.data), Arc::new(items.data));
        for data in all {
            data.users = users.clone();
            data.items = items.clone();
            data.report = report.clone();
            if self.drop_timestamps {
                data.interactions.timestamps = None;
            }
        }
        Ok(())
    }
}

/// The time of the last rating, where ratings have times.
fn last_rating(data: &Dataset) -> Result<Option<i64>> {
    let mut last = None;
    data.for_each_piece(|piece| {
        let of_piece = piece.timestamps.iter().flatten().copied().max();
        last = last.max(of_piece);
    })?;
    Ok(last)
}

/// A side with what its file says.
#[derive(Default)]
struct Sided {
    data: SideData,
    report: Option<FileReport>,
    /// Rows that the file alone has.
    added: usize,
    versions: Option<VersionReport>,
    since: Option<Vec<Option<i64>>>,
}

impl Sided {
    /// What came of the times, with the ratings that are older than what is said of their rows.
    fn versions_beside(
        &self,
        data: &Dataset,
        rows: impl Fn(&Interactions) -> &[u32],
    ) -> Result<Option<VersionReport>> {
        let (Some(mut versions), Some(since)) = (self.versions, &self.since) else {
            return Ok(None);
        };
        data.for_each_piece(|piece| {
            let times = piece.timestamps.iter().flatten();
            let older = rows(piece).iter().zip(times);
            let older = older.filter(|&(&row, &time)| since[row as usize] > Some(time));
            versions.older_ratings += older.count() as u64;
        })?;
        Ok(Some(versions))
    }
}

/// The names of the ratings with what a side file says of them.
fn side(names: Names, file: Option<SideFile>, max_ids: u32, moment: Option<i64>) -> Result<Sided> {
    let Some(file) = file else {
        let ids = match names {
            Names::Growing(interner) => interner.finish(),
            Names::Known(ids) => ids,
        };
        let catalog = Catalog::default();
        return Ok(Sided {
            data: SideData { ids, catalog },
            ..Sided::default()
        });
    };
    let report = Some(file.report.clone());
    let mut interner = match names {
        Names::Growing(interner) => interner,
        Names::Known(ids) => Interner::from_ids(&ids),
    };
    let Placed {
        catalog,
        added,
        versions,
        since,
    } = file.onto(&mut interner, max_ids, moment)?;
    let ids = interner.finish();
    Ok(Sided {
        data: SideData { ids, catalog },
        report,
        added,
        versions,
        since,
    })
}
