//! What does one call make of a data set?
//!
//! Training is chapter 7's; here a model gets what it is measured against, so that every saved model can be judged without its training ratings.

use crate::data::Dataset;
use crate::kernels::Real;
use crate::model::Baseline;
use crate::training::{Checked, Ending, Observer, Trainer};
use crate::{Model, Result};

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

    /// The model of the parameters as they are, with the baseline of the same ratings beside it. The examples are given back before the model is made: this is the end of training.
    ///
    /// # Errors
    /// As [`baseline`](Trainer::baseline).
    pub fn into_model(self) -> Result<Model> {
        let baseline = self.baseline()?;
        let mut model = self.into_model_alone()?;
        model.baseline = Some(baseline);
        Ok(model)
    }
}

impl Checked {
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
        let mut trainer = self.trainer::<f32>(train, valid.map(|valid| &valid.interactions))?;
        match trainer.run(observer).ending {
            Ending::Diverged(error) | Ending::Failed(error) => Err(error),
            _ => trainer.into_model(),
        }
    }
}
