//! How sure is it that one figure is beyond another?
//!
//! A figure is a mean of parts, or the root of one: squared errors of rows, values of users. Two figures over the same rows or users are compared part by part, and parts of one user hang together
//! ([`Difference::clustered`]); nothing is drawn. With a factor f before the second,
//!
//! ```text
//! of means    a − f·b = mean of (a_n − f·b_n)
//! of roots    √A − f·√B = (A − f²·B) / (√A + f·√B), exactly;   A − f²·B = mean of (a_n − f²·b_n), and the ends of its interval are divided likewise
//! ```
//!
//! as [`comparison`](crate::evaluation::comparison) does for f = 1.

use crate::evaluation::statistics::Difference;

/// A figure, and the parts that it is a mean of.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    value: f64,
    parts: Option<Parts>,
}

#[derive(Clone, Debug, PartialEq)]
struct Parts {
    /// NaN where there is none, as of a user for whom nothing is relevant.
    values: Vec<f64>,
    /// Whose they are.
    users: Vec<u32>,
    is_root: bool,
}

/// Two figures over what both have parts of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// The first.
    pub value: f64,
    /// The second.
    pub reference: f64,
    /// The 95 % interval of the first less f times the second; `None` where the figures have no parts, or those of one user alone.
    pub difference: Option<[f64; 2]>,
}

impl Parts {
    fn value(&self) -> f64 {
        let there = self.values.iter().filter(|value| !value.is_nan());
        let (sum, n) = there.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
        let mean: f64 = sum / n;
        if self.is_root { mean.sqrt() } else { mean }
    }

    /// The parts at `places`.
    fn at(&self, places: &[usize]) -> Parts {
        Parts {
            values: places.iter().map(|&n| self.values[n]).collect(),
            users: places.iter().map(|&n| self.users[n]).collect(),
            is_root: self.is_root,
        }
    }
}

impl Sample {
    /// A figure that is no mean: coverage, an AUC of all rows.
    pub fn whole(value: f64) -> Sample {
        Sample { value, parts: None }
    }

    /// The root of the mean of squared errors, one a row; `users` says whose the rows are.
    pub fn root_mean(squares: Vec<f64>, users: Vec<u32>) -> Sample {
        Sample::of(squares, users, true)
    }

    /// The mean of what rows have; `users` says whose they are.
    pub fn mean(values: Vec<f64>, users: Vec<u32>) -> Sample {
        Sample::of(values, users, false)
    }

    /// The mean of what users have; NaN for a user who is left out.
    pub fn of_users(values: Vec<f64>) -> Sample {
        let users = (0..values.len() as u32).collect();
        Sample::of(values, users, false)
    }

    fn of(values: Vec<f64>, users: Vec<u32>, is_root: bool) -> Sample {
        let parts = Parts {
            values,
            users,
            is_root,
        };
        Sample {
            value: parts.value(),
            parts: Some(parts),
        }
    }

    /// The figure; NaN of nothing.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// This beside `factor` times `reference`, which is of the same rows or users in the same order. Parts that one of the two has not are left out of both.
    pub fn beside(&self, reference: &Sample, factor: f64) -> Compared {
        let whole = Compared {
            value: self.value,
            reference: reference.value,
            difference: None,
        };
        let (Some(first), Some(second)) = (&self.parts, &reference.parts) else {
            return whole;
        };
        if first.values.len() != second.values.len() || first.is_root != second.is_root {
            return whole;
        }
        let both = |&n: &usize| !first.values[n].is_nan() && !second.values[n].is_nan();
        let places: Vec<usize> = (0..first.values.len()).filter(both).collect();
        let (first, second) = (first.at(&places), second.at(&places));
        let (value, reference) = (first.value(), second.value());
        let (scale, sum) = match first.is_root {
            true => (factor * factor, value + factor * reference),
            false => (factor, 1.0),
        };
        let scaled: Vec<f64> = second.values.iter().map(|part| scale * part).collect();
        let difference = Difference::clustered(&scaled, &first.values, &first.users);
        let difference = difference.map(|difference| difference.per(sum));
        Compared {
            value,
            reference,
            difference: difference.map(|of| [of.low, of.high]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_compared_by_their_squares() {
        // RMSE 2 and 4; with a factor of ¼ the second is 1. Squares less 1/16 of the others': 0 and 6, mean 3 = 4 − 1.
        let first = Sample::root_mean(vec![1.0, 7.0], vec![5, 9]);
        let second = Sample::root_mean(vec![16.0, 16.0], vec![5, 9]);
        assert_eq!((first.value(), second.value()), (2.0, 4.0));
        let found = first.beside(&second, 0.25);
        assert_eq!((found.value, found.reference), (2.0, 4.0));
        let [low, high] = found.difference.unwrap();
        assert_eq!((low + high) / 2.0, 1.0, "2 − ¼·4");
        // Standard error of the mean of 0 and 6: 3; divided by 2 + 1; q for ν = 1 is 12.7062.
        assert!(((high - low) / 2.0 - 12.706_204_7).abs() < 1e-6);
        // One user: nothing to say.
        let alone = Sample::root_mean(vec![1.0, 7.0], vec![5, 5]);
        assert_eq!(alone.beside(&alone, 1.0).difference, None);
    }

    #[test]
    fn a_user_that_one_has_not_is_left_out_of_both() {
        let first = Sample::of_users(vec![0.5, f64::NAN, 0.7, 0.9]);
        let second = Sample::of_users(vec![0.1, 0.4, 0.3, f64::NAN]);
        assert!((first.value() - 0.7).abs() < 1e-15);
        let found = first.beside(&second, 1.0);
        assert!((found.value - 0.6).abs() < 1e-15 && (found.reference - 0.2).abs() < 1e-15);
        let [low, high] = found.difference.unwrap();
        assert!(
            (low - 0.4).abs() < 1e-12 && (high - 0.4).abs() < 1e-12,
            "0.4 of both"
        );
        assert_eq!(Sample::whole(0.3).beside(&second, 1.0).difference, None);
        assert!(Sample::of_users(Vec::new()).value().is_nan());
    }
}
