//! Does what was saved come back, and is nothing else taken for it?
//!
//! | file | question |
//! |---|---|
//! | here | does a model come back as it was? |
//! | `posterior` | and what is known of its uncertainty? |
//! | `reference` | and what its training looked like? |
//! | `damage` | is a file that makes no model refused, where it is wrong? |
//! | `disk` | what if the disk is full? |
//! | `versions` | do old files load for ever? |

mod damage;
#[cfg(feature = "train")]
mod disk;
mod posterior;
mod reference;
mod versions;

use super::samples::{SampleSpread, Shape};
use super::*;
use crate::data::Csr;
use crate::model::{Bag, CellSpread, Posterior, Profile, Rows, Spread};
use crate::{Error, Kind};

/// Every combination of what a model may have: 2¹³ models.
#[test]
fn every_shape_of_model_comes_back_as_it_was() {
    for bits in 0..1 << 13 {
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
fn models_of_cosines_come_back_with_and_without_features() {
    for (user_groups, item_groups) in [(false, false), (true, false), (false, true), (true, true)] {
        let shape = Shape {
            user_groups,
            item_groups,
            ..Shape::COSINE
        };
        let model = shape.model();
        let bytes = model.to_bytes().unwrap();
        assert_eq!(Model::from_bytes(&bytes).unwrap(), model);
        let file = ModelFile::new(&bytes[..]).unwrap();
        file.verify().unwrap();
        let part = file.model_for_users(&["u1"]).unwrap();
        assert_eq!(
            part.predict("u1", "i2").unwrap(),
            model.predict("u1", "i2").unwrap()
        );
        assert_eq!(part.purpose, model.purpose);
    }
}

/// A file that says what the model is for is the file that does not, its record longer.
#[test]
fn a_purpose_is_in_the_record_alone() {
    let model = Shape::PURPOSE.model();
    let without = Model {
        purpose: None,
        ..model.clone()
    };
    let names = |model: &Model| -> Vec<String> {
        let sections = encode::sections(model).unwrap();
        sections.iter().map(|(name, _)| name.to_owned()).collect()
    };
    assert_eq!(names(&model), names(&without));
    assert_ne!(model.to_bytes().unwrap(), without.to_bytes().unwrap());
    assert_eq!(without, Shape::FULL.model());
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
        side.identity = Rows::zeros(side.ids.len(), 0);
        for group in &mut side.groups {
            group.table = Rows::zeros(group.values.len(), 0);
        }
        side.compose(Similarity::Dot);
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
    again.users.compose(Similarity::Dot);
    assert_eq!(again.users.composed, composed);
    assert_eq!(Model::from_bytes(&part.to_bytes().unwrap()).unwrap(), part);
    assert_eq!(file.model_for_users(&[]).unwrap().users.ids.len(), 0);
}
