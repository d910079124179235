//! How do slopes become the gradients of items?
//!
//! Some of the touched items at a time: a column of G for each that is a candidate, and the slopes of its positives.

use super::{Buffers, Columns, Passes};
use crate::data::layout::Examples;
use crate::gradient::RowGradients;
use crate::kernels::dense::ColumnSums;
use crate::kernels::rows::{GradientRows, RowRange};
use crate::kernels::{Real, lanes};
use crate::loss::Listwise;

/// Rows of the items' gradient per task.
const ITEMS_PER_TASK: usize = 256;

impl<T: Real, L: Listwise> Passes<'_, T, L> {
    /// ∂Q of the touched items, some at a time.
    pub(super) fn by_item(
        &self,
        candidates: &Columns<'_, T>,
        touched: &[u32],
        buffers: &Buffers<T>,
        gradient: &mut RowGradients<T>,
    ) {
        let by_item = &self.lists.positives.by_item;
        gradient.reset(
            &merged(touched, by_item),
            self.items.stride(),
            self.items.bias_slice().is_some(),
        );
        gradient.factors.fill(T::ZERO);
        gradient.biases.fill(T::ZERO);
        let stride = self.items.stride();
        let mut tasks = Vec::new();
        let (mut rest, mut columns_before, mut ranges_before) = (gradient.rows_mut(), 0, 0);
        for rows in touched.chunks(ITEMS_PER_TASK) {
            let beyond = rows[rows.len() - 1];
            let columns = columns_before..candidates.columns.partition_point(|&c| c <= beyond);
            let ranges = ranges_before..by_item.partition_point(|range| range.row <= beyond);
            (columns_before, ranges_before) = (columns.end, ranges.end);
            let (mine, others) = rest.split_at(rows.len(), stride);
            rest = others;
            tasks.push((rows, columns, &by_item[ranges], mine));
        }
        self.pool
            .map(tasks, |(rows, columns, ranges, mut gradient)| {
                // The candidates among the rows stand in a buffer of their own, because the kernel wants them side by side.
                let (mut sums, mut biases) = (
                    vec![T::ZERO; columns.len() * stride],
                    vec![T::ZERO; columns.len()],
                );
                let numbers: Vec<u32> = columns.clone().map(|column| column as u32).collect();
                self.kernel.run(ColumnSums {
                    slopes: &buffers.matrix,
                    width: candidates.width,
                    columns: &numbers,
                    others: &buffers.users,
                    stride,
                    gradient: GradientRows {
                        factors: &mut sums,
                        biases: Some(&mut biases),
                    },
                });
                let mut sums = candidates.columns[columns]
                    .iter()
                    .zip(sums.chunks_exact(stride).zip(&biases))
                    .peekable();
                let mut ranges = ranges.iter().peekable();
                for (at, &row) in rows.iter().enumerate() {
                    let sum = &mut gradient.factors[at * stride..(at + 1) * stride];
                    let mut bias = T::ZERO;
                    if let Some((_, (of_candidate, &of_bias))) =
                        sums.next_if(|(column, _)| **column == row)
                    {
                        sum.copy_from_slice(of_candidate);
                        bias = of_bias;
                    }
                    if let Some(range) = ranges.next_if(|range| range.row == row) {
                        bias += self.gather(range, buffers, sum);
                    }
                    if let Some(biases) = &mut gradient.biases {
                        biases[at] = bias;
                    }
                }
            });
    }

    /// Adds Σ g·P_u over the positives of an item; returns Σ g.
    fn gather(&self, range: &RowRange, buffers: &Buffers<T>, sum: &mut [T]) -> T {
        let Examples {
            item_order, users, ..
        } = &self.lists.positives;
        let mut bias = T::ZERO;
        for &e in &item_order[range.range()] {
            let slope = buffers.slopes[e as usize];
            lanes::add_scaled(sum, slope, self.users.row(users[e as usize] as usize));
            bias += slope;
        }
        bias
    }
}

/// The touched items, each with its positives; none for those that are candidates alone.
fn merged(touched: &[u32], by_item: &[RowRange]) -> Vec<RowRange> {
    let mut ranges = by_item.iter().peekable();
    let of = |&row: &u32| {
        let range = ranges.next_if(|range| range.row == row);
        range.copied().unwrap_or(RowRange {
            row,
            start: 0,
            end: 0,
        })
    };
    touched.iter().map(of).collect()
}
