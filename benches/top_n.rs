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

mod common;

use common::{Clock, Way, medians};
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
type Lists<'a> = (&'a str, usize, &'a dyn Fn() -> Vec<List>);

fn main() {
    if common::only_tested() {
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
        let kinds: [Lists<'_>; 3] = [
            ("naive: score all, sort all", naive_sample, &naive),
            ("one user at a time", naive_sample, &singly),
            ("blocks of users", n_users, &everyone),
        ];
        let wanted = naive();
        let mut ways = kinds.map(|(name, _, lists)| {
            let wanted = &wanted;
            Way::new(name, move || {
                for _ in 0..PASSES {
                    assert_eq!(lists()[..naive_sample], *wanted, "another list");
                }
            })
        });
        let seconds = medians(Clock::Thread, REPEATS, &mut ways);
        let of_user = |n: usize| seconds[n] / (PASSES * kinds[n].1) as f64;
        for (n, (name, ..)) in kinds.iter().enumerate() {
            println!(
                "{n_users} users × {n_items} items × {FACTORS}  {name:<28} {:>9.0} users/s  {:>6.1} M scores/s  {:>5.1}× naive",
                1.0 / of_user(n),
                n_items as f64 / of_user(n) / 1e6,
                of_user(0) / of_user(n),
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
    let data = common::ratings(n_users, n_items, n_ratings);
    let config = Config::rating().n_factors(FACTORS).epochs(1).seed(1);
    let config = config.check().expect("in range");
    let model = config.fit(&data, None, &mut ());
    model.expect("a model")
}
