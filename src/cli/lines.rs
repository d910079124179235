//! How do millions of rows reach a file without the writing taking longer than the work?
//!
//! They are made as text by many threads, a block each, and put in place in the order of the blocks. The text is what a
//! [`Listing`](super::output::Listing) writes: a test compares the two.
//!
//! | format | a row ends with | around all rows |
//! |---|---|---|
//! | `csv` | a line feed | the header before them |
//! | `jsonl` | a line feed | nothing |
//! | `json` | `,` and a line feed | `[` and `]` |

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::output::{Cell, Format, of_csv};
use crate::{Error, Result};

/// A file of rows that are made elsewhere.
pub(super) struct Lines<'o> {
    format: Format,
    sink: &'o mut dyn Write,
    name: &'o Path,
    empty: bool,
}

impl<'o> Lines<'o> {
    /// Writes the header, where the format has one.
    pub(super) fn new(
        format: Format,
        sink: &'o mut dyn Write,
        name: &'o Path,
        columns: impl Iterator<Item = &'static str>,
    ) -> Result<Lines<'o>> {
        let mut lines = Lines {
            format,
            sink,
            name,
            empty: true,
        };
        if format == Format::Csv {
            let header: Vec<&str> = columns.collect();
            lines.put(format!("{}\n", header.join(",")).as_bytes())?;
        }
        Ok(lines)
    }

    /// Writes rows, each as [`end_row`] ended it.
    pub(super) fn write(&mut self, rows: &[u8]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        if self.format != Format::Json {
            return self.put(rows);
        }
        // A comma stands between two rows, not after the last: it waits for the next block.
        let start: &[u8] = if self.empty { b"[\n" } else { b",\n" };
        self.empty = false;
        self.put(start)?;
        self.put(&rows[..rows.len() - end_of_row(self.format).len()])
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> Result<()> {
        match (self.format, self.empty) {
            (Format::Json, true) => self.put(b"[]\n"),
            (Format::Json, false) => self.put(b"\n]\n"),
            _ => Ok(()),
        }
    }

    fn put(&mut self, text: &[u8]) -> Result<()> {
        let written = self.sink.write_all(text);
        written.map_err(Error::io(self.name, "write"))
    }
}

/// What follows a row.
pub(super) fn end_of_row(format: Format) -> &'static [u8] {
    match format {
        Format::Json => b",\n",
        _ => b"\n",
    }
}

/// Some neighbouring fields of a row, as they stand in it, with the comma that follows them.
pub(super) fn fields(
    format: Format,
    value: &impl Serialize,
    cells: &[Cell<'_>],
) -> io::Result<Vec<u8>> {
    if format == Format::Csv {
        let mut writer = csv::WriterBuilder::new()
            .buffer_capacity(256)
            .from_writer(Vec::new());
        // The empty last field brings the comma, and keeps a lone empty text from being quoted.
        let record = cells.iter().map(Cell::exact).chain([String::new()]);
        writer.write_record(record).map_err(of_csv)?;
        let mut text = writer.into_inner().map_err(|e| e.into_error())?;
        text.truncate(text.len() - 1);
        return Ok(text);
    }
    let mut text = serde_json::to_vec(value)?;
    // {"a":1} → "a":1,
    text.pop();
    text.remove(0);
    text.push(b',');
    Ok(text)
}
