//! How does one source become two machine codes?
//!
//! A [`Job`](super::Job) is inlined into a function that is compiled for AVX2; called anywhere else it is compiled for the baseline CPU. Only `avx2` is switched on, not `fma`: a fused
//! multiply-add rounds once where the definition rounds twice.
//!
//! The two innermost loops, [`lanes::dot_chunks`] and [`lanes::add_scaled_chunks`], are written out for `f32`: eight lanes are one register. Left to itself the compiler finds that
//! in some places and in others goes number by number, at a third of the speed. Same operations in the same order, so the bits are those of `lanes`.
#![allow(
    unsafe_code,
    reason = "calling a function compiled for AVX2 needs a promise that the CPU has it"
)]

use std::arch::x86_64::{
    __m256, _CMP_LT_OQ, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps, _mm_movehl_ps,
    _mm256_add_ps, _mm256_andnot_ps, _mm256_castps256_ps128, _mm256_cmp_ps, _mm256_div_ps,
    _mm256_extractf128_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_sqrt_ps, _mm256_storeu_ps, _mm256_sub_ps,
};

use super::lanes::{self, AdamRow, AdamStep, LANES};
use super::{Job, Lanes, Real};

/// Whether this CPU can run [`run`].
pub(super) fn available() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

/// Runs `job`, compiled for AVX2. Panics where [`available`] is false.
pub(super) fn run<J: Job>(job: J) -> J::Output {
    #[target_feature(enable = "avx2")]
    fn compiled_for_avx2<J: Job>(job: J) -> J::Output {
        job.run(Avx2(()))
    }
    assert!(available(), "the AVX2 kernels on a CPU without AVX2");
    // SAFETY: the line above has just seen that the CPU has AVX2. (The answer is cached: one load and one branch.)
    unsafe { compiled_for_avx2(job) }
}

/// The loops over lanes on 256-bit registers. Only [`run`] makes one, after it has seen that the CPU has them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(());

impl Lanes for Avx2 {
    const COMMON_LENGTHS: bool = true;
    #[inline(always)]
    fn dot<T: Real>(self, a: &[[T; LANES]], b: &[[T; LANES]]) -> T {
        match (T::as_f32(a), T::as_f32(b)) {
            // SAFETY: there is an `Avx2`, so the CPU has AVX2.
            (Some(a), Some(b)) => T::from_f32(unsafe { dot(a, b) }),
            _ => lanes::dot_chunks(a, b),
        }
    }

    #[inline(always)]
    fn add_scaled<T: Real>(self, y: &mut [[T; LANES]], alpha: T, x: &[[T; LANES]]) {
        let Some(of_x) = T::as_f32(x) else {
            return lanes::add_scaled_chunks(y, alpha, x);
        };
        if let Some(y) = T::as_f32_mut(y) {
            // SAFETY: there is an `Avx2`, so the CPU has AVX2.
            unsafe { add_scaled(y, alpha.to_f32(), of_x) }
        }
    }

    #[inline(always)]
    fn adam<T: Real>(self, step: &AdamStep<T>, row: AdamRow<'_, T>) {
        if T::as_f32(row.sum).is_none() {
            return lanes::adam_chunks(step, row);
        }
        if let (Some(x), Some(sum), Some(first), Some(second)) = (
            T::as_f32_mut(row.x),
            T::as_f32(row.sum),
            T::as_f32_mut(row.first),
            T::as_f32_mut(row.second),
        ) {
            let row = AdamRow {
                x,
                sum,
                first,
                second,
            };
            let pair = |(a, b): (T, T)| (a.to_f32(), b.to_f32());
            let step = AdamStep {
                share: step.share.to_f32(),
                penalty: step.penalty.to_f32(),
                first: pair(step.first),
                second: pair(step.second),
                keep: step.keep.to_f32(),
                size: step.size.to_f32(),
                root: step.root.to_f32(),
                epsilon: step.epsilon.to_f32(),
            };
            // SAFETY: there is an `Avx2`, so the CPU has AVX2.
            unsafe { adam(step, row) }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn adam(step: AdamStep<f32>, row: AdamRow<'_, f32>) {
    let all = _mm256_set1_ps;
    let (add, mul) = (_mm256_add_ps, _mm256_mul_ps);
    // Itself where it is far from the subnormal numbers, 0 elsewhere.
    let tiny = all(<f32 as Real>::TINY);
    let flushed = |x| {
        let size = _mm256_andnot_ps(all(-0.0), x);
        _mm256_andnot_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(size, tiny), x)
    };
    let moments = row.first.iter_mut().zip(row.second);
    for ((x, sum), (m, v)) in row.x.iter_mut().zip(row.sum).zip(moments) {
        let old = load(x);
        let g = add(mul(load(sum), all(step.share)), mul(all(step.penalty), old));
        let first = add(mul(all(step.first.0), load(m)), mul(all(step.first.1), g));
        let second = add(
            mul(all(step.second.0), load(v)),
            mul(all(step.second.1), mul(g, g)),
        );
        let (first, second) = (flushed(first), flushed(second));
        let denominator = add(
            mul(_mm256_sqrt_ps(second), all(step.root)),
            all(step.epsilon),
        );
        let moved = _mm256_div_ps(mul(all(step.size), first), denominator);
        let new = _mm256_sub_ps(mul(all(step.keep), old), moved);
        store(x, new);
        store(m, first);
        store(v, second);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn dot(a: &[[f32; LANES]], b: &[[f32; LANES]]) -> f32 {
    let mut lane = _mm256_setzero_ps();
    for (a, b) in a.iter().zip(b) {
        lane = _mm256_add_ps(lane, _mm256_mul_ps(load(a), load(b)));
    }
    // Lanes l and l + 4; then l and l + 2; then the last two.
    let four = _mm_add_ps(
        _mm256_castps256_ps128(lane),
        _mm256_extractf128_ps::<1>(lane),
    );
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_scaled(y: &mut [[f32; LANES]], alpha: f32, x: &[[f32; LANES]]) {
    let alpha = _mm256_set1_ps(alpha);
    for (y, x) in y.iter_mut().zip(x) {
        let sum = _mm256_add_ps(load(y), _mm256_mul_ps(alpha, load(x)));
        store(y, sum);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(lanes: &mut [f32; LANES], values: __m256) {
    // SAFETY: `lanes` is eight numbers, and the store asks for no alignment.
    unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), values) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(lanes: &[f32; LANES]) -> __m256 {
    // SAFETY: `lanes` is eight numbers, and the load asks for no alignment.
    unsafe { _mm256_loadu_ps(lanes.as_ptr()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{Kernel, Portable};

    /// Both loops over rows of some lengths, on the lanes of whoever runs it.
    struct Both<'a>(&'a [[f32; LANES]], &'a [[f32; LANES]]);

    impl Job for Both<'_> {
        type Output = Vec<u32>;
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> Vec<u32> {
            let mut sums = self.1.to_vec();
            let dot = lanes.dot(self.0, self.1);
            let (mut x, mut m) = (self.0.to_vec(), self.1.to_vec());
            // A second moment is not negative; every third is next to nothing.
            let v = |(n, x): (usize, &f32)| if n % 3 == 0 { 1e-31 } else { x * x };
            let v: Vec<f32> = self.1.as_flattened().iter().enumerate().map(v).collect();
            let mut v = v.as_chunks::<LANES>().0.to_vec();
            let step = AdamStep {
                share: 0.3,
                penalty: 0.01,
                first: (0.9, 0.1),
                second: (0.99, 0.01),
                keep: 0.999,
                size: 0.07,
                root: 1.3,
                epsilon: 1e-8,
            };
            let row = AdamRow {
                x: &mut x,
                sum: self.1,
                first: &mut m,
                second: &mut v,
            };
            lanes.adam(&step, row);
            let moved = [x, m, v].concat();
            lanes.add_scaled(&mut sums, 0.3, self.0);
            let sums = sums.as_flattened().iter().copied();
            let moved = moved.as_flattened().iter().copied();
            sums.chain([dot]).chain(moved).map(f32::to_bits).collect()
        }
    }

    #[test]
    #[allow(clippy::print_stdout, reason = "a test that is skipped says so")]
    fn registers_give_the_bits_of_the_definition() {
        if !available() {
            println!("skipped: this CPU has no AVX2");
            return;
        }
        for n in 1..20 {
            let row = |salt: usize| -> Vec<[f32; LANES]> {
                let number = |x: usize| ((x * 7919 + salt * 104_729) % 2003) as f32 / 1001.5 - 1.0;
                (0..n)
                    .map(|c| std::array::from_fn(|l| number(8 * c + l)))
                    .collect()
            };
            let (a, b) = (row(1), row(2));
            assert_eq!(
                Kernel::Avx2.run(Both(&a, &b)),
                Both(&a, &b).run(Portable),
                "{n} chunks"
            );
        }
    }
}
