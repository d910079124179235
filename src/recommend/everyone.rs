//! Which items should many users see?
//!
//! The lists of [`top_n`](super::top_n), to the last bit, for many users at a time: one user's scores wait for memory, those of a block of users do not.
//!
//! A block of users at a time, a run of candidates at a time: [`sweep`](mod@crate::kernels::sweep). The candidates' rows are packed once for the query; those that the filters
//! refuse cost nothing. The plain definition, sort everything, is the tests' oracle.

use super::{Ranked, Recommender};
use crate::kernels::rows::RowsView;
pub use crate::kernels::sweep::BLOCK;
use crate::kernels::sweep::{self, Best, Reader};
use crate::kernels::tiles::{ITEMS, Packed, USERS};
use crate::model::{Rows, Scorer};

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
    /// The query.
    pub(super) fn recommender(&self) -> &Recommender<'_> {
        self.recommender
    }

    /// The lists of `users`, in their order.
    ///
    /// # Panics
    /// Where the model has no such row.
    pub fn top_n(&self, users: &[u32]) -> Vec<Vec<Ranked>> {
        let blocks = users.chunks(BLOCK);
        blocks.flat_map(|users| self.block(users)).collect()
    }

    fn block(&self, users: &[u32]) -> Vec<Vec<Ranked>> {
        let list = |&user: &u32| List::new(self.recommender, user);
        let mut lists: Vec<List<'_>> = users.iter().map(list).collect();
        self.sweep(users, &mut lists);
        let both = users.iter().zip(lists);
        both.map(|(&user, list)| list.done(self.recommender, user))
            .collect()
    }

    /// Shows each of at most [`BLOCK`] users' `readers` the scores of all candidates, a run at a time, in their order.
    pub(super) fn sweep<R: Reader>(&self, users: &[u32], readers: &mut [R]) {
        let Recommender { model, kernel, .. } = *self.recommender;
        let side = model.users();
        let mean = model.global_mean().unwrap_or(0.0) as f32;
        let packed =
            Packed::<USERS>::new(view(side.composed()), users, |user| mean + side.bias(user));
        let items = (&self.items, &self.recommender.candidates.items[..]);
        sweep::sweep(&packed, items, readers, kernel);
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
    best: Best<'m>,
    /// What is taken from each item's score, where something is.
    offsets: Option<&'m [f32]>,
    /// Items to leave out, rising.
    left_out: &'m [u32],
}

impl<'m> List<'m> {
    fn new(recommender: &'m Recommender<'_>, user: u32) -> List<'m> {
        let left_out = recommender.left_out(user);
        List {
            best: Best::new(recommender.depth(), left_out),
            offsets: recommender.order.offsets.as_deref(),
            left_out,
        }
    }

    /// The list; where limits leave too few of what was kept, the user is asked for alone.
    fn done(self, recommender: &Recommender<'_>, user: u32) -> Vec<Ranked> {
        let depth = recommender.depth();
        let scorer = Scorer::new(recommender.model, Some(user));
        let list = recommender.finish(self.best.into_sorted(), depth, &scorer);
        let deeper = || recommender.list(&scorer, self.left_out, depth.saturating_mul(4));
        list.unwrap_or_else(deeper)
    }
}

impl Reader for List<'_> {
    #[inline(always)]
    fn read(&mut self, items: &[u32], scores: &mut [f32]) {
        if let Some(offsets) = self.offsets {
            for (score, &item) in scores.iter_mut().zip(items) {
                *score -= offsets[item as usize];
            }
        }
        self.best.read(items, scores);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Kernel;
    use crate::kernels::lanes::padded;
    use crate::kernels::pool::Pool;
    use crate::kernels::sweep::RUN;
    use crate::kernels::top_k;
    use crate::model::{Clip, Link, example};
    use crate::{Model, Query};

    /// Whole numbers below a bound, one after the other.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, bound: usize) -> usize {
            // Knuth, The Art of Computer Programming, 3.3.4; the high bits are the good ones.
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ((self.0 >> 33) as usize) % bound
        }

        /// Few distinct values where `coarse`, so that scores are equal.
        fn number(&mut self, coarse: bool) -> f32 {
            match coarse {
                true => self.below(3) as f32 - 1.0,
                false => self.below(20_001) as f32 / 10_000.0 - 1.0,
            }
        }
    }

    /// A model whose rows are drawn; every switch depends on the seed.
    fn random(seed: u64, n_factors: usize, n_users: usize, n_items: usize) -> Model {
        let mut chance = Chance(seed);
        let coarse = seed.is_multiple_of(2);
        let mut rows = |n: usize| {
            let mut all = Vec::new();
            for _ in 0..n {
                all.extend((0..n_factors).map(|_| chance.number(coarse)));
                all.resize(all.len() + padded(n_factors) - n_factors, 0.0);
            }
            Rows::from_padded(n, n_factors, all).unwrap()
        };
        let mut model = example::model();
        model.n_factors = n_factors;
        model.users.identity = rows(n_users);
        model.items.identity = rows(n_items);
        let genre = &mut model.items.groups[0];
        genre.table = rows(3);
        genre.biases = (seed % 3 == 1).then(|| vec![0.5, -1.0, 0.25]);
        let genres: Vec<Vec<u32>> = (0..n_items).map(|_| vec![chance.below(3) as u32]).collect();
        let column = &mut model.items.catalog.columns[0];
        column.rows = crate::data::Csr::from_rows(&genres);
        genre.features = crate::model::Features::new(column.rows.clone(), genre.bag);
        model.items.catalog.columns.truncate(1);
        model.items.catalog.titles = None;
        if seed % 4 == 1 {
            model.items.groups.clear();
        }
        model.users.ids = (0..n_users).map(|u| format!("u{u}")).collect();
        model.items.ids = (0..n_items).map(|i| format!("i{i}")).collect();
        (model.users.counts, model.items.counts) = (vec![1; n_users], vec![1; n_items]);
        let mut biases = |n: usize| -> Vec<f32> { (0..n).map(|_| chance.number(coarse)).collect() };
        (model.users.identity_biases, model.items.identity_biases) = match seed % 3 {
            0 => (None, None),
            _ => (Some(biases(n_users)), Some(biases(n_items))),
        };
        model.global_mean = (!seed.is_multiple_of(5)).then_some(3.1);
        model.link = match seed % 7 {
            0 | 3 => Link::Sigmoid { lo: 1.0, hi: 5.0 },
            _ => Link::Identity,
        };
        model.clip = (seed % 2 == 1).then_some(Clip { lo: 1.0, hi: 3.0 });
        model.seen = crate::data::Csr::from_rows((0..n_users).map(|u| {
            let share = [1, 3, 20, 1000][u % 4];
            (0..n_items as u32)
                .filter(|_| chance.below(share) == 0)
                .collect::<Vec<u32>>()
        }));
        model.items.compose(crate::model::Similarity::Dot);
        model
    }

    /// Lists as bits.
    fn bits(list: &[Ranked]) -> Vec<(u32, u32)> {
        list.iter().map(|r| (r.item, r.score.to_bits())).collect()
    }

    /// What the list must be: every pair predicted alone, everything sorted.
    fn oracle(
        model: &Model,
        recommender: &Recommender<'_>,
        (penalty, k): (f64, usize),
        user: u32,
    ) -> Vec<(u32, u32)> {
        let scorer = Scorer::new(model, Some(user));
        let mut left: Vec<(f32, u32)> = recommender
            .candidates
            .items
            .iter()
            .filter(|item| recommender.include_seen || !model.seen(user).contains(item))
            .map(|&item| (scorer.score(item), item))
            .collect();
        for (key, item) in &mut left {
            if penalty > 0.0 {
                *key -= (penalty * libm::log1p(model.items.counts[*item as usize].into())) as f32;
            }
        }
        let mut best = top_k::naive(&left, left.len());
        let mut taken: Vec<u32> = Vec::new();
        let genres = &model.items.catalog.columns[0].rows;
        best.retain(|&(_, item)| {
            let row = genres.row(item as usize);
            let full = |g: &u32| taken.iter().filter(|&t| t == g).count() >= k;
            let fits = !row.iter().any(full);
            taken.extend(row.iter().filter(|_| fits));
            fits
        });
        best.truncate(recommender.n);
        let best = best.into_iter();
        best.map(|(_, item)| {
            let prediction = model.predict_rows(Some(user), Some(item));
            (item, prediction.value.to_bits())
        })
        .collect()
    }

    /// Every user's list by blocks is the oracle's and that of [`Recommender::top_n`].
    fn check(model: &Model, query: &Query, what: &str) {
        check_order(model, query, (0.0, usize::MAX), what);
    }

    /// The same for a query with a penalty and so many items of a genre.
    fn check_order(model: &Model, query: &Query, order: (f64, usize), what: &str) {
        let mut recommender = model.recommender(query).unwrap();
        let users: Vec<u32> = (0..model.users().ids().len() as u32).collect();
        let wanted: Vec<_> = users
            .iter()
            .map(|&u| oracle(model, &recommender, order, u))
            .collect();
        for kernel in [Kernel::Portable, Kernel::detect()] {
            recommender.kernel = kernel;
            let lists = recommender.everyone().top_n(&users);
            assert_eq!(lists.len(), users.len());
            for ((&user, list), wanted) in users.iter().zip(&lists).zip(&wanted) {
                assert_eq!(&bits(list), wanted, "user {user}, {kernel:?}, {what}");
                let alone: Vec<(u32, u32)> = recommender
                    .top_n(user)
                    .iter()
                    .map(|line| {
                        (
                            model.items().ids().index(&line.item).unwrap(),
                            line.score.to_bits(),
                        )
                    })
                    .collect();
                assert_eq!(&alone, wanted, "user {user} alone, {kernel:?}, {what}");
            }
        }
    }

    #[test]
    fn every_width_gives_the_lists_of_the_definition() {
        for n_factors in 1..=130 {
            let model = random(n_factors as u64, n_factors, 9, 37);
            check(
                &model,
                &Query::default().n(5),
                &format!("{n_factors} factors"),
            );
        }
    }

    #[test]
    fn every_query_gives_the_lists_of_the_definition() {
        for seed in 0..12 {
            // More users than a block, more items than a run.
            let model = random(seed, 5, BLOCK + 3, RUN * ITEMS + 21);
            let some = |step: usize| (0..RUN * ITEMS + 21).step_by(step).map(|i| format!("i{i}"));
            let queries = [
                Query::default(),
                Query::default().include_seen().n(1),
                Query::default().n(10_000),
                Query::default().n(10_000).include_seen(),
                Query::default().having("genres", "Horror").n(3),
                Query::default().allow(some(97)).n(4),
                Query::default().deny(some(2)),
                Query::default().allow(some(60)).deny(some(3)).n(100),
                Query::default().allow([""; 0]),
            ];
            for (n, query) in queries.iter().enumerate() {
                check(&model, query, &format!("model {seed}, query {n}"));
            }
        }
    }

    #[test]
    fn penalties_and_limits_give_the_lists_of_the_definition() {
        for seed in 0..8 {
            let mut model = random(seed, 5, BLOCK + 3, RUN * ITEMS + 21);
            model.items.counts = (0..(RUN * ITEMS + 21) as u32).map(|i| i * 7 % 40).collect();
            for (n, penalty, k) in [(5, 0.3, usize::MAX), (5, 0.0, 2), (7, 0.1, 3), (50, 2.0, 9)] {
                let mut query = Query::default().n(n).popularity_penalty(penalty);
                if k < usize::MAX {
                    query = query.max_per("genres", k);
                }
                let what = format!("model {seed}, penalty {penalty}, {k} of a genre");
                check_order(&model, &query, (penalty, k), &what);
            }
        }
    }

    /// One genre fills the first places of every list: what follows has to be looked for.
    #[test]
    fn a_limit_looks_as_far_as_it_must() {
        let mut model = random(1, 4, 9, 400);
        let genres = crate::data::Csr::from_rows((0..400u32).map(|i| vec![u32::from(i >= 390)]));
        model.items.catalog.columns[0].rows = genres;
        model.items.identity_biases = Some((0..400).map(|i| (400 - i) as f32).collect());
        let query = Query::default().n(4).include_seen().max_per("genre", 2);
        check_order(&model, &query, (0.0, 2), "one genre first");
        let recommender = model.recommender(&query).unwrap();
        assert!(recommender.everyone().top_n(&[0])[0].len() == 4);
    }

    #[test]
    fn what_is_no_finite_score_has_its_place_and_what_is_seen_has_none() {
        for odd in [f32::NEG_INFINITY, f32::INFINITY, f32::NAN] {
            let mut model = random(1, 4, 9, 40);
            let biases = model.items.identity_biases.as_mut().unwrap();
            for item in [0, 3, 17, 39] {
                biases[item] = odd;
            }
            for n in [1, 4, 30, 40, 50] {
                check(&model, &Query::default().n(n), &format!("{n} with {odd}"));
            }
        }
    }

    #[test]
    fn neither_the_block_nor_the_thread_changes_a_list() {
        let model = random(2, 20, 2 * BLOCK + 9, 300);
        let recommender = model.recommender(&Query::default()).unwrap();
        let everyone = recommender.everyone();
        let users: Vec<u32> = (0..model.users().ids().len() as u32).rev().collect();
        let wanted = everyone.top_n(&users);
        for (threads, block) in [(1, 1), (3, 5), (3, 64), (3, 70)] {
            let tasks = users.chunks(block).collect();
            let lists = Pool::new(threads).map(tasks, |users| everyone.top_n(users));
            assert_eq!(lists.concat(), wanted, "{threads} threads, {block} users");
        }
    }

    #[test]
    fn nobody_gets_nothing() {
        let model = example::model();
        let recommender = model.recommender(&Query::default()).unwrap();
        assert!(recommender.everyone().top_n(&[]).is_empty());
        let lists = recommender.everyone().top_n(&[3, 0]);
        assert_eq!(lists[0], [], "zoe has seen all");
        assert_eq!(
            lists[1].iter().map(|r| r.item).collect::<Vec<_>>(),
            [1, 2, 3]
        );
    }
}
