//! From a file of ratings to a model: `train`, and `demo`, which does it on built-in data.

pub mod command;
pub mod demo;
mod inputs;
mod progress;
mod record;
mod resolve;
pub mod settings;
