//! Which of two models is better on the same ratings, and is it chance?
//!
//! Models of ratings by their errors ([`compare`]), others by their lists ([`compare_lists`]).
//!
//! ```text
//! d_n = (second's error on row n)² − (first's)²           Δ MSE = mean of d         Δ RMSE = Δ MSE / (RMSE₁ + RMSE₂), exactly
//! ```
//!
//! The rows of one user hang together: whoever is hard to predict is so on every row. So the interval and p are those of a paired t test clustered by user
//! ([`Difference::clustered`]): nothing is drawn. Those of Δ RMSE are the ends of Δ MSE's over the same sum.

use super::report::judged::OF_LISTS;
use super::report::ranking::{OfModel, TestUsers, everybody, measure};
use super::statistics::Difference;
use super::{Errors, evaluate};
use crate::data::Interactions;
use crate::kernels::pool::Pool;
use crate::metrics::Metric;
use crate::metrics::held_out::CUTOFF;
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
        self.mse.map(|mse| mse.per(sum))
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

/// What [`compare_lists`] finds of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct ListComparison {
    /// Which.
    pub metric: Metric,
    /// The values of both models, each a mean over the users of both.
    pub values: [f64; 2],
    /// The users that both are a mean over.
    pub users: usize,
    /// The second less the first, user by user; `None` for fewer than two users.
    pub difference: Option<Difference>,
}

/// Compares the lists of two models: NDCG@20 and recall@20 of the same test pairs, as in [`compare`], by a paired t test over users. A user for whom nothing is relevant to one of the
/// models, because its training had it all, is left out.
///
/// # Errors
/// [`Error::Config`] for test sets without rows, or of different ones.
pub fn compare_lists(
    models: [&Model; 2],
    tests: [&Interactions; 2],
    pool: &Pool,
) -> Result<Vec<ListComparison>> {
    if tests[0].is_empty() || tests[0].len() != tests[1].len() {
        let got = format!("{} and {} rows", tests[0].len(), tests[1].len());
        return Err(Error::config(
            "test",
            got,
            "the same rows in the same order",
        ));
    }
    let mut of_models = Vec::new();
    for (model, test) in models.into_iter().zip(tests) {
        let users = TestUsers::new(model, test, None);
        let recommender = everybody(model, CUTOFF)?;
        let ranking = OfModel::new(model, &recommender);
        let found = measure(&ranking, model, &users, &OF_LISTS, pool);
        let by_metric = found
            .into_iter()
            .map(|of| by_first_row(test, &of.of_users.unwrap_or_default()));
        of_models.push(by_metric.collect::<Vec<Vec<f64>>>());
    }
    let comparison = |(n, &metric): (usize, &Metric)| {
        let both = of_models[0][n].iter().zip(&of_models[1][n]);
        let both = both.filter(|(a, b)| !a.is_nan() && !b.is_nan());
        let (first, second): (Vec<f64>, Vec<f64>) = both.unzip();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        ListComparison {
            metric,
            values: [mean(&first), mean(&second)],
            users: first.len(),
            difference: Difference::paired(&first, &second),
        }
    };
    Ok(OF_LISTS.iter().enumerate().map(comparison).collect())
}

/// What each user of `test` has, in the order of their first rows rather than of their numbers: models number users differently, and meet in that order. `of_users` is in the order of the numbers.
pub fn by_first_row(test: &Interactions, of_users: &[f64]) -> Vec<f64> {
    let mut users = test.users.clone();
    users.sort_unstable();
    users.dedup();
    let mut values: Vec<Option<&f64>> = of_users.iter().map(Some).collect();
    let place = |user: &u32| users.partition_point(|u| u < user);
    let once = test
        .users
        .iter()
        .filter_map(|user| values.get_mut(place(user))?.take());
    once.copied().collect()
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
    use crate::model::{Similarity, example};

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

    #[test]
    fn lists_are_compared_user_by_user() {
        let first = example::model();
        let mut second = example::model();
        // The second has the same users in another order, and puts m4 first for everybody.
        second.users.ids = ["zoe", "ann", "bob", "eve"].into_iter().collect();
        let rows = second.users.identity.as_padded_slice();
        let turned = [&rows[24..], &rows[..24]].concat();
        second.users.identity = crate::model::Rows::from_padded(4, 2, turned).unwrap();
        second.seen = crate::data::Csr::from_rows([vec![0, 1, 2, 3], vec![0], vec![1, 3], vec![]]);
        second.users.counts = vec![4, 1, 2, 0];
        second.users.identity_biases = Some(vec![0.0, 0.5, -0.5, 0.0]);
        second.items.identity_biases.as_mut().unwrap()[3] = 100.0;
        second.items.compose(Similarity::Dot);
        // ann m2, eve m4, zoe m1, whom training knows to have it; a stranger m3.
        let test = |users: [u32; 4]| Interactions {
            users: users.into(),
            items: vec![1, 3, 0, 2],
            ratings: vec![1.0; 4],
            ..Interactions::default()
        };
        let tests = [&test([0, 2, 3, 7]), &test([1, 3, 0, 7])];
        let found = compare_lists([&first, &second], tests, &Pool::new(2)).unwrap();
        let ndcg = &found[0];
        assert_eq!(
            (ndcg.metric.to_string().as_str(), ndcg.users),
            ("ndcg@20", 3)
        );
        let at = |rank: f64| 1.0 / (rank + 1.0).log2();
        // The first: ann's m2 first; eve (0, 0): m2 m1 m3 m4, so fourth; the stranger's m3 third. The second: second, first, fourth.
        let wanted = [
            (1.0 + at(4.0) + at(3.0)) / 3.0,
            (at(2.0) + 1.0 + at(4.0)) / 3.0,
        ];
        for (found, wanted) in ndcg.values.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-15, "{found}, {wanted}");
        }
        let difference = ndcg.difference.unwrap();
        assert!((difference.mean - (wanted[1] - wanted[0])).abs() < 1e-15);
        let wanted =
            Difference::paired(&[1.0, at(4.0), at(3.0)], &[at(2.0), 1.0, at(4.0)]).unwrap();
        assert!((difference.p_value - wanted.p_value).abs() < 1e-12);
        assert_eq!(found[1].values, [1.0, 1.0], "all within twenty places");
        let fewer = Interactions::default();
        assert!(compare_lists([&first, &second], [tests[0], &fewer], &Pool::new(1)).is_err());
    }
}
