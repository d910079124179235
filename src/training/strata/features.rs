//! How do the features move that all blocks share?
//!
//! "Drama" is touched by every block, so no block may own its row. Inside a stratum the offsets that features give to rows are frozen:
//!
//! ```text
//! offset_r = Σ_groups Σ_f w_rf·x_f              composed row = identity row + offset
//! owed_f   = Σ_r w_rf·∂P_r                      by each block, in a buffer of its own; buffers are added in the order of the blocks
//! ```
//!
//! Then every touched feature takes one step, and offsets and composed rows are made anew. A group with few entries steps once a stratum; one with many (more than the examples of
//! a stratum: the items that each user rated, say) would cost more than the examples themselves, and steps once an epoch, from the gradients of the whole epoch.

use super::Task;
use super::part::{Part, Penalty, Rows};
use super::side::gradient_rows;
use crate::data::layout::Order;
use crate::kernels::pool::Pool;
use crate::kernels::rows::GradientRows;
use crate::kernels::{Portable, Real, lanes};
use crate::model::{Group, Side, Table};
use crate::optimizer::block::BlockRule;

/// The offsets of a side, and what its features' steps are made of.
#[derive(Debug)]
pub(super) struct Features<T> {
    offset: Table<T>,
    composed: Table<T>,
    /// Σ over the epoch of the scored rows' gradients, where some group steps once an epoch.
    of_epoch: Option<Table<T>>,
    /// Whether each group steps once a stratum.
    each_stratum: Vec<bool>,
}

/// What a block takes of the features.
pub(super) struct OfBlock<'a, T> {
    pub(super) composed: Option<(Rows<'a, T>, Rows<'a, T>)>,
    pub(super) of_epoch: Option<GradientRows<'a, T>>,
    pub(super) owed: Vec<Owed<'a, T>>,
}

impl<T> Default for OfBlock<'_, T> {
    fn default() -> Self {
        OfBlock {
            composed: None,
            of_epoch: None,
            owed: Vec::new(),
        }
    }
}

/// A group that a block owes gradients to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owed<'a, T> {
    group: &'a Group<T>,
    number: usize,
    /// The place of the block's first row.
    first_row: usize,
}

/// What is owed to the rows of one group.
#[derive(Clone, Debug)]
pub(super) struct Debt<T> {
    group: usize,
    factors: Vec<T>,
    biases: Vec<T>,
    /// How many examples touch each feature.
    n_examples: Vec<u32>,
}

/// What the rule remembers of the groups' tables, and how they are penalised.
pub(super) struct Memory<'a, T> {
    pub(super) moments: &'a mut [Vec<Table<T>>],
    pub(super) touches: &'a mut [Vec<u32>],
    pub(super) penalties: &'a [Penalty<'a>],
    /// How many examples touch each row of the side.
    pub(super) counts: &'a [u32],
}

impl<T: Real> Features<T> {
    /// The offsets of `side`, or `None` where it has no features. `n_stratum` is the number of examples of a stratum.
    pub(super) fn new(side: &Side<T>, n_stratum: usize, pool: &Pool) -> Option<Features<T>> {
        if side.groups.is_empty() {
            return None;
        }
        let n_entries = |group: &Group<T>| group.features.n_entries();
        let each_stratum: Vec<bool> = side
            .groups
            .iter()
            .map(|group| n_entries(group) <= n_stratum)
            .collect();
        let zeros = || {
            Table::zeros(
                side.identity.n_rows(),
                side.identity.n_factors(),
                side.has_biases(),
            )
        };
        let mut features = Features {
            offset: zeros(),
            composed: zeros(),
            of_epoch: each_stratum.contains(&false).then(zeros),
            each_stratum,
        };
        features.compose(side, pool);
        Some(features)
    }

    /// What each block takes.
    pub(super) fn cut<'a>(
        &'a mut self,
        order: &Order,
        groups: &'a [Group<T>],
    ) -> Vec<OfBlock<'a, T>> {
        let offset = Rows::of(&mut self.offset).cut(order);
        let composed = Rows::of(&mut self.composed).cut(order);
        let mut of_epoch = match &mut self.of_epoch {
            Some(sums) => Rows::of(sums).cut(order),
            None => Vec::new(),
        }
        .into_iter();
        let each_stratum = &self.each_stratum;
        let parts = composed.into_iter().zip(offset).zip(&order.cuts);
        parts
            .map(|((composed, offset), &first_row)| OfBlock {
                composed: Some((composed, offset)),
                of_epoch: of_epoch.next().map(gradient_rows),
                owed: groups
                    .iter()
                    .enumerate()
                    .filter(|(number, _)| each_stratum[*number])
                    .map(|(number, group)| Owed {
                        group,
                        number,
                        first_row: first_row as usize,
                    })
                    .collect(),
            })
            .collect()
    }

    /// Steps the groups whose time it is: `owed` by the blocks of a stratum, and on the `last` one also those that wait for the epoch's end.
    pub(super) fn step(
        &mut self,
        side: &mut Side<T>,
        owed: Vec<Vec<Debt<T>>>,
        last: bool,
        memory: Memory<'_, T>,
        rule: impl BlockRule<T>,
        task: Task<'_>,
    ) {
        let mut debts = merged(owed);
        if let (true, Some(of_epoch)) = (last, &mut self.of_epoch) {
            let waiting: Vec<_> = side
                .groups
                .iter()
                .enumerate()
                .filter(|(number, _)| !self.each_stratum[*number])
                .map(|(number, group)| Owed {
                    group,
                    number,
                    first_row: 0,
                })
                .collect();
            debts.extend(owed_by_all(&waiting, of_epoch, memory.counts, task.pool));
            let (factors, biases) = of_epoch.parts_mut();
            factors.fill(T::ZERO);
            biases.unwrap_or_default().fill(T::ZERO);
        }
        if debts.is_empty() {
            return;
        }
        for mut debt in debts {
            let n = debt.group;
            let table = &mut side.groups[n].table;
            let n_factors = table.n_factors();
            let mut moments = memory.moments[n].iter_mut().map(Rows::of);
            let mut part = Part {
                rows: Rows::of(table),
                n_factors,
                moments: std::array::from_fn(|_| moments.next().unwrap_or_default()),
                touches: &mut memory.touches[n],
                composed: None,
                of_epoch: None,
                penalty: memory.penalties[n],
                n_steps: match self.each_stratum[n] {
                    true => task.blocks.n_blocks(),
                    false => 1,
                },
            };
            let touched = (0u32..).zip(debt.n_examples).filter(|(_, n)| *n > 0);
            let gradient = GradientRows {
                factors: &mut debt.factors,
                biases: (!debt.biases.is_empty()).then_some(&mut debt.biases),
            };
            part.step(Portable, rule, &gradient, touched);
        }
        self.compose(side, task.pool);
    }

    /// Makes offsets and composed rows anew.
    fn compose(&mut self, side: &Side<T>, pool: &Pool) {
        /// Rows per task; rows are independent.
        const ROWS: usize = 4096;
        let n_rows = side.identity.n_rows() as u32;
        let cuts = (0..n_rows).step_by(ROWS).chain([n_rows]).collect();
        let order = Order {
            cuts,
            ..Order::default()
        };
        let offset = Rows::of(&mut self.offset).cut(&order);
        let composed = Rows::of(&mut self.composed).cut(&order);
        let tasks = offset.into_iter().zip(composed).zip(order.cuts.clone());
        pool.map(tasks.collect(), |((offset, composed), first)| {
            let stride = offset.stride;
            for n in 0..offset.factors.len() / stride {
                let row = first as usize + n;
                let range = n * stride..(n + 1) * stride;
                let to = &mut offset.factors[range.clone()];
                to.fill(T::ZERO);
                let mut bias = T::ZERO;
                for group in &side.groups {
                    for (f, weight) in group.features.row(row) {
                        let weight = T::from_f32(weight);
                        lanes::add_scaled(to, weight, group.table.row(f as usize));
                        let of_feature = group.table.bias_slice();
                        bias += weight * of_feature.map_or(T::ZERO, |b| b[f as usize]);
                    }
                }
                let own = side.identity.row(row).iter().zip(&*to);
                for (composed, (&x, &offset)) in composed.factors[range].iter_mut().zip(own) {
                    *composed = x + offset;
                }
                if let Some(to) = offset.biases.get_mut(n) {
                    *to = bias;
                    let own = side.identity.bias_slice().map_or(T::ZERO, |b| b[row]);
                    composed.biases[n] = own + bias;
                }
            }
        });
    }
}

impl<T: Real> Owed<'_, T> {
    /// What the touched rows, with these gradients, owe to each of `groups`.
    #[inline(always)]
    pub(super) fn debts(
        groups: &[Owed<'_, T>],
        touched: impl Iterator<Item = (u32, u32)> + Clone,
        gradient: &GradientRows<'_, T>,
    ) -> Vec<Debt<T>> {
        let mut debts = Vec::new();
        for owed in groups {
            let table = &owed.group.table;
            let stride = table.stride();
            let mut debt = Debt {
                group: owed.number,
                factors: vec![T::ZERO; table.n_rows() * stride],
                biases: vec![T::ZERO; table.bias_slice().map_or(0, <[T]>::len)],
                n_examples: vec![0; table.n_rows()],
            };
            for (row, n_examples) in touched.clone() {
                let row = row as usize;
                let factors = &gradient.factors[row * stride..(row + 1) * stride];
                let bias = gradient.biases.as_ref().map_or(T::ZERO, |b| b[row]);
                let features = owed.group.features.row(owed.first_row + row);
                for (f, weight) in features.filter(|&(_, weight)| weight != 0.0) {
                    let (f, weight) = (f as usize, T::from_f32(weight));
                    let to = &mut debt.factors[f * stride..(f + 1) * stride];
                    lanes::add_scaled(to, weight, factors);
                    if let Some(to) = debt.biases.get_mut(f) {
                        *to += weight * bias;
                    }
                    debt.n_examples[f] += n_examples;
                }
            }
            debts.push(debt);
        }
        debts
    }
}

/// What all rows owe to `groups` for an epoch with these gradients: by fixed pieces of the rows, added in their order.
fn owed_by_all<T: Real>(
    groups: &[Owed<'_, T>],
    gradient: &mut Table<T>,
    counts: &[u32],
    pool: &Pool,
) -> Vec<Debt<T>> {
    const PIECES: usize = 8;
    let n_rows = counts.len();
    let cuts = (0..=PIECES).map(|n| (n_rows * n / PIECES) as u32).collect();
    let order = Order {
        cuts,
        ..Order::default()
    };
    let parts = Rows::of(gradient).cut(&order).into_iter();
    let tasks = parts.zip(order.cuts.windows(2)).collect();
    let debts = pool.map(tasks, |(rows, cut)| {
        let first_row = cut[0] as usize;
        let of_piece: Vec<_> = groups
            .iter()
            .map(|owed| Owed { first_row, ..*owed })
            .collect();
        let counts = &counts[first_row..cut[1] as usize];
        let touched = (0u32..).zip(counts.iter().copied());
        Owed::debts(
            &of_piece,
            touched.filter(|(_, n)| *n > 0),
            &gradient_rows(rows),
        )
    });
    merged(debts)
}

/// The sums of the debts of all blocks, in the order of the blocks.
fn merged<T: Real>(of_blocks: Vec<Vec<Debt<T>>>) -> Vec<Debt<T>> {
    let mut blocks = of_blocks.into_iter();
    let Some(mut sums) = blocks.next() else {
        return Vec::new();
    };
    let one = T::from_f32(1.0);
    for block in blocks {
        for (sum, debt) in sums.iter_mut().zip(block) {
            lanes::add_scaled(&mut sum.factors, one, &debt.factors);
            for (sum, bias) in sum.biases.iter_mut().zip(debt.biases) {
                *sum += bias;
            }
            for (sum, n) in sum.n_examples.iter_mut().zip(debt.n_examples) {
                *sum += n;
            }
        }
    }
    sums
}
