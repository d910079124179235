//! What goes into a training, and what is held out?
//!
//! Ratings, items and users are read as the settings say; held-out ratings come from a file of their own or are split off. Every file's fingerprint goes into the run's record.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread::JoinHandle;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::settings::Settings;
use crate::data::reader::{ColumnSpec, ReadOptions, Separator, read_test};
use crate::data::{Dataset, Dedupe, Interactions, Split};
use crate::{Error, Result};

/// What a training starts from.
pub struct Inputs {
    /// The ratings to train on.
    pub train: Dataset,
    /// The held-out ratings.
    pub valid: Option<Interactions>,
    /// The files, with their fingerprints.
    pub files: Vec<InputFile>,
}

/// A file and its fingerprint, for `run.json`.
#[derive(Clone, Debug, Serialize)]
pub struct InputFile {
    role: &'static str,
    path: String,
    /// Absent, like the fingerprint, for a pipe: it can be read once only.
    bytes: Option<u64>,
    sha256: Option<String>,
}

impl Inputs {
    /// Reads `ratings` and what the settings name.
    pub fn read(ratings: &Path, settings: &Settings) -> Result<Inputs> {
        let options = ReadOptions {
            columns: settings
                .columns
                .as_deref()
                .map(str::parse::<ColumnSpec>)
                .transpose()?,
            separator: settings
                .sep
                .as_deref()
                .map(str::parse::<Separator>)
                .transpose()?,
            weight: settings.weight.clone(),
            threads: settings.threads.unwrap_or(0),
            ..ReadOptions::default()
        };
        let dedupe = settings
            .dedupe
            .as_deref()
            .map_or(Ok(Dedupe::default()), str::parse)?;
        let paths = [
            ("ratings", Some(ratings)),
            ("items", settings.items.as_deref()),
            ("users", settings.users.as_deref()),
            ("valid", settings.valid.as_deref()),
        ];
        let fingerprints: Vec<_> = paths
            .into_iter()
            .filter_map(|(role, path)| Some(fingerprint(role, path?)))
            .collect();

        // Training has no use for times; two ways of splitting do.
        let by_time = matches!(settings.valid_by.as_deref(), Some("time" | "leave-last"));
        let mut builder = Dataset::builder()
            .options(options.clone())
            .dedupe(dedupe)
            .keep_timestamps(by_time)
            .ratings(ratings)?;
        if let Some(items) = &settings.items {
            builder = builder.items(items)?;
        }
        if let Some(users) = &settings.users {
            builder = builder.users(users)?;
        }
        let all = builder.build()?;
        if !all.report.has_ratings() {
            return Err(Error::File {
                path: ratings.into(),
                got: "pairs of user and item without a rating".into(),
                wanted: "a column called rating, or its name in --columns user=…,item=…,rating=…; \
                         clicks cannot be trained on yet"
                    .into(),
            });
        }
        let (train, valid) = hold_out(all, settings, &options)?;
        let files = fingerprints
            .into_iter()
            .map(|thread| thread.join().expect("hashing does not panic"))
            .collect::<Result<_>>()?;
        Ok(Inputs {
            train,
            valid,
            files,
        })
    }
}

/// The training ratings and the held-out ones.
fn hold_out(
    all: Dataset,
    settings: &Settings,
    options: &ReadOptions,
) -> Result<(Dataset, Option<Interactions>)> {
    if let Some(path) = &settings.valid {
        if settings.valid_fraction.is_some() || settings.valid_by.is_some() {
            return Err(Error::config(
                "valid",
                "a file, and a rule for splitting",
                "either --valid FILE, or --valid-fraction and --valid-by",
            ));
        }
        let test = read_test(path, options, &all.users.ids, &all.items.ids)?;
        return Ok((all, Some(test.interactions)));
    }
    let by = settings.valid_by.as_deref();
    if by.is_none() && settings.valid_fraction.is_none() {
        return Ok((all, None));
    }
    let share = || {
        settings.valid_fraction.ok_or_else(|| {
            Error::config(
                "valid-fraction",
                "none",
                "a share above 0 and below 1, as in --valid-fraction 0.1",
            )
        })
    };
    let seed = settings.seed.unwrap_or(42);
    let split = match by.unwrap_or("random") {
        "random" => Split::random(share()?, seed),
        "user" => Split::by_user(share()?, seed),
        "time" => Split::by_time(share()?),
        "leave-last" => Split::leave_last(),
        other => {
            return Err(Error::config(
                "valid-by",
                format!("{other:?}"),
                "random, user, leave-last, time",
            ));
        }
    };
    let halves = all.split(&split)?;
    Ok((halves.train, Some(halves.valid.interactions)))
}

/// Hashes a file beside the reading.
fn fingerprint(role: &'static str, path: &Path) -> JoinHandle<Result<InputFile>> {
    let path = path.to_path_buf();
    std::thread::spawn(move || {
        let name = path.display().to_string();
        if !std::fs::metadata(&path)
            .map_err(Error::io(&path, "open"))?
            .is_file()
        {
            return Ok(InputFile {
                role,
                path: name,
                bytes: None,
                sha256: None,
            });
        }
        let mut file = File::open(&path).map_err(Error::io(&path, "open"))?;
        let (mut hash, mut bytes, mut block) = (Sha256::new(), 0, vec![0; 1 << 18]);
        loop {
            let n = file.read(&mut block).map_err(Error::io(&path, "read"))?;
            if n == 0 {
                break;
            }
            hash.update(&block[..n]);
            bytes += n as u64;
        }
        let sha256 = hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(InputFile {
            role,
            path: name,
            bytes: Some(bytes),
            sha256: Some(sha256),
        })
    })
}
