//! How do ratings, names and side files become one data set?
//!
//! Duplicates are settled, names closed, and what the files of users and items say is put beside the rows that the ratings gave. The ratings of a cache are done already.

use std::sync::Arc;

use super::builder::{DatasetBuilder, LoadReport};
use super::dataset::StoredRatings;
use super::dedupe::{Clash, dedupe};
use super::reader::{FileReport, Lines, RatingsReader, SideFile};
use super::{Catalog, Dataset, Ids, Interactions, Interner, SideData};
use crate::kernels::pool::Pool;
use crate::{Error, Result};

impl DatasetBuilder {
    /// The data set.
    ///
    /// # Errors
    /// [`Error::Config`] where there are no ratings, or duplicates of a cache were settled otherwise; [`Error::Line`] for a pair with two ratings under [`super::Dedupe::Error`], and for a sum beyond `f32`.
    pub fn build(self) -> Result<Dataset> {
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
                let names = cache.into_names().map(Names::Known);
                return whole(interactions, names, sides, max_ids, report);
            };
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
            users,
            items,
            mut interactions,
            lines,
            ..
        } = self.ratings;
        let mut report = self.report;
        if interactions.is_empty() {
            return Err(Error::config("ratings", "none", "at least one"));
        }
        report.rows = interactions.len() as u64;
        let policy = self.dedupe.unwrap_or_default();
        let pool = Pool::new(self.options.threads);
        let (n_users, n_items) = (users.len(), items.len());
        report.duplicates = dedupe(&mut interactions, n_users, n_items, policy, &pool)
            .map_err(|clash| error(&lines, clash))?;
        if self.drop_timestamps {
            interactions.timestamps = None;
        }
        let names = [users, items].map(Names::Growing);
        whole(interactions, names, sides, max_ids, report)
    }
}

/// The error for duplicates that cannot be settled.
fn error(lines: &Lines, clash: Clash) -> Error {
    let (row, got, wanted) = match clash {
        Clash::Pair { first, again } => {
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
            first,
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
    let (users, items);
    (users, report.users, report.users_added) = side(user_names, users_file, max_ids)?;
    (items, report.items, report.items_added) = side(item_names, items_file, max_ids)?;
    Ok(Dataset {
        users: Arc::new(users),
        items: Arc::new(items),
        interactions,
        stored: None,
        report,
    })
}

/// The names of the ratings with what a side file says of them, and how many it added.
fn side(
    names: Names,
    file: Option<SideFile>,
    max_ids: u32,
) -> Result<(SideData, Option<FileReport>, usize)> {
    let Some(file) = file else {
        let ids = match names {
            Names::Growing(interner) => interner.finish(),
            Names::Known(ids) => ids,
        };
        let catalog = Catalog::default();
        return Ok((SideData { ids, catalog }, None, 0));
    };
    let report = file.report.clone();
    let mut interner = match names {
        Names::Growing(interner) => interner,
        Names::Known(ids) => Interner::from_ids(&ids),
    };
    let (catalog, added) = file.onto(&mut interner, max_ids)?;
    let ids = interner.finish();
    Ok((SideData { ids, catalog }, Some(report), added))
}
