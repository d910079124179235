//! Ratings before any model: looking at them, splitting them, making some up.

use clap::Subcommand;

use super::output::Manner;
use crate::Result;

pub mod generate;
pub mod inspect;
pub mod split;
mod summary;
mod write;

/// Look at ratings, split them, or make some up
#[derive(Debug, Subcommand)]
pub enum Data {
    /// Show what a file of ratings holds, and what looks wrong with it
    Inspect(inspect::Inspect),
    /// Split a file of ratings into train.csv and test.csv
    Split(split::Split),
    /// Make up ratings with a known structure, to try things on
    Generate(generate::Generate),
}

impl Data {
    pub(super) fn run(self, manner: Manner) -> Result<()> {
        match self {
            Data::Inspect(command) => command.run(manner),
            Data::Split(command) => command.run(manner),
            Data::Generate(command) => command.run(manner),
        }
    }
}
