//! Are the features of a prediction those of training, and is everything else noticed?
//!
//! Through the real binary: a model is trained on one table of films and meets copies of it, each with another change.

use super::common::{Folder, fail, fixture, lowrank, succeed};
use std::process::Command;

/// (id, genres, year, minutes) of 40 films of 1980 to 1999.
type Film = [String; 4];

fn films() -> Vec<Film> {
    let film = |n: usize| {
        let genres = ["Drama", "Drama|Crime", "Comedy", "Western|Comedy"][n % 4];
        let minutes = 80 + (n * 7) % 60;
        [
            format!("i{n}"),
            genres.into(),
            (1980 + n / 2).to_string(),
            minutes.to_string(),
        ]
    };
    (0..40).map(film).collect()
}

const HEADER: [&str; 4] = ["item_id", "genres", "year", "minutes"];

fn csv(header: [&str; 4], films: &[Film]) -> String {
    let lines = films.iter().map(|film| film.join(","));
    let header = std::iter::once(header.join(","));
    header.chain(lines).map(|line| line + "\n").collect()
}

/// Of 30 users; films from 1990 on have 4 or 5, older ones 1 or 2.
fn ratings() -> String {
    let mut text = String::from("user_id,item_id,rating\n");
    for (user, item) in (0..30).flat_map(|u| (0..40).map(move |i| (u, i))) {
        if (user + item) % 3 != 0 {
            let rating = if item < 20 { 1 } else { 4 } + (user * 7 + item * 3) % 2;
            text.push_str(&format!("u{user},i{item},{rating}\n"));
        }
    }
    text
}

struct House {
    folder: Folder,
}

impl House {
    fn new() -> House {
        let folder = Folder::new("contract");
        folder.write("ratings.csv", ratings());
        folder.write("films.csv", csv(HEADER, &films()));
        folder.write(
            "pairs.csv",
            "user,item\nu1,i3\nu1,i30\nu2,i7\nu2,new\nu3,strange\n",
        );
        let mut train = lowrank();
        train.arg("train").arg(folder.path("ratings.csv"));
        train.arg("--items").arg(folder.path("films.csv"));
        train.args(["--item-features", "genres,year:bin5,minutes:number"]);
        train.args(["--factors", "4", "--epochs", "20", "--l2", "2", "-o"]);
        succeed(train.arg(folder.path("run")));
        House { folder }
    }

    fn command(&self, command: &str) -> Command {
        let mut asked = lowrank();
        asked.arg(command).arg(self.folder.path("run"));
        asked
    }

    /// Predictions of the pairs with these films; (CSV, remarks) or what was refused.
    fn predict(&self, text: &str, more: &[&str]) -> Result<(String, String), String> {
        let films = self.folder.write("fresh.csv", text);
        let mut command = self.command("predict");
        command.arg("--pairs").arg(self.folder.path("pairs.csv"));
        command.arg("--items").arg(films).args(more);
        let output = command.args(["--format", "csv"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("panicked"), "{said}");
        match output.status.code() {
            Some(0) => Ok((String::from_utf8(output.stdout).unwrap(), said)),
            code => {
                assert_eq!(code, Some(1), "{said}");
                assert!(output.stdout.is_empty(), "nothing is predicted before");
                Err(said)
            }
        }
    }
}

/// Every kind of change, its films, what is said of it, and whether it is refused without a word about that.
fn changes() -> Vec<(&'static str, String, &'static str, bool)> {
    let with = |change: &dyn Fn(&mut Film)| {
        let mut films = films();
        films.iter_mut().for_each(change);
        csv(HEADER, &films)
    };
    let of = |id: &'static str, column: usize, cell: &'static str| {
        with(&|film| {
            if film[0] == id {
                film[column] = cell.into();
            }
        })
    };
    let named = |header: [&str; 4]| csv(header, &films());
    let scaled = |column: usize, times: f64| {
        with(&|film| {
            let number: f64 = film[column].parse().unwrap();
            film[column] = (number * times).to_string();
        })
    };
    vec![
        (
            "a new category",
            of("i3", 1, "Drama|Noir"),
            "training never saw in 1 of 40 items: \"Noir\"",
            false,
        ),
        (
            "an empty cell",
            of("i3", 2, ""),
            "empty cells of year in 1 of 40 items",
            false,
        ),
        (
            "a missing column",
            with(&|_| ()).replace("minutes", "studio"),
            "no column \"minutes\"",
            true,
        ),
        (
            "a column by a near name",
            named(["item_id", "genre", "year", "minutes"]),
            "did you mean \"genre\"?",
            true,
        ),
        (
            "a column by another name",
            named(["item_id", "genres", "released", "minutes"]),
            "did you mean \"released\", which has alike values?",
            true,
        ),
        (
            "other units: minutes in hours",
            scaled(3, 1.0 / 60.0),
            "numbers of minutes far from all that training saw in 40 of 40 items",
            true,
        ),
        (
            "other units: years in seconds",
            scaled(2, 31_556_952.0),
            "numbers of year far",
            true,
        ),
        (
            "a number that is far",
            of("i3", 2, "19950101"),
            "numbers of year far from all that training saw in 1 of 40 items",
            false,
        ),
        (
            "text in numbers",
            of("i3", 2, "nineties"),
            "text for the number year in 1 of 40 items (the item \"i3\" has \"nineties\")",
            true,
        ),
        (
            "several numbers",
            of("i3", 2, "1981|1982"),
            "several values of year in a cell of 1 of 40 items",
            true,
        ),
        (
            "numbers in categories",
            with(&|film| film[1] = "17".into()),
            "numbers for genres",
            true,
        ),
    ]
}

#[test]
fn whatever_differs_from_training_is_noticed() {
    let house = House::new();
    let plain = {
        let mut command = house.command("predict");
        command.arg("--pairs").arg(house.folder.path("pairs.csv"));
        succeed(command.args(["--format", "csv"]))
    };
    // The same films in another order of rows and columns change no digit.
    let mut turned = films();
    turned.reverse();
    turned.iter_mut().for_each(|film| film.swap(1, 3));
    let header = ["item_id", "minutes", "year", "genres"];
    for text in [csv(HEADER, &films()), csv(header, &turned)] {
        let (same, said) = house.predict(&text, &["--on-skew", "error"]).unwrap();
        assert_eq!(same, plain);
        assert!(
            said.contains("40 items of the model, 0 with other features\n"),
            "{said}"
        );
        assert!(!said.contains("warning"), "{said}");
    }
    for (what, text, says, refused) in changes() {
        match (house.predict(&text, &[]), refused) {
            (Err(said), true) => {
                assert!(said.contains(says), "{what}: {said}");
                assert!(
                    said.contains("fresh.csv: got") && said.contains("wanted"),
                    "{said}"
                );
            }
            (Ok((_, said)), false) => {
                assert!(
                    said.contains("warning: ") && said.contains(says),
                    "{what}: {said}"
                );
            }
            (other, _) => panic!("{what}: {other:?}"),
        }
        let said = house.predict(&text, &["--on-skew", "error"]).unwrap_err();
        assert!(said.contains(says), "{what}: {said}");
        let (predictions, said) = house.predict(&text, &["--on-skew", "report"]).unwrap();
        assert!(said.contains(says), "{what}: {said}");
        assert_eq!(predictions.lines().count(), 6, "{what}");
    }
}

#[test]
fn a_film_that_is_newer_than_the_model_stands_by_its_features() {
    let house = House::new();
    let mut all = films();
    all.push(["new", "Drama", "1998", "100"].map(String::from));
    all.push(["strange", "Noir", "", ""].map(String::from));
    let (predictions, said) = house.predict(&csv(HEADER, &all), &[]).unwrap();
    for part in ["1 new, by their features alone", "1 left out", "\"Noir\""] {
        assert!(said.contains(part), "{said}");
    }
    let cells = |line: &str| -> Vec<String> { line.split(',').map(str::to_owned).collect() };
    let rows: Vec<_> = predictions.lines().skip(1).map(cells).collect();
    assert_eq!((&*rows[3][1], &*rows[3][3]), ("new", "full"));
    assert_eq!((&*rows[4][1], &*rows[4][3]), ("strange", "user_only"));

    // What if it had those features: the same code, the same number.
    let mut what_if = house.command("predict");
    what_if.args(["--user", "u2", "--item", "new", "--with", "genres=Drama"]);
    what_if.args([
        "--with",
        "year=1998",
        "--with",
        "minutes=100",
        "--format",
        "csv",
    ]);
    let what_if = succeed(&mut what_if);
    assert_eq!(cells(what_if.lines().nth(1).unwrap()), rows[3]);

    // It is recommended as it is predicted, to one and to all; and it counts in an evaluation.
    let films = house.folder.path("fresh.csv");
    for who in [&["--user", "u2"][..], &["--all"]] {
        let mut command = house.command("recommend");
        command
            .args(who)
            .args(["-n", "50", "--format", "csv", "--items"]);
        let list = succeed(command.arg(&films));
        let line = list
            .lines()
            .find(|line| line.contains(",new,") && (who.len() == 2 || line.starts_with("u2,")));
        assert_eq!(cells(line.unwrap()).last(), Some(&rows[3][2]));
    }
    let test = house
        .folder
        .write("test.csv", "user_id,item_id,rating\nu1,new,5\n");
    let cold = |more: &[&std::ffi::OsStr]| {
        let mut command = house.command("evaluate");
        command.arg("--test").arg(&test).args(more);
        let json = succeed(command.args(["--format", "json"]));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        json["rmse"].as_f64().unwrap()
    };
    let (with, without) = (cold(&["--items".as_ref(), films.as_ref()]), cold(&[]));
    assert!(
        with < without,
        "{with} and {without}: it is of the nineties"
    );
}

#[test]
fn the_schema_is_shown_with_a_fingerprint_that_no_order_changes() {
    let house = House::new();
    let shown = |more: &[&str]| {
        let mut command = lowrank();
        command
            .args(["data", "schema"])
            .arg(house.folder.path("run"));
        succeed(command.args(more))
    };
    let table = shown(&[]);
    assert!(table.starts_with("schema fnv1a-128:"), "{table}");
    assert!(table.contains("1980 to 1999"), "{table}");
    let json: serde_json::Value = serde_json::from_str(&shown(&["--format", "json"])).unwrap();
    let fingerprint = json["fingerprint"].as_str().unwrap();
    assert!(table.contains(fingerprint));
    let genres = &json["items"][0];
    assert_eq!(
        genres["values"][0],
        serde_json::json!({"value": "Drama", "rows": 20})
    );
    assert_eq!(json["items"][1]["edges"].as_array().unwrap().len(), 4);
    assert_eq!(json["items"][2]["tenths"].as_array().unwrap().len(), 11);

    // Trained on the same films in another order, of ratings too.
    let turned = |text: String| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines[1..].reverse();
        lines.join("\n") + "\n"
    };
    let ratings = house.folder.write("turned.csv", turned(ratings()));
    let films = house
        .folder
        .write("turned-films.csv", turned(csv(HEADER, &films())));
    let mut train = lowrank();
    train.arg("train").arg(ratings).arg("--items").arg(films);
    train.args([
        "--item-features",
        "genres,year:bin5,minutes:number",
        "--factors",
        "4",
    ]);
    succeed(
        train
            .args(["--epochs", "1", "-o"])
            .arg(house.folder.path("other")),
    );
    let mut command = lowrank();
    command
        .args(["data", "schema"])
        .arg(house.folder.path("other"));
    assert!(succeed(&mut command).contains(fingerprint));

    // A file from before models knew has none, and takes no features.
    let old = fixture("model-v1.lowrank");
    let none = succeed(
        lowrank()
            .args(["data", "schema"])
            .arg(&old)
            .args(["--format", "json"]),
    );
    let none: serde_json::Value = serde_json::from_str(&none).unwrap();
    assert_eq!(
        none,
        serde_json::json!({"fingerprint": null, "users": [], "items": []})
    );
    let mut command = lowrank();
    command
        .arg("predict")
        .arg(old)
        .args(["--user", "u1", "--item", "i1", "--items"]);
    let (code, message) = fail(command.arg(house.folder.path("films.csv")));
    assert!(code == 2 && message.contains("kept a schema"), "{message}");
}
