//! Who ranks all unseen items for a user?
//!
//! The model itself, the most rated items, or the neighbours of what the user rated: each gives lists, and the AUC of what is relevant. What is made of them is left to [`ranking`](super::ranking).

use crate::evaluation::baselines::Popularity;
use crate::evaluation::baselines::knn::Neighbours;
use crate::kernels::top_k::TopK;
use crate::metrics::PairCount;
use crate::model::Scorer;
use crate::recommend::{Everyone, Query, Recommender};
use crate::{Model, Result};

/// What a user rated in training; nothing for a stranger.
pub(super) fn seen(model: &Model, user: u32) -> &[u32] {
    match (user as usize) < model.users().ids().len() {
        true => model.seen(user),
        false => &[],
    }
}

/// Something that ranks all unseen items of a model for a user.
pub trait Ranking: Sync {
    /// The best n of each user, best first.
    fn lists(&self, users: &[u32], n: usize) -> Vec<Vec<u32>>;
    /// The AUC of each user; `relevant` rises, and what is no candidate in it is left out.
    fn aucs(&self, users: &[u32], relevant: &[&[u32]]) -> Vec<Option<f64>>;
    /// What `user`'s items are ordered by, of some items of the model.
    fn scores(&self, user: u32, items: &[u32]) -> Vec<f32>;
}

/// The model itself.
pub struct OfModel<'m> {
    model: &'m Model,
    everyone: Everyone<'m>,
    /// What a user gets whom training never saw.
    stranger: Vec<f32>,
}

impl<'m> OfModel<'m> {
    /// From the recommender of [`everybody`].
    pub fn new(model: &'m Model, recommender: &'m Recommender<'m>) -> OfModel<'m> {
        let scorer = Scorer::new(model, None);
        let items = 0..model.items().ids().len() as u32;
        OfModel {
            model,
            everyone: recommender.everyone(),
            stranger: items.map(|item| scorer.score(item)).collect(),
        }
    }

    /// Does `known` for the users of the model, `stranger` for the others, and keeps the order.
    fn split<T>(
        &self,
        users: &[u32],
        known: impl FnOnce(&[usize], &[u32]) -> Vec<T>,
        stranger: impl Fn(usize) -> T,
    ) -> Vec<T> {
        let is_known = |&n: &usize| (users[n] as usize) < self.model.users().ids().len();
        let places: Vec<usize> = (0..users.len()).filter(is_known).collect();
        let rows: Vec<u32> = places.iter().map(|&n| users[n]).collect();
        let mut of_known = known(&places, &rows).into_iter();
        let one = |n| match is_known(&n) {
            true => of_known.next().expect("one each"),
            false => stranger(n),
        };
        (0..users.len()).map(one).collect()
    }
}

/// The recommender for lists of `n` of all unseen items.
///
/// # Errors
/// For n = 0.
pub fn everybody(model: &Model, n: usize) -> Result<Recommender<'_>> {
    model.recommender(&Query::default().n(n))
}

impl Ranking for OfModel<'_> {
    /// `n` is that of the recommender, or less.
    fn lists(&self, users: &[u32], n: usize) -> Vec<Vec<u32>> {
        let items =
            |list: Vec<crate::recommend::Ranked>| list.iter().take(n).map(|r| r.item).collect();
        let known = |_: &[usize], rows: &[u32]| {
            let lists = self.everyone.top_n(rows).into_iter();
            lists.map(items).collect()
        };
        let mut top = TopK::new(n);
        if users
            .iter()
            .any(|&u| u as usize >= self.model.users().ids().len())
        {
            (0u32..)
                .zip(&self.stranger)
                .for_each(|(item, &s)| top.push(s, item));
        }
        let list: Vec<u32> = top.into_sorted().iter().map(|entry| entry.1).collect();
        self.split(users, known, |_| list.clone())
    }

    fn aucs(&self, users: &[u32], relevant: &[&[u32]]) -> Vec<Option<f64>> {
        let known = |places: &[usize], rows: &[u32]| {
            let relevant: Vec<&[u32]> = places.iter().map(|&n| relevant[n]).collect();
            self.everyone.auc(rows, &relevant)
        };
        let stranger = |n: usize| {
            let score = |item: &u32| self.stranger.get(*item as usize).copied();
            let mut pairs = PairCount::new(relevant[n].iter().filter_map(score).collect());
            self.stranger.iter().for_each(|&score| pairs.push(score));
            pairs.auc()
        };
        self.split(users, known, stranger)
    }

    fn scores(&self, user: u32, items: &[u32]) -> Vec<f32> {
        let known = Some(user).filter(|&user| (user as usize) < self.model.users().ids().len());
        let scorer = Scorer::new(self.model, known);
        items.iter().map(|&item| scorer.score(item)).collect()
    }
}

/// The most rated items of `model`'s training.
pub struct OfPopularity<'m> {
    /// Whose seen items are left out.
    pub model: &'m Model,
    /// The order.
    pub popularity: Popularity,
}

impl Ranking for OfPopularity<'_> {
    fn lists(&self, users: &[u32], n: usize) -> Vec<Vec<u32>> {
        let list = |&user: &u32| self.popularity.list(seen(self.model, user), n);
        users.iter().map(list).collect()
    }

    fn aucs(&self, users: &[u32], relevant: &[&[u32]]) -> Vec<Option<f64>> {
        let both = users.iter().zip(relevant);
        both.map(|(&user, relevant)| self.popularity.auc(seen(self.model, user), relevant))
            .collect()
    }

    fn scores(&self, _: u32, items: &[u32]) -> Vec<f32> {
        let counts = self.model.items().counts();
        let count = |&item: &u32| counts[item as usize] as f32;
        items.iter().map(count).collect()
    }
}

/// The neighbours of what a user rated.
pub struct OfNeighbours<'m> {
    /// Whose seen items are left out.
    pub model: &'m Model,
    /// Of the same training ratings.
    pub neighbours: Neighbours<'m>,
}

impl Ranking for OfNeighbours<'_> {
    fn lists(&self, users: &[u32], n: usize) -> Vec<Vec<u32>> {
        let n_items = self.model.items().ids().len();
        let list = |&user: &u32| {
            self.neighbours
                .list(user, n_items, seen(self.model, user), n)
        };
        users.iter().map(list).collect()
    }

    fn aucs(&self, users: &[u32], relevant: &[&[u32]]) -> Vec<Option<f64>> {
        let n_items = self.model.items().ids().len();
        let both = users.iter().zip(relevant);
        both.map(|(&user, relevant)| {
            let seen = seen(self.model, user);
            self.neighbours.auc(user, n_items, seen, relevant)
        })
        .collect()
    }

    fn scores(&self, user: u32, items: &[u32]) -> Vec<f32> {
        let n_items = self.model.items().ids().len();
        let scores = self.neighbours.scores(user, n_items);
        items.iter().map(|&item| scores[item as usize]).collect()
    }
}
