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
use crate::model::Table;

/// Rows per task; rows are independent.
const ROWS_PER_TASK: usize = 512;

/// Who took what, and how far rows spread over it.
#[derive(Clone, Debug, Default)]
pub struct Graph<T> {
    layers: usize,
    edges: Examples,
    /// The numbers 0, 1, 2, …, because edges are in the order of the users.
    user_order: Vec<u32>,
    /// a of every edge.
    weights: Vec<T>,
}

impl<T> PartialEq for Graph<T> {
    /// Two graphs of one training are the same.
    fn eq(&self, other: &Graph<T>) -> bool {
        self.layers == other.layers && self.edges.items == other.edges.items
    }
}

impl<T: Real> Graph<T> {
    /// The graph of `examples` with so many users and items; a pair that stands there twice counts twice.
    pub fn new(layers: usize, examples: &Interactions, n_users: usize, n_items: usize) -> Graph<T> {
        let edges = Examples::new(examples, n_users, n_items);
        let degrees = |ranges: &[RowRange], n: usize| {
            let mut degrees = vec![0; n];
            ranges
                .iter()
                .for_each(|range| degrees[range.row as usize] = range.n_examples());
            degrees
        };
        let of_users = degrees(&edges.by_user, n_users);
        let of_items = degrees(&edges.by_item, n_items);
        let weight = |(&user, &item): (&u32, &u32)| {
            let (n_u, n_i) = (of_users[user as usize], of_items[item as usize]);
            T::from_f64(1.0 / (n_u as f64 * n_i as f64).sqrt())
        };
        Graph {
            layers,
            weights: edges.users.iter().zip(&edges.items).map(weight).collect(),
            user_order: (0..edges.items.len() as u32).collect(),
            edges,
        }
    }

    /// L.
    pub fn layers(&self) -> usize {
        self.layers
    }

    /// (user, item, a) of every edge.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize, T)> {
        let ends = self.edges.users.iter().zip(&self.edges.items);
        ends.zip(&self.weights)
            .map(|((&u, &i), &a)| (u as usize, i as usize, a))
    }

    /// Replaces the rows of both sides by what they are when spread; of gradients, takes those of the spread rows back to the rows. Biases stay.
    pub fn spread(&self, users: &mut Table<T>, items: &mut Table<T>, pool: &Pool, kernel: Kernel) {
        let (mut of_users, mut of_items) = (users.clone(), items.clone());
        for _ in 0..self.layers {
            let [to_users, to_items] = self.sides();
            let next_users = self.layer(to_users, &of_items, users, pool, kernel);
            let next_items = self.layer(to_items, &of_users, items, pool, kernel);
            add(users, &next_users);
            add(items, &next_items);
            (of_users, of_items) = (next_users, next_items);
        }
    }

    /// The edges as the users see them, and as the items do.
    fn sides(&self) -> [Edges<'_>; 2] {
        let Examples {
            users,
            items,
            by_user,
            by_item,
            item_order,
            ..
        } = &self.edges;
        [
            Edges {
                ranges: by_user,
                order: &self.user_order,
                others: items,
            },
            Edges {
                ranges: by_item,
                order: item_order,
                others: users,
            },
        ]
    }

    /// Σ a·x of the neighbours of every row of a side, in a table like `shape`.
    fn layer(
        &self,
        Edges {
            ranges,
            order,
            others,
        }: Edges<'_>,
        other: &Table<T>,
        shape: &Table<T>,
        pool: &Pool,
        kernel: Kernel,
    ) -> Table<T> {
        let stride = other.stride();
        let mut sums = vec![T::ZERO; ranges.len() * stride];
        let tasks = ranges
            .chunks(ROWS_PER_TASK)
            .zip(sums.chunks_mut(ROWS_PER_TASK * stride))
            .collect();
        pool.map(tasks, |(ranges, factors)| {
            kernel.run(GatherRows {
                ranges,
                order,
                others,
                slopes: &self.weights,
                other: RowsView {
                    values: other.as_slice(),
                    stride,
                },
                gradient: GradientRows {
                    factors,
                    biases: None,
                },
            });
        });
        let mut next = shape.zeros_like();
        for (range, sum) in ranges.iter().zip(sums.chunks_exact(stride)) {
            next.row_mut(range.row as usize).copy_from_slice(sum);
        }
        next
    }
}

/// The edges of a side: its rows, their places in the order, and the other end of each.
struct Edges<'a> {
    ranges: &'a [RowRange],
    order: &'a [u32],
    others: &'a [u32],
}

fn add<T: Real>(sum: &mut Table<T>, more: &Table<T>) {
    let pairs = sum.as_mut_slice().iter_mut().zip(more.as_slice());
    pairs.for_each(|(sum, &x)| *sum += x);
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn one_layer_is_the_one_worked_out_above() {
        let (mut users, mut items) = (table(&[2.0, 4.0]), table(&[6.0, 8.0, 5.0]));
        graph(1).spread(&mut users, &mut items, &Pool::new(1), Kernel::detect());
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
            let spread = |users: &[f64], items: &[f64]| {
                let (mut users, mut items) = (table(users), table(items));
                graph(layers).spread(&mut users, &mut items, &Pool::new(2), Kernel::detect());
                users
                    .factors()
                    .iter()
                    .chain(items.factors().iter())
                    .copied()
                    .collect::<Vec<_>>()
            };
            let (x, y) = ([2.0, -1.0, 0.5, 3.0, 1.0], [1.0, 0.25, -2.0, 0.75, 4.0]);
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let (mx, my) = (spread(&x[..2], &x[2..]), spread(&y[..2], &y[2..]));
            assert!(
                (dot(&mx, &y) - dot(&x, &my)).abs() < 1e-12,
                "{layers} layers"
            );
            assert!(layers == 0 || mx != x);
        }
    }
}
