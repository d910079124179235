//! How are ratings and items written so that every other command reads them?
//!
//! As CSV with the names that the reader knows, ids as they were given. A file is put in place when it is whole.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::refuse_existing;
use crate::data::{Catalog, Dataset, Ids, SideData};
use crate::storage::{Disk, write_atomically};
use crate::{Error, Result};

/// The files in `folder`; none of them may exist unless `force` is given.
pub(super) fn places<const N: usize>(
    folder: &Path,
    names: [&str; N],
    force: bool,
) -> Result<[PathBuf; N]> {
    let paths = names.map(|name| folder.join(name));
    for path in &paths {
        refuse_existing(path, force)?;
    }
    Ok(paths)
}

/// Makes `folder` where it is not there: after the work, so that an error in the input leaves nothing behind.
pub(super) fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::io(folder, "create"))
}

/// The ratings: user_id, item_id, and rating, timestamp and weight where there are such: clicks stay clicks.
pub(super) fn ratings(path: &Path, data: &Dataset, rated: bool) -> Result<()> {
    let ratings = &data.interactions;
    let (users, items) = (&data.users.ids, &data.items.ids);
    let (times, weights) = (ratings.timestamps.as_deref(), ratings.weights.as_deref());
    csv(path, |rows| {
        let mut row = vec!["user_id", "item_id"];
        row.extend(rated.then_some("rating"));
        row.extend(times.map(|_| "timestamp"));
        row.extend(weights.map(|_| "weight"));
        rows.write_record(&row)?;
        for (n, &rating) in ratings.ratings.iter().enumerate() {
            rows.write_field(users.name(ratings.users[n]))?;
            rows.write_field(items.name(ratings.items[n]))?;
            if rated {
                rows.write_field(rating.to_string())?;
            }
            if let Some(times) = times {
                rows.write_field(times[n].to_string())?;
            }
            if let Some(weights) = weights {
                rows.write_field(weights[n].to_string())?;
            }
            rows.write_record(None::<&[u8]>)?;
        }
        Ok(())
    })
}

/// The items: item_id, title where there are titles, and the columns.
pub(super) fn items(path: &Path, side: &SideData) -> Result<()> {
    let SideData { ids, catalog } = side;
    csv(path, |rows| {
        let mut header = vec!["item_id"];
        header.extend(catalog.titles.as_ref().map(|_| "title"));
        header.extend(catalog.columns.iter().map(|column| column.name.as_str()));
        rows.write_record(&header)?;
        for item in 0..ids.len() as u32 {
            rows.write_record(item_row(ids, catalog, item))?;
        }
        Ok(())
    })
}

fn item_row(ids: &Ids, catalog: &Catalog, item: u32) -> Vec<String> {
    let mut row = vec![ids.name(item).to_owned()];
    if catalog.titles.is_some() {
        row.push(catalog.title(item).unwrap_or_default().into());
    }
    let cell = |column: &crate::data::Column| column.of(item).collect::<Vec<_>>().join("|");
    row.extend(catalog.columns.iter().map(cell));
    row
}

fn csv(
    path: &Path,
    fill: impl FnOnce(&mut csv::Writer<&mut dyn Write>) -> csv::Result<()>,
) -> Result<()> {
    write_atomically(&Disk, path, |writer| {
        let mut rows = csv::Writer::from_writer(writer);
        fill(&mut rows).map_err(io::Error::from)?;
        rows.flush()
    })
}
