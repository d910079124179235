//! `runs`: what was trained here, how did it come out, and is it still so?

use clap::Subcommand;

use crate::Result;
use crate::cli::judge::compare::Compare;
use crate::cli::output::Manner;

mod list;
pub mod record;
mod show;
mod verify;

/// Look at what was trained: list runs, show one, compare two, train one again
#[derive(Debug, Subcommand)]
pub enum Runs {
    /// List the runs in a folder
    List(list::List),
    /// Show what a run was made of and how it came out
    Show(show::Show),
    /// Say what differs between two runs, and which is better, as `lowrank compare` does
    Compare(Compare),
    /// Check a run's inputs, train it again, and see whether the model has the same bytes
    Verify(Box<verify::Verify>),
}

impl Runs {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        match self {
            Runs::List(command) => command.run(manner),
            Runs::Show(command) => command.run(manner),
            Runs::Compare(command) => command.run(manner),
            Runs::Verify(command) => command.run(manner),
        }
    }
}
