//! Which items do many users like best?
//!
//! The scores of a block of users for a run of items are made at once ([`tiles`](super::tiles)) and read at once: a block in the cache, never users × items.
//!
//! ```text
//! for each run of items:                                   256
//!     scores = (base_u + offset_i) + ⟨p_u, q_i⟩             for the block's users
//!     each user's reader sees its scores                    a list of the best, a count of pairs, …
//! ```
//!
//! [`Best`] reads for a list: what is left out becomes −∞, and what beats the n-th best so far is pushed; few scores do. A −∞ that is pushed is looked up
//! among what is left out, so a true −∞ is not lost. The plain definition, sort everything ([`top_k::naive`](super::top_k::naive)), is the tests' oracle.
//!
//! Who the users are, and what is done with the lists, is left to those who ask.

use super::tiles::{ITEMS, Packed, ScoreTiles, USERS};
use super::top_k::{TopK, above};
use super::{Job, Kernel, Lanes};

/// Users of a block: a task of fewer leaves some of the speed.
pub const BLOCK: usize = 128;
/// Groups of items of a run: its rows, the block's and the scores between them are 64 + 32 + 128 KiB at 64 factors.
pub const RUN: usize = 16;

/// What one user's scores are read for.
pub trait Reader {
    /// Reads the scores of a run of items, whose numbers rise.
    fn read(&mut self, items: &[u32], scores: &mut [f32]);
}

/// Shows each of at most [`BLOCK`] `users`' `readers` the scores of all `items`, a run at a time, in their order; `numbers` are those of the items, rising.
pub fn sweep<R: Reader>(
    users: &Packed<USERS>,
    (items, numbers): (&Packed<ITEMS>, &[u32]),
    readers: &mut [R],
    kernel: Kernel,
) {
    let run = RUN.min(items.n_groups());
    let mut scores = vec![0.0; users.n_groups() * USERS * run * ITEMS];
    for first in (0..items.n_groups()).step_by(RUN) {
        let groups = first..(first + RUN).min(items.n_groups());
        let width = groups.len() * ITEMS;
        kernel.run(ScoreTiles {
            users,
            items,
            groups,
            scores: &mut scores,
        });
        let numbers = &numbers[first * ITEMS..];
        let numbers = &numbers[..width.min(numbers.len())];
        for (reader, scores) in readers.iter_mut().zip(scores.chunks_exact_mut(width)) {
            kernel.run(Run {
                reader,
                items: numbers,
                scores: &mut scores[..numbers.len()],
            });
        }
    }
}

/// One user's scores of a run of items go to the user's reader, compiled for the CPU.
struct Run<'a, R> {
    reader: &'a mut R,
    items: &'a [u32],
    scores: &'a mut [f32],
}

impl<R: Reader> Job for Run<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) {
        self.reader.read(self.items, self.scores);
    }
}

/// The list of one user while it is made.
#[derive(Clone, Debug)]
pub struct Best<'m> {
    top: TopK,
    /// Items to leave out, rising.
    left_out: &'m [u32],
    /// How many of them are behind.
    behind: usize,
}

impl<'m> Best<'m> {
    /// The best `n` without `left_out`, which rises.
    pub fn new(n: usize, left_out: &'m [u32]) -> Best<'m> {
        Best {
            top: TopK::new(n),
            left_out,
            behind: 0,
        }
    }

    /// (score, item), the best first.
    pub fn into_sorted(self) -> Vec<(f32, u32)> {
        self.top.into_sorted()
    }
}

impl Reader for Best<'_> {
    #[inline(always)]
    fn read(&mut self, items: &[u32], scores: &mut [f32]) {
        mask(
            scores,
            items,
            &self.left_out[self.behind..],
            &mut self.behind,
        );
        let mut floor = self.top.floor();
        for (scores, items) in scores.chunks(SCAN).zip(items.chunks(SCAN)) {
            if !any_above(scores, floor) {
                continue;
            }
            for (&score, &item) in scores.iter().zip(items) {
                let masked = || self.left_out.binary_search(&item).is_ok();
                if above(score, floor) && !(score == f32::NEG_INFINITY && masked()) {
                    self.top.push(score, item);
                    floor = self.top.floor();
                }
            }
        }
    }
}

/// Scores that are looked at together.
const SCAN: usize = 16;

/// Whether one of some scores may enter.
#[inline(always)]
fn any_above(scores: &[f32], floor: f32) -> bool {
    match <&[f32; SCAN]>::try_from(scores).ok() {
        Some(scores) => scores
            .iter()
            .fold(false, |any, &score| any | above(score, floor)),
        None => scores.iter().any(|&score| above(score, floor)),
    }
}

/// −∞ for what is left out; both lists of items rise.
#[inline(always)]
fn mask(scores: &mut [f32], items: &[u32], left_out: &[u32], behind: &mut usize) {
    let (Some(&first), Some(&last)) = (items.first(), items.last()) else {
        return;
    };
    // Where no filter is set the items of a run are consecutive, and an item says its place.
    let whole = (last - first) as usize == items.len() - 1;
    for &item in left_out.iter().take_while(|&&item| item <= last) {
        *behind += 1;
        let place = match whole {
            true => item.checked_sub(first).map(|place| place as usize),
            false => items.binary_search(&item).ok(),
        };
        if let Some(place) = place {
            scores[place] = f32::NEG_INFINITY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::rows::RowsView;
    use crate::kernels::{lanes, top_k};

    #[test]
    fn lists_are_those_of_sorting_everything() {
        // Few distinct rows, so that most scores are equal; more items than a run, and not a whole number of groups.
        let (n_users, n_items) = (9usize, RUN * ITEMS + 21);
        let value = |n: usize| ((n * 7919 + 13) % 1009 % 3) as f32 - 1.0;
        let users: Vec<f32> = (0..n_users * 8).map(value).collect();
        let items: Vec<f32> = (0..n_items * 8).map(|n| value(n + 500)).collect();
        let view = |values| RowsView { values, stride: 8 };
        let offset = |item: u32| match item % 50 {
            7 => f32::NEG_INFINITY,
            _ => (item % 2) as f32,
        };
        let rows: Vec<u32> = (0..n_users as u32).collect();
        for step in [1, 3] {
            let numbers: Vec<u32> = (0..n_items as u32).step_by(step).collect();
            let packed_users = Packed::new(view(&users), &rows, |user| user as f32 / 2.0);
            let packed_items = Packed::new(view(&items), &numbers, offset);
            for n in [0, 1, 5, 200, 1000] {
                let left_out: Vec<Vec<u32>> = (0..n_users as u32)
                    .map(|u| {
                        (0..n_items as u32)
                            .filter(|i| (i * 7 + u) % 11 < u)
                            .collect()
                    })
                    .collect();
                for kernel in [Kernel::Portable, Kernel::detect()] {
                    let mut lists: Vec<_> = left_out.iter().map(|out| Best::new(n, out)).collect();
                    sweep(&packed_users, (&packed_items, &numbers), &mut lists, kernel);
                    for (u, list) in lists.into_iter().enumerate() {
                        let score = |&i: &u32| {
                            let q = &items[i as usize * 8..][..8];
                            let dot = lanes::dot(&users[u * 8..][..8], q);
                            ((u as f32 / 2.0 + offset(i)) + dot, i)
                        };
                        let open = numbers.iter().filter(|i| !left_out[u].contains(i));
                        let wanted = top_k::naive(&open.map(score).collect::<Vec<_>>(), n);
                        assert_eq!(list.into_sorted(), wanted, "user {u}, {n}, every {step}");
                    }
                }
            }
        }
    }
}
