//! How do newer features reach a model, and what is said of them?
//!
//! `predict`, `recommend` and `evaluate` read them alike; what differs from training is refused or said, never passed over.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::output::{Manner, counted, grouped};
use super::table;
use crate::data::SideTable;
use crate::recommend::{Fresh, OnSkew};
use crate::{Error, Model, Result};

/// Newer features of items, and what is done where they differ from training.
#[derive(Debug, Args)]
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
        if let (None, None, Some(_)) = (&self.items, users, self.on_skew) {
            let wanted = "a file of features beside it, as in --items movies.csv";
            return Err(Error::config("on-skew", "no features", wanted));
        }
        let mut model = model;
        if let Some(path) = &self.items {
            let table = SideTable::read_items(path)?;
            model = said(model.with_items(&table, policy)?, path, "item", manner);
        }
        if let Some(path) = users {
            let table = SideTable::read_users(path)?;
            model = said(model.with_users(&table, policy)?, path, "user", manner);
        }
        Ok(model)
    }
}

/// Says what was found, and returns the model.
fn said(fresh: Fresh, path: &Path, what: &str, manner: Manner) -> Model {
    let Fresh {
        model,
        known,
        changed,
        added,
        unplaced,
        skew,
    } = fresh;
    let file = table::safe(&path.display().to_string());
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
    for skew in skew {
        let (got, wanted) = (table::safe(&skew.got), table::safe(&skew.wanted));
        let instead = skew.instead;
        manner.note(format_args!(
            "warning: {file}: {got}; training: {wanted}; {instead}"
        ));
    }
    model
}
