//! What stands between two fields, and where does a field end?
//!
//! One pass over the bytes. A field that opens with `"` runs to its closing quote, over separators and line ends (RFC 4180; a quote
//! inside is doubled); a quote in the middle of a field is a character like any other.
//!
//! A comma, a tab, a semicolon or a double colon is found out from the first lines; anything else must be named. The test: the right
//! one cuts every line into equally many fields.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// What stands between two fields of a line.
///
/// ```
/// use lowrank::data::reader::Separator;
/// assert_eq!("tab".parse::<Separator>()?, Separator::TAB);
/// assert_eq!("|".parse::<Separator>()?.to_string(), "|");
/// assert!("ab".parse::<Separator>().is_err());
/// # Ok::<(), lowrank::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Separator {
    pub(super) byte: u8,
    /// Whether the byte stands twice. Then no field is quoted: the files that use it know no quotes.
    pub(super) twice: bool,
}

impl Separator {
    /// `,`
    pub const COMMA: Separator = Separator::once(b',');
    /// The tabulator.
    pub const TAB: Separator = Separator::once(b'\t');
    /// `;`
    pub const SEMICOLON: Separator = Separator::once(b';');
    /// `::`, as in the older MovieLens sets.
    pub const DOUBLE_COLON: Separator = Separator {
        byte: b':',
        twice: true,
    };
    /// Those that are found out, in the order in which a tie is broken.
    pub(super) const KNOWN: [Separator; 4] = [
        Separator::TAB,
        Separator::DOUBLE_COLON,
        Separator::SEMICOLON,
        Separator::COMMA,
    ];

    const fn once(byte: u8) -> Separator {
        Separator { byte, twice: false }
    }
}

impl Default for Separator {
    fn default() -> Separator {
        Separator::COMMA
    }
}

/// As the flag `--sep` takes it: the character itself, or `tab`.
impl fmt::Display for Separator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Separator { twice: true, .. } => write!(f, "::"),
            Separator { byte: b'\t', .. } => write!(f, "tab"),
            Separator { byte: b' ', .. } => write!(f, "space"),
            Separator { byte, .. } => write!(f, "{}", *byte as char),
        }
    }
}

impl FromStr for Separator {
    type Err = Error;

    fn from_str(text: &str) -> Result<Separator> {
        match text {
            "tab" | "\\t" => return Ok(Separator::TAB),
            "comma" => return Ok(Separator::COMMA),
            "semicolon" => return Ok(Separator::SEMICOLON),
            "space" => return Ok(Separator::once(b' ')),
            "::" => return Ok(Separator::DOUBLE_COLON),
            _ => {}
        }
        match *text.as_bytes() {
            // Not what numbers, names and quoted fields are made of.
            [byte] if byte == b'\t' || byte == b' ' => Ok(Separator::once(byte)),
            [byte] if byte.is_ascii_punctuation() && !b"\"'+-._".contains(&byte) => {
                Ok(Separator::once(byte))
            }
            _ => Err(Error::config(
                "sep",
                super::shown(text),
                "tab, ::, or one character such as , ; | or a space",
            )),
        }
    }
}

/// How many records are looked at.
const LOOK: usize = 16;

/// The candidate that cuts the first records of `block` into equally many fields, at least two, and most of them; where there is none, the one that cuts
/// the first record into most. `whole`: whether `block` is all there is.
pub(super) fn detect(block: &[u8], whole: bool, candidates: &[Separator]) -> Separator {
    let mut best = (false, 1, Separator::COMMA);
    for &candidate in candidates {
        let (even, n_fields) = cut(block, whole, candidate);
        if (even && n_fields > 1, n_fields) > (best.0, best.1) {
            best = (even && n_fields > 1, n_fields, candidate);
        }
    }
    best.2
}

/// Whether all of the first records have as many fields as the first one, and how many that is.
fn cut(mut block: &[u8], whole: bool, separator: Separator) -> (bool, usize) {
    let mut fields: Vec<Span> = Vec::new();
    let mut first = None;
    let mut seen = 0;
    while seen < LOOK && !block.is_empty() {
        fields.clear();
        match scan(block, separator, whole, &mut fields) {
            Scan::Record { text, next, .. } => {
                if !is_blank(&block[..text]) {
                    seen += 1;
                    if *first.get_or_insert(fields.len()) != fields.len() {
                        return (false, first.unwrap_or(1));
                    }
                }
                block = &block[next..];
            }
            Scan::Cut { .. } => break,
            Scan::Nul { .. } | Scan::AfterQuote { .. } => return (false, first.unwrap_or(1)),
        }
    }
    (true, first.unwrap_or(1))
}

/// Where a field lies in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Whether there are doubled quotes in it.
    pub(super) doubled: bool,
}

/// What [`scan`] found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// A record: where its text ends, where the next one starts, and how many line ends are in its quoted fields.
    Record {
        text: usize,
        next: usize,
        inner: u64,
    },
    /// The window ends before the record does; in a quoted field, where that opened.
    Cut { quote: Option<usize> },
    /// A NUL byte.
    Nul { at: usize },
    /// Something between a closing quote and the next separator.
    AfterQuote { open: usize, at: usize },
}

/// Cuts the first record of `window` into `fields`. `whole`: whether nothing follows the window.
pub(super) fn scan(
    window: &[u8],
    separator: Separator,
    whole: bool,
    fields: &mut Vec<Span>,
) -> Scan {
    let mut start = 0;
    let mut inner = 0;
    loop {
        let quoted = !separator.twice && window.get(start) == Some(&b'"');
        let (span, end) = if quoted {
            match scan_quoted(window, start) {
                Ok((close, doubled)) => {
                    inner += newlines(&window[start..close]);
                    (span(start + 1, close, doubled), close + 1)
                }
                Err(stopped) => return stopped,
            }
        } else {
            let end = scan_plain(window, start, separator);
            (span(start, end, false), end)
        };
        let rest = &window[end..];
        let step = match rest {
            [0, ..] => return Scan::Nul { at: end },
            [b, ..] if *b == separator.byte => {
                fields.push(span);
                start = end + 1 + usize::from(separator.twice);
                continue;
            }
            [b'\n', ..] => 1,
            // Only after a closing quote: in a plain field the CR was scanned over.
            [b'\r', b'\n', ..] => 2,
            [] | [b'\r'] if whole => rest.len(),
            [] | [b'\r'] => return Scan::Cut { quote: None },
            _ => {
                return Scan::AfterQuote {
                    open: start,
                    at: end,
                };
            }
        };
        let mut text = end;
        fields.push(span);
        if !quoted && end > start && window[end - 1] == b'\r' {
            text -= 1;
            if let Some(last) = fields.last_mut() {
                last.end -= 1;
            }
        }
        return Scan::Record {
            text,
            next: end + step,
            inner,
        };
    }
}

fn span(start: usize, end: usize, doubled: bool) -> Span {
    // A window is at most a block.
    Span {
        start: start as u32,
        end: end as u32,
        doubled,
    }
}

/// The end of the plain field at `start`: a separator, a line feed, a NUL, or the end of the window.
#[inline]
fn scan_plain(window: &[u8], start: usize, separator: Separator) -> usize {
    let mut at = start;
    loop {
        match window[at..]
            .iter()
            .position(|&b| b == separator.byte || b == b'\n' || b == 0)
        {
            None => return window.len(),
            Some(found) => at += found,
        }
        // A single one of a double separator is a character like any other.
        let single = separator.twice
            && window[at] == separator.byte
            && window.get(at + 1) != Some(&separator.byte);
        if !single {
            return at;
        }
        at += 1;
    }
}

/// The closing quote of the field that opens at `start`, and whether there are doubled quotes before it.
fn scan_quoted(window: &[u8], start: usize) -> Result<(usize, bool), Scan> {
    let mut at = start + 1;
    let mut doubled = false;
    loop {
        match window[at..].iter().position(|&b| b == b'"' || b == 0) {
            None => return Err(Scan::Cut { quote: Some(start) }),
            Some(found) => at += found,
        }
        if window[at] == 0 {
            return Err(Scan::Nul { at });
        }
        if window.get(at + 1) != Some(&b'"') {
            return Ok((at, doubled));
        }
        doubled = true;
        at += 2;
    }
}

/// Whether a line counts as blank: nothing, or nothing but spaces.
pub(super) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|&b| b == b' ')
}

/// The number of line feeds.
pub(super) fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&b| b == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_the_one_that_cuts_evenly() {
        let cases = [
            ("a,b,c\nd,e,f\n", Separator::COMMA),
            ("a\tb,c\nd\te\n", Separator::TAB),
            ("1;2;3,5\n4;5;6,5\n", Separator::SEMICOLON),
            (
                "1::Toy Story, The::x|y\n2::Heat::z\n",
                Separator::DOUBLE_COLON,
            ),
            ("\"a;b;c\",d\n\"e\",f\n", Separator::COMMA),
            ("\n\na;b\n", Separator::SEMICOLON),
            // No candidate is even: the first record decides.
            ("a;b;c\nd,e\nf\n", Separator::SEMICOLON),
            ("alone\n", Separator::COMMA),
            ("", Separator::COMMA),
        ];
        for (text, wanted) in cases {
            assert_eq!(
                detect(text.as_bytes(), true, &Separator::KNOWN),
                wanted,
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_record_that_the_block_cuts_is_not_counted() {
        assert_eq!(
            detect(b"a,b,c\nd,e,f\ng,h", false, &Separator::KNOWN),
            Separator::COMMA
        );
        assert_eq!(cut(b"a,b,c\ng,h", true, Separator::COMMA), (false, 3));
    }

    #[test]
    fn what_cannot_be_a_separator_is_refused() {
        for text in ["", "ab", "a", "5", "\"", "\n", "\0", "é", "-", "."] {
            assert!(text.parse::<Separator>().is_err(), "{text:?}");
        }
        for text in [",", "tab", ";", "::", "|", "space", ":"] {
            let separator: Separator = text.parse().unwrap();
            assert_eq!(separator.to_string(), text);
        }
    }
}
