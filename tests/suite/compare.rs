//! Does `compare` say what differs, and which run is better?

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::common::{Folder, fail, generated, lowrank, succeed};

/// Two halves of made-up ratings.
fn halves(folder: &Folder) -> [PathBuf; 2] {
    let ratings = generated(folder);
    let mut command = lowrank();
    command
        .args(["data", "split", "--fraction", "0.3"])
        .arg(ratings);
    succeed(command.arg("-o").arg(folder.path("parts")));
    [
        folder.path("parts/train.csv"),
        folder.path("parts/test.csv"),
    ]
}

fn train(folder: &Folder, ratings: &PathBuf, run: &str, more: &[&str]) {
    let mut command = lowrank();
    command
        .arg("train")
        .arg(ratings)
        .arg("-o")
        .arg(folder.path(run));
    succeed(command.args(["--quiet", "--epochs", "40"]).args(more));
}

fn compare(folder: &Folder, runs: [&str; 2]) -> Command {
    let mut command = lowrank();
    command
        .arg("compare")
        .args(runs.map(|run| folder.path(run)));
    command
}

fn json(command: &mut Command) -> Value {
    serde_json::from_str(&succeed(command.args(["--format", "json", "--quiet"]))).expect("JSON")
}

/// The names of the leaves of a part that differ.
fn names(document: &Value, part: &str) -> Vec<String> {
    let leaves = document[part].as_array().expect("a list").iter();
    leaves
        .map(|leaf| leaf["what"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn what_differs_is_named_and_nothing_else() {
    let folder = Folder::new("compare");
    let [ratings, test] = halves(&folder);
    train(&folder, &ratings, "a", &["--factors", "2"]);
    train(&folder, &ratings, "b", &["--factors", "3", "--l2", "20"]);
    train(&folder, &test, "c", &["--factors", "2"]);

    let other_settings = json(&mut compare(&folder, ["a", "b"]));
    assert_eq!(names(&other_settings, "config"), ["factors", "l2"]);
    assert_eq!(other_settings["config"][0]["first"], 2);
    assert_eq!(other_settings["config"][0]["second"], 3);
    assert_eq!(names(&other_settings, "data"), ["counts.parameters"]);
    assert!(names(&other_settings, "version").is_empty());
    let loss = other_settings["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|leaf| leaf["what"] == "train_loss")
        .unwrap();
    let record: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path("b/run.json")).unwrap()).unwrap();
    assert_eq!(loss["second"], record["result"]["train_loss"]);

    let other_data = json(&mut compare(&folder, ["a", "c"]));
    assert!(names(&other_data, "config").is_empty());
    for name in ["ratings.sha256", "ratings.bytes", "counts.train"] {
        assert!(
            names(&other_data, "data").contains(&name.to_owned()),
            "{name}"
        );
    }
    let table = succeed(&mut compare(&folder, ["a", "b"]));
    assert!(
        table.contains("config.factors") && !table.contains("config.epochs"),
        "{table}"
    );

    // A cache of the same text is the same data.
    succeed(
        lowrank()
            .args(["data", "convert"])
            .arg(&ratings)
            .arg("-o")
            .arg(folder.path("cache")),
    );
    train(&folder, &folder.path("cache"), "d", &["--factors", "2"]);
    assert!(names(&json(&mut compare(&folder, ["a", "d"])), "data").is_empty());
}

#[test]
fn the_test_is_that_of_the_rows() {
    let folder = Folder::new("compare-test");
    let [ratings, test] = halves(&folder);
    train(&folder, &ratings, "a", &["--factors", "4", "--l2", "3"]);
    train(&folder, &ratings, "b", &["--factors", "4", "--l2", "300"]);
    // Ids of its own, in an order of its own.
    let backwards = std::fs::read_to_string(&ratings).unwrap();
    let mut lines: Vec<&str> = backwards.lines().collect();
    lines[1..].reverse();
    let backwards = folder.write("backwards.csv", lines.join("\n") + "\n");
    train(&folder, &backwards, "c", &["--factors", "4", "--l2", "300"]);

    let mut squared = Vec::new();
    let text = std::fs::read_to_string(&test).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    for run in ["a", "b"] {
        let mut command = lowrank();
        command
            .arg("predict")
            .arg(folder.path(run))
            .arg("--pairs")
            .arg(&test);
        let found: Value =
            serde_json::from_str(&succeed(command.args(["--format", "json", "--quiet"]))).unwrap();
        let errors = found
            .as_array()
            .unwrap()
            .iter()
            .zip(&rows)
            .map(|(line, row)| {
                assert_eq!(line["user"].as_str(), Some(row[0]));
                let error = line["prediction"].as_f64().unwrap() - row[2].parse::<f64>().unwrap();
                error * error
            });
        squared.push(errors.collect::<Vec<f64>>());
    }
    let differences: Vec<f64> = squared[0]
        .iter()
        .zip(&squared[1])
        .map(|(a, b)| b - a)
        .collect();
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let mut sums = std::collections::BTreeMap::<&str, f64>::new();
    for (row, difference) in rows.iter().zip(&differences) {
        *sums.entry(row[0]).or_default() += difference - mean;
    }
    let clusters = sums.len() as f64;
    let error =
        (clusters / (clusters - 1.0) * sums.values().map(|sum| sum * sum).sum::<f64>()).sqrt() / n;

    let found = json(compare(&folder, ["a", "b"]).arg("--test").arg(&test));
    let mse = &found["test"]["mse"];
    // Predictions are printed with the digits of an f32.
    assert!((mse["difference"].as_f64().unwrap() - mean).abs() < 1e-6);
    assert!((mse["standard_error"].as_f64().unwrap() - error).abs() < 1e-6);
    assert_eq!(found["test"]["users"], sums.len());
    let (rmse, of) = (&found["test"]["rmse"], |run: &str| {
        found["test"][run]["rmse"].as_f64().unwrap()
    });
    assert!((rmse["difference"].as_f64().unwrap() - (of("second") - of("first"))).abs() < 1e-12);
    assert!(rmse["low"].as_f64() < rmse["difference"].as_f64());

    // The other way round everything is turned round.
    let turned = json(compare(&folder, ["b", "a"]).arg("--test").arg(&test));
    let number = |document: &Value, key: &str| document["test"]["mse"][key].as_f64().unwrap();
    assert_eq!(number(&turned, "low"), -number(&found, "high"));
    assert_eq!(number(&turned, "p"), number(&found, "p"));

    // A run with other row numbers meets the same ratings.
    let other = json(compare(&folder, ["a", "c"]).arg("--test").arg(&test));
    assert_eq!(other["test"]["first"], found["test"]["first"]);
    assert_eq!(other["test"]["rows"], rows.len());
    let alike = json(compare(&folder, ["a", "a"]).arg("--test").arg(&test));
    assert_eq!(number(&alike, "p"), 1.0);
}

#[test]
fn what_is_no_run_is_refused() {
    let folder = Folder::new("compare-refused");
    let [ratings, _] = halves(&folder);
    train(&folder, &ratings, "a", &[]);
    let (code, message) = fail(&mut compare(&folder, ["a", "parts"]));
    assert!(
        code == 1 && message.contains("a folder without a run"),
        "{message}"
    );
    std::fs::create_dir(folder.path("b")).unwrap();
    for (record, wanted) in [
        ("{\"version\": ", "run.json: line 1"),
        ("[1]", "config.toml"),
    ] {
        folder.write("b/run.json", record);
        let (code, message) = fail(&mut compare(&folder, ["a", "b"]));
        assert!(code == 1 && message.contains(wanted), "{message}");
    }
    folder.write("b/config.toml", "epochs = = 3");
    let (_, message) = fail(&mut compare(&folder, ["a", "b"]));
    assert!(
        message.contains("config.toml: line 1, column 10"),
        "{message}"
    );
}
