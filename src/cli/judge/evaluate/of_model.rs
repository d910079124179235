//! What is measured of a model?

use std::path::Path;

use super::findings::{Findings, Judged, error_intervals, errors_of_rows, slice_errors};
use super::{Evaluate, Further};
use crate::cli::given::ModelArgument;
use crate::cli::output::{Manner, grouped};
use crate::data::Interactions;
use crate::data::reader::TestSet;
use crate::evaluation::baselines::Knn;
use crate::evaluation::report::rows;
use crate::evaluation::{Figures, evaluate};
use crate::kernels::pool::Pool;
use crate::model::Meaning;
use crate::{Error, Model, Result};

impl Evaluate {
    pub(super) fn of_model(&self, path: &Path, pool: &Pool, manner: Manner) -> Result<Findings> {
        let model = ModelArgument::new(path, self.verify).load()?;
        let model = self.fresh.apply(model, self.users.as_deref(), manner)?;
        let test = self.read(
            self.test()?,
            model.users().ids(),
            model.items().ids(),
            manner,
        )?;
        let knn = self.knn(&model, manner)?;
        self.judged(&model, &test, knn.as_ref(), pool)
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
        let errors = Figures::from;
        let mut judged = vec![Judged {
            key: "model",
            names: ["this model", "model"],
            values: errors(found.model),
        }];
        judged.extend(found.baselines.biases.map(|of| Judged {
            key: "biases",
            names: ["mean + biases", "biases"],
            values: errors(of),
        }));
        judged.push(Judged {
            key: "global_mean",
            names: ["mean", "mean"],
            values: errors(found.baselines.global_mean),
        });
        let scale = model.clip().map(|clip| (clip.lo, clip.hi));
        let clipped = |mut predictions: Vec<f64>| {
            rows::clip(&mut predictions, scale);
            predictions
        };
        if let Some(knn) = knn {
            judged.push(Judged {
                key: "knn",
                names: ["item neighbours", "knn"],
                values: errors(errors_of_rows(test, &clipped(knn.predictions(test, pool)))),
            });
        }
        let by_row =
            (self.slices || self.draws().is_some()).then(|| rows::predictions(model, test, pool));
        let slices = by_row.as_ref().filter(|_| self.slices).map(|predictions| {
            let biases = model
                .baseline()
                .map(|of| clipped(rows::of_baseline(of, test)));
            let counts = (model.users().counts(), model.items().counts());
            slice_errors(test, counts, predictions, biases.as_deref())
        });
        let intervals = self.draws().zip(by_row.as_ref());
        let intervals = intervals
            .map(|(draws, predictions)| error_intervals(test, predictions, draws, self.seed, pool));
        let mut findings = Findings {
            metrics,
            judged,
            rows: found.rows,
            cold: Some(found.cold),
            missing: None,
            ranking: None,
            intervals,
            slices,
            no_errors: None,
        };
        if ranks {
            self.rank(model, test, self.relevant, knn, &mut findings, pool)?;
        }
        Ok(findings)
    }

    /// Fits the neighbours, where they are asked for.
    fn knn(&self, model: &Model, manner: Manner) -> Result<Option<Knn>> {
        let Some(file) = &self.train else {
            return Ok(None);
        };
        if !self.baselines.contains(&Further::Knn) {
            let got = "a file that nothing is measured with";
            return Err(Error::config("train", got, "--baselines knn beside it"));
        }
        let train = self.read(file, model.users().ids(), model.items().ids(), manner)?;
        let (n, trained) = (train.interactions.len() as u64, model.n_training_ratings());
        if n != trained {
            manner.note(format_args!(
                "note: {} has {} ratings, the model was trained on {}: the neighbours know other ratings than the model",
                file.display(),
                grouped(n),
                grouped(trained)
            ));
        }
        let TestSet {
            interactions,
            users,
            items,
            ..
        } = train;
        Ok(Some(Knn::new(&interactions, users.len(), items.len())))
    }
}
