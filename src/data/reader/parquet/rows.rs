//! Which text is a cell of a Parquet file?
//!
//! The schema is looked at first, so that a column that is neither a value nor a list of values is refused by name.

use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use parquet::basic::{LogicalType, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use parquet::schema::types::Type;

use crate::{Error, Result};

const A_DAY: i64 = 86_400;

/// Rows as lines.
pub(in crate::data::reader) struct Lines {
    rows: RowIter<'static>,
    /// Whether the whole numbers of a column are nanoseconds since 1970.
    nanoseconds: Vec<bool>,
    line: Vec<u8>,
    /// Bytes of the line that were read.
    at: usize,
}

/// The lines of a file.
pub(in crate::data::reader) fn text(file: File, path: &Path) -> Result<Lines> {
    let refused = |got: String, wanted: &str| Error::File {
        path: path.into(),
        got,
        wanted: wanted.into(),
    };
    let opened = guarded(|| SerializedFileReader::new(file).map_err(io::Error::other));
    let reader = opened.map_err(|error| refused(error.to_string(), "a whole Parquet file"))?;
    let root = reader
        .metadata()
        .file_metadata()
        .schema_descr()
        .root_schema_ptr();
    let (mut line, mut nanoseconds) = (Vec::new(), Vec::new());
    for (n, column) in root.get_fields().iter().enumerate() {
        if !column.is_primitive() && !is_list(column) {
            let got = format!(
                "the column {}, of neither values nor lists of values",
                column.name()
            );
            return Err(refused(got, "a table of values, or of lists of them"));
        }
        if n > 0 {
            line.push(b',');
        }
        put(column.name(), &mut line);
        nanoseconds.push(is_nanoseconds(column));
    }
    line.push(b'\n');
    Ok(Lines {
        rows: reader.into_iter(),
        nanoseconds,
        line,
        at: 0,
    })
}

/// A list of values: a group around a repeated group around a value, or the older forms of it.
fn is_list(column: &Type) -> bool {
    let mut inner = column;
    for _ in 0..2 {
        match inner.is_group().then(|| inner.get_fields()) {
            Some([only]) => inner = only,
            _ => return inner.is_primitive(),
        }
    }
    inner.is_primitive()
}

/// What the rows of this crate give as whole numbers.
fn is_nanoseconds(column: &Type) -> bool {
    let unit = |logical: &LogicalType| match logical {
        LogicalType::Timestamp(time) => Some(time.unit == TimeUnit::NANOS),
        _ => None,
    };
    let logical = column.get_basic_info().logical_type_ref();
    logical.and_then(unit).unwrap_or(false)
}

/// The decoder of a damaged file may stop in the middle; what its panic prints on standard error comes before the error.
fn guarded<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(io::Error::other("what no decoder understands")))
}

/// A field of a line; quoted where something could be taken for the end of it.
fn put(text: &str, line: &mut Vec<u8>) {
    let plain = |c: char| c.is_alphanumeric() || " _-.|'()&!?".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        line.extend_from_slice(text.as_bytes());
        return;
    }
    line.push(b'"');
    line.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    line.push(b'"');
}

impl Lines {
    /// The next row as a line; false at the end.
    fn next(&mut self) -> io::Result<bool> {
        let rows = &mut self.rows;
        let row: Option<Row> = guarded(|| rows.next().transpose().map_err(io::Error::other))?;
        let Some(row) = row else {
            return Ok(false);
        };
        self.at = 0;
        self.line.clear();
        for (n, (name, field)) in row.get_column_iter().enumerate() {
            if n > 0 {
                self.line.push(b',');
            }
            let nanoseconds = self.nanoseconds.get(n) == Some(&true);
            let cell = cell(field, nanoseconds)
                .map_err(|got| io::Error::other(format!("{got} in the column {name}")))?;
            if !cell.is_empty() {
                put(&cell, &mut self.line);
            }
        }
        self.line.push(b'\n');
        Ok(true)
    }
}

/// The text of a cell.
fn cell(field: &Field, nanoseconds: bool) -> Result<String, &'static str> {
    Ok(match field {
        Field::Null => String::new(),
        Field::Bool(x) => x.to_string(),
        Field::Byte(x) => x.to_string(),
        Field::Short(x) => x.to_string(),
        Field::Int(x) => x.to_string(),
        Field::Long(x) if nanoseconds => x.div_euclid(1_000_000_000).to_string(),
        Field::Long(x) => x.to_string(),
        Field::UByte(x) => x.to_string(),
        Field::UShort(x) => x.to_string(),
        Field::UInt(x) => x.to_string(),
        Field::ULong(x) => x.to_string(),
        Field::Float(x) => x.to_string(),
        Field::Double(x) => x.to_string(),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => text.to_owned(),
            Err(_) => return Err("bytes that are no text"),
        },
        Field::Date(days) => (i64::from(*days) * A_DAY).to_string(),
        Field::TimestampMillis(x) => x.div_euclid(1000).to_string(),
        Field::TimestampMicros(x) => x.div_euclid(1_000_000).to_string(),
        Field::ListInternal(list) => {
            let mut values = Vec::new();
            for field in list.elements() {
                let value = cell(field, false)?;
                if value.contains('|') {
                    return Err("a list with | in a value, which stands between values here");
                }
                values.push(value);
            }
            values.join("|")
        }
        Field::Float16(_) | Field::Decimal(_) => return Err("a number of a kind that is not read"),
        _ => return Err("what is no value"),
    })
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() && !self.next()? {
            return Ok(0);
        }
        let n = buffer.len().min(self.line.len() - self.at);
        buffer[..n].copy_from_slice(&self.line[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}
