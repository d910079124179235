//! How does every rating come to be held out once?
//!
//! A split judges by one part of the ratings; folds judge by all of them in turn.
//!
//! ```text
//! random    a random order, dealt to the k folds in turn: sizes differ by one at most
//! user      each user's ratings in a random order, dealt in turn, the next user where the last one ended: of every user each fold has the same
//!           number, give or take one. A user with a single rating is unknown to the training of one fold.
//! time      k + 1 slices of equal size, by time and then line. Fold j trains on all slices before its own and tests on its own; the first slice is
//!           tested by none: nothing is ever predicted from what came later
//! given     a file of `row,fold`: the rating on row r, counted from 0 without the header, is tested by that fold
//! ```
//!
//! But for time, fold j tests what was dealt to it and trains on the rest. Both parts keep the order of their ratings.

use std::path::Path;

use super::super::dedupe::by_user;
use super::{Dataset, Halves};
use crate::random::Stream;
use crate::storage::read_at_most;
use crate::{Error, Result};

/// How ratings are dealt to folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldRule {
    /// All ratings alike.
    Random,
    /// Each user's ratings evenly.
    User,
    /// In the order of time; training never sees what comes later.
    Time,
}

/// Which fold tests which rating.
///
/// ```
/// use lowrank::data::{Dataset, FoldRule, Folds};
/// let data = Dataset::builder()
///     .rows((0..10).map(|n| ("ann", format!("film {n}"), n as f32)))?
///     .build()?;
/// let folds = Folds::deal(&data, FoldRule::Random, 5, 42)?;
/// let mut tested: Vec<f32> = Vec::new();
/// for fold in 0..folds.len() {
///     let halves = folds.halves(&data, fold)?;
///     assert_eq!((halves.train.n_ratings(), halves.valid.n_ratings()), (8, 2));
///     tested.extend(&halves.valid.interactions.ratings);
/// }
/// tested.sort_by(f32::total_cmp);
/// assert_eq!(tested, data.interactions.ratings);
/// # Ok::<(), lowrank::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folds {
    /// The fold of each rating; by time, its slice.
    of: Vec<u32>,
    n: usize,
    by_time: bool,
}

impl Folds {
    /// Deals the ratings of `data` to `n` folds; `seed` draws, but not by time.
    ///
    /// # Errors
    /// [`Error::Config`] for fewer than 2 folds, for more than there are ratings, and by time for ratings without times.
    pub fn deal(data: &Dataset, rule: FoldRule, n: usize, seed: u64) -> Result<Folds> {
        let ratings = data.in_memory("dealing them to folds")?;
        let by_time = rule == FoldRule::Time;
        let parts = n.saturating_add(usize::from(by_time));
        if n < 2 || parts > ratings.len() {
            let most = ratings.len().saturating_sub(usize::from(by_time));
            let wanted = format!("a whole number from 2 to {most}, as many ratings allow");
            return Err(Error::config("folds", n, wanted));
        }
        let mut of = vec![0; ratings.len()];
        let mut stream = Stream::new(seed, "folds");
        match rule {
            FoldRule::Random => {
                let mut order: Vec<u32> = (0..ratings.len() as u32).collect();
                stream.shuffle(&mut order);
                for (turn, &position) in order.iter().enumerate() {
                    of[position as usize] = (turn % n) as u32;
                }
            }
            FoldRule::User => {
                let (starts, mut order) = by_user(&ratings.users, data.n_users(), |_| true);
                for own in starts.windows(2) {
                    stream.shuffle(&mut order[own[0] as usize..own[1] as usize]);
                }
                for (turn, &position) in order.iter().enumerate() {
                    of[position as usize] = (turn % n) as u32;
                }
            }
            FoldRule::Time => {
                let Some(times) = &ratings.timestamps else {
                    let wanted = "random or user, or a timestamp column";
                    return Err(Error::config(
                        "by",
                        "time, of ratings without times",
                        wanted,
                    ));
                };
                let mut order: Vec<u32> = (0..ratings.len() as u32).collect();
                order.sort_unstable_by_key(|&position| (times[position as usize], position));
                for (rank, &position) in order.iter().enumerate() {
                    of[position as usize] = (rank * parts / ratings.len()) as u32;
                }
            }
        }
        Ok(Folds { of, n, by_time })
    }

    /// Reads which fold tests which rating of `data`: lines of `row,fold`, both counted from 0, after a header or without one. Rows are those of the file of ratings.
    ///
    /// # Errors
    /// [`Error::Line`] for a line that is none, a row that is not there or stands twice; [`Error::File`] where a row or a fold is missing, or where duplicates were settled, so that
    /// rows of the file are no longer those of the data.
    pub fn read(path: impl AsRef<Path>, data: &Dataset) -> Result<Folds> {
        let path = path.as_ref();
        let whole = |got: String, wanted: &str| Error::File {
            path: path.into(),
            got,
            wanted: wanted.into(),
        };
        let n_ratings = data.in_memory("a file of folds")?.len();
        let rows = data.report.rows;
        if rows != 0 && rows != n_ratings as u64 {
            return Err(whole(
                format!(
                    "folds of {rows} rows, of which {n_ratings} are left when duplicates are settled"
                ),
                "folds for ratings without duplicates: their rows keep their numbers",
            ));
        }
        let bytes = read_at_most(path, LONGEST_LINE.saturating_mul(n_ratings as u64 + 2))?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| whole("bytes that are not UTF-8".into(), "lines of row,fold"))?;
        let text = text.trim_start_matches('\u{feff}');
        let mut of = vec![u32::MAX; n_ratings];
        for (n, line) in text.lines().enumerate() {
            let bad = |column, got: &str, wanted: String| Error::Line {
                path: path.into(),
                line: n as u64 + 1,
                column,
                got: super::super::reader::shown(got),
                wanted,
            };
            if line.trim().is_empty() || (n == 0 && line.replace(' ', "") == "row,fold") {
                continue;
            }
            let (row, fold) = line
                .split_once(',')
                .ok_or_else(|| bad(1, line, "a row and its fold, as in 0,3".into()))?;
            let row = row
                .trim()
                .parse()
                .ok()
                .filter(|&row: &usize| row < n_ratings);
            let row =
                row.ok_or_else(|| bad(1, line, format!("a row from 0 to {}", n_ratings - 1)))?;
            if of[row] != u32::MAX {
                return Err(bad(1, line, "each row once".into()));
            }
            let number = fold
                .trim()
                .parse()
                .ok()
                .filter(|&fold: &u32| (fold as usize) < n_ratings);
            of[row] = number
                .ok_or_else(|| bad(2, fold, "the number of a fold, counted from 0".into()))?;
        }
        if let Some(row) = of.iter().position(|&fold| fold == u32::MAX) {
            return Err(whole(
                format!("no fold for row {row}"),
                "one for each rating",
            ));
        }
        let n = of.iter().max().map_or(0, |&last| last as usize + 1);
        let mut there = vec![false; n];
        of.iter().for_each(|&fold| there[fold as usize] = true);
        match there.iter().position(|&there| !there) {
            Some(fold) => Err(whole(
                format!("no row for fold {fold}"),
                "folds numbered from 0 without a gap",
            )),
            None if n < 2 => Err(whole("a single fold".into(), "2 or more")),
            None => Ok(Folds {
                of,
                n,
                by_time: false,
            }),
        }
    }

    /// The number of folds.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Never: there are two or more.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// What fold `fold` of `data` trains on, and what it tests, as `valid`.
    ///
    /// # Errors
    /// [`Error::Config`] where nothing is left to train on.
    ///
    /// # Panics
    /// Where there is no such fold, or `data` are not those that were dealt.
    pub fn halves(&self, data: &Dataset, fold: usize) -> Result<Halves> {
        assert!(fold < self.n, "fold {fold} of {}", self.n);
        let ratings = data.in_memory("a fold")?;
        assert_eq!(self.of.len(), ratings.len(), "folds of other data");
        let tested = (fold + usize::from(self.by_time)) as u32;
        let (mut train, mut valid) = (Vec::new(), Vec::new());
        for (position, &part) in self.of.iter().enumerate() {
            if part == tested {
                valid.push(position);
            } else if !self.by_time || part < tested {
                train.push(position);
            }
        }
        Ok(Halves {
            train: data.with(ratings.select(&train)),
            valid: data.with(ratings.select(&valid)),
        })
    }
}

/// Bytes of a line of a file of folds: two numbers, a comma, an end, and room to spare.
const LONGEST_LINE: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::file_system::folder::TestFolder;

    /// User 0 with 6 ratings, 1 with 1, 2 with 4; the rating is the position, times fall and repeat.
    fn data() -> Dataset {
        let users = ["a", "c", "a", "b", "c", "c", "a", "c", "a", "a", "a"];
        let rows = users.into_iter().enumerate();
        let rows = rows.map(|(n, user)| (user, format!("film {n}"), n as f32));
        let mut data = Dataset::builder().rows(rows).unwrap().build().unwrap();
        data.interactions.timestamps = Some(vec![5, 5, 9, 1, 8, 8, 9, 2, 0, 7, 7]);
        data
    }

    fn ratings(data: &Dataset) -> Vec<u32> {
        data.interactions
            .ratings
            .iter()
            .map(|&r| r as u32)
            .collect()
    }

    #[test]
    fn dealt_ratings_are_tested_once_and_trained_on_otherwise() {
        let data = data();
        for rule in [FoldRule::Random, FoldRule::User] {
            for seed in 0..20 {
                let folds = Folds::deal(&data, rule, 3, seed).unwrap();
                let mut tested = Vec::new();
                for fold in 0..3 {
                    let halves = folds.halves(&data, fold).unwrap();
                    let (train, valid) = (ratings(&halves.train), ratings(&halves.valid));
                    assert!(train.is_sorted() && valid.is_sorted(), "the order is kept");
                    assert!((3..=4).contains(&valid.len()), "{valid:?}");
                    let mut all = [train, valid.clone()].concat();
                    all.sort_unstable();
                    assert_eq!(all, (0..11).collect::<Vec<_>>());
                    if rule == FoldRule::User {
                        let of = |user| {
                            halves
                                .valid
                                .interactions
                                .users
                                .iter()
                                .filter(|&&u| u == user)
                                .count()
                        };
                        assert_eq!(of(0), 2);
                        assert!((1..=2).contains(&of(1)) && of(2) <= 1);
                    }
                    tested.extend(valid);
                }
                tested.sort_unstable();
                assert_eq!(tested, (0..11).collect::<Vec<_>>());
            }
        }
        let of = |seed| Folds::deal(&data, FoldRule::Random, 3, seed).unwrap();
        assert_eq!(of(1), of(1));
        assert!((0..20).any(|seed| of(seed) != of(1)));
    }

    #[test]
    fn by_time_nothing_is_predicted_from_what_came_later() {
        let data = data();
        // By time and line: 8 3 7 | 0 1 9 | 10 4 5 | 2 6, the four slices of rank·4/11.
        let folds = Folds::deal(&data, FoldRule::Time, 3, 1).unwrap();
        let found: Vec<_> = (0..3)
            .map(|fold| folds.halves(&data, fold).unwrap())
            .map(|halves| (ratings(&halves.train), ratings(&halves.valid)))
            .collect();
        let wanted = [
            (vec![3, 7, 8], vec![0, 1, 9]),
            (vec![0, 1, 3, 7, 8, 9], vec![4, 5, 10]),
            (vec![0, 1, 3, 4, 5, 7, 8, 9, 10], vec![2, 6]),
        ];
        assert_eq!(found, wanted);
        let mut timeless = data;
        timeless.interactions.timestamps = None;
        assert!(Folds::deal(&timeless, FoldRule::Time, 3, 1).is_err());
    }

    #[test]
    fn too_few_and_too_many_folds_are_refused() {
        for (rule, n, ok) in [
            (FoldRule::Random, 1, false),
            (FoldRule::Random, 11, true),
            (FoldRule::Random, 12, false),
            (FoldRule::Time, 10, true),
            (FoldRule::Time, 11, false),
            (FoldRule::User, usize::MAX, false),
        ] {
            assert_eq!(Folds::deal(&data(), rule, n, 1).is_ok(), ok, "{rule:?} {n}");
        }
    }

    #[test]
    fn a_file_of_folds_is_followed_and_its_faults_have_lines() {
        let folder = TestFolder::new("folds");
        let path = folder.0.join("folds.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let rows = (0..4).map(|n| ("a", format!("{n}"), n as f32));
            let data = Dataset::builder().rows(rows).unwrap().build().unwrap();
            Folds::read(&path, &data).map(|folds| folds.of)
        };
        assert_eq!(
            read("row,fold\r\n0,1\n3,0\n\n1,0\n2,2\n").unwrap(),
            [1, 0, 2, 0]
        );
        assert_eq!(read("0,1\n3,0\n1,0\n2,0").unwrap(), [1, 0, 0, 0]);
        for (text, wanted) in [
            (
                "row,fold\n0,1\n0,1\n",
                "line 3, column 1: got \"0,1\", wanted each row once",
            ),
            (
                "0,1\n4,1\n",
                "line 2, column 1: got \"4,1\", wanted a row from 0 to 3",
            ),
            (
                "0,1\n1,-1\n",
                "line 2, column 2: got \"-1\", wanted the number of a fold",
            ),
            ("0,1\n1,4000000000\n", "line 2, column 2"),
            ("fold,row\n", "line 1, column 1"),
            (
                "0;1\n",
                "line 1, column 1: got \"0;1\", wanted a row and its fold",
            ),
            ("0,1\n1,0\n2,0\n", "no fold for row 3"),
            ("0,1\n1,1\n2,1\n3,3\n", "no row for fold 0"),
            ("0,0\n1,0\n2,0\n3,0\n", "a single fold"),
            (&"x".repeat(1000), "a shorter file"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn a_file_of_folds_does_not_go_with_settled_duplicates() {
        let folder = TestFolder::new("folds-twice");
        let path = folder.0.join("folds.csv");
        std::fs::write(&path, "0,0\n1,1\n2,1\n").unwrap();
        let rows = [("a", "x", 1.0), ("a", "x", 2.0), ("a", "y", 3.0)];
        let data = Dataset::builder().rows(rows).unwrap().build().unwrap();
        let error = Folds::read(&path, &data).unwrap_err().to_string();
        assert!(error.contains("3 rows, of which 2 are left"), "{error}");
    }
}
