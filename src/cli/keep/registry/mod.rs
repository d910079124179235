//! Versions of models: which there are, which is in use, and which was before.
//!
//! Every command says a version as `REGISTRY/NAME`, `REGISTRY/NAME@ALIAS` or `REGISTRY/NAME@7`, as a MODEL argument anywhere does. Where no folder is said, it is `registry`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::artifact::Registry;
use crate::artifact::registry::{Reference, Which, names};
use crate::cli::output::Manner;
use crate::{Error, Result};

pub mod alias;
mod better;
pub mod gc;
pub mod list;
pub mod pull;
pub mod push;
pub mod show;
pub mod verify;

/// Keep versions of models, and say which is in use
#[derive(Debug, Subcommand)]
pub enum Commands {
    /// Make a run the next version of a model
    Push(push::Push),
    /// List the versions
    List(list::List),
    /// Show a version: its figures, aliases, files, and where it came from
    Show(show::Show),
    /// Make an alias a version
    Promote(alias::Promote),
    /// Make an alias the version that it was before
    Rollback(alias::Rollback),
    /// Remove old versions that no alias needs, and what killed pushes left
    Gc(gc::Gc),
    /// Copy a version into a new run directory, and check it
    Pull(pull::Pull),
    /// Check every file of every version
    Verify(verify::Verify),
}

impl Commands {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        match self {
            Commands::Push(command) => command.run(manner),
            Commands::List(command) => command.run(manner),
            Commands::Show(command) => command.run(manner),
            Commands::Promote(command) => command.run(manner),
            Commands::Rollback(command) => command.run(manner),
            Commands::Gc(command) => command.run(manner),
            Commands::Pull(command) => command.run(manner),
            Commands::Verify(command) => command.run(manner),
        }
    }
}

/// The folder that is meant where none is said.
const USUAL: &str = "registry";

/// A version in a registry.
#[derive(Debug, Args)]
struct Meant {
    /// The newest version, or @ALIAS, or @NUMBER; without a folder, in `registry`
    #[arg(value_name = "[REGISTRY/]NAME[@WHICH]")]
    version: PathBuf,
}

impl Meant {
    /// The registry, the name and the number.
    fn find(&self) -> Result<(Registry, String, u64)> {
        let (root, reference) = split(&self.version)?;
        let registry = Registry::open(root)?;
        let version = registry.resolve(&reference)?;
        Ok((registry, reference.name, version))
    }
}

/// The registry and what of it is meant.
fn split(path: &Path) -> Result<(PathBuf, Reference)> {
    let Some((root, reference)) = names::split(path) else {
        let wanted = "REGISTRY/NAME, REGISTRY/NAME@ALIAS or REGISTRY/NAME@NUMBER";
        return Err(Error::config("version", path.display(), wanted));
    };
    let is_bare = path.parent().is_none_or(|root| root.as_os_str().is_empty());
    let root = if is_bare { USUAL.into() } else { root };
    Ok((root, reference?))
}

/// The registry and the name, where no version is to be said.
fn split_name(path: &Path) -> Result<(PathBuf, String)> {
    match split(path)? {
        (
            root,
            Reference {
                name,
                which: Which::Newest,
            },
        ) => Ok((root, name)),
        _ => {
            let wanted = "REGISTRY/NAME, without a version";
            Err(Error::config("name", path.display(), wanted))
        }
    }
}

/// `registry/movies@8`, as any command takes it.
fn said(root: &Path, name: &str, which: impl std::fmt::Display) -> String {
    format!("{}@{which}", root.join(name).display())
}
