//! Steps 3 and 4: how does the gradient of a composed row reach the tables, and what does the penalty add?
//!
//! Only touched rows are held, one after the other. Features are summed in the rising order of the rows that have them.

use super::{L2Scale, SidePenalty, TablePenalty};
use crate::kernels::rows::{GradientRows, RowRange};
use crate::kernels::{Real, lanes};
use crate::model::Side;

/// The gradient of a table, in the rows that the examples touch; it is zero in all others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowGradients<T> {
    /// The touched rows, rising.
    pub rows: Vec<u32>,
    /// How many examples of the batch touch each of them.
    pub n_examples: Vec<u32>,
    /// One gradient row each, padded like the table's.
    pub factors: Vec<T>,
    /// One bias gradient each; empty where the table has no biases.
    pub biases: Vec<T>,
}

/// The gradient of one side: of its identity table, and of each group's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SideGradient<T> {
    /// The gradient of the identity table.
    pub identity: RowGradients<T>,
    /// The gradients of the groups' tables.
    pub groups: Vec<RowGradients<T>>,
}

impl<T: Real> SideGradient<T> {
    /// The gradient of every table: the identity's, then the groups'.
    pub fn tables(&self) -> impl Iterator<Item = &RowGradients<T>> {
        std::iter::once(&self.identity).chain(&self.groups)
    }

    /// Step 3: hands the gradient of the composed rows (which is the identity table's) on to the groups.
    pub(super) fn backprop(&mut self, side: &Side<T>) {
        self.groups
            .resize_with(side.groups.len(), RowGradients::default);
        let composed = &self.identity;
        let stride = side.identity.stride();
        for (group, gradient) in side.groups.iter().zip(&mut self.groups) {
            let mut place = vec![u32::MAX; group.table.n_rows()];
            let with_biases = group.table.bias_slice().is_some();
            gradient.start(
                composed
                    .rows
                    .iter()
                    .flat_map(|&r| group.features.row(r as usize))
                    .filter(|&(_, w)| w != 0.0),
                &mut place,
                stride,
                with_biases,
            );
            for (n, &r) in composed.rows.iter().enumerate() {
                for (f, weight) in group.features.row(r as usize).filter(|&(_, w)| w != 0.0) {
                    let (at, weight) = (place[f as usize] as usize, T::from_f32(weight));
                    gradient.n_examples[at] += composed.n_examples[n];
                    lanes::add_scaled(
                        &mut gradient.factors[at * stride..(at + 1) * stride],
                        weight,
                        &composed.factors[n * stride..(n + 1) * stride],
                    );
                    if with_biases {
                        gradient.biases[at] += weight * composed.biases[n];
                    }
                }
            }
        }
        if side.identity.bias_slice().is_none() {
            self.identity.biases.clear();
        }
    }

    /// Step 4: adds the penalty's gradient to every touched row.
    pub(super) fn add_penalty(
        &mut self,
        side: &Side<T>,
        penalty: &SidePenalty,
        scale: L2Scale,
        batch: usize,
    ) {
        let gradients = std::iter::once(&mut self.identity).chain(&mut self.groups);
        for (((gradient, table), lambda), counts) in gradients
            .zip(side.tables())
            .zip(&penalty.tables)
            .zip(&penalty.counts)
        {
            if *lambda == TablePenalty::default() {
                continue;
            }
            let stride = table.stride();
            let touched = |at: &usize| gradient.n_examples[*at] > 0;
            for at in (0..gradient.rows.len()).filter(touched) {
                let row = gradient.rows[at] as usize;
                let share = match scale {
                    L2Scale::Row => 1.0 / f64::from(counts[row]),
                    L2Scale::Rating => 1.0,
                };
                let times = 2.0 * f64::from(gradient.n_examples[at]) / batch as f64 * share;
                let factors = &mut gradient.factors[at * stride..(at + 1) * stride];
                lanes::add_scaled(factors, T::from_f64(times * lambda.factors), table.row(row));
                if let (Some(bias), Some(of_table)) =
                    (gradient.biases.get_mut(at), table.bias_slice())
                {
                    *bias += T::from_f64(times * lambda.biases) * of_table[row];
                }
            }
        }
    }
}

impl<T: Real> RowGradients<T> {
    /// Zeros for the rows of `ranges`.
    pub(super) fn reset(&mut self, ranges: &[RowRange], stride: usize, with_biases: bool) {
        self.rows.clear();
        self.rows.extend(ranges.iter().map(|range| range.row));
        self.n_examples.clear();
        self.n_examples
            .extend(ranges.iter().map(|range| range.n_examples() as u32));
        self.factors.resize(ranges.len() * stride, T::ZERO);
        self.biases
            .resize(if with_biases { ranges.len() } else { 0 }, T::ZERO);
    }

    /// Zeros for the features that occur in `entries`; `place[f]` becomes the place of feature f.
    fn start(
        &mut self,
        entries: impl Iterator<Item = (u32, f32)>,
        place: &mut [u32],
        stride: usize,
        with_biases: bool,
    ) {
        for (f, _) in entries {
            place[f as usize] = 0;
        }
        self.rows.clear();
        for (f, place) in place
            .iter_mut()
            .enumerate()
            .filter(|(_, place)| **place == 0)
        {
            *place = self.rows.len() as u32;
            self.rows.push(f as u32);
        }
        let n_rows = self.rows.len();
        self.n_examples.clear();
        self.n_examples.resize(n_rows, 0);
        self.factors.clear();
        self.factors.resize(n_rows * stride, T::ZERO);
        self.biases.clear();
        self.biases
            .resize(if with_biases { n_rows } else { 0 }, T::ZERO);
    }

    /// The rows, to be filled.
    pub(super) fn rows_mut(&mut self) -> GradientRows<'_, T> {
        GradientRows {
            factors: &mut self.factors,
            biases: (!self.biases.is_empty()).then_some(&mut self.biases),
        }
    }
}
