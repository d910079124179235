//! How are many exponentials taken at once, with the same bits everywhere?
//!
//! ```text
//! e^x = 2^n · e^r,     n = the whole number nearest to x·log₂e,     r = x − n·ln 2,     |r| ≤ ½ ln 2
//! e^r = 1 + r + r²/2! + … + r⁷/7!                                   up to 6e-9, relatively
//! ```
//!
//! Only additions, multiplications and operations on bits, so it runs on many lanes and gives the same bits on every CPU; within 2 units in the last place of the true value where
//! x is between −87 and 88. Below −87 it is 0, above 88 it stays at e^88. In `f64` it is `libm`'s, number by number.

use super::{LANES, sum_of_lanes};
use crate::kernels::Real;

/// What is added to and taken from a number below 2²² to round it to a whole one: 1.5·2²³.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts, the first with so few digits that n times it is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;
/// 1/k!, k = 7 … 2.
const TERMS: [f32; 6] = [
    1.0 / 5040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
];
const LOWEST: f32 = -87.0;
const HIGHEST: f32 = 88.0;

/// e^x.
#[inline(always)]
pub fn exp_f32(x: f32) -> f32 {
    // Written so that NaN stays NaN: it shows that training has run away.
    let inside = if x < LOWEST { LOWEST } else { x };
    let inside = if inside > HIGHEST { HIGHEST } else { inside };
    let shifted = inside * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (inside - n * LN2_HIGH) - n * LN2_LOW;
    let mut sum = TERMS[0];
    for term in &TERMS[1..] {
        sum = sum * r + term;
    }
    let e = (sum * (r * r) + r) + 1.0;
    // The low bits of `shifted` are n; moved to where the exponent stands and added to that of 1.
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    if x < LOWEST { 0.0 } else { e * power }
}

/// Numbers of a lane's sum before it joins the sum in `f64`.
const PIECE: usize = 512;

/// Replaces each x by e^((x − top)·scale) and returns their sum: eight lanes of up to 64 numbers each, then `f64`.
#[inline(always)]
pub fn shifted<T: Real>(values: &mut [T], scale: T, top: T) -> f64 {
    let mut total = 0.0;
    for piece in values.chunks_mut(PIECE) {
        for x in piece.iter_mut() {
            *x = ((*x - top) * scale).exponential();
        }
        let (chunks, rest) = piece.as_chunks::<LANES>();
        let mut lane = [T::ZERO; LANES];
        for chunk in chunks {
            for l in 0..LANES {
                lane[l] += chunk[l];
            }
        }
        for (l, &x) in rest.iter().enumerate() {
            lane[l] += x;
        }
        total += sum_of_lanes(lane).to_f64();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_exponential_to_two_units_in_the_last_place() {
        let mut worst = 0.0f64;
        for n in 0..=1_750_000 {
            let x = -87.0 + n as f32 * 1e-4;
            let (found, wanted) = (f64::from(exp_f32(x)), libm::exp(f64::from(x)));
            worst = worst.max((found - wanted).abs() / wanted);
        }
        assert!(worst <= 2.0 * f64::from(f32::EPSILON), "{worst:e}");
    }

    #[test]
    fn it_ends_where_the_numbers_end() {
        assert_eq!(exp_f32(0.0), 1.0);
        assert_eq!(
            (exp_f32(-88.0), exp_f32(-1e4), exp_f32(f32::NEG_INFINITY)),
            (0.0, 0.0, 0.0)
        );
        assert!(exp_f32(1e4).is_finite() && exp_f32(f32::INFINITY) > 1e38);
        assert!(exp_f32(f32::NAN).is_nan());
    }

    #[test]
    fn the_sum_is_that_of_the_numbers_left_behind() {
        for n in [0, 1, 7, 8, 511, 512, 513, 2000] {
            let mut values: Vec<f32> = (0..n).map(|n| (n % 97) as f32 / 50.0 - 1.0).collect();
            let sum = shifted(&mut values, 3.0, 0.9);
            let wanted: f64 = values.iter().map(|&x| f64::from(x)).sum();
            // 64 additions in a lane and three in the tree, of positive terms.
            assert!(
                (sum - wanted).abs() <= 67.0 * f64::from(f32::EPSILON) * wanted,
                "{n}"
            );
            if n > 1 {
                let second = libm::exp((1.0 / 50.0 - 1.0 - 0.9) * 3.0);
                assert!((f64::from(values[1]) - second).abs() <= 1e-6 * second);
            }
        }
    }
}
