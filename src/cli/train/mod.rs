//! From a file of ratings to a model: `train`, and `demo`, which does it on built-in data.

mod bytes;
pub mod command;
pub mod demo;
mod dry_run;
pub mod inputs;
mod pace;
pub mod progress;
pub mod record;
mod resolve;
pub mod settings;
