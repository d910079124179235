//! What does a training start from?
//!
//! A [`Dataset`]: who the users are, what the items are, and who rated what. Splitting it copies ratings alone; both halves share
//! names and titles.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Catalog, Ids, Interactions, LoadReport, RatingsCache};
use crate::{Error, Result};

/// The rows of one side: their names, and what else is known of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SideData {
    /// The names, in the order of first appearance in the ratings, then in the side's own file.
    pub ids: Ids,
    /// Titles and columns.
    pub catalog: Catalog,
}

#[cfg(test)]
impl SideData {
    /// Rows that are called by their numbers.
    pub(crate) fn numbered(n_rows: usize, columns: Vec<super::Column>) -> Arc<SideData> {
        Arc::new(SideData {
            ids: (0..n_rows).map(|row| row.to_string()).collect::<Ids>(),
            catalog: Catalog {
                titles: None,
                columns,
            },
        })
    }
}

/// Ratings with the names, titles and features of their users and items.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// The users.
    pub users: Arc<SideData>,
    /// The items: those in the ratings and those in the items file.
    pub items: Arc<SideData>,
    /// The ratings, in the order of the file; none where they are [stored](Dataset::stored).
    pub interactions: Interactions,
    /// Ratings that stay in their file because they do not fit into memory.
    pub stored: Option<Arc<StoredRatings>>,
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
        match &self.stored {
            Some(stored) => stored.cache.n_ratings() as usize,
            None => self.interactions.len(),
        }
    }

    /// Calls `work` with all ratings in the order of the file, some at a time: all at once where they are in memory.
    ///
    /// # Errors
    /// A damaged cache.
    pub fn for_each_piece(&self, mut work: impl FnMut(&Interactions)) -> Result<()> {
        match &self.stored {
            Some(stored) => stored.cache.chunks(PIECE).try_for_each(|piece| {
                work(&piece?);
                Ok(())
            }),
            None => {
                work(&self.interactions);
                Ok(())
            }
        }
    }

    /// The ratings in memory.
    ///
    /// # Errors
    /// [`Error::Config`] where they are stored, saying that `what` needs them.
    pub fn in_memory(&self, what: &str) -> Result<&Interactions> {
        match &self.stored {
            Some(_) => Err(Error::config(
                "max-memory",
                format!("less than the ratings take, and {what}"),
                format!("more memory: {what} needs all ratings there"),
            )),
            None => Ok(&self.interactions),
        }
    }

    /// What a training must know of the ratings before it begins.
    ///
    /// # Errors
    /// A damaged cache.
    pub fn survey(&self) -> Result<Survey> {
        let mut survey = Survey {
            user_counts: vec![0; self.n_users()],
            item_counts: vec![0; self.n_items()],
            ..Survey::default()
        };
        let (mut sum, mut count) = (0.0, 0.0);
        self.for_each_piece(|piece| {
            for (position, &rating) in piece.ratings.iter().enumerate() {
                survey.user_counts[piece.users[position] as usize] += 1;
                survey.item_counts[piece.items[position] as usize] += 1;
                let weight = piece
                    .weights
                    .as_ref()
                    .map_or(1.0, |w| f64::from(w[position]));
                sum += weight * f64::from(rating);
                count += weight;
            }
            let scale = piece.scale();
            survey.scale = match (survey.scale, scale) {
                (Some((lo, hi)), Some((low, high))) => Some((lo.min(low), hi.max(high))),
                (before, of_piece) => of_piece.or(before),
            };
        })?;
        survey.mean = if count > 0.0 { sum / count } else { 0.0 };
        survey.weight = count;
        Ok(survey)
    }
}

/// Ratings per piece of a stored set: a multiple of what a chunk of the cache holds.
const PIECE: usize = 1 << 21;

/// Ratings in a cache, and where work on them may be put down.
#[derive(Debug)]
pub struct StoredRatings {
    /// The ratings.
    pub cache: RatingsCache,
    /// A folder for files without a name, on a disk with room for some 24 bytes a rating.
    pub folder: PathBuf,
}

/// What a training must know of its ratings before it begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// The ratings of each user.
    pub user_counts: Vec<u32>,
    /// The ratings of each item.
    pub item_counts: Vec<u32>,
    /// Σ c·r / Σ c; 0 where nothing counts.
    pub mean: f64,
    /// Σ c.
    pub weight: f64,
    /// The least and the greatest rating.
    pub scale: Option<(f32, f32)>,
}
