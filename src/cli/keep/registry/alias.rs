//! Which version is in use, and how is the one before brought back?

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{Meant, said, split_name};
use crate::Result;
use crate::artifact::Registry;
use crate::artifact::registry::Moved;
use crate::cli::calendar;
use crate::cli::output::{Format, Manner};

/// Make an alias a version
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank registry promote registry/movies@7 champion\n  \
    lowrank registry promote registry/movies@challenger champion\n\n\
    The alias changes in one step: who asks for REGISTRY/NAME@ALIAS gets the old version or the new one. It remembers the ten versions that it was before, for `rollback`.\n\
    JSON: {\"registry\", \"name\", \"alias\", \"version\", \"was\"}")]
pub struct Promote {
    #[command(flatten)]
    meant: Meant,
    /// The alias: champion, production, …
    #[arg(value_name = "ALIAS")]
    alias: String,
}

/// Make an alias the version that it was before
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    lowrank registry rollback registry/movies champion\n\n\
    Once more goes one further back.\n\
    JSON: {\"registry\", \"name\", \"alias\", \"version\", \"was\"}")]
pub struct Rollback {
    /// The model
    #[arg(value_name = "REGISTRY/NAME")]
    model: PathBuf,
    /// The alias
    #[arg(value_name = "ALIAS")]
    alias: String,
}

#[derive(Serialize)]
struct Line<'a> {
    registry: String,
    name: &'a str,
    alias: &'a str,
    version: u64,
    was: Option<u64>,
}

impl Promote {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let (registry, name, version) = self.meant.find()?;
        let moved = registry.promote(&name, version, &self.alias, calendar::now())?;
        print(registry.root(), &name, &self.alias, moved, manner)
    }
}

impl Rollback {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let (root, name) = split_name(&self.model)?;
        let registry = Registry::open(root)?;
        let moved = registry.rollback(&name, &self.alias)?;
        print(registry.root(), &name, &self.alias, moved, manner)
    }
}

fn print(root: &Path, name: &str, alias: &str, moved: Moved, manner: Manner) -> Result<()> {
    let line = Line {
        registry: root.display().to_string(),
        name,
        alias,
        version: moved.is,
        was: moved.was,
    };
    manner.output(None, |out| match out.format() {
        Format::Json | Format::JsonLines => out.json(&line),
        _ => {
            let sentence = sentence(&said(root, name, alias), moved.is, moved.was);
            out.text(&format!("{sentence}\n"))
        }
    })
}

/// What an alias is and was.
pub(super) fn sentence(alias: &str, version: u64, was: Option<u64>) -> String {
    match was {
        None => format!("{alias} is version {version}"),
        Some(was) if was == version => format!("{alias} is version {version}, as before"),
        Some(was) => format!("{alias} is version {version}, was {was}"),
    }
}
