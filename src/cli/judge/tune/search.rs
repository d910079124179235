//! In which order are trials made, trained, and told of?

use std::time::{Duration, Instant};

use toml::Table;

use super::super::asked;
use super::space::{Space, settings};
use super::trials::{Folder, Line, Status};
use crate::cli::output::{Manner, counted};
use crate::cli::train::settings::Settings;
use crate::evaluation::Figures;
use crate::evaluation::tuning::{Objective, Rung, best, in_order, rungs};
use crate::kernels::pool::Pool;
use crate::training::Checked;
use crate::{Error, Result};

/// One search.
pub(super) struct Search<'a> {
    pub(super) space: &'a Space,
    /// What all trials share.
    pub(super) fixed: &'a Settings,
    pub(super) objective: &'a Objective,
    pub(super) folder: &'a Folder,
    /// What trials are measured on, in words.
    pub(super) measured: &'a str,
    pub(super) seed: u64,
    pub(super) n_trials: usize,
    pub(super) halving: bool,
    pub(super) budget: Option<usize>,
    pub(super) time_limit: Option<Duration>,
    pub(super) manner: Manner,
}

/// A trial on a rung.
struct Trial {
    number: usize,
    drawn: Table,
    settings: Settings,
    /// 0 where the settings do not go together.
    epochs: usize,
}

/// What has been told of.
#[derive(Default)]
struct Told {
    lines: Vec<Line>,
    /// The first error of a trial.
    failure: Option<Error>,
}

impl Search<'_> {
    /// Runs all trials; the lines of `trials.jsonl`.
    ///
    /// # Errors
    /// [`Error::Diverged`] where every trial did, [`Error::Config`] where every trial was refused, or the budget is too small for one.
    pub(super) fn run(&self) -> Result<Vec<Line>> {
        let rungs = match self.halving {
            true => rungs(self.n_trials),
            false => vec![Rung {
                n_trials: self.n_trials,
                divisor: 1,
            }],
        };
        let began = Instant::now();
        let mut left = self.budget;
        let mut climbing: Vec<usize> = (0..self.n_trials).collect();
        let mut told = Told::default();
        for (rung, level) in rungs.iter().enumerate() {
            let trials: Vec<Trial> = climbing
                .iter()
                .map(|&number| self.trial(number, level))
                .collect::<Result<_>>()?;
            let within = self.within(&trials, &mut left);
            if rung == 0 && within == 0 {
                let wanted = format!("at least {}, for one training", self.cost(&trials[0]));
                return Err(Error::config(
                    "budget-epochs",
                    self.budget.unwrap_or(0),
                    wanted,
                ));
            }
            if rung == 0 {
                self.folder.begin()?;
            }
            let n = self.rung(rung, &trials[..within], began, &mut told)?;
            if n < trials.len() {
                let cut = counted((trials.len() - n) as u64, "training");
                self.manner
                    .note(format_args!("the limit cut off {cut} of rung {rung}"));
                break;
            }
            let figures: Vec<(usize, f64)> = told
                .lines
                .iter()
                .filter(|line| line.rung == rung)
                .map(|line| (line.trial, line.figures.cost()))
                .collect();
            climbing = best(
                &figures,
                rungs.get(rung + 1).map_or(0, |next| next.n_trials),
            );
        }
        match told.failure {
            Some(error) if told.lines.iter().all(|line| line.figures.0.is_empty()) => Err(error),
            _ => Ok(told.lines),
        }
    }

    /// The trial with this number, with the epochs of its rung.
    fn trial(&self, number: usize, rung: &Rung) -> Result<Trial> {
        let drawn = self.space.draw(self.seed, number);
        let mut settings = settings(&drawn)?.or(self.fixed.clone());
        let n_ratings = self.objective.n_ratings();
        let whole = checked(&settings).and_then(|checked| checked.for_data(n_ratings, false));
        let epochs = whole.map_or(0, |whole| rung.epochs(whole.config().n_epochs()));
        if epochs > 0 && rung.divisor > 1 {
            settings.epochs = Some(epochs);
        }
        Ok(Trial {
            number,
            drawn,
            settings,
            epochs,
        })
    }

    /// The epochs of a trial's trainings.
    fn cost(&self, trial: &Trial) -> usize {
        trial.epochs.saturating_mul(self.objective.trainings())
    }

    /// How many of `trials` the budget allows; it pays for them.
    fn within(&self, trials: &[Trial], left: &mut Option<usize>) -> usize {
        let Some(left) = left else {
            return trials.len();
        };
        let paid = |trial: &&Trial| match left.checked_sub(self.cost(trial)) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => false,
        };
        trials.iter().take_while(paid).count()
    }

    /// Trains the trials of one rung and adds their lines; returns how many the time allowed.
    fn rung(
        &self,
        rung: usize,
        trials: &[Trial],
        began: Instant,
        told: &mut Told,
    ) -> Result<usize> {
        let threads = Pool::new(self.fixed.threads.unwrap_or(0)).threads();
        // A thread each where there are enough trials, else all threads for one after the other.
        let (beside, each) = if trials.len() >= threads {
            (threads, 1)
        } else {
            (1, threads)
        };
        let in_time = |n: usize| {
            (rung == 0 && n == 0) || self.time_limit.is_none_or(|limit| began.elapsed() < limit)
        };
        let train = |n: usize| {
            let trial = &trials[n];
            let start = Instant::now();
            let outcome = checked(&trial.settings)
                .and_then(|checked| checked.config().clone().threads(each).check())
                .and_then(|checked| self.objective.measure(&checked, &Pool::new(each)));
            let mut line = Line {
                trial: trial.number,
                rung,
                epochs: trial.epochs,
                settings: trial.drawn.clone(),
                status: Status::Ok,
                figures: Figures::default(),
                seconds: start.elapsed().as_secs_f64(),
                error: None,
            };
            let fatal = !line.put(&outcome);
            (line, outcome.err(), fatal)
        };
        in_order(
            &Pool::new(beside),
            trials.len(),
            in_time,
            train,
            |n, (line, error, fatal)| {
                if let Some(error) = error {
                    if fatal {
                        return Err(error);
                    }
                    told.failure.get_or_insert(error);
                }
                self.folder.add(&line)?;
                let costs = told.lines.iter().map(|line| line.figures.cost());
                if line.figures.cost() < costs.fold(f64::INFINITY, f64::min) {
                    self.folder
                        .write_best(&line, &trials[n].settings, self.measured)?;
                }
                self.manner.note(said(&line));
                told.lines.push(line);
                Ok(())
            },
        )
    }
}

/// The settings as a configuration.
fn checked(settings: &Settings) -> Result<Checked> {
    settings.config()?.check()
}

/// `trial 3, 100 epochs: RMSE 0.9123  MAE 0.7211  0.4 s`
fn said(line: &Line) -> String {
    let start = format!(
        "trial {}, {}",
        line.trial,
        counted(line.epochs as u64, "epoch")
    );
    match line.figures.0.is_empty() {
        false => format!(
            "{start}: {}  {:.1} s",
            asked::said(&line.figures),
            line.seconds
        ),
        true => format!("{start}: {}", line.error.as_deref().unwrap_or("no figure")),
    }
}
