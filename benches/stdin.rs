//! How many questions does a process answer that is asked one after the other?
//!
//! The real binary, a model of 60 users and 40 items: what is timed is the way of a line there and back, not the model.
//!
//! ```sh
//! cargo bench --bench stdin
//! ```
#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and is no library"
)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use common::Clock;
use lowrank::training::Config;

const QUESTIONS: [(&str, &str, u32); 4] = [
    ("predict", r#"{"user": "3", "item": "7"}"#, 100_000),
    ("recommend", r#"{"user": "3"}"#, 50_000),
    ("recommend", r#"{"user": "3", "n": 5}"#, 50_000),
    ("recommend", r#"{"history": {"5": 5, "7": 1}}"#, 20_000),
];

fn main() {
    if common::only_tested() {
        return;
    }
    let data = common::ratings(60, 40, 900);
    let checked = Config::rating().epochs(20).check().expect("in range");
    let model = checked.fit(&data, None, &mut ()).expect("a model");
    let path = std::env::temp_dir().join(format!("lowrank-bench-{}", std::process::id()));
    model.save(&path).expect("saved");
    for (command, question, n) in QUESTIONS {
        let mut process = Command::new(env!("CARGO_BIN_EXE_lowrank"));
        process.arg(command).arg(&path).arg("--stdin");
        let process = process.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = process.stderr(Stdio::null()).spawn().expect("it starts");
        let mut input = child.stdin.take().expect("a pipe");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        // One write a question, as a service would.
        let line = format!("{question}\n");
        let mut answer = String::new();
        let mut ask = || {
            answer.clear();
            input.write_all(line.as_bytes()).expect("it reads");
            output.read_line(&mut answer).expect("it answers");
            assert!(!answer.contains("error"), "{answer}");
        };
        ask();
        let began = Clock::Wall.now();
        (0..n).for_each(|_| ask());
        let rate = f64::from(n) / (Clock::Wall.now() - began);
        println!("{command:<9}  {question:<30}  {rate:>9.0} answers a second");
        drop(input);
        child.wait().expect("it ends");
    }
    let _ = std::fs::remove_file(path);
}
