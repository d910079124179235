//! How does a training by sweeps go?
//!
//! As one by an optimizer: an epoch is a sweep, an observer hears the same events, held-out ratings are looked at after each. What is left at the end is the posterior's mean, of
//! the best epoch where ratings are held out; or the average of all samples after the burn-in.

use std::ops::ControlFlow;

use super::chain::Chain;
use super::collapse::{self, Averaged};
use super::start::Start;
use crate::data::Interactions;
use crate::metrics::{HeldOut, RatingErrors};
use crate::model::Clip;
use crate::training::config::{BURN_IN, Keep, Method};
use crate::training::observer::Epoch;
use crate::training::{Ending, Event, Finish, Observer, Trainer};
use crate::{Error, Model, Result};

/// The greatest deviation of ratings whose square is a number of 32 bits, with some room.
const WIDEST: f64 = 1e18;

/// The chain before its first sweep.
fn start(trainer: &Trainer<'_, f32>) -> Chain {
    let (config, objective) = (trainer.config(), trainer.objective());
    let counts = [
        &objective.users.counts[0][..],
        &objective.items.counts[0][..],
    ];
    Chain::new(
        trainer.data(),
        &trainer.state().parameters,
        config.method,
        config.seed_number(),
        counts,
        trainer.pool(),
    )
}

/// A training that finds a posterior. It stands on a [`Trainer`] for everything but the steps: the data, the groups, the configuration.
#[derive(Debug)]
pub struct Inference<'d> {
    trainer: Trainer<'d, f32>,
    pub(super) chain: Chain,
    /// Where the chain starts, if not from nothing.
    start: Option<Start>,
    kept: Option<Averaged>,
    best: Option<(usize, HeldOut)>,
    /// Σ over the kept samples of the score of each held-out rating.
    score_sums: Vec<f64>,
}

impl<'d> Inference<'d> {
    /// At its start.
    ///
    /// # Errors
    /// [`Error::Config`] where the ratings are not in memory, or deviate by more than single precision has squares for.
    pub fn new(trainer: Trainer<'d, f32>) -> Result<Inference<'d>> {
        trainer.data().in_memory("finding a posterior")?;
        let chain = start(&trainer);
        let width = chain.units.width;
        if width > WIDEST {
            return Err(Error::config(
                "ratings",
                format!("a standard deviation of {width:.1e}"),
                "at most 1e18 for a posterior: its variances are kept in single precision",
            ));
        }
        let held_out = trainer.valid().map_or(0, Interactions::len);
        Ok(Inference {
            chain,
            start: None,
            kept: None,
            best: None,
            score_sums: vec![0.0; held_out],
            trainer,
        })
    }

    /// What it stands on.
    pub fn trainer(&self) -> &Trainer<'d, f32> {
        &self.trainer
    }

    /// [`trainer`](Inference::trainer), to be given the tables that [`start_from`](Inference::start_from) reads.
    pub(crate) fn trainer_mut(&mut self) -> &mut Trainer<'d, f32> {
        &mut self.trainer
    }

    /// Starts from the trainer's tables, and from what `model`, whose tables they are, believes of them; before the first sweep.
    pub(crate) fn start_from(&mut self, model: &Model) {
        let data = self.trainer.data();
        self.start = Some(Start::new(model, &data.users.ids, &data.items.ids));
        self.chain = self.first();
    }

    /// The chain before its first sweep.
    fn first(&self) -> Chain {
        let mut chain = start(&self.trainer);
        if let Some(start) = &self.start {
            let parameters = &self.trainer.state().parameters;
            start.apply(&mut chain, parameters, self.trainer.pool());
        }
        chain
    }

    /// Sweeps until the last epoch, or until patience or the observer ends it.
    pub fn run(&mut self, observer: &mut impl Observer) -> Finish {
        let config = self.trainer.config().clone();
        let mut go_on = observer.on_event(&Event::Started {
            n_ratings: self.trainer.n_ratings(),
            n_parameters: self.trainer.n_parameters(),
            epochs: config.n_epochs(),
        });
        let mut ending = Ending::Completed;
        while self.chain.sweeps < config.n_epochs() {
            if go_on.is_break() {
                ending = Ending::Observer;
                break;
            }
            match self.epoch(observer, config.method, config.n_epochs()) {
                Ok(control) => go_on = control,
                Err(error) => {
                    self.go_back();
                    ending = Ending::Diverged(error);
                    break;
                }
            }
            let best = self.best.map_or(self.chain.sweeps, |(epoch, _)| epoch);
            if config
                .patience
                .is_some_and(|patience| self.chain.sweeps - best >= patience)
            {
                ending = Ending::Patience;
                break;
            }
        }
        self.finish(ending)
    }

    fn epoch(
        &mut self,
        observer: &mut impl Observer,
        method: Method,
        epochs: usize,
    ) -> Result<ControlFlow<()>> {
        let number = self.chain.sweeps + 1;
        let first = observer.on_event(&Event::EpochStarted { epoch: number });
        let train_loss = self.chain.sweep(self.trainer.kernel(), self.trainer.pool());
        self.finite(number)?;
        // The samples of the last `kept` sweeps; a run cut short keeps what it has.
        let is_kept = match method {
            Method::Samples(kept) => {
                number > epochs.saturating_sub(kept).max(BURN_IN.min(epochs - 1))
            }
            _ => false,
        };
        if is_kept {
            let room = epochs - number + 1;
            let (chain, trainer) = (&self.chain, &self.trainer);
            let kept = self
                .kept
                .get_or_insert_with(|| Averaged::new(trainer, chain, room));
            kept.add(chain);
        }
        let second = observer.on_event(&Event::EpochTrained { epoch: number });
        let valid = self.errors(is_kept);
        // A single draw is no average: while sampling nothing is the best before samples are kept.
        let counts = is_kept || method == Method::Variational;
        let improved = valid.is_some_and(|errors| counts && self.note(number, errors));
        let third = observer.on_event(&Event::EpochEnded(Epoch {
            epoch: number,
            train_loss,
            valid,
            learning_rate: None,
            negatives: 0,
            improved,
        }));
        let breaks = [first, second, third]
            .into_iter()
            .any(|control| control.is_break());
        Ok(if breaks {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    /// The errors on the held-out ratings: of the average so far where this sweep belongs to it, else of the tables as they are.
    fn errors(&mut self, is_kept: bool) -> Option<HeldOut> {
        let ratings = self.trainer.valid()?;
        let clip = self.trainer.clip();
        let kept = self.kept.as_ref().map_or(1, Averaged::n_samples) as f64;
        let chain = &self.chain;
        let pairs = self.score_sums.iter_mut().enumerate().map(|(n, sum)| {
            let score = chain.score(ratings.users[n], ratings.items[n]);
            if is_kept {
                *sum += score;
            }
            let score = if is_kept { *sum / kept } else { score };
            let clipped = clip.map_or(score, |Clip { lo, hi }| {
                score.clamp(f64::from(lo), f64::from(hi))
            });
            (clipped, f64::from(ratings.ratings[n]))
        });
        Some(HeldOut::Ratings(pairs.collect::<RatingErrors>()))
    }

    /// Whether the epoch is the best so far; if so its means are kept.
    fn note(&mut self, epoch: usize, valid: HeldOut) -> bool {
        let config = self.trainer.config();
        let monitor = config.monitored();
        let improved = self
            .best
            .is_none_or(|(_, best)| monitor.is_better(&valid, &best));
        if improved {
            self.best = Some((epoch, valid));
            if config.method == Method::Variational && config.keep == Keep::Best {
                self.kept = Some(Averaged::once(&self.trainer, &self.chain));
            }
        }
        improved
    }

    fn finish(&mut self, ending: Ending) -> Finish {
        let epochs = self.chain.sweeps;
        let by_means = self.trainer.config().method == Method::Variational;
        let best = self
            .best
            .filter(|_| by_means && self.trainer.config().keep == Keep::Best);
        Finish {
            ending,
            epochs,
            kept: best.map_or(epochs, |(epoch, _)| epoch),
            valid: best.map(|(_, valid)| valid),
        }
    }

    /// The tables before the sweep that has just failed. They are nowhere kept: the same sweeps find them again.
    fn go_back(&mut self) {
        let good = self.chain.sweeps - 1;
        self.chain = self.first();
        for _ in 0..good {
            self.chain.sweep(self.trainer.kernel(), self.trainer.pool());
        }
    }

    /// The first number that is not finite, if there is one.
    fn finite(&self, epoch: usize) -> Result<()> {
        let data = self.trainer.data();
        for (side, ids) in [
            (&self.chain.users, &data.users.ids),
            (&self.chain.items, &data.items.ids),
        ] {
            for (n, block) in side.blocks().enumerate() {
                if let Some(row) = block.first_not_finite() {
                    let row = if n == 0 {
                        ids.name(row as u32).to_owned()
                    } else {
                        row.to_string()
                    };
                    return Err(Error::Diverged {
                        epoch,
                        table: block.name.clone(),
                        row,
                    });
                }
            }
        }
        Ok(())
    }

    /// The model, with the baseline of the same ratings and what is known of its uncertainty.
    ///
    /// # Errors
    /// None where the ratings are in memory, which [`new`](Inference::new) has seen to.
    pub(crate) fn into_model_alone(self) -> Result<Model> {
        let kept = match self.kept {
            Some(kept) => kept,
            None => Averaged::once(&self.trainer, &self.chain),
        };
        collapse::model(&self.trainer, kept)
    }
}
