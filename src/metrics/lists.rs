//! What do many lists look like together?
//!
//! Nothing here asks whether a list is right. E_i is the exposure of an item: in how many lists it stands; n items are in the catalogue.
//!
//! ```text
//! coverage  = |{ i : E_i > 0 }| / n                                            0 … 1
//! Gini      = Σ_i Σ_j |E_i − E_j| / (2·n·Σ E)                                  0: all alike … 1 − 1/n: one item has everything
//! novelty   = mean over all entries of −log₂ share_i                           bits; share_i = training ratings of i / all training ratings
//! overlap   = mean over the lists of |list ∩ popular| / |list|                 0 … 1; popular = the most rated items, as many as the list has
//! ```
//!
//! | edge | rule |
//! |---|---|
//! | no entry in any list | coverage 0; the others have no number (NaN) |
//! | an item without a training rating | its share is that of one rating: −log₂ 0 is no number |
//! | an empty list | it has no overlap: left out of that mean |
//!
//! Source: Castells, Hurley and Vargas, *Novelty and Diversity in Recommender Systems* (2015), for novelty; the Gini index as a sum over ranks is in Dorfman (1979).

/// In how many of `lists` each of `n_items` items stands.
///
/// # Panics
/// Where an item is not below `n_items`.
pub fn exposures<L: AsRef<[u32]>>(lists: &[L], n_items: usize) -> Vec<u64> {
    let mut exposures = vec![0; n_items];
    for item in lists.iter().flat_map(|list| list.as_ref()) {
        exposures[*item as usize] += 1;
    }
    exposures
}

/// The share of the items that stand in a list at all.
///
/// ```
/// assert_eq!(lowrank::metrics::coverage(&[3, 0, 1, 0]), 0.5);
/// ```
pub fn coverage(exposures: &[u64]) -> f64 {
    exposures.iter().filter(|&&e| e > 0).count() as f64 / exposures.len() as f64
}

/// How unevenly exposure is spread. Cost: a sort.
///
/// ```text
/// G = Σ_{r = 1}^n (2r − n − 1)·E_(r) / (n·Σ E)                E_(1) ≤ E_(2) ≤ …
/// ```
///
/// ```
/// assert_eq!(lowrank::metrics::gini(&[2, 2, 2]), 0.0);
/// assert_eq!(lowrank::metrics::gini(&[0, 0, 0, 8]), 0.75);
/// ```
pub fn gini(exposures: &[u64]) -> f64 {
    let mut rising = exposures.to_vec();
    rising.sort_unstable();
    let n = rising.len() as f64;
    let (mut weighted, mut sum) = (0.0, 0.0);
    for (rank, &exposure) in (1..).zip(&rising) {
        let rank: u32 = rank;
        weighted += (2.0 * f64::from(rank) - n - 1.0) * exposure as f64;
        sum += exposure as f64;
    }
    weighted / (n * sum)
}

/// The mean surprise of an entry, in bits: `counts` are the training ratings of each item.
///
/// ```
/// // Half of the ratings are item 0's, an eighth item 2's: one bit and three.
/// assert_eq!(lowrank::metrics::novelty(&[1, 0, 1, 0], &[4, 3, 1, 0]), 2.0);
/// ```
pub fn novelty(exposures: &[u64], counts: &[u32]) -> f64 {
    let total: f64 = counts.iter().map(|&count| f64::from(count)).sum();
    let (mut bits, mut entries) = (0.0, 0.0);
    for (&exposure, &count) in exposures.iter().zip(counts) {
        if exposure > 0 {
            let share = f64::from(count.max(1)) / total.max(1.0);
            bits -= exposure as f64 * libm::log2(share);
            entries += exposure as f64;
        }
    }
    bits / entries
}

/// The share of `list` that is among the first |list| of `popular`; `None` for an empty list.
///
/// ```
/// use lowrank::metrics::overlap;
/// assert_eq!(overlap(&[4, 7, 1, 9], &[1, 2, 3, 4, 9]), Some(0.5)); // 1 and 4; 9 is fifth
/// ```
pub fn overlap(list: &[u32], popular: &[u32]) -> Option<f64> {
    let mut popular = popular[..popular.len().min(list.len())].to_vec();
    popular.sort_unstable();
    let in_both = |item: &&u32| popular.binary_search(item).is_ok();
    let both = list.iter().filter(in_both).count();
    (!list.is_empty()).then(|| both as f64 / list.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive_gini(exposures: &[u64]) -> f64 {
        let pairs = exposures
            .iter()
            .flat_map(|a| exposures.iter().map(move |b| a.abs_diff(*b)));
        let sum: u64 = exposures.iter().sum();
        pairs.sum::<u64>() as f64 / (2.0 * exposures.len() as f64 * sum as f64)
    }

    fn naive_novelty(lists: &[Vec<u32>], counts: &[u32]) -> f64 {
        let total: u32 = counts.iter().sum();
        let bits: Vec<f64> = lists
            .iter()
            .flatten()
            .map(|&i| -libm::log2(f64::from(counts[i as usize].max(1)) / f64::from(total)))
            .collect();
        bits.iter().sum::<f64>() / bits.len() as f64
    }

    #[test]
    fn sums_by_item_are_those_of_the_definitions() {
        for seed in 0..40u32 {
            let n_items = 3 + seed % 11;
            let lists: Vec<Vec<u32>> = (0..20)
                .map(|u| {
                    let mut list: Vec<u32> = (0..n_items)
                        .filter(|i| (u * 31 + i * 17 + seed) % 5 == 0)
                        .collect();
                    let turn = (u as usize + 1) % list.len().max(1);
                    list.rotate_left(turn);
                    list
                })
                .collect();
            let counts: Vec<u32> = (0..n_items).map(|i| (i * 7 + seed) % 6).collect();
            let found = exposures(&lists, n_items as usize);
            assert_eq!(found.iter().sum::<u64>(), lists.concat().len() as u64);
            let distinct = (0..n_items).filter(|i| lists.concat().contains(i)).count();
            assert_eq!(coverage(&found), distinct as f64 / f64::from(n_items));
            // Sums of at most 280 terms below 10 in two orders.
            assert!((gini(&found) - naive_gini(&found)).abs() < 1e-12);
            assert!((novelty(&found, &counts) - naive_novelty(&lists, &counts)).abs() < 1e-12);
        }
    }

    #[test]
    fn nothing_listed_is_no_number() {
        let nothing = exposures::<Vec<u32>>(&[vec![]], 3);
        assert_eq!(coverage(&nothing), 0.0);
        assert!(gini(&nothing).is_nan() && novelty(&nothing, &[1, 2, 3]).is_nan());
        assert_eq!(overlap(&[], &[1]), None);
    }

    #[test]
    fn an_item_that_nobody_rated_is_as_new_as_one_rated_once() {
        assert_eq!(novelty(&[5, 0], &[0, 8]), 3.0);
    }
}
