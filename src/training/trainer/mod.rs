//! In which order is all of it done?
//!
//! [`Trainer::run`] is the loop of the chapter's first page. It looks at every epoch's tables for a number that is not finite, keeps the last good ones, and keeps the
//! best ones where there is validation.
//!
//! | file | question |
//! |---|---|
//! | `steps` | which steps make an epoch? |
//! | `keeping` | which parameters are kept? |
//! | `divergence` | has a number run away? |
//! | `access` | what can be asked of a trainer? |

mod access;
mod divergence;
mod keeping;
mod steps;

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::batches::Batches;
use super::config::Checked;
use super::groups::Chosen;
use super::observer::{Epoch, Event, Observer};
use super::places::{self, Way};
use super::state::State;
use super::strata::Strata;
use super::validation::{Lists, Predictions};
use crate::data::{Dataset, Interactions};
use crate::gradient::{Gradient, Objective};
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real};
use crate::metrics::HeldOut;
use crate::model::Parameters;
use crate::optimizer::Optimizer;
use crate::{Error, Result};

/// Trains tables of `T` on a data set.
#[derive(Debug)]
pub struct Trainer<'d, T> {
    pub(super) checked: Checked,
    pub(super) data: &'d Dataset,
    /// With places for rows while training goes by blocks.
    pub(super) valid: Option<Cow<'d, Interactions>>,
    /// The same by user, with rows of their own, where lists are judged.
    pub(super) lists: Option<Lists>,
    /// Whether the state is in block order.
    pub(super) in_block_order: bool,
    pub(super) batches: Batches<'d>,
    pub(super) objective: Objective,
    pub(super) optimizer: Optimizer,
    pub(super) columns: [Chosen; 2],
    pub(super) predictions: Predictions,
    pub(super) state: State<T>,
    /// The parameters before the epoch at work, in the order of the state.
    pub(super) last_good: Option<Parameters<T>>,
    /// The buffers of training by blocks, while it goes on.
    pub(super) strata: Option<Strata<T>>,
    pub(super) gradient: Gradient<T>,
    /// Negatives drawn in the last epoch.
    pub(super) negatives: u64,
    pub(super) pool: Pool,
    pub(super) kernel: Kernel,
}

/// Why training ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ending {
    /// All epochs are done.
    Completed,
    /// `patience` epochs brought nothing better.
    Patience,
    /// An observer said so.
    Observer,
    /// A number was not finite; the [`Error::Diverged`] says where.
    Diverged(Error),
    /// Ratings that are not in memory could not be read.
    Failed(Error),
}

/// What is done with the state after an epoch: it is copied where it is asked for, with rows in their own order.
pub type Keeping<'k, T> = &'k mut dyn FnMut(&Epoch, &dyn Fn() -> State<T>) -> ControlFlow<()>;

/// How training ended.
#[derive(Debug)]
pub struct Finish {
    /// Why.
    pub ending: Ending,
    /// Epochs that were trained to their end.
    pub epochs: usize,
    /// The epoch whose parameters were kept; 0 for the initial ones.
    pub kept: usize,
    /// How what was held out came out at the kept epoch.
    pub valid: Option<HeldOut>,
}

impl<'d, T: Real> Trainer<'d, T> {
    /// Trains from the state to the last epoch, or until patience or the observer ends it.
    ///
    /// Where ratings are cut into blocks, the state is in block order until the end.
    pub fn run(&mut self, observer: &mut impl Observer) -> Finish {
        self.run_keeping(observer, &mut |_, _| ControlFlow::Continue(()))
    }

    /// [`run`](Trainer::run); after each epoch `keep` may take a copy of the state, to go on from, and end the training.
    pub fn run_keeping(&mut self, observer: &mut impl Observer, keep: Keeping<'_, T>) -> Finish {
        let valid = self.valid.clone();
        self.arrange(Way::In);
        let finish = self.epochs(observer, keep, Trainer::steps);
        self.last_good = None;
        self.arrange(Way::Out);
        self.valid = valid;
        finish
    }

    /// Puts everything that goes by rows into block order, or back.
    fn arrange(&mut self, way: Way) {
        let Some(blocks) = self.batches.blocks() else {
            return;
        };
        self.in_block_order = way == Way::In;
        if !blocks.users.is_identity() {
            places::state(&mut self.state, blocks, way);
            places::objective(&mut self.objective, blocks, way);
            let valid = self.valid.take();
            self.valid = valid.map(|ratings| Cow::Owned(places::ratings(&ratings, blocks)));
        }
        self.strata = match (way, &self.batches) {
            (Way::In, Batches::Strata(blocks)) => {
                let epochs = self.checked.0.n_epochs();
                let optimizer = &self.optimizer;
                Some(Strata::new(
                    &self.state,
                    blocks,
                    optimizer,
                    epochs,
                    &self.pool,
                ))
            }
            _ => None,
        };
    }

    /// The loop: `train` does an epoch and returns what `train_loss` is N times of.
    pub(super) fn epochs(
        &mut self,
        observer: &mut impl Observer,
        keep: Keeping<'_, T>,
        mut train: impl FnMut(&mut Self, usize) -> Result<f64>,
    ) -> Finish {
        let config = self.config().clone();
        let started = Event::Started {
            n_ratings: self.data.n_ratings(),
            n_parameters: self.n_parameters(),
            epochs: config.n_epochs(),
        };
        let mut go_on = observer.on_event(&started);
        let mut ending = Ending::Completed;
        loop {
            if self.patience_is_over() {
                ending = Ending::Patience;
                break;
            }
            if self.state.epoch >= config.n_epochs() {
                break;
            }
            if go_on.is_break() {
                ending = Ending::Observer;
                break;
            }
            match self.epoch(observer, &mut train) {
                Ok((epoch, control)) => {
                    let kept = keep(&epoch, &|| self.snapshot());
                    go_on = if control.is_break() { control } else { kept };
                }
                Err(error) => {
                    ending = match error {
                        Error::Diverged { .. } => Ending::Diverged(error),
                        error => Ending::Failed(error),
                    };
                    break;
                }
            }
        }
        self.finish(ending, config.keep)
    }

    /// One epoch: all its steps, the finite check, validation. On divergence the state is that of the epoch before, apart from the moments.
    fn epoch(
        &mut self,
        observer: &mut impl Observer,
        train: &mut impl FnMut(&mut Self, usize) -> Result<f64>,
    ) -> Result<(Epoch, ControlFlow<()>)> {
        let number = self.state.epoch + 1;
        let (steps, learning_rate) = (self.state.steps, self.learning_rate());
        let mut control = observer.on_event(&Event::EpochStarted { epoch: number });
        self.remember();
        let trained = train(self, number);
        let loss = trained.as_ref().map_or(0.0, |loss| *loss);
        if let Err(diverged) = trained.and_then(|_| self.finite(number)) {
            self.go_back();
            return Err(diverged);
        }
        self.state.epoch = number;
        let also = |control: ControlFlow<()>, more: ControlFlow<()>| {
            if control.is_break() { control } else { more }
        };
        control = also(
            control,
            observer.on_event(&Event::EpochTrained { epoch: number }),
        );
        let valid = self.held_out();
        let improved = valid.is_some_and(|valid| self.note_best(number, valid));
        let epoch = Epoch {
            epoch: number,
            train_loss: loss / self.batches.n_examples() as f64,
            valid,
            learning_rate: (self.state.steps > steps).then_some(learning_rate),
            negatives: self.negatives,
            improved,
        };
        control = also(
            control,
            observer.on_event(&Event::EpochEnded(epoch.clone())),
        );
        Ok((epoch, control))
    }
}
