//! Where is a model good, and where not?
//!
//! One mean hides a model that is right about blockbusters and wrong about everything else. The test rows are cut five ways; each way every row is in one slice.
//!
//! | by | slices |
//! |---|---|
//! | user | `warm`, `cold`: training has no rating of the user |
//! | item | `warm`, `cold`: training has no rating of the item |
//! | item popularity | `head`, `mid`, `tail`, `cold` |
//! | user activity | `heavy`, `medium`, `light`, `cold` |
//! | time | `first quarter` … `last quarter` of the test rows, where they have times |
//!
//! ```text
//! band(i)    = ⌊3 · (training ratings of the items before i) / (training ratings)⌋                  items by training ratings, most first: a third of the ratings each
//! quarter(n) = ⌊4 · |{ m : t_m < t_n }| / n_rows⌋                                                  equal times stay together
//! ```

use crate::data::Interactions;
use crate::metrics::RatingErrors;

/// Some test rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// What the rows are cut by.
    pub by: &'static str,
    /// Which part.
    pub name: &'static str,
    /// The test rows in it.
    pub rows: Vec<u32>,
}

const WARMTH: [&str; 2] = ["warm", "cold"];
const POPULARITY: [&str; 4] = ["head", "mid", "tail", "cold"];
const ACTIVITY: [&str; 4] = ["heavy", "medium", "light", "cold"];
const QUARTERS: [&str; 4] = [
    "first quarter",
    "second quarter",
    "third quarter",
    "last quarter",
];

/// All slices that have a row. The counts are the training ratings of each user and item; a test row beyond them is of one without any.
pub fn slices(test: &Interactions, user_counts: &[u32], item_counts: &[u32]) -> Vec<Slice> {
    let cold = |counts: &[u32], row: u32| counts.get(row as usize).is_none_or(|&n| n == 0);
    let warmth = |counts: &[u32], rows: &[u32]| -> Vec<usize> {
        rows.iter()
            .map(|&row| usize::from(cold(counts, row)))
            .collect()
    };
    let banded = |counts: &[u32], rows: &[u32]| -> Vec<usize> {
        let bands = bands(counts);
        rows.iter()
            .map(|&row| bands.get(row as usize).copied().unwrap_or(3))
            .collect()
    };
    let mut all = cut("user", &WARMTH, &warmth(user_counts, &test.users));
    all.extend(cut("item", &WARMTH, &warmth(item_counts, &test.items)));
    all.extend(cut(
        "item popularity",
        &POPULARITY,
        &banded(item_counts, &test.items),
    ));
    all.extend(cut(
        "user activity",
        &ACTIVITY,
        &banded(user_counts, &test.users),
    ));
    if let Some(times) = &test.timestamps {
        all.extend(cut("time", &QUARTERS, &quarters(times)));
    }
    all
}

/// The errors of the rows of a slice.
pub fn errors_of(
    slice: &Slice,
    ratings: &[f32],
    prediction: impl Fn(usize) -> f64,
) -> RatingErrors {
    let rows = slice.rows.iter().map(|&n| n as usize);
    rows.map(|n| (prediction(n), f64::from(ratings[n])))
        .collect()
}

fn cut(by: &'static str, names: &[&'static str], part_of: &[usize]) -> Vec<Slice> {
    let slice = |(part, &name)| Slice {
        by,
        name,
        rows: (0u32..)
            .zip(part_of)
            .filter(|(_, of)| **of == part)
            .map(|(row, _)| row)
            .collect(),
    };
    let slices = names.iter().enumerate().map(slice);
    slices.filter(|slice| !slice.rows.is_empty()).collect()
}

/// The third that each row is in; 3 for one without ratings.
fn bands(counts: &[u32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&row| std::cmp::Reverse(counts[row]));
    let total: u64 = counts.iter().map(|&n| u64::from(n)).sum();
    let mut bands = vec![3; counts.len()];
    let mut before = 0;
    for row in order.into_iter().filter(|&row| counts[row] > 0) {
        bands[row] = (3 * before / total) as usize;
        before += u64::from(counts[row]);
    }
    bands
}

fn quarters(times: &[i64]) -> Vec<usize> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let earlier = |time: &i64| sorted.partition_point(|t| t < time);
    times
        .iter()
        .map(|time| 4 * earlier(time) / times.len())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_is_a_third_of_the_ratings() {
        // 12 ratings. Before item 1: 0; item 3: 4; item 0: 7; item 2: 9; item 5: 11. Item 4 has none.
        assert_eq!(bands(&[2, 4, 2, 3, 0, 1]), [1, 0, 2, 1, 3, 2]);
        assert_eq!(bands(&[0, 0]), [3, 3]);
        assert_eq!(bands(&[9]), [0]);
    }

    #[test]
    fn equal_times_are_in_one_quarter() {
        assert_eq!(
            quarters(&[50, 10, 20, 30, 40, 60, 70, 80]),
            [2, 0, 0, 1, 1, 2, 3, 3]
        );
        assert_eq!(quarters(&[5, 5, 5, 5, 9]), [0, 0, 0, 0, 3]);
    }

    #[test]
    fn every_way_of_cutting_has_every_row_once() {
        let n = 200u32;
        let test = Interactions {
            users: (0..n).map(|n| n % 12).collect(),
            items: (0..n).map(|n| n * 7 % 23).collect(),
            ratings: (0..n).map(|n| (n % 5) as f32).collect(),
            timestamps: Some((0..n).map(|n| i64::from(n * 31 % 97)).collect()),
            weights: None,
        };
        let user_counts: Vec<u32> = (0..10).map(|u| u * 3).collect();
        let item_counts: Vec<u32> = (0..20).map(|i| i % 4).collect();
        let all = slices(&test, &user_counts, &item_counts);
        for by in ["user", "item", "item popularity", "user activity", "time"] {
            let mut rows: Vec<u32> = all
                .iter()
                .filter(|s| s.by == by)
                .flat_map(|s| s.rows.clone())
                .collect();
            rows.sort_unstable();
            assert!(rows.into_iter().eq(0..n), "{by}");
        }
        let cold = all
            .iter()
            .find(|s| s.by == "user" && s.name == "cold")
            .unwrap();
        // Users 0 (no ratings), 10 and 11 (beyond).
        let wanted = |row: &u32| matches!(test.users[*row as usize], 0 | 10 | 11);
        assert!(cold.rows.iter().copied().eq((0..n).filter(wanted)));
        let same = all
            .iter()
            .find(|s| s.by == "user activity" && s.name == "cold")
            .unwrap();
        assert_eq!(same.rows, cold.rows);
        let errors = errors_of(cold, &test.ratings, |n| f64::from(test.ratings[n]) + 2.0);
        assert_eq!(
            (errors.count(), errors.rmse()),
            (cold.rows.len() as u64, 2.0)
        );
        let timeless = Interactions {
            timestamps: None,
            ..test
        };
        assert!(
            slices(&timeless, &user_counts, &item_counts)
                .iter()
                .all(|s| s.by != "time")
        );
    }
}
