//! Which items are candidates?
//!
//! Those that a query's lists and conditions leave, whoever the user is. Found once per query, not once per user.

use super::near;
use super::query::{Condition, Query};
use crate::data::{Catalog, Column, Ids};
use crate::{Error, Model, Result};

/// The candidates of a query.
#[derive(Clone, Debug)]
pub(super) struct Candidates {
    /// Item indices, rising.
    pub(super) items: Vec<u32>,
    /// How many ids of the list of allowed items the model has not.
    pub(super) n_unknown_allowed: usize,
    /// How many ids of the deny list the model has not.
    pub(super) n_unknown_denied: usize,
}

impl Candidates {
    pub(super) fn new(model: &Model, query: &Query) -> Result<Candidates> {
        let items = model.items();
        let mut keep = vec![query.allow.is_none(); items.ids().len()];
        let allowed = query.allow.as_deref().unwrap_or_default();
        let mut n_unknown_allowed = 0;
        for id in allowed {
            match items.ids().index(id) {
                Some(item) => keep[item as usize] = true,
                None => n_unknown_allowed += 1,
            }
        }
        if let Some(first) = allowed
            .first()
            .filter(|_| n_unknown_allowed == allowed.len())
        {
            return Err(unknown_item(model, first));
        }
        let mut n_unknown_denied = 0;
        for id in &query.deny {
            match items.ids().index(id) {
                Some(item) => keep[item as usize] = false,
                None => n_unknown_denied += 1,
            }
        }
        for condition in &query.conditions {
            apply(condition, items.catalog(), &mut keep)?;
        }
        let items = (0u32..)
            .zip(keep)
            .filter_map(|(item, keep)| keep.then_some(item));
        Ok(Candidates {
            items: items.collect(),
            n_unknown_allowed,
            n_unknown_denied,
        })
    }
}

/// Drops the items that do not meet `condition`.
fn apply(condition: &Condition, catalog: &Catalog, keep: &mut [bool]) -> Result<()> {
    let names = catalog.columns.iter().map(|column| column.name.as_str());
    let column = match find(&condition.column, names.clone()) {
        Some(position) => &catalog.columns[position],
        None => {
            return Err(Error::Unknown {
                what: "column",
                name: condition.column.clone(),
                hint: near::near_or_all(&condition.column, "columns of the items", names),
            });
        }
    };
    let value = value_of(column, &condition.value)?;
    for (row, keep) in keep.iter_mut().enumerate() {
        *keep &= column.rows.row(row).contains(&value) != condition.negated;
    }
    Ok(())
}

/// The number of the value called `name`.
fn value_of(column: &Column, name: &str) -> Result<u32> {
    let ids = &column.values;
    ids.index(name)
        .or_else(|| find(name, ids.names().iter()).map(|position| position as u32))
        .ok_or_else(|| Error::Unknown {
            what: "value",
            name: name.into(),
            hint: near::near_or_all(
                name,
                &format!("values of {}", column.name),
                ids.names().iter(),
            ),
        })
}

/// The position of `wanted`: by its name, or else the first that differs in case, or else by a final s, alone.
pub(super) fn find<'a>(
    wanted: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Option<usize> {
    let lower = wanted.to_lowercase();
    let stem = |name: &str| name.strip_suffix('s').unwrap_or(name).to_owned();
    names
        .clone()
        .position(|name| name == wanted)
        .or_else(|| names.clone().position(|name| name.to_lowercase() == lower))
        .or_else(|| {
            names
                .clone()
                .position(|name| stem(&name.to_lowercase()) == stem(&lower))
        })
}

/// The error for a user id that the model has not.
pub(super) fn unknown_user(model: &Model, user_id: &str) -> Error {
    Error::Unknown {
        what: "user",
        name: user_id.into(),
        hint: match model.items().ids().index(user_id) {
            Some(_) => "there is an item with this id".into(),
            None => near_id(user_id, "users", model.users().ids()),
        },
    }
}

fn near_id(id: &str, what: &str, ids: &Ids) -> String {
    let hint = near::did_you_mean(id, ids.names().iter());
    match hint.is_empty() {
        true => near::such_as(what, ids.names().iter()),
        false => hint,
    }
}

fn unknown_item(model: &Model, item_id: &str) -> Error {
    Error::Unknown {
        what: "item",
        name: item_id.into(),
        hint: match model.users().ids().index(item_id) {
            Some(_) => "there is a user with this id".into(),
            None => near_id(item_id, "items", model.items().ids()),
        },
    }
}
