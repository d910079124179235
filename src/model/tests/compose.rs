//! Is a cosine model's score a cosine?

use super::example;
use crate::model::purpose::normalise;
use crate::model::{Meaning, Model, Purpose, Rows, Similarity};

/// The example as a cosine model: no mean, no biases, rows of length 1.
fn cosine() -> Model {
    let mut model = example::model();
    (model.global_mean, model.clip) = (None, None);
    model.purpose = Some(Purpose {
        meaning: Meaning::Rank,
        similarity: Similarity::Cosine,
        loss: "cosine".into(),
        l2: 0.0,
        bias_l2: 0.0,
        l2_per_rating: false,
    });
    for side in [&mut model.users, &mut model.items] {
        side.identity_biases = None;
        side.compose(Similarity::Cosine);
    }
    model
}

#[test]
fn a_score_is_the_cosine_of_the_composed_rows() {
    let (plain, model) = (example::model(), cosine());
    for u in 0..4u32 {
        for i in 0..4u32 {
            let rows = [plain.users.composed(), plain.items.composed()];
            let (p, q) = (rows[0].row(u as usize), rows[1].row(i as usize));
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
                products.sum()
            };
            let lengths = dot(p, p).sqrt() * dot(q, q).sqrt();
            let wanted = if lengths > 0.0 {
                dot(p, q) / lengths
            } else {
                0.0
            };
            let score = f64::from(model.predict_rows(Some(u), Some(i)).value);
            // Two products of f32 that were rounded once each.
            assert!(
                (score - wanted).abs() < 2e-7,
                "{u} {i}: {score}, wanted {wanted}"
            );
        }
    }
    assert_eq!(model.users.composed().row(2), [0.0, 0.0], "eve has no row");
}

#[test]
fn every_row_has_length_1_however_short_or_long_it_was() {
    let mut side = example::model().users;
    for size in [1e-44f32, 1e-30, 1.0, 3e38] {
        let mut values = vec![0.0; side.identity.as_padded_slice().len()];
        (values[0], values[9]) = (size, -size);
        side.identity = Rows::from_padded(4, 2, values).unwrap();
        side.compose(Similarity::Cosine);
        let first = |r| side.composed().row(r).to_vec();
        assert_eq!((first(0), first(1)), (vec![1.0, 0.0], vec![0.0, -1.0]));
        assert_eq!(first(2), [0.0, 0.0]);
    }
    let mut row = [3.0f32, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    normalise(&mut row);
    assert_eq!(row[..2], [0.6, 0.8]);
}

#[test]
fn an_unknown_row_has_the_mean_of_the_ratings_only_where_there_are_ratings() {
    let mut model = cosine();
    let value = |model: &Model, user: &str, item: &str| model.predict(user, item).unwrap().value;
    for (user, item) in [("nobody", "m1"), ("ann", "nothing"), ("nobody", "nothing")] {
        assert_eq!(value(&model, user, item), 0.0, "{user} {item}");
    }
    // As a probability: σ(0).
    model.purpose.as_mut().unwrap().meaning = Meaning::Probability;
    model.link = crate::model::Link::Sigmoid { lo: 0.0, hi: 1.0 };
    assert_eq!(value(&model, "nobody", "m1"), 0.5);
    model.purpose = None;
    assert_eq!(value(&model, "nobody", "m1"), 3.0, "the training mean");
}
