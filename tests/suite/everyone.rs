//! Do lists for everybody say what single lists say, in every format?
//!
//! Through the real binary, with names that have to be quoted. Rows for many users are put together from pieces of text, rows for one are
//! not: each is the oracle of the other.

use std::path::PathBuf;

use lowrank::data::Dataset;
use lowrank::training::Config;

use crate::common::{Folder, fail, lowrank, succeed};

const USERS: [&str; 5] = ["ann", "a,b", "say \"hi\"", " ", "Zoë\\"];
const TITLES: [&str; 6] = ["Heat", "Up, up", "\"Alien\"", "", "tab\there", "Amélie\\"];

/// A model of a few users and items with names that no format writes as they are, and the folder it is in.
fn model() -> (Folder, PathBuf) {
    let folder = Folder::new("everyone");
    let ratings = (0..30).filter(|n| n % 7 != 0).map(|n| {
        let (user, item) = (n % 5, n % 6);
        (
            USERS[user],
            format!("i,{item}"),
            (n * 7 % 9) as f32 * 0.5 + 1.0,
        )
    });
    let mut items = String::from("item_id,title,genres\n");
    for (item, title) in TITLES.iter().enumerate() {
        let title = title.replace('"', "\"\"");
        let genres = ["Drama|Sci-Fi", "\"Co,medy\"", ""][item % 3];
        items += &format!("\"i,{item}\",\"{title}\",{genres}\n");
    }
    let items = folder.write("items.csv", items);
    let data = Dataset::builder().rows(ratings).unwrap().items(items);
    let data = data.unwrap().build().unwrap();
    let config = Config::rating().n_factors(3).epochs(5).seed(1);
    let model = config.check().unwrap().fit(&data, None, &mut ()).unwrap();
    let path = folder.path("model.lowrank");
    model.save(&path).unwrap();
    (folder, path)
}

fn recommend(model: &PathBuf, more: &[&str]) -> String {
    succeed(lowrank().arg("recommend").arg(model).args(more))
}

#[test]
fn every_format_says_for_everybody_what_it_says_for_one() {
    let (_folder, path) = model();
    for n in ["1", "3", "100"] {
        let ask = |who: &[&str], format: &str| {
            let more = [
                "-n",
                n,
                "--include-seen",
                "--format",
                format,
                "--threads",
                "3",
            ];
            recommend(&path, &[who, &more].concat())
        };
        let users = lowrank::Model::load(&path).unwrap();
        let users: Vec<String> = users.users().ids().names().iter().map(Into::into).collect();
        assert_eq!(users.len(), USERS.len());
        let mut csv = String::from("user,rank,item,title,genres,score\n");
        let (mut jsonl, mut json) = (String::new(), Vec::new());
        for user in &users {
            let one = |format| ask(&["--user", user], format);
            let mut quoted = csv::Writer::from_writer(Vec::new());
            quoted.write_record([user.as_str(), "x"]).unwrap();
            let quoted = String::from_utf8(quoted.into_inner().unwrap()).unwrap();
            let quoted = quoted.strip_suffix("x\n").unwrap();
            // No name has a line feed: a row is a line.
            for line in one("csv").lines().skip(1) {
                csv += &format!("{quoted}{line}\n");
            }
            let quoted = serde_json::to_string(user).unwrap();
            for line in one("jsonl").lines() {
                jsonl += &format!("{{\"user\":{quoted},{}\n", line.strip_prefix('{').unwrap());
            }
            for line in one("json").lines().filter(|line| line.starts_with('{')) {
                let line = line.trim_end_matches(',').strip_prefix('{').unwrap();
                json.push(format!("{{\"user\":{quoted},{line}"));
            }
        }
        assert_eq!(ask(&["--all"], "csv"), csv);
        assert_eq!(ask(&["--all"], "jsonl"), jsonl);
        assert_eq!(
            ask(&["--all"], "json"),
            format!("[\n{}\n]\n", json.join(",\n"))
        );
        assert_eq!(
            json.len(),
            USERS.len() * n.parse::<usize>().unwrap().min(TITLES.len())
        );
    }
}

#[test]
fn a_file_that_ends_in_jsonl_has_a_document_a_line() {
    let (folder, path) = model();
    let file = folder.path("lists.jsonl");
    let to = ["--all", "-n", "2", "--include-seen", "-o"];
    succeed(lowrank().arg("recommend").arg(&path).args(to).arg(&file));
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(text.lines().count(), 2 * USERS.len());
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(USERS.contains(&line["user"].as_str().unwrap()));
    }
}

#[test]
fn jsonl_is_there_for_every_command_with_a_format() {
    let (folder, path) = model();
    let one = ["--user", "ann", "--item", "i,1", "--format", "jsonl"];
    let one = succeed(lowrank().arg("predict").arg(&path).args(one));
    assert_eq!(one.lines().count(), 1);
    let pairs = folder.write("pairs.csv", "user,item\nann,\"i,1\"\nann,\"i,2\"\n");
    let many = succeed(
        lowrank()
            .arg("predict")
            .arg(&path)
            .arg("--pairs")
            .arg(pairs)
            .args(["--format", "jsonl"]),
    );
    assert_eq!(many.lines().next(), one.lines().next());
    assert_eq!(many.lines().count(), 2);
    let test = folder.write("test.csv", "user,item,rating\nann,\"i,1\",3\n");
    let evaluation = succeed(
        lowrank()
            .arg("evaluate")
            .arg(&path)
            .arg("--test")
            .arg(test)
            .args(["--format", "jsonl"]),
    );
    let document: serde_json::Value = serde_json::from_str(evaluation.trim_end()).unwrap();
    assert_eq!(
        (document["rows"].as_u64(), evaluation.lines().count()),
        (Some(1), 1)
    );
}

#[test]
fn nobody_and_nothing_are_written_as_such() {
    let (folder, path) = model();
    let nobody = folder.write("nobody.txt", "");
    let ask = |format: &str| {
        let nobody = nobody.to_str().unwrap();
        recommend(&path, &["--users", nobody, "--format", format])
    };
    assert_eq!(ask("json"), "[]\n");
    assert_eq!(ask("jsonl"), "");
    assert_eq!(ask("csv"), "user,rank,item,title,genres,score\n");
    let file = folder.write("model.json", "before");
    let not_written = ["--all", "--where", "genres=Western", "-o"];
    let (code, message) = fail(
        lowrank()
            .arg("recommend")
            .arg(&path)
            .args(not_written)
            .arg(&file),
    );
    assert!(code == 1 && message.contains("Western"), "{message}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "before");
}
