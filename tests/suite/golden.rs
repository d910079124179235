//! Does it compute what PyTorch computes?
//!
//! `fixtures/golden/` was made by PyTorch 2.15 on a CPU: three `nn.Embedding` tables (20 users, 50 movies, 14 genres, 16 factors), the score Σ_f p·(q + g), mean squared
//! error, `torch.optim`'s optimizers, in double precision but for `seed_f32`. Nothing here is ever made again to make a test pass.

use std::path::{Path, PathBuf};

use lowrank::data::layout::{Examples, Lists, Pairs};
use lowrank::data::{Catalog, Column, Csr, Dataset, Ids, Interactions, SideData, Strings};
use lowrank::gradient::{Batch as GradientBatch, Gradient};
use lowrank::kernels::pool::Pool;
use lowrank::kernels::{Kernel, Real};
use lowrank::loss::{LossKind, LossShape};
use lowrank::model::{Link, Meaning, Scorer, Similarity, Table};
use lowrank::optimizer::sweep::Update;
use lowrank::optimizer::{Optimizer, OptimizerKind};
use lowrank::training::{Batch, Config, Ending, Event, PerTable, Trainer};
use serde_json::Value;
use std::ops::ControlFlow;
use std::sync::Arc;

/// First gradients in double precision: sums of at most 187 terms below 100 in another order, 187·100·ε ≈ 4e-12 at worst; seen: below 1e-13.
const GRADIENT: f64 = 1e-12;
/// Losses of up to 200 epochs in double precision, relative.
const LOSS_F64: f64 = 1e-9;
/// Losses in single precision, relative: a prediction near 5 is rounded to 2.4e-7, at the end an error is about 0.01, so ℓ carries some 1e-5.
const LOSS_F32: f64 = 1e-4;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn lines(path: PathBuf) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).expect("a fixture");
    text.lines()
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}

/// The notebook's data as it was given to PyTorch: rows of users, movies and genres are their ids.
fn notebook(movies: &str) -> Dataset {
    let movies = lines(fixtures().join("notebook").join(movies));
    let golden = golden();
    let genres: Ids = golden["genres"]
        .as_array()
        .expect("genres")
        .iter()
        .map(|g| g.as_str().expect("a name"))
        .collect();
    let genre_rows = movies.iter().map(|movie| {
        movie[2]
            .split('|')
            .map(|g| genres.index(g).expect("a genre"))
            .collect::<Vec<u32>>()
    });
    let column = Column {
        name: "genre".into(),
        rows: Csr::from_rows(genre_rows),
        values: genres,
        multi_valued: movies.iter().any(|movie| movie[2].contains('|')),
    };
    let mut interactions = Interactions::default();
    for line in lines(fixtures().join("golden/ratings_deduplicated.csv")) {
        interactions.users.push(line[0].parse().expect("a number"));
        interactions.items.push(line[1].parse().expect("a number"));
        interactions
            .ratings
            .push(line[2].parse().expect("a number"));
    }
    let names = |n: usize| (0..n).map(|row| row.to_string()).collect::<Ids>();
    Dataset {
        users: Arc::new(SideData {
            ids: names(20),
            catalog: Catalog::default(),
        }),
        items: Arc::new(SideData {
            ids: names(50),
            catalog: Catalog {
                titles: Some(movies.iter().map(|movie| &movie[1]).collect::<Strings>()),
                columns: vec![column],
            },
        }),
        interactions,
        ..Dataset::default()
    }
}

fn golden() -> Value {
    let text = std::fs::read_to_string(fixtures().join("golden/golden.json")).expect("golden.json");
    serde_json::from_str(&text).expect("JSON")
}

/// The numbers of a `.npy` file of `<f4` or `<f8` in C order.
fn npy(name: &str) -> Option<Vec<f64>> {
    let bytes = std::fs::read(fixtures().join("golden").join(name)).ok()?;
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..start]).expect("a header");
    assert!(header.contains("'fortran_order': False"), "{name}");
    let body = &bytes[start..];
    Some(if header.contains("<f4") {
        body.chunks_exact(4)
            .map(|b| f64::from(f32::from_le_bytes(b.try_into().expect("4 bytes"))))
            .collect()
    } else {
        assert!(header.contains("<f8"), "{name}: {header}");
        body.chunks_exact(8)
            .map(|b| f64::from_le_bytes(b.try_into().expect("8 bytes")))
            .collect()
    })
}

fn fill<T: Real>(table: &mut Table<T>, file: &str) {
    let values = npy(file).expect("initial values");
    table
        .factors_mut()
        .iter_mut()
        .zip(values)
        .for_each(|(x, value)| *x = T::from_f64(value));
}

fn trainer<'d, T: Real>(data: &'d Dataset, config: Config) -> Trainer<'d, T> {
    let mut trainer = config
        .check()
        .expect("in range")
        .trainer(data, None)
        .expect("a trainer");
    let parameters = trainer.parameters_mut();
    fill(&mut parameters.users.identity, "init/user_factors.npy");
    fill(&mut parameters.items.identity, "init/item_factors.npy");
    fill(
        &mut parameters.items.groups[0].table,
        "init/item.genre.factors.npy",
    );
    trainer
}

/// Trains as `config` says and compares with PyTorch's run `name`: each epoch's loss, the top 3 of user 0, the offline check.
fn reproduces<T: Real>(name: &str, config: Config, movies: &str, tolerance: f64) {
    let data = notebook(movies);
    let run = &golden()["runs"][name];
    let wanted: Vec<f64> = run["loss_before_each_epoch_step"]
        .as_array()
        .expect("losses")
        .iter()
        .map(|x| x.as_f64().expect("a number"))
        .collect();
    let mut trainer = trainer::<T>(&data, config.epochs(wanted.len()));
    let mut losses = Vec::new();
    let finish = trainer.run(&mut |event: &Event| {
        if let Event::EpochEnded(epoch) = event {
            losses.push(epoch.train_loss);
        }
        ControlFlow::Continue(())
    });
    assert!(matches!(finish.ending, Ending::Completed), "{name}");
    assert_eq!(losses.len(), wanted.len(), "{name}");
    for (epoch, (loss, wanted)) in losses.iter().zip(&wanted).enumerate() {
        assert!(
            (loss - wanted).abs() <= tolerance * wanted,
            "{name}, epoch {epoch}: {loss} for {wanted}"
        );
    }
    let model = trainer.model().expect("a model");
    if let Some(top) = run["recommend_user0_top3"].as_array() {
        let mut unseen: Vec<u32> = (0..50)
            .filter(|item| !model.seen(0).contains(item))
            .collect();
        let score = |item: u32| model.predict_rows(Some(0), Some(item)).value;
        let scorer = Scorer::new(&model, Some(0));
        unseen.sort_by(|&a, &b| scorer.score(b).total_cmp(&scorer.score(a)));
        for (item, wanted) in unseen.iter().zip(top) {
            assert_eq!(
                u64::from(*item),
                wanted[0].as_u64().expect("an id"),
                "{name}"
            );
            let wanted = wanted[3].as_f64().expect("a score");
            // The model is f32: 16 products near 5, rounded.
            assert!(
                (f64::from(score(*item)) - wanted).abs() <= 1e-4,
                "{name}: item {item}"
            );
        }
        let horror = model.items().groups()[0].table().row(8);
        let (p, q) = (
            model.users().identity().row(1),
            model.items().identity().row(0),
        );
        let check: f32 = p
            .iter()
            .zip(q.iter().zip(horror))
            .map(|(p, (q, g))| p * (q + g))
            .sum();
        let wanted = run["offline_check_user1_movie0_genre8"]
            .as_f64()
            .expect("a score");
        let check = model.link().value(f64::from(check));
        assert!(
            (check - wanted).abs() <= 1e-4,
            "{name}: offline check {check} for {wanted}"
        );
    }
}

fn optimizer(kind: OptimizerKind) -> Config {
    Config::notebook().optimizer(kind)
}

#[test]
fn the_seed_run_in_single_precision() {
    reproduces::<f32>("seed_f32", Config::notebook(), "movies.csv", LOSS_F32);
}

#[test]
fn the_seed_run_in_double_precision() {
    reproduces::<f64>("seed_f64", Config::notebook(), "movies.csv", LOSS_F64);
}

#[test]
fn a_sigmoid_range() {
    let config = Config::notebook().link(Link::Sigmoid { lo: 1.0, hi: 5.0 });
    reproduces::<f64>("sigmoid_f64", config, "movies.csv", LOSS_F64);
}

#[test]
fn weight_decay_in_the_gradient() {
    reproduces::<f64>(
        "wd_f64",
        Config::notebook().weight_decay(1e-3),
        "movies.csv",
        LOSS_F64,
    );
}

#[test]
fn weight_decay_is_l2_by_another_name() {
    // PyTorch decays every row at every step; J penalises the rows that ratings touch. Here ratings touch every genre and user but not every movie, and untouched rows
    // take no part in any loss. λ = decay·N/2.
    let config = Config::notebook().l2(PerTable::new(1e-3 * 187.0 / 2.0));
    let losses_only = |name| {
        let data = notebook("movies.csv");
        let wanted = golden()["runs"][name]["loss_before_each_epoch_step"][199]
            .as_f64()
            .expect("a loss");
        let mut trainer = trainer::<f64>(&data, config);
        let mut last = 0.0;
        trainer.run(&mut |event: &Event| {
            if let Event::EpochEnded(epoch) = event {
                last = epoch.train_loss;
            }
            ControlFlow::Continue(())
        });
        assert!(
            (last - wanted).abs() <= LOSS_F64 * wanted,
            "{last} for {wanted}"
        );
    };
    losses_only("wd_f64");
}

#[test]
fn adamw() {
    let config = optimizer(OptimizerKind::AdamW).weight_decay(1e-2);
    reproduces::<f64>("adamw_f64", config, "movies.csv", LOSS_F64);
}

#[test]
fn amsgrad() {
    reproduces::<f64>(
        "amsgrad_f64",
        optimizer(OptimizerKind::AmsGrad),
        "movies.csv",
        LOSS_F64,
    );
}

#[test]
fn batches_of_32_with_dense_adam() {
    let config = optimizer(OptimizerKind::Adam)
        .batch(Batch::Size(32))
        .shuffle(false);
    reproduces::<f64>("batch32_f64", config, "movies.csv", LOSS_F64);
}

#[test]
fn batches_of_32_with_sparse_adam() {
    let config = Config::notebook().batch(Batch::Size(32)).shuffle(false);
    reproduces::<f64>("sparseadam_batch32_f64", config, "movies.csv", LOSS_F64);
}

#[test]
fn sgd() {
    reproduces::<f64>(
        "sgd_f64",
        optimizer(OptimizerKind::Sgd).learning_rate(0.05),
        "movies.csv",
        LOSS_F64,
    );
}

#[test]
fn adagrad() {
    reproduces::<f64>(
        "adagrad_f64",
        optimizer(OptimizerKind::Adagrad).learning_rate(0.05),
        "movies.csv",
        LOSS_F64,
    );
}

#[test]
fn mean_and_biases() {
    reproduces::<f64>(
        "biased_f64",
        Config::notebook().global_mean(true).biases(true),
        "movies.csv",
        LOSS_F64,
    );
}

#[test]
fn several_genres_a_movie() {
    reproduces::<f64>(
        "multigenre_mean_f64",
        Config::notebook(),
        "movies_multi_genre.csv",
        LOSS_F64,
    );
}

/// Ratings of 4 or more are a yes.
fn of_labels(loss: LossKind) -> Config {
    Config::notebook().loss(loss).threshold(Some(4.0))
}

/// The probability of a movie among all, by full-batch Adam.
fn softmax() -> Config {
    of_labels(LossKind::Softmax { temperature: 1.0 })
        .similarity(Similarity::Dot)
        .batch(Batch::Full)
        .optimizer(OptimizerKind::Adam)
}

#[test]
fn binary_cross_entropy_of_logits() {
    reproduces::<f64>(
        "bce_f64",
        of_labels(LossKind::Logistic),
        "movies.csv",
        LOSS_F64,
    );
}

#[test]
fn cosine_embedding() {
    let config = of_labels(LossKind::CosineEmbedding { margin: 0.0 });
    reproduces::<f64>("cosine_f64", config, "movies.csv", LOSS_F64);
}

#[test]
fn softmax_over_all_movies() {
    reproduces::<f64>("softmax_f64", softmax(), "movies.csv", LOSS_F64);
}

/// The triplets that were given to PyTorch.
fn triplets() -> Pairs {
    let lines = lines(fixtures().join("golden/bpr_triplets.csv"));
    let column = |n: usize| {
        lines
            .iter()
            .map(|line| line[n].parse().expect("an id"))
            .collect::<Vec<u32>>()
    };
    Pairs::new(&column(0), &column(1), &column(2), None)
}

fn of_pairs() -> Config {
    of_labels(LossKind::Bpr)
}

#[test]
fn bpr_on_given_triplets() {
    let data = notebook("movies.csv");
    let run = &golden()["runs"]["bpr_f64"];
    let wanted = run["loss_before_each_epoch_step"]
        .as_array()
        .expect("losses");
    let trainer = trainer::<f64>(&data, of_pairs());
    let (pairs, pool, kernel) = (triplets(), Pool::new(2), Kernel::detect());
    let mut state = trainer.state().clone();
    let mut gradient = Gradient::default();
    for (step, wanted) in (1..).zip(wanted) {
        let parameters = &mut state.parameters;
        let loss = gradient.compute(trainer.objective(), parameters, &pairs, &pool, kernel)
            / pairs.len() as f64;
        let wanted = wanted.as_f64().expect("a loss");
        assert!(
            (loss - wanted).abs() <= LOSS_F64 * wanted,
            "epoch {step}: {loss} for {wanted}"
        );
        let update = Update {
            optimizer: Optimizer::new(OptimizerKind::Adam),
            learning_rate: 0.01,
            t: step,
        };
        let tables = parameters
            .users
            .tables_mut()
            .chain(parameters.items.tables_mut());
        // A genre is in both scores of some pairs; its gradient is there all the same.
        for ((table, moments), gradient) in tables.zip(&mut state.moments).zip(gradient.tables()) {
            if moments.is_empty() {
                *moments = vec![table.zeros_like(); 2];
            }
            update.apply(table, moments, gradient, &pool, kernel);
        }
    }
}

#[test]
fn first_gradients() {
    let sigmoid = Config::notebook().link(Link::Sigmoid { lo: 1.0, hi: 5.0 });
    let biased = Config::notebook().global_mean(true).biases(true);
    for (run, config, movies) in [
        ("seed_f64", Config::notebook(), "movies.csv"),
        ("sigmoid_f64", sigmoid, "movies.csv"),
        ("biased_f64", biased, "movies.csv"),
        (
            "multigenre_mean_f64",
            Config::notebook(),
            "movies_multi_genre.csv",
        ),
        ("bce_f64", of_labels(LossKind::Logistic), "movies.csv"),
        (
            "cosine_f64",
            of_labels(LossKind::CosineEmbedding { margin: 0.0 }),
            "movies.csv",
        ),
        ("bpr_f64", of_pairs(), "movies.csv"),
        ("softmax_f64", softmax(), "movies.csv"),
    ] {
        let data = notebook(movies);
        let trainer = trainer::<f64>(&data, config);
        let parameters = &trainer.state().parameters;
        let mut labels = data.interactions.clone();
        if trainer.objective().loss.meaning() != Meaning::Rating {
            labels
                .ratings
                .iter_mut()
                .for_each(|r| *r = f32::from(u8::from(*r >= 4.0)));
        }
        let ones: Vec<usize> = (0..labels.len())
            .filter(|&n| labels.ratings[n] == 1.0)
            .collect();
        let (examples, pairs) = (Examples::new(&labels, 20, 50), triplets());
        let lists = Lists::against_everything(&labels.select(&ones), 20, 50);
        let batch = match trainer.objective().loss.shape() {
            LossShape::Pairwise => GradientBatch::Pairs(&pairs),
            LossShape::Listwise => GradientBatch::Lists(&lists),
            _ => GradientBatch::Examples(&examples),
        };
        let mut gradient = Gradient::default();
        gradient.compute(
            trainer.objective(),
            parameters,
            batch,
            &Pool::new(2),
            Kernel::detect(),
        );
        let mut compared = 0;
        for (table, of_table) in [
            ("user", &gradient.users.identity),
            ("movie", &gradient.items.identity),
            ("genre", &gradient.items.groups[0]),
        ] {
            let wanted = npy(&format!("{run}_firstgrad_{table}.npy")).expect("a gradient");
            let bias = npy(&format!("{run}_firstgrad_{table}_bias.npy"));
            let mut wanted_rows = vec![0.0; wanted.len()];
            for (at, &row) in of_table.rows.iter().enumerate() {
                wanted_rows[row as usize * 16..][..16]
                    .copy_from_slice(&of_table.factors[at * 16..][..16]);
                if let Some(bias) = &bias {
                    assert!(
                        (of_table.biases[at] - bias[row as usize]).abs() <= GRADIENT,
                        "{run}, bias of {table} {row}"
                    );
                    compared += 1;
                }
            }
            for (n, (got, wanted)) in wanted_rows.iter().zip(&wanted).enumerate() {
                assert!(
                    (got - wanted).abs() <= GRADIENT,
                    "{run}, {table} {}: {got} for {wanted}",
                    n / 16
                );
                compared += 1;
            }
        }
        assert!(compared >= (20 + 50 + 14) * 16, "{run}");
    }
}
