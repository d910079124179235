//! How does an array become a file that numpy reads, and back?
//!
//! Version 1.0 of the format (NumPy Enhancement Proposal 1):
//!
//! ```text
//! 93 "NUMPY"   01 00   length of the rest of the header, u16   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   spaces, newline
//! then the numbers, little-endian, row after row
//! ```
//!
//! The header is padded so that the numbers begin at a multiple of 64. Written are `<f4` and `<f8`; read are the same two, in C order, with at
//! most two dimensions. Everything else is refused in words, with the line of numpy that would mend it.

/// An array read from an .npy file. `f4` values are exact in `f64`.
#[derive(Clone, Debug, PartialEq)]
pub struct Npy {
    /// The length of each dimension; none for a single number.
    pub shape: Vec<usize>,
    /// The numbers, row after row.
    pub values: Vec<f64>,
}

/// The type of the numbers in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {
    /// `<f4`
    F4,
    /// `<f8`
    F8,
}

impl Float {
    fn size(self) -> usize {
        match self {
            Float::F4 => 4,
            Float::F8 => 8,
        }
    }
}

const MAGIC: &[u8] = b"\x93NUMPY";

/// The bytes of a file up to its first number.
pub fn header(float: Float, shape: &[usize]) -> Vec<u8> {
    let descr = match float {
        Float::F4 => "<f4",
        Float::F8 => "<f8",
    };
    let shape = match shape {
        [n] => format!("({n},)"),
        many => {
            let numbers: Vec<String> = many.iter().map(usize::to_string).collect();
            format!("({})", numbers.join(", "))
        }
    };
    let dictionary = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // Ten bytes stand before the dictionary, a newline after the padding.
    let total = (10 + dictionary.len() + 1).next_multiple_of(64);
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&((total - 10) as u16).to_le_bytes());
    bytes.extend_from_slice(dictionary.as_bytes());
    bytes.resize(total - 1, b' ');
    bytes.push(b'\n');
    bytes
}

/// The array in the bytes of a file; what is wrong with them otherwise: (got, wanted).
///
/// # Errors
/// Where it is no .npy file, is cut short, or holds what is not read here.
pub fn read(bytes: &[u8]) -> Result<Npy, (String, String)> {
    let wrong = |got: &str, wanted: &str| Err((got.to_owned(), wanted.to_owned()));
    let Some(after_magic) = bytes.strip_prefix(MAGIC) else {
        return wrong("another format", "an .npy file, as numpy.save writes it");
    };
    let (length, at) = match *after_magic {
        [1, _, a, b, ..] => (u64::from(u16::from_le_bytes([a, b])), 10),
        [2 | 3, _, a, b, c, d, ..] => (u64::from(u32::from_le_bytes([a, b, c, d])), 12),
        [version, ..] if version > 3 || version == 0 => {
            return wrong(&format!("npy version {version}"), "version 1, 2 or 3");
        }
        _ => return wrong("a file that is cut short", "a whole .npy file"),
    };
    let header = usize::try_from(length)
        .ok()
        .and_then(|length| bytes.get(at..)?.get(..length));
    let Some(header) = header else {
        return wrong("a file that is cut short", "a whole .npy file");
    };
    let data = &bytes[at + header.len()..];
    let Some(header) = std::str::from_utf8(header).ok().and_then(Header::parse) else {
        let wanted = "a header {'descr': …, 'fortran_order': …, 'shape': …}";
        return wrong("a header that is none", wanted);
    };
    let float = match header.descr {
        "<f4" => Float::F4,
        "<f8" => Float::F8,
        other => {
            let got = format!("numbers of type {other:?}");
            return wrong(&got, "'<f4' or '<f8': array.astype('<f4')");
        }
    };
    if header.fortran_order {
        return wrong(
            "columns one after the other",
            "rows: numpy.ascontiguousarray(array)",
        );
    }
    if header.shape.len() > 2 {
        let got = format!("an array of {} dimensions", header.shape.len());
        return wrong(&got, "at most 2");
    }
    let length = header
        .shape
        .iter()
        .try_fold(float.size(), |length, &n| length.checked_mul(n));
    if length != Some(data.len()) {
        let got = format!("{} bytes of numbers", data.len());
        let wanted = format!(
            "those of shape {:?} in {} bytes each",
            header.shape,
            float.size()
        );
        return wrong(&got, &wanted);
    }
    Ok(Npy {
        values: numbers(data, float),
        shape: header.shape,
    })
}

fn numbers(data: &[u8], float: Float) -> Vec<f64> {
    match float {
        Float::F4 => {
            let (numbers, _) = data.as_chunks::<4>();
            numbers
                .iter()
                .map(|&x| f32::from_le_bytes(x).into())
                .collect()
        }
        Float::F8 => {
            let (numbers, _) = data.as_chunks::<8>();
            numbers.iter().map(|&x| f64::from_le_bytes(x)).collect()
        }
    }
}

struct Header<'h> {
    descr: &'h str,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl<'h> Header<'h> {
    /// The three fields, in any order, as numpy's writers print them.
    fn parse(text: &'h str) -> Option<Header<'h>> {
        let descr = after(text, "descr")?;
        let quote = descr.chars().next().filter(|c| ['\'', '"'].contains(c))?;
        let descr = descr[1..].split(quote).next()?;
        let fortran_order = match after(text, "fortran_order")? {
            yes if yes.starts_with("True") => true,
            no if no.starts_with("False") => false,
            _ => return None,
        };
        let shape = after(text, "shape")?.strip_prefix('(')?;
        let (shape, _) = shape.split_once(')')?;
        let mut lengths = Vec::new();
        for number in shape.split(',').map(str::trim).filter(|n| !n.is_empty()) {
            lengths.push(number.parse().ok()?);
        }
        Some(Header {
            descr,
            fortran_order,
            shape: lengths,
        })
    }
}

/// What stands after a key and its colon.
fn after<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    [format!("'{key}'"), format!("\"{key}\"")]
        .iter()
        .find_map(|key| text.split_once(key.as_str()))
        .and_then(|(_, rest)| rest.trim_start().strip_prefix(':'))
        .map(str::trim_start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(float: Float, shape: &[usize], numbers: &[f32]) -> Vec<u8> {
        let mut bytes = header(float, shape);
        for &x in numbers {
            match float {
                Float::F4 => bytes.extend(x.to_le_bytes()),
                Float::F8 => bytes.extend(f64::from(x).to_le_bytes()),
            }
        }
        bytes
    }

    /// The bytes that numpy 2 writes for `np.array([[1.5], [-2.0]], dtype='<f4')`, worked out from the format's description.
    #[test]
    fn a_tiny_file_has_the_bytes_that_numpy_writes() {
        let mut wanted = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        wanted.extend(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }");
        wanted.extend([b' '; 58]);
        wanted.extend(b"\n\x00\x00\xc0\x3f\x00\x00\x00\xc0");
        assert_eq!(file(Float::F4, &[2, 1], &[1.5, -2.0]), wanted);
        assert_eq!(wanted.len(), 128 + 8);
    }

    #[test]
    fn what_is_written_is_read() {
        for float in [Float::F4, Float::F8] {
            for shape in [vec![], vec![6], vec![2, 3], vec![0, 3], vec![6, 1]] {
                let n = shape.iter().product::<usize>();
                let numbers: Vec<f32> = (0..n).map(|x| x as f32 / 3.0).collect();
                let npy = read(&file(float, &shape, &numbers)).unwrap();
                assert_eq!(npy.shape, shape);
                let back: Vec<f32> = npy.values.iter().map(|&x| x as f32).collect();
                assert_eq!(back, numbers);
            }
        }
    }

    #[test]
    fn what_is_not_read_is_refused_in_words() {
        let with = |dictionary: &str| {
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend((dictionary.len() as u16).to_le_bytes());
            bytes.extend(dictionary.as_bytes());
            bytes.extend([0; 24]);
            read(&bytes).map_err(|(got, wanted)| format!("{got} / {wanted}"))
        };
        let good = "{'shape': (3,2), 'descr':'<f4', 'fortran_order' : False}";
        assert_eq!(with(good).unwrap().shape, [3, 2]);
        for (dictionary, word) in [
            (
                "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }",
                "astype",
            ),
            (
                "{'descr': '>f4', 'fortran_order': False, 'shape': (6,), }",
                ">f4",
            ),
            (
                "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }",
                "ascontiguous",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 2), }",
                "3 dimensions",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2), }",
                "24 bytes",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
                "24 bytes",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 2), }",
                "header",
            ),
            (
                "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }",
                "header",
            ),
            ("nonsense", "header"),
        ] {
            let error = with(dictionary).unwrap_err();
            assert!(error.contains(word), "{dictionary}: {error}");
        }
        let whole = file(Float::F4, &[2, 3], &[0.0; 6]);
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
        assert!(read(&[&whole[..], &[0]].concat()).is_err());
        assert!(read(b"\x93NUMPY\x09\x00\x00\x00").is_err());
    }
}
