//! What if the disk is full?

use super::*;
use crate::storage::file_system::folder::TestFolder;
use crate::storage::lying_disk::{Fault, LyingDisk};
use std::path::Path;

#[test]
fn a_model_is_saved_and_loaded_and_its_file_opened_lazily() {
    let folder = TestFolder::new("model");
    let path = folder.0.join("model.lowrank");
    let model = Shape::FULL.model();
    model.save(&path).unwrap();
    assert_eq!(Model::load(&path).unwrap(), model);
    assert_eq!(std::fs::read(&path).unwrap(), model.to_bytes().unwrap());
    let file = ModelFile::open(&path).unwrap();
    file.verify().unwrap();
    assert_eq!(file.model_for_users(&["u1"]).unwrap().users.ids.len(), 1);
    let error = Model::load(folder.0.join("none")).unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
    assert!(Model::load(&folder.0).is_err(), "a folder");
}

#[test]
fn a_disk_that_is_full_at_any_byte_leaves_the_old_model() {
    let path = Path::new("model.lowrank");
    let (old, new) = (Shape::from_bits(0).model(), Shape::FULL.model());
    let length = new.to_bytes().unwrap().len() as u64;
    let base = LyingDisk::new();
    old.save_to(&base, path).unwrap();
    let before = base.bytes(path);
    for room in 0..length {
        let disk = base.copy().with(Fault::FullAfter(room));
        assert!(new.save_to(&disk, path).is_err(), "{room}");
        assert!(disk.bytes(path) == before, "{room}");
        assert_eq!(disk.names(""), ["model.lowrank"], "{room}");
        assert!(new.save_to(&disk, Path::new("fresh")).is_err(), "{room}");
        assert_eq!(disk.names(""), ["model.lowrank"], "{room}");
    }
    let disk = base.with(Fault::FullAfter(length));
    new.save_to(&disk, path).unwrap();
    assert_eq!(Model::from_bytes(&disk.bytes(path)).unwrap(), new);
}
