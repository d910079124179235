//! `cv`: how good is a way of training, over all folds, and is another one better?

mod figures;
mod folds;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use self::figures::{Figures, Run};
use self::folds::Folding;
use super::asked;
use crate::cli::output::{Manner, counted, grouped};
use crate::cli::table;
use crate::cli::train::settings::{Refusals, Settings};
use crate::evaluation::{Candidate, CrossEvent, cross_validate};
use crate::kernels::pool::Pool;
use crate::{Error, Result};

/// Judge settings by cross-validation, beside two simple baselines
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  \
    lowrank cv ratings.csv\n  \
    lowrank cv ratings.csv --items movies.csv --folds 10 --by user --factors 16\n  \
    lowrank cv ratings.csv --config plain.toml --config with-genres.toml --format json\n  \
    lowrank cv --given u1.base.csv:u1.test.csv --given u2.base.csv:u2.test.csv --seeds 1,2,3\n\n\
    Every test rating counts, also those of users and items that the fold's training never saw (\"cold\").\n\
    All settings meet the same folds, drawn by --seed. Means, baselines and features of the ratings are made\n\
    of the training ratings alone; --valid-fraction holds some of those out for early stopping.\n\
    The std is that of folds. Differences are taken fold by fold, with the interval and p of a paired t test;\n\
    folds share training ratings, so that both are surer of themselves than they should be.\n\
    --fold-file does not go with duplicates: when they are settled, rows no longer have their numbers."
)]
pub struct Cv {
    /// The file of ratings, or its cache
    #[arg(required_unless_present_any = ["given", "given_list"])]
    ratings: Option<PathBuf>,
    #[command(flatten)]
    folding: Folding,
    /// A TOML file with flags of `train` as keys; repeated, each is judged, and compared to the first. Flags win in all
    #[arg(long, value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Train once with each of these seeds; a fold's figure is their mean
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    seeds: Vec<u64>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    refusals: Refusals,
}

impl Cv {
    /// Runs the command.
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let (names, settings): (Vec<_>, Vec<_>) = self.models()?.into_iter().unzip();
        let first = &settings[0];
        let candidates = self.candidates(&settings)?;
        let pool = Pool::new(first.threads.unwrap_or(0));
        let laid_out = self
            .folding
            .lay_out(self.ratings.as_deref(), first, manner)?;
        let n_seeds = self.seeds.len().max(1);
        let label = |candidate: usize| match self.seeds.get(candidate % n_seeds) {
            Some(seed) => format!("{}, seed {seed}", names[candidate / n_seeds]),
            None => names[candidate / n_seeds].clone(),
        };

        let mut runs: Vec<Vec<Run>> = Vec::new();
        let mut began = (Instant::now(), 0.0, String::new());
        let mut n_train = 0;
        let mut watch = |event: &CrossEvent<'_>| {
            match event {
                CrossEvent::FoldStarted {
                    fold,
                    n_train: train,
                    n_test,
                } => {
                    n_train = *train;
                    runs.push(Vec::new());
                    let (train, test) = (counted(*train as u64, "rating"), grouped(*n_test as u64));
                    manner.note(format_args!("fold {fold}: {train}, {test} to test"));
                }
                CrossEvent::FitStarted { fold, candidate } => {
                    began = (
                        Instant::now(),
                        0.0,
                        format!("fold {fold}, {}", label(*candidate)),
                    );
                }
                CrossEvent::FitEnded { .. } => began.1 = began.0.elapsed().as_secs_f64(),
                CrossEvent::Judged {
                    candidate, found, ..
                } => {
                    let (label, errors) = (table::safe(&label(*candidate)), found.model);
                    let seconds = began.1;
                    manner.note(format_args!(
                        "  {label}: RMSE {:.4}  MAE {:.4}  {seconds:.1} s",
                        errors.rmse, errors.mae
                    ));
                    let run = Run {
                        found: (*found).clone(),
                        n_train,
                        seconds,
                    };
                    runs.last_mut().expect("a fold has begun").push(run);
                }
            }
            ControlFlow::Continue(())
        };
        let halves = (0..laid_out.len()).map(|fold| laid_out.halves(fold, first, manner));
        if let Err(error) = cross_validate(halves, &candidates, &pool, &mut watch) {
            if let Error::Diverged { .. } = error {
                manner.note(format_args!("in {}:", table::safe(&began.2)));
            }
            return Err(error);
        }
        Figures::of(&runs, names, &self.seeds, self.folding.name(&laid_out)).print(manner)
    }

    /// The settings of each model, by its name.
    fn models(&self) -> Result<Vec<(String, Settings)>> {
        let flags = self.settings.clone().or(self.refusals.settings());
        let mut models = match self.config.as_slice() {
            [] => vec![("this model".to_owned(), flags)],
            files => {
                let stem = |path: &PathBuf| {
                    path.file_stem()
                        .map(|stem| stem.to_string_lossy().into_owned())
                };
                let stems: Vec<_> = files.iter().map(stem).collect();
                let name = |(path, stem): (&PathBuf, &Option<String>)| {
                    let alone = stems.iter().filter(|other| *other == stem).count() == 1;
                    stem.clone()
                        .filter(|_| alone)
                        .unwrap_or(path.display().to_string())
                };
                let names: Vec<_> = files.iter().zip(&stems).map(name).collect();
                let read = |(name, path): (String, &PathBuf)| {
                    Ok((name, flags.clone().or(Settings::read(path)?)))
                };
                names
                    .into_iter()
                    .zip(files)
                    .map(read)
                    .collect::<Result<_>>()?
            }
        };
        let first = models[0].1.clone();
        for (name, settings) in &mut models {
            asked::refuse_what_train_alone_does(settings)?;
            asked::same_data(&first, settings, name)?;
            if let Some(path) = &settings.valid {
                let wanted = "--valid-fraction, which holds out some of a fold's training ratings";
                return Err(Error::config("valid", path.display(), wanted));
            }
        }
        Ok(models)
    }

    /// Each model with each seed.
    fn candidates(&self, models: &[Settings]) -> Result<Vec<Candidate>> {
        let mut candidates = Vec::new();
        for settings in models {
            let seeds = match self.seeds.as_slice() {
                [] => vec![settings.seed],
                seeds => seeds.iter().copied().map(Some).collect(),
            };
            for seed in seeds {
                let seeded = Settings {
                    seed,
                    ..settings.clone()
                };
                candidates.push(Candidate {
                    checked: seeded.config()?.check()?,
                    hold_out: seeded.hold_out()?,
                });
            }
        }
        Ok(candidates)
    }
}
