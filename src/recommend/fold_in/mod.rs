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
//! | `newcomers` | what can be asked of somebody whom training never saw? |
//! | `history` | what is known of somebody, and which loss decides? |
//! | `ridge` | how are a few penalised equations solved? |
//! | `squared` | which row fits the ratings? |
//! | `newton` | which row puts the items of the history above the others? |
//! | `posterior` | and how uncertain is it? |
//! | `cells` | which row takes the items of the history for ones, and all others for zeros? |
//!
//! No training rating is weighed by anybody's weight here: each counts once.

mod cells;
mod history;
mod newcomers;
mod newton;
mod posterior;
mod ridge;
mod squared;

use super::filter::Whose;
use crate::model::{Clip, Meaning, Model};
use crate::{Error, Result};
use history::History;
#[cfg(feature = "train")]
pub(crate) use history::{Ratings, own_rows};
pub use newcomers::{NewItem, NewUser};

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

#[cfg(test)]
mod tests;
