//! Ratings before any model: looking at them, splitting them, keeping them for later, making some up.

use std::fmt;
use std::path::Path;

use clap::Subcommand;

use super::output::Manner;
use crate::data::Dedupe;
use crate::{Error, Result};

pub mod check_split;
pub mod convert;
pub mod generate;
pub mod inspect;
pub mod schema;
pub mod split;
mod summary;
mod write;

/// Look at ratings, split them, cache them, make some up; show what features a model has
#[derive(Debug, Subcommand)]
pub enum Data {
    /// Show what a file of ratings holds, and what looks wrong with it
    Inspect(inspect::Inspect),
    /// Split a file of ratings into train.csv and test.csv
    Split(split::Split),
    /// Look for what a test set should not share with its training set
    CheckSplit(check_split::CheckSplit),
    /// Write a binary cache of a file of ratings, which every command reads at once
    Convert(convert::Convert),
    /// Show which features a model expects, what training saw of them, and a fingerprint
    Schema(schema::ShowSchema),
    /// Make up ratings with a known structure, to try things on
    Generate(generate::Generate),
}

impl Data {
    pub(super) fn run(self, manner: Manner) -> Result<()> {
        match self {
            Data::Inspect(command) => command.run(manner),
            Data::Split(command) => command.run(manner),
            Data::CheckSplit(command) => command.run(manner),
            Data::Convert(command) => command.run(manner),
            Data::Schema(command) => command.run(manner),
            Data::Generate(command) => command.run(manner),
        }
    }
}

/// Refuses to replace a file unless `force` is given. Asked before the work, so that it is not done in vain.
fn refuse_existing(path: &Path, force: bool) -> Result<()> {
    match path.exists() && !force {
        true => Err(Error::File {
            path: path.into(),
            got: "a file that exists".into(),
            wanted: "a new one, or --force".into(),
        }),
        false => Ok(()),
    }
}

/// What a policy did with several ratings of a pair, in words.
struct SettledBy(Dedupe);

impl fmt::Display for SettledBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Dedupe::Last => "the last rating counts",
            Dedupe::First => "the first rating counts",
            Dedupe::Mean => "their mean counts",
            Dedupe::Sum => "their sum counts",
            Dedupe::Max => "the greatest counts",
            Dedupe::Error => "which is an error",
        })
    }
}
