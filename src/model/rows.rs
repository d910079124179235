//! How is a finished table held?
//!
//! Flat: row after row of `f32`, each padded with zeros to whole lanes. No array library, no threads: this is what an
//! embedder links.

use crate::kernels::lanes::padded;

/// A table of rows that is no longer trained.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    n_rows: usize,
    n_factors: usize,
    values: Vec<f32>,
}

impl Rows {
    /// A table of zeros.
    pub fn zeros(n_rows: usize, n_factors: usize) -> Rows {
        Rows {
            n_rows,
            n_factors,
            values: vec![0.0; n_rows * padded(n_factors)],
        }
    }

    /// From padded values, row after row; `None` where the number of values is not n_rows × the padded length, or the padding is not zero.
    pub fn from_padded(n_rows: usize, n_factors: usize, values: Vec<f32>) -> Option<Rows> {
        let stride = padded(n_factors);
        let fits = n_rows.checked_mul(stride) == Some(values.len());
        let clean = fits
            && (stride == n_factors
                || values
                    .chunks_exact(stride)
                    .all(|row| row[n_factors..].iter().all(|&x| x == 0.0)));
        clean.then_some(Rows {
            n_rows,
            n_factors,
            values,
        })
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The length of a row, without padding.
    pub fn n_factors(&self) -> usize {
        self.n_factors
    }

    /// The length of a row in memory.
    pub fn stride(&self) -> usize {
        padded(self.n_factors)
    }

    /// Row `r` with its padding, as the dot product wants it.
    ///
    /// # Panics
    /// Where there is no such row.
    #[inline]
    pub fn padded_row(&self, r: usize) -> &[f32] {
        let stride = self.stride();
        &self.values[r * stride..(r + 1) * stride]
    }

    /// Row `r`.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn row(&self, r: usize) -> &[f32] {
        &self.padded_row(r)[..self.n_factors]
    }

    /// All values with their padding, row after row.
    pub fn as_padded_slice(&self) -> &[f32] {
        &self.values
    }
}
