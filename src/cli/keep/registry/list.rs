//! Which versions are there?

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::Result;
use crate::artifact::Registry;
use crate::artifact::registry::Aliases;
use crate::cli::calendar;
use crate::cli::keep::runs::record::main_figure;
use crate::cli::output::{Cell, Column, Manner, Set};

/// List the versions
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank registry list registry\n  \
    lowrank registry list registry --format json\n\n\
    The figure is the run's own on what was held out (RMSE, or NDCG of a model of an order); where nothing was, there is none. Times are UTC.\n\
    JSON, a version each: {\"name\", \"version\", \"aliases\", \"pushed\" (seconds since 1970), \"metric\", \"value\", \"bytes\"}")]
pub struct List {
    /// The registry
    #[arg(value_name = "REGISTRY", default_value = super::USUAL)]
    registry: PathBuf,
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    version: u64,
    aliases: &'a [String],
    pushed: u64,
    metric: Option<&'a str>,
    value: Option<f64>,
    bytes: u64,
}

const COLUMNS: [Column; 6] = [
    Column::new("name", Set::Left),
    Column::new("version", Set::Right),
    Column::new("aliases", Set::Left),
    Column::new("pushed", Set::Left),
    Column::new("held out", Set::Left),
    Column::new("bytes", Set::Right),
];

impl List {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let registry = Registry::open(self.registry)?;
        let names = registry.names()?;
        let mut damaged = Vec::new();
        manner.output(None, |out| {
            let mut listing = out.listing(&COLUMNS)?;
            for name in &names {
                let aliases = registry.aliases(name).unwrap_or_else(|error| {
                    damaged.push(error);
                    Aliases::default()
                });
                for number in registry.versions(name)? {
                    let version = match registry.version(name, number) {
                        // Removed in the meantime.
                        Err(_) if !registry.folder(name, number).exists() => continue,
                        Err(error) => {
                            damaged.push(error);
                            continue;
                        }
                        Ok(version) => version,
                    };
                    let aliases: Vec<String> = aliases.of(number).map(str::to_owned).collect();
                    let figure = main_figure(&version.record["result"]["valid"]);
                    let line = Line {
                        name,
                        version: number,
                        aliases: &aliases,
                        pushed: version.about.pushed,
                        metric: figure.map(|(metric, _)| metric),
                        value: figure.map(|(_, value)| value),
                        bytes: version.bytes(),
                    };
                    let held_out = figure.map(|(metric, value)| format!("{metric} {value:.4}"));
                    let cells = [
                        Cell::Text(name),
                        Cell::Count(number),
                        Cell::List(&aliases),
                        Cell::Text(&calendar::minute(line.pushed)),
                        Cell::Text(held_out.as_deref().unwrap_or_default()),
                        Cell::Count(line.bytes),
                    ];
                    listing.row(&line, &cells)?;
                }
            }
            listing.finish()
        })?;
        // The rest is told all the same.
        for error in &damaged {
            manner.note(format_args!("damaged: {error}"));
        }
        if let Some(error) = damaged.pop() {
            return Err(error);
        }
        if names.is_empty() {
            manner.note("note: nothing was pushed yet");
        }
        Ok(())
    }
}
