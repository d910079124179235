//! What does a run remember of itself?
//!
//! `run.json`: the resolved configuration, the fingerprint of every input, counts, versions, times and results. Times, paths, threads and the kernel stand here and not in the model, whose bytes depend on
//! data, configuration and seed alone.

use serde::Serialize;

use super::settings::Settings;
use crate::cli::sources::InputFile;
use crate::evaluation::Errors;

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
    /// The kept epoch's errors on the held-out ratings.
    pub valid: Option<Errors>,
    /// The same of models without factors.
    pub baselines: Option<Baselines>,
}

/// Errors of models without factors on the held-out ratings.
#[derive(Clone, Debug, Serialize)]
pub struct Baselines {
    /// Always the mean.
    pub global_mean: Errors,
    /// μ + b_u + b_i.
    pub biases: Option<Errors>,
}
