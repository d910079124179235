//! How do several threads read one file, and find what one thread finds?
//!
//! ```text
//! source ─▶ blocks ─▶ batch ─▶ each block's rows, side by side ─▶ merged in the order of the file ─▶ columns
//! (one thread: unpack, cut)    (names: known, or new here)        (new names get their numbers)       (a task each)
//! ```
//!
//! Three batches are on their way at any time: while one is read by the threads, the one before goes into the columns, and the caller's own
//! thread reads the one behind from the source. Names that are new in a batch are merged between two batches; later in a file there are
//! next to none.
//!
//! A block in which anything is wrong, or that could pass a limit, is read again, line by line with its true line number, by
//! [`RatingsReader::rows`]: the same errors as without blocks, and the first one in the file.
//!
//! | file | question |
//! |---|---|
//! | `blocks` | where may a file be cut? |
//! | `piece` | what does a thread make of one block? |
//! | `plain` | how are plain lines read fast? |
//! | `words` | what do eight bytes at once say? |

mod blocks;
mod piece;
mod plain;
mod words;

use std::mem::take;
use std::path::{Path, PathBuf};

use super::columns::Layout;
use super::naming::Values;
use super::ratings::RatingsReader;
use super::records::{BLOCK, MAX_BLANK, Records, blank_lines};
use super::{Limits, Separator};
use crate::Result;
use crate::kernels::pool::Pool;
use blocks::{Block, Blocks};
use piece::{Piece, appending};
use plain::Plain;

/// How much is in hand at once. The result does not depend on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Bytes of a block, about.
    pub(super) block: usize,
    /// Blocks of a batch.
    pub(super) batch: usize,
}

impl Sizes {
    /// Blocks that lie in a core's cache, and enough of them to keep `threads` busy.
    pub(super) fn new(threads: usize) -> Sizes {
        Sizes {
            block: BLOCK,
            batch: (12 * threads).min(192),
        }
    }
}

/// How the lines of a file are read.
#[derive(Debug)]
pub(super) struct Manner {
    path: PathBuf,
    separator: Separator,
    layout: Layout,
    plain: Plain,
    limits: Limits,
}

impl Manner {
    pub(super) fn new(path: &Path, separator: Separator, layout: &Layout, limits: Limits) -> Self {
        Manner {
            path: path.into(),
            separator,
            layout: layout.clone(),
            plain: Plain::new(layout, separator),
            limits,
        }
    }
}

/// The state of reading a file.
struct Merger<'a> {
    reader: &'a mut RatingsReader,
    manner: &'a Manner,
    /// Those of users and of items.
    values: [Values; 2],
    /// The rows of all blocks so far, whether they are in the columns or not.
    n_rows: usize,
    /// The line of the next block.
    line: u64,
    /// Blank lines directly before it.
    blank: u64,
    /// Merged pieces that are not in the columns.
    waiting: Vec<Piece>,
    /// Pieces to be used again.
    spare: Vec<Piece>,
}

/// Adds the rows of all that `records` has not given yet.
pub(super) fn rows(
    reader: &mut RatingsReader,
    records: Records<'_>,
    manner: &Manner,
    threads: usize,
    sizes: Option<Sizes>,
) -> Result<()> {
    let rest = records.into_rest();
    // What is in hand already is not worth starting threads.
    let pool = Pool::new(if rest.done && sizes.is_none() {
        1
    } else {
        threads
    });
    let sizes = sizes.unwrap_or_else(|| Sizes::new(pool.threads()));
    let mut merger = Merger {
        n_rows: reader.interactions.len(),
        line: rest.line,
        blank: 0,
        waiting: Vec::new(),
        spare: Vec::new(),
        values: Default::default(),
        reader,
        manner,
    };
    merger.learn();
    let mut blocks = Blocks::new(rest, &manner.path, manner.separator, sizes.block);
    // The first batches are small: all names are new there, and the threads do not know those of each other.
    let mut size = pool.threads().min(sizes.batch);
    let (mut batch, mut failure) = blocks.batch(size);
    while !batch.is_empty() {
        size = (2 * size).min(sizes.batch);
        let mut pieces = merger.pieces(batch);
        (batch, failure) = merger.step(&pool, &mut pieces, || match failure {
            Some(error) => (Vec::new(), Some(error)),
            None => blocks.batch(size),
        });
        for piece in pieces {
            blocks.give_back(merger.merge(piece)?);
        }
        merger.learn();
    }
    merger.append();
    failure.map_or(Ok(()), Err)
}

impl Merger<'_> {
    /// A piece for each block.
    fn pieces(&mut self, blocks: Vec<Block>) -> Vec<Piece> {
        let RatingsReader {
            users,
            items,
            interactions,
            ..
        } = &*self.reader;
        let piece = |block| {
            let spare = self.spare.pop();
            let mut piece = spare.unwrap_or_else(|| Piece::new(users, items, interactions));
            piece.block = block;
            piece
        };
        blocks.into_iter().map(piece).collect()
    }

    /// Reads `pieces` and puts those that wait into the columns, while this thread does `own`.
    fn step<R>(&mut self, pool: &Pool, pieces: &mut [Piece], own: impl FnOnce() -> R) -> R {
        let RatingsReader {
            users,
            items,
            interactions,
            ..
        } = &mut *self.reader;
        let (names, values, manner) = ([&*users, &*items], &self.values, self.manner);
        let mut tasks = appending(interactions, &self.waiting);
        for piece in pieces {
            tasks.push(Box::new(|| piece.read(manner, names, values)));
        }
        let result = pool.beside(tasks, own);
        self.spare.append(&mut self.waiting);
        result
    }

    /// Enters new names that are whole numbers.
    fn learn(&mut self) {
        let [users, items] = &mut self.values;
        users.learn(&self.reader.users);
        items.learn(&self.reader.items);
    }

    /// Puts the pieces that wait into the columns.
    fn append(&mut self) {
        for task in appending(&mut self.reader.interactions, &self.waiting) {
            task();
        }
        self.spare.append(&mut self.waiting);
    }

    /// Gives the rows of the next piece their names and lines for good.
    fn merge(&mut self, mut piece: Piece) -> Result<Block> {
        self.pass_blank(&piece)?;
        let mut block = take(&mut piece.block);
        let reader = &mut *self.reader;
        let limits = self.manner.limits;
        let fits = self.n_rows + piece.rows.len() <= limits.max_rows as usize
            && reader.users.len() + piece.users.new.len() <= limits.max_ids as usize
            && reader.items.len() + piece.items.new.len() <= limits.max_ids as usize;
        if fits && !piece.failed {
            piece.users.merge(&mut reader.users);
            piece.items.merge(&mut reader.items);
            for &(row, line) in piece.lines.starts() {
                let (row, line) = (self.n_rows + row, self.line + line - 1);
                reader.lines.push(row, line);
            }
            self.n_rows += piece.rows.len();
            self.line += piece.n_lines;
            self.waiting.push(piece);
            return Ok(block);
        }
        self.append();
        let Manner {
            path,
            separator,
            layout,
            ..
        } = self.manner;
        let bytes = take(&mut block.bytes);
        let mut records = Records::of_block(bytes, block.end, path, *separator, self.line);
        self.reader.rows(&mut records, layout, limits)?;
        self.n_rows = self.reader.interactions.len();
        self.line = records.line();
        block.bytes = records.into_block();
        self.spare.push(piece);
        Ok(block)
    }

    /// Counts blank lines from block to block.
    fn pass_blank(&mut self, piece: &Piece) -> Result<()> {
        let (before, behind) = piece.blank;
        self.blank += before;
        if self.blank > MAX_BLANK {
            return Err(blank_lines(&self.manner.path));
        }
        if piece.lines.first().is_some() {
            self.blank = behind;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::reader::records::MAX_RECORD;
    use crate::data::reader::{FileReport, ReadOptions, Source};
    use crate::data::{Interactions, Interner};
    use proptest::prelude::*;

    /// What was found out, the rows, their lines, the names of users and items.
    type Found = (FileReport, Interactions, Vec<u64>, [String; 2]);

    /// Everything that reading `text` comes to: in blocks of these sizes, or by the definition.
    fn read(text: &[u8], options: &ReadOptions, sizes: Option<Sizes>) -> Result<Found, String> {
        let path = Path::new("r.csv");
        let mut reader = RatingsReader::ratings();
        let source = Source::new(text, path).unwrap();
        let report = reader.read_with(source, path, options, |reader, mut records, layout| {
            if sizes.is_none() {
                return reader.rows(&mut records, layout, options.limits);
            }
            let manner = Manner::new(path, records.separator(), layout, options.limits);
            rows(reader, records, &manner, options.threads, sizes)
        });
        let n_rows = reader.interactions.len();
        let lines = (0..n_rows).map(|row| reader.lines.of(row).1).collect();
        let names = |names: Interner| names.finish().names().iter().collect::<Vec<_>>().join("|");
        Ok((
            report.map_err(|error| error.to_string())?,
            reader.interactions,
            lines,
            [names(reader.users), names(reader.items)],
        ))
    }

    /// A line, nearly always one that is right; `,` is to be replaced by the separator.
    fn line() -> impl Strategy<Value = Vec<u8>> {
        const ROW: &str = "([1-9][0-9]{0,2}|0[0-9]{0,2}|[a-c]{1,3}|user-[0-9]{4,18}|é[a-c])\
            ,([1-9]{1,2}|[0-9]{6,10}|x y|[x-z]{1,17})\
            ,([1-5]|[0-9]\\.[0-9]|-?[0-9]{1,3}\\.[0-9]{0,3}|1e2| 4 )\
            ,([0-9]{1,16}|[1-9]\\.5)\r?\n";
        const QUOTED: &str =
            "\"([a-c]|\n|\"\"|,|\r\n){1,4}\",(\"[x-z]\n?\"|x\"y),\"3\",(5|\"5\"|6)\r?\n";
        const BAD: [&[u8]; 13] = [
            b"a,x,3\n",
            b"a,x,3,5,6\n",
            b",x,3,5\n",
            b"a,,3,5\n",
            b"a,x,,5\n",
            b"a,x,five,5\n",
            b"a,x,3,soon\n",
            b"a,x,3,\n",
            b"a,x,3\r,4\n",
            b"a,x\0,3,4\n",
            b"\"a,x,3,5\n",
            b"\"a\"b,x,3,5\n",
            b"\xFF,x,3,5\n",
        ];
        prop_oneof![
            80 => ROW.prop_map(String::into_bytes),
            6 => QUOTED.prop_map(String::into_bytes),
            6 => "(\n|  \n|\r\n){1,3}".prop_map(String::into_bytes),
            1 => (0..BAD.len()).prop_map(|n| BAD[n].to_vec()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]
        #[test]
        fn blocks_of_any_size_give_what_the_definition_gives(
            header in any::<bool>(),
            lines in proptest::collection::vec(line(), 1..60),
            separator in prop_oneof![Just(","), Just("tab"), Just("::")],
            cut in 0usize..8,
            weight in any::<bool>(),
            small in prop_oneof![4 => Just(None), 1 => (2u32..20, 2u32..40).prop_map(Some)],
            (block, batch, threads) in (1usize..120, 1usize..6, 1usize..4),
        ) {
            let mut text = if header { b"user,item,rating,timestamp\n".to_vec() } else { Vec::new() };
            text.extend(lines.concat());
            // Half of the files end in the middle of a line.
            text.truncate(text.len().saturating_sub(cut.saturating_sub(3)));
            let between: &[u8] = match separator {
                "tab" => b"\t",
                other => other.as_bytes(),
            };
            let text = text.split(|&b| b == b',').collect::<Vec<_>>().join(between);
            let columns = if weight { "user,item,rating,weight" } else { "user,item,rating,time" };
            let options = ReadOptions {
                columns: (!header).then(|| columns.parse().unwrap()),
                separator: Some(separator.parse().unwrap()),
                weight: None,
                limits: small.map_or_else(Limits::default, |(max_ids, max_rows)| Limits { max_ids, max_rows }),
                threads,
            };
            let wanted = read(&text, &options, None);
            let found = read(&text, &options, Some(Sizes { block, batch }));
            prop_assert_eq!(found, wanted, "{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn a_record_is_refused_by_its_length_alone_whatever_the_block() {
        for (len, fits) in [(MAX_RECORD, true), (MAX_RECORD + 1, false)] {
            for before in ["", "a,b,1\n", "\n\n"] {
                for end in ["", "\n", "\nc,d,2\n"] {
                    let name = "x".repeat(len - 4);
                    for name in [format!("\"{}\"", &name[2..]), name] {
                        let text = format!("u,i,4\n{before}{name},i,3{end}");
                        let options = ReadOptions {
                            threads: 2,
                            ..ReadOptions::default()
                        };
                        let wanted = read(text.as_bytes(), &options, None);
                        assert_eq!(wanted.is_ok(), fits);
                        for block in [500, 10_000, BLOCK] {
                            let sizes = Sizes { block, batch: 2 };
                            let found = read(text.as_bytes(), &options, Some(sizes));
                            assert_eq!(found, wanted, "{len} {before:?} {end:?} {block}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn blank_lines_are_counted_over_blocks() {
        let options = ReadOptions {
            threads: 2,
            ..ReadOptions::default()
        };
        for (more, fits) in [(0, true), (1, false)] {
            let blank = "\n".repeat(MAX_BLANK as usize + more);
            let text = format!("u,i,4\n{blank}v,j,5\n");
            let found = read(text.as_bytes(), &options, Some(Sizes::new(2)));
            assert_eq!(found.is_ok(), fits);
            assert_eq!(found, read(text.as_bytes(), &options, None));
        }
    }

    #[test]
    fn what_the_source_says_comes_after_what_its_bytes_say() {
        struct Broken<'a>(&'a [u8]);
        impl std::io::Read for Broken<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                match self.0.read(buffer)? {
                    0 => Err(std::io::Error::other("the cable is cut")),
                    n => Ok(n),
                }
            }
        }
        // Blocks that are whole before the source breaks are read, and what is wrong in them comes first.
        let rows = "u,i,4\n".repeat(BLOCK);
        for (bad, wanted) in [("", "the cable is cut"), ("u,i,five\n", "\"five\"")] {
            let text = format!("{rows}{bad}{rows}");
            let path = Path::new("r.csv");
            let source = Source::new(Broken(text.as_bytes()), path).unwrap();
            let error = RatingsReader::ratings().read(source, path, &ReadOptions::default());
            let error = error.unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
