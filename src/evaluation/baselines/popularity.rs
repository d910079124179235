//! What does everybody like?
//!
//! ```text
//! list(u) = the items that most training ratings touch, without those that u rated in training;  equals by item index
//! ```
//!
//! It knows nothing about u, and on ratings of films a model must work to beat it. Where a model's lists are these lists, it has learned no more.

use crate::metrics::PairCount;

/// The items by their training ratings.
///
/// ```
/// use lowrank::evaluation::baselines::Popularity;
/// let popular = Popularity::new(&[2, 7, 2, 9]);
/// assert_eq!(popular.list(&[], 10), [3, 1, 0, 2]);
/// assert_eq!(popular.list(&[0, 3], 2), [1, 2]);
/// ```
#[derive(Clone, Debug)]
pub struct Popularity {
    counts: Vec<u32>,
    /// Items, most rated first.
    order: Vec<u32>,
    /// Each count that occurs, and how many items have it.
    distinct: Vec<(u32, u64)>,
}

impl Popularity {
    /// Of the training ratings of each item.
    pub fn new(counts: &[u32]) -> Popularity {
        let mut order: Vec<u32> = (0..counts.len() as u32).collect();
        order.sort_by_key(|&item| std::cmp::Reverse(counts[item as usize]));
        let mut distinct: Vec<(u32, u64)> = Vec::new();
        for &item in &order {
            let count = counts[item as usize];
            match distinct.last_mut() {
                Some((last, n)) if *last == count => *n += 1,
                _ => distinct.push((count, 1)),
            }
        }
        Popularity {
            counts: counts.to_vec(),
            order,
            distinct,
        }
    }

    /// The first n items that are not `seen`, which rises.
    pub fn list(&self, seen: &[u32], n: usize) -> Vec<u32> {
        let unseen = self.order.iter().copied();
        let unseen = unseen.filter(|item| seen.binary_search(item).is_err());
        unseen.take(n).collect()
    }

    /// The AUC of a user who has `seen` some items, for whom others are `relevant`; both rise. `None` where there is no pair.
    pub fn auc(&self, seen: &[u32], relevant: &[u32]) -> Option<f64> {
        let count = |item: &u32| self.counts.get(*item as usize).map(|&count| count as f32);
        let candidates = relevant
            .iter()
            .filter(|item| seen.binary_search(item).is_err());
        let mut pairs = PairCount::new(candidates.filter_map(count).collect());
        for &(count, n) in &self.distinct {
            pairs.push_many(count as f32, n);
        }
        for count in seen.iter().filter_map(count) {
            pairs.take_back(count);
        }
        pairs.auc()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_that_of_all_pairs() {
        let counts: Vec<u32> = (0..40).map(|i| i * 7 % 6).collect();
        let popular = Popularity::new(&counts);
        for step in [3, 4, 7] {
            let seen: Vec<u32> = (0..40).filter(|i| i % step == 1).collect();
            // 99 is an item that training never saw, and some are seen.
            let relevant: Vec<u32> = (0..40).filter(|i| i % 5 == 2).chain([99]).collect();
            let mut pairs = PairCount::new(
                relevant
                    .iter()
                    .filter(|i| **i < 40 && !seen.contains(i))
                    .map(|&i| counts[i as usize] as f32)
                    .collect(),
            );
            let unseen = (0..40u32).filter(|i| !seen.contains(i));
            unseen.for_each(|i| pairs.push(counts[i as usize] as f32));
            assert_eq!(popular.auc(&seen, &relevant), pairs.auc());
            assert!(pairs.auc().is_some());
        }
    }
}
