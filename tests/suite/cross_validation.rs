//! Does `cv` judge by what training never saw, and does it add up?
//!
//! Through the real binary, on ratings made up by `data generate`: a fold is what `train` and `evaluate` make of the same two files.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::common::{Folder, fail, generated, lowrank, real_data, succeed};

/// What `cv` says as JSON.
fn cv(arguments: &[&str]) -> Value {
    let mut command = lowrank();
    command.arg("cv").args(arguments);
    command.args(["--epochs", "30", "--format", "json", "--quiet"]);
    serde_json::from_str(&succeed(&mut command)).expect("JSON")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn figures(document: &Value, of: &str) -> Vec<f64> {
    let folds = document["folds"].as_array().expect("folds");
    folds
        .iter()
        .map(|fold| fold[of].as_f64().expect("a number"))
        .collect()
}

/// The rows of a fold in a file of `row,fold`, as two files of ratings.
fn by_hand(
    folder: &Folder,
    ratings: &Path,
    fold_of: impl Fn(usize) -> usize,
    fold: usize,
) -> [PathBuf; 2] {
    let all = std::fs::read_to_string(ratings).expect("ratings");
    let mut lines = all.lines();
    let header = lines.next().expect("a header");
    let (mut base, mut test) = (format!("{header}\n"), format!("{header}\n"));
    for (row, line) in lines.enumerate() {
        let half = if fold_of(row) == fold {
            &mut test
        } else {
            &mut base
        };
        half.push_str(line);
        half.push('\n');
    }
    [
        folder.write(&format!("u{fold}.base.csv"), base),
        folder.write(&format!("u{fold}.test.csv"), test),
    ]
}

#[test]
fn a_given_fold_is_what_train_and_evaluate_say() {
    for method in [&[][..], &["--bayes"], &["--average", "5"]] {
        given_folds(method);
    }
}

/// Of trainings with the flags of `method`.
fn given_folds(method: &[&str]) {
    let folder = Folder::new("cv-given");
    let ratings = generated(&folder);
    let mut list = String::new();
    let mut wanted = Vec::new();
    for fold in 0..3 {
        let [base, test] = by_hand(&folder, &ratings, |row| row % 3, fold);
        list.push_str(&format!("u{fold}.base.csv:u{fold}.test.csv\n"));
        let run = folder.path(&format!("run{fold}"));
        succeed(
            lowrank()
                .arg("train")
                .arg(&base)
                .args(method)
                .args(["--epochs", "30", "--quiet", "-o"])
                .arg(&run),
        );
        let mut command = lowrank();
        command.arg("evaluate").arg(&run).arg("--test").arg(&test);
        let evaluated = succeed(command.args(["--format", "json", "--quiet"]));
        wanted.push(serde_json::from_str::<Value>(&evaluated).expect("JSON"));
    }
    let list = folder.write("list.txt", list);
    let found = cv(&[method, &["--given-list", text(&list)]].concat());
    for (fold, wanted) in wanted.iter().enumerate() {
        let got = &found["folds"][fold];
        for key in ["rmse", "mae", "rows", "cold"] {
            assert_eq!(got[key], wanted[key], "{key} of fold {fold}");
        }
        assert_eq!(
            found["baselines"]["biases"]["folds"][fold],
            wanted["baselines"]["biases"]
        );
        assert_eq!(
            found["baselines"]["global_mean"]["folds"][fold],
            wanted["baselines"]["global_mean"]
        );
    }
    let rmse = figures(&found, "rmse");
    let mean = rmse.iter().sum::<f64>() / 3.0;
    let variance = rmse.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2.0;
    assert!((found["mean"]["rmse"].as_f64().unwrap() - mean).abs() < 1e-15);
    assert!((found["std"]["rmse"].as_f64().unwrap() - variance.sqrt()).abs() < 1e-12);

    // The same folds by name, from another folder.
    let pair = |fold| {
        format!(
            "{0}/u{fold}.base.csv:{0}/u{fold}.test.csv",
            text(&folder.path("")).trim_end_matches('/')
        )
    };
    let pairs: Vec<String> = (0..3).map(pair).collect();
    let given = [
        "--given", &pairs[0], "--given", &pairs[1], "--given", &pairs[2],
    ];
    let again = cv(&[method, &given].concat());
    assert_eq!(figures(&again, "rmse"), rmse);
}

#[test]
fn a_file_of_folds_is_followed_row_by_row() {
    let folder = Folder::new("cv-file");
    let ratings = generated(&folder);
    let n = std::fs::read_to_string(&ratings)
        .expect("ratings")
        .lines()
        .count()
        - 1;
    let fold_of = |row: usize| (row / 7) % 4;
    // The lines may stand in any order.
    let lines: Vec<String> = (0..n)
        .rev()
        .map(|row| format!("{row},{}", fold_of(row)))
        .collect();
    let folds = folder.write("folds.csv", format!("row,fold\n{}\n", lines.join("\n")));
    let found = cv(&[text(&ratings), "--fold-file", text(&folds)]);
    let rows: Vec<f64> = (0..4)
        .map(|fold| (0..n).filter(|&row| fold_of(row) == fold).count() as f64)
        .collect();
    assert_eq!(figures(&found, "rows"), rows);
    assert_eq!(found["by"], "file");
    // The mean of the training rows is that of the very rows that the file does not give to the fold.
    for fold in 0..4 {
        let [base, test] = by_hand(&folder, &ratings, fold_of, fold);
        let mean = |path: &Path, of: &dyn Fn(f64) -> f64| {
            let all = std::fs::read_to_string(path).expect("ratings");
            let ratings = all
                .lines()
                .skip(1)
                .map(|line| line.split(',').nth(2).unwrap().parse::<f64>().unwrap());
            let values: Vec<f64> = ratings.map(of).collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        let mu = mean(&base, &|r| r);
        let rmse = mean(&test, &|r| (r - mu) * (r - mu)).sqrt();
        let got = found["baselines"]["global_mean"]["folds"][fold]["rmse"]
            .as_f64()
            .unwrap();
        assert!((got - rmse).abs() < 1e-9, "fold {fold}: {got}, {rmse}");
    }

    let bad = folder.write(
        "bad.csv",
        format!("row,fold\n{}\n{n},1\n", lines[..5].join("\n")),
    );
    let (code, message) = fail(
        lowrank()
            .arg("cv")
            .arg(&ratings)
            .arg("--fold-file")
            .arg(&bad),
    );
    assert_eq!(code, 1);
    assert!(message.contains("bad.csv: line 7, column 1"), "{message}");
    let twice = std::fs::read_to_string(&ratings).expect("ratings");
    let last = twice.lines().last().expect("a line").to_owned();
    let twice = folder.write("twice.csv", format!("{twice}{last}\n"));
    let (_, message) = fail(
        lowrank()
            .arg("cv")
            .arg(&twice)
            .arg("--fold-file")
            .arg(&folds),
    );
    assert!(message.contains("duplicates"), "{message}");
}

#[test]
fn every_way_of_dealing_tests_what_it_says() {
    let folder = Folder::new("cv-deal");
    let ratings = generated(&folder);
    let ratings = text(&ratings);
    let n = std::fs::read_to_string(ratings)
        .expect("ratings")
        .lines()
        .count() as f64
        - 1.0;
    for by in ["random", "user"] {
        let found = cv(&[ratings, "--folds", "4", "--by", by]);
        assert_eq!(figures(&found, "rows").iter().sum::<f64>(), n, "{by}");
        assert!(
            figures(&found, "train")
                .iter()
                .zip(figures(&found, "rows"))
                .all(|(train, rows)| train + rows == n)
        );
    }
    let timed = cv(&[ratings, "--folds", "4", "--by", "time"]);
    // Five slices of time, the first tested by none.
    let (train, rows) = (figures(&timed, "train"), figures(&timed, "rows"));
    assert!((train[0] - n / 5.0).abs() < 1.0 && train[3] + rows[3] == n);
    assert!((0..3).all(|fold| train[fold] + rows[fold] == train[fold + 1]));
    let of = |seed| figures(&cv(&[ratings, "--seed", seed]), "rmse");
    assert_eq!(of("1"), of("1"));
    assert_ne!(of("1"), of("2"));
    let threads = |n| figures(&cv(&[ratings, "--threads", n]), "rmse");
    assert_eq!(threads("1"), threads("3"));
}

#[test]
fn settings_meet_the_same_folds_and_are_compared_fold_by_fold() {
    let folder = Folder::new("cv-side");
    let ratings = generated(&folder);
    let small = folder.write("small.toml", "factors = 1\n");
    let large = folder.write("large.toml", "factors = 4\nl2 = 3\n");
    let both = [
        text(&ratings),
        "--config",
        text(&small),
        "--config",
        text(&large),
    ];
    let found = cv(&both);
    let alone = cv(&[text(&ratings), "--config", text(&large)]);
    assert_eq!(found["models"][1]["name"], "large");
    let rmse = |model: &Value| -> Vec<f64> {
        let folds = model["folds"].as_array().unwrap();
        folds
            .iter()
            .map(|fold| fold["rmse"].as_f64().unwrap())
            .collect()
    };
    let (first, second) = (rmse(&found["models"][0]), rmse(&found["models"][1]));
    assert_eq!(second, figures(&alone, "rmse"));
    assert_eq!(first, figures(&found, "rmse"));
    let difference = &found["models"][1]["difference"];
    let mean = first.iter().zip(&second).map(|(a, b)| b - a).sum::<f64>() / 5.0;
    assert!((difference["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    let half = (difference["high"].as_f64().unwrap() - difference["low"].as_f64().unwrap()) / 2.0;
    // Student's 5 % point for 4 degrees of freedom.
    let reach = 2.776_445_105 * difference["std"].as_f64().unwrap() / 5f64.sqrt();
    assert!((half / reach - 1.0).abs() < 1e-8);

    let seeded = cv(&[&both[..], &["--seeds", "7,8"]].concat());
    let fold = &seeded["models"][0]["folds"][0];
    let of = |n: usize| fold["seeds"][n]["rmse"].as_f64().unwrap();
    assert_ne!(of(0), of(1));
    assert!((fold["rmse"].as_f64().unwrap() - (of(0) + of(1)) / 2.0).abs() < 1e-15);
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = Folder::new("cv-refused");
    let ratings = generated(&folder);
    let other = folder.write("other.toml", "dedupe = \"first\"\n");
    let plain = folder.write("plain.toml", "");
    let cases: [(&[&str], i32, &str); 9] = [
        (&[text(&ratings), "--folds", "1"], 2, "folds: got 1"),
        (
            &[text(&ratings), "--folds", "5", "--fold-file", "x"],
            2,
            "cannot be used with",
        ),
        (
            &[text(&ratings), "--given", "a:b"],
            2,
            "cannot be used with",
        ),
        (&[], 2, "RATINGS"),
        (&["--given", "a.csv"], 2, "u1.base.csv:u1.test.csv"),
        (&[text(&ratings), "--init", "x"], 2, "only `train`"),
        (&[text(&ratings), "--valid", "x"], 2, "--valid-fraction"),
        (
            &[
                text(&ratings),
                "--config",
                text(&plain),
                "--config",
                text(&other),
            ],
            2,
            "other data",
        ),
        (
            &[
                text(&ratings),
                "--learning-rate",
                "1e30",
                "--batch",
                "full",
                "--epochs",
                "9",
            ],
            4,
            "in fold 0, this model",
        ),
    ];
    for (arguments, code, wanted) in cases {
        let (got, message) = fail(lowrank().arg("cv").args(arguments));
        assert!(
            got == code && message.contains(wanted),
            "{arguments:?}: {got} {message}"
        );
    }
}

#[test]
fn patience_without_held_out_ratings_is_remarked_on() {
    let folder = Folder::new("cv-patience");
    let ratings = generated(&folder);
    let remarks = |more: &[&str]| {
        let mut command = lowrank();
        command
            .arg("cv")
            .arg(&ratings)
            .args(["--epochs", "9", "--patience", "2"]);
        let output = command.args(more).output().expect("the binary starts");
        assert!(output.status.success());
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    let alone = remarks(&[]);
    assert!(alone.contains("--patience does nothing"), "{alone}");
    assert!(
        alone.contains("fold 4: 720 ratings, 180 to test\n"),
        "{alone}"
    );
    // Where nobody looks on, folds are told of and epochs are not.
    assert!(!alone.contains("epoch"), "{alone}");
    let held_out = remarks(&["--valid-fraction", "0.2"]);
    assert!(!held_out.contains("--patience"), "{held_out}");
}

#[test]
fn tables_and_lines_say_the_same() {
    let folder = Folder::new("cv-formats");
    let ratings = generated(&folder);
    let run = |format: &str| {
        let mut command = lowrank();
        command
            .arg("cv")
            .arg(&ratings)
            .args(["--epochs", "20", "--folds", "3", "--quiet"]);
        succeed(command.args(["--format", format]))
    };
    let json: Value = serde_json::from_str(&run("json")).expect("JSON");
    let table = run("table");
    for mean in [&json["mean"], &json["baselines"]["biases"]["mean"]] {
        let figure = format!("{:.4}", mean["rmse"].as_f64().unwrap());
        assert!(table.contains(&figure), "no {figure} in\n{table}");
    }
    let csv = run("csv");
    assert_eq!(
        csv.lines().next(),
        Some("model,fold,train,rows,cold,rmse,mae,seconds")
    );
    for (line, rmse) in csv.lines().skip(1).zip(figures(&json, "rmse")) {
        assert_eq!(line.split(',').nth(5), Some(rmse.to_string().as_str()));
    }
}

/// On real data the default settings beat the biases by what was measured when this was written, give or take the noise of a seed.
#[test]
fn on_movielens_the_figures_are_those_known() {
    let Some(ratings) = real_data("ml-100k/ratings.csv") else {
        return;
    };
    let Some(folds) = real_data("ml-100k/random_folds.csv") else {
        return;
    };
    let mut command = lowrank();
    command.arg("cv").arg(ratings).arg("--fold-file").arg(folds);
    let found: Value =
        serde_json::from_str(&succeed(command.args(["--format", "json", "--quiet"])))
            .expect("JSON");
    let biases = found["baselines"]["biases"]["mean"]["rmse"]
        .as_f64()
        .unwrap();
    let model = found["mean"]["rmse"].as_f64().unwrap();
    assert!((biases - 0.941).abs() < 0.002, "{biases}");
    assert!(model < 0.915, "{model}");
}
