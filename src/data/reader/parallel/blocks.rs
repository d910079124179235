//! Where may a file be cut into blocks?
//!
//! At the end of a record, so that each block can be read by itself. That is after the last line feed read so far, unless a quoted field is
//! open there:
//!
//! ```text
//! 196,"Heat⏎1995",3⏎ | 22,"Alien⏎            a quote opens a field after a separator or a line feed, and nowhere else
//!      inside: no cut  ↑ cut   ↑ not here     what follows the cut is carried over to the next block
//! ```
//!
//! Only what is read sequentially is done here: unpacking, looking for quotes, and cutting.

use std::path::{Path, PathBuf};

use crate::data::reader::Separator;
use crate::data::reader::records::{MAX_RECORD, Rest};
use crate::{Error, Result};

/// Whole records of a file.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// What lies behind is of no use.
    pub(super) end: usize,
}

/// The blocks of a file.
#[derive(Debug)]
pub(super) struct Blocks<'a> {
    /// What was not looked at yet: bytes in hand, then those of the source.
    rest: Rest<'a>,
    /// How many bytes in hand were looked at.
    taken: usize,
    /// What was looked at and is in no block; it starts with a record.
    carried: Vec<u8>,
    /// Whether there is no more than that.
    done: bool,
    path: PathBuf,
    separator: Separator,
    /// As much is read at once.
    size: usize,
    /// Blocks to be used again.
    spare: Vec<Block>,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(rest: Rest<'a>, path: &Path, separator: Separator, size: usize) -> Self {
        Blocks {
            rest,
            taken: 0,
            carried: Vec::new(),
            done: false,
            path: path.into(),
            separator,
            size,
            spare: Vec::new(),
        }
    }

    /// The next `n` blocks, or as many as there are; and what went wrong behind them.
    pub(super) fn batch(&mut self, n: usize) -> (Vec<Block>, Option<Error>) {
        let mut batch = Vec::new();
        while batch.len() < n {
            let mut block = self.spare.pop().unwrap_or_default();
            match self.next(&mut block) {
                Ok(true) => batch.push(block),
                Ok(false) => break,
                Err(error) => return (batch, Some(error)),
            }
        }
        (batch, None)
    }

    /// Takes back a block that was read.
    pub(super) fn give_back(&mut self, block: Block) {
        self.spare.push(block);
    }

    /// Fills `block` with the next records: one at least, `false` where there are none. The last block may end within a record, or with one that is too long.
    fn next(&mut self, block: &mut Block) -> Result<bool> {
        let bytes = &mut block.bytes;
        block.end = self.carried.len();
        if bytes.len() < block.end {
            bytes.resize(block.end, 0);
        }
        bytes[..block.end].copy_from_slice(&self.carried);
        self.carried.clear();
        let mut cut = 0;
        while cut == 0 && !self.done {
            self.fill(block)?;
            cut = match self.done {
                true => block.end,
                false => last_record_end(&block.bytes[..block.end], self.separator),
            };
            if cut == 0 && block.end > MAX_RECORD {
                // The reader of the block refuses this record, and nothing behind it counts.
                (self.done, cut) = (true, block.end);
            }
        }
        if cut > 0 {
            self.carried.extend_from_slice(&block.bytes[cut..block.end]);
            block.end = cut;
        }
        Ok(block.end > 0)
    }

    /// Reads up to `size` more bytes.
    fn fill(&mut self, block: &mut Block) -> Result<()> {
        let full = block.end + self.size;
        if block.bytes.len() < full {
            block.bytes.resize(full, 0);
        }
        while block.end < full {
            match self.read(&mut block.bytes[block.end..full])? {
                0 => {
                    self.done = true;
                    break;
                }
                n => block.end += n,
            }
        }
        Ok(())
    }

    /// Some bytes that were not looked at yet.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let ahead = &self.rest.ahead[self.taken..];
        if ahead.is_empty() && !self.rest.done {
            return self.rest.source.read(buffer, &self.path);
        }
        let n = ahead.len().min(buffer.len());
        buffer[..n].copy_from_slice(&ahead[..n]);
        self.taken += n;
        Ok(n)
    }
}

/// Behind the last record that ends in `bytes`, which start with a record; 0 where none does.
fn last_record_end(bytes: &[u8], separator: Separator) -> usize {
    let last_line = |from: usize, to: usize| {
        let found = bytes[from..to].iter().rposition(|&b| b == b'\n');
        found.map(|at| from + at + 1)
    };
    let quote = |from: usize| {
        let found = bytes[from..].iter().position(|&b| b == b'"');
        found.map(|at| from + at)
    };
    let quotes = !separator.twice && bytes.contains(&b'"');
    if !quotes {
        return last_line(0, bytes.len()).unwrap_or(0);
    }
    let (mut at, mut end) = (0, 0);
    // `at` is outside of quotes.
    while let Some(open) = quote(at) {
        end = last_line(at, open).unwrap_or(end);
        let before = open.checked_sub(1).map(|n| bytes[n]);
        if before.is_some_and(|b| b != b'\n' && b != separator.byte) {
            // In the middle of a field it is a character like any other.
            at = open + 1;
            continue;
        }
        at = open + 1;
        loop {
            let Some(close) = quote(at) else {
                return end;
            };
            at = close + 1;
            if bytes.get(at) != Some(&b'"') {
                break;
            }
            at += 1;
        }
    }
    last_line(at, bytes.len()).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_never_within_quotes() {
        for (text, end) in [
            ("a,b\nc", 4),
            ("a,b", 0),
            ("", 0),
            ("\n\n", 2),
            ("a,\"b\nc\"\nd,\"e\n", 8),
            ("\"a\n", 0),
            ("a\n\"b\"\"\n", 2),
            ("a\n\"b\"\"\n\"\n", 9),
            // A quote within a field opens nothing.
            ("a,b\"\nc,d\n", 9),
            ("a,b \"c\n\"d\ne", 5 + 2),
            ("a,\"b\"\n\"c\"\nd", 10),
            // Nothing opens directly behind a closing quote.
            ("\"a\" \"b\nc", 7),
        ] {
            let found = last_record_end(text.as_bytes(), Separator::COMMA);
            assert_eq!(found, end, "{text:?}");
        }
        let double = last_record_end(b"a::\"b\nc", Separator::DOUBLE_COLON);
        assert_eq!(double, 6);
    }
}
