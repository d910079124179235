//! What can one ask for?
//!
//! The n best items for a user, with conditions on columns of the items, and lists of items that may or may not appear.

use std::str::FromStr;

use crate::{Error, Result};

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
    pub(super) conditions: Vec<Condition>,
    pub(super) allow: Option<Vec<String>>,
    pub(super) deny: Vec<String>,
}

/// A condition on a column of the items.
///
/// ```
/// use lowrank::recommend::Condition;
/// let condition: Condition = "genre!=Horror".parse()?;
/// assert_eq!((condition.column.as_str(), condition.value.as_str()), ("genre", "Horror"));
/// assert!(condition.negated);
/// # Ok::<(), lowrank::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// One of its values.
    pub value: String,
    /// `false`: the item has the value, perhaps among others. `true`: it has not.
    pub negated: bool,
}

impl Default for Query {
    fn default() -> Query {
        Query {
            user_id: None,
            n: 10,
            include_seen: false,
            conditions: Vec::new(),
            allow: None,
            deny: Vec::new(),
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
        self.condition(Condition {
            column: column.into(),
            value: value.into(),
            negated: false,
        })
    }

    /// Only items for which `condition` holds.
    pub fn condition(mut self, condition: Condition) -> Query {
        self.conditions.push(condition);
        self
    }

    /// Only these items. An id that the model has not will not appear, and [`Recommender::n_unknown_allowed`](super::Recommender::n_unknown_allowed) counts
    /// it; where the model has none of them, that is an error, because the list is probably of something else.
    pub fn allow<S: Into<String>>(mut self, item_ids: impl IntoIterator<Item = S>) -> Query {
        let list = self.allow.get_or_insert_default();
        list.extend(item_ids.into_iter().map(Into::into));
        self
    }

    /// None of these items. An id that the model has not is no error, because it will not appear, as wished;
    /// [`Recommender::n_unknown_denied`](super::Recommender::n_unknown_denied) counts them.
    pub fn deny<S: Into<String>>(mut self, item_ids: impl IntoIterator<Item = S>) -> Query {
        self.deny.extend(item_ids.into_iter().map(Into::into));
        self
    }
}

/// `column=value` or `column!=value`, split at the first equals sign.
impl FromStr for Condition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Condition> {
        let malformed = || {
            Error::config(
                "where",
                format!("{text:?}"),
                "column=value or column!=value",
            )
        };
        let (column, value) = text.split_once('=').ok_or_else(malformed)?;
        let (column, negated) = match column.strip_suffix('!') {
            Some(column) => (column, true),
            None => (column, false),
        };
        let (column, value) = (column.trim(), value.trim());
        if column.is_empty() || value.is_empty() {
            return Err(malformed());
        }
        Ok(Condition {
            column: column.into(),
            value: value.into(),
            negated,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_split_at_the_first_equals_sign() {
        let parse = |text: &str| {
            let c: Condition = text.parse().unwrap();
            (c.column, c.value, c.negated)
        };
        assert_eq!(parse("a=b"), ("a".into(), "b".into(), false));
        assert_eq!(parse("a!=b"), ("a".into(), "b".into(), true));
        assert_eq!(
            parse(" a = b=c "),
            ("a".into(), "b=c".into(), false),
            "values may have one"
        );
        for text in ["", "a", "=b", "a=", "!=b", "a!="] {
            assert!(
                matches!(text.parse::<Condition>(), Err(Error::Config { .. })),
                "{text:?}"
            );
        }
    }
}
