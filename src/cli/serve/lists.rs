//! How are lists for many users written?
//!
//! Users in blocks, every block a task: its lists are found and made into text on one thread, and the texts are written in the order of the users. What a row says
//! of an item (its id, title and genres) is made into text once.
//!
//! ```text
//! row = (user) · rank · (item, title, genres) · score          in brackets: text made once
//! ```

use std::io::{self, Write};

use serde::Serialize;

use super::recommend::{COLUMNS, row};
use crate::cli::lines::{end_of_row, fields};
use crate::cli::output::{Cell, Format, Output};
use crate::kernels::pool::Pool;
use crate::recommend::everyone::BLOCK;
use crate::recommend::{Everyone, Ranked, Recommender};
use crate::{Error, Model, Result};

/// Lines that are made before the first of them is written: enough work for every thread, and a bound for memory.
const LINES: usize = 1 << 16;
/// Tasks between two writes where lists are long.
const TASKS: usize = 16;

/// Many users and what they ask for.
pub(super) struct Lists<'a> {
    pub(super) model: &'a Model,
    pub(super) recommender: &'a Recommender<'a>,
    pub(super) users: &'a [u32],
    pub(super) pool: &'a Pool,
}

impl Lists<'_> {
    /// Writes every list and returns the number of lines.
    pub(super) fn write(&self, out: &mut Output<'_>) -> Result<u64> {
        let everyone = self.recommender.everyone();
        match out.format() {
            Format::Table => self.sections(&everyone, out),
            _ => self.lines(&everyone, out),
        }
    }

    /// A table with a heading for each user.
    fn sections(&self, everyone: &Everyone<'_>, out: &mut Output<'_>) -> Result<u64> {
        let mut listing = out.listing(&COLUMNS[1..])?;
        let mut n_lines = 0;
        for round in self.rounds() {
            let lists = self.pool.map(tasks(round), |users| everyone.top_n(users));
            for (&user, list) in round.iter().zip(lists.iter().flatten()) {
                for (&ranked, rank) in list.iter().zip(1..) {
                    row(&mut listing, &self.recommender.line(ranked, rank))?;
                }
                n_lines += list.len() as u64;
                listing.section(&format!("user {}", self.model.users().ids().name(user)))?;
            }
        }
        listing.finish()?;
        Ok(n_lines)
    }

    /// Rows of text.
    fn lines(&self, everyone: &Everyone<'_>, out: &mut Output<'_>) -> Result<u64> {
        let format = out.format();
        let items = 0..self.model.items().ids().len() as u32;
        let of_item = |item| self.of_item(format, item);
        let items: io::Result<Vec<Vec<u8>>> = self
            .pool
            .map(items.collect(), of_item)
            .into_iter()
            .collect();
        let items = items.map_err(Error::io(out.name(), "write"))?;
        let (mut n_lines, name) = (0, out.name().to_owned());
        let mut lines = out.lines(&COLUMNS)?;
        for round in self.rounds() {
            let texts = self.pool.map(tasks(round), |users| {
                let lists = everyone.top_n(users);
                let n = lists.iter().map(|list| list.len() as u64).sum::<u64>();
                self.text(format, users, &lists, &items)
                    .map(|text| (n, text))
            });
            for text in texts {
                let (n, text) = text.map_err(Error::io(&name, "write"))?;
                n_lines += n;
                lines.write(&text)?;
            }
        }
        lines.finish()?;
        Ok(n_lines)
    }

    /// The users of the lists that are in memory together.
    fn rounds(&self) -> impl Iterator<Item = &[u32]> {
        let longest = self.recommender.longest().max(1);
        self.users.chunks((LINES / longest).max(1))
    }

    /// The rows of some users.
    fn text(
        &self,
        format: Format,
        users: &[u32],
        lists: &[Vec<Ranked>],
        items: &[Vec<u8>],
    ) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        for (&user, list) in users.iter().zip(lists) {
            let user = self.of_user(format, user)?;
            for (ranked, rank) in list.iter().zip(1u32..) {
                let (open, key, close): (&[u8], &[u8], &[u8]) = match format {
                    Format::Csv => (b"", b"", b""),
                    _ => (b"{", b"\"rank\":", b"}"),
                };
                text.extend_from_slice(open);
                text.extend_from_slice(&user);
                text.extend_from_slice(key);
                write!(text, "{rank},")?;
                text.extend_from_slice(&items[ranked.item as usize]);
                match format {
                    Format::Csv => write!(text, "{}", ranked.score)?,
                    _ => {
                        text.extend_from_slice(b"\"score\":");
                        serde_json::to_writer(&mut text, &ranked.score)?;
                    }
                }
                text.extend_from_slice(close);
                text.extend_from_slice(end_of_row(format));
            }
        }
        Ok(text)
    }

    /// What every row of a user begins with.
    fn of_user(&self, format: Format, user: u32) -> io::Result<Vec<u8>> {
        #[derive(Serialize)]
        struct OfUser<'a> {
            user: &'a str,
        }
        let user = self.model.users().ids().name(user);
        fields(format, &OfUser { user }, &[Cell::Text(user)])
    }

    /// What every row of an item says of it.
    fn of_item(&self, format: Format, item: u32) -> io::Result<Vec<u8>> {
        #[derive(Serialize)]
        struct OfItem<'a> {
            item: &'a str,
            title: Option<&'a str>,
            genres: &'a [String],
        }
        let line = self.recommender.line(Ranked { item, score: 0.0 }, 1);
        let value = OfItem {
            item: &line.item,
            title: line.title.as_deref(),
            genres: &line.genres,
        };
        let cells = [
            Cell::Text(value.item),
            Cell::Text(value.title.unwrap_or_default()),
            Cell::List(value.genres),
        ];
        fields(format, &value, &cells)
    }
}

/// Cuts a round by its length alone.
fn tasks(round: &[u32]) -> Vec<&[u32]> {
    let block = (round.len() / TASKS).clamp(1, BLOCK);
    round.chunks(block).collect()
}
