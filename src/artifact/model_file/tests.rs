use super::samples::Shape;
use super::*;
use crate::data::Csr;
use crate::model::Bag;
use crate::{Error, Kind};

/// Every combination of what a model may have: 2¹¹ models.
#[test]
fn every_shape_of_model_comes_back_as_it_was() {
    for bits in 0..1 << 11 {
        let shape = Shape::from_bits(bits);
        let model = shape.model();
        let bytes = model.to_bytes().unwrap();
        let loaded = Model::from_bytes(&bytes).unwrap();
        assert_eq!(loaded, model, "{shape:?}");
        assert_eq!(loaded.to_bytes().unwrap(), bytes, "{shape:?}");
        ModelFile::new(&bytes[..]).unwrap().verify().unwrap();
    }
}

#[test]
fn every_bag_comes_back() {
    for bag in [Bag::Sum, Bag::Mean, Bag::Sqrt] {
        let mut model = Shape::FULL.model();
        model.items.groups[0].bag = bag;
        let bytes = model.to_bytes().unwrap();
        assert_eq!(Model::from_bytes(&bytes).unwrap(), model);
    }
}

#[test]
fn a_model_without_users_items_or_factors_comes_back() {
    for (n_users, n_items) in [(0, 4), (3, 0), (0, 0)] {
        let shape = Shape {
            n_users,
            n_items,
            ..Shape::FULL
        };
        let model = shape.model();
        assert_eq!(
            Model::from_bytes(&model.to_bytes().unwrap()).unwrap(),
            model
        );
    }
    let mut model = Shape::FULL.model();
    model.n_factors = 0;
    for side in [&mut model.users, &mut model.items] {
        side.identity = crate::model::Rows::zeros(side.ids.len(), 0);
        for group in &mut side.groups {
            group.table = crate::model::Rows::zeros(group.values.len(), 0);
        }
        side.compose();
    }
    assert_eq!(
        Model::from_bytes(&model.to_bytes().unwrap()).unwrap(),
        model
    );
}

#[test]
fn a_model_of_several_chunks_comes_back() {
    let shape = Shape {
        n_users: 5000,
        n_items: 700,
        n_factors: 20,
        ..Shape::FULL
    };
    let model = shape.model();
    let bytes = model.to_bytes().unwrap();
    let file = ModelFile::new(&bytes[..]).unwrap();
    assert_eq!(
        (file.n_users(), file.n_items(), file.n_factors()),
        (5000, 700, 20)
    );
    assert_eq!(file.model().unwrap(), model);
    file.verify().unwrap();
}

#[test]
fn a_few_users_predict_as_in_the_whole_model() {
    let shape = Shape {
        n_users: 3000,
        n_items: 50,
        n_factors: 20,
        ..Shape::FULL
    };
    let model = shape.model();
    let bytes = model.to_bytes().unwrap();
    let file = ModelFile::new(&bytes[..]).unwrap();
    let part = file
        .model_for_users(&["u2999", "nobody", "u0", "u17", "u0"])
        .unwrap();
    let names: Vec<&str> = part.users.ids.names().iter().collect();
    assert_eq!(names, ["u2999", "u0", "u17"]);
    assert_eq!(part.items, model.items);
    for name in names {
        let (whole, row) = (
            model.users.ids.index(name).unwrap(),
            part.users.ids.index(name).unwrap(),
        );
        assert_eq!(part.seen(row), model.seen(whole));
        assert_eq!(
            part.users.counts[row as usize],
            model.users.counts[whole as usize]
        );
        for item_id in ["i0", "i49", "nothing"] {
            assert_eq!(
                part.predict(name, item_id).unwrap(),
                model.predict(name, item_id).unwrap()
            );
        }
        let own = |m: &Model, r: u32| -> Vec<String> {
            m.users.catalog.columns[0]
                .of(r)
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(own(&part, row), own(&model, whole));
        let (of_part, of_whole) = (part.baseline().unwrap(), model.baseline().unwrap());
        assert_eq!(
            of_part.predict(Some(row), None),
            of_whole.predict(Some(whole), None)
        );
    }
    assert_eq!(part.predict("nobody", "i0").unwrap().kind, Kind::ItemOnly);
    let composed = part.users.composed.clone();
    let mut again = part.clone();
    again.users.compose();
    assert_eq!(again.users.composed, composed);
    assert_eq!(Model::from_bytes(&part.to_bytes().unwrap()).unwrap(), part);
    assert_eq!(file.model_for_users(&[]).unwrap().users.ids.len(), 0);
}

#[test]
fn damage_elsewhere_does_not_hurt_those_who_do_not_read_it() {
    let shape = Shape {
        n_users: 5000,
        n_items: 50,
        n_factors: 20,
        ..Shape::FULL
    };
    let mut bytes = shape.model().to_bytes().unwrap();
    // Row 4,999, called u0, of the users' own table; u4999 is row 0.
    let at = ModelFile::new(&bytes[..])
        .unwrap()
        .layout
        .users
        .factors
        .offset_of(4999 * 24);
    bytes[at as usize] ^= 1;
    let file = ModelFile::new(&bytes[..]).unwrap();
    file.model_for_users(&["u4999"]).unwrap();
    let error = file.model_for_users(&["u0"]).unwrap_err();
    assert!(error.to_string().contains("users.factors"), "{error}");
    assert!(file.model().is_err());
    assert!(file.verify().is_err());
}

/// What was changed, and what the error of loading it says.
#[test]
fn a_file_whose_arrays_make_no_model_is_refused_by_name() {
    fn bytes(change: impl FnOnce(&mut Model)) -> Vec<u8> {
        let mut model = Shape::FULL.model();
        change(&mut model);
        encode::sections(&model).unwrap().to_bytes()
    }
    let cases: [(&str, Vec<u8>); 7] = [
        (
            "rising",
            bytes(|m| m.seen = Csr::from_rows([vec![2, 0], vec![], vec![]])),
        ),
        (
            "seen.items",
            bytes(|m| m.seen = Csr::from_rows([vec![9], vec![], vec![]])),
        ),
        ("seen.starts", bytes(|m| m.seen = Csr::from_rows([vec![0]]))),
        ("users.counts", bytes(|m| m.users.counts.push(1))),
        (
            "items.biases",
            bytes(|m| _ = m.items.identity_biases.as_mut().unwrap().pop()),
        ),
        (
            "baseline.user_biases",
            bytes(|m| m.baseline.as_mut().unwrap().user_biases.push(0.0)),
        ),
        ("items.composed", bytes(|m| m.items.composed = None)),
    ];
    for (word, bytes) in cases {
        let error = Model::from_bytes(&bytes).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{word}");
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
}

#[test]
fn composed_rows_that_the_tables_do_not_give_are_found_by_verify() {
    for biases in [false, true] {
        let mut model = Shape::FULL.model();
        if biases {
            model.items.composed_biases.as_mut().unwrap()[2] += 1.0;
        } else {
            model.items.composed = Some(model.items.identity.clone());
        }
        let bytes = model.to_bytes().unwrap();
        let file = ModelFile::new(&bytes[..]).unwrap();
        assert_eq!(file.model().unwrap(), model, "a load need not compare");
        let error = file.verify().unwrap_err();
        assert!(error.to_string().contains("items.composed"), "{error}");
    }
}

#[test]
fn a_number_that_is_not_finite_is_neither_saved_nor_loaded() {
    let mut model = Shape::FULL.model();
    model.users.identity_biases.as_mut().unwrap()[1] = f32::NAN;
    let error = model.to_bytes().unwrap_err();
    assert!(error.to_string().contains("users.biases"), "{error}");
    model.users.identity_biases.as_mut().unwrap()[1] = 1.0;
    model.training_mean = f64::NAN;
    assert!(model.to_bytes().is_err());

    // A forger's file: sections that nothing looked at.
    let mut forged = crate::storage::Sections::new(CONTENT, Vec::new()).unwrap();
    forged.add("x", 1, &[1.0f32, f32::INFINITY][..]);
    let bytes = forged.to_bytes();
    let container = Container::open(&bytes[..], CONTENT).unwrap();
    let decoder = Decoder {
        container: &container,
        n_factors: 1,
    };
    let section = &container.sections()[0];
    let wanted = section.offset + 4;
    for pick in [None, Some(&[0, 1][..])] {
        match decoder.floats(section, pick) {
            Err(Error::Corrupt { offset, .. }) => assert_eq!(offset, wanted),
            other => panic!("{other:?}"),
        }
    }
}

/// Starts that overlap must not make a reader of few rows take more than the file holds.
#[test]
fn picked_rows_that_overlap_are_refused() {
    let mut forged = crate::storage::Sections::new(CONTENT, Vec::new()).unwrap();
    forged.add("starts", 1, &[0u64, 3, 0, 3][..]);
    forged.add("entries", 1, &[0u32, 1, 2][..]);
    let bytes = forged.to_bytes();
    let container = Container::open(&bytes[..], CONTENT).unwrap();
    let decoder = Decoder {
        container: &container,
        n_factors: 1,
    };
    let [starts, entries] = container.sections() else {
        panic!()
    };
    let at = layout::CsrAt {
        starts: starts.clone(),
        entries: entries.clone(),
    };
    assert!(decoder.csr(&at, 3, Some(&[0])).is_ok());
    assert!(decoder.csr(&at, 3, Some(&[1])).is_err(), "falling");
    assert!(decoder.csr(&at, 3, Some(&[0, 2])).is_err(), "overlapping");
    assert!(
        decoder.csr(&at, 2, Some(&[0])).is_err(),
        "column out of range"
    );
}

#[cfg(feature = "train")]
mod files {
    use super::*;
    use crate::storage::file_system::faulty::{Fault, FaultyDisk};
    use crate::storage::file_system::folder::TestFolder;

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
        let folder = TestFolder::new("full-disk");
        let path = folder.0.join("model.lowrank");
        let (old, new) = (Shape::from_bits(0).model(), Shape::FULL.model());
        let length = new.to_bytes().unwrap().len() as u64;
        let fresh = folder.0.join("fresh");
        old.save(&path).unwrap();
        let before = std::fs::read(&path).unwrap();
        for room in 0..length {
            let disk = FaultyDisk(Fault::FullAfter(room));
            assert!(new.save_to(&disk, &path).is_err(), "{room}");
            assert!(new.save_to(&disk, &fresh).is_err(), "{room}");
            assert_eq!(folder.names(), ["model.lowrank"], "{room}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
        new.save_to(&FaultyDisk(Fault::FullAfter(length)), &path)
            .unwrap();
        assert_eq!(Model::load(&path).unwrap(), new);
    }
}

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

#[test]
#[ignore = "writes fixtures/model-v1.lowrank, once, when the format was fixed; never to make a test pass"]
fn write_the_file_of_version_1() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/model-v1.lowrank");
    std::fs::write(path, Shape::FULL.model().to_bytes().unwrap()).unwrap();
}
