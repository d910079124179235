//! How may ids, values and histories be written in a question?
//!
//! ```text
//! id        "196" or 196                                        a whole number stands for its digits
//! values    "Horror", 1995 or ["Horror", "Drama"]
//! history   {"50": 5, "172": 4}, [["50", 5], ["172", 4]] or, where no ratings are wanted, ["50", "172"]
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::cli::serve::history::rated;
use crate::{Model, Result};

/// The id of a user or an item.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "wanted an id: a string or a whole number")]
pub(super) enum Id {
    Text(String),
    Whole(i64),
    Greater(u64),
}

impl Id {
    pub(super) fn into_text(self) -> String {
        match self {
            Id::Text(text) => text,
            Id::Whole(number) => number.to_string(),
            Id::Greater(number) => number.to_string(),
        }
    }
}

/// One or more values of a column.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "wanted a value: a string, a number or a list of them"
)]
pub(super) enum Values {
    One(Value),
    Many(Vec<Value>),
}

/// A value.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Value {
    Text(String),
    Number(serde_json::Number),
}

impl Values {
    /// As a command line has them: separated by `|`.
    pub(super) fn into_text(self) -> String {
        let text = |value| match value {
            Value::Text(text) => text,
            Value::Number(number) => number.to_string(),
        };
        match self {
            Values::One(value) => text(value),
            Values::Many(values) => values.into_iter().map(text).collect::<Vec<_>>().join("|"),
        }
    }
}

/// What a newcomer has rated or taken.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "wanted a history: {\"ITEM\": RATING}, [[\"ITEM\", RATING]] or [\"ITEM\"]"
)]
pub(super) enum History {
    Ratings(BTreeMap<String, f32>),
    List(Vec<Entry>),
}

/// One of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Entry {
    Rated(Id, f32),
    Taken(Id),
}

impl History {
    /// Items and ratings, for [`Model::fold_in`].
    pub(super) fn of(self, model: &Model) -> Result<Vec<(String, f32)>> {
        let entries: Vec<(String, Option<f32>)> = match self {
            History::Ratings(ratings) => {
                let ratings = ratings.into_iter();
                ratings.map(|(item, rating)| (item, Some(rating))).collect()
            }
            History::List(list) => list
                .into_iter()
                .map(|entry| match entry {
                    Entry::Rated(item, rating) => (item.into_text(), Some(rating)),
                    Entry::Taken(item) => (item.into_text(), None),
                })
                .collect(),
        };
        let entries = entries.into_iter();
        entries
            .map(|(item, rating)| rated(model, item, rating))
            .collect()
    }
}
