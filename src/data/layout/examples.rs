//! In which order does training visit ratings?
//!
//! Twice: once user by user, once item by item. Then every row of a gradient has one owner who adds up its terms in one order,
//! and any number of threads gets the same sum without locks. [`Examples`] is a set of ratings laid out for both visits: the whole
//! training set in full batch, or one mini-batch.
//!
//! ```text
//! position     0    1    2    3    4            by_user: user 3 → 0..2, user 7 → 2..5
//! user         3    3    7    7    7            item_order: 1 4 0 2 3
//! item         9    2    9   11    2            by_item: item 2 → 0..2, item 9 → 2..4, item 11 → 4..5
//! ```
//!
//! Equal users keep the order they came in, equal items the order of their users; so the layout is a function of the ratings alone.

use crate::data::Interactions;
use crate::kernels::rows::RowRange;

/// Ratings sorted by user, with a second order by item.
#[derive(Clone, Debug, Default)]
pub struct Examples {
    /// The user of each example, rising.
    pub users: Vec<u32>,
    /// The item of each example.
    pub items: Vec<u32>,
    /// The target r of each example.
    pub targets: Vec<f32>,
    /// The weight c of each example; 1 each where absent.
    pub weights: Option<Vec<f32>>,
    /// The users that occur, rising, each with its range of examples.
    pub by_user: Vec<RowRange>,
    /// The examples sorted by item: `item_order[n]` is an example.
    pub item_order: Vec<u32>,
    /// The items that occur, rising, each with its range of `item_order`.
    pub by_item: Vec<RowRange>,
}

impl Examples {
    /// All of `interactions`, whose users and items are rows of tables with `n_users` and `n_items` rows. Cost: two counting sorts.
    ///
    /// # Panics
    /// Where a user or item is not below its number of rows, or there are 2³² − 1 ratings or more.
    pub fn new(interactions: &Interactions, n_users: usize, n_items: usize) -> Examples {
        let order = counting_sort(&interactions.users, n_users);
        let pick_u32 = |values: &[u32]| {
            order
                .iter()
                .map(|&p| values[p as usize])
                .collect::<Vec<_>>()
        };
        let pick_f32 = |values: &[f32]| {
            order
                .iter()
                .map(|&p| values[p as usize])
                .collect::<Vec<_>>()
        };
        let users = pick_u32(&interactions.users);
        let items = pick_u32(&interactions.items);
        let item_order = counting_sort(&items, n_items);
        Examples {
            by_user: ranges(users.iter().copied()),
            by_item: ranges(item_order.iter().map(|&p| items[p as usize])),
            targets: pick_f32(&interactions.ratings),
            weights: interactions.weights.as_deref().map(pick_f32),
            users,
            items,
            item_order,
        }
    }

    /// The `positions` of `interactions`, a mini-batch. Cost: two sorts of the batch, whatever the size of the tables.
    pub fn batch(interactions: &Interactions, positions: &[u32]) -> Examples {
        let mut order: Vec<u32> = positions.to_vec();
        sort_by_row(&mut order, &interactions.users);
        let pick = |values: &[f32]| {
            order
                .iter()
                .map(|&p| values[p as usize])
                .collect::<Vec<_>>()
        };
        let users: Vec<u32> = order
            .iter()
            .map(|&p| interactions.users[p as usize])
            .collect();
        let items: Vec<u32> = order
            .iter()
            .map(|&p| interactions.items[p as usize])
            .collect();
        let mut item_order: Vec<u32> = (0..order.len() as u32).collect();
        sort_by_row(&mut item_order, &items);
        Examples {
            by_user: ranges(users.iter().copied()),
            by_item: ranges(item_order.iter().map(|&e| items[e as usize])),
            targets: pick(&interactions.ratings),
            weights: interactions.weights.as_deref().map(pick),
            users,
            items,
            item_order,
        }
    }

    /// The weight of example `e`.
    #[inline(always)]
    pub fn weight(&self, e: usize) -> f64 {
        self.weights
            .as_ref()
            .map_or(1.0, |weights| f64::from(weights[e]))
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }
}

/// Positions in the rising order of their row, equal rows in the order they came.
fn counting_sort(rows: &[u32], n_rows: usize) -> Vec<u32> {
    assert!(rows.len() < u32::MAX as usize, "2³² − 1 ratings or more");
    let mut next = vec![0u32; n_rows + 1];
    for &row in rows {
        next[row as usize + 1] += 1;
    }
    for row in 0..n_rows {
        next[row + 1] += next[row];
    }
    let mut order = vec![0u32; rows.len()];
    for (position, &row) in rows.iter().enumerate() {
        order[next[row as usize] as usize] = position as u32;
        next[row as usize] += 1;
    }
    order
}

/// Sorts positions by their row, equal rows in the order they come.
pub(super) fn sort_by_row(positions: &mut [u32], rows: &[u32]) {
    positions.sort_by_key(|&p| rows[p as usize]);
}

/// The runs of equal rows.
pub(super) fn ranges(rows: impl Iterator<Item = u32>) -> Vec<RowRange> {
    let mut all: Vec<RowRange> = Vec::new();
    for (position, row) in (0u32..).zip(rows) {
        match all.last_mut() {
            Some(last) if last.row == row => last.end = position + 1,
            _ => all.push(RowRange {
                row,
                start: position,
                end: position + 1,
            }),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratings() -> Interactions {
        Interactions {
            users: vec![7, 3, 7, 3, 7],
            items: vec![9, 9, 11, 2, 2],
            ratings: vec![1.0, 2.0, 3.0, 4.0, 5.0],
            weights: Some(vec![0.1, 0.2, 0.3, 0.4, 0.5]),
            timestamps: None,
        }
    }

    #[test]
    fn the_layout_is_the_one_drawn_above() {
        let examples = Examples::new(&ratings(), 8, 12);
        assert_eq!(examples.users, [3, 3, 7, 7, 7]);
        assert_eq!(examples.items, [9, 2, 9, 11, 2]);
        assert_eq!(examples.targets, [2.0, 4.0, 1.0, 3.0, 5.0]);
        assert_eq!(
            examples.weights.as_deref(),
            Some(&[0.2, 0.4, 0.1, 0.3, 0.5][..])
        );
        assert_eq!(examples.item_order, [1, 4, 0, 2, 3]);
        let of = |row, start, end| RowRange { row, start, end };
        assert_eq!(examples.by_user, [of(3, 0, 2), of(7, 2, 5)]);
        assert_eq!(examples.by_item, [of(2, 0, 2), of(9, 2, 4), of(11, 4, 5)]);
    }

    #[test]
    fn a_batch_of_everything_is_the_whole() {
        let (all, batch) = (
            Examples::new(&ratings(), 8, 12),
            Examples::batch(&ratings(), &[0, 1, 2, 3, 4]),
        );
        assert_eq!(all.users, batch.users);
        assert_eq!(all.items, batch.items);
        assert_eq!(all.targets, batch.targets);
        assert_eq!(all.item_order, batch.item_order);
        assert_eq!((all.by_user, all.by_item), (batch.by_user, batch.by_item));
    }
}
