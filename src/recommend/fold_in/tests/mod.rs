//! Does a newcomer get the row that the objective, or training itself, would have given?

mod items;

use super::*;
use crate::model::{Link, Purpose, Similarity, example};
use crate::{Kind, Query};

fn purpose(meaning: Meaning, loss: &str) -> Option<Purpose> {
    Some(Purpose {
        meaning,
        similarity: Similarity::Dot,
        loss: loss.into(),
        l2: 0.5,
        bias_l2: 0.25,
        l2_per_rating: false,
    })
}

const HISTORY: [(&str, f32); 3] = [("m1", 5.0), ("m3", 2.0), ("m4", 1.0)];

/// Central differences of `objective` at the user's own numbers: all 0 at a minimum.
fn stands_still(user: &NewUser<'_>, objective: impl Fn(&[f64], f64) -> f64) {
    let p: Vec<f64> = user.factors().iter().map(|&p| p.into()).collect();
    let b = f64::from(user.bias());
    let h = 1e-5;
    for n in 0..=p.len() {
        let at = |step: f64| {
            let (mut p, mut b) = (p.clone(), b);
            match p.get_mut(n) {
                Some(p) => *p += step,
                None => b += step,
            }
            objective(&p, b)
        };
        // The numbers were rounded to f32: 1e-7 away from the minimum of a curvature near 10.
        let slope = (at(h) - at(-h)) / (2.0 * h);
        assert!(slope.abs() < 1e-5, "number {n}: {slope}");
    }
}

fn score(model: &Model, item: usize, p: &[f64], b: f64) -> f64 {
    let q = model.items().composed().row(item);
    let dot: f64 = q.iter().zip(p).map(|(&q, p)| f64::from(q) * p).sum();
    model.global_mean().unwrap_or(0.0) + f64::from(model.items().bias(item as u32)) + b + dot
}

#[test]
fn a_row_minimises_the_squared_error_with_every_link_and_penalty() {
    for link in [Link::Identity, Link::Sigmoid { lo: 0.5, hi: 5.5 }] {
        for per_rating in [false, true] {
            for history in [&HISTORY[..], &HISTORY[..1]] {
                let mut model = example::model();
                model.link = link;
                model.purpose = purpose(Meaning::Rating, "squared");
                model.purpose.as_mut().unwrap().l2_per_rating = per_rating;
                let user = model.fold_in(history.iter().copied()).unwrap();
                let n = if per_rating {
                    history.len() as f64
                } else {
                    1.0
                };
                stands_still(&user, |p, b| {
                    let error = |&(id, r): &(&str, f32)| {
                        let item = model.items().ids().index(id).unwrap() as usize;
                        link.value(score(&model, item, p, b)) - f64::from(r)
                    };
                    let fit: f64 = history.iter().map(|h| error(h) * error(h)).sum();
                    let square: f64 = p.iter().map(|p| p * p).sum();
                    fit + n * (0.5 * square + 0.25 * b * b)
                });
            }
        }
    }
}

#[test]
fn a_row_minimises_the_error_over_all_cells() {
    let mut model = example::model();
    (model.global_mean, model.clip) = (None, None);
    model.purpose = purpose(Meaning::Rank, "all-cells:0.25");
    let user = model.fold_in([("m1", 1.0), ("m3", 1.0)]).unwrap();
    stands_still(&user, |p, b| {
        let cell = |item: usize| {
            let x = score(&model, item, p, b);
            match item {
                0 | 2 => (1.0 - x) * (1.0 - x),
                _ => 0.25 * x * x,
            }
        };
        let square: f64 = p.iter().map(|p| p * p).sum();
        (0..4).map(cell).sum::<f64>() + 0.5 * square + 0.25 * b * b
    });
    // Ratings are not looked at.
    let again = model.fold_in([("m1", -7.0), ("m3", 99.0)]).unwrap();
    assert_eq!(again.factors(), user.factors());
}

/// Q: m1 (1¼, ¼), m3 (¼, ¾).
#[test]
fn cosines_and_new_items_of_lists_give_the_mean_of_the_rows() {
    let mut model = example::model();
    model.purpose = purpose(Meaning::Rank, "a-loss-of-tomorrow");
    let user = model.fold_in([("m1", 0.0), ("m3", 0.0)]).unwrap();
    assert_eq!((user.factors(), user.bias()), (&[0.75, 0.5][..], 0.0));
    for loss in ["bpr", "softmax:0.5"] {
        model.purpose = purpose(Meaning::Rank, loss);
        let item = model.fold_in_item([("ann", 0.0), ("zoe", 0.0)]).unwrap();
        assert_eq!((item.factors(), item.bias()), (&[1.0, 0.5][..], 0.0));
    }
    (
        model.global_mean,
        model.users.identity_biases,
        model.items.identity_biases,
    ) = (None, None, None);
    model.items.compose(Similarity::Cosine);
    model.purpose.as_mut().unwrap().similarity = Similarity::Cosine;
    let user = model.fold_in([("m1", 0.0)]).unwrap();
    assert_eq!(user.factors(), model.items().composed().row(0));
    let user = model.fold_in([("m1", 0.0), ("m2", 0.0)]).unwrap();
    let length: f32 = user.factors().iter().map(|p| p * p).sum();
    assert!((length - 1.0).abs() < 1e-6, "{length}");
}

/// The loss of three items against the fourth, straight from its definition.
#[test]
fn a_row_minimises_every_loss_of_yes_and_no_lists_and_pairs() {
    let ln = f64::ln;
    let softplus = |x: f64| ln(1.0 + x.exp());
    type Of<'a> = &'a dyn Fn(&[f64], f64) -> f64;
    let of: [(&str, Meaning, Of<'_>); 3] = [
        ("logistic", Meaning::Probability, &|x, other| {
            let yes: f64 = x.iter().map(|&x| softplus(-x)).sum();
            // Four for each of the three, all of them the one that is left.
            yes + 12.0 * softplus(other)
        }),
        ("softmax:0.5", Meaning::Rank, &|x, other| {
            let sum: f64 = x.iter().chain([&other]).map(|x| (2.0 * x).exp()).sum();
            x.iter().map(|x| ln(sum) - 2.0 * x).sum()
        }),
        ("bpr", Meaning::Rank, &|x, other| {
            x.iter().map(|x| softplus(other - x)).sum()
        }),
    ];
    for (loss, meaning, of) in of {
        let mut model = example::model();
        model.purpose = purpose(meaning, loss);
        let user = model.fold_in(HISTORY).unwrap();
        stands_still(&user, |p, b| {
            let x: Vec<f64> = [0, 2, 3].map(|item| score(&model, item, p, b)).into();
            let square: f64 = p.iter().map(|p| p * p).sum();
            of(&x, score(&model, 1, p, b)) + 0.5 * square + 0.25 * b * b
        });
        let seen = user.predict("m1").unwrap().value;
        assert!(seen > user.predict("m2").unwrap().value, "{loss}");
    }
}

#[test]
fn a_row_minimises_errors_that_are_no_squares() {
    for (loss, of) in [
        (
            "huber:0.5",
            (|e: f64| {
                if e <= 0.5 {
                    e * e
                } else {
                    0.5 * (2.0 * e - 0.5)
                }
            }) as fn(f64) -> f64,
        ),
        ("absolute", |e| e),
    ] {
        let mut model = example::model();
        model.purpose = purpose(Meaning::Rating, loss);
        let user = model.fold_in(HISTORY).unwrap();
        let objective = |p: &[f64], b: f64| {
            let error = |&(id, r): &(&str, f32)| {
                let item = model.items().ids().index(id).unwrap() as usize;
                (score(&model, item, p, b) - f64::from(r)).abs()
            };
            let square: f64 = p.iter().map(|p| p * p).sum();
            HISTORY.iter().map(|h| of(error(h))).sum::<f64>() + 0.5 * square + 0.25 * b * b
        };
        if loss != "absolute" {
            stands_still(&user, objective);
            continue;
        }
        // At a kink there is no slope, but nowhere around is less.
        let p: Vec<f64> = user.factors().iter().map(|&p| p.into()).collect();
        let least = objective(&p, user.bias().into());
        for n in 0..3 {
            for step in [-1e-3, 1e-3] {
                let (mut p, mut b) = (p.clone(), f64::from(user.bias()));
                *p.get_mut(n).unwrap_or(&mut b) += step;
                assert!(objective(&p, b) > least, "{n} {step}");
            }
        }
    }
}

/// With variances by the formula in f64, one number at a time; noise² = ¼.
#[test]
fn a_posterior_says_how_uncertain_the_row_is() {
    let model = example::with_variances();
    let user = model.fold_in(HISTORY).unwrap();
    // v of users 2, 1 | ½; of m1's row ¼, ½.
    let l2 = [0.25 / 2.0 + 0.25, 0.25 / 1.0 + 0.5];
    stands_still(&user, |p, b| {
        let error = |&(id, r): &(&str, f32)| {
            let item = model.items().ids().index(id).unwrap() as usize;
            score(&model, item, p, b) - f64::from(r)
        };
        let fit: f64 = HISTORY.iter().map(|h| error(h) * error(h)).sum();
        fit + l2[0] * p[0] * p[0] + l2[1] * p[1] * p[1] + 0.5 * b * b
    });
    let stranger = model.predict("you", "m1").unwrap().std.unwrap();
    let known = user.predict("m1").unwrap();
    let std = known.std.unwrap();
    assert!(std > 0.5 && std < stranger, "{std} against {stranger}");
    assert_eq!(known.kind, Kind::Full);
}

/// In a model of one sample all is as with variances of items that are 0; with two, each sample is solved alone.
#[test]
fn samples_are_solved_one_by_one_and_stand_side_by_side() {
    let model = example::with_samples();
    let user = model.fold_in([("m1", 5.0), ("m2", 2.0)]).unwrap();
    // Sample 0: λ = ¼/(4·½, 4·¼) and ¼/½ of the bias; rows (1, 0) and 0. Targets: 5 − 3 − 0 − ⅛ and 2 − 3 − ¼ (m2's bias).
    let naive = |q: f64, l2: f64, l2_b: f64, t: [f64; 2]| {
        // p and b by elimination: (q² + λ)p + q·b = q·t₀;  q·p + (2 + λ_b)·b = t₀ + t₁.
        let (a, d) = (q * q + l2, 2.0 + l2_b);
        let det = a * d - q * q;
        let p = (q * t[0] * d - q * (t[0] + t[1])) / det;
        (p, (a * (t[0] + t[1]) - q * q * t[0]) / det)
    };
    let (p, b0) = naive(1.0, 0.25 / 2.0, 0.5, [2.0 - 0.125, -1.25]);
    assert!((f64::from(user.factors()[0]) - p / 2.0).abs() < 1e-6);
    assert_eq!(user.factors()[2..8], [0.0; 6]);
    // The score of a pair is the mean over the samples, as of every user.
    let scores = |s: usize| {
        let range = s * 8..(s + 1) * 8;
        let q = &model.items().composed().row(0)[range.clone()];
        let pairs = user.factors()[range].iter().zip(q);
        pairs
            .map(|(&p, &q)| f64::from(p) * f64::from(q))
            .sum::<f64>()
    };
    let wanted = 3.0 + f64::from(user.bias()) + scores(0) + scores(1);
    let prediction = user.predict("m1").unwrap();
    assert!((f64::from(prediction.value) - wanted.clamp(1.0, 5.0)).abs() < 1e-6);
    let spread = user.row.spread.as_ref().unwrap();
    assert!((f64::from(spread.deviations[0] + user.bias()) - b0).abs() < 1e-6);
    let stranger = model.predict("you", "m1").unwrap().std.unwrap();
    assert!(prediction.std.unwrap() < stranger);
}

#[test]
fn what_users_rated_is_composed_of_the_history() {
    let mut model = example::model();
    model.users.groups = vec![crate::model::ModelGroup {
        name: "rated".into(),
        values: model.items.ids.clone(),
        table: model.items.identity.clone(),
        counts: vec![1; 4],
        bag: crate::model::Bag::Sqrt,
        features: crate::model::Features::new(model.seen.clone(), crate::model::Bag::Sqrt),
        ..crate::model::ModelGroup::default()
    }];
    // A λ without bound leaves nothing but what the group gives: (½, ½) + (1, 0), over √2.
    let mut own = purpose(Meaning::Rating, "squared").unwrap();
    (own.l2, own.bias_l2) = (1e12, 1e12);
    model.purpose = Some(own);
    let user = model
        .fold_in([("m1", 4.0), ("m3", 4.0), ("gone", 1.0)])
        .unwrap();
    let root = 0.5f32.sqrt();
    for (p, wanted) in user.factors().iter().zip([1.5 * root, 0.5 * root]) {
        assert!((p - wanted).abs() < 1e-6, "{p}, wanted {wanted}");
    }
    assert_eq!(user.n_unknown(), 1);
}

#[test]
fn the_history_is_seen_and_a_list_shows_what_predict_gives() {
    let model = example::model();
    let user = model.fold_in(HISTORY).unwrap();
    let list = user.recommend(&Query::default()).unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].item.as_str(), list[0].rank), ("m2", 1));
    let all = user.recommend(&Query::default().include_seen()).unwrap();
    assert_eq!(all.len(), 4);
    for line in &all {
        assert_eq!(line.score, user.predict(&line.item).unwrap().value);
    }
    assert_eq!(all[0].item, "m1", "five stars");
    let few = user.recommend(&Query::default().include_seen().max_per("genres", 1));
    assert!(few.unwrap().len() < 4);
    // The last of two ratings counts.
    let twice = model.fold_in([("m1", 1.0), ("m1", 5.0), ("m3", 2.0), ("m4", 1.0)]);
    assert_eq!(twice.unwrap().factors(), user.factors());
}

#[test]
fn a_history_that_says_nothing_is_refused() {
    let model = example::model();
    let message = |history: &[(&str, f32)]| {
        let user = model.fold_in(history.iter().copied());
        user.unwrap_err().to_string()
    };
    assert_eq!(
        message(&[]),
        "history: got nothing, wanted at least one item"
    );
    assert!(message(&[("gone", 3.0), ("lost", 2.0)]).contains(r#"no item "gone""#));
    assert_eq!(
        message(&[("m1", 50.0)]),
        "history: got m1:50, wanted a rating from 1 to 5"
    );
    assert!(message(&[("m1", f32::NAN)]).contains("m1:NaN"));
}

/// Trained until it stands still, a user's own ratings give the user's own row.
#[cfg(feature = "train")]
#[test]
fn the_row_of_a_training_user_comes_back() {
    use crate::data::Dataset;
    use crate::training::{Config, PerTable};
    let rating = |n: usize| (n * 7 % 9) as f32 * 0.5 + 1.0;
    let ratings: Vec<(String, String, f32)> = (0..60)
        .filter(|n| n % 4 != 1)
        .map(|n| {
            (
                format!("u{}", n % 10),
                format!("i{}", n / 10 * 2 + n % 2),
                rating(n),
            )
        })
        .collect();
    let data = Dataset::builder()
        .rows(ratings.clone())
        .unwrap()
        .build()
        .unwrap();
    let config = Config::rating()
        .n_factors(3)
        .epochs(4000)
        .seed(2)
        .l2(PerTable::new(0.5));
    let mut model = config.check().unwrap().fit(&data, None, &mut ()).unwrap();
    let mut own = purpose(Meaning::Rating, "squared").unwrap();
    (own.l2, own.bias_l2) = (0.5, 0.5);
    model.purpose = Some(own);
    for user in 0..10u32 {
        let id = model.users().ids().name(user).to_owned();
        let history = ratings.iter().filter(|(u, ..)| *u == id);
        let history = history.map(|(_, item, rating)| (item, *rating));
        let folded = model.fold_in(history).unwrap();
        let trained = model.users().composed().row(user as usize);
        // Adam in f32 stands still to some 1e-3 of numbers near 1.
        for (a, b) in folded.factors().iter().zip(trained) {
            assert!((a - b).abs() < 5e-3, "{id}: {a}, trained {b}");
        }
        assert!(
            (folded.bias() - model.users().bias(user)).abs() < 5e-3,
            "{id}"
        );
    }
}
