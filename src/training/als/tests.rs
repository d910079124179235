//! Does a sweep find the least of J, and nothing else?

use std::ops::ControlFlow;

use super::*;
use crate::data::{Column, Csr, Dataset, Interactions, SideData};
use crate::gradient::{Gradient, all_cells};
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, naive};
use crate::linalg::Cholesky;
use crate::model::Link;
use crate::random::Stream;
use crate::training::{Columns, Config, Event, KernelChoice, PerTable};

/// Pairs of so many users and items, the last of each without any; popular items and few.
fn data(n_users: u32, n_items: u32, with_weights: bool) -> Dataset {
    let mut stream = Stream::new(5, "als");
    let chance = |item| 1.0 / f64::from(2 + item % 17);
    let rows = (n_users - 1, n_items - 1);
    let ratings = Interactions::drawn(&mut stream, rows, chance, with_weights);
    let genre = Column {
        name: "genre".into(),
        values: ["a", "b"].iter().collect(),
        rows: Csr::from_rows((0..n_items).map(|row| vec![row % 2])),
        multi_valued: true,
    };
    Dataset {
        users: SideData::numbered(n_users as usize, Vec::new()),
        items: SideData::numbered(n_items as usize, vec![genre]),
        interactions: ratings,
        ..Dataset::default()
    }
}

fn config() -> Config {
    Config::rating()
        .global_mean(false)
        .biases(false)
        .item_features(Columns::parse("item-features", "none").unwrap())
        .n_factors(5)
        .epochs(6)
        .l2(PerTable::new(0.05).with("item", 0.03))
        .init_std(PerTable::new(0.3))
        .threads(1)
}

fn als<'d>(data: &'d Dataset, config: &Config, cells: AllCells) -> Result<Als<'d>> {
    Als::new(config.clone().check()?.trainer(data, None)?, cells)
}

const CELLS: [AllCells; 3] = [
    AllCells {
        unobserved_weight: 0.01,
        l2_power: 1.0,
    },
    AllCells {
        unobserved_weight: 0.3,
        l2_power: 0.5,
    },
    AllCells {
        unobserved_weight: 0.0,
        l2_power: 0.0,
    },
];

#[test]
fn the_gradient_of_a_side_that_was_solved_is_zero() {
    for (n, cells) in CELLS.into_iter().enumerate() {
        let data = data(40, 30, n != 1);
        let mut als = als(&data, &config(), cells).unwrap();
        als.run(&mut ());
        let trainer = als.trainer();
        let parameters = &trainer.state().parameters;
        let mut gradient = Gradient::default();
        let (objective, kernel) = (trainer.objective(), Kernel::Portable);
        let (pool, examples) = (Pool::new(1), &als.examples);
        gradient.all_cells(&cells, objective, parameters, examples, &pool, kernel);
        let largest = |factors: &[f32]| factors.iter().fold(0.0, |l: f32, x| l.max(x.abs()));
        let items = largest(&gradient.items.identity.factors);
        // N times a gradient is a sum of a few dozen terms below 3; ε of each.
        let bound = 100.0 * 3.0 * f32::EPSILON / data.n_ratings() as f32;
        assert!(items < bound, "{cells:?}: {items} of {bound}");
        // The users were solved before the items moved.
        assert!(largest(&gradient.users.identity.factors) > 3.0 * bound);
    }
}

#[test]
fn a_sweep_solves_the_equations_that_plain_loops_gather() {
    let cells = CELLS[0];
    for n_factors in [5, 20] {
        let data = data(40, 30, true);
        let config = config().n_factors(n_factors).epochs(1);
        let mut als = als(&data, &config, cells).unwrap();
        let before = als.trainer().state().parameters.clone();
        als.run(&mut ());
        let after = &als.trainer().state().parameters;
        let ratings = &data.interactions;
        let touched = |rows: &[u32]| (0..40).filter(|row| rows.contains(row)).count();
        for (own, other, rows, others, lambda) in [
            (
                &after.users,
                &before.items,
                &ratings.users,
                &ratings.items,
                0.05,
            ),
            (
                &after.items,
                &after.users,
                &ratings.items,
                &ratings.users,
                0.03,
            ),
        ] {
            let (other, n_others) = (&other.identity, touched(others));
            let mut start = vec![0.0; n_factors * n_factors];
            for row in 0..other.n_rows() {
                let q = other.row(row);
                for (at, sum) in start.iter_mut().enumerate() {
                    let (a, b) = (at / n_factors, at % n_factors);
                    *sum += cells.unobserved_weight * f64::from(q[a]) * f64::from(q[b]);
                }
            }
            for row in 0..own.identity.n_rows() as u32 {
                let mine = (0..ratings.len()).filter(|&e| rows[e] == row);
                let example = |e: usize| {
                    let weight = ratings.weights.as_ref().unwrap()[e];
                    let q = &other.row(others[e] as usize)[..n_factors];
                    (q, f64::from(weight), f64::from(ratings.ratings[e]))
                };
                let examples: Vec<_> = mine.map(example).collect();
                let found = &own.identity.row(row as usize)[..n_factors];
                if examples.is_empty() {
                    assert!(found.iter().all(|&x| x == 0.0), "nothing is known of {row}");
                    continue;
                }
                let scale = examples.len() as f64 + cells.unobserved_weight * n_others as f64;
                let (matrix, mut x) = naive::normal_equations(&start, lambda * scale, &examples);
                let mut factor = Cholesky::new(n_factors);
                assert!(factor.factorize(n_factors, n_factors, &matrix));
                factor.solve(&mut x);
                for (&found, wanted) in found.iter().zip(x) {
                    // The condition is below Σ c·‖q‖² over λ·s: some 1e3, times ε = 6e-8.
                    let error = (f64::from(found) - wanted).abs();
                    assert!(error < 1e-4, "{row}: {found} {wanted}");
                }
            }
        }
    }
}

#[test]
fn the_objective_never_rises_and_is_the_one_of_the_double_loop() {
    for (n, cells) in CELLS.into_iter().enumerate() {
        let data = data(40, 30, n != 1);
        let mut als = als(&data, &config().epochs(15), cells).unwrap();
        let mut values = Vec::new();
        let finish = als.run(&mut |event: &Event| {
            if let Event::EpochEnded(epoch) = event {
                assert_eq!(epoch.learning_rate, None);
                values.push(epoch.train_loss);
            }
            ControlFlow::Continue(())
        });
        assert_eq!((finish.epochs, values.len()), (15, 15));
        let trainer = als.trainer();
        let (objective, parameters) = (trainer.objective(), &trainer.state().parameters);
        let twin = all_cells::naive::value(&cells, objective, parameters, &data.interactions);
        // Both add the squares of a few hundred errors that are known to ε = 6e-8.
        assert!(
            (values[14] - twin).abs() < 1e-5 * twin,
            "{} {twin}",
            values[14]
        );
        for pair in values.windows(2) {
            assert!(pair[1] <= pair[0] * (1.0 + 1e-6), "{values:?}");
        }
        assert!(values[14] < 0.98 * values[0], "{values:?}");
    }
}

#[test]
fn threads_and_kernels_change_no_byte() {
    // Several tasks of either side.
    let data = data(700, 300, true);
    let factors = |config: &Config| {
        let mut als = als(&data, config, CELLS[0]).unwrap();
        als.run(&mut ());
        let parameters = als.into_trainer().state().parameters.clone();
        let tables = [&parameters.users, &parameters.items];
        let bits = |x: &f32| x.to_bits();
        let all = tables.map(|side| {
            side.identity
                .as_slice()
                .iter()
                .map(bits)
                .collect::<Vec<_>>()
        });
        all.concat()
    };
    let config = config().n_factors(20).epochs(2);
    let wanted = factors(&config.clone().kernel(KernelChoice::Portable));
    for kernel in [KernelChoice::Portable, KernelChoice::Auto] {
        for threads in [1, 2, 3, 8] {
            let config = config.clone().kernel(kernel).threads(threads);
            assert!(wanted == factors(&config), "{kernel:?} {threads}");
        }
    }
}

#[test]
fn a_run_in_two_halves_is_a_run() {
    let data = data(40, 30, true);
    let mut whole = als(&data, &config(), CELLS[0]).unwrap();
    whole.run(&mut ());
    let mut halves = als(&data, &config(), CELLS[0]).unwrap();
    let mut stop = |event: &Event| match event {
        Event::EpochEnded(epoch) if epoch.epoch == 3 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    assert_eq!(halves.run(&mut stop).epochs, 3);
    assert_eq!(halves.run(&mut ()).epochs, 6);
    let of = |als: Als<'_>| als.into_trainer().state().parameters.clone();
    assert_eq!(of(whole), of(halves));
}

#[test]
fn what_has_no_closed_form_is_refused() {
    let mut data = data(40, 30, true);
    let features = Columns::parse("item-features", "genre").unwrap();
    let refused = |data: &Dataset, config: Config, cells: AllCells, name: &str| {
        let error = als(data, &config, cells).expect_err(name).to_string();
        assert!(error.starts_with(name), "{error}");
    };
    let fine = AllCells::default();
    refused(&data, config().item_features(features), fine, "features");
    refused(
        &data,
        config().global_mean(true),
        fine,
        "mean, biases or link",
    );
    refused(&data, config().biases(true), fine, "mean, biases or link");
    let sigmoid = Link::Sigmoid { lo: 0.0, hi: 1.0 };
    refused(&data, config().link(sigmoid), fine, "mean, biases or link");
    for bad in [-0.1, f64::NAN, f64::INFINITY] {
        let (mut weight, mut power) = (fine, fine);
        (weight.unobserved_weight, power.l2_power) = (bad, bad);
        refused(&data, config(), weight, "unobserved-weight");
        refused(&data, config(), power, "l2-power");
    }
    data.interactions.weights.as_mut().unwrap()[3] = -0.5;
    refused(&data, config(), fine, "weight");
    data.interactions.weights = None;
    assert!(als(&data, &config(), fine).is_ok());
}

#[test]
fn what_single_precision_cannot_solve_double_precision_does() {
    // Rows (1, 1) and next to no penalty: any (x, y) with the right sum is nearly as good as another; the shortest has x = y.
    let data = data(40, 30, false);
    let config = config()
        .n_factors(2)
        .epochs(1)
        .l2(PerTable::new(1e-6).with("item", 1e3));
    let mut als = als(&data, &config, CELLS[2]).unwrap();
    let items = &mut als.trainer_mut().parameters_mut().items.identity;
    items.factors_mut().fill(1.0);
    let finish = als.run(&mut ());
    assert!(matches!(finish.ending, crate::training::Ending::Completed));
    let ratings = &data.interactions;
    for user in 0..39 {
        let of_user = |e: &usize| ratings.users[*e] == user;
        let mine: Vec<usize> = (0..ratings.len()).filter(of_user).collect();
        let sum: f32 = mine.iter().map(|&e| ratings.ratings[e]).sum();
        let half = sum / mine.len() as f32 / 2.0;
        for x in &als
            .trainer()
            .state()
            .parameters
            .users
            .identity
            .row(user as usize)[..2]
        {
            // The penalty is 1e-6 of it at most; 53 bits less the 20 of the condition.
            assert!((x - half).abs() < 1e-5, "{user}: {x} {half}");
        }
    }
}

#[test]
fn equations_without_a_solution_end_the_training() {
    // No penalty, no weight of cells, and rows with fewer examples than factors.
    let data = data(40, 30, false);
    let config = config().n_factors(40).l2(PerTable::new(0.0));
    let mut als = als(&data, &config, CELLS[2]).unwrap();
    let before = als.trainer().state().parameters.clone();
    let finish = als.run(&mut ());
    let crate::training::Ending::Diverged(error) = &finish.ending else {
        panic!("{finish:?}");
    };
    assert!(error.to_string().contains("user_factors"), "{error}");
    assert_eq!(finish.epochs, 0);
    assert!(
        als.trainer().state().parameters == before,
        "the last good ones"
    );
}
