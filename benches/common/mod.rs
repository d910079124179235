//! What the benches share: when to run, medians of interleaved repeats, a clock that others on the machine do not slow down, and the generated data.
#![allow(dead_code, reason = "each bench needs a part of it")]

use std::time::Instant;

use lowrank::data::Dataset;
use lowrank::data::synthetic::{SyntheticConfig, generate};

/// Whether this is `cargo test --benches`: then it is enough that the bench starts.
pub(crate) fn only_tested() -> bool {
    asked_for("--test")
}

/// Whether the command line has `argument`.
pub(crate) fn asked_for(argument: &str) -> bool {
    std::env::args().any(|given| given == argument)
}

/// The cores of this machine.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// The numbers of threads that are worth comparing.
pub(crate) fn thread_counts() -> Vec<usize> {
    let mut counts = vec![1, 2.min(cores())];
    counts.dedup();
    counts
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Something to be timed.
pub(crate) struct Way<'a> {
    /// How it is called in the output.
    pub(crate) name: String,
    /// One run of it.
    pub(crate) work: Box<dyn FnMut() + 'a>,
}

impl<'a> Way<'a> {
    pub(crate) fn new(name: impl Into<String>, work: impl FnMut() + 'a) -> Way<'a> {
        let work = Box::new(work);
        Way {
            name: name.into(),
            work,
        }
    }
}

/// The median seconds of each way. They take turns, so that a busy moment of the machine meets all of them.
pub(crate) fn medians(clock: Clock, repeats: usize, ways: &mut [Way<'_>]) -> Vec<f64> {
    let mut seconds = vec![Vec::new(); ways.len()];
    for _ in 0..repeats {
        for (way, seconds) in ways.iter_mut().zip(&mut seconds) {
            let began = clock.now();
            (way.work)();
            seconds.push(clock.now() - began);
        }
    }
    seconds.into_iter().map(median).collect()
}

/// What seconds are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Those that pass.
    Wall,
    /// Those that this thread works, where the system tells them (Linux, in ticks of some milliseconds); else those that pass.
    Thread,
}

impl Clock {
    /// Seconds since some moment.
    pub(crate) fn now(self) -> f64 {
        thread_local!(static START: Instant = Instant::now());
        let wall = || START.with(|start| start.elapsed().as_secs_f64());
        match self {
            Clock::Wall => wall(),
            Clock::Thread => worked().unwrap_or_else(wall),
        }
    }
}

fn worked() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split(' ').next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

/// Millions a second.
pub(crate) fn millions(n: usize, seconds: f64) -> f64 {
    n as f64 / seconds / 1e6
}

/// Generated ratings of eight hidden factors, on a scale from 1 to 5; each rating has noise of half a step.
pub(crate) fn ratings(n_users: usize, n_items: usize, n_ratings: usize) -> Dataset {
    let config = SyntheticConfig {
        n_users,
        n_items,
        n_ratings,
        n_factors: 8,
        noise: 0.5,
        low: 1.0,
        high: 5.0,
        step: 0.5,
        n_genres: 0,
        user_exponent: 0.8,
        item_exponent: 0.9,
        seed: 42,
    };
    generate(&config).expect("a data set")
}

/// Numbers between −1 and 1 that no rounding is kind to.
pub(crate) fn numbers(n: usize, salt: usize) -> Vec<f32> {
    let number = |f: usize| ((f * 7919 + salt * 104_729) % 2003) as f32 / 1001.5 - 1.0;
    (0..n).map(number).collect()
}
