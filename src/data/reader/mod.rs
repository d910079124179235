//! How is a text file read, and what is wrong with it?
//!
//! Ratings come as lines of fields from anywhere: with a header or without, with any of four separators, packed or plain, from
//! any system. Nothing is guessed in silence: what was decided stands in a [`FileReport`], and what does not fit is an error that
//! names file, line and field.
//!
//! ```text
//! bytes ──source──▶ plain bytes ──records──▶ fields of a line ──columns──▶ user, item, rating ──ratings──▶ Interactions
//!        (.gz?)                  (separator,                   (header?                        └─side────▶ titles, columns
//!                                 quotes)                       roles)
//! ```
//!
//! | file | question |
//! |---|---|
//! | `parquet` | how does a Parquet file become lines? |
//! | `source` | is it packed, and does it end? |
//! | `separator` | what stands between two fields? |
//! | `records` | where does a line end, and where its fields? |
//! | `record` | what does one record say, and where? |
//! | `columns` | which field is the user, which the item? |
//! | `values` | what number does a field say? |
//! | `naming` | which number does a name get? |
//! | `ratings` | how do lines become ratings? |
//! | `lines` | on which line of which file did a rating stand? |
//! | `parallel` | how do several threads read one file, and find what one thread finds? |
//! | `test_set` | how do lines become test sets and pairs? |
//! | `side` | how do lines become titles and columns? |
//!
//! Memory is bounded by what is kept: some blocks of 256 KiB for each thread are in hand at any time, never the file.
//! What to do with two ratings of one pair is [`dedupe`](super::dedupe)'s question.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{Error, Result};

mod parquet;
//
mod source;
//
mod separator;
//
mod record;
mod records;
//
mod columns;
//
mod values;
//
mod lines;
mod naming;
mod ratings;
//
mod parallel;
//
mod side;
mod test_set;

pub use separator::Separator;
pub use test_set::{Pairs, TestSet, read_pairs, read_predictions, read_test};

pub(super) use lines::Lines;
pub(super) use ratings::RatingsReader;
pub use side::VersionReport;
pub(super) use side::{Placed, Side, SideFile};
pub(super) use source::Source;
pub(super) use values::shown;

/// What the reader is told; everything else it finds out.
///
/// | field | `None` or default means |
/// |---|---|
/// | `columns` | names of the header that are known, or the order user, item, rating, timestamp |
/// | `separator` | the one of tab, `::`, `;`, `,` that cuts the first lines into equally many fields |
/// | `weight` | all ratings count the same; a column is never taken for weights because of its name |
/// | `limits` | as many as row numbers can tell apart |
/// | `threads` | as many as there are cores; the result is the same for any number |
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Which column is what.
    pub columns: Option<ColumnSpec>,
    /// What stands between two fields.
    pub separator: Option<Separator>,
    /// The column of weights: its name in the header, or its position from 1.
    pub weight: Option<String>,
    /// How much is read before the reader gives up.
    pub limits: Limits,
    /// How many threads read ratings.
    pub threads: usize,
}

/// What a column of a ratings file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who rates.
    User,
    /// What is rated.
    Item,
    /// The number.
    Rating,
    /// When.
    Timestamp,
    /// How much the rating counts.
    Weight,
}

impl Role {
    const ALL: [Role; 5] = [
        Role::User,
        Role::Item,
        Role::Rating,
        Role::Timestamp,
        Role::Weight,
    ];

    /// The role of that name.
    pub(in crate::data) fn of(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Its name in `--columns` and in reports.
    pub fn name(self) -> &'static str {
        ["user", "item", "rating", "timestamp", "weight"][self as usize]
    }
}

/// Which column is what, as `--columns` says it.
///
/// ```
/// use lowrank::data::reader::ColumnSpec;
/// let by_order: ColumnSpec = "item,user,_,rating".parse()?;
/// let by_name: ColumnSpec = "user=uid,item=2,rating=score".parse()?;
/// assert!("user,rating".parse::<ColumnSpec>().is_err());
/// # Ok::<(), lowrank::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    places: Vec<(Role, Place)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Counted from 0.
    Position(usize),
    Name(String),
}

impl Place {
    fn parse(text: &str) -> Result<Place> {
        match text.parse::<usize>() {
            Ok(0) => Err(spec_error("column 0", "columns counted from 1")),
            Ok(position) => Ok(Place::Position(position - 1)),
            Err(_) => Ok(Place::Name(text.to_owned())),
        }
    }
}

fn spec_error(got: impl Into<String>, wanted: &str) -> Error {
    Error::config("columns", got.into(), wanted)
}

impl FromStr for ColumnSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<ColumnSpec> {
        const FORMS: &str = "roles in order such as user,item,rating,_,timestamp or each by name or position such as user=uid,item=2,rating=score";
        let by_name = text.contains('=');
        let mut spec = ColumnSpec { places: Vec::new() };
        for (n, part) in text.split(',').enumerate() {
            let part = part.trim();
            let (role, place) = match part.split_once('=') {
                Some((role, place)) => (role.trim(), Place::parse(place.trim())?),
                None if by_name => return Err(spec_error(shown(part), FORMS)),
                None if matches!(part, "_" | "-" | "") => continue,
                None => (part, Place::Position(n)),
            };
            let Some(role) = Role::ALL
                .into_iter()
                .find(|r| r.name() == role || (*r == Role::Timestamp && role == "time"))
            else {
                return Err(spec_error(
                    shown(role),
                    "one of user, item, rating, timestamp, weight, or _ for a column to skip",
                ));
            };
            if place == Place::Name(String::new()) {
                return Err(spec_error(shown(part), FORMS));
            }
            spec.add(role, place)?;
        }
        for role in [Role::User, Role::Item] {
            if spec.places.iter().all(|(r, _)| *r != role) {
                let got = format!("{} without {}", shown(text), role.name());
                return Err(spec_error(got, FORMS));
            }
        }
        Ok(spec)
    }
}

/// Each role by name or position, in the order of the roles: one spelling for all that mean the same.
impl fmt::Display for ColumnSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = &self.places;
        let of = |role: Role| places.iter().find(move |(r, _)| *r == role);
        for (n, (role, place)) in Role::ALL.into_iter().filter_map(of).enumerate() {
            let comma = if n > 0 { "," } else { "" };
            match place {
                Place::Position(position) => {
                    write!(f, "{comma}{}={}", role.name(), position + 1)?;
                }
                Place::Name(name) => write!(f, "{comma}{}={name}", role.name())?,
            }
        }
        Ok(())
    }
}

impl ColumnSpec {
    fn add(&mut self, role: Role, place: Place) -> Result<()> {
        if self.places.iter().any(|(r, _)| *r == role) {
            let got = format!("two columns for {}", role.name());
            return Err(spec_error(got, "one"));
        }
        if let Some((other, _)) = self.places.iter().find(|(_, p)| *p == place) {
            let got = format!("one column as {} and {}", other.name(), role.name());
            return Err(spec_error(got, "a column of its own for each role"));
        }
        self.places.push((role, place));
        Ok(())
    }
}

/// How much is read before the reader gives up, so that no input takes all memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The greatest number of users, of items, and of values of a column.
    pub max_ids: u32,
    /// The greatest number of ratings.
    pub max_rows: u32,
}

/// Both are 2³² − 2: numbers are `u32`, and the last one stands for "none".
impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_ids: u32::MAX - 1,
            max_rows: u32::MAX - 1,
        }
    }
}

/// The moment that `text` says: seconds since 1970, or a date such as 2024-01-31 or 2024-01-31T12:00:00Z; a date alone is its first second, in UTC.
///
/// ```
/// use lowrank::data::reader::moment;
/// assert_eq!((moment("881250949")?, moment("1997-12-05")?), (881_250_949, 881_280_000));
/// # Ok::<(), lowrank::Error>(())
/// ```
///
/// # Errors
/// [`Error::Config`] where it is no such thing.
pub fn moment(text: &str) -> Result<i64> {
    values::timestamp(text)
        .ok_or_else(|| Error::config("as-of", shown(text), values::TIMESTAMP_WANTED))
}

/// What the reader found out about a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Lines with data, without header and blank lines.
    pub rows: u64,
    /// What stands between two fields.
    pub separator: Separator,
    /// Whether the first line names the columns.
    pub header: bool,
    /// Whether the file is packed with gzip.
    pub packed: bool,
    /// What each used column is, with its name, or `column 3` where it has none: ("user", "user_id"), …
    pub roles: Vec<(&'static str, String)>,
    /// The columns that were not used, likewise by name.
    pub ignored: Vec<String>,
}

impl FileReport {
    /// Whether the file has a column of ratings; without one each row is a click, and its rating 1.
    pub fn has_ratings(&self) -> bool {
        self.roles
            .iter()
            .any(|(role, _)| *role == Role::Rating.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_has_one_spelling() {
        for (text, spelling) in [
            ("item,user,_,rating", "user=2,item=1,rating=4"),
            (
                "rating=s=t, item = 2,user=uid",
                "user=uid,item=2,rating=s=t",
            ),
        ] {
            let spec: ColumnSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), spelling);
            let again: ColumnSpec = spelling.parse().unwrap();
            assert_eq!(again.to_string(), spelling);
        }
    }

    #[test]
    fn a_flag_that_makes_no_sense_is_refused() {
        for text in [
            "",
            "user",
            "user,rating",
            "user,item,item",
            "user,item,stars",
            "user=1,item",
            "user=1,item=1",
            "user=0,item=1",
            "user=,item=2",
            "user=a,item=b,user=c",
            "=a,user=b,item=c",
        ] {
            let error = text.parse::<ColumnSpec>().unwrap_err();
            assert!(matches!(error, Error::Config { .. }), "{text:?}");
        }
    }
}
