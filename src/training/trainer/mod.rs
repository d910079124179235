//! In which order is all of it done?
//!
//! [`Trainer::run`] is the loop of the chapter's first page. It looks at every epoch's tables for a number that is not finite, keeps the last good ones, and keeps the
//! best ones where there is validation.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::batches::Batches;
use super::config::Checked;
use super::config::{Config, Keep, Monitor};
use super::groups::Chosen;
use super::observer::{Epoch, Event, Observer};
use super::places::{self, Way};
use super::state::{Best, State};
use super::strata::{Strata, Task};
use super::validation::Predictions;
use super::{collapse, validation};
use crate::data::layout::Blocks;
use crate::data::{Dataset, Interactions};
use crate::gradient::{Gradient, Objective};
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real};
use crate::metrics::RatingErrors;
use crate::model::{Model, Parameters, Table};
use crate::optimizer::Optimizer;
use crate::optimizer::sweep::Update;
use crate::{Error, Result};

/// Trains tables of `T` on a data set.
#[derive(Debug)]
pub struct Trainer<'d, T> {
    pub(super) checked: Checked,
    pub(super) data: &'d Dataset,
    /// With places for rows while training goes by blocks.
    pub(super) valid: Option<Cow<'d, Interactions>>,
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

/// How training ended.
#[derive(Debug)]
pub struct Finish {
    /// Why.
    pub ending: Ending,
    /// Epochs that were trained to their end.
    pub epochs: usize,
    /// The epoch whose parameters were kept; 0 for the initial ones.
    pub kept: usize,
    /// The kept epoch's errors on the held-out ratings.
    pub valid: Option<RatingErrors>,
}

impl<'d, T: Real> Trainer<'d, T> {
    /// Trains from the state to the last epoch, or until patience or the observer ends it.
    ///
    /// Where ratings are cut into blocks, the state is in block order until the end.
    pub fn run(&mut self, observer: &mut impl Observer) -> Finish {
        let valid = self.valid.clone();
        self.arrange(Way::In);
        let finish = self.epochs(observer);
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
        if !blocks.users.is_identity() {
            places::state(&mut self.state, blocks, way);
            places::objective(&mut self.objective, blocks, way);
            let valid = self.valid.take();
            self.valid = valid.map(|ratings| Cow::Owned(places::ratings(&ratings, blocks)));
        }
        self.strata = match (way, &self.batches) {
            (Way::In, Batches::Strata(blocks)) => {
                let task = Task {
                    blocks,
                    objective: &self.objective,
                    optimizer: &self.optimizer,
                    pool: &self.pool,
                    kernel: self.kernel,
                };
                Some(Strata::new(&self.state, task, self.checked.0.n_epochs()))
            }
            _ => None,
        };
    }

    fn epochs(&mut self, observer: &mut impl Observer) -> Finish {
        let config = self.config().clone();
        let started = Event::Started {
            n_ratings: self.data.n_ratings(),
            n_parameters: self.n_parameters(),
            epochs: config.n_epochs(),
        };
        let mut go_on = observer.on_event(&started);
        let mut ending = Ending::Completed;
        while self.state.epoch < config.n_epochs() {
            if go_on.is_break() {
                ending = Ending::Observer;
                break;
            }
            match self.epoch(observer) {
                Ok((epoch, control)) => {
                    go_on = control;
                    let best = self
                        .state
                        .best
                        .as_ref()
                        .map_or(epoch.epoch, |best| best.epoch);
                    if config.patience.is_some_and(|patience| {
                        self.valid.is_some() && epoch.epoch - best >= patience
                    }) {
                        ending = Ending::Patience;
                        break;
                    }
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
    fn epoch(&mut self, observer: &mut impl Observer) -> Result<(Epoch, ControlFlow<()>)> {
        let number = self.state.epoch + 1;
        let learning_rate = self.learning_rate();
        let mut control = observer.on_event(&Event::EpochStarted { epoch: number });
        self.remember();
        let trained = self.steps(number);
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
        let valid = self.valid.as_deref().map(|ratings| self.errors(ratings));
        let improved = valid.is_some_and(|errors| self.note_best(number, errors));
        let epoch = Epoch {
            epoch: number,
            train_loss: loss / self.data.n_ratings() as f64,
            valid,
            learning_rate,
            improved,
        };
        control = also(
            control,
            observer.on_event(&Event::EpochEnded(epoch.clone())),
        );
        Ok((epoch, control))
    }

    /// Keeps the parameters as they are, to go back to.
    fn remember(&mut self) {
        match &mut self.last_good {
            Some(kept) => kept.copy_from(&self.state.parameters),
            None => self.last_good = Some(self.state.parameters.clone()),
        }
    }

    /// Puts back what was kept.
    fn go_back(&mut self) {
        if let Some(kept) = &self.last_good {
            self.state.parameters.copy_from(kept);
        }
    }

    /// All steps of an epoch; Σ c·ℓ, each before its step.
    fn steps(&mut self, epoch: usize) -> Result<f64> {
        if let Batches::Strata(_) = self.batches {
            return (0..self.batches.steps_per_epoch())
                .map(|s| self.stratum(s as usize))
                .sum();
        }
        let mut loss = 0.0;
        let rate = rates(&self.checked.0, self.batches.steps_per_epoch());
        let State {
            parameters,
            moments,
            steps,
            ..
        } = &mut self.state;
        let (gradient, pool, kernel) = (&mut self.gradient, &self.pool, self.kernel);
        self.batches.for_each(epoch, |batch| {
            loss += gradient.compute(&self.objective, parameters, batch, pool, kernel);
            let learning_rate = rate(*steps);
            *steps += 1;
            let update = Update {
                optimizer: self.optimizer,
                learning_rate,
                t: *steps,
            };
            let tables = parameters
                .users
                .tables_mut()
                .chain(parameters.items.tables_mut());
            for ((table, moments), gradient) in tables.zip(&mut *moments).zip(gradient.tables()) {
                update.apply(table, moments, gradient, pool, kernel);
            }
        });
        Ok(loss)
    }

    /// Stratum `s` of an epoch; Σ c·ℓ, each before the step of its block.
    fn stratum(&mut self, s: usize) -> Result<f64> {
        let (Batches::Strata(blocks), Some(strata)) = (&self.batches, &mut self.strata) else {
            return Ok(0.0);
        };
        let task = Task {
            blocks,
            objective: &self.objective,
            optimizer: &self.optimizer,
            pool: &self.pool,
            kernel: self.kernel,
        };
        let rate = rates(&self.checked.0, self.batches.steps_per_epoch());
        let learning_rate = rate(self.state.steps);
        self.state.steps += 1;
        strata.stratum(&mut self.state, task, s, learning_rate)
    }

    /// η at the next step.
    fn learning_rate(&self) -> f64 {
        rates(&self.checked.0, self.batches.steps_per_epoch())(self.state.steps)
    }

    /// Whether the epoch is the best so far; if so it is kept.
    fn note_best(&mut self, epoch: usize, errors: RatingErrors) -> bool {
        let config = self.config();
        let monitored = |errors: &RatingErrors| match config.monitor {
            Monitor::ValidRmse => errors.rmse(),
            Monitor::ValidMae => errors.mae(),
        };
        let improved = self
            .state
            .best
            .as_ref()
            .is_none_or(|best| monitored(&errors) < monitored(&best.errors));
        if improved {
            let parameters = (config.keep == Keep::Best).then(|| self.state.parameters.clone());
            self.state.best = Some(Best {
                epoch,
                errors,
                parameters,
            });
        }
        improved
    }

    /// Puts the parameters that are to be kept into the state.
    fn finish(&mut self, ending: Ending, keep: Keep) -> Finish {
        let epochs = self.state.epoch;
        let best = self.state.best.as_mut().filter(|_| keep == Keep::Best);
        match best.and_then(|best| Some((best.epoch, best.errors, best.parameters.take()?))) {
            Some((kept, errors, parameters)) => {
                self.state.parameters = parameters;
                Finish {
                    ending,
                    epochs,
                    kept,
                    valid: Some(errors),
                }
            }
            None => {
                let valid = self.valid.as_deref().map(|ratings| self.errors(ratings));
                Finish {
                    ending,
                    epochs,
                    kept: epochs,
                    valid,
                }
            }
        }
    }

    /// The model of the parameters as they are.
    ///
    /// # Errors
    /// Where ratings that are not in memory cannot be read.
    pub fn model(&self) -> Result<Model> {
        let seen = collapse::seen(self.data, &self.objective.users.counts[0])?;
        Ok(collapse::model(
            &self.state.parameters,
            self.data,
            self.predictions,
            seen,
            &self.objective.users,
            &self.objective.items,
        ))
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.checked.0
    }

    /// What is minimised.
    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// Where training stands.
    pub fn state(&self) -> &State<T> {
        &self.state
    }

    /// The tables, to be given other first values.
    pub fn parameters_mut(&mut self) -> &mut Parameters<T> {
        &mut self.state.parameters
    }

    /// The columns of users and of items that are features, and those that are not.
    pub fn columns(&self) -> &[Chosen; 2] {
        &self.columns
    }

    /// The machine code that runs.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The threads that run.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// The optimizer.
    pub fn optimizer(&self) -> &Optimizer {
        &self.optimizer
    }

    /// The errors of the parameters as they are on `ratings`.
    pub fn errors(&self, ratings: &Interactions) -> RatingErrors {
        validation::errors(
            &self.state.parameters,
            self.predictions,
            ratings,
            &self.pool,
        )
    }

    /// What it trains on.
    pub fn data(&self) -> &'d Dataset {
        self.data
    }

    /// Ratings to train on.
    pub fn n_ratings(&self) -> usize {
        self.data.n_ratings()
    }

    /// Gives back the memory of the examples; nothing is left to train on.
    pub(crate) fn release_examples(&mut self) {
        self.batches = Batches::Mini {
            ratings: &self.data.interactions,
            size: usize::MAX,
            shuffle: false,
            seed: 0,
        };
        self.gradient = Gradient::default();
    }

    /// The ratings in blocks, where they are cut into such; in block order.
    pub(crate) fn blocks(&self) -> Option<&Blocks> {
        self.batches.blocks()
    }

    /// The threads that run.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// B, where the ratings are cut into blocks.
    pub fn n_blocks(&self) -> Option<usize> {
        self.batches.blocks().map(Blocks::n_blocks)
    }

    /// Numbers to learn, padding not counted.
    pub fn n_parameters(&self) -> usize {
        let Parameters { users, items, .. } = &self.state.parameters;
        let of =
            |table: &Table<T>| table.factors().len() + table.bias_slice().map_or(0, <[T]>::len);
        users.tables().chain(items.tables()).map(of).sum()
    }
}

/// η at each step of a run.
fn rates(config: &Config, steps_per_epoch: u64) -> impl Fn(u64) -> f64 {
    let (schedule, base, warmup, epochs) = (
        config.schedule,
        config.base_rate(),
        config.warmup,
        config.n_epochs(),
    );
    move |step| schedule.rate(base, warmup, step, epochs, steps_per_epoch)
}
