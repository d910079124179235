//! What is known of users and items beside their ratings?
//!
//! A title, and any number of columns. A cell of a column holds one value ("1995"), several ("Action|Drama"), or none.

use super::{Csr, Ids, Strings};

/// Titles and columns of the rows of one side; row n is the row that [`Ids`] calls n.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// One title a row, empty where a row has none; `None` where no file gave titles.
    pub titles: Option<Strings>,
    /// The other columns, in the order of the file.
    pub columns: Vec<Column>,
}

/// One column of a [`Catalog`].
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// The distinct values, in order of first appearance.
    pub values: Ids,
    /// The values of each row, in the order of the cell, each once; empty where the file has none for that row.
    pub rows: Csr,
    /// Whether some cell separates several values by `|`.
    pub multi_valued: bool,
}

impl Catalog {
    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The title of row `index`, if it has one.
    pub fn title(&self, index: u32) -> Option<&str> {
        let title = self.titles.as_ref()?.get(index as usize);
        (!title.is_empty()).then_some(title)
    }

    /// The column that lists show beside a title: `genres` or `genre`, or else the first with several values a cell.
    pub fn genres(&self) -> Option<&Column> {
        self.columns
            .iter()
            .find(|column| ["genres", "genre"].contains(&column.name.to_lowercase().as_str()))
            .or_else(|| self.columns.iter().find(|column| column.multi_valued))
    }
}

impl Column {
    /// The values of row `index`.
    pub fn of(&self, index: u32) -> impl ExactSizeIterator<Item = &str> + '_ {
        self.rows
            .row(index as usize)
            .iter()
            .map(|&value| self.values.name(value))
    }
}
