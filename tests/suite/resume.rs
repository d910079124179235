//! Does a training that something ended go on to the very bytes of one that nothing did?
//!
//! Through the real binary: killed at random lines of its progress in every way of batching, interrupted politely, told apart from runs that are done or whose ratings have changed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::{Folder, fail, generated, kill_after, lowrank, numbers, succeed};

/// Every way of going through ratings, with what can be kept and counted on the way.
const MODES: [&[&str]; 9] = [
    &["--preset", "rating"],
    &[
        "--preset",
        "rating",
        "--valid-fraction",
        "0.2",
        "--patience",
        "9",
    ],
    &[
        "--preset",
        "rating",
        "--valid-fraction",
        "0.2",
        "--keep",
        "last",
        "--schedule",
        "one-cycle",
    ],
    &["--batch", "block", "--valid-fraction", "0.1"],
    &[
        "--batch",
        "block",
        "--optimizer",
        "row-adam",
        "--implicit",
        "both",
    ],
    &["--batch", "64", "--optimizer", "amsgrad", "--warmup", "5"],
    &[
        "--loss",
        "softmax:0.2",
        "--threshold",
        "3",
        "--factors",
        "8",
        "--valid-fraction",
        "0.1",
    ],
    &[
        "--loss",
        "bpr",
        "--threshold",
        "3",
        "--factors",
        "8",
        "--layers",
        "0",
    ],
    &["--als", "--threshold", "3", "--factors", "8"],
];
const EPOCHS: usize = 40;

fn train(ratings: &Path, run: &Path, flags: &[&str]) -> Command {
    train_for(EPOCHS, ratings, run, flags)
}

fn train_for(epochs: usize, ratings: &Path, run: &Path, flags: &[&str]) -> Command {
    let mut command = lowrank();
    command.arg("train").arg(ratings).args(flags);
    command.args([
        "--epochs",
        &epochs.to_string(),
        "--force",
        "--progress",
        "json",
        "-o",
    ]);
    command.arg(run);
    command
}

fn resume(run: &Path) -> Command {
    let mut command = lowrank();
    command.arg("resume").arg(run).args(["--progress", "json"]);
    command
}

/// What it says, where it must end with `code`.
fn refused(command: &mut Command, code: i32) -> String {
    let (found, said) = fail(command);
    assert_eq!(found, code, "{said}");
    said
}

fn model(run: &Path) -> Vec<u8> {
    std::fs::read(run.join("model.lowrank")).expect("a model")
}

/// The lines of metrics, without what the clock says.
fn metrics(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).expect("metrics");
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).expect("whole lines");
        let object = line.as_object_mut().expect("an object");
        object.retain(|key, _| !key.ends_with("second") && key != "seconds");
        line
    };
    text.lines().map(line).collect()
}

/// A copy of the ratings under a name that is not UTF-8, where names may be such.
#[cfg(unix)]
fn oddly_named(ratings: &Path, folder: &Folder) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let odd = folder
        .path("")
        .join(std::ffi::OsStr::from_bytes(b"r\xff.csv"));
    std::fs::copy(ratings, &odd).expect("a copy");
    odd
}

/// Kills a training and what goes on from it some times, and lets the last end. Where nothing was put down yet, there is nothing to go on from.
fn survive(
    ratings: &Path,
    folder: &Folder,
    flags: &[&str],
    kills: usize,
    below: &mut impl FnMut(u64) -> u64,
) {
    let (straight, run) = (folder.path("straight"), folder.path("run"));
    succeed(&mut train(ratings, &straight, flags));
    let mut command = train(ratings, &run, flags);
    command.args(["--checkpoint-every", "2"]);
    for _ in 0..kills {
        kill_after(&mut command, 1 + below(6) as usize);
        if run.join("checkpoint.lowrank").is_file() {
            command = resume(&run);
        }
    }
    succeed(&mut command);
    assert!(model(&run) == model(&straight), "{flags:?}: other bytes");
    assert_eq!(metrics(&run), metrics(&straight), "{flags:?}");
    assert!(!run.join("checkpoint.lowrank").exists(), "the run is done");
}

#[test]
fn what_was_killed_goes_on_to_the_same_bytes() {
    let folder = Folder::new("resume");
    let ratings = generated(&folder);
    let mut below = numbers(7);
    for flags in MODES {
        survive(&ratings, &folder, flags, 2, &mut below);
    }
}

#[test]
#[ignore = "two hundred kills take minutes"]
fn two_hundred_kills_lose_nothing() {
    let folder = Folder::new("resume-often");
    let ratings = generated(&folder);
    let mut below = numbers(11);
    for n in 0..50 {
        survive(&ratings, &folder, MODES[n % MODES.len()], 4, &mut below);
    }
}

/// Signals a training after its first epochs; its last line.
#[cfg(unix)]
fn interrupt(command: &mut Command, signal: &str) -> String {
    let mut child = command
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let began = said
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.starts_with("{\"epoch\""));
    assert!(began);
    let mut kill = Command::new("kill");
    succeed(kill.arg(format!("-{signal}")).arg(child.id().to_string()));
    let last = said.map_while(Result::ok).last().expect("a last line");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{last}");
    assert!(last.contains("interrupted after epoch"), "{last}");
    last
}

#[cfg(unix)]
#[test]
fn a_polite_signal_puts_the_training_down_and_says_how_to_go_on() {
    let folder = Folder::new("resume-signal");
    let ratings = oddly_named(&generated(&folder), &folder);
    let (straight, run) = (folder.path("straight"), folder.path("run"));
    let flags = ["--preset", "rating", "--factors", "64"];
    let long = |run: &PathBuf| train_for(4000, &ratings, run, &flags);
    for signal in ["INT", "TERM"] {
        let last = interrupt(&mut long(&run), signal);
        assert!(
            last.ends_with(&format!("lowrank resume {}", run.display())),
            "{last}"
        );
        assert!(!run.join("model.lowrank").exists());
    }
    succeed(&mut resume(&run));
    succeed(&mut long(&straight));
    assert!(model(&run) == model(&straight));
    let said = refused(&mut resume(&run), 1);
    assert!(said.contains("a run that is done"), "{said}");
}

#[test]
fn what_cannot_go_on_is_refused_by_name() {
    let folder = Folder::new("resume-refused");
    let ratings = generated(&folder);
    let run = folder.path("run");
    let mut command = train_for(1000, &ratings, &run, &["--preset", "rating"]);
    kill_after(command.args(["--checkpoint-every", "1"]), 5);
    let checkpoint = run.join("checkpoint.lowrank");
    let whole = std::fs::read(&checkpoint).expect("a checkpoint");
    // Damage, wherever it is.
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut damaged = whole.clone();
        damaged[at] ^= 4;
        std::fs::write(&checkpoint, &damaged).expect("it can be written");
        let said = refused(&mut resume(&run), 1);
        assert!(said.contains("checkpoint.lowrank"), "{at}: {said}");
        std::fs::write(&checkpoint, &whole[..at]).expect("it can be written");
        refused(&mut resume(&run), 1);
    }
    std::fs::write(&checkpoint, &whole).expect("it can be written");
    // Other ratings than those that the run began with.
    let before = std::fs::read_to_string(&ratings).expect("ratings");
    std::fs::write(&ratings, format!("{before}u1,i1,3,1\n")).expect("it can be written");
    let said = refused(&mut resume(&run), 1);
    assert!(said.contains("another SHA-256"), "{said}");
    std::fs::write(&ratings, &before).expect("it can be written");
    succeed(&mut resume(&run));

    let said = refused(&mut resume(&folder.path("nothing")), 1);
    assert!(said.contains("no such folder"), "{said}");
    for (flags, wanted) in [
        (
            &["--bayes", "--checkpoint-every", "0"][..],
            "90s, 10m or 2h",
        ),
        (
            &["--preset", "rating", "--checkpoint-every", "often"],
            "90s, 10m or 2h",
        ),
    ] {
        let mut command = lowrank();
        command
            .arg("train")
            .arg(&ratings)
            .args(flags)
            .arg("-o")
            .arg(folder.path("other"));
        let said = refused(&mut command, 2);
        assert!(said.contains(wanted), "{said}");
        assert!(!folder.path("other").exists());
    }
}

/// Of a posterior only its start is put down; the sweeps from there are the same.
#[cfg(unix)]
#[test]
fn a_posterior_ends_with_the_bytes_of_a_straight_run() {
    let folder = Folder::new("resume-posterior");
    let ratings = generated(&folder);
    for method in [
        &["--average", "200"][..],
        &["--bayes", "--implicit", "items"],
    ] {
        let (straight, run) = (folder.path("straight"), folder.path("run"));
        // So many lines do not fit into a pipe: it is still under way when it is ended.
        let epochs = 1000;
        succeed(&mut train_for(epochs, &ratings, &straight, method));
        for polite in [false, true] {
            let mut command = train_for(epochs, &ratings, &run, method);
            match polite {
                false => kill_after(command.args(["--checkpoint-every", "5"]), 7),
                true => _ = interrupt(&mut command, "INT"),
            }
            succeed(&mut resume(&run));
            assert!(model(&run) == model(&straight), "{method:?}");
            assert_eq!(metrics(&run), metrics(&straight));
        }
    }
}

/// More epochs than the schedule was made for keep its last rate, and the record says so.
#[test]
fn more_epochs_than_were_asked_for_are_recorded() {
    let folder = Folder::new("resume-more");
    let ratings = generated(&folder);
    let run = folder.path("run");
    // So many that the lines do not fit into a pipe: it is still under way when it is killed.
    const EPOCHS: usize = 1000;
    let mut command = train_for(EPOCHS, &ratings, &run, &["--preset", "rating"]);
    kill_after(command.args(["--checkpoint-every", "1"]), 5);
    let more = |epochs: usize| {
        let mut command = resume(&run);
        command.args(["--epochs", &epochs.to_string()]);
        command
    };
    let said = refused(&mut more(EPOCHS - 1), 2);
    assert!(said.contains("1000 or more"), "{said}");
    succeed(&mut more(EPOCHS + 10));
    let lines = metrics(&run);
    assert_eq!(lines.len(), EPOCHS + 10);
    let rate = |epoch: usize| lines[epoch - 1]["learning_rate"].as_f64().expect("a rate");
    assert!(rate(EPOCHS) > 0.0 && rate(EPOCHS - 1) > rate(EPOCHS));
    for epoch in EPOCHS + 1..=EPOCHS + 10 {
        assert_eq!(rate(epoch), rate(EPOCHS), "{epoch}");
    }
    let config = std::fs::read_to_string(run.join("config.toml")).expect("a configuration");
    assert!(
        config.contains("epochs = 1010") && config.contains("horizon = 1000"),
        "{config}"
    );
}

#[test]
fn more_sweeps_of_a_posterior_have_no_schedule() {
    let folder = Folder::new("resume-sweeps");
    let ratings = generated(&folder);
    let run = folder.path("run");
    let mut command = train_for(3000, &ratings, &run, &["--bayes"]);
    kill_after(command.args(["--checkpoint-every", "1"]), 3);
    succeed(resume(&run).args(["--epochs", "3001"]));
    assert_eq!(metrics(&run).len(), 3001);
    let config = std::fs::read_to_string(run.join("config.toml")).expect("a configuration");
    assert!(
        config.contains("epochs = 3001") && !config.contains("horizon"),
        "{config}"
    );
}
