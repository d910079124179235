//! What becomes a feature?
//!
//! Columns: those that were named, or those that the preset takes; all others are listed, so that nobody wonders. How a cell becomes weights is [`used`]'s. And, where that is asked for, the training ratings themselves:
//!
//! ```text
//! user.rated     the items that a user rated        one row an item, weights 1/√n      (SVD++: Koren, KDD 2008, equation 15)
//! item.raters    the users who rated an item        one row a user, weights 1/√n       (the same with the sides exchanged)
//! ```
//!
//! The stars do not enter these, and held-out ratings must not. They have no biases, as in the paper.

pub mod used;

pub use used::Used;

use std::borrow::Cow;
use std::sync::Arc;

use super::config::{Columns, Config};
use crate::data::dataset::Survey;
use crate::data::{Catalog, Csr, Dataset, Ids, SideData};
use crate::kernels::Real;
use crate::model::{Bag, Features, Group, Table};
use crate::{Error, Result};

/// The users' group that is made of the ratings.
pub const RATED: &str = "rated";
/// The items' group that is made of the ratings.
pub const RATERS: &str = "raters";

/// The columns of one side that training uses, and those that it leaves alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chosen {
    /// The columns that are feature groups.
    pub used: Vec<Used>,
    /// Names of the other columns.
    pub skipped: Vec<String>,
    /// The name of the group that is made of the ratings, where there is one; it comes after the others.
    pub implicit: Option<&'static str>,
}

impl Chosen {
    /// The names of all groups, in their order.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.used.iter().map(Used::name).chain(self.implicit)
    }
}

/// Chooses the groups of both sides, users first. Bins and means are made of the rows that have ratings.
///
/// # Errors
/// [`Error::Unknown`] for a named column that is not there, [`Error::Config`] for a cell that is no number where one is wanted, or a column that is called like a group of the ratings.
pub fn choose(config: &Config, data: &Dataset, survey: &Survey) -> Result<[Chosen; 2]> {
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
            ..of_columns(
                &config.user_features,
                "user",
                &data.users,
                &survey.user_counts,
            )?
        },
        Chosen {
            implicit: of_ratings(implicit.of_items(), RATERS, "item", items)?,
            ..of_columns(
                &config.item_features,
                "item",
                &data.items,
                &survey.item_counts,
            )?
        },
    ])
}

/// Chooses among the columns of a side, `"user"` or `"item"`; `counts` are the ratings of each row.
fn of_columns(
    columns: &Columns,
    side: &'static str,
    data: &SideData,
    counts: &[u32],
) -> Result<Chosen> {
    let catalog = &data.catalog;
    if let Columns::Named(features) = columns
        && let Some(missing) = features
            .iter()
            .find(|f| catalog.column(&f.column).is_none())
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
            name: missing.column.clone(),
            hint,
        });
    }
    let mut chosen = Chosen::default();
    for column in &catalog.columns {
        match columns.feature(&column.name, column.multi_valued) {
            Some(feature) => {
                let used = Used::new(feature, column, counts);
                chosen
                    .used
                    .push(used.map_err(|wrong| wrong.of(side, &data.ids))?);
            }
            None => chosen.skipped.push(column.name.clone()),
        }
    }
    Ok(chosen)
}

/// What the rows of the table of a group called `name` are called: what the group itself calls them, or the values of its column, or the names of the
/// other side.
pub fn values<'d>(
    data: &'d Dataset,
    side: &str,
    name: &str,
    of_group: Option<&'d Ids>,
) -> Option<&'d Ids> {
    let (own, other, of_ratings) = match side {
        "user" => (&data.users, &data.items, RATED),
        _ => (&data.items, &data.users, RATERS),
    };
    let column = || own.catalog.column(name).map(|column| &column.values);
    of_group
        .or_else(column)
        .or_else(|| (name == of_ratings).then_some(&other.ids))
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
    let (data, others) = match side {
        "user" => (&train.users, &train.items),
        _ => (&train.items, &train.users),
    };
    let of_column = |used: &Used| {
        let column = data.catalog.column(used.name()).expect("chosen from there");
        let values = used.values(column);
        Group {
            name: used.name().to_owned(),
            bag: used.bag(config.bag),
            features: Arc::new(used.features(column, config.bag)),
            table: Table::zeros(values.len(), config.factors(), config.group_biases),
            values: match values {
                Cow::Borrowed(_) => None,
                Cow::Owned(own) => Some(Arc::new(own)),
            },
        }
    };
    let of_ratings = |name: &str| {
        let ratings = train.in_memory("making features of the ratings")?;
        let (from, to) = match side {
            "user" => (&ratings.users, &ratings.items),
            _ => (&ratings.items, &ratings.users),
        };
        let pairs = from.iter().copied().zip(to.iter().copied());
        let rows = Csr::from_pairs(data.ids.len(), pairs);
        Ok(Group {
            name: name.to_owned(),
            bag: Bag::Sqrt,
            features: Arc::new(Features::new(rows, Bag::Sqrt)),
            table: Table::zeros(others.ids.len(), config.factors(), false),
            values: None,
        })
    };
    let of_columns = chosen.used.iter().map(|used| Ok(of_column(used)));
    of_columns.chain(chosen.implicit.map(of_ratings)).collect()
}
