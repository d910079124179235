//! `compare`: what differs between two runs, and by how much?

mod runs;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value, json};

use self::runs::{Differing, Run, both, differing};
use crate::Result;
use crate::artifact::ModelFile;
use crate::cli::given::Reading;
use crate::cli::output::{Cell, Column, Format, Manner, Output, Set, counted};
use crate::cli::sources::check_fresh;
use crate::data::reader::read_test;
use crate::evaluation::comparison::{Comparison, ListComparison, compare, compare_lists};
use crate::evaluation::statistics::Difference;
use crate::model::Meaning;

/// Say what differs between two runs, and which is better
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank compare run other\n  \
    lowrank compare run other --test test.csv --format json\n\n\
    Data are compared by the SHA-256 of each file (of a cache, that of its text), and by counts; configurations key by key.\n\
    With --test both models predict the same ratings. The difference of their squared errors has an interval and a p:\n\
    those of a paired t test clustered by user, since the errors of one user hang together. Nothing is drawn.\n\
    Where a model is of an order of items, or the test file has no ratings, NDCG@20 and recall@20 are compared, user by user.")]
pub struct Compare {
    /// The folder that `train -o` wrote
    run: PathBuf,
    /// The other one
    other: PathBuf,
    /// A file of ratings, or its cache
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

const COLUMNS: [Column; 3] = [
    Column::new("what", Set::Left),
    Column::new("first", Set::Cut),
    Column::new("second", Set::Cut),
];
const TESTED: [Column; 5] = [
    Column::new("second less first", Set::Left),
    Column::new("difference", Set::Right),
    Column::new("95 % from", Set::Right),
    Column::new("to", Set::Right),
    Column::new("p", Set::Right),
];

/// What is printed of a test.
#[derive(Serialize)]
struct Tested {
    rows: usize,
    users: usize,
    first: Value,
    second: Value,
    /// Second less first; absent where one user gave all rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    mse: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rmse: Option<Value>,
}

/// What a test found.
enum Found {
    Errors(Comparison),
    /// Where one of the models is none of ratings, or the test has none.
    Lists {
        rows: usize,
        of: Vec<ListComparison>,
    },
}

impl Compare {
    /// Runs the command.
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let runs = [Run::read(&self.run)?, Run::read(&self.other)?];
        let found = self.test(&runs, manner)?;
        let [first, second] = &runs;
        let parts = [
            ("version", differing(&first.version, &second.version)),
            ("data", differing(&first.data, &second.data)),
            ("config", differing(&first.config, &second.config)),
            ("metrics", both(&first.metrics, &second.metrics)),
        ];
        manner.output(None, |out| match out.format() {
            Format::Json | Format::JsonLines => {
                let names = runs
                    .each_ref()
                    .map(|run| run.directory.path().display().to_string());
                let mut document = Map::from_iter([("runs".to_owned(), json!(names))]);
                for (name, leaves) in &parts {
                    document.insert((*name).into(), leaves.iter().map(Differing::json).collect());
                }
                if let Some(found) = &found {
                    document.insert("test".into(), found.json());
                }
                out.json(&document)
            }
            Format::Table | Format::Csv => print(out, &parts, found.as_ref()),
        })?;
        for (name, leaves) in &parts[..3] {
            if leaves.is_empty() {
                manner.note(format_args!("{name}: the same"));
            }
        }
        Ok(())
    }

    /// Both models on the same ratings.
    fn test(&self, runs: &[Run; 2], manner: Manner) -> Result<Option<Found>> {
        let Some(path) = &self.test else {
            return Ok(None);
        };
        let options = self.reading.options();
        check_fresh([path.as_path()], manner)?;
        let mut sides = Vec::new();
        for run in runs {
            let model = ModelFile::open(run.directory.model())?.model()?;
            let test = read_test(path, &options, model.users().ids(), model.items().ids())?;
            let rates = model.meaning() == Meaning::Rating && test.report.has_ratings();
            sides.push((model, test.interactions, rates));
        }
        let (first, second) = (&sides[0], &sides[1]);
        let pool = self.reading.pool();
        let (models, tests) = ([&first.0, &second.0], [&first.1, &second.1]);
        if !(first.2 && second.2) {
            let (rows, of) = (tests[0].len(), compare_lists(models, tests, &pool)?);
            let users = of.first().map_or(0, |of| of.users as u64);
            manner.note(format_args!(
                "{}, means over {}; no errors are compared: a model or the test file is not of ratings",
                counted(rows as u64, "test row"),
                counted(users, "user")
            ));
            return Ok(Some(Found::Lists { rows, of }));
        }
        let found = compare(models, tests, &pool)?;
        manner.note(format_args!(
            "{} of {}",
            counted(found.rows as u64, "test rating"),
            counted(found.users as u64, "user")
        ));
        Ok(Some(Found::Errors(found)))
    }
}

impl Differing<'_> {
    fn json(&self) -> Value {
        let mut leaf = Map::from_iter([("what".to_owned(), json!(self.what))]);
        for (name, value) in ["first", "second"].into_iter().zip(self.values) {
            leaf.extend(value.map(|value| (name.to_owned(), value.clone())));
        }
        Value::Object(leaf)
    }

    /// The value as text.
    fn shown(&self, side: usize) -> String {
        match self.values[side] {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        }
    }
}

fn difference(test: Difference) -> Value {
    json!({
        "difference": test.mean,
        "standard_error": test.standard_error,
        "low": test.low,
        "high": test.high,
        "p": test.p_value,
    })
}

impl Tested {
    fn of(found: &Comparison) -> Tested {
        let [first, second] = found
            .errors
            .map(|errors| json!({"rmse": errors.rmse, "mae": errors.mae}));
        Tested {
            rows: found.rows,
            users: found.users,
            first,
            second,
            mse: found.mse.map(difference),
            rmse: found.rmse().map(difference),
        }
    }
}

impl Found {
    fn json(&self) -> Value {
        match self {
            Found::Errors(found) => {
                serde_json::to_value(Tested::of(found)).expect("numbers and names")
            }
            Found::Lists { rows, of } => {
                let users = of.first().map_or(0, |of| of.users);
                let mut tested = Map::from_iter([
                    ("rows".to_owned(), json!(rows)),
                    ("users".to_owned(), json!(users)),
                ]);
                for (n, name) in ["first", "second"].into_iter().enumerate() {
                    let values = of
                        .iter()
                        .map(|of| (of.metric.to_string(), json!(of.values[n])));
                    tested.insert(name.into(), Value::Object(values.collect()));
                }
                for of in of {
                    let test = of.difference.map(difference);
                    tested.extend(test.map(|test| (of.metric.to_string(), test)));
                }
                Value::Object(tested)
            }
        }
    }

    /// Of each figure the values of both models, the name of its row.
    fn figures(&self) -> Vec<(String, [f64; 2])> {
        match self {
            Found::Errors(found) => vec![
                ("test.rmse".into(), found.errors.map(|errors| errors.rmse)),
                ("test.mae".into(), found.errors.map(|errors| errors.mae)),
            ],
            Found::Lists { of, .. } => {
                let figure = |of: &ListComparison| (format!("test.{}", of.metric), of.values);
                of.iter().map(figure).collect()
            }
        }
    }

    /// What is tested, and the test.
    fn tests(&self) -> Vec<(String, Option<Difference>)> {
        match self {
            Found::Errors(found) => {
                vec![("MSE".into(), found.mse), ("RMSE".into(), found.rmse())]
            }
            Found::Lists { of, .. } => {
                let test =
                    |of: &ListComparison| (of.metric.to_string().to_uppercase(), of.difference);
                of.iter().map(test).collect()
            }
        }
    }
}

fn print(
    out: &mut Output<'_>,
    parts: &[(&str, Vec<Differing<'_>>); 4],
    found: Option<&Found>,
) -> Result<()> {
    let mut listing = out.listing(&COLUMNS)?;
    for (part, leaves) in parts {
        for leaf in leaves {
            let what = match leaf.what == *part {
                true => leaf.what.to_owned(),
                false => format!("{part}.{}", leaf.what),
            };
            let texts = [leaf.shown(0), leaf.shown(1)];
            let cell = |side: usize| match leaf.values[side].and_then(Value::as_f64) {
                // Settings are shown as they were given, figures as figures.
                Some(figure) if *part == "metrics" && texts[side].contains('.') => {
                    Cell::Metric(figure)
                }
                _ => Cell::Text(&texts[side]),
            };
            listing.row(&(), &[Cell::Text(&what), cell(0), cell(1)])?;
        }
    }
    if let Some(found) = found {
        for (what, of) in found.figures() {
            listing.row(
                &(),
                &[Cell::Text(&what), Cell::Metric(of[0]), Cell::Metric(of[1])],
            )?;
        }
    }
    listing.finish()?;
    let tests = found.map(Found::tests);
    if tests.is_none() || out.format() == Format::Csv {
        return Ok(());
    }
    out.text("\n")?;
    let mut listing = out.listing(&TESTED)?;
    for (what, test) in tests.into_iter().flatten() {
        let Some(test) = test else { continue };
        let [mean, low, high] = [test.mean, test.low, test.high].map(Cell::Metric);
        let cells = [
            Cell::Text(&what),
            mean,
            low,
            high,
            Cell::Chance(test.p_value),
        ];
        listing.row(&(), &cells)?;
    }
    listing.finish()
}
