//! What did a newcomer rate, as one writes it on a command line?
//!
//! ```text
//! history = entry { "," entry }
//! entry   = item [":" rating]          an item in double quotes may have commas and colons: "a,b":5
//! ```
//!
//! An entry that is an item's id as it stands is that item, whatever colons it has.

use std::str::FromStr;

use crate::data::Ids;
use crate::{Error, Model, Result};

/// The entries as they stand.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct History(Vec<Entry>);

#[derive(Clone, Debug, PartialEq)]
enum Entry {
    /// In quotes, with what follows them.
    Quoted(String, Option<f32>),
    Plain(String),
}

impl FromStr for History {
    type Err = String;

    fn from_str(text: &str) -> Result<History, String> {
        let (mut entries, mut rest) = (Vec::new(), text.trim());
        loop {
            let (entry, after) = match rest.strip_prefix('"') {
                Some(quoted) => {
                    let (item, after) = quoted.split_once('"').ok_or("a quote without an end")?;
                    let (rating, after) = after
                        .split_once(',')
                        .map_or((after, None), |(a, b)| (a, Some(b)));
                    let rating = match rating.trim().strip_prefix(':') {
                        Some(number) => {
                            let wanted = |_| format!("{number:?} where a rating should be");
                            Some(number.trim().parse().map_err(wanted)?)
                        }
                        None if rating.trim().is_empty() => None,
                        None => return Err(format!("{rating:?} after an item in quotes")),
                    };
                    (Entry::Quoted(item.into(), rating), after)
                }
                None => {
                    let (entry, after) = rest
                        .split_once(',')
                        .map_or((rest, None), |(a, b)| (a, Some(b)));
                    (Entry::Plain(entry.trim().into()), after)
                }
            };
            if let Entry::Plain(item) = &entry
                && item.is_empty()
            {
                return Err("wanted ITEM:RATING,ITEM:RATING or ITEM,ITEM".into());
            }
            entries.push(entry);
            match after {
                Some(after) => rest = after.trim(),
                None => return Ok(History(entries)),
            }
        }
    }
}

impl History {
    /// Items and ratings, for [`Model::fold_in`].
    pub(super) fn of(&self, model: &Model) -> Result<Vec<(String, f32)>> {
        let pair = |entry: &Entry| {
            let (item, rating) = entry.split(model.items().ids());
            rated(model, item, rating)
        };
        self.0.iter().map(pair).collect()
    }
}

/// An item with its rating, which may be missing where the model does not want one.
pub(super) fn rated(model: &Model, item: String, rating: Option<f32>) -> Result<(String, f32)> {
    match rating {
        Some(rating) => Ok((item, rating)),
        None if !model.wants_ratings() => Ok((item, 1.0)),
        None => {
            let got = format!("{item:?} without one");
            let wanted = "a rating of each item, as in 50:5,172:4: the model predicts ratings";
            Err(Error::config("history", got, wanted))
        }
    }
}

impl Entry {
    fn split(&self, ids: &Ids) -> (String, Option<f32>) {
        match self {
            Entry::Quoted(item, rating) => (item.clone(), *rating),
            Entry::Plain(text) if ids.index(text).is_some() => (text.clone(), None),
            Entry::Plain(text) => text
                .rsplit_once(':')
                .and_then(|(item, rating)| {
                    Some((item.trim().to_owned(), Some(rating.trim().parse().ok()?)))
                })
                .unwrap_or_else(|| (text.clone(), None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_items_with_and_without_ratings() {
        let ids: Ids = ["50", "a,b", "x:1"].iter().collect();
        let split = |text: &str| -> Vec<(String, Option<f32>)> {
            let history: History = text.parse().unwrap();
            history.0.iter().map(|entry| entry.split(&ids)).collect()
        };
        let is = |item: &str, rating| (item.to_owned(), rating);
        assert_eq!(
            split("50:5, \"a,b\" : 4.5,x:1,gone:2,new"),
            [
                is("50", Some(5.0)),
                is("a,b", Some(4.5)),
                is("x:1", None),
                is("gone", Some(2.0)),
                is("new", None)
            ]
        );
        assert_eq!(
            split("\"x:1\",x:1:3"),
            [is("x:1", None), is("x:1", Some(3.0))]
        );
        for text in ["", "50,,51", "50,", "\"a", "\"a\"b", "\"a\":x"] {
            assert!(text.parse::<History>().is_err(), "{text:?}");
        }
    }
}
