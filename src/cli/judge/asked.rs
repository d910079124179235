//! What of `train`'s settings do `cv` and `tune` take?
//!
//! All that concern data, model and training, with the same meaning. Not those that need a training of one's own: first values from a folder, ratings that stay on disk.

use crate::cli::train::settings::Settings;
use crate::{Error, Result};

/// Refuses what only `train` can do.
pub(super) fn refuse_what_train_alone_does(settings: &Settings) -> Result<()> {
    let refuse = |name: &str, got: String| {
        let wanted = "none here: only `train` can do that";
        Err(Error::config(name, got, wanted))
    };
    if let Some(folder) = &settings.init {
        return refuse("init", folder.display().to_string());
    }
    match &settings.max_memory {
        Some(bound) => refuse("max-memory", bound.clone()),
        None => Ok(()),
    }
}

/// Refuses settings that read other data than `first` do: all models are judged by the same.
pub(super) fn same_data(first: &Settings, other: &Settings, name: &str) -> Result<()> {
    let of_data = |settings: &Settings| Settings {
        items: settings.items.clone(),
        users: settings.users.clone(),
        columns: settings.columns.clone(),
        sep: settings.sep.clone(),
        weight: settings.weight.clone(),
        dedupe: settings.dedupe.clone(),
        ..Settings::default()
    };
    if of_data(first) == of_data(other) {
        return Ok(());
    }
    Err(Error::config(
        "config",
        format!("{name}, which reads other data than the first"),
        "the same items, users, columns, sep, weight and dedupe in all",
    ))
}
