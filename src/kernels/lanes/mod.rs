//! In which order are the terms of a dot product added?
//!
//! Floating-point addition is not associative, so "the dot product" is a set of numbers until an order is fixed.
//! This file fixes it: eight running sums (lanes), term f goes to lane f mod 8, and the lanes are added as a balanced
//! tree. A CPU with 256-bit registers does eight lanes of `f32` at once, an older one four and four; both get **the same bits**,
//! because no operation is reordered and no multiply-add is fused.
//!
//! ```text
//! lane_l   = Σ_c a[8c + l]·b[8c + l]            in rising c
//! ⟨a, b⟩   = ((lane₀ + lane₄) + (lane₂ + lane₆)) + ((lane₁ + lane₅) + (lane₃ + lane₇))
//! ```
//!
//! Rows are padded with zeros to a multiple of eight ([`padded`]), so there is no remainder to treat apart.
//! The definition without lanes stands in [`naive`](super::naive).

pub mod exp;

use super::Real;

/// Running sums of a dot product; rows are padded to a multiple of it.
pub const LANES: usize = 8;

/// The length of a row in memory: `n_factors` rounded up to whole lanes.
///
/// ```
/// assert_eq!(lowrank::kernels::lanes::padded(50), 56);
/// assert_eq!(lowrank::kernels::lanes::padded(64), 64);
/// ```
pub const fn padded(n_factors: usize) -> usize {
    n_factors.div_ceil(LANES) * LANES
}

/// Padded numbers as chunks of eight.
#[inline(always)]
pub fn lanes_of<T>(numbers: &[T]) -> &[[T; LANES]] {
    numbers.as_chunks::<LANES>().0
}

/// [`lanes_of`], to be changed.
#[inline(always)]
pub fn lanes_of_mut<T>(numbers: &mut [T]) -> &mut [[T; LANES]] {
    numbers.as_chunks_mut::<LANES>().0
}

/// Padded rows of `C` chunks of lanes each.
#[inline(always)]
pub fn chunked<T, const C: usize>(numbers: &[T]) -> &[[[T; LANES]; C]] {
    lanes_of(numbers).as_chunks::<C>().0
}

/// [`chunked`], to be changed.
#[inline(always)]
pub fn chunked_mut<T, const C: usize>(numbers: &mut [T]) -> &mut [[[T; LANES]; C]] {
    lanes_of_mut(numbers).as_chunks_mut::<C>().0
}

/// ⟨a, b⟩ of two padded rows of equal length.
#[inline(always)]
pub fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    debug_assert_eq!(a.len(), b.len());
    dot_chunks(lanes_of(a), lanes_of(b))
}

/// [`dot`] of rows that are cut into chunks of lanes already.
#[inline(always)]
pub fn dot_chunks<T: Real>(a: &[[T; LANES]], b: &[[T; LANES]]) -> T {
    let mut lane = [T::ZERO; LANES];
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (*a, *b);
        for l in 0..LANES {
            lane[l] += a[l] * b[l];
        }
    }
    sum_of_lanes(lane)
}

/// The balanced tree, level by level: the compiler sees vectors of four and of two.
#[inline(always)]
pub fn sum_of_lanes<T: Real>(lane: [T; LANES]) -> T {
    let (mut four, mut two) = ([T::ZERO; 4], [T::ZERO; 2]);
    for l in 0..4 {
        four[l] = lane[l] + lane[l + 4];
    }
    for l in 0..2 {
        two[l] = four[l] + four[l + 2];
    }
    two[0] + two[1]
}

/// Rows shorter than this count as zero: their square would be no normal number of 32 bits.
const SHORTEST: f64 = 1e-18;

/// Gives a padded row length 1 and returns the length it had; a row of zeros stays one, and has length 0.
#[inline(always)]
pub fn normalize<T: Real>(row: &mut [T]) -> T {
    let norm = dot(row, row).square_root();
    if norm.to_f64() < SHORTEST {
        row.fill(T::ZERO);
        return T::ZERO;
    }
    let inverse = T::from_f64(1.0 / norm.to_f64());
    row.iter_mut().for_each(|x| *x *= inverse);
    norm
}

/// y ← y + α·x, of two padded rows of equal length.
#[inline(always)]
pub fn add_scaled<T: Real>(y: &mut [T], alpha: T, x: &[T]) {
    debug_assert_eq!(x.len(), y.len());
    add_scaled_chunks(lanes_of_mut(y), alpha, lanes_of(x));
}

/// [`add_scaled`] of rows that are cut into chunks of lanes already.
#[inline(always)]
pub fn add_scaled_chunks<T: Real>(y: &mut [[T; LANES]], alpha: T, x: &[[T; LANES]]) {
    // One number does not depend on another, so there is no order to keep: as one flat loop it runs on whatever registers there are.
    for (y, &x) in y.as_flattened_mut().iter_mut().zip(x.as_flattened()) {
        *y += alpha * x;
    }
}

/// The numbers of a step of Adam for one row.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep<T> {
    /// What the sum of gradients is multiplied by.
    pub share: T,
    /// What times the row is added to that.
    pub penalty: T,
    /// β₁ and 1 − β₁.
    pub first: (T, T),
    /// β₂ and 1 − β₂.
    pub second: (T, T),
    /// What the row itself is multiplied by.
    pub keep: T,
    /// η over the first bias correction.
    pub size: T,
    /// One over the root of the second bias correction.
    pub root: T,
    /// ε.
    pub epsilon: T,
}

/// A row, the sum of its gradients, and its moments, cut into chunks of lanes.
#[derive(Debug)]
pub struct AdamRow<'a, T> {
    /// θ.
    pub x: &'a mut [[T; LANES]],
    /// Σ g.
    pub sum: &'a [[T; LANES]],
    /// m.
    pub first: &'a mut [[T; LANES]],
    /// v.
    pub second: &'a mut [[T; LANES]],
}

/// One step of Adam, number by number:
///
/// ```text
/// g = share·sum + penalty·θ      m ← β₁·m + (1 − β₁)·g      v ← β₂·v + (1 − β₂)·g²      θ ← keep·θ − size·m/(√v·root + ε)
/// ```
#[inline(always)]
pub fn adam_chunks<T: Real>(step: &AdamStep<T>, row: AdamRow<'_, T>) {
    let moments = row.first.iter_mut().zip(row.second);
    for ((x, sum), (m, v)) in row.x.iter_mut().zip(row.sum).zip(moments) {
        for l in 0..LANES {
            let g = sum[l] * step.share + step.penalty * x[l];
            m[l] = (step.first.0 * m[l] + step.first.1 * g).flushed();
            v[l] = (step.second.0 * v[l] + step.second.1 * (g * g)).flushed();
            let denominator = v[l].square_root() * step.root + step.epsilon;
            x[l] = step.keep * x[l] - step.size * m[l] / denominator;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::naive;

    /// Numbers between −1 and 1 that no rounding is kind to.
    fn row(len: usize, salt: usize) -> Vec<f32> {
        (0..padded(len))
            .map(|f| {
                if f < len {
                    ((f * 7919 + salt * 104_729) % 2003) as f32 / 1001.5 - 1.0
                } else {
                    0.0
                }
            })
            .collect()
    }

    #[test]
    fn the_lane_dot_is_the_dot_product_up_to_rounding() {
        for len in [1, 7, 8, 9, 16, 50, 64, 200] {
            let (a, b) = (row(len, 1), row(len, 2));
            let exact: f64 = a
                .iter()
                .zip(&b)
                .map(|(&a, &b)| f64::from(a) * f64::from(b))
                .sum();
            // |error| ≤ n·ε·Σ|a·b| (Higham, Accuracy and Stability, 3.5), ε = 2⁻²⁴.
            let bound = len as f64 * 2f64.powi(-24) * naive::dot_abs(&a, &b);
            assert!(
                (f64::from(dot(&a, &b)) - exact).abs() <= bound,
                "{len} factors"
            );
            assert!(
                (f64::from(naive::dot(&a, &b)) - exact).abs() <= bound,
                "{len} factors, naive"
            );
        }
    }

    #[test]
    fn the_order_of_the_sum_is_the_one_that_is_written_above() {
        let lane: [f32; 8] = [1e8, 1.0, -1e8, 3.0, 1.0, 5.0, 7.0, 9.0];
        let tree = ((lane[0] + lane[4]) + (lane[2] + lane[6]))
            + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
        assert_eq!(dot(&lane, &[1.0; 8]).to_bits(), tree.to_bits());
        assert_ne!(
            tree,
            naive::dot(&lane, &[1.0; 8]),
            "an order that does not matter tests nothing"
        );
    }

    #[test]
    fn add_scaled_is_what_its_name_says() {
        let (x, mut y) = (row(16, 3), row(16, 4));
        let wanted: Vec<f32> = y.iter().zip(&x).map(|(y, x)| y + 0.5 * x).collect();
        add_scaled(&mut y, 0.5, &x);
        assert_eq!(y, wanted);
    }
}
