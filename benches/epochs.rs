//! How long does an epoch take, and how good is the model after some?
//!
//! The seed design (preset `notebook`: mean squared error, dense Adam, neither biases nor penalty), and the preset `rating` in full batch, by blocks, and by blocks with the row-wise rule, at 16, 64 and 128 factors on one and two threads, on generated ratings of the size of MovieLens 1M; the naive gradient of the same objective beside
//! them, on one thread. Seconds are those that pass between the first step of an epoch and the last, the median of all epochs of all repeats; the ways take turns. The error on held-out
//! ratings is that after the epochs that are timed: full batch takes one step an epoch, and needs more of them. At the end, what it costs to keep the statistics that `monitor` compares with.
//!
//! ```sh
//! cargo bench --bench epochs              # 1 million ratings, about a minute
//! cargo bench --bench epochs -- 20m       # 20 million too: several minutes and 4 GB
//! ```
#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and is no library"
)]

mod common;

use std::ops::ControlFlow;

use common::{Clock, asked_for, cores, median, millions, thread_counts};
use lowrank::data::{Dataset, Interactions, Split};
use lowrank::gradient::naive;
use lowrank::model::Reference;
use lowrank::optimizer::OptimizerKind;
use lowrank::training::{Batch, Config, Event, Observer, Trainer};

/// A size of the data, and how often everything is done.
struct Scale {
    n_users: usize,
    n_items: usize,
    n_ratings: usize,
    epochs: usize,
    repeats: usize,
}

const ONE_MILLION: Scale = Scale {
    n_users: 6040,
    n_items: 3706,
    n_ratings: 1_000_000,
    epochs: 10,
    repeats: 3,
};
const TWENTY_MILLION: Scale = Scale {
    n_users: 138_000,
    n_items: 27_000,
    n_ratings: 20_000_000,
    epochs: 4,
    repeats: 1,
};
/// The naive gradient is tried on so many ratings at most.
const NAIVE: usize = 200_000;

/// A name, and what is trained in that way.
type Way = (&'static str, fn() -> Config);

const WAYS: [Way; 4] = [
    ("seed design, full", Config::notebook),
    ("full batch", || Config::rating().batch(Batch::Full)),
    ("blocks", || Config::rating().batch(Batch::Blocks)),
    ("blocks, row-adam", || {
        let blocks = Config::rating().batch(Batch::Blocks);
        blocks.optimizer(OptimizerKind::RowAdam)
    }),
];

fn main() {
    if common::only_tested() {
        return;
    }
    run(&ONE_MILLION);
    if asked_for("20m") {
        run(&TWENTY_MILLION);
    }
}

fn run(scale: &Scale) {
    let data = common::ratings(scale.n_users, scale.n_items, scale.n_ratings);
    let halves = data.split(&Split::random(0.1, 42)).expect("two halves");
    let (train, valid) = (&halves.train, &halves.valid.interactions);
    let n = train.n_ratings();
    println!(
        "{n} ratings, {} users, {} items; {} cores",
        train.n_users(),
        train.n_items(),
        cores()
    );
    for n_factors in [16, 64, 128] {
        let naive = naive_rate(train, n_factors);
        println!(
            "{n_factors:>4} factors  {:<17}  1 thread  {:>9.1} ms an epoch  {naive:>6.1} M ratings/s",
            "naive gradient",
            n as f64 / naive / 1e3
        );
        let mut cases = Vec::new();
        for (name, config) in WAYS {
            for threads in thread_counts() {
                let config = config()
                    .n_factors(n_factors)
                    .epochs(scale.epochs)
                    .threads(threads);
                cases.push((name, threads, config, Laps::default(), f64::NAN));
            }
        }
        for _ in 0..scale.repeats {
            for (_, _, config, laps, rmse) in &mut cases {
                *rmse = trained(config, train, valid, laps);
            }
        }
        for (name, threads, _, laps, rmse) in cases {
            let seconds = median(laps.seconds);
            let rate = millions(n, seconds);
            println!(
                "{n_factors:>4} factors  {name:<17}  {threads} thread{}  {:>9.1} ms an epoch  {rate:>6.1} M ratings/s  {:>5.1}× naive  RMSE {rmse:.4} after {} epochs",
                if threads == 1 { " " } else { "s" },
                seconds * 1e3,
                rate / naive,
                scale.epochs,
            );
        }
    }
    println!(
        "what training looked like, kept for later: {:.2} ms",
        1e3 * reference_seconds(train)
    );
}

/// What it costs to keep what training looked like.
fn reference_seconds(train: &Dataset) -> f64 {
    let checked = Config::rating().epochs(1).check().expect("in range");
    let model = checked.fit(train, None, &mut ()).expect("a model");
    let seconds = (0..5).map(|_| {
        let began = Clock::Wall.now();
        std::hint::black_box(Reference::of(&model, train).expect("ratings in memory"));
        Clock::Wall.now() - began
    });
    median(seconds.collect())
}

/// Trains, takes the time of each epoch, and gives the error on the held-out ratings.
fn trained(config: &Config, train: &Dataset, valid: &Interactions, laps: &mut Laps) -> f64 {
    let mut trainer = trainer(config, train);
    trainer.run(laps);
    trainer.errors(valid).rmse()
}

fn trainer<'d>(config: &Config, train: &'d Dataset) -> Trainer<'d, f32> {
    let checked = config.clone().check().expect("in range");
    checked.trainer(train, None).expect("a trainer")
}

/// Million ratings a second of the naive gradient.
fn naive_rate(train: &Dataset, n_factors: usize) -> f64 {
    let few: Vec<usize> = (0..train.n_ratings().min(NAIVE)).collect();
    let few = train.interactions.select(&few);
    let config = Config::rating().n_factors(n_factors).batch(Batch::Size(1));
    let trainer = trainer(&config, train);
    let seconds = (0..5).map(|_| {
        let began = Clock::Wall.now();
        let gradient = naive::gradient(trainer.objective(), &trainer.state().parameters, &few);
        std::hint::black_box(gradient);
        Clock::Wall.now() - began
    });
    millions(few.len(), median(seconds.collect()))
}

/// Seconds of each epoch's steps.
#[derive(Default)]
struct Laps {
    began: f64,
    seconds: Vec<f64>,
}

impl Observer for Laps {
    fn on_event(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::EpochStarted { .. } => self.began = Clock::Wall.now(),
            Event::EpochTrained { .. } => self.seconds.push(Clock::Wall.now() - self.began),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
