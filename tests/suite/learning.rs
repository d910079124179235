//! Does it learn what is there to be learnt?
//!
//! On ratings with a planted truth the error on held-out ratings must come near the noise, which is the least that any model can reach; genres must help where ratings are missing; and what the
//! notebook does wrong must be seen to be wrong.

use std::ops::ControlFlow;

use lowrank::data::synthetic::{SyntheticConfig, generate};
use lowrank::data::{Dataset, Interactions, Split};
use lowrank::evaluation::{Evaluation, evaluate};
use lowrank::kernels::pool::Pool;
use lowrank::optimizer::OptimizerKind;
use lowrank::training::{Batch, Columns, Config, Event, PerTable};

/// The standard deviation of the noise in the ratings below.
const NOISE: f64 = 0.25;

/// 60,000 unrounded ratings: the truth has rank 4 and biases.
fn planted() -> Dataset {
    let config = SyntheticConfig {
        n_users: 600,
        n_items: 400,
        n_ratings: 60_000,
        n_factors: 4,
        noise: NOISE,
        low: 1.0,
        high: 5.0,
        step: 0.0,
        user_exponent: 0.3,
        item_exponent: 0.3,
        seed: 5,
        ..SyntheticConfig::default()
    };
    generate(&config).expect("a data set")
}

fn held_out(config: Config, data: &Dataset) -> Evaluation {
    let halves = data.split(&Split::random(0.1, 1)).expect("two halves");
    let model = config
        .check()
        .expect("in range")
        .fit(&halves.train, None, &mut ())
        .expect("a model");
    evaluate(&model, &halves.valid.interactions, &Pool::new(0)).expect("ratings")
}

#[test]
fn a_planted_truth_is_found_to_within_the_noise() {
    // 90 ratings a user for 5 numbers, 135 an item: the estimate of the rows adds some (5/90 + 5/135)/2 to the variance, 5 % to the deviation.
    let config = Config::rating()
        .n_factors(4)
        .epochs(400)
        .learning_rate(0.05)
        .l2(PerTable::new(0.1));
    let found = held_out(config, &planted());
    let biases = found.baselines.biases.expect("a baseline").rmse;
    assert!(
        found.model.rmse < 1.1 * NOISE,
        "RMSE {} with noise {NOISE}",
        found.model.rmse
    );
    assert!(
        biases > 3.0 * NOISE,
        "biases alone reach {biases}: there is nothing to learn"
    );
}

#[test]
fn mini_batches_find_it_too() {
    let config = Config::rating()
        .n_factors(4)
        .epochs(30)
        .learning_rate(0.02)
        .batch(Batch::Size(256))
        .l2(PerTable::new(0.1));
    let found = held_out(config, &planted());
    assert!(
        found.model.rmse < 1.1 * NOISE,
        "RMSE {} with noise {NOISE}",
        found.model.rmse
    );
}

#[test]
fn weights_that_double_a_rating_are_that_rating_twice() {
    let data = planted();
    let mut twice = data.interactions.clone();
    let positions: Vec<usize> = (0..twice.len()).chain(0..1000).collect();
    let repeated = data.with(data.interactions.select(&positions));
    twice.weights = Some(
        (0..twice.len())
            .map(|n| if n < 1000 { 2.0 } else { 1.0 })
            .collect(),
    );
    let weighted = data.with(twice);
    // Without a penalty only the 1/N in front differs, by 61/60; SGD's rate takes it back.
    let run = |data: &Dataset, rate: f64| {
        let config = Config::rating()
            .n_factors(2)
            .epochs(5)
            .optimizer(OptimizerKind::Sgd)
            .l2(PerTable::new(0.0))
            .learning_rate(rate);
        let config = config.check().expect("in range");
        let mut trainer = config.trainer::<f64>(data, None).expect("a trainer");
        trainer.run(&mut ());
        trainer
            .errors(&data.interactions.select(&[5, 2000, 30_000]))
            .rmse()
    };
    let (once, again) = (run(&weighted, 0.5), run(&repeated, 0.5 * 61.0 / 60.0));
    // Sums of 60,000 terms in other orders.
    assert!((once - again).abs() < 1e-9, "{once} and {again}");
}

#[test]
fn every_optimizer_goes_downhill() {
    let data = planted();
    for kind in OptimizerKind::ALL {
        let rate = if kind == OptimizerKind::Sgd {
            1.0
        } else {
            0.02
        };
        let batch = if kind.goes_by_batches() {
            Batch::Full
        } else {
            Batch::Blocks
        };
        let config = Config::rating()
            .epochs(20)
            .batch(batch)
            .optimizer(kind)
            .learning_rate(rate)
            .check()
            .expect("in range");
        let mut losses = Vec::new();
        let mut watch = |event: &Event| {
            if let Event::EpochEnded(epoch) = event {
                losses.push(epoch.train_loss);
            }
            ControlFlow::Continue(())
        };
        config.fit(&data, None, &mut watch).expect("a model");
        assert!(losses[19] < 0.98 * losses[0], "{kind:?}: {losses:?}");
    }
}

/// Ratings of every tenth item are held out whole: nothing but its genres tells of it.
fn without_some_items(data: &Dataset) -> (Dataset, Interactions) {
    let all = &data.interactions;
    let (cold, warm): (Vec<usize>, Vec<usize>) =
        (0..all.len()).partition(|&n| all.items[n].is_multiple_of(10));
    (data.with(all.select(&warm)), all.select(&cold))
}

#[test]
fn genres_tell_of_items_that_nobody_rated() {
    let (train, cold) = without_some_items(&planted());
    let error = |columns: Columns| {
        let config = Config::rating()
            .item_features(columns)
            .n_factors(4)
            .l2(PerTable::new(1.0))
            .check()
            .expect("in range");
        let model = config.fit(&train, None, &mut ()).expect("a model");
        let found = evaluate(&model, &cold, &Pool::new(0)).expect("ratings");
        assert_eq!(found.cold.rows, cold.len() as u64);
        found.model.rmse
    };
    let (with, without) = (error(Columns::MultiValued), error(Columns::Named(vec![])));
    assert!(
        with < 0.95 * without,
        "RMSE {with} with genres, {without} without"
    );
}

#[test]
fn the_notebook_learns_by_heart_and_the_preset_rating_does_not() {
    let data = lowrank::data::builtin::notebook().expect("built-in data");
    let halves = data.split(&Split::random(0.2, 3)).expect("two halves");
    let run = |config: Config| {
        let config = config.check().expect("in range");
        let mut trainer = config
            .trainer::<f32>(&halves.train, Some(&halves.valid.interactions))
            .expect("a trainer");
        let finish = trainer.run(&mut ());
        (
            trainer.errors(&halves.train.interactions).rmse(),
            finish
                .valid
                .expect("held-out ratings")
                .errors()
                .expect("errors")
                .rmse(),
        )
    };
    let (train, valid) = run(Config::notebook());
    assert!(
        train < 0.02 && valid > 3.0,
        "notebook: {train} on its own ratings, {valid} on others"
    );
    let (_, valid) = run(Config::rating());
    assert!(valid < 1.6, "rating: {valid}");
}
