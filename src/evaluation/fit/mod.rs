//! What does one call make of a data set?
//!
//! Training is chapter 7's; here a model gets what it is measured against, so that every saved model can be judged without its training ratings.
//!
//! | file | question |
//! |---|---|
//! | [`recipe`] | what suits these ratings? |
//! | `clicks` | what suits these clicks? |
//! | [`ensemble`] | what do several models say together? |
//! | [`warm`] | how does a training start from a model that is there already? |
//! | `reference` | what did the training look like? |

mod clicks;
pub mod ensemble;
pub mod recipe;
mod reference;
pub mod warm;

use crate::bayes::Inference;
use crate::data::{Dataset, Interactions};
use crate::gradient::AllCells;
use crate::kernels::Real;
use crate::loss::LossKind;
use crate::model::{Baseline, Reference};
use crate::training::als::Als;
use crate::training::config::Method;
use crate::training::{Checked, Config, Ending, Finish, Keeping, Observer, Trainer};
use crate::{Model, Result};
use ensemble::Ensemble;
pub use recipe::Recipe;
pub use warm::WarmStart;

impl<T: Real> Trainer<'_, T> {
    /// What a model without factors makes of the same ratings.
    ///
    /// # Errors
    /// Where ratings that are not in memory cannot be read.
    pub fn baseline(&self) -> Result<Baseline> {
        let data = self.data();
        match self.blocks() {
            Some(blocks) => Baseline::fit_blocks(blocks, self.pool()),
            None => Ok(Baseline::fit(
                &data.interactions,
                data.n_users(),
                data.n_items(),
            )),
        }
    }

    /// The model of the parameters as they are, with the baseline of the same ratings beside it, which an order or a probability has not, and with its [`Reference`]. The examples are given back before the model is made: this is the end of training.
    ///
    /// # Errors
    /// As [`baseline`](Trainer::baseline).
    pub fn into_model(self) -> Result<Model> {
        let data = self.data();
        with_reference(self.with_baseline()?, data)
    }

    fn with_baseline(self) -> Result<Model> {
        let baseline = match self.config().ranks() {
            true => None,
            false => Some(self.baseline()?),
        };
        let mut model = self.into_model_alone()?;
        model.baseline = baseline;
        Ok(model)
    }
}

fn with_reference(mut model: Model, data: &Dataset) -> Result<Model> {
    model.reference = Some(Reference::of(&model, data)?);
    Ok(model)
}

/// A training of whatever method.
#[derive(Debug)]
pub enum Training<'d> {
    /// Of one set of tables.
    Point(Box<Trainer<'d, f32>>),
    /// In closed form.
    Closed(Box<Als<'d>>),
    /// Of their posterior.
    Posterior(Box<Inference<'d>>),
    /// Of several models.
    Ensemble(Box<Ensemble<'d>>),
}

impl<'d> Training<'d> {
    /// What was asked for.
    pub fn config(&self) -> &Config {
        match self {
            Training::Ensemble(ensemble) => ensemble.config(),
            _ => self.trainer().config(),
        }
    }

    /// The trainer that it is, or stands on; of an ensemble, the first member's.
    pub fn trainer(&self) -> &Trainer<'d, f32> {
        match self {
            Training::Ensemble(ensemble) => ensemble.first().trainer(),
            Training::Point(trainer) => trainer,
            Training::Closed(als) => als.trainer(),
            Training::Posterior(inference) => inference.trainer(),
        }
    }

    /// The trainer of one set of tables, to be given other first values; a posterior has none to give.
    pub fn point_mut(&mut self) -> Option<&mut Trainer<'d, f32>> {
        match self {
            Training::Point(trainer) => Some(trainer),
            Training::Closed(als) => Some(als.trainer_mut()),
            Training::Posterior(_) | Training::Ensemble(_) => None,
        }
    }

    /// Trains to the end.
    pub fn run(&mut self, observer: &mut impl Observer) -> Finish {
        match self {
            Training::Ensemble(ensemble) => ensemble.run(observer),
            Training::Point(trainer) => trainer.run(observer),
            Training::Closed(als) => als.run(observer),
            Training::Posterior(inference) => inference.run(observer),
        }
    }

    /// [`run`](Training::run), where there is one set of tables; after each epoch `keep` may take a copy of the state. A posterior keeps nothing.
    pub fn run_keeping(&mut self, observer: &mut impl Observer, keep: Keeping<'_, f32>) -> Finish {
        match self {
            Training::Point(trainer) => trainer.run_keeping(observer, keep),
            Training::Closed(als) => als.run_keeping(observer, keep),
            _ => self.run(observer),
        }
    }

    /// What has been learnt, with the baseline of the same ratings and the [`Reference`] beside it.
    ///
    /// # Errors
    /// Where ratings that are not in memory cannot be read.
    pub fn into_model(self) -> Result<Model> {
        let data = self.trainer().data();
        with_reference(self.with_baseline()?, data)
    }

    fn with_baseline(self) -> Result<Model> {
        match self {
            Training::Ensemble(ensemble) => ensemble.into_model(),
            Training::Point(trainer) => trainer.with_baseline(),
            Training::Closed(als) => als.into_trainer().with_baseline(),
            Training::Posterior(inference) => {
                let baseline = inference.trainer().baseline()?;
                let mut model = inference.into_model_alone()?;
                model.baseline = Some(baseline);
                Ok(model)
            }
        }
    }
}

impl Checked {
    /// A training of the method that was asked for, at its start; as [`trainer`](Checked::trainer).
    ///
    /// # Errors
    /// Those of [`trainer`](Checked::trainer), and [`Error::Config`](crate::Error::Config) where the method needs ratings in memory and they are not.
    pub fn training<'d>(
        &self,
        train: &'d Dataset,
        valid: Option<&'d Interactions>,
    ) -> Result<Training<'d>> {
        if self.config().method == Method::Ensemble {
            return Ok(Training::Ensemble(Box::new(Ensemble::new(
                self, train, valid,
            )?)));
        }
        let trainer = self.trainer::<f32>(train, valid)?;
        Ok(match trainer.config().method {
            Method::Point | Method::Auto => Training::Point(Box::new(trainer)),
            Method::Als => {
                let config = trainer.config();
                let LossKind::AllCells { unobserved_weight } = config.loss else {
                    unreachable!("a checked configuration");
                };
                let cells = AllCells::new(unobserved_weight, trainer.objective().l2_scale);
                Training::Closed(Box::new(Als::new(trainer, cells)?))
            }
            _ => Training::Posterior(Box::new(Inference::new(trainer)?)),
        })
    }

    /// Trains on `train` and returns the model; `valid`, if given, shares `train`'s users and items, as the halves of a split do.
    ///
    /// ```
    /// use lowrank::data::Dataset;
    /// use lowrank::training::Config;
    /// let ratings = [("ann", "Heat", 5.0), ("ann", "Up", 1.0), ("bob", "Heat", 4.0), ("bob", "Up", 2.0), ("eve", "Heat", 5.0)];
    /// let data = Dataset::builder().rows(ratings)?.build()?;
    /// let model = Config::rating().n_factors(2).epochs(20).check()?.fit(&data, None, &mut ())?;
    /// let prediction = model.predict("eve", "Up")?;
    /// assert!(prediction.value < model.predict("eve", "Heat")?.value);
    /// # Ok::<(), lowrank::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`trainer`](Checked::trainer), and [`Error::Diverged`](crate::Error::Diverged). Where the last good parameters are wanted even then, run a [`Trainer`].
    pub fn fit(
        &self,
        train: &Dataset,
        valid: Option<&Dataset>,
        observer: &mut impl Observer,
    ) -> Result<Model> {
        let valid = valid.map(|valid| &valid.interactions);
        let settled = self.settle(train, valid)?.checked;
        let mut training = settled.training(train, valid)?;
        match training.run(observer).ending {
            Ending::Diverged(error) | Ending::Failed(error) => Err(error),
            _ => training.into_model(),
        }
    }
}
