//! How long will a model's file be, before there is a model?
//!
//! The sections of the table in `layout` have lengths that follow from the data and the configuration alone. A test saves a model and compares.

use super::record::{PosteriorRecord, Record, ReferenceRecord};
use crate::data::{Catalog, Csr, Ids, Strings};
use crate::kernels::lanes::padded;
use crate::model::reference::{BINS, Histogram};
use crate::model::{Clip, Link, Meaning, Purpose, Similarity};
use crate::storage::sections::file_bytes;
use crate::training::groups::Used;

/// What a model will be made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// The number of factors of a row.
    pub n_factors: usize,
    /// The users' side.
    pub users: SideShape<'a>,
    /// The items' side.
    pub items: SideShape<'a>,
    /// Different pairs of user and item that are trained on.
    pub n_seen: usize,
    /// Whether the score has μ.
    pub global_mean: bool,
    /// From score to prediction.
    pub link: Link,
    /// Whether predictions are clipped.
    pub clipped: bool,
    /// How it says how uncertain it is, if it does.
    pub spread: Option<SpreadShape>,
    /// What it will be for, if it says so.
    pub purpose: Option<&'a Purpose>,
    /// How its training ratings are distributed, if it will have a reference.
    pub ratings: Option<&'a Histogram>,
}

/// The kind of a posterior.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpreadShape {
    /// So many samples side by side; all of them together make the number of factors of a row.
    Samples(usize),
    /// A variance beside each number.
    Variances,
}

/// One side of it.
#[derive(Clone, Copy, Debug)]
pub struct SideShape<'a> {
    /// The names of its rows.
    pub ids: &'a Ids,
    /// What else is known of them.
    pub catalog: &'a Catalog,
    /// The columns that are features.
    pub used: &'a [Used],
    /// Whether rows have biases.
    pub biases: bool,
    /// Whether features have.
    pub group_biases: bool,
}

impl Shape<'_> {
    /// The bytes of its file, those of the model with its baseline: exact.
    pub fn file_bytes(&self) -> u64 {
        let mut lengths = Vec::new();
        let similarity = self.purpose.map(|purpose| purpose.similarity);
        for side in [self.users, self.items] {
            let normalised = similarity == Some(Similarity::Cosine);
            side.sections(self.n_factors, normalised, &mut lengths);
        }
        let (n_users, n_items) = (self.users.ids.len(), self.items.ids.len());
        lengths.extend([8 * (n_users + 1), 4 * self.n_seen]);
        lengths.extend([4 * n_users, 4 * n_items]);
        if let Some(spread) = self.spread {
            let (length, of_prior) = match spread {
                SpreadShape::Samples(count) => (count, self.n_factors + count),
                SpreadShape::Variances => (self.n_factors + 1, self.n_factors + 1),
            };
            lengths.extend([n_users, n_items].map(|n_rows| 4 * n_rows * padded(length)));
            lengths.extend([4 * of_prior; 2]);
        }
        let sides = [self.users, self.items];
        let has_schema = sides.iter().any(|side| !side.used.is_empty());
        if has_schema {
            sides.iter().for_each(|side| side.schema(&mut lengths));
        }
        if let Some(ratings) = self.ratings {
            lengths.extend([4 * ratings.marks().len(), 8 * ratings.counts().len()]);
            lengths.extend([4 * (BINS - 1), 8 * BINS]);
        }
        let of_ratings = self.purpose.is_none_or(|p| p.meaning == Meaning::Rating);
        let record = Record {
            n_factors: 0,
            global_mean: self.global_mean.then_some(0.0),
            training_mean: 0.0,
            n_training_ratings: 0,
            link: self.link,
            clip: self.clipped.then_some(Clip { lo: 0.0, hi: 1.0 }),
            baseline_mean: Some(0.0),
            purpose: self.purpose.cloned(),
            schema: has_schema.then_some(0),
            posterior: self.spread.map(|spread| PosteriorRecord {
                noise: 0.0,
                samples: matches!(spread, SpreadShape::Samples(_)).then_some(0),
            }),
            reference: self.ratings.map(|_| ReferenceRecord {
                rating_std: 0.0,
                train_rmse: of_ratings.then_some(0.0),
            }),
        };
        let record = record.to_bytes().map_or(0, |bytes| bytes.len());
        file_bytes(record, lengths.into_iter().map(|length| length as u64))
    }
}

impl<'a> SideShape<'a> {
    /// The length of each section, in the order of `encode`.
    fn sections(&self, n_factors: usize, normalised: bool, to: &mut Vec<usize>) {
        let (n_rows, columns) = (self.ids.len(), &self.catalog.columns);
        let table = |n_rows: usize, with_biases: bool, to: &mut Vec<usize>| {
            to.push(4 * n_rows * padded(n_factors));
            to.extend(with_biases.then_some(4 * n_rows));
        };
        ids(self.ids, to);
        if let Some(titles) = &self.catalog.titles {
            strings(titles, to);
        }
        strings(&columns.iter().map(|column| &column.name).collect(), to);
        to.push(columns.len());
        for column in columns {
            ids(&column.values, to);
            csr(&column.rows, to);
        }
        to.push(4 * n_rows);
        table(n_rows, self.biases, to);
        strings(&self.used.iter().map(Used::name).collect(), to);
        to.push(self.used.len());
        let column = |used: &'a Used| Some((used, self.catalog.column(used.name())?));
        for (used, column) in self.used.iter().filter_map(column) {
            let values = used.values(column);
            ids(&values, to);
            to.push(4 * values.len());
            table(values.len(), self.group_biases, to);
            csr(&column.rows, to);
            to.push(4 * column.rows.n_entries());
        }
        if normalised || !self.used.is_empty() {
            table(n_rows, self.biases || self.group_biases, to);
        }
    }

    /// The sections of the schema.
    fn schema(&self, to: &mut Vec<usize>) {
        to.extend([self.used.len(), 16 * self.used.len()]);
        for used in self.used {
            let column = self.catalog.column(used.name());
            let values = column.map_or(0, |column| used.values(column).len());
            // Eleven tenths, where some row with ratings has a number.
            to.push(if used.is_of_numbers() {
                8 * 11
            } else {
                4 * values
            });
        }
    }
}

fn ids(ids: &Ids, to: &mut Vec<usize>) {
    strings(ids.names(), to);
    to.push(4 * ids.len());
}

fn strings(strings: &Strings, to: &mut Vec<usize>) {
    let (bytes, ends) = strings.parts();
    to.extend([8 * ends.len(), bytes.len()]);
}

fn csr(matrix: &Csr, to: &mut Vec<usize>) {
    to.extend([8 * (matrix.n_rows() + 1), 4 * matrix.n_entries()]);
}
