//! Is the house in order?
//!
//! `src/` reads from top to bottom: a file may use what stands before it, never what stands behind. The order below is the order of the crate's front page.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, in reading order.
const ORDER: [&str; 17] = [
    "error",
    "random",
    "storage",
    "kernels",
    "linalg",
    "data",
    "model",
    "loss",
    "metrics",
    "gradient",
    "optimizer",
    "training",
    "bayes",
    "recommend",
    "evaluation",
    "artifact",
    "cli",
];

/// Lines of a file without its tests.
const LONGEST: usize = 400;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every `.rs` file below `src/`, by its path from there.
fn files() -> Vec<(String, String)> {
    fn visit(folder: &Path, all: &mut Vec<(String, String)>) {
        let mut entries: Vec<_> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                // Tests of a room that need several files; `tests_are_compiled_for_tests_alone` sees to it that they are such.
                if !path.ends_with("tests") {
                    visit(&path, all);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
            {
                let name = path
                    .strip_prefix(source())
                    .expect("below src")
                    .to_string_lossy()
                    .replace('\\', "/");
                all.push((name, fs::read_to_string(&path).expect("UTF-8")));
            }
        }
    }
    let mut all = Vec::new();
    visit(&source(), &mut all);
    assert!(all.len() > 50, "only {} files found", all.len());
    all
}

/// The code without its tests and comments: modules within a file that are compiled for tests alone stand at its end.
fn code(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0] == "#[cfg(test)]" && pair[1].contains("mod ") && pair[1].ends_with('{')
    });
    let before_tests = &lines[..tests.unwrap_or(lines.len())];
    before_tests
        .iter()
        .filter(|line| !line.trim_start().starts_with("//"))
        .copied()
        .collect::<Vec<_>>()
        .join("\n")
}

fn room(name: &str) -> &str {
    name.split(['/', '.']).next().unwrap_or_default()
}

/// The rooms that code names by `crate::room`, also within braces.
fn rooms_named(code: &str) -> Vec<String> {
    let word = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => rooms.push(word(rest)),
            Some(list) => {
                let mut depth = 0;
                let mut start = true;
                for (n, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && depth == 0 && c.is_alphabetic() => {
                            rooms.push(word(&list[n..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    rooms
}

#[test]
fn imports_point_backwards() {
    let place = |room: &str| ORDER.iter().position(|name| *name == room);
    for (name, text) in files() {
        let here = room(&name);
        if ["lib", "main"].contains(&here) {
            continue;
        }
        let mine = place(here).unwrap_or_else(|| panic!("{name} has no place in the house"));
        for used in rooms_named(&code(&text)) {
            // `crate::Error` and its like are re-exports of the front page.
            if let Some(theirs) = place(&used) {
                assert!(
                    theirs <= mine,
                    "{name} uses `{used}`, which stands behind it"
                );
            }
        }
    }
}

#[test]
fn tests_are_compiled_for_tests_alone() {
    fn visit(folder: &Path, found: &mut usize) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.ends_with("tests") || path.ends_with("tests.rs") {
                let declared = fs::read_to_string(folder.join("mod.rs")).expect("a room");
                let alone = declared.contains("#[cfg(test)]\nmod tests;");
                assert!(alone, "{} is not for tests alone", path.display());
                *found += 1;
            } else if path.is_dir() {
                visit(&path, found);
            }
        }
    }
    let mut found = 0;
    visit(&source(), &mut found);
    assert!(found >= 3, "only {found} found");
}

#[test]
fn the_rooms_named_in_braces_are_found() {
    assert_eq!(
        rooms_named("use crate::{data::{a, b}, model};\nlet x = crate::cli::run();"),
        ["data", "model", "cli"]
    );
}

#[test]
fn unsafe_code_stands_in_the_kernels_alone() {
    for (name, text) in files() {
        let allowed = name == "kernels/avx2.rs";
        assert!(
            allowed || !text.contains("allow(unsafe_code"),
            "{name} allows unsafe code"
        );
        let blocks = code(&text).matches("unsafe {").count();
        assert!(
            blocks == 0 || (allowed && text.matches("// SAFETY: ").count() >= blocks),
            "{name}: unsafe without a note"
        );
    }
    let front = fs::read_to_string(source().join("lib.rs")).expect("lib.rs");
    assert!(front.contains("#![deny(unsafe_code)]"));
}

#[test]
fn what_would_change_bits_or_break_silence_is_not_used() {
    for (name, text) in files() {
        let code = code(&text);
        for (word, but_in) in [
            ("mul_add", ""),
            ("Instant::now", "cli/"),
            ("SystemTime", "cli/"),
            ("std::env::", "main.rs"),
            ("println!", "cli/"),
            ("eprint", "cli/"),
            ("rand::", "random.rs"),
            ("bincode", "artifact/"),
            ("clap", "cli/"),
            ("Command::new", ""),
            ("File::open", "data/ storage/ artifact/ cli/"),
            (".general_mat_mul", ""),
            // The C library's differ in their last bit from CPU to CPU; `libm`'s do not. A model's f32 hides that nearly always, so no test of bytes
            // would find them.
            (".exp()", "cli/"),
            (".ln()", "cli/"),
            (".log(", "cli/"),
            (".log2(", "cli/"),
            (".log10(", "cli/"),
            (".ln_1p(", "cli/"),
            (".cos()", "cli/"),
            (".sin()", "cli/"),
            (".tanh()", "cli/"),
            (".powf(", "cli/"),
            (".powi(", "cli/"),
        ] {
            let excepted = but_in
                .split(' ')
                .any(|place| !place.is_empty() && name.starts_with(place));
            assert!(excepted || !code.contains(word), "{name} says {word}");
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is_about_and_stays_short() {
    for (name, text) in files() {
        assert!(
            text.starts_with("//! "),
            "{name} does not open with its question"
        );
        let lines = code(&text).lines().count();
        assert!(lines <= LONGEST, "{name} has {lines} lines");
    }
}

#[test]
fn a_folder_has_at_most_a_dozen_files() {
    let mut folders = std::collections::BTreeMap::<String, usize>::new();
    for (name, _) in files() {
        if let Some((folder, _)) = name.rsplit_once('/') {
            *folders.entry(folder.to_owned()).or_default() += 1;
        }
    }
    for (folder, n) in folders {
        assert!(n <= 12, "{folder} has {n} files");
    }
}
