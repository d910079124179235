//! Does the registry keep what it was given?

use std::path::Path;

use super::*;
use crate::artifact::model_file::samples::Shape;
use crate::storage::lying_disk::LyingDisk;

mod cuts;
mod damage;
mod rules;
mod turns;
mod version_1;

const ROOT: &str = "reg";
const NAME: &str = "movies";

/// A disk with a finished run in `run`.
fn with_run() -> LyingDisk {
    let disk = LyingDisk::new();
    let run = Path::new("run");
    create_folders(&disk, run).expect("a folder");
    let model = Shape::FULL.model().to_bytes().expect("a model");
    let record = br#"{"result": {"valid": {"rmse": 0.5}}}"#;
    for (name, bytes) in [
        ("model.lowrank", &model[..]),
        ("run.json", record),
        ("config.toml", b""),
    ] {
        write_atomically(&disk, &run.join(name), |w| w.write_all(bytes)).expect("written");
    }
    disk
}

fn push(disk: &LyingDisk) -> Result<u64> {
    let (root, run) = (Path::new(ROOT), Path::new("run"));
    Candidate::prepare(disk.clone(), root, NAME, run)?.claim(7)
}

fn open(disk: &LyingDisk) -> Result<Registry<LyingDisk>> {
    Registry::open_on(disk.clone(), ROOT)
}

fn promote(disk: &LyingDisk, version: u64) -> Result<()> {
    let registry = open(disk)?;
    registry
        .promote(NAME, version, "champion", version)
        .map(drop)
}

/// A registry with so many versions; the first, the third, … were champions, one after the other.
fn with_versions(n: u64) -> LyingDisk {
    let disk = with_run();
    for version in 1..=n {
        assert_eq!(push(&disk).expect("pushed"), version);
        if version % 2 == 1 {
            promote(&disk, version).expect("promoted");
        }
    }
    disk
}

fn versions(disk: &LyingDisk) -> Vec<u64> {
    open(disk)
        .and_then(|registry| registry.versions(NAME))
        .unwrap_or_default()
}

fn champion(disk: &LyingDisk) -> Option<u64> {
    let aliases = open(disk).and_then(|registry| registry.aliases(NAME));
    aliases.expect("aliases").version("champion")
}

/// All is whole, and what is not finished is known to `gc`.
fn is_whole(disk: &LyingDisk) {
    let registry = open(disk).expect("a registry");
    let report = registry.verify().expect("it can be read");
    assert_eq!(report.problems, [] as [&str; 0]);
    registry.collect(1000, false).expect("leftovers go");
    for name in disk.names(ROOT) {
        assert!([MARKER, LOCK, NAME].contains(&&name[..]), "{name}");
    }
    if disk.names(ROOT).contains(&NAME.to_owned()) {
        for name in disk.names(Path::new(ROOT).join(NAME)) {
            let is_kept = as_version(&name).is_some();
            assert!(is_kept || [ALIASES, LOCK].contains(&&name[..]), "{name}");
        }
    }
}
