//! How are names numbered while a file is read?
//!
//! In the order of first appearance. A file of 20 million ratings asks 40 million times for names it has seen, so the table is made
//! for that question: open addressing in one array of small slots, and names that fit into 16 bytes are compared as two words.
//!
//! ```text
//! key(name)  = the bytes, then their number in the top byte of 16      up to 15 bytes: equal keys are equal names
//!            = 255 in the top byte, then 120 bits of the name's hash   longer: equal keys are compared by name
//! hash(key)  = fold(low ⊕ seed₀, high ⊕ seed₁),   fold(a, b) = high ⊕ low half of a·b
//! slot       = (32 bits of the hash, the name's number), at hash mod slots, or the next free one
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
    /// The key of each name.
    keys: Vec<Key>,
    names: Strings,
    seeds: [u64; 2],
}

/// A name in 16 bytes: all of it, or a hash. The default is that of the empty name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Key([u64; 2]);

/// A place for a name.
#[derive(Clone, Copy, Debug)]
struct Slot {
    tag: u32,
    /// [`FREE`] where the slot is.
    number: u32,
}

const FREE: u32 = u32::MAX;
const FIRST_SIZE: usize = 64;
/// The longest name that stands in its key.
pub(super) const SHORT: usize = 15;
/// The top byte of a longer name's key.
const LONG: u64 = 0xFF << 56;

impl Default for Interner {
    fn default() -> Interner {
        let state = RandomState::new();
        Interner::seeded([state.hash_one(0), state.hash_one(1) | 1])
    }
}

const NO_SLOT: Slot = Slot {
    tag: 0,
    number: FREE,
};

impl Interner {
    fn seeded(seeds: [u64; 2]) -> Interner {
        Interner {
            slots: vec![NO_SLOT; FIRST_SIZE],
            keys: Vec::new(),
            names: Strings::default(),
            seeds,
        }
    }

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
        self.intern_key(self.key(name.as_bytes()), name)
    }

    /// [`intern`](Interner::intern) with the name's key in hand.
    #[inline]
    pub(super) fn intern_key(&mut self, key: Key, name: &str) -> u32 {
        let hash = self.hash(key);
        let at = self.find(hash, key, name.as_bytes());
        match self.slots[at].number {
            FREE => self.add(hash, at, key, name),
            number => number,
        }
    }

    /// The number of `name`, if it has one.
    pub fn get(&self, name: &str) -> Option<u32> {
        self.get_key(self.key(name.as_bytes()), name.as_bytes())
    }

    /// [`get`](Interner::get) with the name's key in hand.
    #[inline]
    pub(super) fn get_key(&self, key: Key, name: &[u8]) -> Option<u32> {
        let number = self.slots[self.find(self.hash(key), key, name)].number;
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
    fn add(&mut self, hash: u64, at: usize, key: Key, name: &str) -> u32 {
        let number = u32::try_from(self.names.len())
            .ok()
            .filter(|&number| number != FREE)
            .expect("fewer than 2³² − 1 names");
        self.slots[at] = Slot {
            tag: tag(hash),
            number,
        };
        self.names.push(name);
        self.keys.push(key);
        if 2 * self.names.len() > self.slots.len() {
            self.grow();
        }
        number
    }

    /// Twice as many slots. Keys are all that it needs: all of them stand for different names.
    fn grow(&mut self) {
        let size = 2 * self.slots.len();
        self.slots.clear();
        self.slots.resize(size, NO_SLOT);
        for (number, &key) in (0..).zip(&self.keys) {
            let hash = self.hash(key);
            let mut at = self.home(hash);
            while self.slots[at].number != FREE {
                at = self.next(at);
            }
            self.slots[at] = Slot {
                tag: tag(hash),
                number,
            };
        }
    }

    /// The slot of `name`, or the free one where it would stand.
    #[inline]
    fn find(&self, hash: u64, key: Key, name: &[u8]) -> usize {
        let mut at = self.home(hash);
        loop {
            let slot = self.slots[at];
            if slot.number == FREE || (slot.tag == tag(hash) && self.is(slot.number, key, name)) {
                return at;
            }
            at = self.next(at);
        }
    }

    #[inline]
    fn is(&self, number: u32, key: Key, name: &[u8]) -> bool {
        self.keys[number as usize] == key
            && (name.len() <= SHORT || self.names.get(number as usize).as_bytes() == name)
    }

    #[inline]
    fn hash(&self, Key([low, high]): Key) -> u64 {
        fold(low ^ self.seeds[0], high ^ self.seeds[1])
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// The key of a name.
    #[inline]
    pub(super) fn key(&self, name: &[u8]) -> Key {
        let n = name.len();
        if n <= SHORT {
            let (low, high) = name.split_at(n.min(8));
            return Key::short(word(low), word(high), n);
        }
        let (words, rest) = name.as_chunks::<8>();
        let mut hash = self.seeds[0] ^ n as u64;
        for &eight in words {
            hash = fold(hash ^ u64::from_le_bytes(eight), self.seeds[1]);
        }
        let low = fold(hash ^ word(rest), self.seeds[1]);
        Key([low, fold(low ^ self.seeds[0], hash) | LONG])
    }
}

/// What reading side by side needs.
#[cfg(feature = "train")]
impl Interner {
    /// One without names that makes the same keys.
    pub(super) fn beside(&self) -> Interner {
        Interner::seeded(self.seeds)
    }

    /// Forgets all names.
    pub(super) fn clear(&mut self) {
        if !self.is_empty() {
            self.slots.truncate(FIRST_SIZE);
            self.slots.fill(NO_SLOT);
            self.keys.clear();
            self.names = Strings::default();
        }
    }

    /// The number of the name in the first slot of `key`: often the right one.
    #[inline]
    pub(super) fn guess(&self, key: Key) -> Option<u32> {
        let number = self.slots[self.home(self.hash(key))].number;
        (number != FREE).then_some(number)
    }

    /// Whether name `number` has this key.
    #[inline]
    pub(super) fn has(&self, number: u32, key: Key) -> bool {
        self.keys[number as usize] == key
    }

    /// Name `number`.
    pub(super) fn name(&self, number: usize) -> &str {
        self.names.get(number)
    }

    /// All names with their keys, in the order of their numbers.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Key, &str)> {
        self.keys.iter().copied().zip(self.names.iter())
    }
}

impl Key {
    /// That of a name of up to [`SHORT`] bytes: eight, the others, and how many in all.
    #[inline]
    pub(super) fn short(low: u64, high: u64, n: usize) -> Key {
        Key([low, high | (n as u64) << 56])
    }
}

/// The half of a hash that does not say where the slot is (unless there are more than 2³² of them).
#[inline]
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Both halves of the product, mixed.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

/// Up to eight bytes as a little-endian number. They are read in pieces that overlap: a bit that is read twice is the same bit.
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
        let all = b"abcdefgh";
        for n in 0..=8 {
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
        let mut names = Interner::seeded([0, 0]);
        let of = |n: usize| format!("a long name, number {n}");
        for n in 0..200 {
            assert_eq!(names.intern(&of(n)), n as u32);
        }
        assert!((0..200).all(|n| names.get(&of(n)) == Some(n as u32)));
        assert_eq!(names.get(&of(200)), None);
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_a_map(all in proptest::collection::vec("[a-c]{0,20}|[0-9]{1,4}", 0..400)) {
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
