//! Does the disk lie as it is told to?

use super::*;

fn write(disk: &LyingDisk, name: &str, text: &str) -> LyingFile {
    let mut file = disk.create_new(Path::new(name)).expect("a new file");
    file.write_all(text.as_bytes()).expect("room");
    file
}

#[test]
fn what_was_not_flushed_is_lost_by_halves() {
    let disk = LyingDisk::new();
    let root = Path::new("");
    let mut flushed = write(&disk, "flushed", "abc");
    disk.sync(&mut flushed).expect("flushed");
    write(&disk, "named", "abc");
    disk.sync_folder(root).expect("flushed");
    let mut nameless = write(&disk, "nameless", "abc");
    disk.sync(&mut nameless).expect("flushed");
    flushed.write_all(b"def").expect("room");
    let found = |after| {
        let disk = disk.restart(after);
        let text = |name: &String| String::from_utf8(disk.bytes(name)).expect("text");
        let names = disk.names("");
        let files = names.iter().map(|name| format!("{name}={}", text(name)));
        files.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        found(After::Killed),
        "flushed=abcdef named=abc nameless=abc"
    );
    assert_eq!(found(After::Flushed), "flushed=abc named=");
    assert_eq!(found(After::Names), "flushed=abc named= nameless=abc");
    assert_eq!(found(After::Bytes), "flushed=abcdef named=abc");
}

#[test]
fn a_renaming_is_undone_or_done_and_never_half() {
    let disk = LyingDisk::new();
    write(&disk, "a", "");
    disk.sync_folder(Path::new("")).expect("flushed");
    disk.rename(Path::new("a"), Path::new("b"))
        .expect("renamed");
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..20 {
        for after in [After::Drawn(n), After::Torn(n)] {
            seen.insert(disk.restart(after).names(""));
        }
    }
    let one = |name: &str| vec![name.to_owned()];
    assert!(seen.iter().eq(&[one("a"), one("b")]), "{seen:?}");
}

#[test]
fn faults_come_when_they_are_told_to() {
    let make = |disk: &LyingDisk, name: &str| disk.create_dir(Path::new(name));
    let disk = LyingDisk::new().with(Fault::Once(1));
    assert!(make(&disk, "a").is_ok() && make(&disk, "b").is_err() && make(&disk, "c").is_ok());
    assert_eq!(disk.names(""), ["a", "c"]);
    let disk = LyingDisk::new().with(Fault::Forbidden(1));
    assert!(make(&disk, "a").is_ok() && make(&disk, "b").is_err() && make(&disk, "c").is_err());
    assert!(disk.read_dir(Path::new("")).is_ok());
    let disk = LyingDisk::new().with(Fault::PowerCut(1));
    assert!(make(&disk, "a").is_ok() && make(&disk, "b").is_err());
    assert!(disk.read_dir(Path::new("")).is_err());
    let disk = LyingDisk::new().with(Fault::FullAfter(5));
    write(&disk, "a", "abc");
    let mut file = disk.create_new(Path::new("b")).expect("a new file");
    assert_eq!(file.write(b"abc").expect("some room"), 2);
    assert!(file.write(b"c").is_err());
}

#[test]
fn writers_go_in_the_order_given_and_wait_for_locks() {
    let path = Path::new("lock");
    let writer = |name: &'static str| -> Box<dyn FnOnce(LyingDisk) + Send> {
        Box::new(move |disk| {
            let lock = disk.lock(path).expect("a lock");
            for n in 0..3 {
                disk.create_dir(Path::new(&format!("{name}{n}")))
                    .expect("a folder");
                // Nobody else is between.
                let theirs = |other: &String| other != "lock" && !other.starts_with(name);
                let count = disk.names("").iter().filter(|other| theirs(other)).count();
                assert!(count == 0 || count == 3, "{count}");
            }
            drop(lock);
        })
    };
    for switch in 0..6 {
        let disk = LyingDisk::new();
        let order = [vec![0; switch], vec![1; 9]].concat();
        disk.interleaved(order, vec![writer("a"), writer("b")]);
        assert_eq!(disk.names(""), ["a0", "a1", "a2", "b0", "b1", "b2", "lock"]);
    }
}
