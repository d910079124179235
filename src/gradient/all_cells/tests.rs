//! Is the product of two small matrices the sum over all cells?

use super::*;
use crate::data::layout::{Blocks, Examples};
use crate::data::{Column, Csr, Dataset, Interactions, SideData};
use crate::gradient::RowGradients;
use crate::random::Stream;
use crate::training::{Columns, Config, PerTable, Trainer};

const N_USERS: usize = 7;
const N_ITEMS: usize = 9;
const KERNELS: [Kernel; 2] = [Kernel::Portable, Kernel::Avx2];

/// Pairs of 7 users and 9 items, of which user 6 and item 8 have none; items have genres.
fn data(with_weights: bool) -> Dataset {
    let mut stream = Stream::new(3, "all cells");
    let ratings = Interactions::drawn(&mut stream, (6, 8), |_| 0.4, with_weights);
    let genres = [
        &[0, 1][..],
        &[1],
        &[],
        &[0, 2],
        &[2],
        &[0],
        &[1, 2],
        &[3],
        &[3, 0],
    ];
    let genre = Column {
        name: "genre".into(),
        values: ["a", "b", "c", "d"].iter().collect(),
        rows: Csr::from_rows(genres.map(<[u32]>::to_vec)),
        multi_valued: true,
    };
    Dataset {
        users: SideData::numbered(N_USERS, Vec::new()),
        items: SideData::numbered(N_ITEMS, vec![genre]),
        interactions: ratings,
        ..Dataset::default()
    }
}

fn config(with_groups: bool) -> Config {
    let columns = if with_groups { "genre" } else { "none" };
    Config::notebook()
        .n_factors(3)
        .init_std(PerTable::new(0.7))
        .l2(PerTable::new(0.3).with("item", 0.2))
        .item_features(Columns::parse("item-features", columns).unwrap())
        .threads(1)
}

/// All that may be combined: features, weights, w₀, ν.
fn grid() -> impl Iterator<Item = (bool, bool, AllCells)> {
    let of = |n: usize| {
        let cells = AllCells {
            unobserved_weight: [0.0, 0.01, 0.8][n / 4 % 3],
            l2_power: [0.0, 0.5, 1.0][n / 12],
        };
        (n % 2 == 1, n / 2 % 2 == 1, cells)
    };
    (0..36).map(of)
}

fn trainer<T: Real>(data: &Dataset, with_groups: bool) -> Trainer<'_, T> {
    let checked = config(with_groups).check().unwrap();
    checked.trainer(data, None).unwrap()
}

fn all_cells<T: Real>(
    trainer: &Trainer<'_, T>,
    examples: &Examples,
    cells: &AllCells,
    threads: usize,
    kernel: Kernel,
) -> (Gradient<T>, f64) {
    let mut gradient = Gradient::default();
    let (objective, parameters) = (trainer.objective(), &trainer.state().parameters);
    let pool = Pool::new(threads);
    let loss = gradient.all_cells(cells, objective, parameters, examples, &pool, kernel);
    (gradient, loss)
}

/// A row's gradient; zero where no example touches it.
fn dense(gradient: &RowGradients<f64>, row: usize) -> Vec<f64> {
    match gradient.rows.binary_search(&(row as u32)) {
        Ok(at) => gradient.factors[at * 8..][..3].to_vec(),
        Err(_) => vec![0.0; 3],
    }
}

#[test]
fn the_gradient_agrees_with_central_differences_and_with_the_double_loop() {
    // As in the gradient check: h² of the difference itself, ε·J/h of rounding.
    const H: f64 = 1e-5;
    let mut compared = 0;
    for (with_groups, with_weights, cells) in grid() {
        let data = data(with_weights);
        let trainer = trainer::<f64>(&data, with_groups);
        let examples = Examples::new(&data.interactions, N_USERS, N_ITEMS);
        let (gradient, loss) = all_cells(&trainer, &examples, &cells, 1, Kernel::Portable);
        let parameters = &trainer.state().parameters;
        let name = format!("features {with_groups}, weights {with_weights}, {cells:?}");
        // Sums of at most 80 terms below 100, in another order.
        let tolerance = 80.0 * 100.0 * f64::EPSILON;
        let by_cells = naive::loss(&cells, parameters, &data.interactions);
        assert!((loss - by_cells).abs() <= tolerance, "{name}");
        let objective = trainer.objective();
        let twin = naive::gradient(&cells, objective, parameters, &data.interactions);
        let twins: Vec<_> = twin.users.tables().chain(twin.items.tables()).collect();
        for (n, of_table) in gradient.tables().enumerate() {
            for row in 0..twins[n].n_rows() {
                let analytic = dense(of_table, row);
                for (f, analytic) in analytic.into_iter().enumerate() {
                    let value = |by: f64| {
                        let mut moved = parameters.clone();
                        let tables = moved.users.tables_mut().chain(moved.items.tables_mut());
                        tables.into_iter().nth(n).unwrap().row_mut(row)[f] += by;
                        naive::value(&cells, objective, &moved, &data.interactions)
                    };
                    let numeric = (value(H) - value(-H)) / (2.0 * H);
                    let close = (analytic - numeric).abs() <= 1e-8 * analytic.abs().max(1.0);
                    let place = format!("{name}: table {n}, row {row}, number {f}");
                    assert!(close, "{place}: {analytic}, numeric {numeric}");
                    let of_twin = twins[n].row(row)[f];
                    let close = (analytic - of_twin).abs() <= tolerance;
                    assert!(close, "{place}: {analytic}, cell by cell {of_twin}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 1500, "only {compared} numbers compared");
}

#[test]
fn blocks_have_the_gradient_of_examples() {
    for (with_groups, with_weights, cells) in grid() {
        let data = data(with_weights);
        let trainer = trainer::<f64>(&data, with_groups);
        let examples = Examples::new(&data.interactions, N_USERS, N_ITEMS);
        let (whole, loss) = all_cells(&trainer, &examples, &cells, 1, Kernel::Portable);
        let (objective, pool) = (trainer.objective(), Pool::new(1));
        let counts = (
            &objective.users.counts[0][..],
            &objective.items.counts[0][..],
        );
        // One block leaves every row in its place.
        let blocks = Blocks::cut(&data.interactions, counts, 1, &pool);
        assert!(blocks.users.is_identity() && blocks.items.is_identity());
        let mut gradient = Gradient::default();
        let parameters = &trainer.state().parameters;
        let kernel = Kernel::Portable;
        let by_blocks = gradient.all_cells(&cells, objective, parameters, &blocks, &pool, kernel);
        // Sums of at most 80 terms below 100, in another order.
        let tolerance = 80.0 * 100.0 * f64::EPSILON;
        assert!((loss - by_blocks).abs() <= tolerance);
        for (a, b) in whole.tables().zip(gradient.tables()) {
            for row in 0..N_ITEMS {
                let (a, b) = (dense(a, row), dense(b, row));
                let close = a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= tolerance);
                assert!(close, "row {row}: {a:?} {b:?}");
            }
        }
    }
}

#[test]
fn threads_and_kernels_change_no_bit() {
    // Enough rows for several tasks.
    let mut stream = Stream::new(9, "rows");
    let (n_users, n_items) = (2500u32, 1300u32);
    let mut ratings = Interactions::default();
    for user in 0..n_users {
        for _ in 0..4 {
            ratings.users.push(user);
            ratings.items.push(stream.below(n_items.into()) as u32);
            ratings.ratings.push(1.0);
        }
    }
    let side = |n: u32| SideData::numbered(n as usize, Vec::new());
    let data = Dataset {
        users: side(n_users),
        items: side(n_items),
        interactions: ratings,
        ..Dataset::default()
    };
    let checked = config(false).n_factors(20).check().unwrap();
    let trainer = checked.trainer::<f32>(&data, None).unwrap();
    let (n_users, n_items) = (n_users as usize, n_items as usize);
    let examples = Examples::new(&data.interactions, n_users, n_items);
    let cells = AllCells::default();
    let of = |threads, kernel| all_cells(&trainer, &examples, &cells, threads, kernel);
    let (wanted, loss) = of(1, Kernel::Portable);
    for kernel in KERNELS {
        if kernel != Kernel::Portable && Kernel::detect() != kernel {
            continue;
        }
        for threads in [1, 2, 3, 8] {
            let (gradient, again) = of(threads, kernel);
            assert_eq!(loss.to_bits(), again.to_bits(), "{threads} {kernel:?}");
            assert!(
                wanted.tables().eq(gradient.tables()),
                "{threads} {kernel:?}"
            );
        }
    }
}

#[test]
fn the_example_of_the_page() {
    let mut ratings = Interactions::default();
    (ratings.users, ratings.items, ratings.ratings) = (vec![0], vec![0], vec![5.0]);
    let table = |rows: &[f64]| {
        let mut table = Table::<f64>::zeros(rows.len(), 1, false);
        (0..rows.len()).for_each(|r| table.row_mut(r)[0] = rows[r]);
        Side {
            identity: table,
            groups: Vec::new(),
        }
    };
    let parameters = Parameters {
        global_mean: None,
        link: Link::Identity,
        users: table(&[2.0]),
        items: table(&[3.0, 1.0]),
        graph: None,
    };
    // The second item is touched by an example of no weight.
    ratings.users.push(0);
    ratings.items.push(1);
    ratings.ratings.push(0.0);
    ratings.weights = Some(vec![1.0, 0.0]);
    let objective = Objective {
        users: SidePenalty::new(&parameters.users, vec![2]),
        items: SidePenalty::new(&parameters.items, vec![1, 1]),
        ..Objective::default()
    };
    let cells = AllCells {
        unobserved_weight: 0.5,
        l2_power: 0.0,
    };
    let examples = Examples::new(&ratings, 1, 2);
    let mut gradient = Gradient::default();
    let (pool, kernel) = (Pool::new(1), Kernel::Portable);
    let loss = gradient.all_cells(&cells, &objective, &parameters, &examples, &pool, kernel);
    assert_eq!(loss, 21.0);
    // N is 2 here.
    assert_eq!(gradient.users.identity.factors[0], 26.0 / 2.0);
}
