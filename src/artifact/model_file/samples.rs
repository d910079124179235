//! Small models of every shape, for tests.

use crate::data::{Catalog, Column, Csr, Ids, Strings};
use crate::kernels::lanes::padded;
use crate::model::reference::{BINS, Histogram};
use crate::model::{
    Bag, Baseline, CellSpread, Clip, Features, Link, Meaning, Measure, Model, ModelGroup,
    ModelSide, Posterior, Profile, Purpose, Reference, Rows, Similarity, Spread,
};

/// What a sample has; everything that a model may have or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) n_users: usize,
    pub(crate) n_items: usize,
    pub(crate) n_factors: usize,
    pub(crate) biases: bool,
    pub(crate) group_biases: bool,
    pub(crate) user_groups: bool,
    pub(crate) item_groups: bool,
    pub(crate) titles: bool,
    pub(crate) columns: bool,
    pub(crate) baseline: bool,
    pub(crate) mean: bool,
    pub(crate) clip: bool,
    pub(crate) sigmoid: bool,
    pub(crate) spread: Option<SampleSpread>,
    /// Whether it says what it is for: a rank by cosines, or ratings by dot products.
    pub(crate) purpose: Option<Similarity>,
    /// Whether it knows what training saw of its columns; one of the users' groups is of numbers then, and one is made of the ratings.
    pub(crate) schema: bool,
    /// Whether it says what its training looked like.
    pub(crate) reference: bool,
}

/// Which posterior a sample has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SampleSpread {
    /// So many samples.
    Samples(usize),
    Variances,
}

impl Shape {
    /// Everything, with few rows.
    pub(crate) const FULL: Shape = Shape {
        n_users: 3,
        n_items: 4,
        n_factors: 3,
        biases: true,
        group_biases: true,
        user_groups: true,
        item_groups: true,
        titles: true,
        columns: true,
        baseline: true,
        mean: true,
        clip: true,
        sigmoid: true,
        spread: None,
        purpose: None,
        schema: false,
        reference: false,
    };

    /// Everything, and what it is for.
    pub(crate) const PURPOSE: Shape = Shape {
        purpose: Some(Similarity::Dot),
        ..Shape::FULL
    };

    /// Everything, and what training saw of the columns.
    pub(crate) const SCHEMA: Shape = Shape {
        schema: true,
        ..Shape::PURPOSE
    };

    /// Everything, what it is for, and what its training looked like.
    pub(crate) const REFERENCE: Shape = Shape {
        reference: true,
        ..Shape::PURPOSE
    };

    /// Everything that a model of cosines has.
    pub(crate) const COSINE: Shape = Shape {
        biases: false,
        group_biases: false,
        mean: false,
        clip: false,
        sigmoid: false,
        purpose: Some(Similarity::Cosine),
        ..Shape::FULL
    };

    /// Everything that a model of two samples has.
    pub(crate) const SAMPLES: Shape = Shape {
        n_factors: 16,
        sigmoid: false,
        spread: Some(SampleSpread::Samples(2)),
        ..Shape::FULL
    };

    /// Everything that a model with variances has.
    pub(crate) const VARIANCES: Shape = Shape {
        sigmoid: false,
        spread: Some(SampleSpread::Variances),
        ..Shape::FULL
    };

    /// Each choice from one bit.
    pub(crate) fn from_bits(bits: u32) -> Shape {
        let bit = |n: u32| bits >> n & 1 == 1;
        Shape {
            n_factors: if bit(10) { 8 } else { 3 },
            biases: bit(0),
            group_biases: bit(1),
            user_groups: bit(2),
            item_groups: bit(3),
            titles: bit(4),
            columns: bit(5),
            baseline: bit(6),
            mean: bit(7),
            clip: bit(8),
            sigmoid: bit(9),
            purpose: bit(11).then_some(Similarity::Dot),
            schema: bit(12),
            ..Shape::FULL
        }
    }

    pub(crate) fn model(self) -> Model {
        let mut users = self.side("u", self.n_users, 1, self.user_groups);
        let mut items = self.side("i", self.n_items, 2, self.item_groups);
        items.catalog.titles = self.titles.then(|| {
            let title = |i| {
                if i == 1 {
                    String::new()
                } else {
                    format!("Título {i}")
                }
            };
            (0..self.n_items).map(title).collect::<Strings>()
        });
        if self.schema {
            with_profiles(&mut users, &mut items);
        }
        let similarity = self.purpose.unwrap_or_default();
        users.compose(similarity);
        items.compose(similarity);
        Model {
            n_factors: self.n_factors,
            global_mean: self.mean.then_some(3.25),
            training_mean: 3.25,
            n_training_ratings: 9,
            link: match self.sigmoid {
                true => Link::Sigmoid { lo: 0.5, hi: 5.5 },
                false => Link::Identity,
            },
            clip: self.clip.then_some(Clip { lo: 1.0, hi: 5.0 }),
            seen: Csr::from_rows((0..self.n_users).map(|u| {
                (0..self.n_items as u32)
                    .filter(|i| (*i as usize + u).is_multiple_of(2))
                    .collect::<Vec<u32>>()
            })),
            baseline: self.baseline.then(|| Baseline {
                global_mean: 3.5,
                user_biases: numbers(self.n_users, 5),
                item_biases: numbers(self.n_items, 6),
            }),
            posterior: self.spread.map(|kind| self.posterior(kind)),
            purpose: self.purpose.map(purpose),
            reference: self.reference.then(reference),
            users,
            items,
        }
    }

    fn posterior(self, kind: SampleSpread) -> Posterior {
        let variances = |n, salt| numbers(n, salt).into_iter().map(f32::abs).collect();
        let (n_users, n_items, n_factors) = (self.n_users, self.n_items, self.n_factors);
        let spread = match kind {
            SampleSpread::Samples(count) => Spread::Samples {
                count,
                users: rows_of(n_users, count, numbers(n_users * count, 41)),
                items: rows_of(n_items, count, numbers(n_items * count, 42)),
                user_prior: variances(n_factors + count, 43),
                item_prior: variances(n_factors + count, 44),
            },
            SampleSpread::Variances => {
                let length = n_factors + 1;
                Spread::Variances {
                    users: rows_of(n_users, length, variances(n_users * length, 45)),
                    items: rows_of(n_items, length, variances(n_items * length, 46)),
                    user_prior: variances(length, 47),
                    item_prior: variances(length, 48),
                }
            }
        };
        Posterior {
            noise: 0.75,
            spread,
        }
    }

    fn side(self, letter: &str, n: usize, salt: usize, groups: bool) -> ModelSide {
        let column = Column {
            name: "genres".into(),
            values: ["Drama", "Action", "Sci-Fi"].into_iter().collect(),
            rows: Csr::from_rows((0..n).map(|r| (0..(r % 4) as u32).collect::<Vec<u32>>())),
            multi_valued: true,
        };
        let year = Column {
            name: "year".into(),
            values: ["1995", "1969"].into_iter().collect(),
            rows: Csr::from_rows((0..n).map(|r| [(r % 2) as u32])),
            multi_valued: false,
        };
        let group = |column: &Column, salt: usize, biases: bool| ModelGroup {
            name: column.name.clone(),
            values: column.values.clone(),
            table: rows(column.values.len(), self.n_factors, salt),
            biases: biases.then(|| numbers(column.values.len(), salt + 1)),
            counts: (1..=column.values.len() as u32).collect(),
            features: Features::new(column.rows.clone(), Bag::Sqrt),
            bag: Bag::Sqrt,
            profile: None,
        };
        let own_groups = match groups {
            true => vec![
                group(&column, salt + 20, self.group_biases),
                group(&year, salt + 30, false),
            ],
            false => Vec::new(),
        };
        ModelSide {
            // Falling, so that the byte order is not the row order.
            ids: (0..n)
                .rev()
                .map(|r| format!("{letter}{r}"))
                .collect::<Ids>(),
            catalog: Catalog {
                titles: None,
                columns: if self.columns {
                    vec![column, year]
                } else {
                    Vec::new()
                },
            },
            counts: (0..n as u32).collect(),
            identity: rows(n, self.n_factors, salt),
            identity_biases: self.biases.then(|| numbers(n, salt + 10)),
            groups: own_groups,
            ..ModelSide::default()
        }
    }
}

/// The items' genres and years are categories; the users' years are bins, and their genres are taken for a group of the ratings.
fn with_profiles(users: &mut ModelSide, items: &mut ModelSide) {
    for group in &mut items.groups {
        let n = group.values.len() as u32;
        group.profile = Some(Profile {
            several: n > 2,
            rows: 9,
            empty: 1,
            spread: CellSpread::Rows((0..n).collect()),
        });
    }
    if let [_, year] = &mut users.groups[..] {
        year.values = Measure::Bins(vec![1990.5]).names();
        year.profile = Some(Profile {
            several: false,
            rows: 3,
            empty: 0,
            spread: CellSpread::Tenths((0..11).map(|k| 1900.0 + f64::from(k) / 4.0).collect()),
        });
    }
}

fn purpose(similarity: Similarity) -> Purpose {
    let (meaning, loss) = match similarity {
        Similarity::Cosine => (Meaning::Rank, "cosine:0.5"),
        Similarity::Dot => (Meaning::Rating, "squared"),
    };
    Purpose {
        meaning,
        similarity,
        loss: loss.into(),
        l2: 12.0,
        bias_l2: 4.0,
        l2_per_rating: false,
    }
}

fn reference() -> Reference {
    Reference {
        ratings: Histogram::of_values(vec![(1.0, 2), (3.5, 3), (5.0, 4)]),
        rating_std: 1.25,
        scores: Histogram::of_quantiles(numbers(40, 49), BINS),
        train_rmse: Some(0.75),
    }
}

/// Numbers between −1 and 1, from a formula.
fn numbers(n: usize, salt: usize) -> Vec<f32> {
    (0..n)
        .map(|x| ((x * 7919 + salt * 104_729) % 2003) as f32 / 1001.5 - 1.0)
        .collect()
}

fn rows(n_rows: usize, n_factors: usize, salt: usize) -> Rows {
    rows_of(n_rows, n_factors, numbers(n_rows * n_factors, salt))
}

fn rows_of(n_rows: usize, n_factors: usize, values: Vec<f32>) -> Rows {
    let stride = padded(n_factors);
    let mut padded = vec![0.0; n_rows * stride];
    for (r, row) in values.chunks_exact(n_factors).enumerate() {
        padded[r * stride..r * stride + n_factors].copy_from_slice(row);
    }
    Rows::from_padded(n_rows, n_factors, padded).expect("padded as the type wants it")
}
