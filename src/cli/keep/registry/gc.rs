//! What is no longer needed?

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::Result;
use crate::artifact::Registry;
use crate::cli::output::{Cell, Column, Manner, Set, counted, grouped};

/// Remove old versions that no alias needs, and what killed pushes left
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank registry gc registry --dry-run\n  \
    lowrank registry gc registry --keep 2\n\n\
    Stays: of every name the newest versions; what an alias is; what `rollback` could make it (ten versions back). What is being pushed is locked, and stays too. Numbers are never given twice.\n\
    JSON, a thing each: {\"path\", \"name\", \"version\", \"bytes\"}; a leftover has no version")]
pub struct Gc {
    /// The registry
    #[arg(value_name = "REGISTRY", default_value = super::USUAL)]
    registry: PathBuf,
    /// So many of the newest versions of each name stay
    #[arg(long, value_name = "N", default_value_t = 5)]
    keep: usize,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    name: Option<&'a str>,
    version: Option<u64>,
    bytes: u64,
}

impl Gc {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let registry = Registry::open(self.registry)?;
        let removed = registry.collect(self.keep, self.dry_run)?;
        let columns = [
            Column::new("path", Set::Left),
            Column::new("what", Set::Left),
            Column::new("bytes", Set::Right),
        ];
        manner.output(None, |out| {
            let mut listing = out.listing(&columns)?;
            for thing in &removed {
                let line = Line {
                    path: &thing.path,
                    name: thing.name.as_deref(),
                    version: thing.version,
                    bytes: thing.bytes,
                };
                let what = match thing.version {
                    Some(_) => "version",
                    None => "leftover",
                };
                let bytes = Cell::Count(thing.bytes);
                let cells = [Cell::Text(&thing.path), Cell::Text(what), bytes];
                listing.row(&line, &cells)?;
            }
            listing.finish()
        })?;
        let versions = removed.iter().filter(|thing| thing.version.is_some());
        let versions = versions.count();
        let bytes: u64 = removed.iter().map(|thing| thing.bytes).sum();
        let leftovers = counted((removed.len() - versions) as u64, "leftover");
        manner.note(format_args!(
            "{} and {leftovers}, {} bytes, {}",
            counted(versions as u64, "version"),
            grouped(bytes),
            if self.dry_run {
                "would be removed"
            } else {
                "removed"
            }
        ));
        Ok(())
    }
}
