//! Which items are candidates?
//!
//! Those that a query's lists and conditions leave, whoever the user is. Found once per query, not once per user.
//!
//! | file | question |
//! |---|---|
//! | `expression` | how is a condition written? |
//! | `apply` | which rows meet it? |

mod apply;
pub(super) mod expression;

pub(super) use apply::column_called;

use super::near;
use crate::data::Ids;
use crate::model::ModelSide;
use crate::{Error, Model, Result};
use expression::Condition;

/// What a query leaves of the rows of a side.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filters {
    pub(super) conditions: Vec<Condition>,
    pub(super) allow: Option<Vec<String>>,
    pub(super) deny: Vec<String>,
}

/// Users or items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Users,
    Items,
}

impl Whose {
    pub(super) fn side(self, model: &Model) -> &ModelSide {
        match self {
            Whose::Users => model.users(),
            Whose::Items => model.items(),
        }
    }

    pub(super) fn other(self) -> Whose {
        match self {
            Whose::Users => Whose::Items,
            Whose::Items => Whose::Users,
        }
    }

    fn names(self) -> &'static str {
        match self {
            Whose::Users => "users",
            Whose::Items => "items",
        }
    }

    /// The error for an id that this side has not.
    pub(super) fn unknown(self, model: &Model, id: &str) -> Error {
        let (what, article) = match self {
            Whose::Users => ("user", "an item"),
            Whose::Items => ("item", "a user"),
        };
        Error::Unknown {
            what,
            name: id.into(),
            hint: match self.other().side(model).ids().index(id) {
                Some(_) => format!("there is {article} with this id"),
                None => near_id(id, self.names(), self.side(model).ids()),
            },
        }
    }
}

/// The candidates of a query.
#[derive(Clone, Debug)]
pub(super) struct Candidates {
    /// Row numbers, rising.
    pub(super) items: Vec<u32>,
    /// How many ids of the list of allowed items the model has not.
    pub(super) n_unknown_allowed: usize,
    /// How many ids of the deny list the model has not.
    pub(super) n_unknown_denied: usize,
}

impl Candidates {
    pub(super) fn new(model: &Model, whose: Whose, filters: &Filters) -> Result<Candidates> {
        let side = whose.side(model);
        let mut keep = vec![filters.allow.is_none(); side.ids().len()];
        let allowed = filters.allow.as_deref().unwrap_or_default();
        let mut n_unknown_allowed = 0;
        for id in allowed {
            match side.ids().index(id) {
                Some(row) => keep[row as usize] = true,
                None => n_unknown_allowed += 1,
            }
        }
        if let Some(first) = allowed
            .first()
            .filter(|_| n_unknown_allowed == allowed.len())
        {
            return Err(whose.unknown(model, first));
        }
        let mut n_unknown_denied = 0;
        for id in &filters.deny {
            match side.ids().index(id) {
                Some(row) => keep[row as usize] = false,
                None => n_unknown_denied += 1,
            }
        }
        for condition in &filters.conditions {
            let rows = condition.rows(side.catalog(), keep.len(), whose.names())?;
            for (keep, meets) in keep.iter_mut().zip(rows) {
                *keep &= meets;
            }
        }
        let rows = (0u32..).zip(keep);
        Ok(Candidates {
            items: rows.filter_map(|(row, keep)| keep.then_some(row)).collect(),
            n_unknown_allowed,
            n_unknown_denied,
        })
    }
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

fn near_id(id: &str, what: &str, ids: &Ids) -> String {
    let hint = near::did_you_mean(id, ids.names().iter());
    match hint.is_empty() {
        true => near::such_as(what, ids.names().iter()),
        false => hint,
    }
}
