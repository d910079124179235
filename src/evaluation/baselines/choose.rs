//! How strongly are biases pulled to zero?
//!
//! λ is tried out: a tenth of the ratings is held out, biases are fitted on the rest, and the pair of λ with the least squared error on that tenth is taken. The baseline is then fitted on all ratings.
//!
//! ```text
//! held out       hash(user, item) ≡ 0 mod 10
//! λ_i ← the best of 1, 2, 4, 8, 16, 32, with λ_u = 4
//! λ_u ← the best of 1, 2, 4, 8, 16, 32, with that λ_i                of equals the first
//! ```
//!
//! The two hardly move each other: a bias of one side averages over many rows of the other. So the grid is searched along two lines.
//!
//! | edge | rule |
//! |---|---|
//! | fewer than 1,000 ratings | λ = 4 on both sides: a hundred held-out ratings or fewer say more about chance |
//! | more than 131,072 | tried on all ratings of some users (a hash of the user's row below that share): a twentieth of a second at any size |
//!
//! A sample of users keeps their numbers of ratings and thins out those of items. λ stands that: it is the variance of the noise over the variance of the biases, whatever the number of ratings. The sample is put
//! in the order of users and items, so neither the order of the ratings nor the way they are stored changes a bit of it.

use super::biases::{L2, Ratings, Side, settle};
use crate::data::Interactions;

/// The values that are tried.
pub const GRID: [f64; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
/// Fewer ratings choose nothing.
pub const FEWEST: usize = 1000;
/// About as many ratings are tried.
pub const SAMPLE: usize = 1 << 17;
/// One of so many is held out.
const HELD_OUT: u64 = 10;
/// Where sweeps end while λ is tried, as a share of the scale's width: errors differ in their third digit.
const ROUGH: f64 = 1e-3;

/// λ of both sides, in ratings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Penalties {
    /// λ_u.
    pub users: f64,
    /// λ_i.
    pub items: f64,
}

/// What [`Penalties`] are without a choice.
impl Default for Penalties {
    fn default() -> Penalties {
        Penalties {
            users: L2,
            items: L2,
        }
    }
}

impl Penalties {
    /// The best of the grid for these ratings.
    pub fn chosen_for(interactions: &Interactions) -> Penalties {
        let share = Share::of(interactions.len());
        let mut sample = Vec::new();
        for (n, &user) in interactions.users.iter().enumerate() {
            if share.takes(user) {
                let weight = interactions.weights.as_ref().map_or(1.0, |w| w[n]);
                let (item, rating) = (interactions.items[n], interactions.ratings[n]);
                sample.push((user, item, rating, weight));
            }
        }
        choose(interactions.len(), sample)
    }
}

/// A rating of the sample: user, item, rating, weight.
pub(super) type Sampled = (u32, u32, f32, f32);

/// Which users are in the sample.
#[derive(Clone, Copy)]
pub(super) struct Share {
    below: Option<u64>,
}

impl Share {
    /// Of so many ratings.
    pub(super) fn of(n_ratings: usize) -> Share {
        let below = match n_ratings {
            n if n < FEWEST => Some(0),
            n if n <= SAMPLE => None,
            n => Some((u128::from(u64::MAX) * SAMPLE as u128 / n as u128) as u64),
        };
        Share { below }
    }

    /// Whether the ratings of `user` are.
    pub(super) fn takes(self, user: u32) -> bool {
        self.below
            .is_none_or(|below| mixed(u64::from(user)) < below)
    }
}

/// The choice for a sample of `n_ratings`.
pub(super) fn choose(n_ratings: usize, mut sample: Vec<Sampled>) -> Penalties {
    if n_ratings < FEWEST {
        return Penalties::default();
    }
    sample.sort_unstable_by_key(|&(user, item, rating, weight)| {
        (user, item, rating.to_bits(), weight.to_bits())
    });
    let (held_out, rest): (Vec<Sampled>, Vec<Sampled>) = sample
        .into_iter()
        .partition(|&(user, item, ..)| is_held_out(user, item));
    let (users, items) = (distinct(&rest, |r| r.0), distinct(&rest, |r| r.1));
    let fit = of_sample(&rest, &users, &items);
    let ratings = Ratings::new(&fit);
    // The biases of one try are the start of the next.
    let mut trial = Trial {
        of_users: Side::new(users.len(), L2, &fit.users, &fit),
        of_items: Side::new(items.len(), L2, &fit.items, &fit),
        ratings,
        held_out: of_sample(&held_out, &users, &items),
    };
    let mut best = Penalties::default();
    best.items = trial.best(|l2| Penalties { items: l2, ..best });
    best.users = trial.best(|l2| Penalties { users: l2, ..best });
    best
}

fn is_held_out(user: u32, item: u32) -> bool {
    mixed(u64::from(user) << 32 | u64::from(item)).is_multiple_of(HELD_OUT)
}

fn distinct(sample: &[Sampled], row: impl Fn(&Sampled) -> u32) -> Vec<u32> {
    let mut rows: Vec<u32> = sample.iter().map(row).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// The sample with dense rows; one that is not among `users` or `items` comes after the last.
fn of_sample(sample: &[Sampled], users: &[u32], items: &[u32]) -> Interactions {
    let place = |rows: &[u32], row: u32| rows.binary_search(&row).unwrap_or(rows.len()) as u32;
    Interactions {
        users: sample.iter().map(|r| place(users, r.0)).collect(),
        items: sample.iter().map(|r| place(items, r.1)).collect(),
        ratings: sample.iter().map(|r| r.2).collect(),
        weights: Some(sample.iter().map(|r| r.3).collect()),
        timestamps: None,
    }
}

struct Trial<'a> {
    ratings: Ratings<'a>,
    of_users: Side<'a>,
    of_items: Side<'a>,
    held_out: Interactions,
}

impl Trial<'_> {
    /// The first value of the grid with the least error.
    fn best(&mut self, with: impl Fn(f64) -> Penalties) -> f64 {
        let mut best = (f64::INFINITY, L2);
        for l2 in GRID {
            let error = self.error(with(l2));
            if error < best.0 {
                best = (error, l2);
            }
        }
        best.1
    }

    /// Σ c·(r − r̂)² of the held-out ratings.
    fn error(&mut self, penalties: Penalties) -> f64 {
        self.of_users.l2 = penalties.users;
        self.of_items.l2 = penalties.items;
        settle(&self.ratings, &mut self.of_users, &mut self.of_items, ROUGH);
        let bias =
            |side: &Side<'_>, row: u32| side.biases.get(row as usize).copied().unwrap_or(0.0);
        let test = &self.held_out;
        let errors = (0..test.len()).map(|n| {
            let biases = bias(&self.of_users, test.users[n]) + bias(&self.of_items, test.items[n]);
            let error = f64::from(test.ratings[n]) - self.ratings.global_mean - biases;
            super::biases::weight(test, n) * error * error
        });
        errors.sum()
    }
}

/// SplitMix64's finalizer (Steele, Lea and Flood, 2014): every bit of the number moves every bit of the result.
fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Baseline;

    /// Ratings 3 + b_u + b_i + noise, the biases of a side from −width to width in equal steps.
    fn ratings(
        n: usize,
        n_users: u64,
        n_items: u64,
        widths: (f64, f64),
        noise: f64,
    ) -> Interactions {
        let unit = |number: u64| (mixed(number) >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
        let mut all = Interactions::default();
        for n in 0..n as u64 {
            let pair = mixed(n) % (n_users * n_items);
            let (user, item) = (pair / n_items, pair % n_items);
            let biases = widths.0 * unit(user << 20) + widths.1 * unit(item << 40 | 1);
            all.users.push(user as u32);
            all.items.push(item as u32);
            all.ratings
                .push((3.0 + biases + noise * unit(n << 8 | 3)) as f32);
        }
        all
    }

    /// The error of a baseline of the kept ratings on the held-out ones, by the public fit alone.
    fn error(all: &Interactions, penalties: Penalties) -> f64 {
        let (held_out, kept): (Vec<usize>, Vec<usize>) =
            (0..all.len()).partition(|&n| is_held_out(all.users[n], all.items[n]));
        let (kept, held_out) = (all.select(&kept), all.select(&held_out));
        let fitted = Baseline::fit_with(&kept, 400, 400, penalties.users, penalties.items);
        let errors = (0..held_out.len()).map(|n| {
            let guess = fitted.predict(Some(held_out.users[n]), Some(held_out.items[n]));
            (guess - f64::from(held_out.ratings[n])).powi(2)
        });
        errors.sum()
    }

    #[test]
    fn the_choice_is_as_good_as_any_of_the_grid() {
        for (widths, noise) in [((1.0, 0.3), 1.0), ((0.1, 1.0), 2.0), ((0.2, 0.2), 2.0)] {
            let all = ratings(5000, 300, 200, widths, noise);
            let chosen = Penalties::chosen_for(&all);
            let least = GRID
                .iter()
                .flat_map(|&users| GRID.map(|items| error(&all, Penalties { users, items })))
                .fold(f64::INFINITY, f64::min);
            // Two lines through the grid, and rough sweeps.
            let found = error(&all, chosen);
            assert!(
                found <= 1.002 * least,
                "{chosen:?}: {found}, the grid has {least}"
            );
        }
    }

    #[test]
    fn noise_raises_the_penalty_and_steady_biases_lower_it() {
        let sure = Penalties::chosen_for(&ratings(20_000, 300, 200, (1.0, 1.0), 0.5));
        let unsure = Penalties::chosen_for(&ratings(20_000, 300, 200, (0.1, 0.1), 2.0));
        assert!(
            sure.users < unsure.users && sure.items < unsure.items,
            "{sure:?} {unsure:?}"
        );
    }

    #[test]
    fn the_order_of_the_ratings_chooses_nothing() {
        let all = ratings(3 * SAMPLE / 2, 3000, 500, (0.5, 0.2), 1.0);
        let backwards: Vec<usize> = (0..all.len()).rev().collect();
        let taken = all.users.iter().filter(|&&u| Share::of(all.len()).takes(u));
        let share = taken.count() as f64 / SAMPLE as f64;
        assert!((share - 1.0).abs() < 0.1, "{share} of the sample");
        assert_eq!(
            Penalties::chosen_for(&all),
            Penalties::chosen_for(&all.select(&backwards))
        );
    }

    #[test]
    fn a_few_ratings_choose_nothing() {
        let few = ratings(FEWEST - 1, 30, 20, (0.0, 0.0), 2.0);
        assert_eq!(Penalties::chosen_for(&few), Penalties::default());
        let enough = ratings(FEWEST, 30, 20, (0.0, 0.0), 2.0);
        assert_ne!(Penalties::chosen_for(&enough), Penalties::default());
    }
}
