//! What should a user see whom training never saw?
//!
//! A user's row is what minimises the model's own objective for that one user, the items standing still. With the history H, r the ratings, c = μ + b_i + what the features give:
//!
//! ```text
//! ratings          min Σ_H (link(c_i + b + ⟨p, Q_i⟩) − r_i)² + λ‖p‖² + λ_b b²            `squared`
//! with posterior   the same, with λ_f = noise²/v_f from the prior of users                `posterior`
//! all-cells:W      min Σ_H (1 − x_i)² + W·Σ_{i ∉ H} x_i² + λ‖p‖² + λ_b b²                 `cells`
//! anything else    p = (1/|H|) Σ_H Q_i, of length 1 in a cosine model                      no equation is solved
//! ```
//!
//! λ is what the model's purpose says, times |H| where it counts once a rating. A model that does not say gets λ = 5·mean ‖Q_i‖² over its rated items, and λ_b = 4: ratings lie around their scores
//! five times as widely as a newcomer's taste moves them. A λ of 0 becomes a millionth of that mean, so that there is one answer.
//!
//! In the last case, the third, the stars of the history are not looked at, only its items. A user's features that are made of ratings ([`Implicit`](crate::training::config::Implicit) users) are made of the
//! history: P_u = p + Σ_H w·x_i, with w as the group's bag weighs that many. Other features of a newcomer are unknown, and 0.
//!
//! | file | question |
//! |---|---|
//! | `ridge` | how are a few penalised equations solved? |
//! | `squared` | which row fits the ratings? |
//! | `posterior` | and how uncertain is it? |
//! | `cells` | which row takes the items of the history for ones, and all others for zeros? |
//!
//! No training rating is weighed by anybody's weight here: each counts once.

mod cells;
mod posterior;
mod ridge;
mod squared;

use std::collections::BTreeMap;

use super::filter::Whose;
use super::query::Query;
use super::top_n::{Recommendation, Recommender};
use crate::kernels::lanes;
use crate::model::posterior::OwnSpread;
use crate::model::purpose::normalise;
use crate::model::{Clip, Meaning, Model, Prediction, Scorer, Similarity, UserRow};
use crate::{Error, Result};
use ridge::Penalty;

/// A user whom training never saw.
#[derive(Clone, Debug, PartialEq)]
pub struct NewUser<'m> {
    model: &'m Model,
    row: UserRow,
    /// The items of the history, rising.
    seen: Vec<u32>,
    n_unknown: usize,
}

/// What is known of the user: the items of the history, rising, with their ratings, and what each score is without the user's own row.
struct History<'m> {
    model: &'m Model,
    items: Vec<u32>,
    ratings: Vec<f64>,
    /// What the features of the user's own ratings give: a padded row, and a bias.
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
        let (mut known, mut first_unknown, mut n_unknown) = (BTreeMap::new(), None, 0);
        for (id, rating) in history {
            let id = id.as_ref();
            if self.wants_ratings() {
                self.check_rating(id, rating)?;
            }
            match self.items().ids().index(id) {
                Some(item) => _ = known.insert(item, f64::from(rating)),
                None => {
                    n_unknown += 1;
                    first_unknown.get_or_insert_with(|| id.to_owned());
                }
            }
        }
        match first_unknown {
            Some(id) if known.is_empty() => return Err(Whose::Items.unknown(self, &id)),
            None if known.is_empty() => {
                return Err(Error::config("history", "nothing", "at least one item"));
            }
            _ => {}
        }
        let (items, ratings): (Vec<u32>, Vec<f64>) = known.into_iter().unzip();
        let history = History {
            model: self,
            given: given(self, &items),
            items,
            ratings,
        };
        Ok(NewUser {
            model: self,
            row: history.row()?,
            seen: history.items,
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

/// What the groups of users that are made of ratings give to a user of these items.
fn given(model: &Model, items: &[u32]) -> (Vec<f32>, f32) {
    let users = model.users();
    let of_ratings = users.groups().iter().filter_map(|group| {
        if users.catalog().column(group.name()).is_some() {
            return None;
        }
        let ids = items.iter().map(|&item| model.items().ids().name(item));
        let values: Vec<u32> = ids.filter_map(|id| group.values().index(id)).collect();
        let weight = group.bag().weight(values.len());
        Some((group, values.into_iter().map(move |value| (value, weight))))
    });
    users.composed_row(Similarity::Dot, None, of_ratings)
}

impl History<'_> {
    fn row(&self) -> Result<UserRow> {
        let model = self.model;
        let own = match (model.posterior(), model.purpose()) {
            (Some(posterior), _) => posterior::own(self, posterior)?,
            (None, None) => squared::own(self)?,
            (None, Some(purpose)) => match (purpose.similarity, cells::weight(&purpose.loss)) {
                (Similarity::Cosine, _) => self.mean(),
                (_, Some(weight)) => cells::own(self, weight)?,
                _ if purpose.meaning == Meaning::Rating => squared::own(self)?,
                _ if purpose.loss.starts_with("squared") => squared::own(self)?,
                _ => self.mean(),
            },
        };
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
        Ok(UserRow {
            factors,
            bias,
            spread: own.spread,
        })
    }

    /// The mean of the items' rows.
    fn mean(&self) -> Own {
        let mut factors = vec![0.0; self.model.n_factors()];
        for &item in &self.items {
            for (sum, &q) in factors.iter_mut().zip(self.item_row(item)) {
                *sum += f64::from(q);
            }
        }
        let n = self.items.len() as f64;
        factors.iter_mut().for_each(|sum| *sum /= n);
        Own {
            factors,
            bias: 0.0,
            spread: None,
        }
    }

    /// Q_i.
    fn item_row(&self, item: u32) -> &[f32] {
        self.model.items().composed().row(item as usize)
    }

    /// μ + b_i and what the features give: the score without the user's own row.
    fn constant(&self, item: u32) -> f64 {
        let items = self.model.items();
        let (row, bias) = &self.given;
        let dot = lanes::dot(row, items.composed().padded_row(item as usize));
        let biases = f64::from(*bias) + f64::from(items.bias(item));
        self.model.global_mean().unwrap_or(0.0) + biases + f64::from(dot)
    }

    /// λ of each factor, and of the bias where users have one.
    fn penalty(&self) -> Penalty {
        let with_biases = self.model.users().identity_biases().is_some();
        let (l2, bias_l2) = match self.model.purpose() {
            Some(purpose) => {
                let n = if purpose.l2_per_rating {
                    self.items.len()
                } else {
                    1
                };
                (purpose.l2 * n as f64, purpose.bias_l2 * n as f64)
            }
            None => (OF_ROWS * self.mean_square(), OF_BIASES),
        };
        Penalty {
            factors: vec![l2; self.model.n_factors()],
            bias: with_biases.then_some(bias_l2),
        }
        .at_least(LEAST, self.mean_square())
    }

    /// The mean ‖Q_i‖² of the items with ratings.
    fn mean_square(&self) -> f64 {
        let items = self.model.items();
        let rated = (0..items.ids().len()).filter(|&item| items.counts()[item] > 0);
        let (mut sum, mut n) = (0.0, 0.0);
        for item in rated {
            let row = items.composed().row(item);
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
