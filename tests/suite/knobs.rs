//! Does every knob do something, and do those that must not change a number leave it alone?
//!
//! The one test that finds a flag that is parsed and then ignored: each is set alone, through the real binary, and the model must change. Knobs of the machine must change nothing.

use crate::common::{Folder, fixture, lowrank, succeed};

/// Each knob alone. Those with a second list need it to have an effect; it is part of what they are compared with.
const KNOBS: [(&[&str], &[&str]); 40] = [
    (&["--preset", "notebook"], &[]),
    (&["--factors", "9"], &[]),
    (&["--epochs", "7"], &[]),
    (&["--batch", "50"], &[]),
    (&["--batch", "51"], &["--batch", "50"]),
    (&["--no-shuffle"], &["--batch", "50"]),
    (&["--optimizer", "lazy-adam"], &[]),
    (&["--optimizer", "adamw"], &["--weight-decay", "0.1"]),
    (
        &["--optimizer", "amsgrad"],
        &[
            "--learning-rate",
            "0.1",
            "--schedule",
            "constant",
            "--epochs",
            "60",
        ],
    ),
    (&["--optimizer", "sgd"], &[]),
    (&["--optimizer", "adagrad"], &[]),
    (&["--learning-rate", "0.03"], &[]),
    (&["--schedule", "constant"], &[]),
    (&["--schedule", "step"], &[]),
    (&["--schedule", "step:2:0.5"], &["--schedule", "step"]),
    (&["--schedule", "one-cycle"], &[]),
    (&["--warmup", "2"], &[]),
    (&["--horizon", "3"], &[]),
    (&["--beta1", "0.8"], &[]),
    (&["--beta2", "0.99"], &[]),
    (&["--epsilon", "1e-3"], &[]),
    (&["--l2", "3"], &[]),
    (&["--l2", "bias=9"], &[]),
    (&["--l2", "item.genres=300"], &[]),
    (&["--l2", "user=1"], &["--l2", "3"]),
    (&["--l2-scale", "rating"], &[]),
    (&["--weight-decay", "0.01"], &[]),
    (&["--init-std", "0.3"], &[]),
    (&["--init-std", "item.genres=0.5"], &[]),
    (&["--link", "sigmoid:1..5"], &[]),
    (&["--clip", "none"], &[]),
    (&["--clip", "2..4"], &[]),
    (&["--no-mean"], &[]),
    (&["--no-biases"], &[]),
    (&["--item-features", "none"], &[]),
    (&["--bag", "mean"], &[]),
    (&["--implicit", "users"], &[]),
    (&["--implicit", "items"], &[]),
    (&["--implicit", "both"], &["--implicit", "items"]),
    (&["--seed", "1"], &[]),
];

/// Knobs about data and validation, each with what it is compared with.
const DATA_KNOBS: [(&[&str], &[&str]); 9] = [
    (&["--dedupe", "first"], &[]),
    (&["--dedupe", "mean"], &[]),
    (
        &["--columns", "user=movie_id,item=user_id,rating=rating"],
        &["--item-features", "none"],
    ),
    (&["--weight", "importance"], &[]),
    (&["--valid-fraction", "0.2"], &[]),
    (&["--valid-fraction", "0.3"], &["--valid-fraction", "0.2"]),
    (&["--valid-by", "user"], &["--valid-fraction", "0.2"]),
    (
        &["--keep", "last"],
        &[
            "--valid-fraction",
            "0.3",
            "--epochs",
            "80",
            "--l2",
            "0",
            "--l2",
            "bias=0",
        ],
    ),
    (
        &["--patience", "1"],
        &[
            "--valid-fraction",
            "0.3",
            "--epochs",
            "80",
            "--l2",
            "0",
            "--l2",
            "bias=0",
            "--keep",
            "last",
        ],
    ),
];

const BASE: [&str; 2] = ["--epochs", "6"];

/// The built-in ratings with a fourth column.
fn ratings(folder: &Folder) -> std::path::PathBuf {
    let text = std::fs::read_to_string(fixture("notebook/ratings_raw.csv")).expect("a fixture");
    let lines = text.lines().enumerate().map(|(n, line)| {
        if n == 0 {
            format!("{line},importance\n")
        } else {
            format!("{line},{}\n", n % 3)
        }
    });
    folder.write("ratings.csv", lines.collect::<String>())
}

fn model(folder: &Folder, flags: &[&str]) -> Vec<u8> {
    // Later values win over earlier ones only within a list, so a base that is set again is left out.
    let base = if flags.contains(&"--epochs") {
        &[][..]
    } else {
        &BASE[..]
    };
    let run = folder.path("run");
    let mut command = lowrank();
    command
        .arg("train")
        .arg(ratings(folder))
        .args(base)
        .args(flags);
    let items = fixture("notebook/movies_multi_genre.csv");
    succeed(
        command
            .arg("--items")
            .arg(items)
            .args(["--quiet", "--force", "-o"])
            .arg(&run),
    );
    std::fs::read(run.join("model.lowrank")).expect("a model")
}

#[test]
fn every_knob_changes_the_model() {
    let folder = Folder::new("knobs");
    for (knob, with) in KNOBS.iter().chain(&DATA_KNOBS) {
        // A repeated flag of one value cannot be given twice: what is compared with loses the one that the knob sets.
        let without_knob: Vec<&str> = match with.iter().position(|flag| flag == &knob[0]) {
            Some(at) if knob[0] != "--l2" => with
                .iter()
                .enumerate()
                .filter(|&(n, _)| n != at && n != at + 1)
                .map(|(_, flag)| *flag)
                .collect(),
            _ => with.to_vec(),
        };
        let changed = model(&folder, &[&without_knob[..], knob].concat());
        assert!(
            changed != model(&folder, with),
            "{knob:?} beside {with:?} changes nothing"
        );
    }
}

#[test]
fn knobs_of_the_machine_change_nothing() {
    let folder = Folder::new("machine-knobs");
    let wanted = model(&folder, &[]);
    for knob in [
        &["--threads", "3"][..],
        &["--kernel", "portable"],
        &["--progress", "none"],
        &["--progress", "json"],
    ] {
        assert!(model(&folder, knob) == wanted, "{knob:?} changes the model");
    }
}

#[test]
fn the_file_that_a_run_leaves_trains_the_same_model_again() {
    let folder = Folder::new("config");
    let flags = [
        "--epochs",
        "5",
        "--l2",
        "3",
        "--l2",
        "item.genres=2",
        "--factors",
        "5",
        "--batch",
        "40",
        "--schedule",
        "step",
        "--valid-fraction",
        "0.2",
    ];
    let wanted = model(&folder, &flags);
    let config = folder.path("kept.toml");
    std::fs::copy(folder.path("run/config.toml"), &config).expect("a copy");
    let run = folder.path("run");
    let again = |more: &[&str]| {
        let mut command = lowrank();
        command
            .arg("train")
            .arg(ratings(&folder))
            .arg("--config")
            .arg(&config)
            .args(more);
        succeed(command.args(["--quiet", "--force", "-o"]).arg(&run));
        std::fs::read(run.join("model.lowrank")).expect("a model")
    };
    assert!(
        again(&[]) == wanted,
        "the resolved configuration trains another model"
    );
    assert!(
        again(&["--factors", "6"]) != wanted,
        "a flag does not win over the file"
    );
}
