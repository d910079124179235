//! Before step 1 and after step 2: what if rows spread over who took what?
//!
//! Then the passes see [P*; Q*] = M·[P; Q], and leave ∂P*, ∂Q*; since M is symmetric, [∂P; ∂Q] = M·[∂P*; ∂Q*]. What M is stands in [`model::side::graph`](crate::model::side::graph). Every row gets a
//! gradient, also one that no example of the step touches.

use super::RowGradients;
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real};
use crate::model::Table;
use crate::model::side::graph::{Graph, Layers};

/// The spread rows of both sides, users and items, and the buffers on the way.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread<T> {
    rows: [Option<Table<T>>; 2],
    gradients: [Vec<T>; 2],
    layers: Layers<T>,
}

impl<T: Real> Spread<T> {
    /// The composed rows, spread.
    pub(super) fn of(
        &mut self,
        graph: &Graph<T>,
        composed: [&Table<T>; 2],
        pool: &Pool,
        kernel: Kernel,
    ) -> [&Table<T>; 2] {
        let Spread { rows, layers, .. } = self;
        let [of_users, of_items] = rows;
        let rows = [
            of_users.get_or_insert_with(|| composed[0].zeros_like()),
            of_items.get_or_insert_with(|| composed[1].zeros_like()),
        ];
        let to = rows.map(|table| table.as_mut_slice());
        graph.spread(composed.map(Table::as_slice), to, layers, pool, kernel);
        self.rows
            .each_ref()
            .map(|table| table.as_ref().expect("just written"))
    }

    /// Takes the gradients of spread rows back to those of the composed rows.
    pub(super) fn backprop(
        &mut self,
        graph: &Graph<T>,
        sides: [&Table<T>; 2],
        [users, items]: [&mut RowGradients<T>; 2],
        pool: &Pool,
        kernel: Kernel,
    ) {
        let [of_users, of_items] = &mut self.gradients;
        users.widen(sides[0].n_rows(), sides[0].stride());
        items.widen(sides[1].n_rows(), sides[1].stride());
        of_users.resize(users.factors.len(), T::ZERO);
        of_items.resize(items.factors.len(), T::ZERO);
        let from = [&users.factors[..], &items.factors[..]];
        let to = [&mut of_users[..], &mut of_items[..]];
        graph.spread(from, to, &mut self.layers, pool, kernel);
        std::mem::swap(&mut users.factors, of_users);
        std::mem::swap(&mut items.factors, of_items);
    }
}

impl<T: Real> RowGradients<T> {
    /// All of `n_rows` rows, zeros where there is no gradient; there are no biases.
    fn widen(&mut self, n_rows: usize, stride: usize) {
        let n_touched = self.rows.len();
        if n_touched == n_rows {
            return;
        }
        self.factors.resize(n_rows * stride, T::ZERO);
        self.n_examples.resize(n_rows, 0);
        // From the last on, because rows move up alone.
        let mut beyond = n_rows;
        for at in (0..n_touched).rev() {
            let row = self.rows[at] as usize;
            self.factors
                .copy_within(at * stride..(at + 1) * stride, row * stride);
            self.n_examples[row] = self.n_examples[at];
            self.factors[(row + 1) * stride..beyond * stride].fill(T::ZERO);
            self.n_examples[row + 1..beyond].fill(0);
            beyond = row;
        }
        self.factors[..beyond * stride].fill(T::ZERO);
        self.n_examples[..beyond].fill(0);
        self.rows.clear();
        self.rows.extend(0..n_rows as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_find_their_places_and_the_others_are_zero() {
        let mut gradient = RowGradients {
            rows: vec![0, 2, 5],
            n_examples: vec![3, 1, 2],
            factors: vec![1.0, 1.5, 2.0, 2.5, 5.0, 5.5],
            biases: Vec::new(),
        };
        gradient.widen(7, 2);
        assert_eq!(gradient.rows, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(gradient.n_examples, [3, 0, 1, 0, 0, 2, 0]);
        let zeros = [0.0, 0.0];
        let wanted = [
            [1.0, 1.5],
            zeros,
            [2.0, 2.5],
            zeros,
            zeros,
            [5.0, 5.5],
            zeros,
        ];
        assert_eq!(gradient.factors, wanted.concat());
        let before = gradient.clone();
        gradient.widen(7, 2);
        assert_eq!(gradient, before);
    }
}
