//! A model small enough to check on paper, and what composing makes of its rows.

pub(crate) mod example;

mod compose;
