//! Are the features of a prediction those of training, and is everything else noticed?
//!
//! Through the real binary: a model is trained on one table of films and meets copies of it, each with another change.

use super::common::{Folder, fail, fixture, lowrank, succeed};
use crate::features::ratings;
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

struct House {
    folder: Folder,
}

impl House {
    fn new() -> House {
        let folder = Folder::new("contract");
        // Films from 1990 on have 4 or 5, older ones 1 or 2.
        folder.write("ratings.csv", ratings(|user, item| (user + item) % 3 != 0));
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
    let ratings = house.folder.write(
        "turned.csv",
        turned(ratings(|user, item| (user + item) % 3 != 0)),
    );
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

/// Films whose rows have times: the first has a row from before all ratings, one from between them, and one from after.
const VERSIONS: &str = "item_id,genres,timestamp\n\
    a,Drama,0\na,Comedy,150\na,Western,9000\nb,Drama,2001-09-09T01:46:40Z\nc,Comedy,10\n";

/// Twenty users give a, b and c ratings at 100, 200 and 300 seconds, and a later one to c.
fn timed_ratings() -> String {
    let mut text = String::from("user_id,item_id,rating,timestamp\n");
    for user in 0..20 {
        for (item, time) in [("a", 100), ("b", 200), ("c", 300)] {
            text.push_str(&format!("u{user},{item},{},{time}\n", 1 + user % 5));
        }
        text.push_str(&format!("u{user},c,5,1000\nlate{user},c,3,2000\n"));
    }
    text
}

struct Past {
    folder: Folder,
}

impl Past {
    fn new() -> Past {
        let folder = Folder::new("past");
        folder.write("films.csv", VERSIONS);
        folder.write("ratings.csv", timed_ratings());
        Past { folder }
    }

    fn train(&self, run: &str, more: &[&str]) -> Command {
        let mut train = lowrank();
        train.arg("train").arg(self.folder.path("ratings.csv"));
        train.arg("--items").arg(self.folder.path("films.csv"));
        train.args([
            "--item-features",
            "genres",
            "--factors",
            "2",
            "--epochs",
            "2",
        ]);
        train.arg("-o").arg(self.folder.path(run)).args(more);
        train
    }

    /// What it remarked on, and run.json.
    fn trained(&self, run: &str, more: &[&str]) -> (String, serde_json::Value) {
        let output = self.train(run, more).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        let record = std::fs::read(self.folder.path(run).join("run.json")).unwrap();
        (said, serde_json::from_slice(&record).unwrap())
    }

    /// The genres of a as the model has them.
    fn genre(&self, run: &str) -> String {
        let mut command = lowrank();
        command.arg("recommend").arg(self.folder.path(run));
        let flags = ["--all", "--include-seen", "--format", "csv"];
        let list = succeed(command.args(flags));
        let line = list.lines().find(|line| line.contains(",a,")).unwrap();
        line.split(',').rev().nth(1).unwrap().to_owned()
    }
}

#[test]
fn training_knows_what_was_known_at_its_last_rating() {
    let past = Past::new();
    let (said, record) = past.trained("all", &[]);
    // 20 ratings of a are older than its row of 150.
    assert!(
        said.contains(
            "item features as of 2000: 2 later rows not used, 1 item without features yet, \
             20 ratings older than the features used for them\n"
        ),
        "{said}"
    );
    assert_eq!(past.genre("all"), "Comedy");
    assert_eq!(record["features"]["as_of"], 2000);

    // What is held out comes later, and its future with it.
    let by_time = ["--valid-by", "time", "--valid-fraction", "0.8"];
    let (said, record) = past.trained("held-out", &by_time);
    assert!(said.contains("item features as of 100:"), "{said}");
    assert_eq!(past.genre("held-out"), "Drama");
    assert_eq!(record["features"]["as_of"], 100);
}

#[test]
fn as_of_leaves_out_what_came_later() {
    let past = Past::new();
    let (said, record) = past.trained("then", &["--as-of", "1970-01-01T00:05:00Z"]);
    assert!(
        said.contains("40 ratings later than --as-of are left out\n"),
        "{said}"
    );
    assert!(
        said.contains("60 ratings of 20 users and 3 items\n"),
        "{said}"
    );
    assert!(
        !said.contains("duplicate"),
        "the later rating is no duplicate yet: {said}"
    );
    assert!(said.contains("item features as of 300:"), "{said}");
    assert_eq!(record["config"]["as-of"], "300");
    let config = std::fs::read_to_string(past.folder.path("then/config.toml")).unwrap();
    assert!(config.contains("as-of = \"300\"\n"), "{config}");

    // The model is that of the ratings and films of then, to the last byte.
    let lines = timed_ratings();
    let early = lines.lines().filter(|line| {
        let time = line.rsplit(',').next().unwrap().parse();
        time.is_ok_and(|time: u32| time <= 300)
    });
    let early: String = early.map(|line| format!("{line}\n")).collect();
    past.folder.write(
        "ratings.csv",
        format!("user_id,item_id,rating,timestamp\n{early}"),
    );
    past.folder
        .write("films.csv", "item_id,genres\na,Comedy\nb,\nc,Comedy\n");
    past.trained("plain", &[]);
    let model = |run: &str| std::fs::read(past.folder.path(run).join("model.lowrank")).unwrap();
    assert!(
        model("then") == model("plain"),
        "not a value of the future in it"
    );
}

#[test]
fn what_has_no_time_is_refused_with_advice() {
    let past = Past::new();
    past.trained("run", &[]);
    past.folder
        .write("ratings.csv", "user,item,rating\nu,a,1\nv,b,2\n");
    let (code, message) = fail(&mut past.train("none", &[]));
    assert_eq!(code, 2);
    assert!(message.contains("--as-of 2024-01-31"), "{message}");
    let (code, message) = fail(&mut past.train("none", &["--as-of", "100"]));
    assert!(
        code == 2 && message.contains("ratings with a timestamp"),
        "{message}"
    );
    let (code, message) = fail(&mut past.train("none", &["--as-of", "soon"]));
    assert!(code == 2 && message.contains("as-of"), "{message}");

    // To predict with, any moment will do.
    let films = past.folder.path("films.csv");
    let ask = |more: &[&str]| {
        let mut command = lowrank();
        command.arg("predict").arg(past.folder.path("run"));
        command
            .args(["--user", "u1", "--item", "a", "--items"])
            .arg(&films)
            .args(more);
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (_, said) = ask(&["--as-of", "120"]);
    assert!(
        said.contains("1 with other features") && said.contains("as of 120: 3 later"),
        "{said}"
    );
    let (_, said) = ask(&["--as-of", "160"]);
    assert!(said.contains("0 with other features"), "{said}");
    let (_, said) = ask(&[]);
    assert!(
        said.contains("the latest row of each; see --as-of"),
        "{said}"
    );
    past.folder.write("films.csv", "item_id,genres\na,Drama\n");
    let (code, said) = ask(&["--as-of", "120"]);
    assert!(
        code == Some(2) && said.contains("features without times"),
        "{said}"
    );
    // An id twice is an error as ever, and at one time too.
    past.folder
        .write("films.csv", "item_id,genres\na,Drama\na,Comedy\n");
    assert!(ask(&[]).1.contains("first on line 2"));
    past.folder.write(
        "films.csv",
        "item_id,genres,timestamp\na,Drama,5\nb,Drama,5\na,Comedy,5\n",
    );
    let (_, said) = ask(&[]);
    assert!(
        said.contains("line 4") && said.contains("\"a\" at 5 again"),
        "{said}"
    );
}

/// The films have times, the users have none: `--as-of` is about those that have.
#[test]
fn features_with_times_go_beside_features_without() {
    let past = Past::new();
    let jobs = (0..20).map(|user| format!("u{user},{}\n", ["nurse", "smith"][user % 2]));
    let users = format!("user_id,job\n{}", jobs.collect::<String>());
    let users = past.folder.write("users.csv", users);
    let mut train = past.train("run", &["--user-features", "job", "--users"]);
    succeed(train.arg(&users));
    let mut command = lowrank();
    command.arg("predict").arg(past.folder.path("run"));
    command.args(["--user", "u1", "--item", "a", "--as-of", "120"]);
    command.arg("--items").arg(past.folder.path("films.csv"));
    let output = command.arg("--users").arg(&users).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("item features as of 120"), "{said}");
    assert!(said.contains("users of the model, 0 with other"), "{said}");
}
