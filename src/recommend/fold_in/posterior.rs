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

use super::history::{History, LEAST, Own};
use super::ridge::{Equations, Penalty, Solution};
use crate::Result;
use crate::model::posterior::OwnSpread;
use crate::model::{Posterior, Rows, Spread};
use crate::recommend::filter::Whose;

pub(super) fn own(history: &History<'_>, posterior: &Posterior) -> Result<Own> {
    let noise = posterior.noise() * posterior.noise();
    match posterior.spread() {
        Spread::Variances {
            users,
            items,
            user_prior,
            item_prior,
        } => match history.whose {
            Whose::Users => of_variances(history, noise, items, [user_prior, item_prior]),
            Whose::Items => of_variances(history, noise, users, [item_prior, user_prior]),
        },
        Spread::Samples {
            count,
            users,
            items,
            user_prior,
            item_prior,
        } => match history.whose {
            Whose::Users => of_samples(history, noise, *count, items, [user_prior, item_prior]),
            Whose::Items => of_samples(history, noise, *count, users, [item_prior, user_prior]),
        },
    }
}

/// A block of the numbers of a row: all of them, or those of one sample.
struct Block<'a> {
    /// Where it starts, and how many there are.
    start: usize,
    n: usize,
    /// What the stored rows of the other side are multiplied by.
    scale: f32,
    /// The prior variances of a newcomer, and of its bias.
    prior: Vec<f64>,
    prior_bias: f64,
    /// The variances of another's row, as they are stored.
    of_other: &'a dyn Fn(u32) -> Option<&'a [f32]>,
    /// What the score of another has beside the model's own constant.
    beside: &'a dyn Fn(u32) -> f64,
}

impl Block<'_> {
    /// The most probable numbers, and their variances.
    fn solve(&self, history: &History<'_>, noise: f64) -> Result<[Solution; 2]> {
        let mut factors: Vec<f64> = self.prior.iter().map(|&v| over(noise, v)).collect();
        let squared = f64::from(self.scale) * f64::from(self.scale);
        for &other in &history.others {
            let variances = (self.of_other)(other).unwrap_or_default();
            for (l2, &v) in factors.iter_mut().zip(variances) {
                *l2 += squared * f64::from(v);
            }
        }
        let target = |(&other, rating): (&u32, &f64)| {
            rating - history.constant(other) - (self.beside)(other)
        };
        let rows: Vec<Vec<f32>> = (history.others.iter())
            .map(|&other| {
                let block = &history.other_row(other)[self.start..self.start + self.n];
                block.iter().map(|q| self.scale * q).collect()
            })
            .collect();
        let equations = Equations {
            rows: rows.iter().map(Vec::as_slice).collect(),
            weights: vec![1.0; history.others.len()],
            targets: history
                .others
                .iter()
                .zip(&history.ratings)
                .map(target)
                .collect(),
            penalty: Penalty {
                factors,
                bias: history.with_bias().then(|| over(noise, self.prior_bias)),
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

/// The variances of the others' rows, and the priors of the newcomer and of the others.
fn of_variances(
    history: &History<'_>,
    noise: f64,
    others: &Rows,
    [prior, other_prior]: [&[f32]; 2],
) -> Result<Own> {
    let n = history.model.n_factors();
    let counts = history.other().counts();
    let of_other = |other: u32| {
        Some(match counts[other as usize] {
            0 => &other_prior[..n],
            _ => &others.row(other as usize)[..n],
        })
    };
    let block = Block {
        start: 0,
        n,
        scale: 1.0,
        prior: prior[..n].iter().map(|&v| v.into()).collect(),
        prior_bias: prior[n].into(),
        of_other: &of_other,
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

/// The deviations of the others' biases, and the priors of the newcomer and of the others. Of users the model stores p^s/S, of items q^s.
fn of_samples(
    history: &History<'_>,
    noise: f64,
    count: usize,
    others: &Rows,
    [prior, other_prior]: [&[f32]; 2],
) -> Result<Own> {
    let (n_factors, samples) = (history.model.n_factors(), count as f64);
    let (own_scale, other_scale) = match history.whose {
        Whose::Users => (samples, 1.0),
        Whose::Items => (1.0, samples),
    };
    let n = n_factors / count;
    let counts = history.other().counts();
    let (mut factors, mut variances) = (Vec::new(), Vec::new());
    let (mut biases, mut of_biases) = (Vec::new(), Vec::new());
    for s in 0..count {
        let range = s * n..(s + 1) * n;
        let of_other =
            |other: u32| (counts[other as usize] == 0).then(|| &other_prior[range.clone()]);
        let block = Block {
            start: s * n,
            n,
            scale: other_scale as f32,
            prior: prior[range.clone()]
                .iter()
                .map(|&v| own_scale * own_scale * f64::from(v))
                .collect(),
            prior_bias: prior[n_factors + s].into(),
            of_other: &of_other,
            beside: &|other| f64::from(others.row(other as usize)[s]),
        };
        let [row, open] = block.solve(history, noise)?;
        factors.extend(row.factors.iter().map(|p| p / own_scale));
        let stored = |v: &f64| (v / (own_scale * own_scale)) as f32;
        variances.extend(open.factors.iter().map(stored));
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
