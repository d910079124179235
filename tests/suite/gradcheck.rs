//! Are the gradients right?
//!
//! Every analytic gradient against central differences of the objective, in double precision, for every loss × link × group × bias × λ. The numbers that are differentiated
//! come from `gradient::naive::value`, which shares no loop with what is checked.

use std::sync::Arc;

use lowrank::data::layout::Examples;
use lowrank::data::{Catalog, Column, Csr, Dataset, Ids, Interactions, SideData};
use lowrank::gradient::{Gradient, L2Scale, RowGradients, naive};
use lowrank::kernels::Kernel;
use lowrank::kernels::pool::Pool;
use lowrank::model::{Bag, Link, Parameters, Table};
use lowrank::random::Stream;
use lowrank::training::{Columns, Config, Implicit, PerTable, Trainer};

/// Step of the central difference: its own error is of order h² = 1e-10, rounding adds ε·J/h ≈ 1e-10.
pub const H: f64 = 1e-5;
/// Of max(1, |g|).
const TOLERANCE: f64 = 1e-8;

const N_USERS: usize = 6;
const N_ITEMS: usize = 7;

fn side(n_rows: usize, columns: Vec<Column>) -> Arc<SideData> {
    Arc::new(SideData {
        ids: (0..n_rows).map(|row| row.to_string()).collect::<Ids>(),
        catalog: Catalog {
            titles: None,
            columns,
        },
    })
}

/// 23 ratings of 6 users and 7 items; user 5 and item 6 have none; items have two columns, users one; item 3 has no genre.
fn data(with_weights: bool) -> Dataset {
    let mut stream = Stream::new(7, "gradcheck");
    let mut interactions = Interactions::default();
    for user in 0..5 {
        for item in 0..6 {
            if stream.uniform() < 0.75 {
                interactions.users.push(user);
                interactions.items.push(item);
                interactions.ratings.push(1.0 + stream.below(5) as f32);
            }
        }
    }
    if with_weights {
        let weights = interactions
            .ratings
            .iter()
            .map(|_| stream.uniform() as f32 * 2.0)
            .collect();
        interactions.weights = Some(weights);
    }
    let column = |name: &str, values: &[&str], rows: Vec<Vec<u32>>| Column {
        name: name.into(),
        values: values.iter().collect(),
        rows: Csr::from_rows(rows),
        multi_valued: true,
    };
    let genres = vec![
        vec![0, 1],
        vec![1],
        vec![0, 1, 2],
        vec![],
        vec![2],
        vec![0],
        vec![3],
    ];
    let years = vec![
        vec![0],
        vec![0],
        vec![1],
        vec![1],
        vec![0],
        vec![1],
        vec![1],
    ];
    let jobs = vec![vec![0], vec![1], vec![0, 1], vec![], vec![1], vec![2]];
    Dataset {
        users: side(N_USERS, vec![column("job", &["a", "b", "c"], jobs)]),
        items: side(
            N_ITEMS,
            vec![
                column("genre", &["w", "x", "y", "z"], genres),
                column("year", &["1987", "1999.5"], years),
            ],
        ),
        interactions,
        ..Dataset::default()
    }
}

/// All that a configuration may combine.
fn grid() -> Vec<(String, Config, bool)> {
    let names =
        |names: &[&str]| Columns::parse("features", &names.join(",")).expect("names of columns");
    let mut grid = Vec::new();
    for link in [Link::Identity, Link::Sigmoid { lo: 1.0, hi: 5.0 }] {
        for (item_columns, user_columns, implicit) in [
            (&[][..], &[][..], Implicit::None),
            (&["genre"][..], &[], Implicit::None),
            (&["genre", "year:number"], &["job"], Implicit::None),
            (&["genre"], &[], Implicit::Both),
        ] {
            for (mean, biases, group_biases) in [
                (false, false, false),
                (true, true, false),
                (true, true, true),
                (false, false, true),
            ] {
                for (l2, scale) in [
                    (0.0, L2Scale::Row),
                    (0.7, L2Scale::Row),
                    (0.3, L2Scale::Rating),
                ] {
                    for (bag, weights) in [(Bag::Mean, false), (Bag::Sqrt, true), (Bag::Sum, false)]
                    {
                        let penalty = if l2 > 0.0 {
                            PerTable::new(l2).with("bias", 0.4).with("item", 1.1)
                        } else {
                            PerTable::new(0.0)
                        };
                        let name = format!(
                            "{link:?}, {item_columns:?} and {user_columns:?}, implicit {implicit:?}, mean {mean}, biases {biases} {group_biases}, λ {l2} {scale:?}, {bag:?}, weights {weights}"
                        );
                        let config = Config::notebook()
                            .n_factors(3)
                            .init_std(PerTable::new(0.6))
                            .link(link)
                            .item_features(names(item_columns))
                            .user_features(names(user_columns))
                            .implicit(implicit)
                            .global_mean(mean)
                            .biases(biases)
                            .group_biases(group_biases)
                            .l2(penalty)
                            .l2_scale(scale)
                            .bag(bag)
                            .threads(1);
                        grid.push((name, config, weights));
                    }
                }
            }
        }
    }
    grid
}

fn analytic(trainer: &Trainer<'_, f64>, examples: &Examples) -> Gradient<f64> {
    let mut gradient = Gradient::default();
    gradient.compute(
        trainer.objective(),
        &trainer.state().parameters,
        examples,
        &Pool::new(1),
        Kernel::detect(),
    );
    gradient
}

/// A row's gradient, zero where no example touches it; the last number is the bias's.
pub fn dense(
    gradient: &RowGradients<f64>,
    row: usize,
    n_factors: usize,
    stride: usize,
) -> Vec<f64> {
    match gradient.rows.binary_search(&(row as u32)) {
        Ok(at) => {
            let mut numbers = gradient.factors[at * stride..][..n_factors].to_vec();
            numbers.extend(gradient.biases.get(at));
            numbers
        }
        Err(_) => vec![0.0; n_factors + usize::from(!gradient.biases.is_empty())],
    }
}

pub fn table(parameters: &mut Parameters<f64>, n: usize) -> &mut Table<f64> {
    parameters
        .users
        .tables_mut()
        .chain(parameters.items.tables_mut())
        .nth(n)
        .expect("a table")
}

/// That number `f` of row `row` of table `n` has the gradient that it should have.
pub fn agree(name: &str, (n, row, f): (usize, usize, usize), analytic: f64, numeric: f64) {
    assert!(
        (analytic - numeric).abs() <= TOLERANCE * analytic.abs().max(1.0),
        "{name}: table {n}, row {row}, number {f}: analytic {analytic}, numeric {numeric}"
    );
}

/// J with number `f` of row `row` of table `n` moved by `by`; f = n_factors is the bias.
fn moved(
    trainer: &Trainer<'_, f64>,
    data: &Dataset,
    n: usize,
    row: usize,
    f: usize,
    by: f64,
) -> f64 {
    let mut parameters = trainer.state().parameters.clone();
    let table = table(&mut parameters, n);
    match table.n_factors() {
        n_factors if f < n_factors => table.row_mut(row)[f] += by,
        _ => table.bias_slice_mut().expect("biases")[row] += by,
    }
    naive::value(trainer.objective(), &parameters, &data.interactions)
}

#[test]
fn every_gradient_agrees_with_central_differences() {
    let mut compared = 0;
    for (name, config, with_weights) in grid() {
        let data = data(with_weights);
        let trainer = config
            .check()
            .expect("in range")
            .trainer::<f64>(&data, None)
            .expect("a trainer");
        let examples = Examples::new(&data.interactions, N_USERS, N_ITEMS);
        let gradient = analytic(&trainer, &examples);
        let mut parameters = trainer.state().parameters.clone();
        for (n, of_table) in gradient.tables().enumerate() {
            let table = table(&mut parameters, n);
            for row in 0..table.n_rows() {
                let analytic = dense(of_table, row, table.n_factors(), table.stride());
                for (f, &analytic) in analytic.iter().enumerate() {
                    let difference = moved(&trainer, &data, n, row, f, H)
                        - moved(&trainer, &data, n, row, f, -H);
                    let numeric = difference / (2.0 * H);
                    agree(&name, (n, row, f), analytic, numeric);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 10_000, "only {compared} numbers compared");
}

#[test]
fn the_fast_gradient_is_the_naive_one() {
    for (name, config, with_weights) in grid() {
        let data = data(with_weights);
        let trainer = config
            .check()
            .expect("in range")
            .trainer::<f64>(&data, None)
            .expect("a trainer");
        let examples = Examples::new(&data.interactions, N_USERS, N_ITEMS);
        let mut fast = Gradient::default();
        let parameters = &trainer.state().parameters;
        let loss = fast.compute(
            trainer.objective(),
            parameters,
            &examples,
            &Pool::new(2),
            Kernel::detect(),
        );
        let (naive, naive_loss) =
            naive::gradient(trainer.objective(), parameters, &data.interactions);
        // Sums of at most 23 terms below 100, in another order.
        let tolerance = 23.0 * 100.0 * f64::EPSILON;
        assert!((loss - naive_loss).abs() <= tolerance, "{name}");
        for (fast, naive) in fast
            .tables()
            .zip(naive.users.tables().chain(naive.items.tables()))
        {
            for row in 0..naive.n_rows() {
                let wanted = naive.row(row)[..3]
                    .iter()
                    .chain(naive.bias_slice().map(|biases| &biases[row]));
                let fast = dense(fast, row, 3, naive.stride());
                assert!(
                    fast.iter()
                        .zip(wanted)
                        .all(|(a, b)| (a - b).abs() <= tolerance),
                    "{name}, row {row}"
                );
            }
        }
    }
}

#[test]
fn the_gradients_of_batches_add_up_to_the_whole() {
    for (name, config, with_weights) in grid() {
        let data = data(with_weights);
        let trainer = config
            .check()
            .expect("in range")
            .trainer::<f64>(&data, None)
            .expect("a trainer");
        let n = data.n_ratings();
        let whole = analytic(
            &trainer,
            &Examples::new(&data.interactions, N_USERS, N_ITEMS),
        );
        let positions: Vec<u32> = (0..n as u32).collect();
        let batches: Vec<_> = positions
            .chunks(4)
            .map(|batch| {
                (
                    batch.len(),
                    analytic(&trainer, &Examples::batch(&data.interactions, batch)),
                )
            })
            .collect();
        for (n_table, of_table) in whole.tables().enumerate() {
            for &row in &of_table.rows {
                let whole = dense(of_table, row as usize, 3, 8);
                let mut sum = vec![0.0; whole.len()];
                for (size, batch) in &batches {
                    let part = dense(
                        batch.tables().nth(n_table).expect("a table"),
                        row as usize,
                        3,
                        8,
                    );
                    sum.iter_mut()
                        .zip(part)
                        .for_each(|(sum, part)| *sum += part * *size as f64 / n as f64);
                }
                // Sums of at most 23 terms below 100, in another order.
                let close = whole
                    .iter()
                    .zip(&sum)
                    .all(|(a, b)| (a - b).abs() <= 23.0 * 100.0 * f64::EPSILON);
                assert!(
                    close,
                    "{name}: table {n_table}, row {row}: {whole:?} and {sum:?}"
                );
            }
        }
    }
}
