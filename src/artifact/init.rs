//! How do tables from elsewhere become the start of a training?
//!
//! `--init DIR` reads the layout that [`export`](super::export) writes: `user_factors.npy` with `user_ids.txt`, `item_factors.npy` with
//! `item_ids.txt`, and for every group `item.genres.factors.npy` with `item.genres.ids.txt` (`user.…` likewise). Each may be absent, though not all.
//! Biases (`user_biases.npy`, `item.genres.biases.npy`) are one column, and may be absent.
//!
//! Numbers are kept as `f64`: exact for `f4`, and for a gradient check in `f64` nothing is lost. Matching rows by id, and what becomes of a row that is not
//! there, is the trainer's.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

use ndarray::{Array1, Array2};

use super::export::{npy, unescape};
use crate::data::{Ids, Interner};
use crate::kernels::Real;
use crate::model::Table;
use crate::storage::read_at_most;
use crate::training::{Trainer, groups};
use crate::{Error, Result};

/// Tables that a training starts from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InitTables {
    /// The users' identity table.
    pub users: Option<InitTable>,
    /// The items' identity table.
    pub items: Option<InitTable>,
    /// The tables of groups of users: name of the group, table; by name.
    pub user_groups: Vec<(String, InitTable)>,
    /// The tables of groups of items.
    pub item_groups: Vec<(String, InitTable)>,
}

/// A table with the ids of its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct InitTable {
    /// Where the factors came from, for error messages.
    pub path: PathBuf,
    /// The ids of the rows.
    pub ids: Ids,
    /// n_rows × n_factors.
    pub factors: Array2<f64>,
    /// n_rows.
    pub biases: Option<Array1<f64>>,
}

impl InitTable {
    /// The number of columns.
    pub fn n_factors(&self) -> usize {
        self.factors.ncols()
    }

    /// The row of an id.
    pub fn index(&self, id: &str) -> Option<usize> {
        self.ids.index(id).map(|row| row as usize)
    }
}

impl InitTables {
    /// Reads all tables in `folder`.
    ///
    /// # Errors
    /// Where there is none, a file is missing beside another, is no such array, has a number that is not finite, an id twice, or
    /// not as many rows as ids.
    pub fn read(folder: impl AsRef<Path>) -> Result<InitTables> {
        let folder = folder.as_ref();
        let names = names(folder)?;
        let has = |name: &str| names.iter().any(|n| n == name);
        let mut tables = InitTables {
            users: table(folder, "user_", &has)?,
            items: table(folder, "item_", &has)?,
            ..InitTables::default()
        };
        let groups = [
            ("user.", &mut tables.user_groups),
            ("item.", &mut tables.item_groups),
        ];
        for (side, groups) in groups {
            for group in group_names(&names, side) {
                let Some(name) = unescape(group) else {
                    let wanted = "the name of a column, % and two digits for special characters";
                    return Err(wrong(&folder.join(format!("{side}{group}")), group, wanted));
                };
                if let Some(table) = table(folder, &format!("{side}{group}."), &has)? {
                    groups.push((name, table));
                }
            }
        }
        if tables.all().next().is_none() {
            let wanted = "user_factors.npy, item_factors.npy or item.<column>.factors.npy";
            return Err(wrong(folder, "a folder without any", wanted));
        }
        Ok(tables)
    }

    /// All tables.
    pub fn all(&self) -> impl Iterator<Item = &InitTable> {
        let groups = self.user_groups.iter().chain(&self.item_groups);
        let identity = self.users.iter().chain(&self.items);
        identity.chain(groups.map(|(_, table)| table))
    }
}

/// What became of initial tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// For each table that took values: its name, rows taken, rows of its own left as drawn, ids that it does not have.
    pub tables: Vec<(String, usize, usize, usize)>,
    /// Tables that the training does not have.
    pub unused: Vec<String>,
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "first values:")?;
        let mut between = "";
        for (name, taken, drawn, unknown) in &self.tables {
            write!(f, "{between} {name} {taken} rows")?;
            if *drawn > 0 {
                write!(f, ", {drawn} drawn")?;
            }
            if *unknown > 0 {
                write!(f, ", {unknown} ids unknown")?;
            }
            between = ";";
        }
        for name in &self.unused {
            write!(f, "{between} no table {name} in this training")?;
            between = ";";
        }
        Ok(())
    }
}

impl InitTables {
    /// Gives a trainer these first values: rows are matched by id, rows that are not there stay as drawn.
    ///
    /// # Errors
    /// [`Error::File`] where a table has another number of factors.
    pub fn apply<T: Real>(&self, trainer: &mut Trainer<'_, T>) -> Result<Applied> {
        let data = trainer.data();
        let mut applied = Applied::default();
        let parameters = trainer.parameters_mut();
        for (name, ids, side, identity, of_groups) in [
            (
                "user",
                &data.users.ids,
                &mut parameters.users,
                &self.users,
                &self.user_groups,
            ),
            (
                "item",
                &data.items.ids,
                &mut parameters.items,
                &self.items,
                &self.item_groups,
            ),
        ] {
            if let Some(table) = identity {
                let taken = table.fill(&mut side.identity, ids)?;
                applied.note(format!("{name}s"), taken);
            }
            for (of_group, table) in of_groups {
                let full_name = format!("{name}.{of_group}");
                let group = side.groups.iter_mut().find(|group| group.name == *of_group);
                let named = group.and_then(|group| {
                    let own = group.values.as_deref();
                    let values = groups::values(data, name, of_group, own)?;
                    Some((&mut group.table, values))
                });
                match named {
                    Some((own, values)) => applied.note(full_name, table.fill(own, values)?),
                    None => applied.unused.push(full_name),
                }
            }
        }
        Ok(applied)
    }
}

impl Applied {
    fn note(&mut self, name: String, (taken, drawn, unknown): (usize, usize, usize)) {
        self.tables.push((name, taken, drawn, unknown));
    }
}

impl InitTable {
    /// Copies the rows that `ids` has into `table`: rows taken, rows of `table` left alone, ids that it does not have.
    fn fill<T: Real>(&self, table: &mut Table<T>, ids: &Ids) -> Result<(usize, usize, usize)> {
        if self.n_factors() != table.n_factors() {
            let wanted = format!("{}, as many as --factors", table.n_factors());
            return Err(wrong(
                &self.path,
                format!("{} factors", self.n_factors()),
                wanted,
            ));
        }
        let mut taken = 0;
        for (from, name) in self.ids.names().iter().enumerate() {
            let Some(row) = ids.index(name) else { continue };
            let values = self.factors.row(from);
            for (x, &value) in table.row_mut(row as usize).iter_mut().zip(values) {
                *x = T::from_f64(value);
            }
            if let (Some(biases), Some(values)) = (table.bias_slice_mut(), &self.biases) {
                biases[row as usize] = T::from_f64(values[from]);
            }
            taken += 1;
        }
        Ok((taken, table.n_rows() - taken, self.ids.len() - taken))
    }
}

fn wrong(path: &Path, got: impl Into<String>, wanted: impl Into<String>) -> Error {
    Error::File {
        path: path.into(),
        got: got.into(),
        wanted: wanted.into(),
    }
}

/// The bytes of a regular file; of a device, which has no length, none.
fn read_whole(path: &Path) -> Result<Vec<u8>> {
    let length = fs::metadata(path).map_err(Error::io(path, "open"))?.len();
    read_at_most(path, length)
}

/// The names in the folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder, "read"))? {
        let entry = entry.map_err(Error::io(folder, "read"))?;
        // A name that is no UTF-8 is none of ours.
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// `genres` of `item.genres.factors.npy`, each once.
fn group_names<'n>(names: &'n [String], side: &str) -> Vec<&'n str> {
    let mut groups: Vec<&str> = names
        .iter()
        .filter_map(|name| {
            let group = name.strip_prefix(side)?;
            [".factors.npy", ".ids.txt", ".biases.npy"]
                .iter()
                .find_map(|part| group.strip_suffix(part))
        })
        .collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// The table whose files begin with `prefix`; `None` where there is no such file.
fn table(folder: &Path, prefix: &str, has: &dyn Fn(&str) -> bool) -> Result<Option<InitTable>> {
    let [factors, ids, biases] =
        ["factors.npy", "ids.txt", "biases.npy"].map(|part| format!("{prefix}{part}"));
    if !has(&factors) && !has(&ids) && !has(&biases) {
        return Ok(None);
    }
    for needed in [&factors, &ids] {
        if !has(needed) {
            return Err(wrong(
                &folder.join(needed),
                "no such file",
                "one beside the others of its table",
            ));
        }
    }
    let (factors_path, ids_path) = (folder.join(factors), folder.join(ids));
    let ids = read_ids(&ids_path)?;
    let (shape, values) = read_numbers(&factors_path)?;
    let &[n_rows, n_factors] = &shape[..] else {
        let got = format!("an array of shape {shape:?}");
        return Err(wrong(
            &factors_path,
            got,
            "two dimensions: rows and factors",
        ));
    };
    if n_rows != ids.len() {
        let wanted = format!("{}, one for each line of {}", ids.len(), ids_path.display());
        return Err(wrong(&factors_path, format!("{n_rows} rows"), wanted));
    }
    let factors = Array2::from_shape_vec((n_rows, n_factors), values)
        .map_err(|error| wrong(&factors_path, error.to_string(), "rows and factors"))?;
    let biases = match has(&biases) {
        true => Some(read_biases(&folder.join(biases), n_rows)?),
        false => None,
    };
    Ok(Some(InitTable {
        path: factors_path,
        ids,
        factors,
        biases,
    }))
}

fn read_biases(path: &Path, n_rows: usize) -> Result<Array1<f64>> {
    match read_numbers(path)? {
        (shape, values) if shape == [n_rows, 1] || shape == [n_rows] => {
            Ok(Array1::from_vec(values))
        }
        (shape, _) => {
            let got = format!("an array of shape {shape:?}");
            Err(wrong(path, got, format!("one column of {n_rows} rows")))
        }
    }
}

/// One id a line; the last line may lack its end, and lines may end as on Windows.
fn read_ids(path: &Path) -> Result<Ids> {
    let bytes = read_whole(path)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        wrong(path, format!("byte {at} that is no UTF-8"), "UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut ids = Interner::default();
    for (n, line) in (1..).zip(text.lines()) {
        let before = ids.len();
        ids.intern(line);
        if ids.len() == before {
            return Err(Error::Line {
                path: path.into(),
                line: n,
                column: 1,
                got: format!("{line:?} again"),
                wanted: "each id once".into(),
            });
        }
    }
    Ok(ids.finish())
}

/// Finite numbers and their shape.
fn read_numbers(path: &Path) -> Result<(Vec<usize>, Vec<f64>)> {
    let bytes = read_whole(path)?;
    let array = npy::read(&bytes).map_err(|(got, wanted)| wrong(path, got, wanted))?;
    if let Some(bad) = array.values.iter().position(|x| !x.is_finite()) {
        let columns = array.shape.get(1).copied().unwrap_or(1).max(1);
        let (row, column) = (bad / columns, bad % columns);
        let got = format!(
            "{} in row {row}, column {column}, counted from 0",
            array.values[bad]
        );
        return Err(wrong(path, got, "finite numbers"));
    }
    Ok((array.shape, array.values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::export::{Export, Which};
    use crate::artifact::model_file::samples::Shape;
    use crate::storage::Disk;
    use crate::storage::file_system::folder::TestFolder;

    #[test]
    fn the_start_of_the_golden_run_is_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/golden/init");
        let tables = InitTables::read(folder).unwrap();
        let (users, items) = (
            tables.users.as_ref().unwrap(),
            tables.items.as_ref().unwrap(),
        );
        assert_eq!(users.factors.dim(), (20, 16));
        assert_eq!(items.factors.dim(), (50, 16));
        assert_eq!(items.index("49"), Some(49));
        assert!(users.biases.is_none());
        assert!(tables.user_groups.is_empty());
        let [(name, genres)] = &tables.item_groups[..] else {
            panic!("one group");
        };
        assert_eq!((name.as_str(), genres.n_factors()), ("genre", 16));
        assert_eq!(genres.ids.name(1), "Sci-Fi");
        assert_eq!(genres.ids.len(), 14);
    }

    #[test]
    fn an_export_is_read_as_what_it_was_made_from() {
        let folder = TestFolder::new("init");
        let model = Shape::FULL.model();
        let export = Export::to(&Disk, &folder.0, false).unwrap();
        export.npy(&model, Which::Tables).unwrap();
        let tables = InitTables::read(&folder.0).unwrap();
        assert_eq!(tables.all().count(), 6);
        let items = tables.items.as_ref().unwrap();
        assert_eq!(items.ids, model.items.ids);
        for r in 0..model.items.ids.len() {
            for (f, &x) in model.items.identity.row(r).iter().enumerate() {
                assert_eq!(items.factors[[r, f]], f64::from(x));
            }
            let bias = model.items.identity_biases.as_ref().unwrap()[r];
            assert_eq!(items.biases.as_ref().unwrap()[r], f64::from(bias));
        }
        let names: Vec<&str> = tables.item_groups.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["genres", "year"]);
    }

    fn array(shape: &[usize], values: &[f32]) -> Vec<u8> {
        let mut bytes = npy::header(npy::Float::F4, shape);
        values.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
        bytes
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let good = array(&[2, 1], &[1.0, 2.0]);
        let nan = array(&[2, 1], &[1.0, f32::NAN]);
        let flat = array(&[2], &[1.0, 2.0]);
        type Files<'f> = &'f [(&'f str, &'f [u8])];
        let cases: [(&str, Files<'_>); 10] = [
            ("without any", &[("readme.txt", b"")]),
            ("user_ids.txt", &[("user_factors.npy", &good)]),
            ("user_factors.npy", &[("user_ids.txt", b"a\nb\n")]),
            (
                "item.genre.factors.npy",
                &[("item.genre.biases.npy", &good)],
            ),
            (
                "2 rows",
                &[("user_factors.npy", &good), ("user_ids.txt", b"a\n")],
            ),
            (
                "line 2",
                &[("user_factors.npy", &good), ("user_ids.txt", b"a\na\n")],
            ),
            (
                "UTF-8",
                &[("user_factors.npy", &good), ("user_ids.txt", b"a\n\xff\n")],
            ),
            (
                "row 1",
                &[("user_factors.npy", &nan), ("user_ids.txt", b"a\nb\n")],
            ),
            (
                "two dimensions",
                &[("user_factors.npy", &flat), ("user_ids.txt", b"a\nb\n")],
            ),
            (
                "another format",
                &[("user_factors.npy", b"no"), ("user_ids.txt", b"a\nb\n")],
            ),
        ];
        for (word, files) in cases {
            let folder = TestFolder::new("init-wrong");
            for (name, bytes) in files {
                fs::write(folder.0.join(name), bytes).unwrap();
            }
            let error = InitTables::read(&folder.0).unwrap_err().to_string();
            assert!(error.contains(word), "{word}: {error}");
        }
        assert!(InitTables::read("no-such-folder-here").is_err());
    }

    #[test]
    fn lines_may_end_in_any_way() {
        let folder = TestFolder::new("init-lines");
        let flat = array(&[2], &[1.0, 2.0]);
        fs::write(folder.0.join("item_biases.npy"), flat).unwrap();
        fs::write(
            folder.0.join("item_factors.npy"),
            array(&[2, 1], &[1.0, 2.0]),
        )
        .unwrap();
        fs::write(folder.0.join("item_ids.txt"), "\u{feff}007\r\nb").unwrap();
        let items = InitTables::read(&folder.0).unwrap().items.unwrap();
        assert_eq!((items.index("007"), items.index("b")), (Some(0), Some(1)));
        assert_eq!(items.biases.unwrap().as_slice(), Some(&[1.0, 2.0][..]));
    }
}
