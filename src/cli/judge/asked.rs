//! What of `train`'s settings do `cv` and `tune` take?
//!
//! All that concern data, model and training, with the same meaning. Not those that need a training of one's own: first values from a folder or a model, ratings that stay on disk.

use crate::cli::train::settings::Settings;
use crate::evaluation::Figures;
use crate::metrics::{Kind, Metric};
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
    if let Some(model) = &settings.warm_start {
        return refuse("warm-start", model.display().to_string());
    }
    match &settings.max_memory {
        Some(bound) => refuse("max-memory", bound.clone()),
        None => Ok(()),
    }
}

/// Refuses settings that read other data than `first` do: all models are judged by the same.
pub(super) fn same_data(first: &Settings, other: &Settings, name: &str) -> Result<()> {
    let of_data = |settings: &Settings| Settings {
        add: settings.add.clone(),
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
        "the same add, items, users, columns, sep, weight and dedupe in all",
    ))
}

/// What a column of one of the figures is called by which models are [judged](crate::evaluation::judge).
pub(super) fn header(metric: Metric) -> &'static str {
    match metric.kind {
        Kind::Ndcg => "ndcg@20",
        Kind::Recall => "recall@20",
        kind => kind.about().name,
    }
}

/// `RMSE 0.9123  MAE 0.7211`, or `NDCG@20 0.1523  RECALL@20 0.1812`.
pub(super) fn said(figures: &Figures) -> String {
    let said = figures
        .0
        .iter()
        .map(|(metric, value)| format!("{} {value:.4}", metric.to_string().to_uppercase()));
    said.collect::<Vec<String>>().join("  ")
}
