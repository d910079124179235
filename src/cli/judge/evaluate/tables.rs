//! How is an evaluation shown?
//!
//! Errors alone: a row a model. With rankings or intervals, of which there may be many: a row a metric, a column a model.

use super::findings::{CHAMPION, Findings, SliceErrors};
use crate::Result;
use crate::cli::output::{Cell, Column, Format, Output, Set};
use crate::evaluation::Errors;

const ERRORS: [Column; 3] = [
    Column::new("model", Set::Left),
    Column::new("rmse", Set::Right),
    Column::new("mae", Set::Right),
];

const SLICES: [Column; 7] = [
    Column::new("by", Set::Left),
    Column::new("slice", Set::Left),
    Column::new("rows", Set::Right),
    Column::new("rmse", Set::Right),
    Column::new("mae", Set::Right),
    Column::new("biases rmse", Set::Right),
    Column::new("biases mae", Set::Right),
];

impl Findings {
    pub(super) fn write(&self, out: &mut Output<'_>) -> Result<()> {
        match (out.format(), &self.slices) {
            (Format::Json | Format::JsonLines, _) => out.json(self),
            (Format::Csv, _) if !self.gates.is_empty() => self.gates.write(out),
            // One kind of rows a file: those of all are among the slices.
            (Format::Csv, Some(slices)) => self.write_slices(slices, out),
            (_, slices) => {
                let by_metric = [
                    self.ranking.is_some(),
                    self.intervals.is_some(),
                    self.champion().is_some(),
                ];
                match by_metric.contains(&true) {
                    true => self.by_metric(out)?,
                    false => self.by_model(out)?,
                }
                if let Some(slices) = slices {
                    out.text("\n")?;
                    self.write_slices(slices, out)?;
                }
                if self.gates.is_empty() {
                    return Ok(());
                }
                out.text("\n")?;
                self.gates.write(out)
            }
        }
    }

    fn by_model(&self, out: &mut Output<'_>) -> Result<()> {
        let mut listing = out.listing(&ERRORS)?;
        for judged in &self.judged {
            let values: Vec<f64> = judged.values.0.iter().map(|(_, value)| *value).collect();
            if let [rmse, mae] = values[..] {
                let cells = [
                    Cell::Text(judged.names[0]),
                    Cell::Metric(rmse),
                    Cell::Metric(mae),
                ];
                listing.row(&(), &cells)?;
            }
        }
        listing.finish()
    }

    fn by_metric(&self, out: &mut Output<'_>) -> Result<()> {
        let mut columns = vec![Column::new("metric", Set::Left)];
        for (n, judged) in self.judged.iter().enumerate() {
            columns.push(Column::new(judged.names[1], Set::Right));
            if n == 0 && self.intervals.is_some() {
                columns.push(Column::new("2.5 %", Set::Right));
                columns.push(Column::new("97.5 %", Set::Right));
            }
            if judged.key == CHAMPION {
                columns.push(Column::new("diff from", Set::Right));
                columns.push(Column::new("diff to", Set::Right));
            }
        }
        let format = out.format();
        let mut listing = out.listing(&columns)?;
        for &metric in &self.metrics {
            let name = match format {
                Format::Table => metric.label(),
                _ => metric.to_string(),
            };
            let mut cells = vec![Cell::Text(&name)];
            for (n, judged) in self.judged.iter().enumerate() {
                cells.push(or_nothing(judged.values.get(metric)));
                if let (0, Some(intervals)) = (n, &self.intervals) {
                    let interval = intervals.of.iter().find(|(of, _)| *of == metric);
                    cells.push(or_nothing(interval.map(|(_, interval)| interval.low)));
                    cells.push(or_nothing(interval.map(|(_, interval)| interval.high)));
                }
                if judged.key == CHAMPION {
                    let ends = self.differences.iter().find(|(of, _)| *of == metric);
                    cells.push(or_nothing(ends.map(|(_, ends)| ends[0])));
                    cells.push(or_nothing(ends.map(|(_, ends)| ends[1])));
                }
            }
            listing.row(&(), &cells)?;
        }
        listing.finish()
    }

    fn write_slices(&self, slices: &[SliceErrors], out: &mut Output<'_>) -> Result<()> {
        let biases = slices.iter().any(|slice| slice.biases.is_some());
        let columns = &SLICES[..if biases { 7 } else { 5 }];
        let mut listing = out.listing(columns)?;
        let of = |key: &str| {
            let judged = self.judged.iter().find(|judged| judged.key == key)?;
            let values: Vec<f64> = judged.values.0.iter().map(|(_, value)| *value).collect();
            let &[rmse, mae, ..] = &values[..] else {
                return None;
            };
            Some(Errors { rmse, mae })
        };
        let all = of(self.judged[0].key).map(|model| SliceErrors {
            by: "all",
            slice: "",
            rows: self.rows,
            model,
            biases: of("biases"),
        });
        for slice in all.iter().chain(slices) {
            let cells = [
                Cell::Text(slice.by),
                Cell::Text(slice.slice),
                Cell::Count(slice.rows),
                Cell::Metric(slice.model.rmse),
                Cell::Metric(slice.model.mae),
                or_nothing(slice.biases.map(|errors| errors.rmse)),
                or_nothing(slice.biases.map(|errors| errors.mae)),
            ];
            listing.row(&(), &cells[..columns.len()])?;
        }
        listing.finish()
    }
}

/// Nothing where there is no number.
fn or_nothing(value: Option<f64>) -> Cell<'static> {
    match value {
        Some(value) if !value.is_nan() => Cell::Metric(value),
        _ => Cell::Text(""),
    }
}
