//! How does one watch a training, and stop it?
//!
//! By an [`Observer`]. The progress bar, the log of metrics and the tests are observers. The trainer keeps no clock; who wants
//! seconds takes the time between two events.

use std::ops::ControlFlow;

use crate::metrics::HeldOut;

/// What happens during training, in this order: [`Started`](Event::Started), then for each epoch [`EpochStarted`](Event::EpochStarted),
/// [`EpochTrained`](Event::EpochTrained) and [`EpochEnded`](Event::EpochEnded).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The tables are drawn.
    Started {
        /// Ratings to train on.
        n_ratings: usize,
        /// Numbers to learn.
        n_parameters: usize,
        /// Epochs to come.
        epochs: usize,
    },
    /// An epoch begins.
    EpochStarted {
        /// Its number, from 1.
        epoch: usize,
    },
    /// Its last step is done; validation has not begun.
    EpochTrained {
        /// Its number.
        epoch: usize,
    },
    /// The epoch is over.
    EpochEnded(Epoch),
}

/// The figures of one epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// (1/N) Σ c·ℓ, each example's ℓ **before** the step that it belongs to; without the penalty. In closed form it is J, penalty included, **after** the sweep.
    pub train_loss: f64,
    /// How what was held out came out **after** the epoch.
    pub valid: Option<HeldOut>,
    /// η at the epoch's first step; `None` where there are no steps, but solutions.
    pub learning_rate: Option<f64>,
    /// Negatives that were drawn: one a pair, some a click, or those that the users of each step shared; 0 where all items are taken, or none.
    pub negatives: u64,
    /// Whether the epoch is the best so far.
    pub improved: bool,
}

/// Somebody who watches.
pub trait Observer {
    /// Hears of an event; `Break` stops training at the end of the epoch.
    fn on_event(&mut self, event: &Event) -> ControlFlow<()>;
}

/// Nobody watches.
impl Observer for () {
    fn on_event(&mut self, _: &Event) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A closure watches.
///
/// ```
/// use std::ops::ControlFlow;
/// use lowrank::training::{Event, Observer};
/// let mut losses = Vec::new();
/// let mut watch = |event: &Event| {
///     if let Event::EpochEnded(epoch) = event {
///         losses.push(epoch.train_loss);
///     }
///     ControlFlow::Continue(())
/// };
/// assert!(watch.on_event(&Event::EpochStarted { epoch: 1 }).is_continue());
/// ```
impl<F: FnMut(&Event) -> ControlFlow<()>> Observer for F {
    fn on_event(&mut self, event: &Event) -> ControlFlow<()> {
        self(event)
    }
}
