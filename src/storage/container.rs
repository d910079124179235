//! How is a file of sections read, a part at a time, and every damage noticed?
//!
//! Opening reads the header alone, and believes none of it before it agrees with itself and with the length of the file: the layout
//! of [`sections`](super::sections) leaves no freedom, so each number is checked against the one that it must be. After that a
//! [`Cursor`] reads elements of a section, a chunk of 64 KiB at a time, and checks each chunk that it touches.
//!
//! Memory: the header, the directory, one chunk a cursor, and what the caller asks for; never more because of a number in the file.

use std::ops::Range;

use super::sections::{
    ALIGNMENT, CHECKSUM_AT, CHUNK, ENTRY, Element, ElementType, FIXED, MAGIC, MAX_RECORD, NAME,
    VERSION, header_checksum, is_name,
};
use super::source::Source;
use crate::{Error, Result};

/// An open file of sections.
#[derive(Debug)]
pub struct Container<S> {
    source: S,
    record: Vec<u8>,
    record_offset: u64,
    sections: Vec<Section>,
    checksums: Vec<u32>,
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
    first_checksum: usize,
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

    fn padded(&self) -> u64 {
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

impl<S: Source> Container<S> {
    /// Reads and checks the header of a file whose content is marked `content`.
    ///
    /// # Errors
    /// Where it is no such file, or damaged, or cut short.
    pub fn open(source: S, content: [u8; 4]) -> Result<Container<S>> {
        let fixed = Fixed::read(&source, content)?;
        let mut header = vec![0; fixed.header_length];
        source.read_at(0, &mut header)?;
        let wanted = u32::get(&header[CHECKSUM_AT..FIXED]);
        let got = header_checksum(&header);
        if got != wanted {
            return Err(corrupt(
                &source,
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
                &source,
                (record_end + at) as u64,
                "a byte that is not 0",
                "zeros up to the end of the header",
            ));
        }
        let container = Container {
            sections: directory(&source, &header[FIXED..directory_end], &fixed)?,
            checksums: header[directory_end..checksums_end]
                .chunks_exact(4)
                .map(u32::get)
                .collect(),
            record: header[checksums_end..record_end].to_vec(),
            record_offset: checksums_end as u64,
            source,
        };
        Ok(container)
    }

    /// The record.
    pub fn record(&self) -> &[u8] {
        &self.record
    }

    /// The byte in the file at which the record begins.
    pub fn record_offset(&self) -> u64 {
        self.record_offset
    }

    /// The directory, in the order of the file.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The section called `name`.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// Where the bytes come from.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// A reader of `section`.
    pub fn cursor<'c>(&'c self, section: &'c Section) -> Cursor<'c, S> {
        Cursor {
            container: self,
            section,
            chunk: None,
            buffer: Vec::new(),
        }
    }

    /// Reads everything and checks every checksum.
    ///
    /// # Errors
    /// At the first chunk that is damaged.
    pub fn verify(&self) -> Result<()> {
        for section in &self.sections {
            let mut cursor = self.cursor(section);
            for chunk in 0..section.padded().div_ceil(CHUNK) {
                cursor.load(chunk)?;
            }
        }
        Ok(())
    }

    /// The error of a damaged file.
    pub fn corrupt(&self, offset: u64, got: impl Into<String>, wanted: impl Into<String>) -> Error {
        corrupt(&self.source, offset, got, wanted)
    }
}

fn corrupt(
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

/// Reads elements of one section, wherever they stand; it keeps the last chunk, so neighbours cost nothing.
#[derive(Debug)]
pub struct Cursor<'c, S> {
    container: &'c Container<S>,
    section: &'c Section,
    chunk: Option<u64>,
    buffer: Vec<u8>,
}

impl<S: Source> Cursor<'_, S> {
    /// All elements.
    ///
    /// # Errors
    /// Where a chunk is damaged, or the section holds another type.
    pub fn all<T: Element>(&mut self) -> Result<Vec<T>> {
        // The section lies within the file, so this is no more than the file's length.
        let mut values = Vec::with_capacity(self.section.n_elements() as usize);
        self.append(0..self.section.n_elements(), &mut values)?;
        Ok(values)
    }

    /// Element `n`.
    ///
    /// # Errors
    /// Where there is no such element, its chunk is damaged, or the section holds another type.
    pub fn one<T: Element>(&mut self, n: u64) -> Result<T> {
        self.check::<T>(n..n.saturating_add(1))?;
        let start = n * T::TYPE.size();
        self.load(start / CHUNK)?;
        let within = (start % CHUNK) as usize;
        Ok(T::get(&self.buffer[within..within + size_of::<T>()]))
    }

    /// Appends some elements to `values`.
    ///
    /// # Errors
    /// Where there are no such elements, a chunk is damaged, or the section holds another type.
    pub fn append<T: Element>(&mut self, elements: Range<u64>, values: &mut Vec<T>) -> Result<()> {
        self.check::<T>(elements.clone())?;
        let size = T::TYPE.size();
        let (mut start, end) = (elements.start * size, elements.end * size);
        values.reserve(((end - start) / size) as usize);
        while start < end {
            let chunk = start / CHUNK;
            self.load(chunk)?;
            let stop = end.min((chunk + 1) * CHUNK);
            let within = (start - chunk * CHUNK) as usize..(stop - chunk * CHUNK) as usize;
            values.extend(self.buffer[within].chunks_exact(size as usize).map(T::get));
            start = stop;
        }
        Ok(())
    }

    fn check<T: Element>(&self, elements: Range<u64>) -> Result<()> {
        let section = self.section;
        if section.element != T::TYPE {
            let got = format!("{} of {}", section.name, section.element.name());
            return Err(self.container.corrupt(section.offset, got, T::TYPE.name()));
        }
        if elements.start > elements.end || elements.end > section.n_elements() {
            let got = format!(
                "elements {} to {} of {}",
                elements.start, elements.end, section.name
            );
            let wanted = format!("elements within its {}", section.n_elements());
            return Err(self.container.corrupt(section.offset, got, wanted));
        }
        Ok(())
    }

    /// Reads chunk `chunk` and checks it, unless it is the last one read.
    fn load(&mut self, chunk: u64) -> Result<()> {
        if self.chunk == Some(chunk) {
            return Ok(());
        }
        let section = self.section;
        let start = chunk * CHUNK;
        let length = CHUNK.min(section.padded() - start);
        self.chunk = None;
        self.buffer.resize(length as usize, 0);
        let at = section.offset + start;
        self.container.source.read_at(at, &mut self.buffer)?;
        let got = crc32fast::hash(&self.buffer);
        let wanted = self.container.checksums[section.first_checksum + chunk as usize];
        if got != wanted {
            let got = format!("{length} bytes of {} with checksum {got:08x}", section.name);
            return Err(self.container.corrupt(at, got, format!("{wanted:08x}")));
        }
        let elements = (section.length - start).min(length) as usize;
        if self.buffer[elements..].iter().any(|&b| b != 0) {
            let got = format!("a byte that is not 0 after the end of {}", section.name);
            return Err(self
                .container
                .corrupt(at + elements as u64, got, "padding of zeros"));
        }
        self.chunk = Some(chunk);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::sections::Sections;
    use super::*;

    const CONTENT: [u8; 4] = *b"test";

    fn small() -> Vec<u8> {
        let mut sections = Sections::new(CONTENT, vec![1, 2, 3]).unwrap();
        sections.add("factors", 3, &[1.5f32, -2.0, 0.25, 8.0, 9.0, 10.0][..]);
        sections.add("nothing", 1, &[][..] as &[u64]);
        sections.add("bytes", 1, &b"abc"[..]);
        sections.to_bytes()
    }

    /// A section of several chunks, whose last one is not full.
    fn large() -> (Vec<u8>, Vec<u32>) {
        let values: Vec<u32> = (0..40_001).map(|n| n * 7919).collect();
        let mut sections = Sections::new(CONTENT, Vec::new()).unwrap();
        sections.add("first", 1, &[1u8][..]);
        sections.add("values", 1, &values[..]);
        (sections.to_bytes(), values)
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = small();
        let file = Container::open(&bytes[..], CONTENT).unwrap();
        assert_eq!(file.record(), [1, 2, 3]);
        let names: Vec<&str> = file.sections().iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["factors", "nothing", "bytes"]);
        let factors = file.section("factors").unwrap();
        assert_eq!(
            file.cursor(factors).all::<f32>().unwrap(),
            [1.5, -2.0, 0.25, 8.0, 9.0, 10.0]
        );
        assert_eq!(file.cursor(factors).one::<f32>(4).unwrap(), 9.0);
        assert!(file.cursor(factors).one::<f32>(6).is_err());
        assert!(file.cursor(factors).one::<f32>(u64::MAX).is_err());
        assert!(file.cursor(factors).all::<u32>().is_err(), "another type");
        file.verify().unwrap();
    }

    #[test]
    fn any_range_over_chunk_borders_is_read() {
        let (bytes, values) = large();
        let file = Container::open(&bytes[..], CONTENT).unwrap();
        let mut cursor = file.cursor(file.section("values").unwrap());
        for range in [
            0..0,
            16_380..16_390,
            0..40_001,
            32_767..32_769,
            40_000..40_001,
        ] {
            let mut got: Vec<u32> = Vec::new();
            cursor.append(range.clone(), &mut got).unwrap();
            assert_eq!(got, values[range.start as usize..range.end as usize]);
        }
    }

    #[test]
    fn a_damaged_chunk_hurts_only_those_who_touch_it() {
        let (mut bytes, values) = large();
        let at = {
            let file = Container::open(&bytes[..], CONTENT).unwrap();
            file.section("values").unwrap().offset + CHUNK + 5
        };
        bytes[at as usize] ^= 1;
        let file = Container::open(&bytes[..], CONTENT).unwrap();
        let mut cursor = file.cursor(file.section("values").unwrap());
        assert_eq!(cursor.one::<u32>(3).unwrap(), values[3]);
        assert_eq!(cursor.one::<u32>(40_000).unwrap(), values[40_000]);
        assert!(cursor.one::<u32>(16_384).is_err(), "first of chunk 1");
        assert!(cursor.one::<u32>(16_384).is_err(), "asked again");
        assert_eq!(cursor.one::<u32>(16_383).unwrap(), values[16_383]);
        assert!(file.verify().is_err());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let whole = small();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let outcome = Container::open(&bytes[..], CONTENT).and_then(|file| file.verify());
            assert!(outcome.is_err(), "bit {bit}");
        }
        for length in 0..whole.len() {
            assert!(
                Container::open(&whole[..length], CONTENT).is_err(),
                "{length} bytes"
            );
        }
        let longer = [&whole[..], &[0; 64]].concat();
        assert!(Container::open(&longer[..], CONTENT).is_err());
        assert!(Container::open(&whole[..], *b"else").is_err());
    }

    #[test]
    fn padding_that_is_not_zero_is_refused_though_its_checksum_fits() {
        let mut bytes = small();
        let end = bytes.len();
        bytes[end - 1] = 1;
        let checksum = crc32fast::hash(&bytes[end - 64..]);
        // The last of two checksums stands after the header's 64 bytes and three entries.
        let at = FIXED + 3 * ENTRY + 4;
        bytes[at..at + 4].copy_from_slice(&checksum.to_le_bytes());
        let header_length = u64::get(&bytes[16..24]) as usize;
        let checksum = header_checksum(&bytes[..header_length]);
        bytes[CHECKSUM_AT..FIXED].copy_from_slice(&checksum.to_le_bytes());
        let file = Container::open(&bytes[..], CONTENT).unwrap();
        let error = file.verify().unwrap_err().to_string();
        assert!(error.contains("padding"), "{error}");
    }
}
