//! How good is a ranked list, when some items are known to be relevant?
//!
//! A user's list is cut off after n items; R is the set of relevant items. Everything follows from the *ranks* of the hits, 1 for the first place:
//!
//! ```text
//! hits@n       = { ranks r ≤ n at which a relevant item stands }
//! precision@n  = |hits@n| / n                                            0 … 1
//! recall@n     = |hits@n| / |R|                                          0 … 1
//! NDCG@n       = Σ_{r ∈ hits@n} 1/log₂(r + 1)  /  Σ_{r = 1}^{min(n, |R|)} 1/log₂(r + 1)
//! AP@n         = (1 / min(n, |R|)) Σ_{r ∈ hits@n} |hits@r| / r           MAP@n is its mean over users
//! RR@n         = 1 / the least rank of hits@n, 0 without a hit           MRR@n is its mean over users
//! hit@n        = 1 with a hit, else 0                                    the hit rate is its mean over users
//! ```
//!
//! | edge | rule |
//! |---|---|
//! | R is empty | no number at all: the user is left out of every mean, and counted |
//! | the list is shorter than n | the places that are missing are misses: precision still divides by n |
//! | a relevant item that cannot be listed | it is in R and is missed |
//! | equal scores | settled before the list gets here: by item index |
//!
//! Gains are binary. Sums run from the first rank to the last, in `f64`; log₂ is `libm`'s, so the digits are the same on every CPU.
//!
//! Source: Järvelin and Kekäläinen, *Cumulated Gain-Based Evaluation* (2002), for the discount; Manning, Raghavan and Schütze, *Introduction to Information
//! Retrieval* (2008), chapter 8, for the rest.

/// The ranks at which relevant items stand in one user's list, and how many relevant items there are.
///
/// ```
/// use lowrank::metrics::Hits;
/// // Relevant are 2, 5 and 9; the list has 5 in its second place and 2 in its fourth.
/// let hits = Hits::of(&[7, 5, 1, 2], &[2, 5, 9]).unwrap();
/// assert_eq!(hits.ranks(), [2, 4]);
/// assert_eq!(hits.precision(4), 2.0 / 4.0);
/// assert_eq!(hits.recall(4), 2.0 / 3.0);
/// assert_eq!(hits.average_precision(4), (1.0 / 2.0 + 2.0 / 4.0) / 3.0);
/// assert_eq!(hits.reciprocal_rank(4), 1.0 / 2.0);
/// assert_eq!(hits.hit(1), 0.0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hits {
    ranks: Vec<usize>,
    n_relevant: usize,
}

impl Hits {
    /// The hits of `list`, best first, each item once; `relevant` rises and has no item twice. `None` where nothing is relevant.
    ///
    /// Cost: a binary search in `relevant` for each place.
    pub fn of(list: &[u32], relevant: &[u32]) -> Option<Hits> {
        debug_assert!(relevant.windows(2).all(|w| w[0] < w[1]), "a rising set");
        let ranks = (1..).zip(list);
        let hits = ranks.filter(|(_, item)| relevant.binary_search(item).is_ok());
        (!relevant.is_empty()).then(|| Hits {
            ranks: hits.map(|(rank, _)| rank).collect(),
            n_relevant: relevant.len(),
        })
    }

    /// Hits at these ranks, which rise, of so many relevant items.
    pub fn at(ranks: Vec<usize>, n_relevant: usize) -> Hits {
        debug_assert!(ranks.windows(2).all(|w| w[0] < w[1]), "rising ranks");
        Hits { ranks, n_relevant }
    }

    /// The ranks of the hits, rising, 1 for the first place.
    pub fn ranks(&self) -> &[usize] {
        &self.ranks
    }

    /// |R|.
    pub fn n_relevant(&self) -> usize {
        self.n_relevant
    }

    fn within(&self, cutoff: usize) -> &[usize] {
        &self.ranks[..self.ranks.partition_point(|&rank| rank <= cutoff)]
    }

    /// The share of the first `cutoff` places with a relevant item.
    pub fn precision(&self, cutoff: usize) -> f64 {
        self.within(cutoff).len() as f64 / cutoff as f64
    }

    /// The share of the relevant items that stand in the first `cutoff` places.
    pub fn recall(&self, cutoff: usize) -> f64 {
        self.within(cutoff).len() as f64 / self.n_relevant as f64
    }

    /// The discounted gain of the first `cutoff` places, as a share of the best possible.
    pub fn ndcg(&self, cutoff: usize) -> f64 {
        let ideal = 1..=cutoff.min(self.n_relevant);
        let gain: f64 = self.within(cutoff).iter().map(|&rank| discount(rank)).sum();
        gain / ideal.map(discount).sum::<f64>()
    }

    /// The mean of the precisions at the hits, where a relevant item that is missed has precision 0.
    pub fn average_precision(&self, cutoff: usize) -> f64 {
        let hits = (1..).zip(self.within(cutoff));
        let sum: f64 = hits
            .map(|(n, &rank)| f64::from(n) / rank as f64)
            .sum::<f64>();
        sum / cutoff.min(self.n_relevant) as f64
    }

    /// 1 over the rank of the first hit.
    pub fn reciprocal_rank(&self, cutoff: usize) -> f64 {
        let first = self.within(cutoff).first();
        first.map_or(0.0, |&rank| 1.0 / rank as f64)
    }

    /// 1 with a hit, 0 without.
    pub fn hit(&self, cutoff: usize) -> f64 {
        f64::from(u8::from(!self.within(cutoff).is_empty()))
    }
}

/// What a hit at `rank` is worth.
fn discount(rank: usize) -> f64 {
    1.0 / libm::log2(rank as f64 + 1.0)
}

/// The definitions, in the fewest words; a user without a relevant item must not be asked about.
#[cfg(test)]
pub(super) mod naive {
    use super::discount;

    fn is_hit(list: &[u32], relevant: &[u32], rank: usize) -> bool {
        list.get(rank - 1)
            .is_some_and(|item| relevant.contains(item))
    }

    fn n_hits(list: &[u32], relevant: &[u32], cutoff: usize) -> f64 {
        let ranks = 1..=cutoff;
        ranks.filter(|&r| is_hit(list, relevant, r)).count() as f64
    }

    pub(in crate::metrics) fn precision(list: &[u32], relevant: &[u32], cutoff: usize) -> f64 {
        n_hits(list, relevant, cutoff) / cutoff as f64
    }

    pub(in crate::metrics) fn recall(list: &[u32], relevant: &[u32], cutoff: usize) -> f64 {
        n_hits(list, relevant, cutoff) / relevant.len() as f64
    }

    pub(in crate::metrics) fn ndcg(list: &[u32], relevant: &[u32], cutoff: usize) -> f64 {
        let gain = |list: &[u32]| -> f64 {
            let ranks = 1..=cutoff;
            ranks
                .filter(|&r| is_hit(list, relevant, r))
                .map(discount)
                .sum()
        };
        // The best list has nothing but relevant items in front.
        gain(list) / gain(relevant)
    }

    pub(in crate::metrics) fn average_precision(
        list: &[u32],
        relevant: &[u32],
        cutoff: usize,
    ) -> f64 {
        let ranks = (1..=cutoff).filter(|&r| is_hit(list, relevant, r));
        let sum: f64 = ranks.map(|r| precision(list, relevant, r)).sum();
        sum / cutoff.min(relevant.len()) as f64
    }

    pub(in crate::metrics) fn reciprocal_rank(
        list: &[u32],
        relevant: &[u32],
        cutoff: usize,
    ) -> f64 {
        let first = (1..=cutoff).find(|&r| is_hit(list, relevant, r));
        first.map_or(0.0, |r| 1.0 / r as f64)
    }

    pub(in crate::metrics) fn hit(list: &[u32], relevant: &[u32], cutoff: usize) -> f64 {
        n_hits(list, relevant, cutoff).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of at most a few dozen positive terms in two orders.
    const TOLERANCE: f64 = 1e-12;

    fn check(list: &[u32], relevant: &[u32], cutoff: usize) {
        let hits = Hits::of(list, relevant).expect("something is relevant");
        let pairs = [
            (
                hits.precision(cutoff),
                naive::precision(list, relevant, cutoff),
            ),
            (hits.recall(cutoff), naive::recall(list, relevant, cutoff)),
            (hits.ndcg(cutoff), naive::ndcg(list, relevant, cutoff)),
            (
                hits.average_precision(cutoff),
                naive::average_precision(list, relevant, cutoff),
            ),
            (
                hits.reciprocal_rank(cutoff),
                naive::reciprocal_rank(list, relevant, cutoff),
            ),
            (hits.hit(cutoff), naive::hit(list, relevant, cutoff)),
        ];
        for (n, (found, wanted)) in pairs.into_iter().enumerate() {
            let what = format!("metric {n} at {cutoff} of {list:?}, relevant {relevant:?}");
            assert!(
                (found - wanted).abs() <= TOLERANCE,
                "{what}: {found}, not {wanted}"
            );
            assert!((0.0..=1.0).contains(&found), "{what}: {found}");
        }
    }

    #[test]
    fn every_metric_is_its_definition() {
        let mut chance = 1u64;
        let mut below = |bound: u64| {
            // Knuth, The Art of Computer Programming, 3.3.4.
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (chance >> 33) % bound
        };
        for _ in 0..400 {
            let n_items = 1 + below(30) as u32;
            let mut list: Vec<u32> = (0..n_items).collect();
            for last in (1..list.len()).rev() {
                list.swap(last, below(last as u64 + 1) as usize);
            }
            list.truncate(below(u64::from(n_items) + 1) as usize);
            // Some of the relevant items are in no list.
            let share = 1 + below(6);
            let relevant: Vec<u32> = (0..n_items + 5).filter(|_| below(share) == 0).collect();
            if relevant.is_empty() {
                assert_eq!(Hits::of(&list, &relevant), None);
                continue;
            }
            for cutoff in [1, 2, 3, 5, 10, 29, 30, 31, 100] {
                check(&list, &relevant, cutoff);
            }
        }
    }

    #[test]
    fn a_list_can_be_worked_by_hand() {
        // Hits at ranks 1, 3 and 6; four relevant items, one of which is not listed.
        let hits = Hits::of(&[4, 8, 1, 9, 7, 3], &[1, 3, 4, 99]).unwrap();
        assert_eq!(hits.ranks(), [1, 3, 6]);
        assert_eq!((hits.precision(5), hits.recall(5)), (2.0 / 5.0, 2.0 / 4.0));
        // (1 + 1/2) / (1 + 1/log₂3 + 1/2 + 1/log₂5), log₂3 = 1.58496…, log₂5 = 2.32193…
        assert!((hits.ndcg(5) - 1.5 / 2.561_606_311_644_850_5).abs() < 1e-15);
        // At rank 1 one of one, at rank 3 two of three, at rank 6 three of six.
        assert_eq!(hits.average_precision(6), (1.0 + 2.0 / 3.0 + 0.5) / 4.0);
        assert_eq!(hits.average_precision(2), 1.0 / 2.0);
        assert_eq!((hits.reciprocal_rank(9), hits.hit(9)), (1.0, 1.0));
        // Beyond the end of the list there are only misses.
        assert_eq!(hits.precision(100), 3.0 / 100.0);
        assert_eq!(hits.recall(100), 3.0 / 4.0);
    }

    #[test]
    fn the_best_list_has_one_everywhere_and_an_empty_list_zero() {
        let best = Hits::of(&[0, 1, 2, 9], &[0, 1, 2]).unwrap();
        let worst = Hits::of(&[], &[0, 1, 2]).unwrap();
        for cutoff in [1, 2, 3] {
            for of in [
                Hits::precision,
                Hits::ndcg,
                Hits::average_precision,
                Hits::reciprocal_rank,
                Hits::hit,
            ] {
                assert_eq!((of(&best, cutoff), of(&worst, cutoff)), (1.0, 0.0));
            }
        }
        assert_eq!(best.recall(3), 1.0);
    }
}
