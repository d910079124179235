//! Does `monitor` notice what changed, and nothing else?
//!
//! Logs are made from ratings of the same truth as the training's: as they are, and with one thing changed at a time.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{Folder, fail, fixture, lowrank, numbers, succeed};

/// A model of 8,000 ratings, and the lines (user, item, rating) of 2,000 others of the same truth.
struct House {
    folder: Folder,
    run: PathBuf,
    log: Vec<(String, String, f32)>,
}

impl House {
    fn new(name: &str) -> House {
        let folder = Folder::new(name);
        let films = folder.path("films");
        let mut generate = lowrank();
        generate.args(["data", "generate", "--users", "200", "--items", "150"]);
        generate.args(["--ratings", "10000", "--seed", "5", "--quiet", "-o"]);
        succeed(generate.arg(&films));
        let mut split = lowrank();
        split.args(["data", "split", "--by", "random", "--fraction", "0.2"]);
        split.arg(films.join("ratings.csv")).arg("-o");
        succeed(split.arg(folder.path("halves")));
        let mut train = lowrank();
        train.args(["train", "--preset", "rating", "--factors", "4", "--quiet"]);
        train.args(["--valid-fraction", "0.1", "--epochs", "60", "-o"]);
        let run = folder.path("run");
        succeed(train.arg(&run).arg(folder.path("halves/train.csv")));
        let text = std::fs::read_to_string(folder.path("halves/test.csv")).unwrap();
        let line = |line: &str| {
            let mut fields = line.split(',').map(str::to_owned);
            let mut next = || fields.next().expect("a field");
            (next(), next(), next().parse().expect("a rating"))
        };
        let log = text.lines().skip(1).map(line).collect();
        House { folder, run, log }
    }

    /// The log with each line changed.
    fn changed(
        &self,
        change: impl FnMut(&(String, String, f32)) -> (String, String, f32),
    ) -> PathBuf {
        let lines = self.log.iter().map(change);
        let lines = lines.map(|(user, item, rating)| format!("{user},{item},{rating}\n"));
        let text: String = std::iter::once("user,item,rating\n".into())
            .chain(lines)
            .collect();
        self.folder.write("log.csv", text)
    }

    fn monitor(&self, log: &Path, flags: &[&str]) -> (i32, Value, String) {
        monitor(&self.run, log, flags)
    }

    /// The checks that fail.
    fn failed(&self, log: &Path) -> Vec<String> {
        let (code, found, _) = self.monitor(log, &[]);
        let failed: Vec<String> = found["checks"]
            .as_array()
            .expect("checks")
            .iter()
            .filter(|check| check["passed"] == false)
            .map(|check| check["check"].as_str().expect("a name").to_owned())
            .collect();
        assert_eq!(code, if failed.is_empty() { 0 } else { 3 });
        assert_eq!(found["failed"], failed.len());
        failed
    }
}

fn monitor(model: &Path, log: &Path, flags: &[&str]) -> (i32, Value, String) {
    let mut command = lowrank();
    command.args(["monitor", "--format", "json", "--current"]);
    let output = command.arg(log).arg(model).args(flags).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    let code = output.status.code().expect("an end");
    assert!(matches!(code, 0 | 3), "{message}");
    let found = serde_json::from_slice(&output.stdout).expect("JSON");
    (code, found, message)
}

#[test]
fn what_is_like_the_training_passes() {
    let house = House::new("monitor-same");
    let log = house.changed(Clone::clone);
    let (code, found, message) = house.monitor(&log, &[]);
    assert_eq!(code, 0, "{found:#} {message}");
    let names: Vec<&str> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["check"].as_str().unwrap())
        .collect();
    let wanted = [
        "unknown.users",
        "unknown.items",
        "psi.ratings",
        "js.ratings",
        "psi.popularity",
        "js.popularity",
        "psi.scores",
        "js.scores",
        "rmse",
    ];
    assert_eq!(names, wanted);
    assert_eq!(found["rows"], house.log.len());
    for name in ["ratings", "popularity", "scores"] {
        let drift = &found["drift"][name];
        for side in ["reference", "current"] {
            let bins = drift["bins"].as_array().unwrap();
            let shares: f64 = bins.iter().map(|bin| bin[side].as_f64().unwrap()).sum();
            assert!((shares - 1.0).abs() < 1e-12, "{name}");
        }
    }
    // What the run held out is known from its record, and bounds the errors.
    let run = std::fs::read_to_string(house.run.join("run.json")).unwrap();
    let run: Value = serde_json::from_str(&run).unwrap();
    assert_eq!(found["valid_rmse"], run["result"]["valid"]["rmse"]);
    let bound = found["checks"][8]["bound"].as_f64().unwrap();
    assert_eq!(bound, 1.1 * found["valid_rmse"].as_f64().unwrap());
    // The errors are those that evaluate finds.
    let mut evaluate = lowrank();
    evaluate.args(["evaluate", "--format", "json", "--test"]);
    let evaluated = succeed(evaluate.arg(&log).arg(&house.run));
    let evaluated: Value = serde_json::from_str(&evaluated).unwrap();
    let (a, b) = (&found["errors"]["rmse"], &evaluated["rmse"]);
    assert!((a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-12);
}

#[test]
fn each_change_fails_its_own_check() {
    let house = House::new("monitor-changes");
    // A star less, to the least: the ratings are others, and so are the errors.
    let log =
        house.changed(|(user, item, rating)| (user.clone(), item.clone(), (rating - 1.0).max(1.0)));
    assert_eq!(house.failed(&log), ["psi.ratings", "js.ratings", "rmse"]);

    // A fifth of the rows are of items that the model has not.
    let mut n = 0;
    let log = house.changed(|(user, item, rating)| {
        n += 1;
        let new = format!("new{}", n % 7);
        let item = if n % 5 == 0 { &new } else { item };
        (user.clone(), item.clone(), *rating)
    });
    assert_eq!(house.failed(&log), ["unknown.items"]);
    let log = house.changed(|(user, item, rating)| {
        n += 1;
        let user = if n % 5 == 0 { "somebody" } else { user };
        (user.into(), item.clone(), *rating)
    });
    assert_eq!(house.failed(&log), ["unknown.users"]);

    // The last become the first: whoever rated the most popular item rates the least popular.
    let text = std::fs::read_to_string(house.folder.path("halves/train.csv")).unwrap();
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for line in text.lines().skip(1) {
        *counts.entry(line.split(',').nth(1).unwrap()).or_default() += 1;
    }
    let mut items: Vec<(usize, &str)> = counts.iter().map(|(item, n)| (*n, *item)).collect();
    items.sort_unstable();
    let log = house.changed(|(user, item, rating)| {
        let at = items.iter().position(|known| known.1 == item);
        let turned = at.map_or(item.as_str(), |at| items[items.len() - 1 - at].1);
        (user.clone(), turned.into(), *rating)
    });
    let failed = house.failed(&log);
    for wanted in ["psi.popularity", "js.popularity"] {
        assert!(failed.contains(&wanted.to_owned()), "{failed:?}");
    }
    for other in [
        "unknown.users",
        "unknown.items",
        "psi.ratings",
        "js.ratings",
    ] {
        assert!(!failed.contains(&other.to_owned()), "{failed:?}");
    }

    // The same ratings, given to other pairs: nothing has moved but what they are about.
    let mut ratings: Vec<f32> = house.log.iter().map(|row| row.2).collect();
    let mut draw = numbers(9);
    for last in (1..ratings.len()).rev() {
        ratings.swap(last, draw(last as u64 + 1) as usize);
    }
    let mut ratings = ratings.into_iter();
    let log =
        house.changed(|(user, item, _)| (user.clone(), item.clone(), ratings.next().unwrap()));
    assert_eq!(house.failed(&log), ["rmse"]);
}

#[test]
fn what_was_served_is_judged_beside_the_model() {
    let house = House::new("monitor-served");
    let lines = house
        .log
        .iter()
        .enumerate()
        .map(|(n, (user, item, rating))| {
            // A server that is always two stars off.
            format!(
                "{n},{rating},{user},{item},{}\n",
                rating + if n % 2 == 0 { 2.0 } else { -2.0 }
            )
        });
    let header = "timestamp,rating,user,item,prediction\n".to_owned();
    let text: String = std::iter::once(header).chain(lines).collect();
    let log = house.folder.write("served.csv", text);
    let (code, found, message) = house.monitor(&log, &[]);
    assert_eq!(code, 3);
    assert_eq!(found["served"]["rmse"], 2.0);
    assert_eq!(found["served"]["within"], 0.0);
    assert!(found["errors"]["rmse"].as_f64().unwrap() < 2.0);
    assert!(
        message.contains("a gate failed: rmse.served 2.0000 > "),
        "{message}"
    );
    let (code, ..) = house.monitor(&log, &["--max-rmse", "2"]);
    assert_eq!(code, 0);
}

#[test]
fn bounds_decide_and_are_said() {
    let house = House::new("monitor-bounds");
    let log = house.changed(Clone::clone);
    for (flags, name) in [
        (["--max-psi", "0"], "psi.scores"),
        (["--max-js", "0"], "js.popularity"),
        (["--max-rmse", "0.1"], "rmse"),
    ] {
        let (code, _, message) = house.monitor(&log, &flags);
        assert_eq!(code, 3, "{flags:?}");
        assert!(message.contains(name), "{message}");
    }
    let mut strangers = lowrank();
    strangers.arg("monitor").arg(&house.run).arg("--current");
    strangers
        .arg(house.changed(|(user, item, rating)| (format!("x{user}"), item.clone(), *rating)));
    let (code, message) = fail(&mut strangers);
    assert_eq!(code, 3);
    assert!(
        message.contains("unknown.users 1.0000 > 0.1000"),
        "{message}"
    );
    let output = strangers.output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("unknown.users   1.0000  0.1000  FAILED\n"),
        "{table}"
    );
    assert!(
        table.contains("unknown.items   0.0000  0.1000  ok\n"),
        "{table}"
    );
    let output = strangers
        .args(["--max-unknown", "1", "--max-rmse", "9"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    for bad in ["-1", "x", "nan", "inf"] {
        let mut command = lowrank();
        command
            .arg("monitor")
            .arg(&house.run)
            .arg("--current")
            .arg(&log);
        assert_eq!(
            fail(command.args([format!("--max-psi={bad}")])).0,
            2,
            "{bad}"
        );
    }
    // CSV holds the checks.
    let mut csv = lowrank();
    csv.args(["monitor", "--format", "csv", "--current"]);
    let csv = succeed(csv.arg(house.changed(Clone::clone)).arg(&house.run));
    assert!(
        csv.starts_with("check,value,bound,verdict\nunknown.users,0,0.1,ok\n"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 10);
}

#[test]
fn few_rows_are_said_to_be_few() {
    let house = House::new("monitor-few");
    let text = "user,item,rating\n1,1,5\n1,2,3\n2,1,4\n";
    let log = house.folder.write("few.csv", text);
    let (_, found, message) = house.monitor(&log, &["--max-psi", "9", "--max-js", "1"]);
    assert!(!message.contains("9.0"), "{message}");
    let chance = found["drift"]["scores"]["psi_by_chance"].as_f64().unwrap();
    assert!(chance > 9.0, "{chance}");
    assert!(message.contains("note: 3 rows are few"), "{message}");
    let (.., message) = house.monitor(&log, &[]);
    assert!(
        message.contains("rows on it stays below the bound"),
        "{message}"
    );
    let log = house.changed(Clone::clone);
    assert!(!house.monitor(&log, &[]).2.contains("few"));
}

#[test]
fn a_model_that_does_not_know_its_training_says_so() {
    let folder = Folder::new("monitor-old");
    let old = fixture("model-v1.lowrank");
    let log = folder.write("log.csv", "user,item,rating\nu0,i0,3\nu1,i1,4\nu2,i3,2\n");
    let bounds = ["--max-psi", "9", "--max-js", "1", "--max-rmse", "9"];
    let (code, found, message) = monitor(&old, &log, &bounds);
    assert_eq!(code, 0);
    assert!(found["drift"]["ratings"].is_null() && found["drift"]["scores"].is_null());
    assert!(found["drift"]["popularity"].is_object());
    assert!(found["train_rmse"].is_null());
    assert!(message.contains("--reference FILE"), "{message}");

    let with = [&bounds[..], &["--reference", log.to_str().unwrap()]].concat();
    let (code, found, message) = monitor(&old, &log, &with);
    assert_eq!(code, 0);
    assert!(!message.contains("--reference"), "{message}");
    for name in ["ratings", "popularity", "scores"] {
        assert_eq!(found["drift"][name]["psi"], 0.0, "{name}");
        assert_eq!(found["drift"][name]["js"], 0.0, "{name}");
    }
    assert_eq!(found["train_rmse"], found["errors"]["rmse"]);
}

#[test]
fn a_model_of_clicks_watches_who_takes_what() {
    let house = House::new("monitor-clicks");
    let clicks: String = house
        .log
        .iter()
        .map(|(user, item, _)| format!("{user},{item}\n"))
        .collect();
    let clicks = house
        .folder
        .write("clicks.csv", format!("user,item\n{clicks}"));
    let run = house.folder.path("clicks");
    let mut train = lowrank();
    train.args([
        "train",
        "--als",
        "--epochs",
        "3",
        "--factors",
        "4",
        "--quiet",
        "-o",
    ]);
    succeed(train.arg(&run).arg(&clicks));
    let (code, found, message) = monitor(&run, &clicks, &[]);
    assert_eq!(code, 0, "{message}");
    assert!(found["errors"].is_null() && found["drift"]["ratings"].is_null());
    let names: Vec<&Value> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["check"])
        .collect();
    // The scores of what training saw are high in any such model: compared, but not judged.
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(found["drift"]["scores"]["psi"].as_f64().unwrap() < 0.01);
    assert!(message.contains("not judged"), "{message}");
    let flags = ["--reference", clicks.to_str().unwrap()];
    let (code, found, message) = monitor(&run, &clicks, &flags);
    assert_eq!(code, 0, "{message}");
    assert_eq!(found["checks"].as_array().unwrap().len(), 6);
    assert!(!message.contains("not judged"), "{message}");
}

/// What was asked for and cannot be measured is no pass.
#[test]
fn errors_that_cannot_be_measured_are_refused_where_they_are_asked_for() {
    let house = House::new("monitor-unmeasured");
    let clicks = house
        .folder
        .write("clicks.csv", "user,item\n1,1\n1,2\n2,1\n");
    let refused = |flags: &[&str]| {
        let mut command = lowrank();
        command.arg("monitor").arg(&house.run).args(flags);
        fail(&mut command)
    };
    let clicks = clicks.to_str().unwrap();
    let (code, said) = refused(&["--current", clicks, "--max-rmse", "1"]);
    assert!(code == 2 && said.contains("max-rmse"), "{said}");
    let (code, said) = refused(&["--current", clicks, "--reference", clicks]);
    assert!(code == 1 && said.contains("without a rating"), "{said}");
}
