//! What does one record say, and where?

use std::path::Path;

use super::separator::{Span, newlines};
use crate::Error;

/// The fields of one record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) text: &'a str,
    pub(super) spans: &'a [Span],
    /// The line on which it starts, counted from 1.
    pub(super) line: u64,
}

impl<'a> Record<'a> {
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Field `n`, counted from 0.
    #[inline]
    pub(super) fn field(&self, n: usize) -> &'a str {
        let span = self.spans[n];
        &self.text[span.start as usize..span.end as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let record = *self;
        (0..self.len()).map(move |n| record.field(n))
    }

    /// The line on which field `n` starts: a quoted field before it may run over lines.
    pub(super) fn line_of(&self, n: usize) -> u64 {
        let start = self
            .spans
            .get(n)
            .map_or(self.text.len(), |s| s.start as usize);
        self.line + newlines(&self.text.as_bytes()[..start])
    }

    /// The error that field `n` is not what is wanted.
    pub(super) fn error(&self, path: &Path, n: usize, got: String, wanted: String) -> Error {
        Error::Line {
            path: path.into(),
            line: self.line_of(n),
            column: n as u64 + 1,
            got,
            wanted,
        }
    }

    /// The error that the record has not `n_fields` fields.
    pub(super) fn wrong_len(&self, path: &Path, n_fields: usize) -> Error {
        self.error(
            path,
            self.len().min(n_fields),
            count(self.len(), "field"),
            format!("{n_fields}, as in the first line"),
        )
    }
}

/// `1 field`, `2 fields`.
pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
