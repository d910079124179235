//! How do a row of its own and its features become one row?
//!
//! ```text
//! compose      P_r   = p_r + Σ_groups Σ_f w_rf · x_f
//! backprop     ∂p_r  = ∂P_r
//!              ∂x_f  = Σ_r w_rf · ∂P_r
//! ```
//!
//! Biases are composed and backpropagated alike, through the groups that have them. A side without groups lends its table and copies
//! nothing. The derivation stands in [`gradient`](crate::gradient); here is only what depends on how a side is held.

pub mod graph;

use std::sync::Arc;

use super::{Bag, Features, Link, Similarity, Table};
use crate::data::Ids;
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real, lanes};
pub use graph::{Graph, Layers};

/// The tables of one side: users or items.
#[derive(Clone, Debug, PartialEq)]
pub struct Side<T> {
    /// One row for every user or item.
    pub identity: Table<T>,
    /// The feature groups.
    pub groups: Vec<Group<T>>,
}

/// A feature group: a table of its own, one row a feature, and how much of each feature every row of the side has.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<T> {
    /// The column that it was made from.
    pub name: String,
    /// What the rows of the table are called, where that is not what the column calls its values.
    pub values: Option<Arc<Ids>>,
    /// How the weights were made from the column.
    pub bag: Bag,
    /// w, n_rows × n_features; shared by all copies of the parameters, because training never changes it.
    pub features: Arc<Features>,
    /// x, one row a feature.
    pub table: Table<T>,
}

/// Everything that training learns, and what it holds fixed.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters<T> {
    /// μ, the mean of the training ratings; fixed. `None` in a model without.
    pub global_mean: Option<f64>,
    /// From score to prediction.
    pub link: Link,
    /// The users' tables.
    pub users: Side<T>,
    /// The items' tables.
    pub items: Side<T>,
    /// Over what rows spread before they are scored, if they do.
    pub graph: Option<Arc<Graph<T>>>,
}

impl<T: Real> Parameters<T> {
    /// Takes over the numbers of parameters of the same shape.
    ///
    /// # Panics
    /// Where they have another.
    pub fn copy_from(&mut self, other: &Parameters<T>) {
        let from = other.users.tables().chain(other.items.tables());
        let to = self.users.tables_mut().chain(self.items.tables_mut());
        to.zip(from).for_each(|(to, from)| to.copy_from(from));
    }

    /// All rows of the users and of the items as they are scored: composed, spread, and of length 1 where only the angle counts.
    pub fn scored_rows(
        &self,
        similarity: Similarity,
        pool: &Pool,
        kernel: Kernel,
    ) -> [Table<T>; 2] {
        let (mut of_users, mut of_items) = (None, None);
        let composed = [
            self.users.compose_all(&mut of_users),
            self.items.compose_all(&mut of_items),
        ];
        let mut rows = composed.map(Table::clone);
        if let Some(graph) = &self.graph {
            let to = rows.each_mut().map(Table::as_mut_slice);
            let from = composed.map(Table::as_slice);
            graph.spread(from, to, &mut Layers::default(), pool, kernel);
        }
        if similarity == Similarity::Cosine {
            for table in &mut rows {
                let stride = table.stride();
                let each = table.as_mut_slice().chunks_exact_mut(stride);
                each.for_each(|row| _ = lanes::normalize(row));
            }
        }
        rows
    }
}

impl<T: Real> Side<T> {
    /// Whether composed rows have biases.
    pub fn has_biases(&self) -> bool {
        self.tables().any(|table| table.bias_slice().is_some())
    }

    /// The composed rows of `rows`: the identity table itself where there are no groups, otherwise written into `scratch`, whose other rows
    /// keep whatever they held.
    pub fn compose<'a>(
        &'a self,
        rows: impl Iterator<Item = u32>,
        scratch: &'a mut Option<Table<T>>,
    ) -> &'a Table<T> {
        if self.groups.is_empty() {
            return &self.identity;
        }
        let composed = scratch.get_or_insert_with(|| {
            Table::zeros(
                self.identity.n_rows(),
                self.identity.n_factors(),
                self.has_biases(),
            )
        });
        for row in rows {
            self.compose_row(row as usize, composed);
        }
        composed
    }

    /// [`compose`](Side::compose) of every row.
    pub fn compose_all<'a>(&'a self, scratch: &'a mut Option<Table<T>>) -> &'a Table<T> {
        self.compose(0..self.identity.n_rows() as u32, scratch)
    }

    /// Writes composed row `r` into `composed`; groups and features in their order.
    pub fn compose_row(&self, r: usize, composed: &mut Table<T>) {
        let row = composed.row_mut(r);
        row.copy_from_slice(self.identity.row(r));
        for group in &self.groups {
            for (f, weight) in group.features.row(r) {
                lanes::add_scaled(row, T::from_f32(weight), group.table.row(f as usize));
            }
        }
        if let Some(biases) = composed.bias_slice_mut() {
            let mut bias = self.identity.bias_slice().map_or(T::ZERO, |b| b[r]);
            for group in &self.groups {
                if let Some(of_features) = group.table.bias_slice() {
                    for (f, weight) in group.features.row(r) {
                        bias += T::from_f32(weight) * of_features[f as usize];
                    }
                }
            }
            biases[r] = bias;
        }
    }

    /// All tables of the side: identity first, then the groups' in order.
    pub fn tables(&self) -> impl Iterator<Item = &Table<T>> {
        std::iter::once(&self.identity).chain(self.groups.iter().map(|group| &group.table))
    }

    /// All tables of the side, to be changed.
    pub fn tables_mut(&mut self) -> impl Iterator<Item = &mut Table<T>> {
        std::iter::once(&mut self.identity)
            .chain(self.groups.iter_mut().map(|group| &mut group.table))
    }
}
