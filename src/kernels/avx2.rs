//! How does one source become two machine codes?
//!
//! A [`Job`](super::Job) is inlined into a function that is compiled for AVX2; called anywhere else it is compiled for the
//! baseline CPU. Only `avx2` is switched on, not `fma`: a fused multiply-add rounds once where the definition rounds twice.
#![allow(
    unsafe_code,
    reason = "calling a function compiled for AVX2 needs a promise that the CPU has it"
)]

use super::Job;

/// Whether this CPU can run [`run`].
pub(super) fn available() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

/// Runs `job`, compiled for AVX2. Panics where [`available`] is false.
pub(super) fn run<J: Job>(job: J) -> J::Output {
    #[target_feature(enable = "avx2")]
    fn compiled_for_avx2<J: Job>(job: J) -> J::Output {
        job.run()
    }
    assert!(available(), "the AVX2 kernels on a CPU without AVX2");
    // SAFETY: the line above has just seen that the CPU has AVX2. (The answer is cached: one load and one branch.)
    unsafe { compiled_for_avx2(job) }
}
