//! Which columns become features?
//!
//! Those that were named, or those that the preset takes; all others are listed, so that nobody wonders.

use super::config::Columns;
use crate::data::Catalog;
use crate::kernels::Real;
use crate::model::{Bag, Features, Group, Table};
use crate::{Error, Result};

/// The columns of one side that training uses, and those that it leaves alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Names of the columns that are feature groups.
    pub used: Vec<String>,
    /// Names of the other columns.
    pub skipped: Vec<String>,
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
    })
}

/// The groups of the chosen columns, with tables of zeros.
pub(super) fn build<T: Real>(
    chosen: &Chosen,
    catalog: &Catalog,
    bag: Bag,
    n_factors: usize,
    with_biases: bool,
) -> Vec<Group<T>> {
    let columns = chosen.used.iter().filter_map(|name| catalog.column(name));
    columns
        .map(|column| Group {
            name: column.name.clone(),
            bag,
            features: Features::new(column, bag),
            table: Table::zeros(column.values.len(), n_factors, with_biases),
        })
        .collect()
}
