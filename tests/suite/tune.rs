//! Does `tune` search what it says, and can its best be trained again?
//!
//! Through the real binary. What a trial is must not hang on the others, on threads, or on a limit.

use std::path::Path;

use serde_json::Value;

use super::common::{Folder, fail, generated, lowrank, succeed};

const SPACE: &str = "factors = { choice = [1, 2, 4] }\n\
                     learning-rate = { log = [5e-3, 0.1] }\n\
                     epochs = { int = [9, 40] }\n\
                     l2 = { default = { log = [1, 30] }, bias = 4 }\n";

/// The lines of `trials.jsonl`, without what the clock says.
fn tune(folder: &Folder, ratings: &Path, output: &str, more: &[&str]) -> Vec<Value> {
    search(folder, ratings, SPACE, output, more)
}

/// [`tune`] in another space.
fn search(folder: &Folder, ratings: &Path, space: &str, output: &str, more: &[&str]) -> Vec<Value> {
    let space = folder.write("space.toml", space);
    let mut command = lowrank();
    command.arg("tune").arg(ratings).arg("--space").arg(space);
    succeed(
        command
            .args(["--quiet"])
            .args(more)
            .arg("-o")
            .arg(folder.path(output)),
    );
    lines(&folder.path(output))
}

fn lines(output: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(output.join("trials.jsonl")).expect("trials");
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        line.as_object_mut()
            .expect("an object")
            .remove("seconds")
            .expect("seconds");
        line
    });
    lines.collect()
}

#[test]
fn training_from_the_best_settings_gives_the_trials_figure() {
    let folder = Folder::new("tune-best");
    let ratings = generated(&folder);
    let posterior = "factors = { int = [1, 4] }\nbayes = true\n";
    for (name, space, more) in [
        ("random", SPACE, vec!["--trials", "6"]),
        ("posterior", posterior, vec!["--trials", "3"]),
        (
            "halving",
            SPACE,
            vec![
                "--trials",
                "9",
                "--strategy",
                "halving",
                "--valid-by",
                "user",
                "--valid-fraction",
                "0.2",
            ],
        ),
    ] {
        let trials = search(&folder, &ratings, space, name, &more);
        let least = trials
            .iter()
            .filter_map(|line| line["rmse"].as_f64())
            .fold(f64::INFINITY, f64::min);
        let mut command = lowrank();
        command
            .arg("train")
            .arg(&ratings)
            .arg("--config")
            .arg(folder.path(name).join("best.toml"));
        command.arg("-o").arg(folder.path(&format!("run-{name}")));
        let summary: Value =
            serde_json::from_str(&succeed(command.args(["--quiet", "--format", "json"])))
                .expect("JSON");
        assert_eq!(summary["valid"]["rmse"].as_f64(), Some(least), "{name}");
    }
}

#[test]
fn a_trial_does_not_hang_on_others_threads_or_limits() {
    let folder = Folder::new("tune-alone");
    let ratings = generated(&folder);
    let all = tune(
        &folder,
        &ratings,
        "all",
        &["--trials", "12", "--threads", "1"],
    );
    assert_eq!(all.len(), 12);
    assert!(all.iter().enumerate().all(|(n, line)| line["trial"] == n));
    assert!(
        all.iter()
            .any(|line| line["settings"] != all[0]["settings"])
    );
    for threads in ["2", "3", "8"] {
        let again = tune(
            &folder,
            &ratings,
            &format!("t{threads}"),
            &["--trials", "12", "--threads", threads],
        );
        assert_eq!(again, all, "{threads} threads");
    }
    assert_eq!(
        tune(
            &folder,
            &ratings,
            "few",
            &["--trials", "5", "--threads", "8"]
        ),
        all[..5]
    );
    // The budget of the first four, and nearly that of the fifth.
    let epochs: Vec<u64> = all
        .iter()
        .map(|line| line["epochs"].as_u64().unwrap())
        .collect();
    let budget = (epochs[..5].iter().sum::<u64>() - 1).to_string();
    assert_eq!(
        tune(
            &folder,
            &ratings,
            "budget",
            &["--trials", "12", "--budget-epochs", &budget]
        ),
        all[..4]
    );
    // A limit that is over at once leaves the first trial.
    assert_eq!(
        tune(
            &folder,
            &ratings,
            "time",
            &[
                "--trials",
                "12",
                "--time-limit",
                "0.000001s",
                "--threads",
                "3"
            ]
        ),
        all[..1]
    );
    assert_ne!(
        tune(
            &folder,
            &ratings,
            "seed",
            &["--trials", "12", "--seed", "5"]
        )[0]["settings"],
        all[0]["settings"]
    );
}

#[test]
fn halving_trains_the_best_third_for_three_times_as_long() {
    let folder = Folder::new("tune-halving");
    let ratings = generated(&folder);
    let found = tune(
        &folder,
        &ratings,
        "h",
        &["--trials", "9", "--strategy", "halving", "--threads", "2"],
    );
    let rung = |n: u64| {
        found
            .iter()
            .filter(|line| line["rung"] == n)
            .collect::<Vec<_>>()
    };
    assert_eq!([rung(0).len(), rung(1).len(), rung(2).len()], [9, 3, 1]);
    for (low, high) in [(0, 1), (1, 2)] {
        let mut ranked = rung(low);
        ranked.sort_by(|a, b| {
            a["rmse"]
                .as_f64()
                .unwrap()
                .total_cmp(&b["rmse"].as_f64().unwrap())
        });
        let mut best: Vec<_> = ranked[..ranked.len() / 3]
            .iter()
            .map(|line| line["trial"].clone())
            .collect();
        best.sort_by_key(|trial| trial.as_u64());
        assert_eq!(
            rung(high)
                .iter()
                .map(|line| line["trial"].clone())
                .collect::<Vec<_>>(),
            best
        );
    }
    for line in &found {
        let whole = line["settings"]["epochs"].as_f64().unwrap();
        let divisor = [9.0, 3.0, 1.0][line["rung"].as_u64().unwrap() as usize];
        assert_eq!(
            line["epochs"].as_f64().unwrap(),
            (whole / divisor + 0.5).floor().max(1.0)
        );
    }
    // The last rung is whole trainings: those of random search.
    let random = tune(&folder, &ratings, "r", &["--trials", "9"]);
    let last = rung(2)[0];
    assert_eq!(
        random[last["trial"].as_u64().unwrap() as usize]["rmse"],
        last["rmse"]
    );
}

#[test]
fn over_folds_a_trial_is_what_cv_says() {
    let folder = Folder::new("tune-folds");
    let ratings = generated(&folder);
    tune(&folder, &ratings, "t", &["--trials", "4", "--folds", "3"]);
    let least = lines(&folder.path("t"))
        .iter()
        .filter_map(|line| line["rmse"].as_f64())
        .fold(f64::INFINITY, f64::min);
    let mut command = lowrank();
    command
        .arg("cv")
        .arg(&ratings)
        .args(["--folds", "3", "--format", "json", "--quiet", "--config"]);
    let found: Value =
        serde_json::from_str(&succeed(command.arg(folder.path("t/best.toml")))).expect("JSON");
    assert_eq!(found["mean"]["rmse"].as_f64(), Some(least));
}

#[test]
fn a_trial_that_runs_away_is_put_down_and_not_the_end() {
    let folder = Folder::new("tune-diverged");
    let ratings = generated(&folder);
    let search = |space: &str, output: &str| {
        let space = folder.write("space.toml", space);
        let mut command = lowrank();
        command.arg("tune").arg(&ratings).arg("--space").arg(space);
        command
            .args(["--trials", "8", "--epochs", "9", "-o"])
            .arg(folder.path(output));
        command
    };
    let json = succeed(
        search("learning-rate = { choice = [0.02, 1e30] }\n", "some")
            .args(["--quiet", "--format", "json"]),
    );
    let found: Value = serde_json::from_str(&json).expect("JSON");
    let trials = lines(&folder.path("some"));
    let diverged = trials
        .iter()
        .filter(|line| line["status"] == "diverged")
        .count();
    assert!((1..8).contains(&diverged), "{diverged}");
    assert_eq!(found["diverged"], diverged);
    for line in &trials {
        let far = line["settings"]["learning-rate"] == 1e30;
        assert_eq!(line["status"] == "diverged", far);
        assert_eq!(line.get("rmse").is_none(), far);
        assert_eq!(
            line["error"]
                .as_str()
                .is_some_and(|error| error.contains("diverged")),
            far
        );
    }
    let (code, message) = fail(&mut search(
        "learning-rate = { choice = [1e29, 1e30] }\n",
        "all",
    ));
    assert!(
        code == 4 && message.contains("training diverged"),
        "{code} {message}"
    );
    assert!(!folder.path("all/best.toml").exists());
}

#[test]
fn mistakes_are_found_before_any_trial() {
    let folder = Folder::new("tune-refused");
    let ratings = generated(&folder);
    let run = |space: &str, more: &[&str]| {
        let space = folder.write("space.toml", space);
        let mut command = lowrank();
        command.arg("tune").arg(&ratings).arg("--space").arg(space);
        fail(command.args(more).arg("-o").arg(folder.path("t")))
    };
    for (space, more, wanted) in [
        (
            "factors = 8\nfactor = { int = [1, 2] }\n",
            &[][..],
            "space.toml: line 2, column 1: got unknown field `factor`",
        ),
        (
            "\n\nl2 = { log = [0, 1] }\n",
            &[],
            "space.toml: line 3, column 6",
        ),
        (
            "epochs = { int = [1, 2] }\n",
            &["--epochs", "3"],
            "one place",
        ),
        (SPACE, &["--trials", "0"], "trials: got 0"),
        (SPACE, &["--budget-epochs", "1"], "budget-epochs: got 1"),
        (SPACE, &["--time-limit", "10"], "90s, 10m or 2h"),
        (
            SPACE,
            &["--folds", "3", "--valid-fraction", "0.1"],
            "cannot be used with",
        ),
        (SPACE, &["--folds", "1"], "folds: got 1"),
    ] {
        let (_, message) = run(space, more);
        assert!(message.contains(wanted), "{message}");
        assert!(!folder.path("t").exists(), "{wanted}");
    }
    tune(&folder, &ratings, "t", &["--trials", "2"]);
    let (_, message) = run(SPACE, &[]);
    assert!(
        message.contains("an earlier search") && message.contains("--force"),
        "{message}"
    );
    folder.write("t/notes.txt", "mine");
    assert_eq!(
        tune(&folder, &ratings, "t", &["--trials", "3", "--force"]).len(),
        3
    );
    assert!(folder.path("t/notes.txt").exists());
}
