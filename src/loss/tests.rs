//! What holds for every loss: slopes are derivatives, values are not negative, and nothing overflows.

use super::*;
use crate::kernels::lanes;

/// Step of the central difference.
const H: f64 = 1e-5;
/// Of max(1, |slope|); rounding of the two values, ε·ℓ/h, joins it.
const TOLERANCE: f64 = 1e-8;

fn agrees(slope: f64, value: impl Fn(f64) -> f64, at: f64, what: &str) {
    let (above, below) = (value(at + H), value(at - H));
    let numeric = (above - below) / (2.0 * H);
    let tolerance =
        TOLERANCE * slope.abs().max(1.0) + f64::EPSILON * above.abs().max(below.abs()) / H;
    assert!(
        (slope - numeric).abs() <= tolerance,
        "{what} at {at}: {slope} for {numeric}"
    );
}

/// Checks a loss at scores for targets, but within 2h of its kinks.
fn pointwise(
    loss: impl Pointwise + std::fmt::Debug,
    targets: &[f64],
    kinks: impl Fn(f64) -> Vec<f64>,
) {
    for &target in targets {
        for at in [
            -1e4, -30.0, -2.0, -0.4, 0.0, 0.3, 0.97, 1.5, 4.999, 30.0, 1e4,
        ] {
            let (value, slope) = (loss.value(at, target), loss.slope(at, target));
            let name = format!("{loss:?} for {target}");
            assert!(value >= 0.0 && value.is_finite(), "{name} at {at}: {value}");
            assert_eq!(loss.slope_in(at, target), slope, "{name}");
            if kinks(target).iter().all(|kink| (at - kink).abs() > 2.0 * H) {
                agrees(slope, |x| loss.value(x, target), at, &name);
            }
        }
    }
}

#[test]
fn slopes_of_pointwise_losses_are_their_derivatives() {
    let ratings = [-10.0, 0.0, 1.0, 5.0];
    pointwise(Squared, &ratings, |_| vec![]);
    pointwise(Absolute, &ratings, |r| vec![r]);
    // Where a Huber loss has no kink, the difference quotient across its seam is off by h·δ at most.
    pointwise(Huber { width: 1.5 }, &ratings, |r| vec![r - 1.5, r + 1.5]);
    pointwise(Logistic, &[0.0, 1.0], |_| vec![]);
    for margin in [0.0, 0.4, -0.5] {
        let loss = CosineEmbedding { margin };
        for target in [0.0, 1.0] {
            for at in [-0.99, -0.3, 0.1, 0.7, 0.99] {
                let (value, slope) = (loss.value(at, target), loss.slope(at, target));
                assert!(value >= 0.0);
                agrees(slope, |x| loss.value(x, target), at, "cosine embedding");
            }
        }
    }
}

#[test]
fn slopes_point_away_from_the_target() {
    for (above, below) in [
        (Squared.slope(4.1, 4.0), Squared.slope(3.9, 4.0)),
        (Absolute.slope(4.1, 4.0), Absolute.slope(3.9, 4.0)),
        (
            Huber { width: 0.05 }.slope(4.1, 4.0),
            Huber { width: 0.05 }.slope(3.9, 4.0),
        ),
        (Logistic.slope(2.0, 0.0), Logistic.slope(2.0, 1.0)),
        (
            CosineEmbedding { margin: 0.0 }.slope(0.5, 0.0),
            CosineEmbedding { margin: 0.0 }.slope(0.5, 1.0),
        ),
    ] {
        assert!(above > 0.0 && below < 0.0, "{above}, {below}");
    }
    assert!(Bpr.slope(0.3) < 0.0, "a greater margin is better");
}

#[test]
fn numbers_that_can_be_redone_on_paper() {
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} for {b}");
    near(Huber { width: 1.0 }.value(3.5, 5.0), 2.0);
    near(Huber { width: 1.0 }.slope(3.5, 5.0), -2.0);
    near(Logistic.value(0.0, 1.0), std::f64::consts::LN_2);
    near(Logistic.slope(0.0, 1.0), -0.5);
    near(Logistic.value(1e4, 0.0), 1e4);
    near(Logistic.value(1e4, 1.0), 0.0);
    near(Bpr.value(0.0), std::f64::consts::LN_2);
    near(Bpr.slope(0.0), -0.5);
    near(Bpr.value(-1e4), 1e4);
}

#[test]
fn the_slope_of_bpr_is_its_derivative() {
    for margin in [-1e4, -20.0, -1.0, 0.0, 0.4, 8.0, 1e4] {
        assert!(Bpr.value(margin) >= 0.0);
        agrees(Bpr.slope(margin), |m| Bpr.value(m), margin, "bpr");
    }
}

/// The value and the slopes of a list, in double precision.
fn list(
    loss: impl Listwise,
    positives: &[f64],
    negatives: &[f64],
    everything: bool,
) -> (f64, Vec<f64>) {
    let weights: Vec<f64> = (0..positives.len()).map(|n| 1.0 + 0.5 * n as f64).collect();
    let (mut p, mut n) = (positives.to_vec(), negatives.to_vec());
    let value = loss.differentiate(List {
        positives: &mut p,
        weights: &weights,
        negatives: &mut n,
        everything,
    });
    p.extend(n);
    (value, p)
}

/// Checks the slopes of a list of three positives and five negatives that are scaled up to `size`. Where the negatives are everything, the positives are among
/// them, so a difference moves both.
fn listwise(loss: impl Listwise + std::fmt::Debug, size: f64) {
    for everything in [false, true] {
        let scores = [0.5, -0.3, 0.83, 0.5, -0.3, 0.83, 0.1, -0.9].map(|s| s * size);
        let at = |moved: Option<(usize, f64)>| {
            let mut scores = scores;
            if let Some((n, by)) = moved {
                scores[n] += by;
                if everything && n < 3 {
                    scores[n + 3] += by;
                }
            }
            list(loss, &scores[..3], &scores[3..], everything)
        };
        let (value, slopes) = at(None);
        assert!(value >= 0.0 && value.is_finite() && slopes.iter().all(|s| s.is_finite()));
        for n in 0..8 {
            if everything && (3..6).contains(&n) {
                continue;
            }
            let slope = if everything && n < 3 {
                slopes[n] + slopes[n + 3]
            } else {
                slopes[n]
            };
            let (above, below) = (at(Some((n, H))).0, at(Some((n, -H))).0);
            let numeric = (above - below) / (2.0 * H);
            let tolerance = TOLERANCE * slope.abs().max(1.0) + f64::EPSILON * above.abs() / H;
            assert!(
                (slope - numeric).abs() <= tolerance,
                "{loss:?}, score {n}, everything {everything}: {slope} for {numeric}"
            );
        }
        assert!(slopes[..3].iter().all(|&s| s <= 0.0) && slopes[3..].iter().all(|&s| s >= 0.0));
    }
}

#[test]
fn slopes_of_listwise_losses_are_their_derivatives() {
    for temperature in [1.0, 0.2, 0.1] {
        listwise(Softmax { temperature }, 1.0);
    }
    listwise(Softmax { temperature: 1.0 }, 1e4);
    for (margin, negative_weight) in [(0.0, 1.0), (0.4, 30.0), (-0.95, 2.0)] {
        listwise(
            CosineContrastive {
                margin,
                negative_weight,
            },
            1.0,
        );
    }
}

#[test]
fn lists_by_hand() {
    let (value, slopes) = list(Softmax { temperature: 1.0 }, &[0.0], &[0.0], false);
    assert!((value - std::f64::consts::LN_2).abs() < 1e-15);
    assert_eq!(slopes, [-0.5, 0.5]);
    let loss = CosineContrastive {
        margin: 0.8,
        negative_weight: 2.0,
    };
    let (value, slopes) = list(loss, &[0.5], &[0.9], false);
    assert!((value - 0.7).abs() < 1e-15);
    assert_eq!(slopes, [-1.0, 2.0]);
}

#[test]
fn what_is_left_out_pushes_nothing() {
    let out = f64::NEG_INFINITY;
    let softmax = Softmax { temperature: 0.5 };
    let (with, slopes) = list(softmax, &[0.2], &[0.1, out, -0.4], false);
    assert_eq!(slopes[2], 0.0);
    assert_eq!(with, list(softmax, &[0.2], &[0.1, -0.4], false).0);
    let contrastive = CosineContrastive {
        margin: 0.0,
        negative_weight: 4.0,
    };
    let (with, slopes) = list(contrastive, &[0.2], &[0.1, out], false);
    assert_eq!((with, slopes), (0.8 + 0.4, vec![-1.0, 4.0, 0.0]));
    // Nobody left: the positive has no rival, so it cannot be wrong.
    assert_eq!(list(softmax, &[0.2], &[out], false).0, 0.0);
    assert_eq!(list(contrastive, &[0.25], &[out], false).0, 0.75);
}

#[test]
fn the_cosine_changes_with_both_rows_as_derived() {
    // Rows are whole lanes; the numbers of the page in the first two places.
    let row = |x: f64, y: f64| [x, y, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let (p, q) = (row(3.0, 4.0), row(1.0, 0.0));
    let (mut unit, mut other) = (p, q);
    let norm = lanes::normalize(&mut unit);
    assert_eq!((norm, lanes::normalize(&mut other)), (5.0, 1.0));
    let mut gradient = other;
    angular::backprop(&unit, norm, &mut gradient);
    assert!((gradient[0] - 0.128).abs() < 1e-15 && (gradient[1] + 0.096).abs() < 1e-15);
    let cosine = |x: f64, y: f64| x / (x * x + y * y).sqrt();
    agrees(gradient[0], |x| cosine(x, 4.0), 3.0, "∂c/∂p₁");
    agrees(gradient[1], |y| cosine(3.0, y), 4.0, "∂c/∂p₂");

    let mut nothing = [0.0; 8];
    assert_eq!(lanes::normalize(&mut nothing), 0.0);
    assert_eq!(nothing, [0.0; 8]);
    let mut gradient = [1.0; 8];
    angular::backprop(&nothing, 0.0, &mut gradient);
    assert_eq!(gradient, [0.0; 8]);
}

#[test]
fn names_are_read_as_they_are_written() {
    for name in LossKind::NAMES {
        let loss: LossKind = name.parse().expect(name);
        assert_eq!(loss.name(), name);
        assert_eq!(loss.to_string().parse::<LossKind>().expect(name), loss);
    }
    let loss: LossKind = "cosine-contrastive:0.5:20".parse().expect("two parameters");
    assert_eq!(
        loss,
        LossKind::CosineContrastive {
            margin: 0.5,
            negative_weight: 20.0
        }
    );
    for wrong in [
        "",
        "mse",
        "squared:1",
        "huber:0",
        "huber:nan",
        "softmax:-1",
        "softmax:1:2",
        "softmax:",
        "cosine-embedding:1",
        "cosine-embedding:-2",
        "cosine-contrastive:0.9:-1",
        "all-cells:0",
        "all-cells:inf",
    ] {
        assert!(wrong.parse::<LossKind>().is_err(), "{wrong:?}");
    }
}
