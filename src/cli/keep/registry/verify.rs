//! Is everything in a registry as it was pushed?

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::artifact::Registry;
use crate::cli::output::{Format, Manner, counted};
use crate::cli::table;
use crate::{Error, Result};

/// Check every file of every version
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    lowrank registry verify registry\n\n\
    Hashes every file, reads every model to its last byte, and looks whether aliases are versions. Prints what is wrong, a line each, and ends with code 1 then.\n\
    `sha256sum -c SHA256SUMS` in a version's folder checks its files without lowrank.\n\
    JSON: {\"names\", \"versions\", \"files\", \"problems\"}")]
pub struct Verify {
    /// The registry
    #[arg(value_name = "REGISTRY", default_value = super::USUAL)]
    registry: PathBuf,
}

#[derive(Serialize)]
struct Verified<'a> {
    names: usize,
    versions: usize,
    files: usize,
    problems: &'a [String],
}

impl Verify {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let registry = Registry::open(&self.registry)?;
        let report = registry.verify()?;
        let problems = &report.problems;
        let verified = Verified {
            names: report.names,
            versions: report.versions,
            files: report.files,
            problems,
        };
        manner.output(None, |out| match out.format() {
            Format::Json | Format::JsonLines => out.json(&verified),
            _ if problems.is_empty() => out.text(&format!(
                "{}: {} of {}, {}, nothing wrong\n",
                self.registry.display(),
                counted(report.versions as u64, "version"),
                counted(report.names as u64, "model"),
                counted(report.files as u64, "file"),
            )),
            _ => problems
                .iter()
                .try_for_each(|problem| out.text(&format!("{}\n", table::safe(problem)))),
        })?;
        match problems.len() {
            0 => Ok(()),
            n => Err(Error::File {
                path: self.registry,
                got: counted(n as u64, "problem"),
                wanted: "none".into(),
            }),
        }
    }
}
