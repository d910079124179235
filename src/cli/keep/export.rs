//! How do other programs get the embeddings?

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::Result;
use crate::artifact::export::{self, Which};
use crate::cli::given::ModelArgument;
use crate::cli::output::{Manner, counted};
use crate::storage::Disk;

/// Write the embeddings as files that other programs read
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank export run --to npy embeddings\n  \
    lowrank export run --to csv embeddings --composed\n\n\
    npy: numpy arrays beside text files of ids. safetensors: one file beside text files of ids.\n\
    csv: one file a table, the id first. `lowrank train --init DIR` reads the npy files back.")]
pub struct Export {
    #[command(flatten)]
    model: ModelArgument,
    /// The kind of files
    #[arg(long, value_enum, value_name = "KIND")]
    to: Kind,
    /// The folder to write to; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write users and items with their features added in, instead of each table by itself
    #[arg(long)]
    composed: bool,
    /// Write into a folder that is not empty; files of the same names are replaced
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// numpy arrays and text files of ids
    Npy,
    /// One safetensors file and text files of ids
    Safetensors,
    /// One CSV file a table
    Csv,
}

impl Export {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let model = self.model.load()?;
        let which = match self.composed {
            true => Which::Composed,
            false => Which::Tables,
        };
        let export = export::Export::to(&Disk, &self.folder, self.force)?;
        let written = match self.to {
            Kind::Npy => export.npy(&model, which),
            Kind::Safetensors => export.safetensors(&model, which),
            Kind::Csv => export.csv(&model, which),
        }?;
        manner.note(format_args!(
            "{}: {} written",
            self.folder.display(),
            counted(written.len() as u64, "file")
        ));
        Ok(())
    }
}
