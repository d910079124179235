//! Keeping what was learnt: the embeddings, for other programs; versions of models, for whoever uses them; the records of runs.

pub mod export;
pub mod registry;
pub mod runs;
