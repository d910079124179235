//! What do the folds say together?
//!
//! For each model the mean over folds and the standard deviation between them; its difference to the first model fold by fold. The baselines stand beside as if they were models:
//! theirs are those of the first model's training ratings.

use serde::{Serialize, Serializer};

use super::super::asked::header;
use crate::Result;
use crate::cli::output::{Cell, Column, Format, Manner, Output, Set};
use crate::evaluation::statistics::{Difference, Spread};
use crate::evaluation::{Cold, Figures as Values, Judged};

/// One model on one fold.
pub(super) struct Run {
    pub(super) found: Judged,
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
    /// By name, in the order that they are shown.
    #[serde(serialize_with = "by_name")]
    baselines: Vec<(&'static str, Baseline)>,
}

#[derive(Serialize)]
struct Model {
    name: String,
    mean: Summary,
    std: Summary,
    folds: Vec<Fold>,
    /// The main figure less that of the first model.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Paired>,
}

#[derive(Serialize)]
struct Baseline {
    folds: Vec<Values>,
    mean: Values,
    std: Values,
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
    #[serde(flatten)]
    values: Values,
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
    #[serde(flatten)]
    values: Values,
    seconds: f64,
}

#[derive(Clone, Serialize)]
struct Summary {
    #[serde(flatten)]
    values: Values,
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
        let of_runs: Vec<Values> = runs.iter().map(|run| run.found.model.clone()).collect();
        let seeded = |(run, &seed): (&Run, &u64)| Seeded {
            seed,
            values: run.found.model.clone(),
            seconds: run.seconds,
        };
        Fold {
            fold,
            train: runs[0].n_train,
            rows: runs[0].found.rows,
            cold: ColdRows { users, items, rows },
            values: Values::over(&of_runs, |values| Spread::of(values).mean),
            seconds: mean(runs.iter().map(|run| run.seconds)),
            seeds: runs.iter().zip(seeds).map(seeded).collect(),
        }
    }
}

impl Summary {
    fn of(folds: &[Fold], figure: fn(Spread) -> f64) -> Summary {
        let seconds: Vec<f64> = folds.iter().map(|fold| fold.seconds).collect();
        let values: Vec<Values> = folds.iter().map(|fold| fold.values.clone()).collect();
        Summary {
            values: Values::over(&values, |values| figure(Spread::of(values))),
            seconds: figure(Spread::of(&seconds)),
        }
    }
}

impl Baseline {
    fn of(folds: Vec<Values>, first: &[f64]) -> Baseline {
        let main: Vec<f64> = folds.iter().map(main).collect();
        Baseline {
            mean: Values::over(&folds, |values| Spread::of(values).mean),
            std: Values::over(&folds, |values| Spread::of(values).std),
            difference: Some(Paired::of(first, &main)),
            folds,
        }
    }
}

/// What differences are taken of.
fn main(values: &Values) -> f64 {
    values.main().map_or(f64::NAN, |(_, value)| value)
}

fn by_name<S: Serializer>(all: &[(&str, Baseline)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(all.iter().map(|(name, baseline)| (name, baseline)))
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
        let mains =
            |folds: &[Fold]| -> Vec<f64> { folds.iter().map(|fold| main(&fold.values)).collect() };
        let first_folds = folds(0);
        let first = mains(&first_folds);
        let models = names.into_iter().enumerate().map(|(model, name)| {
            let folds = folds(model);
            Model {
                name,
                mean: Summary::of(&folds, |spread| spread.mean),
                std: Summary::of(&folds, |spread| spread.std),
                difference: (model > 0).then(|| Paired::of(&first, &mains(&folds))),
                folds,
            }
        });
        let models: Vec<Model> = models.collect();
        let names = runs[0][0].found.baselines.iter().map(|(name, _)| *name);
        let baselines = names.filter_map(|name| {
            let of_fold = |row: &Vec<Run>| {
                let mut all = row[0].found.baselines.iter();
                all.find(|(of, _)| *of == name)
                    .map(|(_, values)| values.clone())
            };
            let folds = runs.iter().map(of_fold).collect::<Option<Vec<_>>>()?;
            Some((name, Baseline::of(folds, &first)))
        });
        Figures {
            by,
            mean: models[0].mean.clone(),
            std: models[0].std.clone(),
            folds: first_folds,
            baselines: baselines.collect(),
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

    /// `first`, then a column for each figure, with its deviation or without, and the seconds.
    fn columns(&self, first: &[Column], with_std: bool) -> Vec<Column> {
        let mut columns = first.to_vec();
        for (metric, _) in &self.mean.values.0 {
            columns.push(Column::new(header(*metric), Set::Right));
            if with_std {
                columns.push(Column::new("std", Set::Right));
            }
        }
        columns.push(Column::new("seconds", Set::Right));
        columns
    }

    /// The main figure, as texts call it.
    fn main_name(&self) -> String {
        let main = self.mean.values.main();
        main.map_or(String::new(), |(metric, _)| {
            metric.to_string().to_uppercase()
        })
    }

    /// A line for each fold of each model.
    fn csv(&self, out: &mut Output<'_>) -> Result<()> {
        let columns = self.columns(&BY_FOLD, false);
        let mut listing = out.listing(&columns)?;
        for model in &self.models {
            for fold in &model.folds {
                let mut cells = vec![
                    Cell::Text(&model.name),
                    Cell::Count(fold.fold as u64),
                    Cell::Count(fold.train as u64),
                    Cell::Count(fold.rows),
                    Cell::Count(fold.cold.rows),
                ];
                cells.extend(fold.values.0.iter().map(|(_, value)| Cell::Metric(*value)));
                cells.push(Cell::Metric(fold.seconds));
                listing.row(&(), &cells)?;
            }
        }
        listing.finish()
    }

    fn table(&self, out: &mut Output<'_>) -> Result<()> {
        // The better one first.
        let baselines = self.baselines.iter().rev();
        let baselines = baselines.map(|(key, baseline)| (shown(key), baseline));
        let columns = self.columns(&BY_MODEL, true);
        let mut listing = out.listing(&columns)?;
        let row = |name, (mean, std): (&Values, &Values), seconds| {
            let both = mean.0.iter().zip(&std.0);
            let both = both.flat_map(|((_, mean), (_, std))| [*mean, *std].map(Cell::Metric));
            let cells = std::iter::once(Cell::Text(name)).chain(both);
            cells.chain([seconds]).collect::<Vec<Cell<'_>>>()
        };
        for Model {
            name, mean, std, ..
        } in &self.models
        {
            let cells = row(
                name,
                (&mean.values, &std.values),
                Cell::Metric(mean.seconds),
            );
            listing.row(&(), &cells)?;
        }
        for (name, Baseline { mean, std, .. }) in baselines.clone() {
            listing.row(&(), &row(name, (mean, std), Cell::Text("")))?;
        }
        listing.finish()?;
        let models = self
            .models
            .iter()
            .map(|model| (model.name.as_str(), model.difference.as_ref()));
        let all =
            models.chain(baselines.map(|(name, baseline)| (name, baseline.difference.as_ref())));
        out.text(&format!(
            "\n{} less that of {}, fold by fold\n",
            self.main_name(),
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

/// What a baseline is called in a table.
fn shown(key: &str) -> &'static str {
    match key {
        "global_mean" => "mean",
        "biases" => "mean + biases",
        _ => "most rated",
    }
}

const BY_MODEL: [Column; 1] = [Column::new("model", Set::Cut)];
const BY_DIFFERENCE: [Column; 6] = [
    Column::new("model", Set::Cut),
    Column::new("difference", Set::Right),
    Column::new("std", Set::Right),
    Column::new("95 % from", Set::Right),
    Column::new("to", Set::Right),
    Column::new("p", Set::Right),
];
const BY_FOLD: [Column; 5] = [
    Column::new("model", Set::Left),
    Column::new("fold", Set::Right),
    Column::new("train", Set::Right),
    Column::new("rows", Set::Right),
    Column::new("cold", Set::Right),
];
