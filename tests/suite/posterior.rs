//! What does somebody get who asks for a posterior, for several models, or for nothing at all?

use std::path::Path;

use serde_json::Value;

use super::common::{Folder, fail, lowrank, succeed};

/// Some ratings of some films, split.
fn ground(name: &str) -> Folder {
    let folder = Folder::new(name);
    let mut make = lowrank();
    make.args(["data", "generate", "--users", "90", "--items", "60"]);
    make.args(["--ratings", "2500", "--seed", "3", "-o"]);
    succeed(make.arg(folder.path("films")));
    let mut split = lowrank();
    split.args(["data", "split", "--fraction", "0.2"]);
    split.arg(folder.path("films/ratings.csv")).arg("-o");
    succeed(split.arg(folder.path("halves")));
    folder
}

fn train(folder: &Folder, run: &str, flags: &[&str]) -> std::process::Command {
    let mut command = lowrank();
    command.arg("train").arg(folder.path("halves/train.csv"));
    command.arg("--items").arg(folder.path("films/items.csv"));
    command
        .args(["--force", "-o"])
        .arg(folder.path(run))
        .args(flags);
    command
}

fn bytes(folder: &Folder, run: &str) -> Vec<u8> {
    std::fs::read(folder.path(run).join("model.lowrank")).expect("a model")
}

fn errors(folder: &Folder, run: &str) -> Value {
    let mut command = lowrank();
    command.args(["evaluate", "--format", "json", "--test"]);
    command.arg(folder.path("halves/test.csv"));
    serde_json::from_str(&succeed(command.arg(folder.path(run)))).expect("JSON")
}

const WAYS: [&[&str]; 4] = [
    &["--bayes", "--implicit", "both"],
    &["--average", "12", "--implicit", "items"],
    &["--ensemble"],
    &[],
];

#[test]
fn threads_kernels_and_the_file_that_a_run_leaves_give_the_same_bytes() {
    let folder = ground("posterior-bytes");
    for way in WAYS {
        succeed(&mut train(
            &folder,
            "one",
            &[way, &["--threads", "1"]].concat(),
        ));
        let one = bytes(&folder, "one");
        for machine in [["--threads", "3"], ["--kernel", "portable"]] {
            succeed(&mut train(&folder, "other", &[way, &machine].concat()));
            assert!(bytes(&folder, "other") == one, "{way:?} {machine:?}");
        }
        let config = folder.path("one/config.toml");
        let config = config.to_str().expect("UTF-8");
        succeed(&mut train(&folder, "again", &["--config", config]));
        assert!(bytes(&folder, "again") == one, "{way:?} by its file");
        succeed(&mut train(
            &folder,
            "seed",
            &[way, &["--seed", "7"]].concat(),
        ));
        assert!(bytes(&folder, "seed") != one, "{way:?} by another seed");
    }
}

#[test]
fn every_way_is_better_than_biases_on_ratings_it_has_not_seen() {
    let folder = ground("posterior-errors");
    for way in WAYS {
        succeed(&mut train(&folder, "run", way));
        let found = errors(&folder, "run");
        let biases = found["baselines"]["biases"]["rmse"]
            .as_f64()
            .expect("a number");
        // The truth has two dozen factors' worth of structure; biases alone miss nearly all of it.
        assert!(
            found["rmse"].as_f64().expect("a number") < 0.95 * biases,
            "{way:?}: {found}"
        );
    }
}

#[test]
fn a_posterior_says_how_sure_it_is_and_is_right_about_that() {
    let folder = ground("posterior-std");
    for way in [&["--bayes"][..], &["--average", "60"]] {
        succeed(&mut train(&folder, "run", way));
        let test = folder.path("halves/test.csv");
        let mut predict = lowrank();
        predict
            .arg("predict")
            .arg(folder.path("run"))
            .arg("--pairs")
            .arg(&test);
        let predictions = succeed(predict.args(["--format", "json"]));
        let predictions: Value = serde_json::from_str(&predictions).expect("JSON");
        let ratings = std::fs::read_to_string(&test).expect("the test set");
        let ratings = ratings.lines().skip(1).map(|line| {
            let rating = line.split(',').nth(2).expect("three columns");
            rating.parse::<f64>().expect("a rating")
        });
        let predictions = predictions.as_array().expect("a list");
        let within = predictions
            .iter()
            .zip(ratings)
            .filter(|(prediction, rating)| {
                let number = |key: &str| prediction[key].as_f64().expect(key);
                (number("prediction") - rating).abs() <= 1.645 * number("std")
            });
        let share = within.count() as f64 / predictions.len() as f64;
        // 500 ratings: a share of .9 has a standard error of .013; and rounding to stars widens it.
        assert!((0.84..=0.97).contains(&share), "{way:?}: {share}");
    }
    succeed(&mut train(&folder, "run", &["--preset", "rating"]));
    let mut predict = lowrank();
    predict.arg("predict").arg(folder.path("run"));
    let one = succeed(predict.args(["--user", "1", "--item", "1", "--format", "json"]));
    assert!(!one.contains("std"), "{one}");
}

#[test]
fn what_does_not_go_with_a_posterior_is_refused_by_name() {
    let folder = ground("posterior-refused");
    for (flags, wanted) in [
        (&["--bayes", "--learning-rate", "0.1"][..], "learning-rate"),
        (&["--average", "--l2", "3"], "l2"),
        (&["--bayes", "--batch", "block"], "batch"),
        (
            &["--bayes", "--average"],
            "one of --bayes, --average, --ensemble and --als",
        ),
        (&["--average", "0"], "average"),
        (&["--bayes", "--factors", "300"], "at most 255"),
        (&["--ensemble", "--epochs", "9"], "epochs"),
        (&["--bayes", "--preset", "notebook"], "link"),
    ] {
        let (code, message) = fail(&mut train(&folder, "no", flags));
        assert_eq!(code, 2, "{flags:?}: {message}");
        if !flags.contains(&"notebook") {
            assert!(message.contains(wanted), "{flags:?}: {message}");
        }
        assert!(!Path::new(&folder.path("no")).exists(), "{flags:?}");
    }
}

#[test]
fn ratings_whose_squares_are_no_numbers_are_refused_before_the_work() {
    let folder = Folder::new("posterior-huge");
    let rows = "user,item,rating\na,x,3e38\nb,x,-3e38\na,y,3e38\nb,y,-3e38\n";
    let ratings = folder.write("huge.csv", rows);
    for way in WAYS {
        let mut command = lowrank();
        command.arg("train").arg(&ratings).args(way).arg("-o");
        let (code, message) = fail(command.arg(folder.path("no")));
        assert_eq!(code, 2, "{way:?}: {message}");
        assert!(message.contains("at most 1e18"), "{way:?}: {message}");
        assert!(!folder.path("no").exists(), "{way:?}");
    }
}

#[test]
fn without_a_flag_something_is_tried_and_said() {
    let folder = ground("recipe");
    let done = train(&folder, "run", &[]).output().expect("it starts");
    let said = String::from_utf8(done.stderr).expect("UTF-8");
    assert!(said.contains("RMSE on 200 held-out ratings: "), "{said}");
    assert!(said.contains("trained on all ratings"), "{said}");
    let record = std::fs::read_to_string(folder.path("run/run.json")).expect("a record");
    let record: Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(record["config"]["bayes"], true, "{record}");
    assert!(
        record["recipe"][0]
            .as_str()
            .is_some_and(|line| said.contains(line)),
        "{record}"
    );
    assert_eq!(record["counts"]["valid"], 0);
    let lines = std::fs::read_to_string(folder.path("run/metrics.jsonl")).expect("metrics");
    assert_eq!(
        lines.lines().count() as u64,
        record["config"]["epochs"].as_u64().unwrap()
    );
    // Who holds ratings out keeps them held out.
    let done = train(&folder, "run", &["--valid-fraction", "0.1"])
        .output()
        .expect("it starts");
    let said = String::from_utf8(done.stderr).expect("UTF-8");
    assert!(said.contains("stay held out"), "{said}");
    // A knob of an optimizer asks for one.
    let done = train(&folder, "run", &["--epochs", "5"])
        .output()
        .expect("it starts");
    let said = String::from_utf8(done.stderr).expect("UTF-8");
    assert!(
        said.contains("preset rating, adam") && !said.contains("chosen"),
        "{said}"
    );
}
