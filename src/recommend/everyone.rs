//! Which items should many users see?
//!
//! The lists of [`top_n`](super::top_n), to the last bit, for many users at a time: one user's scores wait for memory, those of a block of users do not.
//!
//! ```text
//! for each block of users:                                          64
//!     for each run of candidates:                                   512
//!         scores = (base_u + b_i) + ⟨P_u, Q_i⟩                       a block in the cache, never users × items
//!         scores of seen items = −∞                                 sorted lists, merged
//!         push what beats the user's n-th best so far               few do
//! ```
//!
//! The candidates' rows are packed once for the query; those that the filters refuse cost nothing. A −∞ that is pushed is looked up
//! among the seen items, so a true −∞ is not lost. The plain definition, sort everything, is the tests' oracle.

use super::{Ranked, Recommender};
use crate::kernels::Job;
use crate::kernels::block::{ITEMS, Packed, ScoreBlock, USERS};
use crate::kernels::rows::RowsView;
use crate::kernels::top_k::TopK;
use crate::model::Rows;

/// Users of a block.
const BLOCK: usize = 64;
/// Groups of items of a run.
const RUN: usize = 32;

/// Lists for many users: the items of a query, packed.
#[derive(Clone, Debug)]
pub struct Everyone<'r> {
    recommender: &'r Recommender<'r>,
    items: Packed<ITEMS>,
}

impl Recommender<'_> {
    /// Packs the candidates for many users. It pays from a dozen users on; for one, [`top_n`](Recommender::top_n) is faster.
    pub fn everyone(&self) -> Everyone<'_> {
        let items = self.model.items();
        Everyone {
            recommender: self,
            items: Packed::new(view(items.composed()), &self.candidates.items, |item| {
                items.bias(item)
            }),
        }
    }
}

impl Everyone<'_> {
    /// The lists of `users`, in their order.
    ///
    /// # Panics
    /// Where the model has no such row.
    pub fn top_n(&self, users: &[u32]) -> Vec<Vec<Ranked>> {
        let blocks = users.chunks(BLOCK);
        blocks.flat_map(|users| self.block(users)).collect()
    }

    fn block(&self, users: &[u32]) -> Vec<Vec<Ranked>> {
        let Recommender { model, kernel, .. } = *self.recommender;
        let side = model.users();
        let mean = model.global_mean().unwrap_or(0.0) as f32;
        let packed =
            Packed::<USERS>::new(view(side.composed()), users, |user| mean + side.bias(user));
        let mut lists: Vec<List<'_>> = users
            .iter()
            .map(|&user| List::new(self.recommender, user))
            .collect();
        let run = RUN.min(self.items.n_groups());
        let mut scores = vec![0.0; packed.n_groups() * USERS * run * ITEMS];
        for first in (0..self.items.n_groups()).step_by(RUN) {
            let groups = first..(first + RUN).min(self.items.n_groups());
            let width = groups.len() * ITEMS;
            kernel.run(ScoreBlock {
                users: &packed,
                items: &self.items,
                groups,
                scores: &mut scores,
            });
            let items = &self.recommender.candidates.items[first * ITEMS..];
            let items = &items[..width.min(items.len())];
            for (list, scores) in lists.iter_mut().zip(scores.chunks_exact_mut(width)) {
                kernel.run(Run {
                    list,
                    items,
                    scores: &mut scores[..items.len()],
                });
            }
        }
        lists.into_iter().map(|list| list.done(model)).collect()
    }
}

fn view(rows: &Rows) -> RowsView<'_, f32> {
    RowsView {
        values: rows.as_padded_slice(),
        stride: rows.stride(),
    }
}

/// The list of one user while it is made.
struct List<'m> {
    top: TopK,
    /// Items to leave out, rising.
    left_out: &'m [u32],
    /// How many of them are behind.
    behind: usize,
}

impl<'m> List<'m> {
    fn new(recommender: &'m Recommender<'_>, user: u32) -> List<'m> {
        List {
            top: TopK::new(recommender.n),
            left_out: recommender.left_out(user),
            behind: 0,
        }
    }

    fn done(self, model: &crate::Model) -> Vec<Ranked> {
        let best = self.top.into_sorted().into_iter();
        best.map(|(score, item)| Ranked {
            item,
            score: model.prediction_of(score),
        })
        .collect()
    }
}

/// One user's scores of a run of items go into the list.
struct Run<'a, 'm> {
    list: &'a mut List<'m>,
    items: &'a [u32],
    scores: &'a mut [f32],
}

impl Job for Run<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let list = self.list;
        mask(
            self.scores,
            self.items,
            &list.left_out[list.behind..],
            &mut list.behind,
        );
        let mut floor = list.top.floor();
        for (scores, items) in self.scores.chunks(SCAN).zip(self.items.chunks(SCAN)) {
            if !any_above(scores, floor) {
                continue;
            }
            for (&score, &item) in scores.iter().zip(items) {
                let masked = || list.left_out.binary_search(&item).is_ok();
                if above(score, floor) && !(score == f32::NEG_INFINITY && masked()) {
                    list.top.push(score, item);
                    floor = list.top.floor();
                }
            }
        }
    }
}

/// Scores that are looked at together.
const SCAN: usize = 16;

/// Whether a score may enter; a NaN on either side leaves that to the list.
#[inline(always)]
fn above(score: f32, floor: f32) -> bool {
    !matches!(
        score.partial_cmp(&floor),
        Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal)
    )
}

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
