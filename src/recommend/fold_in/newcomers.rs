//! What can be asked of somebody whom training never saw?

use crate::Result;
use crate::model::{FoldedRow, Model, Prediction, Scorer};
use crate::recommend::query::Query;
use crate::recommend::top_n::{Recommendation, Recommender};

/// A user whom training never saw.
#[derive(Clone, Debug, PartialEq)]
pub struct NewUser<'m> {
    pub(super) model: &'m Model,
    pub(super) row: FoldedRow,
    /// The items of the history, rising.
    pub(super) seen: Vec<u32>,
    pub(super) n_unknown: usize,
}

/// An item that training never saw, found by [`Model::fold_in_item`].
#[derive(Clone, Debug, PartialEq)]
pub struct NewItem<'m> {
    pub(super) model: &'m Model,
    pub(super) row: FoldedRow,
    pub(super) n_unknown: usize,
}

impl NewItem<'_> {
    /// Q_i.
    pub fn factors(&self) -> &[f32] {
        &self.row.factors[..self.model.n_factors()]
    }

    /// b_i.
    pub fn bias(&self) -> f32 {
        self.row.bias
    }

    /// How many ids of the history the model has not.
    pub fn n_unknown(&self) -> usize {
        self.n_unknown
    }

    /// The prediction for a user.
    ///
    /// # Errors
    /// None today, as for [`Model::predict`].
    pub fn predict(&self, user_id: &str) -> Result<Prediction> {
        let user = self.model.users().ids().index(user_id);
        Ok(Scorer::new(self.model, user).prediction_of_new(&self.row))
    }
}

impl NewUser<'_> {
    /// P_u.
    pub fn factors(&self) -> &[f32] {
        &self.row.factors[..self.model.n_factors()]
    }

    /// b_u.
    pub fn bias(&self) -> f32 {
        self.row.bias
    }

    /// How many ids of the history the model has not.
    pub fn n_unknown(&self) -> usize {
        self.n_unknown
    }

    /// The prediction for an item.
    ///
    /// # Errors
    /// None today, as for [`Model::predict`].
    pub fn predict(&self, item_id: &str) -> Result<Prediction> {
        let item = self.model.items().ids().index(item_id);
        Ok(Scorer::of_row(self.model, &self.row).prediction(item))
    }

    /// The list of a query, whose user is not looked at; the items of the history count as seen.
    ///
    /// # Errors
    /// As [`Model::recommender`].
    pub fn recommend(&self, query: &Query) -> Result<Vec<Recommendation>> {
        Ok(self.model.recommender(query)?.top_n_of(self))
    }
}

impl Recommender<'_> {
    /// The list for a user whom training never saw, of the same model.
    pub fn top_n_of(&self, user: &NewUser<'_>) -> Vec<Recommendation> {
        let scorer = Scorer::of_row(self.model, &user.row);
        let left_out: &[u32] = match self.include_seen {
            true => &[],
            false => &user.seen,
        };
        self.lines(self.list(&scorer, left_out, self.depth()))
    }
}
