//! Is a difference more than chance?
//!
//! ```text
//! x̄ = (1/n) Σ x            s = √( Σ (x − x̄)² / (n − 1) )            standard error of x̄:  s/√n
//!
//! t = x̄ / (s/√n)           95 % interval  x̄ ± q·s/√n,  P(|T_ν| ≤ q) = 0.95           p = P(|T_ν| > |t|),   ν = n − 1
//! ```
//!
//! Student's distribution for whole ν is a finite sum, so small numbers of folds are treated exactly (Abramowitz and Stegun, *Handbook of Mathematical
//! Functions*, 26.7.3 and 26.7.4). With θ = atan(t/√ν), c = cos θ = √(ν/(ν + t²)), s = sin θ = t/√(ν + t²):
//!
//! ```text
//! P(|T_ν| ≤ t) = s·(1 + ½c² + (1·3)/(2·4)c⁴ + … up to c^(ν−2))                        ν even
//!              = (2/π)·(θ + s·(c + ⅔c³ + (2·4)/(3·5)c⁵ + … up to c^(ν−2)))            ν odd, without the sum for ν = 1
//! ```

/// Mean and spread of some figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// x̄; NaN of none.
    pub mean: f64,
    /// s; 0 where there is one figure.
    pub std: f64,
    /// n.
    pub n: usize,
}

impl Spread {
    /// Of `figures`.
    ///
    /// ```
    /// use lowrank::evaluation::statistics::Spread;
    /// let spread = Spread::of(&[1.0, 2.0, 6.0]);
    /// assert_eq!((spread.mean, spread.std), (3.0, 7.0f64.sqrt())); // (4 + 1 + 9) / 2
    /// ```
    pub fn of(figures: &[f64]) -> Spread {
        let n = figures.len();
        let mean = figures.iter().sum::<f64>() / n as f64;
        let squares: f64 = figures.iter().map(|x| (x - mean) * (x - mean)).sum();
        let std = match n {
            0 | 1 => 0.0,
            _ => (squares / (n - 1) as f64).sqrt(),
        };
        Spread { mean, std, n }
    }
}

/// How sure a difference is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The difference.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The probability of one as far from 0, were the truth 0; exact to about 1e-14.
    pub p_value: f64,
}

/// The share of an interval's probability.
pub const CONFIDENCE: f64 = 0.95;

impl Difference {
    /// Student's interval around `mean`; `None` without a degree of freedom.
    pub fn of(mean: f64, standard_error: f64, degrees: usize) -> Option<Difference> {
        if degrees == 0 {
            return None;
        }
        let reach = t_quantile(CONFIDENCE, degrees) * standard_error;
        let p_value = match (mean == 0.0, standard_error == 0.0) {
            (true, _) => 1.0,
            (false, true) => 0.0,
            _ => 1.0 - t_within(mean.abs() / standard_error, degrees),
        };
        Some(Difference {
            mean,
            standard_error,
            low: mean - reach,
            high: mean + reach,
            p_value,
        })
    }

    /// This in units of which `sum` make one: all but p divided by it, and nothing of nothing.
    #[must_use]
    pub fn per(self, sum: f64) -> Difference {
        let per = |value: f64| if sum > 0.0 { value / sum } else { 0.0 };
        Difference {
            mean: per(self.mean),
            standard_error: per(self.standard_error),
            low: per(self.low),
            high: per(self.high),
            ..self
        }
    }

    /// The paired t test of `second − first`; `None` for fewer than two pairs.
    ///
    /// ```
    /// use lowrank::evaluation::statistics::Difference;
    /// // Differences 1, 2, 3: mean 2, s = 1, standard error 1/√3; q for ν = 2 is 4.3027.
    /// let difference = Difference::paired(&[5.0, 5.0, 5.0], &[6.0, 7.0, 8.0]).unwrap();
    /// assert_eq!(difference.mean, 2.0);
    /// assert!((difference.low - (2.0 - 4.302_652_73 / 3f64.sqrt())).abs() < 1e-8);
    /// ```
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn paired(first: &[f64], second: &[f64]) -> Option<Difference> {
        assert_eq!(first.len(), second.len(), "pairs");
        let pairs = first.iter().zip(second);
        let spread = Spread::of(&pairs.map(|(a, b)| b - a).collect::<Vec<_>>());
        let error = spread.std / (spread.n as f64).sqrt();
        Difference::of(spread.mean, error, spread.n.saturating_sub(1))
    }

    /// The test of Σ(second − first)/N where what comes from one cluster, a user say, hangs together: only clusters are independent. `None` for fewer than two clusters.
    ///
    /// ```text
    /// d̄ = Σ_n d_n / N        standard error = √( C/(C − 1) · Σ_c ( Σ_{n∈c} (d_n − d̄) )² ) / N        ν = C − 1 for C clusters
    /// ```
    ///
    /// With one row a cluster this is the paired t test. Source: Liang and Zeger, *Biometrika* 73 (1986), for a mean.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn clustered(first: &[f64], second: &[f64], clusters: &[u32]) -> Option<Difference> {
        assert!(
            first.len() == second.len() && first.len() == clusters.len(),
            "pairs"
        );
        let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| b - a).collect();
        let rows = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / rows;
        let mut sums = vec![None; clusters.iter().max().map_or(0, |&last| last as usize + 1)];
        for (&cluster, difference) in clusters.iter().zip(differences) {
            *sums[cluster as usize].get_or_insert(0.0) += difference - mean;
        }
        let sums: Vec<f64> = sums.into_iter().flatten().collect();
        let squares: f64 = sums.iter().map(|sum| sum * sum).sum();
        let n = sums.len();
        let share = n as f64 / n.saturating_sub(1) as f64;
        Difference::of(mean, (share * squares).sqrt() / rows, n.saturating_sub(1))
    }
}

/// P(|T| ≤ t) for Student's T with `degrees` ≥ 1 of freedom and t ≥ 0.
pub fn t_within(t: f64, degrees: usize) -> f64 {
    let nu = degrees as f64;
    let norm = libm::hypot(t, nu.sqrt());
    let (cosine, sine) = (nu.sqrt() / norm, t / norm);
    let odd = degrees % 2 == 1;
    // The exponent of the sum's first term; every term is the one before times c²·(j + 1)/(j + 2).
    let first = usize::from(odd);
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = 0.0;
    for exponent in (first..degrees.saturating_sub(1)).step_by(2) {
        sum += term;
        term *= cosine * cosine * (exponent + 1) as f64 / (exponent + 2) as f64;
        if term < sum * f64::EPSILON / nu {
            break;
        }
    }
    if odd {
        let angle = libm::atan2(t, nu.sqrt());
        std::f64::consts::FRAC_2_PI * (angle + sine * sum)
    } else {
        sine * sum
    }
    .min(1.0)
}

/// The t with P(|T| ≤ t) = `share`, for 0 < share < 1: the interval is halved until nothing is between its ends.
pub fn t_quantile(share: f64, degrees: usize) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while t_within(high, degrees) < share {
        (low, high) = (high, 2.0 * high);
    }
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return high;
        }
        if t_within(middle, degrees) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_distribution_is_that_of_the_books() {
        // One degree is Cauchy's: P(|T| ≤ 1) = ½. Two: t/√(2 + t²).
        assert!((t_within(1.0, 1) - 0.5).abs() < 1e-15);
        assert!((t_within(2.0, 2) - 2.0 / 6f64.sqrt()).abs() < 1e-15);
        // Three, with θ = atan(t/√3) = 45° at t = √3: (2/π)(π/4 + ½).
        let three = std::f64::consts::FRAC_2_PI * (std::f64::consts::FRAC_PI_4 + 0.5);
        assert!((t_within(3f64.sqrt(), 3) - three).abs() < 1e-15);
        // Four, at t = 2: s = c = 1/√2, s·(1 + ¼).
        assert!((t_within(2.0, 4) - 1.25 / 2f64.sqrt()).abs() < 1e-15);
        // Tables of the two-sided 5 % points.
        for (degrees, wanted) in [
            (1, 12.706_204_74),
            (2, 4.302_652_73),
            (3, 3.182_446_31),
            (4, 2.776_445_11),
            (5, 2.570_581_84),
            (9, 2.262_157_16),
            (30, 2.042_272_46),
            (120, 1.979_930_41),
        ] {
            let found = t_quantile(0.95, degrees);
            assert!((found - wanted).abs() < 1e-8, "{degrees}: {found}");
        }
        // Normal in the limit: 1.959964 + (z³ + z)/4ν.
        let many = t_quantile(0.95, 100_001);
        assert!(
            (many - (1.959_963_985 + 2.3722 / 100_001.0)).abs() < 1e-8,
            "{many}"
        );
    }

    #[test]
    fn a_paired_test_can_be_worked_by_hand() {
        // Differences −1, 0, 1, 2 : mean ½, s = √(5/3), error √(5/12), t = √(3/5), ν = 3.
        let found = Difference::paired(&[3.0, 3.0, 3.0, 3.0], &[2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(found.mean, 0.5);
        assert!((found.standard_error - (5f64 / 12.0).sqrt()).abs() < 1e-15);
        // tan θ = √(1/5): c² = 5/6, s·c = √5/6.
        let angle = (0.2f64).sqrt().atan();
        let within = 2.0 / std::f64::consts::PI * (angle + 5f64.sqrt() / 6.0);
        assert!((found.p_value - (1.0 - within)).abs() < 1e-14);
        assert!((found.high - 0.5 - 3.182_446_305 * (5f64 / 12.0).sqrt()).abs() < 1e-8);
    }

    #[test]
    fn nothing_apart_is_no_difference_and_one_pair_says_nothing() {
        let same = Difference::paired(&[1.0, 2.0], &[1.0, 2.0]).unwrap();
        assert_eq!((same.low, same.high, same.p_value), (0.0, 0.0, 1.0));
        let always = Difference::paired(&[1.0, 2.0], &[2.0, 3.0]).unwrap();
        assert_eq!((always.low, always.high, always.p_value), (1.0, 1.0, 0.0));
        assert_eq!(Difference::paired(&[1.0], &[2.0]), None);
        assert_eq!(
            Difference::clustered(&[1.0, 1.0], &[2.0, 5.0], &[3, 3]),
            None
        );
    }

    #[test]
    fn rows_of_one_user_hang_together() {
        // User 0 has differences 1 and 3, user 2 has −1: mean 1, sums of residuals 2 and −2, error √(2·8)/3, t = ¾.
        let found = Difference::clustered(&[0.0; 3], &[1.0, -1.0, 3.0], &[0, 2, 0]).unwrap();
        assert_eq!(found.mean, 1.0);
        assert!((found.standard_error - 4.0 / 3.0).abs() < 1e-15);
        let within = 2.0 / std::f64::consts::PI * 0.75f64.atan();
        assert!((found.p_value - (1.0 - within)).abs() < 1e-14);
        // A row a user is the paired test.
        let (a, b) = ([1.0, 4.0, 2.5, 3.0], [1.5, 3.0, 2.0, 7.0]);
        let alone = Difference::clustered(&a, &b, &[5, 1, 0, 2]).unwrap();
        let paired = Difference::paired(&a, &b).unwrap();
        assert!((alone.standard_error - paired.standard_error).abs() < 1e-15);
        assert!((alone.p_value - paired.p_value).abs() < 1e-14);
    }
}
