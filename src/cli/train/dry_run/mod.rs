//! What would a training do, and what would it cost?
//!
//! `train … --dry-run` reads and splits the ratings, settles the configuration, and says what it found: nothing is trained to keep, nothing is written. Bytes are
//! counted ([`bytes`]), seconds are tried ([`pace`]).

mod bytes;
mod pace;

use serde::Serialize;

use super::inputs::Inputs;
use super::record::Counts;
use crate::Result;
use crate::cli::output::{Cell, Column, Format, Manner, Set, counted, grouped};
use crate::cli::table;
use crate::kernels::Kernel;
use crate::kernels::pool::Pool;
use crate::training::config::MANY_RATINGS;
use crate::training::{Batch, Checked, KernelChoice, groups};
use bytes::{Memory, Sizes};
use pace::Pace;

/// What the printed document says.
#[derive(Serialize)]
struct Plan {
    counts: Counts,
    training: Way,
    /// Memory, by what it is for.
    bytes: Memory,
    model_file_bytes: u64,
    seconds: Seconds,
}

/// The way of training, and why it is this one.
#[derive(Serialize)]
struct Way {
    /// `full`, `block`, or the size of mini-batches.
    batch: String,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    n_blocks: Option<usize>,
    factors: usize,
    epochs: usize,
    optimizer: &'static str,
    learning_rate: f64,
    schedule: String,
    threads: usize,
    kernel: &'static str,
}

/// Expected seconds.
#[derive(Serialize)]
struct Seconds {
    /// Reading, as it was just now.
    read: f64,
    setup: f64,
    epoch: f64,
    /// A look at the held-out ratings, after every epoch.
    validation: f64,
    /// From tables to a model.
    finish: f64,
    /// All of the above, for all epochs.
    total: f64,
    /// Ratings that were trained on to find out.
    sample_ratings: usize,
}

const COLUMNS: [Column; 2] = [
    Column::new("figure", Set::Left),
    Column::new("value", Set::Right),
];

/// Prints what a training of `inputs`, which took `read` seconds to read, would be.
///
/// # Errors
/// Those of the training.
pub fn run(checked: &Checked, inputs: &Inputs, read: f64, manner: Manner) -> Result<()> {
    let data = &inputs.train;
    let settled = checked.for_data(data.n_ratings(), false)?;
    let config = settled.config();
    let columns = groups::choose(config, data, &data.survey()?)?;
    let sizes = Sizes {
        inputs,
        checked: &settled,
        columns: &columns,
    };
    let pace = pace::measure(&settled, data, inputs.valid.as_ref())?;
    let plan = Plan {
        counts: inputs.counts(sizes.n_parameters()),
        training: Way::of(checked, &sizes),
        bytes: Memory::of(&sizes),
        model_file_bytes: sizes.model_file(),
        seconds: Seconds::of(pace, read, config.n_epochs()),
    };
    manner.output(None, |out| match out.format() {
        Format::Json | Format::JsonLines => out.json(&plan),
        Format::Table => out.text(&plan.text()),
        Format::Csv => {
            let mut listing = out.listing(&COLUMNS)?;
            for (name, value) in plan.figures() {
                listing.row(&(), &[Cell::Text(&name), value])?;
            }
            listing.finish()
        }
    })
}

impl Way {
    /// `asked` is the configuration before it saw the data.
    fn of(asked: &Checked, sizes: &Sizes<'_>) -> Way {
        let config = sizes.checked.config();
        let n_ratings = sizes.inputs.train.n_ratings();
        let kind = sizes.checked.optimizer().kind;
        let limit = grouped(MANY_RATINGS as u64);
        let reason = match (asked.config().batch, config.batch) {
            (Batch::Auto, Batch::Blocks) => format!("{limit} ratings or more"),
            (Batch::Auto, _) if n_ratings >= MANY_RATINGS => {
                format!("{} does not go by blocks", kind.name())
            }
            (Batch::Auto, _) => format!("fewer than {limit} ratings"),
            _ => "as asked, or as the preset has it".into(),
        };
        let kernel = match config.kernel {
            KernelChoice::Auto => Kernel::detect(),
            KernelChoice::Portable => Kernel::Portable,
        };
        Way {
            batch: match config.batch {
                Batch::Blocks => "block".into(),
                Batch::Size(size) => size.to_string(),
                Batch::Auto | Batch::Full => "full".into(),
            },
            reason,
            n_blocks: sizes.n_blocks(),
            factors: config.factors(),
            epochs: config.n_epochs(),
            optimizer: kind.name(),
            learning_rate: config.base_rate(),
            schedule: config.schedule.name(),
            threads: Pool::new(config.threads).threads(),
            kernel: kernel.name(),
        }
    }
}

impl Seconds {
    fn of(pace: Pace, read: f64, epochs: usize) -> Seconds {
        Seconds {
            read,
            setup: pace.setup,
            epoch: pace.epoch,
            validation: pace.validation,
            finish: pace.finish,
            total: read + pace.setup + epochs as f64 * (pace.epoch + pace.validation) + pace.finish,
            sample_ratings: pace.sample,
        }
    }
}

impl Plan {
    /// Every number by its name.
    fn figures(&self) -> Vec<(String, Cell<'static>)> {
        let (counts, seconds) = (&self.counts, &self.seconds);
        let mut figures: Vec<(String, Cell<'static>)> = [
            ("rows", counts.rows),
            ("duplicates", counts.duplicates),
            ("train", counts.train as u64),
            ("valid", counts.valid as u64),
            ("users", counts.users as u64),
            ("items", counts.items as u64),
            ("parameters", counts.parameters as u64),
            ("epochs", self.training.epochs as u64),
        ]
        .map(|(name, value)| (name.into(), Cell::Count(value)))
        .into();
        for (kind, bytes) in self.bytes.kinds() {
            figures.push((format!("bytes.{kind}"), Cell::Count(bytes)));
        }
        figures.push(("bytes.total".into(), Cell::Count(self.bytes.total())));
        figures.push((
            "model_file_bytes".into(),
            Cell::Count(self.model_file_bytes),
        ));
        for (name, value) in [
            ("read", seconds.read),
            ("setup", seconds.setup),
            ("epoch", seconds.epoch),
            ("validation", seconds.validation),
            ("finish", seconds.finish),
            ("total", seconds.total),
        ] {
            figures.push((format!("seconds.{name}"), Cell::Metric(value)));
        }
        figures
    }

    fn text(&self) -> String {
        let (counts, way, seconds) = (&self.counts, &self.training, &self.seconds);
        let blocks = match way.n_blocks {
            Some(n) => format!(", {n} × {n} blocks"),
            None => String::new(),
        };
        let mut lines = vec![
            format!(
                "{} of {} and {}; {} held out",
                counted(counts.train as u64, "rating"),
                counted(counts.users as u64, "user"),
                counted(counts.items as u64, "item"),
                grouped(counts.valid as u64),
            ),
            format!(
                "{}, {}",
                counted(counts.rows, "row"),
                counted(counts.duplicates, "duplicate"),
            ),
            format!("batch {}: {}{blocks}", way.batch, way.reason),
            format!(
                "{}, {}, {}",
                counted(way.factors as u64, "factor"),
                counted(counts.parameters as u64, "parameter"),
                counted(way.epochs as u64, "epoch"),
            ),
            format!(
                "{}, learning rate {}, {}; {}, {} kernel\n",
                way.optimizer,
                way.learning_rate,
                way.schedule,
                counted(way.threads as u64, "thread"),
                way.kernel
            ),
        ];
        let figure = |name: &str, value: String| vec![name.to_owned(), value];
        let kinds = self.bytes.kinds().into_iter();
        let memory = kinds.chain([("total", self.bytes.total())]);
        let memory = memory.map(|(kind, bytes)| figure(kind, grouped(bytes)));
        let columns = [
            Column::new("memory", Set::Left),
            Column::new("bytes", Set::Right),
        ];
        lines.push(table::render(&columns, &memory.collect::<Vec<_>>()));
        let columns = [
            Column::new("expected time", Set::Left),
            Column::new("seconds", Set::Right),
        ];
        let times = [
            ("read", seconds.read),
            ("setup", seconds.setup),
            ("epoch", seconds.epoch),
            ("validation, after each epoch", seconds.validation),
            ("finish", seconds.finish),
            ("total", seconds.total),
        ];
        let times = times.map(|(name, value)| figure(name, format!("{value:.4}")));
        lines.push(table::render(&columns, &times));
        lines.push(format!(
            "The model's file would have {} bytes.\n\
             Times were tried on {}, and hold while the machine is as\n\
             busy as now; writing the model is not in them.",
            grouped(self.model_file_bytes),
            counted(seconds.sample_ratings as u64, "rating"),
        ));
        lines.join("\n") + "\n"
    }
}
