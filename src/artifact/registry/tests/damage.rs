//! What if a byte of the marker, the aliases or a manifest is not what was written?

use super::*;
use crate::random::Stream;
use manifest::{MANIFEST, Manifest};

fn put(disk: &LyingDisk, path: &Path, bytes: &[u8]) {
    write_atomically(disk, path, |w| w.write_all(bytes)).expect("written");
}

/// Bytes flipped, cut, lengthened, repeated.
fn mutated(bytes: &[u8], stream: &mut Stream) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = stream.below(bytes.len() as u64) as usize;
    match stream.below(5) {
        0 => bytes[at] ^= 1 << stream.below(8),
        1 => bytes[at] = b"0123456789{}[]\",: -x\n"[stream.below(21) as usize],
        2 => bytes.truncate(at),
        3 => bytes.extend(std::iter::repeat_n(b' ', 1 + at)),
        _ => {
            let again = bytes[at..].to_vec();
            bytes.splice(at..at, again);
        }
    }
    bytes
}

fn mutate(n: usize) {
    let base = with_versions(4);
    let registry = open(&base).expect("a registry");
    let folder = registry.folder(NAME, 2);
    let (aliases, wanted) = (
        registry.aliases(NAME).expect("aliases"),
        Manifest::read(&base, &folder).expect("a manifest"),
    );
    let paths = [
        Path::new(ROOT).join(MARKER),
        Path::new(ROOT).join(NAME).join(ALIASES),
        folder.join(MANIFEST),
    ];
    let whole = paths.each_ref().map(|path| base.bytes(path));
    let mut stream = Stream::new(5, "damage");
    let mut errors = [0; 3];
    let mut damage = |which: usize| {
        put(&base, &paths[which], &mutated(&whole[which], &mut stream));
        let is_error = match which {
            0 => open(&base).is_err(),
            1 => match registry.aliases(NAME) {
                Ok(read) => {
                    assert_eq!(read, aliases);
                    false
                }
                Err(_) => true,
            },
            _ => match Manifest::read(&base, &folder) {
                // Another fingerprint, or another file: what it says of the files is not true.
                Ok(read) if read != wanted => {
                    !registry.verify().expect("a report").problems.is_empty()
                }
                Ok(_) => false,
                Err(_) => true,
            },
        };
        errors[which] += usize::from(is_error);
        let unchanged = base.bytes(&paths[which]) == whole[which];
        assert!(is_error || unchanged || which < 2, "{which}");
        put(&base, &paths[which], &whole[which]);
    };
    (0..n).for_each(|k| damage(k % 3));
    assert!(errors.iter().all(|&count| count > n / 8), "{errors:?}");
}

#[test]
fn damage_is_an_error_or_no_damage() {
    mutate(3_000);
}

#[test]
#[ignore = "takes ten seconds"]
fn a_hundred_thousand_damages_are_errors() {
    mutate(100_000);
}

#[test]
fn what_is_too_long_is_not_read() {
    let base = with_versions(1);
    let registry = open(&base).expect("a registry");
    let folder = registry.folder(NAME, 1);
    let long = |path: &Path, bytes: usize| {
        let mut text = base.bytes(path);
        text.resize(bytes, b' ');
        put(&base, path, &text);
    };
    for (file, bytes) in [
        (MANIFEST, 1 << 16),
        ("version.json", 1 << 16),
        ("run.json", 1 << 24),
    ] {
        let path = folder.join(file);
        let whole = base.bytes(&path);
        long(&path, bytes + 1);
        let error = registry.version(NAME, 1).expect_err(file).to_string();
        assert!(error.contains("at most"), "{error}");
        put(&base, &path, &whole);
        registry.version(NAME, 1).expect("as it was");
    }
    long(&Path::new(ROOT).join(NAME).join(ALIASES), (1 << 20) + 1);
    assert!(registry.aliases(NAME).is_err());
    long(&Path::new(ROOT).join(MARKER), 4097);
    assert!(open(&base).is_err());
}

#[test]
fn every_flipped_bit_of_a_version_is_found() {
    let base = with_versions(1);
    let registry = open(&base).expect("a registry");
    let folder = registry.folder(NAME, 1);
    for name in base.names(&folder) {
        let path = folder.join(name);
        let whole = base.bytes(&path);
        for at in (0..whole.len()).step_by(1 + whole.len() / 20) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            put(&base, &path, &bytes);
            let report = registry.verify().expect("a report");
            assert!(!report.problems.is_empty(), "{} {at}", path.display());
        }
        base.remove(&path).expect("removed");
        assert!(!registry.verify().expect("a report").problems.is_empty());
        put(&base, &path, &whole);
    }
    assert!(registry.verify().expect("a report").problems.is_empty());
}
