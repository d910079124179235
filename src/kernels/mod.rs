//! Which loops take the time, and how do they stay the same on every CPU?
//!
//! | file | what |
//! |---|---|
//! | [`naive`] | the formula as a plain loop: the oracle |
//! | [`lanes`] | the order of every sum: the definition of the bits |
//! | `avx2` | the same source, compiled for AVX2 |
//! | [`top_k`] | the greatest n of many scores |
//! | [`tiles`] | scores of many users for many items |
//! | [`rows`] | scores and gradients of many ratings in one pass |
//! | [`pool`] | the same work on several threads |
//! | [`real`] | the numbers: `f32` in production, `f64` in the gradient check |
//!
//! AVX2 and portable are the only two paths, and they give the same bits.

#[cfg(target_arch = "x86_64")]
mod avx2;
pub mod tiles;
pub mod lanes;
pub mod naive;
pub mod pool;
pub mod real;
pub mod rows;
pub mod top_k;

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
    /// Does the work.
    fn run(self) -> Self::Output;
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
            _ => job.run(),
        }
    }
}
