//! Is a run better than the version in use?
//!
//! It is held against gates as `evaluate --gate` does, with the version in use as the champion. Where there is none yet, gates that name it pass: the first one in has to be better than nobody.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::artifact::Registry;
use crate::artifact::registry::names;
use crate::cli::given::{ModelArgument, Reading};
use crate::cli::judge::evaluate::Evaluate;
use crate::cli::judge::gate::{GateFlags, GateReport};
use crate::cli::output::Manner;
use crate::data::reader::{ColumnSpec, Separator};
use crate::model::Meaning;
use crate::{Error, Result};

/// The alias of the version in use.
const CHAMPION: &str = "champion";

/// What must hold before a run is pushed.
#[derive(Debug, Default, Args)]
pub(super) struct Better {
    /// Push only where the gates pass; without --gate, where rmse (of an order ndcg@20) is better than the champion's
    #[arg(long, requires = "test")]
    if_better: bool,
    /// Ratings that neither model was trained on
    #[arg(long, value_name = "FILE", requires = "if_better")]
    test: Option<PathBuf>,
    /// The alias of the champion [default: that of --promote where there is one already, else champion]
    #[arg(long, value_name = "ALIAS", requires = "if_better")]
    against: Option<String>,
    #[command(flatten)]
    gates: GateFlags,
    /// The ratings that the run was trained on, for gates that need them
    #[arg(long, value_name = "FILE", requires = "if_better")]
    train: Option<PathBuf>,
    /// The rating from which a test row is relevant to a ranking [default: every test row is]
    #[arg(long, value_name = "RATING", requires = "if_better")]
    relevant: Option<f32>,
    /// Which column of the test is what
    #[arg(long, value_name = "COLUMNS", requires = "if_better")]
    columns: Option<ColumnSpec>,
    /// What stands between two fields of it [default: found out]
    #[arg(long, value_name = "SEPARATOR", requires = "if_better")]
    sep: Option<Separator>,
}

/// Gates that were passed.
#[derive(Debug, Default)]
pub(super) struct Passed {
    pub(super) report: GateReport,
    /// What the alias was that is to be moved, where the run was compared with it.
    pub(super) promoted_from: Option<Option<u64>>,
}

impl Better {
    /// Holds `run` against the gates, where that is asked for.
    ///
    /// # Errors
    /// [`Error::Gate`] where one fails.
    pub(super) fn check(
        &self,
        run: &Path,
        registry: &Registry,
        name: &str,
        promote: Option<&str>,
        manner: Manner,
    ) -> Result<Passed> {
        if !self.if_better {
            return match self.gates.gate.first() {
                None => Ok(Passed::default()),
                Some(gate) => Err(Error::config(
                    "gate",
                    format!("{:?}", gate.text),
                    "--if-better and --test FILE beside it",
                )),
            };
        }
        let mut gates = self.gates.clone();
        if gates.gate.is_empty() {
            let rates = ModelArgument::new(run, false).load()?.meaning() == Meaning::Rating;
            let usual = if rates {
                "rmse < champion"
            } else {
                "ndcg@20 > champion"
            };
            gates.gate.push(usual.parse()?);
        }
        let aliases = registry.aliases(name)?;
        // An alias that is made only now is compared with the champion: a slip of the pen opens no gate.
        let promoted = promote.filter(|alias| aliases.version(alias).is_some());
        let alias = self.against.as_deref().or(promoted).unwrap_or(CHAMPION);
        names::check_alias(alias)?;
        let version = aliases.version(alias);
        let there: Vec<&str> = aliases.names().collect();
        if version.is_none() && !there.is_empty() {
            return Err(Error::Unknown {
                what: "alias",
                name: alias.into(),
                hint: format!("{name} has {}; --against says which", there.join(", ")),
            });
        }
        let champion = version.map(|version| registry.folder(name, version));
        if champion.is_none() {
            manner.note(format_args!(
                "no {alias} yet: gates that name the champion pass"
            ));
        }
        let evaluate = Evaluate::by_gates(gates, |evaluate| {
            evaluate.test = self.test.clone();
            evaluate.train = self.train.clone();
            evaluate.relevant = self.relevant;
            evaluate.reading = Reading {
                columns: self.columns.clone(),
                sep: self.sep,
                ..Reading::default()
            };
        });
        let report = evaluate.judge(run, champion.as_deref(), manner)?.gates;
        for line in report.lines() {
            manner.note(line);
        }
        Ok(Passed {
            report,
            promoted_from: (promote == Some(alias)).then_some(version),
        })
    }
}
