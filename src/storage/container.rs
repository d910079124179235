//! How is a file of sections read, a part at a time, and every damage noticed?
//!
//! Opening reads and checks the header alone (see [`header`](super::header)). After that a
//! [`Cursor`] reads elements of a section, a chunk of 64 KiB at a time, and checks each chunk that it touches.
//!
//! Memory: the header, the directory, one chunk a cursor, and what the caller asks for; never more because of a number in the file.

use std::ops::Range;

use super::element::Element;
use super::header::{Header, Section, corrupt};
use super::sections::CHUNK;
use super::source::Source;
use crate::{Error, Result};

/// An open file of sections.
#[derive(Debug)]
pub struct Container<S> {
    source: S,
    header: Header,
}

impl<S: Source> Container<S> {
    /// Reads and checks the header of a file whose content is marked `content`.
    ///
    /// # Errors
    /// Where it is no such file, or damaged, or cut short.
    pub fn open(source: S, content: [u8; 4]) -> Result<Container<S>> {
        let header = Header::read(&source, content)?;
        Ok(Container { source, header })
    }

    /// The record.
    pub fn record(&self) -> &[u8] {
        &self.header.record
    }

    /// The byte in the file at which the record begins.
    pub fn record_offset(&self) -> u64 {
        self.header.record_offset
    }

    /// The directory, in the order of the file.
    pub fn sections(&self) -> &[Section] {
        &self.header.sections
    }

    /// The section called `name`.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.header
            .sections
            .iter()
            .find(|section| section.name == name)
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
        for section in &self.header.sections {
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
        let wanted = self.container.header.checksums[section.first_checksum + chunk as usize];
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
    use super::super::sections::{CHECKSUM_AT, ENTRY, FIXED, Sections, header_checksum};
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
