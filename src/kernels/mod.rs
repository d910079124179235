//! Which loops take the time, and how do they stay the same on every CPU?
//!
//! | file | what |
//! |---|---|
//! | [`naive`] | the formula as a plain loop: the oracle |
//! | [`lanes`] | the order of every sum: the definition of the bits |
//! | `avx2` | the same source, compiled for AVX2 |
//! | [`top_k`] | the greatest n of many scores |
//! | [`tiles`] | scores of many users for many items |
//! | [`sweep`] | those scores a block of users at a time, and who reads them |
//! | [`rows`] | scores and gradients of many ratings in one pass |
//! | [`block`] | the same in one pass, where a thread owns the rows of both sides |
//! | [`dense`] | the gradients of many users and many items, from the slopes of all of them |
//! | [`exp`](lanes::exp) | many exponentials at once, with the same bits everywhere |
//! | [`normal`] | the row that fits its ratings best, the other side held fixed |
//! | [`pool`] | the same work on several threads |
//! | [`real`] | the numbers: `f32` in production, `f64` in the gradient check |
//!
//! AVX2 and portable are the only two paths, and they give the same bits.

#[cfg(target_arch = "x86_64")]
mod avx2;
pub mod block;
pub mod dense;
pub mod lanes;
pub mod naive;
pub mod normal;
pub mod pool;
pub mod real;
pub mod rows;
pub mod sweep;
pub mod tiles;
pub mod top_k;

use lanes::{AdamRow, AdamStep, LANES};
pub use real::Real;

/// The machine code that the row loops run on. It changes their speed, never a bit of their result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kernel {
    /// The baseline of the target.
    Portable,
    /// 256-bit registers, without fused multiply-add.
    Avx2,
}

/// A piece of work on rows. `run` is to be marked `#[inline(always)]`, so that it is compiled for the kernel that calls it.
pub trait Job {
    /// What the work gives.
    type Output;
    /// Does the work, with the loops over lanes of the kernel that it is compiled for.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// The innermost loops, as a kernel does them. All of them give the bits of [`lanes`].
pub trait Lanes: Copy + Send + Sync {
    /// Whether loops over rows are compiled for common lengths too: not where a faster kernel nearly always runs.
    const COMMON_LENGTHS: bool;
    /// [`lanes::dot_chunks`].
    fn dot<T: Real>(self, a: &[[T; LANES]], b: &[[T; LANES]]) -> T;
    /// [`lanes::add_scaled_chunks`].
    fn add_scaled<T: Real>(self, y: &mut [[T; LANES]], alpha: T, x: &[[T; LANES]]);
    /// [`lanes::adam_chunks`].
    fn adam<T: Real>(self, step: &AdamStep<T>, row: AdamRow<'_, T>);
}

/// The definition itself, compiled for the baseline of the target.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

impl Lanes for Portable {
    const COMMON_LENGTHS: bool = !cfg!(target_arch = "x86_64");
    #[inline(always)]
    fn dot<T: Real>(self, a: &[[T; LANES]], b: &[[T; LANES]]) -> T {
        lanes::dot_chunks(a, b)
    }

    #[inline(always)]
    fn add_scaled<T: Real>(self, y: &mut [[T; LANES]], alpha: T, x: &[[T; LANES]]) {
        lanes::add_scaled_chunks(y, alpha, x);
    }

    #[inline(always)]
    fn adam<T: Real>(self, step: &AdamStep<T>, row: AdamRow<'_, T>) {
        lanes::adam_chunks(step, row);
    }
}

impl Kernel {
    /// The fastest that this CPU has.
    pub fn detect() -> Kernel {
        #[cfg(target_arch = "x86_64")]
        if avx2::available() {
            return Kernel::Avx2;
        }
        Kernel::Portable
    }

    /// `portable` or `avx2`, for run records and reports.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Portable => "portable",
            Kernel::Avx2 => "avx2",
        }
    }

    /// Runs `job` on this kernel.
    pub fn run<J: Job>(self, job: J) -> J::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::run(job),
            _ => job.run(Portable),
        }
    }
}
