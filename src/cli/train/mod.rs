//! From a file of ratings to a model: `train`, `resume`, which goes on with one that was interrupted, `update`, which goes on with new ratings, and `demo`, which does it on built-in data.

mod checkpoints;
pub mod command;
pub mod demo;
mod dry_run;
pub mod inputs;
pub mod progress;
pub mod record;
mod resolve;
pub mod resume;
pub mod session;
pub mod settings;
mod start;
pub mod update;
