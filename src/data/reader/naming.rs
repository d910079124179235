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
