//! How do newer features reach a model, and what is said of them?
//!
//! `predict`, `recommend` and `evaluate` read them alike; what differs from training is refused or said, never passed over.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::output::{Manner, counted, grouped};
use super::table;
use crate::data::SideTable;
use crate::data::reader::{VersionReport, moment};
use crate::recommend::{Fresh, OnSkew};
use crate::{Error, Model, Result};

/// Newer features of items, and what is done where they differ from training.
#[derive(Clone, Debug, Args, Default)]
pub(super) struct FreshItems {
    /// Newer features of items, and further items that the model knows by their features alone; columns as in training
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    /// Refuse every difference from what training saw, or report all and predict [default: refuse what makes predictions wrong, report the rest]
    #[arg(
        long,
        value_enum,
        value_name = "error|report",
        hide_possible_values = true
    )]
    on_skew: Option<Policy>,
    /// Of features with times, the latest that are not after this: seconds since 1970, or a date such as 2024-01-31 (its first second, UTC) [default: the latest of all]
    #[arg(long, value_name = "TIME", value_parser = time)]
    as_of: Option<i64>,
}

fn time(text: &str) -> Result<i64, String> {
    moment(text).map_err(|error| match error {
        Error::Config { wanted, .. } => format!("wanted {wanted}"),
        other => other.to_string(),
    })
}

/// What is done where features differ from training.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Policy {
    Error,
    Report,
}

impl FreshItems {
    /// The files that are read.
    pub(super) fn files<'a>(
        &'a self,
        users: &'a Option<PathBuf>,
    ) -> impl Iterator<Item = &'a PathBuf> {
        self.items.iter().chain(users)
    }

    /// [`apply`](FreshItems::apply) of what the model has features for; a model without is as it was.
    pub(super) fn apply_where_there_are_any(
        &self,
        model: Model,
        users: Option<&Path>,
        manner: Manner,
    ) -> Result<Model> {
        let of_items = !model.items().columns().is_empty();
        let of_users = !model.users().columns().is_empty();
        let users = users.filter(|_| of_users);
        let own = FreshItems {
            items: self.items.clone().filter(|_| of_items),
            ..self.clone()
        };
        match (&own.items, users) {
            (None, None) => Ok(model),
            _ => own.apply(model, users, manner),
        }
    }

    /// The model with the items' features, and with those of the file of users, where there are such files.
    pub(super) fn apply(
        &self,
        model: Model,
        users: Option<&Path>,
        manner: Manner,
    ) -> Result<Model> {
        let policy = match self.on_skew {
            None => OnSkew::Usual,
            Some(Policy::Error) => OnSkew::Error,
            Some(Policy::Report) => OnSkew::Report,
        };
        let flags = [
            ("on-skew", self.on_skew.is_some()),
            ("as-of", self.as_of.is_some()),
        ];
        if let (None, None, Some((flag, _))) =
            (&self.items, users, flags.iter().find(|(_, given)| *given))
        {
            let wanted = "a file of features beside it, as in --items movies.csv";
            return Err(Error::config(*flag, "no features", wanted));
        }
        let items = self.items.as_deref();
        let items = items.map(|path| SideTable::read_items(path, self.as_of));
        let users = users.map(|path| SideTable::read_users(path, self.as_of));
        let (items, users) = (items.transpose()?, users.transpose()?);
        // Of two files one may have times and the other none.
        let mut tables = items.iter().chain(&users);
        if self.as_of.is_some() && tables.all(|table| table.versions.is_none()) {
            return Err(Error::config(
                "as-of",
                "features without times",
                "a file with a column called timestamp",
            ));
        }
        let mut model = model;
        if let Some(table) = &items {
            model = said(model.with_items(table, policy)?, table, "item", manner);
        }
        if let Some(table) = &users {
            model = said(model.with_users(table, policy)?, table, "user", manner);
        }
        Ok(model)
    }
}

/// "item features as of 886000000: 12 later rows not used, 3 items without features yet, 20 ratings older than the features used for them".
pub(super) fn of_versions(what: &str, versions: &VersionReport) -> String {
    let VersionReport {
        as_of,
        later_rows,
        without,
        older_ratings,
    } = *versions;
    let mut line = match as_of {
        Some(moment) => format!("{what} features as of {moment}"),
        None => format!("{what} features: the latest row of each; see --as-of"),
    };
    let mut separator = ": ";
    for (n, text) in [
        (
            later_rows as u64,
            counted(later_rows as u64, "later row") + " not used",
        ),
        (
            without as u64,
            counted(without as u64, what) + " without features yet",
        ),
        (
            older_ratings,
            counted(older_ratings, "rating") + " older than the features used for them",
        ),
    ] {
        if n > 0 {
            line += separator;
            line += &text;
            separator = ", ";
        }
    }
    line
}

/// Says what was found, and returns the model.
fn said(fresh: Fresh, table: &SideTable, what: &str, manner: Manner) -> Model {
    let Fresh {
        model,
        known,
        changed,
        added,
        unplaced,
        skew,
    } = fresh;
    let file = table::safe(&table.name.display().to_string());
    let mut line = format!(
        "{file}: {} of the model, {} with other features",
        counted(known as u64, what),
        grouped(changed as u64)
    );
    if added > 0 {
        line += &format!("; {} new, by their features alone", grouped(added as u64));
    }
    if unplaced > 0 {
        line += &format!(
            "; {} left out: no feature of theirs is known",
            grouped(unplaced as u64)
        );
    }
    manner.note(line);
    if let Some(versions) = &table.versions {
        manner.note(of_versions(what, versions));
    }
    for skew in skew {
        let (got, wanted) = (table::safe(&skew.got), table::safe(&skew.wanted));
        let instead = skew.instead;
        manner.note(format_args!(
            "warning: {file}: {got}; training: {wanted}; {instead}"
        ));
    }
    model
}
