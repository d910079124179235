//! How are names numbered while a file is read?
//!
//! In the order of first appearance. A file of 20 million ratings asks 40 million times for names it has seen, so the table is made
//! for that question: open addressing in one array, and a name of up to seven bytes stands in its slot itself.
//!
//! ```text
//! key(name)  = the bytes, then their number in the top byte          up to 7 bytes: equal keys are equal names
//!            = 255 in the top byte, then 56 bits of the name's hash  longer: equal keys are compared by name
//! slot       = fold(key ⊕ seed₀, seed₁) mod slots, or the next free one;   fold(a, b) = high ⊕ low half of a·b
//! ```
//!
//! The seeds are drawn by the standard library for each table, so no file can be made whose names all meet in one slot. They decide about
//! places in the table alone, never about a number.

use std::hash::{BuildHasher, RandomState};

use super::{Ids, Strings};

/// Gives names their numbers in the order of first appearance.
///
/// ```
/// let mut names = lowrank::data::Interner::default();
/// assert_eq!((names.intern("b"), names.intern("a"), names.intern("b")), (0, 1, 0));
/// assert_eq!(names.finish().name(1), "a");
/// ```
#[derive(Clone, Debug)]
pub struct Interner {
    /// A power of two of them, at most half of them taken.
    slots: Vec<Slot>,
    names: Strings,
    seeds: [u64; 2],
}

/// A place for a name.
#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u64,
    /// [`FREE`] where the slot is.
    number: u32,
}

const FREE: u32 = u32::MAX;
const FIRST_SIZE: usize = 64;
/// The longest name that stands in its slot.
const SHORT: usize = 7;
/// The top byte of a longer name's key.
const LONG: u64 = 0xFF << 56;

impl Default for Interner {
    fn default() -> Interner {
        let state = RandomState::new();
        Interner {
            slots: free(FIRST_SIZE),
            names: Strings::default(),
            seeds: [state.hash_one(0), state.hash_one(1) | 1],
        }
    }
}

fn free(n: usize) -> Vec<Slot> {
    let slot = Slot {
        key: 0,
        number: FREE,
    };
    vec![slot; n]
}

impl Interner {
    /// Goes on from the names of `ids`.
    pub fn from_ids(ids: &Ids) -> Interner {
        let mut interner = Interner::default();
        for name in ids.names().iter() {
            interner.intern(name);
        }
        interner
    }

    /// The number of `name`, a new one where it has none. No allocation for a known one.
    ///
    /// # Panics
    /// At 2³² − 1 names. The reader's limit lies below it.
    #[inline]
    pub fn intern(&mut self, name: &str) -> u32 {
        let key = self.key(name);
        let at = self.find(key, name);
        match self.slots[at].number {
            FREE => self.add(key, at, name),
            number => number,
        }
    }

    /// The number of `name`, if it has one.
    pub fn get(&self, name: &str) -> Option<u32> {
        let number = self.slots[self.find(self.key(name), name)].number;
        (number != FREE).then_some(number)
    }

    /// The number of names so far.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names with their search order.
    pub fn finish(self) -> Ids {
        Ids::from_distinct(self.names)
    }

    #[cold]
    fn add(&mut self, key: u64, at: usize, name: &str) -> u32 {
        let number = u32::try_from(self.names.len())
            .ok()
            .filter(|&number| number != FREE)
            .expect("fewer than 2³² − 1 names");
        self.slots[at] = Slot { key, number };
        self.names.push(name);
        if 2 * self.names.len() > self.slots.len() {
            self.grow();
        }
        number
    }

    /// Twice as many slots. Keys are all that it needs: all of them stand for different names.
    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = free(2 * old.len());
        for slot in old.into_iter().filter(|slot| slot.number != FREE) {
            let mut at = self.home(slot.key);
            while self.slots[at].number != FREE {
                at = self.next(at);
            }
            self.slots[at] = slot;
        }
    }

    /// The slot of `name`, or the free one where it would stand.
    #[inline]
    fn find(&self, key: u64, name: &str) -> usize {
        let mut at = self.home(key);
        loop {
            let slot = self.slots[at];
            let same = slot.key == key && (name.len() <= SHORT || self.is(slot.number, name));
            if slot.number == FREE || same {
                return at;
            }
            at = self.next(at);
        }
    }

    fn is(&self, number: u32, name: &str) -> bool {
        number != FREE && self.names.get(number as usize) == name
    }

    #[inline]
    fn home(&self, key: u64) -> usize {
        fold(key ^ self.seeds[0], self.seeds[1]) as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    #[inline]
    fn key(&self, name: &str) -> u64 {
        let bytes = name.as_bytes();
        if bytes.len() <= SHORT {
            return word(bytes) | (bytes.len() as u64) << 56;
        }
        let (words, rest) = bytes.as_chunks::<8>();
        let mut hash = self.seeds[0] ^ bytes.len() as u64;
        for &eight in words {
            hash = fold(hash ^ u64::from_le_bytes(eight), self.seeds[1]);
        }
        fold(hash ^ word(rest), self.seeds[1]) | LONG
    }
}

/// Both halves of the product, mixed.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

/// Up to seven bytes as a little-endian number. They are read in pieces that overlap: a bit that is read twice is the same bit.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    let n = bytes.len();
    match bytes {
        [] => 0,
        [a, .., b] if n < 4 => {
            u64::from(*a)
                | u64::from(bytes[n / 2]) << (8 * (n / 2))
                | u64::from(*b) << (8 * (n - 1))
        }
        [a] => u64::from(*a),
        _ => {
            let four = |at: usize| {
                let mut word = [0; 4];
                word.copy_from_slice(&bytes[at..at + 4]);
                u64::from(u32::from_le_bytes(word))
            };
            four(0) | four(n - 4) << (8 * (n - 4))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn a_short_name_is_its_own_key() {
        let all = b"abcdefg";
        for n in 0..=7 {
            let mut wanted = [0; 8];
            wanted[..n].copy_from_slice(&all[..n]);
            assert_eq!(word(&all[..n]), u64::from_le_bytes(wanted), "{n} bytes");
        }
        // A NUL at the end is not the end.
        let mut names = Interner::default();
        let numbers: Vec<u32> = ["a", "a\0", "", "\0"].map(|name| names.intern(name)).into();
        assert_eq!(numbers, [0, 1, 2, 3]);
    }

    #[test]
    fn long_names_with_one_key_are_told_apart() {
        // With these seeds every long name has the same hash.
        let mut names = Interner {
            seeds: [0, 0],
            ..Interner::default()
        };
        let of = |n: usize| format!("a long name, number {n}");
        for n in 0..200 {
            assert_eq!(names.intern(&of(n)), n as u32);
        }
        assert!((0..200).all(|n| names.get(&of(n)) == Some(n as u32)));
        assert_eq!(names.get(&of(200)), None);
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_a_map(all in proptest::collection::vec("[a-c]{0,10}|[0-9]{1,4}", 0..400)) {
            let mut names = Interner::default();
            let mut map: HashMap<&str, u32> = HashMap::new();
            for name in &all {
                let next = map.len() as u32;
                let wanted = *map.entry(name).or_insert(next);
                prop_assert_eq!(names.get(name).is_some(), wanted < next);
                prop_assert_eq!(names.intern(name), wanted);
            }
            prop_assert_eq!(names.len(), map.len());
            let ids = names.finish();
            prop_assert!(map.iter().all(|(name, &n)| ids.name(n) == *name && ids.index(name) == Some(n)));
        }
    }
}
