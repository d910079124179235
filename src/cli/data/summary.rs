//! What do ratings look like, and what looks wrong with them?

use std::collections::HashMap;

use serde::Serialize;

use crate::data::{Dataset, Ids};

/// More distinct ratings than this are shown in bins.
const MAX_BARS: usize = 20;
/// The bins of many distinct ratings.
const BINS: usize = 10;

/// What a set of ratings holds; also its JSON.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// After duplicates went.
    pub(super) ratings: u64,
    pub(super) users: u64,
    pub(super) items: u64,
    /// ratings / (users · items)
    pub(super) density: f64,
    pub(super) duplicates: Duplicates,
    pub(super) scale: [f32; 2],
    pub(super) mean: f64,
    pub(super) standard_deviation: f64,
    pub(super) histogram: Vec<Bar>,
    pub(super) ratings_per_user: Quantiles,
    pub(super) ratings_per_item: Quantiles,
    pub(super) timestamps: Option<[i64; 2]>,
    pub(super) warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Duplicates {
    /// Pairs with several ratings.
    pub(super) pairs: u64,
    /// Ratings that went.
    pub(super) dropped: u64,
}

/// The ratings from `from` to `to`: both ends in the last bar, and where they are equal; elsewhere without `to`.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Bar {
    pub(super) from: f32,
    pub(super) to: f32,
    pub(super) count: u64,
}

/// Of the users or items that have ratings.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Quantiles {
    pub(super) least: u64,
    pub(super) quarter: u64,
    pub(super) median: u64,
    pub(super) three_quarters: u64,
    pub(super) greatest: u64,
}

impl Summary {
    pub(super) fn of(data: &Dataset) -> Summary {
        let ratings = &data.interactions;
        let n = ratings.len() as f64;
        let mean = ratings.ratings.iter().map(|&r| f64::from(r)).sum::<f64>() / n;
        let variance = ratings
            .ratings
            .iter()
            .map(|&r| (f64::from(r) - mean).powi(2))
            .sum::<f64>()
            / n;
        let (lo, hi) = ratings.scale().unwrap_or_default();
        let per_user = counts(&ratings.users, data.n_users());
        let per_item = counts(&ratings.items, data.n_items());
        let times = ratings.timestamps.as_deref().unwrap_or_default();
        let mut summary = Summary {
            ratings: ratings.len() as u64,
            users: per_user.len() as u64,
            items: per_item.len() as u64,
            density: n / (per_user.len() as f64 * per_item.len() as f64),
            duplicates: Duplicates {
                pairs: data.report.duplicates.pairs as u64,
                dropped: data.report.duplicates.dropped as u64,
            },
            scale: [lo, hi],
            mean,
            standard_deviation: variance.sqrt(),
            histogram: histogram(&ratings.ratings),
            ratings_per_user: quantiles(per_user),
            ratings_per_item: quantiles(per_item),
            timestamps: times
                .iter()
                .min()
                .zip(times.iter().max())
                .map(|(&a, &b)| [a, b]),
            warnings: Vec::new(),
        };
        summary.warnings = warnings(data, &summary);
        summary
    }
}

/// How many ratings the rows that have any have, rising.
fn counts(rows: &[u32], n_rows: usize) -> Vec<u64> {
    let mut counts = vec![0; n_rows];
    for &row in rows {
        counts[row as usize] += 1;
    }
    counts.retain(|&count| count > 0);
    counts.sort_unstable();
    counts
}

/// The values at the quarters of the sorted counts, lower ones where two are equally near.
fn quantiles(sorted: Vec<u64>) -> Quantiles {
    let at = |quarter: usize| {
        let last = sorted.len().saturating_sub(1);
        sorted.get(last * quarter / 4).copied().unwrap_or(0)
    };
    Quantiles {
        least: at(0),
        quarter: at(1),
        median: at(2),
        three_quarters: at(3),
        greatest: at(4),
    }
}

/// A bar a value, or bins of equal width where there are too many values.
fn histogram(ratings: &[f32]) -> Vec<Bar> {
    let mut sorted = ratings.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let (Some(&lo), Some(&hi)) = (sorted.first(), sorted.last()) else {
        return Vec::new();
    };
    let values = sorted.chunk_by(|a, b| a == b);
    let bars: Vec<Bar> = values
        .take(MAX_BARS + 1)
        .map(|equal| Bar {
            from: equal[0],
            to: equal[0],
            count: equal.len() as u64,
        })
        .collect();
    if bars.len() <= MAX_BARS {
        return bars;
    }
    let width = (f64::from(hi) - f64::from(lo)) / BINS as f64;
    let edge = |bin: usize| match bin {
        BINS => hi,
        _ => (f64::from(lo) + width * bin as f64) as f32,
    };
    let below = |bin: usize| match bin {
        BINS => sorted.len(),
        _ => sorted.partition_point(|&rating| rating < edge(bin)),
    };
    (0..BINS)
        .map(|bin| Bar {
            from: edge(bin),
            to: edge(bin + 1),
            count: (below(bin + 1) - below(bin)) as u64,
        })
        .collect()
}

/// What a person should look at before training.
fn warnings(data: &Dataset, summary: &Summary) -> Vec<String> {
    let mut all = Vec::new();
    for (side, ids) in [("user", &data.users.ids), ("item", &data.items.ids)] {
        let spaced: Vec<&str> = ids.names().iter().filter(|id| id.trim() != *id).collect();
        if let Some(first) = spaced.first() {
            all.push(format!(
                "{} {side} ids begin or end with a space, as {first:?} does",
                spaced.len()
            ));
        }
        if let Some((a, b)) = alike(ids) {
            all.push(format!(
                "the {side} ids {a:?} and {b:?} differ only in spaces, case or leading zeros, and count as two {side}s"
            ));
        }
    }
    if summary.scale[0] == summary.scale[1] {
        all.push(format!(
            "every rating is {}: there is nothing to tell a liked item from a disliked one",
            summary.scale[0]
        ));
    }
    if swapped(data) {
        all.push(
            "the ids of --items stand in the user column: are the columns swapped? See --columns"
                .into(),
        );
    }
    if summary
        .timestamps
        .is_some_and(|[first, last]| first == last)
    {
        all.push("every rating has the same timestamp: a split by time or leave-last has no order to go by".into());
    }
    if summary.scale[1] > 1e8 {
        all.push(format!(
            "ratings up to {}: is the rating column a timestamp? See --columns",
            summary.scale[1]
        ));
    }
    all
}

/// The first two ids that are the same but for spaces, case and leading zeros.
fn alike(ids: &Ids) -> Option<(&str, &str)> {
    let mut seen = HashMap::new();
    ids.names().iter().find_map(|id| {
        let lower = id.trim().to_lowercase();
        let plain = lower.trim_start_matches('0').to_owned();
        seen.insert(plain, id).map(|earlier| (earlier, id))
    })
}

/// Whether most ids that the items file added are users in the ratings.
fn swapped(data: &Dataset) -> bool {
    let n_rated = data.n_items() - data.report.items_added;
    let added = (n_rated..data.n_items()).map(|row| data.items.ids.name(row as u32));
    let of_file = data
        .report
        .items
        .as_ref()
        .map_or(0, |file| file.rows as usize);
    let as_users = added
        .filter(|id| data.users.ids.index(id).is_some())
        .count();
    let as_items = of_file.saturating_sub(data.report.items_added);
    as_users > as_items && 2 * as_users > of_file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(rows: &[(&str, &str, f32)]) -> Dataset {
        Dataset::builder()
            .rows(rows.iter().copied())
            .unwrap()
            .build()
            .unwrap()
    }

    #[test]
    fn four_ratings_can_be_counted_by_hand() {
        let data = data(&[
            ("a", "x", 1.0),
            ("a", "y", 3.0),
            ("b", "x", 3.0),
            ("a", "x", 5.0),
            ("a", "z", 5.0),
        ]);
        let found = Summary::of(&data);
        assert_eq!((found.ratings, found.users, found.items), (4, 2, 3));
        assert_eq!((found.duplicates.pairs, found.duplicates.dropped), (1, 1));
        assert_eq!(found.density, 4.0 / 6.0);
        assert_eq!((found.mean, found.scale), (4.0, [3.0, 5.0]));
        assert_eq!(found.standard_deviation, 1.0);
        let bar = |value, count| Bar {
            from: value,
            to: value,
            count,
        };
        assert_eq!(found.histogram, [bar(3.0, 2), bar(5.0, 2)]);
        let of_users = &found.ratings_per_user;
        assert_eq!(
            (of_users.least, of_users.median, of_users.greatest),
            (1, 1, 3)
        );
        assert_eq!(found.warnings, [""; 0]);
    }

    #[test]
    fn bins_hold_every_rating_once() {
        let ratings: Vec<f32> = (0..1000).map(|n| (n * 7 % 101) as f32 * 0.37).collect();
        let bars = histogram(&ratings);
        assert_eq!(bars.len(), BINS);
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 1000);
        assert_eq!((bars[0].from, bars[BINS - 1].to), (0.0, 37.0));
        assert_eq!(histogram(&[]), []);
    }

    #[test]
    fn what_looks_wrong_is_said() {
        let found = Summary::of(&data(&[("7", "x", 2.0), ("007", "X", 2.0)]));
        let text = found.warnings.join("\n");
        for wanted in [r#""7" and "007""#, r#""x" and "X""#, "every rating is 2"] {
            assert!(text.contains(wanted), "{wanted} in {text}");
        }
        assert_eq!(found.warnings.len(), 3);
    }

    #[test]
    fn swapped_columns_are_noticed() {
        let build = |rows: [(&str, &str, f32); 3]| {
            let builder = Dataset::builder().rows(rows).unwrap();
            let items = "item_id,title\nx,X\ny,Y\nz,Z\n";
            builder
                .items_from(items.as_bytes(), "items.csv")
                .unwrap()
                .build()
                .unwrap()
        };
        let right = build([("a", "x", 1.0), ("b", "y", 2.0), ("c", "z", 1.0)]);
        assert_eq!(Summary::of(&right).warnings, [""; 0]);
        let wrong = build([("x", "a", 1.0), ("y", "b", 2.0), ("z", "c", 1.0)]);
        assert!(Summary::of(&wrong).warnings[0].contains("swapped"));
    }
}
