//! Chapter 7. How do the tables come to fit the ratings?
//!
//! ```text
//! draw the tables                                        initial
//! for each epoch:                                        trainer
//!     for each batch (all ratings, or some):             batches
//!         gradient of J over the batch                   chapter 5
//!         one step of the optimizer                      chapter 6
//!     error on held-out ratings; stop, or go on          validation
//! collapse the tables into a model                       collapse
//! ```
//!
//! | file | question |
//! |---|---|
//! | [`config`] | which knobs are there, and what may they be? |
//! | [`groups`] | what becomes a feature? |
//! | `initial` | where do the tables start? |
//! | `strata` | how does it go block by block? |
//! | `places` | how do tables come into block order, and back? |
//! | `batches` | which examples does a step see? |
//! | `setup` | what stands ready before the first step? |
//! | [`state`] | what must be known to go on from an epoch? |
//! | [`trainer`] | in which order is all of it done? |
//! | [`als`] | how are the rows of one side found at once, the other side held fixed? |
//! | `validation` | how wrong are the tables on ratings that they were not trained on? |
//! | `collapse` | what is left of the tables when training is over? |
//! | [`observer`] | how does one watch, and stop it? |
//!
//! There are no files here and no clock: those who watch keep the time.

pub mod als;
mod batches;
mod collapse;
pub mod config;
pub mod groups;
mod initial;
pub mod observer;
mod places;
mod setup;
pub mod state;
mod strata;
pub mod trainer;
mod validation;

pub use als::Als;
pub use config::{
    Batch, Checked, ClipRule, Columns, Config, Count, Feature, FeatureKind, Implicit, Keep,
    KernelChoice, Method, Monitor, PerTable, Preset, Sampling, Strength,
};
pub use observer::{Event, Observer};
pub use state::State;
pub use trainer::{Ending, Finish, Keeping, Trainer};
