//! How often does an item that should come first do so?
//!
//! The area under the curve ([`metrics::auc`](crate::metrics::auc)) needs every candidate's score, not only the best n. The scores are those of the lists, to the last bit, and pass by
//! in the same runs; none is kept.

use super::everyone::Everyone;
use super::top_n::Recommender;
use crate::kernels::sweep::{BLOCK, Reader};
use crate::metrics::PairCount;
use crate::model::Scorer;

impl Everyone<'_> {
    /// The AUC of `users`, for each of whom `relevant` names items, rising. What is no candidate of the user is left out on both sides; `None` where nothing is left on one of them.
    ///
    /// # Panics
    /// Where the model has no such row.
    pub fn auc(&self, users: &[u32], relevant: &[&[u32]]) -> Vec<Option<f64>> {
        let blocks = users.chunks(BLOCK).zip(relevant.chunks(BLOCK));
        let of_block = |(users, relevant): (&[u32], &[&[u32]])| {
            let both = users.iter().zip(relevant);
            let mut readers: Vec<Count<'_>> = both
                .map(|(&user, relevant)| Count::new(self.recommender(), user, relevant))
                .collect();
            self.sweep(users, &mut readers);
            readers
                .into_iter()
                .map(|reader| reader.pairs.auc())
                .collect()
        };
        blocks
            .flat_map(|block| -> Vec<_> { of_block(block) })
            .collect()
    }
}

/// The pairs of one user while they are counted.
struct Count<'m> {
    pairs: PairCount,
    /// Items to leave out, rising.
    left_out: &'m [u32],
}

impl<'m> Count<'m> {
    fn new(recommender: &'m Recommender<'_>, user: u32, relevant: &[u32]) -> Count<'m> {
        let left_out = recommender.left_out(user);
        let scorer = Scorer::new(recommender.model, Some(user));
        let candidates = &recommender.candidates.items;
        let is_candidate = |item: &&u32| {
            candidates.binary_search(item).is_ok() && left_out.binary_search(item).is_err()
        };
        let relevant = relevant.iter().filter(is_candidate);
        Count {
            pairs: PairCount::new(relevant.map(|&item| scorer.score(item)).collect()),
            left_out,
        }
    }
}

impl Reader for Count<'_> {
    #[inline(always)]
    fn read(&mut self, items: &[u32], scores: &mut [f32]) {
        self.pairs.push_all(scores);
        // What should not have come is taken back: there is little of it.
        let (Some(&first), Some(&last)) = (items.first(), items.last()) else {
            return;
        };
        let start = self.left_out.partition_point(|&item| item < first);
        for item in self.left_out[start..]
            .iter()
            .take_while(|&&item| item <= last)
        {
            if let Ok(place) = items.binary_search(item) {
                self.pairs.take_back(scores[place]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Query;
    use crate::data::Csr;
    use crate::model::{Model, example};

    /// The definition: every pair of candidates, each scored alone.
    fn naive(model: &Model, user: u32, relevant: &[u32], seen: &[u32]) -> Option<f64> {
        let scorer = Scorer::new(model, Some(user));
        let n_items = model.items().ids().len() as u32;
        let candidates = (0..n_items).filter(|item| !seen.contains(item));
        let (yes, no): (Vec<u32>, Vec<u32>) = candidates.partition(|i| relevant.contains(i));
        let pairs = yes.iter().flat_map(|y| no.iter().map(move |n| (*y, *n)));
        let values: Vec<f64> = pairs
            .map(
                |(y, n)| match scorer.score(y).partial_cmp(&scorer.score(n)) {
                    Some(std::cmp::Ordering::Greater) => 1.0,
                    Some(std::cmp::Ordering::Equal) => 0.5,
                    _ => 0.0,
                },
            )
            .collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    #[test]
    fn runs_of_scores_give_what_all_pairs_give() {
        // 300 items, more than a run; few distinct rows, so that many scores are equal.
        let mut model = example::model();
        let n = 300u32;
        model.items.ids = (0..n).map(|i| format!("i{i}")).collect();
        model.items.groups.clear();
        let mut rows = Vec::new();
        for item in 0..n {
            rows.extend([(item * 7 % 5) as f32 - 2.0, (item * 3 % 4) as f32 - 1.0]);
            rows.extend([0.0; 6]);
        }
        model.items.identity = crate::model::Rows::from_padded(n as usize, 2, rows).unwrap();
        model.items.identity_biases = None;
        model.items.catalog = crate::data::Catalog::default();
        model.items.counts = vec![1; n as usize];
        model.items.composed = None;
        model.items.composed_biases = None;
        let seen = |user: u32| -> Vec<u32> { (0..n).filter(|i| i % (user + 2) == 1).collect() };
        model.seen = Csr::from_rows((0..4).map(seen));
        let query = Query::default();
        let recommender = model.recommender(&query).unwrap();
        let relevant: Vec<Vec<u32>> = vec![
            (0..n).filter(|i| i % 17 == 3).collect(),
            vec![0, 1, 299, 999],
            vec![],
            vec![1],
        ];
        let users = [0, 1, 2, 3];
        let slices: Vec<&[u32]> = relevant.iter().map(Vec::as_slice).collect();
        let found = recommender.everyone().auc(&users, &slices);
        for (&user, relevant) in users.iter().zip(&relevant) {
            // Halves are exact.
            let wanted = naive(&model, user, relevant, model.seen(user));
            assert_eq!(found[user as usize], wanted, "user {user}");
        }
        assert_eq!(
            (found[2], found[3]),
            (None, None),
            "nothing relevant, or seen"
        );
        assert!(found[0].is_some_and(|auc| auc > 0.0 && auc < 1.0));
    }
}
