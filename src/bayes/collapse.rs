//! How does a posterior become a model?
//!
//! As rows side by side. The mean over S samples of ⟨P^s, Q^s⟩ is one dot product of rows that are S times as long:
//!
//! ```text
//! P = [P¹ | P² | … | P^S]/S,  Q = [Q¹ | Q² | … | Q^S]                  a posterior mean is the case S = 1
//! ```
//!
//! What is believed of a row of which nothing is known, its table's m, moves to where a stranger finds it. With p' = p − m_p and q' = q − m_q in the rows' own tables,
//!
//! ```text
//! ⟨P, Q⟩ = ⟨P', Q'⟩ + ⟨P', m_q⟩ + ⟨m_p, Q'⟩ + ⟨m_p, m_q⟩               exactly: two biases and a constant
//! ```
//!
//! so a stranger's row is 0 as in every model. Numbers go back to units of the ratings: biases times their deviation, factors times its root. In a model of many samples, rows for what a user
//! rated and who rated an item are added into the rows' own, because no new row will ever have them.

use super::chain::{Chain, Units};
use super::tables::{Block, Shape, SideTables, add_scaled};
use crate::Result;
use crate::kernels::lanes::padded;
use crate::model::{Group, Model, ModelSide, Parameters, Posterior, Rows, Side, Spread, Table};
use crate::training::Trainer;
use crate::training::config::Method;

/// The tables of samples, side by side.
#[derive(Debug)]
pub(super) struct Averaged {
    parameters: Parameters<f32>,
    users: Biases,
    items: Biases,
    /// μ of each sample.
    means: Vec<f64>,
    /// Σ of the variances of the noise.
    noise: f64,
    /// Numbers of a row that belong to one sample.
    width: usize,
    method: Method,
}

/// What of a side cannot stand side by side: biases add up.
#[derive(Debug)]
struct Biases {
    /// Σ of the biases of each table, the own first.
    sums: Vec<Vec<f64>>,
    /// The composed bias of each row in each sample: samples × rows. Of a posterior mean, empty.
    of_samples: Vec<Vec<f32>>,
    /// The variance of each number of each row, of a posterior mean.
    variances: Vec<f32>,
    /// The variance of each number of a row that nothing is known of: factors, then biases.
    prior_factors: Vec<f32>,
    prior_biases: Vec<f32>,
}

impl Averaged {
    /// No sample yet, and room for so many.
    pub(super) fn new(trainer: &Trainer<'_, f32>, chain: &Chain, room: usize) -> Averaged {
        let n_factors = chain.users.shape.n_factors;
        let method = trainer.config().method;
        let width = match method {
            Method::Samples(_) => padded(n_factors),
            _ => n_factors,
        };
        let of = |side: &Side<f32>, implicit: Option<&str>| {
            let of_ratings = |group: &Group<f32>| implicit == Some(group.name.as_str());
            let keeps = |group: &&Group<f32>| method == Method::Variational || !of_ratings(group);
            let wide = |table: &Table<f32>| Table::zeros(table.n_rows(), room * width, true);
            let groups = side.groups.iter().filter(keeps).map(|group| Group {
                table: wide(&group.table),
                ..group.clone()
            });
            Side {
                identity: wide(&side.identity),
                groups: groups.collect(),
            }
        };
        let drawn = &trainer.state().parameters;
        let biases = |side: &Side<f32>| Biases {
            sums: side
                .tables()
                .map(|table| vec![0.0; table.n_rows()])
                .collect(),
            of_samples: Vec::new(),
            variances: Vec::new(),
            prior_factors: Vec::new(),
            prior_biases: Vec::new(),
        };
        let [of_users, of_items] = trainer.columns();
        let users = of(&drawn.users, of_users.implicit);
        let items = of(&drawn.items, of_items.implicit);
        Averaged {
            users: biases(&users),
            items: biases(&items),
            parameters: Parameters {
                graph: None,
                global_mean: drawn.global_mean,
                link: drawn.link,
                users,
                items,
            },
            means: Vec::new(),
            noise: 0.0,
            width,
            method,
        }
    }

    /// The tables as they are, alone.
    pub(super) fn once(trainer: &Trainer<'_, f32>, chain: &Chain) -> Averaged {
        let mut averaged = Averaged::new(trainer, chain, 1);
        averaged.add(chain);
        averaged
    }

    pub(super) fn n_samples(&self) -> usize {
        self.means.len()
    }

    /// Adds the tables as they are.
    pub(super) fn add(&mut self, chain: &Chain) {
        let (users, items, Units { mean, width }) = (&chain.users, &chain.items, chain.units);
        let bias = users.shape.n_factors;
        let (of_users, of_items) = (&users.own.mean, &items.own.mean);
        let both: f64 = of_users[..bias]
            .iter()
            .zip(of_items)
            .map(|(a, b)| a * b)
            .sum();
        self.means
            .push(mean + width * (of_users[bias] + of_items[bias] + both));
        self.noise += width * width / chain.noise;
        let place = Place {
            start: (self.n_samples() - 1) * self.width,
            block: self.width,
            width,
            spread: self.method == Method::Variational,
        };
        place.side(users, of_items, &mut self.parameters.users, &mut self.users);
        place.side(items, of_users, &mut self.parameters.items, &mut self.items);
    }
}

/// Where in the wide rows a sample stands, and the deviation of the ratings.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    /// Numbers of a row that belong to the sample.
    block: usize,
    /// The deviation.
    width: f64,
    /// Whether variances are taken.
    spread: bool,
}

impl Place {
    /// Writes the tables of a side; `other` is m of the other side's own table.
    fn side(self, side: &SideTables, other: &[f64], into: &mut Side<f32>, biases: &mut Biases) {
        let own = &side.own;
        let mut composed = self.groups(side, other, into, biases);
        let rows = own_rows(side, into);
        for (r, row) in rows.chunks_exact(own.stride).enumerate() {
            let b = self.row(row, other, side.shape, into.identity.row_mut(r));
            biases.sums[0][r] += b;
            composed[r] += b;
        }
        self.prior(own, other, side.shape.n_factors, biases);
        if self.spread {
            let of_row = |r| self.variances(side, other, r);
            biases.variances = (0..own.n_rows()).flat_map(of_row).collect();
        } else {
            let composed = composed.iter().map(|&b| b as f32);
            biases.of_samples.push(composed.collect());
        }
    }

    /// Writes the tables of the groups that are kept; returns what their biases bring to each row of the side.
    fn groups(
        self,
        side: &SideTables,
        other: &[f64],
        into: &mut Side<f32>,
        biases: &mut Biases,
    ) -> Vec<f64> {
        let mut brought = vec![0.0; side.own.n_rows()];
        for (block, members) in &side.groups {
            let Some(n) = place_of(block, into) else {
                continue;
            };
            for f in 0..block.n_rows() {
                let to = into.groups[n].table.row_mut(f);
                let b = self.row(block.row(f), other, side.shape, to);
                biases.sums[n + 1][f] += b;
                for &(row, w) in members.of(f) {
                    brought[row as usize] += w * b;
                }
            }
        }
        brought
    }

    /// The variances of a row that nothing is known of, and that of its bias with what comes to it through the other side's m.
    fn prior(self, own: &Block, other: &[f64], n_factors: usize, biases: &mut Biases) {
        let variance = |a: usize| 1.0 / own.precision[a];
        let of_factors = (0..n_factors).map(|a| (self.width * variance(a)) as f32);
        biases.prior_factors.extend(of_factors);
        biases.prior_factors.resize(self.start + self.block, 0.0);
        let through: f64 = (0..n_factors)
            .map(|a| other[a] * other[a] * variance(a))
            .sum();
        let of_bias = self.width * self.width * (variance(n_factors) + through);
        biases.prior_biases.push(of_bias as f32);
    }

    /// Writes the factors of a row; returns its bias.
    fn row(self, row: &[f64], other: &[f64], shape: Shape, into: &mut [f32]) -> f64 {
        let (factors, root) = (&row[..shape.n_factors], self.width.sqrt());
        let through: f64 = factors.iter().zip(other).map(|(p, m)| p * m).sum();
        for (to, from) in into[self.start..].iter_mut().zip(factors) {
            *to = (root * from) as f32;
        }
        self.width * (row[shape.n_factors] + through)
    }

    /// The variance of each factor of a row, and that of its bias with what comes to it through the other side's m.
    fn variances(self, side: &SideTables, other: &[f64], r: usize) -> Vec<f32> {
        let Shape {
            n_factors, stride, ..
        } = side.shape;
        let covariance = side.covariance(r);
        let own = &side.own;
        let extra = |a: usize| {
            if own.touched[r] {
                0.0
            } else {
                1.0 / own.precision[a]
            }
        };
        let mut of_bias = 0.0;
        let weight = |a: usize| if a == n_factors { 1.0 } else { other[a] };
        for a in 0..=n_factors {
            for b in 0..=n_factors {
                of_bias += weight(a) * weight(b) * covariance[a * stride + b];
            }
            of_bias += weight(a) * weight(a) * extra(a);
        }
        let factor = |a: usize| (self.width * (covariance[a * stride + a] + extra(a))) as f32;
        let bias = (self.width * self.width * of_bias) as f32;
        (0..n_factors).map(factor).chain([bias]).collect()
    }
}

/// Where the table of a group goes, if it is kept.
fn place_of(block: &Block, into: &Side<f32>) -> Option<usize> {
    let (_, name) = block.name.split_once('.')?;
    into.groups.iter().position(|group| group.name == name)
}

/// The rows' own, without what is believed of every row, and with the groups that are not kept; 0 for a row without ratings.
fn own_rows(side: &SideTables, into: &Side<f32>) -> Vec<f64> {
    let (own, stride) = (&side.own, side.own.stride);
    let mut rows = vec![0.0; own.values.len()];
    for r in (0..own.n_rows()).filter(|&r| own.touched[r]) {
        let row = &mut rows[r * stride..][..stride];
        row.copy_from_slice(own.row(r));
        add_scaled(row, -1.0, &own.mean);
    }
    let gone = side.groups.iter();
    for (block, members) in gone.filter(|(block, _)| place_of(block, into).is_none()) {
        for f in 0..block.n_rows() {
            for &(r, w) in members.of(f) {
                add_scaled(&mut rows[r as usize * stride..][..stride], w, block.row(f));
            }
        }
    }
    rows
}

/// The model of the samples' average.
pub(super) fn model(trainer: &Trainer<'_, f32>, averaged: Averaged) -> Result<Model> {
    let n = averaged.n_samples();
    let Averaged {
        mut parameters,
        users,
        items,
        means,
        noise,
        width,
        method,
    } = averaged;
    let mean = means.iter().sum::<f64>() / n as f64;
    parameters.global_mean = Some(mean);
    for (side, biases) in [
        (&mut parameters.users, &users),
        (&mut parameters.items, &items),
    ] {
        for (table, sums) in side.tables_mut().zip(&biases.sums) {
            // A run that was cut short has fewer samples than there is room for.
            if table.n_factors() > n * width {
                *table = narrow(table, n * width);
            }
            let own = table.bias_slice_mut().expect("made with biases");
            own.iter_mut()
                .zip(sums)
                .for_each(|(b, sum)| *b = (sum / n as f64) as f32);
        }
    }
    for table in parameters.users.tables_mut() {
        let numbers = table.as_mut_slice().iter_mut();
        numbers.for_each(|x| *x = (f64::from(*x) / n as f64) as f32);
    }
    let mut model = trainer.collapse(&parameters)?;
    let spread = match method {
        Method::Samples(_) => {
            let (user_prior, item_prior) = (users.prior((n * n) as f64), items.prior(1.0));
            let off: Vec<f64> = means.iter().map(|m| m - mean).collect();
            Spread::Samples {
                count: n,
                users: users.deviations(&model.users, &off),
                items: items.deviations(&model.items, &vec![0.0; n]),
                user_prior,
                item_prior,
            }
        }
        _ => Spread::Variances {
            user_prior: users.prior(1.0),
            item_prior: items.prior(1.0),
            users: rows(width + 1, users.variances),
            items: rows(width + 1, items.variances),
        },
    };
    let noise = (noise / n as f64).sqrt();
    model.posterior = Some(Posterior { noise, spread });
    Ok(model)
}

/// The first columns of a table.
fn narrow(table: &Table<f32>, n_factors: usize) -> Table<f32> {
    let mut narrow = Table::zeros(table.n_rows(), n_factors, true);
    for r in 0..table.n_rows() {
        let row = narrow.row_mut(r);
        let n = row.len();
        row.copy_from_slice(&table.row(r)[..n]);
    }
    narrow
}

/// Rows of so many numbers.
fn rows(n: usize, numbers: Vec<f32>) -> Rows {
    let padding = padded(n) - n;
    let padded = numbers
        .chunks_exact(n)
        .flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0.0, padding)));
    Rows::from_padded(numbers.len() / n, n, padded.collect()).expect("padded with zeros")
}

impl Biases {
    /// The variances of a row that nothing is known of; those of factors by so much smaller.
    fn prior(&self, shrink: f64) -> Vec<f32> {
        let factors = self.prior_factors.iter();
        let factors = factors.map(|&v| (f64::from(v) / shrink) as f32);
        factors.chain(self.prior_biases.iter().copied()).collect()
    }

    /// What each sample's bias of each row has beyond the model's, and `off` of the sample beyond that.
    fn deviations(&self, side: &ModelSide, off: &[f64]) -> Rows {
        let of_row = |r: usize| {
            let mean = f64::from(side.bias(r as u32));
            let samples = self.of_samples.iter().zip(off);
            samples.map(move |(biases, off)| (f64::from(biases[r]) - mean + off) as f32)
        };
        rows(off.len(), (0..side.ids.len()).flat_map(of_row).collect())
    }
}
