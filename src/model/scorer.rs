//! What does one user think of every item?
//!
//! [`Scorer`] is the one place where a finished model turns rows into numbers: `predict`, `recommend` and `evaluate` all ask it, so
//! they cannot disagree.

use std::borrow::Cow;

use super::{Kind, Model, Prediction};

/// One user's composed row beside a model's items.
#[derive(Clone, Debug)]
pub struct Scorer<'m> {
    model: &'m Model,
    p_u: Cow<'m, [f32]>,
    user_bias: f32,
    /// Whether training ratings touch the user.
    known: bool,
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
                known: users.known(row),
            },
            None => Scorer {
                model,
                p_u: Cow::Owned(vec![0.0; model.items.composed().stride()]),
                user_bias: 0.0,
                known: false,
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
        let kind = Kind::new(self.known, item.is_some_and(|item| items.known(item)));
        let nothing_to_stand_on =
            self.model.global_mean.is_none() && (item.is_none() || self.is_stranger());
        let value = if nothing_to_stand_on {
            self.model.training_mean as f32
        } else {
            let score = match item {
                Some(item) => self.score(item),
                None => self.score_row(&vec![0.0; self.p_u.len()], 0.0),
            };
            self.model.prediction_of(score)
        };
        Prediction { value, kind }
    }

    /// The predicted rating of a composed row that is not, or not quite, one of the items.
    pub fn prediction_row(&self, q_i: &[f32], item_bias: f32, item_known: bool) -> Prediction {
        let value = if self.model.global_mean.is_none() && self.is_stranger() {
            self.model.training_mean as f32
        } else {
            self.model.prediction_of(self.score_row(q_i, item_bias))
        };
        Prediction {
            value,
            kind: Kind::new(self.known, item_known),
        }
    }

    /// Whether the user has no row at all.
    fn is_stranger(&self) -> bool {
        matches!(self.p_u, Cow::Owned(_)) && !self.known
    }
}
