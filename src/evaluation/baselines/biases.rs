//! What does a model without factors make of the same ratings?
//!
//! ```text
//! r̂ = μ + b_u + b_i
//!
//! minimise  Σ c·(r − μ − b_u − b_i)²  +  λ_u Σ b_u²  +  λ_i Σ b_i²          c = weight of the rating, 1 by default
//!
//! b_i ← Σ_u c·(r − μ − b_u) / (Σ_u c + λ_i)          exact for given b_u
//! b_u ← Σ_i c·(r − μ − b_i) / (Σ_i c + λ_u)          exact for given b_i
//! b_u ← b_u − t,  b_i ← b_i + t                      exact for given r̂:  t = (λ_u Σ b_u − λ_i Σ b_i) / (λ_u n_u + λ_i n_i)
//! ```
//!
//! The three lines in turn until nothing moves: each lowers a strictly convex objective, so there is one end and the order of the ratings
//! does not choose it. The third moves what both sides share, where only λ pulls and the first two creep: on ratings of films 11 sweeps
//! do what takes 90 without it.
//!
//! Source: Koren, *Factor in the Neighbors* (2010), equation 1; solved exactly here rather than by his two decoupled means.

use super::choose::Penalties;
use crate::data::Interactions;
use crate::model::Baseline;

/// λ of both sides where it is not chosen, in ratings. In a hierarchical model of the ratings it is the variance of the noise over the variance of the biases: how many
/// ratings it takes until a row's own ratings weigh as much as the mean. On ratings of films the noise is near 0.85, the biases near 0.2.
pub const L2: f64 = 4.0;
/// The sweeps end where no bias moves by more than this share of the scale's width; nobody reads a baseline beyond its fourth digit.
pub const TOLERANCE: f64 = 1e-6;
/// The sweeps end here at the latest. Ratings of films need about ten; a set that falls into parts without a common user or item, more.
pub const MAX_SWEEPS: usize = 100;

impl Baseline {
    /// The baseline of `interactions`, with the λ that [`Penalties::chosen_for`] finds. A row without ratings has bias 0. Cost: two passes over the ratings a sweep; deterministic.
    ///
    /// ```
    /// use lowrank::data::Interactions;
    /// use lowrank::model::Baseline;
    /// // One rating is its own mean: nothing is left for the biases.
    /// let one = Interactions { users: vec![0], items: vec![0], ratings: vec![4.0], ..Interactions::default() };
    /// assert_eq!(Baseline::fit(&one, 1, 2).predict(Some(0), Some(1)), 4.0);
    /// ```
    ///
    /// # Panics
    /// Where a user or item is not below `n_users` or `n_items`.
    pub fn fit(interactions: &Interactions, n_users: usize, n_items: usize) -> Baseline {
        let Penalties { users, items } = Penalties::chosen_for(interactions);
        Baseline::fit_with(interactions, n_users, n_items, users, items)
    }

    /// [`fit`](Baseline::fit) with given λ.
    ///
    /// # Panics
    /// As [`fit`](Baseline::fit).
    pub fn fit_with(
        interactions: &Interactions,
        n_users: usize,
        n_items: usize,
        l2_users: f64,
        l2_items: f64,
    ) -> Baseline {
        let ratings = Ratings::new(interactions);
        let mut users = Side::new(n_users, l2_users, &interactions.users, interactions);
        let mut items = Side::new(n_items, l2_items, &interactions.items, interactions);
        settle(&ratings, &mut users, &mut items, TOLERANCE);
        let narrow = |biases: Vec<f64>| biases.into_iter().map(|b| b as f32).collect();
        Baseline {
            global_mean: ratings.global_mean,
            user_biases: narrow(users.biases),
            item_biases: narrow(items.biases),
        }
    }
}

/// Sweeps until no bias moves by more than `tolerance` of the scale's width.
pub(super) fn settle(
    ratings: &Ratings<'_>,
    users: &mut Side<'_>,
    items: &mut Side<'_>,
    tolerance: f64,
) {
    for _ in 0..MAX_SWEEPS {
        let before = (users.biases.clone(), items.biases.clone());
        ratings.solve(items, users);
        ratings.solve(users, items);
        balance(users, items);
        let moved = change(&before.0, &users.biases).max(change(&before.1, &items.biases));
        if moved <= tolerance * ratings.width {
            break;
        }
    }
}

/// The biases of one side, and what the steps need of its ratings.
pub(super) struct Side<'a> {
    pub(super) biases: Vec<f64>,
    /// Σ c of each row.
    pub(super) counts: Vec<f64>,
    pub(super) l2: f64,
    /// The row of each rating.
    pub(super) rows: &'a [u32],
}

impl Side<'_> {
    pub(super) fn new<'a>(
        n_rows: usize,
        l2: f64,
        rows: &'a [u32],
        ratings: &Interactions,
    ) -> Side<'a> {
        let mut counts = vec![0.0; n_rows];
        for (n, &row) in rows.iter().enumerate() {
            counts[row as usize] += weight(ratings, n);
        }
        Side {
            biases: vec![0.0; n_rows],
            counts,
            l2,
            rows,
        }
    }

    /// The rows that ratings touch.
    fn rated(&self) -> f64 {
        self.counts.iter().filter(|&&count| count > 0.0).count() as f64
    }

    /// Adds `step` to the bias of every row that ratings touch.
    fn shift(&mut self, step: f64) {
        for (bias, &count) in self.biases.iter_mut().zip(&self.counts) {
            if count > 0.0 {
                *bias += step;
            }
        }
    }
}

pub(super) fn weight(ratings: &Interactions, n: usize) -> f64 {
    let weights = ratings.weights.as_ref();
    weights.map_or(1.0, |weights| f64::from(weights[n]))
}

/// Shares between the sides what they have in common, so that λ is paid least.
pub(super) fn balance(users: &mut Side<'_>, items: &mut Side<'_>) {
    let pull = |side: &Side<'_>| side.l2 * side.biases.iter().sum::<f64>();
    let stiffness = users.l2 * users.rated() + items.l2 * items.rated();
    if stiffness > 0.0 {
        let step = (pull(users) - pull(items)) / stiffness;
        users.shift(-step);
        items.shift(step);
    }
}

/// The greatest difference.
pub(super) fn change(before: &[f64], after: &[f64]) -> f64 {
    let differences = before.iter().zip(after).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f64::max)
}

/// What both sides' steps share.
pub(super) struct Ratings<'a> {
    interactions: &'a Interactions,
    pub(super) global_mean: f64,
    /// Of the scale.
    width: f64,
}

impl<'a> Ratings<'a> {
    pub(super) fn new(interactions: &'a Interactions) -> Ratings<'a> {
        let (lo, hi) = interactions.scale().unwrap_or((0.0, 0.0));
        Ratings {
            interactions,
            global_mean: interactions.mean(),
            width: f64::from(hi) - f64::from(lo),
        }
    }

    /// Sets the biases of `side` to their exact solution for those of `other`.
    fn solve(&self, side: &mut Side<'_>, other: &Side<'_>) {
        let mut sums = vec![0.0; side.biases.len()];
        for (n, &rating) in self.interactions.ratings.iter().enumerate() {
            let others = other.biases[other.rows[n] as usize];
            let residual = f64::from(rating) - self.global_mean - others;
            sums[side.rows[n] as usize] += weight(self.interactions, n) * residual;
        }
        for ((bias, sum), &count) in side.biases.iter_mut().zip(sums).zip(&side.counts) {
            *bias = if count > 0.0 {
                sum / (count + side.l2)
            } else {
                0.0
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratings(weights: Option<Vec<f32>>) -> Interactions {
        let (n_users, n_items) = (7u32, 5u32);
        let pairs: Vec<(u32, u32)> = (0..n_users)
            .flat_map(|u| (0..n_items).map(move |i| (u, i)))
            .filter(|(u, i)| (u * 3 + i * 5) % 4 != 0 && *u != 6)
            .collect();
        Interactions {
            users: pairs.iter().map(|p| p.0).collect(),
            items: pairs.iter().map(|p| p.1).collect(),
            ratings: pairs
                .iter()
                .map(|(u, i)| 1.0 + ((u * 7 + i * 3) % 5) as f32)
                .collect(),
            weights,
            timestamps: None,
        }
    }

    /// The objective's derivatives at the fitted biases: users', then items'.
    fn slopes(data: &Interactions, fitted: &Baseline, l2: f64) -> Vec<f64> {
        let n_users = fitted.user_biases.len();
        let biases = fitted.user_biases.iter().chain(&fitted.item_biases);
        let mut slopes: Vec<f64> = biases.map(|&b| 2.0 * l2 * f64::from(b)).collect();
        for n in 0..data.len() {
            let (u, i) = (data.users[n], data.items[n]);
            let c = data.weights.as_ref().map_or(1.0, |w| f64::from(w[n]));
            let error = fitted.predict(Some(u), Some(i)) - f64::from(data.ratings[n]);
            slopes[u as usize] += 2.0 * c * error;
            slopes[n_users + i as usize] += 2.0 * c * error;
        }
        slopes
    }

    #[test]
    fn the_objective_is_flat_at_the_solution() {
        let n = ratings(None).len();
        let weights = (0..n).map(|n| 0.5 + (n % 3) as f32).collect();
        for data in [ratings(None), ratings(Some(weights))] {
            let fitted = Baseline::fit(&data, 7, 5);
            // A bias is off by the last change (1e-6 of a scale 4 wide) and by its rounding to f32; a slope adds 2·c of it for at most
            // 7 ratings with c ≤ 2.5, and as much again for λ.
            let tolerance = 2.0 * (7.0 * 2.5 + L2) * (4.0 * TOLERANCE + 2f64.powi(-24) * 4.0);
            for slope in slopes(&data, &fitted, L2) {
                assert!(slope.abs() <= tolerance, "{slope}");
            }
            assert_eq!(fitted.user_biases[6], 0.0, "a user without ratings");
        }
    }

    #[test]
    fn a_weight_of_two_is_the_rating_twice() {
        let once = ratings(None);
        let mut twice = once.clone();
        twice.users.push(once.users[3]);
        twice.items.push(once.items[3]);
        twice.ratings.push(once.ratings[3]);
        let mut weights = vec![1.0; once.len()];
        weights[3] = 2.0;
        let (a, b) = (
            Baseline::fit(&twice, 7, 5),
            Baseline::fit(&ratings(Some(weights)), 7, 5),
        );
        for (x, y) in a.user_biases.iter().zip(&b.user_biases) {
            assert!((x - y).abs() <= 1e-6, "one sum in another order");
        }
    }

    #[test]
    fn two_ratings_can_be_worked_by_hand() {
        // One user, ratings 2 and 4, μ = 3. By symmetry b_u = 0 and b_i = ∓1 / (1 + λ).
        let data = Interactions {
            users: vec![0, 0],
            items: vec![0, 1],
            ratings: vec![2.0, 4.0],
            ..Interactions::default()
        };
        let fitted = Baseline::fit_with(&data, 1, 2, 1.0, 1.0);
        assert_eq!(fitted.global_mean, 3.0);
        assert_eq!(fitted.item_biases, [-0.5, 0.5]);
        assert_eq!(fitted.user_biases, [0.0]);
    }

    #[test]
    fn no_rating_and_one_value_end_at_once() {
        let none = Baseline::fit(&Interactions::default(), 2, 2);
        assert_eq!(none.predict(Some(0), None), 0.0);
        let mut same = ratings(None);
        same.ratings.fill(3.0);
        let fitted = Baseline::fit(&same, 7, 5);
        assert_eq!(fitted.predict(Some(1), Some(1)), 3.0);
    }
}
