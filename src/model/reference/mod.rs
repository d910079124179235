//! What did the model's training look like?
//!
//! A few hundred bytes that a model takes with it, so that what it meets later can be put beside what it was made from:
//!
//! | what | how |
//! |---|---|
//! | ratings | of all training ratings, how many had each value, where there are at most 20 different ones; else 20 bins that hold about as many each of the sample |
//! | predictions | of the sample, 20 bins that hold about as many each: what [`Scorer::value`](super::Scorer::value) says of pairs that training saw |
//! | errors | of the sample, where the model predicts ratings |
//!
//! The sample is all training ratings where there are at most [`SAMPLE`], and otherwise one of each of [`SAMPLE`] runs of them that are as long as each other. How often each item was rated
//! stands in the model already; [`popularity_bins`] makes bins of it. Who compares is left to [`drift`](crate::evaluation::drift).

mod histogram;

pub use histogram::Histogram;

/// Bins of a histogram, and different ratings that are counted one by one.
pub const BINS: usize = 20;
/// Training pairs that are predicted, at most.
pub const SAMPLE: usize = 1 << 14;
/// Bins of items by how often they were rated.
pub const POPULARITY_BINS: usize = 10;

/// Statistics of a model's training.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Of the training ratings.
    pub(crate) ratings: Histogram,
    /// The standard deviation of the training ratings: the RMSE of who always says their mean.
    pub(crate) rating_std: f64,
    /// Of the predictions of training pairs.
    pub(crate) scores: Histogram,
    /// The RMSE on them; `None` where the model does not predict ratings.
    pub(crate) train_rmse: Option<f64>,
}

impl Reference {
    /// How the training ratings were distributed.
    pub fn ratings(&self) -> &Histogram {
        &self.ratings
    }

    /// The standard deviation of the training ratings: the RMSE of who always says their mean.
    pub fn rating_std(&self) -> f64 {
        self.rating_std
    }

    /// How the predictions of training pairs were distributed.
    pub fn scores(&self) -> &Histogram {
        &self.scores
    }

    /// The RMSE on training pairs; `None` where the model does not predict ratings.
    pub fn train_rmse(&self) -> Option<f64> {
        self.train_rmse
    }
}

/// The bin of each item, by its ratings: the most rated items are in bin 0, and each bin has about a tenth of all ratings, so that the first holds few items and the last most of them.
///
/// ```text
/// bin(i) = ⌊10·(ratings of the items before i, in falling order, and half of its own) / all ratings⌋          equal items in the order of their rows
/// ```
///
/// Without any rating all items are in the last bin.
///
/// ```
/// use lowrank::model::reference::popularity_bins;
/// // Of 10 ratings, item 1 has eight: its middle is at 0.4, that of item 0 at 0.85, and that of item 2 at 0.95.
/// assert_eq!(popularity_bins(&[1, 8, 1, 0]), [8, 4, 9, 9]);
/// ```
pub fn popularity_bins(counts: &[u32]) -> Vec<u8> {
    let all: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    let mut falling: Vec<u32> = (0..counts.len() as u32).collect();
    falling.sort_by_key(|&item| std::cmp::Reverse(counts[item as usize]));
    let mut bins = vec![POPULARITY_BINS as u8 - 1; counts.len()];
    let mut before = 0u64;
    for item in falling {
        let own = u64::from(counts[item as usize]);
        if own == 0 {
            break;
        }
        // Twice each, for the half. Counts are u32 and fewer than 2³², so ten times their sum may pass 64 bits.
        let middle = u128::from(2 * before + own) * POPULARITY_BINS as u128;
        bins[item as usize] = (middle / (2 * u128::from(all))) as u8;
        before += own;
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_items_share_the_bins_evenly() {
        let bins = popularity_bins(&[3; 20]);
        let wanted: Vec<u8> = (0..20).map(|item| item / 2).collect();
        assert_eq!(bins, wanted);
        assert_eq!(popularity_bins(&[0, 0]), [9, 9]);
        assert_eq!(popularity_bins(&[u32::MAX; 2]), [2, 7]);
    }
}
