//! How is a gate asked for, and how is its verdict shown?

use clap::Args;
use serde::Serialize;

use crate::cli::output::{Cell, Column, Output, Set};
use crate::evaluation::gate::{Gate, Reference, Rules, Verdict};
use crate::metrics::Metric;
use crate::{Error, Result};

/// What a model must be, to be released.
#[derive(Clone, Debug, Default, Args)]
pub struct GateFlags {
    /// What must hold of the model, as in "rmse <= champion + 0.002" or "ndcg@10 >= 1.05 * popularity"; may be repeated
    #[arg(long, value_name = "GATE", value_parser = gate)]
    pub gate: Vec<Gate>,
    /// A gate with a reference passes only where the whole 95 % interval of the difference is on the right side
    #[arg(long, requires = "gate")]
    pub clearly: bool,
    /// A gate that cannot be measured passes, as one about newcomers does where the test has none
    #[arg(long, requires = "gate")]
    pub allow_unmeasured: bool,
}

fn gate(text: &str) -> Result<Gate, String> {
    text.parse().map_err(|error: Error| match error {
        Error::Config { got, wanted, .. } => format!("got {got}, wanted {wanted}"),
        other => other.to_string(),
    })
}

impl GateFlags {
    /// The metrics that gates name.
    pub fn metrics(&self) -> impl Iterator<Item = Metric> {
        self.gate.iter().filter_map(|gate| gate.figure.metric())
    }

    /// The first gate that names a reference.
    pub fn name(&self, reference: Reference) -> Option<&Gate> {
        self.gate.iter().find(|gate| gate.names(reference))
    }

    /// How strict they are.
    pub fn rules(&self) -> Rules {
        Rules {
            clearly: self.clearly,
            allow_unmeasured: self.allow_unmeasured,
        }
    }

    /// Refuses gates that name a champion where there is none.
    pub fn check_reference(&self, has_champion: bool) -> Result<()> {
        match self.name(Reference::Champion).filter(|_| !has_champion) {
            None => Ok(()),
            Some(gate) => {
                let wanted = "--against MODEL beside it, which is the champion";
                Err(Error::config("gate", format!("{:?}", gate.text), wanted))
            }
        }
    }

    /// Refuses all of them, for there is `got`.
    pub fn refuse(&self, got: &str) -> Result<()> {
        match self.gate.is_empty() {
            true => Ok(()),
            false => Err(Error::config("gate", got, "a model: gates are about one")),
        }
    }
}

/// What became of the gates, in their order.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct GateReport(pub Vec<Verdict>);

const COLUMNS: [Column; 7] = [
    Column::new("gate", Set::Left),
    Column::new("verdict", Set::Left),
    Column::new("value", Set::Right),
    Column::new("bound", Set::Right),
    Column::new("diff from", Set::Right),
    Column::new("diff to", Set::Right),
    Column::new("remark", Set::Left),
];

impl GateReport {
    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A row a gate.
    pub fn write(&self, out: &mut Output<'_>) -> Result<()> {
        let number = |value: Option<f64>| value.map_or(Cell::Text(""), Cell::Metric);
        let mut listing = out.listing(&COLUMNS)?;
        for verdict in &self.0 {
            let remark = match (&verdict.note, verdict.clear) {
                (Some(note), _) => note,
                (None, Some(true)) => "clear",
                (None, Some(false)) => "may be chance",
                (None, None) => "",
            };
            let cells = [
                Cell::Text(&verdict.gate),
                Cell::Text(if verdict.passed { "passed" } else { "failed" }),
                number(verdict.value),
                number(verdict.bound),
                number(verdict.difference.map(|ends| ends[0])),
                number(verdict.difference.map(|ends| ends[1])),
                Cell::Text(remark),
            ];
            listing.row(verdict, &cells)?;
        }
        listing.finish()
    }

    /// A line a gate.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|of| {
            let verdict = if of.passed { "passed" } else { "failed" };
            format!("{verdict}: {}", said(of))
        })
    }

    /// Whether all passed.
    ///
    /// # Errors
    /// [`Error::Gate`] with those that did not.
    pub fn check(&self) -> Result<()> {
        let failed: Vec<&Verdict> = self.0.iter().filter(|of| !of.passed).collect();
        if failed.is_empty() {
            return Ok(());
        }
        let what: Vec<String> = failed.iter().map(|of| said(of)).collect();
        Err(Error::Gate {
            failed: failed.len(),
            what: what.join("; "),
        })
    }
}

/// A gate with its figures.
fn said(of: &Verdict) -> String {
    match (&of.note, of.value, of.bound) {
        (None, Some(value), Some(bound)) => {
            format!("{} (it is {value:.4}, the bound {bound:.4})", of.gate)
        }
        (note, ..) => format!("{} ({})", of.gate, note.as_deref().unwrap_or_default()),
    }
}
