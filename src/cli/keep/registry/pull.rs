//! How does a version get out of a registry?

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Meant, said};
use crate::Result;
use crate::cli::output::{Format, Manner, counted};

/// Copy a version into a new run directory, and check it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    lowrank registry pull registry/movies@champion -o movies\n\n\
    Every file is hashed on the way and compared with the manifest; the folder is there when all of it is. Commands need no copy: they take registry/movies@champion for a model.\n\
    JSON: {\"registry\", \"name\", \"version\", \"run\"}")]
pub struct Pull {
    #[command(flatten)]
    meant: Meant,
    /// The run directory to make
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

#[derive(Serialize)]
struct Pulled<'a> {
    registry: String,
    name: &'a str,
    version: u64,
    run: String,
}

impl Pull {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let (registry, name, version) = self.meant.find()?;
        let files = registry.pull(&name, version, &self.output)?;
        let pulled = Pulled {
            registry: registry.root().display().to_string(),
            name: &name,
            version,
            run: self.output.display().to_string(),
        };
        manner.output(None, |out| match out.format() {
            Format::Json | Format::JsonLines => out.json(&pulled),
            _ => {
                let from = said(registry.root(), &name, version);
                let files = counted(files as u64, "file");
                out.text(&format!("{}: {files} of {from}\n", pulled.run))
            }
        })
    }
}
