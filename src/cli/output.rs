//! How does a result reach a person, or a program?
//!
//! The only place that prints. Results go to standard output (or the file of `-o`), everything else to standard error, so that a pipe
//! carries results alone.
//!
//! | format | for | numbers | text |
//! |---|---|---|---|
//! | `table` | eyes: aligned, at most 80 columns | four decimals | long titles cut, control characters escaped |
//! | `json` | programs | as many digits as bring the same number back | as it is |
//! | `jsonl` | programs that read line by line: a JSON document a row | likewise | likewise |
//! | `csv` | spreadsheets | likewise | as it is, quoted where needed; lists joined by `\|` |

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use super::lines::Lines;
use super::table;
use crate::storage::{Disk, write_atomically};
use crate::{Error, Result};

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns, to be read.
    #[default]
    Table,
    /// JSON, every digit kept.
    Json,
    /// JSON lines: a list is not one array, but a document a row.
    #[value(name = "jsonl")]
    JsonLines,
    /// Comma-separated values with a header, every digit kept.
    Csv,
}

/// What every command is told about its output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// The format, if it was asked for.
    pub format: Option<Format>,
    /// Whether remarks are left out.
    pub quiet: bool,
}

/// Where results go while a command writes them.
pub struct Output<'w> {
    format: Format,
    /// The file's name, for errors.
    name: PathBuf,
    writer: &'w mut dyn Write,
}

/// One column of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its header.
    pub name: &'static str,
    /// How a table sets it.
    pub set: Set,
}

impl Column {
    /// A column called `name`.
    pub const fn new(name: &'static str, set: Set) -> Column {
        Column { name, set }
    }
}

/// How a table sets a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// From the left, whole.
    Left,
    /// From the right, whole.
    Right,
    /// From the left, cut where the line would be too long.
    Cut,
}

/// One cell of a listing.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// Text that came from a file.
    Text(&'a str),
    /// A list of texts.
    List(&'a [String]),
    /// A prediction.
    Score(f32),
    /// A metric.
    Metric(f64),
    /// A probability that nothing is there: it may be small, and is not 0.
    Chance(f64),
    /// A number of things.
    Count(u64),
}

impl Manner {
    /// A remark; `--quiet` leaves it out.
    pub fn note(self, text: impl std::fmt::Display) {
        if !self.quiet {
            complain(text);
        }
    }

    /// Lets `work` write to standard output, or to `file`, which is put in place when all is written; its ending says the format where nothing else
    /// does.
    pub fn output<T>(
        self,
        file: Option<&Path>,
        work: impl FnOnce(&mut Output<'_>) -> Result<T>,
    ) -> Result<T> {
        let Some(file) = file else {
            let mut writer = io::BufWriter::with_capacity(1 << 16, io::stdout());
            let value = work(&mut Output {
                format: self.format.unwrap_or_default(),
                name: STDOUT.into(),
                writer: &mut writer,
            })?;
            writer.flush().map_err(Error::io(STDOUT, "write"))?;
            return Ok(value);
        };
        let format = self.format.unwrap_or_else(|| Format::of(file));
        // A device or a pipe is written to; only a file can be put in place when it is whole.
        if std::fs::metadata(file).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
            let opened = std::fs::OpenOptions::new().write(true).open(file);
            let mut writer = io::BufWriter::new(opened.map_err(Error::io(file, "open"))?);
            let value = work(&mut Output {
                format,
                name: file.into(),
                writer: &mut writer,
            })?;
            writer.flush().map_err(Error::io(file, "write"))?;
            return Ok(value);
        }
        let mut outcome = None;
        let written = write_atomically(&Disk, file, |writer| {
            let done = work(&mut Output {
                format,
                name: file.into(),
                writer,
            });
            let stop = done.is_err();
            outcome = Some(done);
            match stop {
                true => Err(io::Error::other("the command stopped")),
                false => Ok(()),
            }
        });
        match outcome {
            Some(Err(error)) => Err(error),
            Some(Ok(value)) => written.map(|()| value),
            None => written.and_then(|()| {
                Err(Error::io(file, "write")(io::Error::other(
                    "nothing was written",
                )))
            }),
        }
    }
}

impl Format {
    /// The format that a file's ending asks for.
    fn of(file: &Path) -> Format {
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("json") => Format::Json,
            Some("jsonl" | "ndjson") => Format::JsonLines,
            Some("csv") => Format::Csv,
            _ => Format::Table,
        }
    }
}

impl Output<'_> {
    /// The format in use.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Lines of text.
    pub fn text(&mut self, text: &str) -> Result<()> {
        let written = self.writer.write_all(text.as_bytes());
        written.map_err(Error::io(&self.name, "write"))
    }

    /// Lets the reader see what has been written so far.
    pub fn flush(&mut self) -> Result<()> {
        let flushed = self.writer.flush();
        flushed.map_err(Error::io(&self.name, "write"))
    }

    /// The file's name, for errors.
    pub(super) fn name(&self) -> &Path {
        &self.name
    }

    /// One JSON document, on one line in `jsonl`.
    pub fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let written = match self.format {
            Format::JsonLines => serde_json::to_writer(&mut *self.writer, value),
            _ => serde_json::to_writer_pretty(&mut *self.writer, value),
        };
        written.map_err(|e| Error::io(&self.name, "write")(e.into()))?;
        self.text("\n")
    }

    /// A listing whose rows are made as text elsewhere.
    pub(super) fn lines(&mut self, columns: &[Column]) -> Result<Lines<'_>> {
        let names = columns.iter().map(|column| column.name);
        Lines::new(self.format, &mut *self.writer, &self.name, names)
    }

    /// A listing, with the same rows in every format.
    pub fn listing<'o>(&'o mut self, columns: &'o [Column]) -> Result<Listing<'o>> {
        let sink: &mut dyn Write = &mut *self.writer;
        let body = match self.format {
            Format::Table => Body::Table {
                sink,
                rows: Vec::new(),
            },
            Format::Json => Body::Json { sink, first: true },
            Format::JsonLines => Body::JsonLines { sink },
            Format::Csv => Body::Csv(Box::new(csv::Writer::from_writer(sink))),
        };
        let mut listing = Listing {
            columns,
            body,
            name: &self.name,
        };
        if let Body::Csv(writer) = &mut listing.body {
            let written = writer.write_record(columns.iter().map(|column| column.name));
            written.map_err(|e| listing.error(of_csv(e)))?;
        }
        Ok(listing)
    }
}

/// A list of rows of equal columns.
pub struct Listing<'o> {
    columns: &'o [Column],
    body: Body<'o>,
    name: &'o Path,
}

enum Body<'o> {
    Table {
        sink: &'o mut dyn Write,
        rows: Vec<Vec<String>>,
    },
    Json {
        sink: &'o mut dyn Write,
        first: bool,
    },
    JsonLines {
        sink: &'o mut dyn Write,
    },
    Csv(Box<csv::Writer<&'o mut dyn Write>>),
}

impl Listing<'_> {
    /// One row: `value` in JSON, `cells` elsewhere.
    pub fn row(&mut self, value: &impl Serialize, cells: &[Cell<'_>]) -> Result<()> {
        let written = match &mut self.body {
            Body::Table { rows, .. } => {
                rows.push(cells.iter().map(Cell::shown).collect());
                Ok(())
            }
            Body::Json { sink, first } => {
                let separator = if std::mem::take(first) { "[\n" } else { ",\n" };
                sink.write_all(separator.as_bytes())
                    .and_then(|()| Ok(serde_json::to_writer(&mut **sink, value)?))
            }
            Body::JsonLines { sink } => serde_json::to_writer(&mut **sink, value)
                .map_err(io::Error::from)
                .and_then(|()| sink.write_all(b"\n")),
            Body::Csv(writer) => {
                let record = cells.iter().map(Cell::exact);
                writer.write_record(record).map_err(of_csv)
            }
        };
        written.map_err(|e| self.error(e))
    }

    /// In a table, writes the rows so far under `heading`; elsewhere every row says enough.
    pub fn section(&mut self, heading: &str) -> Result<()> {
        let columns = self.columns;
        let Body::Table { sink, rows } = &mut self.body else {
            return Ok(());
        };
        let text = table::render(columns, &std::mem::take(rows));
        let written = writeln!(sink, "{}\n{text}", table::safe(heading));
        written.map_err(|e| self.error(e))
    }

    /// Writes what is left.
    pub fn finish(mut self) -> Result<()> {
        let columns = self.columns;
        let written = match &mut self.body {
            Body::Table { rows, .. } if rows.is_empty() => Ok(()),
            Body::Table { sink, rows } => sink.write_all(table::render(columns, rows).as_bytes()),
            Body::Json { sink, first: true } => sink.write_all(b"[]\n"),
            Body::Json { sink, .. } => sink.write_all(b"\n]\n"),
            Body::JsonLines { .. } => Ok(()),
            Body::Csv(writer) => writer.flush(),
        };
        written.map_err(|e| self.error(e))
    }

    fn error(&self, source: io::Error) -> Error {
        Error::io(self.name, "write")(source)
    }
}

impl Cell<'_> {
    /// As a table shows it.
    fn shown(&self) -> String {
        match self {
            Cell::Text(text) => table::safe(text),
            Cell::List(list) => table::safe(&list.join("|")),
            Cell::Score(score) => format!("{score:.4}"),
            Cell::Metric(metric) => format!("{metric:.4}"),
            Cell::Chance(chance) if *chance < 1e-4 => "<0.0001".into(),
            Cell::Chance(chance) => format!("{chance:.4}"),
            Cell::Count(count) => grouped(*count),
        }
    }

    /// With every digit.
    pub(super) fn exact(&self) -> String {
        match self {
            Cell::Text(text) => (*text).into(),
            Cell::List(list) => list.join("|"),
            Cell::Score(score) => score.to_string(),
            Cell::Metric(metric) | Cell::Chance(metric) => metric.to_string(),
            Cell::Count(count) => count.to_string(),
        }
    }
}

/// The error of the file beneath: `csv`'s own conversion forgets its kind, and with it that a pipe was closed.
pub(super) fn of_csv(error: csv::Error) -> io::Error {
    if !error.is_io_error() {
        return error.into();
    }
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => unreachable!("an error of the file is of the kind Io"),
    }
}

/// Writes to standard error; where that is closed, there is nobody to tell.
pub(super) fn complain(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// What standard output is called in an error.
const STDOUT: &str = "standard output";

/// Whether the reader of the results has left, which is its right.
pub(super) fn is_closed_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { path, source, .. }
        if path.as_os_str() == STDOUT && source.kind() == io::ErrorKind::BrokenPipe)
}

/// A whole number with commas: 100,000.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "1 user", "2 users".
pub(super) fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let texts = [0, 12, 123, 1234, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "12", "123", "1,234", "1,234,567"]);
        assert_eq!(counted(1, "user"), "1 user");
        assert_eq!(counted(1682, "item"), "1,682 items");
    }

    #[test]
    fn exact_numbers_come_back() {
        let score = 3.1f32 + f32::EPSILON;
        assert_eq!(Cell::Score(score).exact().parse(), Ok(score));
        assert_eq!(Cell::Score(3.75).shown(), "3.7500");
    }
}
