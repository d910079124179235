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

/// Files of version 1 with what it was given later: models that say how uncertain they are.
const WITH_POSTERIOR: [(Shape, &[u8]); 2] = [
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
];

#[test]
fn the_files_with_a_posterior_load_for_ever() {
    for (shape, fixture) in WITH_POSTERIOR {
        assert_eq!(Model::from_bytes(fixture).unwrap(), shape.model());
        ModelFile::new(fixture).unwrap().verify().unwrap();
        assert_eq!(shape.model().to_bytes().unwrap(), fixture);
    }
}

#[test]
#[ignore = "writes fixtures/model-v1-samples.lowrank and -variances.lowrank, once, when the posterior was given its place; never to make a test pass"]
fn write_the_files_with_a_posterior() {
    for (name, shape) in [("samples", Shape::SAMPLES), ("variances", Shape::VARIANCES)] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
        let path = format!("{folder}/model-v1-{name}.lowrank");
        std::fs::write(path, shape.model().to_bytes().unwrap()).unwrap();
    }
}

#[test]
#[ignore = "writes fixtures/model-v1.lowrank, once, when the format was fixed; never to make a test pass"]
fn write_the_file_of_version_1() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/model-v1.lowrank");
    std::fs::write(path, Shape::FULL.model().to_bytes().unwrap()).unwrap();
}
