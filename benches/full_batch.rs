//! How many ratings does full-batch training visit in a second?
//!
//! The seed design (preset `notebook`: three tables, mean squared error, dense Adam) on a million generated ratings, and the gradient of the naive twin beside it. Every figure is the median of
//! interleaved repeats; the error reached stands beside the speed, and the fast gradient is checked against the naive one before anything is timed.
//!
//! ```sh
//! cargo bench --bench full_batch
//! ```
#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and is no library"
)]

use std::time::Instant;

use lowrank::data::layout::Examples;
use lowrank::data::synthetic::{SyntheticConfig, generate};
use lowrank::data::{Dataset, Split};
use lowrank::gradient::{Gradient, naive};
use lowrank::kernels::Kernel;
use lowrank::kernels::pool::Pool;
use lowrank::training::{Config, KernelChoice, Trainer};

const EPOCHS: usize = 20;
const REPEATS: usize = 5;

/// The size of MovieLens 1M.
const DATA: SyntheticConfig = SyntheticConfig {
    n_users: 6040,
    n_items: 3706,
    n_ratings: 1_000_000,
    n_factors: 8,
    noise: 0.5,
    low: 1.0,
    high: 5.0,
    step: 1.0,
    n_genres: 18,
    user_exponent: 0.8,
    item_exponent: 0.9,
    seed: 42,
};

fn main() {
    // `cargo test --benches` runs every bench with `--test`: then it is enough that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let data = generate(&DATA).expect("a data set");
    let halves = data.split(&Split::random(0.1, 42)).expect("two halves");
    let (train, valid) = (&halves.train, &halves.valid);
    println!(
        "{} ratings, {} users, {} items; {} cores",
        train.n_ratings(),
        train.n_users(),
        train.n_items(),
        cores()
    );
    for n_factors in [16, 64] {
        let naive = naive_rate(train, n_factors);
        println!(
            "{n_factors:>3} factors  naive gradient, one thread          {naive:>7.1} M ratings/s"
        );
        let cases = [
            (1, KernelChoice::Portable),
            (1, KernelChoice::Auto),
            (2, KernelChoice::Portable),
            (2, KernelChoice::Auto),
        ];
        let mut rates = [const { Vec::new() }; 4];
        let mut rmse = 0.0;
        for _ in 0..REPEATS {
            for ((threads, kernel), rates) in cases.iter().zip(&mut rates) {
                let mut trainer = trainer(train, n_factors, *threads, *kernel);
                let began = Instant::now();
                trainer.run(&mut ());
                rates.push(rate(train, EPOCHS, began.elapsed().as_secs_f64()));
                let errors = trainer.errors(&valid.interactions);
                rmse = errors.rmse();
            }
        }
        for ((threads, kernel), rates) in cases.iter().zip(&mut rates) {
            rates.sort_by(f64::total_cmp);
            let median = rates[REPEATS / 2];
            let milliseconds = train.n_ratings() as f64 / median / 1e3;
            println!(
                "{n_factors:>3} factors  {kernel:<8} kernel, {threads} thread(s)        {median:>7.1} M ratings/s  {milliseconds:>6.2} ms an epoch  {:>5.0}× naive  held-out RMSE {rmse:.4}",
                median / naive,
                kernel = format!("{kernel:?}").to_lowercase(),
            );
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// Million ratings a second.
fn rate(data: &Dataset, epochs: usize, seconds: f64) -> f64 {
    (data.n_ratings() * epochs) as f64 / seconds / 1e6
}

fn trainer<'d>(
    train: &'d Dataset,
    n_factors: usize,
    threads: usize,
    kernel: KernelChoice,
) -> Trainer<'d, f32> {
    let config = Config::notebook()
        .n_factors(n_factors)
        .epochs(EPOCHS)
        .threads(threads)
        .kernel(kernel);
    config
        .check()
        .expect("in range")
        .trainer(train, None)
        .expect("a trainer")
}

/// The naive gradient's speed, after the fast one has been found equal to it.
fn naive_rate(data: &Dataset, n_factors: usize) -> f64 {
    let trainer = trainer(data, n_factors, 1, KernelChoice::Auto);
    let parameters = &trainer.state().parameters;
    let began = Instant::now();
    let (gradient, loss) = naive::gradient(trainer.objective(), parameters, &data.interactions);
    let seconds = began.elapsed().as_secs_f64();
    let examples = Examples::new(&data.interactions, data.n_users(), data.n_items());
    let mut fast = Gradient::default();
    let fast_loss = fast.compute(
        trainer.objective(),
        parameters,
        &examples,
        &Pool::new(1),
        Kernel::detect(),
    );
    assert!(
        (loss - fast_loss).abs() <= 1e-6 * loss,
        "the fast loss is another: {fast_loss} for {loss}"
    );
    let widest = fast
        .users
        .identity
        .rows
        .iter()
        .enumerate()
        .map(|(at, &row)| {
            let stride = gradient.users.identity.stride();
            let naive = gradient.users.identity.row(row as usize);
            let fast = &fast.users.identity.factors[at * stride..][..stride];
            let size = naive.iter().fold(1e-6f32, |size, x| size.max(x.abs()));
            naive
                .iter()
                .zip(fast)
                .fold(0.0f32, |widest, (a, b)| widest.max((a - b).abs() / size))
        });
    // Sums of up to some thousand f32 terms in two orders.
    assert!(
        widest.fold(0.0, f32::max) < 1e-3,
        "the fast gradient is another"
    );
    rate(data, 1, seconds)
}
