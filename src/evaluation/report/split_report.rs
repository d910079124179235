//! Is a test set fit to judge what was trained beside it?
//!
//! | question | a good split |
//! |---|---|
//! | which test pairs are in training too? | none: they are remembered, not predicted |
//! | which pairs stand twice? | none: they count twice |
//! | which test rows are of users or items that training never saw? | few, or on purpose |
//! | for which test rows does training know what the same user did later? | none, for a forecast |
//! | for which does it know what anybody did later? | none, for a forecast |
//!
//! ```text
//! own future(u, i, t)  = training has a rating of u later than t
//! any future(u, i, t)  = training has a rating of anybody later than t
//! ```
//!
//! A random split has much of both, and its errors flatter a model that will be asked about next week.

use crate::data::Interactions;

/// What is to be known of a split.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize))]
pub struct SplitReport {
    /// Rows for training.
    pub train_rows: u64,
    /// Rows of the test.
    pub test_rows: u64,
    /// Test rows whose pair is in training too.
    pub leaked_rows: u64,
    /// Training rows beyond the first of their pair.
    pub train_duplicates: u64,
    /// Test rows beyond the first of their pair.
    pub test_duplicates: u64,
    /// Different users of the test.
    pub test_users: u64,
    /// Different items of the test.
    pub test_items: u64,
    /// Those of them without a training row.
    pub cold_users: u64,
    /// Likewise.
    pub cold_items: u64,
    /// Test rows of a cold user or item.
    pub cold_rows: u64,
    /// What times say; `None` where one of the two has none.
    pub times: Option<TimeReport>,
}

/// What the times of a split say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize))]
pub struct TimeReport {
    /// First and last time in training.
    pub train: [i64; 2],
    /// First and last time in the test.
    pub test: [i64; 2],
    /// Test rows for which training has a later row of the same user.
    pub own_future_rows: u64,
    /// Test rows for which training has a later row of anybody.
    pub any_future_rows: u64,
    /// Training rows later than the first of the test.
    pub train_rows_after_test_begins: u64,
}

impl SplitReport {
    /// Of a training and a test set that share the numbers of users and items. Neither may be empty. Cost: a sort of the pairs of each.
    ///
    /// ```
    /// use lowrank::data::Interactions;
    /// use lowrank::evaluation::SplitReport;
    /// let of = |rows: &[(u32, u32)]| Interactions {
    ///     users: rows.iter().map(|r| r.0).collect(),
    ///     items: rows.iter().map(|r| r.1).collect(),
    ///     ratings: vec![3.0; rows.len()],
    ///     ..Interactions::default()
    /// };
    /// let report = SplitReport::new(&of(&[(0, 0), (0, 1), (1, 0)]), &of(&[(0, 1), (2, 0)]));
    /// assert_eq!((report.leaked_rows, report.cold_users, report.cold_rows), (1, 1, 1));
    /// ```
    pub fn new(train: &Interactions, test: &Interactions) -> SplitReport {
        let (train_pairs, test_pairs) = (pairs(train), pairs(test));
        let is_leaked = |pair: &&u64| train_pairs.binary_search(pair).is_ok();
        let (known_users, known_items) = (known(&train.users), known(&train.items));
        let cold = |known: &[bool], row: u32| !known.get(row as usize).copied().unwrap_or(false);
        let (users, items) = (distinct(&test.users), distinct(&test.items));
        let cold_row =
            |&n: &usize| cold(&known_users, test.users[n]) || cold(&known_items, test.items[n]);
        SplitReport {
            train_rows: train.len() as u64,
            test_rows: test.len() as u64,
            leaked_rows: test_pairs.iter().filter(is_leaked).count() as u64,
            train_duplicates: repeated(&train_pairs),
            test_duplicates: repeated(&test_pairs),
            test_users: users.len() as u64,
            test_items: items.len() as u64,
            cold_users: users.iter().filter(|&&u| cold(&known_users, u)).count() as u64,
            cold_items: items.iter().filter(|&&i| cold(&known_items, i)).count() as u64,
            cold_rows: (0..test.len()).filter(cold_row).count() as u64,
            times: TimeReport::new(train, test),
        }
    }

    /// What is wrong with it, a line each.
    pub fn warnings(&self) -> Vec<String> {
        let share = |rows: u64| 100.0 * rows as f64 / self.test_rows as f64;
        let mut warnings = Vec::new();
        if self.leaked_rows > 0 {
            let rows = self.leaked_rows;
            warnings.push(format!(
                "{rows} test rows ({:.1} %) have a pair that is in training too: their rating may be known already",
                share(rows)
            ));
        }
        if self.test_duplicates > 0 {
            let rows = self.test_duplicates;
            warnings.push(format!(
                "{rows} test rows repeat a pair of the test: it counts more than once"
            ));
        }
        let own = self.times.as_ref().map_or(0, |times| times.own_future_rows);
        if own > 0 {
            warnings.push(format!(
                "for {own} test rows ({:.1} %) training knows what the same user rated later: fine for filling gaps, too kind for a forecast",
                share(own)
            ));
        }
        warnings
    }
}

impl TimeReport {
    fn new(train: &Interactions, test: &Interactions) -> Option<TimeReport> {
        let (of_train, of_test) = (train.timestamps.as_ref()?, test.timestamps.as_ref()?);
        let ends = |times: &[i64]| Some([*times.iter().min()?, *times.iter().max()?]);
        let (train_ends, test_ends) = (ends(of_train)?, ends(of_test)?);
        let n_users = train
            .users
            .iter()
            .max()
            .map_or(0, |&user| user as usize + 1);
        let mut latest: Vec<Option<i64>> = vec![None; n_users];
        for (&user, &time) in train.users.iter().zip(of_train) {
            let latest = &mut latest[user as usize];
            *latest = (*latest).max(Some(time));
        }
        let own = |(&user, &time): (&u32, &i64)| {
            let latest = latest.get(user as usize).copied().flatten();
            latest.is_some_and(|latest| latest > time)
        };
        let rows = test.users.iter().zip(of_test);
        Some(TimeReport {
            own_future_rows: rows.filter(|row| own(*row)).count() as u64,
            any_future_rows: of_test.iter().filter(|&&t| t < train_ends[1]).count() as u64,
            train_rows_after_test_begins: of_train.iter().filter(|&&t| t > test_ends[0]).count()
                as u64,
            train: train_ends,
            test: test_ends,
        })
    }
}

/// All pairs, sorted.
fn pairs(ratings: &Interactions) -> Vec<u64> {
    let both = ratings.users.iter().zip(&ratings.items);
    let mut pairs: Vec<u64> = both
        .map(|(&u, &i)| u64::from(u) << 32 | u64::from(i))
        .collect();
    pairs.sort_unstable();
    pairs
}

fn repeated(sorted: &[u64]) -> u64 {
    sorted.windows(2).filter(|w| w[0] == w[1]).count() as u64
}

fn known(rows: &[u32]) -> Vec<bool> {
    let n = rows.iter().max().map_or(0, |&row| row as usize + 1);
    let mut known = vec![false; n];
    rows.iter().for_each(|&row| known[row as usize] = true);
    known
}

fn distinct(rows: &[u32]) -> Vec<u32> {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    rows.dedup();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(u32, u32, i64)]) -> Interactions {
        Interactions {
            users: rows.iter().map(|r| r.0).collect(),
            items: rows.iter().map(|r| r.1).collect(),
            ratings: vec![3.0; rows.len()],
            timestamps: Some(rows.iter().map(|r| r.2).collect()),
            weights: None,
        }
    }

    #[test]
    fn a_split_can_be_worked_by_hand() {
        let train = rows(&[(0, 0, 10), (0, 1, 40), (1, 0, 20), (1, 0, 25), (3, 5, 30)]);
        let test = rows(&[
            (0, 1, 35),
            (1, 1, 30),
            (1, 1, 22),
            (2, 0, 50),
            (0, 9, 40),
            (7, 8, 5),
        ]);
        let report = SplitReport::new(&train, &test);
        let wanted = SplitReport {
            train_rows: 5,
            test_rows: 6,
            leaked_rows: 1,
            train_duplicates: 1,
            test_duplicates: 1,
            test_users: 4,
            test_items: 4,
            // 2 and 7; 8 and 9.
            cold_users: 2,
            cold_items: 2,
            cold_rows: 3,
            times: Some(TimeReport {
                train: [10, 40],
                test: [5, 50],
                // (0, 1, 35) before 40 and (1, 1, 22) before 25; (0, 9, 40) is at 40.
                own_future_rows: 2,
                // 35, 30, 22, 5.
                any_future_rows: 4,
                train_rows_after_test_begins: 5,
            }),
        };
        assert_eq!(report, wanted);
        assert_eq!(report.warnings().len(), 3);
    }

    #[test]
    fn a_clean_split_has_no_warning() {
        let report = SplitReport::new(
            &rows(&[(0, 0, 1), (1, 1, 2)]),
            &rows(&[(0, 1, 3), (1, 0, 4)]),
        );
        assert_eq!((report.leaked_rows, report.cold_rows), (0, 0));
        assert!(report.warnings().is_empty());
        let mut timeless = rows(&[(0, 1, 3)]);
        timeless.timestamps = None;
        assert_eq!(SplitReport::new(&rows(&[(0, 0, 1)]), &timeless).times, None);
    }
}
