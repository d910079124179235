//! Are numbers, aliases and what stays as they are said to be?

use super::*;

#[test]
fn an_alias_goes_back_step_by_step() {
    let disk = with_versions(6);
    let registry = open(&disk).expect("a registry");
    let back = || registry.rollback(NAME, "champion");
    assert_eq!(
        back().expect("back"),
        Moved {
            was: Some(5),
            is: 3
        }
    );
    assert_eq!(
        back().expect("back"),
        Moved {
            was: Some(3),
            is: 1
        }
    );
    let error = back().expect_err("the first").to_string();
    assert!(error.contains("nothing before"), "{error}");
    assert_eq!(champion(&disk), Some(1));
    let error = registry.rollback(NAME, "nobody").expect_err("unknown");
    assert!(error.to_string().contains("movies has champion"), "{error}");
    let error = registry.promote(NAME, 9, "champion", 0).expect_err("none");
    assert!(error.to_string().contains("1, 2, 3, 4, 5, 6"), "{error}");
    assert!(registry.promote(NAME, 1, "7", 0).is_err());
}

#[test]
fn numbers_are_never_given_twice() {
    let disk = with_versions(4);
    let registry = open(&disk).expect("a registry");
    assert!(registry.collect(0, false).is_err());
    let removed = registry.collect(1, false).expect("collected");
    let gone: Vec<_> = removed.iter().map(|thing| thing.version).collect();
    assert_eq!(gone, [Some(2)]);
    assert_eq!(push(&disk).expect("pushed"), 5);
    registry.rollback(NAME, "champion").expect("back to 1");
    // 3 can no longer be reached.
    registry.collect(1, false).expect("collected");
    assert_eq!(versions(&disk), [1, 5]);
}

#[test]
fn a_push_that_is_under_way_is_not_collected() {
    let disk = with_versions(1);
    let registry = open(&disk).expect("a registry");
    let (root, run) = (Path::new(ROOT), Path::new("run"));
    let prepare = || Candidate::prepare(disk.clone(), root, NAME, run).expect("prepared");
    let candidate = prepare();
    assert!(registry.collect(1, false).expect("collected").is_empty());
    assert!(!disk.bytes(candidate.model()).is_empty());
    assert_eq!(candidate.claim(0).expect("claimed"), 2);
    drop(prepare());
    is_whole(&disk);
    assert!(registry.collect(2, false).expect("collected").is_empty());
}

#[test]
fn what_is_no_registry_is_left_alone() {
    let disk = with_run();
    let into_run = Candidate::prepare(disk.clone(), Path::new("run"), NAME, Path::new("run"));
    let error = into_run.err().expect("a run is no registry").to_string();
    assert!(error.contains("no registry and not empty"), "{error}");
    assert_eq!(
        disk.names("run"),
        ["config.toml", "model.lowrank", "run.json"]
    );
    push(&disk).expect("pushed");
    let newer = br#"{"format":"lowrank registry","version":2,"more":[]}"#;
    let marker = Path::new(ROOT).join(MARKER);
    write_atomically(&disk, &marker, |w| w.write_all(newer)).expect("written");
    for error in [open(&disk).err(), push(&disk).err()] {
        let error = error.expect("refused").to_string();
        assert!(
            error.contains("version 2, which a newer lowrank wrote"),
            "{error}"
        );
    }
}

#[test]
fn a_damaged_or_unfinished_run_is_refused_and_leaves_nothing() {
    let disk = with_versions(1);
    let before = disk.names(Path::new(ROOT).join(NAME));
    let write = |name: &str, bytes: &[u8]| {
        let path = Path::new("run").join(name);
        write_atomically(&disk, &path, |w| w.write_all(bytes)).expect("written");
    };
    let refused = |wanted: &str| {
        let error = push(&disk).expect_err(wanted).to_string();
        assert!(
            error.contains(wanted) && error.starts_with("run"),
            "{error}"
        );
        assert_eq!(disk.names(Path::new(ROOT).join(NAME)), before);
    };
    let model = disk.bytes("run/model.lowrank");
    // Also where nothing but checking all of it would look.
    for at in (0..model.len()).step_by(64) {
        let mut damaged = model.clone();
        damaged[at] ^= 1;
        write("model.lowrank", &damaged);
        refused("run/model.lowrank");
    }
    write("model.lowrank", &model);
    write("run.json", b"{");
    refused("run/run.json");
    write("checkpoint.lowrank", b"");
    refused("not done");
}
