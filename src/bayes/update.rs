//! What is believed of a table, given its ratings and all other tables?
//!
//! ```text
//! M_f = diag λ + τ Σ_u w_uf²·G_u                                    the precision; for a row of the side itself the sum has one term, w = 1
//! b_f = diag λ·m + τ Σ_u w_uf·(g_u − G_u·(z_u − w_uf·θ_f))          what is left for it to explain
//! θ_f | everything else  ~  N(M⁻¹·b, M⁻¹)
//! ```
//!
//! A sampler draws from that (block Gibbs: a row at once); the variational posterior takes its mean and covariance, which is the best that independent rows can do. Rows of the side do
//! not touch each other and are found in parallel; features do, and are found one after the other.
//!
//! Sources: Salakhutdinov and Mnih, *Bayesian Probabilistic Matrix Factorization using MCMC* (2008), equations 11 to 13; Lim and Teh, *Variational Bayesian Approach to Movie Rating Prediction* (2007).

use std::ops::Range;

use super::groups;
use super::statistics::{Gather, RatingsOf, Statistics};
use super::tables::{Block, SideTables, add_scaled};
use crate::kernels::Kernel;
use crate::kernels::pool::Pool;
use crate::linalg::Cholesky;
use crate::random::Stream;

/// What is taken of a posterior.
#[derive(Clone, Copy, Debug)]
pub(super) enum Take {
    /// Its mean and covariance.
    Mean,
    /// A draw, in the sweep of this number.
    Draw {
        /// All streams follow from it.
        seed: u64,
        /// Its number.
        sweep: usize,
    },
}

impl Take {
    /// The stream of a draw.
    pub(super) fn stream(self, name: std::fmt::Arguments<'_>) -> Option<Stream> {
        match self {
            Take::Mean => None,
            Take::Draw { seed, sweep } => Some(Stream::new(seed, &format!("bayes.{sweep}.{name}"))),
        }
    }
}

/// What all tables of a side share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sweep<'a> {
    pub(super) take: Take,
    /// τ, the precision of the noise.
    pub(super) noise: f64,
    pub(super) kernel: Kernel,
    pub(super) pool: &'a Pool,
}

/// Finds all tables of `side` anew, groups first. Returns Σ c·E[(r − ŷ)²] of all ratings afterwards.
pub(super) fn side(
    sweep: &Sweep<'_>,
    side: &mut SideTables,
    other: &SideTables,
    ratings: &RatingsOf,
) -> f64 {
    let gather = |row: usize, into: &mut Statistics| {
        sweep.kernel.run(Gather {
            row,
            ratings,
            other,
            into,
        });
    };
    match side.groups.is_empty() {
        true => alone(sweep, side, ratings.tasks(), &gather),
        false => with_groups(sweep, side, ratings.tasks(), &gather),
    }
}

/// Finds the statistics of a row.
type Gathers<'g> = dyn Fn(usize, &mut Statistics) + Sync + 'g;

/// Rows without features: a row's statistics are used at once and forgotten.
fn alone(
    sweep: &Sweep<'_>,
    side: &mut SideTables,
    tasks: Vec<Range<usize>>,
    gather: &Gathers<'_>,
) -> f64 {
    let parts = sweep.pool.map(tasks.clone(), |rows| {
        let mut statistics = Statistics::new(side.shape.stride);
        let mut found = Found::new(side, rows.len(), sweep);
        for row in rows {
            gather(row, &mut statistics);
            found.row(&side.own, row, &statistics.matrix, &statistics.vector);
            found.squares += statistics.unexplained(found.last_values(), found.last_covariance());
        }
        found
    });
    let squares = parts.iter().map(|found| found.squares).sum();
    place(&mut side.own, &tasks, parts);
    side.compose(sweep.pool);
    squares
}

/// Rows with features: each feature of a row looks at its statistics, then the row itself, then the sum of squares. They are kept.
fn with_groups(
    sweep: &Sweep<'_>,
    side: &mut SideTables,
    tasks: Vec<Range<usize>>,
    gather: &Gathers<'_>,
) -> f64 {
    let kept = sweep.pool.map(tasks.clone(), |rows| {
        let of_row = |row| {
            let mut statistics = Statistics::new(side.shape.stride);
            gather(row, &mut statistics);
            let left = without(&statistics.vector, &statistics.matrix, 1.0, side.row(row));
            (statistics, left)
        };
        rows.map(of_row).collect::<Vec<_>>()
    });
    let (statistics, mut left): (Vec<_>, Vec<_>) = kept.into_iter().flatten().unzip();
    for (block, members) in &mut side.groups {
        groups::update(sweep, block, members, &statistics, &mut left);
    }
    let own = &side.own;
    let parts = sweep.pool.map(tasks.clone(), |rows| {
        let mut found = Found::new(side, rows.len(), sweep);
        for row in rows {
            let matrix = &statistics[row].matrix;
            let vector = without(&left[row], matrix, -1.0, own.row(row));
            found.row(own, row, matrix, &vector);
        }
        found
    });
    place(&mut side.own, &tasks, parts);
    side.compose(sweep.pool);
    let squares = sweep.pool.map(tasks, |rows| {
        let of = |row: usize| statistics[row].unexplained(side.row(row), side.covariance(row));
        rows.map(of).sum::<f64>()
    });
    squares.into_iter().sum()
}

/// v − α·A·x; A is symmetric.
fn without(vector: &[f64], matrix: &[f64], alpha: f64, x: &[f64]) -> Vec<f64> {
    let mut left = vector.to_vec();
    for (a, &x) in x.iter().enumerate() {
        add_scaled(
            &mut left,
            -alpha * x,
            &matrix[a * vector.len()..][..vector.len()],
        );
    }
    left
}

/// Rows of a task that were found, one after the other.
struct Found<'a> {
    values: Vec<f64>,
    covariances: Vec<f64>,
    squares: f64,
    solver: Solver<'a>,
    stride: usize,
    size: usize,
}

impl<'a> Found<'a> {
    fn new(side: &SideTables, rows: usize, sweep: &'a Sweep<'a>) -> Found<'a> {
        let stride = side.shape.stride;
        let size = side.shape.size();
        Found {
            values: Vec::with_capacity(rows * stride),
            covariances: Vec::with_capacity(rows * size),
            squares: 0.0,
            solver: Solver::new(sweep, stride),
            stride,
            size,
        }
    }

    /// Finds a row of a side's own table, from G and what is left for it to explain; one without ratings stays 0.
    fn row(&mut self, own: &Block, row: usize, matrix: &[f64], vector: &[f64]) {
        let (start, first) = (self.values.len(), self.covariances.len());
        self.values.resize(start + self.stride, 0.0);
        self.covariances.resize(first + self.size, 0.0);
        if own.touched[row] {
            let solver = &mut self.solver;
            solver.matrix.copy_from_slice(matrix);
            solver.vector.copy_from_slice(vector);
            solver.find(
                own,
                row,
                &mut self.values[start..],
                &mut self.covariances[first..],
            );
        }
    }

    fn last_values(&self) -> &[f64] {
        &self.values[self.values.len() - self.stride..]
    }

    fn last_covariance(&self) -> &[f64] {
        &self.covariances[self.covariances.len() - self.size..]
    }
}

fn place(block: &mut Block, tasks: &[Range<usize>], parts: Vec<Found<'_>>) {
    let size = block.covariances.len() / block.n_rows().max(1);
    for (rows, part) in tasks.iter().zip(parts) {
        block.values[rows.start * block.stride..rows.end * block.stride]
            .copy_from_slice(&part.values);
        block.covariances[rows.start * size..rows.end * size].copy_from_slice(&part.covariances);
    }
}

/// Room to find one row after another.
pub(super) struct Solver<'a> {
    sweep: &'a Sweep<'a>,
    factor: Cholesky,
    /// Σ w²·G going in.
    pub(super) matrix: Vec<f64>,
    /// Σ w·(g − G·(z − w·θ)) going in.
    pub(super) vector: Vec<f64>,
}

impl<'a> Solver<'a> {
    pub(super) fn new(sweep: &'a Sweep<'a>, stride: usize) -> Solver<'a> {
        Solver {
            sweep,
            factor: Cholesky::new(stride),
            matrix: vec![0.0; stride * stride],
            vector: vec![0.0; stride],
        }
    }

    /// Finds row `row` of `block` from the two sums, which are used up. NaN where numbers have run away.
    pub(super) fn find(
        &mut self,
        block: &Block,
        row: usize,
        values: &mut [f64],
        covariance: &mut [f64],
    ) {
        let (stride, free, noise) = (block.stride, block.free, self.sweep.noise);
        self.matrix.iter_mut().for_each(|x| *x *= noise);
        for (a, value) in values[..free].iter_mut().enumerate() {
            let precision = block.precision[a];
            self.matrix[a * stride + a] += precision;
            *value = noise * self.vector[a] + precision * block.mean[a];
        }
        values[free..].fill(0.0);
        let values = &mut values[..free];
        if !self.factor.factorize(free, stride, &self.matrix) {
            values.fill(f64::NAN);
            return;
        }
        match self.sweep.take.stream(format_args!("{}.{row}", block.name)) {
            None => {
                self.factor.solve(values);
                covariance.fill(0.0);
                self.factor.inverse(stride, covariance);
            }
            Some(mut stream) => {
                self.factor.solve_lower(values);
                values
                    .iter_mut()
                    .for_each(|value| *value += stream.normal());
                self.factor.solve_upper(values);
            }
        }
    }
}
