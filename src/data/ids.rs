//! How does a name become a row number, and back?
//!
//! Outside, users and items are called by any string ("0002844" keeps its zeros); inside, by a dense number from 0. [`Ids`] holds both
//! directions in three flat arrays, so it is read from a model file without building anything; [`Interner`] makes one while
//! reading a file of ratings.

use super::Interner;

/// Strings, one after the other in one buffer.
///
/// ```text
/// string n = bytes[ends[n − 1] .. ends[n]],   ends[−1] = 0
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strings {
    bytes: String,
    ends: Vec<u64>,
}

impl Strings {
    /// The number of strings.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// String `n`.
    ///
    /// # Panics
    /// Where there are no more than `n` strings.
    pub fn get(&self, n: usize) -> &str {
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        &self.bytes[start as usize..self.ends[n] as usize]
    }

    /// Adds a string at the end.
    pub fn push(&mut self, string: &str) {
        self.bytes.push_str(string);
        self.ends.push(self.bytes.len() as u64);
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone + '_ {
        (0..self.len()).map(|n| self.get(n))
    }

    /// The flat arrays, for a file: all bytes, and the end of each string.
    pub(crate) fn parts(&self) -> (&str, &[u64]) {
        (&self.bytes, &self.ends)
    }

    /// From flat arrays that a file gave; `None` where they do not fit together.
    pub(crate) fn from_parts(bytes: String, ends: Vec<u64>) -> Option<Strings> {
        let rising = ends.windows(2).all(|w| w[0] <= w[1]);
        let whole = ends.last().copied().unwrap_or(0) == bytes.len() as u64;
        let on_characters =
            rising && whole && ends.iter().all(|&end| bytes.is_char_boundary(end as usize));
        on_characters.then_some(Strings { bytes, ends })
    }
}

impl<S: AsRef<str>> FromIterator<S> for Strings {
    fn from_iter<I: IntoIterator<Item = S>>(strings: I) -> Strings {
        let mut all = Strings::default();
        for string in strings {
            all.push(string.as_ref());
        }
        all
    }
}

/// The names of the rows of one side, or of the values of one column: number → name by position, name → number by binary search.
///
/// ```
/// use lowrank::data::Ids;
/// let ids: Ids = ["196", "0002844", "Zoë"].into_iter().collect();
/// assert_eq!(ids.index("0002844"), Some(1));
/// assert_eq!(ids.name(2), "Zoë");
/// assert_eq!(ids.index("2844"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids {
    names: Strings,
    /// Row numbers in the byte order of their names.
    sorted: Vec<u32>,
}

impl Ids {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The name of row `index`.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn name(&self, index: u32) -> &str {
        self.names.get(index as usize)
    }

    /// The row called `name`. Cost: log₂ n comparisons.
    pub fn index(&self, name: &str) -> Option<u32> {
        self.sorted
            .binary_search_by(|&row| self.name(row).cmp(name))
            .ok()
            .map(|position| self.sorted[position])
    }

    /// From names that are all different. Nearly all comparisons are of the first eight bytes, which stand beside the row.
    pub(super) fn from_distinct(names: Strings) -> Ids {
        let start = |name: &str| {
            let mut start = [0; 8];
            let n = name.len().min(8);
            start[..n].copy_from_slice(&name.as_bytes()[..n]);
            u64::from_be_bytes(start)
        };
        let mut sorted: Vec<(u64, u32)> = names.iter().map(start).zip(0..).collect();
        sorted.sort_unstable_by(|a, b| {
            let whole = || names.get(a.1 as usize).cmp(names.get(b.1 as usize));
            a.0.cmp(&b.0).then_with(whole)
        });
        let sorted = sorted.into_iter().map(|(_, row)| row).collect();
        Ids { names, sorted }
    }

    /// All names, in row order.
    pub fn names(&self) -> &Strings {
        &self.names
    }

    /// Row numbers in the byte order of their names, for a file.
    pub(crate) fn sorted(&self) -> &[u32] {
        &self.sorted
    }

    /// From arrays that a file gave; `None` where `sorted` is not the strictly rising byte order of all `names`.
    pub(crate) fn from_parts(names: Strings, sorted: Vec<u32>) -> Option<Ids> {
        let in_range =
            sorted.len() == names.len() && sorted.iter().all(|&row| (row as usize) < names.len());
        let rising = in_range
            && sorted
                .windows(2)
                .all(|w| names.get(w[0] as usize) < names.get(w[1] as usize));
        rising.then_some(Ids { names, sorted })
    }
}

/// The first of equal names wins; the later ones are left out.
impl<S: AsRef<str>> FromIterator<S> for Ids {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Ids {
        let mut interner = Interner::default();
        for name in names {
            interner.intern(name.as_ref());
        }
        interner.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_first_appearance_and_every_name_is_found() {
        let ids: Ids = ["b", "a", "b", "", "ä", "a b"].into_iter().collect();
        assert_eq!(
            ids.names().iter().collect::<Vec<_>>(),
            ["b", "a", "", "ä", "a b"]
        );
        for (n, name) in ids.names().iter().enumerate() {
            assert_eq!(ids.index(name), Some(n as u32));
        }
    }

    #[test]
    fn arrays_that_do_not_fit_are_refused() {
        assert!(Strings::from_parts("añ".into(), vec![1, 3]).is_some());
        assert!(
            Strings::from_parts("añ".into(), vec![2, 3]).is_none(),
            "inside a character"
        );
        assert!(
            Strings::from_parts("ab".into(), vec![2, 1]).is_none(),
            "falling"
        );
        assert!(
            Strings::from_parts("ab".into(), vec![1]).is_none(),
            "bytes left over"
        );
        let names = || Strings::from_iter(["b", "a"]);
        assert!(Ids::from_parts(names(), vec![1, 0]).is_some());
        assert!(Ids::from_parts(names(), vec![0, 1]).is_none(), "not sorted");
        assert!(Ids::from_parts(names(), vec![1, 1]).is_none(), "not all");
        assert!(
            Ids::from_parts(names(), vec![1, 2]).is_none(),
            "out of range"
        );
    }
}
