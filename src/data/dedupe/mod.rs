//! What if a user rated an item twice?
//!
//! One rating a pair goes into training; which one is a choice.
//!
//! | policy | rating | weight | time | place in the order |
//! |---|---|---|---|---|
//! | `last` | that of the greatest time; of equal times (or none) the later line | its own | its own | its own |
//! | `first` | that of the least time; of equal times the earlier line | its own | its own | its own |
//! | `max` | the greatest; of equals the earlier line | its own | its own | its own |
//! | `mean` | r̄ = Σ c·r / Σ c | Σ c | that of `last` | that of the earliest line |
//! | `sum` | Σ r | the mean of c | that of `last` | that of the earliest line |
//! | `error` | refused, with both lines | | | |
//!
//! The weights of `mean` are what keeps the objective: Σ c·(ŷ − r)² = (Σ c)·(ŷ − r̄)² + a constant, so its slopes are those of all the
//! duplicates. (Without a column of weights each survivor counts once.) `sum` adds counts up, plays say, to one observation.
//!
//! Most files have no duplicates, so first the users who have any are looked for (`repeat`): 4 bytes a rating, side by side. Theirs are then sorted by
//! user, and one pass remembers for each item where this user has met it: O(ratings + users + items), no hashing.

use std::fmt;
use std::str::FromStr;

mod repeat;

use self::repeat::repeating_users;
use super::Interactions;
use crate::kernels::pool::{Pool, Task};
use crate::{Error, Result};

/// Which of several ratings of one pair is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dedupe {
    /// The latest.
    #[default]
    Last,
    /// The earliest.
    First,
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// The greatest.
    Max,
    /// None: two ratings of a pair are an error.
    Error,
}

impl Dedupe {
    pub(super) const ALL: [Dedupe; 6] = [
        Dedupe::Last,
        Dedupe::First,
        Dedupe::Mean,
        Dedupe::Sum,
        Dedupe::Max,
        Dedupe::Error,
    ];
}

impl fmt::Display for Dedupe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(["last", "first", "mean", "sum", "max", "error"][*self as usize])
    }
}

impl FromStr for Dedupe {
    type Err = Error;

    fn from_str(text: &str) -> Result<Dedupe> {
        Dedupe::ALL
            .into_iter()
            .find(|policy| policy.to_string() == text)
            .ok_or_else(|| {
                Error::config(
                    "dedupe",
                    super::reader::shown(text),
                    "last, first, mean, sum, max or error",
                )
            })
    }
}

/// How many duplicates there were, and what was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// What was done.
    pub policy: Dedupe,
    /// Pairs with more than one rating.
    pub pairs: usize,
    /// Ratings that went.
    pub dropped: usize,
}

/// Why duplicates could not be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clash {
    /// The rating `again` has the pair of the rating `first`, and the policy is `error`.
    Pair { first: usize, again: usize },
    /// The sum of the ratings of the pair that is first rated at `first` is not a finite number.
    Sum { first: usize },
}

/// Leaves one rating of each pair in `all`, whose users and items are below `n_users` and `n_items`.
pub(super) fn dedupe(
    all: &mut Interactions,
    n_users: usize,
    n_items: usize,
    policy: Dedupe,
    pool: &Pool,
) -> Result<Duplicates, Clash> {
    let users = repeating_users(&all.users, &all.items, n_users, n_items, pool);
    if users.is_empty() {
        return Ok(Duplicates {
            policy,
            ..Duplicates::default()
        });
    }
    settle(all, &users, n_users, n_items, policy, pool)
}

/// [`dedupe`] for data in which only the pairs of `users`, in rising order, stand more than once.
fn settle(
    all: &mut Interactions,
    users: &[u32],
    n_users: usize,
    n_items: usize,
    policy: Dedupe,
    pool: &Pool,
) -> Result<Duplicates, Clash> {
    let mut chosen = vec![false; n_users];
    users.iter().for_each(|&user| chosen[user as usize] = true);
    let (starts, order) = by_user(&all.users, n_users, |user| chosen[user as usize]);
    let mut keep = vec![true; all.len()];
    let mut report = Duplicates {
        policy,
        ..Duplicates::default()
    };
    let mut clash: Option<(usize, usize)> = None;
    // The pair of each item that the user in hand has rated: this user's number, and the chain's head below.
    let mut owner = vec![u32::MAX; n_items];
    let mut head = vec![0u32; n_items];
    // Chains of the user in hand with more than one link: (head, link), links in the order of lines.
    let mut links: Vec<(u32, u32)> = Vec::new();
    for &user in users {
        links.clear();
        let range = starts[user as usize] as usize..starts[user as usize + 1] as usize;
        for &position in &order[range] {
            let item = all.items[position as usize] as usize;
            if owner[item] == user {
                links.push((head[item], position));
            } else {
                owner[item] = user;
                head[item] = position;
            }
        }
        // Stable: links of a chain stay in the order of lines.
        links.sort_by_key(|&(head, _)| head);
        for chain in links.chunk_by(|a, b| a.0 == b.0) {
            report.pairs += 1;
            report.dropped += chain.len();
            let first = chain[0].0 as usize;
            match policy {
                Dedupe::Error => {
                    let again = chain[0].1 as usize;
                    if clash.is_none_or(|(_, earliest)| again < earliest) {
                        clash = Some((first, again));
                    }
                }
                Dedupe::Last | Dedupe::First | Dedupe::Max => {
                    let survivor = survivor(all, chain, policy);
                    keep[first] = first == survivor;
                    for &(_, link) in chain {
                        keep[link as usize] = link as usize == survivor;
                    }
                }
                Dedupe::Mean | Dedupe::Sum => {
                    merge(all, chain, policy)?;
                    for &(_, link) in chain {
                        keep[link as usize] = false;
                    }
                }
            }
        }
    }
    if let Some((first, again)) = clash {
        return Err(Clash::Pair { first, again });
    }
    drop(order);
    retain(all, &keep, pool);
    Ok(report)
}

/// Positions of the `chosen` users' ratings sorted by user, those of a user in rising order; and where each user's start.
pub(super) fn by_user(
    users: &[u32],
    n_users: usize,
    chosen: impl Fn(u32) -> bool,
) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; n_users + 1];
    for &user in users.iter().filter(|user| chosen(**user)) {
        starts[user as usize + 1] += 1;
    }
    for user in 0..n_users {
        starts[user + 1] += starts[user];
    }
    let mut next = starts.clone();
    let mut order = vec![0u32; starts[n_users] as usize];
    for (position, &user) in (0u32..).zip(users).filter(|(_, user)| chosen(**user)) {
        order[next[user as usize] as usize] = position;
        next[user as usize] += 1;
    }
    (starts, order)
}

/// The rating that is kept of the first of `chain` and its links.
fn survivor(all: &Interactions, chain: &[(u32, u32)], policy: Dedupe) -> usize {
    let time = |position: usize| all.timestamps.as_ref().map_or(0, |t| t[position]);
    let mut best = chain[0].0 as usize;
    for &(_, link) in chain {
        let link = link as usize;
        // Links come in the order of lines.
        let better = match policy {
            Dedupe::Last => time(link) >= time(best),
            Dedupe::First => time(link) < time(best),
            _ => all.ratings[link] > all.ratings[best],
        };
        if better {
            best = link;
        }
    }
    best
}

/// Puts the mean or sum of a chain into its first rating.
fn merge(all: &mut Interactions, chain: &[(u32, u32)], policy: Dedupe) -> Result<(), Clash> {
    let first = chain[0].0 as usize;
    let last = survivor(all, chain, Dedupe::Last);
    let count = chain.len() as f64 + 1.0;
    let (mut plain, mut weighted, mut weight) = (0.0, 0.0, 0.0);
    for position in std::iter::once(first).chain(chain.iter().map(|&(_, link)| link as usize)) {
        let rating = f64::from(all.ratings[position]);
        let c = all.weights.as_ref().map_or(1.0, |w| f64::from(w[position]));
        plain += rating;
        weighted += c * rating;
        weight += c;
    }
    let (rating, weight) = match policy {
        Dedupe::Sum => (plain, weight / count),
        // Ratings that all count nothing have a mean all the same.
        _ if weight > 0.0 => (weighted / weight, weight),
        _ => (plain / count, 0.0),
    };
    // A sum of weights may leave the range as well as one of ratings.
    let (rating, weight) = (rating as f32, weight as f32);
    if !rating.is_finite() || !weight.is_finite() {
        return Err(Clash::Sum { first });
    }
    all.ratings[first] = rating;
    if let Some(weights) = &mut all.weights {
        weights[first] = weight;
    }
    if let Some(timestamps) = &mut all.timestamps {
        timestamps[first] = timestamps[last];
    }
    Ok(())
}

/// Leaves what `keep` says, in order; a task for each column.
fn retain(all: &mut Interactions, keep: &[bool], pool: &Pool) {
    fn column<'a, T: Send>(values: &'a mut Vec<T>, keep: &'a [bool]) -> Task<'a> {
        Box::new(move || {
            let mut keep = keep.iter();
            values.retain(|_| keep.next() == Some(&true));
        })
    }
    let mut tasks = vec![
        column(&mut all.users, keep),
        column(&mut all.items, keep),
        column(&mut all.ratings, keep),
    ];
    tasks.extend(all.weights.as_mut().map(|weights| column(weights, keep)));
    tasks.extend(all.timestamps.as_mut().map(|times| column(times, keep)));
    pool.beside(tasks, || ());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Pair (0, 0) at positions 0, 2, 4 and pair (1, 0) at 1, 3.
    fn ratings() -> Interactions {
        Interactions {
            users: vec![0, 1, 0, 1, 0],
            items: vec![0; 5],
            ratings: vec![3.0, 1.0, 5.0, 1.0, 5.0],
            weights: Some(vec![1.0, 2.0, 3.0, 2.0, 0.0]),
            timestamps: Some(vec![20, 7, 30, 7, 10]),
        }
    }

    /// (rating, weight, time) of each survivor, and the users in order.
    fn after(policy: Dedupe) -> (Vec<u32>, Vec<(f32, f32, i64)>) {
        let mut all = ratings();
        let report = dedupe(&mut all, 2, 1, policy, &Pool::new(2)).unwrap();
        assert_eq!((report.pairs, report.dropped), (2, 3));
        let (weights, timestamps) = (all.weights.unwrap(), all.timestamps.unwrap());
        let rows = (0..all.ratings.len()).map(|n| (all.ratings[n], weights[n], timestamps[n]));
        (all.users, rows.collect())
    }

    #[test]
    fn each_policy_keeps_what_its_row_of_the_table_says() {
        assert_eq!(
            after(Dedupe::Last),
            (vec![0, 1], vec![(5.0, 3.0, 30), (1.0, 2.0, 7)])
        );
        assert_eq!(
            after(Dedupe::First),
            (vec![1, 0], vec![(1.0, 2.0, 7), (5.0, 0.0, 10)])
        );
        assert_eq!(
            after(Dedupe::Max),
            (vec![1, 0], vec![(1.0, 2.0, 7), (5.0, 3.0, 30)])
        );
        assert_eq!(
            after(Dedupe::Mean),
            (vec![0, 1], vec![(4.5, 4.0, 30), (1.0, 4.0, 7)])
        );
        // (1 + 3 + 0) / 3 is the f32 nearest to 4/3.
        assert_eq!(
            after(Dedupe::Sum),
            (vec![0, 1], vec![(13.0, 4.0 / 3.0, 30), (2.0, 2.0, 7)])
        );
        let clash = dedupe(&mut ratings(), 2, 1, Dedupe::Error, &Pool::new(1)).unwrap_err();
        assert_eq!(clash, Clash::Pair { first: 0, again: 2 });
    }

    #[test]
    fn without_times_last_is_the_last_line() {
        let mut all = ratings();
        (all.timestamps, all.weights) = (None, None);
        dedupe(&mut all, 2, 1, Dedupe::Last, &Pool::new(1)).unwrap();
        assert_eq!((all.users, all.ratings), (vec![1, 0], vec![1.0, 5.0]));
    }

    #[test]
    fn a_sum_that_is_not_finite_is_refused() {
        let mut all = ratings();
        all.ratings.fill(3e38);
        assert!(matches!(
            dedupe(&mut all, 2, 1, Dedupe::Sum, &Pool::new(1)),
            Err(Clash::Sum { .. })
        ));
    }

    #[test]
    fn names_are_those_of_the_flag() {
        for policy in Dedupe::ALL {
            assert_eq!(policy.to_string().parse::<Dedupe>().unwrap(), policy);
        }
        assert!("Latest".parse::<Dedupe>().is_err());
    }

    proptest! {
        /// The definition, with a map from pairs to lines.
        #[test]
        fn the_fast_pass_does_what_the_definition_says(
            rows in proptest::collection::vec((0u32..5, 0u32..5, 0u8..4, 0i64..4), 0..60),
            timed in any::<bool>(),
        ) {
            let all = Interactions {
                users: rows.iter().map(|r| r.0).collect(),
                items: rows.iter().map(|r| r.1).collect(),
                ratings: rows.iter().map(|r| f32::from(r.2)).collect(),
                weights: None,
                timestamps: timed.then(|| rows.iter().map(|r| r.3).collect()),
            };
            let mut pairs: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
            for (n, row) in rows.iter().enumerate() {
                pairs.entry((row.0, row.1)).or_default().push(n);
            }
            let time = |n: usize| if timed { rows[n].3 } else { 0 };
            for policy in [Dedupe::Last, Dedupe::First, Dedupe::Max] {
                let mut kept: Vec<usize> = pairs.values().map(|lines| *match policy {
                    Dedupe::Last => lines.iter().max_by_key(|&&n| (time(n), n)),
                    Dedupe::First => lines.iter().min_by_key(|&&n| (time(n), n)),
                    _ => lines.iter().max_by_key(|&&n| (rows[n].2, usize::MAX - n)),
                }.unwrap()).collect();
                kept.sort_unstable();
                let mut fast = all.clone();
                let report = dedupe(&mut fast, 5, 5, policy, &Pool::new(1)).unwrap();
                prop_assert_eq!(&fast, &all.select(&kept));
                prop_assert_eq!(report.dropped, rows.len() - kept.len());
            }
        }
    }
}
