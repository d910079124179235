//! How uncertain is a prediction?
//!
//! ```text
//! std(u, i) = √(Var(score) + noise²)           noise: the standard deviation of a rating around its score
//! ```
//!
//! in units of ratings, of the score before link and clipping: the models that have it have no other link than the identity. All sums are `f64`, in
//! the order in which they are written here.
//!
//! **Variances.** Every number is independent of all others; v are the variances of a row's factors, w that of its bias. With
//! E\[p²q²\] = (P² + v_p)·(Q² + v_q) and E\[pq\]² = P²·Q²:
//!
//! ```text
//! Var(score) = Σ_f (P_f²·v_q,f + Q_f²·v_p,f + v_p,f·v_q,f) + w_u + w_i
//! ```
//!
//! **Samples.** A row is S samples side by side, blocks of whole lanes. Of users the file holds P^s = p^s/S, of items Q^s = q^s, so that ⟨P, Q⟩ over
//! all blocks is the mean over the samples; b_u and b_i are means, d what a sample's bias has beyond it:
//!
//! ```text
//! x_s        = μ + (b_u + d_us) + (b_i + d_is) + S·⟨P^s, Q^s⟩                       the score of sample s
//! Var(score) = Var_s(x_s) + (1/S)·Σ_s Var(x_s | s),        Var_s(x_s) = (1/S)·Σ_s (x_s − mean)²
//! ```
//!
//! Var(x_s | s) is 0 where ratings touch user and item. **A row that no training rating touches** is unknown within a sample too: it is its mean
//! (what the model holds of it, 0 for an unknown id) and independent numbers around it with the variances of the *prior*, v for the numbers on the scale
//! of the stored rows (of users that is Var(p^s)/S²), w for its biases, one a sample. The formula of products holds in block s for S·p^s and q^s:
//!
//! ```text
//! Var(x_s | s)             = S²·Σ_{f ∈ block s} (P_f²·v_q,f + Q_f²·v_p,f + v_p,f·v_q,f) + w_us + w_is         v, w = 0 on a side that ratings touch
//! (1/S)·Σ_s Var(x_s | s)   = S·Σ_f (…) + (1/S)·Σ_s (w_us + w_is)
//! ```
//!
//! Of independent numbers, such a row has the prior's variances instead of its own. How the numbers are found is left to training.

use super::Rows;

/// How uncertain a model's scores are.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior {
    /// The standard deviation of a rating around its score.
    pub(crate) noise: f64,
    pub(crate) spread: Spread,
}

/// How far the numbers of the tables may be from what the model says.
#[derive(Clone, Debug, PartialEq)]
pub enum Spread {
    /// The rows of the model are samples side by side.
    Samples {
        /// S, at least 1; the model's n_factors is S times a multiple of eight.
        count: usize,
        /// d_us: n_users × S.
        users: Rows,
        /// d_is: n_items × S.
        items: Rows,
        /// Variances of a user that no training rating touches: n_factors numbers on the scale of the stored rows, then S biases.
        user_prior: Vec<f32>,
        /// The same of an item.
        item_prior: Vec<f32>,
    },
    /// The numbers of the model are means, each with a variance.
    Variances {
        /// n_users × (n_factors + 1), the bias last.
        users: Rows,
        /// n_items × (n_factors + 1), the bias last.
        items: Rows,
        /// Variances of a user that no training rating touches: n_factors numbers, then the bias.
        user_prior: Vec<f32>,
        /// The same of an item.
        item_prior: Vec<f32>,
    },
}

/// The user or the item of a pair.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Party<'a> {
    /// P_u or Q_i, as the model holds it.
    pub(crate) composed: &'a [f32],
    /// Its row; `None` for an unknown id.
    pub(crate) row: Option<u32>,
    /// Whether training ratings touch the row itself.
    pub(crate) rated: bool,
    /// What is known of one that the model has not; `None` of everybody else.
    pub(crate) own: Option<&'a OwnSpread>,
}

/// How uncertain a row is that was found after training.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OwnSpread {
    /// Of samples, the deviations of the biases; otherwise empty.
    pub(crate) deviations: Vec<f32>,
    /// Variances of what the ratings leave open, in the order and on the scale of the side's prior.
    pub(crate) variances: Vec<f32>,
}

impl Posterior {
    /// The standard deviation of a rating around its score.
    pub fn noise(&self) -> f64 {
        self.noise
    }

    /// How far the numbers of the tables may be from what the model says.
    pub fn spread(&self) -> &Spread {
        &self.spread
    }

    /// The standard deviation of the rating of a pair.
    pub(crate) fn std(&self, user: Party<'_>, item: Party<'_>) -> f32 {
        let variance = match &self.spread {
            Spread::Samples {
                count,
                users,
                items,
                user_prior,
                item_prior,
            } => {
                let rows = [user.within(users), item.within(items)];
                let priors = [user.prior(user_prior), item.prior(item_prior)];
                of_samples(*count, [user.composed, item.composed], rows, priors)
            }
            Spread::Variances {
                users,
                items,
                user_prior,
                item_prior,
            } => {
                let v_user = user.prior(user_prior).or_else(|| user.within(users));
                let v_item = item.prior(item_prior).or_else(|| item.within(items));
                let n_factors = user_prior.len() - 1;
                of_products(user.composed, item.composed, v_user, v_item, n_factors)
                    + at(v_user, n_factors)
                    + at(v_item, n_factors)
            }
        };
        (variance + self.noise * self.noise).sqrt() as f32
    }
}

impl<'a> Party<'a> {
    /// The row of its own in `rows`.
    fn within(self, rows: &'a Rows) -> Option<&'a [f32]> {
        let own = self.own.map(|own| &own.deviations[..]);
        own.or_else(|| self.row.map(|row| rows.row(row as usize)))
    }

    /// `prior`, where no rating touches the row; what a user's own ratings leave of it, where they came after training.
    fn prior(self, prior: &'a [f32]) -> Option<&'a [f32]> {
        let own = self.own.map(|own| &own.variances[..]);
        own.or_else(|| (!self.rated).then_some(prior))
    }
}

/// Var_s(x_s) + (1/S)·Σ_s Var(x_s | s): of rows, the deviations of their biases, and their priors.
fn of_samples(
    count: usize,
    [p_u, q_i]: [&[f32]; 2],
    [d_u, d_i]: [Option<&[f32]>; 2],
    [v_user, v_item]: [Option<&[f32]>; 2],
) -> f64 {
    let (samples, n_factors) = (count as f64, p_u.len());
    let block = n_factors / count;
    // Without μ, b_u and b_i, which all samples share.
    let score = |s: usize| {
        let of_block = s * block..(s + 1) * block;
        let pairs = p_u[of_block.clone()].iter().zip(&q_i[of_block]);
        let dot: f64 = pairs.map(|(&p, &q)| f64::from(p) * f64::from(q)).sum();
        at(d_u, s) + at(d_i, s) + samples * dot
    };
    let scores: Vec<f64> = (0..count).map(score).collect();
    let mean = scores.iter().sum::<f64>() / samples;
    let between = scores.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / samples;
    let biases = (n_factors..n_factors + count).map(|s| at(v_user, s) + at(v_item, s));
    between
        + samples * of_products(p_u, q_i, v_user, v_item, n_factors)
        + biases.sum::<f64>() / samples
}

/// Σ_f (P_f²·v_q,f + Q_f²·v_p,f + v_p,f·v_q,f), f from 0 to `n_factors`.
fn of_products(
    p_u: &[f32],
    q_i: &[f32],
    v_user: Option<&[f32]>,
    v_item: Option<&[f32]>,
    n_factors: usize,
) -> f64 {
    if v_user.is_none() && v_item.is_none() {
        return 0.0;
    }
    let term = |f: usize| {
        let (p, q) = (f64::from(p_u[f]), f64::from(q_i[f]));
        let (v_p, v_q) = (at(v_user, f), at(v_item, f));
        p * p * v_q + q * q * v_p + v_p * v_q
    };
    (0..n_factors).map(term).sum()
}

/// The number at `n`; 0 where there are none.
fn at(numbers: Option<&[f32]>, n: usize) -> f64 {
    numbers.map_or(0.0, |numbers| f64::from(numbers[n]))
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use crate::model::Model;

    fn std(model: &Model, user: &str, item: &str) -> f64 {
        f64::from(model.predict(user, item).unwrap().std.unwrap())
    }

    /// f32 keeps seven digits of a number near 1.
    const LAST_DIGIT: f64 = 2e-7;

    fn check(model: &Model, cases: [(&str, &str, f64); 6]) {
        for (user, item, variance) in cases {
            let std = std(model, user, item);
            let wanted = variance.sqrt();
            assert!(
                (std - wanted).abs() <= LAST_DIGIT * wanted,
                "{user} {item}: {std}, wanted {wanted}"
            );
        }
    }

    /// On paper, from the tables in `example`; noise² = ¼.
    #[test]
    fn the_variance_of_independent_numbers_is_that_of_the_formula() {
        let model = example::with_variances();
        check(
            &model,
            [
                // ann P (1, 0), v (½, ¼ | ⅛); m1 Q (1¼, ¼), v (¼, ½ | 1⁄16): ¼ + 25⁄32 + ⅛, then 0 + 1⁄64 + ⅛, then the biases.
                (
                    "ann",
                    "m1",
                    0.25 + 25.0 / 32.0 + 0.125 + 1.0 / 64.0 + 0.125 + 0.1875 + 0.25,
                ),
                // eve has no ratings: P (0, 0), v (2, 1 | ½), whatever her own row says.
                (
                    "eve",
                    "m1",
                    2.0 * 25.0 / 16.0 + 2.0 * 0.25 + 1.0 / 16.0 + 0.5 + 0.5 + 0.0625 + 0.25,
                ),
                // An unknown user is as uncertain as she is.
                (
                    "you",
                    "m1",
                    2.0 * 25.0 / 16.0 + 2.0 * 0.25 + 1.0 / 16.0 + 0.5 + 0.5 + 0.0625 + 0.25,
                ),
                // An unknown item: Q (0, 0), v (1, 3 | ¼).
                ("ann", "new", 1.0 + 0.5 + 0.25 * 3.0 + 0.125 + 0.25 + 0.25),
                ("zoe", "new", 1.0 + 3.0 + 0.25 + 0.25),
                ("you", "new", 2.0 * 1.0 + 1.0 * 3.0 + 0.5 + 0.25 + 0.25),
            ],
        );
    }

    /// On paper, from the tables in `example`; noise² = ¼, two samples.
    #[test]
    fn the_variance_over_samples_is_that_of_the_formula() {
        let model = example::with_samples();
        assert_eq!(
            model.predict("ann", "m1").unwrap().value,
            3.5,
            "3 + ½ + ½·(2·1) + ½·(1·−2)"
        );
        check(
            &model,
            [
                // x: ¼ + ⅛ + 2·1 = 2⅜ and −¼ − ⅛ − 2: mean 0.
                ("ann", "m1", 2.375 * 2.375 + 0.25),
                // bob: ⅛ + (0, 3)·(1, 0) = ⅛ and −⅛ + (1, 2)·(−2, 1) = −⅛.
                ("bob", "m1", 0.125 * 0.125 + 0.25),
                // eve: mean 0; 4·(v 0.5, 0.25)·(1², 0²) and 4·(1, 0.75)·(2², 1²), the mean of the two, biases (½ + 1)/2, and m1's own ±⅛.
                (
                    "eve",
                    "m1",
                    (4.0 * 0.5 + 4.0 * (4.0 + 0.75)) / 2.0 + 0.75 + 1.0 / 64.0 + 0.25,
                ),
                (
                    "you",
                    "m1",
                    (4.0 * 0.5 + 4.0 * (4.0 + 0.75)) / 2.0 + 0.75 + 1.0 / 64.0 + 0.25,
                ),
                // An unknown item: p (2, 0) and (1, 0), true size; v 3 and 1, biases ¼ and ½, ann's own ±¼.
                (
                    "ann",
                    "new",
                    (3.0 * 4.0 + 1.0) / 2.0 + 0.375 + 1.0 / 16.0 + 0.25,
                ),
                // Neither: 4·Σ v_p·v_q = 4·(½·3 + ¼·2) and 4·(1·1 + ¾·4).
                (
                    "you",
                    "new",
                    (4.0 * 2.0 + 4.0 * 4.0) / 2.0 + 0.75 + 0.375 + 0.25,
                ),
            ],
        );
    }

    /// Two kinds of posterior, one answer: a single sample has no spread between samples, so an unknown pair is all prior.
    #[test]
    fn one_sample_of_an_unknown_pair_is_as_uncertain_as_independent_numbers() {
        use super::{Party, Posterior, Rows, Spread};
        let prior = |n: usize, x: f32| vec![x; n + 1];
        let samples = Posterior {
            noise: 1.0,
            spread: Spread::Samples {
                count: 1,
                users: Rows::zeros(0, 1),
                items: Rows::zeros(0, 1),
                user_prior: prior(8, 0.5),
                item_prior: prior(8, 0.25),
            },
        };
        let variances = Posterior {
            noise: 1.0,
            spread: Spread::Variances {
                users: Rows::zeros(0, 9),
                items: Rows::zeros(0, 9),
                user_prior: prior(8, 0.5),
                item_prior: prior(8, 0.25),
            },
        };
        let (p_u, q_i) = ([0.5; 8], [-0.25; 8]);
        let party = |composed| Party {
            composed,
            row: None,
            rated: false,
            own: None,
        };
        let wanted = (8.0 * (0.25 * 0.25 + 0.0625 * 0.5 + 0.125) + 0.75 + 1.0f64).sqrt() as f32;
        for posterior in [samples, variances] {
            assert_eq!(posterior.std(party(&p_u), party(&q_i)), wanted);
        }
    }

    #[test]
    fn a_model_without_posterior_says_nothing() {
        let model = example::model();
        assert_eq!(model.predict("ann", "m1").unwrap().std, None);
        assert!(model.posterior().is_none());
    }

    /// Other features move the mean; the spread is that of the item's row.
    #[test]
    fn what_if_says_how_uncertain_it_is() {
        let model = example::with_variances();
        let prediction = model.predict_with("ann", "m1", &[("genres", "")]).unwrap();
        // Q is (1, 0) without genres: ¼ + ½ + ⅛, then ⅛ for ¼·½.
        let wanted = 0.25f64 + 0.5 + 0.125 + 0.125 + 0.1875 + 0.25;
        let got = f64::from(prediction.std.unwrap());
        assert!((got - wanted.sqrt()).abs() <= LAST_DIGIT * got, "{got}");
        let unknown = model.predict_with("ann", "new", &[("genres", "")]).unwrap();
        assert_eq!(unknown, model.predict("ann", "new").unwrap());
    }
}
