//! Asking a model: what would a user think of an item, which items should a user see, and which are alike?

mod history;
mod lists;
mod meaning;
pub mod predict;
pub mod recommend;
pub mod similar;
mod stdin;
