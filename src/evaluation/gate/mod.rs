//! Is a model good enough to be released?
//!
//! A gate is a sentence that holds of a model or does not: `rmse <= champion + 0.002`, `ndcg@10 >= 1.05 * popularity`. It is decided by the estimates as they stand; beside a reference stands the 95 % interval
//! of the difference, because a better estimate may be luck.
//!
//! | file | question |
//! |---|---|
//! | [`grammar`] | what does a gate demand? |
//! | `words` | how is its text read? |
//! | [`sample`] | how sure is it that one figure is beyond another? |
//! | [`verdict`] | does a model pass? |
//!
//! What the figures are is asked of others, by whoever holds models and ratings: here are words and numbers.

pub mod grammar;
pub mod sample;
pub mod verdict;
mod words;

pub use grammar::{Bound, Figure, Gate, Newcomers, Operator, Reference};
pub use sample::{Compared, Sample};
pub use verdict::{Rules, Verdict};
