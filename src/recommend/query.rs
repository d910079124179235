//! What can one ask for?
//!
//! The n best items for a user, with conditions on columns of the items, and lists of items that may or may not appear.

use super::filter::Filters;
use super::filter::expression::Condition;

/// A question for [`Model::recommend`](crate::Model::recommend). It starts with n = 10 and without the items that the user rated in training.
///
/// ```
/// use lowrank::Query;
/// let query = Query::user("196").n(5).having("genre", "Horror").deny(["50"]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub(super) user_id: Option<String>,
    pub(super) n: usize,
    pub(super) include_seen: bool,
    pub(super) filters: Filters,
    pub(super) max_per: Vec<MaxPer>,
    pub(super) popularity_penalty: f64,
}

/// At most `k` items of each value of a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MaxPer {
    pub(super) column: String,
    pub(super) k: usize,
}

impl Default for Query {
    fn default() -> Query {
        Query {
            user_id: None,
            n: 10,
            include_seen: false,
            filters: Filters::default(),
            max_per: Vec::new(),
            popularity_penalty: 0.0,
        }
    }
}

impl Query {
    /// What should `user_id` see?
    pub fn user(user_id: impl Into<String>) -> Query {
        Query {
            user_id: Some(user_id.into()),
            ..Query::default()
        }
    }

    /// At most `n` items.
    pub fn n(self, n: usize) -> Query {
        Query { n, ..self }
    }

    /// Without the items that the user rated in training; so it is unless told otherwise.
    pub fn unseen(self) -> Query {
        Query {
            include_seen: false,
            ..self
        }
    }

    /// With the items that the user rated in training.
    pub fn include_seen(self) -> Query {
        Query {
            include_seen: true,
            ..self
        }
    }

    /// Only items that have `value` in `column`. Several conditions must all hold.
    ///
    /// Columns and values are found by name, or else without regard to case; `genre` finds a column `genres` and the reverse.
    pub fn having(self, column: impl Into<String>, value: impl Into<String>) -> Query {
        self.condition(Condition::having(column, value))
    }

    /// Only items for which `condition` holds.
    pub fn condition(mut self, condition: Condition) -> Query {
        self.filters.conditions.push(condition);
        self
    }

    /// Only these items. An id that the model has not will not appear, and [`Recommender::n_unknown_allowed`](super::Recommender::n_unknown_allowed) counts
    /// it; where the model has none of them, that is an error, because the list is probably of something else.
    pub fn allow<S: Into<String>>(mut self, item_ids: impl IntoIterator<Item = S>) -> Query {
        let list = self.filters.allow.get_or_insert_default();
        list.extend(item_ids.into_iter().map(Into::into));
        self
    }

    /// None of these items. An id that the model has not is no error, because it will not appear, as wished;
    /// [`Recommender::n_unknown_denied`](super::Recommender::n_unknown_denied) counts them.
    pub fn deny<S: Into<String>>(mut self, item_ids: impl IntoIterator<Item = S>) -> Query {
        self.filters
            .deny
            .extend(item_ids.into_iter().map(Into::into));
        self
    }

    /// At most `k` items of each value of `column` in the list; an item of several values counts for each, one without any is always welcome. Chosen greedily, best first, until there are n.
    pub fn max_per(mut self, column: impl Into<String>, k: usize) -> Query {
        let column = column.into();
        self.max_per.push(MaxPer { column, k });
        self
    }

    /// Orders by score − x·ln(1 + training ratings of the item) instead of by the score, so that what few have rated comes up; 0 changes nothing. The list still shows the predictions.
    pub fn popularity_penalty(self, x: f64) -> Query {
        Query {
            popularity_penalty: x,
            ..self
        }
    }
}
