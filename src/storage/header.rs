//! What does the header of a file say, and is it true?
//!
//! None of it is believed before it agrees with itself and with the length of the file: the layout of [`sections`](super::sections) leaves
//! no freedom, so each number is checked against the one that it must be, without overflow, and before anything is allocated by it.

use super::element::{Element, ElementType};
use super::sections::{
    ALIGNMENT, CHECKSUM_AT, CHUNK, ENTRY, FIXED, MAGIC, MAX_RECORD, NAME, VERSION, header_checksum,
    is_name,
};
use super::source::Source;
use crate::{Error, Result};

/// A header, checked.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) record: Vec<u8>,
    pub(super) record_offset: u64,
    pub(super) sections: Vec<Section>,
    pub(super) checksums: Vec<u32>,
}

/// An entry of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// The type of its elements.
    pub element: ElementType,
    /// The number of rows.
    pub rows: u64,
    /// Elements of a row.
    pub columns: u64,
    /// Its first byte in the file.
    pub offset: u64,
    /// Its bytes, without padding.
    pub length: u64,
    pub(super) first_checksum: usize,
}

impl Section {
    /// The number of elements.
    pub fn n_elements(&self) -> u64 {
        self.length / self.element.size()
    }

    /// The byte in the file at which element `n` stands.
    pub fn offset_of(&self, n: u64) -> u64 {
        self.offset
            .saturating_add(n.saturating_mul(self.element.size()))
    }

    pub(super) fn padded(&self) -> u64 {
        self.length.next_multiple_of(ALIGNMENT)
    }
}

/// The fixed part of a header, checked.
struct Fixed {
    header_length: usize,
    n_sections: usize,
    n_checksums: usize,
    record_length: usize,
}

impl Header {
    /// Reads and checks the header of a file whose content is marked `content`.
    pub(super) fn read(source: &impl Source, content: [u8; 4]) -> Result<Header> {
        let fixed = Fixed::read(source, content)?;
        let mut header = vec![0; fixed.header_length];
        source.read_at(0, &mut header)?;
        let wanted = u32::get(&header[CHECKSUM_AT..FIXED]);
        let got = header_checksum(&header);
        if got != wanted {
            return Err(corrupt(
                source,
                CHECKSUM_AT as u64,
                format!("a header with checksum {got:08x}"),
                format!("{wanted:08x}"),
            ));
        }
        let directory_end = FIXED + ENTRY * fixed.n_sections;
        let checksums_end = directory_end + 4 * fixed.n_checksums;
        let record_end = checksums_end + fixed.record_length;
        if let Some(at) = header[record_end..].iter().position(|&b| b != 0) {
            return Err(corrupt(
                source,
                (record_end + at) as u64,
                "a byte that is not 0",
                "zeros up to the end of the header",
            ));
        }
        Ok(Header {
            sections: directory(source, &header[FIXED..directory_end], &fixed)?,
            checksums: header[directory_end..checksums_end]
                .chunks_exact(4)
                .map(u32::get)
                .collect(),
            record: header[checksums_end..record_end].to_vec(),
            record_offset: checksums_end as u64,
        })
    }
}

impl Fixed {
    fn read(source: &impl Source, content: [u8; 4]) -> Result<Fixed> {
        let length = source.len();
        let mut fixed = [0; FIXED];
        let there = &mut fixed[..length.min(FIXED as u64) as usize];
        source.read_at(0, there)?;
        let begins = &there[..there.len().min(MAGIC.len())];
        if begins != &MAGIC[..begins.len()] || begins.is_empty() {
            let got = match begins {
                [] => "an empty file".to_owned(),
                bytes => format!("\"{}\"", bytes.escape_ascii()),
            };
            let wanted = format!(
                "\"{}\", which every lowrank file begins with",
                MAGIC.escape_ascii()
            );
            return Err(corrupt(source, 0, got, wanted));
        }
        if length < FIXED as u64 {
            return Err(corrupt(
                source,
                length,
                "the end of the file",
                "a header of 64 bytes or more",
            ));
        }
        let version = u32::get(&fixed[8..12]);
        if version != VERSION {
            return Err(corrupt(
                source,
                8,
                format!("format version {version}"),
                format!("version {VERSION}, the newest that this program reads"),
            ));
        }
        if fixed[12..16] != content {
            return Err(corrupt(
                source,
                12,
                format!("content \"{}\"", fixed[12..16].escape_ascii()),
                format!("\"{}\"", content.escape_ascii()),
            ));
        }
        Fixed::lengths(source, &fixed)
    }

    fn lengths(source: &impl Source, fixed: &[u8; FIXED]) -> Result<Fixed> {
        let number = |at: usize| u64::get(&fixed[at..at + 8]);
        let [header, sections, checksums, record] = [16, 24, 32, 40].map(number);
        if header > source.len() {
            return Err(corrupt(
                source,
                16,
                format!("a header of {header} bytes in a file of {}", source.len()),
                "a header within the file",
            ));
        }
        if record > MAX_RECORD as u64 {
            return Err(corrupt(
                source,
                40,
                format!("a record of {record} bytes"),
                format!("at most {MAX_RECORD}"),
            ));
        }
        let adds_up = || {
            let directory = sections.checked_mul(ENTRY as u64)?;
            let table = checksums.checked_mul(4)?;
            (FIXED as u64)
                .checked_add(directory)?
                .checked_add(table)?
                .checked_add(record)?
                .checked_next_multiple_of(ALIGNMENT)
        };
        if adds_up() != Some(header) {
            return Err(corrupt(
                source,
                16,
                format!("a header of {header} bytes"),
                format!(
                    "what {sections} sections, {checksums} checksums and a record of {record} bytes take"
                ),
            ));
        }
        if let Some(at) = fixed[48..CHECKSUM_AT].iter().position(|&b| b != 0) {
            return Err(corrupt(source, 48 + at as u64, "a byte that is not 0", "0"));
        }
        let small = |n: u64| {
            usize::try_from(n).map_err(|_| {
                corrupt(
                    source,
                    16,
                    format!("{n}"),
                    "a number that this machine can hold",
                )
            })
        };
        // All are at most the header, which is at most the file.
        Ok(Fixed {
            header_length: small(header)?,
            n_sections: small(sections)?,
            n_checksums: small(checksums)?,
            record_length: small(record)?,
        })
    }
}

/// The sections, each checked against the place and length that it must have.
fn directory(source: &impl Source, entries: &[u8], fixed: &Fixed) -> Result<Vec<Section>> {
    let mut sections: Vec<Section> = Vec::with_capacity(fixed.n_sections);
    let mut offset = fixed.header_length as u64;
    let mut first_checksum = 0;
    for (n, entry) in entries.chunks_exact(ENTRY).enumerate() {
        let at = (FIXED + n * ENTRY) as u64;
        let bad =
            |field: u64, got: String, wanted: String| corrupt(source, at + field, got, wanted);
        let name = entry[..NAME].split(|&b| b == 0).next().unwrap_or_default();
        if !is_name(name) || entry[name.len()..NAME].iter().any(|&b| b != 0) {
            let got = format!("\"{}\"", entry[..NAME].escape_ascii());
            return Err(bad(0, got, "the name of a section".into()));
        }
        let code = u32::get(&entry[44..48]);
        let Some(element) = ElementType::from_code(code) else {
            return Err(bad(44, format!("element type {code}"), "1 to 12".into()));
        };
        let [rows, columns, own_offset, length] =
            [48, 56, 64, 72].map(|at| u64::get(&entry[at..at + 8]));
        let shape = || rows.checked_mul(columns)?.checked_mul(element.size());
        if shape() != Some(length) {
            let got = format!("{length} bytes");
            let wanted = format!("those of {rows} × {columns} {}", element.name());
            return Err(bad(72, got, wanted));
        }
        if own_offset != offset {
            let got = format!("a section at byte {own_offset}");
            return Err(bad(
                64,
                got,
                format!("{offset}, where the one before it ends"),
            ));
        }
        let end = length
            .checked_next_multiple_of(ALIGNMENT)
            .and_then(|padded| padded.checked_add(offset));
        let Some(end) = end.filter(|&end| end <= source.len()) else {
            let got = format!(
                "{length} bytes from byte {offset} on in a file of {}",
                source.len()
            );
            return Err(bad(72, got, "a section within the file".into()));
        };
        // No overflow: the sections so far lie in the file, and none has more chunks than bytes.
        let n_chunks = (end - offset).div_ceil(CHUNK) as usize;
        sections.push(Section {
            name: name.iter().map(|&b| b as char).collect(),
            element,
            rows,
            columns,
            offset,
            length,
            first_checksum,
        });
        first_checksum += n_chunks;
        offset = end;
    }
    if first_checksum != fixed.n_checksums {
        let wanted = format!("{first_checksum}, one a chunk");
        return Err(corrupt(
            source,
            32,
            format!("{} checksums", fixed.n_checksums),
            wanted,
        ));
    }
    if offset != source.len() {
        let got = format!("a file of {} bytes", source.len());
        return Err(corrupt(
            source,
            offset,
            got,
            format!("{offset}, where the last section ends"),
        ));
    }
    let mut names: Vec<&str> = sections
        .iter()
        .map(|section| section.name.as_str())
        .collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
        let got = format!("two sections called {}", twice[0]);
        return Err(corrupt(source, FIXED as u64, got, "one"));
    }
    Ok(sections)
}

/// The error of a damaged file.
pub(super) fn corrupt(
    source: &impl Source,
    offset: u64,
    got: impl Into<String>,
    wanted: impl Into<String>,
) -> Error {
    Error::Corrupt {
        path: source.path().into(),
        offset,
        got: got.into(),
        wanted: wanted.into(),
    }
}
