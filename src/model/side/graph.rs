//! How do rows spread over who took what?
//!
//! Users and items are the two kinds of nodes of a graph, and every training example is an edge. With L layers a row also hears of its neighbours, of theirs, and so on:
//!
//! ```text
//! P⁰ = P,   Q⁰ = Q            composed rows
//! Pˡ⁺¹_u   = Σ_{i of u} a_ui·Qˡ_i          Qˡ⁺¹_i = Σ_{u of i} a_ui·Pˡ_u          a_ui = 1/√(n_u·n_i)
//! spread   P* = P⁰ + P¹ + … + Pᴸ,   Q* alike
//! ```
//!
//! Nothing more is learnt; the score is that of P* and Q*. Who took few items is described by them, and by what others took with them. Stacked into one column, [P*; Q*] = M·[P; Q] with
//! M = Σ_l Sˡ and S symmetric, so M is symmetric too, and gradients go back the way rows came: [∂P; ∂Q] = M·[∂P*; ∂Q*]. After training P* and Q* are all that is kept.
//!
//! He, Deng, Wang, Li, Zhang and Wang, *LightGCN: simplifying and powering graph convolution network for recommendation* (2020), eqs. 3 to 8; the sum stands for their mean, which differs by a
//! constant. Cost: 2·L·n_factors multiply-adds an example, there and back.
//!
//! **By hand**, one factor, one layer: ann took m1 and m2, bob m1. n = 2 and 1; 2 and 1. a = ½, 1/√2; 1/√2. With P = (2, 4), Q = (6, 8): P*_ann = 2 + 6/2 + 8/√2, P*_bob = 4 + 6/√2,
//! Q*_m1 = 6 + 2/2 + 4/√2, Q*_m2 = 8 + 2/√2.

use crate::data::Interactions;
use crate::data::layout::Examples;
use crate::kernels::pool::Pool;
use crate::kernels::rows::{GatherRows, GradientRows, RowRange, RowsView};
use crate::kernels::{Kernel, Real};

/// Rows per task; rows are independent.
const ROWS_PER_TASK: usize = 512;

/// Who took what, and how far rows spread over it.
#[derive(Clone, Debug, Default)]
pub struct Graph<T> {
    layers: usize,
    /// The edges as the users see them, and as the items do: each side goes through its own in one run.
    sides: [Edges<T>; 2],
    /// The numbers 0, 1, 2, …, one an edge.
    order: Vec<u32>,
}

/// The edges of a side, row after row: their range for each row, the other end of each, and its a.
#[derive(Clone, Debug, Default)]
struct Edges<T> {
    ranges: Vec<RowRange>,
    others: Vec<u32>,
    weights: Vec<T>,
}

impl<T> PartialEq for Graph<T> {
    /// Two graphs of one training are the same.
    fn eq(&self, other: &Graph<T>) -> bool {
        self.layers == other.layers && self.sides[0].others == other.sides[0].others
    }
}

impl<T: Real> Graph<T> {
    /// The graph of `examples` with so many users and items; a pair that stands there twice counts twice.
    pub fn new(layers: usize, examples: &Interactions, n_users: usize, n_items: usize) -> Graph<T> {
        let edges = Examples::new(examples, n_users, n_items);
        let of_users = of_all_rows(&edges.by_user, n_users);
        let of_items = of_all_rows(&edges.by_item, n_items);
        let degree = |ranges: &[RowRange], row: u32| ranges[row as usize].n_examples() as f64;
        let weight = |e: usize| {
            let (user, item) = (edges.users[e], edges.items[e]);
            let product = degree(&of_users, user) * degree(&of_items, item);
            T::from_f64(1.0 / product.sqrt())
        };
        let n_edges = edges.len();
        let by_item = || edges.item_order.iter().map(|&e| e as usize);
        let of_users_weights = (0..edges.len()).map(weight).collect();
        let of_items_weights = by_item().map(weight).collect();
        let items = Edges {
            others: by_item().map(|e| edges.users[e]).collect(),
            weights: of_items_weights,
            ranges: of_items,
        };
        let users = Edges {
            others: edges.items,
            weights: of_users_weights,
            ranges: of_users,
        };
        Graph {
            layers,
            sides: [users, items],
            order: (0..n_edges as u32).collect(),
        }
    }

    /// L.
    pub fn layers(&self) -> usize {
        self.layers
    }

    /// (user, item, a) of every edge.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize, T)> {
        let of_users = &self.sides[0];
        of_users.ranges.iter().flat_map(|range| {
            let edges = range.range();
            edges.map(|e| {
                let (item, weight) = (of_users.others[e], of_users.weights[e]);
                (range.row as usize, item as usize, weight)
            })
        })
    }

    /// What the rows `from` of both sides (users, items) are when spread, into `to`; of gradients of spread rows, those of the rows.
    ///
    /// # Panics
    /// Where there are not as many rows as the graph has nodes.
    pub fn spread(
        &self,
        from: [&[T]; 2],
        to: [&mut [T]; 2],
        layers: &mut Layers<T>,
        pool: &Pool,
        kernel: Kernel,
    ) {
        let Layers { this, next } = layers;
        let [to_users, to_items] = to;
        to_users.copy_from_slice(from[0]);
        to_items.copy_from_slice(from[1]);
        for l in 0..self.layers {
            let [users, items] = match l {
                0 => from,
                _ => [&this[0][..], &this[1][..]],
            };
            let [of_users, of_items] = &self.sides;
            let [next_users, next_items] = next;
            self.layer(of_users, items, next_users, to_users, pool, kernel);
            self.layer(of_items, users, next_items, to_items, pool, kernel);
            std::mem::swap(this, next);
        }
    }

    /// Σ a·x of the neighbours of every row of a side into `next`, which is added to `total`.
    fn layer(
        &self,
        Edges {
            ranges,
            others,
            weights,
        }: &Edges<T>,
        other: &[T],
        next: &mut Vec<T>,
        total: &mut [T],
        pool: &Pool,
        kernel: Kernel,
    ) {
        let stride = total.len() / ranges.len().max(1);
        next.resize(total.len(), T::ZERO);
        let tasks = ranges
            .chunks(ROWS_PER_TASK)
            .zip(next.chunks_mut(ROWS_PER_TASK * stride))
            .zip(total.chunks_mut(ROWS_PER_TASK * stride))
            .collect();
        pool.map(
            tasks,
            |((ranges, factors), total): ((&[RowRange], &mut [T]), &mut [T])| {
                kernel.run(GatherRows {
                    ranges,
                    order: &self.order,
                    others,
                    slopes: weights,
                    other: RowsView {
                        values: other,
                        stride,
                    },
                    gradient: GradientRows {
                        factors: &mut *factors,
                        biases: None,
                    },
                });
                total
                    .iter_mut()
                    .zip(factors)
                    .for_each(|(sum, x)| *sum += *x);
            },
        );
    }
}

/// The rows of two layers, this and the next, users and items; kept between steps.
#[derive(Clone, Debug, Default)]
pub struct Layers<T> {
    this: [Vec<T>; 2],
    next: [Vec<T>; 2],
}

/// A range for every row of a side, empty where it has no edge.
fn of_all_rows(ranges: &[RowRange], n_rows: usize) -> Vec<RowRange> {
    let mut ranges = ranges.iter().copied().peekable();
    let mut end = 0;
    let of = |row: usize| {
        let range = ranges.next_if(|range| range.row as usize == row);
        let range = range.unwrap_or(RowRange {
            row: row as u32,
            start: end,
            end,
        });
        end = range.end;
        range
    };
    (0..n_rows).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Table;

    fn table(values: &[f64]) -> Table<f64> {
        let mut table = Table::zeros(values.len(), 1, false);
        table
            .factors_mut()
            .iter_mut()
            .zip(values)
            .for_each(|(x, &value)| *x = value);
        table
    }

    fn graph(layers: usize) -> Graph<f64> {
        let examples = Interactions {
            users: vec![1, 0, 0],
            items: vec![0, 0, 1],
            ratings: vec![1.0; 3],
            ..Interactions::default()
        };
        Graph::new(layers, &examples, 2, 3)
    }

    fn spread(graph: &Graph<f64>, users: &[f64], items: &[f64]) -> [Table<f64>; 2] {
        let from = [table(users), table(items)];
        let [mut users, mut items] = [from[0].zeros_like(), from[1].zeros_like()];
        let to = [users.as_mut_slice(), items.as_mut_slice()];
        let (pool, kernel) = (Pool::new(2), Kernel::detect());
        let mut layers = Layers::default();
        graph.spread(
            from.each_ref().map(Table::as_slice),
            to,
            &mut layers,
            &pool,
            kernel,
        );
        [users, items]
    }

    #[test]
    fn one_layer_is_the_one_worked_out_above() {
        let [users, items] = spread(&graph(1), &[2.0, 4.0], &[6.0, 8.0, 5.0]);
        let r = 0.5f64.sqrt();
        let near = |table: &Table<f64>, wanted: &[f64]| {
            for (found, wanted) in table.factors().iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-12, "{found} for {wanted}");
            }
        };
        near(&users, &[2.0 + 3.0 + 8.0 * r, 4.0 + 6.0 * r]);
        // An item that nobody took stays what it was.
        near(&items, &[6.0 + 1.0 + 4.0 * r, 8.0 + 2.0 * r, 5.0]);
    }

    #[test]
    fn gradients_go_back_the_way_rows_came() {
        // ⟨M x, y⟩ = ⟨x, M y⟩ for a symmetric M.
        for layers in 0..4 {
            let both = |users: &[f64], items: &[f64]| {
                let [users, items] = spread(&graph(layers), users, items);
                users
                    .factors()
                    .iter()
                    .chain(items.factors().iter())
                    .copied()
                    .collect::<Vec<_>>()
            };
            let (x, y) = ([2.0, -1.0, 0.5, 3.0, 1.0], [1.0, 0.25, -2.0, 0.75, 4.0]);
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let (mx, my) = (both(&x[..2], &x[2..]), both(&y[..2], &y[2..]));
            assert!(
                (dot(&mx, &y) - dot(&x, &my)).abs() < 1e-12,
                "{layers} layers"
            );
            assert!(layers == 0 || mx != x);
        }
    }
}
