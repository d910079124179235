//! How many users get their list of ten in a second?
//!
//! Models of 64 factors with biases, and about 165 seen items a user: as many users and items as MovieLens 1M, and a sample of the users of MovieLens 20M with all its items. Three ways, which must give the same lists: the naive definition (score everything, sort everything), one
//! user at a time, and a block of users at a time. Every figure is the median of interleaved repeats on one thread, in CPU seconds where the system tells them (Linux), else in seconds.
//!
//! ```sh
//! cargo bench --bench top_n
//! ```
#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and is no library"
)]

use std::time::Instant;

use lowrank::data::synthetic::{SyntheticConfig, generate};
use lowrank::kernels::top_k;
use lowrank::model::Scorer;
use lowrank::training::Config;
use lowrank::{Model, Query};

const REPEATS: usize = 5;
/// Linux counts CPU time in ticks of some milliseconds: one pass is too few of them.
const PASSES: usize = 4;
const N: usize = 10;
const FACTORS: usize = 64;

/// A list, as rows of items.
type List = Vec<u32>;
/// A name, the number of users, and what makes their lists.
type Way<'a> = (&'a str, usize, &'a dyn Fn() -> Vec<List>);

fn main() {
    // `cargo test --benches` runs every bench with `--test`: then it is enough that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    for (n_users, n_items, n_ratings, naive_sample) in
        [(6040, 3700, 1_000_000, 300), (2048, 27_000, 340_000, 40)]
    {
        let model = model(n_users, n_items, n_ratings);
        let (n_users, n_items) = (model.users().ids().len(), model.items().ids().len());
        let users: Vec<u32> = (0..n_users as u32).collect();
        let recommender = model.recommender(&Query::default().n(N)).expect("a query");
        let everyone = || -> Vec<List> {
            let lists = recommender.everyone().top_n(&users);
            let items = |list: Vec<_>| {
                list.iter()
                    .map(|r: &lowrank::recommend::Ranked| r.item)
                    .collect()
            };
            lists.into_iter().map(items).collect()
        };
        let singly = || -> Vec<List> {
            let items = model.items().ids();
            let row = |line: &lowrank::Recommendation| items.index(&line.item).expect("an item");
            let list = |user: &u32| recommender.top_n(*user).iter().map(row).collect();
            users[..naive_sample].iter().map(list).collect()
        };
        let naive = || -> Vec<List> {
            users[..naive_sample]
                .iter()
                .map(|&user| naive(&model, user))
                .collect()
        };
        let ways: [Way<'_>; 3] = [
            ("naive: score all, sort all", naive_sample, &naive),
            ("one user at a time", naive_sample, &singly),
            ("blocks of users", n_users, &everyone),
        ];
        let wanted = naive();
        let mut seconds = [const { Vec::new() }; 3];
        for _ in 0..REPEATS {
            for ((_, n, way), seconds) in ways.iter().zip(&mut seconds) {
                let began = Clock::now();
                let mut lists = Vec::new();
                for _ in 0..PASSES {
                    lists = way();
                }
                seconds.push(began.seconds() / (PASSES * n) as f64);
                assert_eq!(lists[..naive_sample], wanted, "another list");
            }
        }
        let medians = seconds.map(|mut seconds| {
            seconds.sort_by(f64::total_cmp);
            seconds[REPEATS / 2]
        });
        for ((name, ..), median) in ways.iter().zip(medians) {
            println!(
                "{n_users} users × {n_items} items × {FACTORS}  {name:<28} {:>9.0} users/s  {:>6.1} M scores/s  {:>5.1}× naive",
                1.0 / median,
                n_items as f64 / median / 1e6,
                medians[0] / median,
            );
        }
    }
}

/// Everything is scored, what is seen is dropped, everything is sorted.
fn naive(model: &Model, user: u32) -> List {
    let scorer = Scorer::new(model, Some(user));
    let scores: Vec<(f32, u32)> = (0..model.items().ids().len() as u32)
        .filter(|item| !model.seen(user).contains(item))
        .map(|item| (scorer.score(item), item))
        .collect();
    let best = top_k::naive(&scores, N);
    best.into_iter().map(|(_, item)| item).collect()
}

/// A model after one epoch on generated ratings: its lists cost what any other's cost.
fn model(n_users: usize, n_items: usize, n_ratings: usize) -> Model {
    let data = generate(&SyntheticConfig {
        n_users,
        n_items,
        n_ratings,
        n_factors: 8,
        noise: 0.5,
        low: 1.0,
        high: 5.0,
        step: 0.5,
        n_genres: 18,
        user_exponent: 0.8,
        item_exponent: 0.9,
        seed: 42,
    });
    let config = Config::rating().n_factors(FACTORS).epochs(1).seed(1);
    let config = config.check().expect("in range");
    let model = config.fit(&data.expect("a data set"), None, &mut ());
    model.expect("a model")
}

/// CPU seconds of this thread, or else seconds.
struct Clock(f64, Instant);

impl Clock {
    fn now() -> Clock {
        Clock(cpu().unwrap_or(0.0), Instant::now())
    }

    fn seconds(&self) -> f64 {
        cpu().map_or(self.1.elapsed().as_secs_f64(), |now| now - self.0)
    }
}

fn cpu() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split(' ').next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}
