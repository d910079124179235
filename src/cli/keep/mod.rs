//! Keeping what was learnt: the embeddings, for other programs, and the records of runs.

pub mod export;
pub mod runs;
