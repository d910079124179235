//! Is a file that makes no model refused, where it is wrong?

use super::*;

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
    for (shape, biases) in [
        (Shape::FULL, false),
        (Shape::FULL, true),
        (Shape::COSINE, false),
    ] {
        let mut model = shape.model();
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
fn a_schema_that_no_training_saw_is_refused_by_name() {
    fn bytes(change: impl FnOnce(&mut Model)) -> Vec<u8> {
        let mut model = Shape::SCHEMA.model();
        change(&mut model);
        encode::sections(&model).unwrap().to_bytes()
    }
    fn genres(model: &mut Model) -> &mut Profile {
        model.items.groups[0].profile.as_mut().unwrap()
    }
    fn years(model: &mut Model) -> &mut Profile {
        model.users.groups[1].profile.as_mut().unwrap()
    }
    let of_numbers = |numbers: Vec<f64>| bytes(|m| years(m).spread = CellSpread::Tenths(numbers));
    let mut falling = vec![1.0; 11];
    falling[10] = 0.0;
    let cases: [(&str, Vec<u8>); 8] = [
        ("schema.items.0.rows", bytes(|m| genres(m).empty = 10)),
        ("schema.items.0.rows", bytes(|m| genres(m).rows = 1)),
        (
            "schema.items.0.rows",
            bytes(|m| genres(m).spread = CellSpread::Rows(vec![1, 2])),
        ),
        (
            "schema.items.0.tenths",
            bytes(|m| genres(m).spread = CellSpread::Tenths(vec![])),
        ),
        ("schema.users.1.tenths", of_numbers(vec![1.0; 10])),
        ("schema.users.1.tenths", of_numbers(vec![f64::NAN; 11])),
        ("schema.users.1.tenths", of_numbers(falling)),
        (
            "schema.users.1.rows",
            bytes(|m| years(m).spread = CellSpread::Rows(vec![0, 0])),
        ),
    ];
    for (word, bytes) in cases {
        let error = Model::from_bytes(&bytes).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{word}");
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
    assert!(Model::from_bytes(&of_numbers(vec![])).is_ok());

    // A forger's files: another fingerprint, and sections without a record of them.
    let model = Shape::SCHEMA.model();
    for schema in [Some(7), None] {
        let mut record = Record::of(&model);
        record.schema = schema;
        let record = record.to_bytes().unwrap();
        let mut forged = crate::storage::Sections::new(CONTENT, record).unwrap();
        encode::fill(&mut forged, &model).unwrap();
        let error = Model::from_bytes(&forged.to_bytes()).unwrap_err();
        let word = schema.map_or("section schema.users.several", |_| "fingerprint");
        assert!(error.to_string().contains(word), "{error}");
    }
}

/// Rows that are the sum of their parts, but not normalised.
#[test]
fn rows_of_a_cosine_model_that_are_no_unit_rows_are_found_by_verify() {
    let mut model = Shape::COSINE.model();
    model.users.compose(Similarity::Dot);
    let bytes = model.to_bytes().unwrap();
    let error = ModelFile::new(&bytes[..]).unwrap().verify().unwrap_err();
    assert!(error.to_string().contains("users.composed"), "{error}");
}

#[test]
fn a_model_of_cosines_with_biases_is_neither_saved_nor_loaded() {
    let mut model = Shape::COSINE.model();
    model.items.identity_biases = Some(vec![0.0; 4]);
    assert!(model.to_bytes().is_err());
    // A forger's file: the record of cosines before the sections of a model with biases.
    let dot = Shape {
        mean: false,
        purpose: None,
        ..Shape::FULL
    };
    let mut record = Record::of(&Shape::COSINE.model());
    record.baseline_mean = Some(3.5);
    let mut forged = crate::storage::Sections::new(CONTENT, record.to_bytes().unwrap()).unwrap();
    let model = dot.model();
    encode::fill(&mut forged, &model).unwrap();
    let error = Model::from_bytes(&forged.to_bytes()).unwrap_err();
    assert!(error.to_string().contains("users.biases"), "{error}");
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
