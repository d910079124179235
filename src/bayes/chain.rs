//! In which order is all of it done, and how wrong is it?
//!
//! ```text
//! a sweep:   users' tables | items' tables | m and λ of every table | τ
//! ```

use super::priors;
use super::statistics::RatingsOf;
use super::tables::{Shape, SideTables};
use super::update::{self, Sweep, Take};
use crate::data::{Dataset, Interactions};
use crate::kernels::Kernel;
use crate::kernels::pool::Pool;
use crate::model::Parameters;
use crate::training::config::Method;

/// Sweeps before m and λ are found anew: rows that have not yet learnt from each other would look as if there were nothing to learn.
const SETTLING: usize = 5;

/// The tables of both sides, and the noise.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) users: SideTables,
    pub(super) items: SideTables,
    /// τ.
    pub(super) noise: f64,
    /// Sweeps done.
    pub(super) sweeps: usize,
    /// Sweeps before m and λ are found anew.
    settling: usize,
    pub(super) units: Units,
    method: Method,
    seed: u64,
    by_user: RatingsOf,
    by_item: RatingsOf,
    /// Ratings that count.
    n_ratings: f64,
}

/// From ratings to the numbers of the chain, and back: (r − mean)/width.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    pub(super) mean: f64,
    pub(super) width: f64,
}

impl Units {
    /// The mean and the standard deviation of the ratings.
    fn of(ratings: &Interactions) -> Units {
        let mean = ratings.mean();
        let variance = ratings.squares_around(mean) / ratings.len() as f64;
        let width = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        Units { mean, width }
    }
}

impl Chain {
    /// The chain at its start. `parameters` give the shapes.
    pub(super) fn new(
        data: &Dataset,
        parameters: &Parameters<f32>,
        method: Method,
        seed: u64,
        counts: [&[u32]; 2],
        pool: &Pool,
    ) -> Chain {
        let ratings = &data.interactions;
        let shape = Shape::new(
            parameters.users.identity.n_factors(),
            method == Method::Variational,
        );
        let units = Units::of(ratings);
        let target = |r: f32| (f64::from(r) - units.mean) / units.width;
        let counting = ratings
            .weights
            .as_ref()
            .map(|weights| weights.iter().filter(|&&c| c > 0.0).count());
        let (users, items) = (&ratings.users, &ratings.items);
        Chain {
            users: SideTables::new("user", shape, &parameters.users, counts[0], seed, pool),
            items: SideTables::new("item", shape, &parameters.items, counts[1], seed, pool),
            noise: 1.0,
            sweeps: 0,
            settling: SETTLING,
            by_user: RatingsOf::rows(data.n_users(), users, items, ratings, target),
            by_item: RatingsOf::rows(data.n_items(), items, users, ratings, target),
            n_ratings: counting.unwrap_or(ratings.len()) as f64,
            units,
            method,
            seed,
        }
    }

    /// The rows have learnt from each other before.
    pub(super) fn settled(&mut self) {
        self.settling = 0;
    }

    /// One sweep. Returns (1/N) Σ c·E[(r − ŷ)²] in squared units of the ratings, after it.
    pub(super) fn sweep(&mut self, kernel: Kernel, pool: &Pool) -> f64 {
        let take = match self.method {
            Method::Samples(_) => Take::Draw {
                seed: self.seed,
                sweep: self.sweeps,
            },
            _ => Take::Mean,
        };
        let sweep = Sweep {
            take,
            noise: self.noise,
            kernel,
            pool,
        };
        update::side(&sweep, &mut self.users, &self.items, &self.by_user);
        let squares = update::side(&sweep, &mut self.items, &self.users, &self.by_item);
        if self.sweeps >= self.settling {
            for side in [&mut self.users, &mut self.items] {
                side.blocks_mut()
                    .for_each(|block| priors::update(block, take));
            }
        }
        self.noise = priors::noise(squares, self.n_ratings, take);
        self.sweeps += 1;
        squares / self.n_ratings * self.units.width * self.units.width
    }

    /// The score of a pair, in units of the ratings; what is believed of a stranger is the mean of its side.
    pub(super) fn score(&self, user: u32, item: u32) -> f64 {
        let n_factors = self.users.shape.n_factors;
        let (z, w) = (expected(&self.users, user), expected(&self.items, item));
        let product: f64 = z[..n_factors].iter().zip(&w).map(|(p, q)| p * q).sum();
        self.units.mean + self.units.width * (z[n_factors] + w[n_factors] + product)
    }
}

/// z of a row, with m for the part that no rating has touched.
fn expected(side: &SideTables, row: u32) -> Vec<f64> {
    let row = row as usize;
    if row >= side.own.n_rows() {
        return side.own.mean.clone();
    }
    let mut z = side.row(row).to_vec();
    if !side.own.touched[row] {
        z.iter_mut().zip(&side.own.mean).for_each(|(z, m)| *z += m);
    }
    z
}
