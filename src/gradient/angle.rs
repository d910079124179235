//! Between steps 2 and 3: what if only the angle between two rows counts?
//!
//! Then the passes see composed rows of length 1, P̂ = P/‖P‖, and leave ∂P̂; each touched row is taken back through its normalisation once. The derivation stands in
//! [`loss::angular`](crate::loss::angular).

use super::RowGradients;
use crate::kernels::Real;
use crate::kernels::lanes;
use crate::kernels::pool::Pool;
use crate::loss::angular;
use crate::model::{Similarity, Table};

/// Rows per task; rows are independent.
const ROWS_PER_TASK: usize = 1024;

/// The rows of one side as the passes see them.
#[derive(Clone, Debug, Default)]
pub(super) struct Directions<T> {
    unit: Option<Table<T>>,
    norms: Vec<T>,
}

impl<T: Real> Directions<T> {
    /// `composed` itself, or its rows of length 1. Of the latter only `rows` are written, all where none are named; the others keep whatever they held.
    pub(super) fn of<'a>(
        &'a mut self,
        composed: &'a Table<T>,
        rows: Option<&[u32]>,
        similarity: Similarity,
        pool: &Pool,
    ) -> &'a Table<T> {
        if similarity == Similarity::Dot {
            self.unit = None;
            return composed;
        }
        let stride = composed.stride();
        self.norms.resize(composed.n_rows(), T::ZERO);
        let unit = self
            .unit
            .get_or_insert_with(|| Table::zeros(composed.n_rows(), composed.n_factors(), false));
        match rows {
            Some(rows) => {
                for &row in rows {
                    let row = row as usize;
                    unit.row_mut(row).copy_from_slice(composed.row(row));
                    self.norms[row] = lanes::normalize(unit.row_mut(row));
                }
            }
            None => {
                let tasks = composed
                    .as_slice()
                    .chunks(ROWS_PER_TASK * stride)
                    .zip(unit.as_mut_slice().chunks_mut(ROWS_PER_TASK * stride))
                    .zip(self.norms.chunks_mut(ROWS_PER_TASK))
                    .collect();
                pool.map(
                    tasks,
                    |((rows, units), norms): ((&[T], &mut [T]), &mut [T])| {
                        let rows = rows.chunks(stride).zip(units.chunks_mut(stride));
                        for ((row, unit), norm) in rows.zip(norms) {
                            unit.copy_from_slice(row);
                            *norm = lanes::normalize(unit);
                        }
                    },
                );
            }
        }
        unit
    }

    /// Takes the gradients of the rows of length 1 back to those of the composed rows; nothing is left to do where those are the same.
    pub(super) fn backprop(&self, gradient: &mut RowGradients<T>, pool: &Pool) {
        let Some(unit) = &self.unit else { return };
        let stride = unit.stride();
        let tasks = gradient
            .rows
            .chunks(ROWS_PER_TASK)
            .zip(gradient.factors.chunks_mut(ROWS_PER_TASK * stride))
            .collect();
        pool.map(tasks, |(rows, gradients): (&[u32], &mut [T])| {
            for (&row, gradient) in rows.iter().zip(gradients.chunks_mut(stride)) {
                let row = row as usize;
                angular::backprop(unit.row(row), self.norms[row], gradient);
            }
        });
    }
}
