//! How close do the innermost loops come to what the machine can do?
//!
//! Each loop of training, at 8 to 128 factors, on one thread: its naive twin, the portable kernel and the AVX2 kernel, on data that stay in the second-level cache. Beside the speed stands the share of the
//! peak, which is measured first: multiplications and additions that never leave the registers, without fusing, as the kernels have to.
//!
//! | loop | unit | operations a factor |
//! |---|---|---|
//! | `dot` | a row | 2 |
//! | `add_scaled` | a row | 2 |
//! | `block pass` | a rating: score, slope, both gradients in one pass | 6 |
//! | `two passes` | the same in two | 6 |
//! | `dense adam` | a row | 12, of them a root and a division |
//! | `block adam` | a row | 13, likewise |
//! | `row adam` | a row | 8; root and division once a row |
//!
//! Medians of interleaved repeats of some milliseconds, in seconds that pass: so short a run is mostly left alone on a busy machine, and
//! a clock of CPU time has ticks of milliseconds. `off` is the greatest difference from the naive twin in what was written, relative to the greatest number there; both
//! kernels must give the same bits.
//!
//! ```sh
//! cargo bench --bench kernels
//! ```
#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and is no library"
)]

#[path = "../common/mod.rs"]
mod common;
mod data;
mod passes;
mod peak;
mod steps;

use std::hint::black_box;

use common::{Clock, Way, medians};
use data::{Data, ITEMS, RATINGS};
use lowrank::kernels::Kernel;
use passes::{add_scaled, block_pass, dot, two_passes};
use steps::{block_adam, dense_adam, row_adam};

const REPEATS: usize = 21;
/// A repeat does about so many operations.
const OPERATIONS: usize = 10_000_000;

fn main() {
    if common::only_tested() {
        return;
    }
    let peak = peak::measured();
    println!(
        "peak: {:.1} GFLOP/s portable, {:.1} {}, multiplying and adding in registers",
        peak[0],
        peak[1],
        Kernel::detect().name()
    );
    for n_factors in [8, 16, 32, 64, 128] {
        for (name, one, units, operations) in LOOPS {
            compare(name, one, units, operations * n_factors, n_factors, peak);
        }
    }
}

/// A loop, once over all its rows or ratings: by its naive twin, or on a kernel.
type Loop = fn(&mut Data, Option<Kernel>);

const LOOPS: [(&str, Loop, usize, usize); 7] = [
    ("dot", dot, ITEMS, 2),
    ("add_scaled", add_scaled, ITEMS, 2),
    ("block pass", block_pass, RATINGS, 6),
    ("two passes", two_passes, RATINGS, 6),
    ("dense adam", dense_adam, ITEMS, 12),
    ("block adam", block_adam, ITEMS, 13),
    ("row adam", row_adam, ITEMS, 8),
];

fn compare(
    name: &str,
    one: Loop,
    units: usize,
    operations: usize,
    n_factors: usize,
    peak: [f64; 2],
) {
    let kinds = [None, Some(Kernel::Portable), Some(Kernel::detect())];
    let results = kinds.map(|kind| {
        let mut data = Data::new(n_factors);
        one(&mut data, kind);
        data.written()
    });
    let bits = |n: usize| results[n].iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert!(bits(1) == bits(2), "{name}: the kernels differ");
    let size = results[0].iter().fold(0.0f32, |size, x| size.max(x.abs()));
    let pairs = results[0].iter().zip(&results[1]);
    let off = pairs.fold(0.0f32, |off, (a, b)| off.max((a - b).abs())) / size;
    let passes = (OPERATIONS / (units * operations)).max(1);
    let mut ways = kinds.map(|kind| {
        let mut data = Data::new(n_factors);
        Way::new(kind.map_or("naive", Kernel::name), move || {
            for _ in 0..passes {
                one(black_box(&mut data), kind);
            }
        })
    });
    let seconds = medians(Clock::Wall, REPEATS, &mut ways);
    for (n, (way, seconds_of)) in ways.iter().zip(&seconds).enumerate() {
        let rate = (units * passes) as f64 / seconds_of;
        let gflops = rate * operations as f64 / 1e9;
        println!(
            "{n_factors:>4} factors  {name:<11} {:<9} {:>8.1} M/s  {gflops:>6.1} GFLOP/s  {:>3.0} % of peak  {:>5.1}× naive{}",
            way.name,
            rate / 1e6,
            100.0 * gflops / peak[usize::from(n == 2)],
            seconds[0] / seconds_of,
            if n == 0 {
                String::new()
            } else {
                format!("  off {off:.0e}")
            },
        );
    }
}
