//! `cv`: how good is a way of training, over all folds, and is another one better?

mod figures;
mod folds;
mod watch;

use std::path::PathBuf;

use clap::Args;

use self::figures::Figures;
use self::folds::Folding;
use super::asked;
use crate::cli::output::Manner;
use crate::cli::train::progress::Progress;
use crate::cli::train::settings::{Refusals, Settings};
use crate::evaluation::{Candidate, cross_validate};
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
    All settings meet the same folds, drawn by --seed and counted from 0. Means, baselines and features of the ratings are made\n\
    of the training ratings alone; --valid-fraction holds some of those out for early stopping.\n\
    Models of an order of items are judged by NDCG@20 and recall@20, beside the most rated items; more of these is better.\n\
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
    /// How the progress of each training is shown [default: a bar on a terminal]
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        default_value = "auto",
        hide_default_value = true
    )]
    progress: Progress,
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
        let ranks = |candidate: &Candidate| candidate.checked.config().ranks();
        if candidates
            .iter()
            .any(|candidate| ranks(candidate) != ranks(&candidates[0]))
        {
            let got = "trainings for ratings and trainings for an order of items";
            return Err(Error::config(
                "config",
                got,
                "one kind: they have no figure in common",
            ));
        }
        let idle = |(settings, candidate): (&Settings, &Candidate)| {
            settings.patience.is_some() && candidate.hold_out.is_none()
        };
        let by_model = candidates.iter().step_by(self.seeds.len().max(1));
        if settings.iter().zip(by_model).any(idle) {
            manner.note("note: --patience does nothing here: no training ratings are held out, see --valid-fraction");
        }
        let pool = Pool::new(first.threads.unwrap_or(0));
        let laid_out = self
            .folding
            .lay_out(self.ratings.as_deref(), first, manner)?;
        let labels = names.iter().flat_map(|name| match self.seeds.as_slice() {
            [] => vec![name.clone()],
            seeds => seeds
                .iter()
                .map(|seed| format!("{name}, seed {seed}"))
                .collect(),
        });
        let mut watch = watch::Folds::new(manner, self.progress, labels.collect());
        let halves = (0..laid_out.len()).map(|fold| laid_out.halves(fold, first, manner));
        let outcome = cross_validate(halves, &candidates, &pool, &mut watch);
        watch.clear();
        if let Err(error) = outcome {
            if let Error::Diverged { .. } = error {
                manner.note(format_args!("in {}:", watch.place));
            }
            return Err(error);
        }
        Figures::of(
            &watch.runs,
            names,
            &self.seeds,
            self.folding.name(&laid_out),
        )
        .print(manner)
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
