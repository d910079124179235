//! How are a record and many arrays laid out in one file?
//!
//! A header that says everything about the file, then the arrays as they are. All numbers are little-endian.
//!
//! ```text
//! offset        bytes   header                                 H bytes
//! 0             8       89 6C 6F 77 72 61 6E 6B                ("lowrank" after a byte that no text has)
//! 8             4       format version, u32                    1
//! 12            4       content, four ASCII letters            what the record and the sections mean
//! 16            8       H, u64                                 a multiple of 64
//! 24            8       S, u64                                 the number of sections
//! 32            8       C, u64                                 the number of checksums
//! 40            8       R, u64                                 the bytes of the record, at most 2²⁰
//! 48            12      0
//! 60            4       CRC-32 of bytes 0..60 and 64..H
//! 64            80·S    the directory, an entry a section
//! 64 + 80·S     4·C     the checksums, u32 each: those of the first section, those of the second, …
//!  … + 4·C      R       the record
//!  … + R                0, up to H
//!
//! offset        bytes   entry of the directory
//! 0             44      name, ASCII from '!' to '~', then zeros; no two sections have the same
//! 44            4       element type, u32                      see `element`
//! 48            8       rows, u64
//! 56            8       columns, u64                           1 for a vector
//! 64            8       offset from the start of the file, u64
//! 72            8       length in bytes, u64                   rows · columns · bytes of an element
//!
//! from H on             the sections in the directory's order, row after row, each padded with zeros to a multiple of 64
//! ```
//!
//! The first section begins at H, each other where the one before it ends, and the last ends with the file. A section with its
//! padding is cut into chunks of 64 KiB, the last one shorter; each has a CRC-32 (IEEE 802.3) among the checksums. So **every bit of the file
//! stands under a checksum**, and a reader of a few rows reads and checks the chunks that it touches, no more. The header of a file
//! of 1 GiB has 64 KiB of checksums.
//!
//! The same content gives the same bytes. A new element type needs no new version: a reader that does not want it
//! says so. Sections begin at multiples of 64, so that a view of them without copying is possible where memory is aligned.
//!
//! Here is how a file is written; how it is read stands in [`container`](super::container).

use super::element::{Data, Element};
use crate::{Error, Result};

/// What every file begins with.
pub const MAGIC: [u8; 8] = *b"\x89lowrank";
/// The version that is written here.
pub const VERSION: u32 = 1;
/// Bytes before the directory.
pub(super) const FIXED: usize = 64;
/// Where the header's checksum stands.
pub(super) const CHECKSUM_AT: usize = 60;
/// Bytes of an entry of the directory.
pub(super) const ENTRY: usize = 80;
/// The longest name.
pub(super) const NAME: usize = 44;
/// Sections and the header are padded to a multiple of it: a cache line.
pub const ALIGNMENT: u64 = 64;
/// Bytes under one checksum.
pub const CHUNK: u64 = 64 * 1024;
/// The longest record.
pub const MAX_RECORD: usize = 1 << 20;

/// The content of a file, to be written: a record and sections. It borrows the arrays, and copies a chunk at a time.
///
/// ```
/// use lowrank::storage::{Container, Sections};
/// let mut sections = Sections::new(*b"demo", b"two rows of three".to_vec())?;
/// sections.add("table", 3, &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0][..]);
/// let bytes = sections.to_bytes();
///
/// let file = Container::open(&bytes[..], *b"demo")?;
/// assert_eq!(file.record(), b"two rows of three");
/// let table = file.section("table").expect("it was written above");
/// assert_eq!((table.rows, table.columns), (2, 3));
/// assert_eq!(file.cursor(table).all::<f32>()?, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// # Ok::<(), lowrank::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sections<'a> {
    content: [u8; 4],
    record: Vec<u8>,
    sections: Vec<Named<'a>>,
}

#[derive(Clone, Debug)]
struct Named<'a> {
    name: String,
    columns: usize,
    data: Data<'a>,
}

/// The bytes of a file with a record and sections of such lengths.
pub fn file_bytes(record: usize, lengths: impl Iterator<Item = u64>) -> u64 {
    let (mut header, mut content) = ((FIXED + record) as u64, 0);
    for length in lengths {
        let padded = length.next_multiple_of(ALIGNMENT);
        header += ENTRY as u64 + 4 * padded.div_ceil(CHUNK);
        content += padded;
    }
    header.next_multiple_of(ALIGNMENT) + content
}

impl<'a> Sections<'a> {
    /// A file with this record and no sections yet.
    ///
    /// # Errors
    /// Where the record is longer than 1 MiB.
    pub fn new(content: [u8; 4], record: Vec<u8>) -> Result<Sections<'a>> {
        if record.len() > MAX_RECORD {
            return Err(Error::Corrupt {
                path: Default::default(),
                offset: 0,
                got: format!("a record of {} bytes", record.len()),
                wanted: format!("at most {MAX_RECORD}"),
            });
        }
        Ok(Sections {
            content,
            record,
            sections: Vec::new(),
        })
    }

    /// Adds a section: rows of `columns` elements.
    ///
    /// # Panics
    /// Where the elements are no whole number of rows, or the name is not 1 to 44 visible ASCII characters. A reader refuses two
    /// sections of one name.
    pub fn add(&mut self, name: impl Into<String>, columns: usize, data: impl Into<Data<'a>>) {
        let (name, data) = (name.into(), data.into());
        assert!(is_name(name.as_bytes()), "{name:?} is no name of a section");
        assert!(
            data.is_empty() || data.len().is_multiple_of(columns.max(1)),
            "{name}: {} elements are no rows of {columns}",
            data.len()
        );
        self.sections.push(Named {
            name,
            columns,
            data,
        });
    }

    /// The names and elements of the sections so far.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Data<'a>)> {
        self.sections.iter().map(|s| (s.name.as_str(), &s.data))
    }

    /// Hands the file to `sink`, piece by piece, in order. Cost: the arrays are encoded twice, because their checksums come first.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn write_to<E>(&self, mut sink: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        sink(&self.header())?;
        let mut buffer = Vec::new();
        for section in &self.sections {
            section.chunks(&mut buffer, &mut sink)?;
        }
        Ok(())
    }

    /// The file, in memory.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let never = self.write_to(|piece| {
            bytes.extend_from_slice(piece);
            Ok::<(), std::convert::Infallible>(())
        });
        match never {
            Ok(()) => bytes,
        }
    }

    fn header(&self) -> Vec<u8> {
        let mut checksums: Vec<u32> = Vec::new();
        let mut buffer = Vec::new();
        for section in &self.sections {
            let never = section.chunks(&mut buffer, &mut |chunk: &[u8]| {
                checksums.push(crc32fast::hash(chunk));
                Ok::<(), std::convert::Infallible>(())
            });
            match never {
                Ok(()) => {}
            }
        }
        let unpadded =
            FIXED + ENTRY * self.sections.len() + 4 * checksums.len() + self.record.len();
        let length = (unpadded as u64).next_multiple_of(ALIGNMENT);

        let mut header = Vec::with_capacity(length as usize);
        header.extend_from_slice(&MAGIC);
        VERSION.put(&mut header);
        header.extend_from_slice(&self.content);
        length.put(&mut header);
        for count in [self.sections.len(), checksums.len(), self.record.len()] {
            (count as u64).put(&mut header);
        }
        header.resize(FIXED, 0);
        let mut offset = length;
        for section in &self.sections {
            section.entry(offset, &mut header);
            offset += section.length().next_multiple_of(ALIGNMENT);
        }
        for checksum in checksums {
            checksum.put(&mut header);
        }
        header.extend_from_slice(&self.record);
        header.resize(length as usize, 0);
        let checksum = header_checksum(&header);
        header[CHECKSUM_AT..FIXED].copy_from_slice(&checksum.to_le_bytes());
        header
    }
}

impl Named<'_> {
    /// Bytes without padding.
    fn length(&self) -> u64 {
        self.data.len() as u64 * self.data.element().size()
    }

    fn entry(&self, offset: u64, header: &mut Vec<u8>) {
        let end = header.len() + NAME;
        header.extend_from_slice(self.name.as_bytes());
        header.resize(end, 0);
        self.data.element().code().put(header);
        let rows = self.data.len().checked_div(self.columns).unwrap_or(0);
        for number in [rows as u64, self.columns as u64, offset, self.length()] {
            number.put(header);
        }
    }

    /// Calls `each` with every chunk, padding included.
    fn chunks<E>(
        &self,
        buffer: &mut Vec<u8>,
        each: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let per_chunk = (CHUNK / self.data.element().size()) as usize;
        let n = self.data.len();
        for start in (0..n).step_by(per_chunk) {
            buffer.clear();
            self.data.put(start..n.min(start + per_chunk), buffer);
            buffer.resize(buffer.len().next_multiple_of(ALIGNMENT as usize), 0);
            each(buffer)?;
        }
        Ok(())
    }
}

/// The CRC-32 of a header but for the place where it stands itself.
pub(super) fn header_checksum(header: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[..CHECKSUM_AT]);
    hasher.update(&header[FIXED..]);
    hasher.finalize()
}

/// Whether a section may be called that.
pub(super) fn is_name(bytes: &[u8]) -> bool {
    (1..=NAME).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_file_is_known_beforehand() {
        let mut sections = Sections::new(*b"test", vec![0; 100]).unwrap();
        let mut lengths = Vec::new();
        for n in 0..30u64 {
            // From nothing to four chunks.
            let numbers = vec![0u32; 2000 * n as usize + n as usize % 3];
            lengths.push(4 * numbers.len() as u64);
            sections.add(format!("numbers.{n}"), 1, numbers);
        }
        let length = file_bytes(100, lengths.into_iter());
        assert_eq!(sections.to_bytes().len() as u64, length);
    }

    /// The bytes of a small file, worked out by hand from the table above.
    #[test]
    fn a_small_file_has_the_bytes_of_the_table() {
        let mut sections = Sections::new(*b"test", vec![7, 8]).unwrap();
        sections.add("ab", 2, &[1u32, 2, 3, 4][..]);
        let bytes = sections.to_bytes();
        // 64 + 80 + 4 + 2 = 150, padded to 192; one section of 16 bytes, padded to 64.
        assert_eq!(bytes.len(), 192 + 64);
        assert_eq!(file_bytes(2, [16].into_iter()), bytes.len() as u64);
        assert_eq!(bytes[..8], [0x89, b'l', b'o', b'w', b'r', b'a', b'n', b'k']);
        assert_eq!(bytes[8..16], [1, 0, 0, 0, b't', b'e', b's', b't']);
        let number = |at: usize| u64::get(&bytes[at..at + 8]);
        assert_eq!([16, 24, 32, 40].map(number), [192, 1, 1, 2]);
        assert_eq!(bytes[48..60], [0; 12]);
        assert_eq!(bytes[64..66], *b"ab");
        assert_eq!(bytes[66..108], [0; 42]);
        assert_eq!(bytes[108..112], [2, 0, 0, 0]);
        assert_eq!([112, 120, 128, 136].map(number), [2, 2, 192, 16]);
        assert_eq!(
            bytes[144..148],
            crc32fast::hash(&bytes[192..256]).to_le_bytes()
        );
        assert_eq!(bytes[148..150], [7, 8]);
        assert_eq!(bytes[150..192], [0; 42]);
        assert_eq!(
            bytes[192..208],
            [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]
        );
        assert_eq!(bytes[208..256], [0; 48]);
        let zeroed: Vec<u8> = [&bytes[..60], &bytes[64..192]].concat();
        assert_eq!(bytes[60..64], crc32fast::hash(&zeroed).to_le_bytes());
    }

    #[test]
    fn a_record_beyond_the_limit_is_refused() {
        assert!(Sections::new(*b"test", vec![0; MAX_RECORD]).is_ok());
        assert!(Sections::new(*b"test", vec![0; MAX_RECORD + 1]).is_err());
    }
}
