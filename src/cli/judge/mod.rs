//! Judging: how far are predictions from ratings that training never saw, of which settings, and which of two runs is better?

mod asked;
pub mod compare;
pub mod cv;
pub mod evaluate;
pub mod gate;
pub mod tune;
