//! What do the fast loops compute, in the fewest words?
//!
//! One plain loop each, in the order of the formula. They are the oracle of the tests and the baseline of the benches;
//! nothing else calls them. Read these first.

use super::Real;

/// ⟨a, b⟩ = Σ_f a_f·b_f, added from the first factor to the last.
pub fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).map(|(&a, &b)| a * b).sum()
}

/// Σ_f |a_f·b_f| in `f64`: what the rounding error of a dot product is measured against.
pub fn dot_abs<T: Real>(a: &[T], b: &[T]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| (a.to_f64() * b.to_f64()).abs())
        .sum()
}

/// (base_u + offset_i) + ⟨p_u, q_i⟩ of every user and every item, user after user; rows have `stride` numbers.
pub fn scores<T: Real>(
    (users, bases): (&[T], &[T]),
    (items, offsets): (&[T], &[T]),
    stride: usize,
) -> Vec<T> {
    let mut scores = Vec::new();
    for (p, &base) in users.chunks(stride).zip(bases) {
        for (q, &offset) in items.chunks(stride).zip(offsets) {
            scores.push((base + offset) + dot(p, q));
        }
    }
    scores
}

/// Σ_j G_uj·q_j of every user, in `f64`; rows of G have `width` numbers, one for each item and some that mean nothing.
pub fn row_sums<T: Real>(slopes: &[T], width: usize, items: &[T], stride: usize) -> Vec<f64> {
    let mut sums = Vec::new();
    for slopes in slopes.chunks(width) {
        let mut sum = vec![0.0; stride];
        for (q, slope) in items.chunks(stride).zip(slopes) {
            sum.iter_mut()
                .zip(q)
                .for_each(|(sum, q)| *sum += slope.to_f64() * q.to_f64());
        }
        sums.extend(sum);
    }
    sums
}

/// Σ_u G_uj·p_u and Σ_u G_uj of every column, in `f64`.
pub fn column_sums<T: Real>(
    slopes: &[T],
    width: usize,
    users: &[T],
    stride: usize,
) -> (Vec<f64>, Vec<f64>) {
    let (mut sums, mut biases) = (vec![0.0; width * stride], vec![0.0; width]);
    for (p, slopes) in users.chunks(stride).zip(slopes.chunks(width)) {
        for (j, slope) in slopes.iter().enumerate() {
            let sum = &mut sums[j * stride..(j + 1) * stride];
            sum.iter_mut()
                .zip(p)
                .for_each(|(sum, p)| *sum += slope.to_f64() * p.to_f64());
            biases[j] += slope.to_f64();
        }
    }
    (sums, biases)
}

/// A = A₀ + δ·1 + Σ_e c_e·q_e·q_eᵀ and b = Σ_e c_e·t_e·q_e of a row, in `f64`; A₀ and A have rows of q's length. The examples are (q, c, t).
pub fn normal_equations<T: Real>(
    start: &[f64],
    ridge: f64,
    examples: &[(&[T], f64, f64)],
) -> (Vec<f64>, Vec<f64>) {
    let n = start.len().isqrt();
    let (mut matrix, mut vector) = (start.to_vec(), vec![0.0; n]);
    for a in 0..n {
        matrix[a * n + a] += ridge;
        for &(q, weight, target) in examples {
            vector[a] += weight * target * q[a].to_f64();
            for b in 0..n {
                matrix[a * n + b] += weight * q[a].to_f64() * q[b].to_f64();
            }
        }
    }
    (matrix, vector)
}

/// One row's share of a pass that scores: the slope of each of its examples, Σ slope·q and Σ slope.
pub fn score_row<T: Real>(
    p: &[T],
    examples: std::ops::Range<usize>,
    others: &[u32],
    other: &[T],
    slope: impl Fn(usize, T) -> T,
    slopes: &mut [T],
) -> (Vec<T>, T) {
    for e in examples.clone() {
        let q = &other[others[e] as usize * p.len()..][..p.len()];
        slopes[e] = slope(e, dot(p, q));
    }
    let order: Vec<u32> = examples.map(|e| e as u32).collect();
    gather_row(&order, others, slopes, other, p.len())
}

/// Σ slope·q and Σ slope over the examples of one row.
pub fn gather_row<T: Real>(
    order: &[u32],
    others: &[u32],
    slopes: &[T],
    other: &[T],
    stride: usize,
) -> (Vec<T>, T) {
    let (mut gradient, mut bias) = (vec![T::ZERO; stride], T::ZERO);
    for &e in order {
        let q = &other[others[e as usize] as usize * stride..][..stride];
        for (g, &q) in gradient.iter_mut().zip(q) {
            *g += slopes[e as usize] * q;
        }
        bias += slopes[e as usize];
    }
    (gradient, bias)
}
