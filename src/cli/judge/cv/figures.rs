//! What do the folds say together?
//!
//! For each model the mean over folds and the standard deviation between them; its difference to the first model fold by fold. The baselines stand beside as if they were models:
//! theirs are those of the first model's training ratings.

use serde::Serialize;

use crate::Result;
use crate::cli::output::{Cell, Column, Format, Manner, Output, Set};
use crate::evaluation::statistics::{Difference, Spread};
use crate::evaluation::{Cold, Errors, Evaluation};

/// One model on one fold.
pub(super) struct Run {
    pub(super) found: Evaluation,
    pub(super) n_train: usize,
    /// Of training.
    pub(super) seconds: f64,
}

/// The document that is printed. For the first model, mostly the only one, `folds`, `mean` and `std` stand at the top.
#[derive(Serialize)]
pub(super) struct Figures {
    by: &'static str,
    folds: Vec<Fold>,
    mean: Summary,
    std: Summary,
    models: Vec<Model>,
    baselines: Baselines,
}

#[derive(Serialize)]
struct Model {
    name: String,
    mean: Summary,
    std: Summary,
    folds: Vec<Fold>,
    /// RMSE less that of the first model.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Paired>,
}

#[derive(Serialize)]
struct Baselines {
    global_mean: Baseline,
    #[serde(skip_serializing_if = "Option::is_none")]
    biases: Option<Baseline>,
}

#[derive(Serialize)]
struct Baseline {
    folds: Vec<Errors>,
    mean: Errors,
    std: Errors,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Paired>,
}

/// A fold's figures; the means of all seeds.
#[derive(Clone, Serialize)]
struct Fold {
    fold: usize,
    train: usize,
    rows: u64,
    cold: ColdRows,
    rmse: f64,
    mae: f64,
    seconds: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    seeds: Vec<Seeded>,
}

#[derive(Clone, Serialize)]
struct ColdRows {
    users: u64,
    items: u64,
    rows: u64,
}

#[derive(Clone, Serialize)]
struct Seeded {
    seed: u64,
    rmse: f64,
    mae: f64,
    seconds: f64,
}

#[derive(Clone, Copy, Serialize)]
struct Summary {
    rmse: f64,
    mae: f64,
    seconds: f64,
}

/// A paired t test over folds.
#[derive(Serialize)]
pub(in super::super) struct Paired {
    mean: f64,
    /// Absent like the rest where there is one fold.
    #[serde(skip_serializing_if = "Option::is_none")]
    std: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<f64>,
}

impl Paired {
    fn of(first: &[f64], second: &[f64]) -> Paired {
        let differences = first.iter().zip(second).map(|(a, b)| b - a);
        let spread = Spread::of(&differences.collect::<Vec<_>>());
        let test = Difference::paired(first, second);
        Paired {
            mean: spread.mean,
            std: test.map(|_| spread.std),
            low: test.map(|test| test.low),
            high: test.map(|test| test.high),
            p: test.map(|test| test.p_value),
        }
    }
}

fn mean(figures: impl Iterator<Item = f64>) -> f64 {
    Spread::of(&figures.collect::<Vec<_>>()).mean
}

impl Fold {
    /// Of the runs of one model on one fold, one a seed.
    fn of(fold: usize, runs: &[Run], seeds: &[u64]) -> Fold {
        let Cold { users, items, rows } = runs[0].found.cold;
        let seeded = |(run, &seed): (&Run, &u64)| Seeded {
            seed,
            rmse: run.found.model.rmse,
            mae: run.found.model.mae,
            seconds: run.seconds,
        };
        Fold {
            fold,
            train: runs[0].n_train,
            rows: runs[0].found.rows,
            cold: ColdRows { users, items, rows },
            rmse: mean(runs.iter().map(|run| run.found.model.rmse)),
            mae: mean(runs.iter().map(|run| run.found.model.mae)),
            seconds: mean(runs.iter().map(|run| run.seconds)),
            seeds: runs.iter().zip(seeds).map(seeded).collect(),
        }
    }
}

impl Summary {
    fn of(folds: &[Fold], figure: fn(Spread) -> f64) -> Summary {
        let over =
            |of: fn(&Fold) -> f64| figure(Spread::of(&folds.iter().map(of).collect::<Vec<_>>()));
        Summary {
            rmse: over(|fold| fold.rmse),
            mae: over(|fold| fold.mae),
            seconds: over(|fold| fold.seconds),
        }
    }
}

impl Baseline {
    fn of(folds: Vec<Errors>, first: &[f64]) -> Baseline {
        let rmse: Vec<f64> = folds.iter().map(|errors| errors.rmse).collect();
        let mae: Vec<f64> = folds.iter().map(|errors| errors.mae).collect();
        let (of_rmse, of_mae) = (Spread::of(&rmse), Spread::of(&mae));
        Baseline {
            mean: Errors {
                rmse: of_rmse.mean,
                mae: of_mae.mean,
            },
            std: Errors {
                rmse: of_rmse.std,
                mae: of_mae.std,
            },
            difference: Some(Paired::of(first, &rmse)),
            folds,
        }
    }
}

impl Figures {
    /// Of `runs`, a row a fold, in it model by model and seed by seed.
    pub(super) fn of(
        runs: &[Vec<Run>],
        names: Vec<String>,
        seeds: &[u64],
        by: &'static str,
    ) -> Figures {
        let n_seeds = seeds.len().max(1);
        let folds = |model: usize| -> Vec<Fold> {
            let own = model * n_seeds..(model + 1) * n_seeds;
            let folds = runs.iter().enumerate();
            folds
                .map(|(fold, row)| Fold::of(fold, &row[own.clone()], seeds))
                .collect()
        };
        let rmse = |folds: &[Fold]| folds.iter().map(|fold| fold.rmse).collect::<Vec<_>>();
        let first_folds = folds(0);
        let first = rmse(&first_folds);
        let models = names.into_iter().enumerate().map(|(model, name)| {
            let folds = folds(model);
            Model {
                name,
                mean: Summary::of(&folds, |spread| spread.mean),
                std: Summary::of(&folds, |spread| spread.std),
                difference: (model > 0).then(|| Paired::of(&first, &rmse(&folds))),
                folds,
            }
        });
        let models: Vec<Model> = models.collect();
        let baseline = |of: fn(&Evaluation) -> Option<Errors>| {
            let errors = runs
                .iter()
                .map(|row| of(&row[0].found))
                .collect::<Option<Vec<_>>>();
            errors.map(|errors| Baseline::of(errors, &first))
        };
        Figures {
            by,
            mean: models[0].mean,
            std: models[0].std,
            folds: first_folds,
            baselines: Baselines {
                global_mean: baseline(|found| Some(found.baselines.global_mean))
                    .expect("always there"),
                biases: baseline(|found| found.baselines.biases),
            },
            models,
        }
    }

    /// Prints them.
    pub(super) fn print(&self, manner: Manner) -> Result<()> {
        manner.output(None, |out| match out.format() {
            Format::Json | Format::JsonLines => out.json(self),
            Format::Csv => self.csv(out),
            Format::Table => self.table(out),
        })
    }

    /// A line for each fold of each model.
    fn csv(&self, out: &mut Output<'_>) -> Result<()> {
        let mut listing = out.listing(&BY_FOLD)?;
        for model in &self.models {
            for fold in &model.folds {
                let cells = [
                    Cell::Text(&model.name),
                    Cell::Count(fold.fold as u64),
                    Cell::Count(fold.train as u64),
                    Cell::Count(fold.rows),
                    Cell::Count(fold.cold.rows),
                    Cell::Metric(fold.rmse),
                    Cell::Metric(fold.mae),
                    Cell::Metric(fold.seconds),
                ];
                listing.row(&(), &cells)?;
            }
        }
        listing.finish()
    }

    fn table(&self, out: &mut Output<'_>) -> Result<()> {
        let baselines = [
            ("mean + biases", self.baselines.biases.as_ref()),
            ("mean", Some(&self.baselines.global_mean)),
        ];
        let baselines = baselines
            .iter()
            .filter_map(|(name, baseline)| Some((*name, (*baseline)?)));
        let mut listing = out.listing(&BY_MODEL)?;
        for model in &self.models {
            let (mean, std) = (model.mean, model.std);
            let figures = [mean.rmse, std.rmse, mean.mae, std.mae, mean.seconds].map(Cell::Metric);
            listing.row(&(), &[&[Cell::Text(&model.name)], &figures[..]].concat())?;
        }
        for (name, baseline) in baselines.clone() {
            let (mean, std) = (baseline.mean, baseline.std);
            let figures = [mean.rmse, std.rmse, mean.mae, std.mae].map(Cell::Metric);
            listing.row(
                &(),
                &[&[Cell::Text(name)], &figures[..], &[Cell::Text("")]].concat(),
            )?;
        }
        listing.finish()?;
        let models = self
            .models
            .iter()
            .map(|model| (model.name.as_str(), model.difference.as_ref()));
        let all =
            models.chain(baselines.map(|(name, baseline)| (name, baseline.difference.as_ref())));
        out.text(&format!(
            "\nRMSE less that of {}, fold by fold\n",
            crate::cli::table::safe(&self.models[0].name)
        ))?;
        let mut listing = out.listing(&BY_DIFFERENCE)?;
        for (name, difference) in all.filter_map(|(name, difference)| Some((name, difference?))) {
            let figure = |value: Option<f64>| value.map_or(Cell::Text(""), Cell::Metric);
            let Paired {
                mean,
                std,
                low,
                high,
                p,
            } = difference;
            let cells = [
                Cell::Text(name),
                Cell::Metric(*mean),
                figure(*std),
                figure(*low),
                figure(*high),
                p.map_or(Cell::Text(""), Cell::Chance),
            ];
            listing.row(&(), &cells)?;
        }
        listing.finish()
    }
}

const BY_MODEL: [Column; 6] = [
    Column::new("model", Set::Cut),
    Column::new("rmse", Set::Right),
    Column::new("std", Set::Right),
    Column::new("mae", Set::Right),
    Column::new("std", Set::Right),
    Column::new("seconds", Set::Right),
];
const BY_DIFFERENCE: [Column; 6] = [
    Column::new("model", Set::Cut),
    Column::new("difference", Set::Right),
    Column::new("std", Set::Right),
    Column::new("95 % from", Set::Right),
    Column::new("to", Set::Right),
    Column::new("p", Set::Right),
];
const BY_FOLD: [Column; 8] = [
    Column::new("model", Set::Left),
    Column::new("fold", Set::Right),
    Column::new("train", Set::Right),
    Column::new("rows", Set::Right),
    Column::new("cold", Set::Right),
    Column::new("rmse", Set::Right),
    Column::new("mae", Set::Right),
    Column::new("seconds", Set::Right),
];
