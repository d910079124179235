//! What goes into a training, and what is held out?
//!
//! Ratings, items and users are read as the settings say; held-out ratings come from a file of their own or are split off. Every file's fingerprint goes into
//! the run's record.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::record::Counts;
use super::settings::Settings;
use crate::artifact::resolve_model;
use crate::cli::output::{Manner, counted};
use crate::cli::sources::{Hashing, MODEL, MORE, check_fresh};
use crate::data::reader::{ColumnSpec, ReadOptions, Separator, moment, read_test};
use crate::data::{Dataset, DatasetBuilder, Dedupe, Interactions, RatingsCache, Split};
use crate::{Error, Result};

/// What a training starts from.
pub struct Inputs {
    /// The ratings to train on.
    pub train: Dataset,
    /// The held-out ratings.
    pub valid: Option<Interactions>,
}

/// Begins to hash `ratings` and what the settings name, beside the work.
pub fn hashing(ratings: &Path, settings: &Settings) -> Hashing {
    let more = settings.add.iter().flatten();
    let more = more.map(|path| (MORE, Some(path.as_path())));
    // Of a run directory, its model; what is neither is told by whoever reads it.
    let start = settings.warm_start.as_ref();
    let start = start.map(|path| resolve_model(path).unwrap_or_else(|_| path.clone()));
    let beside = [
        ("items", settings.items.as_deref()),
        ("users", settings.users.as_deref()),
        ("valid", settings.valid.as_deref()),
        (MODEL, start.as_deref()),
    ];
    let paths = std::iter::once(("ratings", Some(ratings)))
        .chain(more)
        .chain(beside);
    Hashing::of(paths.filter_map(|(role, path)| Some((role, path?))))
}

impl Inputs {
    /// Reads `ratings` and what the settings name.
    ///
    /// Where they do not fit into `--max-memory`, work is put down beside `output`.
    pub fn read(
        ratings: &Path,
        settings: &Settings,
        output: &Path,
        manner: Manner,
    ) -> Result<Inputs> {
        check_fresh(settings.valid.as_deref(), manner)?;
        // Training has no use for times; two ways of splitting do.
        let by_time = matches!(settings.valid_by.as_deref(), Some("time" | "leave-last"));
        let mut builder = settings.builder()?.keep_timestamps(by_time);
        if let Some(bound) = &settings.max_memory
            && too_large(ratings, memory_size(bound)?)?
        {
            builder = builder.leave_ratings_stored(existing_folder(output));
            manner.note("the ratings do not fit into --max-memory: they stay on disk, and training goes by blocks");
        }
        let builder = settings.gather_files(builder, ratings, manner)?;
        let (train, valid) = hold_out(builder, settings)?;
        if let (Some(valid), Some(path)) = (&valid, &settings.valid) {
            let known = shared(&train.interactions, valid);
            if known > 0 {
                manner.note(format_args!(
                    "warning: {} of {} are trained on too: errors on them say nothing of others",
                    counted(known, "rating"),
                    path.display()
                ));
            }
        }
        Ok(Inputs { train, valid })
    }

    /// What was read, and how many numbers are learnt from it.
    pub fn counts(&self, parameters: usize) -> Counts {
        let data = &self.train;
        Counts {
            users: data.n_users(),
            items: data.n_items(),
            rows: data.report.rows,
            duplicates: data.report.duplicates.dropped as u64,
            train: data.n_ratings(),
            valid: self.valid.as_ref().map_or(0, Interactions::len),
            parameters,
        }
    }
}

impl Settings {
    /// How files of ratings are read.
    pub fn read_options(&self) -> Result<ReadOptions> {
        let columns = self.columns.as_deref().map(str::parse::<ColumnSpec>);
        let separator = self.sep.as_deref().map(str::parse::<Separator>);
        Ok(ReadOptions {
            columns: columns.transpose()?,
            separator: separator.transpose()?,
            weight: self.weight.clone(),
            threads: self.threads.unwrap_or(0),
            ..ReadOptions::default()
        })
    }

    /// A data set to gather, read as these settings say.
    pub fn builder(&self) -> Result<DatasetBuilder> {
        let mut builder = Dataset::builder().options(self.read_options()?);
        if let Some(text) = &self.as_of {
            builder = builder.as_of(moment(text)?);
        }
        Ok(match &self.dedupe {
            Some(policy) => builder.dedupe(policy.parse::<Dedupe>()?),
            None => builder,
        })
    }

    /// The data set of `ratings`, and of the items and users that these settings name.
    ///
    /// # Errors
    /// Those of [`gather_files`](Settings::gather_files).
    pub fn gather(
        &self,
        builder: DatasetBuilder,
        ratings: &Path,
        manner: Manner,
    ) -> Result<Dataset> {
        self.gather_files(builder, ratings, manner)?.build()
    }

    /// Reads `ratings`, and the items and users that these settings name.
    ///
    /// # Errors
    /// Also for pairs without a rating, and a cache that is older than its text.
    pub fn gather_files(
        &self,
        builder: DatasetBuilder,
        ratings: &Path,
        manner: Manner,
    ) -> Result<DatasetBuilder> {
        let more = self.add.iter().flatten().map(PathBuf::as_path);
        check_fresh(std::iter::once(ratings).chain(more.clone()), manner)?;
        let mut builder = builder.ratings(ratings)?;
        for file in more {
            builder = builder.ratings(file)?;
        }
        if let Some(items) = &self.items {
            builder = builder.items(items)?;
        }
        if let Some(users) = &self.users {
            builder = builder.users(users)?;
        }
        if !builder.report().has_ratings() && !self.clone().of_clicks().config()?.ranks() {
            return Err(Error::File {
                path: ratings.into(),
                got: "pairs of user and item without a rating".into(),
                wanted: "a column called rating, or its name in --columns user=…,item=…,rating=…; \
                         where these are clicks, --preset implicit, or no preset"
                    .into(),
            });
        }
        Ok(builder)
    }

    /// The rule by which ratings are held out, where these settings have one.
    pub fn hold_out(&self) -> Result<Option<Split>> {
        let by = self.valid_by.as_deref();
        if by.is_none() && self.valid_fraction.is_none() {
            return Ok(None);
        }
        let share = || {
            self.valid_fraction.ok_or_else(|| {
                Error::config(
                    "valid-fraction",
                    "none",
                    "a share above 0 and below 1, as in --valid-fraction 0.1",
                )
            })
        };
        let seed = self.seed.unwrap_or(42);
        Ok(Some(match by.unwrap_or("random") {
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
        }))
    }
}

/// Bytes a rating while it is read from a cache and laid out: three numbers twice.
const BYTES_A_RATING: u64 = 24;
/// A line of text has at least a user, an item, a rating, and what ends them.
const LEAST_LINE: u64 = 6;

/// `2g`, `500m`, `64k` or a number of bytes.
fn memory_size(text: &str) -> Result<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let lower = lower.strip_suffix('b').unwrap_or(&lower);
    let (digits, unit) = match lower.as_bytes().last() {
        Some(b'k') => (&lower[..lower.len() - 1], 1 << 10),
        Some(b'm') => (&lower[..lower.len() - 1], 1 << 20),
        Some(b'g') => (&lower[..lower.len() - 1], 1 << 30),
        Some(b't') => (&lower[..lower.len() - 1], 1 << 40),
        _ => (lower, 1u64),
    };
    let number = digits.trim().parse::<u64>().ok();
    let size = number.and_then(|number| number.checked_mul(unit));
    size.filter(|&size| size > 0).ok_or_else(|| {
        let wanted = "a size such as 2g, 500m or a number of bytes";
        Error::config("max-memory", format!("{text:?}"), wanted)
    })
}

/// Whether the ratings of a cache take more than `bound`.
fn too_large(ratings: &Path, bound: u64) -> Result<bool> {
    if let Some(cache) = RatingsCache::at(ratings)? {
        return Ok(cache.n_ratings().saturating_mul(BYTES_A_RATING) > bound);
    }
    let length = std::fs::metadata(ratings).map_or(0, |there| there.len());
    if length / LEAST_LINE * BYTES_A_RATING <= bound {
        return Ok(false);
    }
    Err(Error::config(
        "max-memory",
        format!("less than {} may take, which is text", ratings.display()),
        format!(
            "a cache, which can stay on disk: lowrank data convert {} -o ratings.cache",
            ratings.display()
        ),
    ))
}

/// The nearest folder above `output` that is there.
fn existing_folder(output: &Path) -> PathBuf {
    let above = output.ancestors().skip(1).find(|folder| folder.is_dir());
    match above {
        Some(folder) if folder != Path::new("") => folder.into(),
        _ => ".".into(),
    }
}

/// How many rows of `valid` are pairs of `train` too.
fn shared(train: &Interactions, valid: &Interactions) -> u64 {
    let rows = || valid.users.iter().copied().zip(valid.items.iter().copied());
    let held_out: HashSet<(u32, u32)> = rows().collect();
    let pairs = train.users.iter().copied().zip(train.items.iter().copied());
    let known: HashSet<(u32, u32)> = pairs.filter(|pair| held_out.contains(pair)).collect();
    rows().filter(|pair| known.contains(pair)).count() as u64
}

/// The training ratings and the held-out ones.
fn hold_out(
    builder: DatasetBuilder,
    settings: &Settings,
) -> Result<(Dataset, Option<Interactions>)> {
    if let Some(path) = &settings.valid {
        if settings.valid_fraction.is_some() || settings.valid_by.is_some() {
            return Err(Error::config(
                "valid",
                "a file, and a rule for splitting",
                "either --valid FILE, or --valid-fraction and --valid-by",
            ));
        }
        let options = settings.read_options()?;
        let all = builder.build()?;
        let test = read_test(path, &options, &all.users.ids, &all.items.ids)?;
        return Ok((all, Some(test.interactions)));
    }
    let Some(split) = settings.hold_out()? else {
        return Ok((builder.build()?, None));
    };
    let halves = builder.build_split(&split)?;
    Ok((halves.train, Some(halves.valid.interactions)))
}
