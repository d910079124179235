//! Keeping what was learnt: the embeddings, for other programs; versions of models, for whoever uses them.

pub mod export;
pub mod registry;
