//! Does `train` do what it says, seen from outside?
//!
//! Through the real binary: the notebook with PyTorch's initial values, what a run leaves behind, what stops it, and what it refuses.

use serde_json::Value;

use crate::common::{Folder, fail, fixture, lowrank, real_data, succeed};

fn notebook(folder: &Folder, more: &[&str]) -> std::process::Command {
    let mut command = lowrank();
    command
        .arg("train")
        .arg(fixture("notebook/ratings_raw.csv"))
        .arg("--items")
        .arg(fixture("notebook/movies.csv"));
    command
        .args(["--preset", "notebook"])
        .args(more)
        .arg("-o")
        .arg(folder.path("run"));
    command
}

fn json(path: &std::path::Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
}

fn metrics(folder: &Folder) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.path("run/metrics.jsonl")).expect("metrics");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn the_seed_run_through_the_command_line() {
    let folder = Folder::new("seed");
    let init = fixture("golden/init");
    succeed(notebook(&folder, &[]).arg("--init").arg(&init));
    let golden = json(&fixture("golden/golden.json"));
    let run = &golden["runs"]["seed_f32"];
    let wanted = run["loss_before_each_epoch_step"]
        .as_array()
        .expect("losses");
    let metrics = metrics(&folder);
    assert_eq!(metrics.len(), 200);
    for (n, (line, wanted)) in metrics.iter().zip(wanted).enumerate() {
        assert_eq!(line["epoch"].as_u64(), Some(n as u64 + 1));
        let (loss, wanted) = (
            line["train_loss"].as_f64().expect("a loss"),
            wanted.as_f64().expect("a loss"),
        );
        // The tolerance of single precision, as in `golden`.
        assert!(
            (loss - wanted).abs() <= 1e-4 * wanted,
            "epoch {n}: {loss} for {wanted}"
        );
        assert!(
            line["seconds"].as_f64().expect("seconds") > 0.0
                && line["ratings_per_second"].as_f64().expect("speed") > 0.0
        );
    }
    let model = folder.path("run");
    let top = succeed(
        lowrank()
            .args(["recommend", "--user", "0", "-n", "3", "--format", "json"])
            .arg(&model),
    );
    let top: Value = serde_json::from_str(&top).expect("JSON");
    for (movie, wanted) in top
        .as_array()
        .expect("a list")
        .iter()
        .zip(run["recommend_user0_top3"].as_array().expect("three"))
    {
        assert_eq!(movie["item"].as_str(), Some(wanted[0].to_string().as_str()));
        assert_eq!(movie["title"], wanted[1]);
        assert_eq!(movie["genres"][0], wanted[2]);
        assert!(
            (movie["score"].as_f64().expect("a score") - wanted[3].as_f64().expect("a score"))
                .abs()
                <= 1e-4
        );
    }
    let check = succeed(
        lowrank()
            .args([
                "predict", "--user", "1", "--item", "0", "--with", "genre=8", "--format", "json",
            ])
            .arg(&model),
    );
    let check: Value = serde_json::from_str(&check).expect("JSON");
    let wanted = run["offline_check_user1_movie0_genre8"]
        .as_f64()
        .expect("a score");
    assert!(
        (check["prediction"].as_f64().expect("a number") - wanted).abs() <= 1e-4,
        "{check} for {wanted}"
    );
}

#[test]
fn the_demo_prints_pytorchs_numbers_from_pytorchs_initial_values() {
    let text = succeed(
        lowrank()
            .arg("demo")
            .arg("--init")
            .arg(fixture("golden/init")),
    );
    let golden = json(&fixture("golden/golden.json"));
    let run = &golden["runs"]["seed_f32"];
    for epoch in [1, 20, 40, 200] {
        let wanted = run["loss_before_each_epoch_step"][epoch - 1]
            .as_f64()
            .expect("a loss");
        let line = text.lines().find(|line| {
            line.split_whitespace().next() == Some(&epoch.to_string())
                && line.split_whitespace().count() == 2
                && line.contains('.')
        });
        let loss: f64 = line
            .and_then(|line| line.split_whitespace().nth(1))
            .and_then(|loss| loss.parse().ok())
            .expect("a loss");
        assert!(
            (loss - wanted).abs() <= 1e-4 * wanted + 5e-7,
            "epoch {epoch}: {loss} for {wanted}"
        );
    }
    for wanted in [
        "Unique ratings: 187 of 200",
        "1  Fight Club                Drama         15.3809",
        "2  Jurassic Park             Adventure     15.2468",
        "3  The Shawshank Redemption  Drama         13.0195",
        "Offline check: user 1, movie 0 as if its genre were 8 (Horror): 5.4955",
        "47  Terminator 2: Judgment Day  Action            0       1",
    ] {
        assert!(text.contains(wanted), "no {wanted:?} in\n{text}");
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn a_run_leaves_a_model_a_record_and_metrics() {
    let folder = Folder::new("run");
    let summary = succeed(&mut notebook(
        &folder,
        &[
            "--epochs",
            "4",
            "--valid-fraction",
            "0.2",
            "--format",
            "json",
        ],
    ));
    let summary: Value = serde_json::from_str(&summary).expect("JSON");
    let record = json(&folder.path("run/run.json"));
    assert_eq!(record["counts"]["rows"], 200);
    assert_eq!(
        record["counts"]["train"]
            .as_u64()
            .zip(record["counts"]["valid"].as_u64()),
        Some((150, 37))
    );
    assert_eq!(record["counts"]["parameters"], (20 + 50 + 14) * 16);
    assert_eq!(record["config"]["epochs"], 4);
    // Of `sha256sum fixtures/notebook/ratings_raw.csv`.
    assert_eq!(record["inputs"][0]["sha256"], RATINGS_SHA256);
    assert_eq!(record["inputs"][1]["role"], "items");
    assert_eq!(summary["valid"], record["result"]["valid"]);
    let last = &metrics(&folder)[3];
    // The model on disk predicts what the trainer validated, to the last bit: the notebook keeps its last epoch.
    assert_eq!(last["valid_rmse"], record["result"]["valid"]["rmse"]);
    assert!(
        record["result"]["baselines"]["biases"]["rmse"]
            .as_f64()
            .expect("a baseline")
            > 0.0
    );
}

const RATINGS_SHA256: &str = "84d77bc53d5e6eaf3f850dd40810c5aa2326fb51d11348da46e24049b48592d0";

#[test]
fn the_best_epoch_is_kept_and_patience_stops() {
    let folder = Folder::new("best");
    let mut command = lowrank();
    // Without a penalty the model soon learns its ratings by heart, and the error on the held-out ones rises again.
    command
        .arg("train")
        .arg(fixture("notebook/ratings_raw.csv"))
        .args([
            "--l2",
            "0",
            "--l2",
            "bias=0",
            "--valid-fraction",
            "0.2",
            "--patience",
            "10",
        ]);
    succeed(command.arg("-o").arg(folder.path("run")));
    let record = json(&folder.path("run/run.json"));
    assert_eq!(record["result"]["ending"], "patience");
    let errors: Vec<f64> = metrics(&folder)
        .iter()
        .map(|line| line["valid_rmse"].as_f64().expect("an error"))
        .collect();
    let best = errors.iter().copied().fold(f64::INFINITY, f64::min);
    let epoch = errors
        .iter()
        .position(|&error| error == best)
        .expect("a best epoch")
        + 1;
    assert_eq!(record["result"]["kept_epoch"].as_u64(), Some(epoch as u64));
    assert_eq!(errors.len(), epoch + 10);
    assert_eq!(
        record["result"]["valid"]["rmse"].as_f64(),
        Some(best),
        "the model that was kept is another"
    );
}

#[test]
fn divergence_names_the_row_and_keeps_the_last_good_model() {
    let folder = Folder::new("diverged");
    let (code, message) = fail(&mut notebook(
        &folder,
        &["--optimizer", "sgd", "--learning-rate", "1e4"],
    ));
    assert_eq!(code, 4, "{message}");
    assert!(
        message.contains("user_factors of \"") && message.contains("--learning-rate"),
        "{message}"
    );
    let record = json(&folder.path("run/run.json"));
    assert_eq!(record["result"]["ending"], "diverged");
    let kept = succeed(
        lowrank()
            .args(["predict", "--user", "1", "--item", "0", "--format", "json"])
            .arg(folder.path("run")),
    );
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    assert!(
        kept["prediction"].as_f64().is_some_and(f64::is_finite),
        "{kept}"
    );
}

#[test]
fn nonsense_settings_are_usage_errors_and_leave_nothing() {
    let folder = Folder::new("nonsense");
    for (flags, wanted) in [
        (&["--l2", "NaN"][..], "l2"),
        (&["--l2", "item.genre.bias=x"], "l2"),
        (&["--l2", "item.nothing=3"], "item.genre"),
        (&["--factors", "0"], "factors"),
        (&["--epochs", "0"], "epochs"),
        (&["--learning-rate", "-1"], "learning-rate"),
        (&["--learning-rate", "inf"], "learning-rate"),
        (&["--batch", "0"], "batch"),
        (&["--valid-fraction", "1.5"], "fraction"),
        (&["--valid-fraction", "NaN"], "fraction"),
        (&["--valid-by", "moon"], "leave-last"),
        (&["--optimizer", "adamm"], "adamw"),
        (&["--link", "sigmoid:5..1"], "link"),
        (&["--clip", "3"], "clip"),
        (&["--factors", "many"], "--factors"),
        (&["--no-such-flag"], "--no-such-flag"),
        (&["--weight-decay", "-0.5"], "weight-decay"),
        (&["--patience", "0"], "patience"),
        (&["--init-std", "-1"], "init-std"),
        (&["--beta1", "1"], "beta1"),
    ] {
        let (code, message) = fail(&mut notebook(&folder, flags));
        assert_eq!(code, 2, "{flags:?}: {message}");
        assert!(message.contains(wanted), "{flags:?}: {message}");
        assert!(!folder.path("run").exists(), "{flags:?} left a folder");
    }
    let (code, message) = fail(&mut notebook(&folder, &["--item-features", "colour"]));
    assert!(code == 1 && message.contains("genre"), "{message}");
    assert!(!folder.path("run").exists());
}

/// Mean RMSE over the official folds of MovieLens 100K, ids alone, as an engine that learns interactions reaches; biases alone give .942.
const ML_100K: f64 = 0.916;

#[test]
fn the_official_folds_of_movielens_100k() {
    let folder = Folder::new("ml-100k");
    let mut sum = 0.0;
    for fold in 1..=5 {
        let file = |part: &str| real_data(&format!("ml-100k/splits/u{fold}.{part}.csv"));
        let (Some(base), Some(test)) = (file("base"), file("test")) else {
            return;
        };
        let run = folder.path(&format!("u{fold}"));
        succeed(
            lowrank()
                .arg("train")
                .arg(base)
                .args(["--quiet", "-o"])
                .arg(&run),
        );
        let errors = succeed(
            lowrank()
                .args(["evaluate", "--format", "json", "--test"])
                .arg(test)
                .arg(&run),
        );
        let errors: Value = serde_json::from_str(&errors).expect("JSON");
        assert_eq!(errors["rows"], 20_000);
        sum += errors["rmse"].as_f64().expect("a number");
    }
    assert!(sum / 5.0 <= ML_100K, "mean RMSE {}", sum / 5.0);
}

#[test]
fn real_data_trains_evaluates_and_recommends_without_a_flag() {
    for (set, user) in [
        ("ml-latest-small", "1"),
        ("ml-100k", "196"),
        ("movietweetings-10k", "1"),
    ] {
        let (Some(ratings), Some(items)) = (
            real_data(&format!("{set}/ratings.csv")),
            real_data(&format!("{set}/items.csv")),
        ) else {
            continue;
        };
        let folder = Folder::new("real");
        let (run, halves) = (folder.path("run"), folder.path("halves"));
        succeed(
            lowrank()
                .args(["data", "split"])
                .arg(&ratings)
                .arg("-o")
                .arg(&halves),
        );
        succeed(
            lowrank()
                .arg("train")
                .arg(halves.join("train.csv"))
                .arg("--items")
                .arg(items)
                .arg("-o")
                .arg(&run),
        );
        let list = succeed(
            lowrank()
                .args(["recommend", "--user", user, "--format", "json"])
                .arg(&run),
        );
        let list: Value = serde_json::from_str(&list).expect("JSON");
        assert_eq!(list.as_array().map(Vec::len), Some(10), "{set}");
        assert!(
            list[0]["title"].is_string() && list[0]["genres"].is_array(),
            "{set}: {list}"
        );
        let errors = succeed(
            lowrank()
                .args(["evaluate", "--format", "json", "--test"])
                .arg(halves.join("test.csv"))
                .arg(&run),
        );
        let errors: Value = serde_json::from_str(&errors).expect("JSON");
        assert!(
            errors["rmse"].as_f64() < errors["baselines"]["biases"]["rmse"].as_f64(),
            "{set}: {errors}"
        );
    }
}

#[test]
fn a_folder_that_is_not_empty_is_refused_without_force() {
    let folder = Folder::new("refuse");
    succeed(&mut notebook(&folder, &["--epochs", "1"]));
    let (code, message) = fail(&mut notebook(&folder, &["--epochs", "1"]));
    assert!(code == 1 && message.contains("--force"), "{message}");
    succeed(&mut notebook(&folder, &["--epochs", "2", "--force"]));
    assert_eq!(metrics(&folder).len(), 2);
}
