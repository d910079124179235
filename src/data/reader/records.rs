//! How does a file become lines of fields, one at a time?
//!
//! Lines end with LF or CR LF, the last one may end without; a quoted field may run over lines. Blank lines are passed over, and counted. A byte-order mark is
//! no part of the first field.
//!
//! ```text
//! block   [ …done… | the record in hand | read ahead … ]      256 KiB; a record is at most 64 KiB
//!                    ↑ start                             ↑ end
//! ```
//!
//! A record is cut (by `separator`) where it lies in the block: no copy, no allocation. (One with doubled quotes is copied, and they are closed up.)
//! What the fields mean is the question of `columns`.

use std::path::{Path, PathBuf};

use super::record::Record;
use super::separator::{Scan, Separator, Span, detect, is_blank, newlines, scan};
use super::{Source, shown};
use crate::{Error, Result};

/// The longest record, in bytes. What is longer is no line of ratings, and must not fill the memory.
pub(super) const MAX_RECORD: usize = 64 * 1024;
/// As much is read at once.
pub(super) const BLOCK: usize = 4 * MAX_RECORD;
/// So many blank lines in a row are no file of ratings.
pub(super) const MAX_BLANK: u64 = 1 << 24;

/// The records of a file, one after the other.
#[derive(Debug)]
pub(super) struct Records<'a> {
    source: Source<'a>,
    path: PathBuf,
    separator: Separator,
    block: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether the source has no more.
    done: bool,
    /// The line of `start`.
    line: u64,
    /// The fields of the record in hand.
    spans: Vec<Span>,
    /// The record in hand without its doubled quotes, where it has any.
    closed: Vec<u8>,
    /// The record in hand, where it was only looked at.
    held: Option<Found>,
}

/// What is left of a file after its first records.
#[derive(Debug)]
pub(super) struct Rest<'a> {
    pub(super) source: Source<'a>,
    /// What was read ahead; it starts with a record.
    pub(super) ahead: Vec<u8>,
    /// Whether the source has no more.
    pub(super) done: bool,
    /// The line of the first record.
    pub(super) line: u64,
}

/// A record in the block, and the line on which it starts.
#[derive(Clone, Copy, Debug)]
struct Found {
    start: usize,
    end: usize,
    line: u64,
    /// Whether its bytes stand in `closed`.
    closed: bool,
}

impl<'a> Records<'a> {
    /// Reads the first block and finds the separator in it where `separator` is `None`; `candidates` are then tried.
    pub(super) fn new(
        source: Source<'a>,
        path: &Path,
        separator: Option<Separator>,
        candidates: &[Separator],
    ) -> Result<Records<'a>> {
        let mut records = Records {
            source,
            path: path.into(),
            separator: Separator::COMMA,
            block: vec![0; BLOCK],
            start: 0,
            end: 0,
            done: false,
            line: 1,
            spans: Vec::new(),
            closed: Vec::new(),
            held: None,
        };
        records.refill()?;
        // The mark that some editors put before UTF-8.
        if records.block[..records.end].starts_with(b"\xEF\xBB\xBF") {
            records.start = 3;
        }
        let block = &records.block[records.start..records.end];
        records.separator = separator.unwrap_or_else(|| detect(block, records.done, candidates));
        Ok(records)
    }

    /// The records of `block[..end]`, a piece of the file `path` that starts with a record on `line` and ends with one.
    pub(super) fn of_block(
        block: Vec<u8>,
        end: usize,
        path: &Path,
        separator: Separator,
        line: u64,
    ) -> Records<'static> {
        Records {
            source: Source::empty(),
            path: path.into(),
            separator,
            block,
            start: 0,
            end,
            done: true,
            line,
            spans: Vec::new(),
            closed: Vec::new(),
            held: None,
        }
    }

    /// The block's buffer, for another one.
    pub(super) fn into_block(self) -> Vec<u8> {
        self.block
    }

    /// All that [`next`](Records::next) has not given yet.
    pub(super) fn into_rest(mut self) -> Rest<'a> {
        let (start, line) = self
            .held
            .map_or((self.start, self.line), |found| (found.start, found.line));
        self.block.truncate(self.end);
        self.block.drain(..start);
        Rest {
            source: self.source,
            ahead: self.block,
            done: self.done,
            line,
        }
    }

    /// The bytes in hand from the next record on.
    #[inline]
    pub(super) fn ahead(&self) -> &[u8] {
        &self.block[self.start..self.end]
    }

    /// Passes over `bytes` of them, which are `lines` whole records of a line each.
    #[inline]
    pub(super) fn skip(&mut self, bytes: usize, lines: u64) {
        self.start += bytes;
        self.line += lines;
    }

    /// The line of the next record, or of the blank lines before it.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn separator(&self) -> Separator {
        self.separator
    }

    pub(super) fn packed(&self) -> bool {
        self.source.packed()
    }

    /// The next record that is not blank.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>> {
        let Some(found) = (match self.held.take() {
            Some(found) => Some(found),
            None => self.advance()?,
        }) else {
            return Ok(None);
        };
        self.record(found).map(Some)
    }

    /// A copy of what [`next`](Records::next) will give.
    pub(super) fn peek(&mut self) -> Result<Option<Vec<String>>> {
        let Some(found) = self.advance()? else {
            return Ok(None);
        };
        self.held = Some(found);
        let record = self.record(found)?;
        Ok(Some(record.iter().map(str::to_owned).collect()))
    }

    /// Moves past the next record that is not blank, and leaves its fields in `spans`.
    fn advance(&mut self) -> Result<Option<Found>> {
        let last_blank = self.line.saturating_add(MAX_BLANK);
        loop {
            let stop = self.end.min(self.start + MAX_RECORD + 1);
            let window = &self.block[self.start..stop];
            if window.is_empty() && self.done {
                return Ok(None);
            }
            let fits = window.len() <= MAX_RECORD;
            self.spans.clear();
            let (text, next, inner) =
                match scan(window, self.separator, self.done && fits, &mut self.spans) {
                    Scan::Record { text, next, inner } => (text, next, inner),
                    Scan::Cut { .. } if fits && !self.done => {
                        self.refill()?;
                        continue;
                    }
                    stopped => return Err(self.stopped(&stopped)),
                };
            let mut found = Found {
                start: self.start,
                end: self.start + text,
                line: self.line,
                closed: false,
            };
            self.line += inner + u64::from(next > text);
            self.start += next;
            let bytes = &self.block[found.start..found.end];
            if self.spans.len() == 1 && is_blank(bytes) {
                if self.line > last_blank {
                    return Err(blank_lines(&self.path));
                }
                continue;
            }
            if self.spans.iter().any(|span| span.doubled) {
                found.closed = true;
                self.closed.clear();
                self.closed.extend_from_slice(bytes);
                for span in self.spans.iter_mut().filter(|span| span.doubled) {
                    close_up(&mut self.closed, span);
                }
            }
            return Ok(Some(found));
        }
    }

    /// The record that was found, its bytes seen to be UTF-8.
    #[inline]
    fn record(&self, found: Found) -> Result<Record<'_>> {
        let bytes = match found.closed {
            true => &self.closed[..],
            false => &self.block[found.start..found.end],
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Record {
                text,
                spans: &self.spans,
                line: found.line,
            }),
            Err(error) => {
                let at = error.valid_up_to();
                let before = self.spans.iter().filter(|span| (span.end as usize) <= at);
                Err(Error::Line {
                    path: self.path.clone(),
                    line: found.line + newlines(&bytes[..at]),
                    column: before.count() as u64 + 1,
                    got: format!("the byte 0x{:02X}, which is not UTF-8", bytes[at]),
                    wanted: "text in UTF-8 (from Latin-1: iconv -f latin1 -t utf-8)".into(),
                })
            }
        }
    }

    /// Moves what is left to the front of the block and fills it up.
    fn refill(&mut self) -> Result<()> {
        self.block.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < self.block.len() {
            match self.source.read(&mut self.block[self.end..], &self.path)? {
                0 => {
                    self.done = true;
                    break;
                }
                n => self.end += n,
            }
        }
        Ok(())
    }

    /// The error behind a scan that found no record.
    fn stopped(&self, scan: &Scan) -> Error {
        let rest = &self.block[self.start..self.end];
        let (at, got, wanted) = match *scan {
            Scan::Nul { at } => (
                at,
                "a NUL byte".into(),
                "text in UTF-8 (this is a binary file, or UTF-16)".into(),
            ),
            Scan::AfterQuote { open, at } => {
                let line = self.line + newlines(&rest[..open]);
                let more = String::from_utf8_lossy(&rest[at..rest.len().min(at + 64)]);
                let more = more.lines().next().unwrap_or_default();
                (
                    at,
                    format!(
                        "{} after the closing quote of a field that opened on line {line}",
                        shown(more)
                    ),
                    format!(
                        "the separator {} or the end of the line (a quote inside a quoted field is doubled)",
                        self.separator
                    ),
                )
            }
            Scan::Cut { quote: Some(at) } => (
                at,
                if self.done && rest.len() <= MAX_RECORD {
                    "a quoted field that does not end".into()
                } else {
                    format!("a quoted field that does not end within {MAX_RECORD} bytes")
                },
                "a closing quote".into(),
            ),
            Scan::Cut { quote: None } | Scan::Record { .. } => (
                0,
                format!("a line of more than {MAX_RECORD} bytes"),
                "shorter lines".into(),
            ),
        };
        Error::Line {
            path: self.path.clone(),
            line: self.line + newlines(&rest[..at]),
            column: self.spans.len() as u64 + 1,
            got,
            wanted,
        }
    }
}

/// The error that there are too many blank lines.
pub(super) fn blank_lines(path: &Path) -> Error {
    Error::File {
        path: path.into(),
        got: format!("more than {MAX_BLANK} blank lines in a row"),
        wanted: "lines of fields".into(),
    }
}

/// Makes one quote of each two, inside the field; what comes free behind it is filled with spaces.
fn close_up(record: &mut [u8], span: &mut Span) {
    let (mut to, mut from, end) = (span.start as usize, span.start as usize, span.end as usize);
    while from < end {
        record[to] = record[from];
        from += if record[from] == b'"' { 2 } else { 1 };
        to += 1;
    }
    record[to..end].fill(b' ');
    span.end = to as u32;
    span.doubled = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &[u8]) -> Records<'_> {
        let path = Path::new("r.csv");
        let source = Source::new(text, path).unwrap();
        Records::new(source, path, None, &Separator::KNOWN).unwrap()
    }

    /// Line and fields of each record.
    fn all(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut records = records(text.as_bytes());
        let mut all = Vec::new();
        while let Some(record) = records.next().unwrap() {
            all.push((record.line, record.iter().map(str::to_owned).collect()));
        }
        all
    }

    #[test]
    fn lines_are_counted_as_editors_do() {
        let wanted = [(2, "a,b"), (3, "c\nc,\"d\""), (6, "e,")];
        let wanted = wanted.map(|(line, fields)| {
            let fields = fields.split(',').map(str::to_owned).collect();
            (line, fields)
        });
        assert_eq!(all("\na,b\r\n\"c\nc\",\"\"\"d\"\"\"\n\ne,"), wanted);
    }

    #[test]
    fn a_record_that_was_looked_at_comes_again() {
        let mut records = records(b"\n\"a\"\"\",b\nc,d\n");
        assert_eq!(records.peek().unwrap().unwrap(), ["a\"", "b"]);
        let first = records.next().unwrap().unwrap();
        assert_eq!(
            (first.line, first.field(0), first.field(1)),
            (2, "a\"", "b")
        );
        let second = records.next().unwrap().unwrap();
        assert_eq!((second.line, second.field(0)), (3, "c"));
        assert!(records.next().unwrap().is_none());
        assert!(records.peek().unwrap().is_none());
    }

    #[test]
    fn the_longest_record_fits_and_no_longer_one() {
        for (len, fits) in [(MAX_RECORD, true), (MAX_RECORD + 1, false)] {
            // With a line feed or at the end; first in the block or not.
            for end in ["\n", "", "\nmore,\n"] {
                for before in ["", "a,b\n"] {
                    let line = format!("{},", "x".repeat(len - 1));
                    let text = format!("{before}{line}{end}");
                    let mut records = records(text.as_bytes());
                    if !before.is_empty() {
                        records.next().unwrap();
                    }
                    assert_eq!(records.next().is_ok(), fits, "{len} {end:?} {before:?}");
                }
            }
        }
    }

    #[test]
    fn a_field_is_found_on_its_own_line() {
        let mut records = records(b"\"a\n\",b,\"c\n\n\"\n");
        let record = records.next().unwrap().unwrap();
        let lines: Vec<u64> = (0..4).map(|n| record.line_of(n)).collect();
        assert_eq!(lines, [1, 2, 2, 4]);
    }
}
