//! What does one user think of every item?
//!
//! [`Scorer`] is the one place where a finished model turns rows into numbers: `predict`, `recommend` and `evaluate` all ask it, so
//! they cannot disagree.

use std::borrow::Cow;

use super::posterior::Party;
use super::{Kind, Model, Prediction};

/// One user's composed row beside a model's items.
#[derive(Clone, Debug)]
pub struct Scorer<'m> {
    model: &'m Model,
    p_u: Cow<'m, [f32]>,
    user_bias: f32,
    /// The user's row; `None` of an unknown user.
    user: Option<u32>,
}

impl<'m> Scorer<'m> {
    /// The user of row `user`; `None` for an unknown one, whose terms are 0.
    pub fn new(model: &'m Model, user: Option<u32>) -> Scorer<'m> {
        let users = &model.users;
        match user {
            Some(row) => Scorer {
                model,
                p_u: Cow::Borrowed(users.composed().padded_row(row as usize)),
                user_bias: users.bias(row),
                user,
            },
            None => Scorer {
                model,
                p_u: Cow::Owned(vec![0.0; model.items.composed().stride()]),
                user_bias: 0.0,
                user,
            },
        }
    }

    /// The score of an item, before the link; lists are ordered by it.
    #[inline(always)]
    pub fn score(&self, item: u32) -> f32 {
        let items = &self.model.items;
        self.score_row(items.composed().padded_row(item as usize), items.bias(item))
    }

    /// The score of a composed row that is not, or not quite, one of the items.
    #[inline(always)]
    pub fn score_row(&self, q_i: &[f32], item_bias: f32) -> f32 {
        self.model.score(self.user_bias, item_bias, &self.p_u, q_i)
    }

    /// The predicted rating of an item; `None` for an unknown one, whose terms are 0.
    pub fn prediction(&self, item: Option<u32>) -> Prediction {
        let items = &self.model.items;
        let value = self.value(item);
        let known = item.is_some_and(|item| items.known(item));
        match item {
            Some(row) => self.judged(
                value,
                known,
                items.composed().padded_row(row as usize),
                item,
            ),
            None => self.judged(value, known, &vec![0.0; self.p_u.len()], item),
        }
    }

    /// The value of [`prediction`](Scorer::prediction) alone, for those who ask for many.
    pub fn value(&self, item: Option<u32>) -> f32 {
        let no_row = self.user.is_none() || item.is_none();
        if self.model.global_mean.is_none() && no_row {
            return self.model.training_mean as f32;
        }
        let score = match item {
            Some(item) => self.score(item),
            None => self.score_row(&vec![0.0; self.p_u.len()], 0.0),
        };
        self.model.prediction_of(score)
    }

    /// The predicted rating of a composed row that is not, or not quite, `item`. How uncertain it is follows from the row and from how well the
    /// item itself is known: nothing says how well its features are.
    pub fn prediction_row(
        &self,
        q_i: &[f32],
        item_bias: f32,
        item_known: bool,
        item: Option<u32>,
    ) -> Prediction {
        let value = if self.model.global_mean.is_none() && self.user.is_none() {
            self.model.training_mean as f32
        } else {
            self.model.prediction_of(self.score_row(q_i, item_bias))
        };
        self.judged(value, item_known, q_i, item)
    }

    /// A value with what it rests on, and how uncertain it is.
    fn judged(&self, value: f32, item_known: bool, q_i: &[f32], item: Option<u32>) -> Prediction {
        let Model { users, items, .. } = self.model;
        let rated = |counts: &[u32], row: Option<u32>| row.is_some_and(|r| counts[r as usize] > 0);
        let user = Party {
            composed: &self.p_u,
            row: self.user,
            rated: rated(&users.counts, self.user),
        };
        let item = Party {
            composed: q_i,
            row: item,
            rated: rated(&items.counts, item),
        };
        let user_known = self.user.is_some_and(|user| users.known(user));
        let posterior = self.model.posterior.as_ref();
        Prediction {
            value,
            kind: Kind::new(user_known, item_known),
            std: posterior.map(|posterior| posterior.std(user, item)),
        }
    }
}
