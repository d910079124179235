//! Does what a model knows of its training come back, and is nothing else taken for it?

use super::*;
use crate::model::Reference;
use crate::model::reference::Histogram;
use crate::storage::Sections;

#[test]
fn a_reference_comes_back_with_all_else() {
    for shape in [Shape::FULL, Shape::COSINE, Shape::SAMPLES, Shape::VARIANCES] {
        let shape = Shape {
            reference: true,
            ..shape
        };
        let model = shape.model();
        let bytes = model.to_bytes().unwrap();
        let file = ModelFile::new(&bytes[..]).unwrap();
        file.verify().unwrap();
        let loaded = file.model().unwrap();
        assert_eq!(loaded, model);
        assert_eq!(loaded.to_bytes().unwrap(), bytes);
        let part = file.model_for_users(&["u1"]).unwrap();
        assert_eq!(part.reference(), model.reference());
    }
}

/// A file with a reference is the file without, then the reference's sections.
#[test]
fn its_sections_are_the_last() {
    let model = Shape::REFERENCE.model();
    let names = |model: &Model| -> Vec<String> {
        let sections = encode::sections(model).unwrap();
        sections.iter().map(|(name, _)| name.to_owned()).collect()
    };
    let without = Model {
        reference: None,
        ..model.clone()
    };
    assert_eq!(without, Shape::PURPOSE.model());
    let own = [
        "reference.rating.marks",
        "reference.rating.counts",
        "reference.score.marks",
        "reference.score.counts",
    ];
    assert_eq!(
        names(&model),
        [names(&without), own.map(Into::into).to_vec()].concat()
    );
}

/// The bytes of a file whose reference has these parts, whether they fit or not.
fn forged(marks: &[f32], counts: &[u64], record: Record) -> Vec<u8> {
    let without = Shape::PURPOSE.model();
    let mut forged = Sections::new(CONTENT, record.to_bytes().unwrap()).unwrap();
    encode::fill(&mut forged, &without).unwrap();
    for name in ["reference.rating", "reference.score"] {
        forged.add(format!("{name}.marks"), 1, marks);
        forged.add(format!("{name}.counts"), 1, counts);
    }
    forged.to_bytes()
}

#[test]
fn counts_that_make_no_histogram_are_refused_by_name() {
    let record = || Record::of(&Shape::REFERENCE.model());
    assert!(Model::from_bytes(&forged(&[1.0, 2.0], &[3, 4], record())).is_ok());
    let cases: [(&[f32], &[u64]); 6] = [
        (&[2.0, 1.0], &[3, 4]),
        (&[1.0, 1.0], &[3, 4]),
        (&[1.0], &[3, 4, 5]),
        (&[1.0, 2.0, 3.0], &[3]),
        (&[1.0, f32::NAN], &[3, 4]),
        (&[1.0, 2.0], &[u64::MAX, 4]),
    ];
    for (marks, counts) in cases {
        let error = Model::from_bytes(&forged(marks, counts, record())).unwrap_err();
        assert!(
            matches!(error, Error::Corrupt { .. }),
            "{marks:?} {counts:?}"
        );
        assert!(error.to_string().contains("reference.rating"), "{error}");
    }
    // Sections that the record does not announce, and a record without its sections.
    let mut silent = record();
    silent.reference = None;
    let error = Model::from_bytes(&forged(&[1.0], &[3], silent)).unwrap_err();
    assert!(
        error.to_string().contains("the end of the directory"),
        "{error}"
    );
    let mut missing = Sections::new(CONTENT, record().to_bytes().unwrap()).unwrap();
    let without = Shape::PURPOSE.model();
    encode::fill(&mut missing, &without).unwrap();
    let error = Model::from_bytes(&missing.to_bytes()).unwrap_err();
    assert!(
        error.to_string().contains("reference.rating.marks"),
        "{error}"
    );
}

#[test]
fn every_flipped_bit_of_it_is_noticed() {
    let bytes = Shape::REFERENCE.model().to_bytes().unwrap();
    let file = ModelFile::new(&bytes[..]).unwrap();
    let at = file.layout.reference.as_ref().unwrap();
    let (from, to) = (at.ratings.marks.offset, at.scores.counts.offset + 8 * 20);
    for offset in from..to {
        let mut damaged = bytes.clone();
        damaged[offset as usize] ^= 0x10;
        assert!(Model::from_bytes(&damaged).is_err(), "{offset}");
    }
}

#[test]
fn a_reference_that_no_file_holds_is_not_saved() {
    let mut model = Shape::REFERENCE.model();
    model.reference = Some(Reference {
        ratings: Histogram::default(),
        rating_std: f64::NAN,
        scores: Histogram::default(),
        train_rmse: None,
    });
    let error = model.to_bytes().unwrap_err();
    assert!(error.to_string().contains("NaN"), "{error}");
}
