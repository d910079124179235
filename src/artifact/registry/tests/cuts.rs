//! What if the power goes, a step fails, or the disk is full, at any moment of any command?

use super::*;
use crate::storage::lying_disk::{After, Fault};

/// Lets every step of `work` fail, once or from then on, and the disk be full at any byte.
fn at_every_fault(
    base: &LyingDisk,
    work: impl Fn(&LyingDisk) -> Result<()>,
    check: impl Fn(&LyingDisk, bool),
) {
    let steps = base
        .copy()
        .steps_of(|disk| work(disk).expect("without faults"));
    let faults = (0..steps).flat_map(|step| [Fault::Once(step), Fault::Forbidden(step)]);
    for fault in faults.chain((0..80).map(|n| Fault::FullAfter(n * 101))) {
        let disk = base.copy().with(fault);
        let outcome = work(&disk);
        let found = disk.restart(After::Killed);
        if matches!(fault, Fault::FullAfter(_)) && outcome.is_err() && versions(base).len() > 1 {
            let place = Path::new(ROOT).join(NAME);
            assert_eq!(found.names(&place), base.names(&place), "{fault:?}");
        }
        check(&found, outcome.is_ok());
        work(&found).expect("it can be done again");
        check(&found, true);
    }
}

fn pushed(base: &LyingDisk) -> impl Fn(&LyingDisk, bool) {
    let before = versions(base);
    move |disk: &LyingDisk, done| {
        if open(disk).is_err() {
            assert!(before.is_empty() && !done, "a registry is gone");
            return;
        }
        is_whole(disk);
        let now = versions(disk);
        assert!(now.starts_with(&before), "{now:?}");
        assert!(!done || now.len() > before.len(), "{now:?}");
    }
}

#[test]
fn a_push_is_done_or_not_done() {
    for base in [with_run(), with_versions(3)] {
        let push = |disk: &LyingDisk| push(disk).map(drop);
        base.at_every_cut(push, pushed(&base));
        at_every_fault(&base, push, pushed(&base));
    }
}

#[test]
fn an_alias_is_the_old_version_or_the_new_one() {
    let base = with_versions(4);
    let check = |disk: &LyingDisk, done: bool| {
        is_whole(disk);
        assert_eq!(versions(disk).len(), 4);
        let now = champion(disk);
        assert!(now == Some(4) || (now == Some(3) && !done), "{now:?}");
    };
    base.at_every_cut(|disk| promote(disk, 4), check);
    at_every_fault(&base, |disk| promote(disk, 4), check);
}

#[test]
fn what_is_removed_is_gone_or_whole() {
    let base = with_versions(6);
    // A push that was ended long ago is there to be found.
    let steps = base.copy().steps_of(|disk| drop(push(disk)));
    let base = base.with(Fault::PowerCut(steps - 9));
    push(&base).expect_err("it was ended");
    let base = base.restart(After::Killed);
    let check = |disk: &LyingDisk, done: bool| {
        let now = versions(disk);
        // 1, 3 and 5 were champions; 6 is the newest.
        assert!([1, 3, 5, 6].iter().all(|version| now.contains(version)));
        assert!(!done || now == [1, 3, 5, 6], "{now:?}");
        assert_eq!(champion(disk), Some(5));
        is_whole(disk);
    };
    let collect = |disk: &LyingDisk| open(disk)?.collect(1, false).map(drop);
    base.at_every_cut(collect, check);
    at_every_fault(&base, collect, check);
    let dry = base.copy();
    let told = open(&dry).and_then(|registry| registry.collect(1, true));
    assert_eq!(told.expect("a list").len(), 3);
    assert_eq!(versions(&dry), versions(&base));
}

#[test]
fn a_pulled_run_is_there_or_not() {
    let base = with_versions(1);
    let to = Path::new("deep/pulled");
    let pull = |disk: &LyingDisk| {
        if disk.kind(to).map_err(Error::io(to, "read"))?.is_some() {
            // It was pulled before.
            return Ok(());
        }
        open(disk)?.pull(NAME, 1, to).map(drop)
    };
    let check = |disk: &LyingDisk, done: bool| {
        if disk.kind(to).expect("it can be seen").is_none() {
            assert!(!done);
            return;
        }
        let manifest = manifest::Manifest::read(disk, to).expect("a manifest");
        for (name, sha256) in manifest.files() {
            let path = to.join(name);
            assert_eq!(manifest::hash_of(disk, &path).expect("a file"), sha256);
        }
        assert_eq!(disk.names(to).len(), manifest.files().count() + 1);
    };
    base.at_every_cut(pull, check);
}
