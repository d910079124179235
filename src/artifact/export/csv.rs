//! How do the tables become text that a spreadsheet reads?
//!
//! ```text
//! id,bias,f0,f1,f2
//! 196,0.25,1.5,-2,0.125
//! ```
//!
//! One file a table. Numbers have as many digits as it takes to read the same `f32` again, and no more. There is no `bias` column where the table has
//! none. Ids are quoted where they have to be.

use std::io;
use std::path::PathBuf;

use super::{Export, Named, Which, tables};
use crate::Result;
use crate::model::Model;
use crate::storage::FileSystem;

impl<F: FileSystem> Export<'_, F> {
    /// Writes every table as a .csv file; gives the paths of what was written.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn csv(mut self, model: &Model, which: Which) -> Result<Vec<PathBuf>> {
        for table in &tables(model, which) {
            self.file(&format!("{}.csv", table.name), |writer| {
                write(table, writer)
            })?;
        }
        if let Some(mean) = model.global_mean {
            self.file("global_mean.csv", |writer| {
                writeln!(writer, "global_mean\n{mean}")
            })?;
        }
        Ok(self.written)
    }
}

fn write(table: &Named<'_>, writer: &mut dyn io::Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    csv.write_field("id")?;
    if table.biases.is_some() {
        csv.write_field("bias")?;
    }
    for f in 0..table.rows.n_factors() {
        csv.write_field(format!("f{f}"))?;
    }
    csv.write_record(None::<&[u8]>)?;
    for (r, id) in table.ids.names().iter().enumerate() {
        csv.write_field(id)?;
        if let Some(biases) = &table.biases {
            csv.write_field(biases[r].to_string())?;
        }
        for x in table.rows.row(r) {
            csv.write_field(x.to_string())?;
        }
        csv.write_record(None::<&[u8]>)?;
    }
    csv.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::model_file::samples::Shape;
    use crate::storage::Disk;
    use crate::storage::file_system::folder::TestFolder;

    #[test]
    fn a_table_reads_as_the_same_numbers() {
        let folder = TestFolder::new("csv");
        let mut model = Shape::FULL.model();
        model.users.ids = ["a,b", "line\nbreak", ""].into_iter().collect();
        let export = Export::to(&Disk, &folder.0, false).unwrap();
        export.csv(&model, Which::Tables).unwrap();
        let names = [
            "global_mean.csv",
            "item.csv",
            "item.genres.csv",
            "item.year.csv",
            "user.csv",
            "user.genres.csv",
            "user.year.csv",
        ];
        assert_eq!(folder.names(), names);
        let mut reader = csv::Reader::from_path(folder.0.join("user.csv")).unwrap();
        assert_eq!(
            reader.headers().unwrap(),
            vec!["id", "bias", "f0", "f1", "f2"]
        );
        for (r, record) in reader.records().enumerate() {
            let record = record.unwrap();
            assert_eq!(&record[0], model.users.ids.name(r as u32));
            let numbers: Vec<f32> = record.iter().skip(1).map(|x| x.parse().unwrap()).collect();
            assert_eq!(numbers[0], model.users.identity_biases.as_ref().unwrap()[r]);
            assert_eq!(&numbers[1..], model.users.identity.row(r));
        }
        let header = std::fs::read_to_string(folder.0.join("item.year.csv")).unwrap();
        assert!(header.starts_with("id,f0,f1,f2\n1995,"), "{header}");
    }
}
