//! Which features does a model expect, and what did training see of them?

use clap::Args;
use serde::Serialize;

use crate::Result;
use crate::cli::given::ModelArgument;
use crate::cli::output::{Cell, Column, Format, Manner, Output, Set};
use crate::model::{CellSpread, ColumnSchema, Measure, Schema};

/// Show which features a model expects, what training saw of them, and a fingerprint
#[derive(Debug, Args)]
#[command(
    name = "schema",
    after_help = "Examples:\n  \
    lowrank data schema run\n  \
    lowrank data schema run --format json\n\n\
    Two models with the same fingerprint make the same features of the same file, whatever its order of rows and columns. It is of the columns, what\n\
    becomes of a cell, and the values, bins, mean and deviation; not of how often each was seen. `lowrank predict RUN --items FILE` and its like hold\n\
    the file against this."
)]
pub struct ShowSchema {
    #[command(flatten)]
    model: ModelArgument,
}

const COLUMNS: [Column; 8] = [
    Column::new("side", Set::Left),
    Column::new("column", Set::Left),
    Column::new("kind", Set::Left),
    Column::new("cells", Set::Left),
    Column::new("values", Set::Right),
    Column::new("rows", Set::Right),
    Column::new("empty", Set::Right),
    Column::new("training saw", Set::Cut),
];

/// A schema, as JSON shows it.
#[derive(Serialize)]
struct Document<'a> {
    fingerprint: Option<String>,
    users: Vec<OneColumn<'a>>,
    items: Vec<OneColumn<'a>>,
}

/// What becomes of a column, as JSON shows it.
#[derive(Serialize)]
struct OneColumn<'a> {
    column: &'a str,
    kind: &'static str,
    /// `one` or `several` values a cell.
    cells: &'static str,
    bag: &'static str,
    /// Rows with training ratings, and those of them whose cell is empty.
    rows: u64,
    empty: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    edges: Option<&'a [f64]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deviation: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenths: Option<&'a [f64]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<Value<'a>>>,
}

/// A category, and how many rows have it.
#[derive(Serialize)]
struct Value<'a> {
    value: &'a str,
    rows: u32,
}

impl ShowSchema {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let model = self.model.load_for(&[])?;
        let schema = model.schema();
        manner.output(None, |out| match out.format() {
            Format::Json | Format::JsonLines => out.json(&document(schema.as_ref())),
            Format::Table | Format::Csv => rows(schema.as_ref(), out),
        })?;
        if schema.is_none() {
            manner.note("note: the model has no features of columns, or was trained before models kept a schema");
        }
        Ok(())
    }
}

fn document<'a>(schema: Option<&'a Schema<'a>>) -> Document<'a> {
    let of = |columns: &'a [ColumnSchema<'a>]| columns.iter().map(one).collect();
    Document {
        fingerprint: schema.map(|schema| schema.fingerprint().to_string()),
        users: schema.map_or_else(Vec::new, |schema| of(&schema.users)),
        items: schema.map_or_else(Vec::new, |schema| of(&schema.items)),
    }
}

fn one<'a>(column: &'a ColumnSchema<'a>) -> OneColumn<'a> {
    let (edges, mean, deviation) = match &column.measure {
        Some(Measure::Bins(edges)) => (Some(&edges[..]), None, None),
        Some(Measure::Standard { mean, deviation }) => (None, Some(*mean), Some(*deviation)),
        None => (None, None, None),
    };
    let (tenths, values) = match &column.profile.spread {
        CellSpread::Tenths(tenths) => (Some(&tenths[..]), None),
        CellSpread::Rows(rows) => {
            let values = column.values.names().iter().zip(rows);
            let values = values.map(|(value, &rows)| Value { value, rows });
            (None, Some(values.collect()))
        }
    };
    OneColumn {
        column: column.name,
        kind: column.kind(),
        cells: cells(column),
        bag: column.bag.name(),
        rows: column.profile.rows,
        empty: column.profile.empty,
        edges,
        mean,
        deviation,
        tenths,
        values,
    }
}

fn cells(column: &ColumnSchema<'_>) -> &'static str {
    if column.profile.several {
        "several"
    } else {
        "one"
    }
}

fn rows(schema: Option<&Schema<'_>>, out: &mut Output<'_>) -> Result<()> {
    if let (Format::Table, Some(schema)) = (out.format(), schema) {
        out.text(&format!("schema {}\n", schema.fingerprint()))?;
    }
    let mut listing = out.listing(&COLUMNS)?;
    let sides = schema.map(|schema| [("users", &schema.users), ("items", &schema.items)]);
    for (side, columns) in sides.into_iter().flatten() {
        for column in columns {
            let cells = [
                Cell::Text(side),
                Cell::Text(column.name),
                Cell::Text(column.kind()),
                Cell::Text(cells(column)),
                Cell::Count(column.values.len() as u64),
                Cell::Count(column.profile.rows),
                Cell::Count(column.profile.empty),
                Cell::Text(&seen(column)),
            ];
            listing.row(&(), &cells)?;
        }
    }
    listing.finish()
}

/// The range of numbers, or the commonest values.
fn seen(column: &ColumnSchema<'_>) -> String {
    match &column.profile.spread {
        CellSpread::Tenths(_) => match column.profile.range() {
            Some((lo, hi)) => format!("{lo} to {hi}"),
            None => "no number".into(),
        },
        CellSpread::Rows(rows) => {
            let mut values: Vec<usize> = (0..rows.len()).filter(|&v| rows[v] > 0).collect();
            values.sort_by_key(|&v| std::cmp::Reverse(rows[v]));
            let shown = values.iter().take(5).map(|&v| {
                let name = column.values.name(v as u32);
                format!("{name} {}", rows[v])
            });
            let more = if values.len() > 5 { ", …" } else { "" };
            shown.collect::<Vec<_>>().join(", ") + more
        }
    }
}
