//! How many numbers fall where?
//!
//! ```text
//! values v_1 < … < v_m           m counts: of each value; any other number falls nowhere
//! edges  e_1 ≤ … ≤ e_(b−1)       b counts: bin k has e_k ≤ x < e_(k+1), e_0 = −∞, e_b = ∞; between equal edges there is nothing
//! ```

/// Numbers, counted by value or by bin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// As many as counts: values. One fewer: edges.
    marks: Vec<f32>,
    counts: Vec<u64>,
}

impl Histogram {
    /// Of `values`, each as often as it is said to occur, in any order.
    pub fn of_values(mut counted: Vec<(f32, u64)>) -> Histogram {
        counted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (marks, counts) = counted.into_iter().unzip();
        Histogram { marks, counts }
    }

    /// `n` bins with about as many of `values` in each. Edges are values, so equal ones never part, and where many are equal edges are too.
    ///
    /// ```
    /// use lowrank::model::reference::Histogram;
    /// let halves = Histogram::of_quantiles(vec![5.0, 1.0, 3.0, 2.0], 2);
    /// assert_eq!((halves.marks(), halves.counts()), (&[3.0][..], &[2, 2][..]));
    /// ```
    ///
    /// # Panics
    /// Where `n` is 0.
    pub fn of_quantiles(mut values: Vec<f32>, n: usize) -> Histogram {
        assert!(n > 0, "at least one bin");
        values.sort_unstable_by(f32::total_cmp);
        let edge = |k: usize| values.get(k * values.len() / n).copied();
        let marks = (1..n).map(|k| edge(k).unwrap_or(0.0)).collect();
        let mut histogram = Histogram {
            marks,
            counts: vec![0; n],
        };
        histogram.counts = histogram.count(values).0;
        histogram
    }

    /// From its parts; `None` where they do not make one.
    pub fn from_parts(marks: Vec<f32>, counts: Vec<u64>) -> Option<Histogram> {
        let fits = match marks.len() == counts.len() {
            true => marks.windows(2).all(|pair| pair[0] < pair[1]),
            false => {
                marks.len() + 1 == counts.len() && marks.windows(2).all(|pair| pair[0] <= pair[1])
            }
        };
        let total = counts.iter().try_fold(0u64, |sum, &n| sum.checked_add(n));
        let finite = marks.iter().all(|mark| mark.is_finite());
        (fits && finite && total.is_some()).then_some(Histogram { marks, counts })
    }

    /// The values, or the edges between the bins.
    pub fn marks(&self) -> &[f32] {
        &self.marks
    }

    /// One a value, or a bin.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Whether values are counted, not bins.
    pub fn is_of_values(&self) -> bool {
        self.marks.len() == self.counts.len()
    }

    /// Where `x` falls; `None` for a value that has no place, and for NaN.
    pub fn place(&self, x: f32) -> Option<usize> {
        match self.is_of_values() {
            true => self.marks.iter().position(|&mark| mark == x),
            false => (!x.is_nan()).then(|| self.marks.partition_point(|&edge| edge <= x)),
        }
    }

    /// How many of other numbers fall into each place, and how many into none.
    pub fn count(&self, numbers: impl IntoIterator<Item = f32>) -> (Vec<u64>, u64) {
        let (mut counts, mut other) = (vec![0; self.counts.len()], 0);
        for x in numbers {
            match self.place(x) {
                Some(place) => counts[place] += 1,
                None => other += 1,
            }
        }
        (counts, other)
    }

    /// What place `k` is called: `4`, or `[3.25,3.5)`.
    pub fn name(&self, k: usize) -> String {
        if self.is_of_values() {
            return self.marks[k].to_string();
        }
        let edge = |k: Option<usize>| k.and_then(|k| self.marks.get(k));
        match (edge(k.checked_sub(1)), edge(Some(k))) {
            (Some(low), Some(high)) => format!("[{low},{high})"),
            (None, Some(high)) => format!("<{high}"),
            (Some(low), None) => format!(">={low}"),
            (None, None) => "all".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_by_name_and_others_apart() {
        let stars = Histogram::of_values(vec![(4.0, 3), (1.0, 1), (4.5, 2)]);
        assert_eq!(stars.marks(), [1.0, 4.0, 4.5]);
        assert_eq!(stars.counts(), [1, 3, 2]);
        assert_eq!(stars.total(), 6);
        let (counts, other) = stars.count([4.0, 4.5, 4.0, 3.0, f32::NAN]);
        assert_eq!((counts, other), (vec![0, 2, 1], 2));
        assert_eq!(stars.name(2), "4.5");
    }

    #[test]
    fn a_bin_begins_at_its_edge() {
        let values: Vec<f32> = (0..10u8).map(f32::from).collect();
        let fifths = Histogram::of_quantiles(values, 5);
        assert_eq!(fifths.marks(), [2.0, 4.0, 6.0, 8.0]);
        assert_eq!(fifths.counts(), [2; 5]);
        let places = [-1.0, 1.9, 2.0, 7.9, 8.0, f32::INFINITY].map(|x| fifths.place(x));
        assert_eq!(places, [0, 0, 1, 3, 4, 4].map(Some));
        assert_eq!(fifths.place(f32::NAN), None);
        let names: Vec<String> = (0..3).map(|k| fifths.name(2 * k)).collect();
        assert_eq!(names, ["<2", "[4,6)", ">=8"]);
    }

    #[test]
    fn equal_numbers_stay_together() {
        // Quarters of 1 1 1 1 1 1 2 5: the edges are 1, 1 and 2.
        let ties = Histogram::of_quantiles(vec![1.0, 1.0, 5.0, 1.0, 1.0, 2.0, 1.0, 1.0], 4);
        assert_eq!(ties.marks(), [1.0, 1.0, 2.0]);
        assert_eq!(ties.counts(), [0, 0, 6, 2]);
        let none = Histogram::of_quantiles(Vec::new(), 4);
        assert_eq!((none.marks().len(), none.total()), (3, 0));
    }

    #[test]
    fn parts_that_make_none_are_refused() {
        let parts = |marks: &[f32], counts: &[u64]| {
            Histogram::from_parts(marks.to_vec(), counts.to_vec()).is_some()
        };
        assert!(parts(&[], &[]) && parts(&[], &[3]));
        assert!(parts(&[1.0, 2.0], &[3, 4]) && parts(&[1.0, 1.0], &[3, 0, 4]));
        assert!(!parts(&[1.0, 1.0], &[3, 4]), "a value twice");
        assert!(!parts(&[2.0, 1.0], &[3, 4, 5]), "edges that fall");
        assert!(!parts(&[1.0], &[3, 4, 5]) && !parts(&[1.0, 2.0, 3.0], &[1, 2]));
        assert!(!parts(&[f32::NAN], &[3, 4]) && !parts(&[f32::INFINITY], &[3]));
        assert!(!parts(&[1.0], &[u64::MAX, 1]), "more than can be counted");
    }
}
