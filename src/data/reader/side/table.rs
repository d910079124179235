//! How does a file of users or items become a table of its own?

use std::path::Path;

use super::{Side, SideFile};
use crate::Result;
use crate::data::reader::{ReadOptions, Source};
use crate::data::{Catalog, Column, Csr, SideTable};

impl SideTable {
    /// Reads a file of items: an id, perhaps a title, and columns. Of rows with times, the latest of each id that is not after `as_of`, or the latest of all; rows without times are taken as they are.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), [`Error::File`](crate::Error::File) or [`Error::Line`](crate::Error::Line), with the place.
    pub fn read_items(path: impl AsRef<Path>, as_of: Option<i64>) -> Result<SideTable> {
        SideTable::read(path.as_ref(), Side::Items, as_of)
    }

    /// Reads a file of users: an id and columns.
    ///
    /// # Errors
    /// As [`read_items`](SideTable::read_items).
    pub fn read_users(path: impl AsRef<Path>, as_of: Option<i64>) -> Result<SideTable> {
        SideTable::read(path.as_ref(), Side::Users, as_of)
    }

    fn read(path: &Path, side: Side, as_of: Option<i64>) -> Result<SideTable> {
        let options = ReadOptions::default();
        let file = SideFile::read(Source::open(path)?, path, side, &options)?;
        let (chosen, versions) = file.chosen(as_of);
        let rows: Vec<usize> = chosen.iter().flatten().copied().collect();
        let ids = rows
            .iter()
            .map(|&row| file.ids.name(file.row_ids[row] as usize));
        let ids = ids.collect();
        let titles = file
            .titles
            .map(|titles| rows.iter().map(|&row| titles.get(row)).collect());
        let columns = super::known(file.columns, &chosen, versions.is_some());
        let columns = columns.into_iter().map(|column| {
            let cells = rows.iter().map(|&row| column.rows.row(row));
            Column {
                rows: Csr::from_rows(cells),
                ..column
            }
        });
        Ok(SideTable {
            name: path.into(),
            ids,
            catalog: Catalog {
                titles,
                columns: columns.collect(),
            },
            versions,
        })
    }
}
