//! Judging a model: how far are its predictions from ratings that it never saw?

pub mod evaluate;
