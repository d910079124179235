//! Which ratings are held out?
//!
//! Training must not see what it is judged by. Splits are made before features, and both halves keep the order of their ratings.
//!
//! | split | held out |
//! |---|---|
//! | `random` | round(fraction · N) of all N ratings, each set of that size equally likely |
//! | `by_user` | round(fraction · n) of each user's n ratings, but not the only one |
//! | `leave_last` | the last of each user with two or more, by time and then line |
//! | `by_time` | the round(fraction · N) latest of all, by time and then line: what a forecast is judged by |
//! | `given` | another file; its own users and items come after those of the data |
//!
//! Half a rating is rounded up. How every rating comes to be held out once, `folds` says; which were there at a moment, `until`.

mod folds;
pub(super) mod until;

pub use folds::{FoldRule, Folds};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::dedupe::by_user;
use super::reader::{ReadOptions, read_test};
use super::{Catalog, Csr, Dataset, Ids, SideData};
use crate::random::Stream;
use crate::{Error, Result};

/// A way to hold ratings out.
///
/// ```
/// use lowrank::data::{Dataset, Split};
/// let data = Dataset::builder()
///     .rows((0..10).map(|n| ("ann", format!("film {n}"), 3.0)))?
///     .build()?;
/// let halves = data.split(&Split::random(0.2, 42))?;
/// assert_eq!((halves.train.n_ratings(), halves.valid.n_ratings()), (8, 2));
/// # Ok::<(), lowrank::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Split {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Random {
        fraction: f64,
        seed: u64,
    },
    ByUser {
        fraction: f64,
        seed: u64,
    },
    LeaveLast,
    ByTime {
        fraction: f64,
    },
    Given {
        path: PathBuf,
        options: Box<ReadOptions>,
    },
}

impl Split {
    /// Whether another file says what is held out.
    pub(super) fn is_given(&self) -> bool {
        matches!(self.kind, Kind::Given { .. })
    }

    /// A share of all ratings.
    pub fn random(fraction: f64, seed: u64) -> Split {
        Split {
            kind: Kind::Random { fraction, seed },
        }
    }

    /// The same share of every user's ratings.
    pub fn by_user(fraction: f64, seed: u64) -> Split {
        Split {
            kind: Kind::ByUser { fraction, seed },
        }
    }

    /// Each user's last rating.
    pub fn leave_last() -> Split {
        Split {
            kind: Kind::LeaveLast,
        }
    }

    /// The latest share of all ratings.
    pub fn by_time(fraction: f64) -> Split {
        Split {
            kind: Kind::ByTime { fraction },
        }
    }

    /// The ratings of another file; the data are all for training.
    pub fn given(path: impl AsRef<Path>, options: ReadOptions) -> Split {
        Split {
            kind: Kind::Given {
                path: path.as_ref().into(),
                options: Box::new(options),
            },
        }
    }
}

/// The two parts of a data set.
#[derive(Clone, Debug)]
pub struct Halves {
    /// What training sees.
    pub train: Dataset,
    /// What is held out.
    pub valid: Dataset,
}

impl Dataset {
    /// Holds ratings out.
    ///
    /// # Errors
    /// [`Error::Config`] for a fraction that is not between 0 and 1, for a split that leaves a half empty, and for one by time
    /// where there are no times; what the reader says of a given file.
    pub fn split(&self, split: &Split) -> Result<Halves> {
        self.in_memory("holding a share of them out (rather than a file, with --valid)")?;
        match &split.kind {
            Kind::Random { fraction, seed } => {
                let n = share(*fraction, self.n_ratings())?;
                self.halves(
                    "valid-fraction",
                    &choose(self.n_ratings(), n, &mut Stream::new(*seed, "split")),
                )
            }
            Kind::ByUser { fraction, seed } => {
                self.halves("valid-fraction", &self.share_of_each(*fraction, *seed)?)
            }
            Kind::LeaveLast => self.halves("valid-by", &self.last_of_each()),
            Kind::ByTime { fraction } => self.halves("valid-fraction", &self.latest(*fraction)?),
            Kind::Given { path, options } => self.given(path, options),
        }
    }

    /// Sorts the ratings into two halves by whether they are held out.
    fn halves(&self, setting: &str, held_out: &[bool]) -> Result<Halves> {
        let (mut train, mut valid) = (Vec::new(), Vec::new());
        for (position, &out) in held_out.iter().enumerate() {
            if out { &mut valid } else { &mut train }.push(position);
        }
        if train.is_empty() || valid.is_empty() {
            return Err(Error::config(
                setting,
                format!(
                    "a split into {} ratings for training and {} held out",
                    train.len(),
                    valid.len()
                ),
                "ratings in both parts",
            ));
        }
        Ok(Halves {
            train: self.with(self.interactions.select(&train)),
            valid: self.with(self.interactions.select(&valid)),
        })
    }

    fn share_of_each(&self, fraction: f64, seed: u64) -> Result<Vec<bool>> {
        let mut stream = Stream::new(seed, "split");
        let mut held_out = vec![false; self.n_ratings()];
        let (starts, order) = by_user(&self.interactions.users, self.n_users(), |_| true);
        for user in 0..self.n_users() {
            let own = &order[starts[user] as usize..starts[user + 1] as usize];
            let n = share(fraction, own.len())?.min(own.len().saturating_sub(1));
            for (&position, out) in own.iter().zip(choose(own.len(), n, &mut stream)) {
                held_out[position as usize] = out;
            }
        }
        Ok(held_out)
    }

    fn last_of_each(&self) -> Vec<bool> {
        let mut held_out = vec![false; self.n_ratings()];
        let (starts, order) = by_user(&self.interactions.users, self.n_users(), |_| true);
        let time = |position: u32| {
            self.interactions
                .timestamps
                .as_ref()
                .map_or(0, |t| t[position as usize])
        };
        for user in 0..self.n_users() {
            let own = &order[starts[user] as usize..starts[user + 1] as usize];
            if own.len() < 2 {
                continue;
            }
            if let Some(&last) = own
                .iter()
                .max_by_key(|&&position| (time(position), position))
            {
                held_out[last as usize] = true;
            }
        }
        held_out
    }

    fn latest(&self, fraction: f64) -> Result<Vec<bool>> {
        let n = share(fraction, self.n_ratings())?;
        let Some(timestamps) = &self.interactions.timestamps else {
            return Err(Error::config(
                "valid-by",
                "time, of ratings without times",
                "random, user or leave-last, or a timestamp column",
            ));
        };
        let mut held_out = vec![false; self.n_ratings()];
        let mut order: Vec<u32> = (0..self.n_ratings() as u32).collect();
        let first = order.len() - n;
        if n > 0 {
            order.select_nth_unstable_by_key(first, |&position| {
                (timestamps[position as usize], position)
            });
        }
        for &position in &order[first..] {
            held_out[position as usize] = true;
        }
        Ok(held_out)
    }

    fn given(&self, path: &Path, options: &ReadOptions) -> Result<Halves> {
        let test = read_test(path, options, &self.users.ids, &self.items.ids)?;
        let mut valid = self.with(test.interactions);
        valid.users = extended(&self.users, test.users);
        valid.items = extended(&self.items, test.items);
        Ok(Halves {
            train: self.clone(),
            valid,
        })
    }
}

/// `side` with the names of `ids`, which go on after its own; of the new ones nothing else is known.
fn extended(side: &Arc<SideData>, ids: Ids) -> Arc<SideData> {
    let (known, all) = (side.ids.len(), ids.len());
    if all == known {
        return side.clone();
    }
    let Catalog { titles, columns } = side.catalog.clone();
    let titles = titles.map(|mut titles| {
        (known..all).for_each(|_| titles.push(""));
        titles
    });
    let extend = |rows: &mut Csr| (known..all).for_each(|_| rows.push_row(&[]));
    let columns = columns
        .into_iter()
        .map(|mut column| {
            extend(&mut column.rows);
            column
        })
        .collect();
    let catalog = Catalog { titles, columns };
    Arc::new(SideData { ids, catalog })
}

/// round(fraction · n), half up.
fn share(fraction: f64, n: usize) -> Result<usize> {
    // Written so that NaN fails.
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(Error::config(
            "valid-fraction",
            fraction,
            "a number between 0 and 1, both excluded",
        ));
    }
    Ok(libm::floor(fraction * n as f64 + 0.5) as usize)
}

/// Marks `n` of `all` positions, each such set equally likely (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S).
///
/// ```text
/// position t is taken with probability (n − taken) / (all − t)
/// ```
fn choose(all: usize, n: usize, stream: &mut Stream) -> Vec<bool> {
    let mut left = n as u64;
    (0..all)
        .map(|t| {
            let take = left > 0 && stream.below((all - t) as u64) < left;
            left -= u64::from(take);
            take
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Interactions;

    /// User 0 with 4 ratings, user 1 with 1, user 2 with 5; times fall and repeat.
    fn data(timed: bool) -> Dataset {
        let ids = |n: usize| (0..n).map(|n| n.to_string()).collect::<Ids>();
        let side = |n| {
            Arc::new(SideData {
                ids: ids(n),
                catalog: Catalog::default(),
            })
        };
        Dataset {
            users: side(3),
            items: side(10),
            interactions: Interactions {
                users: vec![0, 2, 0, 1, 2, 2, 0, 2, 0, 2],
                items: (0..10).collect(),
                ratings: (0..10).map(|n| n as f32).collect(),
                weights: None,
                timestamps: timed.then(|| vec![5, 5, 9, 1, 8, 8, 9, 2, 0, 7]),
            },
            ..Dataset::default()
        }
    }

    /// The ratings held out, which are their positions.
    fn valid(data: &Dataset, split: &Split) -> Vec<f32> {
        let halves = data.split(split).unwrap();
        let (train, valid) = (
            &halves.train.interactions.ratings,
            &halves.valid.interactions.ratings,
        );
        assert!(train.is_sorted() && valid.is_sorted(), "the order is kept");
        let mut all = [&train[..], &valid[..]].concat();
        all.sort_by(f32::total_cmp);
        assert_eq!(all, data.interactions.ratings, "each rating is in one half");
        valid.clone()
    }

    #[test]
    fn by_time_and_last_follow_times_and_then_lines() {
        assert_eq!(valid(&data(true), &Split::by_time(0.3)), [2.0, 5.0, 6.0]);
        assert_eq!(valid(&data(true), &Split::leave_last()), [5.0, 6.0]);
        assert_eq!(valid(&data(false), &Split::leave_last()), [8.0, 9.0]);
        assert!(data(false).split(&Split::by_time(0.3)).is_err());
    }

    #[test]
    fn random_splits_have_exact_counts_and_depend_on_the_seed() {
        let counts = [
            (0.04, None),
            (0.05, Some(1)),
            (0.25, Some(3)),
            (0.94, Some(9)),
            (0.96, None),
        ];
        for (fraction, n) in counts {
            let halves = data(true).split(&Split::random(fraction, 1));
            assert_eq!(halves.ok().map(|h| h.valid.n_ratings()), n, "{fraction}");
        }
        let of = |seed| valid(&data(true), &Split::random(0.3, seed));
        assert_eq!(of(1), of(1));
        assert!((0..20).any(|seed| of(seed) != of(1)));
    }

    #[test]
    fn every_position_is_chosen_equally_often() {
        let mut counts = [0u32; 6];
        let mut stream = Stream::new(1, "test");
        for _ in 0..6000 {
            for (count, taken) in counts.iter_mut().zip(choose(6, 2, &mut stream)) {
                *count += u32::from(taken);
            }
        }
        assert_eq!(counts.iter().sum::<u32>(), 12_000);
        // Five standard deviations of a binomial count with n = 6,000 and p = 1/3.
        assert!(
            counts
                .iter()
                .all(|&c| (f64::from(c) - 2000.0).abs() < 5.0 * 36.6),
            "{counts:?}"
        );
    }

    #[test]
    fn each_user_gives_a_share_and_keeps_an_only_rating() {
        for seed in 0..20 {
            let halves = data(true).split(&Split::by_user(0.5, seed)).unwrap();
            let count = |user| {
                halves
                    .valid
                    .interactions
                    .users
                    .iter()
                    .filter(|&&u| u == user)
                    .count()
            };
            assert_eq!([count(0), count(1), count(2)], [2, 0, 3]);
        }
    }

    #[test]
    fn a_fraction_outside_its_range_is_refused() {
        for fraction in [0.0, 1.0, -0.1, 1.5, f64::NAN, f64::INFINITY] {
            for split in [
                Split::random(fraction, 1),
                Split::by_user(fraction, 1),
                Split::by_time(fraction),
            ] {
                let error = data(true).split(&split).unwrap_err();
                assert!(matches!(error, Error::Config { .. }), "{fraction}: {error}");
                assert!(error.to_string().contains("between 0 and 1"), "{error}");
            }
        }
    }
}
