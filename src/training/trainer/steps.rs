//! Which steps make an epoch?
//!
//! In full batch one, in mini-batches one a batch; by blocks each row steps once a stratum.

use super::Trainer;
use crate::Result;
use crate::kernels::Real;
use crate::optimizer::sweep::Update;
use crate::training::State;
use crate::training::batches::Batches;
use crate::training::config::Config;
use crate::training::strata::Task;

impl<T: Real> Trainer<'_, T> {
    /// All steps of an epoch; Σ c·ℓ, each before its step.
    pub(super) fn steps(&mut self, epoch: usize) -> Result<f64> {
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
        self.negatives = self.batches.for_each(epoch, pool, |batch| {
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
    pub(super) fn learning_rate(&self) -> f64 {
        rates(&self.checked.0, self.batches.steps_per_epoch())(self.state.steps)
    }
}

/// η at each step of a run; beyond the horizon that of its last step.
fn rates(config: &Config, steps_per_epoch: u64) -> impl Fn(u64) -> f64 {
    let (schedule, base, warmup, epochs) = (
        config.schedule,
        config.base_rate(),
        config.warmup,
        config.schedule_epochs(),
    );
    let last = (epochs as u64 * steps_per_epoch).saturating_sub(1);
    move |step| schedule.rate(base, warmup, step.min(last), epochs, steps_per_epoch)
}
