//! Is training by blocks what [`naive`](super::naive) says?

use super::*;
use crate::data::{Dataset, Interactions};
use crate::gradient::L2Scale;
use crate::kernels::pool::Pool;
use crate::model::{Link, Parameters};
use crate::optimizer::Schedule;
use crate::training::batches::Batches;
use crate::training::places::{self, Way};
use crate::training::{Batch, Columns, Config, Implicit, PerTable, Trainer};

/// 60 users with twenty tags each (too many to step once a stratum), 40 items with two genres each, 900 weighted ratings.
fn data() -> Dataset {
    let rating = |n: usize| {
        let pair = (n * 7919) % 2400;
        (pair / 40, pair % 40, (n * 31 % 9) as f32 / 2.0 + 0.5)
    };
    let mut ratings = String::from("user,item,rating,weight\n");
    for (user, item, rating) in (0..900).map(rating) {
        let weight = [1.0, 0.5, 2.0][(user + item) % 3];
        ratings += &format!("u{user},i{item},{rating},{weight}\n");
    }
    let several = |n: usize, of: usize, salt: usize| {
        let values = (0..n).map(|v| format!("v{}", (salt + v * (salt % 3 + 1)) % of));
        values.collect::<Vec<_>>().join("|")
    };
    let mut users = String::from("user,tags\n");
    let mut items = String::from("item,genres\n");
    for n in 0..60 {
        users += &format!("u{n},{}\n", several(20, 70, n));
    }
    for n in 0..40 {
        items += &format!("i{n},{}\n", several(2, 5, n));
    }
    Dataset::builder()
        .weight_column("weight")
        .ratings_from(ratings.as_bytes(), "ratings")
        .and_then(|b| b.users_from(users.as_bytes(), "users"))
        .and_then(|b| b.items_from(items.as_bytes(), "items"))
        .and_then(|b| b.build())
        .expect("a data set")
}

fn config() -> Config {
    Config::rating()
        .batch(Batch::Blocks)
        .n_factors(5)
        .epochs(3)
        .user_features(Columns::All)
        .schedule(Schedule::Cosine)
        .seed(7)
}

/// A trainer whose ratings are cut into `n_blocks` blocks a side.
fn trainer(data: &Dataset, config: Config, n_blocks: usize, threads: usize) -> Trainer<'_, f64> {
    let checked = config.threads(threads).check().expect("in range");
    let mut trainer = checked.trainer::<f64>(data, None).expect("a trainer");
    let survey = data.survey().expect("in memory");
    let counts = (&survey.user_counts[..], &survey.item_counts[..]);
    let blocks = Blocks::cut(&data.interactions, counts, n_blocks, &Pool::new(threads));
    trainer.batches = Batches::Strata(blocks);
    trainer
}

/// What the oracle makes of the same start.
fn oracle(data: &Dataset, config: Config, n_blocks: usize) -> (Parameters<f64>, f64) {
    let trainer = trainer(data, config, n_blocks, 1);
    let Batches::Strata(blocks) = &trainer.batches else {
        panic!("no blocks")
    };
    let (mut state, mut objective) = (trainer.state.clone(), trainer.objective.clone());
    places::state(&mut state, blocks, Way::In);
    places::objective(&mut objective, blocks, Way::In);
    let config = trainer.config();
    let rate = |step| {
        let steps = n_blocks as u64;
        config
            .schedule
            .rate(config.base_rate(), 0.0, step, config.n_epochs(), steps)
    };
    let mut loss = 0.0;
    for _ in 0..config.n_epochs() {
        loss = naive::epoch(&mut state, blocks, &objective, &trainer.optimizer, rate);
    }
    places::state(&mut state, blocks, Way::Out);
    (state.parameters, loss / data.n_ratings() as f64)
}

fn numbers(parameters: &Parameters<f64>) -> Vec<f64> {
    let tables = parameters.users.tables().chain(parameters.items.tables());
    tables
        .flat_map(|table| {
            let biases = table.bias_slice().unwrap_or_default().iter();
            table
                .factors()
                .iter()
                .chain(biases)
                .copied()
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Sums in another order, in `f64`, over some hundred steps.
const TOLERANCE: f64 = 1e-9;

#[test]
fn blocks_train_to_what_the_plain_loop_says() {
    let data = data();
    let cases: Vec<(&str, Config)> = vec![
        ("as it is", config()),
        (
            "λ by rating",
            config().l2(PerTable::new(0.05)).l2_scale(L2Scale::Rating),
        ),
        ("sigmoid", config().link(Link::Sigmoid { lo: 0.0, hi: 5.5 })),
        ("no biases", config().biases(false).group_biases(false)),
        (
            "no features",
            config()
                .user_features(Columns::Named(vec![]))
                .item_features(Columns::Named(vec![])),
        ),
        ("features alone have biases", config().biases(false)),
        ("row-wise", config().optimizer(OptimizerKind::RowAdam)),
        (
            "decoupled decay",
            config().optimizer(OptimizerKind::AdamW).weight_decay(0.1),
        ),
        (
            "sgd",
            config().optimizer(OptimizerKind::Sgd).learning_rate(0.01),
        ),
        ("adagrad", config().optimizer(OptimizerKind::Adagrad)),
        ("16 factors", config().n_factors(16)),
        (
            "features made of the ratings",
            config().implicit(Implicit::Both),
        ),
    ];
    for (name, config) in cases {
        for n_blocks in [1, 2, 4, 8] {
            let (wanted, wanted_loss) = oracle(&data, config.clone(), n_blocks);
            let mut trainer = trainer(&data, config.clone(), n_blocks, 2);
            let mut losses = Vec::new();
            trainer.run(&mut |event: &crate::training::Event| {
                if let crate::training::Event::EpochEnded(epoch) = event {
                    losses.push(epoch.train_loss);
                }
                std::ops::ControlFlow::Continue(())
            });
            let got = numbers(&trainer.state.parameters);
            let far = got.iter().zip(numbers(&wanted)).map(|(a, b)| (a - b).abs());
            let farthest = far.fold(0.0, f64::max);
            assert!(
                farthest < TOLERANCE,
                "{name}, {n_blocks} blocks: {farthest}"
            );
            let last = losses.last().expect("three epochs");
            assert!(
                (last - wanted_loss).abs() < TOLERANCE * wanted_loss,
                "{name}: {last}"
            );
        }
    }
}

#[test]
fn the_gradients_of_all_blocks_add_up_to_the_gradient() {
    // One SGD step a row with a tiny rate leaves −η·ḡ behind; n·ḡ summed over blocks is N times the full gradient.
    use crate::gradient::{Gradient, naive as of_all};
    let data = data();
    let trainer = trainer(&data, config(), 4, 1);
    let (gradient, loss) = of_all::gradient(
        &trainer.objective,
        &trainer.state.parameters,
        &data.interactions,
    );
    let blocks = trainer.batches.blocks().expect("blocks");
    let (mut state, mut objective) = (trainer.state.clone(), trainer.objective.clone());
    places::state(&mut state, blocks, Way::In);
    places::objective(&mut objective, blocks, Way::In);
    let mut fast = Gradient::default();
    let fast_loss = fast.compute(
        &objective,
        &state.parameters,
        blocks,
        &Pool::new(2),
        Kernel::detect(),
    );
    assert!((loss - fast_loss).abs() < TOLERANCE * loss);
    let users = &fast.users.identity;
    let stride = gradient.users.identity.stride();
    for (at, &place) in users.rows.iter().enumerate() {
        let row = blocks.users.row_at[place as usize] as usize;
        let wanted = gradient.users.identity.row(row);
        for (got, wanted) in users.factors[at * stride..].iter().zip(wanted) {
            assert!((got - wanted).abs() < TOLERANCE);
        }
    }
    let genres = &fast.items.groups[0];
    for (at, &f) in genres.rows.iter().enumerate() {
        let wanted = gradient.items.groups[0].table.row(f as usize);
        for (got, wanted) in genres.factors[at * stride..].iter().zip(wanted) {
            assert!((got - wanted).abs() < TOLERANCE);
        }
    }
}

#[test]
fn the_steps_of_an_epoch_add_up_to_the_gradient_however_it_is_cut() {
    // So small a rate that the tables stay where they are while the gradients are taken.
    const RATE: f64 = 1e-7;
    let data = data();
    let config = config()
        .user_features(Columns::Named(vec![]))
        .item_features(Columns::Named(vec![]))
        .optimizer(OptimizerKind::Sgd)
        .schedule(Schedule::Constant)
        .learning_rate(RATE)
        .epochs(1);
    let moved = |n_blocks: usize| -> Vec<f64> {
        let mut trainer = trainer(&data, config.clone(), n_blocks, 1);
        let start = numbers(&trainer.state.parameters);
        trainer.run(&mut ());
        let end = numbers(&trainer.state.parameters);
        let by = end.iter().zip(&start).map(|(end, start)| end - start);
        by.map(|by| by / RATE / n_blocks as f64).collect()
    };
    let whole = moved(1);
    for n_blocks in [2, 4, 8] {
        for (cut, whole) in moved(n_blocks).iter().zip(&whole) {
            assert!((cut - whole).abs() < 1e-4, "{cut} for {whole}");
        }
    }
}

#[test]
fn weight_decay_is_a_penalty_by_blocks_too() {
    let data = data();
    let n = data.n_ratings() as f64;
    let train = |config: Config| {
        let mut trainer = trainer(&data, config, 2, 1);
        trainer.run(&mut ());
        numbers(&trainer.state.parameters)
    };
    // PyTorch's weight decay is 2λ/N.
    let by_decay = train(config().l2(PerTable::new(0.0)).weight_decay(2.0 * 3.0 / n));
    let by_penalty = train(config().l2(PerTable::new(3.0)));
    assert!(
        by_decay
            .iter()
            .zip(&by_penalty)
            .all(|(a, b)| (a - b).abs() < TOLERANCE)
    );
    assert_ne!(by_penalty, train(config().l2(PerTable::new(0.0))));
}

#[test]
fn threads_and_the_order_of_the_file_change_no_bit() {
    let data = data();
    let bits = |data: &Dataset, threads| -> Vec<u64> {
        let config = config().implicit(Implicit::Both);
        let mut trainer = trainer(data, config, 4, threads);
        trainer.run(&mut ());
        numbers(&trainer.state.parameters)
            .iter()
            .map(|x| x.to_bits())
            .collect()
    };
    let one = bits(&data, 1);
    assert_eq!(one, bits(&data, 3));
    let backwards: Vec<usize> = (0..data.n_ratings()).rev().collect();
    let reversed: Interactions = data.interactions.select(&backwards);
    // μ is a sum in the order of the file; these ratings are halves with exact sums.
    assert_eq!(one, bits(&data.with(reversed), 2));
}
