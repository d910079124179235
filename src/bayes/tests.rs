//! Do the sweeps find what the formulae say?
//!
//! The twin goes through the ratings one by one and forms every row's equations from their definition, with nothing shared, kept or cut into tasks.

use super::chain::Chain;
use super::statistics::{Gather, RatingsOf, Statistics};
use super::tables::{Block, SideTables};
use super::update::{self, Sweep, Take};
use super::{Inference, priors};
use crate::Model;
use crate::data::{Dataset, Interactions, Split};
use crate::kernels::Kernel;
use crate::kernels::pool::Pool;
use crate::linalg::Cholesky;
use crate::random::Stream;
use crate::training::{Columns, Config, Feature, Implicit, Method};

const N_USERS: u32 = 13;
const N_ITEMS: u32 = 9;

/// Ratings with a structure of rank 2, noise, weights, genres, and a user and an item that nobody rated.
fn data() -> Dataset {
    let mut stream = Stream::new(3, "test");
    let mut rows = Vec::new();
    for u in 0..N_USERS - 1 {
        for i in (0..N_ITEMS - 1).filter(|i| (u * 3 + i * 5) % 4 != 0) {
            let taste = if (u % 2 == 0) == (i % 3 == 0) {
                1.0
            } else {
                -1.0
            };
            let rating = 3.0 + taste + 0.3 * f64::from(u % 3) + 0.2 * stream.normal();
            rows.push((format!("u{u}"), format!("i{i}"), rating as f32));
        }
    }
    let folder = std::env::temp_dir().join(format!("lowrank-bayes-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let items = folder.join("items.csv");
    let genres = ["a|b", "b", "a|c", "", "c", "a", "b|c", "d", "a|d"];
    let lines: Vec<String> = (0..N_ITEMS)
        .map(|i| format!("i{i},title {i},{}", genres[i as usize]))
        .collect();
    std::fs::write(
        &items,
        format!("item_id,title,genres\n{}\n", lines.join("\n")),
    )
    .unwrap();
    let mut data = Dataset::builder()
        .rows(rows)
        .unwrap()
        .items(&items)
        .unwrap()
        .build()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let n = data.interactions.len();
    data.interactions.weights = Some((0..n).map(|n| [1.0, 0.5, 2.0][n % 3]).collect());
    data
}

fn config(method: Method, with_groups: bool) -> Config {
    let columns = Columns::Named(if with_groups {
        vec![Feature::category("genres")]
    } else {
        Vec::new()
    });
    let implicit = if with_groups {
        Implicit::Both
    } else {
        Implicit::None
    };
    let config = Config::rating().n_factors(3).seed(5).method(method);
    config.item_features(columns).implicit(implicit).threads(1)
}

fn chain(data: &Dataset, config: &Config, pool: &Pool) -> Chain {
    let trainer = config
        .clone()
        .check()
        .unwrap()
        .trainer::<f32>(data, None)
        .unwrap();
    let counts = trainer.objective();
    let counts = [&counts.users.counts[0][..], &counts.items.counts[0][..]];
    Chain::new(
        data,
        &trainer.state().parameters,
        config.method,
        5,
        counts,
        pool,
    )
}

/// What a row is, by the plain definition: M, b and their solution. `weight` says how much of it each row of the side has.
#[expect(
    clippy::too_many_arguments,
    reason = "everything that the definition names"
)]
fn twin(
    side: &SideTables,
    other: &SideTables,
    ratings: &Interactions,
    of_users: bool,
    (block, row): (&Block, usize),
    weight: &dyn Fn(usize) -> f64,
    noise: f64,
    target: &dyn Fn(f32) -> f64,
) -> (Vec<f64>, Vec<f64>) {
    let (stride, bias) = (side.shape.stride, side.shape.n_factors);
    let mut matrix = vec![0.0; stride * stride];
    let mut right = vec![0.0; stride];
    for n in 0..ratings.len() {
        let (u, i) = (ratings.users[n] as usize, ratings.items[n] as usize);
        let (own, others) = if of_users { (u, i) } else { (i, u) };
        let (w, c) = (weight(own), f64::from(ratings.weights.as_ref().unwrap()[n]));
        if w == 0.0 {
            continue;
        }
        let mut a = other.row(others).to_vec();
        let y = target(ratings.ratings[n]) - a[bias];
        a[bias] = 1.0;
        let s = |x: usize, y: usize| {
            other
                .covariance(others)
                .get(x * stride + y)
                .copied()
                .unwrap_or(0.0)
        };
        // E[a·aᵀ] and E[a·(r − μ − B)]: only the factors of a are uncertain.
        let second =
            |x: usize, z: usize| a[x] * a[z] + if x < bias && z < bias { s(x, z) } else { 0.0 };
        let first = |x: usize| a[x] * y - if x < bias { s(x, bias) } else { 0.0 };
        let theta = block.row(row);
        for x in 0..=bias {
            let without = |z: usize| side.row(own)[z] - w * theta[z];
            let explained: f64 = (0..=bias).map(|z| second(x, z) * without(z)).sum();
            right[x] += noise * c * w * (first(x) - explained);
            for z in 0..=bias {
                matrix[x * stride + z] += noise * c * w * w * second(x, z);
            }
        }
    }
    for x in 0..block.free {
        matrix[x * stride + x] += block.precision[x];
        right[x] += block.precision[x] * block.mean[x];
    }
    let mut factor = Cholesky::new(stride);
    assert!(factor.factorize(block.free, stride, &matrix));
    let mut solution = right[..block.free].to_vec();
    factor.solve(&mut solution);
    let mut covariance = vec![0.0; stride * stride];
    factor.inverse(stride, &mut covariance);
    solution.resize(stride, 0.0);
    (solution, covariance)
}

/// Two orders of a few hundred products of numbers near 1, through equations of a condition below 1e4.
const SAME: f64 = 1e-9;

fn assert_near(got: &[f64], wanted: &[f64], what: &str) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    for (got, wanted) in got.iter().zip(wanted) {
        assert!(
            (got - wanted).abs() <= SAME * wanted.abs().max(1.0),
            "{what}: {got}, wanted {wanted}"
        );
    }
}

#[test]
fn a_sweep_over_a_side_is_the_twin_row_after_row() {
    let data = data();
    let ratings = &data.interactions;
    for with_groups in [false, true] {
        let pool = Pool::new(2);
        let mut chain = chain(&data, &config(Method::Variational, with_groups), &pool);
        // Beliefs and covariances that are not those of the start.
        for _ in 0..7 {
            chain.sweep(Kernel::detect(), &pool);
        }
        let units = chain.units;
        let target = |r: f32| (f64::from(r) - units.mean) / units.width;
        let by_item = RatingsOf::rows(
            data.n_items(),
            &ratings.items,
            &ratings.users,
            ratings,
            target,
        );
        let mut wanted = chain.items.clone();
        for g in 0..wanted.groups.len() {
            for f in
                (0..wanted.groups[g].0.n_rows()).filter(|&f| chain.items.groups[g].0.touched[f])
            {
                let (block, members) = &wanted.groups[g];
                let weight = |row: usize| {
                    let member = members.of(f).iter().find(|&&(r, _)| r as usize == row);
                    member.map_or(0.0, |&(_, w)| w)
                };
                let (values, covariance) = twin(
                    &wanted,
                    &chain.users,
                    ratings,
                    false,
                    (block, f),
                    &weight,
                    chain.noise,
                    &target,
                );
                let (block, stride) = (&mut wanted.groups[g].0, wanted.shape.stride);
                block.values[f * stride..][..stride].copy_from_slice(&values);
                block.covariances[f * stride * stride..][..stride * stride]
                    .copy_from_slice(&covariance);
                wanted.compose(&pool);
            }
        }
        for row in (0..data.n_items()).filter(|&row| chain.items.own.touched[row]) {
            let weight = |other: usize| f64::from(u8::from(other == row));
            let (values, covariance) = twin(
                &wanted,
                &chain.users,
                ratings,
                false,
                (&wanted.own, row),
                &weight,
                chain.noise,
                &target,
            );
            let stride = wanted.shape.stride;
            wanted.own.values[row * stride..][..stride].copy_from_slice(&values);
            wanted.own.covariances[row * stride * stride..][..stride * stride]
                .copy_from_slice(&covariance);
        }
        wanted.compose(&pool);
        let sweep = Sweep {
            take: Take::Mean,
            noise: chain.noise,
            kernel: Kernel::detect(),
            pool: &pool,
        };
        let squares = update::side(&sweep, &mut chain.items, &chain.users, &by_item);
        for (got, wanted) in chain.items.blocks().zip(wanted.blocks()) {
            assert_near(&got.values, &wanted.values, &got.name);
            assert_near(&got.covariances, &wanted.covariances, &got.name);
        }
        assert_near(chain.items.composed(), wanted.composed(), "composed");
        assert_near(
            chain.items.covariances(),
            wanted.covariances(),
            "composed covariances",
        );
        assert_near(
            &[squares],
            &[expected_squares(&chain, ratings, &target)],
            "squares",
        );
    }
}

/// Σ c·E[(r − ŷ)²], pair by pair: the error of the means, and the variance of B_u + B_i + ⟨P_u, Q_i⟩ for independent rows.
fn expected_squares(chain: &Chain, ratings: &Interactions, target: &dyn Fn(f32) -> f64) -> f64 {
    let (stride, bias) = (chain.users.shape.stride, chain.users.shape.n_factors);
    let pair = |n: usize| {
        let (u, i) = (ratings.users[n] as usize, ratings.items[n] as usize);
        let (z, w) = (chain.users.row(u), chain.items.row(i));
        let (s, t) = (chain.users.covariance(u), chain.items.covariance(i));
        let one = |row: &[f64], a: usize| if a == bias { 1.0 } else { row[a] };
        let dot: f64 = (0..bias).map(|a| z[a] * w[a]).sum();
        let error = target(ratings.ratings[n]) - z[bias] - w[bias] - dot;
        let mut variance = 0.0;
        for a in 0..=bias {
            for b in 0..=bias {
                let (s, t) = (s[a * stride + b], t[a * stride + b]);
                variance += one(w, a) * one(w, b) * s + one(z, a) * one(z, b) * t;
                if a < bias && b < bias {
                    variance += s * t;
                }
            }
        }
        f64::from(ratings.weights.as_ref().unwrap()[n]) * (error * error + variance)
    };
    (0..ratings.len()).map(pair).sum()
}

#[test]
fn draws_have_the_mean_and_the_covariance_of_the_posterior() {
    let data = data();
    let pool = Pool::new(1);
    let mut chain = chain(&data, &config(Method::Samples(1), false), &pool);
    for _ in 0..6 {
        chain.sweep(Kernel::Portable, &pool);
    }
    let ratings = &data.interactions;
    let units = chain.units;
    let target = |r: f32| (f64::from(r) - units.mean) / units.width;
    let by_item = RatingsOf::rows(
        data.n_items(),
        &ratings.items,
        &ratings.users,
        ratings,
        target,
    );
    let weight = |other: usize| f64::from(u8::from(other == 0));
    let (mean, covariance) = twin(
        &chain.items,
        &chain.users,
        ratings,
        false,
        (&chain.items.own, 0),
        &weight,
        chain.noise,
        &target,
    );
    let (stride, d) = (chain.items.shape.stride, chain.items.own.free);
    let n = 20_000;
    let mut draws = Vec::new();
    for sweep in 0..n {
        let sweep = Sweep {
            take: Take::Draw { seed: 1, sweep },
            noise: chain.noise,
            kernel: Kernel::Portable,
            pool: &pool,
        };
        update::side(&sweep, &mut chain.items, &chain.users, &by_item);
        draws.push(chain.items.row(0)[..d].to_vec());
    }
    let average = |f: &dyn Fn(&[f64]) -> f64| draws.iter().map(|x| f(x)).sum::<f64>() / n as f64;
    for a in 0..d {
        let deviation = covariance[a * stride + a].sqrt();
        // Five standard errors: σ/√n of a mean, at most √2·σ_a·σ_b/√n of a covariance.
        let off = average(&|x| x[a]) - mean[a];
        assert!(
            off.abs() < 5.0 * deviation / (n as f64).sqrt(),
            "mean {a}: {off}"
        );
        for b in 0..=a {
            let found = average(&|x| (x[a] - mean[a]) * (x[b] - mean[b]));
            let bound =
                5.0 * 1.5 * deviation * covariance[b * stride + b].sqrt() / (n as f64).sqrt();
            assert!(
                (found - covariance[a * stride + b]).abs() < bound,
                "covariance {a} {b}: {found}"
            );
        }
    }
}

#[test]
fn the_model_says_what_the_chain_says() {
    let data = data();
    for (method, with_groups) in [
        (Method::Variational, false),
        (Method::Variational, true),
        (Method::Samples(1), false),
        (Method::Samples(1), true),
    ] {
        let config = config(method, with_groups)
            .clip(crate::training::ClipRule::None)
            .epochs(9);
        let trainer = config
            .clone()
            .check()
            .unwrap()
            .trainer::<f32>(&data, None)
            .unwrap();
        let mut inference = Inference::new(trainer).unwrap();
        inference.run(&mut ());
        let pool = Pool::new(1);
        let mut same = chain(&data, &config, &pool);
        for _ in 0..9 {
            same.sweep(Kernel::Portable, &pool);
        }
        let model = inference.into_model_alone().unwrap();
        // One more than there are is a stranger.
        for u in 0..=N_USERS {
            for i in 0..=N_ITEMS {
                let known = |row: u32, n: usize| Some(row).filter(|&row| (row as usize) < n);
                let got = model.predict_rows(known(u, data.n_users()), known(i, data.n_items()));
                let wanted = same.score(u, i);
                // Scores near 3 from sums of a few dozen f32.
                assert!(
                    (f64::from(got.value) - wanted).abs() < 5e-6,
                    "{method:?} {u} {i}: {} {wanted}",
                    got.value
                );
                assert!(got.std.is_some_and(|std| std > 0.0));
            }
        }
    }
}

#[test]
fn an_average_of_samples_is_the_average_of_their_models() {
    let data = data();
    let n = 4;
    let fit = |config: Config| config.check().unwrap().fit(&data, None, &mut ()).unwrap();
    let base = config(Method::Samples(n), true).clip(crate::training::ClipRule::None);
    let averaged = fit(base.clone().epochs(34));
    let single = |last: usize| fit(base.clone().method(Method::Samples(1)).epochs(last));
    let singles: Vec<Model> = (31..=34).map(single).collect();
    for u in 0..N_USERS - 1 {
        for i in 0..N_ITEMS {
            let scores: Vec<f64> = singles
                .iter()
                .map(|m| f64::from(m.predict_rows(Some(u), Some(i)).value))
                .collect();
            let mean = scores.iter().sum::<f64>() / n as f64;
            let got = averaged.predict_rows(Some(u), Some(i));
            assert!(
                (f64::from(got.value) - mean).abs() < 1e-5,
                "{} {mean}",
                got.value
            );
            if averaged.items.counts[i as usize] > 0 {
                let between =
                    scores.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64;
                let noise = averaged.posterior.as_ref().unwrap().noise();
                let wanted = (between + noise * noise).sqrt();
                assert!(
                    (f64::from(got.std.unwrap()) / wanted - 1.0).abs() < 1e-4,
                    "{:?} {wanted}",
                    got.std
                );
            }
        }
    }
}

#[test]
fn threads_and_kernels_change_no_bit() {
    let data = data();
    for method in [Method::Variational, Method::Samples(5)] {
        let run = |threads: usize, kernel: Kernel| {
            let pool = Pool::new(threads);
            let mut chain = chain(&data, &config(method, true), &pool);
            for _ in 0..8 {
                chain.sweep(kernel, &pool);
            }
            let bits = |side: &SideTables| {
                side.composed()
                    .iter()
                    .map(|x| x.to_bits())
                    .collect::<Vec<_>>()
            };
            (
                bits(&chain.users),
                bits(&chain.items),
                chain.noise.to_bits(),
            )
        };
        let one = run(1, Kernel::Portable);
        for threads in [1, 2, 3, 8] {
            assert!(
                run(threads, Kernel::detect()) == one,
                "{method:?}, {threads} threads"
            );
        }
    }
}

#[test]
fn statistics_are_sums_over_the_ratings() {
    let data = data();
    let pool = Pool::new(1);
    let chain = chain(&data, &config(Method::Samples(1), false), &pool);
    let ratings = &data.interactions;
    let by_user = RatingsOf::rows(
        data.n_users(),
        &ratings.users,
        &ratings.items,
        ratings,
        f64::from,
    );
    assert_eq!(
        by_user
            .tasks()
            .iter()
            .map(ExactSizeIterator::len)
            .sum::<usize>(),
        data.n_users()
    );
    let mut found = Statistics::new(chain.items.shape.stride);
    Kernel::Portable.run(Gather {
        row: 2,
        ratings: &by_user,
        other: &chain.items,
        into: &mut found,
    });
    let mine = (0..ratings.len()).filter(|&n| ratings.users[n] == 2);
    let c: f64 = mine
        .map(|n| f64::from(ratings.weights.as_ref().unwrap()[n]))
        .sum();
    let (stride, bias) = (chain.items.shape.stride, chain.items.shape.n_factors);
    assert_near(
        &[found.matrix[bias * stride + bias]],
        &[c],
        "the weight of all",
    );
}

#[test]
fn beliefs_of_two_rows_can_be_worked_by_hand() {
    let data = data();
    let mut block = chain(&data, &config(Method::Variational, false), &Pool::new(1))
        .users
        .own;
    block.touched.fill(false);
    (block.touched[0], block.touched[1]) = (true, true);
    let (stride, size) = (block.stride, block.stride * block.stride);
    (block.values[0], block.values[stride]) = (1.0, 2.0);
    (block.covariances[0], block.covariances[size]) = (0.25, 0.25);
    block.precision[0] = 2.0;
    priors::update(&mut block, Take::Mean);
    // m = 3/(2 + 1); squares 0 + 1 + 1 + 0.01; by the mean 3/(2.01 + 0.5), ahead (3 − 2·0.5)/2.01.
    assert_eq!(block.mean[0], 1.0);
    let wanted = 0.9 * 3.0 / 2.51 + 0.1 * 2.0 / 2.01;
    assert!(
        (block.precision[0] - wanted).abs() < 1e-12,
        "{}",
        block.precision[0]
    );
    // (10 + 1)/2 over (4 + 1)/2.
    assert_eq!(priors::noise(4.0, 10.0, Take::Mean), 2.2);
}

#[test]
fn held_out_ratings_choose_the_sweep() {
    let data = data();
    let halves = data.split(&Split::random(0.2, 1)).unwrap();
    let config = config(Method::Variational, true).epochs(12);
    let trainer = config.clone().check().unwrap();
    let trainer = trainer
        .trainer::<f32>(&halves.train, Some(&halves.valid.interactions))
        .unwrap();
    let mut inference = Inference::new(trainer).unwrap();
    let mut errors = Vec::new();
    let finish = inference.run(&mut |event: &crate::training::Event| {
        if let crate::training::Event::EpochEnded(epoch) = event {
            errors.push(epoch.valid.unwrap().rmse());
        }
        std::ops::ControlFlow::Continue(())
    });
    let best = errors.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(finish.valid.unwrap().rmse(), best);
    assert_eq!(errors[finish.kept - 1], best);
    let model = inference.into_model_alone().unwrap();
    let report =
        crate::evaluation::evaluate(&model, &halves.valid.interactions, &Pool::new(1)).unwrap();
    // The model's f32 against the chain's f64.
    assert!(
        (report.model.rmse - best).abs() < 1e-5,
        "{} {best}",
        report.model.rmse
    );
}

#[test]
fn held_out_ratings_judge_the_average_so_far() {
    let data = data();
    let halves = data.split(&Split::random(0.2, 1)).unwrap();
    let checked = config(Method::Samples(6), false).check().unwrap();
    let valid = &halves.valid.interactions;
    let trainer = checked.trainer::<f32>(&halves.train, Some(valid)).unwrap();
    let mut inference = Inference::new(trainer).unwrap();
    let mut last = f64::NAN;
    inference.run(&mut |event: &crate::training::Event| {
        if let crate::training::Event::EpochEnded(epoch) = event {
            last = epoch.valid.unwrap().rmse();
        }
        std::ops::ControlFlow::Continue(())
    });
    let model = inference.into_model_alone().unwrap();
    let report = crate::evaluation::evaluate(&model, valid, &Pool::new(1)).unwrap();
    // The model's f32 against the chain's f64.
    assert!((report.model.rmse - last).abs() < 1e-5, "{last}");
}
