//! Steps 1 and 2 where the ratings are cut into blocks: one pass does both.
//!
//! Stratum after stratum; the blocks of one touch no row in common, so each adds to the gradients of its own rows. The order of every sum is that of the strata, whoever takes which block.

use super::RowGradients;
use crate::data::layout::Blocks;
use crate::kernels::block::{BlockRows, ScoreBlock};
use crate::kernels::pool::Pool;
use crate::kernels::rows::{GradientRows, RowsView};
use crate::kernels::{Kernel, Real};
use crate::model::Table;

/// The pass over all blocks, at parameters that stay as they are.
pub(super) struct Strata<'a, T> {
    pub(super) global_mean: Option<f64>,
    pub(super) blocks: &'a Blocks,
    /// Composed, in block order.
    pub(super) users: &'a Table<T>,
    /// Composed, in block order.
    pub(super) items: &'a Table<T>,
}

impl<T: Real> Strata<'_, T> {
    /// ∂P and ∂Q of all rows; returns Σ c·ℓ.
    pub(super) fn run(
        &self,
        chain: impl Fn(T, T) -> (f64, T) + Copy + Send + Sync,
        users: &mut RowGradients<T>,
        items: &mut RowGradients<T>,
        pool: &Pool,
        kernel: Kernel,
    ) -> f64 {
        let Strata { blocks, .. } = self;
        users.zeros(&blocks.user_counts, self.users);
        items.zeros(&blocks.item_counts, self.items);
        let mean = T::from_f64(self.global_mean.unwrap_or(0.0));
        let share = 1.0 / blocks.len() as f64;
        let (user_cuts, item_cuts) = (&blocks.users.cuts, &blocks.items.cuts);
        let mut loss = 0.0;
        for s in 0..blocks.n_blocks() {
            let of_users = users.rows_mut().cut(user_cuts, self.users.stride());
            let of_items = items.rows_mut().cut(item_cuts, self.items.stride());
            let tasks = blocks.stratum(s, of_users, of_items);
            let losses = pool.map(tasks, |((a, b), own_gradient, other_gradient)| {
                kernel.run(ScoreBlock {
                    examples: blocks.block(a, b),
                    mean,
                    own: block_rows(self.users, user_cuts, a),
                    other: block_rows(self.items, item_cuts, b),
                    own_gradient,
                    other_gradient,
                    chain,
                    share,
                    overwrite: false,
                })
            });
            loss += losses.iter().sum::<f64>();
        }
        loss
    }
}

/// The rows of block `b` of a table in block order.
fn block_rows<'a, T: Real>(table: &'a Table<T>, cuts: &[u32], b: usize) -> BlockRows<'a, T> {
    let (start, end) = (cuts[b] as usize, cuts[b + 1] as usize);
    let stride = table.stride();
    BlockRows {
        factors: RowsView {
            values: &table.as_slice()[start * stride..end * stride],
            stride,
        },
        biases: table.bias_slice().map(|biases| &biases[start..end]),
    }
}

impl<T: Real> RowGradients<T> {
    /// Zeros for all rows of a table, with the number of examples of each.
    fn zeros(&mut self, counts: &[u32], table: &Table<T>) {
        if self.rows.len() != counts.len() {
            self.rows = (0..counts.len() as u32).collect();
            self.n_examples = counts.to_vec();
        }
        self.factors.clear();
        self.factors.resize(counts.len() * table.stride(), T::ZERO);
        self.biases.clear();
        let n_biases = table.bias_slice().map_or(0, <[T]>::len);
        self.biases.resize(n_biases, T::ZERO);
    }
}

impl<'a, T> GradientRows<'a, T> {
    /// The rows of every block.
    fn cut(self, cuts: &[u32], stride: usize) -> Vec<GradientRows<'a, T>> {
        let mut rest = self;
        cuts.windows(2)
            .map(|cut| {
                let empty = GradientRows {
                    factors: &mut [],
                    biases: None,
                };
                let n_rows = (cut[1] - cut[0]) as usize;
                let (mine, others) = std::mem::replace(&mut rest, empty).split_at(n_rows, stride);
                rest = others;
                mine
            })
            .collect()
    }
}
