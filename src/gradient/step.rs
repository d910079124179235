//! In which order are the steps of the chain rule taken?
//!
//! Compose the rows; spread them over the graph, where there is one; give them length 1, where only the angle counts; run the passes that go with the layout of the batch; take the gradients
//! of rows back through their length, back over the graph, on to the groups; add the penalty.

use super::angle::Directions;
use super::lists::{self, touched};
use super::passes::Passes;
use super::spread::Spread;
use super::strata::Strata;
use super::{Batch, Gradient, Objective, RowGradients, WithChain};
use crate::data::layout::{Blocks, Examples};
use crate::kernels::pool::Pool;
use crate::kernels::rows::RowRange;
use crate::kernels::{Kernel, Real};
use crate::loss::{Listwise, Pairwise};
use crate::model::{Parameters, Side, Similarity, Table};

/// A gradient that waits for its loss.
pub(super) struct Step<'s, T> {
    pub(super) gradient: &'s mut Gradient<T>,
    pub(super) objective: &'s Objective,
    pub(super) parameters: &'s Parameters<T>,
    pub(super) batch: Batch<'s>,
    pub(super) pool: &'s Pool,
    pub(super) kernel: Kernel,
}

impl<T: Real> WithChain<T> for Step<'_, T> {
    type Output = f64;

    fn run(mut self, chain: impl Fn(T, T) -> (f64, T) + Copy + Send + Sync) -> f64 {
        let loss = self.observed(chain);
        self.finish();
        loss
    }
}

impl<T: Real> Step<'_, T> {
    /// Steps 1 and 2 with a loss of single predictions: fills ∂P and ∂Q, and returns Σ c·ℓ.
    pub(super) fn observed(
        &mut self,
        chain: impl Fn(T, T) -> (f64, T) + Copy + Send + Sync,
    ) -> f64 {
        let (pool, kernel) = (self.pool, self.kernel);
        match self.batch {
            Batch::Examples(examples) => self.examples(examples, |passes, slopes, gradient| {
                passes.forward(chain, slopes, gradient, pool, kernel)
            }),
            Batch::Blocks(blocks) => self.blocks(blocks, chain),
            Batch::Pairs(_) | Batch::Lists(_) => {
                panic!("a loss of single predictions takes ratings")
            }
        }
    }

    /// With a loss of two scores.
    pub(super) fn pairs(mut self, loss: impl Pairwise) -> f64 {
        let (pool, kernel) = (self.pool, self.kernel);
        let Batch::Pairs(pairs) = self.batch else {
            panic!("a loss of two scores takes pairs");
        };
        let loss = self.examples(&pairs.examples, |passes, slopes, gradient| {
            passes.forward_pairs(loss, slopes, gradient, pool, kernel)
        });
        pairs.count_positives(
            &mut self.gradient.users.identity.n_examples,
            &mut self.gradient.items.identity.n_examples,
        );
        self.finish();
        loss
    }

    /// With a loss of lists.
    pub(super) fn lists(self, loss: impl Listwise) -> f64 {
        let Batch::Lists(lists) = self.batch else {
            panic!("a loss of lists takes lists");
        };
        let Gradient {
            users,
            items,
            composed,
            spread,
            directions,
            lists: buffers,
            ..
        } = &mut *self.gradient;
        let user_rows = rows_of(&lists.positives.by_user);
        let item_rows = touched(lists);
        let rows = Rows::new(composed, spread, directions, self.objective, self.kernel);
        let [of_users, of_items] = rows.of(
            self.parameters,
            Some(&user_rows),
            item_rows.as_deref(),
            self.pool,
        );
        let passes = lists::Passes {
            loss,
            temperature: lists::temperature(self.objective.loss),
            lists,
            users: of_users,
            items: of_items,
            pool: self.pool,
            kernel: self.kernel,
        };
        let (users, items) = (&mut users.identity, &mut items.identity);
        let loss = passes.run(item_rows.as_deref(), buffers, users, items);
        self.finish();
        loss
    }

    /// The two passes over examples, the first of which `forward` does.
    fn examples(
        &mut self,
        examples: &Examples,
        forward: impl FnOnce(&Passes<'_, T>, &mut [T], &mut RowGradients<T>) -> f64,
    ) -> f64 {
        let Gradient {
            users,
            items,
            slopes,
            composed,
            spread,
            directions,
            ..
        } = &mut *self.gradient;
        let (user_rows, item_rows) = (rows_of(&examples.by_user), rows_of(&examples.by_item));
        let rows = Rows::new(composed, spread, directions, self.objective, self.kernel);
        let [of_users, of_items] = rows.of(
            self.parameters,
            Some(&user_rows),
            Some(&item_rows),
            self.pool,
        );
        let passes = Passes {
            parameters: self.parameters,
            examples,
            users: of_users,
            items: of_items,
        };
        slopes.resize(examples.len(), T::ZERO);
        let loss = forward(&passes, slopes, &mut users.identity);
        passes.gather(slopes, &mut items.identity, self.pool, self.kernel);
        loss
    }

    /// One pass over blocks.
    fn blocks(
        &mut self,
        blocks: &Blocks,
        chain: impl Fn(T, T) -> (f64, T) + Copy + Send + Sync,
    ) -> f64 {
        let Gradient {
            users,
            items,
            composed,
            spread,
            directions,
            ..
        } = &mut *self.gradient;
        let rows = Rows::new(composed, spread, directions, self.objective, self.kernel);
        let [of_users, of_items] = rows.of(self.parameters, None, None, self.pool);
        let strata = Strata {
            global_mean: self.parameters.global_mean,
            blocks,
            users: of_users,
            items: of_items,
        };
        let (of_users, of_items) = (&mut users.identity, &mut items.identity);
        strata.run(chain, of_users, of_items, self.pool, self.kernel)
    }

    /// Everything after the passes.
    fn finish(self) {
        let Gradient {
            users,
            items,
            directions: [of_users, of_items],
            spread,
            ..
        } = self.gradient;
        let Parameters {
            users: user_side,
            items: item_side,
            ..
        } = self.parameters;
        let objective = self.objective;
        of_users.backprop(&mut users.identity, self.pool);
        of_items.backprop(&mut items.identity, self.pool);
        if let Some(graph) = &self.parameters.graph {
            let sides = [&user_side.identity, &item_side.identity];
            let gradients = [&mut users.identity, &mut items.identity];
            spread.backprop(graph, sides, gradients, self.pool, self.kernel);
        }
        users.backprop(user_side);
        items.backprop(item_side);
        let (scale, n) = (objective.l2_scale, self.batch.len());
        users.add_penalty(user_side, &objective.users, scale, n);
        items.add_penalty(item_side, &objective.items, scale, n);
    }
}

/// The rows of some ranges.
fn rows_of(ranges: &[RowRange]) -> Vec<u32> {
    ranges.iter().map(|range| range.row).collect()
}

/// Where the rows of both sides are composed, and given length 1.
struct Rows<'a, T> {
    composed: &'a mut [Option<Table<T>>; 2],
    spread: &'a mut Spread<T>,
    directions: &'a mut [Directions<T>; 2],
    similarity: Similarity,
    kernel: Kernel,
}

impl<'a, T: Real> Rows<'a, T> {
    fn new(
        composed: &'a mut [Option<Table<T>>; 2],
        spread: &'a mut Spread<T>,
        directions: &'a mut [Directions<T>; 2],
        objective: &Objective,
        kernel: Kernel,
    ) -> Rows<'a, T> {
        Rows {
            composed,
            spread,
            directions,
            similarity: objective.similarity,
            kernel,
        }
    }

    /// The rows as the passes see them; all of a side where none are named.
    fn of(
        self,
        parameters: &'a Parameters<T>,
        users: Option<&[u32]>,
        items: Option<&[u32]>,
        pool: &Pool,
    ) -> [&'a Table<T>; 2] {
        let Rows {
            composed: [of_users, of_items],
            spread,
            directions: [d_users, d_items],
            similarity,
            kernel,
        } = self;
        let [composed_users, composed_items] = match &parameters.graph {
            Some(graph) => {
                let users = parameters.users.compose_all(of_users);
                let items = parameters.items.compose_all(of_items);
                spread.of(graph, [users, items], pool, kernel)
            }
            None => {
                let compose = |side: &'a Side<T>, rows: Option<&[u32]>, scratch| match rows {
                    Some(rows) => side.compose(rows.iter().copied(), scratch),
                    None => side.compose_all(scratch),
                };
                [
                    compose(&parameters.users, users, of_users),
                    compose(&parameters.items, items, of_items),
                ]
            }
        };
        [
            d_users.of(composed_users, users, similarity, pool),
            d_items.of(composed_items, items, similarity, pool),
        ]
    }
}
