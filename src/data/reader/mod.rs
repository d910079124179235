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
//! | `source` | is it packed, and does it end? |
//! | [`separator`] | what stands between two fields? |
//! | `records` | where does a line end, and where its fields? |
//! | [`columns`] | which field is the user, which the item? |
//! | `values` | what number does a field say? |
//! | [`ratings`] | how do lines become ratings, test sets and pairs? |
//! | [`side`] | how do lines become titles and columns? |
//!
//! Memory is bounded by what is kept: a block of 256 KiB is in hand at any time, never the file.
//! What to do with two ratings of one pair is [`dedupe`](super::dedupe)'s question.

use std::path::PathBuf;

pub mod columns;
pub mod ratings;
mod records;
pub mod separator;
pub mod side;
mod source;
mod values;

pub use columns::{ColumnSpec, Role};
pub use ratings::{Pairs, TestSet, read_pairs, read_test};
pub use separator::Separator;

pub(super) use ratings::RatingsReader;
pub(super) use side::{Side, SideFile};
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
