//! Does `train --dry-run` tell the truth, and leave no trace?
//!
//! Through the real binary: what it says beforehand against what a training then leaves behind.

use std::path::Path;

use serde_json::Value;

use super::common::{Folder, fail, lowrank, succeed};

/// Every user rated most items; some pairs twice.
fn ratings(n_users: usize, n_items: usize) -> String {
    let mut text = String::from("user_id,item_id,rating,weight,timestamp\n");
    for user in 0..n_users {
        for item in (0..n_items).filter(|item| (user + item) % 3 > 0) {
            let line = format!("u{user},i{item},{},1,{item}\n", 1 + (user * item) % 5);
            text.push_str(&line);
            if (user + item) % 50 == 1 {
                text.push_str(&line);
            }
        }
    }
    text
}

/// Items with titles and two columns, one of them with several values.
fn items(n_items: usize) -> String {
    let mut text = String::from("item_id,title,genres,year\n");
    for item in 0..n_items {
        let line = format!(
            "i{item},Film {item},g{}|h{},{}\n",
            item % 5,
            item % 3,
            1990 + item % 7
        );
        text.push_str(&line);
    }
    text
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn what_is_counted_beforehand_is_what_a_training_finds() {
    let folder = Folder::new("dry-run");
    let ratings = folder.write("ratings.csv", ratings(90, 60));
    let items = folder.write("items.csv", items(64));
    let cases: [&[&str]; 7] = [
        &[],
        &["--loss", "huber:0.123456789012345"],
        &["--valid-fraction", "0.2", "--factors", "12"],
        &["--batch", "block", "--optimizer", "row-adam"],
        &[
            "--batch",
            "128",
            "--item-features",
            "none",
            "--clip",
            "none",
        ],
        &[
            "--link",
            "sigmoid:1..5",
            "--no-biases",
            "--weight",
            "weight",
        ],
        &["--preset", "notebook"],
    ];
    for (n, case) in cases.iter().enumerate() {
        let train = |more: &[&str]| {
            let mut command = lowrank();
            command
                .arg("train")
                .arg(&ratings)
                .arg("--items")
                .arg(&items);
            command.args(*case).args(["--epochs", "3"]);
            command.arg("-o").arg(folder.path(&format!("run-{n}")));
            succeed(command.args(more))
        };
        let plan: Value = serde_json::from_str(&train(&["--dry-run", "--format", "json"])).unwrap();
        assert!(!folder.path(&format!("run-{n}")).exists(), "{case:?}");
        train(&[]);
        let run = folder.path(&format!("run-{n}"));
        let record = json(&run.join("run.json"));
        assert_eq!(plan["counts"], record["counts"], "{case:?}");
        let training = &plan["training"];
        for key in ["factors", "epochs", "optimizer", "schedule"] {
            assert_eq!(training[key], record["config"][key], "{case:?}: {key}");
        }
        assert_eq!(training["learning_rate"], record["config"]["learning-rate"]);
        for key in ["kernel", "threads"] {
            assert_eq!(training[key], record["machine"][key], "{case:?}: {key}");
        }
        let bytes = std::fs::metadata(run.join("model.lowrank")).unwrap().len();
        assert_eq!(plan["model_file_bytes"], bytes, "{case:?}");
    }
}

#[test]
fn bytes_are_those_of_the_arrays() {
    let folder = Folder::new("dry-bytes");
    let ratings = folder.write("ratings.csv", ratings(90, 60));
    let mut command = lowrank();
    command.arg("train").arg(&ratings).args(["--factors", "12"]);
    command.args(["--batch", "block", "--valid-fraction", "0.25"]);
    command
        .args(["--dry-run", "--format", "json"])
        .arg("-o")
        .arg(folder.path("run"));
    let plan: Value = serde_json::from_str(&succeed(&mut command)).unwrap();
    let (counts, bytes) = (&plan["counts"], &plan["bytes"]);
    let number = |value: &Value| value.as_u64().unwrap();
    let (train, valid) = (number(&counts["train"]), number(&counts["valid"]));
    assert_eq!((train, valid), (2700, 900));
    // User, item and rating are four bytes each; times go where nothing is split by them.
    assert_eq!(bytes["ratings"], 12 * (train + valid));
    // 12 factors stand as 16, and a bias.
    let tables = 150 * 4 * 17;
    for kind in ["tables", "gradients", "last_good", "best_epoch"] {
        assert_eq!(bytes[kind], tables, "{kind}");
    }
    assert_eq!(bytes["moments"], 2 * tables + 150 * 4);
    assert_eq!(bytes["seen"], 4 * train + 8 * 91);
    // Four blocks a side; with some dozen ratings nearly every row occurs in all four.
    assert_eq!(plan["training"]["n_blocks"], 4);
    let (layout, most) = (number(&bytes["layout"]), 8 * train + 150 * (4 * 8 + 20));
    assert!(
        layout <= most && layout * 100 >= most * 99,
        "{layout} of {most}"
    );
    let kinds = bytes.as_object().unwrap().iter();
    let sum: u64 = kinds
        .filter(|(kind, _)| *kind != "total")
        .map(|(_, n)| number(n))
        .sum();
    assert_eq!(bytes["total"], sum);
    let seconds = |key: &str| plan["seconds"][key].as_f64().unwrap();
    assert!(seconds("epoch") > 0.0 && seconds("validation") > 0.0);
    let epochs = plan["training"]["epochs"].as_f64().unwrap();
    let of_epochs = epochs * (seconds("epoch") + seconds("validation"));
    let sum = seconds("read") + seconds("setup") + of_epochs + seconds("finish");
    assert!((seconds("total") - sum).abs() <= 1e-9 * sum);
    assert_eq!(plan["seconds"]["sample_ratings"], train);
}

#[test]
fn nothing_is_written_and_a_run_in_the_way_is_remarked_on() {
    let folder = Folder::new("dry-nothing");
    let ratings = folder.write("ratings.csv", ratings(30, 20));
    let mut command = lowrank();
    command
        .current_dir(folder.path(""))
        .arg("train")
        .arg(&ratings);
    let text = succeed(command.args(["--dry-run"]));
    for part in [
        "30 users",
        "fewer than 1,000,000 ratings",
        "last_good",
        "epoch",
        "The model's file",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    let names = |path: &Path| {
        let entries = std::fs::read_dir(path).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&folder.path("")), ["ratings.csv"]);

    let output = lowrank()
        .arg("train")
        .arg(&ratings)
        .arg("--dry-run")
        .arg("-o")
        .arg(folder.path(""))
        .output();
    let output = output.unwrap();
    let remarks = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{remarks}");
    assert!(remarks.contains("would be refused"), "{remarks}");
    assert_eq!(names(&folder.path("")), ["ratings.csv"]);
}

#[test]
fn what_a_training_refuses_is_refused_beforehand() {
    let folder = Folder::new("dry-refused");
    let ratings = folder.write("ratings.csv", ratings(9, 9));
    for (flags, wanted) in [
        (["--item-features", "colour"], "colour"),
        (["--l2", "item.colour=3"], "item.colour"),
        (["--init", "no-such-folder"], "no-such-folder"),
        (["--batch", "0"], "batch"),
    ] {
        let mut command = lowrank();
        command
            .arg("train")
            .arg(&ratings)
            .arg("--dry-run")
            .args(flags);
        let (_, message) = fail(&mut command);
        assert!(message.contains(wanted), "{message}");
    }
}
