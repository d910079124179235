//! What can be asked of an item that training never saw?

use crate::Result;
use crate::model::{FoldedRow, Model, Prediction, Scorer};

/// An item whom training never saw, found by [`Model::fold_in_item`].
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
