//! What do the cells say that nobody has filled?
//!
//! Whoever clicked, or bought, says yes; nobody says no. So every cell of the matrix is an example: the observed ones with their target, all of them, with a small weight, with the
//! target 0.
//!
//! ```text
//! J = (1/N)·[ Σ_{(u,i) observed} c_ui·(s_ui − t_ui)²  +  w₀·Σ_{all u, i} s_ui²  +  Σ_rows λ·s_row·‖θ_row‖² ]         s_ui = ⟨P_u, Q_i⟩
//! s_row = (n_row + w₀·m_row)^ν        n_row the examples that touch the row, m_row its cells
//! ```
//!
//! | symbol | | default |
//! |---|---|---|
//! | t, c | target and weight of an example | its rating; 1 |
//! | N | the number of examples | |
//! | w₀ | the weight of every cell, observed or not | 0.01 |
//! | ν | how the penalty grows with what a row is touched by: 0 not at all, 1 in proportion | 1 |
//!
//! An observed cell counts twice, with c and with w₀, as in Rendle et al.; its square is least at c·t/(c + w₀). Hu, Koren and Volinsky weigh observed cells with 1 + α·r and others with 1: that is w₀ = 1,
//! c = α·r and t = (1 + α·r)/(α·r) here, up to a constant. In this way any c ≥ 0 gives equations that have a solution.
//!
//! **All cells** are those of the rows that some example touches: a user or an item without any stays what it is and tells features nothing. A feature has the cells of all such rows that
//! have it.
//!
//! **Nobody walks through them.** The sum of squares over all cells is a product of two small matrices, and its gradient is one product more a row:
//!
//! ```text
//! Σ_{u,i} ⟨P_u, Q_i⟩²  =  Σ_{a,b} (PᵀP)_ab·(QᵀQ)_ab        ∂P_u += (2·w₀/N)·(QᵀQ)·P_u        ∂Q_i += (2·w₀/N)·(PᵀP)·Q_i
//! ```
//!
//! Cost: what the examples cost anyway, and 3/2·d² multiply-adds a row; never n_users·n_items. The double loop stands in [`naive`].
//!
//! **By hand**, with one factor, one user p = 2, items q = 3 (observed, t = 5) and q = 1 (not), w₀ = ½, λ = 0: J = (6 − 5)² + ½·(6² + 2²) = 21 and ½·4·10 = 20 of it by the two
//! matrices; ∂p = 2·(6 − 5)·3 + 2·½·10·2 = 26.
//!
//! Sources: Hu, Koren and Volinsky, *Collaborative Filtering for Implicit Feedback Datasets* (2008), equation 3; Rendle, Krichene, Zhang and Koren, *Revisiting the Performance of iALS on
//! Item Recommendation Benchmarks* (2021), equations 1 to 5.

mod gram;
pub mod naive;
#[cfg(test)]
mod tests;

pub(crate) use gram::Gram;

use super::sides::SideGradient;
use super::{Batch, Gradient, L2Scale, Objective, SidePenalty};
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real, lanes};
use crate::loss::{Pointwise, Squared};
use crate::model::{Link, Parameters, Side, Table};

/// How cells without an example count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AllCells {
    /// w₀.
    pub unobserved_weight: f64,
    /// ν.
    pub l2_power: f64,
}

impl Default for AllCells {
    /// w₀ = 0.01 and ν = 1.
    fn default() -> AllCells {
        AllCells {
            unobserved_weight: 0.01,
            l2_power: 1.0,
        }
    }
}

impl AllCells {
    /// With ν = 1 where λ counts once an example, and 0 where it counts once a row.
    pub fn new(unobserved_weight: f64, scale: L2Scale) -> AllCells {
        AllCells {
            unobserved_weight,
            l2_power: match scale {
                L2Scale::Row => 0.0,
                L2Scale::Rating => 1.0,
            },
        }
    }

    /// s_row of a row with so many examples and cells.
    ///
    /// ```
    /// use lowrank::gradient::AllCells;
    /// let cells = AllCells { unobserved_weight: 0.01, l2_power: 1.0 };
    /// assert_eq!(cells.l2_scale(20.0, 1000.0), 30.0); // 20 + 0.01·1000
    /// assert_eq!(AllCells { l2_power: 0.0, ..cells }.l2_scale(20.0, 1000.0), 1.0);
    /// ```
    pub fn l2_scale(&self, n_examples: f64, n_cells: f64) -> f64 {
        libm::pow(n_examples + self.unobserved_weight * n_cells, self.l2_power)
    }
}

impl<T: Real> Gradient<T> {
    /// Fills the gradient of the [objective](self) with all cells over `examples`, which are all there are, and returns Σ c·(s − t)² + w₀·Σ s² at the parameters as they are. The
    /// objective gives λ and the counts; its loss and its scale of λ are not used.
    ///
    /// The result does not depend on the number of threads or the kernel.
    ///
    /// # Panics
    /// Where the score is more than the dot product: with μ, biases or another link than the identity.
    pub fn all_cells<'a>(
        &mut self,
        cells: &AllCells,
        objective: &Objective,
        parameters: &Parameters<T>,
        examples: impl Into<Batch<'a>>,
        pool: &Pool,
        kernel: Kernel,
    ) -> f64 {
        assert!(
            is_plain(parameters),
            "all cells have a score of factors alone"
        );
        let mut step = self.step(objective, parameters, examples.into(), pool, kernel);
        let n = step.batch.len();
        let observed = step.observed(|score: T, target: T| {
            let value = Squared.value(score.to_f64(), target.to_f64());
            (value, Squared.slope_in(score, target))
        });
        let Gradient {
            users,
            items,
            composed: [user_scratch, item_scratch],
            ..
        } = self;
        let (p, q) = (
            composed(&parameters.users, user_scratch),
            composed(&parameters.items, item_scratch),
        );
        let (user_rows, item_rows) = (touched(users), touched(items));
        let of_users = Gram::new(p, &user_rows, pool, kernel);
        let of_items = Gram::new(q, &item_rows, pool, kernel);
        let slope = 2.0 * cells.unobserved_weight / n as f64;
        of_items.add_products(slope, p, users, pool, kernel);
        of_users.add_products(slope, q, items, pool, kernel);
        for (gradient, side, penalty, rows, others) in [
            (
                users,
                &parameters.users,
                &objective.users,
                &user_rows,
                item_rows.len(),
            ),
            (
                items,
                &parameters.items,
                &objective.items,
                &item_rows,
                user_rows.len(),
            ),
        ] {
            gradient.backprop(side);
            let penalty = cells.penalty(side, penalty, rows, others);
            gradient.add_penalty_of(side, &penalty, n);
        }
        observed + cells.unobserved_weight * of_users.product(&of_items)
    }
}

impl AllCells {
    /// λ·s_row of every row of every table of a side; 0 where no example touches it. `rows` are touched, and so are `others` rows of the other side.
    pub(crate) fn penalty<T: Real>(
        &self,
        side: &Side<T>,
        penalty: &SidePenalty,
        rows: &[u32],
        others: usize,
    ) -> Vec<Vec<f64>> {
        let mut members = vec![1; side.identity.n_rows()];
        let mut all = Vec::new();
        for (n, (lambda, counts)) in penalty.tables.iter().zip(&penalty.counts).enumerate() {
            if n > 0 {
                members = members_of(side, n - 1, rows);
            }
            let row = |(&count, &members): (&u32, &usize)| match count {
                0 => 0.0,
                _ => lambda.factors * self.l2_scale(f64::from(count), (members * others) as f64),
            };
            all.push(counts.iter().zip(&members).map(row).collect());
        }
        all
    }
}

/// How many of `rows` have each feature of a group.
fn members_of<T: Real>(side: &Side<T>, group: usize, rows: &[u32]) -> Vec<usize> {
    let group = &side.groups[group];
    let mut members = vec![0; group.table.n_rows()];
    for &row in rows {
        for (f, _) in group.features.row(row as usize).filter(|&(_, w)| w != 0.0) {
            members[f as usize] += 1;
        }
    }
    members
}

/// Whether a score is the dot product alone.
pub(crate) fn is_plain<T: Real>(parameters: &Parameters<T>) -> bool {
    let Parameters { users, items, .. } = parameters;
    let biases = users.has_biases() || items.has_biases();
    parameters.global_mean.is_none()
        && parameters.link == Link::Identity
        && parameters.graph.is_none()
        && !biases
}

/// The rows that some example touches.
fn touched<T>(gradient: &SideGradient<T>) -> Vec<u32> {
    let identity = &gradient.identity;
    let rows = identity.rows.iter().zip(&identity.n_examples);
    rows.filter(|(_, n)| **n > 0).map(|(row, _)| *row).collect()
}

/// The composed rows, where the step has left them.
fn composed<'a, T: Real>(side: &'a Side<T>, scratch: &'a Option<Table<T>>) -> &'a Table<T> {
    scratch
        .as_ref()
        .filter(|_| !side.groups.is_empty())
        .unwrap_or(&side.identity)
}

impl<T: Real> SideGradient<T> {
    /// Step 4 where λ·s_row is known of every row of every table: adds (2/N)·λ·s_row·θ.
    fn add_penalty_of(&mut self, side: &Side<T>, penalty: &[Vec<f64>], n_examples: usize) {
        let gradients = std::iter::once(&mut self.identity).chain(&mut self.groups);
        for ((gradient, table), of_rows) in gradients.zip(side.tables()).zip(penalty) {
            let stride = table.stride();
            let rows = gradient.factors.chunks_exact_mut(stride);
            for (factors, &row) in rows.zip(&gradient.rows) {
                let times = 2.0 * of_rows[row as usize] / n_examples as f64;
                if times > 0.0 {
                    lanes::add_scaled(factors, T::from_f64(times), table.row(row as usize));
                }
            }
        }
    }
}
