//! How fast can this machine multiply and add, when nothing has to be fetched?

use std::hint::black_box;

use lowrank::kernels::lanes::LANES;
use lowrank::kernels::{Job, Kernel, Lanes};

use crate::common::{Clock, median};

/// GFLOP/s of the portable and of the fastest kernel.
pub(crate) fn measured() -> [f64; 2] {
    [Kernel::Portable, Kernel::detect()].map(|kernel| {
        // As many sums as hide the latency, or as few as fit into the registers.
        let rates = [rate::<6>(kernel), rate::<12>(kernel)];
        rates[0].max(rates[1])
    })
}

fn rate<const N: usize>(kernel: Kernel) -> f64 {
    const ROUNDS: usize = 300_000;
    let seconds = (0..21).map(|_| {
        let began = Clock::Wall.now();
        black_box(kernel.run(Registers::<N> {
            rounds: ROUNDS,
            factor: black_box(0.999),
            term: black_box(1e-3),
        }));
        Clock::Wall.now() - began
    });
    (2 * N * LANES * ROUNDS) as f64 / median(seconds.collect()) / 1e9
}

/// x ← x·factor + term, in `N` times eight lanes.
struct Registers<const N: usize> {
    rounds: usize,
    factor: f32,
    term: f32,
}

impl<const N: usize> Job for Registers<N> {
    type Output = [[f32; LANES]; N];

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) -> Self::Output {
        let mut sums = [[1.0; LANES]; N];
        for _ in 0..self.rounds {
            for lanes in &mut sums {
                for x in lanes {
                    *x = *x * self.factor + self.term;
                }
            }
        }
        sums
    }
}
