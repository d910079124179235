//! What can be asked of a trainer?

use super::Trainer;
use crate::Result;
use crate::data::layout::Blocks;
use crate::data::{Dataset, Interactions};
use crate::gradient::Objective;
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real};
use crate::metrics::{HeldOut, RatingErrors};
use crate::model::{Clip, Model, Parameters, Table};
use crate::optimizer::Optimizer;
use crate::training::config::Config;
use crate::training::groups::Chosen;
use crate::training::{State, collapse, validation};

impl<'d, T: Real> Trainer<'d, T> {
    /// The model of the parameters as they are.
    ///
    /// # Errors
    /// Where ratings that are not in memory cannot be read.
    pub fn model(&self) -> Result<Model> {
        collapse::model(
            &self.state.parameters,
            self.data,
            self.predictions,
            &self.objective,
        )
    }

    /// The model of other parameters: of any width, and with some of the groups.
    pub(crate) fn collapse(&self, parameters: &Parameters<T>) -> Result<Model> {
        collapse::model(parameters, self.data, self.predictions, &self.objective)
    }

    /// The held-out ratings.
    pub(crate) fn valid(&self) -> Option<&Interactions> {
        self.valid.as_deref()
    }

    /// What finished predictions are cut to.
    pub(crate) fn clip(&self) -> Option<Clip> {
        self.predictions.clip
    }

    /// [`model`](Trainer::model), when the memory of the examples is given back: this is the end of training.
    ///
    /// # Errors
    /// As [`model`](Trainer::model).
    pub(crate) fn into_model_alone(self) -> Result<Model> {
        drop((self.batches, self.gradient, self.state.moments));
        collapse::model(
            &self.state.parameters,
            self.data,
            self.predictions,
            &self.objective,
        )
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

    /// Where training stands, to be put elsewhere: see [`State`].
    pub fn state_mut(&mut self) -> &mut State<T> {
        &mut self.state
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

    /// How the parameters as they are do on what was held out; in the order of the state.
    pub(crate) fn held_out(&self) -> Option<HeldOut> {
        let (parameters, predictions) = (&self.state.parameters, self.predictions);
        let ratings = self.valid.as_deref()?;
        Some(match &self.lists {
            None => HeldOut::Ratings(self.errors(ratings)),
            Some(lists) => {
                let blocks = self.blocks().filter(|_| self.in_block_order);
                let (kernel, pool) = (self.kernel, &self.pool);
                HeldOut::Lists(lists.judge(parameters, predictions, blocks, kernel, pool))
            }
        })
    }

    /// What it trains on.
    pub fn data(&self) -> &'d Dataset {
        self.data
    }

    /// Ratings to train on.
    pub fn n_ratings(&self) -> usize {
        self.data.n_ratings()
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
