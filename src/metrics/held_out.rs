//! How did what was held out of a training come out?
//!
//! Whoever trains for ratings is judged by their errors, whoever trains for an order by its lists:
//!
//! ```text
//! recall@20 = |held-out items in the first 20 places| / |held-out items|              mean over users with held-out items
//! NDCG@20   = Σ_hits 1/log₂(rank + 1) / Σ_{r = 1}^{min(20, |held-out|)} 1/log₂(r + 1)     likewise
//! ```
//!
//! These are the definitions of [`ranking`](super::ranking), and those that papers on Gowalla, Yelp and Amazon books report: recall divides by all of a user's held-out items, also where
//! there are more than 20, and the ideal list has as many of them in front as it has places for. All items are ranked but those of the user's training.

use super::{Hits, RatingErrors};

/// The places of a list that count.
pub const CUTOFF: usize = 20;

/// The errors on held-out ratings, or the lists that held-out items stand in.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum HeldOut {
    /// Of a training for ratings.
    Ratings(RatingErrors),
    /// Of a training for an order.
    Lists(ListMeans),
}

impl HeldOut {
    /// The errors; `None` of lists.
    pub fn errors(&self) -> Option<&RatingErrors> {
        match self {
            HeldOut::Ratings(errors) => Some(errors),
            HeldOut::Lists(_) => None,
        }
    }

    /// The means over lists; `None` of ratings.
    pub fn lists(&self) -> Option<&ListMeans> {
        match self {
            HeldOut::Ratings(_) => None,
            HeldOut::Lists(means) => Some(means),
        }
    }
}

/// Recall and NDCG at [`CUTOFF`], each a mean over users.
///
/// ```
/// use lowrank::metrics::held_out::ListMeans;
/// use lowrank::metrics::Hits;
/// let mut means = ListMeans::default();
/// means.push(&Hits::of(&[7, 5, 1], &[5, 9]).unwrap()); // one of two, in the second place
/// means.push(&Hits::of(&[4, 2, 3], &[4]).unwrap());
/// assert_eq!((means.users(), means.recall()), (2, 0.75));
/// // 1/log₂3 of 1 + 1/log₂3, and 1 of 1
/// let log3 = 3f64.log2();
/// assert!((means.ndcg() - ((1.0 / log3) / (1.0 + 1.0 / log3) + 1.0) / 2.0).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ListMeans {
    users: u64,
    recall: f64,
    ndcg: f64,
}

impl ListMeans {
    /// The sums and their count, to be put down.
    #[cfg(feature = "train")]
    pub(crate) fn parts(&self) -> ([f64; 2], u64) {
        ([self.recall, self.ndcg], self.users)
    }

    /// From [`parts`](ListMeans::parts).
    #[cfg(feature = "train")]
    pub(crate) fn of_parts([recall, ndcg]: [f64; 2], users: u64) -> ListMeans {
        ListMeans {
            users,
            recall,
            ndcg,
        }
    }

    /// Adds a user.
    pub fn push(&mut self, hits: &Hits) {
        self.users += 1;
        self.recall += hits.recall(CUTOFF);
        self.ndcg += hits.ndcg(CUTOFF);
    }

    /// Adds the users of `other`.
    pub fn merge(&mut self, other: &ListMeans) {
        self.users += other.users;
        self.recall += other.recall;
        self.ndcg += other.ndcg;
    }

    /// Users with something held out.
    pub fn users(&self) -> u64 {
        self.users
    }

    /// The mean of recall@20; NaN without a user.
    pub fn recall(&self) -> f64 {
        self.recall / self.users as f64
    }

    /// The mean of NDCG@20; NaN without a user.
    pub fn ndcg(&self) -> f64 {
        self.ndcg / self.users as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_with_more_items_than_places_is_reported_as_papers_do() {
        // 25 held-out items, 0 … 24; of the first 20 places, the 1st, 2nd and 20th have one, a 21st does not count.
        let mut list: Vec<u32> = (100..120).collect();
        (list[0], list[1], list[19]) = (3, 9, 24);
        list.push(7);
        let held_out: Vec<u32> = (0..25).collect();
        let mut means = ListMeans::default();
        means.push(&Hits::of(&list, &held_out).unwrap());
        // Not 3/20: recall divides by what was held out.
        assert_eq!(means.recall(), 3.0 / 25.0);
        // 1/log₂2 + 1/log₂3 + 1/log₂21 = 1 + 0.63093 + 0.22767; the ideal of 20 places is 7.04027.
        assert!((means.ndcg() - 1.858_600_0 / 7.040_268_4).abs() < 1e-7);
        // A user with two items: one in the 4th place, one that no list can hold. 1/log₂5 = 0.43068; ideal 1.63093.
        let mut second = ListMeans::default();
        second.push(&Hits::of(&[50, 51, 52, 1], &[1, 999]).unwrap());
        assert_eq!(second.recall(), 0.5);
        assert!((second.ndcg() - 0.430_676_6 / 1.630_929_8).abs() < 1e-7);
        means.merge(&second);
        assert_eq!(means.users(), 2);
        assert_eq!(means.recall(), (3.0 / 25.0 + 0.5) / 2.0);
        assert!(ListMeans::default().ndcg().is_nan());
    }
}
