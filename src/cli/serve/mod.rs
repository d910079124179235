//! Asking a model: what would a user think of an item, and which items should a user see?

pub mod predict;
pub mod recommend;
