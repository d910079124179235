//! How are the rows of a side found?
//!
//! Rows are cut into tasks by what they cost, and each task writes its own. The equations and their solution are [`kernels::normal`](crate::kernels::normal)'s.

use crate::data::layout::Examples;
use crate::gradient::all_cells::Gram;
use crate::kernels::lanes::lanes_of;
use crate::kernels::normal::{Equations, SolveRow, width};
use crate::kernels::pool::Pool;
use crate::kernels::rows::{RowRange, RowsView};
use crate::kernels::{Job, Kernel, Lanes, Real};
use crate::model::Table;

/// Multiply-adds of a task over d², about: that many examples twice. By the data alone.
const COST_PER_TASK: usize = 4096;
/// 2⁻¹⁴: where less is left of an entry of the diagonal, ten of the 24 bits of single precision are left of it, and double precision takes over.
const LEAST: f32 = 1.0 / 16384.0;

/// The examples of one side's rows.
#[derive(Clone, Copy)]
pub(super) struct Entries<'a> {
    examples: &'a Examples,
    /// The rows that some example touches.
    ranges: &'a [RowRange],
    others: &'a [u32],
    /// The examples in the order of the rows; `None` where that is theirs.
    order: Option<&'a [u32]>,
}

impl<'a> Entries<'a> {
    /// Of the users.
    pub(super) fn of_users(examples: &'a Examples) -> Entries<'a> {
        Entries {
            examples,
            ranges: &examples.by_user,
            others: &examples.items,
            order: None,
        }
    }

    /// Of the items.
    pub(super) fn of_items(examples: &'a Examples) -> Entries<'a> {
        Entries {
            examples,
            ranges: &examples.by_item,
            others: &examples.users,
            order: Some(&examples.item_order),
        }
    }

    /// The other row, c and t of each example of a row.
    fn of<T: Real>(self, range: RowRange) -> impl Iterator<Item = (u32, T, T)> + 'a {
        range.range().map(move |n| {
            let e = self.order.map_or(n, |order| order[n] as usize);
            let weight = self.examples.weights.as_ref().map_or(1.0, |c| c[e]);
            let target = self.examples.targets[e];
            (self.others[e], T::from_f32(weight), T::from_f32(target))
        })
    }
}

/// What the rows of a side are found from.
pub(super) struct Rows<'a> {
    pub(super) entries: Entries<'a>,
    pub(super) other: &'a Table<f32>,
    /// Σ of the other side's rows.
    pub(super) gram: &'a Gram,
    /// w₀.
    pub(super) unobserved_weight: f64,
    /// λ·s_row of each row of the table.
    pub(super) penalty: &'a [f64],
}

impl Rows<'_> {
    /// Writes every touched row of `table`; NaN where the equations have no solution.
    pub(super) fn solve(&self, table: &mut Table<f32>, pool: &Pool, kernel: Kernel) {
        let stride = table.stride();
        let start = self.start::<f32>();
        let mut rest = (0, table.as_mut_slice());
        let mut tasks = Vec::new();
        for ranges in self.chunks() {
            let (first, end) = (ranges[0].row as usize, ranges[ranges.len() - 1].row + 1);
            let (_, from_first) = rest.1.split_at_mut((first - rest.0) * stride);
            let (mine, others) = from_first.split_at_mut((end as usize - first) * stride);
            rest = (end as usize, others);
            tasks.push((ranges, first, mine));
        }
        pool.map(tasks, |(ranges, first, rows)| {
            let mut equations = Equations::new(self.other.n_factors());
            for &range in ranges {
                let row = &mut rows[(range.row as usize - first) * stride..][..stride];
                if !self.row(range, &mut equations, &start, LEAST, row, kernel) {
                    let mut equations = Equations::new(self.other.n_factors());
                    if !self.row(
                        range,
                        &mut equations,
                        &self.start::<f64>(),
                        0.0,
                        row,
                        kernel,
                    ) {
                        row[..self.other.n_factors()].fill(f32::NAN);
                    }
                }
            }
        });
    }

    /// A row, in the numbers of `T`; whether there is one.
    fn row<T: Real>(
        &self,
        range: RowRange,
        equations: &mut Equations<T>,
        start: &[T],
        least: T,
        row: &mut [f32],
        kernel: Kernel,
    ) -> bool {
        kernel.run(SolveRow {
            equations,
            start,
            ridge: T::from_f64(self.penalty[range.row as usize]),
            least,
            other: RowsView {
                values: self.other.as_slice(),
                stride: self.other.stride(),
            },
            examples: self.entries.of(range),
            row,
        })
    }

    /// w₀·G, and 1 on the diagonal behind the last factor.
    fn start<T: Real>(&self) -> Vec<T> {
        let width = self.gram.width;
        let entry = |(at, x): (usize, &f64)| {
            let behind = at / width == at % width && at / width >= self.other.n_factors();
            T::from_f64(if behind {
                1.0
            } else {
                self.unobserved_weight * x
            })
        };
        self.gram.matrix.iter().enumerate().map(entry).collect()
    }

    /// Runs of rows of about [`COST_PER_TASK`].
    fn chunks(&self) -> impl Iterator<Item = &[RowRange]> {
        let solving = width(self.other.n_factors()).div_ceil(3);
        let mut rest = self.entries.ranges;
        std::iter::from_fn(move || {
            let mut cost = 0;
            let more = |range: &&RowRange| {
                let more = cost < COST_PER_TASK;
                cost += range.n_examples() + solving;
                more
            };
            let n_rows = rest.iter().take_while(more).count();
            let (chunk, others) = rest.split_at(n_rows);
            rest = others;
            (!chunk.is_empty()).then_some(chunk)
        })
    }
}

/// Examples of a task.
const EXAMPLES_PER_TASK: usize = 16_384;

/// Σ c·(⟨P_u, Q_i⟩ − t)² over the examples.
pub(super) fn errors(
    examples: &Examples,
    p: &Table<f32>,
    q: &Table<f32>,
    pool: &Pool,
    kernel: Kernel,
) -> f64 {
    let starts: Vec<usize> = (0..examples.len()).step_by(EXAMPLES_PER_TASK).collect();
    let parts = pool.map(starts, |start| {
        let end = (start + EXAMPLES_PER_TASK).min(examples.len());
        kernel.run(Errors {
            examples,
            range: start..end,
            p,
            q,
        })
    });
    parts.iter().sum()
}

struct Errors<'a> {
    examples: &'a Examples,
    range: std::ops::Range<usize>,
    p: &'a Table<f32>,
    q: &'a Table<f32>,
}

impl Job for Errors<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> f64 {
        let mut sum = 0.0;
        for e in self.range {
            let p = self.p.row(self.examples.users[e] as usize);
            let q = self.q.row(self.examples.items[e] as usize);
            let score = lanes.dot(lanes_of(p), lanes_of(q));
            let error = f64::from(score) - f64::from(self.examples.targets[e]);
            let weights = self.examples.weights.as_ref();
            sum += weights.map_or(1.0, |c| f64::from(c[e])) * error * error;
        }
        sum
    }
}

/// Σ λ·s_row·‖θ_row‖².
pub(super) fn penalty(table: &Table<f32>, of_rows: &[f64]) -> f64 {
    let of_row = |(row, scale): (&[f32], &f64)| {
        let squares = row.iter().map(|&x| f64::from(x) * f64::from(x));
        scale * squares.sum::<f64>()
    };
    let rows = table.as_slice().chunks_exact(table.stride());
    rows.zip(of_rows).map(of_row).sum()
}
