//! Which of several rows of one id holds at a moment?
//!
//! ```text
//! row(id, T) = the latest row of the id whose time is not after T; none where every row is later
//! ```
//!
//! A file has times where a column is called so; without, an id stands once.

use super::SideFile;
use crate::data::{Column, Csr, Interner};

/// What names a column of times, as `columns` makes them; not `date` or `year`, which are features of a film.
pub(super) const TIME: [&str; 1] = ["timestamp eventtimestamp asof validfrom"];

/// What came of the times of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VersionReport {
    /// The moment, in seconds since 1970; `None` for the latest of all.
    pub as_of: Option<i64>,
    /// Rows that are later than the moment, and so unknown at it.
    pub later_rows: usize,
    /// Ids whose every row is later; they are there without features.
    pub without: usize,
    /// Ratings that are older than the row that is used for their user or item. A model has one row for each, so their features are of their future.
    pub older_ratings: u64,
}

impl SideFile {
    /// Whether its rows have times.
    pub(in crate::data) fn is_versioned(&self) -> bool {
        self.times.is_some()
    }

    /// Two rows of one id and one time: (id, time, the later row).
    pub(super) fn clash(&self) -> Option<(u32, i64, usize)> {
        let times = self.times.as_ref()?;
        let mut rows: Vec<usize> = (0..times.len()).collect();
        rows.sort_unstable_by_key(|&row| (self.row_ids[row], times[row], row));
        let same = |pair: &[usize]| {
            let key = |row: usize| (self.row_ids[row], times[row]);
            (key(pair[0]) == key(pair[1])).then(|| (self.row_ids[pair[1]], times[pair[1]], pair[1]))
        };
        rows.windows(2)
            .filter_map(same)
            .min_by_key(|&(.., row)| row)
    }

    /// The row of each id at the moment, and what came of the times.
    pub(super) fn chosen(&self, as_of: Option<i64>) -> (Vec<Option<usize>>, Option<VersionReport>) {
        let Some(times) = &self.times else {
            return ((0..self.row_ids.len()).map(Some).collect(), None);
        };
        let mut chosen: Vec<Option<usize>> = vec![None; self.ids.len()];
        let mut report = VersionReport {
            as_of,
            ..VersionReport::default()
        };
        for (row, (&id, &time)) in self.row_ids.iter().zip(times).enumerate() {
            if as_of.is_some_and(|moment| time > moment) {
                report.later_rows += 1;
                continue;
            }
            let place = &mut chosen[id as usize];
            if place.is_none_or(|before| times[before] < time) {
                *place = Some(row);
            }
        }
        report.without = chosen.iter().filter(|row| row.is_none()).count();
        (chosen, Some(report))
    }
}

/// The column with the cells of the chosen rows alone, its values numbered as they appear in them.
pub(super) fn known(column: Column, chosen: &[Option<usize>]) -> Column {
    let (mut values, mut cells) = (Interner::default(), vec![Vec::new(); column.rows.n_rows()]);
    for &row in chosen.iter().flatten() {
        let names = column.of(row as u32);
        cells[row] = names.map(|name| values.intern(name)).collect();
    }
    Column {
        values: values.finish(),
        multi_valued: cells.iter().any(|cell| cell.len() > 1),
        rows: Csr::from_rows(cells),
        ..column
    }
}
