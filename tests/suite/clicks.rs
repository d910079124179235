//! Do clicks make a model, by every loss that takes them?
//!
//! Through the real binary: pairs of user and item without a rating, stars with a threshold, counts as strengths; what is chosen and said, what is written down, what is refused, and whether the
//! lists know more than what is popular.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::{Folder, fail, fixture, lowrank, numbers, succeed};

/// Every loss of clicks, with what it needs to learn a little in a few epochs.
const LOSSES: [&[&str]; 6] = [
    &[],
    &["--loss", "softmax:0.2"],
    &[
        "--loss",
        "softmax:1",
        "--similarity",
        "dot",
        "--negatives",
        "20",
        "--negative-sampling",
        "popularity:0.5",
    ],
    &["--loss", "bpr", "--layers", "0"],
    &["--loss", "logistic", "--layers", "0"],
    &["--als"],
];

/// Who takes what: 200 users of four kinds and 100 items of four; each user takes a dozen items, nearly all of its own kind, and every fifth of them is held out.
fn clicks(folder: &Folder) -> (PathBuf, PathBuf) {
    let (mut train, mut test) = ("user,item\n".to_owned(), "user,item\n".to_owned());
    let mut below = numbers(1);
    for user in 0..200 {
        let mut own = BTreeSet::new();
        while own.len() < 12 {
            let kind = if below(12) == 0 { below(4) } else { user % 4 };
            own.insert(below(25) * 4 + kind);
        }
        for item in own {
            let to = if below(5) == 0 { &mut test } else { &mut train };
            *to += &format!("u{user},i{item}\n");
        }
    }
    (
        folder.write("train.csv", train),
        folder.write("test.csv", test),
    )
}

fn train(ratings: &Path, run: &Path, flags: &[&str]) -> Command {
    let mut command = lowrank();
    command.arg("train").arg(ratings).args(flags);
    command
        .args(["--progress", "none", "--force", "-o"])
        .arg(run);
    command
}

fn evaluate(run: &Path, test: &Path) -> Value {
    let mut command = lowrank();
    command.arg("evaluate").arg(run).arg("--test").arg(test);
    let text = succeed(command.args(["--format", "json"]));
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn every_loss_learns_more_than_what_is_popular_and_can_be_repeated() {
    let folder = Folder::new("clicks");
    let (ratings, test) = clicks(&folder);
    let (run, again) = (folder.path("run"), folder.path("again"));
    for loss in LOSSES {
        let small = ["--factors", "8", "--epochs", "30"];
        let flags = [loss, &small].concat();
        let output = train(&ratings, &run, &flags).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{flags:?}: {said}");
        assert!(said.contains("preset implicit"), "{flags:?}: {said}");

        let found = evaluate(&run, &test);
        let (model, popular) = (
            &found["ndcg@20"],
            &found["baselines"]["popularity"]["ndcg@20"],
        );
        let (model, popular) = (
            model.as_f64().expect("a number"),
            popular.as_f64().expect("a number"),
        );
        assert!(
            model > 1.5 * popular,
            "{flags:?}: {model}, by popularity {popular}"
        );

        let mut command = lowrank();
        command
            .arg("train")
            .arg(&ratings)
            .arg("--config")
            .arg(run.join("config.toml"));
        succeed(command.args(["--quiet", "--force", "-o"]).arg(&again));
        let bytes = |run: &Path| std::fs::read(run.join("model.lowrank")).expect("a model");
        assert!(
            bytes(&run) == bytes(&again),
            "{flags:?}: config.toml gives another model"
        );

        let list = lowrank()
            .arg("recommend")
            .arg(&run)
            .args(["--user", "u1"])
            .output()
            .expect("it starts");
        let meaning = if loss.contains(&"logistic") {
            "probability"
        } else {
            "rank"
        };
        let said = String::from_utf8_lossy(&list.stderr);
        assert!(said.contains(meaning), "{flags:?}: {said}");
    }
}

#[test]
fn negatives_are_counted_epoch_by_epoch() {
    let folder = Folder::new("clicks-negatives");
    let (ratings, _) = clicks(&folder);
    let run = folder.path("run");
    let rows = std::fs::read_to_string(&ratings)
        .expect("clicks")
        .lines()
        .count() as u64
        - 1;
    for (flags, wanted) in [
        (&["--loss", "bpr"][..], Some(rows)),
        (&["--loss", "logistic", "--negatives", "3"], Some(3 * rows)),
        // 200 users, 50 a step.
        (&["--negatives", "10", "--batch", "50"], Some(40)),
        (&[], None),
    ] {
        succeed(&mut train(
            &ratings,
            &run,
            &[flags, &["--epochs", "2"]].concat(),
        ));
        let log = std::fs::read_to_string(run.join("metrics.jsonl")).expect("a log");
        assert_eq!(log.lines().count(), 2);
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(
                line.get("negatives").and_then(Value::as_u64),
                wanted,
                "{flags:?}: {line}"
            );
        }
    }
}

#[test]
fn stars_and_counts_become_clicks_as_asked() {
    let folder = Folder::new("clicks-stars");
    let stars = fixture("notebook/ratings_raw.csv");
    let run = folder.path("run");
    let few = ["--epochs", "2", "--factors", "4"];
    let model = |flags: &[&str]| {
        succeed(&mut train(&stars, &run, &[flags, &few].concat()));
        std::fs::read(run.join("model.lowrank")).expect("a model")
    };
    let four = model(&["--loss", "bpr", "--threshold", "4"]);
    assert!(
        four != model(&["--loss", "bpr", "--threshold", "3"]),
        "a threshold does something"
    );
    let plain = model(&["--preset", "implicit", "--implicit-weight", "linear:1"]);
    assert!(
        plain != model(&["--preset", "implicit", "--implicit-weight", "log:1"]),
        "so does a weight"
    );
    for (flags, wanted) in [
        (&["--loss", "bpr"][..], "--threshold"),
        (&["--loss", "logistic"], "labels of 0 and 1"),
        (
            &["--preset", "rating", "--threshold", "4"],
            "takes ratings as they are",
        ),
        (
            &["--loss", "bpr", "--threshold", "9"],
            "at least one positive",
        ),
        (&["--loss", "bpr", "--threshold", "nan"], "a number"),
        (
            &[
                "--loss",
                "cosine-contrastive",
                "--threshold",
                "4",
                "--similarity",
                "dot",
            ],
            "cosine",
        ),
        (
            &["--loss", "softmax", "--threshold", "4", "--biases"],
            "--no-biases",
        ),
        (
            &["--loss", "softmax", "--threshold", "4", "--mean"],
            "--no-mean",
        ),
        (
            &["--loss", "bpr", "--threshold", "4", "--negatives", "5"],
            "one other item at a time",
        ),
        (
            &["--loss", "softmax:0", "--threshold", "4"],
            "a number above 0",
        ),
        (
            &["--loss", "softmax", "--threshold", "4", "--layers", "99"],
            "at most 16",
        ),
        (&["--loss", "squared", "--als"], "all-cells with --als"),
        (&["--bayes", "--als"], "one of --bayes"),
        (&["--implicit-weight", "often"], "linear:ALPHA"),
    ] {
        let (_, message) = fail(&mut train(&stars, &run, flags));
        assert!(message.contains(wanted), "{flags:?}: {message}");
    }
    let two = folder.write("two.csv", "user,item\na,x\nb,y\n");
    for (flags, wanted) in [
        (&["--preset", "rating"][..], "no preset"),
        (&["--dry-run"], "a loss of ratings with --dry-run"),
    ] {
        let (_, message) = fail(&mut train(&two, &run, flags));
        assert!(message.contains(wanted), "{flags:?}: {message}");
    }
}

#[test]
fn held_out_clicks_stop_a_training() {
    let folder = Folder::new("clicks-valid");
    let (ratings, test) = clicks(&folder);
    let run = folder.path("run");
    let valid = test.to_str().expect("UTF-8");
    let flags = [
        "--valid",
        valid,
        "--patience",
        "2",
        "--epochs",
        "60",
        "--factors",
        "8",
    ];
    succeed(&mut train(&ratings, &run, &flags));
    let log = std::fs::read_to_string(run.join("metrics.jsonl")).expect("a log");
    assert!(log.lines().count() < 60, "patience ends it");
    let figures: Vec<f64> = log
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("JSON")["valid_ndcg@20"]
                .as_f64()
                .expect("a number")
        })
        .collect();
    let best = figures.iter().copied().fold(0.0, f64::max);
    let found = evaluate(&run, &test)["ndcg@20"].as_f64().expect("a number");
    // The best epoch is the one that is kept, and is judged alike: sums of 200 terms below 1 in two orders.
    assert!((found - best).abs() < 1e-12, "{found} for {best}");
}
