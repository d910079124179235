//! How are the rows of one side found at once, the other side held fixed?
//!
//! Implicit alternating least squares. The [objective over all cells](crate::gradient::all_cells) is a square in each row when the other side is held fixed, so its least is where the gradient
//! is zero: a few linear equations a row, which touch no other row of its side.
//!
//! ```text
//! A_u·P_u = b_u        A_u = w₀·QᵀQ + λ·s_u·1 + Σ_{i of u} c_ui·Q_i·Q_iᵀ        b_u = Σ_{i of u} c_ui·t_ui·Q_i        (items alike)
//! ```
//!
//! An epoch is a sweep: all users, then all items. J never rises, so there is no learning rate; `train_loss` is J after the sweep, its penalty included. Cost: n_row·d²/2 + d³/6
//! multiply-adds a row of either side.
//!
//! Equations are gathered and solved in `f32`; where rounding has left next to nothing to take a root of, once more in `f64`. Where even that finds no solution (λ = 0 and less to go by than
//! factors), training ends as one whose numbers have run away.
//!
//! Rows of their own alone: with features a change of one row's changes what others have to explain. The gradient of the same objective is
//! [`Gradient::all_cells`](crate::gradient::Gradient::all_cells), which knows features.
//!
//! | file | question |
//! |---|---|
//! | `solve` | how are the rows of a side found? |
//!
//! Sources: Hu, Koren and Volinsky, *Collaborative Filtering for Implicit Feedback Datasets* (2008), equations 4 and 5; Rendle, Krichene, Zhang and Koren, *Revisiting the Performance of
//! iALS on Item Recommendation Benchmarks* (2021).

mod solve;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use super::batches::positives;
use super::{Finish, Keeping, Observer, Trainer};
use crate::data::layout::Examples;
use crate::gradient::AllCells;
use crate::gradient::all_cells::{Gram, is_plain};
use crate::kernels::rows::RowRange;
use crate::loss::LossKind;
use crate::model::Table;
use crate::{Error, Result};
use solve::{Entries, Rows};

/// A training in closed form. It stands on a [`Trainer`] for everything but the steps.
#[derive(Debug)]
pub struct Als<'d> {
    trainer: Trainer<'d, f32>,
    cells: AllCells,
    examples: Examples,
    /// λ·s_row of the users and of the items.
    penalties: [Vec<f64>; 2],
    /// QᵀQ of the items as they are.
    of_items: Option<Gram>,
}

impl<'d> Als<'d> {
    /// At its start. Of the configuration it reads the number of factors, the epochs, λ, the deviation and seed of the first values, threads and kernel, what is kept, and patience.
    ///
    /// # Errors
    /// [`Error::Config`] where the score has more than factors of users and items (μ, biases, features, a link), the loss is another one, a weight is negative, w₀ or ν is out of its range,
    /// or the ratings are not in memory.
    pub fn new(trainer: Trainer<'d, f32>, cells: AllCells) -> Result<Als<'d>> {
        in_range(&trainer, &cells)?;
        let ratings = positives::of(trainer.config(), trainer.data())?.examples;
        let weights = ratings.weights.iter().flatten();
        // Written so that NaN is found.
        let fine = |c: &f32| (0.0..=f32::MAX).contains(c);
        if let Some(weight) = weights.into_iter().find(|c| !fine(c)) {
            return Err(Error::config("weight", weight, "a number of 0 or more"));
        }
        let parameters = &trainer.state().parameters;
        let (n_users, n_items) = (
            parameters.users.identity.n_rows(),
            parameters.items.identity.n_rows(),
        );
        let examples = Examples::new(&ratings, n_users, n_items);
        let objective = trainer.objective();
        let touched = [rows(&examples.by_user), rows(&examples.by_item)];
        let penalties = [
            (&parameters.users, &objective.users, 0),
            (&parameters.items, &objective.items, 1),
        ]
        .map(|(side, penalty, n)| {
            let others = touched[1 - n].len();
            let mut of_tables = cells.penalty(side, penalty, &touched[n], others);
            of_tables.swap_remove(0)
        });
        Ok(Als {
            trainer,
            cells,
            examples,
            penalties,
            of_items: None,
        })
    }

    /// What it stands on.
    pub fn trainer(&self) -> &Trainer<'d, f32> {
        &self.trainer
    }

    /// [`trainer`](Als::trainer), to be given other first values: before the first sweep the items', which is all that it reads.
    pub fn trainer_mut(&mut self) -> &mut Trainer<'d, f32> {
        self.of_items = None;
        &mut self.trainer
    }

    /// What it stands on, to make a model of.
    pub fn into_trainer(self) -> Trainer<'d, f32> {
        self.trainer
    }

    /// Sweeps until the last epoch, or until patience or the observer ends it.
    pub fn run(&mut self, observer: &mut impl Observer) -> Finish {
        self.run_keeping(observer, &mut |_, _| ControlFlow::Continue(()))
    }

    /// [`run`](Als::run); as [`Trainer::run_keeping`].
    pub fn run_keeping(&mut self, observer: &mut impl Observer, keep: Keeping<'_, f32>) -> Finish {
        let Als {
            trainer,
            cells,
            examples,
            penalties,
            of_items,
        } = self;
        let mut sweep = Sweep {
            unobserved_weight: cells.unobserved_weight,
            examples,
            penalties,
            of_items,
        };
        let finish = trainer.epochs(observer, keep, |trainer, _| Ok(sweep.run(trainer)));
        trainer.last_good = None;
        *of_items = None;
        finish
    }
}

/// What the rows of a sweep are found from.
struct Sweep<'a> {
    unobserved_weight: f64,
    examples: &'a Examples,
    penalties: &'a [Vec<f64>; 2],
    of_items: &'a mut Option<Gram>,
}

impl Sweep<'_> {
    /// All users, then all items; N·J afterwards.
    fn run(&mut self, trainer: &mut Trainer<'_, f32>) -> f64 {
        let (pool, kernel) = (&trainer.pool, trainer.kernel);
        let parameters = &mut trainer.state.parameters;
        let (p, q) = (
            &mut parameters.users.identity,
            &mut parameters.items.identity,
        );
        let (by_user, by_item) = (&self.examples.by_user, &self.examples.by_item);
        let gram =
            |table: &Table<f32>, ranges: &[RowRange]| Gram::new(table, &rows(ranges), pool, kernel);
        let of_items = self.of_items.take().unwrap_or_else(|| gram(q, by_item));
        Rows {
            entries: Entries::of_users(self.examples),
            other: q,
            gram: &of_items,
            unobserved_weight: self.unobserved_weight,
            penalty: &self.penalties[0],
        }
        .solve(p, pool, kernel);
        let of_users = gram(p, by_user);
        Rows {
            entries: Entries::of_items(self.examples),
            other: p,
            gram: &of_users,
            unobserved_weight: self.unobserved_weight,
            penalty: &self.penalties[1],
        }
        .solve(q, pool, kernel);
        let of_items = gram(q, by_item);
        let errors = solve::errors(self.examples, p, q, pool, kernel);
        let all = self.unobserved_weight * of_users.product(&of_items);
        *self.of_items = Some(of_items);
        let [of_p, of_q] = self.penalties;
        errors + all + solve::penalty(p, of_p) + solve::penalty(q, of_q)
    }
}

/// The rows that some example touches.
fn rows(ranges: &[RowRange]) -> Vec<u32> {
    ranges.iter().map(|range| range.row).collect()
}

/// What a closed form is found for.
fn in_range(trainer: &Trainer<'_, f32>, cells: &AllCells) -> Result<()> {
    let parameters = &trainer.state().parameters;
    let demand = |name: &str, got: String, ok: bool, wanted: &str| match ok {
        true => Ok(()),
        false => Err(Error::config(name, got, wanted)),
    };
    let weight = cells.unobserved_weight;
    demand(
        "unobserved-weight",
        weight.to_string(),
        (0.0..f64::INFINITY).contains(&weight),
        "a number of 0 or more",
    )?;
    let power = cells.l2_power;
    demand(
        "l2-power",
        power.to_string(),
        (0.0..=1.0).contains(&power),
        "a number from 0 to 1",
    )?;
    let mut groups = parameters
        .users
        .groups
        .iter()
        .chain(&parameters.items.groups);
    if let Some(group) = groups.next() {
        let got = format!("the column {:?}", group.name);
        let wanted = "none in closed form: one row's feature changes what others have to explain";
        return Err(Error::config("features", got, wanted));
    }
    demand(
        "mean, biases or link",
        "more than the dot product".to_owned(),
        is_plain(parameters),
        "no mean, no biases and the link identity in closed form",
    )?;
    let loss = trainer.objective().loss;
    demand(
        "loss",
        loss.name().to_owned(),
        matches!(loss, LossKind::AllCells { .. } | LossKind::Squared),
        "all-cells, or squared with the ratings as targets, in closed form",
    )
}
