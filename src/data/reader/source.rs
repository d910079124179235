//! Is it packed, and does it end?
//!
//! A file is packed if it starts with gzip's two bytes, whatever its name. A packed file may unpack to a thousand times its size, and a
//! hostile one has nothing else in mind: past 64 MiB, more than 500 bytes for one is refused (ratings pack to a fifth).

use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::parquet;
use crate::{Error, Result};

/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1F, 0x8B];
/// Unpacked bytes below which any ratio is fine.
const FREE: u64 = 64 << 20;
/// The greatest number of unpacked bytes for a packed one. Deflate's own bound is about 1,032.
const MAX_RATIO: u64 = 500;

/// The first bytes, looked at, and the rest.
type Whole<'a> = Chain<Cursor<Vec<u8>>, Box<dyn Read + 'a>>;

/// Where bytes come from, unpacked.
pub(crate) struct Source<'a> {
    kind: Kind<'a>,
    /// Bytes given so far.
    given: u64,
}

enum Kind<'a> {
    Plain(Whole<'a>),
    Packed(Box<MultiGzDecoder<BufReader<Counted<Whole<'a>>>>>),
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (packed, given) = (self.packed(), self.given);
        write!(f, "Source {{ packed: {packed}, given: {given} }}")
    }
}

impl<'a> Source<'a> {
    /// Opens a file.
    pub(crate) fn open(path: &Path) -> Result<Source<'static>> {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let metadata = file.metadata().map_err(Error::io(path, "read"))?;
        if metadata.is_dir() {
            return Err(Error::File {
                path: path.into(),
                got: "a folder".into(),
                wanted: "a file".into(),
            });
        }
        if parquet::is_called_so(path) {
            return Source::new(parquet::text(file, path)?, path);
        }
        Source::new(file, path)
    }

    /// Looks at the first bytes of `reader`; `path` is its name in errors.
    pub(crate) fn new(mut reader: impl Read + 'a, path: &Path) -> Result<Source<'a>> {
        let mut first = Vec::new();
        (&mut reader)
            .take(GZIP.len() as u64)
            .read_to_end(&mut first)
            .map_err(Error::io(path, "read"))?;
        let packed = first == GZIP;
        let whole = Cursor::new(first).chain(Box::new(reader) as Box<dyn Read + 'a>);
        let kind = if packed {
            let counted = Counted {
                reader: whole,
                count: 0,
            };
            Kind::Packed(Box::new(MultiGzDecoder::new(BufReader::with_capacity(
                1 << 16,
                counted,
            ))))
        } else {
            Kind::Plain(whole)
        };
        Ok(Source { kind, given: 0 })
    }

    /// One that has nothing.
    pub(super) fn empty() -> Source<'static> {
        let reader = Box::new(io::empty()) as Box<dyn Read>;
        Source {
            kind: Kind::Plain(Cursor::new(Vec::new()).chain(reader)),
            given: 0,
        }
    }

    /// Whether the bytes come packed.
    pub(crate) fn packed(&self) -> bool {
        matches!(self.kind, Kind::Packed(_))
    }

    /// Reads some bytes, as [`Read::read`] does.
    pub(crate) fn read(&mut self, buffer: &mut [u8], path: &Path) -> Result<usize> {
        let bad = |got: String| Error::File {
            path: path.into(),
            got,
            wanted: "a whole gzip file".into(),
        };
        loop {
            let got = match &mut self.kind {
                Kind::Plain(reader) => reader.read(buffer),
                Kind::Packed(reader) => reader.read(buffer),
            };
            match got {
                Ok(n) => {
                    self.given += n as u64;
                    if let Kind::Packed(reader) = &self.kind {
                        let taken = reader.get_ref().get_ref().count;
                        if self.given > FREE && self.given / MAX_RATIO > taken {
                            return Err(bad(format!(
                                "{taken} packed bytes that unpack to more than {} MiB",
                                self.given >> 20
                            )));
                        }
                    }
                    return Ok(n);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if self.packed() && error.kind() == ErrorKind::UnexpectedEof => {
                    return Err(bad("a gzip file that is cut short".into()));
                }
                Err(error)
                    if self.packed()
                        && matches!(
                            error.kind(),
                            ErrorKind::InvalidInput | ErrorKind::InvalidData
                        ) =>
                {
                    return Err(bad(format!("a gzip file that is damaged ({error})")));
                }
                Err(error) => return Err(Error::io(path, "read")(error)),
            }
        }
    }
}

/// Counts what is read.
struct Counted<R> {
    reader: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.count += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn all(bytes: &[u8]) -> Result<Vec<u8>> {
        let path = Path::new("test");
        let mut source = Source::new(bytes, path)?;
        let (mut all, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
        loop {
            match source.read(&mut buffer, path)? {
                0 => return Ok(all),
                n => all.extend_from_slice(&buffer[..n]),
            }
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_bytes_and_packed_members_come_out_as_they_were() {
        assert_eq!(all(b"").unwrap(), b"");
        assert_eq!(all(b"a").unwrap(), b"a");
        assert_eq!(all(b"abc").unwrap(), b"abc");
        let two = [gzip(b"abc"), gzip(b""), gzip(b"def")].concat();
        assert_eq!(all(&two).unwrap(), b"abcdef");
    }

    #[test]
    fn what_is_cut_short_or_damaged_is_said_to_be() {
        let mut packed = gzip(b"1,2,3\n4,5,6\n");
        for len in 2..packed.len() {
            let error = all(&packed[..len]).unwrap_err().to_string();
            assert!(error.contains("cut short"), "{len} bytes: {error}");
        }
        let last = packed.len() - 6;
        packed[last] ^= 1;
        let error = all(&packed).unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    }

    #[test]
    fn a_file_that_unpacks_without_end_is_refused() {
        let blank = vec![b'\n'; 2 * FREE as usize];
        let error = all(&gzip(&blank)).unwrap_err().to_string();
        assert!(error.contains("unpack to more than 64 MiB"), "{error}");
    }
}
