//! What is known of somebody whom training never saw, and which loss decides?
//!
//! A new user has rated items, a new item is rated by users: the same with the sides exchanged.

use std::collections::BTreeMap;

use super::ridge::{Penalty, Solution};
use super::{cells, newton, posterior, squared};
use crate::kernels::lanes;
#[cfg(feature = "train")]
use crate::kernels::pool::Pool;
use crate::loss::LossKind;
use crate::model::posterior::OwnSpread;
use crate::model::purpose::normalise;
use crate::model::{FoldedRow, Meaning, Model, ModelSide, Similarity};
use crate::recommend::filter::Whose;
use crate::{Error, Result};

/// What is known of a newcomer: whose ratings there are, rising by the other side's rows, and what each score is without the newcomer's own row. Of a new user `others` are items, of a new item users.
pub(super) struct History<'m> {
    pub(super) model: &'m Model,
    /// On which side the newcomer is.
    pub(super) whose: Whose,
    pub(super) others: Vec<u32>,
    pub(super) ratings: Vec<f64>,
    /// The mean ‖Q_i‖² of the other side's rows with ratings.
    mean_square: f64,
    /// What the newcomer's features give: a padded row, and a bias.
    given: (Vec<f32>, f32),
}

/// A row of the user's own, and its bias.
pub(super) struct Own {
    pub(super) factors: Vec<f64>,
    pub(super) bias: f64,
    pub(super) spread: Option<OwnSpread>,
}

impl From<Solution> for Own {
    fn from(solution: Solution) -> Own {
        Own {
            factors: solution.factors,
            bias: solution.bias,
            spread: None,
        }
    }
}

/// What the groups that are made of ratings give to a newcomer of these ratings.
fn given(model: &Model, whose: Whose, others: &[u32]) -> (Vec<f32>, f32) {
    let (own, other) = (whose.side(model), whose.other().side(model));
    let of_ratings = own.groups().iter().filter_map(|group| {
        if own.catalog().column(group.name()).is_some() {
            return None;
        }
        let ids = others.iter().map(|&row| other.ids().name(row));
        let values: Vec<u32> = ids.filter_map(|id| group.values().index(id)).collect();
        let weight = group.bag().weight(values.len());
        Some((group, values.into_iter().map(move |value| (value, weight))))
    });
    own.composed_row(Similarity::Dot, None, of_ratings)
}

/// The ratings of one row, by the other side's rows.
#[cfg(feature = "train")]
pub(crate) type Ratings = BTreeMap<u32, f32>;

/// The rows of their own, factors then bias, that rows of a model have by these ratings; what they are composed of already stays as it is, and the model's own rows are 0. Of a model that predicts no ratings the mean of the other
/// side's rows: there every row of the other side would have to be looked at for each, and training goes on anyway.
///
/// # Errors
/// As [`Model::fold_in`]'s.
#[cfg(feature = "train")]
pub(crate) fn own_rows(
    model: &Model,
    users: bool,
    rows: Vec<(u32, Ratings)>,
    pool: &Pool,
) -> Result<Vec<(u32, Vec<f64>, f64)>> {
    let whose = if users { Whose::Users } else { Whose::Items };
    let own = whose.side(model);
    let mean_square = mean_square(whose.other().side(model));
    let found = pool.map(rows, |(row, ratings)| {
        let (others, ratings) = ratings.into_iter().map(|(r, x)| (r, f64::from(x))).unzip();
        let given = own.composed().padded_row(row as usize).to_vec();
        let history = History {
            model,
            whose,
            given: (given, own.bias(row)),
            others,
            ratings,
            mean_square,
        };
        let own = match model.wants_ratings() {
            true => history.own()?,
            false => history.mean(),
        };
        Ok((row, own.factors, own.bias))
    });
    found.into_iter().collect()
}

impl<'m> History<'m> {
    /// The ratings whose other side the model knows, and how many it does not.
    pub(super) fn new<S: AsRef<str>>(
        model: &'m Model,
        whose: Whose,
        history: impl IntoIterator<Item = (S, f32)>,
    ) -> Result<(History<'m>, usize)> {
        let other = whose.other();
        let (mut known, mut first_unknown, mut n_unknown) = (BTreeMap::new(), None, 0);
        for (id, rating) in history {
            let id = id.as_ref();
            if model.wants_ratings() {
                model.check_rating(id, rating)?;
            }
            match other.side(model).ids().index(id) {
                Some(row) => _ = known.insert(row, f64::from(rating)),
                None => {
                    n_unknown += 1;
                    first_unknown.get_or_insert_with(|| id.to_owned());
                }
            }
        }
        match first_unknown {
            Some(id) if known.is_empty() => return Err(other.unknown(model, &id)),
            None if known.is_empty() => {
                let wanted = match other {
                    Whose::Items => "at least one item",
                    Whose::Users => "at least one user",
                };
                return Err(Error::config("history", "nothing", wanted));
            }
            _ => {}
        }
        let (others, ratings): (Vec<u32>, Vec<f64>) = known.into_iter().unzip();
        let history = History {
            model,
            whose,
            given: given(model, whose, &others),
            mean_square: mean_square(other.side(model)),
            others,
            ratings,
        };
        Ok((history, n_unknown))
    }

    /// The newcomer's own row, as the loss wants it.
    fn own(&self) -> Result<Own> {
        let model = self.model;
        if let Some(posterior) = model.posterior() {
            return posterior::own(self, posterior);
        }
        let Some(purpose) = model.purpose() else {
            return squared::own(self, LossKind::Squared);
        };
        // A loss of a later version is at least an order.
        let loss = purpose.loss.parse().ok();
        match (purpose.similarity, loss) {
            (Similarity::Cosine, _) | (_, None) => Ok(self.mean()),
            (_, Some(LossKind::AllCells { unobserved_weight })) => {
                cells::own(self, unobserved_weight)
            }
            (_, Some(loss @ (LossKind::Logistic | LossKind::Softmax { .. } | LossKind::Bpr))) => {
                newton::own(self, loss)
            }
            (_, Some(loss)) if loss.meaning() == Meaning::Rating => squared::own(self, loss),
            _ => Ok(self.mean()),
        }
    }

    pub(super) fn row(&self) -> Result<FoldedRow> {
        let model = self.model;
        let own = self.own()?;
        let mut factors = self.given.0.clone();
        for (to, own) in factors.iter_mut().zip(&own.factors) {
            *to = (f64::from(*to) + own) as f32;
        }
        if model.similarity() == Similarity::Cosine {
            normalise(&mut factors);
        }
        let bias = (f64::from(self.given.1) + own.bias) as f32;
        if !(bias.is_finite() && factors.iter().all(|x| x.is_finite())) {
            let got = "ratings whose row is no finite number";
            return Err(Error::config(
                "history",
                got,
                "ratings like those of training",
            ));
        }
        Ok(FoldedRow {
            factors,
            bias,
            spread: own.spread,
        })
    }

    /// The mean of the other side's rows.
    pub(super) fn mean(&self) -> Own {
        let mut factors = vec![0.0; self.model.n_factors()];
        for &other in &self.others {
            for (sum, &q) in factors.iter_mut().zip(self.other_row(other)) {
                *sum += f64::from(q);
            }
        }
        let n = self.others.len() as f64;
        factors.iter_mut().for_each(|sum| *sum /= n);
        Own {
            factors,
            bias: 0.0,
            spread: None,
        }
    }

    /// The side of those who rated, or were rated.
    pub(super) fn other(&self) -> &ModelSide {
        self.whose.other().side(self.model)
    }

    /// Q_i of a new user's items, P_u of a new item's users.
    pub(super) fn other_row(&self, other: u32) -> &[f32] {
        self.other().composed().row(other as usize)
    }

    /// μ, the other's bias, and what the features give: the score without the newcomer's own row.
    pub(super) fn constant(&self, other: u32) -> f64 {
        let (row, bias) = &self.given;
        let dot = lanes::dot(row, self.other().composed().padded_row(other as usize));
        let biases = f64::from(*bias) + f64::from(self.other().bias(other));
        self.model.global_mean().unwrap_or(0.0) + biases + f64::from(dot)
    }

    /// Whether the newcomer has a bias.
    pub(super) fn with_bias(&self) -> bool {
        let own = self.whose.side(self.model);
        own.identity_biases().is_some()
    }

    /// λ of each factor, and of the bias where there is one.
    pub(super) fn penalty(&self) -> Penalty {
        let (l2, bias_l2) = match self.model.purpose() {
            Some(purpose) => {
                let n = if purpose.l2_per_rating {
                    self.others.len()
                } else {
                    1
                };
                (purpose.l2 * n as f64, purpose.bias_l2 * n as f64)
            }
            None => (OF_ROWS * self.mean_square, OF_BIASES),
        };
        Penalty {
            factors: vec![l2; self.model.n_factors()],
            bias: self.with_bias().then_some(bias_l2),
        }
        .at_least(LEAST, self.mean_square)
    }
}

/// λ of a model that does not say: of factors in units of mean ‖Q_i‖², of biases.
const OF_ROWS: f64 = 5.0;
const OF_BIASES: f64 = 4.0;
/// The least λ, in the same units.
pub(super) const LEAST: f64 = 1e-6;

/// The mean ‖Q_i‖² of the rows with ratings.
fn mean_square(side: &ModelSide) -> f64 {
    let rated = (0..side.ids().len()).filter(|&row| side.counts()[row] > 0);
    let (mut sum, mut n) = (0.0, 0.0);
    for row in rated {
        let row = side.composed().row(row);
        sum += row
            .iter()
            .map(|&q| f64::from(q) * f64::from(q))
            .sum::<f64>();
        n += 1.0;
    }
    if sum > 0.0 { sum / n } else { 1.0 }
}
