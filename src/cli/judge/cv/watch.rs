//! How does one see how far the folds are, and how long did each training take?
//!
//! A line a fold and a line a model; on a terminal a bar while it trains. The clock is read here: seconds are those from ratings to model.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::Instant;

use super::super::asked::said;
use super::figures::Run;
use crate::cli::output::{Manner, counted, grouped};
use crate::cli::table;
use crate::cli::train::progress::{Progress, Watch};
use crate::evaluation::{CrossEvent, CrossObserver};
use crate::training::Observer;

/// Watches a cross-validation.
pub(super) struct Folds {
    manner: Manner,
    progress: Progress,
    /// What each candidate is called.
    labels: Vec<String>,
    /// What was found: a row a fold, in it a run a candidate.
    pub(super) runs: Vec<Vec<Run>>,
    n_train: usize,
    began: Instant,
    seconds: f64,
    /// What is at work.
    pub(super) place: String,
    bar: Option<Watch<'static>>,
}

impl Folds {
    /// Nothing has happened yet.
    pub(super) fn new(manner: Manner, progress: Progress, labels: Vec<String>) -> Folds {
        // Lines of epochs would bury those of folds.
        let progress = match progress {
            Progress::Auto if !std::io::stderr().is_terminal() => Progress::None,
            asked => asked,
        };
        Folds {
            manner,
            progress,
            labels,
            runs: Vec::new(),
            n_train: 0,
            began: Instant::now(),
            seconds: 0.0,
            place: String::new(),
            bar: None,
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&mut self) {
        // It writes no log that could fail.
        let _ = self.bar.take().map(Watch::finish);
    }
}

impl CrossObserver for Folds {
    fn on_event(&mut self, event: &CrossEvent<'_>) -> ControlFlow<()> {
        match event {
            CrossEvent::FoldStarted {
                fold,
                n_train,
                n_test,
            } => {
                self.n_train = *n_train;
                self.runs.push(Vec::new());
                let (train, test) = (counted(*n_train as u64, "rating"), grouped(*n_test as u64));
                self.manner
                    .note(format_args!("fold {fold}: {train}, {test} to test"));
            }
            CrossEvent::FitStarted { fold, candidate } => {
                let label = table::safe(&self.labels[*candidate]);
                self.place = format!("fold {fold}, {label}");
                self.bar = Some(Watch::new(self.progress, self.manner.quiet, None));
                self.began = Instant::now();
            }
            CrossEvent::Training { event, .. } => {
                if let Some(bar) = &mut self.bar {
                    return bar.on_event(event);
                }
            }
            CrossEvent::FitEnded { .. } => {
                self.seconds = self.began.elapsed().as_secs_f64();
                self.clear();
            }
            CrossEvent::Judged {
                candidate, found, ..
            } => {
                let seconds = self.seconds;
                self.manner.note(format_args!(
                    "  {}: {}  {seconds:.1} s",
                    table::safe(&self.labels[*candidate]),
                    said(&found.model)
                ));
                let run = Run {
                    found: (*found).clone(),
                    n_train: self.n_train,
                    seconds,
                };
                self.runs.last_mut().expect("a fold has begun").push(run);
            }
        }
        ControlFlow::Continue(())
    }
}
