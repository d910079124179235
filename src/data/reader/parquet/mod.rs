//! How does a Parquet file become lines?
//!
//! As feature stores export them: a column of numbers, texts, times or lists of such. Its rows are written out as the lines of a CSV file with a header, which the readers of text take from there: one way for
//! ratings, users and items, and for what is wrong with them. Row n stands on line n + 1.
//!
//! | cell | text |
//! |---|---|
//! | none | empty |
//! | number, truth, text | as it is written; a number reads back as itself |
//! | date, time | whole seconds since 1970, rounded down |
//! | list | its values between `\|`, of which none may have one |
//!
//! Without the feature `parquet`, the twin file says how to have it.

use std::path::Path;

#[cfg(not(feature = "parquet"))]
mod absent;
#[cfg(feature = "parquet")]
mod rows;

#[cfg(not(feature = "parquet"))]
pub(super) use absent::text;
#[cfg(feature = "parquet")]
pub(super) use rows::text;

/// Whether a file is called like one.
pub(super) fn is_called_so(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}
