//! Which runs are in a folder?
//!
//! A run is a folder that holds a record, a checkpoint, a model, or a configuration with metrics. One that is damaged has a line that says so: it hides no other.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::record::{self, at, main_figure};
use crate::artifact::RunDirectory;
use crate::cli::output::{Cell, Column, Format, Manner, Set};
use crate::cli::sources::InputFile;
use crate::cli::table::safe;
use crate::{Error, Result};

/// List the runs in a folder
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank runs list\n  \
    lowrank runs list experiments --recursive --format json\n\n\
    JSON: an array of {\"run\", \"ending\", \"epochs\", \"valid\", \"factors\", \"data\", \"seconds\", \"started\", \"model\"}, and \"resume\" or \"note\" where there is\n\
    something to do or to know. ending is completed, patience or diverged; unfinished, damaged, or no record. data is the SHA-256 of the ratings.")]
pub struct List {
    /// The folder
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Look into folders of folders too
    #[arg(long)]
    recursive: bool,
}

/// What is shown of a run.
#[derive(Debug, Default, Serialize)]
struct Row {
    run: String,
    ending: String,
    epochs: Option<u64>,
    /// The figures on what was held out.
    valid: Value,
    factors: Option<u64>,
    /// The SHA-256 of the ratings.
    data: Option<String>,
    seconds: Option<f64>,
    started: Option<u64>,
    /// Whether there is a model.
    model: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

const COLUMNS: [Column; 9] = [
    Column::new("run", Set::Left),
    Column::new("ending", Set::Left),
    Column::new("epochs", Set::Right),
    Column::new("held out", Set::Left),
    Column::new("figure", Set::Right),
    Column::new("factors", Set::Right),
    Column::new("data", Set::Left),
    Column::new("seconds", Set::Right),
    Column::new("note", Set::Left),
];

impl List {
    pub(super) fn run(self, manner: Manner) -> Result<()> {
        let rows: Vec<Row> = self
            .runs(manner)?
            .iter()
            .map(|path| Row::of(path))
            .collect();
        if rows.is_empty() {
            let folder = self.folder.display().to_string();
            let further = if self.recursive {
                ""
            } else {
                "; --recursive looks deeper"
            };
            manner.note(format_args!("no run in {}{further}", safe(&folder)));
        }
        manner.output(None, |out| {
            // In a table nobody wants a column of nothing.
            let noted = rows.iter().any(|row| row.remark().is_some());
            let n = if noted || out.format() != Format::Table {
                9
            } else {
                8
            };
            let mut listing = out.listing(&COLUMNS[..n])?;
            for row in &rows {
                row.write(&mut |cells| listing.row(row, &cells[..n]))?;
            }
            listing.finish()
        })
    }

    /// The runs, by name. The folder itself may be one.
    fn runs(&self, manner: Manner) -> Result<Vec<PathBuf>> {
        let mut runs = Vec::new();
        let mut left = vec![(self.folder.clone(), 0)];
        while let Some((folder, depth)) = left.pop() {
            if is_run(&folder) {
                runs.push(folder.clone());
            }
            if depth > 0 && !self.recursive {
                continue;
            }
            match subfolders(&folder) {
                Ok(more) => left.extend(more.into_iter().map(|path| (path, depth + 1))),
                Err(error) if depth == 0 => return Err(error),
                Err(error) => manner.note(safe(&format!("note: {error}"))),
            }
        }
        runs.sort();
        Ok(runs)
    }
}

/// The folders in a folder. Links are not followed: they may lead back.
fn subfolders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder, "read"))? {
        let entry = entry.map_err(Error::io(folder, "read"))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let path = entry.path();
            // `./run` is called `run`.
            found.push(
                path.strip_prefix(".")
                    .map(Path::to_path_buf)
                    .unwrap_or(path),
            );
        }
    }
    Ok(found)
}

fn is_run(path: &Path) -> bool {
    RunDirectory::open(path).is_ok_and(|run| {
        let certain = [run.record(), run.checkpoint(), run.model()];
        certain.iter().any(|file| file.is_file()) || run.metrics().is_file()
    })
}

impl Row {
    fn of(path: &Path) -> Row {
        let name = path.display().to_string();
        let Ok(run) = RunDirectory::open(path) else {
            return Row::default();
        };
        let model = run.model().is_file();
        let row = Row {
            run: name.clone(),
            model,
            ..Row::default()
        };
        if !run.record().is_file() {
            return match (run.checkpoint().is_file(), model) {
                (true, _) => Row {
                    ending: "unfinished".into(),
                    resume: Some(format!("lowrank resume {name}")),
                    ..row
                },
                (false, true) => Row {
                    ending: "no record".into(),
                    ..row
                },
                (false, false) => Row {
                    ending: "unfinished".into(),
                    note: Some("no checkpoint: train it again".into()),
                    ..row
                },
            };
        }
        let damaged = |note: String| Row {
            ending: "damaged".into(),
            note: Some(note),
            ..Row {
                run: name.clone(),
                model,
                ..Row::default()
            }
        };
        match record::read(&run) {
            Err(error) => damaged(error.to_string()),
            Ok(record) => match at(&record, &["result", "ending"]).as_str() {
                None => damaged("run.json holds no result".into()),
                Some(ending) => row.with(&record, ending),
            },
        }
    }

    /// With what the record says.
    fn with(self, record: &Value, ending: &str) -> Row {
        let inputs: Vec<InputFile> =
            serde_json::from_value(record["inputs"].clone()).unwrap_or_default();
        let ratings = inputs.iter().find(|input| input.role() == "ratings");
        let data = ratings.and_then(|input| input.sha256().map(str::to_owned));
        Row {
            ending: ending.to_owned(),
            epochs: at(record, &["result", "epochs"]).as_u64(),
            valid: at(record, &["result", "valid"]).clone(),
            factors: at(record, &["config", "factors"]).as_u64(),
            data,
            seconds: at(record, &["times", "total"]).as_f64(),
            started: record["started"].as_u64(),
            note: (!self.model).then(|| "no model.lowrank".into()),
            ..self
        }
    }

    fn remark(&self) -> Option<&str> {
        self.resume.as_deref().or(self.note.as_deref())
    }

    fn write(&self, row: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>) -> Result<()> {
        let count = |n: Option<u64>| n.map_or(Cell::Text(""), Cell::Count);
        let figure = main_figure(&self.valid);
        let short = self
            .data
            .as_deref()
            .map(|sha256| sha256.get(..12).unwrap_or(sha256));
        let seconds = self
            .seconds
            .map_or(String::new(), |seconds| format!("{seconds:.1}"));
        row(&[
            Cell::Text(&self.run),
            Cell::Text(&self.ending),
            count(self.epochs),
            Cell::Text(figure.map_or("", |(name, _)| name)),
            figure.map_or(Cell::Text(""), |(_, value)| Cell::Metric(value)),
            count(self.factors),
            Cell::Text(short.unwrap_or_default()),
            Cell::Text(&seconds),
            Cell::Text(self.remark().unwrap_or_default()),
        ])
    }
}
