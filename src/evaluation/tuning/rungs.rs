//! Who trains for how long?
//!
//! ```text
//! s = ⌊log₃ n⌋      rung i = 0 … s:   ⌊n / 3^i⌋ trials, the best of the rung below,  of  E / 3^(s − i) epochs each
//! ```
//!
//! E is what a trial would train for on its own; rounded, and at least 1. A trial that climbs is trained anew, with its schedule stretched over its epochs: half a cosine is no
//! short training. Each rung takes about n·E/3^s epochs, so all of them take (s + 1)/3^s of what n whole trainings would.
//!
//! Source: Jamieson and Talwalkar, *Non-stochastic Best Arm Identification and Hyperparameter Optimization* (AISTATS 2016), with η = 3.

/// The share that climbs is 1 of so many.
const ETA: usize = 3;

/// Trainings of equal effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Trials on it.
    pub n_trials: usize,
    /// Their epochs are divided by this.
    pub divisor: usize,
}

impl Rung {
    /// The epochs of a trial that would train for `whole` on its own.
    pub fn epochs(&self, whole: usize) -> usize {
        // Half up, without the sum that could overflow.
        (whole / self.divisor + usize::from(whole % self.divisor >= self.divisor.div_ceil(2)))
            .max(1)
    }
}

/// The rungs of `n` trials by halving.
///
/// ```
/// use lowrank::evaluation::tuning::rungs;
/// let rungs: Vec<_> = rungs(20).iter().map(|rung| (rung.n_trials, rung.epochs(300))).collect();
/// assert_eq!(rungs, [(20, 33), (6, 100), (2, 300)]);
/// ```
pub fn rungs(n: usize) -> Vec<Rung> {
    let top = (1..)
        .find(|&s| ETA.checked_pow(s).is_none_or(|power| power > n))
        .unwrap_or(1)
        - 1;
    let rung = |i: u32| Rung {
        n_trials: (n / ETA.pow(i)).max(1),
        divisor: ETA.pow(top - i),
    };
    (0..=top).map(rung).collect()
}

/// The `n` trials of the least figures, in the order of their numbers; of equal ones the lower numbers. A figure that is not a number is the worst.
///
/// ```
/// use lowrank::evaluation::tuning::best;
/// let figures = [(0, 0.9), (1, f64::NAN), (2, 0.8), (5, 0.8), (6, 0.7)];
/// assert_eq!(best(&figures, 2), [2, 6]);
/// ```
pub fn best(figures: &[(usize, f64)], n: usize) -> Vec<usize> {
    let mut ranked = figures.to_vec();
    ranked.retain(|(_, figure)| !figure.is_nan());
    ranked.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let mut trials: Vec<usize> = ranked.into_iter().take(n).map(|(trial, _)| trial).collect();
    trials.sort_unstable();
    trials
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_shrink_to_a_third_and_the_last_is_whole() {
        let of = |n| {
            rungs(n)
                .iter()
                .map(|r| (r.n_trials, r.divisor))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(1), [(1, 1)]);
        assert_eq!(of(2), [(2, 1)]);
        assert_eq!(of(3), [(3, 3), (1, 1)]);
        assert_eq!(of(9), [(9, 9), (3, 3), (1, 1)]);
        assert_eq!(of(26), [(26, 9), (8, 3), (2, 1)]);
    }

    #[test]
    fn epochs_are_rounded_and_never_none() {
        let epochs = |whole, divisor| {
            Rung {
                n_trials: 1,
                divisor,
            }
            .epochs(whole)
        };
        assert_eq!(
            [epochs(4, 9), epochs(5, 9), epochs(13, 9), epochs(14, 9)],
            [1, 1, 1, 2]
        );
        assert_eq!(
            [epochs(1, 3), epochs(7, 3), epochs(8, 3), epochs(8, 1)],
            [1, 2, 3, 8]
        );
    }
}
