//! Asking a model: what would a user think of an item, and which items should a user see?

mod lists;
pub mod predict;
pub mod recommend;
