//! How do lines become ratings?
//!
//! Line by line: two names become row numbers, one or three fields become numbers; new names get new rows.

use std::path::Path;

use super::columns::{Layout, Purpose};
use super::lines::Lines;
use super::naming::{Global, Naming};
use super::parallel::{self, Manner};
use super::record::Record;
use super::records::Records;
use super::{FileReport, Limits, ReadOptions, Role, Separator, Source, shown, values};
use crate::data::{Ids, Interactions, Interner};
use crate::{Error, Result};

/// Reads files of ratings, one after the other.
#[derive(Debug)]
pub(in crate::data) struct RatingsReader {
    purpose: Purpose,
    pub(in crate::data) users: Interner,
    pub(in crate::data) items: Interner,
    pub(in crate::data) interactions: Interactions,
    pub(in crate::data) lines: Lines,
}

impl RatingsReader {
    /// One that goes on from the names of `users` and `items`.
    pub(super) fn new(users: &Ids, items: &Ids, purpose: Purpose) -> RatingsReader {
        RatingsReader {
            purpose,
            users: Interner::from_ids(users),
            items: Interner::from_ids(items),
            interactions: Interactions::default(),
            lines: Lines::default(),
        }
    }

    /// One for ratings, without any names yet.
    pub(in crate::data) fn ratings() -> RatingsReader {
        RatingsReader::new(&Ids::default(), &Ids::default(), Purpose::Ratings)
    }

    /// Adds the rows of `source`, called `path`.
    pub(in crate::data) fn read(
        &mut self,
        source: Source<'_>,
        path: &Path,
        options: &ReadOptions,
    ) -> Result<FileReport> {
        self.read_with(source, path, options, |reader, records, layout| {
            let manner = Manner::new(path, records.separator(), layout, options.limits);
            parallel::rows(reader, records, &manner, options.threads, None)
        })
    }

    /// [`read`](RatingsReader::read), with `rows` for what follows the header.
    pub(super) fn read_with(
        &mut self,
        source: Source<'_>,
        path: &Path,
        options: &ReadOptions,
        rows: impl FnOnce(&mut RatingsReader, Records<'_>, &Layout) -> Result<()>,
    ) -> Result<FileReport> {
        let mut records = Records::new(source, path, options.separator, &Separator::KNOWN)?;
        let file_error = |got: &str| Error::File {
            path: path.into(),
            got: got.into(),
            wanted: "lines with a user, an item and a rating".into(),
        };
        let first = records.peek()?.ok_or_else(|| file_error("an empty file"))?;
        let layout = Layout::new(&first, options, self.purpose, path)?;
        if layout.header {
            records.next()?;
        }
        self.lines.file(self.interactions.len(), path);
        self.same_columns(&layout, path)?;
        let before = self.interactions.len();
        let (separator, packed) = (records.separator(), records.packed());
        rows(self, records, &layout)?;
        let rows = (self.interactions.len() - before) as u64;
        if rows == 0 {
            return Err(file_error("a header and no rows"));
        }
        let name = |n: usize| column_name(&first, layout.header, n);
        let used: Vec<(Role, usize)> = layout.roles().collect();
        Ok(FileReport {
            path: path.into(),
            rows,
            separator,
            header: layout.header,
            packed,
            roles: used
                .iter()
                .map(|&(role, n)| (role.name(), name(n)))
                .collect(),
            ignored: (0..first.len())
                .filter(|n| used.iter().all(|(_, used)| used != n))
                .map(name)
                .collect(),
        })
    }

    /// A second file must have times and weights if the first has.
    fn same_columns(&mut self, layout: &Layout, path: &Path) -> Result<()> {
        let all = &mut self.interactions;
        if all.is_empty() {
            all.timestamps = layout.timestamp.map(|_| Vec::new());
            all.weights = layout.weight.map(|_| Vec::new());
        }
        for (role, has, had) in [
            (
                Role::Timestamp,
                layout.timestamp.is_some(),
                all.timestamps.is_some(),
            ),
            (Role::Weight, layout.weight.is_some(), all.weights.is_some()),
        ] {
            if has != had {
                let say = |yes| format!("{} {} column", if yes { "a" } else { "no" }, role.name());
                return Err(Error::File {
                    path: path.into(),
                    got: say(has),
                    wanted: format!("{}, as the ratings before", say(had)),
                });
            }
        }
        Ok(())
    }

    /// Adds all records, one after the other: what reading in blocks must come to.
    pub(super) fn rows(
        &mut self,
        records: &mut Records<'_>,
        layout: &Layout,
        limits: Limits,
    ) -> Result<()> {
        let path = records.path().to_path_buf();
        let mut names = Global {
            users: &mut self.users,
            items: &mut self.items,
            max_ids: limits.max_ids,
        };
        let all = &mut self.interactions;
        while let Some(record) = records.next()? {
            if let Err(bad) = row(record, layout, limits.max_rows, all, &mut names) {
                return Err(bad.error(record, layout, limits, &path));
            }
            self.lines.push(all.len() - 1, record.line);
        }
        Ok(())
    }
}

/// Adds one record to `all`, which has at most `max_rows`.
#[inline]
pub(super) fn row(
    record: Record<'_>,
    layout: &Layout,
    max_rows: u32,
    all: &mut Interactions,
    names: &mut impl Naming,
) -> Result<(), Bad> {
    if record.len() != layout.n_fields {
        return Err(Bad::Len);
    }
    if all.len() >= max_rows as usize {
        return Err(Bad::Rows);
    }
    let mut number = |role, n| {
        let name = Some(record.field(n)).filter(|name| !name.is_empty());
        let number = name.and_then(|name| names.number(role, name));
        number.ok_or(Bad::Id(role))
    };
    let user = number(Role::User, layout.user)?;
    let item = number(Role::Item, layout.item)?;
    let rating = match layout.rating {
        Some(n) => values::rating(record.field(n)).ok_or(Bad::Value(Role::Rating, n))?,
        None => 1.0,
    };
    if let (Some(n), Some(timestamps)) = (layout.timestamp, &mut all.timestamps) {
        timestamps.push(values::timestamp(record.field(n)).ok_or(Bad::Value(Role::Timestamp, n))?);
    }
    if let (Some(n), Some(weights)) = (layout.weight, &mut all.weights) {
        weights.push(values::weight(record.field(n)).ok_or(Bad::Value(Role::Weight, n))?);
    }
    all.users.push(user);
    all.items.push(item);
    all.ratings.push(rating);
    Ok(())
}

/// What is wrong with a record.
pub(super) enum Bad {
    Len,
    Rows,
    /// An empty id, or one too many.
    Id(Role),
    Value(Role, usize),
}

impl Bad {
    #[cold]
    fn error(self, record: Record<'_>, layout: &Layout, limits: Limits, path: &Path) -> Error {
        let unnamed = record.line == 1 && !layout.header;
        match self {
            Bad::Len => record.wrong_len(path, layout.n_fields),
            Bad::Rows => record.error(
                path,
                0,
                "one more rating".into(),
                format!("at most {} ratings", limits.max_rows),
            ),
            Bad::Id(role) => {
                let n = if role == Role::User {
                    layout.user
                } else {
                    layout.item
                };
                let what = role.name();
                match record.field(n) {
                    "" => record.error(
                        path,
                        n,
                        format!("an empty {what}"),
                        format!("the id of the {what}"),
                    ),
                    name => record.error(
                        path,
                        n,
                        format!("one more {what}, {}", shown(name)),
                        format!("at most {} {what}s", limits.max_ids),
                    ),
                }
            }
            Bad::Value(role, n) => {
                let text = record.field(n);
                let mut wanted = match role {
                    Role::Weight => "a weight: a finite number that is not negative".into(),
                    Role::Timestamp => values::TIMESTAMP_WANTED.into(),
                    _ => format!("a rating: {}", values::rating_wanted(text)),
                };
                if unnamed {
                    wanted.push_str(
                        "; if this line names the columns, say which are which: --columns user=NAME,item=NAME,rating=NAME",
                    );
                }
                let got = if text.is_empty() {
                    "nothing".into()
                } else {
                    shown(text)
                };
                record.error(path, n, got, wanted)
            }
        }
    }
}

/// The name of column `n`.
pub(super) fn column_name(first: &[String], header: bool, n: usize) -> String {
    if header && !first[n].is_empty() {
        first[n].clone()
    } else {
        format!("column {}", n + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, options: &ReadOptions) -> Result<RatingsReader> {
        let mut reader = RatingsReader::ratings();
        let path = Path::new("r.csv");
        reader.read(Source::new(text.as_bytes(), path)?, path, options)?;
        Ok(reader)
    }

    #[test]
    fn lines_remember_where_a_row_stood() {
        let reader = read(
            "\nu,i,1\nu,j,2\n\n\n\"v\nw\",i,3\nu,k,4\n",
            &ReadOptions::default(),
        )
        .unwrap();
        let lines: Vec<u64> = (0..4).map(|row| reader.lines.of(row).1).collect();
        assert_eq!(lines, [2, 3, 6, 8]);
        assert_eq!(reader.lines.starts().len(), 3);
        assert_eq!(reader.lines.of(0).0, Path::new("r.csv"));
    }

    #[test]
    fn limits_hold() {
        let limits = |max_ids, max_rows| ReadOptions {
            limits: Limits { max_ids, max_rows },
            ..ReadOptions::default()
        };
        let text = "a,x,1\nb,x,2\na,x,3\n";
        assert!(read(text, &limits(2, 3)).is_ok());
        let error = read(text, &limits(1, 3)).unwrap_err().to_string();
        assert_eq!(
            error,
            "r.csv: line 2, column 1: got one more user, \"b\", wanted at most 1 users"
        );
        let error = read(text, &limits(2, 2)).unwrap_err().to_string();
        assert_eq!(
            error,
            "r.csv: line 3, column 1: got one more rating, wanted at most 2 ratings"
        );
    }
}
