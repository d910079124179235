//! Does a run give its model again, byte for byte?
//!
//! ```text
//! 1  every input has the SHA-256 of the record                  else: which has changed, is gone, or cannot be known
//! 2  the model of a training with config.toml on these inputs
//!    has the bytes of model.lowrank                             else: what is known that may be why
//! ```
//!
//! The training is that of `train`, and leaves nothing on the disk. Threads and kernel change no byte, and neither does a training that was put down and resumed.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::record::{self, at, no_record, places};
use crate::artifact::{ModelFile, RunDirectory};
use crate::cli::output::{Cell, Column, Format, Manner, Set};
use crate::cli::sources::{InputFile, MODEL, MORE, hex, stamp};
use crate::cli::train::inputs::Inputs;
use crate::cli::train::progress::{Progress, Watch};
use crate::cli::train::session;
use crate::cli::train::settings::Settings;
use crate::training::Ending;
use crate::{Error, Result};

/// Check a run's inputs, train it again, and see whether the model has the same bytes
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank runs verify run\n  \
    lowrank runs verify run --ratings archive/ratings.csv --format json\n\n\
    Inputs are looked for where the run read them: from this folder, then from the folders above the run. The training takes as long as it took,\n\
    and leaves nothing behind. Exit code 1 where an input or the model is not what it was. JSON: {\"run\", \"inputs\": [{\"role\", \"path\", \"verdict\",\n\
    \"recorded\", \"sha256\"}], \"model\": {\"verdict\", \"sha256\", \"again\"}, \"verified\"}.")]
pub struct Verify {
    /// The folder that `train -o` wrote
    run: PathBuf,
    /// Where the file of ratings is now
    #[arg(long, value_name = "FILE")]
    ratings: Option<PathBuf>,
    /// Where the items are now
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    /// Where the users are now
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Where the held-out ratings are now
    #[arg(long, value_name = "FILE")]
    valid: Option<PathBuf>,
    /// How progress is shown
    #[arg(long, value_enum, value_name = "HOW", default_value = "auto")]
    progress: Progress,
    /// Threads; they change speed alone [default: those of the run]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// An input, then and now.
#[derive(Debug, Serialize)]
struct Input {
    role: String,
    path: String,
    verdict: &'static str,
    recorded: Option<String>,
    sha256: Option<String>,
}

/// The model, as it lies there and trained again.
#[derive(Debug, Serialize)]
struct Trained {
    verdict: &'static str,
    sha256: String,
    again: String,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    run: String,
    inputs: &'a [Input],
    /// Absent where an input is not what it was: no training would say anything then.
    model: Option<&'a Trained>,
    verified: bool,
}

const SAME: &str = "the same";
const MOVED: &str = "the same, elsewhere";
const CHANGED: &str = "changed";
const MISSING: &str = "missing";
const A_PIPE: &str = "a pipe: not known";
const SAME_BYTES: &str = "the same bytes";
const OTHER_BYTES: &str = "other bytes";

const COLUMNS: [Column; 4] = [
    Column::new("what", Set::Left),
    Column::new("verdict", Set::Left),
    Column::new("sha256", Set::Left),
    Column::new("path", Set::Left),
];

impl Verify {
    pub(super) fn run(self, manner: Manner) -> Result<()> {
        let run = RunDirectory::open(&self.run)?;
        if !run.record().is_file() || !run.model().is_file() {
            return Err(Error::File {
                path: self.run,
                got: "a run that has not ended".into(),
                wanted: "one with run.json and model.lowrank; `lowrank resume` ends it".into(),
            });
        }
        let record = record::read(&run)?;
        let config = Settings::read(&run.config())?;
        let mut settings = config.clone();
        let mut inputs = Vec::new();
        let (mut ratings, mut more) = (None, Vec::new());
        for then in record::inputs(&run, &record)? {
            let (input, path) = self.found(&then)?;
            let place = match input.role.as_str() {
                "items" => &mut settings.items,
                "users" => &mut settings.users,
                "valid" => &mut settings.valid,
                MODEL => &mut settings.warm_start,
                MORE => {
                    more.push(path);
                    inputs.push(input);
                    continue;
                }
                _ => &mut ratings,
            };
            *place = Some(path);
            inputs.push(input);
        }
        settings.add = (!more.is_empty()).then_some(more);
        let good = |input: &&Input| [SAME, MOVED].contains(&input.verdict);
        if let Some(bad) = inputs.iter().find(|input| !good(input)) {
            self.write(&inputs, None, manner)?;
            return Err(bad.refused());
        }
        let ratings = ratings.ok_or_else(|| no_record(&run, "no file of ratings"))?;
        if let Some(folder) = &settings.init {
            settings.init = Some(self.tables(folder)?);
        }
        settings.threads = self.threads.or(settings.threads);
        let doubts = doubts(&config, &record);
        doubts
            .iter()
            .for_each(|doubt| manner.note(format_args!("note: {doubt}")));
        let model = stamp(&run.model())?;
        let model = model.ok_or_else(|| no_record(&run, "a model that is no file"))?;
        let (sha256, again) = (hex(&model.sha256), self.again(&ratings, &settings, manner)?);
        let trained = Trained {
            verdict: if sha256 == again {
                SAME_BYTES
            } else {
                OTHER_BYTES
            },
            sha256,
            again,
        };
        self.write(&inputs, Some(&trained), manner)?;
        if trained.verdict == SAME_BYTES {
            return Ok(());
        }
        let mut why = doubts;
        if let Err(error) = ModelFile::open(run.model()).and_then(|file| file.verify()) {
            why.insert(0, error.to_string());
        }
        if settings.init.is_some() {
            why.push(
                "the tables of --init have no fingerprint in the record, and may have changed"
                    .into(),
            );
        }
        if why.is_empty() {
            why.push("version, inputs and configuration are those of the record: the model or config.toml and run.json were replaced".into());
        }
        Err(Error::File {
            path: run.model(),
            got: "other bytes than the same training gives".into(),
            wanted: format!("SHA-256 {}; known: {}", trained.again, why.join("; ")),
        })
    }

    /// Looks for an input: where it is said to be now, or where it was read.
    fn found(&self, then: &InputFile) -> Result<(Input, PathBuf)> {
        let given = match then.role() {
            "ratings" => &self.ratings,
            "items" => &self.items,
            "users" => &self.users,
            "valid" => &self.valid,
            _ => &None,
        };
        let mut input = Input {
            role: then.role().to_owned(),
            path: then.path().to_owned(),
            verdict: MISSING,
            recorded: then.sha256().map(str::to_owned),
            sha256: None,
        };
        let mut found = given.clone().unwrap_or_else(|| then.path().into());
        if let Some((path, now)) = record::look(&self.run, then, given.as_deref())? {
            input.verdict = match (now.is_same(then), path == Path::new(then.path())) {
                (true, true) => SAME,
                (true, false) => MOVED,
                (false, _) => CHANGED,
            };
            input.sha256 = now.sha256().map(str::to_owned);
            input.path = path.display().to_string();
            found = path;
        }
        if then.sha256().is_none() {
            input.verdict = A_PIPE;
        }
        Ok((input, found))
    }

    /// The folder that the first values came from.
    fn tables(&self, folder: &Path) -> Result<PathBuf> {
        let mut places = places(&self.run, folder).into_iter();
        places
            .find(|place| place.is_dir())
            .ok_or_else(|| Error::File {
                path: folder.into(),
                got: "no such folder: the run began with tables from there, which are gone".into(),
                wanted: "those tables: without them the training cannot be repeated".into(),
            })
    }

    /// Trains again; the SHA-256 of the model's file, which is not written.
    fn again(&self, ratings: &Path, settings: &Settings, manner: Manner) -> Result<String> {
        let inputs = Inputs::read(ratings, settings, &self.run, manner)?;
        let checked = settings.config()?.check()?;
        let (mut training, _) = session::begin(&checked, &inputs, settings, manner)?;
        let mut watch = Watch::new(self.progress, manner.quiet, None);
        let ending = training.run(&mut watch).ending;
        watch.finish()?;
        if let Ending::Failed(error) = ending {
            return Err(error);
        }
        Ok(hex(&Sha256::digest(training.into_model()?.to_bytes()?)))
    }

    fn write(&self, inputs: &[Input], model: Option<&Trained>, manner: Manner) -> Result<()> {
        let document = Document {
            run: self.run.display().to_string(),
            inputs,
            model,
            verified: model.is_some_and(|model| model.verdict == SAME_BYTES),
        };
        manner.output(None, |out| {
            if matches!(out.format(), Format::Json | Format::JsonLines) {
                return out.json(&document);
            }
            let whole = out.format() == Format::Csv;
            let short = |sha256: Option<&str>| -> String {
                let end = if whole { 64 } else { 12 };
                sha256.map_or(String::new(), |text| text.get(..end).unwrap_or(text).into())
            };
            let mut listing = out.listing(&COLUMNS)?;
            let mut row = |what: &str, verdict: &str, sha256: Option<&str>, path: &str| {
                let sha256 = short(sha256);
                let texts = [what, verdict, &sha256, path];
                listing.row(&(), &texts.map(Cell::Text))
            };
            for input in inputs {
                row(
                    &input.role,
                    input.verdict,
                    input.sha256.as_deref(),
                    &input.path,
                )?;
            }
            if let Some(model) = model {
                let run = RunDirectory::open(&self.run)?;
                let path = run.model().display().to_string();
                row("model", model.verdict, Some(&model.sha256), &path)?;
            }
            listing.finish()
        })
    }
}

impl Input {
    /// Why nothing can be verified with it.
    fn refused(&self) -> Error {
        let (got, wanted) = match self.verdict {
            CHANGED => (
                format!("{} that have changed since the run", self.role),
                format!("SHA-256 {}", self.recorded.as_deref().unwrap_or_default()),
            ),
            A_PIPE => (
                format!("{} that came from a pipe and were read once", self.role),
                "a run whose inputs are files".to_owned(),
            ),
            _ => (
                format!("no such file: the {} of the run are gone", self.role),
                match &*self.role {
                    role @ ("ratings" | "items" | "users" | "valid") => {
                        format!("them where they were, or --{role} FILE, where they are now")
                    }
                    _ => "them where they were".into(),
                },
            ),
        };
        Error::File {
            path: (&self.path).into(),
            got,
            wanted,
        }
    }
}

/// What is known that may give other bytes.
fn doubts(config: &Settings, record: &Value) -> Vec<String> {
    let mut doubts = Vec::new();
    let (then, now) = (
        record["version"].as_str().unwrap_or("?"),
        env!("CARGO_PKG_VERSION"),
    );
    if then != now {
        doubts.push(format!("trained by version {then}, this is {now}"));
    }
    let config = serde_json::to_value(config).unwrap_or_default();
    let keys =
        [&config, at(record, &["config"])].map(|of| of.as_object().cloned().unwrap_or_default());
    let mut differing: Vec<&String> = keys[0].keys().chain(keys[1].keys()).collect();
    differing.sort();
    differing.dedup();
    differing.retain(|key| keys[0].get(*key) != keys[1].get(*key));
    if !differing.is_empty() {
        let names: Vec<&str> = differing.into_iter().map(String::as_str).collect();
        doubts.push(format!(
            "config.toml is not that of run.json: {}",
            names.join(", ")
        ));
    }
    doubts
}
