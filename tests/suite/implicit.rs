//! Are features that are made of the ratings what they say, and only of the training ratings?
//!
//! `--implicit users` describes a user by the items that they rated, `items` an item by its raters: groups like any other, in the model, its file, its export and its predictions.

use std::collections::BTreeSet;

use lowrank::Model;
use lowrank::data::builtin;
use lowrank::data::{Dataset, Split};
use lowrank::model::ModelSide;
use lowrank::training::{Config, Implicit};
use serde_json::Value;

use crate::common::{Folder, fail, fixture, lowrank, real_data, succeed};

/// Who was rated with whom in `data`, own side first.
fn pairs(data: &Dataset, of_users: bool) -> BTreeSet<(u32, u32)> {
    let ratings = &data.interactions;
    let pairs = ratings.users.iter().zip(&ratings.items);
    pairs
        .map(|(&u, &i)| if of_users { (u, i) } else { (i, u) })
        .collect()
}

/// That a side's last group is made of just these pairs.
fn check(side: &ModelSide, other: &ModelSide, name: &str, pairs: &BTreeSet<(u32, u32)>) {
    let group = side.groups().last().expect("a group");
    assert_eq!(group.name(), name);
    assert_eq!(group.values(), other.ids());
    assert!(group.biases().is_none());
    let mut found = BTreeSet::new();
    for row in 0..side.ids().len() as u32 {
        let features = group.features().row(row as usize);
        let n = features.len();
        for (f, weight) in features {
            assert_eq!(weight, 1.0 / (n as f32).sqrt());
            assert!(found.insert((row, f)), "twice");
        }
    }
    assert_eq!(&found, pairs);
}

#[test]
fn they_are_made_of_the_training_ratings_alone() {
    let data = builtin::notebook().expect("built-in data");
    let halves = data.split(&Split::random(0.3, 1)).expect("two halves");
    let config = Config::rating().epochs(3).implicit(Implicit::Both);
    let checked = config.check().expect("in range");
    let model = checked
        .fit(&halves.train, Some(&halves.valid), &mut ())
        .expect("a model");
    let (users, items) = (model.users(), model.items());
    check(users, items, "rated", &pairs(&halves.train, true));
    check(items, users, "raters", &pairs(&halves.train, false));
    let bytes = model.to_bytes().expect("a file");
    assert_eq!(Model::from_bytes(&bytes).expect("a model"), model);
}

fn train(folder: &Folder, run: &str, more: &[&str]) -> std::process::Command {
    let mut command = lowrank();
    command
        .arg("train")
        .arg(fixture("notebook/ratings_raw.csv"));
    command.arg("--items").arg(fixture("notebook/movies.csv"));
    command.args(["--epochs", "5"]).args(more).arg("-o");
    command.arg(folder.path(run));
    command
}

#[test]
fn they_go_through_the_command_line() {
    let folder = Folder::new("implicit");
    let both = ["--implicit", "both", "--item-features", "genre"];
    succeed(&mut train(&folder, "run", &both));
    let run = folder.path("run");
    let record = std::fs::read_to_string(run.join("run.json")).expect("a record");
    let record: Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(record["features"]["items"][1], "raters");
    assert_eq!(record["features"]["users"][0], "rated");
    assert_eq!(record["config"]["implicit"], "both");

    let ask = |more: &[&str]| {
        let mut command = lowrank();
        command
            .arg("predict")
            .arg(&run)
            .args(more)
            .args(["--format", "json"]);
        command
    };
    let pair = ["--user", "1", "--item", "0", "--verify"];
    succeed(&mut ask(&pair));
    succeed(&mut ask(&[&pair[..], &["--with", "genre=8"]].concat()));
    let (_, message) = fail(&mut ask(&[&pair[..], &["--with", "raters=8"]].concat()));
    assert!(
        message.contains("made of the training ratings"),
        "{message}"
    );

    let tables = folder.path("tables");
    succeed(
        lowrank()
            .args(["export", "--to", "npy"])
            .arg(&run)
            .arg(&tables),
    );
    let ids = |name: &str| std::fs::read_to_string(tables.join(name)).expect("ids");
    assert_eq!(ids("user.rated.ids.txt"), ids("item_ids.txt"));
    assert_eq!(ids("item.raters.ids.txt"), ids("user_ids.txt"));
    let init = tables.display().to_string();
    let again = [&both[..], &["--init", &init]].concat();
    let output = train(&folder, "again", &again).output().expect("it starts");
    let notes = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(notes.contains("user.rated 50 rows; "), "{notes}");
    assert!(notes.contains("item.raters 20 rows"), "{notes}");
}

#[test]
fn keys_and_names_that_do_not_fit_are_refused() {
    let folder = Folder::new("implicit-keys");
    let items: [&'static str; 2] = ["--implicit", "items"];
    let with = |more: &[&'static str]| [&items[..], more].concat();
    succeed(&mut train(
        &folder,
        "run",
        &with(&["--l2", "item.raters=3", "--init-std", "item.raters=0.2"]),
    ));
    for (flags, wanted) in [
        (with(&["--l2", "user.rated=3"]), "item.raters"),
        (with(&["--l2", "item.raters.bias=3"]), "item.raters"),
        (vec!["--implicit", "everybody"], "both"),
    ] {
        let (code, message) = fail(&mut train(&folder, "no", &flags));
        assert_eq!(code, 2, "{message}");
        assert!(message.contains(wanted), "{message}");
    }
    let movies = std::fs::read_to_string(fixture("notebook/movies.csv")).expect("a fixture");
    let movies = folder.write("movies.csv", movies.replacen("genre", "raters", 1));
    let mut command = lowrank();
    command
        .arg("train")
        .arg(fixture("notebook/ratings_raw.csv"));
    command.arg("--items").arg(movies).args(items).arg("-o");
    let (code, message) = fail(command.arg(folder.path("no")));
    assert_eq!(code, 2, "{message}");
    assert!(message.contains("column called raters"), "{message}");
    assert!(!folder.path("no").exists());
}

/// Who rated an item tells more of it than its genres: .9246 becomes .9063 on this fold.
#[test]
fn raters_tell_of_an_item() {
    let file = |part: &str| real_data(&format!("ml-100k/splits/u1.{part}.csv"));
    let (Some(base), Some(test)) = (file("base"), file("test")) else {
        return;
    };
    let folder = Folder::new("raters");
    let run = folder.path("run");
    let error = |flags: &[&str]| {
        let mut command = lowrank();
        command.arg("train").arg(&base).args(flags);
        succeed(command.args(["--quiet", "--force", "-o"]).arg(&run));
        let mut command = lowrank();
        command.args(["evaluate", "--format", "json", "--test"]);
        let errors = succeed(command.arg(&test).arg(&run));
        let errors: Value = serde_json::from_str(&errors).expect("JSON");
        errors["rmse"].as_f64().expect("a number")
    };
    let plain = ["--preset", "rating"];
    let (without, with) = (
        error(&plain),
        error(&[&plain[..], &["--implicit", "items"]].concat()),
    );
    assert!(
        with < without - 0.012,
        "{with} with raters, {without} without"
    );
}
