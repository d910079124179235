//! How sure is a number?
//!
//! Another test set would have had other users. So users are drawn with replacement, as many as there are, and the metric is computed anew; after B draws
//!
//! ```text
//! the 95 % interval goes from the ⌈0.025·B⌉-th to the ⌈0.975·B⌉-th of the B sorted values
//! ```
//!
//! All rows of a user are drawn together, because they are alike. Draw b has a random stream of its own, so threads change nothing; the same seed gives the same interval. What does not vary between test users, how well
//! another training would have done, is not in it.
//!
//! Source: Efron and Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 13.

use super::ranking::mean;
use crate::data::Interactions;
use crate::kernels::pool::Pool;
use crate::metrics::RatingErrors;
use crate::random::Stream;

/// Draws where nobody says otherwise.
pub const USUAL_DRAWS: usize = 1000;
/// Fewer draws have no 2.5 % at either end.
pub const FEWEST_DRAWS: usize = 40;
/// More than this say nothing more.
pub const MOST_DRAWS: usize = 100_000;
/// Draws of a task.
const TASK: usize = 8;

/// Between these two lies the metric, with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The user of each test row by a number below the number of different users, in the order of the users' rows; and that number.
pub fn users_of(test: &Interactions) -> (Vec<u32>, usize) {
    let mut users = test.users.clone();
    users.sort_unstable();
    users.dedup();
    let place = |user: &u32| users.partition_point(|u| u < user) as u32;
    (test.users.iter().map(place).collect(), users.len())
}

/// The errors of each user. `users` are those of [`users_of`].
pub fn errors_by_user(
    users: &(Vec<u32>, usize),
    ratings: &[f32],
    predictions: impl Fn(usize) -> f64,
) -> Vec<RatingErrors> {
    let mut errors = vec![RatingErrors::default(); users.1];
    for (n, &user) in users.0.iter().enumerate() {
        errors[user as usize].push(predictions(n), f64::from(ratings[n]));
    }
    errors
}

/// The intervals of RMSE and MAE, from the errors of each user.
pub fn of_errors(errors: &[RatingErrors], draws: usize, seed: u64, pool: &Pool) -> [Interval; 2] {
    let values = draw(errors.len(), draws, seed, pool, |users| {
        let mut sum = RatingErrors::default();
        users
            .iter()
            .for_each(|&user| sum.merge(&errors[user as usize]));
        [sum.rmse(), sum.mae()]
    });
    [0, 1].map(|m| interval(values.iter().map(|v| v[m])))
}

/// The interval of a mean over users; NaN for a user who is left out.
pub fn of_mean(of_users: &[f64], draws: usize, seed: u64, pool: &Pool) -> Interval {
    let values = draw(of_users.len(), draws, seed, pool, |users| {
        let drawn = users.iter().map(|&user| of_users[user as usize]);
        mean(drawn)
    });
    interval(values)
}

/// What `of` makes of each draw.
fn draw<V: Send>(
    n_users: usize,
    draws: usize,
    seed: u64,
    pool: &Pool,
    of: impl Fn(&[u32]) -> V + Sync + Send,
) -> Vec<V> {
    let draws: Vec<usize> = (0..draws).collect();
    let tasks = draws.chunks(TASK).collect();
    let values = pool.map(tasks, |draws: &[usize]| {
        let values = draws.iter().map(|b| {
            let mut stream = Stream::new(seed, &format!("bootstrap.{b}"));
            let users: Vec<u32> = (0..n_users)
                .map(|_| stream.below(n_users as u64) as u32)
                .collect();
            of(&users)
        });
        values.collect::<Vec<V>>()
    });
    values.into_iter().flatten().collect()
}

fn interval(values: impl IntoIterator<Item = f64>) -> Interval {
    let mut sorted: Vec<f64> = values.into_iter().filter(|v| !v.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let rank = (share * sorted.len() as f64).ceil() as usize;
        let value = sorted.get(rank.saturating_sub(1));
        value.copied().unwrap_or(f64::NAN)
    };
    Interval {
        low: at(0.025),
        high: at(0.975),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_the_values_at_their_ranks() {
        let values = (1..=1000).rev().map(f64::from);
        assert_eq!(
            interval(values),
            Interval {
                low: 25.0,
                high: 975.0
            }
        );
        let few = (1..=40).map(f64::from);
        assert_eq!(
            interval(few),
            Interval {
                low: 1.0,
                high: 39.0
            }
        );
        assert!(interval([f64::NAN]).low.is_nan());
    }

    #[test]
    fn the_interval_of_a_mean_is_two_standard_errors_wide() {
        let n = 2000;
        let mut stream = Stream::new(1, "values");
        let mut values: Vec<f64> = (0..n).map(|_| 5.0 + 2.0 * stream.normal()).collect();
        // Those who are left out widen nothing but by what is missing.
        values.extend([f64::NAN; 500]);
        let found = of_mean(&values, 2000, 42, &Pool::new(2));
        let middle = mean(values.iter().copied());
        let error = 2.0 / f64::from(n).sqrt();
        // The ends of 2000 draws vary by 1/√2000/φ(1.96)·√(0.025·0.975) = 0.06 standard errors; four of those, and the draws of the values.
        for end in [middle - found.low, found.high - middle] {
            assert!((end / error - 1.96).abs() < 0.3, "{}", end / error);
        }
    }

    #[test]
    fn threads_change_nothing_and_the_seed_does() {
        let errors: Vec<RatingErrors> = (0..50)
            .map(|u| [(f64::from(u % 7), 3.0), (2.0, 4.0)].into_iter().collect())
            .collect();
        let of = |seed, threads| of_errors(&errors, 100, seed, &Pool::new(threads));
        assert_eq!(of(1, 1), of(1, 3));
        assert_ne!(of(1, 1), of(2, 1));
        let whole = errors
            .iter()
            .fold(RatingErrors::default(), |mut all, of_user| {
                all.merge(of_user);
                all
            });
        let [rmse, mae] = of(1, 1);
        assert!(rmse.low < whole.rmse() && whole.rmse() < rmse.high);
        assert!(mae.low < whole.mae() && whole.mae() < mae.high);
    }

    #[test]
    fn a_users_rows_stay_together() {
        let test = Interactions {
            users: vec![9, 4, 9, 7],
            items: vec![0; 4],
            ratings: vec![1.0, 2.0, 3.0, 4.0],
            ..Interactions::default()
        };
        let users = users_of(&test);
        assert_eq!(users, (vec![2, 0, 2, 1], 3));
        let errors = errors_by_user(&users, &test.ratings, |n| n as f64);
        // Rows 0 and 2: errors −1 and −1.
        assert_eq!((errors[2].count(), errors[2].mae()), (2, 1.0));
    }
}
