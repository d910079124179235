//! Chapter 9. Which items should a user see?
//!
//! The items with the greatest predicted ratings, among those that are left after filtering.
//!
//! ```text
//! candidates(u) = items ∩ allowed ∩ where − denied − seen(u)
//! list(u)       = the first n of candidates(u), by (score descending, item index rising)
//! ```
//!
//! Limits and penalties (`order`) change the order, never the predictions that are shown. Filters come before the selection, so a list is short only where there are no more items. Lists are ordered by the score before
//! link and clipping, which keeps apart what clipping makes equal; what they show is the prediction, the number that
//! [`Model::predict`](crate::Model::predict) gives for the same pair.
//!
//! | file | question |
//! |---|---|
//! | [`query`] | what can one ask for? |
//! | [`top_n`] | which n items come first? |
//! | [`everyone`] | and for many users at once? |
//! | `order` | what decides the order beside the score? |
//! | [`similar`] | which items, or users, are like this one? |
//! | [`fold_in`] | what should a user see whom training never saw? |
//! | `pairs` | how often does an item that should come first do so? |
//! | [`what_if`] | what if the item had another feature? |
//! | [`fresh`] | what does a model make of features that are newer than its training? |
//! | `filter` | which items are candidates? |
//! | `near` | which name was meant? |

pub mod everyone;
mod filter;
pub mod fold_in;
pub mod fresh;
mod near;
mod order;
mod pairs;
pub mod query;
pub mod similar;
pub mod top_n;
pub mod what_if;

pub use everyone::Everyone;
pub use filter::expression::Condition;
pub use fold_in::{NewItem, NewUser};
pub use fresh::{Fresh, OnSkew, Skew, SkewKind};
pub use query::Query;
pub use similar::{Neighbour, Similar};
pub use top_n::{Ranked, Recommendation, Recommender};
