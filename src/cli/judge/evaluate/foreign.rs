//! What is measured of somebody's predictions?

use std::path::Path;

use super::findings::{Findings, Judged, error_intervals, errors_of_rows, slice_errors};
use super::{Evaluate, Further, Missing};
use crate::cli::judge::gate::GateReport;
use crate::cli::output::{Manner, counted};
use crate::data::layout::order::count;
use crate::data::reader::{ReadOptions, TestSet, read_predictions};
use crate::data::{Ids, Interactions};
use crate::evaluation::baselines::Knn;
use crate::evaluation::report::rows::{self, join};
use crate::evaluation::{Cold, SplitReport};
use crate::kernels::pool::Pool;
use crate::metrics::Kind;
use crate::model::Baseline;
use crate::{Error, Result};

impl Evaluate {
    pub(super) fn foreign(&self, file: &Path, pool: &Pool, manner: Manner) -> Result<Findings> {
        if let Some(metric) = self
            .metrics
            .iter()
            .find(|metric| !matches!(metric.kind, Kind::Rmse | Kind::Mae))
        {
            let wanted =
                "rmse or mae: a list needs predictions of all items, a file has those of the test";
            return Err(Error::config("metrics", metric, wanted));
        }
        if self.slices && self.train.is_none() {
            let wanted = "--train FILE beside it, where predictions are judged";
            return Err(Error::config("slices", "no training ratings", wanted));
        }
        // The training ratings number the users and items, as in a training: λ is chosen alike.
        let nobody = Ids::default();
        let train = self.train.as_ref();
        let train = train.map(|train| self.read(train, &nobody, &nobody, manner));
        let train = train.transpose()?;
        let known = train.as_ref().map(|train| (&train.users, &train.items));
        let (users, items) = known.unwrap_or((&nobody, &nobody));
        let TestSet {
            interactions: test,
            users,
            items,
            report,
        } = self.read(self.test()?, users, items, manner)?;
        if !report.has_ratings() {
            return Err(Error::File {
                path: report.path,
                got: "a test file without ratings".into(),
                wanted: "ratings, to compare the predictions with".into(),
            });
        }
        let (predictions, test, missing) = self.joined(file, test, &users, &items)?;
        let mut findings = Findings {
            metrics: self.all_metrics()?,
            judged: vec![
                Judged::new("predictions", ["these predictions", "predictions"])
                    .with(errors_of_rows(&test, &predictions)),
            ],
            differences: Vec::new(),
            rows: test.len() as u64,
            cold: None,
            missing: Some(missing),
            ranking: None,
            intervals: self
                .draws()
                .map(|draws| error_intervals(&test, &predictions, draws, self.seed, pool)),
            slices: None,
            no_errors: None,
            gates: GateReport::default(),
        };
        if let Some(train) = &train {
            self.baselines_of(train, &test, &predictions, &mut findings, pool);
        }
        Ok(findings)
    }

    /// Predictions of the test rows, those rows, and how many have none.
    fn joined(
        &self,
        file: &Path,
        test: Interactions,
        users: &Ids,
        items: &Ids,
    ) -> Result<(Vec<f64>, Interactions, u64)> {
        // The flags that name columns are about ratings; a file of predictions says itself.
        let options = ReadOptions {
            threads: self.reading.threads,
            ..ReadOptions::default()
        };
        let theirs = read_predictions(file, &options, users, items)?;
        let joined = join(&theirs.interactions, &test).map_err(|twice| {
            let row = twice.rows[0];
            let user = theirs.users.name(theirs.interactions.users[row]);
            let item = theirs.items.name(theirs.interactions.items[row]);
            Error::File {
                path: file.into(),
                got: format!(
                    "two predictions of user {user:?} and item {item:?}, {} and {}",
                    theirs.interactions.ratings[row], theirs.interactions.ratings[twice.rows[1]]
                ),
                wanted: "one for each pair".into(),
            }
        })?;
        let n_missing = joined.missing.len() as u64;
        let Some(&first) = joined.missing.first() else {
            return Ok((joined.of_rows.into_iter().flatten().collect(), test, 0));
        };
        if self.missing == Missing::Error || n_missing == test.len() as u64 {
            let row = first as usize;
            let (user, item) = (users.name(test.users[row]), items.name(test.items[row]));
            return Err(Error::File {
                path: file.into(),
                got: format!(
                    "no prediction for {} of {}, the first of user {user:?} and item {item:?}",
                    n_missing,
                    counted(test.len() as u64, "test rating")
                ),
                wanted: "one for each, or --missing skip where some may be left out".into(),
            });
        }
        let kept = (0..test.len()).filter(|&n| joined.of_rows[n].is_some());
        let test = test.select(&kept.collect::<Vec<usize>>());
        Ok((
            joined.of_rows.into_iter().flatten().collect(),
            test,
            n_missing,
        ))
    }

    /// What the training ratings say beside the predictions.
    fn baselines_of(
        &self,
        train: &TestSet,
        test: &Interactions,
        predictions: &[f64],
        findings: &mut Findings,
        pool: &Pool,
    ) {
        let TestSet {
            interactions: train,
            users,
            items,
            ..
        } = train;
        let report = SplitReport::new(train, test);
        findings.cold = Some(Cold {
            users: report.cold_users,
            items: report.cold_items,
            rows: report.cold_rows,
        });
        let clipped = |mut predictions: Vec<f64>| {
            rows::clip(&mut predictions, train.scale());
            predictions
        };
        let baseline = Baseline::fit(train, users.len(), items.len());
        let biases = clipped(rows::of_baseline(&baseline, test));
        let mut add = |key, names, predictions: &[f64]| {
            let errors = errors_of_rows(test, predictions);
            findings.judged.push(Judged::new(key, names).with(errors));
        };
        add("biases", ["mean + biases", "biases"], &biases);
        add(
            "global_mean",
            ["mean", "mean"],
            &vec![train.mean(); test.len()],
        );
        if self.baselines.contains(&Further::Knn) {
            let knn = Knn::new(train, users.len(), items.len());
            add(
                "knn",
                ["item neighbours", "knn"],
                &clipped(knn.predictions(test, pool)),
            );
        }
        if self.slices {
            let counts = (
                count(&train.users, users.len()),
                count(&train.items, items.len()),
            );
            let counts = (&counts.0[..], &counts.1[..]);
            findings.slices = Some(slice_errors(test, counts, predictions, Some(&biases)));
        }
    }
}
