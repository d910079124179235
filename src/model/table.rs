//! What is learnt?
//!
//! Embedding tables: one row of factors, and one bias, for every user, item or feature. Parameters, their gradients and the
//! optimizer's moments all have this one type, so an update walks over equal shapes.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut2, s};

use crate::kernels::Real;
use crate::kernels::lanes::padded;

/// An embedding table: n_rows × n_factors factors and, where the table has them, n_rows biases.
///
/// In memory a row is padded with zeros to whole lanes; [`factors`](Table::factors) shows it without.
///
/// ```
/// use lowrank::model::Table;
/// let mut table = Table::<f32>::zeros(3, 10, true);
/// table.factors_mut()[[2, 9]] = 1.5;
/// assert_eq!(table.row(2).len(), 16);
/// assert_eq!(table.row(2)[9], 1.5);
/// assert_eq!(table.factors().dim(), (3, 10));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table<T> {
    padded: Array2<T>,
    biases: Option<Array1<T>>,
    n_factors: usize,
}

impl<T: Real> Table<T> {
    /// A table of zeros.
    pub fn zeros(n_rows: usize, n_factors: usize, with_biases: bool) -> Table<T> {
        Table {
            padded: Array2::from_elem((n_rows, padded(n_factors)), T::ZERO),
            biases: with_biases.then(|| Array1::from_elem(n_rows, T::ZERO)),
            n_factors,
        }
    }

    /// A table of zeros of this one's shape: its gradient, or a moment of it.
    pub fn zeros_like(&self) -> Table<T> {
        Table::zeros(self.n_rows(), self.n_factors, self.biases.is_some())
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.padded.nrows()
    }

    /// The number of factors of a row.
    pub fn n_factors(&self) -> usize {
        self.n_factors
    }

    /// The length of a row in memory.
    pub fn stride(&self) -> usize {
        self.padded.ncols()
    }

    /// The factors, n_rows × n_factors.
    pub fn factors(&self) -> ArrayView2<'_, T> {
        self.padded.slice(s![.., ..self.n_factors])
    }

    /// The factors, to be changed.
    pub fn factors_mut(&mut self) -> ArrayViewMut2<'_, T> {
        self.padded.slice_mut(s![.., ..self.n_factors])
    }

    /// The biases, n_rows.
    pub fn biases(&self) -> Option<ArrayView1<'_, T>> {
        self.biases.as_ref().map(|biases| biases.view())
    }

    /// Row `r` with its padding.
    #[inline(always)]
    pub fn row(&self, r: usize) -> &[T] {
        let stride = self.stride();
        &self.as_slice()[r * stride..(r + 1) * stride]
    }

    /// Row `r` with its padding, to be changed; the padding stays zero.
    #[inline(always)]
    pub fn row_mut(&mut self, r: usize) -> &mut [T] {
        let stride = self.stride();
        &mut self.as_mut_slice()[r * stride..(r + 1) * stride]
    }

    /// All rows with their padding, one after the other.
    #[inline(always)]
    pub fn as_slice(&self) -> &[T] {
        self.padded
            .as_slice()
            .expect("a table is in row-major order")
    }

    /// All rows with their padding, to be changed; the padding stays zero.
    #[inline(always)]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.padded
            .as_slice_mut()
            .expect("a table is in row-major order")
    }

    /// The biases as a slice.
    #[inline(always)]
    pub fn bias_slice(&self) -> Option<&[T]> {
        self.biases
            .as_ref()
            .map(|b| b.as_slice().expect("biases are contiguous"))
    }

    /// The biases as a slice, to be changed.
    #[inline(always)]
    pub fn bias_slice_mut(&mut self) -> Option<&mut [T]> {
        self.biases
            .as_mut()
            .map(|b| b.as_slice_mut().expect("biases are contiguous"))
    }

    /// Factors (with their padding) and biases, both to be changed.
    pub fn parts_mut(&mut self) -> (&mut [T], Option<&mut [T]>) {
        (
            self.padded
                .as_slice_mut()
                .expect("a table is in row-major order"),
            self.biases
                .as_mut()
                .map(|b| b.as_slice_mut().expect("biases are contiguous")),
        )
    }

    /// The first row that holds a number that is not finite, and whether that is its bias.
    pub fn first_not_finite(&self) -> Option<(usize, bool)> {
        let stride = self.stride();
        let factor = position_not_finite(self.as_slice()).map(|at| (at / stride, false));
        let bias = || Some((position_not_finite(self.bias_slice()?)?, true));
        factor.or_else(bias)
    }

    /// Takes over the numbers of a table of the same shape.
    ///
    /// # Panics
    /// Where it has another.
    pub fn copy_from(&mut self, other: &Table<T>) {
        self.as_mut_slice().copy_from_slice(other.as_slice());
        if let (Some(to), Some(from)) = (self.bias_slice_mut(), other.bias_slice()) {
            to.copy_from_slice(from);
        }
    }
}

/// Where the first number is that is not finite. Pieces are looked at without a way out, so that it runs on many lanes.
fn position_not_finite<T: Real>(numbers: &[T]) -> Option<usize> {
    const PIECE: usize = 4096;
    let bad = |piece: &[T]| !piece.iter().fold(true, |fine, x| fine & x.finite());
    let piece = numbers.chunks(PIECE).position(bad)?;
    let start = piece * PIECE;
    let within = numbers[start..].iter().position(|x| !x.finite())?;
    Some(start + within)
}
