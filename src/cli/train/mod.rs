//! From a file of ratings to a model: `train`, and `demo`, which does it on built-in data.

pub mod command;
pub mod demo;
pub mod inputs;
pub mod progress;
pub mod record;
mod resolve;
pub mod settings;
