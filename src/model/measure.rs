//! What does a number in a column become?
//!
//! ```text
//! bins       edges e_1 < … < e_m          row n of the table, with weight 1, for e_n ≤ x < e_(n+1); e_0 = −∞, e_(m+1) = ∞
//! standard   mean and deviation s         row 0, with weight (x − mean)/s
//! ```
//!
//! Both are fitted on the numbers of the rows that have training ratings, and hold for any number that comes later. They are kept in the names of the
//! table's rows, which say to a reader what a row means and to the program what to do with a number: `[1990,1995)`, or `(x - 1984.25)/14.3`.
//! A number is written so that it reads back as itself.

use crate::data::Ids;

/// How a number becomes a feature.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// One row of the table a bin; these are the edges between them, rising.
    Bins(Vec<f64>),
    /// A single row, weighed by how many deviations the number is from the mean.
    Standard {
        /// Mean of the numbers that it was fitted on.
        mean: f64,
        /// Their standard deviation, ÷ n; 0 where all are the same, and then every weight is 0.
        deviation: f64,
    },
}

/// Beyond this neither a sum of numbers nor one of their squares is safe.
const GREATEST: f64 = 1e100;
/// A number further than this from the mean counts as this far: what is learnt between ±3 says nothing there, and must not overflow.
const FURTHEST: f64 = 1e6;

/// The number that `text` is; `None` where it is none, or is beyond ±10¹⁰⁰.
///
/// ```
/// use lowrank::model::measure::number;
/// assert_eq!((number(" -1.5e3 "), number("1995-11-01"), number("NaN")), (Some(-1500.0), None, None));
/// ```
pub fn number(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    // −0 is 0: two names of one number would be two edges. Written so that NaN fails.
    (number.abs() <= GREATEST).then_some(number + 0.0)
}

impl Measure {
    /// At most `n` bins with about as many of `values` in each; every value its own bin where there are no more than `n` different ones.
    ///
    /// An edge stands between two different values, so equal ones never part: of those places, at the one nearest to k/n of the values, the lower of two
    /// as near.
    ///
    /// ```
    /// use lowrank::model::Measure;
    /// // Six values, two bins: three and three.
    /// assert_eq!(Measure::bins(vec![5.0, 1.0, 3.0, 2.0, 4.0, 6.0], 2), Measure::Bins(vec![4.0]));
    /// // The middle is among the ones; the nearest place to part is after the fourth value.
    /// assert_eq!(Measure::bins(vec![1.0, 1.0, 1.0, 1.0, 2.0, 3.0], 2), Measure::Bins(vec![2.0]));
    /// ```
    pub fn bins(mut values: Vec<f64>, n: usize) -> Measure {
        values.sort_unstable_by(f64::total_cmp);
        let places: Vec<usize> = (1..values.len())
            .filter(|&p| values[p - 1] < values[p])
            .collect();
        let cuts = if places.len() < n {
            places
        } else {
            let mut cuts: Vec<usize> = (1..n)
                .map(|k| nearest(&places, k * values.len(), n))
                .collect();
            cuts.dedup();
            cuts
        };
        Measure::Bins(cuts.into_iter().map(|p| values[p]).collect())
    }

    /// Mean and deviation of `values`; both 0 of none. The same for any order of them: they are summed as they rise.
    pub fn standard(mut values: Vec<f64>) -> Measure {
        values.sort_unstable_by(f64::total_cmp);
        let Some(&first) = values.first() else {
            return Measure::Standard {
                mean: 0.0,
                deviation: 0.0,
            };
        };
        // The mean of equal numbers may be off by a rounding, and then they would deviate from it.
        if values.iter().all(|&x| x == first) {
            return Measure::Standard {
                mean: first,
                deviation: 0.0,
            };
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares = values.iter().map(|x| (x - mean) * (x - mean));
        Measure::Standard {
            mean,
            deviation: (squares.sum::<f64>() / n).sqrt(),
        }
    }

    /// The row of the table that the number `x` is about, and its weight.
    ///
    /// ```
    /// use lowrank::model::Measure;
    /// assert_eq!(Measure::Bins(vec![1990.0, 1995.0]).feature(1990.0), (1, 1.0));
    /// assert_eq!(Measure::Bins(vec![1990.0, 1995.0]).feature(1812.0), (0, 1.0));
    /// assert_eq!(Measure::Standard { mean: 40.0, deviation: 10.0 }.feature(25.0), (0, -1.5));
    /// ```
    pub fn feature(&self, x: f64) -> (u32, f32) {
        match self {
            Measure::Bins(edges) => (edges.partition_point(|&edge| edge <= x) as u32, 1.0),
            Measure::Standard { deviation: 0.0, .. } => (0, 0.0),
            Measure::Standard { mean, deviation } => {
                let weight = ((x - mean) / deviation).clamp(-FURTHEST, FURTHEST);
                (0, weight as f32)
            }
        }
    }

    /// The number of the table's rows.
    pub fn n_rows(&self) -> usize {
        match self {
            Measure::Bins(edges) => edges.len() + 1,
            Measure::Standard { .. } => 1,
        }
    }

    /// The names of the table's rows.
    ///
    /// ```
    /// use lowrank::model::Measure;
    /// let names = Measure::Bins(vec![1990.0, 1995.0]).names();
    /// assert_eq!(names.names().iter().collect::<Vec<_>>(), ["(-inf,1990)", "[1990,1995)", "[1995,inf)"]);
    /// assert_eq!(Measure::Standard { mean: 1984.25, deviation: 14.3 }.names().name(0), "(x - 1984.25)/14.3");
    /// ```
    pub fn names(&self) -> Ids {
        match self {
            Measure::Bins(edges) => {
                let ends = |n: usize| edges.get(n).map_or("inf".into(), |&edge| written(edge));
                let name = |n: usize| match n.checked_sub(1) {
                    None => format!("(-inf,{})", ends(0)),
                    Some(before) => format!("[{},{})", ends(before), ends(n)),
                };
                (0..self.n_rows()).map(name).collect()
            }
            Measure::Standard { mean, deviation } => {
                let name = format!("(x - {})/{}", written(*mean), written(*deviation));
                std::iter::once(name).collect()
            }
        }
    }

    /// What [`names`](Measure::names) made these names of; `None` where they are those of categories.
    pub fn from_names(names: &Ids) -> Option<Measure> {
        let (mut edges, mut open) = (Vec::new(), true);
        if let [first] = &names.names().iter().take(2).collect::<Vec<_>>()[..]
            && let Some((mean, deviation)) = first
                .strip_prefix("(x - ")
                .and_then(|rest| rest.split_once(")/"))
        {
            let (mean, deviation) = (number(mean)?, number(deviation)?);
            return (deviation >= 0.0).then_some(Measure::Standard { mean, deviation });
        }
        for name in names.names().iter() {
            let (from, to) = name.strip_suffix(')')?.split_once(',')?;
            // Each bin begins where the one before it ended, the last one ends nowhere.
            let begins = match edges.last() {
                None => from == "(-inf",
                Some(&edge) => number(from.strip_prefix('[')?)? == edge,
            };
            if !begins || !open {
                return None;
            }
            open = to != "inf";
            if open {
                let edge = number(to)?;
                if edges.last().is_some_and(|&before| before >= edge) {
                    return None;
                }
                edges.push(edge);
            }
        }
        (!open).then_some(Measure::Bins(edges))
    }
}

/// Of `places`, which rise, the one nearest to `target`/`n`; the lower of two.
fn nearest(places: &[usize], target: usize, n: usize) -> usize {
    let above = places.partition_point(|&p| p * n < target);
    let around = &places[above.saturating_sub(1)..(above + 1).min(places.len())];
    let distance = |p: &usize| (p * n).abs_diff(target);
    let nearest = around.iter().copied().min_by_key(distance);
    nearest.expect("places is not empty")
}

/// `x` in the fewest digits that read back as `x`, without rows of zeros.
fn written(x: f64) -> String {
    let (plain, short) = (x.to_string(), format!("{x:e}"));
    if plain.len() > 20 { short } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(values: &[f64], n: usize) -> Vec<f64> {
        let mut turned = values.to_vec();
        turned.reverse();
        let bins = Measure::bins(values.to_vec(), n);
        assert_eq!(bins, Measure::bins(turned, n), "in any order");
        match bins {
            Measure::Bins(edges) => edges,
            Measure::Standard { .. } => unreachable!("bins"),
        }
    }

    #[test]
    fn bins_hold_equal_shares_and_never_part_equal_values() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(edges(&ten, 5), [3.0, 5.0, 7.0, 9.0], "two in each");
        // A third of ten is 3⅓ and two thirds 6⅔: cuts after the third and the seventh.
        assert_eq!(edges(&ten, 3), [4.0, 8.0]);
        // No more different values than bins: a bin each, however rare.
        assert_eq!(edges(&[7.0, 1.0, 1.0, 1.0, 1.0, 9.0], 3), [7.0, 9.0]);
        assert_eq!(edges(&[2.0, 1.0], 10), [2.0]);
        // Places to part: after 1, 5, 6, 7 of 8. The quarters are 2, 4, 6: nearest are 1, 5, 6.
        let many_twos = [1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(edges(&many_twos, 4), [2.0, 3.0, 4.0]);
        // After 1, 7, 8 of 9 for three bins: 3 is nearest to 1, 6 to 7.
        let more_twos = [1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0, 4.0];
        assert_eq!(edges(&more_twos, 3), [2.0, 3.0]);
        // After 6, 7, 8 of 8 values: quarters 2, 4, 6 all part after the sixth.
        let ones = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0];
        assert_eq!(edges(&ones, 2), [2.0]);
        // Two places as near: the lower.
        assert_eq!(edges(&[1.0, 2.0, 2.0, 3.0], 2), [2.0]);
        assert_eq!(edges(&[5.0; 9], 4), [0.0; 0], "nothing to part");
        assert_eq!(edges(&[], 4), [0.0; 0]);
    }

    #[test]
    fn a_number_falls_where_its_name_says() {
        let bins = Measure::Bins(vec![-0.5, 3.0]);
        let rows = [-1e99, -0.6, -0.5, 2.9, 3.0, 1e99].map(|x| bins.feature(x).0);
        assert_eq!(rows, [0, 0, 1, 1, 2, 2]);
        assert_eq!(Measure::Bins(vec![]).feature(1.0), (0, 1.0));
    }

    #[test]
    fn standard_numbers_have_mean_0_and_deviation_1() {
        // Mean 5; squares 9, 1, 1, 1, 0, 0, 4, 16: 32/8 = 4.
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let standard = Measure::standard(values.to_vec());
        let wanted = Measure::Standard {
            mean: 5.0,
            deviation: 2.0,
        };
        assert_eq!(standard, wanted);
        let weights = [2.0, 5.0, 8.0].map(|x| standard.feature(x).1);
        assert_eq!(weights, [-1.5, 0.0, 1.5]);
        assert_eq!(standard.feature(1e90).1, 1e6, "no further than that");
        let mixed = [0.1, 1e9, -0.7, 3.0, 1e-9, -1e9];
        let mut turned = mixed.to_vec();
        turned.reverse();
        let same = Measure::standard(turned);
        assert_eq!(same, Measure::standard(mixed.to_vec()), "in any order");
        // Three tenths do not sum to three times a tenth.
        let same = Measure::standard(vec![0.1; 3]);
        assert_eq!((same.feature(0.1).1, same.feature(7.0).1), (0.0, 0.0));
        assert_eq!(Measure::standard(vec![]).feature(7.0).1, 0.0);
    }

    #[test]
    fn names_say_all() {
        for measure in [
            Measure::Bins(vec![]),
            Measure::Bins(vec![0.0]),
            Measure::Bins(vec![-1e99, -3.5, -1e-40, 0.1 + 0.2, 1995.0, 1e22, 1e100]),
            Measure::standard(vec![]),
            Measure::standard(vec![1.0 / 3.0, -7.0, 1e60]),
            Measure::Standard {
                mean: -3.25,
                deviation: 1e-30,
            },
        ] {
            let names = measure.names();
            assert_eq!(Measure::from_names(&names), Some(measure), "{names:?}");
            let longest = names.names().iter().map(str::len).max();
            assert!(longest < Some(60), "{names:?}");
        }
    }

    #[test]
    fn names_of_categories_are_no_measure() {
        for names in [
            &[][..],
            &["Drama"],
            &["1990"],
            &["[1990,1995)"],
            &["(-inf,1990)"],
            &["(-inf,1990)", "[1991,inf)"],
            &["(-inf,1990)", "[1990,1980)", "[1980,inf)"],
            &["(-inf,1990)", "[1990,inf)", "[1990,inf)x"],
            &["(-inf,inf)", "[inf,inf)"],
            &["(-inf,NaN)", "[NaN,inf)"],
            &["(x - 3)/-1"],
            &["(x - a)/1"],
            &["(x - 3)/1", "Drama"],
        ] {
            let ids: Ids = names.iter().collect();
            assert_eq!(Measure::from_names(&ids), None, "{names:?}");
        }
    }
}
