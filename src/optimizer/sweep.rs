//! How does a rule for one row go through a table?
//!
//! Rows are independent, so a table is cut into blocks of rows and threads share the blocks. A dense rule visits every row, with a gradient of
//! zero where the batch touched none; a lazy one visits the touched rows alone.

use super::{Adagrad, Adam, AmsGrad, LazyAdam, MAX_MOMENTS, Optimizer, OptimizerKind, Rule, Sgd};
use crate::gradient::RowGradients;
use crate::kernels::pool::Pool;
use crate::kernels::{Job, Kernel, Lanes, Real};
use crate::model::Table;

/// Rows per task. A constant; the result does not depend on it, since rows are independent.
const ROWS_PER_TASK: usize = 2048;

/// One update of everything that is learnt: the optimizer, how far it goes, and which step it is.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// The rule and its numbers.
    pub optimizer: Optimizer,
    /// η at this step.
    pub learning_rate: f64,
    /// The number of this step, t = 1, 2, …
    pub t: u64,
}

impl Update {
    /// # Panics
    /// For [`OptimizerKind::RowAdam`], which goes by blocks; no checked configuration brings it here.
    ///
    /// Moves `table` against `gradient` and updates `moments`, [`OptimizerKind::n_moments`] tables of its shape.
    pub fn apply<T: Real>(
        &self,
        table: &mut Table<T>,
        moments: &mut [Table<T>],
        gradient: &RowGradients<T>,
        pool: &Pool,
        kernel: Kernel,
    ) {
        let Optimizer {
            kind,
            epsilon,
            weight_decay,
            ..
        } = self.optimizer;
        let (optimizer, rate, t) = (&self.optimizer, self.learning_rate, self.t);
        let sweep = Sweep {
            table,
            moments,
            gradient,
            only_touched: kind.only_touched_rows(weight_decay),
            pool,
            kernel,
        };
        match kind {
            OptimizerKind::Adam | OptimizerKind::AdamW => sweep.run(Adam::new(optimizer, rate, t)),
            OptimizerKind::LazyAdam => sweep.run(LazyAdam::new(optimizer, rate, t)),
            OptimizerKind::AmsGrad => sweep.run(AmsGrad::new(optimizer, rate, t)),
            OptimizerKind::RowAdam => panic!("the row-wise rule goes by blocks"),
            OptimizerKind::Sgd => sweep.run(Sgd::new(rate, weight_decay)),
            OptimizerKind::Adagrad => sweep.run(Adagrad::new(rate, weight_decay, epsilon)),
        }
    }
}

struct Sweep<'a, T> {
    table: &'a mut Table<T>,
    moments: &'a mut [Table<T>],
    gradient: &'a RowGradients<T>,
    only_touched: bool,
    pool: &'a Pool,
    kernel: Kernel,
}

impl<T: Real> Sweep<'_, T> {
    fn run(self, rule: impl Rule<T>) {
        let Sweep {
            table,
            moments,
            gradient,
            only_touched,
            pool,
            kernel,
        } = self;
        let visit = |mut tasks: Vec<Block<'_, T>>| {
            if only_touched {
                tasks.retain(|block| !block.touched.is_empty());
            }
            pool.map(tasks, |block| {
                kernel.run(Visit {
                    block,
                    rule,
                    only_touched,
                })
            });
        };
        let stride = table.stride();
        let (factors, biases) = table.parts_mut();
        let (of_factors, of_biases): (Vec<_>, Vec<_>) =
            moments.iter_mut().map(Table::parts_mut).unzip();
        visit(blocks(
            factors,
            of_factors,
            &gradient.rows,
            &gradient.factors,
            stride,
        ));
        if let Some(biases) = biases {
            let of_biases = of_biases.into_iter().flatten().collect();
            visit(blocks(
                biases,
                of_biases,
                &gradient.rows,
                &gradient.biases,
                1,
            ));
        }
    }
}

/// A run of rows of a table, with their moments and the gradients of those that were touched.
struct Block<'a, T> {
    first_row: usize,
    stride: usize,
    rows: &'a mut [T],
    moments: [&'a mut [T]; MAX_MOMENTS],
    touched: &'a [u32],
    gradients: &'a [T],
}

fn blocks<'a, T: Real>(
    rows: &'a mut [T],
    moments: Vec<&'a mut [T]>,
    touched: &'a [u32],
    gradients: &'a [T],
    stride: usize,
) -> Vec<Block<'a, T>> {
    let size = ROWS_PER_TASK * stride;
    let mut moments: Vec<_> = moments
        .into_iter()
        .map(|moment| moment.chunks_mut(size))
        .collect();
    let mut start = 0;
    rows.chunks_mut(size)
        .enumerate()
        .map(|(n, rows)| {
            let end = touched.partition_point(|&row| (row as usize) < (n + 1) * ROWS_PER_TASK);
            let mut of_block: [&mut [T]; MAX_MOMENTS] = Default::default();
            for (of_block, moment) in of_block.iter_mut().zip(&mut moments) {
                *of_block = moment.next().expect("a moment has its table's shape");
            }
            let block = Block {
                first_row: n * ROWS_PER_TASK,
                stride,
                rows,
                moments: of_block,
                touched: &touched[start..end],
                gradients: &gradients[start * stride..end * stride],
            };
            start = end;
            block
        })
        .collect()
}

struct Visit<'a, T, R> {
    block: Block<'a, T>,
    rule: R,
    only_touched: bool,
}

impl<T: Real, R: Rule<T>> Job for Visit<'_, T, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) {
        let Visit {
            mut block,
            rule,
            only_touched,
        } = self;
        let n_rows = block.rows.len() / block.stride;
        if block.touched.len() == n_rows {
            // Every row has a gradient, as in full batch: the block is one long row.
            rule.update(block.rows, block.gradients, block.moments);
            return;
        }
        let zeros = vec![T::ZERO; block.stride];
        let mut next = 0;
        for (&row, gradient) in block
            .touched
            .iter()
            .zip(block.gradients.chunks_exact(block.stride))
        {
            let row = row as usize - block.first_row;
            if !only_touched {
                (next..row).for_each(|row| block.update(rule, row, &zeros));
            }
            block.update(rule, row, gradient);
            next = row + 1;
        }
        if !only_touched {
            (next..n_rows).for_each(|row| block.update(rule, row, &zeros));
        }
    }
}

impl<T: Real> Block<'_, T> {
    #[inline(always)]
    fn update(&mut self, rule: impl Rule<T>, row: usize, gradient: &[T]) {
        let range = row * self.stride..(row + 1) * self.stride;
        let moments = self
            .moments
            .each_mut()
            .map(|moment| moment.get_mut(range.clone()).unwrap_or_default());
        rule.update(&mut self.rows[range.clone()], gradient, moments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of five rows, of which the gradient touches two.
    fn touched_two(kind: OptimizerKind, weight_decay: f64) -> (Table<f64>, Table<f64>) {
        let mut table = Table::zeros(5, 3, true);
        table.factors_mut().fill(1.0);
        table.bias_slice_mut().expect("biases").fill(2.0);
        let before = table.clone();
        let gradient = RowGradients {
            rows: vec![1, 3],
            n_examples: vec![1, 1],
            factors: vec![0.5; 16],
            biases: vec![0.25; 2],
        };
        let mut moments = vec![table.zeros_like(); kind.n_moments()];
        let optimizer = Optimizer {
            weight_decay,
            ..Optimizer::new(kind)
        };
        let update = Update {
            optimizer,
            learning_rate: 0.1,
            t: 1,
        };
        update.apply(
            &mut table,
            &mut moments,
            &gradient,
            &Pool::new(1),
            Kernel::Portable,
        );
        (before, table)
    }

    #[test]
    fn touched_rows_move_and_without_decay_the_others_stay() {
        for kind in OptimizerKind::ALL
            .into_iter()
            .filter(|kind| kind.goes_by_batches())
        {
            let (before, after) = touched_two(kind, 0.0);
            for row in 0..5 {
                let moved = after.row(row)[..3] != before.row(row)[..3];
                let bias_moved = after.bias_slice().unwrap()[row] != 2.0;
                assert_eq!(
                    (moved, bias_moved),
                    ([1, 3].contains(&row), [1, 3].contains(&row)),
                    "{kind:?}, row {row}"
                );
            }
        }
    }

    #[test]
    fn decay_moves_every_row_of_a_dense_rule() {
        for kind in OptimizerKind::ALL
            .into_iter()
            .filter(|kind| kind.goes_by_batches())
        {
            let (before, after) = touched_two(kind, 0.01);
            let moved = after.row(0)[0] < before.row(0)[0];
            assert_eq!(moved, kind != OptimizerKind::LazyAdam, "{kind:?}");
        }
    }

    #[test]
    fn blocks_and_threads_change_nothing() {
        let n_rows = 3 * ROWS_PER_TASK + 5;
        let rows: Vec<u32> = (0..n_rows as u32).filter(|row| row % 3 != 0).collect();
        let gradient = RowGradients {
            n_examples: vec![1; rows.len()],
            factors: (0..rows.len() * 8)
                .map(|x| (x % 101) as f32 - 50.0)
                .collect(),
            biases: vec![],
            rows,
        };
        let run = |threads| {
            let mut table = Table::<f32>::zeros(n_rows, 8, false);
            let mut moments = vec![table.zeros_like(); 2];
            for t in 1..=3 {
                let update = Update {
                    optimizer: Optimizer::new(OptimizerKind::Adam),
                    learning_rate: 0.1,
                    t,
                };
                update.apply(
                    &mut table,
                    &mut moments,
                    &gradient,
                    &Pool::new(threads),
                    Kernel::detect(),
                );
            }
            table
        };
        assert_eq!(run(1), run(3));
    }
}
