//! Where do ratings with a known truth come from?
//!
//! From a table of low rank with noise on top, seen at few places. What a model can learn is then known beforehand: the least error of a
//! prediction is the noise (and the rounding to the scale's steps).
//!
//! ```text
//! truth(u, i)  = m + b_u + b_i + ⟨p_u, q_i⟩,       m = lo + 0.6·(hi − lo)
//! rating(u, i) = truth + noise·N(0, 1), rounded to lo + a whole number of steps, clipped to lo..hi
//! q_i          = √½·(mean of its genres' rows, scaled to their variance) + √½·(a row of its own):  genres tell half of it
//! share of the n-th most popular user or item ∝ (n + offset)^−exponent
//! ```
//!
//! Every number comes through `libm` and basic arithmetic, so the bytes are the same on every CPU. (`rand_distr` draws by weight with an alias table, which
//! needs no more; its Zipf and Pareto would go through the C library's power function where another crate turns `std` on.)

use std::sync::Arc;

use rand_distr::Distribution;
use rand_distr::weighted::WeightedAliasIndex;

use super::{Catalog, Dataset, Ids, Interactions, SideData};
use crate::random::Stream;
use crate::{Error, Result};

mod truth;
use truth::{Truth, catalog, genres_of_items};

/// More ratings than this would take some ten gigabytes while they are made.
const MAX_RATINGS: usize = 500_000_000;

/// What to make.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntheticConfig {
    /// The number of users, at least 1.
    pub n_users: usize,
    /// The number of items, at least 1.
    pub n_items: usize,
    /// The number of ratings, at least 1 and at most `n_users · n_items`.
    pub n_ratings: usize,
    /// The rank of the truth beside its biases; 0 leaves biases alone.
    pub n_factors: usize,
    /// The standard deviation of the noise, in units of the rating.
    pub noise: f64,
    /// The least rating.
    pub low: f64,
    /// The greatest rating, above `low`.
    pub high: f64,
    /// The distance of two neighbouring ratings of the scale; 0 leaves ratings unrounded.
    pub step: f64,
    /// The number of genres, of which each item has one to three; 0 makes none.
    pub n_genres: usize,
    /// The power law of users: 0 rates all alike.
    pub user_exponent: f64,
    /// The power law of items.
    pub item_exponent: f64,
    /// What chance starts from.
    pub seed: u64,
}

/// The size and scale of MovieLens 100K.
impl Default for SyntheticConfig {
    fn default() -> SyntheticConfig {
        SyntheticConfig {
            n_users: 943,
            n_items: 1682,
            n_ratings: 100_000,
            n_factors: 8,
            noise: 0.5,
            low: 1.0,
            high: 5.0,
            step: 1.0,
            n_genres: 18,
            user_exponent: 0.8,
            item_exponent: 0.9,
            seed: 42,
        }
    }
}

/// Flattens the head of the power laws: the first is not twice as popular as the second.
const OFFSET: f64 = 10.0;
/// The time of the first rating: September 2001.
const START: i64 = 1_000_000_000;
/// The greatest number of seconds between two ratings.
const PAUSE: u64 = 60;
/// The greatest number of users or items, the greatest rank, and the greatest number of factors of a side: no request takes
/// all memory.
const MAX_ROWS: usize = 1 << 28;
const MAX_FACTORS: usize = 1024;
const MAX_ENTRIES: usize = 1 << 30;
const MAX_GENRES: usize = 10_000;

impl SyntheticConfig {
    fn check(&self) -> Result<()> {
        let pairs = self.n_users as u128 * self.n_items as u128;
        let count = |name: &str, value: usize, least: usize, most: usize| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(Error::config(name, value, format!("{least} to {most}")))
            }
        };
        count("users", self.n_users, 1, MAX_ROWS)?;
        count("items", self.n_items, 1, MAX_ROWS)?;
        count("ratings", self.n_ratings, 1, MAX_RATINGS)?;
        let rows = self.n_users.max(self.n_items);
        count(
            "factors",
            self.n_factors,
            0,
            MAX_FACTORS.min(MAX_ENTRIES / rows),
        )?;
        count("genres", self.n_genres, 0, MAX_GENRES)?;
        if self.n_ratings as u128 > pairs {
            return Err(Error::config(
                "ratings",
                self.n_ratings,
                format!(
                    "at most {pairs}: {} users can rate {} items once each",
                    self.n_users, self.n_items
                ),
            ));
        }
        // Written so that NaN fails. The scale must fit an f32.
        let within = |x: f64, most: f64| x.abs() <= most;
        if !(within(self.low, 1e30) && within(self.high, 1e30) && self.low < self.high) {
            return Err(Error::config(
                "scale",
                format!("{}..{}", self.low, self.high),
                "two finite numbers, the lower one first",
            ));
        }
        let range = self.high - self.low;
        if !(self.step >= 0.0 && self.step <= range) {
            return Err(Error::config("step", self.step, format!("0 to {range}")));
        }
        if !(self.noise >= 0.0 && self.noise <= 1e30) {
            return Err(Error::config(
                "noise",
                self.noise,
                "a number that is not negative",
            ));
        }
        for (name, exponent) in [
            ("user-exponent", self.user_exponent),
            ("item-exponent", self.item_exponent),
        ] {
            if !(0.0..=5.0).contains(&exponent) {
                return Err(Error::config(name, exponent, "0 to 5"));
            }
        }
        Ok(())
    }
}

/// Makes ratings, items with titles and genres, and times that rise. No pair is rated twice. Users and items are called by
/// their numbers from 1; some may have no rating.
///
/// ```
/// use lowrank::data::synthetic::{SyntheticConfig, generate};
/// let data = generate(&SyntheticConfig { n_users: 50, n_items: 40, n_ratings: 500, ..Default::default() })?;
/// assert_eq!(data.n_ratings(), 500);
/// assert!(data.interactions.ratings.iter().all(|r| (1.0..=5.0).contains(r)));
/// # Ok::<(), lowrank::Error>(())
/// ```
///
/// Cost: about 0.3 µs and 40 bytes a rating.
///
/// # Errors
/// [`Error::Config`] for a number out of its range; more ratings than pairs, say.
pub fn generate(config: &SyntheticConfig) -> Result<Dataset> {
    config.check()?;
    let genres = genres_of_items(config);
    let truth = Truth::new(config, &genres);
    let mut rows = rate(config, &truth);
    Stream::new(config.seed, "synthetic.order").shuffle(&mut rows);
    let mut times = Stream::new(config.seed, "synthetic.times");
    let mut now = START;
    let timestamps = rows.iter().map(|_| {
        now += times.below(PAUSE + 1) as i64;
        now
    });
    let interactions = Interactions {
        timestamps: Some(timestamps.collect()),
        users: rows.iter().map(|row| row.user).collect(),
        items: rows.iter().map(|row| row.item).collect(),
        ratings: rows.iter().map(|row| row.rating).collect(),
        weights: None,
    };
    let side = |n: usize, catalog| {
        let ids: Ids = (1..=n).map(|n| n.to_string()).collect();
        Arc::new(SideData { ids, catalog })
    };
    Ok(Dataset {
        users: side(config.n_users, Catalog::default()),
        items: side(config.n_items, catalog(config, genres)),
        interactions,
        ..Dataset::default()
    })
}

/// A rating before the columns are made.
struct Row {
    user: u32,
    item: u32,
    rating: f32,
}

/// How popular each of `n` is: a power law, dealt out by lot.
fn popularity(n: usize, exponent: f64, stream: &mut Stream) -> Vec<f64> {
    let mut weights: Vec<f64> = (0..n)
        .map(|rank| libm::pow(rank as f64 + OFFSET, -exponent))
        .collect();
    stream.shuffle(&mut weights);
    weights
}

/// How many ratings each user gives: their share, at most one an item, exactly `n_ratings` in all, and one each where that is possible.
fn ratings_of_users(config: &SyntheticConfig) -> Vec<usize> {
    let mut stream = Stream::new(config.seed, "synthetic.users");
    let weights = popularity(config.n_users, config.user_exponent, &mut stream);
    let each = usize::from(config.n_ratings >= config.n_users);
    let mut counts = vec![each; config.n_users];
    let mut left = config.n_ratings - each * config.n_users;
    // A pass deals out what is left by weight among those with room, rounded down; so each pass but the last fills someone up.
    while left > 0 {
        let room = |count: usize| count < config.n_items;
        let open = weights
            .iter()
            .zip(&counts)
            .filter(|(_, count)| room(**count));
        let total: f64 = open.map(|(weight, _)| weight).sum();
        let before = left;
        for (count, weight) in counts
            .iter_mut()
            .zip(&weights)
            .filter(|(count, _)| room(**count))
        {
            let share = libm::floor(before as f64 * weight / total) as usize;
            let more = share.min(config.n_items - *count).min(left);
            *count += more;
            left -= more;
        }
        // What rounding left goes one by one.
        if before - left < config.n_users {
            for count in counts.iter_mut().filter(|count| room(**count)) {
                if left == 0 {
                    break;
                }
                *count += 1;
                left -= 1;
            }
        }
    }
    counts
}

/// All ratings, user by user.
fn rate(config: &SyntheticConfig, truth: &Truth) -> Vec<Row> {
    let mut stream = Stream::new(config.seed, "synthetic.items");
    let weights = popularity(config.n_items, config.item_exponent, &mut stream);
    let by_weight =
        WeightedAliasIndex::new(weights).expect("positive weights of a count that was checked");
    let mut noise = Stream::new(config.seed, "synthetic.noise");
    let mut rows = Vec::with_capacity(config.n_ratings);
    // The last user that has each item, counted from 1.
    let mut rated = vec![0u32; config.n_items];
    for (user, count) in ratings_of_users(config).into_iter().enumerate() {
        let mut rate = |item: usize| {
            let score = truth.score(user, item) + config.noise * noise.normal();
            rows.push(Row {
                user: user as u32,
                item: item as u32,
                rating: config.on_scale(score),
            });
        };
        let mark = user as u32 + 1;
        let mut left = count;
        // A user with most of the items would wait long for the last ones by lot: the rest is drawn evenly from what is left.
        let mut draws = 4 * count + 16;
        while left > 0 && draws > 0 {
            draws -= 1;
            let item = by_weight.sample(stream.generator());
            if std::mem::replace(&mut rated[item], mark) != mark {
                rate(item);
                left -= 1;
            }
        }
        if left > 0 {
            let mut rest: Vec<usize> = (0..config.n_items)
                .filter(|&item| rated[item] != mark)
                .collect();
            for n in 0..left {
                let other = n + stream.below((rest.len() - n) as u64) as usize;
                rest.swap(n, other);
                rate(rest[n]);
            }
        }
    }
    rows
}

impl SyntheticConfig {
    /// The nearest rating of the scale.
    fn on_scale(&self, score: f64) -> f32 {
        let stepped = if self.step > 0.0 {
            // The last whole step may lie below the end of the scale.
            let last = libm::floor((self.high - self.low) / self.step + 1e-9);
            let steps = libm::floor((score - self.low) / self.step + 0.5).clamp(0.0, last);
            self.low + steps * self.step
        } else {
            score
        };
        stepped.clamp(self.low, self.high) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> SyntheticConfig {
        SyntheticConfig {
            n_users: 60,
            n_items: 40,
            n_ratings: 900,
            ..SyntheticConfig::default()
        }
    }

    fn pairs(data: &Dataset) -> Vec<(u32, u32)> {
        let all = &data.interactions;
        let mut pairs: Vec<_> = all
            .users
            .iter()
            .copied()
            .zip(all.items.iter().copied())
            .collect();
        pairs.sort_unstable();
        pairs
    }

    #[test]
    fn pairs_are_distinct_at_every_density() {
        for n_ratings in [1, 59, 60, 900, 2000, 2399, 2400] {
            let config = SyntheticConfig {
                n_ratings,
                ..small()
            };
            let data = generate(&config).unwrap();
            let all = pairs(&data);
            assert_eq!(all.len(), n_ratings);
            assert!(all.windows(2).all(|w| w[0] < w[1]), "{n_ratings}");
        }
    }

    #[test]
    fn one_seed_gives_one_data_set() {
        let of = |seed| generate(&SyntheticConfig { seed, ..small() }).unwrap();
        assert_eq!(of(1).interactions, of(1).interactions);
        assert_eq!(of(1).items, of(1).items);
        assert_ne!(of(1).interactions.ratings, of(2).interactions.ratings);
    }

    #[test]
    fn the_first_rows_of_seed_42_never_change() {
        // A golden of this file's own definition: a dependency or a CPU that changes the bits is noticed.
        let config = SyntheticConfig {
            step: 0.0,
            ..small()
        };
        let all = generate(&config).unwrap().interactions;
        let rows: Vec<_> = (0..3)
            .map(|n| (all.users[n], all.items[n], all.ratings[n].to_bits()))
            .collect();
        const GOLDEN: [(u32, u32, u32); 3] = [
            (26, 15, 1_077_223_825),
            (30, 5, 1_083_090_110),
            (17, 38, 1_077_367_053),
        ];
        assert_eq!(rows, GOLDEN);
    }

    #[test]
    fn ratings_lie_on_the_scale_and_times_rise() {
        let config = SyntheticConfig {
            low: 0.5,
            step: 0.5,
            ..small()
        };
        let data = generate(&config).unwrap();
        let all = &data.interactions;
        assert!(
            all.ratings
                .iter()
                .all(|r| (0.5..=5.0).contains(r) && (r * 2.0).fract() == 0.0)
        );
        assert!(all.timestamps.as_ref().unwrap().is_sorted());
        assert!(!all.users.is_sorted(), "users come in turns");
        // The last step of 3 from 1 is 4: 5 is not on the scale.
        let config = SyntheticConfig {
            step: 3.0,
            ..small()
        };
        let ratings = generate(&config).unwrap().interactions.ratings;
        assert!(ratings.iter().all(|&r| r == 1.0 || r == 4.0));
    }

    #[test]
    fn the_noise_is_what_was_asked_for() {
        let config = SyntheticConfig {
            noise: 0.3,
            step: 0.0,
            low: -1e3,
            high: 1e3,
            n_ratings: 2000,
            ..small()
        };
        let truth = Truth::new(&config, &genres_of_items(&config));
        let data = generate(&config).unwrap();
        let all = &data.interactions;
        let square = |n: usize| {
            let truth = truth.score(all.users[n] as usize, all.items[n] as usize);
            (f64::from(all.ratings[n]) - truth) * (f64::from(all.ratings[n]) - truth)
        };
        let inside = (0..all.len()).filter(|&n| all.ratings[n].abs() < 1e3);
        let (count, sum) =
            inside.fold((0.0, 0.0), |(count, sum), n| (count + 1.0, sum + square(n)));
        // Five standard errors of a variance: √(2/n).
        let variance: f64 = sum / count / 0.09;
        assert!(
            (variance - 1.0).abs() < 5.0 * f64::sqrt(2.0 / count),
            "{variance}"
        );
        assert!(count > 1500.0);
    }

    #[test]
    fn popularity_is_a_power_law() {
        let config = SyntheticConfig {
            n_users: 2000,
            n_items: 1000,
            n_ratings: 40_000,
            ..SyntheticConfig::default()
        };
        let data = generate(&config).unwrap();
        for (rows, n) in [
            (&data.interactions.users, 2000),
            (&data.interactions.items, 1000),
        ] {
            let mut counts = vec![0u32; n];
            rows.iter().for_each(|&row| counts[row as usize] += 1);
            counts.sort_unstable_by(|a, b| b.cmp(a));
            let head: u32 = counts[..n / 10].iter().sum();
            // Evenly, a tenth would have 10 %.
            assert!(
                (0.25..0.7).contains(&(f64::from(head) / 40_000.0)),
                "{head}"
            );
        }
    }

    #[test]
    fn items_have_titles_and_genres() {
        let data = generate(&SyntheticConfig {
            n_items: 600,
            ..small()
        })
        .unwrap();
        let titles: std::collections::HashSet<_> =
            (0..600).map(|n| data.items.catalog.title(n)).collect();
        assert_eq!(titles.len(), 600);
        let genres = data.items.catalog.genres().unwrap();
        assert!(genres.multi_valued && (0..600).all(|n| (1..=3).contains(&genres.of(n).len())));
        let plain = generate(&SyntheticConfig {
            n_genres: 0,
            n_factors: 0,
            ..small()
        })
        .unwrap();
        assert!(plain.items.catalog.columns.is_empty());
    }

    #[test]
    fn what_cannot_be_made_is_refused_in_words() {
        let refused = |config: SyntheticConfig, words: &str| {
            let error = generate(&config).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        refused(
            SyntheticConfig {
                n_ratings: 2401,
                ..small()
            },
            "60 users can rate 40 items once each",
        );
        refused(
            SyntheticConfig {
                n_users: 0,
                ..small()
            },
            "users: got 0",
        );
        refused(
            SyntheticConfig {
                n_ratings: 0,
                ..small()
            },
            "ratings: got 0",
        );
        refused(
            SyntheticConfig {
                low: 5.0,
                ..small()
            },
            "scale: got 5..5",
        );
        refused(
            SyntheticConfig {
                noise: f64::NAN,
                ..small()
            },
            "noise: got NaN",
        );
        refused(
            SyntheticConfig {
                step: 9.0,
                ..small()
            },
            "step: got 9",
        );
        refused(
            SyntheticConfig {
                item_exponent: -1.0,
                ..small()
            },
            "item-exponent",
        );
        refused(
            SyntheticConfig {
                n_factors: 1 << 40,
                ..small()
            },
            "factors",
        );
    }
}
