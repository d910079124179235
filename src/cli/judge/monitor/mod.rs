//! `monitor`: is what a model meets today like what it was trained on?

use std::path::{Path, PathBuf};

use clap::Args;

use crate::artifact::RunDirectory;
use crate::artifact::run_directory::MODEL;
use crate::cli::given::{ModelArgument, Reading};
use crate::cli::keep::runs::record;
use crate::cli::output::Manner;
use crate::cli::sources::check_fresh;
use crate::data::reader::{ReadOptions, TestSet};
use crate::data::reader::{read_predictions, read_test};
use crate::evaluation::drift::{Bounds, Past, watch};
use crate::model::Meaning;
use crate::{Error, Model, Result};
use findings::{Findings, Source};

mod findings;

/// How much worse than on held-out ratings the errors may be, where no bound is given.
const WORSE: f64 = 1.1;

/// Tell whether what a model meets is like what it was trained on
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank monitor run --current yesterday.csv\n  \
    lowrank monitor run --current yesterday.csv --max-psi 0.1 --max-rmse 0.95 --format json\n  \
    lowrank monitor old.lowrank --current yesterday.csv --reference train.csv\n\n\
    The log is read as a file of ratings is: user, item, rating and perhaps a time; without ratings it says who took what. Where its header names a column \
    \"prediction\", that is what was served, and its errors are shown beside those of the model.\n\n\
    Every check has a value, a bound and a verdict. psi: population stability index, by convention no change below 0.1 and one to act upon from 0.2; js: \
    Jensen-Shannon divergence, 0 to 1 bit. Both are taken of ratings, of the popularity of the items (ten bins with a tenth of the training ratings each), and of \
    the model's predictions for pairs that it knows. By chance is the psi that one in twenty logs of this length exceeds though nothing has changed; where it is \
    above the bound there are too few rows to tell, and a note says how many it takes.\n\
    rmse is judged by --max-rmse, else by 1.1 times that on the ratings held out in training, where the run knows it, else by the deviation of the training ratings: \
    worse than that is worse than always saying their mean.\n\n\
    Exit code 3 where a check fails; what was found is printed all the same.\n\
    JSON: {\"rows\", \"compared_with\", \"unknown\": {\"users\": {\"rows\", \"rate\", \"ids\", \"of_ids\"}, \"items\"}, \"drift\": {\"ratings\": {\"psi\", \"psi_by_chance\", \"js\", \"rows\", \"bins\": \
    [{\"bin\", \"reference\", \"current\"}]}, \"popularity\", \"scores\"}, \"coverage\": {\"items\", \"share\", \"gini\", \"top\"}, \"coverage_before\", \"errors\": {\"rmse\", \"within\", \"rows\"}, \
    \"served\", \"train_rmse\", \"valid_rmse\", \"checks\": [{\"check\", \"value\", \"bound\", \"passed\"}], \"failed\"}; what there is nothing to compare with is null.")]
pub struct Monitor {
    #[command(flatten)]
    model: ModelArgument,
    /// The log: recent interactions, or its cache
    #[arg(long, value_name = "LOG")]
    current: PathBuf,
    /// Compare with these ratings instead of those that the model was trained on
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// The greatest population stability index
    #[arg(long, value_name = "X", value_parser = bound, default_value_t = Bounds::default().psi)]
    max_psi: f64,
    /// The greatest Jensen-Shannon divergence, in bits
    #[arg(long, value_name = "X", value_parser = bound, default_value_t = Bounds::default().js)]
    max_js: f64,
    /// The greatest share of rows whose user, and of rows whose item, the model has not
    #[arg(long, value_name = "SHARE", value_parser = bound, default_value_t = Bounds::default().unknown)]
    max_unknown: f64,
    /// The greatest RMSE [default: see below]
    #[arg(long, value_name = "X", value_parser = bound)]
    max_rmse: Option<f64>,
    #[command(flatten)]
    reading: Reading,
}

fn bound(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    let number = number.filter(|x: &f64| x.is_finite() && *x >= 0.0);
    number.ok_or_else(|| "wanted a number that is not negative, as in 0.2".into())
}

impl Monitor {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let file = self.model.file()?;
        let model = self.model.load()?;
        let files = [Some(&self.current), self.reference.as_ref()];
        check_fresh(files.into_iter().flatten().map(PathBuf::as_path), manner)?;
        let log = self.read(&self.current, &model)?;
        let served = self.served(&log, &model)?;
        let (past, compared_with) = match &self.reference {
            Some(file) => {
                let set = self.read(file, &model)?;
                if model.meaning() == Meaning::Rating && !set.report.has_ratings() {
                    return Err(Error::File {
                        path: file.clone(),
                        got: "pairs of user and item without a rating".into(),
                        wanted: "ratings to compare with: the model predicts ratings".into(),
                    });
                }
                let ratings = set.interactions;
                let source = Source::File(file.clone(), ratings.len() as u64);
                (Past::of_ratings(&model, ratings)?, source)
            }
            None => {
                let source = match model.reference() {
                    Some(_) => Source::Training(model.n_training_ratings()),
                    None => Source::Counts(model.n_training_ratings()),
                };
                (Past::of_model(&model), source)
            }
        };
        let valid_rmse = valid_rmse(&file);
        let deviation = past.reference.as_ref().map(|of| of.rating_std());
        let bounds = Bounds {
            psi: self.max_psi,
            js: self.max_js,
            unknown: self.max_unknown,
            rmse: self
                .max_rmse
                .or(valid_rmse.map(|rmse| WORSE * rmse))
                .or(deviation),
        };
        let has_ratings = log.report.has_ratings();
        let found = watch(
            &model,
            &past,
            &log.interactions,
            has_ratings,
            served.as_deref(),
            &self.reading.pool(),
        );
        if let Some(bound) = self.max_rmse.filter(|_| found.errors.is_none()) {
            let wanted = "none here: without ratings in the log, or of a model that predicts none, there are no errors";
            return Err(Error::config("max-rmse", bound, wanted));
        }
        let findings = Findings {
            checks: found.checks(&bounds),
            train_rmse: past.reference.as_ref().and_then(|of| of.train_rmse()),
            found,
            compared_with,
            valid_rmse,
            max_psi: self.max_psi,
        };
        manner.output(None, |out| findings.write(out))?;
        findings.remark(manner);
        findings.gate()
    }

    fn read(&self, file: &Path, model: &Model) -> Result<TestSet> {
        let (users, items) = (model.users().ids(), model.items().ids());
        read_test(file, &self.reading.options(), users, items)
    }

    /// What was served, row by row, where the log's header has a column for it. The log is read once more then, which only a file can be.
    fn served(&self, log: &TestSet, model: &Model) -> Result<Option<Vec<f32>>> {
        let more = log.report.header && !log.report.ignored.is_empty();
        if !more || !log.report.has_ratings() || !self.current.is_file() {
            return Ok(None);
        }
        let column = |set: &TestSet| {
            let mut roles = set.report.roles.iter();
            let rating = roles.find(|(role, _)| *role == "rating");
            rating.map(|(_, column)| column.clone())
        };
        // Those of the header are asked for, whatever --columns says of the others.
        let options = ReadOptions {
            columns: None,
            ..self.reading.options()
        };
        let (users, items) = (model.users().ids(), model.items().ids());
        let names_more = self.reading.columns.is_none();
        let served = match read_predictions(&self.current, &options, users, items) {
            Err(_) if !names_more => return Ok(None),
            served => served?,
        };
        if column(&served) == column(log) {
            return Ok(None);
        }
        match served.interactions.len() == log.interactions.len() {
            true => Ok(Some(served.interactions.ratings)),
            false => Err(Error::File {
                path: self.current.clone(),
                got: "a file that changed while it was read".into(),
                wanted: "one that nobody writes to".into(),
            }),
        }
    }
}

/// The RMSE on held-out ratings, where the model lies in the folder of its run and the run held some out.
fn valid_rmse(model: &Path) -> Option<f64> {
    let folder = model.parent().filter(|_| model.ends_with(MODEL))?;
    let record = record::read(&RunDirectory::open(folder).ok()?).ok()?;
    record["result"]["valid"]["rmse"].as_f64()
}
