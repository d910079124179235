//! How far are a model's predictions from ratings that it never saw?

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::Result;
use crate::cli::given::ModelArgument;
use crate::cli::output::{Cell, Column, Format, Manner, Output, Set, counted, grouped};
use crate::cli::sources::check_fresh;
use crate::data::reader::{ColumnSpec, ReadOptions, Separator, read_test};
use crate::evaluation::{Errors, Evaluation, evaluate};
use crate::kernels::pool::Pool;

/// Measure a model on ratings that it never saw, beside two simple baselines
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank evaluate run --test test.csv\n  \
    lowrank evaluate run --test test.csv --format json\n\n\
    Every row of the test file counts, also those of users and items that training never saw (\"cold\").\n\
    The baselines are the mean of the training ratings, and mean + user bias + item bias.")]
pub struct Evaluate {
    #[command(flatten)]
    model: ModelArgument,
    /// A file of ratings, or its cache
    #[arg(long, value_name = "FILE")]
    test: PathBuf,
    /// Which column is what: `user,item,rating,timestamp` in order, or `user=NAME,item=NAME,rating=3`
    #[arg(long, value_name = "COLUMNS")]
    columns: Option<ColumnSpec>,
    /// What stands between two fields: `,` `;` `tab` `::` … [default: found out]
    #[arg(long, value_name = "SEPARATOR")]
    sep: Option<Separator>,
    /// Threads; they change speed alone [default: all cores]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "N")]
    threads: usize,
}

/// The JSON of an evaluation.
#[derive(Serialize)]
struct Document {
    rmse: f64,
    mae: f64,
    rows: u64,
    cold: Cold,
    baselines: Baselines,
}

#[derive(Serialize)]
struct Cold {
    users: u64,
    items: u64,
    rows: u64,
}

#[derive(Serialize)]
struct Baselines {
    global_mean: Metrics,
    #[serde(skip_serializing_if = "Option::is_none")]
    biases: Option<Metrics>,
}

#[derive(Serialize)]
struct Metrics {
    rmse: f64,
    mae: f64,
}

const COLUMNS: [Column; 3] = [
    Column::new("model", Set::Left),
    Column::new("rmse", Set::Right),
    Column::new("mae", Set::Right),
];

impl Evaluate {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let model = self.model.load()?;
        let options = ReadOptions {
            columns: self.columns,
            separator: self.sep,
            threads: self.threads,
            ..ReadOptions::default()
        };
        check_fresh([self.test.as_path()], manner)?;
        let test = read_test(
            &self.test,
            &options,
            model.users().ids(),
            model.items().ids(),
        )?;
        let found = evaluate(&model, &test.interactions, &Pool::new(self.threads))?;
        manner.output(None, |out| match out.format() {
            Format::Json | Format::JsonLines => out.json(&Document::from(&found)),
            Format::Table | Format::Csv => rows(out, &found),
        })?;
        let cold = found.cold;
        manner.note(format_args!(
            "{}, {} of them cold: {} and {} that training never saw",
            counted(found.rows, "test rating"),
            grouped(cold.rows),
            counted(cold.users, "user"),
            counted(cold.items, "item"),
        ));
        Ok(())
    }
}

fn rows(out: &mut Output<'_>, found: &Evaluation) -> Result<()> {
    let mut listing = out.listing(&COLUMNS)?;
    let baselines = &found.baselines;
    let models = [
        ("this model", Some(found.model)),
        ("mean + biases", baselines.biases),
        ("mean", Some(baselines.global_mean)),
    ];
    for (name, errors) in models {
        if let Some(Errors { rmse, mae }) = errors {
            let cells = [Cell::Text(name), Cell::Metric(rmse), Cell::Metric(mae)];
            listing.row(&(), &cells)?;
        }
    }
    listing.finish()
}

impl From<Errors> for Metrics {
    fn from(errors: Errors) -> Metrics {
        Metrics {
            rmse: errors.rmse,
            mae: errors.mae,
        }
    }
}

impl From<&Evaluation> for Document {
    fn from(found: &Evaluation) -> Document {
        Document {
            rmse: found.model.rmse,
            mae: found.model.mae,
            rows: found.rows,
            cold: Cold {
                users: found.cold.users,
                items: found.cold.items,
                rows: found.cold.rows,
            },
            baselines: Baselines {
                global_mean: found.baselines.global_mean.into(),
                biases: found.baselines.biases.map(Into::into),
            },
        }
    }
}
