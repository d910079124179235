//! Steps 1 and 2 of lists: what do all of a user's positives say, each against the same candidates?
//!
//! For the users of a step, the positives' scores and the matrix S of the candidates' scores become slopes, row by row ([`Listwise`]); then two matrix products hand them on:
//!
//! ```text
//! S_uj     = b_j + ⟨P_u, Q_j⟩ − τ·corrections_j       −∞ for an item that is left out
//! g, G     = (1/N)·∂ℓ/∂s of the positives and of the candidates
//! ∂P_u     = Σ_j G_uj·Q_j + Σ_i g_ui·Q_i
//! ∂Q_j     = Σ_u G_uj·P_u + Σ_u g_uj·P_u            ∂b_j alike
//! ```
//!
//! N counts positives. μ and b_u raise all scores of a list alike and are left out. A row of S belongs to one task, and so does a row of either gradient: sums are added in an order that
//! the data gives. Cost: three matrix products of the users by the candidates.
//!
//! | file | question |
//! |---|---|
//! | `users` | how do the lists of users become slopes, and those the gradients of users? |
//! | `items` | how do slopes become the gradients of items? |

mod items;
mod users;

use super::RowGradients;
use crate::data::layout::{Candidates, Lists};
use crate::kernels::pool::Pool;
use crate::kernels::tiles::{ITEMS, Packed};
use crate::kernels::{Kernel, Real};
use crate::loss::{Listwise, LossKind};
use crate::model::Table;

/// Buffers that are kept between steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers<T> {
    /// S, then G.
    matrix: Vec<T>,
    /// The users' rows of the step, one after the other.
    users: Vec<T>,
    /// The candidates' rows, where they are not all items.
    candidates: Vec<T>,
    /// The candidates' rows as the product wants them.
    packed: Packed<ITEMS, T>,
    /// The slopes of the positives.
    slopes: Vec<T>,
}

/// What the passes over lists see.
pub(super) struct Passes<'a, T, L> {
    pub(super) loss: L,
    /// τ where the candidates' odds are taken off their scores.
    pub(super) temperature: f64,
    pub(super) lists: &'a Lists<'a>,
    /// Composed, perhaps of length 1.
    pub(super) users: &'a Table<T>,
    /// Composed, perhaps of length 1.
    pub(super) items: &'a Table<T>,
    pub(super) pool: &'a Pool,
    pub(super) kernel: Kernel,
}

/// The τ that odds are multiplied with: that of a softmax, and 0 of others, which do not correct for them.
pub(super) fn temperature(loss: LossKind) -> f64 {
    match loss {
        LossKind::Softmax { temperature } => temperature,
        _ => 0.0,
    }
}

/// The items that a step touches, rising: positives and candidates. `None` where that is all of them.
pub(super) fn touched(lists: &Lists<'_>) -> Option<Vec<u32>> {
    let Candidates::Sample(sample) = &lists.candidates else {
        return None;
    };
    let positives = lists.positives.by_item.iter().map(|range| range.row);
    let mut rows: Vec<u32> = positives.chain(sample.items.iter().copied()).collect();
    rows.sort_unstable();
    rows.dedup();
    Some(rows)
}

impl<T: Real, L: Listwise> Passes<'_, T, L> {
    /// ∂P and ∂Q of the touched rows; returns Σ c·ℓ.
    pub(super) fn run(
        &self,
        touched: Option<&[u32]>,
        buffers: &mut Buffers<T>,
        users: &mut RowGradients<T>,
        items: &mut RowGradients<T>,
    ) -> f64 {
        let positives = &self.lists.positives;
        let stride = self.users.stride();
        buffers.users.clear();
        for range in &positives.by_user {
            buffers
                .users
                .extend_from_slice(self.users.row(range.row as usize));
        }
        let everything: Vec<u32>;
        let (columns, rows): (&[u32], &[T]) = match &self.lists.candidates {
            Candidates::Everything => {
                everything = (0..self.items.n_rows() as u32).collect();
                (&everything, self.items.as_slice())
            }
            Candidates::Sample(sample) => {
                buffers.candidates.clear();
                for &item in &sample.items {
                    buffers
                        .candidates
                        .extend_from_slice(self.items.row(item as usize));
                }
                (&sample.items, &buffers.candidates)
            }
        };
        let width = columns.len().div_ceil(ITEMS) * ITEMS;
        buffers
            .matrix
            .resize(positives.by_user.len() * width, T::ZERO);
        buffers.slopes.resize(positives.len(), T::ZERO);
        users.reset(
            &positives.by_user,
            stride,
            self.users.bias_slice().is_some(),
        );
        users.biases.fill(T::ZERO);
        let candidates = Columns {
            columns,
            rows,
            width,
        };
        self.pack(&candidates, &mut buffers.packed);
        let loss = self.by_user(
            &candidates,
            &buffers.packed,
            &buffers.users,
            &mut buffers.matrix,
            &mut buffers.slopes,
            users,
        );
        self.by_item(&candidates, touched.unwrap_or(columns), buffers, items);
        loss
    }
}

/// The candidates of a step: which items they are, their rows side by side, and the length of a row of S.
struct Columns<'a, T> {
    columns: &'a [u32],
    rows: &'a [T],
    width: usize,
}
