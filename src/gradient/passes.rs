//! Steps 1 and 2: how do the examples become slopes, and slopes the gradients of composed rows?
//!
//! The work is cut into runs of rows; each run writes its own rows and slopes, and the losses of the runs are added in their order. So the sums are
//! the same for any number of threads.

use super::RowGradients;
use crate::data::layout::Examples;
use crate::kernels::pool::Pool;
use crate::kernels::rows::{GatherRows, GradientRows, RowRange, RowsView, ScoreRows};
use crate::kernels::{Kernel, Real};
use crate::model::{Parameters, Table, forward};

/// Steps 1 and 2: the two passes over the examples.
pub(super) struct Passes<'a, T> {
    pub(super) parameters: &'a Parameters<T>,
    pub(super) examples: &'a Examples,
    /// Composed.
    pub(super) users: &'a Table<T>,
    /// Composed.
    pub(super) items: &'a Table<T>,
}

/// Examples per task: enough work to be worth a task, small enough to spread. A constant, so that the order of sums depends on the data alone.
const EXAMPLES_PER_TASK: usize = 8192;

impl<T: Real> Passes<'_, T> {
    /// Slopes of all examples and ∂P, user by user; returns Σ c·ℓ.
    pub(super) fn forward(
        &self,
        chain: impl Fn(T, T) -> (f64, T) + Copy + Send + Sync,
        slopes: &mut [T],
        gradient: &mut RowGradients<T>,
        pool: &Pool,
        kernel: Kernel,
    ) -> f64 {
        let examples = self.examples;
        let mean = T::from_f64(self.parameters.global_mean.unwrap_or(0.0));
        let (user_biases, item_biases) = (self.users.bias_slice(), self.items.bias_slice());
        let bias = |biases: Option<&[T]>, row: u32| biases.map_or(T::ZERO, |b| b[row as usize]);
        let share = 1.0 / examples.len() as f64;
        self.score(slopes, gradient, pool, kernel, |user, e, [item], [dot]| {
            let score =
                forward::with_dot(mean, bias(user_biases, user), bias(item_biases, item), dot);
            let weight = examples.weight(e);
            let (value, slope) = chain(score, T::from_f32(examples.targets[e]));
            (weight * value, [slope * T::from_f64(weight * share)])
        })
    }

    /// The pass user by user, W neighbouring examples at a time: `of` gives Σ c·ℓ of them and their slopes.
    pub(super) fn score<const W: usize>(
        &self,
        slopes: &mut [T],
        gradient: &mut RowGradients<T>,
        pool: &Pool,
        kernel: Kernel,
        of: impl Fn(u32, usize, [u32; W], [T; W]) -> (f64, [T; W]) + Copy + Send + Sync,
    ) -> f64 {
        let examples = self.examples;
        let has_biases = self.users.bias_slice().is_some();
        gradient.reset(&examples.by_user, self.users.stride(), has_biases);
        let tasks = self.by_users(slopes, gradient);
        let losses = pool.map(tasks, |(ranges, slopes, gradient)| {
            let mut loss = 0.0;
            kernel.run(ScoreRows {
                ranges,
                others: &examples.items,
                own: view(self.users),
                other: view(self.items),
                slopes,
                gradient,
                slope: |user: u32, e: usize, items: [u32; W], dots: [T; W]| {
                    let (value, slopes) = of(user, e, items, dots);
                    loss += value;
                    slopes
                },
            });
            loss
        });
        losses.iter().sum()
    }

    /// Runs of users with the slopes and gradients that are theirs.
    fn by_users<'s>(
        &self,
        slopes: &'s mut [T],
        gradient: &'s mut RowGradients<T>,
    ) -> Vec<OfUsers<'s, T>>
    where
        Self: 's,
    {
        let mut tasks = Vec::new();
        let mut rest = (slopes, gradient.rows_mut());
        for ranges in chunks(&self.examples.by_user) {
            let n_examples = ranges.iter().map(|range| range.n_examples()).sum();
            let (mine, others) = rest.0.split_at_mut(n_examples);
            let (rows, other_rows) = rest.1.split_at(ranges.len(), self.users.stride());
            rest = (others, other_rows);
            tasks.push((ranges, mine, rows));
        }
        tasks
    }

    /// ∂Q, item by item, from the slopes.
    pub(super) fn gather(
        &self,
        slopes: &[T],
        gradient: &mut RowGradients<T>,
        pool: &Pool,
        kernel: Kernel,
    ) {
        let examples = self.examples;
        let stride = self.items.stride();
        gradient.reset(&examples.by_item, stride, self.items.bias_slice().is_some());
        let mut tasks = Vec::new();
        let mut rest = gradient.rows_mut();
        for ranges in chunks(&examples.by_item) {
            let (rows, other_rows) = rest.split_at(ranges.len(), stride);
            rest = other_rows;
            tasks.push((ranges, rows));
        }
        pool.map(tasks, |(ranges, gradient)| {
            kernel.run(GatherRows {
                ranges,
                order: &examples.item_order,
                others: &examples.users,
                slopes,
                other: view(self.users),
                gradient,
            });
        });
    }
}

/// A run of users, the slopes of their examples, their gradients.
type OfUsers<'a, T> = (&'a [RowRange], &'a mut [T], GradientRows<'a, T>);

/// Runs of rows with about [`EXAMPLES_PER_TASK`] examples each.
fn chunks(ranges: &[RowRange]) -> impl Iterator<Item = &[RowRange]> {
    let mut rest = ranges;
    std::iter::from_fn(move || {
        let mut n_examples = 0;
        let n_rows = rest
            .iter()
            .take_while(|range| {
                let more = n_examples < EXAMPLES_PER_TASK;
                n_examples += range.n_examples();
                more
            })
            .count();
        let (chunk, others) = rest.split_at(n_rows);
        rest = others;
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn view<T: Real>(table: &Table<T>) -> RowsView<'_, T> {
    RowsView {
        values: table.as_slice(),
        stride: table.stride(),
    }
}
