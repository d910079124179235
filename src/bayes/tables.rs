//! How are the tables held while their posterior is found?
//!
//! ```text
//! z_u = (P_u, B_u) = θ_u + Σ_groups Σ_f w_uf·θ_f            d = n_factors + 1 numbers: the factors, then the bias
//! θ_f ~ N(m, diag 1/λ)                                      what is believed before any rating: m and λ, one a column of each table
//! ```
//!
//! A [`Block`] is one table: its rows θ, how uncertain each is, and m and λ. A [`SideTables`] is a side: the rows' own table, its feature groups, and the
//! composed rows z. Rows are padded with zeros to whole lanes.

use std::sync::Arc;

use crate::kernels::lanes::{LANES, padded};
use crate::kernels::pool::Pool;
use crate::model::{Features, Side};
use crate::random::Stream;

/// One table.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Names the streams of its draws.
    pub(super) name: String,
    /// Numbers of a row that are learnt: d, or d − 1 where the table has no biases.
    pub(super) free: usize,
    /// Numbers of a row in memory.
    pub(super) stride: usize,
    /// θ: a draw from the posterior, or its mean.
    pub(super) values: Vec<f64>,
    /// The covariance of each row, `stride`² numbers a row; empty while drawing.
    pub(super) covariances: Vec<f64>,
    /// m.
    pub(super) mean: Vec<f64>,
    /// λ.
    pub(super) precision: Vec<f64>,
    /// Rows that a rating touches. λ and m do not count the others, which are 0 in a table of the rows themselves and m in one of features.
    pub(super) touched: Vec<bool>,
}

/// Deviation of the first factors, in standard deviations of the ratings: large enough that the two sides have something to learn from each other.
const FIRST_FACTORS: f64 = 0.3;
/// Of those of a group.
const FIRST_OF_GROUPS: f64 = 0.03;
/// λ of the factors before the rows have said anything: on five-star ratings it ends between 5 and 30.
const FIRST_PRECISION: f64 = 10.0;
/// λ of the biases.
const FIRST_OF_BIASES: f64 = 5.0;

impl Block {
    fn new(name: String, shape: Shape, free: usize, touched: Vec<bool>) -> Block {
        let stride = shape.stride;
        let n_rows = touched.len();
        let mut precision = vec![FIRST_PRECISION; stride];
        precision[shape.n_factors] = FIRST_OF_BIASES;
        Block {
            name,
            free,
            stride,
            values: vec![0.0; n_rows * stride],
            covariances: vec![0.0; n_rows * shape.size()],
            mean: vec![0.0; stride],
            precision,
            touched,
        }
    }

    /// Draws the first factors of the touched rows.
    fn draw(&mut self, seed: u64, std: f64, n_factors: usize) {
        let mut stream = Stream::new(seed, &format!("bayes.{}.first", self.name));
        for (row, _) in self
            .touched
            .iter()
            .enumerate()
            .filter(|&(_, &touched)| touched)
        {
            for value in &mut self.values[row * self.stride..][..n_factors] {
                *value = std * stream.normal();
            }
        }
    }

    pub(super) fn n_rows(&self) -> usize {
        self.touched.len()
    }

    /// θ of row `r`.
    pub(super) fn row(&self, r: usize) -> &[f64] {
        &self.values[r * self.stride..][..self.stride]
    }

    /// Gives rows that no rating touches what is believed of every row.
    pub(super) fn rest(&mut self) {
        let (stride, size) = (self.stride, self.covariances.len() / self.n_rows().max(1));
        for r in (0..self.touched.len()).filter(|&r| !self.touched[r]) {
            self.values[r * stride..][..self.free].copy_from_slice(&self.mean[..self.free]);
            for a in 0..self.free {
                if let Some(variance) = self.covariances.get_mut(r * size + a * stride + a) {
                    *variance = 1.0 / self.precision[a];
                }
            }
        }
    }

    /// The first number that is not finite: its row.
    pub(super) fn first_not_finite(&self) -> Option<usize> {
        let at = self.values.iter().position(|value| !value.is_finite())?;
        Some(at / self.stride)
    }
}

/// Which rows of a side have each feature, and how much of it.
#[derive(Clone, Debug)]
pub(super) struct Members {
    /// The features of each row.
    pub(super) features: Arc<Features>,
    starts: Vec<usize>,
    rows: Vec<(u32, f64)>,
}

impl Members {
    fn new(features: &Arc<Features>, n_features: usize) -> Members {
        let entries = |row| {
            features
                .row(row)
                .map(move |(f, w)| (f as usize, row as u32, f64::from(w)))
        };
        let all = || (0..features.n_rows()).flat_map(entries);
        let mut starts = vec![0; n_features + 1];
        all().for_each(|(f, ..)| starts[f + 1] += 1);
        for f in 0..n_features {
            starts[f + 1] += starts[f];
        }
        let (mut next, mut rows) = (starts.clone(), vec![(0, 0.0); features.n_entries()]);
        for (f, row, w) in all() {
            rows[next[f]] = (row, w);
            next[f] += 1;
        }
        Members {
            features: features.clone(),
            starts,
            rows,
        }
    }

    /// (row, w) of the rows that have feature `f`, rising.
    pub(super) fn of(&self, f: usize) -> &[(u32, f64)] {
        &self.rows[self.starts[f]..self.starts[f + 1]]
    }
}

/// What all tables have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) n_factors: usize,
    pub(super) stride: usize,
    /// Whether covariances are kept.
    pub(super) covariances: bool,
}

/// Rows that are composed by one task.
const ROWS_PER_TASK: usize = 256;

impl Shape {
    pub(super) fn new(n_factors: usize, covariances: bool) -> Shape {
        Shape {
            n_factors,
            stride: padded(n_factors + 1),
            covariances,
        }
    }

    /// Where row `a` of the lower triangle of a matrix begins, when its rows are cut behind the lane of the diagonal: with eight lanes, 8 numbers of each of rows 0 to 7, then 16 of each of
    /// rows 8 to 15, and so on.
    pub(super) fn moment_row(self, a: usize) -> usize {
        let (lane, rest) = (a / LANES, a % LANES);
        LANES * (LANES * lane * (lane + 1) / 2 + rest * (lane + 1))
    }

    /// E[a·aᵀ] of a row z with this covariance (or none), a = (its factors, 1).
    fn moment(self, z: &[f64], covariance: &[f64], moment: &mut [f64]) {
        let (bias, stride) = (self.n_factors, self.stride);
        for a in 0..=bias {
            let row = &mut moment[self.moment_row(a)..][..a + 1];
            let scale = if a == bias { 1.0 } else { z[a] };
            for (to, z) in row.iter_mut().zip(z) {
                *to = scale * z;
            }
            if a == bias {
                row[bias] = 1.0;
            } else if !covariance.is_empty() {
                add_scaled(row, 1.0, &covariance[a * stride..][..a + 1]);
            }
        }
    }

    /// Numbers of a row's covariance in memory.
    pub(super) fn size(self) -> usize {
        if self.covariances {
            self.stride * self.stride
        } else {
            0
        }
    }
}

/// Bytes that a row takes while its posterior is found: θ and its covariance, those of z, the moment.
pub(crate) fn bytes_of_a_row(n_factors: usize) -> usize {
    let shape = Shape::new(n_factors, true);
    size_of::<f64>() * (2 * (shape.stride + shape.size()) + shape.moment_row(shape.stride))
}

/// One side.
#[derive(Clone, Debug)]
pub(super) struct SideTables {
    pub(super) shape: Shape,
    pub(super) own: Block,
    pub(super) groups: Vec<(Block, Members)>,
    composed: Vec<f64>,
    composed_covariances: Vec<f64>,
    moments: Vec<f64>,
}

impl SideTables {
    /// First values for the tables of `side`, called `name`; `counts` says how many ratings touch each row.
    pub(super) fn new<T>(
        name: &str,
        shape: Shape,
        side: &Side<T>,
        counts: &[u32],
        seed: u64,
        pool: &Pool,
    ) -> SideTables
    where
        T: crate::kernels::Real,
    {
        let touched: Vec<bool> = counts.iter().map(|&count| count > 0).collect();
        let groups = side.groups.iter().map(|group| {
            let n_features = group.table.n_rows();
            let members = Members::new(&group.features, n_features);
            let has_rating = |f| {
                members
                    .of(f)
                    .iter()
                    .any(|&(row, w)| w != 0.0 && touched[row as usize])
            };
            let touched = (0..n_features).map(has_rating).collect();
            let free = shape.n_factors + usize::from(group.table.bias_slice().is_some());
            let mut block = Block::new(format!("{name}.{}", group.name), shape, free, touched);
            block.draw(seed, FIRST_OF_GROUPS, shape.n_factors);
            (block, members)
        });
        let groups: Vec<_> = groups.collect();
        let mut own = Block::new(name.to_owned(), shape, shape.n_factors + 1, touched.clone());
        own.draw(seed, FIRST_FACTORS, shape.n_factors);
        let mut side = SideTables {
            shape,
            own,
            groups,
            composed: Vec::new(),
            composed_covariances: Vec::new(),
            moments: Vec::new(),
        };
        side.compose(pool);
        side
    }

    /// z of every row. A side without groups lends its own table.
    pub(super) fn composed(&self) -> &[f64] {
        match self.groups.is_empty() {
            true => &self.own.values,
            false => &self.composed,
        }
    }

    /// The covariance of every z; empty while drawing. Tables are held independent of each other.
    pub(super) fn covariances(&self) -> &[f64] {
        match self.groups.is_empty() {
            true => &self.own.covariances,
            false => &self.composed_covariances,
        }
    }

    /// z of row `r`.
    pub(super) fn row(&self, r: usize) -> &[f64] {
        &self.composed()[r * self.shape.stride..][..self.shape.stride]
    }

    /// The covariance of z of row `r`, in rows of `stride` numbers; empty while drawing.
    pub(super) fn covariance(&self, r: usize) -> &[f64] {
        let size = self.shape.stride * self.shape.stride;
        match self.shape.covariances {
            true => &self.covariances()[r * size..][..size],
            false => &[],
        }
    }

    /// E[a·aᵀ] of row `r` with a = (its factors, 1): what a rating says of the rows of the other side. The lower triangle, in whole lanes: see [`Shape::moment_row`].
    pub(super) fn moment(&self, r: usize) -> &[f64] {
        let size = self.shape.moment_row(self.shape.stride);
        &self.moments[r * size..][..size]
    }

    /// Composes every row anew: z = θ + Σ w·θ_f, the covariances θ's + Σ w²·θ_f's; and finds the moments.
    pub(super) fn compose(&mut self, pool: &Pool) {
        if !self.groups.is_empty() {
            self.add_up(pool);
        }
        let shape = self.shape;
        let starts = (0..self.own.n_rows()).step_by(ROWS_PER_TASK).collect();
        let parts = pool.map(starts, |start: usize| {
            let rows = start..(start + ROWS_PER_TASK).min(self.own.n_rows());
            let mut moments = vec![0.0; rows.len() * shape.moment_row(shape.stride)];
            for (row, moment) in rows.zip(moments.chunks_exact_mut(shape.moment_row(shape.stride)))
            {
                shape.moment(self.row(row), self.covariance(row), moment);
            }
            moments
        });
        self.moments.clear();
        parts
            .iter()
            .for_each(|part| self.moments.extend_from_slice(part));
    }

    /// The sums of the tables.
    fn add_up(&mut self, pool: &Pool) {
        let (stride, size) = (self.shape.stride, self.shape.size());
        let (own, groups) = (&self.own, &self.groups);
        let starts = (0..own.n_rows()).step_by(ROWS_PER_TASK).collect();
        let parts = pool.map(starts, |start: usize| {
            let rows = start..(start + ROWS_PER_TASK).min(own.n_rows());
            let mut z = own.values[rows.start * stride..rows.end * stride].to_vec();
            let mut covariances = own.covariances[rows.start * size..rows.end * size].to_vec();
            for (block, members) in groups {
                for (n, row) in rows.clone().enumerate() {
                    let z = &mut z[n * stride..][..stride];
                    let covariance = &mut covariances[n * size..][..size];
                    for (f, w) in members.features.row(row) {
                        let (f, w) = (f as usize, f64::from(w));
                        add_scaled(z, w, block.row(f));
                        add_scaled(covariance, w * w, &block.covariances[f * size..][..size]);
                    }
                }
            }
            (z, covariances)
        });
        self.composed.clear();
        self.composed_covariances.clear();
        for (z, covariances) in parts {
            self.composed.extend(z);
            self.composed_covariances.extend(covariances);
        }
    }

    /// All tables, the rows' own first.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block> {
        std::iter::once(&self.own).chain(self.groups.iter().map(|(block, _)| block))
    }

    /// [`blocks`](SideTables::blocks), to be changed.
    pub(super) fn blocks_mut(&mut self) -> impl Iterator<Item = &mut Block> {
        std::iter::once(&mut self.own).chain(self.groups.iter_mut().map(|(block, _)| block))
    }
}

/// y ← y + α·x.
pub(super) fn add_scaled(y: &mut [f64], alpha: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += alpha * x;
    }
}
