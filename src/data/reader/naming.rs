//! Which number does a name get?
//!
//! Reading line by line, the next one ([`Global`]). Blocks that are read side by side cannot know it, so there a name that was known before
//! the blocks keeps its number, and a new one gets a number that holds within its block ([`Local`]):
//!
//! ```text
//! known before      its number, below base
//! new in the block  base + 0, 1, 2 …      in the order of first appearance there; base = the number of known names
//! ```
//!
//! Taking the new names of the blocks in the order of the file then gives the numbers of reading line by line.
//!
//! Ids are whole numbers in most files; [`Values`] knows those of the names before without hashing.

use super::Role;
use crate::data::Interner;
use crate::data::interner::Key;

/// Gives numbers to the names of users and items.
pub(super) trait Naming {
    /// The number of `name`; `None` where it is one name too many.
    fn number(&mut self, role: Role, name: &str) -> Option<u32>;
}

/// Numbers for good.
pub(super) struct Global<'a> {
    pub(super) users: &'a mut Interner,
    pub(super) items: &'a mut Interner,
    /// The greatest number of users, and of items.
    pub(super) max_ids: u32,
}

impl Naming for Global<'_> {
    #[inline]
    fn number(&mut self, role: Role, name: &str) -> Option<u32> {
        let names = match role {
            Role::User => &mut *self.users,
            _ => &mut *self.items,
        };
        if names.len() >= self.max_ids as usize {
            return names.get(name);
        }
        Some(names.intern(name))
    }
}

/// Numbers within a block.
pub(super) struct Local<'a> {
    pub(super) users: Overlay<'a>,
    pub(super) items: Overlay<'a>,
}

/// Known names, and those that are new.
pub(super) struct Overlay<'a> {
    pub(super) known: &'a Interner,
    /// Whole numbers among the known names.
    pub(super) values: &'a Values,
    /// Made [`beside`](Interner::beside) `known`.
    pub(super) new: &'a mut Interner,
}

impl Naming for Local<'_> {
    #[inline]
    fn number(&mut self, role: Role, name: &str) -> Option<u32> {
        let names = match role {
            Role::User => &mut self.users,
            _ => &mut self.items,
        };
        Some(names.number(name.as_bytes(), names.known.key(name.as_bytes())))
    }
}

impl Overlay<'_> {
    /// The number of a name in UTF-8 with its key.
    #[inline]
    pub(super) fn number(&mut self, name: &[u8], key: Key) -> u32 {
        match self.known.get_key(key, name) {
            Some(number) => number,
            None => self.new_number(name, key),
        }
    }

    #[cold]
    fn new_number(&mut self, name: &[u8], key: Key) -> u32 {
        let name = str::from_utf8(name).expect("names are looked at before they are numbered");
        // What does not fit is refused by the limit of names before it is used.
        (self.known.len() as u32).wrapping_add(self.new.intern_key(key, name))
    }
}

/// The numbers of names that say whole numbers: "196", but not "0196".
///
/// It is a table by value, so it leaves out what is far beyond the number of names; that is to be looked up as other names are.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// [`NONE`] where there is no such name.
    numbers: Vec<u32>,
    /// So many names were entered.
    learnt: usize,
}

const NONE: u32 = u32::MAX;
/// Digits of the values, at most.
pub(super) const MAX_DIGITS: usize = 7;

impl Values {
    /// The number of the name that says `value`, where the table has it.
    #[inline]
    pub(super) fn get(&self, value: u32) -> Option<u32> {
        match self.numbers.get(value as usize) {
            Some(&number) if number != NONE => Some(number),
            _ => None,
        }
    }

    /// Enters those of `names` that are new since the last time.
    pub(super) fn learn(&mut self, names: &Interner) {
        let bound = (4 * names.len() + (1 << 16)) as u32;
        let of = |number| value(names.name(number)).filter(|&value| value < bound);
        let greatest = (self.learnt..names.len()).filter_map(of).max();
        let wanted = greatest.map_or(0, |value| value as usize + 1);
        if wanted > self.numbers.len() {
            self.numbers.resize(wanted.next_power_of_two(), NONE);
            // Some were out of bounds before.
            self.learnt = 0;
        }
        for number in self.learnt..names.len() {
            let place = of(number).and_then(|value| self.numbers.get_mut(value as usize));
            if let Some(place) = place {
                *place = number as u32;
            }
        }
        self.learnt = names.len();
    }
}

/// The whole number of at most [`MAX_DIGITS`] digits that a name says in the usual form.
fn value(name: &str) -> Option<u32> {
    let usual = match name.as_bytes() {
        [b'0', _, ..] => false,
        bytes => (1..=MAX_DIGITS).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_digit),
    };
    usual.then(|| name.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_learnt_and_nothing_else() {
        let mut names = Interner::default();
        let mut values = Values::default();
        for name in "7 07 0 a -1 +3 99999999 9999999 12a 70000".split(' ') {
            names.intern(name);
        }
        values.learn(&names);
        // 70,000 and 9,999,999 are far beyond the number of names, and are no places in the table.
        let all = [7, 0, 1, 3, 12, 70_000, 9_999_999, NONE];
        let found = all.map(|value| values.get(value).unwrap_or(NONE));
        assert_eq!(found, [0, 2, NONE, NONE, NONE, NONE, NONE, NONE]);
        // A name that was out of bounds comes in when they grow.
        for value in 50_000..70_000 {
            names.intern(&value.to_string());
        }
        values.learn(&names);
        let found = [7, 50_000, 70_000].map(|value| values.get(value));
        assert_eq!(found, [Some(0), Some(10), Some(9)]);
    }
}
