//! Which n of many scores are the greatest?
//!
//! ```text
//! order: score descending, then index rising          (equal scores keep the order of the indices)
//! ```
//!
//! A heap holds the best n so far with the worst of them on top: a new score is compared with that one, and most scores go no further.
//! Cost: one comparison a score, and log n for each that enters; memory n. The oracle sorts everything ([`naive`]).
//!
//! A NaN, which a finite model never gives, counts as less than every number, so that the order stays total.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The best n of the scores pushed so far.
///
/// ```
/// use lowrank::kernels::top_k::TopK;
/// let mut top = TopK::new(2);
/// for (index, score) in [(0, 1.0), (1, 3.0), (2, 2.0), (3, 3.0)] {
///     top.push(score, index);
/// }
/// assert_eq!(top.into_sorted(), [(3.0, 1), (3.0, 3)]);
/// ```
#[derive(Clone, Debug)]
pub struct TopK {
    n: usize,
    /// The worst of the best is on top.
    heap: BinaryHeap<Entry>,
}

/// A score with its index; a greater entry stands later in the list.
#[derive(Clone, Copy, Debug)]
struct Entry {
    score: f32,
    index: u32,
}

impl Ord for Entry {
    #[inline]
    fn cmp(&self, other: &Entry) -> Ordering {
        descending(self.score, other.score).then(self.index.cmp(&other.index))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

/// Greater numbers first, NaN last, −0 and 0 equal.
#[inline]
fn descending(a: f32, b: f32) -> Ordering {
    b.partial_cmp(&a)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

impl TopK {
    /// Room for the best `n`. Nothing is set aside before it is needed, so `n` may be any number.
    pub fn new(n: usize) -> TopK {
        TopK {
            n,
            heap: BinaryHeap::new(),
        }
    }

    /// Looks at one more score. Indices may come in any order, each once.
    #[inline]
    pub fn push(&mut self, score: f32, index: u32) {
        let entry = Entry { score, index };
        if self.heap.len() < self.n {
            self.heap.push(entry);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && entry < *worst
        {
            *worst = entry;
        }
    }

    /// Where indices rise, a score that is not [`above`] the floor does not enter. While there is room the floor is NaN, which bars nothing.
    #[inline]
    pub fn floor(&self) -> f32 {
        match self.heap.peek() {
            Some(worst) if self.heap.len() >= self.n => worst.score,
            _ => f32::NAN,
        }
    }

    /// (score, index), the best first.
    pub fn into_sorted(self) -> Vec<(f32, u32)> {
        let sorted = self.heap.into_sorted_vec();
        sorted.into_iter().map(|e| (e.score, e.index)).collect()
    }
}

/// Whether a score may enter a list with this floor: it is greater, or one of the two is NaN and the list has to decide.
#[inline(always)]
pub fn above(score: f32, floor: f32) -> bool {
    let compared = score.partial_cmp(&floor);
    !matches!(compared, Some(Ordering::Less | Ordering::Equal))
}

/// The definition: sort everything, keep n.
pub fn naive(scores: &[(f32, u32)], n: usize) -> Vec<(f32, u32)> {
    let mut all = scores.to_vec();
    all.sort_by(|a, b| descending(a.0, b.0).then(a.1.cmp(&b.1)));
    all.truncate(n);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Few distinct values, so that most comparisons are ties.
    fn scores(len: usize, distinct: usize) -> Vec<(f32, u32)> {
        (0..len)
            .map(|n| {
                let value = (n * 7919 + 13) % 1009 % distinct;
                (value as f32 - 2.0, ((n * 31) % len) as u32)
            })
            .collect()
    }

    fn heap(scores: &[(f32, u32)], n: usize) -> Vec<(f32, u32)> {
        let mut top = TopK::new(n);
        for &(score, index) in scores {
            top.push(score, index);
        }
        top.into_sorted()
    }

    #[test]
    fn the_heap_gives_what_sorting_gives() {
        for len in [0, 1, 2, 10, 100, 1000] {
            for distinct in [1, 3, 1009] {
                let scores = scores(len, distinct);
                for n in [0, 1, 2, 10, 99, 1000, 2000, usize::MAX] {
                    assert_eq!(
                        heap(&scores, n),
                        naive(&scores, n),
                        "{n} of {len}, {distinct} values"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_not_above_the_floor_need_not_be_pushed() {
        for distinct in [1, 3, 1009] {
            for n in [0, 1, 2, 10, 300] {
                let mut rising = scores(200, distinct);
                rising[40].0 = f32::NAN;
                rising.sort_by_key(|entry| entry.1);
                let mut top = TopK::new(n);
                for &(score, index) in &rising {
                    if above(score, top.floor()) {
                        top.push(score, index);
                    }
                }
                let found: Vec<u32> = top.into_sorted().iter().map(|e| e.1).collect();
                let wanted: Vec<u32> = naive(&rising, n).iter().map(|e| e.1).collect();
                assert_eq!(found, wanted, "{n}, {distinct} values");
            }
        }
    }

    #[test]
    fn a_nan_is_last_and_breaks_nothing() {
        let scores = [
            (f32::NAN, 0),
            (1.0, 1),
            (f32::NEG_INFINITY, 2),
            (f32::NAN, 3),
            (f32::INFINITY, 4),
            (-0.0, 5),
            (0.0, 6),
        ];
        let indices = |n| -> Vec<u32> { heap(&scores, n).iter().map(|e| e.1).collect() };
        assert_eq!(indices(7), [4, 1, 5, 6, 2, 0, 3]);
        assert_eq!(indices(3), [4, 1, 5]);
        assert_eq!(indices(6), [4, 1, 5, 6, 2, 0]);
    }
}
