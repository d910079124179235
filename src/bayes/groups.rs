//! How are the features of a group found, when one changes what the others have to explain?
//!
//! One after the other, each for the rows as the ones before have left them: ρ_u = g_u − G_u·z_u is what row u leaves unexplained, and
//!
//! ```text
//! b_f = diag λ·m + τ·(Σ_u w·ρ_u + (Σ_u w²·G_u)·θ_f)
//! ρ_u ← ρ_u − w·G_u·(θ_f' − θ_f)                                when θ_f' has been found
//! ```
//!
//! The matrices Σ w²·G do not change meanwhile and are summed in parallel, some features ahead.

use super::statistics::Statistics;
use super::tables::{Block, Members, add_scaled};
use super::update::{Solver, Sweep};
use crate::kernels::lanes::{lanes_of, lanes_of_mut};
use crate::kernels::{Job, Lanes};

/// Features whose matrices are summed ahead.
const AHEAD: usize = 64;

/// Finds all rows of a group anew; `left` is ρ of every row of the side.
pub(super) fn update(
    sweep: &Sweep<'_>,
    block: &mut Block,
    members: &Members,
    statistics: &[Statistics],
    left: &mut [Vec<f64>],
) {
    let stride = block.stride;
    block.rest();
    let touched: Vec<usize> = (0..block.n_rows()).filter(|&f| block.touched[f]).collect();
    let mut solver = Solver::new(sweep, stride);
    let size = block.covariances.len() / block.n_rows().max(1);
    let (mut values, mut covariance) = (vec![0.0; stride], vec![0.0; size]);
    for features in touched.chunks(AHEAD) {
        let matrices = sweep.pool.map(features.to_vec(), |f| {
            sweep.kernel.run(SumOfMatrices {
                rows: members.of(f),
                statistics,
            })
        });
        for (&f, matrix) in features.iter().zip(matrices) {
            let before = block.row(f);
            solver.vector.fill(0.0);
            for &(row, w) in members.of(f) {
                add_scaled(&mut solver.vector, w, &left[row as usize]);
            }
            for (a, &x) in before.iter().enumerate() {
                add_scaled(&mut solver.vector, x, &matrix[a * stride..][..stride]);
            }
            solver.matrix = matrix;
            solver.find(block, f, &mut values, &mut covariance);
            let change: Vec<f64> = values
                .iter()
                .zip(before)
                .map(|(new, old)| new - old)
                .collect();
            sweep.kernel.run(Explain {
                rows: members.of(f),
                change: &change,
                statistics,
                left,
            });
            block.values[f * stride..][..stride].copy_from_slice(&values);
            block.covariances[f * size..][..size].copy_from_slice(&covariance);
        }
    }
}

/// Σ w²·G of some rows.
struct SumOfMatrices<'a> {
    rows: &'a [(u32, f64)],
    statistics: &'a [Statistics],
}

impl Job for SumOfMatrices<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Vec<f64> {
        let size = self
            .statistics
            .first()
            .map_or(0, |statistics| statistics.matrix.len());
        let mut sum = vec![0.0; size];
        for &(row, w) in self.rows {
            let matrix = &self.statistics[row as usize].matrix;
            lanes.add_scaled(lanes_of_mut(&mut sum), w * w, lanes_of(matrix));
        }
        sum
    }
}

/// ρ ← ρ − w·G·change, of some rows.
struct Explain<'a> {
    rows: &'a [(u32, f64)],
    change: &'a [f64],
    statistics: &'a [Statistics],
    left: &'a mut [Vec<f64>],
}

impl Job for Explain<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let stride = self.change.len();
        for &(row, w) in self.rows {
            let matrix = &self.statistics[row as usize].matrix;
            let left = lanes_of_mut(&mut self.left[row as usize]);
            for (a, &change) in self.change.iter().enumerate() {
                lanes.add_scaled(left, -w * change, lanes_of(&matrix[a * stride..][..stride]));
            }
        }
    }
}
