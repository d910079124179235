//! How is one of many drawn by weight, in the same time however many there are?
//!
//! Every place of a table holds its own item and perhaps an *alias*: a uniform draw of the place and one comparison pick one of the two (Walker, 1977; Vose, 1991). Places whose
//! item is too likely lend what they have too much to those whose item is not likely enough.

use crate::random::Stream;

/// Items with weights.
#[derive(Debug)]
pub(super) struct Alias {
    /// Of each place: the probability that its own item is taken, and whose turn it is otherwise.
    places: Vec<(f64, u32)>,
    /// The probability of each item.
    probabilities: Vec<f64>,
}

impl Alias {
    /// Items in proportion to `weights`, at least one of which is above 0.
    pub(super) fn new(weights: &[f64]) -> Alias {
        let total: f64 = weights.iter().sum();
        let n = weights.len() as f64;
        let probabilities: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        let mut places: Vec<(f64, u32)> = probabilities
            .iter()
            .zip(0u32..)
            .map(|(p, item)| (p * n, item))
            .collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..places.len()).partition(|&item| places[item].0 < 1.0);
        while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
            places[poor].1 = rich as u32;
            places[rich].0 -= 1.0 - places[poor].0;
            if places[rich].0 < 1.0 {
                large.pop();
                small.push(rich);
            }
        }
        // What is left has lost its partner to rounding; but an item of weight 0 is never its own.
        for rest in small.into_iter().chain(large) {
            if probabilities[rest] > 0.0 {
                places[rest].0 = 1.0;
            }
        }
        Alias {
            places,
            probabilities,
        }
    }

    /// An item.
    pub(super) fn draw(&self, stream: &mut Stream) -> u32 {
        let place = stream.below(self.places.len() as u64) as u32;
        let (own, alias) = self.places[place as usize];
        if stream.uniform() < own { place } else { alias }
    }

    /// How likely `item` is.
    pub(super) fn probability(&self, item: u32) -> f64 {
        self.probabilities[item as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_add_up_to_the_weights() {
        for weights in [
            vec![1.0],
            vec![3.0, 0.0, 1.0],
            vec![0.0, 0.0, 5.0],
            (0..100).map(f64::from).collect(),
        ] {
            let alias = Alias::new(&weights);
            let total: f64 = weights.iter().sum();
            let mut shares = vec![0.0; weights.len()];
            for (item, &(own, other)) in alias.places.iter().enumerate() {
                shares[item] += own / weights.len() as f64;
                shares[other as usize] += (1.0 - own) / weights.len() as f64;
            }
            for (share, weight) in shares.iter().zip(&weights) {
                assert!(
                    (share - weight / total).abs() < 1e-12,
                    "{share} for {weight}"
                );
            }
        }
    }
}
