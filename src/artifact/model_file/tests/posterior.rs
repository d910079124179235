//! Does what is known of a model's uncertainty come back?

use super::*;
use crate::artifact::model_file::posterior::SpreadAt;

/// Each posterior, with and without what else a side may have.
#[test]
fn every_posterior_comes_back() {
    for full in [Shape::SAMPLES, Shape::VARIANCES] {
        let plain = Shape {
            biases: false,
            item_groups: false,
            user_groups: false,
            baseline: false,
            ..full
        };
        let empty = Shape { n_users: 0, ..full };
        let single = Shape {
            n_factors: 8,
            spread: full.spread.map(|kind| match kind {
                SampleSpread::Samples(_) => SampleSpread::Samples(1),
                SampleSpread::Variances => SampleSpread::Variances,
            }),
            ..full
        };
        for shape in [full, plain, empty, single] {
            let model = shape.model();
            let bytes = model.to_bytes().unwrap();
            assert_eq!(Model::from_bytes(&bytes).unwrap(), model, "{shape:?}");
            let file = ModelFile::new(&bytes[..]).unwrap();
            assert_eq!(file.model().unwrap().to_bytes().unwrap(), bytes);
            file.verify().unwrap();
        }
    }
}

/// A file with a posterior is the file without, four sections and the tail of the record longer.
#[test]
fn a_posterior_stands_behind_everything_else() {
    for shape in [Shape::SAMPLES, Shape::VARIANCES] {
        let model = shape.model();
        let without = Model {
            posterior: None,
            ..model.clone()
        };
        let names = |model: &Model| -> Vec<String> {
            let sections = encode::sections(model).unwrap();
            sections.iter().map(|(name, _)| name.to_owned()).collect()
        };
        let spread = ["users", "items", "user_prior", "item_prior"];
        let wanted = [
            names(&without),
            spread.map(|name| format!("spread.{name}")).to_vec(),
        ];
        assert_eq!(names(&model), wanted.concat());
    }
}

#[test]
fn a_few_users_are_as_uncertain_as_in_the_whole_model() {
    for kind in [Shape::SAMPLES, Shape::VARIANCES] {
        let shape = Shape {
            n_users: 3000,
            n_items: 50,
            ..kind
        };
        let model = shape.model();
        let bytes = model.to_bytes().unwrap();
        let file = ModelFile::new(&bytes[..]).unwrap();
        // u2999 is row 0, which has no ratings.
        let part = file.model_for_users(&["u2999", "nobody", "u0"]).unwrap();
        for user in ["u2999", "u0", "nobody"] {
            for item in ["i0", "i49", "nothing"] {
                let prediction = part.predict(user, item).unwrap();
                assert!(prediction.std.is_some());
                assert_eq!(prediction, model.predict(user, item).unwrap());
            }
        }
        assert_eq!(Model::from_bytes(&part.to_bytes().unwrap()).unwrap(), part);
    }
}

#[test]
fn a_posterior_that_makes_no_model_is_neither_saved_nor_loaded() {
    let change = |shape: Shape, change: fn(&mut Posterior)| {
        let mut model = shape.model();
        change(model.posterior.as_mut().unwrap());
        model
    };
    let refused = [
        change(Shape::SAMPLES, |p| p.noise = f64::NAN),
        change(Shape::SAMPLES, |p| count(p, 3)),
        change(Shape::SAMPLES, |p| count(p, 0)),
        change(Shape::SAMPLES, |p| priors(p)[0][0] = -1.0),
        change(Shape::VARIANCES, |p| priors(p)[1][3] = -1.0),
        change(Shape::VARIANCES, |p| priors(p)[1][0] = f32::NAN),
        change(Shape::VARIANCES, |p| users(p, -1.0)),
        Model {
            link: crate::model::Link::Sigmoid { lo: 1.0, hi: 5.0 },
            ..Shape::VARIANCES.model()
        },
    ];
    for (n, model) in refused.iter().enumerate() {
        assert!(model.to_bytes().is_err(), "{n}");
    }
    // A deviation may be negative.
    let saved = change(Shape::SAMPLES, |p| users(p, -1.0));
    assert_eq!(
        Model::from_bytes(&saved.to_bytes().unwrap()).unwrap(),
        saved
    );

    let shapes: [(&str, Model); 4] = [
        (
            "spread.users",
            change(Shape::SAMPLES, |p| {
                tables(p)[0].clone_from(&Rows::zeros(2, 2))
            }),
        ),
        (
            "spread.items",
            change(Shape::VARIANCES, |p| {
                tables(p)[1].clone_from(&Rows::zeros(4, 9))
            }),
        ),
        (
            "spread.user_prior",
            change(Shape::SAMPLES, |p| _ = priors(p)[0].pop()),
        ),
        (
            "spread.item_prior",
            change(Shape::VARIANCES, |p| priors(p)[1].push(0.0)),
        ),
    ];
    for (word, model) in shapes {
        let error = Model::from_bytes(&model.to_bytes().unwrap()).unwrap_err();
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
}

fn parts(posterior: &mut Posterior) -> ([&mut Rows; 2], [&mut Vec<f32>; 2]) {
    let (Spread::Samples {
        users,
        items,
        user_prior,
        item_prior,
        ..
    }
    | Spread::Variances {
        users,
        items,
        user_prior,
        item_prior,
    }) = &mut posterior.spread;
    ([users, items], [user_prior, item_prior])
}

fn tables(posterior: &mut Posterior) -> [&mut Rows; 2] {
    parts(posterior).0
}

fn priors(posterior: &mut Posterior) -> [&mut Vec<f32>; 2] {
    parts(posterior).1
}

/// Sets the first number of the users.
fn users(posterior: &mut Posterior, number: f32) {
    let [users, _] = tables(posterior);
    let mut values = users.as_padded_slice().to_vec();
    values[0] = number;
    *users = Rows::from_padded(users.n_rows(), users.n_factors(), values).unwrap();
}

fn count(posterior: &mut Posterior, number: usize) {
    if let Spread::Samples { count, .. } = &mut posterior.spread {
        *count = number;
    }
}

/// A forger's variances: negative in the file, under checksums that fit.
#[test]
fn a_negative_variance_in_a_file_is_refused_where_it_stands() {
    let mut forged = crate::storage::Sections::new(CONTENT, Vec::new()).unwrap();
    let mut row = [0.0f32; 8];
    row[1] = -0.5;
    forged.add("spread.users", 8, &row[..]);
    forged.add("prior", 1, &row[..2]);
    let bytes = forged.to_bytes();
    let container = Container::open(&bytes[..], CONTENT).unwrap();
    let decoder = Decoder {
        container: &container,
        n_factors: 1,
    };
    let [rows, prior] = container.sections() else {
        panic!()
    };
    let mut good = rows.clone();
    good.rows = 0;
    let record = record::PosteriorRecord {
        noise: 1.0,
        samples: None,
    };
    for bad in [rows, prior] {
        let of = |name: &str| if bad.name == name { bad } else { &good }.clone();
        let at = SpreadAt {
            users: of("spread.users"),
            items: good.clone(),
            user_prior: of("prior"),
            item_prior: good.clone(),
        };
        match decoder.posterior(&at, record, None) {
            Err(Error::Corrupt { offset, .. }) => assert_eq!(offset, bad.offset + 4),
            other => panic!("{other:?}"),
        }
    }
}

/// The formula of `size` against the file, for a model without features.
#[cfg(feature = "train")]
#[test]
fn the_length_of_a_file_is_known_before() {
    for (shape, spread) in [
        (Shape::SAMPLES, Some(SpreadShape::Samples(2))),
        (Shape::VARIANCES, Some(SpreadShape::Variances)),
        (Shape::FULL, None),
        (Shape::PURPOSE, None),
        (Shape::REFERENCE, None),
        (Shape::COSINE, None),
    ] {
        let shape = Shape {
            n_users: 300,
            user_groups: false,
            item_groups: false,
            ..shape
        };
        let model = shape.model();
        let side = |side: &'static str| match side {
            "users" => &model.users,
            _ => &model.items,
        };
        let [users, items] = ["users", "items"].map(|name| SideShape {
            ids: &side(name).ids,
            catalog: &side(name).catalog,
            used: &[],
            biases: shape.biases,
            group_biases: shape.group_biases,
        });
        let size = size::Shape {
            n_factors: shape.n_factors,
            users,
            items,
            n_seen: model.seen.n_entries(),
            global_mean: shape.mean,
            link: model.link,
            clipped: shape.clip,
            spread,
            purpose: model.purpose.as_ref(),
            ratings: model.reference.as_ref().map(|reference| &reference.ratings),
        };
        let bytes = model.to_bytes().unwrap();
        assert_eq!(size.file_bytes(), bytes.len() as u64, "{shape:?}");
    }
}
