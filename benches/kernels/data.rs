//! What the loops read and write.

use lowrank::data::Interactions;
use lowrank::data::layout::order::count;
use lowrank::data::layout::{Blocks, Examples};
use lowrank::gradient::RowGradients;
use lowrank::kernels::pool::Pool;
use lowrank::model::Table;
use lowrank::optimizer::block::Corrections;
use lowrank::optimizer::{Optimizer, OptimizerKind};

use crate::common::numbers;

/// Rows of either side: with 128 factors, gradients and moments a megabyte in all.
pub(crate) const USERS: usize = 256;
pub(crate) const ITEMS: usize = 256;
pub(crate) const RATINGS: usize = 8192;

/// Two tables, their gradients and moments, and ratings between them.
pub(crate) struct Data {
    pub(crate) stride: usize,
    pub(crate) users: Table<f32>,
    pub(crate) items: Table<f32>,
    pub(crate) user_gradient: Vec<f32>,
    pub(crate) item_gradient: Vec<f32>,
    pub(crate) slopes: Vec<f32>,
    pub(crate) moments: Vec<Table<f32>>,
    pub(crate) gradient: RowGradients<f32>,
    pub(crate) corrections: Corrections<f32>,
    pub(crate) blocks: Blocks,
    pub(crate) examples: Examples,
    pub(crate) pool: Pool,
}

impl Data {
    pub(crate) fn new(n_factors: usize) -> Data {
        let table = |n_rows: usize, salt| {
            let mut table = Table::zeros(n_rows, n_factors, false);
            table
                .as_mut_slice()
                .copy_from_slice(&numbers(n_rows * n_factors, salt));
            table
        };
        let (users, items, pool) = (table(USERS, 1), table(ITEMS, 2), Pool::new(1));
        let stride = users.stride();
        // 32 ratings a user, of items that are spread over the table.
        let ratings = Interactions {
            users: (0..RATINGS).map(|n| (n * USERS / RATINGS) as u32).collect(),
            items: (0..RATINGS).map(|n| (n * 89 % ITEMS) as u32).collect(),
            ratings: numbers(RATINGS, 3),
            weights: None,
            timestamps: None,
        };
        Data {
            stride,
            user_gradient: vec![0.0; USERS * stride],
            item_gradient: vec![0.0; ITEMS * stride],
            slopes: vec![0.0; RATINGS],
            moments: vec![items.zeros_like(), items.zeros_like()],
            gradient: RowGradients {
                rows: (0..ITEMS as u32).collect(),
                n_examples: vec![1; ITEMS],
                factors: numbers(ITEMS * stride, 4),
                biases: Vec::new(),
            },
            corrections: Corrections::new(&Optimizer::new(OptimizerKind::Adam), 1),
            blocks: Blocks::cut(
                &ratings,
                (&count(&ratings.users, USERS), &count(&ratings.items, ITEMS)),
                1,
                &pool,
            ),
            examples: Examples::new(&ratings, USERS, ITEMS),
            users,
            items,
            pool,
        }
    }

    /// Everything that a loop may have changed.
    pub(crate) fn written(&self) -> Vec<f32> {
        [
            &self.user_gradient[..],
            &self.item_gradient,
            self.items.as_slice(),
        ]
        .concat()
    }
}
