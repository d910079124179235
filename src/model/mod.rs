//! Chapter 2. What is predicted, and from what?
//!
//! ```text
//! score(u, i)      = μ + b_u + b_i + ⟨P_u, Q_i⟩
//! P_u              = p_u + Σ_groups Σ_{f ∈ group(u)} w_uf · x_f          a composed row; its bias is composed alike
//! Q_i              = q_i + Σ_groups Σ_{f ∈ group(i)} w_if · y_f
//! prediction(u, i) = link(score)
//! ```
//!
//! | symbol | name in the code | shape |
//! |---|---|---|
//! | μ | `global_mean` | one number, the mean of the training ratings |
//! | b_u, b_i | `user_biases`, `item_biases` | n_users, n_items |
//! | p_u, q_i | rows of the identity tables | n_factors each |
//! | x_f, y_f | rows of a feature group's table | n_factors each |
//! | w_uf, w_if | weights of the features, [`Features`] | sparse, n_rows × n_values |
//!
//! | file | question |
//! |---|---|
//! | [`features`] | how much of each feature does a row have? |
//! | [`measure`] | what does a number in a column become? |
//! | [`side::graph`] | how do rows spread over who took what? |
//! | [`link`] | how does a score become a prediction? |
//! | [`forward`] | what is the score, in one line? |
//! | [`table`] | what is learnt? |
//! | [`side`] | how do a row of its own and its features become one row? |
//! | [`rows`], [`trained`] | what is left when training is over? |
//! | [`prediction`] | what does a prediction say, and what does it rest on? |
//! | [`posterior`] | how uncertain is a prediction? |
//! | [`features::schema`] | which features does a model expect, and what did training see of them? |
//! | [`purpose`] | what was the model trained for, and what does its score mean? |
//! | [`reference`](mod@reference) | what did its training look like? |
//! | [`scorer`] | what does one user think of every item? |
//!
//! How the tables are learnt is left to chapters 3 to 7.

pub mod features;
pub mod forward;
pub mod link;
pub mod measure;
pub mod posterior;
pub mod prediction;
pub mod purpose;
pub mod reference;
pub mod rows;
pub mod scorer;
#[cfg(feature = "train")]
pub mod side;
#[cfg(feature = "train")]
pub mod table;
#[cfg(test)]
mod tests;
pub mod trained;

#[cfg(test)]
pub(crate) use tests::example;

pub use features::schema::{CellSpread, ColumnSchema, Fingerprint, Profile, Schema};
pub use features::{Bag, Features};
pub use link::{Clip, Link};
pub use measure::Measure;
pub use posterior::{Posterior, Spread};
pub use prediction::{Kind, Prediction};
pub use purpose::{Meaning, Purpose, Similarity};
pub use reference::Reference;
pub use rows::Rows;
pub use scorer::{FoldedRow, Scorer};
#[cfg(feature = "train")]
pub use side::{Graph, Group, Parameters, Side};
#[cfg(feature = "train")]
pub use table::Table;
pub use trained::{Baseline, Model, ModelGroup, ModelSide};
