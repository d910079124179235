//! Judging: how far are predictions from ratings that training never saw, of which settings, which of two runs is better, and does a model still suit what it meets?

mod asked;
pub mod compare;
pub mod cv;
pub mod evaluate;
pub mod gate;
pub mod monitor;
pub mod tune;
