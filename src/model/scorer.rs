//! What does one user think of every item?
//!
//! [`Scorer`] is the one place where a finished model turns rows into numbers: `predict`, `recommend` and `evaluate` all ask it, so
//! they cannot disagree.

use std::borrow::Cow;

use super::posterior::{OwnSpread, Party};
use super::{Kind, Meaning, Model, Prediction};

/// One user's composed row beside a model's items.
#[derive(Clone, Debug)]
pub struct Scorer<'m> {
    model: &'m Model,
    p_u: Cow<'m, [f32]>,
    user_bias: f32,
    /// The user's row; `None` of a user that the model has not.
    user: Option<u32>,
    /// The row of a user that was found after training.
    late: Option<&'m FoldedRow>,
}

/// The composed row of a user or an item that the model has not; [`Model::fold_in`](crate::Model::fold_in) and [`fold_in_item`](crate::Model::fold_in_item) find one.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldedRow {
    /// P_u or Q_i, padded.
    pub(crate) factors: Vec<f32>,
    pub(crate) bias: f32,
    /// How uncertain it is, where the model has a posterior.
    pub(crate) spread: Option<OwnSpread>,
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
                late: None,
            },
            None => Scorer {
                model,
                p_u: Cow::Owned(vec![0.0; model.items.composed().stride()]),
                user_bias: 0.0,
                user,
                late: None,
            },
        }
    }

    /// A user that the model has not, by a row of the model's width.
    pub fn of_row(model: &'m Model, row: &'m FoldedRow) -> Scorer<'m> {
        Scorer {
            model,
            p_u: Cow::Borrowed(&row.factors),
            user_bias: row.bias,
            user: None,
            late: Some(row),
        }
    }

    /// Whether a model of ratings has nothing to stand on: no μ, and no row.
    fn no_footing(&self, no_item: bool) -> bool {
        let no_user = self.user.is_none() && self.late.is_none();
        self.model.global_mean.is_none()
            && (no_user || no_item)
            && self.model.meaning() == Meaning::Rating
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
                (item, None),
            ),
            None => self.judged(value, known, &vec![0.0; self.p_u.len()], (item, None)),
        }
    }

    /// The value of [`prediction`](Scorer::prediction) alone, for those who ask for many.
    pub fn value(&self, item: Option<u32>) -> f32 {
        if self.no_footing(item.is_none()) {
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
        let value = self.value_of_row(q_i, item_bias);
        self.judged(value, item_known, q_i, (item, None))
    }

    /// The predicted rating of an item that the model has not.
    pub fn prediction_of_new(&self, item: &FoldedRow) -> Prediction {
        let value = self.value_of_row(&item.factors, item.bias);
        self.judged(value, true, &item.factors, (None, item.spread.as_ref()))
    }

    fn value_of_row(&self, q_i: &[f32], item_bias: f32) -> f32 {
        match self.no_footing(false) {
            true => self.model.training_mean as f32,
            false => self.model.prediction_of(self.score_row(q_i, item_bias)),
        }
    }

    /// A value with what it rests on, and how uncertain it is; the item by its row, or by what is known of one that the model has not.
    fn judged(
        &self,
        value: f32,
        item_known: bool,
        q_i: &[f32],
        (item, own): (Option<u32>, Option<&OwnSpread>),
    ) -> Prediction {
        let Model { users, items, .. } = self.model;
        let rated = |counts: &[u32], row: Option<u32>| row.is_some_and(|r| counts[r as usize] > 0);
        let user = Party {
            composed: &self.p_u,
            row: self.user,
            rated: rated(&users.counts, self.user),
            own: self.late.and_then(|late| late.spread.as_ref()),
        };
        let item = Party {
            composed: q_i,
            row: item,
            rated: rated(&items.counts, item),
            own,
        };
        let user_known = self.late.is_some() || self.user.is_some_and(|user| users.known(user));
        let posterior = self.model.posterior.as_ref();
        Prediction {
            value,
            kind: Kind::new(user_known, item_known),
            std: posterior.map(|posterior| posterior.std(user, item)),
        }
    }
}
