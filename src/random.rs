//! Where does chance come from, and how is it drawn again?
//!
//! From one seed come any number of named streams: the stream `users.factors` gives the same numbers whatever else was drawn
//! before it, so adding a draw somewhere changes nothing elsewhere. The generator is ChaCha8, named because the default
//! generators of libraries may change between their releases; no other file knows it.
//!
//! ```text
//! key     = the seed's 8 bytes, then zeros
//! stream  = FNV-1a (64 bits) of the name
//! normal  = √(−2 ln u₁)·cos(2π u₂),  then  √(−2 ln u₁)·sin(2π u₂)      (Box and Muller, 1958), u₁ in (0, 1], u₂ in [0, 1)
//! ```
//!
//! `ln`, `cos` and `sin` are `libm`'s: those of the C library change their last bit from CPU to CPU.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// A stream of random numbers, fixed by a seed and a name.
///
/// ```
/// use lowrank::random::Stream;
/// let (mut a, mut b) = (Stream::new(42, "users.factors"), Stream::new(42, "users.factors"));
/// assert_eq!(a.normal().to_bits(), b.normal().to_bits());
/// assert_ne!(Stream::new(42, "items.factors").normal(), Stream::new(42, "users.factors").normal());
/// ```
#[derive(Debug)]
pub struct Stream {
    generator: ChaCha8Rng,
    /// The second number of the last pair of normal draws.
    spare: Option<f64>,
}

impl Stream {
    /// The stream called `name` of `seed`.
    pub fn new(seed: u64, name: &str) -> Stream {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(fnv1a(name.as_bytes()));
        Stream {
            generator,
            spare: None,
        }
    }

    /// A number in [0, 1), a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A whole number in 0..`bound`, each equally likely (Lemire, 2019: multiply, and reject the uneven rest).
    ///
    /// # Panics
    /// Where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "no number is below 0");
        loop {
            let wide = u128::from(self.generator.next_u64()) * u128::from(bound);
            // The remainder is below the bound, so the division is seldom needed.
            if (wide as u64) >= bound || (wide as u64) >= bound.wrapping_neg() % bound {
                return (wide >> 64) as u64;
            }
        }
    }

    /// A draw from N(0, 1).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
        let angle = std::f64::consts::TAU * self.uniform();
        self.spare = Some(radius * libm::sin(angle));
        radius * libm::cos(angle)
    }

    /// A draw from the Gamma distribution of this shape and rate 1 (Marsaglia and Tsang, 2000).
    ///
    /// ```text
    /// d = shape − ⅓,  c = 1/√(9d),  v = (1 + c·x)³ with x ~ N(0, 1);   d·v is kept where ln u < ½x² + d − d·v + d·ln v
    /// ```
    ///
    /// # Panics
    /// Where the shape is below 1: nothing here needs one.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        assert!(shape >= 1.0, "a shape of 1 or more");
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let base = 1.0 + c * x;
            if base > 0.0 {
                let v = base * base * base;
                let u = 1.0 - self.uniform();
                if libm::log(u) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                    return d * v;
                }
            }
        }
    }

    /// Puts `values` into a random order, each equally likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// The generator itself, for the distributions of `rand_distr`.
    pub(crate) fn generator(&mut self) -> &mut impl Rng {
        &mut self.generator
    }
}

/// Fowler, Noll and Vo's hash, 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv1a() {
        // The published test vectors of the hash's authors.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let mut stream = Stream::new(1, "test");
        let n = 100_000;
        let draws: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let mean = draws.iter().sum::<f64>() / n as f64;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / n as f64;
        // Five standard errors: 1/√n of the mean, √(2/n) of the variance.
        assert!(mean.abs() < 5.0 / (n as f64).sqrt(), "{mean}");
        assert!(
            (variance - 1.0).abs() < 5.0 * (2.0 / n as f64).sqrt(),
            "{variance}"
        );
    }

    #[test]
    fn below_is_even_and_stays_below() {
        let mut stream = Stream::new(2, "test");
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[stream.below(7) as usize] += 1;
        }
        // Five standard deviations of a binomial count with n = 70,000 and p = 1/7.
        assert!(
            counts
                .iter()
                .all(|&c| (f64::from(c) - 10_000.0).abs() < 5.0 * 92.6),
            "{counts:?}"
        );
    }

    #[test]
    fn a_shuffle_keeps_every_value_once() {
        let mut values: Vec<u32> = (0..1000).collect();
        Stream::new(3, "test").shuffle(&mut values);
        assert!(values.windows(2).any(|w| w[0] > w[1]));
        values.sort_unstable();
        assert!(values.iter().enumerate().all(|(n, &v)| n as u32 == v));
    }

    #[test]
    fn the_first_draws_of_seed_42_never_change() {
        // A golden of this file's own definition, so that an update of a dependency that changes the bits is noticed.
        let mut stream = Stream::new(42, "users.factors");
        let bits: Vec<u64> = (0..3).map(|_| stream.normal().to_bits()).collect();
        assert_eq!(bits, GOLDEN);
    }
    const GOLDEN: [u64; 3] = [
        4_607_245_702_270_032_219,
        4_603_819_145_359_353_427,
        13_833_839_498_715_413_701,
    ];
}
