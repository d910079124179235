//! Does a cache of ratings go wherever the text goes, with the same result, and never stand in for another text?
//!
//! Through the real binary: the same model bytes, what is said when the text has changed, which options are refused, and damage.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::common::{Folder, fail, fixture, lowrank, succeed};

/// Ratings with times, weights and duplicates: each seventh row rates the pair of the one before again.
fn ratings() -> String {
    let mut text = String::from("user_id,item_id,rating,timestamp,trust\n");
    for n in 0..3000usize {
        let m = n - usize::from(n % 7 == 6);
        let (user, item) = (m * 31 % 97, m * m % 53 + m / 1000);
        let (rating, time, trust) = (1 + n * n % 5, 10_000 + n * 7919 % 3001, 1 + n % 3);
        text.push_str(&format!("u{user},i{item},{rating},{time},{trust}\n"));
    }
    text
}

fn convert(text: &Path, cache: &Path, more: &[&str]) -> Command {
    let mut command = lowrank();
    command.args(["data", "convert"]).arg(text).arg("-o");
    command.arg(cache).args(more);
    command
}

/// A text and its cache.
fn pair(folder: &Folder, more: &[&str]) -> (PathBuf, PathBuf) {
    let text = folder.write("ratings.csv", ratings());
    let cache = folder.path("ratings.cache");
    succeed(&mut convert(&text, &cache, more));
    (text, cache)
}

fn train(ratings: &Path, run: &Path, more: &[&str]) -> Command {
    let mut command = lowrank();
    command.arg("train").arg(ratings).arg("-o").arg(run);
    command.args(["--force", "--factors", "4"]).args(more);
    command
}

fn model(ratings: &Path, folder: &Folder, more: &[&str]) -> Vec<u8> {
    let run = folder.path("run");
    succeed(&mut train(ratings, &run, more));
    fs::read(run.join("model.lowrank")).unwrap()
}

fn json(command: &mut Command) -> Value {
    serde_json::from_str(&succeed(command.args(["--format", "json"]))).unwrap()
}

/// Moves the file's time; its bytes stay.
fn touch(path: &Path) {
    let time = SystemTime::now() - Duration::from_secs(100);
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

#[test]
fn a_cache_trains_the_bytes_of_its_text() {
    let folder = Folder::new("cache-bytes");
    let modes: [&[&str]; 6] = [
        &["--epochs", "6"],
        &["--epochs", "2", "--batch", "257"],
        &["--epochs", "3", "--valid-fraction", "0.2"],
        &[
            "--epochs",
            "3",
            "--valid-fraction",
            "0.2",
            "--valid-by",
            "time",
        ],
        &["--epochs", "3", "--valid-by", "leave-last"],
        &["--epochs", "2", "--preset", "notebook"],
    ];
    for reading in [
        &[][..],
        &["--weight", "trust", "--dedupe", "mean"],
        &["--columns", "user=1,item=2,rating=trust,timestamp=4"],
    ] {
        let (text, cache) = pair(&folder, &[reading, &["--force"]].concat());
        for mode in modes {
            let with = [reading, mode].concat();
            let wanted = model(&text, &folder, &with);
            let why = format!("{with:?}");
            assert!(model(&cache, &folder, mode) == wanted, "{why}");
            assert!(model(&cache, &folder, &with) == wanted, "options: {why}");
        }
    }
    // Another order of the ratings is another model: the test above could fail.
    let mut lines: Vec<String> = ratings().lines().map(str::to_owned).collect();
    lines.swap(1, 2000);
    let other = folder.write("other.csv", lines.join("\n"));
    let wanted = model(&folder.path("ratings.cache"), &folder, modes[1]);
    assert!(model(&other, &folder, modes[1]) != wanted);
}

#[test]
fn a_cache_goes_wherever_a_file_of_ratings_goes() {
    let folder = Folder::new("cache-everywhere");
    let text = fixture("notebook/ratings_raw.csv");
    let items = fixture("notebook/movies.csv");
    let cache = folder.path("c");
    succeed(&mut convert(&text, &cache, &[]));
    let items_flag = ["--items", items.to_str().unwrap(), "--epochs", "3"];
    assert!(model(&text, &folder, &items_flag) == model(&cache, &folder, &items_flag));
    let held = |file: &Path| {
        model(
            &text,
            &folder,
            &["--epochs", "3", "--valid", file.to_str().unwrap()],
        )
    };
    assert!(held(&text) == held(&cache));

    // An evaluation counts duplicates of a text, which a cache has not; this text has none.
    let run = folder.path("run");
    let single = folder.write(
        "single.csv",
        "user_id,item_id,rating\n99,zz,3\n1,2,4\n1,zz,1\n",
    );
    let single_cache = folder.path("single.cache");
    succeed(&mut convert(&single, &single_cache, &[]));
    let evaluate = |test: &Path| json(lowrank().arg("evaluate").arg(&run).arg("--test").arg(test));
    assert_eq!(evaluate(&single), evaluate(&single_cache));
    let predict = |pairs: &Path| json(lowrank().arg("predict").arg(&run).arg("--pairs").arg(pairs));
    assert_eq!(predict(&single), predict(&single_cache));

    let inspect = |file: &Path| json(lowrank().args(["data", "inspect"]).arg(file));
    let (of_text, mut of_cache) = (inspect(&text), inspect(&cache));
    let name = of_cache.as_object_mut().unwrap().remove("cache");
    assert_eq!(name.unwrap().as_str(), cache.to_str());
    assert_eq!(of_text, of_cache);
    let shown = succeed(lowrank().args(["data", "inspect"]).arg(&cache));
    let head = format!("{}, a cache of\n{}\n", cache.display(), text.display());
    assert!(shown.starts_with(&head), "{shown}");

    let split = |file: &Path, parts: &str| {
        succeed(
            lowrank()
                .args(["data", "split"])
                .arg(file)
                .arg("-o")
                .arg(folder.path(parts)),
        );
        ["train.csv", "test.csv"].map(|half| fs::read(folder.path(parts).join(half)).unwrap())
    };
    assert_eq!(split(&text, "a"), split(&cache, "b"));
}

#[test]
fn a_cache_says_what_it_holds_and_a_run_what_it_came_from() {
    let folder = Folder::new("cache-report");
    let (text, cache) = pair(&folder, &[]);
    let sha256 = |path: &Path| {
        let hash = Sha256::digest(fs::read(path).unwrap());
        hash.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let (code, message) = fail(&mut convert(&text, &cache, &[]));
    assert!(
        code == 1 && message.contains("a file that exists"),
        "{message}"
    );
    let written = json(&mut convert(&text, &cache, &["--force"]));
    assert_eq!(written["rows"], 3000);
    let dropped = written["duplicates"]["dropped"].as_u64().unwrap();
    assert!(dropped >= 428, "{written}");
    assert_eq!(written["ratings"], 3000 - dropped);
    assert_eq!(written["users"], 97);
    assert_eq!(written["bytes"], fs::metadata(&cache).unwrap().len());
    assert_eq!(written["source"].as_str(), text.to_str());
    assert_eq!(written["source_sha256"].as_str(), Some(&*sha256(&text)));
    let shown = succeed(&mut convert(&text, &cache, &["--force"]));
    assert!(shown.contains("from 3,000 rows of"), "{shown}");
    assert!(
        shown.contains("rated more than once, the last rating counts"),
        "{shown}"
    );
    assert!(shown.contains("with times\n"), "{shown}");

    let run = folder.path("run");
    succeed(&mut train(&cache, &run, &["--epochs", "1"]));
    let record: Value = serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
    let input = &record["inputs"][0];
    assert_eq!(input["path"].as_str(), cache.to_str());
    assert_eq!(input["sha256"].as_str(), Some(&*sha256(&cache)));
    assert_eq!(input["source"]["path"].as_str(), text.to_str());
    assert_eq!(input["source"]["sha256"].as_str(), Some(&*sha256(&text)));
    assert_eq!(input["source"]["bytes"], fs::metadata(&text).unwrap().len());
    assert_eq!(record["counts"]["rows"], 3000);
    assert_eq!(record["counts"]["duplicates"], dropped);
    succeed(&mut train(&text, &run, &["--epochs", "1"]));
    let record: Value = serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
    assert!(record["inputs"][0].get("source").is_none());
}

#[test]
fn a_cache_is_refused_when_its_text_has_changed_and_only_then() {
    let folder = Folder::new("cache-stale");
    let (text, cache) = pair(&folder, &["--dedupe", "first"]);
    let wanted = model(&cache, &folder, &["--epochs", "1"]);

    touch(&text);
    assert!(
        model(&cache, &folder, &["--epochs", "1"]) == wanted,
        "the same bytes"
    );

    // One digit, so the length stays.
    let changed = ratings().replacen("u31,", "u32,", 1);
    assert_eq!(changed.len(), ratings().len());
    let mut run = folder.path("run");
    for (changed, touched) in [(changed, true), (ratings() + "u1,i1,1,1,1\n", false)] {
        fs::write(&text, changed).unwrap();
        if touched {
            touch(&text);
        }
        let path = cache.to_str().unwrap();
        let command = format!(
            "lowrank data convert {} --dedupe first -o {path} --force\n",
            text.display()
        );
        let model = run.to_str().unwrap();
        for arguments in [
            &["train", path, "--force", "-o", model][..],
            &["train", "none.csv", "--valid", path, "--force", "-o", model],
            &["data", "inspect", path],
            &["data", "split", path, "-o", "nowhere"],
            &["evaluate", model, "--test", path],
            &["predict", model, "--pairs", path],
        ] {
            let (code, message) = fail(lowrank().args(arguments));
            assert_eq!(code, 1, "{message}");
            assert!(
                message.contains("has changed since"),
                "{arguments:?}: {message}"
            );
            assert!(message.ends_with(&command), "{message}");
        }
        assert!(run.join("model.lowrank").exists(), "nothing was touched");
    }
    // The line that was printed mends it.
    succeed(&mut convert(
        &text,
        &cache,
        &["--dedupe", "first", "--force"],
    ));
    model(&cache, &folder, &["--epochs", "1"]);

    fs::remove_file(&text).unwrap();
    run = folder.path("gone");
    let output = train(&cache, &run, &["--epochs", "1"]).output().unwrap();
    assert!(output.status.success());
    let notes = String::from_utf8(output.stderr).unwrap();
    let note = format!("was made from {}, which is gone\n", text.display());
    assert!(notes.contains(&note), "{notes}");
}

#[test]
fn options_that_a_cache_was_not_made_with_are_refused() {
    let folder = Folder::new("cache-options");
    let (_, cache) = pair(&folder, &["--dedupe", "max"]);
    for (option, value, had) in [
        ("--columns", "user,item,rating", "made without --columns"),
        ("--sep", ";", "made with --sep ,"),
        ("--weight", "trust", "made without --weight"),
        ("--dedupe", "last", "made with --dedupe max"),
    ] {
        let (code, message) = fail(&mut train(&cache, &folder.path("run"), &[option, value]));
        assert_eq!(code, 2, "{message}");
        assert!(message.contains(had), "{message}");
        let policy = if option == "--dedupe" {
            ""
        } else {
            "--dedupe max "
        };
        assert!(
            message.contains(&format!("{policy}-o {}", cache.display())),
            "{message}"
        );
        assert!(!folder.path("run").exists());
    }
    for accepted in [["--dedupe", "max"], ["--sep", ","]] {
        let more = [&accepted[..], &["--epochs", "1"]].concat();
        succeed(&mut train(&cache, &folder.path("run"), &more));
    }
}

#[test]
fn nothing_is_written_over_an_input_and_only_ratings_are_read() {
    let folder = Folder::new("cache-input");
    let (text, cache) = pair(&folder, &[]);
    let (_, message) = fail(&mut convert(&text, &text, &["--force"]));
    assert!(
        message.contains("a file that the command reads"),
        "{message}"
    );
    assert_eq!(fs::read_to_string(&text).unwrap(), ratings());
    let (_, message) = fail(&mut convert(&cache, &folder.path("again"), &[]));
    assert!(message.contains("got a cache"), "{message}");
    let bad = folder.write("bad.csv", "user_id,item_id,rating\n1,2,good\n");
    let before = fs::read(&cache).unwrap();
    fail(&mut convert(&bad, &cache, &["--force"]));
    assert_eq!(fs::read(&cache).unwrap(), before);

    let run = folder.path("run");
    succeed(&mut train(&cache, &run, &["--epochs", "1"]));
    let (code, message) = fail(&mut train(
        &run.join("model.lowrank"),
        &folder.path("other"),
        &[],
    ));
    assert!(
        code == 1 && message.contains("content \"modl\""),
        "{message}"
    );

    let mut damaged = before;
    for at in (0..damaged.len()).step_by(499) {
        damaged[at] ^= 4;
        let path = folder.write("damaged", &damaged);
        let (code, message) = fail(lowrank().args(["data", "inspect"]).arg(&path));
        assert!(code == 1 && message.contains("damaged"), "{at}: {message}");
        damaged[at] ^= 4;
    }
    let cut = folder.write("cut", &damaged[..damaged.len() - 64]);
    let (_, message) = fail(&mut train(&cut, &folder.path("other"), &[]));
    assert!(message.contains("a section within the file"), "{message}");
    assert!(!folder.path("other").exists());
}

/// A pipe is read once, and is gone then: the cache has no source to be compared with.
#[cfg(unix)]
#[test]
fn a_cache_is_made_from_a_pipe() {
    use std::io::Write;
    use std::process::Stdio;
    let folder = Folder::new("cache-pipe");
    let (text, cache) = pair(&folder, &[]);
    let piped = folder.path("piped");
    let mut command = convert(Path::new("/dev/stdin"), &piped, &["--quiet"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(ratings().as_bytes()).unwrap();
    drop(pipe);
    assert!(child.wait().unwrap().success());
    fs::remove_file(text).unwrap();
    let flags = ["--epochs", "2"];
    assert!(model(&piped, &folder, &flags) == model(&cache, &folder, &flags));
    let (_, message) = fail(&mut train(&piped, &folder.path("x"), &["--sep", ";"]));
    assert!(
        message.contains("data convert RATINGS --sep ';' -o"),
        "{message}"
    );
}

/// 40,000 ratings: enough for two blocks a side, so that blocks are read one by one.
fn many(folder: &Folder) -> (PathBuf, PathBuf) {
    let mut text = String::from("user,item,rating,trust\n");
    for n in 0..40_000usize {
        let pair = n * 7919 % (400 * 250);
        let (rating, trust) = (1 + pair * pair % 5, 1 + pair % 3);
        text.push_str(&format!(
            "u{},i{},{rating},{trust}\n",
            pair / 250,
            pair % 250
        ));
    }
    let text = folder.write("many.csv", text);
    let cache = folder.path("many.cache");
    succeed(&mut convert(&text, &cache, &["--weight", "trust"]));
    (text, cache)
}

#[test]
fn ratings_on_disk_train_to_the_very_bytes_of_ratings_in_memory() {
    let folder = Folder::new("stored");
    let (text, cache) = many(&folder);
    let block = ["--batch", "block", "--epochs", "5"];
    let wanted = model(
        &text,
        &folder,
        &[&block[..], &["--weight", "trust"]].concat(),
    );
    for threads in ["1", "3"] {
        let bound = ["--max-memory", "100k", "--threads", threads];
        let stored = model(&cache, &folder, &[&block[..], &bound].concat());
        assert!(stored == wanted, "{threads} threads");
    }
    // Blocks are what ratings on disk train by, said or not; room enough leaves everything in memory.
    let auto = ["--epochs", "5", "--max-memory", "100k"];
    assert!(model(&cache, &folder, &auto) == wanted);
    assert!(
        model(
            &cache,
            &folder,
            &[&block[..], &["--max-memory", "1g"]].concat()
        ) == wanted
    );
    assert!(model(&cache, &folder, &[&block[..], &["--seed", "43"]].concat()) != wanted);

    let valid = folder.write(
        "valid.csv",
        "user,item,rating,trust\nu1,i1,3,1\nu2,i2,5,1\n",
    );
    let valid = ["--valid", valid.to_str().unwrap(), "--patience", "2"];
    let watched = model(
        &text,
        &folder,
        &[&block[..], &["--weight", "trust"], &valid].concat(),
    );
    assert!(model(&cache, &folder, &[&auto[..], &valid].concat()) == watched);
    let left = fs::read_dir(folder.path("")).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(
        names.into_iter().all(|name| !name.contains("scratch")),
        "work is left lying"
    );
}

#[test]
fn what_cannot_be_done_with_ratings_on_disk_is_said() {
    let folder = Folder::new("stored-errors");
    let (text, cache) = many(&folder);
    let run = folder.path("refused");
    for (ratings, more, said) in [
        (&text, &["--max-memory", "100k"][..], "lowrank data convert"),
        (&cache, &["--max-memory", "much"], "a size such as 2g"),
        (&cache, &["--max-memory", "0"], "a size such as 2g"),
        (
            &cache,
            &["--max-memory", "100k", "--batch", "full"],
            "full batch needs all ratings",
        ),
        (
            &cache,
            &["--max-memory", "100k", "--batch", "500"],
            "needs all ratings",
        ),
        (
            &cache,
            &["--max-memory", "100k", "--valid-fraction", "0.1"],
            "--valid",
        ),
        (
            &cache,
            &["--optimizer", "row-adam", "--batch", "full"],
            "--batch block with row-adam",
        ),
        (
            &cache,
            &["--optimizer", "amsgrad", "--batch", "block"],
            "adam, adamw, row-adam",
        ),
    ] {
        let (code, message) = fail(&mut train(ratings, &run, more));
        assert!(message.contains(said), "{more:?}: {message}");
        assert!((1..=2).contains(&code), "{more:?}: {code}");
        assert!(!run.exists(), "{more:?}");
    }
}

/// Written by version 1 of the format; never written again.
const VERSION_1: &str = "ratings-v1.cache";

#[test]
fn the_cache_of_version_1_loads_for_ever() {
    let data = lowrank::data::Dataset::builder()
        .ratings(fixture(VERSION_1))
        .and_then(|builder| builder.build())
        .expect("an old cache");
    let rows = &data.interactions;
    let read: Vec<_> = (0..rows.len())
        .map(|n| {
            let user = data.users.ids.name(rows.users[n]);
            (user, data.items.ids.name(rows.items[n]), rows.ratings[n])
        })
        .collect();
    let written = [
        ("bob", "Up, again", 3.5),
        ("ann", "Up", 1.0),
        ("eve", "Heat", 4.0),
        ("ann", "Heat", 4.5),
    ];
    assert_eq!(read, written);
    assert_eq!(rows.timestamps.as_deref(), Some(&[200, 300, 50, 400][..]));
}

/// Flips a bit, cuts, lengthens or overwrites some bytes of an old cache: it is refused, or gives as many ratings as it has.
fn mutate(times: usize, seed: u64) {
    let whole = fs::read(fixture(VERSION_1)).expect("a fixture");
    let folder = Folder::new("cache-mutated");
    let mut below = crate::common::numbers(seed);
    let mut refused = 0;
    for _ in 0..times {
        let mut bytes = whole.clone();
        let at = below(whole.len() as u64) as usize;
        match below(4) {
            0 => bytes[at] ^= 1 << below(8),
            1 => bytes.truncate(at),
            2 => bytes.extend((0..=below(64)).map(|n| n as u8)),
            _ => (at..whole.len().min(at + 8)).for_each(|at| bytes[at] = 255),
        }
        let path = folder.write("mutated.cache", &bytes);
        let read = lowrank::data::Dataset::builder()
            .ratings(&path)
            .and_then(|builder| builder.build());
        match read {
            Ok(data) => assert!(bytes == whole || data.n_ratings() <= 4),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > times / 2, "{refused} of {times}");
}

#[test]
fn mutated_caches_are_refused_without_a_panic() {
    mutate(1000, 5);
}

#[test]
#[ignore = "a hundred thousand files take half a minute"]
fn a_hundred_thousand_mutated_caches_are_refused_without_a_panic() {
    mutate(100_000, 6);
}
