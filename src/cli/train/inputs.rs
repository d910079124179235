//! What goes into a training, and what is held out?
//!
//! Ratings, items and users are read as the settings say; held-out ratings come from a file of their own or are split off. Every file's fingerprint goes into
//! the run's record.

use std::path::Path;

use super::record::Counts;
use super::settings::Settings;
use crate::cli::output::Manner;
use crate::cli::sources::{Hashing, check_fresh};
use crate::data::reader::{ColumnSpec, ReadOptions, Separator, read_test};
use crate::data::{Dataset, Dedupe, Interactions, Split};
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
    let paths = [
        ("ratings", Some(ratings)),
        ("items", settings.items.as_deref()),
        ("users", settings.users.as_deref()),
        ("valid", settings.valid.as_deref()),
    ];
    let paths = paths.into_iter();
    Hashing::of(paths.filter_map(|(role, path)| Some((role, path?))))
}

impl Inputs {
    /// Reads `ratings` and what the settings name.
    pub fn read(ratings: &Path, settings: &Settings, manner: Manner) -> Result<Inputs> {
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
            ..ReadOptions::default()
        };
        let dedupe = settings
            .dedupe
            .as_deref()
            .map(str::parse::<Dedupe>)
            .transpose()?;
        check_fresh(
            [ratings].into_iter().chain(settings.valid.as_deref()),
            manner,
        )?;
        let mut builder = Dataset::builder().options(options.clone());
        if let Some(policy) = dedupe {
            builder = builder.dedupe(policy);
        }
        builder = builder.ratings(ratings)?;
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
