//! Does a relevant item stand before one that is not?
//!
//! ```text
//! AUC = (1 / (P·N)) Σ_{p relevant} Σ_{n not relevant} [s_p > s_n] + ½·[s_p = s_n]                0 … 1, ½ by chance
//! ```
//!
//! P relevant candidates, N others; the whole ranking counts, no cut-off. It is counted without pairs. Against *all* candidates c, relevant or not,
//!
//! ```text
//! Σ_c Σ_p  [s_p > s_c] + ½·[s_p = s_c]  =  AUC·P·N + P²/2
//! ```
//!
//! since of two relevant items one stands before the other, or each gets a half, and every item ties with itself. So a candidate needs only its place among the
//! P sorted scores, and in halves every sum is a whole number: the order of the candidates changes nothing, not even the last bit.
//!
//! | edge | rule |
//! |---|---|
//! | no relevant candidate, or no other | no number: the user is left out of the mean, and counted |
//! | equal scores | half a pair; here the item index does not decide |
//! | a relevant item that is no candidate | it has no score: left out |

/// So few relevant candidates are passed over, more are searched.
const FEW: usize = 24;

/// The scores of one user's relevant candidates, and what the other candidates add up to.
///
/// ```
/// use lowrank::metrics::PairCount;
/// // Relevant: 3 and 1. Not relevant: 2 and 1. Of four pairs 3 > 2, 3 > 1 and 1 = 1: two and a half.
/// let mut pairs = PairCount::new(vec![3.0, 1.0]);
/// for score in [3.0, 2.0, 1.0, 1.0] {
///     pairs.push(score);
/// }
/// assert_eq!(pairs.auc(), Some(2.5 / 4.0));
/// ```
#[derive(Clone, Debug)]
pub struct PairCount {
    /// Rising.
    relevant: Vec<f32>,
    n_candidates: u64,
    halves: u64,
}

impl PairCount {
    /// Of the scores of the relevant candidates; a NaN counts as less than every number.
    pub fn new(mut relevant: Vec<f32>) -> PairCount {
        relevant
            .iter_mut()
            .for_each(|score| *score = ordered(*score));
        relevant.sort_by(f32::total_cmp);
        PairCount {
            relevant,
            n_candidates: 0,
            halves: 0,
        }
    }

    /// A candidate, relevant or not; every relevant one must come too. Cost: log P where the score is among those of the relevant.
    #[inline(always)]
    pub fn push(&mut self, score: f32) {
        self.n_candidates += 1;
        self.halves += self.beaten_by(score);
    }

    /// Many candidates. For few relevant ones a pass over the scores each is faster than a search for each score: it has no branch.
    #[inline(always)]
    pub fn push_all(&mut self, scores: &[f32]) {
        let least = self.relevant.first().copied();
        if self.relevant.len() > FEW || least == Some(f32::NEG_INFINITY) {
            scores.iter().for_each(|&score| self.push(score));
            return;
        }
        self.n_candidates += scores.len() as u64;
        for &relevant in &self.relevant {
            let (mut not_below, mut equal) = (0u32, 0u32);
            for &score in scores {
                not_below += u32::from(score >= relevant);
                equal += u32::from(score == relevant);
            }
            // What is not at least as great is less, or no number.
            let below = scores.len() as u64 - u64::from(not_below);
            self.halves += 2 * below + u64::from(equal);
        }
    }

    /// `n` candidates with one score.
    pub fn push_many(&mut self, score: f32, n: u64) {
        self.n_candidates += n;
        self.halves += n * self.beaten_by(score);
    }

    /// A candidate that came and should not have.
    pub fn take_back(&mut self, score: f32) {
        self.n_candidates -= 1;
        self.halves -= self.beaten_by(score);
    }

    /// Halves of pairs of `score` and a relevant one.
    #[inline(always)]
    fn beaten_by(&self, score: f32) -> u64 {
        let score = ordered(score);
        let n = self.relevant.len();
        match (self.relevant.first(), self.relevant.last()) {
            (Some(&least), _) if score < least => 2 * n as u64,
            (_, Some(&greatest)) if score <= greatest => {
                let below = self.relevant.partition_point(|&r| r < score);
                let not_above = self.relevant.partition_point(|&r| r <= score);
                (2 * (n - not_above) + (not_above - below)) as u64
            }
            _ => 0,
        }
    }

    /// `None` where there is no pair.
    pub fn auc(&self) -> Option<f64> {
        let relevant = self.relevant.len() as u64;
        let others = self.n_candidates.checked_sub(relevant)?;
        let pairs = relevant as f64 * others as f64;
        let halves = self.halves - relevant * relevant;
        (pairs > 0.0).then(|| halves as f64 / 2.0 / pairs)
    }
}

/// −0 is 0, and NaN the least.
#[inline(always)]
fn ordered(score: f32) -> f32 {
    match score.is_nan() {
        true => f32::NEG_INFINITY,
        false => score + 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition: every pair.
    fn naive(relevant: &[f32], others: &[f32]) -> Option<f64> {
        let mut sum = 0.0;
        for p in relevant {
            for n in others {
                sum += f64::from(u8::from(p > n)) + 0.5 * f64::from(u8::from(p == n));
            }
        }
        let pairs = (relevant.len() * others.len()) as f64;
        (pairs > 0.0).then(|| sum / pairs)
    }

    fn counted(relevant: &[f32], others: &[f32]) -> Option<f64> {
        let mut pairs = PairCount::new(relevant.to_vec());
        others.iter().chain(relevant).for_each(|&s| pairs.push(s));
        pairs.auc()
    }

    #[test]
    fn counting_gives_what_comparing_all_pairs_gives() {
        for distinct in [1, 2, 3, 7, 1009] {
            for (n_relevant, n_others) in [(0, 5), (5, 0), (1, 1), (1, 40), (7, 40), (40, 7)] {
                let score =
                    |n: usize| (((n * 7919 + 13) % 1009) % distinct) as f32 - distinct as f32 / 2.0;
                let relevant: Vec<f32> = (0..n_relevant).map(score).collect();
                let others: Vec<f32> = (100..100 + n_others).map(score).collect();
                // Halves of at most 280 pairs are exact in both.
                assert_eq!(counted(&relevant, &others), naive(&relevant, &others));
            }
        }
    }

    #[test]
    fn many_at_once_are_as_one_by_one() {
        let odd = [f32::NAN, f32::NEG_INFINITY, f32::INFINITY, -0.0, 0.0];
        let scores: Vec<f32> = (0..300)
            .map(|n| (n * 7 % 11) as f32 - 5.0)
            .chain(odd)
            .collect();
        for (n, first) in [
            (0, 0.0),
            (1, 0.0),
            (FEW, 9.0),
            (FEW + 1, 9.0),
            (3, f32::NAN),
        ] {
            let relevant: Vec<f32> = (0..n)
                .map(|n| if n == 0 { first } else { n as f32 - 4.0 })
                .collect();
            let (mut all, mut each) = (PairCount::new(relevant.clone()), PairCount::new(relevant));
            all.push_all(&scores);
            scores.iter().for_each(|&score| each.push(score));
            assert_eq!(
                (all.halves, all.n_candidates),
                (each.halves, each.n_candidates),
                "{n} relevant"
            );
        }
    }

    #[test]
    fn the_ends_are_one_zero_and_a_half() {
        assert_eq!(counted(&[2.0, 3.0], &[1.0, 0.0, -1.0]), Some(1.0));
        assert_eq!(counted(&[-2.0], &[1.0, 0.0]), Some(0.0));
        assert_eq!(counted(&[1.0, 1.0], &[1.0, 1.0, 1.0]), Some(0.5));
        assert_eq!(counted(&[0.0], &[-0.0]), Some(0.5), "zeros are equal");
        assert_eq!(counted(&[f32::NAN], &[-1.0]), Some(0.0));
    }

    #[test]
    fn what_is_taken_back_never_came() {
        let (relevant, others) = ([2.0, 0.5], [1.0, 0.5, 3.0]);
        let mut pairs = PairCount::new(relevant.to_vec());
        others.iter().chain(&relevant).for_each(|&s| pairs.push(s));
        for score in [2.5, 0.5, -1.0] {
            pairs.push(score);
            pairs.take_back(score);
        }
        assert_eq!(pairs.auc(), naive(&relevant, &others));
    }
}
