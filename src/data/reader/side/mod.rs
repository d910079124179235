//! How do lines become titles and columns?
//!
//! A file of items or users has one line each: an id, perhaps a title, and columns. A cell holds one value, several between `|`, or none.
//! Where a column says when a row began to hold, an id may have several, [`versions`]. Rows that no rating mentions are kept: they are what cold-start predictions are about. They come after those of the ratings.

mod layout;
mod table;
mod versions;

pub use versions::VersionReport;

use std::path::Path;

use layout::SideLayout;

use super::ratings::column_name;
use super::records::Records;
use super::{FileReport, ReadOptions, Separator, Source, shown, values};
use crate::data::side_table::Cells;
use crate::data::{Catalog, Column, Csr, Interner, Strings};
use crate::{Error, Result};

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Side {
    Users,
    Items,
}

/// The rows of a side file, in its order.
#[derive(Debug)]
pub(in crate::data) struct SideFile {
    ids: Interner,
    /// The id of each row.
    row_ids: Vec<u32>,
    /// Since when each row holds; without times every id has one row.
    times: Option<Vec<i64>>,
    titles: Option<Strings>,
    columns: Vec<Growing>,
    pub(in crate::data) report: FileReport,
}

/// What a file says of the rows of a side.
#[derive(Debug)]
pub(in crate::data) struct Placed {
    pub(in crate::data) catalog: Catalog,
    /// Rows that the file alone has.
    pub(in crate::data) added: usize,
    pub(in crate::data) versions: Option<VersionReport>,
    /// Since when what is said of each row holds, where the file has times.
    pub(in crate::data) since: Option<Vec<Option<i64>>>,
}

/// The columns as the chosen rows have them: where rows have times, what nobody knew of at the moment is no value yet.
fn known(columns: Vec<Growing>, chosen: &[Option<usize>], by_time: bool) -> Vec<Column> {
    let columns = columns.into_iter().map(|column| column.cells.finish());
    match by_time {
        true => columns
            .map(|column| versions::known(column, chosen))
            .collect(),
        false => columns.collect(),
    }
}

/// A column while it is read.
#[derive(Debug)]
struct Growing {
    field: usize,
    cells: Cells,
}

impl SideFile {
    /// Reads `source`, called `path`.
    pub(in crate::data) fn read(
        source: Source<'_>,
        path: &Path,
        side: Side,
        options: &ReadOptions,
    ) -> Result<SideFile> {
        // Another separator than the ratings' is common; a rare one is tried because the ratings have it.
        let mut candidates = Separator::KNOWN.to_vec();
        candidates.extend(options.separator);
        let mut records = Records::new(source, path, None, &candidates)?;
        let file_error = |got: &str| Error::File {
            path: path.into(),
            got: got.into(),
            wanted: "a line for each, with an id and columns".into(),
        };
        let first = records.peek()?.ok_or_else(|| file_error("an empty file"))?;
        let layout = SideLayout::new(&first, side, path)?;
        if layout.header {
            records.next()?;
        }
        let mut file = SideFile {
            ids: Interner::default(),
            row_ids: Vec::new(),
            times: layout.time.map(|_| Vec::new()),
            titles: layout.title.map(|_| Strings::default()),
            columns: growing(&layout),
            report: FileReport {
                path: path.into(),
                rows: 0,
                separator: records.separator(),
                header: layout.header,
                packed: records.packed(),
                roles: vec![("id", column_name(&first, layout.header, layout.id))],
                ignored: Vec::new(),
            },
        };
        if let Some(title) = layout.title {
            let name = column_name(&first, layout.header, title);
            file.report.roles.push(("title", name));
        }
        if let Some(time) = layout.time {
            let name = column_name(&first, layout.header, time);
            file.report.roles.push(("timestamp", name));
        }
        file.rows(&mut records, &layout, options.limits.max_ids)?;
        if file.ids.is_empty() {
            return Err(file_error("a header and no rows"));
        }
        file.name_genres(&layout, side);
        for column in &file.columns {
            file.report
                .roles
                .push(("column", column.cells.name.clone()));
        }
        Ok(file)
    }

    fn rows(&mut self, records: &mut Records<'_>, layout: &SideLayout, max_ids: u32) -> Result<()> {
        let path = records.path().to_path_buf();
        // The line of each row, for the message about an id that stands twice.
        let mut lines: Vec<u64> = Vec::new();
        while let Some(record) = records.next()? {
            if record.len() != layout.n_fields {
                return Err(record.wrong_len(&path, layout.n_fields));
            }
            let error = |n, got: String, wanted: &str| record.error(&path, n, got, wanted.into());
            let id = record.field(layout.id);
            if id.is_empty() {
                return Err(error(layout.id, "an empty id".into(), "an id"));
            }
            if let (None, Some(before)) = (layout.time, self.ids.get(id)) {
                let got = format!(
                    "{} again, first on line {}",
                    shown(id),
                    lines[before as usize]
                );
                return Err(error(layout.id, got, "each id once"));
            }
            if self.row_ids.len() >= max_ids as usize {
                let got = format!("one more row, {}", shown(id));
                return Err(error(layout.id, got, &format!("at most {max_ids} rows")));
            }
            self.row_ids.push(self.ids.intern(id));
            if let (Some(times), Some(n)) = (&mut self.times, layout.time) {
                let text = record.field(n);
                let time = values::timestamp(text);
                times.push(time.ok_or_else(|| error(n, shown(text), values::TIMESTAMP_WANTED))?);
            }
            lines.push(record.line_of(layout.id));
            if let (Some(titles), Some(n)) = (&mut self.titles, layout.title) {
                titles.push(record.field(n).trim());
            }
            for column in &mut self.columns {
                let cells = &mut column.cells;
                if cells.push(record.field(column.field), max_ids).is_none() {
                    let got = format!("one more value of {}", shown(&cells.name));
                    return Err(error(
                        column.field,
                        got,
                        &format!("at most {max_ids} values"),
                    ));
                }
            }
        }
        self.report.rows = lines.len() as u64;
        if let Some((id, time, row)) = self.clash() {
            return Err(Error::Line {
                path,
                line: lines[row],
                column: 1 + layout.id as u64,
                got: format!("{} at {time} again", shown(self.ids.name(id as usize))),
                wanted: "each id once at a time".into(),
            });
        }
        Ok(())
    }

    /// The third column of items without names is genres if it has several values a cell, as in the older MovieLens sets.
    fn name_genres(&mut self, layout: &SideLayout, side: Side) {
        if layout.header || side == Side::Users {
            return;
        }
        if let Some(third) = self
            .columns
            .iter_mut()
            .find(|c| c.field == 2 && c.cells.multi_valued)
        {
            third.cells.name = "genres".into();
        }
    }

    /// The catalog of the rows of `ids` at a moment, to which the file's own are added where they are missing; how many were, and what came of the times.
    pub(in crate::data) fn onto(
        self,
        ids: &mut Interner,
        max_ids: u32,
        as_of: Option<i64>,
    ) -> Result<Placed> {
        let before = ids.len();
        let (chosen, versions) = self.chosen(as_of);
        let columns = known(self.columns, &chosen, versions.is_some());
        let own = self.ids.finish();
        let mut row_of = vec![None; before];
        for (id, row) in own.names().iter().zip(chosen) {
            if ids.len() >= max_ids as usize && ids.get(id).is_none() {
                return Err(Error::File {
                    path: self.report.path,
                    got: format!("one more id, {}", shown(id)),
                    wanted: format!("at most {max_ids}, with those of the ratings"),
                });
            }
            let index = ids.intern(id) as usize;
            if index >= row_of.len() {
                row_of.resize(index + 1, None);
            }
            row_of[index] = row;
        }
        let titles = self.titles.map(|titles| {
            let title = |row: &Option<usize>| row.map_or("", |row| titles.get(row));
            row_of.iter().map(title).collect()
        });
        let columns = columns.into_iter().map(|column| {
            let of_row = |row: &Option<usize>| row.map_or(&[][..], |row| column.rows.row(row));
            Column {
                rows: Csr::from_rows(row_of.iter().map(of_row)),
                ..column
            }
        });
        let columns = columns.collect();
        let since = |times: Vec<i64>| row_of.iter().map(|row| Some(times[(*row)?])).collect();
        Ok(Placed {
            catalog: Catalog { titles, columns },
            added: ids.len() - before,
            versions,
            since: self.times.map(since),
        })
    }
}

fn growing(layout: &SideLayout) -> Vec<Growing> {
    let others = layout.others.iter();
    others
        .map(|(field, name)| Growing {
            field: *field,
            cells: Cells::new(name.as_str()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, side: Side) -> Result<SideFile> {
        let path = Path::new("s.csv");
        SideFile::read(
            Source::new(text.as_bytes(), path)?,
            path,
            side,
            &ReadOptions::default(),
        )
    }

    #[test]
    fn rows_go_to_their_ids_and_new_ones_to_the_end() {
        let file = read(
            "id,title,genres,year\n9,Nine,Drama| Comedy||Drama,1990\n7,Seven,(no genres listed),\n8,,Comedy,1990\n",
            Side::Items,
        )
        .unwrap();
        let mut ids = Interner::default();
        ids.intern("7");
        ids.intern("6");
        let Placed { catalog, added, .. } = file.onto(&mut ids, 100, None).unwrap();
        assert_eq!(added, 2);
        assert_eq!(
            ids.finish().names().iter().collect::<Vec<_>>(),
            ["7", "6", "9", "8"]
        );
        let titles: Vec<_> = (0..4).map(|n| catalog.title(n)).collect();
        assert_eq!(titles, [Some("Seven"), None, Some("Nine"), None]);
        let genres = catalog.column("genres").unwrap();
        let of: Vec<Vec<&str>> = (0..4).map(|n| genres.of(n).collect()).collect();
        assert_eq!(
            of,
            [vec![], vec![], vec!["Drama", "Comedy"], vec!["Comedy"]]
        );
        assert!(genres.multi_valued);
        let year = catalog.column("year").unwrap();
        assert_eq!((year.values.len(), year.multi_valued), (1, false));
    }

    #[test]
    fn the_older_movielens_files_are_understood() {
        let items = read(
            "1::Toy Story (1995)::Animation|Children's\n2::Heat (1995)::Action\n",
            Side::Items,
        )
        .unwrap();
        assert_eq!(items.columns[0].cells.name, "genres");
        assert_eq!(items.titles.unwrap().get(1), "Heat (1995)");
        let users = read("1::F::1::10::48067\n2::M::56::16::70072\n", Side::Users).unwrap();
        assert_eq!(users.columns.len(), 4);
        assert!(users.titles.is_none());
    }

    #[test]
    fn an_id_that_stands_twice_is_an_error_that_names_both_lines() {
        let error = read("id,title\n1,a\n\n2,b\n1,c\n", Side::Items)
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "s.csv: line 5, column 1: got \"1\" again, first on line 2, wanted each id once"
        );
    }

    #[test]
    fn side_files_have_an_id_a_title_and_the_rest() {
        let side = |line: &str, users: bool| {
            let side = if users { Side::Users } else { Side::Items };
            let first: Vec<String> = line.split(',').map(str::to_owned).collect();
            let l = SideLayout::new(&first, side, Path::new("s.csv")).unwrap();
            let others: Vec<String> = l.others.into_iter().map(|(_, name)| name).collect();
            (l.id, l.title, others.join(","), l.header)
        };
        let of = |id, title, others: &str, header| (id, title, others.to_owned(), header);
        assert_eq!(
            side("item_id,title,genres,year", false),
            of(0, Some(1), "genres,year", true)
        );
        assert_eq!(
            side("genres,name,movieId", false),
            of(2, Some(1), "genres", true)
        );
        assert_eq!(
            side("movie_id,movie,genre", false),
            of(0, Some(1), "genre", true)
        );
        assert_eq!(side("movie,id", false), of(1, Some(0), "", true));
        assert_eq!(side("code,genres", false), of(0, None, "genres", true));
        assert_eq!(
            side("1,Toy Story,Comedy", false),
            of(0, Some(1), "column3", false)
        );
        assert_eq!(side("1,F,25", true), of(0, None, "column2,column3", false));
        assert_eq!(side("user_id,age,", true), of(0, None, "age,column3", true));
    }
}
