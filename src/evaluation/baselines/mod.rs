//! What do simple models make of the same ratings?
//!
//! A number alone says little. Beside a model stand
//!
//! | file | baseline | says |
//! |---|---|---|
//! | | μ | a rating is the mean of all |
//! | [`biases`] | μ + b_u + b_i | some users are kind, some items are good |
//! | [`popularity`] | most rated first | everybody sees the same list, but for what they know |
//! | [`knn`] | neighbours of an item | who liked this, liked that |
//!
//! [`choose`] says how the penalties of the biases are found, `by_blocks` how they are fitted on all threads.

pub mod biases;
#[cfg(feature = "train")]
mod by_blocks;
pub mod choose;
pub mod knn;
pub mod popularity;

pub use biases::{L2, MAX_SWEEPS, TOLERANCE};
pub use choose::Penalties;
pub use knn::Knn;
pub use popularity::Popularity;
