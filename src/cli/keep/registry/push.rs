//! How does a run get into a registry?

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::better::Better;
use super::{said, split_name};
use crate::artifact::registry::{Candidate, names};
use crate::cli::calendar;
use crate::cli::judge::gate::GateReport;
use crate::cli::output::{Format, Manner};
use crate::storage::Disk;
use crate::{Error, Result};

/// Make a run the next version of a model
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank registry push run --name movies\n  \
    lowrank registry push run --to shared/registry/movies --promote champion\n  \
    lowrank registry push run --name movies --promote champion --if-better --test test.csv --gate \"rmse <= champion + 0.002\"\n\n\
    The registry is a plain folder; it is made where it is not there. Versions are 1, 2, 3, …, and never change. The model is checked to its last byte before it is taken; a push that is\n\
    killed leaves nothing but what `gc` removes. Prints the version, which any command takes for a model.\n\
    Where a gate fails, nothing is pushed and the exit code is 3.\n\
    JSON: {\"registry\", \"name\", \"version\", \"alias\", \"was\"}, and with --if-better \"gates\" as `evaluate` has them")]
pub struct Push {
    /// The folder that `train -o` wrote
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Where to: REGISTRY/NAME, or REGISTRY with --name
    #[arg(long, value_name = "REGISTRY[/NAME]", default_value = super::USUAL)]
    to: PathBuf,
    /// What the model is called there
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Make this alias the new version
    #[arg(long, value_name = "ALIAS")]
    promote: Option<String>,
    #[command(flatten)]
    better: Better,
}

#[derive(Serialize)]
struct Pushed<'a> {
    registry: String,
    name: &'a str,
    /// `null` where a gate refused it.
    version: Option<u64>,
    alias: Option<&'a str>,
    /// What the alias was.
    was: Option<u64>,
    #[serde(skip_serializing_if = "GateReport::is_empty")]
    gates: &'a GateReport,
}

impl Push {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let (root, name) = match self.name {
            Some(name) => (self.to, name),
            None if self.to.parent().is_none_or(|to| to.as_os_str().is_empty()) => {
                let wanted = "what the model is called: --name movies, or --to registry/movies";
                return Err(Error::config("name", "none", wanted));
            }
            None => split_name(&self.to)?,
        };
        let alias = self.promote.as_deref();
        alias.map_or(Ok(()), names::check_alias)?;
        let candidate = Candidate::prepare(Disk, &root, &name, &self.run)?;
        // It is not in the registry yet, and goes when it is dropped.
        let registry = candidate.registry().clone();
        let model = candidate.model();
        let passed = self.better.check(&model, &registry, &name, alias, manner)?;
        let mut pushed = Pushed {
            registry: root.display().to_string(),
            name: &name,
            version: None,
            alias,
            was: None,
            gates: &passed.report,
        };
        if let Err(error) = passed.report.check() {
            let is_json = |format| matches!(format, Format::Json | Format::JsonLines);
            manner.output(None, |out| match is_json(out.format()) {
                true => out.json(&pushed),
                false => Ok(()),
            })?;
            return Err(error);
        }
        // Before there is a version: aliases that cannot be read could not be moved.
        registry.aliases(&name)?;
        let version = candidate.claim(calendar::now())?;
        pushed.version = Some(version);
        let moved = alias.map(|alias| {
            registry.promote_from(&name, version, alias, calendar::now(), passed.promoted_from)
        });
        // The version is there, whatever became of the alias.
        if let Some(Ok(moved)) = moved {
            pushed.was = moved.was;
        }
        manner.output(None, |out| match out.format() {
            Format::Json | Format::JsonLines => out.json(&pushed),
            _ => out.text(&format!("{}\n", said(&root, &name, version))),
        })?;
        if let Some(alias) = alias {
            moved.transpose()?;
            let alias = said(&root, &name, alias);
            manner.note(super::alias::sentence(&alias, version, pushed.was));
        }
        Ok(())
    }
}
