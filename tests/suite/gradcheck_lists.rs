//! Are the gradients right where items are compared, where only angles count, and where rows spread?
//!
//! As `gradcheck`, for the losses of labels, pairs, lists and angles: every analytic gradient against central differences, in double precision, of values that plain loops compute score by
//! score; and against the same loops' own gradient.

use std::sync::Arc;

use lowrank::data::layout::{Candidates, Examples, Lists, Pairs, Sample};
use lowrank::data::{Catalog, Column, Csr, Dataset, Ids, Interactions, SideData};
use lowrank::gradient::{Batch, Gradient, L2Scale, naive};
use lowrank::kernels::pool::Pool;
use lowrank::kernels::{Kernel, Real};
use lowrank::loss::{LossKind, LossShape};
use lowrank::model::{Bag, Parameters, Similarity};
use lowrank::random::Stream;
use lowrank::training::{Columns, Config, Implicit, PerTable, Trainer};

use crate::gradcheck::{H, agree, dense, table};

const N_USERS: usize = 6;
const N_ITEMS: usize = 9;

/// Labels of five of six users for seven of nine items, about half of the cells; items have genres.
fn data(with_weights: bool) -> Dataset {
    let mut stream = Stream::new(11, "gradcheck");
    let mut interactions = Interactions::default();
    for user in 0..5 {
        for item in 0..7 {
            if stream.uniform() < 0.55 {
                interactions.users.push(user);
                interactions.items.push(item);
                interactions.ratings.push(stream.below(2) as f32);
            }
        }
    }
    if with_weights {
        let weights = interactions.ratings.iter();
        interactions.weights = Some(weights.map(|_| 0.25 + stream.uniform() as f32).collect());
    }
    let side = |n: usize, columns: Vec<Column>| {
        Arc::new(SideData {
            ids: (0..n).map(|row| row.to_string()).collect::<Ids>(),
            catalog: Catalog {
                titles: None,
                columns,
            },
        })
    };
    let genres = [
        &[0, 1][..],
        &[1],
        &[0, 1, 2],
        &[],
        &[2],
        &[0],
        &[2],
        &[1],
        &[],
    ];
    let column = Column {
        name: "genre".into(),
        values: ["w", "x", "y"].into_iter().collect(),
        rows: Csr::from_rows(genres.map(<[u32]>::to_vec)),
        multi_valued: true,
    };
    Dataset {
        users: side(N_USERS, vec![]),
        items: side(N_ITEMS, vec![column]),
        interactions,
        ..Dataset::default()
    }
}

/// What is checked: a configuration, and whether examples have weights.
struct Case {
    name: String,
    config: Config,
    weights: bool,
}

/// All that a configuration may combine.
fn grid() -> Vec<Case> {
    let (dot, cosine) = (Similarity::Dot, Similarity::Cosine);
    let losses = [
        ("absolute", dot),
        ("huber:0.7", dot),
        ("logistic", dot),
        ("cosine-embedding:0.1", cosine),
        ("bpr", dot),
        ("bpr", cosine),
        ("softmax:1", dot),
        ("softmax:0.2", cosine),
        ("cosine-contrastive:0.1:3", cosine),
    ];
    let mut grid = Vec::new();
    for (loss, similarity) in losses {
        for (columns, implicit) in [("none", Implicit::None), ("genre", Implicit::Both)] {
            for layers in [0, 2] {
                for (l2, scale) in [
                    (0.0, L2Scale::Row),
                    (0.6, L2Scale::Row),
                    (0.3, L2Scale::Rating),
                ] {
                    // Neither an angle nor a row that spreads has a bias.
                    let biases = similarity == dot && layers == 0;
                    let weights = l2 != 0.6;
                    let config = Config::notebook()
                        .n_factors(3)
                        .init_std(PerTable::new(0.7))
                        .loss(loss.parse().expect("a loss"))
                        .similarity(similarity)
                        .item_features(Columns::parse("features", columns).expect("a column"))
                        .implicit(implicit)
                        .layers(layers)
                        .biases(biases)
                        .group_biases(biases)
                        .bag(Bag::Sqrt)
                        .l2(PerTable::new(l2)
                            .with("bias", l2 / 2.0)
                            .with("item", l2 * 1.5))
                        .l2_scale(scale)
                        .threads(1);
                    let name = format!(
                        "{loss}, {similarity:?}, {columns}, {implicit:?}, {layers} layers, λ {l2} {scale:?}, weights {weights}"
                    );
                    grid.push(Case {
                        name,
                        config,
                        weights,
                    });
                }
            }
        }
    }
    grid
}

/// The examples of a case, laid out as its loss wants them.
enum Layout<'a> {
    Ratings(Examples, &'a Interactions),
    Pairs(Pairs),
    Lists(Box<Lists<'a>>),
}

impl Layout<'_> {
    fn batch(&self) -> Batch<'_> {
        match self {
            Layout::Ratings(examples, _) => Batch::Examples(examples),
            Layout::Pairs(pairs) => Batch::Pairs(pairs),
            Layout::Lists(lists) => Batch::Lists(lists),
        }
    }

    /// ∂J by the passes, and Σ c·ℓ.
    fn gradient<T: Real>(&self, trainer: &Trainer<'_, T>) -> (Gradient<T>, f64) {
        let mut gradient = Gradient::default();
        let parameters = &trainer.state().parameters;
        let (objective, pool) = (trainer.objective(), Pool::new(1));
        let batch = self.batch();
        let loss = gradient.compute(objective, parameters, batch, &pool, Kernel::detect());
        (gradient, loss)
    }

    /// J and ∂J by the plain loops.
    fn naive(
        &self,
        trainer: &Trainer<'_, f64>,
        parameters: &Parameters<f64>,
        moves: bool,
    ) -> (f64, Option<Parameters<f64>>) {
        let objective = trainer.objective();
        match self {
            Layout::Ratings(_, ratings) => (
                naive::value(objective, parameters, ratings),
                moves.then(|| naive::gradient(objective, parameters, ratings).0),
            ),
            Layout::Pairs(pairs) => {
                let (value, gradient) = naive::of_pairs(objective, parameters, pairs, moves);
                (value, Some(gradient))
            }
            Layout::Lists(lists) => {
                let (value, gradient) = naive::of_lists(objective, parameters, lists, moves);
                (value, Some(gradient))
            }
        }
    }
}

/// Every layout that goes with a loss: of lists everything, and a sample with odds and items left out.
fn layouts<'a>(
    loss: LossKind,
    data: &'a Dataset,
    positives: &'a Interactions,
    seen: &'a Csr,
) -> Vec<Layout<'a>> {
    match loss.shape() {
        LossShape::Pointwise => {
            let ratings = &data.interactions;
            vec![Layout::Ratings(
                Examples::new(ratings, N_USERS, N_ITEMS),
                ratings,
            )]
        }
        LossShape::Pairwise => {
            let negatives: Vec<u32> = (0u32..)
                .zip(&positives.items)
                .map(|(n, i)| (i + 1 + n % 8) % 9)
                .collect();
            let weights = positives.weights.as_deref();
            vec![Layout::Pairs(Pairs::new(
                &positives.users,
                &positives.items,
                &negatives,
                weights,
            ))]
        }
        _ => {
            let everything = Lists::against_everything(positives, N_USERS, N_ITEMS);
            let sample = Sample {
                items: vec![0, 2, 3, 6, 8],
                corrections: vec![0.5, -0.25, 0.0, 1.0, -1.0],
            };
            let sampled = Lists {
                candidates: Candidates::Sample(sample),
                left_out: Some(seen),
                ..everything.clone()
            };
            vec![
                Layout::Lists(Box::new(everything)),
                Layout::Lists(Box::new(sampled)),
            ]
        }
    }
}

/// Those with a label of 1; and the items of every user, rising.
fn positives(data: &Dataset) -> (Interactions, Csr) {
    let all = &data.interactions;
    let ones: Vec<usize> = (0..all.len()).filter(|&n| all.ratings[n] == 1.0).collect();
    let positives = all.select(&ones);
    let rows = (0..N_USERS as u32).map(|user| {
        let of_user = (0..all.len()).filter(|&n| all.users[n] == user);
        of_user.map(|n| all.items[n]).collect::<Vec<u32>>()
    });
    (positives, Csr::from_rows(rows))
}

/// Calls `check` with every case and layout, its trainer and its fast gradient with Σ c·ℓ.
fn for_each(mut check: impl FnMut(&str, &Trainer<'_, f64>, &Layout<'_>, &Gradient<f64>, f64)) {
    for Case {
        name,
        config,
        weights,
    } in grid()
    {
        let data = data(weights);
        let (positives, seen) = positives(&data);
        let checked = config.check().expect(&name);
        let trainer = checked.trainer::<f64>(&data, None).expect(&name);
        for (n, layout) in layouts(trainer.objective().loss, &data, &positives, &seen)
            .iter()
            .enumerate()
        {
            let (gradient, loss) = layout.gradient(&trainer);
            check(
                &format!("{name}, layout {n}"),
                &trainer,
                layout,
                &gradient,
                loss,
            );
        }
    }
}

#[test]
fn every_gradient_agrees_with_central_differences() {
    let mut compared = 0;
    for_each(|name, trainer, layout, gradient, _| {
        let mut parameters = trainer.state().parameters.clone();
        for (n, of_table) in gradient.tables().enumerate() {
            let (n_rows, n_factors) = {
                let table = table(&mut parameters, n);
                (table.n_rows(), table.n_factors())
            };
            for row in 0..n_rows {
                let stride = table(&mut parameters, n).stride();
                let analytic = dense(of_table, row, n_factors, stride);
                for (f, &analytic) in analytic.iter().enumerate() {
                    let mut value = |by: f64| {
                        let table = table(&mut parameters, n);
                        match f < n_factors {
                            true => table.row_mut(row)[f] += by,
                            false => table.bias_slice_mut().expect("biases")[row] += by,
                        }
                        layout.naive(trainer, &parameters, false).0
                    };
                    let above = value(H);
                    let below = value(-2.0 * H);
                    value(H);
                    let numeric = (above - below) / (2.0 * H);
                    agree(name, (n, row, f), analytic, numeric);
                    compared += 1;
                }
            }
        }
    });
    assert!(compared > 10_000, "only {compared} numbers compared");
}

#[test]
fn the_fast_gradient_is_the_naive_one() {
    for_each(|name, trainer, layout, gradient, loss| {
        let (value, naive) = layout.naive(trainer, &trainer.state().parameters, true);
        let naive = naive.expect("a gradient");
        // Sums of some 40 terms below 100, in another order.
        let tolerance = 40.0 * 100.0 * f64::EPSILON;
        assert!(loss > 0.0 && value > 0.0, "{name}");
        for (fast, naive) in gradient
            .tables()
            .zip(naive.users.tables().chain(naive.items.tables()))
        {
            for row in 0..naive.n_rows() {
                let wanted = naive.row(row)[..3]
                    .iter()
                    .chain(naive.bias_slice().map(|b| &b[row]));
                for (found, wanted) in dense(fast, row, 3, naive.stride()).iter().zip(wanted) {
                    assert!(
                        (found - wanted).abs() <= tolerance,
                        "{name}, row {row}: {found} for {wanted}"
                    );
                }
            }
        }
    });
}

/// Scores of ±1e4, where a careless exponential overflows.
#[test]
fn far_scores_leave_every_number_finite() {
    for (loss, similarity) in [
        ("logistic", Similarity::Dot),
        ("bpr", Similarity::Dot),
        ("softmax:1", Similarity::Dot),
        ("softmax:0.001", Similarity::Cosine),
    ] {
        let data = data(false);
        let (positives, seen) = positives(&data);
        let config = Config::notebook()
            .n_factors(3)
            .init_std(PerTable::new(80.0))
            .loss(loss.parse().expect("a loss"))
            .similarity(similarity)
            .item_features(Columns::parse("features", "none").expect("none"));
        let checked = config.check().expect(loss);
        let mut trainer = checked.trainer::<f32>(&data, None).expect(loss);
        let row = trainer.parameters_mut().users.identity.row_mut(0);
        row[..3].fill(120.0);
        let mut largest = 0.0f32;
        for layout in layouts(trainer.objective().loss, &data, &positives, &seen) {
            let parameters = &trainer.state().parameters;
            for item in 0..N_ITEMS {
                let (p, q) = (
                    parameters.users.identity.row(0),
                    parameters.items.identity.row(item),
                );
                largest = largest.max(p.iter().zip(q).map(|(p, q)| p * q).sum::<f32>().abs());
            }
            let (gradient, value) = layout.gradient(&trainer);
            assert!(value.is_finite() && value >= 0.0, "{loss}: {value}");
            let mut tables = gradient.tables();
            assert!(
                tables.all(|t| t.factors.iter().all(|x| x.is_finite())),
                "{loss}"
            );
        }
        assert!(largest > 1e4, "{loss}: the scores reach {largest} only");
    }
}
