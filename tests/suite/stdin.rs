//! Can a service talk to a process that has the model loaded?
//!
//! A line is written, and its answer read before the next is: a process that waits for more, or for the end, would hang here. The commands that answer one question are the oracle.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::common::{Folder, fail, generated, lowrank, succeed};

/// A process that answers lines.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(command: &str, model: &Path, flags: &[&str]) -> Process {
        let mut started = lowrank();
        started.arg(command).arg(model).arg("--stdin").args(flags);
        let piped = started.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.stderr(Stdio::null()).spawn().expect("a process");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Process {
            child,
            input,
            output,
        }
    }

    /// The answer to one line.
    fn ask(&mut self, line: impl AsRef<[u8]>) -> Value {
        let line = [line.as_ref(), b"\n"].concat();
        self.input.write_all(&line).expect("it reads");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("it answers");
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{answer:?}: {error}"))
    }

    /// Ends its input; it must end well.
    fn end(self) {
        let Process {
            mut child,
            input,
            output,
        } = self;
        drop(input);
        assert!(child.wait().expect("an end").success());
        assert_eq!(output.lines().count(), 0, "an answer nobody asked for");
    }
}

fn trained(folder: &Folder) -> PathBuf {
    let ratings = generated(folder);
    let run = folder.path("run");
    let mut train = lowrank();
    train.args(["train", "--preset", "rating", "--epochs", "20"]);
    train.args(["--factors", "4", "--quiet", "--items"]);
    train.arg(folder.path("films/items.csv"));
    succeed(train.arg(ratings).arg("-o").arg(&run));
    run
}

fn told(run: &Path, words: &[&str]) -> Value {
    let mut command = lowrank();
    command.arg(words[0]).arg(run).args(&words[1..]);
    let text = succeed(command.args(["--format", "json"]));
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn predictions_are_those_of_the_command_line() {
    let folder = Folder::new("stdin-predict");
    let run = trained(&folder);
    let mut process = Process::start("predict", &run, &[]);
    let plain = told(&run, &["predict", "--user", "3", "--item", "7"]);
    assert_eq!(
        process.ask("\u{feff}{\"user\": \"3\", \"item\": \"7\"}"),
        plain
    );
    assert_eq!(process.ask("{\"item\": 7, \"user\": 3}\r"), plain);
    let flags = ["predict", "--user", "3", "--item", "7", "--with"];
    let horror = told(&run, &[&flags[..], &["genres=Horror|Drama"]].concat());
    assert_ne!(horror["prediction"], plain["prediction"]);
    let with = json!({"user": 3, "item": 7, "with": {"genres": ["Horror", "Drama"]}});
    assert_eq!(process.ask(with.to_string()), horror);
    let nobody = process.ask(r#"{"user": "nobody", "item": "7", "id": [1, {"a": null}]}"#);
    assert_eq!(nobody["kind"], "item_only");
    assert_eq!(nobody["id"], json!([1, {"a": null}]));
    process.end();

    let mut process = Process::start("predict", &run, &["--with", "genres=Horror|Drama"]);
    assert_eq!(process.ask(r#"{"user": 3, "item": 7}"#), horror);
    // An own "with" takes the place of the flag's.
    assert_eq!(process.ask(r#"{"user": 3, "item": 7, "with": {}}"#), plain);
    process.end();

    // Newer features are those of every answer.
    let items = std::fs::read_to_string(folder.path("films/items.csv")).expect("items");
    let newer = items.lines().map(|line| match line.starts_with("7,") {
        true => format!(
            "{},Horror|Drama\n",
            line.rsplit_once(',').expect("genres").0
        ),
        false => format!("{line}\n"),
    });
    let newer = folder.write("newer.csv", newer.collect::<String>());
    let flags = ["--items", newer.to_str().expect("UTF-8")];
    let changed = told(
        &run,
        &[&["predict", "--user", "3", "--item", "7"][..], &flags].concat(),
    );
    assert_eq!(changed["prediction"], horror["prediction"]);
    let mut process = Process::start("predict", &run, &flags);
    assert_eq!(process.ask(r#"{"user": 3, "item": 7}"#), changed);
    process.end();
}

#[test]
fn lists_are_those_of_the_command_line() {
    let folder = Folder::new("stdin-recommend");
    let run = trained(&folder);
    let deny = folder.write("deny.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    let mut process = Process::start("recommend", &run, &["-n", "4"]);
    let list = |flags: &[&str]| told(&run, &[&["recommend"][..], flags].concat());
    let four = list(&["--user", "3", "-n", "4"]);
    assert_eq!(four.as_array().map(Vec::len), Some(4));
    let answer = process.ask(r#"{"user": "3", "id": "a"}"#);
    assert_eq!(answer, json!({"id": "a", "user": "3", "items": four}));
    let flags = ["--user", "3", "-n", "30", "--include-seen"];
    let answer = process.ask(r#"{"user": 3, "n": 30, "unseen": false}"#);
    assert_eq!(answer["items"], list(&flags));
    let narrowed = ["--where", "genres=Drama", "--max-per", "genres=3"];
    let narrowed = [&flags[..], &narrowed, &["--popularity-penalty", "0.2"]].concat();
    let narrowed = [&narrowed[..], &["--deny", deny.to_str().unwrap()]].concat();
    let asked = json!({
        "user": 3, "n": 30, "unseen": false, "where": ["genres=Drama"], "max_per": {"genres": 3},
        "popularity_penalty": 0.2, "deny": [1, 2, 3, 4, "5", "6", "7", "8", "9"],
    });
    assert_eq!(process.ask(asked.to_string())["items"], list(&narrowed));
    assert!(!list(&narrowed).as_array().unwrap().is_empty());
    let allowed = process.ask(r#"{"user": 3, "allow": ["1", 2, 3, "gone"], "unseen": false}"#);
    assert_eq!(allowed["items"].as_array().map(Vec::len), Some(3));

    let newcomer = list(&["--history", "5:5,7:1,9:3.5", "-n", "4"]);
    for history in [
        r#"{"5": 5, "7": 1, "9": 3.5}"#,
        r#"[["5", 5], [7, 1], ["9", 3.5]]"#,
    ] {
        let answer = process.ask(format!(r#"{{"history": {history}}}"#));
        assert_eq!(answer, json!({"items": newcomer}));
    }
    let answer = process.ask(r#"{"history": {"5": 5, "7": 1, "9": 3.5, "gone": 1}}"#);
    assert_eq!(answer, json!({"unknown": 1, "items": newcomer}));
    // What one question asked does not stay.
    assert_eq!(process.ask(r#"{"user": "3"}"#)["items"], four);
    process.end();
}

#[test]
fn a_bad_line_has_an_answer_and_the_next_a_good_one() {
    let folder = Folder::new("stdin-bad");
    let run = trained(&folder);
    let bad: [(&str, &[u8], &str); 12] = [
        ("predict", b"", "no JSON"),
        ("predict", b"garbage", "no JSON"),
        (
            "predict",
            b"{\"user\": \"3\", \"item\": \"\xff\"}",
            "no JSON",
        ),
        ("predict", b"[1, 2]", "no JSON object"),
        ("predict", b"{\"user\": 3}", "item"),
        ("predict", b"{\"user\": 3, \"item\": 7.5}", "an id"),
        (
            "predict",
            b"{\"user\": 3, \"item\": 7, \"itme\": 8}",
            "itme",
        ),
        (
            "predict",
            b"{\"user\": 3, \"item\": 7, \"with\": {\"genres\": \"Nonsense\"}}",
            "Nonsense",
        ),
        ("recommend", b"{\"user\": \"nobody\"}", "nobody"),
        ("recommend", b"{\"n\": 3}", "one of them"),
        ("recommend", b"{\"user\": 3, \"n\": 0}", "1 or more"),
        ("recommend", b"{\"history\": [5]}", "a rating of each item"),
    ];
    for command in ["predict", "recommend"] {
        let mut process = Process::start(command, &run, &[]);
        let good = r#"{"user": "3", "item": "7"}"#;
        let good = if command == "predict" {
            good
        } else {
            r#"{"user": "3"}"#
        };
        let wanted = process.ask(good);
        assert!(wanted.get("error").is_none(), "{wanted}");
        let mut line = 1;
        for (of, bad, word) in bad.iter().filter(|bad| bad.0 == command) {
            let answer = process.ask(bad);
            line += 1;
            assert_eq!(answer["line"], line, "{of}: {answer}");
            let error = answer["error"].as_str().expect("an error");
            assert!(error.contains(word), "{error}");
            assert_eq!(process.ask(good), wanted);
            line += 1;
        }
        let refused = process.ask(br#"{"id": 9, "user": {}}"#);
        assert_eq!(
            (&refused["id"], &refused["line"]),
            (&json!(9), &json!(line + 1))
        );
        let huge = vec![b'x'; (1 << 20) + 1];
        let error = process.ask(huge);
        assert!(error["error"].as_str().unwrap().contains("1048576 bytes"));
        assert_eq!(process.ask(good), wanted);
        process.end();
    }
}

#[test]
fn a_reader_who_leaves_and_a_last_line_without_an_end_are_no_errors() {
    let folder = Folder::new("stdin-ends");
    let run = trained(&folder);
    let Process {
        mut child,
        mut input,
        output,
    } = Process::start("predict", &run, &[]);
    drop(output);
    // It notices when it answers; a pipe takes a first answer, or none.
    for _ in 0..10_000 {
        if input.write_all(b"{\"user\": 3, \"item\": 7}\n").is_err() {
            break;
        }
    }
    drop(input);
    assert!(child.wait().unwrap().success());

    let mut process = Process::start("predict", &run, &[]);
    process
        .input
        .write_all(b"{\"user\": 3, \"item\": 7}")
        .unwrap();
    drop(process.input);
    let answers: Vec<String> = process.output.lines().map(Result::unwrap).collect();
    assert_eq!(answers.len(), 1);
    assert!(process.child.wait().unwrap().success());
}

#[test]
fn flags_that_make_no_sense_are_refused_before_any_line() {
    let folder = Folder::new("stdin-flags");
    let run = trained(&folder);
    let refused: [(&str, &[&str], i32); 6] = [
        ("predict", &["--format", "csv"], 2),
        ("predict", &["--user", "3", "--item", "7"], 2),
        ("predict", &["-o", "x.json"], 2),
        ("predict", &["--with", "colour=red"], 1),
        ("recommend", &["--all"], 2),
        ("recommend", &["--where", "colour=red"], 1),
    ];
    for (command, flags, code) in refused {
        let mut asked = lowrank();
        asked.arg(command).arg(&run).arg("--stdin").args(flags);
        let (got, message) = fail(asked.stdin(Stdio::null()));
        assert_eq!(got, code, "{command} {flags:?}: {message}");
    }
}
