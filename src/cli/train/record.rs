//! What does a run remember of itself?
//!
//! `run.json`: the resolved configuration, the fingerprint of every input, counts, versions, times and results. Times, paths, threads and the kernel stand here and not in the model, whose bytes depend on
//! data, configuration and seed alone.

use serde::{Serialize, Serializer};

use super::settings::Settings;
use super::update::Updated;
use crate::cli::sources::InputFile;
use crate::data::Interactions;
use crate::evaluation::{Figures, judge};
use crate::kernels::pool::Pool;
use crate::training::{Ending, Finish};
use crate::{Model, Result};

/// The contents of `run.json`.
#[derive(Debug, Serialize)]
pub struct Record {
    /// The version of this program.
    pub version: &'static str,
    /// Seconds since 1970 when the run began.
    pub started: u64,
    /// The files that went in.
    pub inputs: Vec<InputFile>,
    /// Every knob.
    pub config: Settings,
    /// What was tried and chosen for these ratings, where it was left open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipe: Vec<String>,
    /// What was read and what is learnt.
    pub counts: Counts,
    /// Which columns became features.
    pub features: Features,
    /// What ran.
    pub machine: Machine,
    /// How long it took, in seconds.
    pub times: Times,
    /// How it ended.
    pub result: Outcome,
    /// What it was updated with, and how much better it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<Updated>,
}

/// What was read and what is learnt.
#[derive(Debug, Serialize)]
pub struct Counts {
    /// Users.
    pub users: usize,
    /// Items.
    pub items: usize,
    /// Rows of the ratings file.
    pub rows: u64,
    /// Rows beyond the first of a pair of user and item.
    pub duplicates: u64,
    /// Ratings trained on.
    pub train: usize,
    /// Ratings held out.
    pub valid: usize,
    /// Numbers learnt.
    pub parameters: usize,
}

/// Which feature groups there are, and which columns are none.
#[derive(Debug, Serialize)]
pub struct Features {
    /// Groups of the items.
    pub items: Vec<String>,
    /// Columns of the items, not used.
    pub items_skipped: Vec<String>,
    /// Groups of the users.
    pub users: Vec<String>,
    /// Columns of the users, not used.
    pub users_skipped: Vec<String>,
    /// The moment at which rows with times were looked at, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<i64>,
}

/// What ran; it changes speed alone.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// `portable` or `avx2`.
    pub kernel: &'static str,
    /// Threads.
    pub threads: usize,
}

/// Seconds.
#[derive(Debug, Serialize)]
pub struct Times {
    /// Reading the inputs.
    pub read: f64,
    /// The epochs' steps.
    pub train: f64,
    /// Everything.
    pub total: f64,
}

/// How a run ended.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// `completed`, `patience`, or `diverged`.
    pub ending: &'static str,
    /// Epochs trained.
    pub epochs: usize,
    /// The epoch whose parameters were kept.
    pub kept_epoch: usize,
    /// The loss of the last epoch, before its step.
    pub train_loss: Option<f64>,
    /// The kept model's figures on what was held out: errors, or of a training for an order NDCG@20 and recall@20.
    pub valid: Option<Figures>,
    /// The same of models without factors, by name.
    #[serde(serialize_with = "by_name")]
    pub baselines: Option<Vec<(&'static str, Figures)>>,
}

fn by_name<S: Serializer>(
    baselines: &Option<Vec<(&str, Figures)>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match baselines {
        Some(all) => serializer.collect_map(all.iter().map(|(name, figures)| (name, figures))),
        None => serializer.serialize_none(),
    }
}

/// How a run ended, with `model` judged by what was held out.
pub(super) fn outcome(
    finish: &Finish,
    train_loss: Option<f64>,
    model: &Model,
    held_out: Option<&Interactions>,
) -> Result<Outcome> {
    let held_out = held_out.filter(|rows| !rows.is_empty());
    let valid = held_out.map(|rows| judge(model, rows, &Pool::new(0)));
    let valid = valid.transpose()?;
    Ok(Outcome {
        ending: match &finish.ending {
            Ending::Completed => "completed",
            Ending::Patience => "patience",
            Ending::Observer => "stopped",
            Ending::Diverged(_) => "diverged",
            Ending::Failed(_) => "failed",
        },
        epochs: finish.epochs,
        kept_epoch: finish.kept,
        train_loss,
        valid: valid.as_ref().map(|valid| valid.model.clone()),
        baselines: valid.map(|valid| valid.baselines),
    })
}

impl Outcome {
    /// The figures, a line a model.
    pub(super) fn lines(&self) -> Vec<String> {
        let said = |figures: &Figures| {
            let said = figures.0.iter().map(|(metric, value)| {
                format!("  {} {value:.4}", metric.to_string().to_uppercase())
            });
            said.collect::<String>()
        };
        let own = self.valid.iter();
        let mut lines: Vec<String> = own
            .map(|figures| format!("{:<16}{}", "held-out ratings", said(figures)))
            .collect();
        for (key, figures) in self.baselines.iter().flatten() {
            let name = match *key {
                "global_mean" => "mean",
                "biases" => "mean + biases",
                "popularity" => "most rated",
                other => other,
            };
            lines.push(format!("  {name:<15}{}", said(figures)));
        }
        lines
    }
}
