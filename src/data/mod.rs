//! Chapter 1. What is a rating, and how does it get here?
//!
//! A rating is a user, an item and a number. Files say it with any strings for names ([`ids`]); training wants dense row numbers and
//! flat columns ([`interactions`]). Beside ratings stand titles and features ([`catalog`]).
//!
//! | file | question |
//! |---|---|
//! | [`ids`] | how does a name become a row number, and back? |
//! | [`interner`] | how are names numbered while a file is read? |
//! | [`csr`] | how is a sparse matrix held? |
//! | [`catalog`] | what is known of users and items beside their ratings? |
//! | [`side_table`] | what does a file say of users or items, before anybody asks which of them a model has? |
//! | [`interactions`] | what is a rating? |
//! | [`dataset`] | what does a training start from? |
//! | [`reader`] | how is a text file read, and what is wrong with it? |
//! | [`dedupe`] | what if a user rated an item twice? |
//! | [`cache`] | how are ratings kept so that they are read back at the speed of memory? |
//! | `rows` | how do ratings from memory come in? |
//! | `assemble` | how do ratings, names and side files become one data set? |
//! | [`builder`] | how do files become a data set? |
//! | [`split`] | which ratings are held out? |
//! | [`synthetic`] | where do ratings with a known truth come from? |
//! | [`builtin`] | which ratings come with the crate? |
//! | [`layout`] | in which order does training visit ratings? |
//!
//! What a model makes of them is chapter 2's.

pub mod catalog;
pub mod csr;
pub mod ids;
//
pub mod interner;
//
pub mod side_table;
//
pub mod interactions;
//
#[cfg(feature = "train")]
pub mod dataset;
#[cfg(feature = "train")]
pub mod reader;
//
#[cfg(feature = "train")]
pub mod dedupe;
//
#[cfg(feature = "train")]
pub mod cache;
//
#[cfg(feature = "train")]
mod assemble;
#[cfg(feature = "train")]
pub mod builder;
#[cfg(feature = "train")]
mod rows;
#[cfg(feature = "train")]
pub mod split;
#[cfg(feature = "train")]
pub mod synthetic;
//
#[cfg(feature = "train")]
pub mod builtin;
#[cfg(feature = "train")]
pub mod layout;

#[cfg(feature = "train")]
pub use builder::{DatasetBuilder, LoadReport};
#[cfg(feature = "train")]
pub use cache::{CacheSource, RatingsCache, Stamp};
pub use catalog::{Catalog, Column};
pub use csr::Csr;
#[cfg(feature = "train")]
pub use dataset::{Dataset, SideData};
#[cfg(feature = "train")]
pub use dedupe::{Dedupe, Duplicates};
pub use ids::{Ids, Strings};
pub use interactions::Interactions;
pub use interner::Interner;
pub use side_table::SideTable;
#[cfg(feature = "train")]
pub use split::{FoldRule, Folds, Halves, Split};
