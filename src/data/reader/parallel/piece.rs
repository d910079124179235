//! What does a thread make of one block?
//!
//! Rows whose users and items have the numbers of known names, or local ones for names that are new; they get their numbers for good when the blocks are merged.

use std::mem::take;

use super::Manner;
use super::blocks::Block;
use super::plain::Run;
use crate::data::reader::lines::Lines;
use crate::data::reader::naming::{Local, Overlay, Values};
use crate::data::reader::ratings::row;
use crate::data::reader::records::Records;
use crate::data::{Interactions, Interner};
use crate::kernels::pool::Task;

/// The rows of a block.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) block: Block,
    /// Users and items have the numbers of [`Local`].
    pub(super) rows: Interactions,
    /// Lines counted from the block's first, which is 1.
    pub(super) lines: Lines,
    /// How many lines there are.
    pub(super) n_lines: u64,
    /// Whether there is anything wrong.
    pub(super) failed: bool,
    /// Blank lines before the first record and behind the last one; all of them where there is no record.
    pub(super) blank: (u64, u64),
    pub(super) users: Side,
    pub(super) items: Side,
    run: Run,
}

/// The names of a block's users, or of its items.
#[derive(Debug)]
pub(super) struct Side {
    /// The number of names known before.
    base: u32,
    /// The others.
    pub(super) new: Interner,
    /// Their numbers for good.
    numbers: Vec<u32>,
}

impl Side {
    fn new(known: &Interner) -> Side {
        Side {
            base: 0,
            new: known.beside(),
            numbers: Vec::new(),
        }
    }

    fn overlay<'a>(&'a mut self, known: &'a Interner, values: &'a Values) -> Overlay<'a> {
        self.base = known.len() as u32;
        self.numbers.clear();
        self.new.clear();
        Overlay {
            known,
            values,
            new: &mut self.new,
        }
    }

    /// Gives the new names their numbers for good.
    pub(super) fn merge(&mut self, known: &mut Interner) {
        let names = self.new.entries();
        self.numbers
            .extend(names.map(|(key, name)| known.intern_key(key, name)));
    }

    /// Adds rows by their numbers for good.
    fn append(&self, rows: &[u32], column: &mut Vec<u32>) {
        if self.numbers.is_empty() {
            column.extend_from_slice(rows);
            return;
        }
        column.extend(rows.iter().map(|&row| match row.checked_sub(self.base) {
            Some(new) => self.numbers[new as usize],
            None => row,
        }));
    }
}

impl Piece {
    pub(super) fn new(users: &Interner, items: &Interner, rows: &Interactions) -> Piece {
        Piece {
            block: Block::default(),
            rows: Interactions {
                weights: rows.weights.as_ref().map(|_| Vec::new()),
                timestamps: rows.timestamps.as_ref().map(|_| Vec::new()),
                ..Interactions::default()
            },
            lines: Lines::default(),
            n_lines: 0,
            failed: false,
            blank: (0, 0),
            users: Side::new(users),
            items: Side::new(items),
            run: Run::default(),
        }
    }

    /// Reads the rows of the block.
    pub(super) fn read(
        &mut self,
        manner: &Manner,
        [users, items]: [&Interner; 2],
        [user_values, item_values]: &[Values; 2],
    ) {
        clear(&mut self.rows);
        self.lines = Lines::default();
        let mut names = Local {
            users: self.users.overlay(users, user_values),
            items: self.items.overlay(items, item_values),
        };
        let Manner {
            path,
            separator,
            layout,
            plain,
            ..
        } = manner;
        let bytes = take(&mut self.block.bytes);
        let mut records = Records::of_block(bytes, self.block.end, path, *separator, 1);
        let mut behind = 1;
        self.failed = loop {
            let (first, line) = (self.rows.len(), records.line());
            let (bytes, n_lines) =
                plain.rows(records.ahead(), &mut names, &mut self.run, &mut self.rows);
            if n_lines > 0 {
                records.skip(bytes, n_lines);
                self.lines.push(first, line);
                behind = records.line();
            }
            let record = match records.next() {
                Ok(None) => break false,
                Ok(Some(record)) => record,
                Err(_) => break true,
            };
            let line = record.line;
            if row(record, layout, u32::MAX, &mut self.rows, &mut names).is_err() {
                break true;
            }
            self.lines.push(self.rows.len() - 1, line);
            behind = records.line();
        };
        self.n_lines = records.line() - 1;
        self.block.bytes = records.into_block();
        self.blank = match self.lines.first() {
            Some(line) => (line - 1, self.n_lines + 1 - behind),
            None => (self.n_lines, self.n_lines),
        };
    }
}

/// A task for each column: what `waiting` has for it.
pub(super) fn appending<'a>(all: &'a mut Interactions, waiting: &'a [Piece]) -> Vec<Task<'a>> {
    fn add<T: Copy>(column: &mut Option<Vec<T>>, more: &Option<Vec<T>>) {
        if let (Some(column), Some(more)) = (column, more) {
            column.extend_from_slice(more);
        }
    }
    if waiting.is_empty() {
        return Vec::new();
    }
    let Interactions {
        users,
        items,
        ratings,
        weights,
        timestamps,
    } = all;
    let mut tasks: Vec<Task<'a>> = vec![
        Box::new(move || {
            for piece in waiting {
                piece.users.append(&piece.rows.users, users);
            }
        }),
        Box::new(move || {
            for piece in waiting {
                piece.items.append(&piece.rows.items, items);
            }
        }),
        Box::new(move || {
            for piece in waiting {
                ratings.extend_from_slice(&piece.rows.ratings);
            }
        }),
    ];
    if weights.is_some() || timestamps.is_some() {
        tasks.push(Box::new(move || {
            for piece in waiting {
                add(weights, &piece.rows.weights);
                add(timestamps, &piece.rows.timestamps);
            }
        }));
    }
    tasks
}

/// Empties all columns.
fn clear(rows: &mut Interactions) {
    rows.users.clear();
    rows.items.clear();
    rows.ratings.clear();
    rows.weights.iter_mut().for_each(Vec::clear);
    rows.timestamps.iter_mut().for_each(Vec::clear);
}
