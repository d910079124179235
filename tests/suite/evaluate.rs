//! Is a model judged honestly, through the real binary?
//!
//! The oracle of rankings is a file of `recommend --all` and the definitions; that of errors is `predict`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{Folder, by_user, fail, lowrank, recommended, succeed};

/// Generated ratings with a time, split by hand: every seventh row is for the test.
struct Ground {
    folder: Folder,
    run: PathBuf,
    train: PathBuf,
    test: PathBuf,
    /// User, item, rating.
    rows: Vec<(String, String, f64)>,
}

fn ground() -> Ground {
    let folder = Folder::new("judge");
    let films = folder.path("films");
    let sizes = ["--users", "150", "--items", "120", "--ratings", "5000"];
    succeed(
        lowrank()
            .args(["data", "generate", "--seed", "3", "-o"])
            .arg(&films)
            .args(sizes),
    );
    let text = std::fs::read_to_string(films.join("ratings.csv")).unwrap();
    let (mut train, mut test) = (String::new(), String::new());
    let mut rows = Vec::new();
    for (n, line) in text.lines().skip(1).enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        let (user, item, rating) = (fields[0], fields[1], fields[2]);
        let line = format!("{user},{item},{rating},{}\n", n * 37 % 1000);
        match n % 7 {
            0 => {
                test += &line;
                rows.push((user.to_owned(), item.to_owned(), rating.parse().unwrap()));
            }
            _ => train += &line,
        }
    }
    for (user, item, rating) in [("nobody", "1", 4.0), ("nobody", "nothing", 5.0)] {
        test += &format!("{user},{item},{rating},77\n");
        rows.push((user.into(), item.into(), rating));
    }
    let head = "user,item,rating,timestamp\n";
    let train = folder.write("train.csv", format!("{head}{train}"));
    let test = folder.write("test.csv", format!("{head}{test}"));
    let run = folder.path("run");
    let few = ["--epochs", "8", "--quiet", "-o"];
    succeed(lowrank().arg("train").arg(&train).args(few).arg(&run));
    Ground {
        folder,
        run,
        train,
        test,
        rows,
    }
}

impl Ground {
    fn evaluate(&self, more: &[&str]) -> Value {
        let command = &mut lowrank();
        command.arg("evaluate").arg(&self.run).arg("--test");
        command
            .arg(&self.test)
            .args(["--format", "json"])
            .args(more);
        serde_json::from_str(&succeed(command)).unwrap()
    }

    /// The best `n` unseen items of every user of the model.
    fn lists(&self, n: &str) -> BTreeMap<String, Vec<String>> {
        recommended(&self.run, n)
    }

    /// The relevant items of each test user.
    fn relevant(&self, least: f64) -> BTreeMap<String, BTreeSet<String>> {
        let rows = self.rows.iter().filter(|row| row.2 >= least);
        by_user(rows.map(|row| (&row.0, &row.1)))
    }
}

/// Sums of some hundred numbers below 1 in two orders.
const TOLERANCE: f64 = 1e-12;

fn close(found: &Value, wanted: f64, what: &str) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{what}: {found}"));
    assert!(
        (found - wanted).abs() < TOLERANCE,
        "{what}: {found}, not {wanted}"
    );
}

#[test]
fn rankings_are_those_of_the_lists_that_are_recommended() {
    let ground = ground();
    let lists = ground.lists("20");
    for (least, relevant) in [
        (None, ground.relevant(f64::MIN)),
        (Some("4"), ground.relevant(4.0)),
    ] {
        let metrics = "ndcg@10,recall@20,precision@5,map@10,mrr@20,hit@5,auc";
        let mut more = vec!["--metrics", metrics];
        more.extend(least.iter().flat_map(|least| ["--relevant", least]));
        let found = ground.evaluate(&more);
        assert_eq!(found["users"], relevant.len());
        let without = ground.relevant(f64::MIN).len() - relevant.len();
        assert_eq!(found["ranking"]["users_without_relevant"], without);
        let mean = |of: &dyn Fn(&[String], &BTreeSet<String>) -> f64| {
            // A stranger's list is in no file: theirs is taken from what is left of the mean.
            let known = relevant.iter().filter(|(user, _)| *user != "nobody");
            known
                .map(|(user, items)| of(&lists[user], items))
                .sum::<f64>()
        };
        let n = relevant.len() as f64;
        let hits = |list: &[String], items: &BTreeSet<String>, n: usize| {
            list.iter().take(n).filter(|i| items.contains(*i)).count() as f64
        };
        // The stranger's item 1 adds at most one user's share, and the other can never be found.
        let stranger = 1.0 / n;
        for (name, value) in [
            ("recall@20", mean(&|l, r| hits(l, r, 20) / r.len() as f64)),
            ("precision@5", mean(&|l, r| hits(l, r, 5) / 5.0)),
            ("hit@5", mean(&|l, r| hits(l, r, 5).min(1.0))),
            (
                "mrr@20",
                mean(&|l, r| {
                    let first = l.iter().position(|item| r.contains(item));
                    first.map_or(0.0, |at| 1.0 / (at as f64 + 1.0))
                }),
            ),
            (
                "ndcg@10",
                mean(&|l, r| {
                    let gain = |at: usize| 1.0 / (at as f64 + 2.0).log2();
                    let places = l.iter().take(10).enumerate();
                    let found = places.filter(|(_, item)| r.contains(*item));
                    let best: f64 = (0..r.len().min(10)).map(gain).sum();
                    found.map(|(at, _)| gain(at)).sum::<f64>() / best
                }),
            ),
        ] {
            let rest = found[name].as_f64().unwrap() - value / n;
            assert!(
                (-TOLERANCE..=stranger + TOLERANCE).contains(&rest),
                "{name}: {rest}"
            );
            assert!(found["baselines"]["popularity"][name].is_number(), "{name}");
        }
        let auc = found["auc"].as_f64().unwrap();
        assert!(auc > 0.5 && auc < 1.0, "{auc}");
    }
}

#[test]
fn without_strangers_the_metrics_are_exactly_those_of_the_lists() {
    let ground = ground();
    let mut rows = String::from("user,item,rating\n");
    for (user, item, rating) in ground.rows.iter().filter(|row| row.0 != "nobody") {
        rows += &format!("{user},{item},{rating}\n");
    }
    let test = ground.folder.write("known.csv", rows);
    let ask = |threads: &str| {
        let metrics = "recall@10,coverage@10,overlap@10,novelty@10,gini@10";
        let command = &mut lowrank();
        command
            .arg("evaluate")
            .arg(&ground.run)
            .arg("--test")
            .arg(&test);
        command.args([
            "--metrics",
            metrics,
            "--format",
            "json",
            "--threads",
            threads,
        ]);
        succeed(command)
    };
    assert_eq!(ask("1"), ask("3"));
    let found: Value = serde_json::from_str(&ask("2")).unwrap();
    let lists = ground.lists("10");
    let mut relevant = ground.relevant(f64::MIN);
    relevant.remove("nobody");
    let recall = relevant.iter().map(|(user, items)| {
        let hits = lists[user].iter().filter(|item| items.contains(*item));
        hits.count() as f64 / items.len() as f64
    });
    let n = relevant.len() as f64;
    close(&found["recall@10"], recall.sum::<f64>() / n, "recall@10");
    let shown: BTreeSet<&String> = relevant.keys().flat_map(|user| &lists[user]).collect();
    let model = lowrank::Model::load(ground.run.join("model.lowrank")).unwrap();
    let n_items = model.items().ids().len() as f64;
    close(
        &found["coverage@10"],
        shown.len() as f64 / n_items,
        "coverage@10",
    );
    // The most rated of the training file, first seen first, less what the user rated.
    let text = std::fs::read_to_string(&ground.train).unwrap();
    let (mut counts, mut seen) = (BTreeMap::<&str, usize>::new(), BTreeSet::new());
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        *counts.entry(fields[1]).or_default() += 1;
        seen.insert((fields[0], fields[1]));
    }
    let mut popular: Vec<&str> = model.items().ids().names().iter().collect();
    popular.sort_by_key(|item| std::cmp::Reverse(counts.get(item).copied().unwrap_or(0)));
    let (mut overlap, mut bits) = (0.0, 0.0);
    let total: usize = counts.values().sum();
    for user in relevant.keys() {
        let theirs = popular
            .iter()
            .filter(|item| !seen.contains(&(user.as_str(), **item)));
        let theirs: Vec<&str> = theirs.copied().take(10).collect();
        let both = lists[user]
            .iter()
            .filter(|item| theirs.contains(&item.as_str()));
        overlap += both.count() as f64 / 10.0;
        let surprise = |item: &String| -(counts[item.as_str()] as f64 / total as f64).log2();
        bits += lists[user].iter().map(surprise).sum::<f64>() / 10.0;
    }
    close(&found["overlap@10"], overlap / n, "overlap@10");
    let novelty = found["novelty@10"].as_f64().unwrap();
    assert!((novelty - bits / n).abs() < 1e-9, "{novelty}");
    assert_eq!(found["baselines"]["popularity"]["overlap@10"], 1.0);
}

#[test]
fn the_popular_list_in_disguise_is_warned_of() {
    let ground = ground();
    let command = &mut lowrank();
    command
        .arg("evaluate")
        .arg(&ground.run)
        .arg("--test")
        .arg(&ground.test);
    // With as many places as items every list is everything.
    let output = command.args(["--metrics", "ndcg@500"]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        message.contains("warning: 100 % of the lists' first 500 items"),
        "{message}"
    );
}

#[test]
fn intervals_hold_the_value_and_slices_add_up() {
    let ground = ground();
    let more = [
        "--intervals",
        "--bootstrap",
        "200",
        "--slices",
        "--metrics",
        "ndcg@10,coverage@10",
    ];
    let found = ground.evaluate(&more);
    assert_eq!(found, ground.evaluate(&more), "seeded");
    let other = ground.evaluate(&[&more[..], &["--seed", "7"]].concat());
    for name in ["rmse", "ndcg@10"] {
        assert_ne!(found["intervals"][name], other["intervals"][name], "{name}");
    }
    for name in ["rmse", "mae", "ndcg@10"] {
        let ends = [0, 1].map(|end| found["intervals"][name][end].as_f64().unwrap());
        let value = found[name].as_f64().unwrap();
        assert!(
            ends[0] < value && value < ends[1],
            "{name}: {value} in {ends:?}"
        );
    }
    assert!(found["intervals"]["coverage@10"].is_null());
    let slices = found["slices"].as_array().unwrap();
    for by in ["user", "item", "item popularity", "user activity", "time"] {
        let of: Vec<&Value> = slices.iter().filter(|slice| slice["by"] == by).collect();
        let rows: u64 = of.iter().map(|slice| slice["rows"].as_u64().unwrap()).sum();
        assert_eq!(rows as usize, ground.rows.len(), "{by}");
        let errors = |key: &str, of_whole: &Value| {
            let sums = of.iter().map(|slice| {
                let slice_error = if key == "biases" {
                    &slice["biases"]["mae"]
                } else {
                    &slice[key]
                };
                slice_error.as_f64().unwrap() * slice["rows"].as_f64().unwrap()
            });
            let whole = of_whole.as_f64().unwrap();
            assert!(
                (sums.sum::<f64>() / rows as f64 - whole).abs() < TOLERANCE,
                "{by}, {key}"
            );
        };
        errors("mae", &found["mae"]);
        errors("biases", &found["baselines"]["biases"]["mae"]);
    }
    let cold = slices
        .iter()
        .find(|s| s["by"] == "user" && s["slice"] == "cold")
        .unwrap();
    assert_eq!(cold["rows"], 2);
}

#[test]
fn neighbours_stand_beside_where_the_training_ratings_are_given() {
    let ground = ground();
    let train = ground.train.to_str().unwrap();
    let more = [
        "--train",
        train,
        "--baselines",
        "knn",
        "--metrics",
        "ndcg@10,auc",
    ];
    let found = ground.evaluate(&more);
    let knn = &found["baselines"]["knn"];
    let mean = found["baselines"]["global_mean"]["rmse"].as_f64().unwrap();
    assert!(knn["rmse"].as_f64().unwrap() < mean, "{found}");
    assert!(
        knn["ndcg@10"].is_number() && knn["auc"].as_f64().unwrap() > 0.5,
        "{found}"
    );
    let (code, message) = fail(
        lowrank()
            .arg("evaluate")
            .arg(&ground.run)
            .arg("--test")
            .arg(&ground.test)
            .arg("--train")
            .arg(train),
    );
    assert!(
        code == 2 && message.contains("--baselines knn"),
        "{message}"
    );
}

/// The command on a file of predictions.
fn judged(predictions: &Path, test: &Path, more: &[&str]) -> std::process::Command {
    let mut command = lowrank();
    command
        .arg("evaluate")
        .arg("--predictions")
        .arg(predictions);
    command.arg("--test").arg(test).args(more);
    command
}

#[test]
fn anybodys_predictions_are_judged_like_a_model() {
    let ground = ground();
    let file = ground.folder.path("theirs.csv");
    succeed(
        lowrank()
            .arg("predict")
            .arg(&ground.run)
            .arg("--pairs")
            .arg(&ground.test)
            .arg("-o")
            .arg(&file),
    );
    let own = ground.evaluate(&[]);
    let train = [
        "--train",
        ground.train.to_str().unwrap(),
        "--format",
        "json",
    ];
    let theirs: Value =
        serde_json::from_str(&succeed(&mut judged(&file, &ground.test, &train))).unwrap();
    for key in ["rmse", "mae"] {
        close(&theirs[key], own[key].as_f64().unwrap(), key);
    }
    assert_eq!(theirs["cold"], own["cold"]);
    // The same λ and the same ratings: sums in two orders, sweeps that end by blocks a little before or after.
    let biases = |of: &Value| of["baselines"]["biases"]["rmse"].as_f64().unwrap();
    assert!((biases(&theirs) - biases(&own)).abs() < 1e-4);

    let text = std::fs::read_to_string(&file).unwrap();
    let some: String = text
        .lines()
        .take(101)
        .map(|line| format!("{line}\n"))
        .collect();
    let some = ground.folder.write("some.csv", some);
    let (code, message) = fail(&mut judged(&some, &ground.test, &[]));
    let (n, row) = (ground.rows.len(), &ground.rows[100]);
    let wanted = format!(
        "no prediction for {} of {n} test ratings, the first of user {:?} and item {:?}",
        n - 100,
        row.0,
        row.1
    );
    assert!(
        code == 1 && message.contains(&wanted) && message.contains("--missing skip"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
    let skip = ["--missing", "skip", "--format", "json"];
    let found: Value =
        serde_json::from_str(&succeed(&mut judged(&some, &ground.test, &skip))).unwrap();
    assert_eq!(
        (&found["rows"], &found["missing"]),
        (&Value::from(100), &Value::from(n - 100))
    );

    let twice = ground
        .folder
        .write("twice.csv", "user,item,prediction\na,b,1\na,b,2\n");
    let (_, message) = fail(&mut judged(&twice, &ground.test, &skip));
    assert!(
        message.contains("two predictions of user \"a\" and item \"b\", 1 and 2"),
        "{message}"
    );
    let none = ground
        .folder
        .write("none.csv", "user,item,prediction\na,b,1\n");
    let (code, _) = fail(&mut judged(&none, &ground.test, &skip));
    assert_eq!(code, 1, "nothing is left to judge");
    let (code, message) = fail(&mut judged(&file, &ground.test, &["--metrics", "ndcg@10"]));
    assert!(code == 2 && message.contains("ndcg@10"), "{message}");
    let (code, _) = fail(&mut judged(&file, &ground.test, &["--slices"]));
    assert_eq!(code, 2);
}

#[test]
fn a_metric_explains_itself_without_a_model() {
    let ndcg = succeed(lowrank().args(["evaluate", "--explain", "ndcg"]));
    for word in [
        "ndcg@N",
        "log₂(rank + 1)",
        "range",
        "edges",
        "ties",
        "item index",
    ] {
        assert!(ndcg.contains(word), "{word}: {ndcg}");
    }
    let all = succeed(lowrank().args(["evaluate", "--explain", "all"]));
    for name in all
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
    {
        let name = name.trim_end_matches("@N");
        let json = succeed(lowrank().args(["evaluate", "--explain", name, "--format", "json"]));
        let json: Value = serde_json::from_str(&json).unwrap();
        assert!(!json["formula"].as_array().unwrap().is_empty(), "{json}");
    }
    let (code, message) = fail(lowrank().args(["evaluate", "--explain", "ndgc"]));
    assert!(
        code == 2 && message.contains("ndcg@10") && message.lines().count() == 1,
        "{message}"
    );
    let (code, message) =
        fail(lowrank().args(["evaluate", "model", "--test", "x", "--metrics", "ndcg@0"]));
    assert!(code == 2 && message.contains("1 to 100000"), "{message}");
    assert_eq!(fail(lowrank().arg("evaluate")).0, 2);
}

#[test]
fn a_split_is_checked_for_what_the_halves_share() {
    let folder = Folder::new("check-split");
    let train = folder.write(
        "train.csv",
        "user,item,rating,time\na,x,4,10\na,y,3,40\nb,x,2,20\nb,x,2,25\n",
    );
    let test = folder.write(
        "test.csv",
        "user,item,rating,time\na,y,5,35\nb,z,1,30\nnew,x,3,50\n",
    );
    let command = || {
        let mut command = lowrank();
        command.args(["data", "check-split"]).arg(&train).arg(&test);
        command
    };
    let json: Value = serde_json::from_str(&succeed(command().args(["--format", "json"]))).unwrap();
    let wanted = [
        ("train_rows", 4),
        ("test_rows", 3),
        ("leaked_rows", 1),
        ("train_duplicates", 1),
        ("test_duplicates", 0),
        ("cold_users", 1),
        ("cold_items", 1),
        ("cold_rows", 2),
    ];
    for (key, value) in wanted {
        assert_eq!(json[key], value, "{key}");
    }
    assert_eq!(
        (
            &json["times"]["own_future_rows"],
            &json["times"]["any_future_rows"]
        ),
        (&Value::from(1), &Value::from(2))
    );
    let output = command().output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table
            .lines()
            .any(|line| line.split_whitespace().eq(["leaked_rows", "1", "0.3333"])),
        "{table}"
    );
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(message.matches("warning: ").count(), 2, "{message}");
    fail(
        lowrank()
            .args(["data", "check-split"])
            .arg(&train)
            .arg(folder.path("gone.csv")),
    );
}

#[test]
fn tables_and_csv_show_what_was_asked_for() {
    let ground = ground();
    let show = |more: &[&str]| {
        let mut command = lowrank();
        command
            .arg("evaluate")
            .arg(&ground.run)
            .arg("--test")
            .arg(&ground.test)
            .args(more);
        succeed(&mut command)
    };
    let table = show(&[
        "--metrics",
        "ndcg@10,auc",
        "--intervals",
        "--bootstrap",
        "40",
    ]);
    let words: Vec<&str> = table
        .lines()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(words, ["metric", "rmse", "mae", "ndcg@10", "auc"]);
    assert!(
        table.lines().all(|line| line.chars().count() <= 80),
        "{table}"
    );
    let csv = show(&["--slices", "--format", "csv"]);
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("by,slice,rows,rmse,mae,biases rmse,biases mae")
    );
    let all = format!("all,,{},", ground.rows.len());
    assert!(
        lines.next().is_some_and(|line| line.starts_with(&all)),
        "{csv}"
    );
}
