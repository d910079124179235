//! Does the command line do what a person would expect of it?
//!
//! Through the real binary: what it prints, where, and with which exit code.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lowrank::data::Dataset;
use lowrank::training::Config;
use lowrank::{Model, Query};
use serde_json::Value;

/// A folder of a test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Folder {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{test}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().into()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().into()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A model trained on the ratings of the notebook, as a file.
    fn model(&self) -> (String, Model) {
        let data = notebook("movies_multi_genre.csv");
        let config = Config::rating().n_factors(4).epochs(30).seed(7);
        let model = config.check().unwrap().fit(&data, None, &mut ()).unwrap();
        let path = self.path("model.lowrank");
        model.save(&path).unwrap();
        (path, model)
    }
}

fn fixture(name: &str) -> String {
    format!("{}/fixtures/notebook/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn notebook(items: &str) -> Dataset {
    let builder = Dataset::builder().ratings(fixture("ratings_raw.csv"));
    builder
        .unwrap()
        .items(fixture(items))
        .unwrap()
        .build()
        .unwrap()
}

/// What a command gave.
struct Outcome {
    code: i32,
    out: String,
    err: String,
}

impl Outcome {
    fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.err);
        serde_json::from_str(&self.out).unwrap()
    }

    #[track_caller]
    fn is_error(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert_eq!(self.out, "", "results of a command that failed");
        for part in parts {
            assert!(self.err.contains(part), "{part:?} in {:?}", self.err);
        }
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lowrank"));
    command.args(arguments);
    command
}

fn lowrank(arguments: &[&str]) -> Outcome {
    let output = command(arguments).output().unwrap();
    Outcome {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The keys of an object, in order.
fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

fn as_f32(value: &Value) -> f32 {
    // The text of the number, read as the f32 that it was printed from.
    value.to_string().parse().unwrap()
}

#[test]
fn a_prediction_is_printed_with_what_it_rests_on() {
    let folder = Folder::new("predict");
    let (path, model) = folder.model();
    let all = [
        ("6", "25", "full"),
        ("6", "none", "user_only"),
        ("none", "25", "item_only"),
        ("none", "none", "prior"),
    ];
    for (user, item, kind) in all {
        let outcome = lowrank(&[
            "predict", &path, "--user", user, "--item", item, "--format", "json",
        ]);
        let json = outcome.json();
        assert_eq!(keys(&json), ["item", "kind", "prediction", "user"]);
        assert_eq!(
            (json["user"].as_str(), json["item"].as_str()),
            (Some(user), Some(item))
        );
        assert_eq!(json["kind"], kind);
        let wanted = model.predict(user, item).unwrap();
        assert_eq!(
            as_f32(&json["prediction"]).to_bits(),
            wanted.value.to_bits()
        );
        assert_eq!(outcome.err.contains("note: "), kind != "full");
        let meaning = outcome.err.lines().last().unwrap();
        assert_eq!(meaning, "prediction: predicted rating, 1 to 5");
    }
    let table = lowrank(&["predict", &path, "--user", "6", "--item", "25"]);
    let value = model.predict("6", "25").unwrap().value;
    assert_eq!(
        table.out,
        format!("user  item  prediction  kind\n6     25        {value:.4}  full\n")
    );
}

#[test]
fn pairs_give_one_line_each_in_their_order() {
    let folder = Folder::new("pairs");
    let (path, model) = folder.model();
    let pairs = folder.file(
        "pairs.csv",
        "user_id,movie_id\n6,25\nstranger,25\n19,2\n6,25\n",
    );
    let json = lowrank(&["predict", &path, "--pairs", &pairs, "--format", "json"]).json();
    let lines = json.as_array().unwrap();
    let found: Vec<&str> = lines
        .iter()
        .map(|line| line["user"].as_str().unwrap())
        .collect();
    assert_eq!(found, ["6", "stranger", "19", "6"]);
    assert_eq!(lines[1]["kind"], "item_only");
    let wanted = model.predict("19", "2").unwrap().value;
    assert_eq!(as_f32(&lines[2]["prediction"]), wanted);
    let csv = lowrank(&["predict", &path, "--pairs", &pairs, "--format", "csv"]);
    assert_eq!(csv.out.lines().next(), Some("user,item,prediction,kind"));
    assert_eq!(
        csv.out.lines().nth(3),
        Some(format!("19,2,{wanted},full").as_str())
    );
    assert!(csv.err.contains("1 of 4"), "{}", csv.err);

    // A file's ending says the format where nothing else does.
    let file = folder.path("predictions.csv");
    let outcome = lowrank(&["predict", &path, "--pairs", &pairs, "-o", &file]);
    assert_eq!((outcome.code, outcome.out.as_str()), (0, ""));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), csv.out);
}

/// The models of `fixtures/` that say how uncertain they are, and one that does not.
#[test]
fn a_prediction_is_printed_with_its_standard_deviation_where_the_model_has_it() {
    let folder = Folder::new("std");
    let pairs = folder.path("pairs.csv");
    std::fs::write(&pairs, "user,item\nu1,i3\nu2,i3\nnew,i0\n").unwrap();
    for name in ["model-v1-samples", "model-v1-variances", "model-v1"] {
        let path = format!("{}/fixtures/{name}.lowrank", env!("CARGO_MANIFEST_DIR"));
        let model = Model::load(&path).unwrap();
        let has_it = name != "model-v1";
        let wanted = model.predict("u1", "i3").unwrap();
        assert_eq!(wanted.std.is_some(), has_it);
        let of_pairs = ["predict", &path, "--pairs", &pairs, "--format"];
        let of_one = ["predict", &path, "--user", "u1", "--item", "i3", "--format"];
        let with = |words: &[&str], format: &str| lowrank(&[words, &[format]].concat());
        let header = |first: &str, last: &str| match has_it {
            true => format!("{first}std{last}"),
            false => format!("{first}{}", last.trim_start_matches([' ', ','])),
        };

        let one = with(&of_one, "json").json();
        let lines = with(&of_pairs, "jsonl").out;
        let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        for json in [one, line] {
            let all = ["item", "kind", "prediction", "std", "user"];
            let expected: Vec<&str> = all.into_iter().filter(|k| has_it || *k != "std").collect();
            assert_eq!(keys(&json), expected, "{name}");
            assert_eq!(has_it.then(|| as_f32(&json["std"])), wanted.std, "{name}");
        }
        let csv = with(&of_pairs, "csv").out;
        let first = csv.lines().next().unwrap();
        assert_eq!(first, header("user,item,prediction,", ",kind"));
        for (line, (user, item)) in
            csv.lines()
                .skip(1)
                .zip([("u1", "i3"), ("u2", "i3"), ("new", "i0")])
        {
            let prediction = model.predict(user, item).unwrap();
            let std = prediction.std.map(|std| format!("{std},"));
            let (value, kind) = (prediction.value, prediction.kind.name());
            let wanted = format!("{user},{item},{value},{}{kind}", std.unwrap_or_default());
            assert_eq!(line, wanted, "{name}");
        }
        let table = with(&of_one, "table").out;
        let mut words: Vec<String> = table
            .lines()
            .last()
            .unwrap()
            .split("  ")
            .map(str::trim)
            .map(Into::into)
            .collect();
        words.retain(|word| !word.is_empty());
        let shown = |x: f32| format!("{x:.4}");
        let std = wanted.std.map(shown);
        let cells = ["u1".into(), "i3".into(), shown(wanted.value)];
        let wanted: Vec<String> = cells
            .into_iter()
            .chain(std)
            .chain(["full".into()])
            .collect();
        assert_eq!(words, wanted, "{table}");
        assert_eq!(table.contains("std"), has_it, "{table}");
    }
}

#[test]
fn predict_and_both_ways_to_recommend_print_the_same_number() {
    let folder = Folder::new("one-score");
    let (path, _) = folder.model();
    let all = lowrank(&[
        "recommend",
        &path,
        "--all",
        "-n",
        "50",
        "--include-seen",
        "--format",
        "csv",
    ]);
    let mut n = 0;
    for user in ["6", "19", "0"] {
        let one = lowrank(&[
            "recommend",
            &path,
            "--user",
            user,
            "-n",
            "50",
            "--include-seen",
            "--format",
            "csv",
        ]);
        let of_all: Vec<&str> = all
            .out
            .lines()
            .filter_map(|line| line.strip_prefix(&format!("{user},")))
            .collect();
        assert_eq!(one.out.lines().skip(1).collect::<Vec<_>>(), of_all);
        let pairs: String = of_all
            .iter()
            .map(|line| format!("{user},{}\n", item_of(line)))
            .collect();
        let pairs = folder.file("pairs.csv", &format!("user_id,item_id\n{pairs}"));
        let predicted = lowrank(&["predict", &path, "--pairs", &pairs, "--format", "csv"]);
        for (line, prediction) in of_all.iter().zip(predicted.out.lines().skip(1)) {
            let score = line.rsplit(',').next().unwrap();
            assert_eq!(prediction.split(',').nth(2), Some(score));
            n += 1;
        }
    }
    assert_eq!(n, 3 * 50);
}

/// The item of a line "rank,item,…".
fn item_of(line: &str) -> &str {
    line.split(',').nth(1).unwrap()
}

#[test]
fn another_feature_is_found_by_name_and_by_number() {
    let folder = Folder::new("with");
    let data = notebook("movies.csv");
    let model = Config::notebook()
        .epochs(3)
        .check()
        .unwrap()
        .fit(&data, None, &mut ())
        .unwrap();
    let path = folder.path("notebook.lowrank");
    model.save(&path).unwrap();
    let name = model.items().groups()[0].values().name(8);
    let predict = |with: &str| {
        let json = lowrank(&[
            "predict", &path, "--user", "6", "--item", "25", "--with", with, "--format", "json",
        ]);
        as_f32(&json.json()["prediction"])
    };
    let by_number = predict("genre=8");
    assert_eq!(by_number, predict(&format!("genre={name}")));
    assert_eq!(
        by_number,
        model
            .predict_with("6", "25", &[("genre", "8")])
            .unwrap()
            .value
    );
    assert_ne!(by_number, model.predict("6", "25").unwrap().value);
    let with = |with: &str| {
        lowrank(&[
            "predict", &path, "--user", "6", "--item", "25", "--with", with,
        ])
    };
    with("title=x").is_error(1, &["lowrank: no feature group \"title\"", "\"genre\""]);
    with("genre=Wester").is_error(1, &["no value \"Wester\""]);
    with("genre").is_error(2, &["FEATURE=VALUE"]);
}

#[test]
fn recommendations_have_the_documented_shape() {
    let folder = Folder::new("recommend");
    let (path, model) = folder.model();
    let one = lowrank(&[
        "recommend",
        &path,
        "--user",
        "6",
        "-n",
        "3",
        "--format",
        "json",
    ])
    .json();
    let wanted = model.recommend(&Query::user("6").n(3)).unwrap();
    for (line, wanted) in one.as_array().unwrap().iter().zip(&wanted) {
        assert_eq!(keys(line), ["genres", "item", "rank", "score", "title"]);
        assert_eq!(line["rank"], wanted.rank);
        assert_eq!(line["item"], wanted.item);
        assert_eq!(line["title"].as_str(), wanted.title.as_deref());
        assert_eq!(
            line["genres"].as_array().unwrap().len(),
            wanted.genres.len()
        );
        assert_eq!(as_f32(&line["score"]), wanted.score);
    }
    let seen = model.seen(model.known_user("6").unwrap());
    assert!(
        wanted
            .iter()
            .all(|line| !seen.contains(&model.items().ids().index(&line.item).unwrap()))
    );
    let users = folder.file("users.txt", "user_id\n19\n6\n");
    let two = lowrank(&[
        "recommend",
        &path,
        "--users",
        &users,
        "-n",
        "2",
        "--format",
        "json",
    ])
    .json();
    let found: Vec<&Value> = two
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["user"])
        .collect();
    assert_eq!(found, ["19", "19", "6", "6"]);
    let table = lowrank(&["recommend", &path, "--users", &users, "-n", "2"]);
    assert!(
        table.out.starts_with("user 19\nrank  item"),
        "{}",
        table.out
    );
    assert!(table.out.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn filters_and_lists_of_items_are_obeyed() {
    let folder = Folder::new("filters");
    let (path, model) = folder.model();
    let items = |arguments: &[&str]| -> Vec<String> {
        let fixed = [
            "recommend",
            &path,
            "--user",
            "6",
            "--include-seen",
            "-n",
            "50",
            "--format",
            "json",
        ];
        let json = lowrank(&[&fixed[..], arguments].concat()).json();
        let lines = json.as_array().unwrap();
        lines
            .iter()
            .map(|line| line["item"].as_str().unwrap().to_owned())
            .collect()
    };
    let genres = model.items().catalog().genres().unwrap();
    let has = |item: &String, genre: &str| {
        let row = model.items().ids().index(item).unwrap();
        genres.of(row).any(|g| g == genre)
    };
    let all = items(&[]);
    assert_eq!(all.len(), 50);
    let horror = items(&["--where", "genres=Horror"]);
    let not = items(&["--where", "genres!=Horror"]);
    assert!(!horror.is_empty() && horror.iter().all(|item| has(item, "Horror")));
    assert!(not.iter().all(|item| !has(item, "Horror")));
    assert_eq!(horror.len() + not.len(), 50);
    let list = folder.file("list.txt", &format!("{}\r\n{}\n\n", all[3], all[1]));
    assert_eq!(items(&["--allow", &list]), [all[1].clone(), all[3].clone()]);
    let rest = items(&["--deny", &list]);
    assert!(rest.len() == 48 && !rest.contains(&all[1]));
    let nothing = lowrank(&[
        "recommend",
        &path,
        "--user",
        "6",
        "--allow",
        &list,
        "--deny",
        &list,
        "--format",
        "json",
    ]);
    assert_eq!(nothing.out, "[]\n");
    assert!(nothing.err.contains("nothing to recommend"));
    let typing_error = folder.file("wrong.txt", "25\nno such item\n");
    let run = |flag: &str, list: &str| lowrank(&["recommend", &path, "--user", "6", flag, list]);
    for flag in ["--allow", "--deny"] {
        let outcome = run(flag, &typing_error);
        assert_eq!(outcome.code, 0);
        let note = format!("note: 1 id of {flag} not in the model");
        assert!(outcome.err.contains(&note), "{}", outcome.err);
    }
    let of_another = folder.file("another.txt", "no such item\nnor this\n");
    run("--allow", &of_another).is_error(1, &["no item \"no such item\""]);
    assert_eq!(run("--deny", &of_another).code, 0);
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let folder = Folder::new("output");
    let (path, _) = folder.model();
    let list = folder.path("list.json");
    let outcome = lowrank(&["recommend", &path, "--all", "-o", &list]);
    assert_eq!((outcome.code, outcome.out.as_str()), (0, ""));
    let json: Value = serde_json::from_str(&std::fs::read_to_string(&list).unwrap()).unwrap();
    assert!(
        json.as_array()
            .unwrap()
            .iter()
            .all(|line| line["user"].is_string())
    );
    let users = folder.file("users.txt", "6\nnobody\n");
    let before = std::fs::read(&list).unwrap();
    lowrank(&["recommend", &path, "--users", &users, "-o", &list])
        .is_error(1, &["no user \"nobody\""]);
    assert_eq!(std::fs::read(&list).unwrap(), before);
    assert_eq!(folder.names(), ["list.json", "model.lowrank", "users.txt"]);
    let elsewhere = folder.path("no/such/folder.json");
    lowrank(&["recommend", &path, "--all", "-o", &elsewhere]).is_error(1, &["no/such"]);
}

#[test]
fn an_evaluation_counts_every_row_and_shows_the_baselines() {
    let folder = Folder::new("evaluate");
    let (path, model) = folder.model();
    let test = folder.file(
        "test.csv",
        "user_id,item_id,rating\n6,25,4\nstranger,25,3\nstranger,2,1\n19,unheard,5\n",
    );
    let json = lowrank(&["evaluate", &path, "--test", &test, "--format", "json"]).json();
    assert_eq!(keys(&json), ["baselines", "cold", "mae", "rmse", "rows"]);
    assert_eq!(json["rows"], 4);
    assert_eq!(
        json["cold"],
        serde_json::json!({"users": 1, "items": 1, "rows": 3})
    );
    assert_eq!(keys(&json["baselines"]), ["biases", "global_mean"]);
    assert_eq!(keys(&json["baselines"]["biases"]), ["mae", "rmse"]);
    let pairs = [
        ("6", "25", 4.0),
        ("stranger", "25", 3.0),
        ("stranger", "2", 1.0),
        ("19", "unheard", 5.0),
    ];
    let errors = pairs
        .map(|(user, item, rating)| f64::from(model.predict(user, item).unwrap().value) - rating);
    let rmse = (errors.iter().map(|e| e * e).sum::<f64>() / 4.0).sqrt();
    // Two orders of four additions in f64.
    assert!((json["rmse"].as_f64().unwrap() - rmse).abs() < 1e-12);
    let mean = pairs.map(|(_, _, rating)| (model.training_mean() - rating).abs());
    let mae = json["baselines"]["global_mean"]["mae"].as_f64().unwrap();
    // Two orders of four additions in f64.
    assert!((mae - mean.iter().sum::<f64>() / 4.0).abs() <= 8.0 * f64::EPSILON * 5.0);
    let table = lowrank(&["evaluate", &path, "--test", &test]);
    assert_eq!(table.out.lines().count(), 4, "{}", table.out);
    assert!(
        table
            .err
            .contains("4 test ratings, 3 of them cold: 1 user and 1 item"),
        "{}",
        table.err
    );
    let by_name = folder.file("other.csv", "r;who;what\n4;6;25\n");
    let columns = "user=who,item=what,rating=r";
    let other = lowrank(&[
        "evaluate",
        &path,
        "--test",
        &by_name,
        "--columns",
        columns,
        "--sep",
        ";",
        "--format",
        "json",
    ]);
    assert_eq!(other.json()["rows"], 1);
}

#[test]
fn an_export_has_a_row_an_id_and_spares_what_is_there() {
    let folder = Folder::new("export");
    let (path, model) = folder.model();
    let to = folder.path("npy");
    let outcome = lowrank(&["export", &path, "--to", "npy", &to]);
    assert_eq!(
        (outcome.code, outcome.out.as_str()),
        (0, ""),
        "{}",
        outcome.err
    );
    let ids = std::fs::read_to_string(folder.0.join("npy/item_ids.txt")).unwrap();
    assert!(ids.lines().eq(model.items().ids().names().iter()));
    assert!(folder.0.join("npy/item.genres.factors.npy").is_file());
    lowrank(&["export", &path, "--to", "npy", &to]).is_error(1, &["not empty", "--force"]);
    assert_eq!(
        lowrank(&["export", &path, "--to", "npy", &to, "--force"]).code,
        0
    );
    for (kind, file) in [("csv", "item.csv"), ("safetensors", "model.safetensors")] {
        let to = folder.path(kind);
        assert_eq!(
            lowrank(&["export", &path, "--to", kind, "--composed", &to, "--quiet"]).err,
            ""
        );
        assert!(Path::new(&to).join(file).is_file(), "{kind}");
    }
}

#[test]
fn ratings_are_inspected() {
    let folder = Folder::new("inspect");
    let ratings = folder.file("r.csv", "who;what;stars;when\nann;x;4;881250949\nann;y;4;881250950\nbob;x;4;891717742\nbob;x;4;891717743\n");
    let columns = "user=who,item=what,rating=stars,timestamp=when";
    let json = lowrank(&[
        "data",
        "inspect",
        &ratings,
        "--columns",
        columns,
        "--format",
        "json",
    ]);
    assert!(
        json.err.contains("warning: every rating is 4"),
        "{}",
        json.err
    );
    let json = json.json();
    assert_eq!(
        (&json["ratings"], &json["users"], &json["items"]),
        (&3.into(), &2.into(), &2.into())
    );
    assert_eq!(
        json["duplicates"],
        serde_json::json!({"pairs": 1, "dropped": 1})
    );
    assert_eq!(
        json["timestamps"],
        serde_json::json!([881_250_949, 891_717_743])
    );
    assert_eq!(json["files"][0]["separator"], ";");
    assert_eq!(json["files"][0]["header"], true);
    let text = lowrank(&["data", "inspect", &ratings, "--columns", columns]).out;
    for part in ["1997-12-04 to 1998-04-04", "75.000 %", "1 dropped"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(
        lowrank(&[
            "data",
            "inspect",
            &fixture("ratings_raw.csv"),
            "--items",
            &fixture("movies.csv")
        ])
        .out
        .contains("200 rows")
    );
}

#[test]
fn a_split_holds_every_rating_once_with_its_own_ids() {
    let folder = Folder::new("split");
    let rows: Vec<String> = (0..40)
        .map(|n| format!("00{},\"i, {}\",{}.5,{n}", n % 4, n / 4, n % 5))
        .collect();
    let ratings = folder.file(
        "r.csv",
        &format!("user_id,item_id,rating,timestamp\n{}\n", rows.join("\n")),
    );
    for (by, n_test) in [
        ("random", 10),
        ("user", 12),
        ("time", 10),
        ("leave-last", 4),
    ] {
        let to = folder.path(by);
        let split = |force: &[&str]| {
            let fixed = [
                "data",
                "split",
                &ratings,
                "-o",
                &to,
                "--fraction",
                "0.25",
                "--by",
                by,
            ];
            lowrank(&[&fixed[..], force].concat())
        };
        assert_eq!(split(&[]).code, 0);
        let read = |name| std::fs::read_to_string(Path::new(&to).join(name)).unwrap();
        let (train, test) = (read("train.csv"), read("test.csv"));
        let mut found: Vec<&str> = train.lines().skip(1).chain(test.lines().skip(1)).collect();
        let mut wanted: Vec<&str> = rows.iter().map(String::as_str).collect();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{by}");
        assert_eq!(test.lines().count() - 1, n_test, "{by}");
        split(&[]).is_error(1, &["train.csv", "--force"]);
        assert_eq!(split(&["--force"]).code, 0);
        assert_eq!(
            (train, test),
            (read("train.csv"), read("test.csv")),
            "{by}: the same seed"
        );
    }
    let nowhere = folder.path("nowhere");
    lowrank(&[
        "data",
        "split",
        &ratings,
        "-o",
        &nowhere,
        "--fraction",
        "1.5",
    ])
    .is_error(2, &["lowrank: fraction: got 1.5"]);
}

#[test]
fn generated_ratings_can_be_trained_on() {
    let folder = Folder::new("generate");
    let to = folder.path("made");
    let sizes = [
        "--users",
        "30",
        "--items",
        "20",
        "--ratings",
        "200",
        "--factors",
        "2",
        "--seed",
        "5",
    ];
    let generate = |to: &str| lowrank(&[&["data", "generate", "-o", to][..], &sizes[..]].concat());
    assert_eq!(generate(&to).code, 0);
    generate(&to).is_error(1, &["ratings.csv", "--force"]);
    let (ratings, items) = (
        folder.path("made/ratings.csv"),
        folder.path("made/items.csv"),
    );
    let json = lowrank(&[
        "data", "inspect", &ratings, "--items", &items, "--format", "json",
    ])
    .json();
    assert_eq!(
        (&json["ratings"], &json["duplicates"]["pairs"]),
        (&200.into(), &0.into())
    );
    assert_eq!(generate(&folder.path("again")).code, 0);
    assert_eq!(
        std::fs::read(&ratings).unwrap(),
        std::fs::read(folder.path("again/ratings.csv")).unwrap()
    );
    for (flag, value) in [("--users", "0"), ("--noise", "-1")] {
        let outcome = lowrank(&["data", "generate", "-o", &folder.path("x"), flag, value]);
        outcome.is_error(2, &[&format!("lowrank: {}: got {value}", &flag[2..])]);
    }
}

#[test]
fn errors_name_what_is_wrong_and_exit_codes_tell_them_apart() {
    let folder = Folder::new("errors");
    let (path, _) = folder.model();
    lowrank(&["recommend", &path, "--user", "no one"])
        .is_error(1, &["lowrank: no user \"no one\"", "such as"]);
    lowrank(&["recommend", &path, "--user", "6", "--where", "genre=Horrer"])
        .is_error(1, &["did you mean \"Horror\"?"]);
    lowrank(&["recommend", &path, "--user", "6", "--where", "Horror"])
        .is_error(2, &["the end at character 7", "one of = != < <= > >= in"]);
    lowrank(&["recommend", &path]).is_error(2, &["--user", "--all"]);
    lowrank(&["recommend", &path, "--user", "6", "-n", "0"]).is_error(2, &["1 or more"]);
    lowrank(&["no-such-command"]).is_error(2, &["no-such-command"]);
    lowrank(&[
        "predict",
        &folder.path("gone"),
        "--user",
        "1",
        "--item",
        "2",
    ])
    .is_error(1, &["gone"]);
    let empty = folder.file("empty.csv", "");
    assert_eq!(lowrank(&["evaluate", &path, "--test", &empty]).code, 1);
    let bad = folder.file("bad.csv", "user_id,item_id,rating\n1,2,3\n1,2,good\n");
    lowrank(&["evaluate", &path, "--test", &bad])
        .is_error(1, &["bad.csv: line 3, column 3", "good"]);
    assert_eq!(lowrank(&["--help"]).code, 0);
    assert_eq!(
        lowrank(&["--version"]).out,
        format!("lowrank {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn verify_finds_damage_that_a_prediction_does_not_touch() {
    let folder = Folder::new("verify");
    // 1,000 rows of 32 factors: two chunks of 64 KiB, so that the first user's prediction does not read the last user's row.
    let rows = (0..1000).map(|n| (format!("u{n}"), "film", (n % 5) as f32));
    let data = Dataset::builder().rows(rows).unwrap().build().unwrap();
    let config = Config::rating().n_factors(32).epochs(1).check().unwrap();
    let model = config.fit(&data, None, &mut ()).unwrap();
    let path = folder.path("model.lowrank");
    model.save(&path).unwrap();
    let predict = |more: &[&str]| {
        let fixed = ["predict", &path, "--user", "u0", "--item", "film"];
        lowrank(&[&fixed[..], more].concat())
    };
    assert_eq!(predict(&["--verify"]).code, 0);
    let last_row: Vec<u8> = (model.users().identity().row(999).iter())
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let mut bytes = std::fs::read(&path).unwrap();
    let mut places = bytes.windows(last_row.len());
    let place = places.position(|window| window == last_row).unwrap();
    bytes[place] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(predict(&[]).code, 0, "the damage lies elsewhere");
    predict(&["--verify"]).is_error(1, &["model.lowrank: byte"]);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let folder = Folder::new("pipe");
    let (path, _) = folder.model();
    // More than a pipe holds, so that the program is still writing.
    let users = folder.file("users.txt", &"6\n".repeat(5000));
    for format in ["table", "json", "csv"] {
        let arguments = [
            "recommend",
            &path,
            "--users",
            &users,
            "-n",
            "50",
            "--include-seen",
            "--format",
            format,
        ];
        let mut child = command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut start = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut start).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{format}");
        assert_eq!(output.status.code(), Some(0), "{format}");
    }
}

#[test]
fn a_hostile_title_does_not_reach_the_terminal() {
    let folder = Folder::new("hostile");
    let title = "red\u{1b}[31m \u{202e}gpj.exe";
    let items = format!("item_id,title,genres\nx,\"{title}\",a|b\ny,Amélie,b\n");
    let builder =
        Dataset::builder().rows([("ann", "x", 5.0), ("ann", "y", 1.0), ("bob", "y", 2.0)]);
    let data = builder
        .unwrap()
        .items_from(items.as_bytes(), "items.csv")
        .unwrap()
        .build()
        .unwrap();
    let model = Config::rating()
        .n_factors(2)
        .epochs(2)
        .check()
        .unwrap()
        .fit(&data, None, &mut ())
        .unwrap();
    let path = folder.path("model.lowrank");
    model.save(&path).unwrap();
    let run = |more: &[&str]| lowrank(&[&["recommend", &path, "--user", "bob"][..], more].concat());
    let table = run(&[]).out;
    assert!(table.contains(r"red\u{1b}[31m \u{202e}gpj.exe"), "{table}");
    let json = run(&["--format", "json"]);
    assert_eq!(json.json()[0]["title"], title);
    assert!(!json.out.contains('\u{1b}'));
}
