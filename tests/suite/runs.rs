//! Is what a run says of itself found again, and its model trained again to the same bytes?

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::{Folder, fail, generated, kill_after, lowrank, succeed};

fn train(folder: &Folder, ratings: &Path, run: &str, more: &[&str]) {
    let mut command = lowrank();
    command
        .current_dir(folder.path(""))
        .arg("train")
        .arg(ratings);
    succeed(command.args(["--quiet", "-o", run]).args(more));
}

fn runs(folder: &Folder, what: &[&str]) -> Command {
    let mut command = lowrank();
    command.current_dir(folder.path("")).arg("runs").args(what);
    command
}

fn json(command: &mut Command) -> Value {
    let text = succeed(command.args(["--format", "json", "--quiet"]));
    serde_json::from_str(&text).expect("JSON")
}

/// Flips a bit of a file.
fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_folder_of_runs_is_listed_with_what_is_damaged_and_what_can_go_on() {
    let folder = Folder::new("runs-list");
    let ratings = generated(&folder);
    train(
        &folder,
        &ratings,
        "a",
        &[
            "--preset",
            "rating",
            "--epochs",
            "3",
            "--valid-fraction",
            "0.2",
        ],
    );
    train(
        &folder,
        &ratings,
        "b",
        &[
            "--als",
            "--epochs",
            "2",
            "--factors",
            "3",
            "--threshold",
            "3",
            "--valid-fraction",
            "0.2",
        ],
    );
    let bytes = folder.write("few.csv", "user,item,rating\n1,1,3\n1,2,4\n2,1,5\n");
    train(&folder, &bytes, "c", &["--bayes", "--epochs", "2"]);
    train(
        &folder,
        &ratings,
        "deep/er/d",
        &["--preset", "rating", "--epochs", "2"],
    );
    std::fs::create_dir(folder.path("damaged")).unwrap();
    folder.write("damaged/run.json", "{\"version\": ");
    std::fs::create_dir(folder.path("empty")).unwrap();
    folder.write("empty/run.json", "[]");
    std::fs::create_dir(folder.path("no-run")).unwrap();
    folder.write("no-run/config.toml", "factors = 3\n");
    std::fs::create_dir(folder.path("model")).unwrap();
    std::fs::copy(
        folder.path("a/model.lowrank"),
        folder.path("model/model.lowrank"),
    )
    .unwrap();
    // What an interruption leaves.
    std::fs::create_dir(folder.path("stopped")).unwrap();
    for name in ["config.toml", "metrics.jsonl"] {
        std::fs::copy(
            folder.path("a").join(name),
            folder.path("stopped").join(name),
        )
        .unwrap();
    }
    folder.write("stopped/checkpoint.lowrank", "");

    let found = json(&mut runs(&folder, &["list"]));
    let of = |name: &str| -> Value {
        let rows = found.as_array().unwrap().iter();
        rows.clone()
            .find(|row| row["run"] == name)
            .unwrap_or_else(|| panic!("{name}"))
            .clone()
    };
    let names: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["run"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["a", "b", "c", "damaged", "empty", "model", "stopped"]
    );
    let record: Value =
        serde_json::from_slice(&std::fs::read(folder.path("a/run.json")).unwrap()).unwrap();
    let a = of("a");
    assert_eq!(
        (&a["ending"], &a["epochs"], &a["factors"]),
        (&"completed".into(), &3.into(), &8.into())
    );
    assert_eq!(a["valid"], record["result"]["valid"]);
    assert_eq!(a["data"], record["inputs"][0]["sha256"]);
    assert_eq!(a["seconds"], record["times"]["total"]);
    assert_eq!(
        (&of("b")["data"], &of("b")["factors"]),
        (&a["data"], &3.into())
    );
    assert_ne!(of("c")["data"], a["data"]);
    assert!(of("b")["valid"]["ndcg@20"].is_number());
    for name in ["damaged", "empty"] {
        assert_eq!(of(name)["ending"], "damaged");
        assert!(
            of(name)["note"].as_str().unwrap().contains("run.json"),
            "{name}"
        );
    }
    assert_eq!(
        (of("model")["ending"].as_str(), &of("model")["model"]),
        (Some("no record"), &true.into())
    );
    assert_eq!(
        (of("stopped")["ending"].as_str(), &of("stopped")["resume"]),
        (Some("unfinished"), &"lowrank resume stopped".into())
    );

    let table = succeed(runs(&folder, &["list", "--recursive"]).arg("."));
    for wanted in [
        "deep/er/d  completed",
        "lowrank resume stopped",
        "damaged/run.json: line 1",
        "ndcg@20",
    ] {
        assert!(table.contains(wanted), "{table}");
    }
    // A run is a folder with one run.
    assert_eq!(
        json(&mut runs(&folder, &["list", "a"]))
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let csv = succeed(&mut runs(&folder, &["list", "a", "--format", "csv"]));
    assert!(
        csv.starts_with(
            "run,ending,epochs,held out,figure,factors,data,seconds,note\na,completed,3,rmse,"
        ),
        "{csv}"
    );
    assert_eq!(fail(&mut runs(&folder, &["list", "nowhere"])).0, 1);
    assert_eq!(
        succeed(&mut runs(&folder, &["list", "no-run", "--format", "json"])),
        "[]\n"
    );
}

#[test]
fn a_run_is_shown_with_what_differs_from_the_defaults() {
    let folder = Folder::new("runs-show");
    let ratings = generated(&folder);
    let more = [
        "--preset",
        "rating",
        "--epochs",
        "3",
        "--l2",
        "7",
        "--valid-fraction",
        "0.2",
        "--items",
        "films/items.csv",
    ];
    train(&folder, &ratings, "a", &more);
    let record: Value =
        serde_json::from_slice(&std::fs::read(folder.path("a/run.json")).unwrap()).unwrap();
    assert_eq!(json(&mut runs(&folder, &["show", "a"])), record);
    let csv = succeed(&mut runs(&folder, &["show", "a", "--format", "csv"]));
    let config: Vec<&str> = csv
        .lines()
        .filter_map(|line| line.strip_prefix("config "))
        .collect();
    // `--l2 7` leaves the biases' 4.
    let wanted = [
        "epochs,3",
        "items,films/items.csv",
        "l2,7 bias=4",
        "preset,rating",
        "seed,42",
        "valid-fraction,0.2",
    ];
    assert_eq!(config, wanted, "{csv}");
    let rmse = record["result"]["valid"]["rmse"].as_f64().unwrap();
    let sha256 = record["inputs"][1]["sha256"].as_str().unwrap();
    for wanted in [
        &format!("held-out ratings,RMSE {rmse:.4}  MAE"),
        sha256,
        "  biases,RMSE",
        "features of items,genres",
    ] {
        assert!(csv.contains(wanted), "no {wanted:?} in\n{csv}");
    }
    // `runs compare` is `compare`.
    train(
        &folder,
        &ratings,
        "b",
        &["--preset", "rating", "--epochs", "4"],
    );
    let compared = json(&mut runs(&folder, &["compare", "a", "b"]));
    let mut command = lowrank();
    command
        .current_dir(folder.path(""))
        .args(["compare", "a", "b"]);
    assert_eq!(compared, json(&mut command));
}

#[test]
fn every_way_of_training_is_verified() {
    let folder = Folder::new("runs-verify");
    let ratings = generated(&folder);
    let text = std::fs::read_to_string(&ratings).unwrap();
    let (mut some, mut rest) = (String::new(), String::new());
    for (n, line) in text.lines().enumerate() {
        let half = if n > 0 && n % 4 == 0 {
            &mut rest
        } else {
            &mut some
        };
        *half += &format!("{line}\n");
    }
    folder.write("some.csv", some);
    folder.write(
        "valid.csv",
        format!("{}\n{rest}", text.lines().next().unwrap()),
    );
    succeed(
        lowrank()
            .current_dir(folder.path(""))
            .args(["data", "convert", "some.csv", "-o", "cache"]),
    );
    let few = ["--preset", "rating", "--epochs", "4"];
    train(&folder, Path::new("some.csv"), "first", &few);
    succeed(
        lowrank()
            .current_dir(folder.path(""))
            .args(["export", "first", "--to", "npy", "tables"]),
    );
    for (n, (ratings, more)) in [
        ("some.csv", &[][..]),
        (
            "some.csv",
            &[
                "--preset",
                "rating",
                "--epochs",
                "4",
                "--valid-fraction",
                "0.2",
                "--patience",
                "1",
                "--items",
                "films/items.csv",
                "--threads",
                "1",
            ],
        ),
        (
            "some.csv",
            &[
                "--preset",
                "rating",
                "--epochs",
                "4",
                "--valid",
                "valid.csv",
            ],
        ),
        (
            "some.csv",
            &["--batch", "block", "--epochs", "3", "--implicit", "both"],
        ),
        (
            "some.csv",
            &["--preset", "rating", "--epochs", "3", "--init", "tables"],
        ),
        (
            "cache",
            &["--batch", "block", "--epochs", "3", "--max-memory", "1k"],
        ),
        (
            "some.csv",
            &[
                "--preset",
                "implicit",
                "--threshold",
                "3",
                "--epochs",
                "2",
                "--factors",
                "4",
            ],
        ),
        (
            "some.csv",
            &[
                "--als",
                "--threshold",
                "3",
                "--epochs",
                "2",
                "--factors",
                "4",
            ],
        ),
        ("some.csv", &["--bayes", "--epochs", "3"]),
        ("some.csv", &["--average", "4", "--factors", "2"]),
        (
            "some.csv",
            &[
                "--preset",
                "notebook",
                "--epochs",
                "3",
                "--learning-rate",
                "1e30",
            ],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let run = format!("run-{n}");
        let mut command = lowrank();
        command
            .current_dir(folder.path(""))
            .args(["train", ratings, "--quiet", "-o", &run]);
        let output = command.args(more).output().unwrap();
        let code = output.status.code();
        // The last one diverges, and keeps what was there before.
        assert!(
            code == Some(0) || code == Some(4) && more.contains(&"1e30"),
            "{more:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let before: Vec<PathBuf> = names(&folder);
        let found = json(runs(&folder, &["verify", &run]).args(["--threads", "2"]));
        assert_eq!(
            (&found["verified"], &found["model"]["verdict"]),
            (&true.into(), &"the same bytes".into()),
            "{more:?}"
        );
        assert_eq!(names(&folder), before, "something was left behind");
    }
    // From elsewhere the inputs are found above the run.
    let mut command = lowrank();
    command
        .current_dir(folder.path("films"))
        .args(["runs", "verify", "../run-1"]);
    assert_eq!(
        json(&mut command)["inputs"][1]["verdict"],
        "the same, elsewhere"
    );

    std::fs::remove_dir_all(folder.path("tables")).unwrap();
    let (code, message) = fail(&mut runs(&folder, &["verify", "run-4"]));
    assert!(
        code == 1 && message.contains("tables") && message.contains("gone"),
        "{message}"
    );
}

/// All files and folders, two levels deep.
fn names(folder: &Folder) -> Vec<PathBuf> {
    let of = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let first = of(&folder.path(""));
    let mut all: Vec<PathBuf> = first.iter().flat_map(|path| of(path)).collect();
    all.extend(first);
    all.sort();
    all
}

#[test]
fn what_has_changed_is_named() {
    let folder = Folder::new("runs-changed");
    std::fs::copy(generated(&folder), folder.path("ratings.csv")).unwrap();
    let files = [
        "--items",
        "films/items.csv",
        "--preset",
        "rating",
        "--epochs",
        "3",
    ];
    train(&folder, Path::new("ratings.csv"), "run", &files);
    let refused = |more: &[&str], wanted: &str| {
        let mut command = runs(&folder, &["verify", "run", "--quiet"]);
        let output = command
            .args(["--format", "json"])
            .args(more)
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(wanted), "no {wanted:?} in {message}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["verified"], false);
        found
    };
    succeed(&mut runs(&folder, &["verify", "run"]));

    // A byte of an input.
    let (ratings, elsewhere) = (folder.path("ratings.csv"), folder.path("elsewhere.csv"));
    std::fs::copy(&ratings, &elsewhere).unwrap();
    flip(&ratings, 200);
    let found = refused(
        &[],
        "ratings.csv: got ratings that have changed since the run, wanted SHA-256",
    );
    assert_eq!(
        (&found["inputs"][0]["verdict"], &found["model"]),
        (&"changed".into(), &Value::Null)
    );
    // The right file lies elsewhere.
    let found = json(&mut runs(
        &folder,
        &["verify", "run", "--ratings", "elsewhere.csv"],
    ));
    assert_eq!(found["inputs"][0]["verdict"], "the same, elsewhere");
    // Its cache says the same.
    succeed(lowrank().current_dir(folder.path("")).args([
        "data",
        "convert",
        "elsewhere.csv",
        "-o",
        "cache",
    ]));
    assert_eq!(
        json(&mut runs(&folder, &["verify", "run", "--ratings", "cache"]))["verified"],
        true
    );
    std::fs::remove_file(&ratings).unwrap();
    refused(&[], "the ratings of the run are gone");
    std::fs::rename(&elsewhere, &ratings).unwrap();
    std::fs::rename(folder.path("films/items.csv"), folder.path("items.csv")).unwrap();
    refused(&[], "or --items FILE");
    assert_eq!(
        json(&mut runs(
            &folder,
            &["verify", "run", "--items", "items.csv"]
        ))["verified"],
        true
    );
    std::fs::rename(folder.path("items.csv"), folder.path("films/items.csv")).unwrap();

    // Another configuration than the record's.
    let config = folder.path("run/config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("seed = 42", "seed = 43")).unwrap();
    refused(&[], "config.toml is not that of run.json: seed");
    std::fs::write(&config, text).unwrap();
    // Another version.
    let record = folder.path("run/run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(
        &record,
        text.replacen(env!("CARGO_PKG_VERSION"), "0.0.7", 1),
    )
    .unwrap();
    let output = runs(&folder, &["verify", "run"]).output().unwrap();
    assert!(
        output.status.success()
            && String::from_utf8_lossy(&output.stderr).contains("trained by version 0.0.7")
    );
    std::fs::write(&record, text).unwrap();

    // A byte of the model.
    let model = folder.path("run/model.lowrank");
    let length = std::fs::metadata(&model).unwrap().len() as usize;
    flip(&model, length - 100);
    let found = refused(&[], "run/model.lowrank: byte");
    assert_eq!(found["model"]["verdict"], "other bytes");
    std::fs::remove_file(&model).unwrap();
    let (code, message) = fail(&mut runs(&folder, &["verify", "run"]));
    assert!(
        code == 1 && message.contains("a run that has not ended"),
        "{message}"
    );
}

#[test]
fn a_run_that_was_resumed_is_verified_and_one_from_a_pipe_cannot_be() {
    let folder = Folder::new("runs-resumed");
    std::fs::copy(generated(&folder), folder.path("ratings.csv")).unwrap();
    let mut command = lowrank();
    command
        .current_dir(folder.path(""))
        .args(["train", "ratings.csv", "--preset", "rating"]);
    command.args([
        "--epochs",
        "1000",
        "--checkpoint-every",
        "1",
        "--progress",
        "json",
        "-o",
        "run",
    ]);
    kill_after(&mut command, 3);
    let found = json(&mut runs(&folder, &["list"]));
    assert_eq!(found[0]["resume"], "lowrank resume run");
    let (code, message) = fail(&mut runs(&folder, &["verify", "run"]));
    assert!(code == 1 && message.contains("lowrank resume"), "{message}");
    succeed(
        lowrank()
            .current_dir(folder.path(""))
            .args(["resume", "run", "--progress", "none"]),
    );
    assert_eq!(
        json(&mut runs(&folder, &["verify", "run"]))["verified"],
        true
    );

    if cfg!(unix) {
        let mut command = lowrank();
        command.current_dir(folder.path("")).args([
            "train",
            "/dev/stdin",
            "--preset",
            "rating",
            "--epochs",
            "2",
            "--quiet",
            "-o",
            "piped",
        ]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let text = std::fs::read(folder.path("ratings.csv")).unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), &text).unwrap();
        assert!(child.wait().unwrap().success());
        let (code, message) = fail(&mut runs(&folder, &["verify", "piped"]));
        assert!(
            code == 1 && message.contains("came from a pipe"),
            "{message}"
        );
    }
}
