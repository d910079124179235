//! Does a registry keep versions as its commands say, also from processes that are killed?
//!
//! Through the real binary. What becomes of it when the power goes is tried in `artifact::registry`, on a disk that lies.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::common::{Folder, fail, generated, lowrank, numbers, succeed};

/// `lowrank registry …` in the test's folder.
fn registry(folder: &Folder, words: &str) -> Command {
    let mut command = lowrank();
    command.arg("registry").args(words.split_whitespace());
    command.current_dir(folder.path(""));
    command
}

fn json(folder: &Folder, words: &str) -> Value {
    let text = succeed(registry(folder, words).args(["--format", "json"]));
    serde_json::from_str(&text).expect("JSON")
}

/// A folder with two small runs, trained on files with absolute paths.
fn with_runs(name: &str) -> Folder {
    let folder = Folder::new(name);
    let ratings = generated(&folder);
    for (run, seed) in [("run", "1"), ("other", "2")] {
        let mut command = lowrank();
        command.arg("train").arg(&ratings).arg("--items");
        command.arg(folder.path("films/items.csv"));
        command.args(["--preset", "rating", "--epochs", "2", "--factors", "4"]);
        command.args(["--valid-fraction", "0.1", "--seed", seed, "--quiet", "-o"]);
        succeed(command.arg(folder.path(run)));
    }
    folder
}

fn refused(folder: &Folder, words: &str, code: i32, wanted: &str) {
    let (found, said) = fail(&mut registry(folder, words));
    assert!(
        found == code && said.contains(wanted),
        "{words}: {found} {said}"
    );
}

#[test]
fn versions_are_pushed_promoted_rolled_back_pulled_and_used() {
    let folder = with_runs("registry");
    let pushed = succeed(&mut registry(
        &folder,
        "push run --to reg/movies --promote champion",
    ));
    assert_eq!(pushed, "reg/movies@1\n");
    let pushed = json(
        &folder,
        "push other --to reg --name movies --promote champion",
    );
    assert_eq!((&pushed["version"], &pushed["was"]), (&2.into(), &1.into()));
    let list = json(&folder, "list reg");
    assert_eq!(list[0]["aliases"], serde_json::json!([]));
    assert_eq!(list[1]["aliases"], serde_json::json!(["champion"]));
    assert_eq!(list[1]["metric"], "rmse");
    let shown = json(&folder, "show reg/movies@champion");
    assert_eq!(shown["aliases"][0]["before"], serde_json::json!([1]));
    assert_eq!(
        (&shown["version"], &shown["run"]),
        (&2.into(), &"other".into())
    );
    assert_eq!(shown["files"].as_array().expect("files").len(), 6);

    // A model anywhere.
    let predict = |model: &str| {
        let mut command = lowrank();
        command.current_dir(folder.path(""));
        command.args(["predict", model, "--user", "1", "--item", "2"]);
        succeed(&mut command)
    };
    let (first, second) = (predict("run"), predict("other"));
    assert_ne!(first, second);
    for (model, wanted) in [
        ("reg/movies", &second),
        ("reg/movies@champion", &second),
        ("reg/movies@1", &first),
        ("reg/movies/1", &first),
    ] {
        assert_eq!(&predict(model), wanted, "{model}");
    }
    // What is there under that very name comes first.
    std::fs::copy(
        folder.path("run/model.lowrank"),
        folder.path("reg/movies@champion"),
    )
    .expect("a copy");
    assert_eq!(predict("reg/movies@champion"), first);
    std::fs::remove_file(folder.path("reg/movies@champion")).expect("removed");

    let moved = json(&folder, "rollback reg/movies champion");
    assert_eq!((&moved["version"], &moved["was"]), (&1.into(), &2.into()));
    refused(&folder, "rollback reg/movies champion", 1, "nothing before");
    succeed(&mut registry(
        &folder,
        "pull reg/movies@champion -o deep/pulled",
    ));
    for file in ["model.lowrank", "run.json", "metrics.jsonl", "config.toml"] {
        let read = |run: &str| std::fs::read(folder.path(run).join(file)).expect(file);
        assert!(read("deep/pulled") == read("run"), "{file}");
    }
    refused(&folder, "pull reg/movies -o run", 1, "not empty");
    let card = std::fs::read_to_string(folder.path("deep/pulled/README.md")).expect("a card");
    assert!(
        card.starts_with("---\nlibrary_name: lowrank\n") && card.contains("# movies, version 1")
    );
    let here = folder.path("").display().to_string();
    assert!(!card.contains(here.trim_end_matches('/')), "{card}");
    let pushed = succeed(&mut registry(&folder, "push deep/pulled --to reg/movies"));
    assert_eq!(pushed, "reg/movies@3\n");
    let said = succeed(&mut registry(&folder, "verify reg"));
    assert_eq!(
        said,
        "reg: 3 versions of 1 model, 18 files, nothing wrong\n"
    );
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let folder = with_runs("registry-refused");
    succeed(&mut registry(
        &folder,
        "push run --to reg/movies --promote champion",
    ));
    for (words, code, wanted) in [
        ("show reg/movies@nobody", 1, "movies has champion"),
        ("show reg/movies@7", 1, "movies has 1"),
        ("show reg/music", 1, "reg has movies"),
        ("show nowhere/movies", 1, "no registry"),
        ("push films --to reg/movies", 1, "without a model"),
        ("push run --to films/movies", 1, "no registry and not empty"),
        ("push run --to reg/movies@2", 2, "without a version"),
        ("push run --to reg --name ../movies", 2, "letters"),
        ("push run --to reg --name .movies", 2, "letters"),
        (
            "push run --to reg/movies --promote 7",
            2,
            "an alias has a letter",
        ),
        ("promote reg/movies@1 -- -x", 2, "letters"),
        ("gc reg --keep 0", 2, "no number is given twice"),
    ] {
        refused(&folder, words, code, wanted);
    }
    assert_eq!(json(&folder, "list reg").as_array().expect("rows").len(), 1);
    for (model, code, wanted) in [
        ("reg/music@champion", 1, "no model \"music\""),
        ("reg/movies@01", 2, "an alias has a letter"),
        ("films/movies@1", 1, "REGISTRY/name@alias"),
    ] {
        let mut command = lowrank();
        command.args(["predict", model, "--user", "1", "--item", "1"]);
        let (found, said) = fail(command.current_dir(folder.path("")));
        assert!(found == code && said.contains(wanted), "{model}: {said}");
    }
}

#[test]
fn every_problem_is_told_in_a_line_and_what_is_old_is_removed() {
    let folder = with_runs("registry-verify");
    for _ in 0..4 {
        succeed(&mut registry(&folder, "push run --to reg/movies"));
    }
    succeed(&mut registry(&folder, "promote reg/movies@2 champion"));
    let dry = json(&folder, "gc reg --keep 1 --dry-run");
    let paths: Vec<&str> = dry
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["path"].as_str())
        .collect();
    assert_eq!(paths, ["movies/1", "movies/3"]);
    assert_eq!(json(&folder, "list reg").as_array().expect("rows").len(), 4);
    assert_eq!(json(&folder, "gc reg --keep 1"), dry);
    assert_eq!(json(&folder, "list reg").as_array().expect("rows").len(), 2);

    let version = folder.path("reg/movies/2");
    let model = version.join("model.lowrank");
    let mut bytes = std::fs::read(&model).expect("a model");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&model, bytes).expect("written");
    std::fs::remove_file(version.join("run.json")).expect("removed");
    std::fs::write(version.join("mine.txt"), "").expect("written");
    std::fs::rename(folder.path("reg/movies/4"), folder.path("reg/movies/5")).expect("renamed");
    let output = registry(&folder, "verify reg").output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<&str> = said.lines().collect();
    let has = |parts: [&str; 2]| {
        let count = lines
            .iter()
            .filter(|line| parts.iter().all(|part| line.contains(part)))
            .count();
        assert_eq!(count, 1, "{parts:?} in {said}");
    };
    has(["2/model.lowrank", "SHA256SUMS"]);
    has(["2/model.lowrank", "byte "]);
    has(["2/run.json", "open"]);
    has(["2/mine.txt", "not in SHA256SUMS"]);
    has(["movies/5", "pushed as movies@4"]);
    assert_eq!(lines.len(), 5, "{said}");
    refused(&folder, "pull reg/movies@2 -o pulled", 1, "model.lowrank");
    assert!(!folder.path("pulled").exists());
}

/// Green, every alias a version, and all of `told` there.
fn is_whole(folder: &Folder, told: &BTreeSet<u64>) {
    succeed(&mut registry(folder, "verify reg"));
    let list = json(folder, "list reg");
    let versions: BTreeSet<u64> = list
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["version"].as_u64())
        .collect();
    assert!(told.is_subset(&versions), "{told:?} in {versions:?}");
    json(folder, "show reg/movies@champion");
}

/// The version in the line that a push prints.
fn number(said: &[u8]) -> u64 {
    let said = String::from_utf8_lossy(said);
    let number = said.trim().strip_prefix("reg/movies@");
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("{said}"))
}

#[test]
fn processes_at_once_lose_no_version_and_get_a_number_each() {
    let folder = with_runs("registry-many");
    let start = |words: &str| {
        let mut command = registry(&folder, words);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts")
    };
    let mut told = BTreeSet::new();
    for round in 1..=3 {
        let pushes: Vec<_> = (0..6)
            .map(|n| {
                let run = if n % 2 == 0 { "run" } else { "other" };
                start(&format!("push {run} --to reg/movies --promote champion"))
            })
            .collect();
        // The first round makes the registry; in the others something is removed and moved as well.
        let beside = [
            "gc reg --keep 1000",
            "promote reg/movies@1 champion",
            "verify reg",
        ];
        let beside: Vec<_> = beside
            .iter()
            .filter(|_| round > 1)
            .map(|words| start(words))
            .collect();
        for push in pushes {
            let output = push.wait_with_output().expect("it ends");
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(told.insert(number(&output.stdout)), "twice the same number");
        }
        for other in beside {
            let output = other.wait_with_output().expect("it ends");
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        assert!(told.iter().copied().eq(1..=6 * round));
        is_whole(&folder, &told);
    }
}

/// Asks whether a process has ended, so many times or until it has; how often it was. Every question takes as long as the next.
fn ask(child: &mut Child, most: u64) -> u64 {
    let mut asked = 0;
    while asked < most && child.try_wait().expect("it can be asked").is_none() {
        asked += 1;
    }
    asked
}

/// Kills pushes and promotions at drawn moments, told by questions and not by a clock; whatever was told before is there after.
fn kill(folder: &Folder, kills: usize, seed: u64) {
    if !cfg!(unix) {
        eprintln!("skipped: only unix has a signal that nobody can catch");
        return;
    }
    let mut below = numbers(seed);
    let start = |words: &str| {
        let mut command = registry(folder, words);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("it starts")
    };
    // How often one can ask while a push is under way, when nothing else is slow.
    let mut told = BTreeSet::new();
    let push = "push run --to reg/movies --promote champion";
    let spans = [1, 2, 3].map(|version| {
        let mut child = start(push);
        let asked = ask(&mut child, u64::MAX);
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success());
        told.insert(version);
        asked
    });
    let span = spans.into_iter().min().expect("three") * 5 / 4 + 1;
    let (mut killed, mut pushed) = (0, 0);
    while killed < kills {
        let words = match below(3) {
            0 => format!(
                "promote reg/movies@{} champion",
                1 + below(told.len() as u64)
            ),
            _ => push.to_owned(),
        };
        let mut child = start(&words);
        ask(&mut child, below(span));
        child.kill().expect("it can be killed");
        let output = child.wait_with_output().expect("it ends");
        killed += usize::from(!output.status.success());
        if words.starts_with("push") && output.stdout.ends_with(b"\n") {
            told.insert(number(&output.stdout));
            pushed += 1;
        }
        is_whole(folder, &told);
    }
    let halves = unfinished(&folder.path("reg/movies")).len();
    // What was killed is nobody's, and goes.
    succeed(&mut registry(folder, "gc reg --keep 1000000"));
    let left: Vec<PathBuf> = unfinished(&folder.path("reg/movies"));
    assert!(left.is_empty(), "{left:?}");
    is_whole(folder, &told);
    eprintln!(
        "{killed} killed, {pushed} pushes done in between, {halves} unfinished files and folders left by the killed"
    );
}

fn unfinished(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.to_string_lossy().contains(".tmp-"))
        .collect()
}

#[test]
fn what_is_killed_leaves_whole_versions() {
    kill(&with_runs("registry-kill"), 20, 3);
}

#[test]
#[ignore = "two hundred kills take ten seconds"]
fn two_hundred_kills_leave_whole_versions() {
    kill(&with_runs("registry-kills"), 200, 5);
}

#[test]
fn a_run_is_pushed_only_where_it_passes_the_gates_against_the_version_in_use() {
    let folder = Folder::new("registry-better");
    let ratings = generated(&folder);
    let run = |name: &str, flags: &[&str]| {
        let mut command = lowrank();
        command.arg("train").arg(&ratings).args(flags);
        succeed(command.arg("--quiet").arg("-o").arg(folder.path(name)));
    };
    run("good", &["--preset", "rating", "--epochs", "60"]);
    run("bad", &["--preset", "rating", "--epochs", "1"]);
    let push = |name: &str, more: &[&str]| {
        let mut command = lowrank();
        command
            .current_dir(folder.path(""))
            .args(["registry", "push"]);
        command.args([name, "--name", "films", "--promote", "champion"]);
        command.args(["--if-better", "--test"]).arg(&ratings);
        command.args(more);
        command
    };
    assert_eq!(succeed(&mut push("bad", &[])), "registry/films@1\n");
    assert_eq!(succeed(&mut push("good", &[])), "registry/films@2\n");
    let (code, said) = fail(&mut push("bad", &[]));
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("a gate failed: rmse < champion"), "{said}");
    // The same model is no better than itself, but good enough for a gate that says so.
    assert_eq!(fail(&mut push("good", &[])).0, 3);
    let gate = ["--gate", "rmse <= champion"];
    assert_eq!(succeed(&mut push("good", &gate)), "registry/films@3\n");
    let (code, said) = fail(push("good", &gate).args(["--gate", "rmse <= 0.0001"]));
    assert_eq!(code, 3, "{said}");
    // A slip of the pen opens no gate.
    let mut slip = lowrank();
    slip.current_dir(folder.path(""))
        .args(["registry", "push", "bad", "--name", "films"]);
    slip.args(["--promote", "chmapion", "--if-better", "--test"])
        .arg(&ratings);
    assert_eq!(fail(&mut slip).0, 3);
    let (code, said) = fail(push("good", &gate).args(["--against", "chmapion"]));
    assert!(code == 1 && said.contains("films has champion"), "{said}");
    let refused = push("bad", &["--format", "json"])
        .output()
        .expect("it starts");
    assert_eq!(refused.status.code(), Some(3));
    let told: Value = serde_json::from_slice(&refused.stdout).expect("JSON");
    assert!(
        told["version"].is_null() && told["gates"][0]["passed"] == false,
        "{told}"
    );

    let run = |words: &str| {
        let mut command = lowrank();
        command.current_dir(folder.path("")).args(words.split(' '));
        command
    };
    succeed(&mut run("registry verify"));
    assert!(!folder.path("registry/films/4").exists());
    let (code, said) = fail(&mut run(
        "registry pull films@champion -o registry/films/50",
    ));
    assert!(
        code == 1 && said.contains("a place in a registry"),
        "{said}"
    );
    // One that is damaged does not hide the others.
    std::fs::write(folder.path("registry/films/2/version.json"), "{").unwrap();
    let listed = run("registry list").output().expect("it starts");
    assert_eq!(listed.status.code(), Some(1));
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert_eq!(listed.lines().count(), 3, "{listed}");
}
