//! What decides the order of a list beside the score?
//!
//! ```text
//! key(u, i) = score(u, i) − x·ln(1 + n_i)            n_i: training ratings of the item; x = 0 unless asked for
//! list(u)   = by (key descending, item index rising): the next item whose every value in a limited column has fewer than k items in the list so far
//! ```
//!
//! The offsets are f32, one an item, taken from the score in one subtraction, so that a list for one and lists for many agree. Limits look at a sorted beginning of the candidates; where it was too
//! short, at a longer one: the greedy choice from a beginning is the beginning of the greedy choice.

use std::collections::BTreeMap;

use super::filter::column_called;
use super::query::Query;
use crate::data::Column;
use crate::{Error, Model, Result};

/// The order of a query's lists.
#[derive(Clone, Debug)]
pub(super) struct Order<'m> {
    /// What is taken from the score of each item of the model.
    pub(super) offsets: Option<Vec<f32>>,
    limits: Vec<(&'m Column, usize)>,
}

impl<'m> Order<'m> {
    pub(super) fn new(model: &'m Model, query: &Query) -> Result<Order<'m>> {
        let x = query.popularity_penalty;
        if !(x.is_finite() && x >= 0.0) {
            let wanted = "a finite number that is not negative";
            return Err(Error::config("popularity-penalty", x, wanted));
        }
        let items = model.items();
        let offset = |&n: &u32| (x * libm::log1p(f64::from(n))) as f32;
        let mut limits = Vec::new();
        for limit in &query.max_per {
            if limit.k == 0 {
                let got = format!("{}=0", limit.column);
                return Err(Error::config("max-per", got, "1 or more of each value"));
            }
            limits.push((
                column_called(&limit.column, items.catalog(), "items")?,
                limit.k,
            ));
        }
        Ok(Order {
            offsets: (x > 0.0).then(|| items.counts().iter().map(offset).collect()),
            limits,
        })
    }

    /// The key of an item of this score.
    #[inline(always)]
    pub(super) fn key(&self, score: f32, item: u32) -> f32 {
        match &self.offsets {
            Some(offsets) => score - offsets[item as usize],
            None => score,
        }
    }

    /// How many of the first candidates a list of `n` is probably among.
    pub(super) fn depth(&self, n: usize) -> usize {
        match self.limits.is_empty() {
            true => n,
            false => n.saturating_mul(4),
        }
    }

    /// The first `n` of sorted candidates that the limits let pass.
    pub(super) fn pick(&self, sorted: Vec<(f32, u32)>, n: usize) -> Vec<(f32, u32)> {
        let mut taken = vec![BTreeMap::<u32, usize>::new(); self.limits.len()];
        let mut passes = |item: u32| {
            let values = |column: &'m Column| column.rows.row(item as usize);
            let both = || self.limits.iter().zip(&taken);
            let full = both().any(|(&(column, k), taken)| {
                values(column)
                    .iter()
                    .any(|v| taken.get(v).is_some_and(|&n| n >= k))
            });
            if !full {
                for (&(column, _), taken) in self.limits.iter().zip(&mut taken) {
                    for &value in values(column) {
                        *taken.entry(value).or_default() += 1;
                    }
                }
            }
            !full
        };
        let sorted = sorted.into_iter();
        sorted.filter(|&(_, item)| passes(item)).take(n).collect()
    }
}
