//! What is measured of a model?

use std::path::Path;

use super::findings::{Findings, Judged, error_intervals, errors_of_rows, slice_errors};
use super::{Evaluate, Further};
use crate::cli::given::ModelArgument;
use crate::cli::judge::gate::GateReport;
use crate::cli::output::{Manner, grouped};
use crate::data::Interactions;
use crate::data::reader::TestSet;
use crate::evaluation::baselines::Knn;
use crate::evaluation::evaluate;
use crate::evaluation::gate::{Gate, Reference};
use crate::evaluation::report::rows;
use crate::kernels::pool::Pool;
use crate::model::Meaning;
use crate::{Error, Model, Result};

/// A model, and the rows that it is judged by with the numbers that it gives their users and items.
pub(super) struct Side {
    pub(super) model: Model,
    pub(super) test: TestSet,
    /// The rows of `--train`.
    pub(super) train: Option<TestSet>,
}

impl Evaluate {
    /// Loads the model and reads the rows for it.
    pub(super) fn side(&self, path: &Path, manner: Manner) -> Result<Side> {
        let model = ModelArgument::new(path, self.verify).load()?;
        let model = self.fresh.apply(model, self.users.as_deref(), manner)?;
        self.with_rows(model, self.train.as_deref(), manner)
    }

    /// The same of the champion. Newer features are given to it where it has such; of the training ratings it needs what gates compare.
    pub(super) fn champion(&self, path: &Path, manner: Manner) -> Result<Side> {
        let model = ModelArgument::new(path, self.verify).load()?;
        let users = self.users.as_deref();
        let model = self.fresh.apply_where_there_are_any(model, users, manner)?;
        let compares =
            |gate: &Gate| gate.figure.needs_training() && gate.names(Reference::Champion);
        let train = self.train.as_deref();
        self.with_rows(
            model,
            train.filter(|_| self.gates.gate.iter().any(compares)),
            manner,
        )
    }

    fn with_rows(&self, model: Model, train: Option<&Path>, manner: Manner) -> Result<Side> {
        let (users, items) = (model.users().ids(), model.items().ids());
        let test = self.read(self.test()?, users, items, manner)?;
        let train = train.map(|file| self.read(file, users, items, manner));
        Ok(Side {
            train: train.transpose()?,
            model,
            test,
        })
    }

    /// By errors on ratings where there are such, else by lists.
    pub(super) fn judged(
        &self,
        model: &Model,
        test: &TestSet,
        knn: Option<&Knn>,
        pool: &Pool,
    ) -> Result<Findings> {
        if model.meaning() != Meaning::Rating || !test.report.has_ratings() {
            return self.by_lists(model, test, knn, pool);
        }
        self.by_errors(model, &test.interactions, knn, pool)
    }

    fn by_errors(
        &self,
        model: &Model,
        test: &Interactions,
        knn: Option<&Knn>,
        pool: &Pool,
    ) -> Result<Findings> {
        self.check_gates(None, false)?;
        let metrics = self.all_metrics()?;
        if let Some(metric) = metrics.iter().find(|metric| metric.kind.is_of_labels()) {
            let wanted =
                "rmse, mae or a metric of lists: the model predicts ratings, no probabilities";
            return Err(Error::config("metrics", metric, wanted));
        }
        let ranks = metrics.iter().any(|metric| metric.kind.is_ranking());
        if let Some(relevant) = self.relevant.filter(|_| !ranks) {
            return Err(Error::config(
                "relevant",
                relevant,
                "--metrics with a metric of lists, as in ndcg@10",
            ));
        }
        if let Some(n) = self
            .sampled
            .filter(|_| !metrics.iter().any(|m| m.kind.is_of_hits()))
        {
            return Err(Error::config(
                "sampled",
                n,
                "--metrics with a metric of lists, as in ndcg@10",
            ));
        }
        let found = evaluate(model, test, pool)?;
        let mut judged = vec![Judged::new("model", ["this model", "model"]).with(found.model)];
        let biases = Judged::new("biases", ["mean + biases", "biases"]);
        judged.extend(found.baselines.biases.map(|errors| biases.with(errors)));
        judged.push(Judged::new("global_mean", ["mean", "mean"]).with(found.baselines.global_mean));
        if let Some(knn) = knn {
            let predictions = clipped(model, knn.predictions(test, pool));
            let errors = errors_of_rows(test, &predictions);
            judged.push(Judged::new("knn", ["item neighbours", "knn"]).with(errors));
        }
        let by_row =
            (self.slices || self.draws().is_some()).then(|| rows::predictions(model, test, pool));
        let slices = by_row.as_ref().filter(|_| self.slices).map(|predictions| {
            let biases = model
                .baseline()
                .map(|of| clipped(model, rows::of_baseline(of, test)));
            let counts = (model.users().counts(), model.items().counts());
            slice_errors(test, counts, predictions, biases.as_deref())
        });
        let intervals = self.draws().zip(by_row.as_ref());
        let intervals = intervals
            .map(|(draws, predictions)| error_intervals(test, predictions, draws, self.seed, pool));
        let mut findings = Findings {
            metrics,
            judged,
            differences: Vec::new(),
            rows: found.rows,
            cold: Some(found.cold),
            missing: None,
            ranking: None,
            intervals,
            slices,
            no_errors: None,
            gates: GateReport::default(),
        };
        if ranks {
            self.rank(model, test, self.relevant, knn, &mut findings, pool)?;
        }
        Ok(findings)
    }

    /// Refuses a gate or a baseline that needs the training ratings where they are not given, and a file that nothing needs; flags alone decide.
    pub(super) fn check_train(&self) -> Result<()> {
        let gates = self.gates.gate.iter();
        let needing = gates.clone().find(|gate| gate.figure.needs_training());
        let needing = needing.or(self.gates.name(Reference::Knn));
        match (&self.train, needing) {
            (None, Some(gate)) => {
                let wanted = "--train FILE beside it, the ratings that the model was trained on";
                Err(Error::config("gate", format!("{:?}", gate.text), wanted))
            }
            (Some(_), None) if !self.baselines.contains(&Further::Knn) => {
                let got = "a file that nothing is measured with";
                let wanted = "--baselines knn beside it, or a gate that needs it";
                Err(Error::config("train", got, wanted))
            }
            _ => Ok(()),
        }
    }

    /// Fits the neighbours, where they are asked for, by `--baselines` or by a gate.
    pub(super) fn knn(&self, side: &Side, manner: Manner) -> Result<Option<Knn>> {
        let (Some(file), Some(train)) = (&self.train, &side.train) else {
            return Ok(None);
        };
        let wanted =
            self.baselines.contains(&Further::Knn) || self.gates.name(Reference::Knn).is_some();
        let (n, trained) = (
            train.interactions.len() as u64,
            side.model.n_training_ratings(),
        );
        if n != trained {
            let what = match wanted {
                true => "the neighbours know other ratings than the model",
                false => "they are not what the model learnt from",
            };
            manner.note(format_args!(
                "note: {} has {} ratings, the model was trained on {}: {what}",
                file.display(),
                grouped(n),
                grouped(trained)
            ));
        }
        let (users, items) = (train.users.len(), train.items.len());
        Ok(wanted.then(|| Knn::new(&train.interactions, users, items)))
    }
}

/// What a baseline predicts, cut to the scale of `model`'s predictions.
pub(super) fn clipped(model: &Model, mut predictions: Vec<f64>) -> Vec<f64> {
    let scale = model.clip().map(|clip| (clip.lo, clip.hi));
    rows::clip(&mut predictions, scale);
    predictions
}
