//! Chapter 11. How does a model leave the process that trained it, and come back?
//!
//! | file | question |
//! |---|---|
//! | [`model_file`] | how is a model stored, loaded whole or a few rows at a time, and checked? |
//! | [`checkpoint`] | how is a training put down, so that it goes on as if nothing had happened? |
//! | [`export`] | how do other programs get the tables? |
//! | [`init`] | how do tables from elsewhere become the start of a training? |
//! | [`run_directory`] | what does a training leave behind, and where? |
//! | `registry` | how are versions of models kept, found again, and told which is in use? |
//!
//! [`Model::to_bytes`](crate::Model::to_bytes), [`from_bytes`](crate::Model::from_bytes), [`save`](crate::Model::save) and
//! [`load`](crate::Model::load) belong to the model and stand here, because their bytes do.

#[cfg(feature = "train")]
pub mod checkpoint;
#[cfg(feature = "train")]
pub mod export;
#[cfg(feature = "train")]
pub mod init;
pub mod model_file;
#[cfg(feature = "cli")]
pub mod registry;
#[cfg(feature = "train")]
pub mod run_directory;

#[cfg(feature = "train")]
pub use checkpoint::Checkpoint;
#[cfg(feature = "train")]
pub use init::{InitTable, InitTables};
pub use model_file::ModelFile;
#[cfg(feature = "cli")]
pub use registry::Registry;
#[cfg(feature = "train")]
pub use run_directory::{RunDirectory, resolve_model};
