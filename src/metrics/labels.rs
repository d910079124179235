//! How far are probabilities from what happened?
//!
//! A row of the test is a yes or a no; p is how likely the model called the yes.
//!
//! ```text
//! log loss   = −(1/n) Σ ( ln p of a yes,  ln(1 − p) of a no )              0: right … ∞;  ln 2 by always saying ½
//! label AUC  = |pairs (yes, no) with p_yes > p_no| / |pairs|, ties half     0 … 1;  ½ by chance
//! ```
//!
//! p is kept within 10⁻⁷ of 0 and 1, so that one certain mistake costs 16 and not ∞. ln is `libm`'s: the same digits on every CPU.

use super::PairCount;

/// The least probability of what happened.
const LEAST: f64 = 1e-7;

/// The mean surprise at `labels`, each with its predicted probability; NaN without a row.
///
/// ```
/// use lowrank::metrics::log_loss;
/// // −(ln ½ + ln ¾)/2
/// assert!((log_loss(&[0.5, 0.25], &[true, false]) - 0.490_414_6).abs() < 1e-7);
/// ```
pub fn log_loss(probabilities: &[f64], labels: &[bool]) -> f64 {
    let mut sum = 0.0;
    for (&p, &yes) in probabilities.iter().zip(labels) {
        let of_label = if yes { p } else { 1.0 - p };
        sum -= libm::log(of_label.clamp(LEAST, 1.0 - LEAST));
    }
    sum / labels.len() as f64
}

/// The share of pairs of a yes and a no in the right order; `None` without such a pair.
///
/// ```
/// use lowrank::metrics::label_auc;
/// // 0.9 beats both, 0.4 ties with one and loses to the other.
/// let found = label_auc(&[0.9, 0.4, 0.4, 0.7], &[true, true, false, false]);
/// assert_eq!(found, Some(2.5 / 4.0));
/// ```
pub fn label_auc(probabilities: &[f64], labels: &[bool]) -> Option<f64> {
    let both = || probabilities.iter().zip(labels);
    let yes = both().filter(|(_, yes)| **yes).map(|(p, _)| *p as f32);
    let mut pairs = PairCount::new(yes.collect());
    both().for_each(|(p, _)| pairs.push(*p as f32));
    pairs.auc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certain_mistake_is_dear_but_not_endless() {
        let sure = log_loss(&[0.0], &[true]);
        assert!((sure - 7.0 * std::f64::consts::LN_10).abs() < 1e-9);
        assert_eq!(
            log_loss(&[1.0], &[false]),
            log_loss(&[1.0 - 1e-9], &[false])
        );
        assert!(log_loss(&[1.0, 0.0], &[true, false]) < 2e-7);
        assert!(log_loss(&[], &[]).is_nan());
        assert_eq!(label_auc(&[0.5, 0.9], &[true, true]), None);
        assert_eq!(label_auc(&[0.5, 0.9], &[true, false]), Some(0.0));
    }
}
