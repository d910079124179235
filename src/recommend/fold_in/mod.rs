//! What should a user see whom training never saw, and what is an item worth that it never saw?
//!
//! A user's row is what minimises the model's own objective for that one user, the items standing still; a new item's row alike, the users standing still. With the history H, r the ratings, x_i = c_i + b + ⟨p, Q_i⟩ the score,
//! c = μ + b_i + what the features give:
//!
//! ```text
//! ratings          min Σ_H ℓ(link(x_i), r_i) + λ‖p‖² + λ_b b²,  ℓ squared, absolute or huber      `squared`
//! with posterior   squared, with λ_f = noise²/v_f from the prior of users                         `posterior`
//! all-cells:W      min Σ_H (1 − x_i)² + W·Σ_{i ∉ H} x_i² + λ‖p‖² + λ_b b²                         `cells`
//! logistic, softmax, bpr of dot products   what an item of H and the other items make of it       `newton`
//! cosines          p = (1/|H|) Σ_H Q_i, of length 1                                               no equation is solved
//! ```
//!
//! λ is what the model's purpose says, times |H| where it counts once a rating. A model that does not say gets λ = 5·mean ‖Q_i‖² over its rated items, and λ_b = 4: ratings lie around their scores
//! five times as widely as a newcomer's taste moves them. A λ of 0 becomes a millionth of that mean, so that there is one answer.
//!
//! Where the model gives an order, the stars of the history are not looked at, only its items. A user's features that are made of ratings ([`Implicit`](crate::training::config::Implicit) users) are made of the
//! history: P_u = p + Σ_H w·x_i, with w as the group's bag weighs that many. Other features of a newcomer are unknown, and 0.
//!
//! | file | question |
//! |---|---|
//! | `ridge` | how are a few penalised equations solved? |
//! | `squared` | which row fits the ratings? |
//! | `newton` | which row puts the items of the history above the others? |
//! | `items` | what can be asked of an item that training never saw? |
//! | `posterior` | and how uncertain is it? |
//! | `cells` | which row takes the items of the history for ones, and all others for zeros? |
//!
//! No training rating is weighed by anybody's weight here: each counts once.

mod cells;
mod items;
mod newton;
mod posterior;
mod ridge;
mod squared;

use std::collections::BTreeMap;

use super::filter::Whose;
use super::query::Query;
use super::top_n::{Recommendation, Recommender};
use crate::kernels::lanes;
use crate::loss::LossKind;
use crate::model::posterior::OwnSpread;
use crate::model::purpose::normalise;
use crate::model::{Clip, FoldedRow, Meaning, Model, ModelSide, Prediction, Scorer, Similarity};
use crate::{Error, Result};
pub use items::NewItem;
use ridge::Penalty;

/// A user whom training never saw.
#[derive(Clone, Debug, PartialEq)]
pub struct NewUser<'m> {
    model: &'m Model,
    row: FoldedRow,
    /// The items of the history, rising.
    seen: Vec<u32>,
    n_unknown: usize,
}

/// What is known of a newcomer: whose ratings there are, rising by the other side's rows, and what each score is without the newcomer's own row. Of a new user `others` are items, of a new item users.
struct History<'m> {
    model: &'m Model,
    /// On which side the newcomer is.
    whose: Whose,
    others: Vec<u32>,
    ratings: Vec<f64>,
    /// What the newcomer's features give: a padded row, and a bias.
    given: (Vec<f32>, f32),
}

/// A row of the user's own, and its bias.
struct Own {
    factors: Vec<f64>,
    bias: f64,
    spread: Option<OwnSpread>,
}

impl Model {
    /// A user of these ratings, (item, rating) each; of an item that comes twice the last one counts. An item that the model has not is counted and otherwise left out. Where
    /// [`wants_ratings`](Model::wants_ratings) is false, the ratings are not looked at.
    ///
    /// # Errors
    /// [`Error::Unknown`] where the model has none of the items; [`Error::Config`] where there are none, for a rating that is not finite or not on the model's scale, or for more than some 4,000 items and factors.
    pub fn fold_in<S: AsRef<str>>(
        &self,
        history: impl IntoIterator<Item = (S, f32)>,
    ) -> Result<NewUser<'_>> {
        let (history, n_unknown) = History::new(self, Whose::Users, history)?;
        Ok(NewUser {
            model: self,
            row: history.row()?,
            seen: history.others,
            n_unknown,
        })
    }

    /// An item that these users rated, (user, rating) each: [`fold_in`](Model::fold_in) with the sides exchanged. λ is that of the users, which is all that a model says.
    ///
    /// ```
    /// # #[cfg(feature = "train")] {
    /// use lowrank::data::Dataset;
    /// use lowrank::training::Config;
    /// let ratings = [("ann", "Heat", 5.0), ("ann", "Up", 1.0), ("bob", "Heat", 1.0), ("bob", "Up", 5.0), ("eve", "Heat", 5.0)];
    /// let data = Dataset::builder().rows(ratings)?.build()?;
    /// let model = Config::rating().n_factors(2).epochs(50).check()?.fit(&data, None, &mut ())?;
    /// let ronin = model.fold_in_item([("ann", 5.0), ("bob", 1.0)])?;
    /// assert!(ronin.predict("ann")?.value > ronin.predict("bob")?.value);
    /// # }
    /// # Ok::<(), lowrank::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`fold_in`](Model::fold_in).
    pub fn fold_in_item<S: AsRef<str>>(
        &self,
        history: impl IntoIterator<Item = (S, f32)>,
    ) -> Result<NewItem<'_>> {
        let (history, n_unknown) = History::new(self, Whose::Items, history)?;
        Ok(NewItem {
            model: self,
            row: history.row()?,
            n_unknown,
        })
    }

    /// Whether a history needs ratings: the model predicts them.
    pub fn wants_ratings(&self) -> bool {
        self.meaning() == Meaning::Rating
    }

    fn check_rating(&self, id: &str, rating: f32) -> Result<()> {
        let on_scale = |Clip { lo, hi }: Clip| rating >= lo && rating <= hi;
        if rating.is_finite() && self.clip().is_none_or(on_scale) {
            return Ok(());
        }
        let wanted = match self.clip() {
            Some(Clip { lo, hi }) => format!("a rating from {lo} to {hi}"),
            None => "a finite rating".into(),
        };
        Err(Error::config("history", format!("{id}:{rating}"), wanted))
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

/// The row of its own, factors then bias, that row `row` of a model has by these ratings of the other side's rows; what it is composed of already stays as it is. The model's own row is 0.
///
/// # Errors
/// As [`Model::fold_in`]'s.
#[cfg(feature = "train")]
pub(crate) fn own_row(
    model: &Model,
    users: bool,
    row: u32,
    ratings: impl IntoIterator<Item = (u32, f32)>,
) -> Result<(Vec<f64>, f64)> {
    let whose = if users { Whose::Users } else { Whose::Items };
    let by_row: BTreeMap<u32, f64> = ratings.into_iter().map(|(r, x)| (r, x.into())).collect();
    let (others, ratings) = by_row.into_iter().unzip();
    let own = whose.side(model);
    let history = History {
        model,
        whose,
        given: (
            own.composed().padded_row(row as usize).to_vec(),
            own.bias(row),
        ),
        others,
        ratings,
    };
    let own = history.own()?;
    Ok((own.factors, own.bias))
}

impl<'m> History<'m> {
    /// The ratings whose other side the model knows, and how many it does not.
    fn new<S: AsRef<str>>(
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

    fn row(&self) -> Result<FoldedRow> {
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
    fn mean(&self) -> Own {
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
    fn other(&self) -> &ModelSide {
        self.whose.other().side(self.model)
    }

    /// Q_i of a new user's items, P_u of a new item's users.
    fn other_row(&self, other: u32) -> &[f32] {
        self.other().composed().row(other as usize)
    }

    /// μ, the other's bias, and what the features give: the score without the newcomer's own row.
    fn constant(&self, other: u32) -> f64 {
        let (row, bias) = &self.given;
        let dot = lanes::dot(row, self.other().composed().padded_row(other as usize));
        let biases = f64::from(*bias) + f64::from(self.other().bias(other));
        self.model.global_mean().unwrap_or(0.0) + biases + f64::from(dot)
    }

    /// Whether the newcomer has a bias.
    fn with_bias(&self) -> bool {
        let own = self.whose.side(self.model);
        own.identity_biases().is_some()
    }

    /// λ of each factor, and of the bias where there is one.
    fn penalty(&self) -> Penalty {
        let (l2, bias_l2) = match self.model.purpose() {
            Some(purpose) => {
                let n = if purpose.l2_per_rating {
                    self.others.len()
                } else {
                    1
                };
                (purpose.l2 * n as f64, purpose.bias_l2 * n as f64)
            }
            None => (OF_ROWS * self.mean_square(), OF_BIASES),
        };
        Penalty {
            factors: vec![l2; self.model.n_factors()],
            bias: self.with_bias().then_some(bias_l2),
        }
        .at_least(LEAST, self.mean_square())
    }

    /// The mean ‖Q_i‖² of the other side's rows with ratings.
    fn mean_square(&self) -> f64 {
        let other = self.other();
        let rated = (0..other.ids().len()).filter(|&row| other.counts()[row] > 0);
        let (mut sum, mut n) = (0.0, 0.0);
        for row in rated {
            let row = other.composed().row(row);
            sum += row
                .iter()
                .map(|&q| f64::from(q) * f64::from(q))
                .sum::<f64>();
            n += 1.0;
        }
        if sum > 0.0 { sum / n } else { 1.0 }
    }
}

/// λ of a model that does not say: of factors in units of mean ‖Q_i‖², of biases.
const OF_ROWS: f64 = 5.0;
const OF_BIASES: f64 = 4.0;
/// The least λ, in the same units.
const LEAST: f64 = 1e-6;

impl NewUser<'_> {
    /// P_u.
    pub fn factors(&self) -> &[f32] {
        &self.row.factors[..self.model.n_factors()]
    }

    /// b_u.
    pub fn bias(&self) -> f32 {
        self.row.bias
    }

    /// How many ids of the history the model has not.
    pub fn n_unknown(&self) -> usize {
        self.n_unknown
    }

    /// The prediction for an item.
    ///
    /// # Errors
    /// None today, as for [`Model::predict`].
    pub fn predict(&self, item_id: &str) -> Result<Prediction> {
        let item = self.model.items().ids().index(item_id);
        Ok(Scorer::of_row(self.model, &self.row).prediction(item))
    }

    /// The list of a query, whose user is not looked at; the items of the history count as seen.
    ///
    /// # Errors
    /// As [`Model::recommender`].
    pub fn recommend(&self, query: &Query) -> Result<Vec<Recommendation>> {
        Ok(self.model.recommender(query)?.top_n_of(self))
    }
}

impl Recommender<'_> {
    /// The list for a user whom training never saw, of the same model.
    pub fn top_n_of(&self, user: &NewUser<'_>) -> Vec<Recommendation> {
        let scorer = Scorer::of_row(self.model, &user.row);
        let left_out: &[u32] = match self.include_seen {
            true => &[],
            false => &user.seen,
        };
        self.lines(self.list(&scorer, left_out, self.depth()))
    }
}

#[cfg(test)]
mod tests;
