//! What was a run made of, and how did it come out?
//!
//! The record, for people: of the configuration what differs from the defaults of its preset and method.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

use super::record::{self, at};
use crate::Result;
use crate::artifact::RunDirectory;
use crate::cli::calendar;
use crate::cli::output::{Cell, Column, Format, Manner, Set, counted, grouped};
use crate::cli::sources::InputFile;
use crate::cli::train::settings::Settings;

/// Show what a run was made of and how it came out
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank runs show run\n  \
    lowrank runs show run --format json\n\n\
    Inputs with their SHA-256 (`sha256sum` prints the same), what of the configuration differs from the defaults of its preset and method,\n\
    counts, times, and the result beside the baselines. JSON is run.json.")]
pub struct Show {
    /// The folder that `train -o` wrote
    run: PathBuf,
}

const COLUMNS: [Column; 2] = [
    Column::new("what", Set::Left),
    Column::new("value", Set::Left),
];

impl Show {
    pub(super) fn run(self, manner: Manner) -> Result<()> {
        let run = RunDirectory::open(&self.run)?;
        let record = record::read(&run)?;
        manner.output(None, |out| {
            if matches!(out.format(), Format::Json | Format::JsonLines) {
                return out.json(&record);
            }
            let mut listing = out.listing(&COLUMNS)?;
            for (what, value) in lines(&record) {
                listing.row(&(), &[Cell::Text(&what), Cell::Text(&value)])?;
            }
            listing.finish()
        })
    }
}

/// What is shown.
fn lines(record: &Value) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut line = |what: &str, value: String| {
        if !value.is_empty() {
            lines.push((what.to_owned(), value));
        }
    };
    let started = record["started"].as_u64();
    line(
        "trained",
        started.map_or(String::new(), |at| format!("{} UTC", calendar::minute(at))),
    );
    line("by version", said(&record["version"]));
    for input in record["inputs"].as_array().into_iter().flatten() {
        let Ok(input) = serde_json::from_value::<InputFile>(input.clone()) else {
            continue;
        };
        let bytes = input
            .bytes()
            .map_or("a pipe".into(), |n| counted(n, "byte"));
        line(input.role(), format!("{}, {bytes}", input.path()));
        line("  sha256", input.sha256().unwrap_or_default().to_owned());
    }
    let counts = &record["counts"];
    for (key, what) in [
        ("users", "users"),
        ("items", "items"),
        ("train", "ratings trained on"),
        ("valid", "ratings held out"),
        ("duplicates", "duplicates settled"),
        ("parameters", "parameters"),
    ] {
        let n = counts[key].as_u64().filter(|&n| n > 0);
        line(what, n.map_or(String::new(), grouped));
    }
    for side in ["users", "items"] {
        let names = record["features"][side].as_array().into_iter().flatten();
        let names: Vec<&str> = names.filter_map(Value::as_str).collect();
        line(&format!("features of {side}"), names.join(", "));
    }
    for text in record["recipe"].as_array().into_iter().flatten() {
        line("recipe", said(text));
    }
    for (key, value) in unusual(&record["config"]) {
        line(&format!("config {key}"), said(&value));
    }
    let seconds = |key: &str| at(record, &["times", key]).as_f64();
    for (key, what) in [
        ("read", "reading"),
        ("train", "training"),
        ("total", "in all"),
    ] {
        let text = seconds(key).map_or(String::new(), |seconds| format!("{seconds:.1} s"));
        line(what, text);
    }
    let machine = &record["machine"];
    if let (Some(kernel), Some(threads)) = (machine["kernel"].as_str(), machine["threads"].as_u64())
    {
        line(
            "on",
            format!("{}, {kernel} kernel", counted(threads, "thread")),
        );
    }
    let result = &record["result"];
    let kept = result["kept_epoch"].as_u64().unwrap_or_default();
    let epochs = result["epochs"].as_u64().map(|n| counted(n, "epoch"));
    line(
        "ending",
        epochs.map_or(String::new(), |epochs| {
            format!(
                "{} after {epochs}, kept epoch {kept}",
                said(&result["ending"])
            )
        }),
    );
    line("held-out ratings", figures(&result["valid"]));
    for (name, of) in result["baselines"].as_object().into_iter().flatten() {
        line(&format!("  {name}"), figures(of));
    }
    lines
}

/// `RMSE 0.9181  MAE 0.7416`
fn figures(of: &Value) -> String {
    let figure = |(name, value): (&String, &Value)| {
        Some(format!("{} {:.4}", name.to_uppercase(), value.as_f64()?))
    };
    let mut all: Vec<String> = of
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(figure)
        .collect();
    // The main one first.
    all.sort_by_key(|text| !(text.starts_with("RMSE") || text.starts_with("NDCG")));
    all.join("  ")
}

/// A value as a flag would have it.
fn said(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(said).collect::<Vec<String>>().join(" "),
        other => other.to_string(),
    }
}

/// What differs from the defaults of its preset and method; everything, where this program does not know them. The preset and the method are shown in any case.
fn unusual(config: &Value) -> Map<String, Value> {
    let Some(all) = config.as_object() else {
        return Map::new();
    };
    let settings = serde_json::from_value::<Settings>(config.clone()).ok();
    let defaults = settings.and_then(|settings| defaults(&settings).ok());
    let defaults = defaults
        .and_then(|of| serde_json::to_value(of).ok())
        .unwrap_or_default();
    let always = ["preset", "bayes", "average", "ensemble", "als", "seed"];
    let differs = |(key, value): &(&String, &Value)| {
        always.contains(&key.as_str()) || defaults.get(key.as_str()) != Some(*value)
    };
    let differing = all.iter().filter(differs);
    differing
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// What these settings, resolved, would be if nothing but the preset and the method had been asked for.
///
/// # Errors
/// Where they are none that this program resolves.
fn defaults(settings: &Settings) -> Result<Settings> {
    let asked = Settings {
        preset: settings.preset.clone(),
        bayes: settings.bayes,
        average: settings.average,
        ensemble: settings.ensemble,
        als: settings.als,
        ..Settings::default()
    };
    let checked = asked.config()?.check()?;
    let mut defaults = asked.resolved(checked.config(), checked.optimizer().kind);
    // What a training makes of it as long as nothing speaks for blocks.
    if defaults.batch.as_deref() == Some("auto") {
        defaults.batch = Some("full".into());
    }
    Ok(defaults)
}
