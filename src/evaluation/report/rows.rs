//! What was predicted for each row of a test set, whoever predicted it?
//!
//! Intervals and slices ask about some of the rows, so here every row keeps its number. The predictions are those of [`evaluate`](super::evaluate), in the order of the test set.

use crate::Model;
use crate::data::Interactions;
use crate::kernels::pool::Pool;
use crate::model::{Baseline, Scorer};

/// Rows of a task.
const CHUNK: usize = 1 << 14;

/// The model's prediction of every row of `test`. The result is the same for any number of threads.
pub fn predictions(model: &Model, test: &Interactions, pool: &Pool) -> Vec<f64> {
    let known = |row: u32, n: usize| Some(row).filter(|&row| (row as usize) < n);
    let (n_users, n_items) = (model.users().ids().len(), model.items().ids().len());
    let starts = (0..test.len()).step_by(CHUNK).collect();
    let parts = pool.map(starts, |start: usize| {
        let rows = start..(start + CHUNK).min(test.len());
        let predictions = rows.map(|n| {
            let (user, item) = (known(test.users[n], n_users), known(test.items[n], n_items));
            f64::from(Scorer::new(model, user).value(item))
        });
        predictions.collect::<Vec<f64>>()
    });
    parts.concat()
}

/// μ + b_u + b_i of every row.
pub fn of_baseline(baseline: &Baseline, test: &Interactions) -> Vec<f64> {
    let known = |row: u32, biases: &[f32]| Some(row).filter(|&row| (row as usize) < biases.len());
    let rows = test.users.iter().zip(&test.items);
    rows.map(|(&user, &item)| {
        let user = known(user, &baseline.user_biases);
        baseline.predict(user, known(item, &baseline.item_biases))
    })
    .collect()
}

/// Cuts predictions to a scale.
pub fn clip(predictions: &mut [f64], scale: Option<(f32, f32)>) {
    if let Some((lo, hi)) = scale {
        let (lo, hi) = (f64::from(lo), f64::from(hi));
        predictions.iter_mut().for_each(|p| *p = p.max(lo).min(hi));
    }
}

/// Somebody's predictions, each in the place of a rating, put beside the rows of a test set with the same numbers of users and items.
///
/// ```
/// use lowrank::data::Interactions;
/// use lowrank::evaluation::report::rows::join;
/// let rows = |users: &[u32], items: &[u32], ratings: &[f32]| Interactions {
///     users: users.into(), items: items.into(), ratings: ratings.into(), ..Interactions::default()
/// };
/// let predictions = rows(&[2, 1], &[7, 7], &[3.5, 2.0]);
/// let joined = join(&predictions, &rows(&[1, 2, 3], &[7, 7, 7], &[1.0; 3]))?;
/// assert_eq!((joined.of_rows, joined.missing), (vec![Some(2.0), Some(3.5), None], vec![2]));
/// # Ok::<(), lowrank::evaluation::report::rows::Conflict>(())
/// ```
///
/// # Errors
/// Where a pair is predicted twice, with two numbers.
pub fn join(predictions: &Interactions, test: &Interactions) -> Result<Joined, Conflict> {
    let key = |of: &Interactions, n: usize| (of.users[n], of.items[n]);
    let mut order: Vec<u32> = (0..predictions.len() as u32).collect();
    order.sort_by_key(|&n| key(predictions, n as usize));
    for pair in order.windows(2) {
        let [a, b] = [pair[0] as usize, pair[1] as usize];
        if key(predictions, a) == key(predictions, b)
            && predictions.ratings[a] != predictions.ratings[b]
        {
            return Err(Conflict { rows: [a, b] });
        }
    }
    let find = |n: usize| {
        let wanted = key(test, n);
        let at = order.partition_point(|&m| key(predictions, m as usize) < wanted);
        let row = *order.get(at)? as usize;
        (key(predictions, row) == wanted).then(|| f64::from(predictions.ratings[row]))
    };
    let of_rows: Vec<Option<f64>> = (0..test.len()).map(find).collect();
    Ok(Joined {
        missing: (0u32..)
            .zip(&of_rows)
            .filter(|(_, prediction)| prediction.is_none())
            .map(|(n, _)| n)
            .collect(),
        of_rows,
    })
}

/// Two rows that predict one pair differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Their numbers, from 0.
    pub rows: [usize; 2],
}

/// What [`join`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The prediction of each test row.
    pub of_rows: Vec<Option<f64>>,
    /// The test rows without one.
    pub missing: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::evaluate;
    use crate::metrics::RatingErrors;
    use crate::model::example;

    #[test]
    fn row_by_row_it_is_the_same_error() {
        let mut model = example::model();
        model.baseline = Some(Baseline {
            global_mean: 3.0,
            user_biases: vec![0.5, -0.5, 0.0, 3.0],
            item_biases: vec![0.25, 0.0, 0.0, -0.25],
        });
        let test = Interactions {
            users: (0..20_000).map(|n| n % 5).collect(),
            items: (0..20_000).map(|n| n * 7 % 6).collect(),
            ratings: (0..20_000).map(|n| (n % 9) as f32 / 2.0).collect(),
            ..Interactions::default()
        };
        let errors = |predictions: &[f64]| -> RatingErrors {
            let ratings = test.ratings.iter().map(|&r| f64::from(r));
            predictions.iter().copied().zip(ratings).collect()
        };
        let whole = evaluate(&model, &test, &Pool::new(1)).unwrap();
        let found = predictions(&model, &test, &Pool::new(3));
        // Two orders of 20,000 positive terms.
        let tolerance = 20_000.0 * f64::EPSILON;
        assert!((errors(&found).rmse() / whole.model.rmse - 1.0).abs() < tolerance);
        let mut biases = of_baseline(model.baseline.as_ref().unwrap(), &test);
        clip(&mut biases, model.clip().map(|clip| (clip.lo, clip.hi)));
        let wanted = whole.baselines.biases.unwrap().mae;
        assert!((errors(&biases).mae() / wanted - 1.0).abs() < tolerance);
    }

    #[test]
    fn two_predictions_of_a_pair_must_be_one() {
        let rows = |ratings: [f32; 2]| Interactions {
            users: vec![1, 1],
            items: vec![2, 2],
            ratings: ratings.into(),
            ..Interactions::default()
        };
        assert!(
            join(&rows([3.0, 3.0]), &rows([1.0, 1.0]))
                .unwrap()
                .missing
                .is_empty()
        );
        let twice = join(&rows([3.0, 4.0]), &rows([1.0, 1.0]));
        assert_eq!(twice, Err(Conflict { rows: [0, 1] }));
    }
}
