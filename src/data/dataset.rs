//! What does a training start from?
//!
//! A [`Dataset`]: who the users are, what the items are, and who rated what. Splitting it copies ratings alone; both halves share
//! names and titles.

use std::sync::Arc;

use super::{Catalog, Ids, Interactions, LoadReport};

/// The rows of one side: their names, and what else is known of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SideData {
    /// The names, in the order of first appearance in the ratings, then in the side's own file.
    pub ids: Ids,
    /// Titles and columns.
    pub catalog: Catalog,
}

/// Ratings with the names, titles and features of their users and items.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// The users.
    pub users: Arc<SideData>,
    /// The items: those in the ratings and those in the items file.
    pub items: Arc<SideData>,
    /// The ratings, in the order of the file.
    pub interactions: Interactions,
    /// What was found while loading; empty for data that was not loaded.
    pub report: LoadReport,
}

impl Dataset {
    /// The same users and items with other ratings.
    pub fn with(&self, interactions: Interactions) -> Dataset {
        Dataset {
            interactions,
            ..self.clone()
        }
    }

    /// The number of users.
    pub fn n_users(&self) -> usize {
        self.users.ids.len()
    }

    /// The number of items.
    pub fn n_items(&self) -> usize {
        self.items.ids.len()
    }

    /// The number of ratings.
    pub fn n_ratings(&self) -> usize {
        self.interactions.len()
    }
}
