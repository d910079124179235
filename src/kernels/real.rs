//! Which numbers do the tables hold?
//!
//! `f32` in production, `f64` in the gradient check: the same code runs on both, so what is checked is what trains.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use super::lanes::LANES;

/// A number of an embedding table: `f32` or `f64`.
///
/// All operations are IEEE 754's basic ones (+ − × ÷ √), which every CPU rounds alike; nothing here may fuse two of them.
pub trait Real:
    Copy
    + Default
    + Debug
    + Display
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Sum
{
    /// 0.
    const ZERO: Self;
    /// 2⁻¹⁰⁰.
    const TINY: Self;
    /// Whether loops over rows are compiled for common lengths too, as training wants it; otherwise for any length alone, with the same sums in the same order.
    const COMMON_LENGTHS: bool;
    /// Rounds to the nearest.
    fn from_f64(value: f64) -> Self;
    /// Exact for both types.
    fn to_f64(self) -> f64;
    /// Exact for both types.
    fn from_f32(value: f32) -> Self;
    /// Rounds to the nearest.
    fn to_f32(self) -> f32;
    /// √x, correctly rounded.
    fn square_root(self) -> Self;
    /// e^x: [`exp_f32`](super::lanes::exp::exp_f32), or `libm`'s in `f64`.
    fn exponential(self) -> Self;
    /// Neither infinite nor NaN.
    fn finite(self) -> bool;
    /// Itself, or 0 where it is so small that a CPU would slow down over it: below 2⁻¹⁰⁰, far above the subnormal numbers of `f32` and far below what moves a row.
    #[inline(always)]
    fn flushed(self) -> Self {
        if self < Self::TINY && -self < Self::TINY {
            Self::ZERO
        } else {
            self
        }
    }
    /// The numbers, if they are `f32`.
    fn as_f32(numbers: &[[Self; LANES]]) -> Option<&[[f32; LANES]]>;
    /// The numbers, if they are `f32`, to be changed.
    fn as_f32_mut(numbers: &mut [[Self; LANES]]) -> Option<&mut [[f32; LANES]]>;
    /// The greater of two finite numbers.
    fn greater(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
}

macro_rules! real {
    ($t:ty, $common_lengths:literal, $exp:path, |$numbers:ident| $as_f32:expr) => {
        #[allow(clippy::unnecessary_cast, reason = "one macro for both types")]
        impl Real for $t {
            const ZERO: Self = 0.0;
            const COMMON_LENGTHS: bool = $common_lengths;
            const TINY: Self = 1.0 / (1u128 << 100) as $t;
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn from_f32(value: f32) -> Self {
                value as $t
            }
            #[inline(always)]
            fn to_f32(self) -> f32 {
                self as f32
            }
            #[inline(always)]
            fn square_root(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn as_f32($numbers: &[[Self; LANES]]) -> Option<&[[f32; LANES]]> {
                $as_f32
            }
            #[inline(always)]
            fn as_f32_mut($numbers: &mut [[Self; LANES]]) -> Option<&mut [[f32; LANES]]> {
                $as_f32
            }
            #[inline(always)]
            fn exponential(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn finite(self) -> bool {
                self.is_finite()
            }
        }
    };
}
real!(f32, true, super::lanes::exp::exp_f32, |numbers| Some(
    numbers
));
real!(f64, false, libm::exp, |_numbers| None);
