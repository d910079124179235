//! Which of two models is better on the same ratings, and is it chance?
//!
//! ```text
//! d_n = (second's error on row n)² − (first's)²           Δ MSE = mean of d         Δ RMSE = Δ MSE / (RMSE₁ + RMSE₂), exactly
//! ```
//!
//! The rows of one user hang together: whoever is hard to predict is so on every row. So the interval and p are those of a paired t test clustered by user
//! ([`Difference::clustered`]): nothing is drawn. Those of Δ RMSE are the ends of Δ MSE's over the same sum.

use super::statistics::Difference;
use super::{Errors, evaluate};
use crate::data::Interactions;
use crate::kernels::pool::Pool;
use crate::{Error, Model, Result};

/// What [`compare`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Test rows.
    pub rows: usize,
    /// Users among them.
    pub users: usize,
    /// The errors of both models.
    pub errors: [Errors; 2],
    /// MSE of the second less that of the first; `None` where one user gave all rows.
    pub mse: Option<Difference>,
}

impl Comparison {
    /// [`mse`](Comparison::mse) in the unit of the ratings.
    pub fn rmse(&self) -> Option<Difference> {
        let sum = self.errors[0].rmse + self.errors[1].rmse;
        let per = |value: f64| if sum > 0.0 { value / sum } else { 0.0 };
        self.mse.map(|mse| Difference {
            mean: per(mse.mean),
            standard_error: per(mse.standard_error),
            low: per(mse.low),
            high: per(mse.high),
            ..mse
        })
    }
}

/// Compares two models on one test set, which each sees with rows of its own ids: `tests[0]` and `tests[1]` hold the same ratings in the same order.
///
/// # Errors
/// [`Error::Config`] for test sets without ratings, or of different ratings.
pub fn compare(models: [&Model; 2], tests: [&Interactions; 2], pool: &Pool) -> Result<Comparison> {
    if tests[0].ratings != tests[1].ratings {
        let wanted = "the same ratings in the same order";
        return Err(Error::config("test", "different ratings", wanted));
    }
    let errors = [
        evaluate(models[0], tests[0], pool)?.model,
        evaluate(models[1], tests[1], pool)?.model,
    ];
    let first = squared_errors(models[0], tests[0]);
    let second = squared_errors(models[1], tests[1]);
    let mut users = tests[0].users.clone();
    users.sort_unstable();
    users.dedup();
    Ok(Comparison {
        rows: first.len(),
        users: users.len(),
        errors,
        mse: Difference::clustered(&first, &second, &tests[0].users),
    })
}

/// (ŷ − r)² of every row.
fn squared_errors(model: &Model, test: &Interactions) -> Vec<f64> {
    let known = |row: u32, n: usize| ((row as usize) < n).then_some(row);
    let (n_users, n_items) = (model.users.ids.len(), model.items.ids.len());
    let of = |n: usize| {
        let (user, item) = (known(test.users[n], n_users), known(test.items[n], n_items));
        let error = f64::from(model.predict_rows(user, item).value) - f64::from(test.ratings[n]);
        error * error
    };
    (0..test.len()).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example;

    #[test]
    fn two_models_can_be_compared_by_hand() {
        let first = example::model();
        let mut second = example::model();
        // The first says 3¾ and 4½ (see `report`); the second half a star more of everything.
        second.clip = None;
        second.global_mean = second.global_mean.map(|mean| mean + 0.5);
        let test = Interactions {
            users: vec![0, 3],
            items: vec![1, 0],
            ratings: vec![4.0, 3.0],
            ..Interactions::default()
        };
        let pool = Pool::new(1);
        let found = compare([&first, &second], [&test, &test], &pool).unwrap();
        assert_eq!((found.rows, found.users), (2, 2));
        let squared = |errors: Errors| errors.rmse * errors.rmse;
        let wanted = [(0.0625 + 2.25) / 2.0, (0.0625 + 4.0) / 2.0];
        for (errors, wanted) in found.errors.iter().zip(wanted) {
            assert!((squared(*errors) - wanted).abs() < 1e-12, "{errors:?}");
        }
        // Differences 0 and 1¾: mean 7/8, s = 7/8·√2, error 7/8, t = 1, p = ½ with one degree.
        let mse = found.mse.unwrap();
        assert_eq!((mse.mean, mse.standard_error), (0.875, 0.875));
        assert!((mse.p_value - 0.5).abs() < 1e-14);
        let rmse = found.rmse().unwrap();
        assert!((rmse.mean - (found.errors[1].rmse - found.errors[0].rmse)).abs() < 1e-12);

        let mut other = test.clone();
        other.ratings[1] = 2.0;
        assert!(compare([&first, &second], [&test, &other], &pool).is_err());
    }
}
