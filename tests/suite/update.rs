//! Does a model take new ratings in as if it had been trained on them, and a stranger as if it had known him?

use std::collections::BTreeSet;
use std::path::Path;

use crate::common::{Folder, fail, generated, lowrank, real_data, succeed};
use lowrank::Model;
use lowrank::data::Dataset;
use lowrank::evaluation::evaluate;
use lowrank::kernels::pool::Pool;
use lowrank::training::{Config, Method};

/// The first `share` of the lines of a file in one, the rest in another.
fn cut(folder: &Folder, file: &Path, share: f64) {
    let text = std::fs::read_to_string(file).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let (old, new) = rows.split_at((share * rows.len() as f64) as usize);
    for (name, rows) in [("old.csv", old), ("new.csv", new)] {
        folder.write(name, format!("{header}\n{}\n", rows.join("\n")));
    }
}

fn train(folder: &Folder, flags: &[&str]) {
    let (old, run) = (folder.path("old.csv"), folder.path("run"));
    let mut command = lowrank();
    command.arg("train").arg(old).arg("-o").arg(run);
    succeed(command.args(["--force", "--quiet"]).args(flags));
}

fn update(folder: &Folder, flags: &[&str]) -> serde_json::Value {
    let mut command = lowrank();
    command.arg("update").arg(folder.path("run"));
    command
        .arg(folder.path("new.csv"))
        .arg("-o")
        .arg(folder.path("updated"));
    let text = succeed(command.args(["--force", "--format", "json"]).args(flags));
    serde_json::from_str(&text).unwrap()
}

fn model(folder: &Folder, run: &str) -> Model {
    Model::load(folder.path(run).join("model.lowrank")).unwrap()
}

#[test]
fn every_way_of_training_is_updated_to_bytes_that_verify() {
    let folder = Folder::new("update-ways");
    cut(&folder, &generated(&folder), 0.8);
    // A user and an item that the old ratings have not, and a rating that is changed.
    let text = std::fs::read_to_string(folder.path("new.csv")).unwrap();
    let changed = std::fs::read_to_string(folder.path("old.csv")).unwrap();
    let changed = changed
        .lines()
        .nth(1)
        .unwrap()
        .split(',')
        .collect::<Vec<_>>()[..2]
        .join(",");
    let columns = text.lines().next().unwrap().split(',').count();
    let time = if columns > 3 { ",2000000000" } else { "" };
    let more = [
        "newcomer,1,5",
        "newcomer,2,1",
        "1,novelty,4",
        "newcomer,novelty,3",
    ];
    let more: String = more.iter().map(|row| format!("{row}{time}\n")).collect();
    folder.write("new.csv", format!("{text}{changed},1{time}\n{more}"));
    for flags in [
        "--bayes",
        "--bayes --implicit items",
        "--preset rating --epochs 40",
        "--preset rating --epochs 20 --batch block",
        "--preset rating --epochs 20 --loss huber",
        "--als --threshold 3",
        "--preset implicit --epochs 6 --factors 8 --loss bpr --threshold 3",
        "--preset implicit --epochs 6 --factors 8 --loss cosine-contrastive --threshold 3",
    ] {
        train(&folder, &flags.split(' ').collect::<Vec<_>>());
        let found = update(&folder, &["--hold-out", "0.2"]);
        let compared = &found["update"]["compared"];
        assert!(
            compared["held_out"].as_u64() > Some(20),
            "{flags:?}: {found}"
        );
        let figures = compared["of"].as_array().unwrap();
        let number = |key: &str| figures[0][key].as_f64().unwrap();
        assert!(number("old").is_finite() && number("updated").is_finite());
        let (old, new) = (model(&folder, "run"), model(&folder, "updated"));
        assert_eq!(
            new.n_training_ratings() - old.n_training_ratings(),
            found["update"]["new_ratings"].as_u64().unwrap() - 1
        );
        for (side, id) in [(new.users(), "newcomer"), (new.items(), "novelty")] {
            let row = side.ids().index(id).expect("a new row");
            assert!(side.known(row), "{flags:?}: {id}");
            assert!(
                side.composed().row(row as usize).iter().any(|&x| x != 0.0),
                "{flags:?}: {id}"
            );
        }
        let verify = ["runs", "verify"];
        let mut command = lowrank();
        let text = succeed(
            command
                .args(verify)
                .arg(folder.path("updated"))
                .arg("--quiet"),
        );
        assert!(text.contains("the same bytes"), "{flags:?}\n{text}");
    }
}

#[test]
fn what_cannot_be_updated_is_refused_and_leaves_nothing() {
    let folder = Folder::new("update-refused");
    cut(&folder, &generated(&folder), 0.8);
    let refused = |words: &[&str]| {
        let mut command = lowrank();
        command.arg("update").arg(folder.path("run"));
        command
            .arg(folder.path("new.csv"))
            .arg("-o")
            .arg(folder.path("updated"));
        let output = command.output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(1 | 2)), "{message}");
        for word in words {
            assert!(message.contains(word), "{word:?} in {message}");
        }
        assert!(!folder.path("updated").exists());
    };
    refused(&["no such folder"]);
    train(&folder, &["--average", "3", "--epochs", "5"]);
    refused(&["warm-start", "average of samples", "train anew"]);
    train(&folder, &["--preset", "rating", "--epochs", "3"]);
    let old = std::fs::read_to_string(folder.path("old.csv")).unwrap();
    folder.write("old.csv", old.replacen('5', "4", 1));
    refused(&["other ratings than the run was trained on", "SHA-256"]);
    folder.write("old.csv", old);
    // The old run is needed to verify the new one, and stays.
    let mut command = lowrank();
    command.arg("update").arg(folder.path("run"));
    command
        .arg(folder.path("new.csv"))
        .arg("-o")
        .arg(folder.path("run"));
    let (code, said) = fail(command.arg("--force"));
    assert!(code == 1 && said.contains("another folder"), "{said}");
    assert!(folder.path("run/model.lowrank").is_file());
    // Of the updated run too every file has to be what it was.
    update(&folder, &[]);
    let new = std::fs::read_to_string(folder.path("new.csv")).unwrap();
    folder.write("new.csv", new.replacen('5', "4", 1));
    let mut command = lowrank();
    command.arg("update").arg(folder.path("updated"));
    let (code, said) = fail(command.arg(folder.path("old.csv")));
    assert!(
        code == 1 && said.contains("other ratings than the run"),
        "{said}"
    );
    std::fs::remove_file(folder.path("old.csv")).unwrap();
    std::fs::remove_dir_all(folder.path("updated")).unwrap();
    refused(&["are gone", "--ratings FILE"]);
}

/// Ratings that the old model was trained on would make it look better than it is.
#[test]
fn nothing_that_the_old_model_knows_is_held_out() {
    let folder = Folder::new("update-known");
    cut(&folder, &generated(&folder), 0.8);
    train(&folder, &["--preset", "rating", "--epochs", "3"]);
    let old = std::fs::read_to_string(folder.path("old.csv")).unwrap();
    folder.write("new.csv", old);
    let found = update(&folder, &["--hold-out", "0.5"]);
    assert!(found["update"]["compared"].is_null(), "{found}");
    assert_eq!(
        found["update"]["new_ratings"].as_u64(),
        Some(model(&folder, "run").n_training_ratings())
    );
}

/// A cache stands for its text, features stay those of the run, and what is lost is said.
#[test]
fn a_run_from_a_cache_with_features_is_updated() {
    let folder = Folder::new("update-cache");
    cut(&folder, &generated(&folder), 0.8);
    let cache = folder.path("old.cache");
    let mut command = lowrank();
    command
        .args(["data", "convert"])
        .arg(folder.path("old.csv"));
    succeed(command.arg("-o").arg(&cache));
    let items = folder.path("films/items.csv");
    let mut command = lowrank();
    command.arg("train").arg(cache).arg("--items").arg(&items);
    command.args(["--preset", "rating", "--epochs", "5", "--quiet", "-o"]);
    succeed(command.arg(folder.path("run")));
    let few: String = std::fs::read_to_string(items)
        .unwrap()
        .lines()
        .take(11)
        .map(|line| format!("{line}\n"))
        .collect();
    let mut command = lowrank();
    command
        .arg("update")
        .arg(folder.path("run"))
        .arg(folder.path("new.csv"));
    let few = folder.write("few.csv", few);
    let output = command
        .arg("--items")
        .arg(few)
        .arg("-o")
        .arg(folder.path("updated"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("30 items had genres and have none"),
        "{said}"
    );
    assert_eq!(
        model(&folder, "updated").items().groups()[0].name(),
        "genres"
    );
}

/// RMSE within this of a training on everything.
const AS_GOOD: f64 = 0.002;

#[test]
fn an_update_is_as_good_as_a_training_on_everything() {
    let Some(data) = real_data("ml-100k/splits/u1.base.csv") else {
        return;
    };
    let folder = Folder::new("update-100k");
    std::fs::copy(data.with_file_name("u1.test.csv"), folder.path("test.csv")).unwrap();
    for flags in [&["--bayes"][..], &["--preset", "rating"]] {
        // The ratings stand by user: of every ten lines the last is new, so that all users and items have some.
        let text = std::fs::read_to_string(&data).unwrap();
        let (header, rows) = text.split_once('\n').unwrap();
        let part = |new: bool| {
            let rows = rows.lines().enumerate();
            let rows = rows.filter(|(n, _)| (n % 10 == 9) == new);
            rows.map(|(_, row)| format!("{row}\n")).collect::<String>()
        };
        folder.write("old.csv", format!("{header}\n{}", part(false)));
        folder.write("new.csv", format!("{header}\n{}", part(true)));
        train(&folder, flags);
        update(&folder, &["--hold-out", "0"]);
        folder.write("old.csv", &text);
        train(&folder, flags);
        let rmse = |run: &str| {
            let mut command = lowrank();
            command.arg("evaluate").arg(folder.path(run)).arg("--test");
            command
                .arg(folder.path("test.csv"))
                .args(["--format", "json"]);
            let found: serde_json::Value = serde_json::from_str(&succeed(&mut command)).unwrap();
            found["rmse"].as_f64().unwrap()
        };
        let (updated, whole) = (rmse("updated"), rmse("run"));
        assert!(
            updated < whole + AS_GOOD,
            "{flags:?}: {updated}, whole {whole}"
        );
    }
}

/// RMSE of strangers within this of that of users in training.
const AS_KNOWN: f64 = 0.01;

#[test]
fn a_stranger_with_half_a_history_is_predicted_as_if_trained() {
    let Some(data) = real_data("ml-100k/ratings.csv") else {
        return;
    };
    let all = Dataset::builder().ratings(data).unwrap().build().unwrap();
    // A tenth of the users; of each every second rating is known.
    let ratings = &all.interactions;
    let is_hidden = |n: usize| ratings.users[n] % 10 == 3;
    let (mut parity, mut history, mut judged, mut others) =
        (vec![false; all.n_users()], vec![], vec![], vec![]);
    for n in 0..ratings.len() {
        if !is_hidden(n) {
            others.push(n);
            continue;
        }
        let odd = &mut parity[ratings.users[n] as usize];
        *odd = !*odd;
        if *odd {
            history.push(n)
        } else {
            judged.push(n)
        }
    }
    let with = |positions: &[usize]| all.with(ratings.select(positions));
    let test = ratings.select(&judged);
    let mut known: Vec<usize> = others.iter().chain(&history).copied().collect();
    known.sort_unstable();
    for config in [
        Config::rating(),
        Config::rating().method(Method::Variational),
    ] {
        let config = config.check().unwrap();
        let whole = config.fit(&with(&known), None, &mut ()).unwrap();
        let trained = evaluate(&whole, &test, &Pool::new(0)).unwrap().model.rmse;
        let model = config.fit(&with(&others), None, &mut ()).unwrap();
        let strangers: BTreeSet<u32> = test.users.iter().copied().collect();
        let mut squares = 0.0;
        for user in strangers {
            let name = |n: usize| all.items.ids.name(ratings.items[n]);
            let own = |n: &&usize| ratings.users[**n] == user;
            let history = history
                .iter()
                .filter(own)
                .map(|&n| (name(n), ratings.ratings[n]));
            let stranger = model.fold_in(history).unwrap();
            for &n in judged.iter().filter(own) {
                let error = stranger.predict(name(n)).unwrap().value - ratings.ratings[n];
                squares += f64::from(error * error);
            }
        }
        let folded = (squares / judged.len() as f64).sqrt();
        assert!(
            (folded - trained).abs() < AS_KNOWN,
            "{folded}, trained {trained}"
        );
    }
}
