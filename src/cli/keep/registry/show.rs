//! What is a version, and where did it come from?

use std::fmt::Write;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::{Meant, said};
use crate::Result;
use crate::artifact::registry::about::File;
use crate::artifact::registry::{Aliases, Version};
use crate::cli::output::{Format, Manner, grouped};
use crate::cli::sources::InputFile;
use crate::cli::{calendar, table};

/// Show a version: its figures, aliases, files, and where it came from
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank registry show registry/movies@champion\n  \
    lowrank registry show registry/movies --format json\n\n\
    JSON: {\"name\", \"version\", \"aliases\": [{\"alias\", \"since\", \"before\"}], \"pushed\", \"run\", \"lowrank\", \"files\": [{\"name\", \"bytes\", \"sha256\"}], and of run.json \"inputs\", \"counts\", \"result\"};\n\
    times are seconds since 1970. For people, README.md in the version's folder says more.")]
pub struct Show {
    #[command(flatten)]
    meant: Meant,
}

/// An alias of the version.
#[derive(Serialize)]
struct Alias<'a> {
    alias: &'a str,
    since: u64,
    /// What it was before, the latest first.
    before: Vec<u64>,
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    version: u64,
    aliases: Vec<Alias<'a>>,
    pushed: u64,
    run: &'a str,
    lowrank: &'a str,
    files: &'a [File],
    inputs: &'a Value,
    counts: &'a Value,
    result: &'a Value,
}

impl Show {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let (registry, name, number) = self.meant.find()?;
        let (aliases, version) = (registry.aliases(&name)?, registry.version(&name, number)?);
        let about = &version.about;
        let shown = Shown {
            name: &name,
            version: number,
            aliases: aliases_of(&aliases, number),
            pushed: about.pushed,
            run: &about.run,
            lowrank: &about.lowrank,
            files: &version.files,
            inputs: &version.record["inputs"],
            counts: &version.record["counts"],
            result: &version.record["result"],
        };
        manner.output(None, |out| match out.format() {
            Format::Json | Format::JsonLines => out.json(&shown),
            _ => out.text(&text(
                &said(registry.root(), &name, number),
                &shown,
                &version,
            )),
        })
    }
}

fn aliases_of(aliases: &Aliases, version: u64) -> Vec<Alias<'_>> {
    let alias = |alias| {
        let (last, before) = aliases.moves(alias).split_last()?;
        let before = before.iter().rev().map(|at| at.version).collect();
        let since = last.since;
        Some(Alias {
            alias,
            since,
            before,
        })
    };
    aliases.of(version).filter_map(alias).collect()
}

fn text(title: &str, shown: &Shown<'_>, version: &Version) -> String {
    let mut text = format!("{}\n", table::safe(title));
    let mut line = |what: &str, value: &str| {
        let _ = writeln!(text, "{what:<11}{}", table::safe(value));
    };
    for alias in &shown.aliases {
        let before: Vec<String> = alias.before.iter().map(u64::to_string).collect();
        let before = match before.is_empty() {
            true => String::new(),
            false => format!(", before: {}", before.join(", ")),
        };
        let since = calendar::minute(alias.since);
        line("alias", &format!("{} since {since}{before}", alias.alias));
    }
    let pushed = calendar::minute(shown.pushed);
    let from = format!("{pushed} from {}, by lowrank {}", shown.run, shown.lowrank);
    line("pushed", &from);
    let inputs: Vec<InputFile> = serde_json::from_value(shown.inputs.clone()).unwrap_or_default();
    for input in &inputs {
        let sha256 = input.sha256().unwrap_or("unknown: it came from a pipe");
        line(input.role(), &format!("SHA-256 {sha256}"));
    }
    let counts = shown.counts.as_object().into_iter().flatten();
    let counts: Vec<String> = counts
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    line("counts", &counts.join(", "));
    let figures = version.figures();
    let figures: Vec<String> = figures
        .iter()
        .map(|(metric, value)| format!("{metric} {value:.4}"))
        .collect();
    let held_out = match figures.is_empty() {
        true => "nothing".into(),
        false => figures.join(", "),
    };
    line("held out", &held_out);
    for File {
        name,
        bytes,
        sha256,
    } in shown.files
    {
        let _ = writeln!(text, "{sha256}  {name}  {} bytes", grouped(*bytes));
    }
    text
}
