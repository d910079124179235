//! Same input, configuration and seed: the same model bytes?
//!
//! For any number of threads, with the portable kernels and the fastest ones, and with the C library's own choice of machine code masked: in full batch and in mini-batches, on several data sets,
//! through the real binary.

use std::path::{Path, PathBuf};

use crate::common::{Folder, fixture, lowrank, real_data, succeed};

/// A data set: ratings, perhaps items, and the flags of a training that takes all paths.
struct Case {
    name: &'static str,
    ratings: PathBuf,
    items: Option<PathBuf>,
    flags: &'static [&'static str],
    made_here: bool,
}

/// What is tried: full batch with features; by blocks; mini-batches; a sigmoid with validation, whose exponential must not come from the C library.
const MODES: [(&str, &[&str]); 7] = [
    ("full batch", &["--epochs", "12"]),
    ("by blocks", &["--epochs", "3", "--batch", "block"]),
    (
        "by blocks, row-wise, λ by rating",
        &[
            "--epochs",
            "3",
            "--optimizer",
            "row-adam",
            "--batch",
            "block",
            "--l2-scale",
            "rating",
            "--l2",
            "0.05",
        ],
    ),
    ("mini-batches", &["--epochs", "2", "--batch", "257"]),
    (
        "features made of the ratings",
        &["--epochs", "6", "--implicit", "both"],
    ),
    (
        "the same by blocks",
        &["--epochs", "3", "--implicit", "both", "--batch", "block"],
    ),
    (
        "sigmoid, one-cycle, validation",
        &[
            "--epochs",
            "6",
            "--link",
            "sigmoid:0..11",
            "--schedule",
            "one-cycle",
            "--valid-fraction",
            "0.1",
        ],
    ),
];

/// What is tried of clicks, on data that is made here: whether rows come from real files changes nothing of what is new in these.
const OF_CLICKS: [(&str, &[&str]); 7] = [
    (
        "what suits the clicks",
        &["--epochs", "2", "--threshold", "3.5"],
    ),
    (
        "labels",
        &[
            "--epochs",
            "2",
            "--loss",
            "logistic",
            "--threshold",
            "3.5",
            "--batch",
            "300",
        ],
    ),
    (
        "pairs",
        &[
            "--epochs",
            "2",
            "--loss",
            "bpr",
            "--threshold",
            "3.5",
            "--negative-sampling",
            "popularity:0.5",
            "--layers",
            "0",
            "--biases",
        ],
    ),
    (
        "lists against everything, over a graph",
        &["--epochs", "2", "--loss", "softmax", "--threshold", "3.5"],
    ),
    (
        "lists against a sample",
        &[
            "--epochs",
            "2",
            "--loss",
            "softmax",
            "--threshold",
            "3.5",
            "--negatives",
            "50",
            "--negative-sampling",
            "in-batch",
            "--layers",
            "0",
        ],
    ),
    (
        "angles",
        &[
            "--epochs",
            "2",
            "--loss",
            "cosine-contrastive:0.3",
            "--threshold",
            "3.5",
            "--implicit",
            "both",
            "--layers",
            "0",
        ],
    ),
    (
        "in closed form",
        &["--als", "--epochs", "2", "--threshold", "3.5"],
    ),
];

fn cases(folder: &Folder) -> Vec<Case> {
    let generated = folder.path("generated");
    succeed(
        lowrank()
            .args([
                "data",
                "generate",
                "--users",
                "700",
                "--items",
                "300",
                "--ratings",
                "40000",
                "--seed",
                "3",
                "--quiet",
                "-o",
            ])
            .arg(&generated),
    );
    vec![
        Case {
            name: "generated",
            ratings: generated.join("ratings.csv"),
            items: Some(generated.join("items.csv")),
            flags: &[],
            made_here: true,
        },
        Case {
            name: "generated, notebook",
            ratings: generated.join("ratings.csv"),
            items: Some(generated.join("items.csv")),
            flags: &["--preset", "notebook", "--factors", "20"],
            made_here: true,
        },
        Case {
            name: "built-in",
            ratings: fixture("notebook/ratings_raw.csv"),
            items: Some(fixture("notebook/movies_multi_genre.csv")),
            flags: &[],
            made_here: true,
        },
    ]
}

fn real_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, ratings, items) in [
        (
            "MovieLens latest-small",
            "ml-latest-small/ratings.csv",
            "ml-latest-small/items.csv",
        ),
        (
            "MovieTweetings",
            "movietweetings-10k/ratings.csv",
            "movietweetings-10k/items.csv",
        ),
    ] {
        if let (Some(ratings), Some(items)) = (real_data(ratings), real_data(items)) {
            cases.push(Case {
                name,
                ratings,
                items: Some(items),
                flags: &[],
                made_here: false,
            });
        }
    }
    cases
}

/// The bytes of the model that a training leaves.
fn train(case: &Case, run: &Path, flags: &[&str], more: &[&str], masked: bool) -> Vec<u8> {
    let mut command = lowrank();
    command
        .arg("train")
        .arg(&case.ratings)
        .args(case.flags)
        .args(flags)
        .args(more);
    if let Some(items) = &case.items {
        command.arg("--items").arg(items);
    }
    if masked {
        command.env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-FMA,-AVX2,-AVX512F");
    }
    succeed(command.args(["--quiet", "--force", "-o"]).arg(run));
    std::fs::read(run.join("model.lowrank")).expect("a model")
}

#[test]
fn threads_kernels_and_the_c_library_change_no_byte() {
    let folder = Folder::new("determinism");
    cases(&folder).iter().for_each(|case| check(case, &folder));
}

#[test]
fn nor_of_real_ratings() {
    let folder = Folder::new("determinism-real");
    real_cases().iter().for_each(|case| check(case, &folder));
}

/// Every way of training gives the same bytes, whatever runs it; and others with another seed.
fn check(case: &Case, folder: &Folder) {
    let run = folder.path("run");
    let of_clicks = OF_CLICKS
        .into_iter()
        .filter(|_| case.flags.is_empty() && case.made_here);
    for (mode, flags) in MODES.into_iter().chain(of_clicks) {
        let wanted = train(case, &run, flags, &["--threads", "1"], false);
        let same = |more: &[&str], masked| {
            let got = train(case, &run, flags, more, masked);
            assert!(
                got == wanted,
                "{}, {mode}: other bytes with {more:?}, masked {masked}",
                case.name
            );
        };
        same(&["--threads", "2"], false);
        same(&["--threads", "3", "--kernel", "portable"], false);
        same(&["--threads", "8"], true);
        let other = train(case, &run, flags, &["--seed", "43"], false);
        assert!(other != wanted, "{}, {mode}: two seeds agree", case.name);
    }
}
