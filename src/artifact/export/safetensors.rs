//! How do the tables become one file that machine-learning tools read?
//!
//! ```text
//! length of the header, u64   {"__metadata__": {…}, "user_factors": {"dtype": "F32", "shape": [20, 16], "data_offsets": [0, 1280]}, …}   spaces
//! then the numbers, little-endian, row after row; offsets count from here, and no byte lies between two tensors
//! ```
//!
//! The header is padded to a multiple of 8; `global_mean`, the only `F64`, comes first, so that every tensor is aligned. The metadata say what
//! turns a score into a prediction: `link`, `clip`. Ids are no tensors: they stand beside the file, as for .npy.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{Export, Which, floats, tables};
use crate::Result;
use crate::model::{Link, Model};
use crate::storage::FileSystem;

impl<F: FileSystem> Export<'_, F> {
    /// Writes the tables as `model.safetensors`, and the ids beside it; gives the paths of what was written.
    ///
    /// # Errors
    /// Where a file cannot be written, or an id holds a line break.
    pub fn safetensors(mut self, model: &Model, which: Which) -> Result<Vec<PathBuf>> {
        let tables = tables(model, which);
        self.check_ids(&tables)?;
        let mut tensors = Tensors::default();
        if model.global_mean.is_some() {
            tensors.add("global_mean".into(), "F64", &[], 8);
        }
        for table in &tables {
            let (n, n_factors) = (table.rows.n_rows(), table.rows.n_factors());
            tensors.add(table.part("factors"), "F32", &[n, n_factors], 4);
            if table.biases.is_some() {
                tensors.add(table.part("biases"), "F32", &[n, 1], 4);
            }
        }
        let header = tensors.header(metadata(model, which));
        self.file("model.safetensors", |writer| {
            writer.write_all(&(header.len() as u64).to_le_bytes())?;
            writer.write_all(&header)?;
            if let Some(mean) = model.global_mean {
                writer.write_all(&mean.to_le_bytes())?;
            }
            for table in &tables {
                (0..table.rows.n_rows()).try_for_each(|r| floats(writer, table.rows.row(r)))?;
                if let Some(biases) = &table.biases {
                    floats(writer, biases)?;
                }
            }
            Ok(())
        })?;
        for table in &tables {
            self.ids(table)?;
        }
        Ok(self.written)
    }
}

/// The header as it grows; its keys come out sorted, so one model gives one file.
#[derive(Default)]
struct Tensors {
    entries: Map<String, Value>,
    end: usize,
}

impl Tensors {
    fn add(&mut self, name: String, dtype: &str, shape: &[usize], size: usize) {
        let start = self.end;
        self.end += shape.iter().product::<usize>() * size;
        let entry = json!({"dtype": dtype, "shape": shape, "data_offsets": [start, self.end]});
        self.entries.insert(name, entry);
    }

    fn header(mut self, metadata: Value) -> Vec<u8> {
        self.entries.insert("__metadata__".into(), metadata);
        let mut header = Value::Object(self.entries).to_string().into_bytes();
        header.resize(header.len().next_multiple_of(8), b' ');
        header
    }
}

/// Strings alone, as the format wants.
fn metadata(model: &Model, which: Which) -> Value {
    let link = match model.link {
        Link::Identity => "identity".to_owned(),
        Link::Sigmoid { lo, hi } => format!("sigmoid:{lo}..{hi}"),
    };
    let clip = model.clip.map_or("none".to_owned(), |clip| {
        format!("{}..{}", clip.lo, clip.hi)
    });
    let rows = match which {
        Which::Tables => "tables",
        Which::Composed => "composed",
    };
    json!({"format": "lowrank", "rows": rows, "link": link, "clip": clip})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::model_file::samples::Shape;
    use crate::storage::Disk;
    use crate::storage::file_system::folder::TestFolder;

    /// The bytes of a tiny file, worked out from the format's description.
    #[test]
    fn a_tiny_file_has_these_bytes() {
        let folder = TestFolder::new("safetensors-tiny");
        let mut model = Shape {
            n_users: 1,
            n_items: 1,
            n_factors: 1,
            ..Shape::from_bits(0)
        }
        .model();
        model.global_mean = Some(3.25);
        model.users.identity =
            crate::model::Rows::from_padded(1, 1, [vec![1.5], vec![0.0; 7]].concat()).unwrap();
        model.items.identity =
            crate::model::Rows::from_padded(1, 1, [vec![-2.0], vec![0.0; 7]].concat()).unwrap();
        let export = Export::to(&Disk, &folder.0, false).unwrap();
        export.safetensors(&model, Which::Tables).unwrap();
        let header = concat!(
            r#"{"__metadata__":{"clip":"none","format":"lowrank","link":"identity","rows":"tables"},"#,
            r#""global_mean":{"data_offsets":[0,8],"dtype":"F64","shape":[]},"#,
            r#""item_factors":{"data_offsets":[12,16],"dtype":"F32","shape":[1,1]},"#,
            r#""user_factors":{"data_offsets":[8,12],"dtype":"F32","shape":[1,1]}}"#,
        );
        let padding = header.len().next_multiple_of(8) - header.len();
        let mut wanted = ((header.len() + padding) as u64).to_le_bytes().to_vec();
        wanted.extend(header.as_bytes());
        wanted.extend(vec![b' '; padding]);
        wanted.extend(3.25f64.to_le_bytes());
        wanted.extend([1.5f32.to_le_bytes(), (-2.0f32).to_le_bytes()].concat());
        let got = std::fs::read(folder.0.join("model.safetensors")).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&got),
            String::from_utf8_lossy(&wanted)
        );
        assert_eq!(got, wanted);
        assert_eq!(
            folder.names(),
            ["item_ids.txt", "model.safetensors", "user_ids.txt"]
        );
    }
}
