//! Which row do the ratings make probable, and how probable?
//!
//! The prior of a user without ratings and the noise are in the model, so nothing is left to choose:
//!
//! ```text
//! precision  M = diag(1/v_f) + (1/noise²)·Σ_H (q̃_i q̃_iᵀ + diag v_i)           v_i: the variances of the item's row
//! row          = M⁻¹·(1/noise²)·Σ_H t_i q̃_i,     variances = diag M⁻¹
//! ```
//!
//! which times noise² is a ridge regression with λ_f = noise²/v_f + Σ_H v_if. Of a model of S samples it is solved in each sample, on the scale p^s = S·P^s; the rows go side by side again, the bias is
//! the mean of the samples' and what each has beyond it its deviation. A number whose prior has no variance is 0.

use super::ridge::{Equations, Penalty, Solution};
use super::{History, LEAST, Own};
use crate::Result;
use crate::model::posterior::OwnSpread;
use crate::model::{Posterior, Rows, Spread};

pub(super) fn own(history: &History<'_>, posterior: &Posterior) -> Result<Own> {
    let noise = posterior.noise() * posterior.noise();
    match posterior.spread() {
        Spread::Variances {
            items,
            user_prior,
            item_prior,
            ..
        } => of_variances(history, noise, items, [user_prior, item_prior]),
        Spread::Samples {
            count,
            items,
            user_prior,
            item_prior,
            ..
        } => of_samples(history, noise, *count, items, [user_prior, item_prior]),
    }
}

/// A block of the numbers of a row.
struct Block<'a> {
    /// Where it starts, and how many there are.
    start: usize,
    n: usize,
    /// The prior variances of a user, and of its bias.
    prior: Vec<f64>,
    prior_bias: f64,
    /// The variances of an item's row.
    of_item: &'a dyn Fn(u32) -> Option<&'a [f32]>,
    /// What the score of an item has beside the model's own constant.
    beside: &'a dyn Fn(u32) -> f64,
}

impl Block<'_> {
    /// The most probable numbers, and their variances.
    fn solve(&self, history: &History<'_>, noise: f64) -> Result<[Solution; 2]> {
        let mut factors: Vec<f64> = self.prior.iter().map(|&v| over(noise, v)).collect();
        for &item in &history.items {
            for (l2, &v) in factors
                .iter_mut()
                .zip((self.of_item)(item).unwrap_or_default())
            {
                *l2 += f64::from(v);
            }
        }
        let with_biases = history.model.users().identity_biases().is_some();
        let target =
            |(&item, rating): (&u32, &f64)| rating - history.constant(item) - (self.beside)(item);
        let block = |&item: &u32| &history.item_row(item)[self.start..self.start + self.n];
        let equations = Equations {
            rows: history.items.iter().map(block).collect(),
            weights: vec![1.0; history.items.len()],
            targets: history
                .items
                .iter()
                .zip(&history.ratings)
                .map(target)
                .collect(),
            penalty: Penalty {
                factors,
                bias: with_biases.then(|| over(noise, self.prior_bias)),
            }
            .at_least(LEAST, 1.0),
        };
        let system = equations.by_factors()?;
        let mut variances = system.inverse_diagonal(self.n)?;
        variances.factors.iter_mut().for_each(|v| *v *= noise);
        variances.bias *= noise;
        Ok([system.solve(self.n)?, variances])
    }
}

/// noise²/v; ∞ where v is 0.
fn over(noise: f64, v: f64) -> f64 {
    if v > 0.0 { noise / v } else { f64::INFINITY }
}

fn of_variances(
    history: &History<'_>,
    noise: f64,
    items: &Rows,
    [user_prior, item_prior]: [&[f32]; 2],
) -> Result<Own> {
    let n = history.model.n_factors();
    let counts = history.model.items().counts();
    let of_item = |item: u32| {
        Some(match counts[item as usize] {
            0 => &item_prior[..n],
            _ => &items.row(item as usize)[..n],
        })
    };
    let block = Block {
        start: 0,
        n,
        prior: user_prior[..n].iter().map(|&v| v.into()).collect(),
        prior_bias: user_prior[n].into(),
        of_item: &of_item,
        beside: &|_| 0.0,
    };
    let [row, variances] = block.solve(history, noise)?;
    let all = variances.factors.iter().chain([&variances.bias]);
    Ok(Own {
        spread: Some(OwnSpread {
            deviations: Vec::new(),
            variances: all.map(|&v| v as f32).collect(),
        }),
        factors: row.factors,
        bias: row.bias,
    })
}

fn of_samples(
    history: &History<'_>,
    noise: f64,
    count: usize,
    items: &Rows,
    [user_prior, item_prior]: [&[f32]; 2],
) -> Result<Own> {
    let (n_factors, samples) = (history.model.n_factors(), count as f64);
    let n = n_factors / count;
    let counts = history.model.items().counts();
    let (mut factors, mut variances) = (Vec::new(), Vec::new());
    let (mut biases, mut of_biases) = (Vec::new(), Vec::new());
    for s in 0..count {
        let range = s * n..(s + 1) * n;
        let of_item = |item: u32| (counts[item as usize] == 0).then(|| &item_prior[range.clone()]);
        let block = Block {
            start: s * n,
            n,
            prior: user_prior[range.clone()]
                .iter()
                .map(|&v| samples * samples * f64::from(v))
                .collect(),
            prior_bias: user_prior[n_factors + s].into(),
            of_item: &of_item,
            beside: &|item| f64::from(items.row(item as usize)[s]),
        };
        let [row, open] = block.solve(history, noise)?;
        factors.extend(row.factors.iter().map(|p| p / samples));
        variances.extend(
            open.factors
                .iter()
                .map(|v| (v / (samples * samples)) as f32),
        );
        biases.push(row.bias);
        of_biases.push(open.bias as f32);
    }
    let bias = biases.iter().sum::<f64>() / samples;
    variances.extend(of_biases);
    Ok(Own {
        factors,
        bias,
        spread: Some(OwnSpread {
            deviations: biases.iter().map(|b| (b - bias) as f32).collect(),
            variances,
        }),
    })
}
