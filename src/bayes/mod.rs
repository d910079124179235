//! Chapter 8. What if the tables are not known, but only how likely each is?
//!
//! Chapter 7 finds one set of tables, the one that fits best; λ must be chosen, and a user with three ratings gets a row as sure as one with three hundred. Here every row has a
//! distribution. Predictions are averages over it, so a row of which little is known speaks softly, and nobody chooses λ.
//!
//! ```text
//! r = μ + B_u + B_i + ⟨P_u, Q_i⟩ + noise            noise ~ N(0, 1/(c·τ)), c the rating's weight
//! every row of every table ~ N(m, diag 1/λ)         m, λ: one a column and table, found with the rest
//! ```
//!
//! | `--bayes` | variational: rows are held independent; means and covariances in closed form, a dozen sweeps |
//! |---|---|
//! | `--average` | block Gibbs: each row is drawn given all others; predictions are averaged over hundreds of sweeps. Better, slower, larger |
//!
//! | file | question |
//! |---|---|
//! | `tables` | how are the tables held while their posterior is found? |
//! | `statistics` | what do a row's ratings say of it? |
//! | `update` | what is believed of a table, given its ratings and all other tables? |
//! | `groups` | how are the features of a group found, when one changes what the others have to explain? |
//! | `priors` | how much is believed before any rating? |
//! | `chain` | in which order is all of it done, and how wrong is it? |
//! | [`inference`] | how does a training by sweeps go? |
//! | `collapse` | how does a posterior become a model? |
//! | `start` | where does a chain start that need not start from nothing? |
//!
//! A sweep costs N·d² multiplications for each side and d³ a row, d = n_factors + 1. Numbers are `f64`. Each row has a random stream of its own name, so the number of threads changes no bit.

mod chain;
mod collapse;
mod groups;
pub mod inference;
mod priors;
mod start;
mod statistics;
mod tables;
#[cfg(test)]
mod tests;
mod update;

pub use inference::Inference;
pub(crate) use tables::bytes_of_a_row;
