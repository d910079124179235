//! What does a model without factors make of the same ratings?
//!
//! ```text
//! r̂ = μ + b_u + b_i
//!
//! minimise  Σ c·(r − μ − b_u − b_i)²  +  λ_u Σ b_u²  +  λ_i Σ b_i²          c = weight of the rating, 1 by default
//!
//! b_i ← Σ_u c·(r − μ − b_u) / (Σ_u c + λ_i)          exact for given b_u
//! b_u ← Σ_i c·(r − μ − b_i) / (Σ_i c + λ_u)          exact for given b_i
//! ```
//!
//! Both lines in turn until nothing moves: every step lowers a strictly convex objective, so there is one end and the order of the ratings
//! does not choose it. Items go first, because users rate more items than items have tastes: the first sweep already has the means of the items.
//!
//! Source: Koren, *Factor in the Neighbors* (2010), equation 1; solved exactly here rather than by his two decoupled means.

use crate::data::Interactions;
use crate::model::Baseline;

/// λ of both sides, in ratings. In a hierarchical model of the ratings it is the variance of the noise over the variance of the biases: how many
/// ratings it takes until a row's own ratings weigh as much as the mean. On ratings of films the noise is near 0.85, the biases near 0.2.
pub const L2: f64 = 4.0;
/// The sweeps end where no bias moves by more than this share of the scale's width; nobody reads a baseline beyond its fourth digit.
pub const TOLERANCE: f64 = 1e-6;
/// The sweeps end here at the latest. Ratings of films need about ten.
pub const MAX_SWEEPS: usize = 100;

impl Baseline {
    /// The baseline of `interactions`. A row without ratings has bias 0. Cost: two passes over the ratings a sweep; deterministic.
    ///
    /// ```
    /// use lowrank::data::Interactions;
    /// use lowrank::model::Baseline;
    /// // One rating, 1 above no mean but its own: nothing is left for the biases.
    /// let one = Interactions { users: vec![0], items: vec![0], ratings: vec![4.0], ..Interactions::default() };
    /// assert_eq!(Baseline::fit(&one, 1, 2).predict(Some(0), Some(1)), 4.0);
    /// ```
    ///
    /// # Panics
    /// Where a user or item is not below `n_users` or `n_items`.
    pub fn fit(interactions: &Interactions, n_users: usize, n_items: usize) -> Baseline {
        Baseline::fit_with(interactions, n_users, n_items, L2, L2)
    }

    /// [`fit`](Baseline::fit) with other λ.
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
        let global_mean = interactions.mean();
        let ratings = Ratings {
            interactions,
            global_mean,
        };
        let (mut user_biases, mut item_biases) = (vec![0.0; n_users], vec![0.0; n_items]);
        let (users, items) = (&interactions.users[..], &interactions.items[..]);
        let (lo, hi) = interactions.scale().unwrap_or((0.0, 0.0));
        let enough = TOLERANCE * (f64::from(hi) - f64::from(lo));
        for _ in 0..MAX_SWEEPS {
            let of_items = ratings.solve(items, &mut item_biases, users, &user_biases, l2_items);
            let of_users = ratings.solve(users, &mut user_biases, items, &item_biases, l2_users);
            if of_items.max(of_users) <= enough {
                break;
            }
        }
        let narrow = |biases: Vec<f64>| biases.into_iter().map(|b| b as f32).collect();
        Baseline {
            global_mean,
            user_biases: narrow(user_biases),
            item_biases: narrow(item_biases),
        }
    }
}

/// What both sides' steps share.
struct Ratings<'a> {
    interactions: &'a Interactions,
    global_mean: f64,
}

impl Ratings<'_> {
    /// Sets `biases` to their exact solution for given `others`, and returns the greatest change.
    fn solve(
        &self,
        rows: &[u32],
        biases: &mut [f64],
        other_rows: &[u32],
        others: &[f64],
        l2: f64,
    ) -> f64 {
        let mut sums = vec![(0.0, 0.0); biases.len()];
        let weights = self.interactions.weights.as_deref();
        for (n, &rating) in self.interactions.ratings.iter().enumerate() {
            let weight = weights.map_or(1.0, |weights| f64::from(weights[n]));
            let residual = f64::from(rating) - self.global_mean - others[other_rows[n] as usize];
            let (sum, count) = &mut sums[rows[n] as usize];
            *sum += weight * residual;
            *count += weight;
        }
        let mut change = 0.0f64;
        for (bias, (sum, count)) in biases.iter_mut().zip(sums) {
            let next = if count > 0.0 { sum / (count + l2) } else { 0.0 };
            change = change.max((next - *bias).abs());
            *bias = next;
        }
        change
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
