//! Is bad input refused, in words, and is nothing left behind?
//!
//! Through the real binary: exit code 1 or 2, a message that names the place and what was wanted, no panic, no run directory. What the reader and the model file do byte by byte stands in
//! [`reading`](super::reading) and [`artifact`](super::artifact); settings out of range in [`training`](super::training).

use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::common::{Folder, fail, fixture, lowrank, succeed};

/// Its name, the file, and what the message must say.
type Bad = (&'static str, Vec<u8>, &'static [&'static str]);

fn bad_ratings() -> Vec<Bad> {
    let long = |n: usize| "x".repeat(n);
    vec![
        (
            "a short row",
            b"u,i,3\nu,j\n".into(),
            &["line 2", "2 fields", "3"],
        ),
        (
            "a long row",
            b"u,i,3\nu,j,4,5\n".into(),
            &["line 2", "4", "3"],
        ),
        (
            "text as a rating",
            b"u,i,3\nu,j,good\n".into(),
            &["line 2", "column 3", "good", "number"],
        ),
        (
            "NaN",
            b"u,i,3\nu,j,NaN\n".into(),
            &["line 2", "column 3", "NaN", "finite"],
        ),
        (
            "infinity",
            b"u,i,3\nu,j,inf\n".into(),
            &["line 2", "column 3", "inf", "finite"],
        ),
        (
            "minus infinity",
            b"u,i,3\nu,j,-inf\n".into(),
            &["line 2", "column 3", "-inf"],
        ),
        (
            "1e40",
            b"u,i,3\nu,j,1e40\n".into(),
            &["line 2", "column 3", "1e40"],
        ),
        (
            "no rating",
            b"u,i,3\nu,j,\n".into(),
            &["line 2", "column 3"],
        ),
        (
            "a number and more",
            b"u,i,3\nu,j,3x\n".into(),
            &["line 2", "column 3", "3x"],
        ),
        (
            "an empty user",
            b"u,i,3\n,j,4\n".into(),
            &["line 2", "column 1"],
        ),
        (
            "an empty item",
            b"u,i,3\nu,,4\n".into(),
            &["line 2", "column 2"],
        ),
        ("an empty file", b"".into(), &["empty file"]),
        ("blank lines alone", b"\n\n\r\n".into(), &["empty file"]),
        ("a header alone", b"user,item,rating\n".into(), &["no rows"]),
        (
            "an unknown header",
            b"alpha,beta,gamma\nu,i,3\n".into(),
            &["line 1", "gamma", "--columns"],
        ),
        ("two unnamed columns", b"u,i\nv,j\n".into(), &["--columns"]),
        ("one column", b"u\nv\n".into(), &["one field"]),
        (
            "no item column",
            b"user,rating\nu,3\n".into(),
            &["item", "--columns"],
        ),
        (
            "two rating columns",
            b"user,item,rating,rating\nu,i,3,4\n".into(),
            &["rating"],
        ),
        (
            "bytes that are no UTF-8",
            b"u,i,3\nu\xff,j,4\n".into(),
            &["line 2", "column 1", "UTF-8"],
        ),
        (
            "a NUL",
            b"u,i,3\nu\0,j,4\n".into(),
            &["line 2", "column 1", "NUL"],
        ),
        (
            "an unclosed quote",
            b"u,i,3\n\"u,j,4\nv,k,5\n".into(),
            &["line 2", "quote"],
        ),
        (
            "an unclosed quote at the end",
            b"u,i,3\nu,\"j".into(),
            &["line 2", "quote"],
        ),
        (
            "text behind a quote",
            b"u,i,3\n\"u\"v,j,4\n".into(),
            &["line 2", "quote"],
        ),
        (
            "a line beyond 64 KiB",
            format!("u,i,3\nu,{},4\n", long(70_000)).into(),
            &["line 2", "65536"],
        ),
        (
            "a quoted field beyond 64 KiB",
            format!("u,i,3\nu,\"{}\",4\n", "y\n".repeat(40_000)).into(),
            &["line 2"],
        ),
        (
            "a time that is none",
            b"user,item,rating,timestamp\nu,i,3,noon\n".into(),
            &["line 2", "column 4", "noon"],
        ),
        (
            "a picture",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".into(),
            &["line"],
        ),
        (
            "a truncated gz",
            packed(b"u,i,3\nv,j,4\n", 8),
            &["cut short"],
        ),
        (
            "a gz with a wrong checksum",
            broken(packed(b"u,i,3\nv,j,4\n", 0)),
            &["gz"],
        ),
        ("the magic of gz alone", b"\x1f\x8b".into(), &["gz"]),
        (
            "a gz that unpacks without end",
            packed(&vec![b'0'; 80 << 20], 0),
            &["65536"],
        ),
    ]
}

/// `bytes` as `.gz`, with its last `cut` bytes gone.
fn packed(bytes: &[u8], cut: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory");
    let mut packed = encoder.finish().expect("memory");
    packed.truncate(packed.len() - cut);
    packed
}

fn broken(mut packed: Vec<u8>) -> Vec<u8> {
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    packed
}

fn refused(command: &mut Command, name: &str, words: &[&str]) -> String {
    let (code, message) = fail(command);
    assert!(
        [1, 2].contains(&code),
        "{name}: exit code {code}\n{message}"
    );
    for word in words {
        assert!(message.contains(word), "{name}: no {word:?} in {message}");
    }
    assert!(
        message.len() < 2000,
        "{name}: a message of {} bytes",
        message.len()
    );
    message
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn bad_ratings_are_refused_and_leave_nothing() {
    let folder = Folder::new("bad-ratings");
    for (name, bytes, words) in bad_ratings() {
        let file = folder.write("bad.csv", bytes);
        let words: Vec<&str> = words.iter().copied().chain(["bad.csv"]).collect();
        refused(
            lowrank()
                .arg("train")
                .arg(&file)
                .arg("-o")
                .arg(folder.path("run")),
            name,
            &words,
        );
        assert_eq!(
            names(&folder.path("")),
            ["bad.csv"],
            "{name} left something"
        );
        refused(
            lowrank()
                .args(["data", "split", "--fraction", "0.5", "--by", "random"])
                .arg(&file)
                .arg("-o")
                .arg(folder.path("halves")),
            name,
            &words,
        );
        assert_eq!(
            names(&folder.path("")),
            ["bad.csv"],
            "{name} left something behind data split"
        );
    }
}

#[test]
fn bad_side_files_and_bad_paths_are_refused_and_leave_nothing() {
    let folder = Folder::new("bad-side");
    let ratings = folder.write("ratings.csv", "u,i,3\nu,j,4\nv,i,5\nv,j,1\n");
    let good = folder.write("items.csv", "item,title,genres\ni,A,x|y\nj,B,y\n");
    let bad =
        |name: &str, text: &str| (name.to_owned(), folder.write(&format!("{name}.csv"), text));
    let side = [
        (bad("twice", "item,title\ni,A\ni,B\n"), "line 3"),
        (bad("short", "item,title,genres\ni,A\n"), "line 2"),
        (bad("empty-id", "item,title\n,A\n"), "line 2"),
        (bad("empty", ""), "empty"),
        (bad("quote", "item,title\ni,\"A\n"), "quote"),
    ];
    let before = names(&folder.path(""));
    let train = || {
        let mut command = lowrank();
        command
            .arg("train")
            .arg(&ratings)
            .arg("-o")
            .arg(folder.path("run"));
        command
    };
    for ((name, path), word) in &side {
        refused(train().arg("--items").arg(path), name, &[word, ".csv"]);
        refused(train().arg("--users").arg(path), name, &[word, ".csv"]);
    }
    let missing = folder.path("missing");
    for flag in ["--items", "--users", "--valid", "--init", "--config"] {
        refused(train().arg(flag).arg(&missing), flag, &["missing"]);
    }
    refused(
        lowrank()
            .arg("train")
            .arg(&missing)
            .arg("-o")
            .arg(folder.path("run")),
        "no file",
        &["missing", "No such file"],
    );
    refused(
        lowrank()
            .arg("train")
            .arg(folder.path(""))
            .arg("-o")
            .arg(folder.path("run")),
        "a directory",
        &["a folder"],
    );
    refused(
        train().args(["--item-features", "colour"]),
        "an unknown column",
        &["colour"],
    );
    refused(
        train()
            .arg("--items")
            .arg(&good)
            .args(["--item-features", "colour"]),
        "an unknown column",
        &["colour", "genres"],
    );
    refused(
        train().args(["--columns", "user=a,item=b,rating=c"]),
        "columns that are not there",
        &["\"a\""],
    );
    refused(
        train().args(["--weight", "c9"]),
        "a weight that is not there",
        &["c9"],
    );
    refused(
        train().args(["--dedupe", "most"]),
        "a rule that is none",
        &["most"],
    );
    refused(train().args(["--sep", ""]), "no separator", &["sep"]);
    refused(
        train().arg("-o").arg(&good),
        "an output twice",
        &["--output"],
    );
    refused(
        lowrank().arg("train").arg(&ratings).arg("-o").arg(&good),
        "a file as the run",
        &["items.csv", "folder"],
    );
    let config = folder.write("config.toml", "factor = 3\n");
    refused(
        train().arg("--config").arg(&config),
        "an unknown key",
        &["config.toml", "factor"],
    );
    std::fs::remove_file(config).expect("its file");
    assert_eq!(names(&folder.path("")), before, "something was left behind");
}

#[test]
fn bad_questions_to_a_model_are_refused() {
    let folder = Folder::new("bad-questions");
    let run = folder.path("run");
    succeed(
        lowrank()
            .arg("train")
            .arg(fixture("notebook/ratings_raw.csv"))
            .arg("--items")
            .arg(fixture("notebook/movies.csv"))
            .args(["--item-features", "genre", "--epochs", "3", "--quiet", "-o"])
            .arg(&run),
    );
    for (arguments, words) in [
        (
            &["recommend", "--user", "nobody"][..],
            &["nobody", "user"][..],
        ),
        (
            &[
                "recommend",
                "--user",
                "0",
                "--where",
                "genre=Western movies",
            ],
            &["Western movies"],
        ),
        (
            &["recommend", "--user", "0", "--where", "colour=red"],
            &["colour", "genre"],
        ),
        (
            &["recommend", "--user", "0", "--where", "genre"],
            &["genre"],
        ),
        (&["recommend"], &["--user"]),
        (&["predict", "--user", "0"], &["--item"]),
        (
            &[
                "predict",
                "--user",
                "0",
                "--item",
                "1",
                "--with",
                "genre=Polka",
            ],
            &["Polka"],
        ),
        (
            &[
                "predict",
                "--user",
                "0",
                "--item",
                "1",
                "--with",
                "colour=red",
            ],
            &["colour"],
        ),
        (&["predict", "--pairs", "missing.csv"], &["missing.csv"]),
        (&["evaluate", "--test", "missing.csv"], &["missing.csv"]),
        (&["export", "--to", "parquet", "out"], &["parquet"]),
    ] {
        let (command, rest) = arguments.split_first().expect("a command");
        refused(
            lowrank().arg(command).arg(&run).args(rest),
            &arguments.join(" "),
            words,
        );
    }
    let before = names(&folder.path(""));
    assert_eq!(before, ["run"]);
    refused(
        lowrank()
            .args(["predict", "--user", "0", "--item", "1"])
            .arg(folder.path("none")),
        "no model",
        &["none", "model"],
    );
}

#[test]
fn a_damaged_model_is_refused() {
    let folder = Folder::new("damaged");
    let run = folder.path("run");
    succeed(
        lowrank()
            .arg("train")
            .arg(fixture("notebook/ratings_raw.csv"))
            .args(["--epochs", "2", "--quiet", "-o"])
            .arg(&run),
    );
    let model = std::fs::read(run.join("model.lowrank")).expect("a model");
    let ask = |name: &str, bytes: &[u8]| {
        let path = folder.write("damaged.lowrank", bytes);
        refused(
            lowrank()
                .args(["predict", "--verify", "--user", "0", "--item", "1"])
                .arg(path),
            name,
            &["damaged.lowrank", "byte"],
        );
    };
    // The library's tests damage every byte; here every 97th, seen through the binary.
    for at in (0..model.len()).step_by(model.len() / 60) {
        ask(&format!("cut at {at}"), &model[..at]);
        let mut flipped = model.clone();
        flipped[at] ^= 0x10;
        ask(&format!("flipped at {at}"), &flipped);
    }
    ask("lengthened", &[&model[..], b"x"].concat());
    ask(
        "ratings as a model",
        &std::fs::read(fixture("notebook/ratings_raw.csv")).expect("a fixture"),
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_no_output_looks_finished() {
    if !Path::new("/dev/full").exists() {
        eprintln!("skipped: no /dev/full on this machine");
        return;
    }
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let (code, message) = fail(lowrank().arg("demo").stdout(full));
    assert_eq!(code, 1);
    assert!(message.contains("No space left"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_file_that_unpacks_without_end_takes_no_memory() {
    let folder = Folder::new("bomb");
    let bomb = folder.write("bomb.csv.gz", packed(&b"u,i,3\n".repeat(30 << 20), 0));
    // 180 MiB of equal rows in under a megabyte: two threads' stacks and the reader fit into 400 MiB of addresses, the text and its rows would not.
    let limited = format!(
        "ulimit -v 400000; exec \"$0\" train \"$1\" --threads 1 -o \"{}\"",
        folder.path("run").display()
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &limited, env!("CARGO_BIN_EXE_lowrank")])
        .arg(bomb);
    refused(&mut command, "a bomb", &["bomb.csv.gz", "unpack", "64 MiB"]);
    assert!(!folder.path("run").exists());
}

fn model(folder: &Folder) -> std::path::PathBuf {
    let run = folder.path("run");
    let mut train = lowrank();
    train.arg("train").arg(fixture("notebook/ratings_raw.csv"));
    succeed(train.args(["--epochs", "2", "--quiet", "-o"]).arg(&run));
    run.join("model.lowrank")
}

#[test]
fn what_is_read_is_never_written_over() {
    let folder = Folder::new("over-input");
    let file = model(&folder);
    let before = std::fs::read(&file).expect("a model");
    let recommend = |output: &Path| {
        let mut command = lowrank();
        command
            .args(["recommend", "--all"])
            .arg(&file)
            .arg("-o")
            .arg(output);
        command
    };
    refused(
        &mut recommend(&file),
        "the model",
        &["model.lowrank", "reads"],
    );
    let predict = ["predict", "--user", "0", "--item", "1"];
    refused(
        lowrank().args(predict).arg(&file).arg("-o").arg(&file),
        "the model",
        &["reads"],
    );
    assert!(
        std::fs::read(&file).expect("a model") == before,
        "the model was written over"
    );
    let ratings = folder.write(
        "train.csv",
        std::fs::read(fixture("notebook/ratings_raw.csv")).expect("a fixture"),
    );
    let kept = std::fs::read(&ratings).expect("ratings");
    let split = [
        "data",
        "split",
        "--force",
        "--fraction",
        "0.1",
        "--by",
        "random",
    ];
    refused(
        lowrank()
            .args(split)
            .arg(&ratings)
            .arg("-o")
            .arg(folder.path("")),
        "the ratings",
        &["train.csv", "reads"],
    );
    assert!(
        std::fs::read(&ratings).expect("ratings") == kept,
        "the ratings were written over"
    );
    refused(
        &mut recommend(&folder.path("run")),
        "a folder",
        &["run", "no file"],
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_is_written_to_and_read_from_and_stays_a_pipe() {
    use std::os::unix::fs::FileTypeExt;
    let folder = Folder::new("pipe");
    let file = model(&folder);
    let pipe = folder.path("pipe");
    if !Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .is_ok_and(|status| status.success())
    {
        eprintln!("skipped: no mkfifo on this machine");
        return;
    }
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::read_to_string(pipe).expect("UTF-8"))
    };
    succeed(
        lowrank()
            .args(["recommend", "--all", "--format", "csv"])
            .arg(&file)
            .arg("-o")
            .arg(&pipe),
    );
    assert!(
        reader
            .join()
            .expect("a reader")
            .starts_with("user,rank,item")
    );
    assert!(
        std::fs::metadata(&pipe)
            .expect("a pipe")
            .file_type()
            .is_fifo(),
        "the pipe became a file"
    );
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || {
            std::fs::write(
                pipe,
                std::fs::read(fixture("notebook/ratings_raw.csv")).expect("a fixture"),
            )
        })
    };
    let run = folder.path("piped");
    succeed(
        lowrank()
            .arg("train")
            .arg(&pipe)
            .args(["--epochs", "2", "--quiet", "-o"])
            .arg(&run),
    );
    writer.join().expect("a writer").expect("written");
    let piped = std::fs::read(run.join("model.lowrank")).expect("a model");
    assert!(
        piped == std::fs::read(&file).expect("a model"),
        "a pipe trains another model"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_and_inputs_without_end_are_told() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new("odd-names");
    let odd = folder
        .path("")
        .join(std::ffi::OsStr::from_bytes(b"r\xff.csv"));
    std::fs::copy(fixture("notebook/ratings_raw.csv"), &odd).expect("a copy");
    let run = folder.path("run");
    // A name that only the record holds is written as well as it can be.
    succeed(
        lowrank()
            .arg("train")
            .arg(&odd)
            .args(["--epochs", "1", "--quiet", "-o"])
            .arg(&run),
    );
    assert!(run.join("run.json").is_file());
    let ratings = fixture("notebook/ratings_raw.csv");
    let other = folder.path("other");
    let train = || {
        let mut command = lowrank();
        command
            .arg("train")
            .arg(&ratings)
            .args(["--epochs", "1", "-o"])
            .arg(&other);
        command
    };
    refused(
        train().arg("--valid").arg(&odd),
        "a name that config.toml cannot hold",
        &["UTF-8"],
    );
    refused(
        train().args(["--config", "/dev/zero"]),
        "a configuration without end",
        &["/dev/zero", "1048576"],
    );
    let list = ["recommend", "--users", "/dev/zero"];
    refused(
        lowrank().args(list).arg(&run),
        "a list without end",
        &["/dev/zero"],
    );
    refused(
        train().args(["--threads", "100000"]),
        "threads",
        &["threads", "1024"],
    );
    let weightless = folder.write("weightless.csv", "user,item,rating,w\nu,i,3,0\nv,i,4,0\n");
    let mut command = lowrank();
    command
        .arg("train")
        .arg(weightless)
        .args(["--weight", "w", "-o"])
        .arg(&other);
    refused(&mut command, "weights of nothing", &["weight", "above 0"]);
    assert!(!other.exists());
}
