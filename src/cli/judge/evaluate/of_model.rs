//! What is measured of a model?

use std::path::Path;

use super::findings::{
    Findings, Intervals, Judged, Ranked, Values, error_intervals, errors_of_rows, slice_errors,
};
use super::{Evaluate, Further};
use crate::cli::given::ModelArgument;
use crate::cli::output::{Manner, grouped};
use crate::data::Interactions;
use crate::data::reader::TestSet;
use crate::evaluation::baselines::{Knn, Popularity};
use crate::evaluation::evaluate;
use crate::evaluation::report::ranking::{
    Measured, OfModel, OfNeighbours, OfPopularity, TestUsers, everybody, measure,
};
use crate::evaluation::report::{bootstrap, rows};
use crate::kernels::pool::Pool;
use crate::metrics::{Kind, Metric};
use crate::{Error, Model, Result};

impl Evaluate {
    pub(super) fn of_model(&self, path: &Path, pool: &Pool, manner: Manner) -> Result<Findings> {
        let model = ModelArgument::new(path, self.verify).load()?;
        let test = self.read(
            self.test()?,
            model.users().ids(),
            model.items().ids(),
            manner,
        )?;
        let test = &test.interactions;
        let knn = self.knn(&model, manner)?;
        let found = evaluate(&model, test, pool)?;
        let errors = Values::errors;
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
        if let Some(knn) = &knn {
            judged.push(Judged {
                key: "knn",
                names: ["item neighbours", "knn"],
                values: errors(errors_of_rows(test, &clipped(knn.predictions(test, pool)))),
            });
        }
        let by_row =
            (self.slices || self.draws().is_some()).then(|| rows::predictions(&model, test, pool));
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
            metrics: self.all_metrics()?,
            judged,
            rows: found.rows,
            cold: Some(found.cold),
            missing: None,
            ranking: None,
            intervals,
            slices,
        };
        if findings
            .metrics
            .iter()
            .any(|metric| metric.kind.is_ranking())
        {
            self.rank(&model, test, knn.as_ref(), &mut findings, pool)?;
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

    fn rank(
        &self,
        model: &Model,
        test: &Interactions,
        knn: Option<&Knn>,
        findings: &mut Findings,
        pool: &Pool,
    ) -> Result<()> {
        let users = TestUsers::new(model, test, self.relevant);
        let wanted = findings.metrics.clone();
        let longest = wanted.iter().filter_map(|metric| metric.cutoff).max();
        let overlap = longest.map(|cutoff| Metric {
            kind: Kind::Overlap,
            cutoff: Some(cutoff),
        });
        let with_overlap: Vec<Metric> = wanted.iter().copied().chain(overlap).collect();
        let recommender = everybody(model, longest.unwrap_or(1))?;
        let of_model = OfModel::new(model, &recommender);
        let mut found = measure(&of_model, model, &users, &with_overlap, pool);
        let of_overlap = overlap.and_then(|metric| Some((metric, found.pop()?.value)));
        if let (Some(draws), Some(intervals)) = (self.draws(), &mut findings.intervals) {
            self.intervals_of(&found, draws, intervals, pool);
        }
        let n_users = users.users.len() as u64 - users.n_without_relevant();
        findings.ranking = Some(Ranked {
            relevant_from: self.relevant,
            users: n_users,
            users_without_relevant: users.n_without_relevant(),
            pairs_in_training: users.n_leaked,
            auc_users: found
                .iter()
                .find(|m| m.metric.kind == Kind::Auc)
                .and_then(Measured::n_users),
            overlap: of_overlap,
        });
        findings.judged[0].values.0.extend(values(&found));
        let popularity = OfPopularity {
            model,
            popularity: Popularity::new(model.items().counts()),
        };
        let popular = Values(values(&measure(&popularity, model, &users, &wanted, pool)));
        if let Some(knn) = knn {
            let neighbours = OfNeighbours {
                model,
                neighbours: knn.neighbours(pool),
            };
            let near = values(&measure(&neighbours, model, &users, &wanted, pool));
            let judged = findings.judged.iter_mut();
            judged
                .filter(|judged| judged.key == "knn")
                .for_each(|judged| judged.values.0.extend(&near));
        }
        findings.judged.push(Judged {
            key: "popularity",
            names: ["most rated", "popular"],
            values: popular,
        });
        Ok(())
    }

    fn intervals_of(
        &self,
        found: &[Measured],
        draws: usize,
        intervals: &mut Intervals,
        pool: &Pool,
    ) {
        for measured in found {
            if let Some(of_users) = &measured.of_users {
                let interval = bootstrap::of_mean(of_users, draws, self.seed, pool);
                intervals.of.push((measured.metric, interval));
            }
        }
    }
}

fn values(found: &[Measured]) -> Vec<(Metric, f64)> {
    found.iter().map(|m| (m.metric, m.value)).collect()
}
