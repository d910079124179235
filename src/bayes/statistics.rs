//! What do a row's ratings say of it?
//!
//! With the other side held fixed, a rating is linear in the row: r − μ − B_i = ⟨a_i, z_u⟩ + noise with a_i = (Q_i, 1). All that the ratings of row u say of it is
//!
//! ```text
//! G_u = Σ_i c·E[a_i·a_iᵀ]               = Σ_i c·(a_i·a_iᵀ + S_i)                  d × d
//! g_u = Σ_i c·E[(r − μ − B_i)·a_i]      = Σ_i c·((r − μ − B_i)·a_i − s_i)         d
//! y_u = Σ_i c·E[(r − μ − B_i)²]         = Σ_i c·((r − μ − B_i)² + σ_i²)           one number
//! ```
//!
//! S_i, s_i and σ_i² are the covariance of Q_i, that of Q_i with B_i, and the variance of B_i; all 0 where the other side is a draw. And what a row leaves unexplained is, in the mean,
//!
//! ```text
//! Σ_i c·E[(r − ŷ)²] = y_u − 2·⟨g_u, z_u⟩ + z_uᵀ·G_u·z_u + trace(G_u·Cov z_u)
//! ```

use std::ops::Range;

use super::tables::SideTables;
use crate::data::Interactions;
use crate::kernels::lanes::{lanes_of, lanes_of_mut};
use crate::kernels::{Job, Lanes};

/// The ratings of each row of a side, in the order of the data.
#[derive(Debug)]
pub(super) struct RatingsOf {
    starts: Vec<usize>,
    others: Vec<u32>,
    targets: Vec<f64>,
    weights: Option<Vec<f64>>,
}

/// Ratings of a task, about; rows of a task, at most. By the data alone.
const RATINGS_PER_TASK: usize = 4096;
const ROWS_PER_TASK: usize = 1024;

impl RatingsOf {
    /// Each of `n_rows` rows with its ratings: `rows` says whose a rating is, `others` the row of the other side, `target` what stands for the number.
    pub(super) fn rows(
        n_rows: usize,
        rows: &[u32],
        others: &[u32],
        ratings: &Interactions,
        target: impl Fn(f32) -> f64,
    ) -> RatingsOf {
        let mut starts = vec![0; n_rows + 1];
        for &row in rows {
            starts[row as usize + 1] += 1;
        }
        for r in 0..n_rows {
            starts[r + 1] += starts[r];
        }
        let mut next = starts.clone();
        let mut places = vec![0; rows.len()];
        for (n, &row) in rows.iter().enumerate() {
            places[next[row as usize]] = n;
            next[row as usize] += 1;
        }
        RatingsOf {
            starts,
            others: places.iter().map(|&n| others[n]).collect(),
            targets: places.iter().map(|&n| target(ratings.ratings[n])).collect(),
            weights: ratings
                .weights
                .as_ref()
                .map(|weights| places.iter().map(|&n| f64::from(weights[n])).collect()),
        }
    }

    /// The rows, cut into tasks.
    pub(super) fn tasks(&self) -> Vec<Range<usize>> {
        let (mut tasks, mut first, n_rows) = (Vec::new(), 0, self.starts.len() - 1);
        for end in 1..=n_rows {
            let ratings = self.starts[end] - self.starts[first];
            if ratings >= RATINGS_PER_TASK || end - first >= ROWS_PER_TASK || end == n_rows {
                tasks.push(first..end);
                first = end;
            }
        }
        tasks
    }
}

/// What the ratings of one row say.
#[derive(Clone, Debug)]
pub(super) struct Statistics {
    /// G, in rows of `stride` numbers.
    pub(super) matrix: Vec<f64>,
    /// g.
    pub(super) vector: Vec<f64>,
    /// y.
    pub(super) squares: f64,
}

impl Statistics {
    pub(super) fn new(stride: usize) -> Statistics {
        Statistics {
            matrix: vec![0.0; stride * stride],
            vector: vec![0.0; stride],
            squares: 0.0,
        }
    }

    /// Σ c·E[(r − ŷ)²] of a row with this z and covariance.
    pub(super) fn unexplained(&self, z: &[f64], covariance: &[f64]) -> f64 {
        let stride = z.len();
        let mut sum = self.squares;
        for a in 0..stride {
            let row = &self.matrix[a * stride..][..stride];
            let product: f64 = row.iter().zip(z).map(|(g, z)| g * z).sum();
            sum += z[a] * (product - 2.0 * self.vector[a]);
        }
        let trace = self.matrix.iter().zip(covariance).map(|(g, s)| g * s);
        sum + trace.sum::<f64>()
    }
}

/// Finds the statistics of a row.
pub(super) struct Gather<'a> {
    pub(super) row: usize,
    pub(super) ratings: &'a RatingsOf,
    /// The other side.
    pub(super) other: &'a SideTables,
    /// Where they go.
    pub(super) into: &'a mut Statistics,
}

impl Job for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Gather {
            row,
            ratings,
            other,
            into,
        } = self;
        let (stride, bias) = (other.shape.stride, other.shape.n_factors);
        let (composed, covariances) = (other.composed(), other.covariances());
        let Statistics {
            matrix,
            vector,
            squares,
        } = into;
        matrix.fill(0.0);
        vector.fill(0.0);
        *squares = 0.0;
        let mut total = 0.0;
        let shape = other.shape;
        let mut sum = vec![0.0; shape.moment_row(stride)];
        for n in ratings.starts[row]..ratings.starts[row + 1] {
            let i = ratings.others[n] as usize;
            let c = ratings.weights.as_ref().map_or(1.0, |weights| weights[n]);
            let z = &composed[i * stride..][..stride];
            let y = ratings.targets[n] - z[bias];
            *squares += c * y * y;
            // The number in the place of the bias should have been a 1; that is mended below.
            lanes.add_scaled(lanes_of_mut(vector), c * y, lanes_of(z));
            total += c * y;
            lanes.add_scaled(lanes_of_mut(&mut sum), c, lanes_of(other.moment(i)));
            if !covariances.is_empty() {
                let with_bias = &covariances[i * stride * stride + bias * stride..][..stride];
                for (g, s) in vector[..bias].iter_mut().zip(with_bias) {
                    *g -= c * s;
                }
                *squares += c * with_bias[bias];
            }
        }
        vector[bias] = total;
        for a in 0..=bias {
            let row = &sum[shape.moment_row(a)..][..a + 1];
            for (b, &x) in row.iter().enumerate() {
                matrix[a * stride + b] = x;
                matrix[b * stride + a] = x;
            }
        }
    }
}
