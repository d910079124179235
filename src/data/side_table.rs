//! What does a file say of users or items, before anybody asks which of them a model has?
//!
//! ```text
//! a row    an id, perhaps a title, a cell in every column
//! a cell   one value ("1995"), several between | ("Action|Drama"), or none; spaces around a value do not count, and a value that stands twice counts once
//! ```

use std::path::PathBuf;

use super::{Catalog, Column, Csr, Ids, Interner};

/// What a cell says that has no genre, in the MovieLens sets.
const NONE: &str = "(no genres listed)";

/// The rows of a file of users or items, in its order; [`Model::with_items`](crate::Model::with_items) takes one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SideTable {
    /// What errors call it.
    pub name: PathBuf,
    /// The ids, each once.
    pub ids: Ids,
    /// Titles and columns; row n is the row that `ids` calls n.
    pub catalog: Catalog,
    /// What came of the times of its rows, where they had such.
    #[cfg(feature = "train")]
    pub versions: Option<super::reader::VersionReport>,
}

impl SideTable {
    /// A table from memory: the names of the columns, and an id with a cell a column for each row. `None` where an id stands twice or is empty, or a row has another
    /// number of cells than there are columns.
    ///
    /// ```
    /// use lowrank::data::SideTable;
    /// let films = SideTable::from_rows("films", ["genres", "year"], [("1", ["Comedy|Drama", "1995"]), ("2", ["", "1996"])]).unwrap();
    /// let genres = films.catalog.column("genres").unwrap();
    /// assert_eq!(genres.of(0).collect::<Vec<_>>(), ["Comedy", "Drama"]);
    /// assert!(genres.multi_valued && genres.of(1).len() == 0);
    /// ```
    pub fn from_rows<C, R, I, S>(
        name: impl Into<PathBuf>,
        columns: C,
        rows: impl IntoIterator<Item = (I, R)>,
    ) -> Option<SideTable>
    where
        C: IntoIterator<Item: Into<String>>,
        R: IntoIterator<Item = S>,
        I: AsRef<str>,
        S: AsRef<str>,
    {
        let mut cells: Vec<Cells> = columns.into_iter().map(Cells::new).collect();
        let mut ids = Interner::default();
        for (id, row) in rows {
            let (id, mut row) = (id.as_ref(), row.into_iter());
            if id.is_empty() || ids.get(id).is_some() {
                return None;
            }
            ids.intern(id);
            for column in &mut cells {
                column.push(row.next()?.as_ref(), u32::MAX)?;
            }
            if row.next().is_some() {
                return None;
            }
        }
        Some(SideTable {
            #[cfg(feature = "train")]
            versions: None,
            name: name.into(),
            ids: ids.finish(),
            catalog: Catalog {
                titles: None,
                columns: cells.into_iter().map(Cells::finish).collect(),
            },
        })
    }
}

/// A column while its cells come in.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    pub(super) name: String,
    values: Interner,
    rows: Csr,
    pub(super) multi_valued: bool,
    /// The last row that had each value, counted from 1: finds a value that stands twice in a cell.
    last_row: Vec<u32>,
    scratch: Vec<u32>,
}

impl Cells {
    pub(super) fn new(name: impl Into<String>) -> Cells {
        Cells {
            name: name.into(),
            values: Interner::default(),
            rows: Csr::default(),
            multi_valued: false,
            last_row: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The cell of the next row; `None` where it would be more than `most` values.
    pub(super) fn push(&mut self, cell: &str, most: u32) -> Option<()> {
        self.multi_valued |= cell.contains('|');
        self.scratch.clear();
        for value in cell.split('|').map(str::trim) {
            if value.is_empty() || value == NONE {
                continue;
            }
            if self.values.len() >= most as usize && self.values.get(value).is_none() {
                return None;
            }
            let value = self.values.intern(value);
            let row = self.rows.n_rows() as u32 + 1;
            self.last_row.resize(self.values.len(), 0);
            if std::mem::replace(&mut self.last_row[value as usize], row) != row {
                self.scratch.push(value);
            }
        }
        self.rows.push_row(&self.scratch);
        Some(())
    }

    pub(super) fn finish(self) -> Column {
        Column {
            name: self.name,
            values: self.values.finish(),
            rows: self.rows,
            multi_valued: self.multi_valued,
        }
    }
}
