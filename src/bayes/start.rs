//! Where does a chain start that need not start from nothing?
//!
//! At the means and variances of a posterior that was found before, of fewer or other ratings: the tables are where its model has them, λ, the noise and the variances of the rows too. Sweeps go on from there, and nothing has to
//! settle first.
//!
//! ```text
//! θ_factors = row/√width     θ_bias = bias/width     λ = width/v (of biases width²/v)     τ = width²/noise²        width: the deviation of the ratings now
//! ```
//!
//! The model keeps one variance a number of each composed row. Here it stands in the row's own table; the first sweep finds what belongs to features.

use super::chain::Chain;
use super::tables::{Block, SideTables};
use crate::data::Ids;
use crate::kernels::pool::Pool;
use crate::model::{Model, ModelSide, Parameters, Rows, Side, Spread};

/// What a model believes, with its rows in the order of the data.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// μ.
    mean: Option<f64>,
    /// What a posterior adds; `None` of a model of one set of tables.
    belief: Option<Belief>,
}

#[derive(Clone, Debug)]
struct Belief {
    /// The deviation of a rating around its score.
    noise: f64,
    users: Variances,
    items: Variances,
}

/// Of one side, factors then the bias.
#[derive(Clone, Debug)]
struct Variances {
    /// Of each row; empty of one that the model has not.
    rows: Vec<Vec<f32>>,
    prior: Vec<f32>,
}

impl Start {
    /// From a model whose posterior, if it has one, is of variances.
    pub(super) fn new(model: &Model, users: &Ids, items: &Ids) -> Start {
        let belief = model.posterior().and_then(|posterior| {
            let Spread::Variances {
                users: of_users,
                items: of_items,
                user_prior,
                item_prior,
            } = posterior.spread()
            else {
                return None;
            };
            Some(Belief {
                noise: posterior.noise(),
                users: Variances::new(users, model.users(), of_users, user_prior),
                items: Variances::new(items, model.items(), of_items, item_prior),
            })
        });
        Start {
            mean: model.global_mean(),
            belief,
        }
    }

    /// Puts a chain that has made no sweep where `parameters` and the model are.
    pub(super) fn apply(&self, chain: &mut Chain, parameters: &Parameters<f32>, pool: &Pool) {
        let (width, mean) = (chain.units.width, chain.units.mean);
        // Of the tables' own mean; what is believed of a user is around the model's.
        let around = |own: Option<f64>| own.map_or(0.0, |own| (own - mean) / width);
        let offset = around(parameters.global_mean.or(self.mean));
        place(&mut chain.users, &parameters.users, width, offset);
        place(&mut chain.items, &parameters.items, width, 0.0);
        let bias = chain.users.shape.n_factors;
        chain.users.own.mean[bias] = around(self.mean);
        if let Some(belief) = &self.belief {
            chain.settled();
            if belief.noise > 0.0 {
                chain.noise = width * width / (belief.noise * belief.noise);
            }
            belief.users.apply(&mut chain.users.own, width);
            belief.items.apply(&mut chain.items.own, width);
        }
        chain.users.compose(pool);
        chain.items.compose(pool);
    }
}

/// Writes the tables; `offset` goes to every bias of the rows.
fn place(side: &mut SideTables, from: &Side<f32>, width: f64, offset: f64) {
    let n_factors = side.shape.n_factors;
    let root = width.sqrt();
    let groups = side.groups.iter_mut().map(|(block, _)| block);
    for (n, block) in std::iter::once(&mut side.own).chain(groups).enumerate() {
        let table = from.tables().nth(n).expect("a table a block");
        for r in 0..block.n_rows() {
            if !block.touched[r] {
                continue;
            }
            let to = &mut block.values[r * block.stride..][..block.stride];
            for (to, &x) in to.iter_mut().zip(&table.row(r)[..n_factors]) {
                *to = f64::from(x) / root;
            }
            let bias = table.bias_slice().map_or(0.0, |biases| biases[r].into());
            if block.free > n_factors {
                to[n_factors] = bias / width + if n == 0 { offset } else { 0.0 };
            }
        }
    }
}

impl Variances {
    fn new(ids: &Ids, side: &ModelSide, variances: &Rows, prior: &[f32]) -> Variances {
        let of_row = |id| match side.ids().index(id) {
            Some(row) => variances.row(row as usize).to_vec(),
            None => Vec::new(),
        };
        Variances {
            rows: ids.names().iter().map(of_row).collect(),
            prior: prior.to_vec(),
        }
    }

    fn apply(&self, own: &mut Block, width: f64) {
        let bias = self.prior.len() - 1;
        let unit = |a: usize| if a == bias { width * width } else { width };
        for (a, &v) in self.prior.iter().enumerate() {
            if v > 0.0 {
                own.precision[a] = unit(a) / f64::from(v);
            }
        }
        let (stride, size) = (own.stride, own.stride * own.stride);
        for (r, of_row) in self.rows.iter().enumerate() {
            let known = own.touched[r] && !of_row.is_empty();
            let covariance = &mut own.covariances[r * size..][..size];
            for a in 0..=bias {
                let v = match known {
                    true => f64::from(of_row[a]) / unit(a),
                    false if own.touched[r] => 1.0 / own.precision[a],
                    false => 0.0,
                };
                covariance[a * stride + a] = v;
            }
        }
    }
}
