//! What several files of this suite need: a folder of their own, and the real binary.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that goes when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("lowrank-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, contents).expect("a file for the test");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The real binary.
pub fn lowrank() -> Command {
    Command::new(env!("CARGO_BIN_EXE_lowrank"))
}

/// What it printed, where it must succeed.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the binary starts");
    assert!(
        output.status.success(),
        "{command:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Numbers below any bound, the same each time: a linear congruential generator.
pub fn numbers(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |bound| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % bound
    }
}

/// 900 made-up ratings of 60 users and 40 items, with a truth in them; the same each time.
pub fn generated(folder: &Folder) -> PathBuf {
    let mut command = lowrank();
    command.args(["data", "generate", "--users", "60", "--items", "40"]);
    command.args(["--ratings", "900", "--seed", "3", "-o"]);
    succeed(command.arg(folder.path("films")));
    folder.path("films/ratings.csv")
}

/// The first `n` items that a model recommends to each of its users.
pub fn recommended(model: &Path, n: &str) -> BTreeMap<String, Vec<String>> {
    let flags = ["--all", "--format", "csv", "-n", n];
    let text = succeed(lowrank().arg("recommend").arg(model).args(flags));
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let list = lists.entry(fields[0].into()).or_default();
        list.push(fields[2].into());
    }
    lists
}

/// The items of each user.
pub fn by_user<'a>(
    pairs: impl Iterator<Item = (&'a String, &'a String)>,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut items: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (user, item) in pairs {
        items.entry(user.clone()).or_default().insert(item.clone());
    }
    items
}

/// Its exit code and message, where it must fail.
pub fn fail(command: &mut Command) -> (i32, String) {
    let Output { status, stderr, .. } = command.output().expect("the binary starts");
    let code = status
        .code()
        .unwrap_or_else(|| panic!("{command:?} was killed"));
    let message = String::from_utf8_lossy(&stderr).into_owned();
    assert!(code != 0, "{command:?} succeeded");
    assert!(!message.contains("panicked"), "{command:?}\n{message}");
    (code, message)
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

/// A file of real data beside the checkout; says why a test is skipped where there is none.
pub fn real_data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(name);
    if !path.is_file() {
        eprintln!(
            "skipped: no {name} in ../shared/data; it may not be copied into this repository"
        );
        return None;
    }
    Some(path)
}

/// Runs `command` until it has printed so many epochs, and kills it then, however far it is.
pub fn kill_after(command: &mut Command, lines: usize) {
    let mut child = command
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let said = BufReader::new(child.stderr.take().expect("a pipe"));
    // The pipe stays open: what is not read holds up whoever has much to say.
    let mut epochs = said.lines().map_while(Result::ok);
    let seen = epochs
        .by_ref()
        .filter(|line| line.starts_with("{\"epoch\""))
        .take(lines)
        .count();
    assert_eq!(seen, lines, "work was under way");
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}
