//! How far is a predicted rating from the rating?
//!
//! ```text
//! RMSE = √( (1/n) Σ (ŷ − r)² )          in stars; a large error counts more than its share
//! MAE  =    (1/n) Σ |ŷ − r|             in stars; every error counts by its size.          MAE ≤ RMSE, always
//! ```
//!
//! Sums are `f64`, in the order of the pairs. Every pair counts once: a weight belongs to training.

/// The sums that both metrics are made of; those of two parts of a test set add up to the whole's.
///
/// ```
/// use lowrank::metrics::RatingErrors;
/// let mut errors = RatingErrors::default();
/// errors.push(4.0, 5.0); // one star too low
/// errors.push(3.0, 1.0); // two stars too high
/// assert_eq!(errors.mae(), 1.5);               // (1 + 2) / 2
/// assert_eq!(errors.rmse(), 2.5f64.sqrt());    // √((1 + 4) / 2)
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RatingErrors {
    squared: f64,
    absolute: f64,
    count: u64,
}

impl RatingErrors {
    /// Adds one pair.
    #[inline]
    pub fn push(&mut self, prediction: f64, rating: f64) {
        let error = prediction - rating;
        self.squared += error * error;
        self.absolute += error.abs();
        self.count += 1;
    }

    /// Adds the pairs of another part.
    pub fn merge(&mut self, other: &RatingErrors) {
        self.squared += other.squared;
        self.absolute += other.absolute;
        self.count += other.count;
    }

    /// The sums and their count, to be put down.
    #[cfg(feature = "train")]
    pub(crate) fn parts(&self) -> ([f64; 2], u64) {
        ([self.squared, self.absolute], self.count)
    }

    /// From [`parts`](RatingErrors::parts).
    #[cfg(feature = "train")]
    pub(crate) fn of_parts([squared, absolute]: [f64; 2], count: u64) -> RatingErrors {
        RatingErrors {
            squared,
            absolute,
            count,
        }
    }

    /// The number of pairs.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The root of the mean squared error; NaN where there is no pair.
    pub fn rmse(&self) -> f64 {
        (self.squared / self.count as f64).sqrt()
    }

    /// The mean absolute error; NaN where there is no pair.
    pub fn mae(&self) -> f64 {
        self.absolute / self.count as f64
    }
}

/// Of (prediction, rating) pairs.
impl FromIterator<(f64, f64)> for RatingErrors {
    fn from_iter<I: IntoIterator<Item = (f64, f64)>>(pairs: I) -> RatingErrors {
        let mut errors = RatingErrors::default();
        for (prediction, rating) in pairs {
            errors.push(prediction, rating);
        }
        errors
    }
}

/// RMSE of (prediction, rating) pairs; NaN where there is none.
///
/// ```
/// // errors 3 and −4: √((9 + 16) / 2)
/// assert_eq!(lowrank::metrics::rmse([(4.0, 1.0), (1.0, 5.0)]), 12.5f64.sqrt());
/// ```
pub fn rmse(pairs: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    RatingErrors::from_iter(pairs).rmse()
}

/// MAE of (prediction, rating) pairs; NaN where there is none.
///
/// ```
/// // errors 3 and −4: (3 + 4) / 2
/// assert_eq!(lowrank::metrics::mae([(4.0, 1.0), (1.0, 5.0)]), 3.5);
/// ```
pub fn mae(pairs: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    RatingErrors::from_iter(pairs).mae()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole() {
        let pairs = [(1.0, 2.0), (4.5, 4.0), (3.0, 3.0), (2.0, 5.0)];
        let (mut first, second) = (
            RatingErrors::from_iter(pairs[..1].iter().copied()),
            RatingErrors::from_iter(pairs[1..].iter().copied()),
        );
        first.merge(&second);
        assert_eq!(first, RatingErrors::from_iter(pairs));
        assert_eq!(first.count(), 4);
    }

    #[test]
    fn no_pair_gives_no_number() {
        assert!(rmse([]).is_nan() && mae([]).is_nan());
    }

    #[test]
    fn the_mean_absolute_error_is_never_the_greater() {
        let pairs = [(1.0, 2.5), (4.5, 4.0), (3.0, 0.0), (-2.0, 5.0)];
        assert!(mae(pairs) < rmse(pairs));
        let equal = [(1.0, 2.0), (3.0, 2.0)];
        assert_eq!(mae(equal), rmse(equal));
    }
}
