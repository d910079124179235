//! Chapter 11. How does a model leave the process that trained it, and come back?
//!
//! | file | question |
//! |---|---|
//! | [`model_file`] | how is a model stored, loaded whole or a few rows at a time, and checked? |
//!
//! [`Model::to_bytes`](crate::Model::to_bytes), [`from_bytes`](crate::Model::from_bytes), [`save`](crate::Model::save) and
//! [`load`](crate::Model::load) belong to the model and stand here, because their bytes do.

pub mod model_file;

pub use model_file::ModelFile;
