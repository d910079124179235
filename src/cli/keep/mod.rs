//! Keeping what was learnt: the embeddings, for other programs.

pub mod export;
