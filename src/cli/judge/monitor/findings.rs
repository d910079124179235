//! What does `monitor` say?

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::output::{Cell, Column, Format, Manner, Output, Set, counted, grouped};
use crate::cli::table;
use crate::evaluation::drift::{Check, Coverage, Drift, Errors, Unknown, Watched};
use crate::metrics::drift::rows_for;
use crate::{Error, Result};

/// What the log was put beside.
pub(super) enum Source {
    /// The training, as the model's file describes it.
    Training(u64),
    /// The counts of a model's file that does not describe it.
    Counts(u64),
    /// Another file of ratings.
    File(PathBuf, u64),
}

impl Source {
    fn said(&self) -> String {
        match self {
            Source::Training(n) => format!("the {} training ratings", grouped(*n)),
            Source::Counts(n) => format!(
                "how often each item has the {} training ratings",
                grouped(*n)
            ),
            Source::File(path, n) => {
                let n = counted(*n, "rating");
                format!("{}, {n}", table::safe(&path.display().to_string()))
            }
        }
    }
}

/// Everything that is printed.
pub(super) struct Findings {
    pub(super) found: Watched,
    pub(super) checks: Vec<Check>,
    pub(super) compared_with: Source,
    pub(super) train_rmse: Option<f64>,
    pub(super) valid_rmse: Option<f64>,
    pub(super) max_psi: f64,
}

/// As JSON shows it.
#[derive(Serialize)]
struct Document<'a> {
    rows: u64,
    compared_with: String,
    unknown: BothUnknown,
    drift: Drifts<'a>,
    coverage: Coverage,
    coverage_before: Coverage,
    errors: Option<Errors>,
    served: Option<Errors>,
    train_rmse: Option<f64>,
    valid_rmse: Option<f64>,
    checks: Vec<CheckLine>,
    failed: usize,
}

#[derive(Serialize)]
struct BothUnknown {
    users: UnknownLine,
    items: UnknownLine,
}

#[derive(Serialize)]
struct UnknownLine {
    rows: u64,
    rate: f64,
    ids: u64,
    of_ids: u64,
}

#[derive(Serialize)]
struct Drifts<'a> {
    ratings: Option<DriftLine<'a>>,
    popularity: Option<DriftLine<'a>>,
    scores: Option<DriftLine<'a>>,
}

#[derive(Serialize)]
struct DriftLine<'a> {
    psi: f64,
    psi_by_chance: f64,
    js: f64,
    rows: u64,
    bins: Vec<BinLine<'a>>,
}

/// A bin, and which shares fall into it.
#[derive(Serialize)]
struct BinLine<'a> {
    bin: &'a str,
    reference: f64,
    current: f64,
}

#[derive(Serialize)]
struct CheckLine {
    check: &'static str,
    value: f64,
    bound: f64,
    passed: bool,
}

impl<'a> From<&'a Drift> for DriftLine<'a> {
    fn from(drift: &'a Drift) -> DriftLine<'a> {
        let (n, m) = (drift.n_reference() as f64, drift.n_current() as f64);
        let counts = drift.reference.iter().zip(&drift.current);
        let bins = drift.bins.iter().zip(counts);
        let line = |(bin, (&before, &now)): (&'a String, (&u64, &u64))| BinLine {
            bin,
            reference: before as f64 / n,
            current: now as f64 / m,
        };
        DriftLine {
            psi: drift.psi(),
            psi_by_chance: drift.psi_by_chance(),
            js: drift.js(),
            rows: drift.n_current(),
            bins: bins.map(line).collect(),
        }
    }
}

impl From<&Check> for CheckLine {
    fn from(check: &Check) -> CheckLine {
        CheckLine {
            check: check.name,
            value: check.value,
            bound: check.bound,
            passed: check.passed(),
        }
    }
}

const COLUMNS: [Column; 4] = [
    Column::new("check", Set::Left),
    Column::new("value", Set::Right),
    Column::new("bound", Set::Right),
    Column::new("verdict", Set::Left),
];

impl Findings {
    pub(super) fn write(&self, out: &mut Output<'_>) -> Result<()> {
        match out.format() {
            Format::Json | Format::JsonLines => return out.json(&self.document()),
            Format::Table => out.text(&self.before())?,
            Format::Csv => {}
        }
        let mut listing = out.listing(&COLUMNS)?;
        for check in &self.checks {
            let cells = [
                Cell::Text(check.name),
                Cell::Metric(check.value),
                Cell::Metric(check.bound),
                Cell::Text(if check.passed() { "ok" } else { "FAILED" }),
            ];
            listing.row(&CheckLine::from(check), &cells)?;
        }
        listing.finish()?;
        match out.format() {
            Format::Table => out.text(&self.after()),
            _ => Ok(()),
        }
    }

    fn document(&self) -> Document<'_> {
        let found = &self.found;
        let unknown = |of: &Unknown| UnknownLine {
            rows: of.rows,
            rate: of.rows as f64 / found.rows as f64,
            ids: of.ids,
            of_ids: of.of_ids,
        };
        Document {
            rows: found.rows,
            compared_with: self.compared_with.said(),
            unknown: BothUnknown {
                users: unknown(&found.users),
                items: unknown(&found.items),
            },
            drift: Drifts {
                ratings: found.ratings.as_ref().map(DriftLine::from),
                popularity: found.popularity.as_ref().map(DriftLine::from),
                scores: found.scores.as_ref().map(DriftLine::from),
            },
            coverage: found.coverage,
            coverage_before: found.coverage_before,
            errors: found.errors,
            served: found.served,
            train_rmse: self.train_rmse,
            valid_rmse: self.valid_rmse,
            checks: self.checks.iter().map(CheckLine::from).collect(),
            failed: self.failed().count(),
        }
    }

    /// What stands before the checks.
    fn before(&self) -> String {
        let found = &self.found;
        let side = |of: &Unknown, what: &str| {
            let (ids, unknown) = (counted(of.of_ids, what), grouped(of.ids));
            format!("{ids} ({unknown} unknown, in {})", counted(of.rows, "row"))
        };
        format!(
            "{}: {}, {}\ncompared with {}\n",
            counted(found.rows, "row"),
            side(&found.users, "user"),
            side(&found.items, "item"),
            self.compared_with.said()
        )
    }

    /// What stands after them.
    fn after(&self) -> String {
        let found = &self.found;
        let by_chance: Vec<String> = found
            .drifts()
            .map(|(name, drift)| format!("{name} {:.4}", drift.psi_by_chance()))
            .collect();
        let mut lines = Vec::new();
        if !by_chance.is_empty() {
            lines.push(format!("psi by chance: {}", by_chance.join(", ")));
        }
        let coverage = |of: &Coverage| {
            let (share, top) = (100.0 * of.share, 100.0 * of.top);
            format!(
                "{share:.1} % of the catalogue, Gini {:.3}, the top hundredth has {top:.1} % of the rows",
                of.gini
            )
        };
        lines.push(format!("items now: {}", coverage(&found.coverage)));
        lines.push(format!(
            "items before: {}",
            coverage(&found.coverage_before)
        ));
        if let Some(errors) = &found.errors {
            let mut line = format!("RMSE {:.4} ± {:.4}", errors.rmse, errors.within);
            if let Some(served) = &found.served {
                line += &format!(
                    ", of what was served {:.4} ± {:.4}",
                    served.rmse, served.within
                );
            }
            for (rmse, what) in [(self.train_rmse, "training"), (self.valid_rmse, "held-out")] {
                if let Some(rmse) = rmse {
                    line += &format!(", of {what} ratings {rmse:.4}");
                }
            }
            lines.push(line);
        }
        lines.join("\n") + "\n"
    }

    /// What should be known beside the figures.
    pub(super) fn remark(&self, manner: Manner) {
        if let Source::Counts(_) = self.compared_with {
            manner.note(
                "note: the model's file does not say what its training looked like, so ratings and scores are not compared; train anew, or compare with a file: --reference FILE",
            );
        }
        if self.found.scores.is_some() && !self.found.judges_scores {
            manner.note(
                "note: a model of an order scores what training saw above all else, so the scores are compared, but not judged; --reference with held-out interactions judges them",
            );
        }
        for (name, drift) in self.found.drifts() {
            let chance = drift.psi_by_chance();
            if chance <= self.max_psi {
                continue;
            }
            let enough = match rows_for(self.max_psi, drift.n_bins(), drift.n_reference()) {
                Some(rows) => format!("from {} on it stays below the bound", counted(rows, "row")),
                None => "the reference is too small for that bound".into(),
            };
            manner.note(format_args!(
                "note: {} are few: by chance alone one log in twenty has a psi of {name} above {chance:.2}; {enough}",
                counted(drift.n_current(), "row"),
            ));
        }
    }

    fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.passed())
    }

    /// The end: an error where a check failed.
    pub(super) fn gate(&self) -> Result<()> {
        let what: Vec<String> = self
            .failed()
            .map(|check| format!("{} {:.4} > {:.4}", check.name, check.value, check.bound))
            .collect();
        match what.len() {
            0 => Ok(()),
            failed => Err(Error::Gate {
                failed,
                what: what.join(", "),
            }),
        }
    }
}
