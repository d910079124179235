//! Chapter 9. Which items should a user see?
//!
//! The items with the greatest predicted ratings, among those that are left after filtering.
//!
//! ```text
//! candidates(u) = items ∩ allowed ∩ where − denied − seen(u)
//! list(u)       = the first n of candidates(u), by (score descending, item index rising)
//! ```
//!
//! Filters come before the selection, so a list is short only where there are no more items. Lists are ordered by the score before
//! link and clipping, which keeps apart what clipping makes equal; what they show is the prediction, the number that
//! [`Model::predict`](crate::Model::predict) gives for the same pair.
//!
//! | file | question |
//! |---|---|
//! | [`query`] | what can one ask for? |
//! | [`top_n`] | which n items come first? |
//! | [`everyone`] | and for many users at once? |
//! | `pairs` | how often does an item that should come first do so? |
//! | [`what_if`] | what if the item had another feature? |
//! | `filter` | which items are candidates? |
//! | `near` | which name was meant? |

pub mod everyone;
mod filter;
mod near;
mod pairs;
pub mod query;
pub mod top_n;
pub mod what_if;

pub use everyone::Everyone;
pub use query::{Condition, Query};
pub use top_n::{Ranked, Recommendation, Recommender};
