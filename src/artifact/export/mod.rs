//! How do other programs get the tables?
//!
//! ```text
//! --to npy                          --to safetensors                 --to csv
//! user_factors.npy                  model.safetensors                user.csv           id, bias, f0, f1, …
//! user_biases.npy                   user_ids.txt                     item.csv
//! user_ids.txt                      item_ids.txt                     item.genres.csv
//! item_factors.npy   …              item.genres.ids.txt              global_mean.csv
//! item.genres.factors.npy
//! item.genres.biases.npy
//! item.genres.ids.txt
//! global_mean.npy
//! ```
//!
//! Every table has one row an id, in the order of its `ids.txt`, and as many columns as the model has factors: without the padding that it has in memory. Biases are one
//! column, `(n, 1)`; `global_mean` is a single number. What a model does not have has no file. [`Which::Composed`] writes P and Q and their biases in the place of the tables of users and
//! items, and no groups: then ⟨P_u, Q_i⟩ plus mean and biases is the whole score.
//!
//! `ids.txt` has one id a line, each ended by a newline. An id that holds a line break cannot be told from two, so it is **refused**, in words that
//! point to csv, where it is quoted. A group is named after its column; characters that no file name may have are written `%XX`.

#[cfg(feature = "cli")]
pub mod csv;
pub mod npy;
#[cfg(feature = "cli")]
pub mod safetensors;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::data::Ids;
use crate::model::{Model, ModelSide, Rows};
use crate::storage::{FileSystem, create_folders, write_atomically};
use crate::{Error, Result};

/// Which rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The tables that were learnt: identity rows, and the groups' rows.
    Tables,
    /// P and Q: what the tables add up to.
    Composed,
}

/// A table to be written.
#[derive(Debug)]
struct Named<'m> {
    /// `user`, `item`, `item.genres`, …
    name: String,
    ids: &'m Ids,
    rows: &'m Rows,
    biases: Option<Cow<'m, [f32]>>,
}

impl Named<'_> {
    /// `user_factors`, but `item.genres.factors`.
    fn part(&self, part: &str) -> String {
        let between = if self.name.contains('.') { '.' } else { '_' };
        format!("{}{between}{part}", self.name)
    }
}

fn tables(model: &Model, which: Which) -> Vec<Named<'_>> {
    let mut all = Vec::new();
    for (name, side) in [("user", &model.users), ("item", &model.items)] {
        let identity = side.identity_biases.as_deref().map(Cow::Borrowed);
        let (rows, biases) = match which {
            Which::Tables => (&side.identity, identity),
            Which::Composed => (side.composed(), composed_biases(side)),
        };
        all.push(Named {
            name: name.to_owned(),
            ids: &side.ids,
            rows,
            biases,
        });
        if which == Which::Composed {
            continue;
        }
        for group in &side.groups {
            all.push(Named {
                name: format!("{name}.{}", escape(&group.name)),
                ids: &group.values,
                rows: &group.table,
                biases: group.biases.as_deref().map(Cow::Borrowed),
            });
        }
    }
    all
}

fn composed_biases(side: &ModelSide) -> Option<Cow<'_, [f32]>> {
    let biases = side
        .composed_biases
        .as_ref()
        .or(side.identity_biases.as_ref());
    biases.map(|biases| Cow::Borrowed(&biases[..]))
}

/// A column's name as a part of a file's name.
pub(super) fn escape(name: &str) -> String {
    let mut escaped = String::new();
    for c in name.chars() {
        if c.is_control() || "%/\\:*?\"<>|".contains(c) {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                escaped.push_str(&format!("%{byte:02X}"));
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// The column's name again; `None` where no column gives `escaped`.
pub(super) fn unescape(escaped: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = escaped;
    while let Some((plain, after)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        bytes.push(u8::from_str_radix(after.get(..2)?, 16).ok()?);
        rest = &after[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

/// Files that belong together, written one by one into one folder.
#[derive(Debug)]
pub struct Export<'f, F> {
    file_system: &'f F,
    folder: PathBuf,
    written: Vec<PathBuf>,
}

impl<'f, F: FileSystem> Export<'f, F> {
    /// Into `folder`, which is made where it is not there.
    ///
    /// # Errors
    /// Where it holds files already, unless `force` is given, or cannot be made.
    pub fn to(file_system: &'f F, folder: &Path, force: bool) -> Result<Export<'f, F>> {
        create_folders(file_system, folder)?;
        let names = file_system.read_dir(folder);
        let names = names.map_err(Error::io(folder, "read"))?;
        if !force && !names.is_empty() {
            return Err(Error::File {
                path: folder.into(),
                got: "a folder that is not empty".into(),
                wanted: "an empty or a new one, or --force, which replaces files of the same names"
                    .into(),
            });
        }
        Ok(Export {
            file_system,
            folder: folder.into(),
            written: Vec::new(),
        })
    }

    /// Writes one file.
    fn file(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
    ) -> Result<()> {
        let path = self.folder.join(name);
        write_atomically(self.file_system, &path, write)?;
        self.written.push(path);
        Ok(())
    }

    /// Writes one id a line.
    fn ids(&mut self, table: &Named<'_>) -> Result<()> {
        let name = format!("{}.txt", table.part("ids"));
        self.file(&name, |writer| {
            for id in table.ids.names().iter() {
                writeln!(writer, "{id}")?;
            }
            Ok(())
        })
    }

    /// Refuses an id that no line can hold, before anything is written.
    fn check_ids(&self, tables: &[Named<'_>]) -> Result<()> {
        for table in tables {
            let names = table.ids.names();
            if let Some(id) = names.iter().find(|id| id.contains(['\n', '\r'])) {
                return Err(Error::File {
                    path: self.folder.join(format!("{}.txt", table.part("ids"))),
                    got: format!("the id {id:?}, which holds a line break"),
                    wanted: "ids of one line; csv quotes such ids".into(),
                });
            }
        }
        Ok(())
    }

    /// Writes the tables as .npy files; gives the paths of what was written.
    ///
    /// # Errors
    /// Where a file cannot be written, or an id holds a line break.
    pub fn npy(mut self, model: &Model, which: Which) -> Result<Vec<PathBuf>> {
        use npy::{Float, header};
        let tables = tables(model, which);
        self.check_ids(&tables)?;
        for table in &tables {
            let (n, n_factors) = (table.rows.n_rows(), table.rows.n_factors());
            self.file(&format!("{}.npy", table.part("factors")), |writer| {
                writer.write_all(&header(Float::F4, &[n, n_factors]))?;
                (0..n).try_for_each(|r| floats(writer, table.rows.row(r)))
            })?;
            if let Some(biases) = &table.biases {
                self.file(&format!("{}.npy", table.part("biases")), |writer| {
                    writer.write_all(&header(Float::F4, &[n, 1]))?;
                    floats(writer, biases)
                })?;
            }
            self.ids(table)?;
        }
        if let Some(mean) = model.global_mean {
            self.file("global_mean.npy", |writer| {
                writer.write_all(&header(Float::F8, &[]))?;
                writer.write_all(&mean.to_le_bytes())
            })?;
        }
        Ok(self.written)
    }
}

fn floats(writer: &mut dyn std::io::Write, values: &[f32]) -> std::io::Result<()> {
    for x in values {
        writer.write_all(&x.to_le_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::model_file::samples::Shape;
    use crate::storage::Disk;
    use crate::storage::file_system::folder::TestFolder;
    use crate::storage::lying_disk::{Fault, LyingDisk};
    use std::fs;

    #[test]
    fn names_of_columns_become_names_of_files_and_back() {
        for name in [
            "genres",
            "a/b",
            "../x",
            "%41",
            "Größe",
            "a.b",
            "tab\there",
            "",
        ] {
            let escaped = escape(name);
            assert!(!escaped.contains(['/', '\t']), "{escaped}");
            assert_eq!(unescape(&escaped).as_deref(), Some(name));
        }
        assert_eq!(escape("a/b%"), "a%2Fb%25");
        for bad in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(unescape(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_npy_folder_has_a_file_for_everything_the_model_has() {
        let folder = TestFolder::new("export-npy");
        let model = Shape::FULL.model();
        let export = Export::to(&Disk, &folder.0, false).unwrap();
        let written = export.npy(&model, Which::Tables).unwrap();
        assert_eq!(written.len(), 17);
        let wanted = [
            "global_mean.npy",
            "item.genres.biases.npy",
            "item.genres.factors.npy",
            "item.genres.ids.txt",
            "item.year.factors.npy",
            "item.year.ids.txt",
            "item_biases.npy",
            "item_factors.npy",
            "item_ids.txt",
        ];
        let mut wanted: Vec<String> = wanted.map(str::to_owned).into();
        let users: Vec<String> = wanted[1..]
            .iter()
            .map(|n| n.replace("item", "user"))
            .collect();
        wanted.extend(users);
        assert_eq!(folder.names(), wanted);
        let factors = npy::read(&fs::read(folder.0.join("user_factors.npy")).unwrap()).unwrap();
        assert_eq!(factors.shape, [3, 3]);
        let row: Vec<f64> = model
            .users
            .identity
            .row(1)
            .iter()
            .map(|&x| x.into())
            .collect();
        assert_eq!(factors.values[3..6], row);
        assert_eq!(
            fs::read_to_string(folder.0.join("user_ids.txt")).unwrap(),
            "u2\nu1\nu0\n"
        );
        let mean = npy::read(&fs::read(folder.0.join("global_mean.npy")).unwrap()).unwrap();
        assert_eq!((mean.shape, mean.values), (vec![], vec![3.25]));
    }

    #[test]
    fn composed_rows_give_the_whole_score() {
        let folder = TestFolder::new("export-composed");
        let model = Shape::FULL.model();
        let export = Export::to(&Disk, &folder.0, false).unwrap();
        assert_eq!(export.npy(&model, Which::Composed).unwrap().len(), 7);
        let read = |name: &str| {
            npy::read(&fs::read(folder.0.join(name)).unwrap())
                .unwrap()
                .values
        };
        let (p, q) = (read("user_factors.npy"), read("item_factors.npy"));
        let (user_biases, item_biases) = (read("user_biases.npy"), read("item_biases.npy"));
        let (u, i) = (1, 3);
        let dot: f64 = (0..3).map(|f| p[u * 3 + f] * q[i * 3 + f]).sum();
        let score = 3.25 + user_biases[u] + item_biases[i] + dot;
        let own = f64::from(crate::model::Scorer::new(&model, Some(1)).score(3));
        // Five f32 roundings of numbers below 8.
        assert!(
            (score - own).abs() < 5.0 * 8.0 * f64::from(f32::EPSILON),
            "{score} {own}"
        );
    }

    #[test]
    fn a_folder_that_is_not_empty_is_refused_unless_forced() {
        let folder = TestFolder::new("export-force");
        fs::write(folder.0.join("mine.txt"), "mine").unwrap();
        let error = Export::to(&Disk, &folder.0, false).unwrap_err();
        assert!(error.to_string().contains("--force"), "{error}");
        let export = Export::to(&Disk, &folder.0, true).unwrap();
        export
            .npy(&Shape::from_bits(0).model(), Which::Tables)
            .unwrap();
        assert_eq!(
            fs::read_to_string(folder.0.join("mine.txt")).unwrap(),
            "mine"
        );
    }

    #[test]
    fn an_id_with_a_line_break_is_refused_before_anything_is_written() {
        let folder = TestFolder::new("export-line");
        let mut model = Shape::FULL.model();
        model.items.ids = ["a", "b", "c\nd", "e"].into_iter().collect();
        let export = Export::to(&Disk, &folder.0, false).unwrap();
        let error = export.npy(&model, Which::Tables).unwrap_err();
        assert!(error.to_string().contains(r#""c\nd""#), "{error}");
        assert_eq!(folder.names(), [] as [&str; 0]);
    }

    #[test]
    fn a_full_disk_leaves_whole_files_only() {
        let disk = LyingDisk::new().with(Fault::FullAfter(400));
        let export = Export::to(&disk, Path::new("tables"), false).unwrap();
        assert!(export.npy(&Shape::FULL.model(), Which::Tables).is_err());
        let names = disk.names("tables");
        assert!(!names.is_empty());
        for name in names {
            assert!(!name.contains(".tmp-"), "{name}");
        }
    }
}
