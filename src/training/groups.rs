//! What becomes a feature?
//!
//! Columns: those that were named, or those that the preset takes; all others are listed, so that nobody wonders. And, where that is asked for, the training ratings themselves:
//!
//! ```text
//! user.rated     the items that a user rated        one row an item, weights 1/√n      (SVD++: Koren, KDD 2008, equation 15)
//! item.raters    the users who rated an item        one row a user, weights 1/√n       (the same with the sides exchanged)
//! ```
//!
//! The stars do not enter these, and held-out ratings must not. They have no biases, as in the paper.

use std::sync::Arc;

use super::config::{Columns, Config};
use crate::data::{Catalog, Csr, Dataset, Ids};
use crate::kernels::Real;
use crate::model::{Bag, Features, Group, Table};
use crate::{Error, Result};

/// The users' group that is made of the ratings.
pub const RATED: &str = "rated";
/// The items' group that is made of the ratings.
pub const RATERS: &str = "raters";

/// Whether the group of this name is made of the ratings.
pub(crate) fn is_of_ratings(name: &str) -> bool {
    name == RATED || name == RATERS
}

/// The columns of one side that training uses, and those that it leaves alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Names of the columns that are feature groups.
    pub used: Vec<String>,
    /// Names of the other columns.
    pub skipped: Vec<String>,
    /// The name of the group that is made of the ratings, where there is one; it comes after the others.
    pub implicit: Option<&'static str>,
}

impl Chosen {
    /// The names of all groups, in their order.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.used.iter().map(String::as_str).chain(self.implicit)
    }
}

/// Chooses the groups of both sides, users first.
pub(super) fn choose_all(config: &Config, data: &Dataset) -> Result<[Chosen; 2]> {
    let (users, items) = (&data.users.catalog, &data.items.catalog);
    let implicit = config.implicit;
    let of_ratings = |wanted: bool, name, side, catalog: &Catalog| match catalog.column(name) {
        Some(_) if wanted => Err(Error::config(
            "implicit",
            format!("{side}s with a column called {name}"),
            "another name for that column: the group that is made of the ratings is called so",
        )),
        _ => Ok(wanted.then_some(name)),
    };
    Ok([
        Chosen {
            implicit: of_ratings(implicit.of_users(), RATED, "user", users)?,
            ..choose(&config.user_features, "user", users)?
        },
        Chosen {
            implicit: of_ratings(implicit.of_items(), RATERS, "item", items)?,
            ..choose(&config.item_features, "item", items)?
        },
    ])
}

/// Chooses among the columns of a side, `"user"` or `"item"`.
///
/// # Errors
/// [`Error::Unknown`] for a named column that is not there.
pub fn choose(columns: &Columns, side: &'static str, catalog: &Catalog) -> Result<Chosen> {
    if let Columns::Named(names) = columns
        && let Some(name) = names.iter().find(|name| catalog.column(name).is_none())
    {
        let there: Vec<&str> = catalog
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        let hint = if there.is_empty() {
            format!("the {side}s have no columns; give a file of {side}s with --{side}s")
        } else {
            format!("the {side}s have the columns {}", there.join(", "))
        };
        return Err(Error::Unknown {
            what: "column",
            name: name.clone(),
            hint,
        });
    }
    let (used, skipped): (Vec<_>, Vec<_>) =
        catalog.columns.iter().partition(|column| match columns {
            Columns::All => true,
            Columns::MultiValued => column.multi_valued,
            Columns::Named(names) => names.contains(&column.name),
        });
    let names = |columns: Vec<&crate::data::Column>| {
        columns.iter().map(|column| column.name.clone()).collect()
    };
    Ok(Chosen {
        used: names(used),
        skipped: names(skipped),
        implicit: None,
    })
}

/// What the rows of a group's table are called: the values of a column, or the names of the other side.
pub fn values<'d>(data: &'d Dataset, side: &str, group: &str) -> Option<&'d Ids> {
    let (own, other, of_ratings) = match side {
        "user" => (&data.users, &data.items, RATED),
        _ => (&data.items, &data.users, RATERS),
    };
    match own.catalog.column(group) {
        Some(column) => Some(&column.values),
        None => (group == of_ratings).then_some(&other.ids),
    }
}

/// The chosen groups of a side, `"user"` or `"item"`, with tables of zeros.
///
/// # Errors
/// [`Error::Config`] where a group is to be made of ratings that are not in memory.
pub(super) fn build<T: Real>(
    chosen: &Chosen,
    side: &str,
    train: &Dataset,
    config: &Config,
) -> Result<Vec<Group<T>>> {
    let data = match side {
        "user" => &train.users,
        _ => &train.items,
    };
    let group = |name: &str| {
        let (rows, bag, with_biases) = match data.catalog.column(name) {
            Some(column) => (column.rows.clone(), config.bag, config.group_biases),
            None => {
                let ratings = train.in_memory("making features of the ratings")?;
                let (own, others) = match side {
                    "user" => (&ratings.users, &ratings.items),
                    _ => (&ratings.items, &ratings.users),
                };
                let pairs = own.iter().copied().zip(others.iter().copied());
                (Csr::from_pairs(data.ids.len(), pairs), Bag::Sqrt, false)
            }
        };
        let n_values = values(train, side, name).map_or(0, Ids::len);
        Ok(Group {
            name: name.to_owned(),
            bag,
            features: Arc::new(Features::new(rows, bag)),
            table: Table::zeros(n_values, config.factors(), with_biases),
        })
    };
    chosen.groups().map(group).collect()
}
