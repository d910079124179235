//! Are lists judged honestly where nothing was rated, through the real binary?
//!
//! The oracle is a file of `recommend --all` and the definitions.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::common::{Folder, by_user, fail, generated, lowrank, recommended, succeed};

struct Ground {
    folder: Folder,
    run: PathBuf,
    /// User and item, without ratings.
    clicks: PathBuf,
    rows: Vec<(String, String)>,
}

fn ground() -> Ground {
    let folder = Folder::new("ranking");
    let ratings = generated(&folder);
    let parts = folder.path("parts");
    succeed(
        lowrank()
            .args(["data", "split", "--fraction", "0.2", "-o"])
            .arg(&parts)
            .arg(&ratings),
    );
    let run = folder.path("run");
    let few = ["--preset", "rating", "--epochs", "8", "--quiet", "-o"];
    succeed(
        lowrank()
            .arg("train")
            .arg(parts.join("train.csv"))
            .args(few)
            .arg(&run),
    );
    let text = std::fs::read_to_string(parts.join("test.csv")).unwrap();
    let row = |line: &str| {
        let mut fields = line.split(',').map(str::to_owned);
        (fields.next().unwrap(), fields.next().unwrap())
    };
    let mut rows: Vec<(String, String)> = text.lines().skip(1).map(row).collect();
    // An item that the model has not: it can only be missed.
    rows.push((rows[0].0.clone(), "no such film".into()));
    let lines: String = rows
        .iter()
        .map(|(user, item)| format!("{user},{item}\n"))
        .collect();
    let clicks = folder.write("clicks.csv", format!("user,item\n{lines}"));
    Ground {
        folder,
        run,
        clicks,
        rows,
    }
}

impl Ground {
    /// `evaluate` on the clicks.
    fn command(&self) -> Command {
        let mut command = lowrank();
        command.arg("evaluate").arg(&self.run).arg("--test");
        command.arg(&self.clicks);
        command
    }

    fn evaluate(&self, more: &[&str]) -> Value {
        let text = succeed(self.command().args(["--format", "json"]).args(more));
        serde_json::from_str(&text).unwrap()
    }

    /// Of every test user the held-out items, and the first 20 that are recommended.
    fn lists(&self) -> Vec<(BTreeSet<String>, Vec<String>)> {
        let lists = recommended(&self.run, "20");
        let relevant = by_user(self.rows.iter().map(|row| (&row.0, &row.1)));
        let both = relevant.into_iter();
        both.map(|(user, items)| (items, lists[&user].clone()))
            .collect()
    }
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_file_without_ratings_is_judged_by_the_lists_that_are_recommended() {
    let ground = ground();
    let found = ground.evaluate(&[]);
    let lists = ground.lists();
    let mean = |of: &dyn Fn(&BTreeSet<String>, &[String]) -> f64| {
        lists
            .iter()
            .map(|(items, list)| of(items, list))
            .sum::<f64>()
            / lists.len() as f64
    };
    let recall = mean(&|items, list| {
        list.iter().filter(|item| items.contains(*item)).count() as f64 / items.len() as f64
    });
    let discount = |rank: usize| 1.0 / ((rank + 1) as f64).log2();
    let ndcg = mean(&|items, list| {
        let ranks = (1..).zip(list).filter(|(_, item)| items.contains(*item));
        let gain: f64 = ranks.map(|(rank, _)| discount(rank)).sum();
        gain / (1..=items.len().min(20)).map(discount).sum::<f64>()
    });
    // Sums of some dozen numbers below 1 in two orders.
    assert!((number(&found["recall@20"]) - recall).abs() < 1e-12);
    assert!((number(&found["ndcg@20"]) - ndcg).abs() < 1e-12);
    assert!(recall > 0.0 && recall < 1.0);
    assert_eq!(found["users"], lists.len());
    assert_eq!(found["rows"], ground.rows.len());
    assert_eq!(found["cold"]["items"], 1);
    for absent in ["rmse", "mae"] {
        assert!(found.get(absent).is_none(), "{found}");
    }
    let baselines: Vec<&String> = found["baselines"].as_object().unwrap().keys().collect();
    assert_eq!(baselines, ["popularity"]);

    let mut command = ground.command();
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("no rmse: the test file has no ratings"),
        "{said}"
    );
    assert!(said.contains("every test row is relevant"), "{said}");
    assert!(
        said.contains("is missed where the model has no such item"),
        "{said}"
    );
}

#[test]
fn what_a_file_without_ratings_cannot_say_is_refused() {
    let ground = ground();
    for (flags, wanted) in [
        (
            &["--metrics", "rmse,ndcg@10"][..],
            "the test file has no ratings",
        ),
        (&["--relevant", "4"], "every row of it is relevant"),
        (&["--slices"], "slices are of errors"),
        (&["--metrics", "label_auc"], "a model of probabilities"),
        (
            &["--metrics", "ndcg@10", "--sampled", "0"],
            "wanted a whole number from 1",
        ),
    ] {
        let mut command = ground.command();
        let (_, message) = fail(command.args(flags));
        assert!(message.contains(wanted), "{flags:?}: {message}");
    }
    let theirs = ground
        .folder
        .write("theirs.csv", "user,item,prediction\n1,1,3\n");
    let command = &mut lowrank();
    command
        .arg("evaluate")
        .arg("--predictions")
        .arg(theirs)
        .arg("--test")
        .arg(&ground.clicks);
    let (_, message) = fail(command);
    assert!(message.contains("a test file without ratings"), "{message}");
}

#[test]
fn sampled_figures_are_asked_for_and_called_so() {
    let ground = ground();
    let plain = ground.evaluate(&["--metrics", "recall@5,ndcg@5"]);
    assert!(!plain.to_string().contains("sampled"), "{plain}");
    let flags = ["--metrics", "recall@5,ndcg@5", "--sampled", "10"];
    let found = ground.evaluate(&flags);
    assert_eq!(
        found["recall@5"], plain["recall@5"],
        "all items are ranked as before"
    );
    assert!(
        number(&found["sampled_recall@5"]) > number(&found["recall@5"]),
        "{found}"
    );
    assert!(found["baselines"]["popularity"]["sampled_ndcg@5"].is_number());
    assert_eq!(found["ranking"]["negatives"], 10);
    assert_eq!(
        ground.evaluate(&[&flags[..], &["--threads", "1"]].concat()),
        found
    );
    let other = ground.evaluate(&[&flags[..], &["--seed", "7"]].concat());
    assert_ne!(other["sampled_recall@5"], found["sampled_recall@5"]);
    let mut command = ground.command();
    let table = succeed(command.args(flags));
    assert!(
        table.contains("recall@5 (sampled, 10 negatives)"),
        "{table}"
    );
}

#[test]
fn lists_are_compared_user_by_user_where_nothing_is_rated() {
    let ground = ground();
    let other = ground.folder.path("other");
    let train = ground.folder.path("parts/train.csv");
    let few = [
        "--preset",
        "rating",
        "--epochs",
        "2",
        "--factors",
        "2",
        "--quiet",
        "-o",
    ];
    succeed(lowrank().arg("train").arg(train).args(few).arg(&other));
    let command = &mut lowrank();
    command
        .arg("compare")
        .arg(&ground.run)
        .arg(&other)
        .arg("--test")
        .arg(&ground.clicks);
    let found: Value = serde_json::from_str(&succeed(command.args(["--format", "json"]))).unwrap();
    let test = &found["test"];
    assert_eq!(test["first"]["ndcg@20"], ground.evaluate(&[])["ndcg@20"]);
    let less = number(&test["second"]["ndcg@20"]) - number(&test["first"]["ndcg@20"]);
    assert!((number(&test["ndcg@20"]["difference"]) - less).abs() < 1e-12);
    assert!(number(&test["recall@20"]["p"]) <= 1.0);
    assert!(test.get("mse").is_none() && test["first"].get("rmse").is_none());
    assert_eq!(test["users"], ground.lists().len());
}

#[test]
fn files_of_two_columns_are_split_and_checked() {
    let ground = ground();
    let parts = ground.folder.path("halves");
    let command = &mut lowrank();
    command.args(["data", "split", "--by", "user", "--fraction", "0.3", "-o"]);
    succeed(command.arg(&parts).arg(&ground.clicks));
    let check = &mut lowrank();
    check.args(["data", "check-split", "--format", "json"]);
    check
        .arg(parts.join("train.csv"))
        .arg(parts.join("test.csv"));
    let found: Value = serde_json::from_str(&succeed(check)).unwrap();
    let rows = number(&found["train_rows"]) + number(&found["test_rows"]);
    assert_eq!(rows as usize, ground.rows.len());
    assert_eq!(found["leaked_rows"], 0);
    let test = std::fs::read_to_string(parts.join("test.csv")).unwrap();
    assert!(
        test.starts_with("user_id,item_id\n"),
        "no ratings are made up: {test}"
    );
}
