//! Do the files of all versions load for ever?

use super::*;

/// The file of version 1 that loads for ever: what `Shape::FULL` gave on the day the format was fixed.
const FIXTURE: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/fixtures/model-v1.lowrank"
));

#[test]
fn the_file_of_version_1_loads_for_ever() {
    assert_eq!(Model::from_bytes(FIXTURE).unwrap(), Shape::FULL.model());
    ModelFile::new(FIXTURE).unwrap().verify().unwrap();
    assert_eq!(Shape::FULL.model().to_bytes().unwrap(), FIXTURE);
}

/// Files of version 1 with what it was given later: models that say how uncertain they are, what they are for, what training saw of their columns, and what it looked like.
const WITH_MORE: [(Shape, &[u8]); 5] = [
    (
        Shape::SAMPLES,
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/model-v1-samples.lowrank"
        )),
    ),
    (
        Shape::VARIANCES,
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/model-v1-variances.lowrank"
        )),
    ),
    (
        Shape::COSINE,
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/model-v1-purpose.lowrank"
        )),
    ),
    (
        Shape::SCHEMA,
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/model-v1-schema.lowrank"
        )),
    ),
    (
        Shape::REFERENCE,
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/model-v1-reference.lowrank"
        )),
    ),
];

#[test]
fn the_files_with_more_load_for_ever() {
    for (shape, fixture) in WITH_MORE {
        assert_eq!(Model::from_bytes(fixture).unwrap(), shape.model());
        ModelFile::new(fixture).unwrap().verify().unwrap();
        assert_eq!(shape.model().to_bytes().unwrap(), fixture);
    }
}

#[test]
#[ignore = "writes fixtures/model-v1-NAME.lowrank, each once, when what it has was given its place; never to make a test pass"]
fn write_the_files_with_more() {
    for (name, shape) in [
        ("samples", Shape::SAMPLES),
        ("variances", Shape::VARIANCES),
        ("purpose", Shape::COSINE),
        ("schema", Shape::SCHEMA),
        ("reference", Shape::REFERENCE),
    ] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
        let path = std::path::PathBuf::from(format!("{folder}/model-v1-{name}.lowrank"));
        // An empty file waits for its bytes.
        if std::fs::read(&path).is_ok_and(|bytes| bytes.is_empty()) {
            std::fs::write(path, shape.model().to_bytes().unwrap()).unwrap();
        }
    }
}

#[test]
#[ignore = "writes fixtures/model-v1.lowrank, once, when the format was fixed; never to make a test pass"]
fn write_the_file_of_version_1() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/model-v1.lowrank");
    std::fs::write(path, Shape::FULL.model().to_bytes().unwrap()).unwrap();
}
