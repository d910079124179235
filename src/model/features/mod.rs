//! How much of each feature does a row have?
//!
//! ```text
//! sum    w = 1            a film with three genres is moved three times as far as one with one
//! mean   w = 1/n          the mean of its genres
//! sqrt   w = 1/√n         between the two: the sum of n independent draws keeps its size
//! ```

pub mod schema;

use super::Measure;
use super::measure::number;
use crate::data::{Column, Csr, Ids};

/// How the features of a row are weighed; n is their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bag {
    /// w = 1.
    #[default]
    Sum,
    /// w = 1/n.
    Mean,
    /// w = 1/√n.
    Sqrt,
}

impl Bag {
    /// `sum`, `mean` or `sqrt`.
    pub fn name(self) -> &'static str {
        match self {
            Bag::Sum => "sum",
            Bag::Mean => "mean",
            Bag::Sqrt => "sqrt",
        }
    }

    /// The weight of each of `n` features.
    pub fn weight(self, n: usize) -> f32 {
        match self {
            Bag::Sum => 1.0,
            Bag::Mean => 1.0 / n as f32,
            Bag::Sqrt => 1.0 / (n as f32).sqrt(),
        }
    }
}

/// The weights of one feature group: a sparse matrix, rows of the side × values of the feature.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    rows: Csr,
    weights: Vec<f32>,
}

impl Features {
    /// The features of each row, weighed by `bag`.
    ///
    /// ```
    /// use lowrank::data::Csr;
    /// use lowrank::model::{Bag, Features};
    /// let genres = Csr::from_rows([vec![0, 1], vec![1], vec![]]);
    /// let features = Features::new(genres, Bag::Mean);
    /// assert_eq!(features.row(0).collect::<Vec<_>>(), [(0, 0.5), (1, 0.5)]);
    /// assert_eq!(features.row(1).collect::<Vec<_>>(), [(1, 1.0)]);
    /// ```
    pub fn new(rows: Csr, bag: Bag) -> Features {
        let mut weights = Vec::with_capacity(rows.n_entries());
        for row in 0..rows.n_rows() {
            let n = rows.row(row).len();
            weights.extend(std::iter::repeat_n(bag.weight(n), n));
        }
        Features { rows, weights }
    }

    /// The weights of all rows of a column, in training and ever after: a category is the row of the table that `values` calls so, weighed as the bag weighs the values of the
    /// cell; a number is what its `measure` makes of it. Nothing stands for a category that `values` has not, for a cell that is no number, or for
    /// several numbers in a cell: its share is left out.
    pub(crate) fn of_column(
        column: &Column,
        values: &Ids,
        measure: Option<&Measure>,
        bag: Bag,
    ) -> Features {
        let names = column.values.names().iter();
        let of_values: Vec<Option<(u32, f32)>> = match measure {
            None => names
                .map(|name| values.index(name).map(|f| (f, 1.0)))
                .collect(),
            Some(measure) => names
                .map(|name| number(name).map(|x| measure.feature(x)))
                .collect(),
        };
        let (mut rows, mut weights, mut features) = (Csr::default(), Vec::new(), Vec::new());
        for row in 0..column.rows.n_rows() {
            let cell = column.rows.row(row);
            features.clear();
            // All values of the cell share its weight, those that nothing is known of too.
            let share = bag.weight(cell.len());
            if measure.is_none() || cell.len() == 1 {
                for (feature, weight) in cell.iter().filter_map(|&v| of_values[v as usize]) {
                    features.push(feature);
                    weights.push(match measure {
                        None => share,
                        Some(_) => weight,
                    });
                }
            }
            rows.push_row(&features);
        }
        Features { rows, weights }
    }

    /// (feature, weight) of each feature of row `r`.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn row(&self, r: usize) -> impl ExactSizeIterator<Item = (u32, f32)> + '_ {
        let weights = &self.weights[self.rows.range(r)];
        self.rows
            .row(r)
            .iter()
            .copied()
            .zip(weights.iter().copied())
    }

    /// Adds row `r` of `of` at the end.
    pub(crate) fn push_row(&mut self, of: &Features, r: usize) {
        self.rows.push_row(of.rows.row(r));
        self.weights
            .extend_from_slice(&of.weights[of.rows.range(r)]);
    }

    /// Adds a row without features.
    pub(crate) fn push_empty(&mut self) {
        self.rows.push_row(&[]);
    }

    /// The number of entries in all rows.
    pub fn n_entries(&self) -> usize {
        self.weights.len()
    }

    /// Row n of the result is row `sources[n]` of this matrix.
    #[cfg(feature = "train")]
    pub(crate) fn arranged(&self, sources: &[u32]) -> Features {
        let mut arranged = Features::default();
        for &source in sources {
            arranged.push_row(self, source as usize);
        }
        arranged
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows.n_rows()
    }

    /// The matrix without its weights, and the weights beside its entries, for a file.
    pub(crate) fn parts(&self) -> (&Csr, &[f32]) {
        (&self.rows, &self.weights)
    }

    /// From arrays that a file gave; `None` where they do not fit together or a weight is not finite.
    pub(crate) fn from_parts(rows: Csr, weights: Vec<f32>) -> Option<Features> {
        let fits = rows.n_entries() == weights.len() && weights.iter().all(|w| w.is_finite());
        fits.then_some(Features { rows, weights })
    }
}
