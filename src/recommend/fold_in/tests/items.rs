//! Is a new item found as a new user is?

use super::*;
use crate::model::Spread;

/// The example with users and items exchanged: what is found of an item here is found of a user there.
fn exchanged(model: &Model) -> Model {
    let mut other = model.clone();
    (other.users, other.items) = (model.items.clone(), model.users.clone());
    if let Some(Spread::Variances {
        users,
        items,
        user_prior,
        item_prior,
    }) = other.posterior.as_mut().map(|of| &mut of.spread)
    {
        std::mem::swap(users, items);
        std::mem::swap(user_prior, item_prior);
    }
    other
}

#[test]
fn a_new_item_is_a_new_user_with_the_sides_exchanged() {
    let ratings = [("ann", 5.0), ("bob", 1.0), ("zoe", 4.0)];
    let mut models = vec![example::model(), example::with_variances()];
    for (meaning, loss) in [
        (Meaning::Rating, "squared"),
        (Meaning::Rating, "huber:0.5"),
        (Meaning::Probability, "logistic"),
        (Meaning::Rank, "all-cells:0.25"),
    ] {
        let mut model = example::model();
        model.purpose = purpose(meaning, loss);
        models.push(model);
    }
    for model in models {
        let item = model.fold_in_item(ratings).unwrap();
        let other = exchanged(&model);
        let user = other.fold_in(ratings).unwrap();
        assert_eq!((item.factors(), item.bias()), (user.factors(), user.bias()));
        assert_eq!(item.row.spread, user.row.spread);
        let (a, b) = (item.predict("bob").unwrap(), user.predict("bob").unwrap());
        assert!((a.value - b.value).abs() < 1e-6);
        assert_eq!((a.kind, a.std.is_some()), (b.kind, b.std.is_some()));
        if let (Some(a), Some(b)) = (a.std, b.std) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }
    let error = example::model().fold_in_item([("m1", 3.0)]).unwrap_err();
    assert!(error.to_string().contains("there is an item with this id"));
}

/// Users' rows of samples are stored as p/S: with them multiplied back and the item's by S, an item is found as a user is.
#[test]
fn a_new_item_of_samples_stands_on_the_scale_of_items() {
    let model = example::with_samples();
    let item = model.fold_in_item([("ann", 5.0), ("bob", 2.0)]).unwrap();
    // Sample 0: rows (2, 0), (0, 3); λ = ¼/(3, 2) and 1 of the bias; targets 5 − 3 − ½ − ¼ and 2 − 3 + ½.
    let (t0, t1) = (1.25, -0.5);
    let (q, b) = {
        // Of factor f with its one user of row r: q_f = r(t − b)/(r² + λ_f), put into the equation of the bias.
        let shrink = |r: f64, l2: f64| 1.0 - r * r / (r * r + l2);
        let (s0, s1) = (shrink(2.0, 0.25 / 3.0), shrink(3.0, 0.25 / 2.0));
        let b = (s0 * t0 + s1 * t1) / (s0 + s1 + 1.0);
        let of = |r: f64, l2: f64, t: f64| r * (t - b) / (r * r + l2);
        ([of(2.0, 0.25 / 3.0, t0), of(3.0, 0.25 / 2.0, t1)], b)
    };
    for (f, wanted) in q.into_iter().enumerate() {
        let got = f64::from(item.factors()[f]);
        assert!((got - wanted).abs() < 1e-6, "{f}: {got}, wanted {wanted}");
    }
    let deviation = item.row.spread.as_ref().unwrap().deviations[0];
    assert!((f64::from(deviation + item.bias()) - b).abs() < 1e-6);
}
