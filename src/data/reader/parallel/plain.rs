//! How are plain lines read fast?
//!
//! Nearly all lines of a ratings file are plain: names of printable ASCII without quotes, a number such as 4 or 3.5, a time in whole
//! seconds. [`Plain`] reads a run of them in one pass, eight bytes at a time, and stops where a line is anything else: that one goes the
//! long way through `records` and `ratings`, which define what a line says and what is wrong with it.

use super::words::{LOW, above_nine, decimal, first, load, special, zero_bytes};
use crate::data::Interactions;
use crate::data::interner::{Key, SHORT};
use crate::data::reader::columns::Layout;
use crate::data::reader::naming::{Local, MAX_DIGITS, Overlay};
use crate::data::reader::{Role, Separator, values};

/// A longer line takes the long way.
const LONGEST: usize = 1024;

/// Lines whose names are looked up together: the memory that one lookup waits for is fetched while the others are on their way.
const RUN: usize = 128;

/// Reads the plain lines of one file.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    /// The role of each field.
    roles: Vec<Option<Role>>,
    separator: Separator,
}

/// A name in the text.
#[derive(Clone, Copy, Debug, Default)]
struct Name {
    start: u32,
    end: u32,
    /// The whole number it says.
    value: u32,
    /// Of one that is not too long.
    key: Key,
}

/// [`Name::value`] of a name that says none.
const NO_VALUE: u32 = u32::MAX;

/// What a line says.
#[derive(Clone, Copy, Debug)]
struct Line {
    user: Name,
    item: Name,
    rating: f32,
    weight: f32,
    timestamp: i64,
}

/// A run of lines.
#[derive(Debug)]
pub(super) struct Run {
    lines: Vec<Line>,
    guesses: Vec<Option<u32>>,
}

impl Default for Run {
    fn default() -> Run {
        let line = Line {
            user: Name::default(),
            item: Name::default(),
            rating: 1.0,
            weight: 1.0,
            timestamp: 0,
        };
        Run {
            lines: vec![line; RUN],
            guesses: Vec::new(),
        }
    }
}

impl Name {
    fn new(start: usize, n: usize, value: u32, key: Key) -> Name {
        // A place in a block.
        let (start, end) = (start as u32, (start + n) as u32);
        Name {
            start,
            end,
            value,
            key,
        }
    }

    fn is_short(&self) -> bool {
        self.end - self.start <= SHORT as u32
    }
}

impl Plain {
    pub(super) fn new(layout: &Layout, separator: Separator) -> Plain {
        let mut roles = vec![None; layout.n_fields];
        for (role, n) in layout.roles() {
            roles[n] = Some(role);
        }
        Plain { roles, separator }
    }

    /// Adds the plain lines that `text` starts with: the bytes and lines that they are.
    pub(super) fn rows(
        &self,
        text: &[u8],
        names: &mut Local<'_>,
        run: &mut Run,
        all: &mut Interactions,
    ) -> (usize, u64) {
        let (mut start, mut rows) = (0, 0);
        loop {
            let mut n = 0;
            for line in &mut run.lines {
                let Some(next) = self.line(text, start, line) else {
                    break;
                };
                start = next;
                n += 1;
            }
            let lines = &run.lines[..n];
            rows += n as u64;
            all.ratings.extend(lines.iter().map(|line| line.rating));
            if let Some(timestamps) = &mut all.timestamps {
                timestamps.extend(lines.iter().map(|line| line.timestamp));
            }
            if let Some(weights) = &mut all.weights {
                weights.extend(lines.iter().map(|line| line.weight));
            }
            let users = lines.iter().map(|line| &line.user);
            let items = lines.iter().map(|line| &line.item);
            numbers(
                text,
                users,
                &mut names.users,
                &mut run.guesses,
                &mut all.users,
            );
            numbers(
                text,
                items,
                &mut names.items,
                &mut run.guesses,
                &mut all.items,
            );
            if n < RUN {
                return (start, rows);
            }
        }
    }

    /// Reads the line at `start`, if it is plain and not among the last few bytes, and says where the next one starts.
    #[inline]
    fn line(&self, text: &[u8], start: usize, line: &mut Line) -> Option<usize> {
        let last = self.roles.len() - 1;
        let mut at = start;
        for (n, role) in self.roles.iter().enumerate() {
            let end = match role {
                Some(Role::User) => self.name(text, at, &mut line.user)?,
                Some(Role::Item) => self.name(text, at, &mut line.item)?,
                Some(Role::Rating) => self.rating(text, at, &mut line.rating)?,
                Some(Role::Timestamp) => self.timestamp(text, at, &mut line.timestamp)?,
                Some(Role::Weight) => {
                    let end = self.end(text, at)?;
                    line.weight = values::weight(ascii(&text[at..end])?)?;
                    end
                }
                None => self.end(text, at)?,
            };
            at = if n < last {
                self.after_separator(text, end)?
            } else {
                after_line(text, end)?
            };
        }
        (at - start <= LONGEST).then_some(at)
    }

    /// Past the separator at `at`.
    #[inline]
    fn after_separator(&self, text: &[u8], at: usize) -> Option<usize> {
        let Separator { byte, twice } = self.separator;
        let there = *text.get(at)? == byte && (!twice || *text.get(at + 1)? == byte);
        there.then_some(at + 1 + usize::from(twice))
    }

    /// The end of the field at `at`: before the first byte that is the separator's, or no printable ASCII.
    #[inline]
    fn end(&self, text: &[u8], at: usize) -> Option<usize> {
        let mut end = at;
        if *text.get(at)? == b'"' {
            return None;
        }
        loop {
            let special = special(load(text, end)?, self.separator.byte);
            end += zero_bytes(special);
            if special != 0 {
                return Some(end);
            }
            if end - at > LONGEST {
                return None;
            }
        }
    }

    /// Reads the name at `at`, which is not empty, and says where it ends.
    #[inline(always)]
    fn name(&self, text: &[u8], at: usize, name: &mut Name) -> Option<usize> {
        let low = load(text, at)?;
        let digits = low ^ (LOW * b'0' as u64);
        let n = zero_bytes(above_nine(digits));
        if (1..=MAX_DIGITS).contains(&n) && text[at + n] == self.separator.byte {
            // "007" is no other way to write "7".
            let usual = n == 1 || digits & 0xFF != 0;
            let value = if usual { decimal(digits, n) } else { NO_VALUE };
            *name = Name::new(at, n, value, Key::short(first(low, n), 0, n));
            return Some(at + n);
        }
        let end = self.end(text, at)?;
        let n = end - at;
        let key = match n {
            0 => return None,
            1..=8 => Key::short(first(low, n), 0, n),
            9..=SHORT => Key::short(low, first(load(text, at + 8)?, n - 8), n),
            _ => Key::default(),
        };
        *name = Name::new(at, n, NO_VALUE, key);
        Some(end)
    }

    /// Reads the number at `at` and says where it ends.
    #[inline]
    fn rating(&self, text: &[u8], at: usize, rating: &mut f32) -> Option<usize> {
        let word = load(text, at)?;
        let byte = |n: u32| (word >> (8 * n)) as u8;
        let digit = |n: u32| byte(n).wrapping_sub(b'0');
        let ends = |n: u32| byte(n) == self.separator.byte || byte(n) < b' ';
        // The two usual forms, as `values` has them.
        if digit(0) <= 9 {
            if ends(1) {
                *rating = f32::from(digit(0));
                return Some(at + 1);
            }
            if byte(1) == b'.' && digit(2) <= 9 && ends(3) {
                *rating = f32::from(digit(0) * 10 + digit(2)) / 10.0;
                return Some(at + 3);
            }
        }
        let end = self.end(text, at)?;
        *rating = values::rating(ascii(&text[at..end])?)?;
        Some(end)
    }

    /// Reads the time at `at` and says where it ends.
    #[inline]
    fn timestamp(&self, text: &[u8], at: usize, timestamp: &mut i64) -> Option<usize> {
        let digits = load(text, at)? ^ (LOW * b'0' as u64);
        let n = zero_bytes(above_nine(digits));
        let (value, n) = if n < 8 {
            (u64::from(decimal(digits, n)), n)
        } else {
            let more = load(text, at + 8)? ^ (LOW * b'0' as u64);
            let m = zero_bytes(above_nine(more));
            let high = u64::from(decimal(digits, 8)) * TENS[m];
            (high + u64::from(decimal(more, m)), 8 + m)
        };
        let stop = *text.get(at + n)?;
        if (1..16).contains(&n) && (stop == self.separator.byte || stop < b' ') {
            *timestamp = value as i64;
            return Some(at + n);
        }
        let end = self.end(text, at)?;
        *timestamp = values::timestamp(ascii(&text[at..end])?)?;
        Some(end)
    }
}

const TENS: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];

/// Adds the numbers of names.
#[inline]
fn numbers<'a>(
    text: &[u8],
    all: impl Iterator<Item = &'a Name> + Clone,
    names: &mut Overlay<'_>,
    guesses: &mut Vec<Option<u32>>,
    column: &mut Vec<u32>,
) {
    guess(all.clone(), names, guesses);
    // Many files come by user: a name that is not guessed may be the one before.
    let (mut last, mut number) = (Key::default(), 0);
    column.extend(all.zip(guesses).map(|(name, guess)| {
        if let Some(guess) = guess {
            return *guess;
        }
        if name.key != last || !name.is_short() {
            let bytes = &text[name.start as usize..name.end as usize];
            let key = match name.is_short() {
                true => name.key,
                false => names.known.key(bytes),
            };
            number = names.number(bytes, key);
            last = name.key;
        }
        number
    }));
}

/// The numbers of most of the known names. There is no branch on what memory says, so many lookups wait for it at once.
#[inline]
fn guess<'a>(
    all: impl Iterator<Item = &'a Name> + Clone,
    names: &Overlay<'_>,
    guesses: &mut Vec<Option<u32>>,
) {
    let Overlay { known, values, .. } = names;
    guesses.clear();
    if all.clone().all(|name| name.value != NO_VALUE) {
        guesses.extend(all.map(|name| values.get(name.value)));
        return;
    }
    guesses.extend(all.clone().map(|name| known.guess(name.key)));
    for (guess, name) in guesses.iter_mut().zip(all) {
        *guess = guess.filter(|&number| name.is_short() & known.has(number, name.key));
    }
}

/// Past the line end at `at`.
#[inline]
fn after_line(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at..)? {
        [b'\n', ..] => Some(at + 1),
        [b'\r', b'\n', ..] => Some(at + 2),
        _ => None,
    }
}

fn ascii(text: &[u8]) -> Option<&str> {
    std::str::from_utf8(text).ok()
}
