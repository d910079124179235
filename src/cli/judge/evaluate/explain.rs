//! What does a metric mean?

use std::fmt::Write as _;

use serde::Serialize;

use crate::cli::output::{Cell, Column, Format, Manner, Set};
use crate::metrics::{ABOUT, About, Metric};
use crate::{Error, Result};

const COLUMNS: [Column; 2] = [
    Column::new("name", Set::Left),
    Column::new("question", Set::Left),
];

/// One metric, as JSON shows it.
#[derive(Serialize)]
struct Document {
    name: String,
    question: &'static str,
    formula: &'static [&'static str],
    range: &'static str,
    edges: &'static [&'static str],
    ties: &'static str,
}

/// Explains the metric called `name`, or lists all.
pub(super) fn run(name: &str, manner: Manner) -> Result<()> {
    if name.eq_ignore_ascii_case("all") {
        return manner.output(None, |out| {
            let mut listing = out.listing(&COLUMNS)?;
            for about in &ABOUT {
                let name = called(about);
                let cells = [Cell::Text(&name), Cell::Text(about.question)];
                listing.row(&document(about), &cells)?;
            }
            listing.finish()
        });
    }
    let metric: Metric = name.parse().map_err(|error| match error {
        Error::Config { got, wanted, .. } => {
            Error::config("explain", got, format!("all, or one of {wanted}"))
        }
        other => other,
    })?;
    let about = metric.kind.about();
    manner.output(None, |out| match out.format() {
        Format::Json | Format::JsonLines => out.json(&document(about)),
        Format::Table => out.text(&text(about)),
        Format::Csv => {
            let mut listing = out.listing(&COLUMNS)?;
            let name = called(about);
            listing.row(&(), &[Cell::Text(&name), Cell::Text(about.question)])?;
            listing.finish()
        }
    })
}

fn called(about: &About) -> String {
    format!("{}{}", about.name, if about.has_cutoff { "@N" } else { "" })
}

fn document(about: &About) -> Document {
    Document {
        name: called(about),
        question: about.question,
        formula: about.formula,
        range: about.range,
        edges: about.edges,
        ties: about.ties,
    }
}

fn text(about: &About) -> String {
    let mut text = format!("{}: {}\n\n", called(about), about.question);
    for line in about.formula {
        let _ = writeln!(text, "    {line}");
    }
    let _ = writeln!(text, "\nrange  {}", about.range);
    for (n, edge) in about.edges.iter().enumerate() {
        let _ = writeln!(text, "{}  {edge}", if n == 0 { "edges" } else { "     " });
    }
    let _ = writeln!(text, "ties   {}", about.ties);
    text
}
