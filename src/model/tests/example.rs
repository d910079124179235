//! A model small enough to check on paper, for the tests of the later chapters.
//!
//! ```text
//! μ = 3, clipped to 1..5; genres weighed by the mean
//!
//! user   p_u       b_u    seen                item   q_i          b_i    genres           Q_i
//! ann    (1, 0)    ½      m1                  m1     (1, 0)       0      Action|Sci-Fi    (1¼, ¼)
//! bob    (0, 1)    −½     m2 m4               m2     (0, 1)       ¼      Sci-Fi           (0, 1½)
//! eve    (0, 0)    0      none                m3     (½, ½)       0      Horror|Sci-Fi    (¼, ¾)
//! zoe    (1, 1)    0      all                 m4     (0, −1)      −¼     Horror           (−½, −1)
//!
//! genre    Action (½, 0)   Sci-Fi (0, ½)   Horror (−½, 0)
//!
//! score    m1      m2      m3      m4
//! ann      4¾      3¾      3¾      2¾
//! bob      2¾      4¼      3¼      1¼
//! ```

use crate::data::{Catalog, Column, Csr, Strings};
use crate::kernels::lanes::padded;
use crate::model::{
    Bag, Clip, Features, Link, Model, ModelGroup, ModelSide, Posterior, Rows, Similarity, Spread,
};

/// The model that the table above shows.
pub(crate) fn model() -> Model {
    let genres = Column {
        name: "genres".into(),
        values: ["Action", "Sci-Fi", "Horror"].into_iter().collect(),
        rows: Csr::from_rows([vec![0, 1], vec![1], vec![2, 1], vec![2]]),
        multi_valued: true,
    };
    let year = Column {
        name: "year".into(),
        values: ["1999", "2010", "1979", "1960"].into_iter().collect(),
        rows: Csr::from_rows([vec![0], vec![1], vec![2], vec![3]]),
        multi_valued: false,
    };
    let mut items = ModelSide {
        ids: ["m1", "m2", "m3", "m4"].into_iter().collect(),
        counts: vec![2, 2, 1, 2],
        identity: rows(&[[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.0, -1.0]]),
        identity_biases: Some(vec![0.0, 0.25, 0.0, -0.25]),
        groups: vec![ModelGroup {
            name: "genres".into(),
            values: genres.values.clone(),
            table: rows(&[[0.5, 0.0], [0.0, 0.5], [-0.5, 0.0]]),
            biases: None,
            counts: vec![2, 5, 3],
            features: Features::new(genres.rows.clone(), Bag::Mean),
            bag: Bag::Mean,
            profile: None,
        }],
        catalog: Catalog {
            titles: Some(Strings::from_iter([
                "The Matrix",
                "Inception",
                "Alien",
                "Psycho",
            ])),
            columns: vec![genres, year],
        },
        ..ModelSide::default()
    };
    items.compose(Similarity::Dot);
    Model {
        n_factors: 2,
        global_mean: Some(3.0),
        training_mean: 3.0,
        n_training_ratings: 7,
        link: Link::Identity,
        clip: Some(Clip { lo: 1.0, hi: 5.0 }),
        users: ModelSide {
            ids: ["ann", "bob", "eve", "zoe"].into_iter().collect(),
            counts: vec![1, 2, 0, 4],
            identity: rows(&[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]]),
            identity_biases: Some(vec![0.5, -0.5, 0.0, 0.0]),
            ..ModelSide::default()
        },
        items,
        seen: Csr::from_rows([vec![0], vec![1, 3], vec![], vec![0, 1, 2, 3]]),
        baseline: None,
        posterior: None,
        purpose: None,
        reference: None,
    }
}

/// The model above with a variance beside each number, ratings half a star around their scores.
///
/// ```text
/// ann  ½ ¼ | ⅛    bob, zoe  0 0 | 0    eve  9 9 | 9, who has no ratings       users without   2 1 | ½
/// m1   ¼ ½ | 1⁄16    m2 to m4  0 0 | 0                                         items without   1 3 | ¼
/// ```
pub(crate) fn with_variances() -> Model {
    let (zero, unused) = ([0.0; 3], [9.0; 3]);
    Model {
        posterior: Some(Posterior {
            noise: 0.5,
            spread: Spread::Variances {
                users: rows(&[[0.5, 0.25, 0.125], zero, unused, zero]),
                items: rows(&[[0.25, 0.5, 0.0625], zero, zero, zero]),
                user_prior: vec![2.0, 1.0, 0.5],
                item_prior: vec![1.0, 3.0, 0.25],
            },
        }),
        ..model()
    }
}

/// The same users and items without genres, in two samples of two factors; the rows of the users hold half of what stands here.
///
/// ```text
/// ann  (2, 0)  (1, 0)    d ¼, −¼      m1  (1, 0)  (−2, 1)    d ⅛, −⅛
/// bob  (0, 3)  (1, 2)    d 0, 0       m2 to m4  0
/// eve, zoe  0
/// users without   v (½, ¼)  (1, ¾) as the rows hold them, w ½, 1      items without   v (3, 2)  (1, 4), w ¼, ½
/// ```
pub(crate) fn with_samples() -> Model {
    let mut model = model();
    let samples = |samples: [[f32; 2]; 2]| {
        let mut row = [0.0; 16];
        row[..2].copy_from_slice(&samples[0]);
        row[8..10].copy_from_slice(&samples[1]);
        row
    };
    model.n_factors = 16;
    model.users.identity = rows(&[
        samples([[1.0, 0.0], [0.5, 0.0]]),
        samples([[0.0, 1.5], [0.5, 1.0]]),
        [0.0; 16],
        [0.0; 16],
    ]);
    let mut items = [[0.0; 16]; 4];
    items[0] = samples([[1.0, 0.0], [-2.0, 1.0]]);
    model.items.identity = rows(&items);
    model.items.groups.clear();
    model.items.compose(Similarity::Dot);
    let prior = |v, w: [f32; 2]| [&samples(v)[..], &w].concat();
    model.posterior = Some(Posterior {
        noise: 0.5,
        spread: Spread::Samples {
            count: 2,
            users: rows(&[[0.25, -0.25], [0.0; 2], [0.0; 2], [0.0; 2]]),
            items: rows(&[[0.125, -0.125], [0.0; 2], [0.0; 2], [0.0; 2]]),
            user_prior: prior([[0.5, 0.25], [1.0, 0.75]], [0.5, 1.0]),
            item_prior: prior([[3.0, 2.0], [1.0, 4.0]], [0.25, 0.5]),
        },
    });
    model
}

/// Rows of these numbers.
fn rows<const N: usize>(values: &[[f32; N]]) -> Rows {
    let mut all = Vec::new();
    for row in values {
        all.extend_from_slice(row);
        all.resize(all.len() + padded(N) - N, 0.0);
    }
    Rows::from_padded(values.len(), N, all).expect("whole rows")
}
