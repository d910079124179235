//! How do a small matrix and its products stand for a table?
//!
//! ```text
//! G = Σ_rows θ_row·θ_rowᵀ        d × d
//! ```
//!
//! Runs of rows are added up in the numbers of the table, the sums of the runs in `f64`, in their order.

use super::SideGradient;
use crate::kernels::normal::{Equations, GramRows, width};
use crate::kernels::pool::Pool;
use crate::kernels::rows::RowsView;
use crate::kernels::{Job, Kernel, Lanes, Real, lanes};
use crate::model::Table;

/// Rows of a task; a constant, so that the order of sums depends on the data alone.
const ROWS_PER_TASK: usize = 1024;

/// Σ θ·θᵀ over some rows of a table.
#[derive(Clone, Debug)]
pub(crate) struct Gram {
    /// Symmetric, in rows of `width` numbers: those of [`Equations`].
    pub(crate) matrix: Vec<f64>,
    /// The length of a row.
    pub(crate) width: usize,
}

impl Gram {
    /// Of `rows` of a table.
    pub(crate) fn new<T: Real>(
        table: &Table<T>,
        rows: &[u32],
        pool: &Pool,
        kernel: Kernel,
    ) -> Gram {
        let width = width(table.n_factors());
        let parts = pool.map(rows.chunks(ROWS_PER_TASK).collect(), |rows: &[u32]| {
            let mut equations = Equations::new(table.n_factors());
            kernel.run(GramRows {
                equations: &mut equations,
                table: RowsView {
                    values: table.as_slice(),
                    stride: table.stride(),
                },
                rows,
            });
            equations.into_matrix()
        });
        let mut matrix = vec![0.0; width * width];
        for part in parts {
            for (sum, x) in matrix.iter_mut().zip(part) {
                *sum += x.to_f64();
            }
        }
        for a in 0..width {
            for b in 0..a {
                matrix[a * width + b] = matrix[b * width + a];
            }
        }
        Gram { matrix, width }
    }

    /// Σ_{u,i} ⟨P_u, Q_i⟩² of the rows of two tables.
    pub(crate) fn product(&self, other: &Gram) -> f64 {
        let entries = self.matrix.iter().zip(&other.matrix);
        entries.map(|(a, b)| a * b).sum()
    }

    /// Adds α·G·θ_row to the gradient of every row that some example touches.
    pub(super) fn add_products<T: Real>(
        &self,
        alpha: f64,
        table: &Table<T>,
        gradient: &mut SideGradient<T>,
        pool: &Pool,
        kernel: Kernel,
    ) {
        let stride = table.stride();
        let rows = self.matrix.chunks(self.width).take(stride);
        let scaled = rows.flat_map(|row| row[..stride].iter().map(|x| T::from_f64(alpha * x)));
        let matrix: Vec<T> = scaled.collect();
        let gradient = &mut gradient.identity;
        let places = gradient.rows.iter().zip(&gradient.n_examples);
        let tasks: Vec<_> = places
            .collect::<Vec<_>>()
            .chunks(ROWS_PER_TASK)
            .map(<[_]>::to_vec)
            .zip(gradient.factors.chunks_mut(ROWS_PER_TASK * stride))
            .collect();
        pool.map(tasks, |(places, sums)| {
            let rows = places.iter().zip(sums.chunks_exact_mut(stride));
            for ((row, _), sum) in rows.filter(|((_, n), _)| **n > 0) {
                kernel.run(AddProduct {
                    matrix: &matrix,
                    row: table.row(**row as usize),
                    sum,
                });
            }
        });
    }
}

/// Adds M·x to a sum, M symmetric: a row of M times a number of x after the other.
struct AddProduct<'a, T> {
    matrix: &'a [T],
    row: &'a [T],
    sum: &'a mut [T],
}

impl<T: Real> Job for AddProduct<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let of_matrix = self.matrix.chunks_exact(self.row.len());
        for (&x, row) in self.row.iter().zip(of_matrix) {
            let sum = lanes::lanes_of_mut(self.sum);
            lanes.add_scaled(sum, x, lanes::lanes_of(row));
        }
    }
}
