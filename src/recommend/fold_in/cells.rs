//! Which row takes the items of the history for ones, and all others for zeros?
//!
//! ```text
//! min Σ_H (1 − x_i)² + W·Σ_{i ∉ H} x_i² + λ‖p‖² + λ_b b²,      x_i = c_i + b + ⟨p, Q_i⟩
//! (W·Σ_i q̃_i q̃_iᵀ + (1 − W)·Σ_H q̃_i q̃_iᵀ + diag λ̃)·(p, b) = Σ_H (1 − c_i)·q̃_i − W·Σ_{i ∉ H} c_i·q̃_i
//! ```
//!
//! Every item of the model is a cell (of a new item, every user), so one pass over all of them makes the Gram matrix: n_items · n_factors². Source: Hu, Koren and Volinsky, *Collaborative filtering for implicit feedback datasets*, 2008.

use super::history::{History, Own};
use super::ridge::System;
use crate::Result;

pub(super) fn own(history: &History<'_>, weight: f64) -> Result<Own> {
    let n_factors = history.model.n_factors();
    let mut system = System::new(&history.penalty())?;
    let mut seen = history.others.iter().peekable();
    for other in 0..history.other().ids().len() as u32 {
        let (weight, wanted) = match seen.next_if(|&&seen| seen == other) {
            Some(_) => (1.0, 1.0),
            None => (weight, 0.0),
        };
        system.add(
            history.other_row(other),
            weight,
            wanted - history.constant(other),
        );
    }
    let solution = system.solve(n_factors)?;
    Ok(solution.into())
}
