//! Have two sets of counts been drawn alike?
//!
//! Both have the same bins; p are the shares of the reference, q those of what is current, n and m their totals, B the number of bins that are not empty in both.
//!
//! ```text
//! PSI = Σ_k (q_k − p_k)·ln(q_k / p_k)                        0 … ∞      p_k = (n_k + ½)/(n + B/2),  q_k = (m_k + ½)/(m + B/2)
//! JS  = ½ Σ_k p_k·log₂(p_k / a_k) + ½ Σ_k q_k·log₂(q_k / a_k)      0 … 1 bit     p_k = n_k/n,  q_k = m_k/m,  a = (p + q)/2,  0·log 0 = 0
//! ```
//!
//! The population stability index is Jeffreys' symmetric divergence. An empty bin would make it infinite, so every bin of both sides has half a count more; a bin that is empty on both sides is left
//! out. The Jensen–Shannon divergence needs no such help, and has an end: 1 where no bin is shared. Where p and q are near each other, JS ≈ PSI / (8 ln 2): 0.2 is about 0.036.
//!
//! **How much is much?** By convention a PSI below 0.1 is no change, and from 0.2 on it is one to act upon. But two samples of one distribution differ too: PSI/(1/n + 1/m) then has about the
//! distribution χ² with B − 1 degrees of freedom, and [`psi_by_chance`] is what one in twenty such pairs exceeds. Few rows and many bins can reach 0.2 that way.
//!
//! Sources: Wu and Olson, *Enterprise risk management*, J. Oper. Res. Soc. 61 (2010), for the convention; Yurdakul, *Statistical Properties of Population Stability Index* (2018), for χ²;
//! Lin, *Divergence measures based on the Shannon entropy*, IEEE Trans. Inf. Theory 37 (1991), equation 4.1 with equal weights. The quantile of χ² is Wilson and Hilferty's (1931).

/// The population stability index of `current` against `reference`; NaN where one of them has no count.
///
/// ```
/// // Halves against a quarter and three, 100 each: p = 50.5/101 twice, q = 25.5/101 and 75.5/101.
/// let psi = lowrank::metrics::psi(&[50, 50], &[25, 75]);
/// assert!((psi - 25.0 / 101.0 * (75.5f64 / 25.5).ln()).abs() < 1e-15); // ≈ 0.2687
/// ```
///
/// # Panics
/// Where the numbers of bins differ.
pub fn psi(reference: &[u64], current: &[u64]) -> f64 {
    let [n, m] = totals(reference, current);
    if n == 0.0 || m == 0.0 {
        return f64::NAN;
    }
    let half = 0.5 * bins_in_use(reference, current) as f64;
    let both = reference.iter().zip(current).filter(|pair| in_use(*pair));
    let terms = both.map(|(&before, &now)| {
        let p = (before as f64 + 0.5) / (n + half);
        let q = (now as f64 + 0.5) / (m + half);
        (q - p) * libm::log(q / p)
    });
    terms.sum()
}

/// The Jensen–Shannon divergence of two sets of counts in bits; NaN where one of them has no count.
///
/// ```
/// use lowrank::metrics::jensen_shannon;
/// assert_eq!(jensen_shannon(&[3, 0], &[0, 7]), 1.0);
/// assert_eq!(jensen_shannon(&[1, 3], &[10, 30]), 0.0);
/// // p = (1, 0), q = (½, ½), a = (¾, ¼): ½·log₂(4/3) + ½·(½·log₂(2/3) + ½·log₂ 2)
/// let wanted = 0.5 * (4f64 / 3.0).log2() + 0.25 * (2f64 / 3.0).log2() + 0.25;
/// assert!((jensen_shannon(&[8, 0], &[5, 5]) - wanted).abs() < 1e-15); // ≈ 0.3113
/// ```
///
/// # Panics
/// Where the numbers of bins differ.
pub fn jensen_shannon(reference: &[u64], current: &[u64]) -> f64 {
    let [n, m] = totals(reference, current);
    let part = |x: f64, middle: f64| match x > 0.0 {
        true => x * libm::log2(x / middle),
        false => 0.0,
    };
    let mut bits = 0.0;
    for (&before, &now) in reference.iter().zip(current) {
        let (p, q) = (before as f64 / n, now as f64 / m);
        let middle = 0.5 * (p + q);
        bits += 0.5 * (part(p, middle) + part(q, middle));
    }
    match n == 0.0 || m == 0.0 {
        true => f64::NAN,
        // What is rounded away from its ends is put back.
        false => bits.clamp(0.0, 1.0),
    }
}

/// The PSI that one in twenty pairs of samples of these sizes exceeds, though both come from one distribution over so many bins; 0 for a single bin, and infinite without a count.
///
/// ```
/// // 20 bins: the quantile of χ² for 19 degrees of freedom is 30.14. 1,000 rows against 90,000: 30.14·(1/1,000 + 1/90,000).
/// let chance = lowrank::metrics::psi_by_chance(20, 90_000, 1_000);
/// assert!((chance - 30.14 * (1.0 / 1_000.0 + 1.0 / 90_000.0)).abs() < 1e-4);
/// ```
pub fn psi_by_chance(n_bins: usize, n_reference: u64, n_current: u64) -> f64 {
    let quantile = chi_square(n_bins.saturating_sub(1));
    if quantile == 0.0 {
        return 0.0;
    }
    quantile * (1.0 / n_reference as f64 + 1.0 / n_current as f64)
}

/// The number of rows from which [`psi_by_chance`] is at most `bound`; `None` where no number is enough, because the reference itself is too small.
pub fn rows_for(bound: f64, n_bins: usize, n_reference: u64) -> Option<u64> {
    let quantile = chi_square(n_bins.saturating_sub(1));
    let left = bound - quantile / n_reference as f64;
    // Written so that NaN fails. A cast stops at the greatest number.
    (left > 0.0).then(|| libm::ceil(quantile / left) as u64)
}

/// The bins that are not empty in both.
pub fn bins_in_use(reference: &[u64], current: &[u64]) -> usize {
    let pairs = reference.iter().zip(current);
    pairs.filter(|pair| in_use(*pair)).count()
}

fn in_use((before, now): (&u64, &u64)) -> bool {
    before + now > 0
}

fn totals(reference: &[u64], current: &[u64]) -> [f64; 2] {
    assert_eq!(reference.len(), current.len(), "bins");
    [reference, current].map(|counts| counts.iter().map(|&n| n as f64).sum())
}

/// What χ² with `degrees` degrees of freedom exceeds with a probability of 0.05.
///
/// ```text
/// χ² ≈ ν·(1 − 2/(9ν) + z·√(2/(9ν)))³,   z = 1.6449            within 0.1 of the truth
/// ```
fn chi_square(degrees: usize) -> f64 {
    if degrees == 0 {
        return 0.0;
    }
    let degrees = degrees as f64;
    let part = 2.0 / (9.0 * degrees);
    let root = 1.0 - part + 1.644_853_627 * part.sqrt();
    degrees * root * root * root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_shares_differ_by_nothing() {
        assert_eq!(psi(&[5, 3, 0], &[5, 3, 0]), 0.0);
        assert_eq!(jensen_shannon(&[5, 3, 0], &[50, 30, 0]), 0.0);
        // Half a count weighs more with the few: (5.5/9, 3.5/9) and (50.5/81, 30.5/81).
        let [p, q] = [[5.5 / 9.0, 3.5 / 9.0], [50.5 / 81.0, 30.5 / 81.0]];
        let wanted = (q[0] - p[0]) * f64::ln(q[0] / p[0]) + (q[1] - p[1]) * f64::ln(q[1] / p[1]);
        assert!((psi(&[5, 3, 0], &[50, 30, 0]) - wanted).abs() < 1e-15);
        assert!(wanted < 1e-3);
    }

    #[test]
    fn an_empty_bin_is_half_a_count() {
        // p = 10.5/11 and 0.5/11, q the reverse.
        let wanted = 2.0 * 10.0 / 11.0 * f64::ln(21.0);
        assert!((psi(&[10, 0], &[0, 10]) - wanted).abs() < 1e-13);
        // A bin that nobody uses changes nothing.
        assert_eq!(psi(&[10, 0, 0], &[0, 0, 10]), psi(&[10, 0], &[0, 10]));
    }

    #[test]
    fn both_are_symmetric_and_js_has_an_end() {
        let (a, b) = ([7, 0, 3, 90], [40, 40, 3, 17]);
        assert!((psi(&a, &b) - psi(&b, &a)).abs() < 1e-14);
        assert!((jensen_shannon(&a, &b) - jensen_shannon(&b, &a)).abs() < 1e-15);
        assert_eq!(jensen_shannon(&[1, 2, 0, 0], &[0, 0, 9, 4]), 1.0);
        assert!(psi(&[0, 0], &[1, 2]).is_nan() && psi(&[1, 2], &[0, 0]).is_nan());
        assert!(jensen_shannon(&[0, 0], &[1, 2]).is_nan());
        assert!(jensen_shannon(&[], &[]).is_nan());
    }

    #[test]
    fn small_changes_are_the_same_to_both() {
        let psi = psi(&[5000, 5000], &[5100, 4900]);
        let js = jensen_shannon(&[5000, 5000], &[5100, 4900]);
        let ratio = psi / (8.0 * std::f64::consts::LN_2 * js);
        assert!((ratio - 1.0).abs() < 1e-3, "{ratio}");
    }

    #[test]
    fn the_quantiles_are_those_of_tables() {
        for (degrees, wanted) in [(1, 3.841), (4, 9.488), (9, 16.919), (19, 30.144)] {
            assert!((chi_square(degrees) - wanted).abs() < 0.1, "{degrees}");
        }
        assert_eq!(psi_by_chance(1, 10, 10), 0.0);
        assert_eq!(psi_by_chance(2, 10, 0), f64::INFINITY);
        let rows = rows_for(0.2, 20, 90_000).unwrap();
        assert!(psi_by_chance(20, 90_000, rows) <= 0.2);
        assert!(psi_by_chance(20, 90_000, rows - 1) > 0.2);
        assert_eq!(rows_for(0.2, 20, 100), None);
    }
}
