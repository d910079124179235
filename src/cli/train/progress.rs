//! How does one see that training is under way, and how far?
//!
//! A bar on a terminal, a line now and then elsewhere, or JSON for a program that watches. All of it goes to standard error. The clock is read here and nowhere below: the seconds of
//! an epoch are those between its first step and its last.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::artifact::RunDirectory;
use crate::cli::output::{complain, grouped};
use crate::metrics::{HeldOut, ListMeans, RatingErrors};
use crate::training::observer::Epoch;
use crate::training::{Event, Observer};
use crate::{Error, Result};

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Progress {
    /// A bar on a terminal, lines elsewhere.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// About twenty lines.
    Plain,
    /// One line of JSON an epoch.
    Json,
    /// Nothing.
    None,
}

/// A line of `metrics.jsonl`.
#[derive(Clone, Debug, Serialize)]
pub struct EpochLine {
    epoch: usize,
    train_loss: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_rmse: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_mae: Option<f64>,
    #[serde(rename = "valid_recall@20", skip_serializing_if = "Option::is_none")]
    valid_recall: Option<f64>,
    #[serde(rename = "valid_ndcg@20", skip_serializing_if = "Option::is_none")]
    valid_ndcg: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    learning_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    negatives: Option<u64>,
    seconds: f64,
    ratings_per_second: f64,
}

/// Shows the epochs, logs them, and keeps the time.
pub struct Watch<'r> {
    show: Show,
    log: Option<&'r RunDirectory>,
    /// The first error of the log; training stops at it.
    failure: Option<Error>,
    n_ratings: usize,
    epochs: usize,
    epoch_began: Instant,
    epoch_seconds: f64,
    /// Seconds of all epochs' steps, without validation and writing.
    seconds: f64,
}

enum Show {
    Bar(ProgressBar),
    Plain,
    Json,
    Nothing,
}

impl<'r> Watch<'r> {
    /// Shows as `progress` says; `quiet` shows nothing. Lines go to `log`'s `metrics.jsonl`.
    pub fn new(progress: Progress, quiet: bool, log: Option<&'r RunDirectory>) -> Watch<'r> {
        let show = match progress {
            Progress::Json => Show::Json,
            Progress::None => Show::Nothing,
            _ if quiet => Show::Nothing,
            Progress::Plain => Show::Plain,
            Progress::Auto if !std::io::stderr().is_terminal() => Show::Plain,
            Progress::Auto | Progress::Bar => Show::Bar(ProgressBar::new(0)),
        };
        Watch {
            show,
            log,
            failure: None,
            n_ratings: 0,
            epochs: 0,
            epoch_began: Instant::now(),
            epoch_seconds: 0.0,
            seconds: 0.0,
        }
    }

    /// Seconds of all epochs' steps.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Takes the bar away, and gives the first error of the log.
    pub fn finish(self) -> Result<()> {
        if let Show::Bar(bar) = &self.show {
            bar.finish_and_clear();
        }
        self.failure.map_or(Ok(()), Err)
    }

    fn epoch(&mut self, epoch: &Epoch) -> ControlFlow<()> {
        let errors = epoch.valid.as_ref().and_then(HeldOut::errors);
        let lists = epoch.valid.as_ref().and_then(HeldOut::lists);
        let line = EpochLine {
            epoch: epoch.epoch,
            train_loss: epoch.train_loss,
            valid_rmse: errors.map(RatingErrors::rmse),
            valid_mae: errors.map(RatingErrors::mae),
            valid_recall: lists.map(ListMeans::recall),
            valid_ndcg: lists.map(ListMeans::ndcg),
            learning_rate: epoch.learning_rate,
            negatives: (epoch.negatives > 0).then_some(epoch.negatives),
            seconds: self.epoch_seconds,
            ratings_per_second: self.n_ratings as f64 / self.epoch_seconds.max(1e-9),
        };
        let json = serde_json::to_string(&line).expect("numbers and names");
        match &self.show {
            Show::Bar(bar) => {
                bar.set_message(figures(&line));
                bar.set_position(epoch.epoch as u64);
            }
            Show::Plain
                if epoch.epoch.is_multiple_of(self.epochs.div_ceil(20))
                    || epoch.epoch == 1
                    || epoch.epoch == self.epochs =>
            {
                let left = self.seconds / epoch.epoch as f64 * (self.epochs - epoch.epoch) as f64;
                let left = match left {
                    long if long >= 1.0 => format!("  {long:.0} s left"),
                    _ => String::new(),
                };
                complain(format!(
                    "epoch {:>4}/{}  {}{left}",
                    epoch.epoch,
                    self.epochs,
                    figures(&line)
                ));
            }
            Show::Json => complain(&json),
            Show::Plain | Show::Nothing => {}
        }
        match self.log.map(|run| run.append_metrics(&json)) {
            Some(Err(error)) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// `loss 0.8123  valid RMSE 0.9231  12.3 M ratings/s`, or `loss 0.2123  valid recall@20 0.1812  NDCG@20 0.1523  12.3 M ratings/s`
fn figures(line: &EpochLine) -> String {
    let valid = match (line.valid_rmse, line.valid_recall, line.valid_ndcg) {
        (Some(rmse), ..) => format!("  valid RMSE {rmse:.4}"),
        (_, Some(recall), Some(ndcg)) => {
            format!("  valid recall@20 {recall:.4}  NDCG@20 {ndcg:.4}")
        }
        _ => String::new(),
    };
    let negatives = match line.negatives {
        Some(n) => format!("  {} negatives", grouped(n)),
        None => String::new(),
    };
    let speed = match line.ratings_per_second {
        fast if fast >= 1e6 => format!("{:.1} M", fast / 1e6),
        slow => format!("{:.0} k", slow / 1e3),
    };
    let loss = line.train_loss;
    format!("loss {loss:.4}{valid}{negatives}  {speed} ratings/s")
}

impl Observer for Watch<'_> {
    fn on_event(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Started {
                n_ratings, epochs, ..
            } => {
                (self.n_ratings, self.epochs) = (*n_ratings, *epochs);
                if let Show::Bar(bar) = &self.show {
                    bar.set_length(*epochs as u64);
                    let style = ProgressStyle::with_template(
                        "epoch {pos}/{len} {bar:24} {msg}  {eta} left",
                    );
                    bar.set_style(style.expect("a template that was tried"));
                }
                ControlFlow::Continue(())
            }
            Event::EpochStarted { .. } => {
                self.epoch_began = Instant::now();
                ControlFlow::Continue(())
            }
            Event::EpochTrained { .. } => {
                self.epoch_seconds = self.epoch_began.elapsed().as_secs_f64();
                self.seconds += self.epoch_seconds;
                ControlFlow::Continue(())
            }
            Event::EpochEnded(epoch) => self.epoch(epoch),
        }
    }
}
