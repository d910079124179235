//! How is a model stored, loaded whole or a few rows at a time, and checked?
//!
//! A file of [`sections`](crate::storage::sections) whose content is marked `modl`: a small record and the arrays of the model, in a fixed order.
//!
//! | file | question |
//! |---|---|
//! | `record` | which numbers of a model are no arrays? |
//! | `layout` | which sections are there, in which order, of which shapes? |
//! | `encode` | how does a model become sections? |
//! | `decode` | how do sections become a model again? |
//! | `posterior` | how does a file say how uncertain its tables are? |
//! | `of_training` | what does a file say of the training that made it? |
//! | `size` | how long will the file be? |
//!
//! Equal models give equal bytes, and what is loaded is saved as the same bytes. The file holds no time, path or host. Version 1 loads for ever: `fixtures/model-v1.lowrank`
//! is one, and a test loads it.
//!
//! Composed rows are stored, so that a few users' scores need a few rows; [`ModelFile::verify`] checks that they are what the tables give, bit for bit.

mod decode;
mod encode;
mod layout;
mod of_training;
mod posterior;
mod record;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(feature = "train")]
mod size;

use crate::Result;
use crate::model::{Baseline, Model, ModelSide, Similarity};
use crate::storage::{Container, Source};

use decode::{Decoder, Pick};
use layout::{Layout, SideAt};
use record::Record;
#[cfg(feature = "train")]
pub use size::{Shape, SideShape, SpreadShape};

/// What marks the content of a model file.
const CONTENT: [u8; 4] = *b"modl";

/// An open model file: its header is read and checked, its arrays are read when they are asked for.
///
/// Whatever is read is checked: each 64 KiB that a call touches has a checksum. What is not asked for is not read; [`verify`](ModelFile::verify) reads all.
#[derive(Debug)]
pub struct ModelFile<S> {
    container: Container<S>,
    record: Record,
    layout: Layout,
}

#[cfg(feature = "train")]
impl ModelFile<crate::storage::FileSource> {
    /// Opens the model file at `path`.
    ///
    /// # Errors
    /// Where it cannot be read, is no model file, is damaged in its header or cut short.
    pub fn open(path: impl AsRef<std::path::Path>) -> Result<Self> {
        ModelFile::new(crate::storage::FileSource::open(path)?)
    }
}

impl<S: Source> ModelFile<S> {
    /// Opens a model file that lies in memory, or anywhere else.
    ///
    /// # Errors
    /// Where it is no model file, is damaged in its header or cut short.
    pub fn new(source: S) -> Result<ModelFile<S>> {
        let container = Container::open(source, CONTENT)?;
        let at = container.record_offset();
        let record = Record::from_bytes(container.record())
            .map_err(|error| container.corrupt(at, error, "the record of a model"))?;
        if let Some((got, wanted)) = record.problem() {
            return Err(container.corrupt(at, got, wanted));
        }
        let layout = Layout::of(&container, &record)?;
        Ok(ModelFile {
            container,
            record,
            layout,
        })
    }

    /// The number of factors of every row.
    pub fn n_factors(&self) -> usize {
        self.record.n_factors as usize
    }

    /// The number of users.
    pub fn n_users(&self) -> usize {
        self.layout.users.n_rows() as usize
    }

    /// The number of items.
    pub fn n_items(&self) -> usize {
        self.layout.items.n_rows() as usize
    }

    /// The whole model. Memory: about the size of the file.
    ///
    /// # Errors
    /// Where the file is damaged.
    pub fn model(&self) -> Result<Model> {
        self.read(None)
    }

    /// A model of all items and of those of the named users that there are, in the order in which they are named. Of the users' side only their
    /// rows are read and checked: names, biases, counts, features, seen lists, how uncertain they are.
    ///
    /// # Errors
    /// Where a part that is read is damaged.
    pub fn model_for_users(&self, user_ids: &[&str]) -> Result<Model> {
        let mut rows: Vec<u32> = Vec::with_capacity(user_ids.len());
        for user_id in user_ids {
            rows.extend(self.find(&self.layout.users, user_id)?);
        }
        let mut once = std::collections::HashSet::new();
        rows.retain(|&row| once.insert(row));
        self.read(Some(&rows))
    }

    /// Reads everything, checks every checksum, and that the composed rows are what the tables give.
    ///
    /// # Errors
    /// At the first damage.
    pub fn verify(&self) -> Result<()> {
        self.container.verify()?;
        let model = self.model()?;
        let similarity = model.similarity();
        self.check_composed(similarity, &self.layout.users, &model.users)?;
        self.check_composed(similarity, &self.layout.items, &model.items)
    }

    fn decoder(&self) -> Decoder<'_, S> {
        Decoder {
            container: &self.container,
            n_factors: self.n_factors(),
        }
    }

    fn read(&self, users: Pick<'_>) -> Result<Model> {
        let (decoder, layout) = (self.decoder(), &self.layout);
        let mut items = decoder.side(&layout.items, None)?;
        let mut of_users = decoder.side(&layout.users, users)?;
        if let Some([at_users, at_items]) = &layout.schema {
            decoder.profiles(at_users, &mut of_users)?;
            decoder.profiles(at_items, &mut items)?;
        }
        let seen = decoder.csr(&layout.seen, items.ids.len(), users)?;
        for user in 0..seen.n_rows() {
            if seen.row(user).windows(2).any(|pair| pair[0] >= pair[1]) {
                let at = &layout.seen.entries;
                return Err(decoder.bad(at, "items of a user that do not rise", "rising items"));
            }
        }
        let baseline = match (&layout.baseline, self.record.baseline_mean) {
            (Some((user_biases, item_biases)), Some(global_mean)) => Some(Baseline {
                global_mean,
                user_biases: decoder.floats(user_biases, users)?,
                item_biases: decoder.floats(item_biases, None)?,
            }),
            _ => None,
        };
        let posterior = match (&layout.spread, self.record.posterior) {
            (Some(at), Some(record)) => Some(decoder.posterior(at, record, users)?),
            _ => None,
        };
        let reference = match (&self.layout.reference, self.record.reference) {
            (Some(at), Some(record)) => Some(decoder.reference(at, record)?),
            _ => None,
        };
        let model = Model {
            n_factors: self.n_factors(),
            global_mean: self.record.global_mean,
            training_mean: self.record.training_mean,
            n_training_ratings: self.record.n_training_ratings,
            link: self.record.link,
            clip: self.record.clip,
            users: of_users,
            items,
            seen,
            baseline,
            posterior,
            purpose: self.record.purpose.clone(),
            reference,
        };
        let fingerprint = model.schema().map(|schema| schema.fingerprint().0);
        if fingerprint != self.record.schema {
            let at = self.container.record_offset();
            let got = "the fingerprint of another schema";
            return Err(self.container.corrupt(at, got, "that of the features"));
        }
        Ok(model)
    }

    /// The row called `name`, by binary search in the file.
    fn find(&self, side: &SideAt, name: &str) -> Result<Option<u32>> {
        let decoder = self.decoder();
        let mut names = decoder.name_reader(&side.ids.names);
        let mut sorted = self.container.cursor(&side.ids.sorted);
        let (mut low, mut high) = (0, side.n_rows());
        while low < high {
            let middle = low + (high - low) / 2;
            let row: u32 = sorted.one(middle)?;
            // Where `row` is out of range the reader says so.
            match names.get(row)?.as_str().cmp(name) {
                std::cmp::Ordering::Equal => return Ok(Some(row)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    fn check_composed(&self, similarity: Similarity, at: &SideAt, side: &ModelSide) -> Result<()> {
        let (Some(section), Some(composed)) = (&at.composed, &side.composed) else {
            return Ok(());
        };
        let same = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
        for r in 0..composed.n_rows() {
            let features = side.groups.iter().map(|g| (g, g.features.row(r)));
            let (row, bias) = side.composed_row(similarity, r, features);
            let bias_is_same = match &side.composed_biases {
                Some(biases) => biases[r].to_bits() == bias.to_bits(),
                None => true,
            };
            if !same(&row, composed.padded_row(r)) || !bias_is_same {
                let got = format!("row {r} of {} that its tables do not give", section.name);
                let offset = section.offset_of(r as u64 * section.columns);
                return Err(self.container.corrupt(
                    offset,
                    got,
                    "the sum of its own row and its features'",
                ));
            }
        }
        Ok(())
    }
}

impl Model {
    /// The bytes of the model's file.
    ///
    /// # Errors
    /// Where a number of the model is not finite: no such file would load.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(encode::sections(self)?.to_bytes())
    }

    /// The model in `bytes`, all of it looked at. Needs no file system; memory: about the size of the file.
    ///
    /// # Errors
    /// Where the bytes are not a whole, undamaged model file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model> {
        ModelFile::new(bytes)?.model()
    }

    /// Writes the model's file; what was there before is replaced when the new file is whole and on the disk.
    ///
    /// # Errors
    /// Where it cannot be written; nothing is left behind then, and the old file is untouched. Where a number of the model is not finite.
    #[cfg(feature = "train")]
    pub fn save(&self, path: impl AsRef<std::path::Path>) -> Result<()> {
        self.save_to(&crate::storage::Disk, path.as_ref())
    }

    /// [`save`](Model::save) to any file system.
    ///
    /// # Errors
    /// Those of `save`.
    #[cfg(feature = "train")]
    pub fn save_to(
        &self,
        file_system: &impl crate::storage::FileSystem,
        path: &std::path::Path,
    ) -> Result<()> {
        let sections = encode::sections(self)?;
        crate::storage::write_atomically(file_system, path, |writer| {
            sections.write_to(|bytes| writer.write_all(bytes))
        })
    }

    /// The model in the file at `path`.
    ///
    /// # Errors
    /// Where it cannot be read, or is not a whole, undamaged model file.
    #[cfg(feature = "train")]
    pub fn load(path: impl AsRef<std::path::Path>) -> Result<Model> {
        ModelFile::open(path)?.model()
    }
}

#[cfg(test)]
mod tests;
