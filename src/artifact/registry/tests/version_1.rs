//! Is a registry of version 1 read for ever?
//!
//! `fixtures/registry-v1` was written by the first lowrank that had one, from two small runs, and is never written again.

use super::*;

fn fixture() -> Registry {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/registry-v1");
    Registry::open(folder).expect("a registry")
}

#[test]
fn the_registry_of_version_1_is_read_and_whole() {
    let registry = fixture();
    assert_eq!(registry.names().expect("names"), ["movies", "songs"]);
    assert_eq!(registry.versions("movies").expect("versions"), [1, 2]);
    let report = registry.verify().expect("a report");
    let whole = Report {
        names: 2,
        versions: 3,
        files: 18,
        problems: Vec::new(),
    };
    assert_eq!(report, whole);
    for (which, wanted) in [("", 2), ("@1", 1), ("@champion", 2), ("@challenger", 1)] {
        let reference = Reference::parse(&format!("movies{which}")).expect(which);
        assert_eq!(registry.resolve(&reference).expect(which), wanted);
    }
    let version = registry.version("movies", 1).expect("a version");
    assert_eq!(
        (version.about.pushed, &version.about.run[..]),
        (1_795_566_140, "run1")
    );
    assert_eq!(version.figures().len(), 2);
    let path = registry.root().join("movies@challenger");
    let model = crate::artifact::resolve_model(path).expect("a model");
    assert_eq!(
        crate::Model::load(model)
            .expect("a model")
            .users()
            .ids()
            .len(),
        12
    );
}

#[test]
fn the_aliases_of_version_1_go_on() {
    let disk = LyingDisk::new();
    for folder in ["", "movies", "movies/1", "movies/2"] {
        let from = fixture().root().join(folder);
        let to = Path::new(ROOT).join(folder);
        create_folders(&disk, &to).expect("a folder");
        for name in Disk.read_dir(&from).expect("names") {
            if let Ok(bytes) = read_file(&Disk, &from.join(&name), 1 << 20) {
                let to = to.join(&name);
                write_atomically(&disk, &to, |w| w.write_all(&bytes)).expect("written");
            }
        }
    }
    let registry = open(&disk).expect("a registry");
    let moved = registry.rollback(NAME, "champion").expect("back");
    assert_eq!(
        moved,
        Moved {
            was: Some(2),
            is: 1
        }
    );
    is_whole(&disk);
}
