//! Which items are judged against which?
//!
//! A click says nothing of the items that were not clicked, so a loss of clicks compares: one item that a user took (a *positive*) with one other, or all of a user's positives with many
//! others (*negatives*).
//!
//! ```text
//! Pairs      (user, positive, negative) …             laid out as examples, a pair in two neighbours: 2n the positive, 2n + 1 the negative
//! Lists      user → positives                         and the same candidates for everybody: all items, or a sample that was drawn for the step
//! ```
//!
//! Sharing the candidates makes the scores of a step a matrix product. Where they are a sample, it says how likely each item was to be in it, so that a loss can count a
//! likely one for less; and a user's own items may be left out of it.

use super::Examples;
use super::examples::{ranges, sort_by_row};
use crate::data::{Csr, Interactions};

/// Pairs of items for the same user.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// The two of each pair side by side, the positive first; targets mean nothing.
    pub(crate) examples: Examples,
}

/// Users with the items that they took, against candidates that they share.
#[derive(Clone, Debug, Default)]
pub struct Lists<'a> {
    /// The positives; targets mean nothing.
    pub positives: Examples,
    /// The other items.
    pub candidates: Candidates,
    /// The items of every user that are to be left out of the candidates.
    pub left_out: Option<&'a Csr>,
}

/// The items against which positives are judged.
#[derive(Clone, Debug, Default)]
pub enum Candidates {
    /// Every item, the positives among them.
    #[default]
    Everything,
    /// Some.
    Sample(Sample),
}

/// Items that were drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// The items, rising, each once.
    pub items: Vec<u32>,
    /// ln of how likely each was to be among them, less a constant; all 0 for a uniform draw.
    pub corrections: Vec<f32>,
}

impl Pairs {
    /// The pairs (user, positive, negative) at the same places of three columns, with a weight each where given.
    ///
    /// # Panics
    /// Where the columns differ in length.
    pub fn new(
        users: &[u32],
        positives: &[u32],
        negatives: &[u32],
        weights: Option<&[f32]>,
    ) -> Pairs {
        assert!(
            users.len() == positives.len() && users.len() == negatives.len(),
            "one of each"
        );
        let mut order: Vec<u32> = (0..users.len() as u32).collect();
        sort_by_row(&mut order, users);
        let mut examples = Examples {
            users: Vec::with_capacity(2 * users.len()),
            items: Vec::with_capacity(2 * users.len()),
            targets: vec![0.0; 2 * users.len()],
            weights: weights.map(|w| order.iter().flat_map(|&n| [w[n as usize]; 2]).collect()),
            ..Examples::default()
        };
        for &n in &order {
            let n = n as usize;
            examples.users.extend([users[n]; 2]);
            examples.items.extend([positives[n], negatives[n]]);
        }
        examples.by_user = ranges(examples.users.iter().copied());
        examples.item_order = (0..examples.items.len() as u32).collect();
        sort_by_row(&mut examples.item_order, &examples.items);
        examples.by_item = ranges(
            examples
                .item_order
                .iter()
                .map(|&e| examples.items[e as usize]),
        );
        Pairs { examples }
    }

    /// How many pairs each user of the batch has, and in how many each item of it is the positive: an example touches these two, whatever it is compared with.
    pub(crate) fn count_positives(&self, of_users: &mut [u32], of_items: &mut [u32]) {
        let Examples {
            by_user,
            by_item,
            item_order,
            ..
        } = &self.examples;
        for (count, range) in of_users.iter_mut().zip(by_user) {
            *count = range.n_examples() as u32 / 2;
        }
        for (count, range) in of_items.iter_mut().zip(by_item) {
            let positives = item_order[range.range()].iter().filter(|&e| e % 2 == 0);
            *count = positives.count() as u32;
        }
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.examples.len() / 2
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Lists<'_> {
    /// All of `positives` against every item.
    ///
    /// # Panics
    /// As [`Examples::new`].
    pub fn against_everything(
        positives: &Interactions,
        n_users: usize,
        n_items: usize,
    ) -> Lists<'static> {
        Lists {
            positives: Examples::new(positives, n_users, n_items),
            ..Lists::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_of_a_pair_stand_side_by_side() {
        let pairs = Pairs::new(&[7, 3, 7], &[9, 2, 1], &[2, 9, 4], Some(&[0.1, 0.2, 0.3]));
        let Examples {
            users,
            items,
            weights,
            item_order,
            by_item,
            ..
        } = &pairs.examples;
        assert_eq!(pairs.len(), 3);
        assert_eq!(users, &[3, 3, 7, 7, 7, 7]);
        assert_eq!(items, &[2, 9, 9, 2, 1, 4]);
        assert_eq!(
            weights.as_deref(),
            Some(&[0.2, 0.2, 0.1, 0.1, 0.3, 0.3][..])
        );
        assert_eq!(item_order, &[4, 0, 3, 5, 1, 2]);
        assert_eq!(
            by_item.iter().map(|range| range.row).collect::<Vec<_>>(),
            [1, 2, 4, 9]
        );
    }
}
