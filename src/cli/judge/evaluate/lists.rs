//! What is measured of a model whose lists count, and not its errors?
//!
//! A model of an order or of probabilities, or any model where the test says what was taken and not how it was rated. Every test row is relevant; where rows are labelled, those with a yes are.

use super::Evaluate;
use super::findings::{Findings, Intervals, Judged, Ranked};
use crate::cli::judge::gate::GateReport;
use crate::data::Interactions;
use crate::data::reader::TestSet;
use crate::evaluation::baselines::{Knn, Popularity};
use crate::evaluation::report::ranking::{
    Measured, OfModel, OfNeighbours, OfPopularity, Ranking, TestUsers, everybody, measure,
};
use crate::evaluation::report::sampled::measure_sampled;
use crate::evaluation::report::{bootstrap, cold_of, rows};
use crate::kernels::pool::Pool;
use crate::metrics::{Kind, Metric, label_auc, log_loss};
use crate::model::Meaning;
use crate::{Error, Model, Result};

/// What is measured where nothing is asked for.
const USUAL: [Kind; 9] = [
    Kind::Recall,
    Kind::Ndcg,
    Kind::Precision,
    Kind::Hit,
    Kind::Mrr,
    Kind::Map,
    Kind::Coverage,
    Kind::Novelty,
    Kind::Overlap,
];
/// Where lists are cut then.
const USUAL_CUTOFF: usize = 20;

impl Evaluate {
    /// A model by its lists.
    pub(super) fn by_lists(
        &self,
        model: &Model,
        set: &TestSet,
        knn: Option<&Knn>,
        pool: &Pool,
    ) -> Result<Findings> {
        let test = &set.interactions;
        if test.is_empty() {
            return Err(Error::config("test", "no rows", "one or more"));
        }
        let why = match model.meaning() {
            Meaning::Rating => "the test file has no ratings",
            Meaning::Probability => "the model predicts probabilities, no ratings",
            _ => "the model predicts an order of items, no ratings",
        };
        let labels = match set.report.has_ratings() {
            true => labels(test, self.relevant),
            false => None,
        };
        let can_label = labels.is_some() && model.meaning() == Meaning::Probability;
        self.refuse(why, set.report.has_ratings(), can_label)?;
        let relevant_from = labels.as_ref().map(|labels| labels.from).or(self.relevant);
        let mut findings = Findings {
            metrics: self.of_lists(can_label),
            judged: vec![Judged::new("model", ["this model", "model"])],
            differences: Vec::new(),
            rows: test.len() as u64,
            cold: Some(cold_of(model, test)),
            missing: None,
            ranking: None,
            intervals: self.draws().map(|draws| Intervals {
                draws,
                of: Vec::new(),
            }),
            slices: None,
            no_errors: Some(why),
            gates: GateReport::default(),
        };
        if knn.is_some() {
            let knn = Judged::new("knn", ["item neighbours", "knn"]);
            findings.judged.push(knn);
        }
        self.rank(model, test, relevant_from, knn, &mut findings, pool)?;
        if let Some(labels) = labels.filter(|_| can_label) {
            let predicted = rows::predictions(model, test, pool);
            let values = labels.figures(&predicted, &findings.metrics);
            findings.judged[0].values.0.extend(values);
        }
        Ok(findings)
    }

    /// Refuses what cannot be measured.
    fn refuse(&self, why: &str, has_ratings: bool, can_label: bool) -> Result<()> {
        let is_error = |metric: &&Metric| matches!(metric.kind, Kind::Rmse | Kind::Mae);
        if let Some(metric) = self.metrics.iter().find(is_error) {
            let wanted = format!("a metric of lists, as in ndcg@20: {why}");
            return Err(Error::config("metrics", metric, wanted));
        }
        if let Some(metric) = self
            .metrics
            .iter()
            .find(|m| m.kind.is_of_labels())
            .filter(|_| !can_label)
        {
            let wanted = "a model of probabilities, and a test file with both labels: 1 and 0, or ratings and --relevant";
            return Err(Error::config("metrics", metric, wanted));
        }
        self.check_gates(Some(why), can_label)?;
        if self.slices {
            let wanted = format!("none: slices are of errors, and {why}");
            return Err(Error::config("slices", "true", wanted));
        }
        match self.relevant.filter(|_| !has_ratings) {
            Some(relevant) => {
                let wanted = "none: the test file has no ratings, every row of it is relevant";
                Err(Error::config("relevant", relevant, wanted))
            }
            None => Ok(()),
        }
    }

    /// What is measured: what is asked for, or what is usual; sampled too where that is asked for.
    fn of_lists(&self, can_label: bool) -> Vec<Metric> {
        let mut all = Vec::new();
        let usual = USUAL.map(|kind| Metric::new(kind, Some(USUAL_CUTOFF)));
        let of_labels = [Kind::LogLoss, Kind::LabelAuc].map(|kind| Metric::new(kind, None));
        let of_labels = &of_labels[..if can_label { 2 } else { 0 }];
        let asked = match self.metrics.is_empty() {
            true => [&usual[..], of_labels].concat(),
            false => self.metrics.clone(),
        };
        for metric in asked.into_iter().chain(self.gates.metrics()) {
            if !all.contains(&metric) {
                all.push(metric);
            }
        }
        self.with_sampled(all)
    }

    /// Adds the sampled twins of the metrics that have one.
    pub(super) fn with_sampled(&self, mut metrics: Vec<Metric>) -> Vec<Metric> {
        if let Some(n) = self.sampled {
            let twins = metrics.iter().filter(|metric| metric.kind.is_of_hits());
            let twins = twins.map(|&metric| Metric {
                negatives: Some(n),
                ..metric
            });
            metrics.extend(twins.collect::<Vec<Metric>>());
        }
        metrics
    }

    /// Measures the lists of the model, of the most rated items, and of the neighbours where they are there.
    pub(super) fn rank(
        &self,
        model: &Model,
        test: &Interactions,
        relevant_from: Option<f32>,
        knn: Option<&Knn>,
        findings: &mut Findings,
        pool: &Pool,
    ) -> Result<()> {
        let users = TestUsers::new(model, test, relevant_from);
        let wanted = findings.metrics.clone();
        let longest = wanted.iter().filter_map(|metric| metric.cutoff).max();
        let overlap = longest.map(|cutoff| Metric::new(Kind::Overlap, Some(cutoff)));
        let mut found = self.lists_of(model, &users, &wanted, overlap, pool)?;
        let of_overlap = overlap.and_then(|metric| {
            // The last of its name: one may be wanted too.
            let at = found.iter().rposition(|of| of.metric == metric)?;
            Some((metric, found.remove(at).value))
        });
        if let (Some(draws), Some(intervals)) = (self.draws(), &mut findings.intervals) {
            self.intervals_of(&found, draws, intervals, pool);
        }
        findings.ranking = Some(Ranked {
            relevant_from,
            users: users.users.len() as u64 - users.n_without_relevant(),
            users_without_relevant: users.n_without_relevant(),
            pairs_in_training: users.n_leaked,
            negatives: self.sampled,
            auc_users: found
                .iter()
                .find(|m| m.metric.kind == Kind::Auc)
                .and_then(Measured::n_users),
            overlap: of_overlap,
        });
        findings.judged[0].add(found);
        let popularity = OfPopularity {
            model,
            popularity: Popularity::new(model.items().counts()),
        };
        let popular = self.measure(&popularity, model, &users, &wanted, pool);
        if let Some(knn) = knn {
            let neighbours = OfNeighbours {
                model,
                neighbours: knn.neighbours(pool),
            };
            let near = self.measure(&neighbours, model, &users, &wanted, pool);
            let mut judged = findings.judged.iter_mut();
            if let Some(judged) = judged.find(|judged| judged.key == "knn") {
                judged.add(near);
            }
        }
        let mut most_rated = Judged::new("popularity", ["most rated", "popular"]);
        most_rated.add(popular);
        findings.judged.push(most_rated);
        Ok(())
    }

    /// The lists of a model; `further` is measured after what is of all items.
    pub(super) fn lists_of(
        &self,
        model: &Model,
        users: &TestUsers,
        metrics: &[Metric],
        further: Option<Metric>,
        pool: &Pool,
    ) -> Result<Vec<Measured>> {
        let longest = metrics.iter().filter_map(|metric| metric.cutoff).max();
        let recommender = everybody(model, longest.unwrap_or(1))?;
        let ranking = OfModel::new(model, &recommender);
        let all: Vec<Metric> = metrics.iter().copied().chain(further).collect();
        let mut found = measure(&ranking, model, users, &all, pool);
        found.extend(measure_sampled(
            &ranking, model, users, metrics, self.seed, pool,
        ));
        Ok(found)
    }

    /// Over all items, and then over the drawn ones.
    fn measure(
        &self,
        ranking: &impl Ranking,
        model: &Model,
        users: &TestUsers,
        metrics: &[Metric],
        pool: &Pool,
    ) -> Vec<Measured> {
        let mut found = measure(ranking, model, users, metrics, pool);
        found.extend(measure_sampled(
            ranking, model, users, metrics, self.seed, pool,
        ));
        found
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

/// Which rows are a yes.
pub(super) struct Labels {
    /// The least rating of a yes.
    from: f32,
    pub(super) of_rows: Vec<bool>,
}

impl Labels {
    /// Those of `metrics` that are of labels.
    pub(super) fn figures(&self, predicted: &[f64], metrics: &[Metric]) -> Vec<(Metric, f64)> {
        let value = |metric: &Metric| match metric.kind {
            Kind::LogLoss => Some(log_loss(predicted, &self.of_rows)),
            Kind::LabelAuc => Some(label_auc(predicted, &self.of_rows).unwrap_or(f64::NAN)),
            _ => None,
        };
        let values = metrics.iter();
        values
            .filter_map(|metric| Some((*metric, value(metric)?)))
            .collect()
    }
}

/// Ratings of which some are a yes and some a no: by the threshold, or because they are 1 and 0.
pub(super) fn labels(test: &Interactions, threshold: Option<f32>) -> Option<Labels> {
    let binary = test.ratings.iter().all(|&r| r == 0.0 || r == 1.0);
    let from = threshold.or(binary.then_some(1.0))?;
    let of_rows: Vec<bool> = test.ratings.iter().map(|&r| r >= from).collect();
    let both = of_rows.contains(&true) && of_rows.contains(&false);
    both.then_some(Labels { from, of_rows })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::reader::{ReadOptions, read_test};
    use crate::model::{Purpose, Similarity, example};
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        evaluate: Evaluate,
    }

    /// The example as a model of something else than ratings.
    fn of(meaning: Meaning) -> Model {
        let mut model = example::model();
        model.purpose = Some(Purpose {
            meaning,
            similarity: Similarity::Dot,
            loss: "logistic".into(),
            l2: 0.0,
            bias_l2: 0.0,
            l2_per_rating: false,
        });
        if meaning == Meaning::Probability {
            (model.link, model.clip) = (crate::model::Link::Sigmoid { lo: 0.0, hi: 1.0 }, None);
        }
        model
    }

    fn judged(model: &Model, text: &str, flags: &str) -> Result<Findings> {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("lowrank-lists-{}-{number}.csv", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        let (users, items) = (model.users().ids(), model.items().ids());
        let set = read_test(&path, &ReadOptions::default(), users, items);
        std::fs::remove_file(&path).unwrap();
        let line = format!("evaluate m --test t {flags}");
        let Line { evaluate } = Line::try_parse_from(line.split_whitespace()).unwrap();
        evaluate.judged(model, &set.unwrap(), None, &Pool::new(1))
    }

    fn names(findings: &Findings) -> Vec<String> {
        findings.metrics.iter().map(ToString::to_string).collect()
    }

    fn value(findings: &Findings, name: &str) -> Option<f64> {
        findings.judged[0].values.get(name.parse().unwrap())
    }

    const CLICKS: &str = "user,item\nann,m3\nann,m77\nbob,m3\neve,m1\n";

    #[test]
    fn an_order_has_lists_and_no_errors() {
        let found = judged(&of(Meaning::Rank), CLICKS, "").unwrap();
        let wanted =
            "recall@20 ndcg@20 precision@20 hit@20 mrr@20 map@20 coverage@20 novelty@20 overlap@20";
        assert_eq!(names(&found).join(" "), wanted);
        assert!(found.no_errors.unwrap().contains("an order of items"));
        // ann's m3 is second of three and m77 missed; bob's m3 first; eve's m1 second of m2 m1 m3 m4.
        assert_eq!(value(&found, "recall@20"), Some((0.5 + 1.0 + 1.0) / 3.0));
        assert_eq!(value(&found, "mrr@20"), Some((0.5 + 1.0 + 0.5) / 3.0));
        assert_eq!(value(&found, "rmse"), None);
        let keys: Vec<&str> = found.judged.iter().map(|judged| judged.key).collect();
        assert_eq!(keys, ["model", "popularity"]);
        // eve has no training row; m77 is no item.
        let cold = found.cold.unwrap();
        assert_eq!((cold.users, cold.items, cold.rows), (1, 1, 2));
        // Ratings of the test change nothing without a threshold.
        let rated = "user,item,rating\nann,m3,1\nann,m77,5\nbob,m3,2\neve,m1,3\n";
        let again = judged(&of(Meaning::Rank), rated, "").unwrap();
        assert_eq!(again.judged[0].values, found.judged[0].values);
        let liked = judged(&of(Meaning::Rank), rated, "--relevant 3").unwrap();
        assert_eq!(value(&liked, "recall@20"), Some((0.0 + 1.0) / 2.0));
        assert_eq!(
            names(&judged(&of(Meaning::Rank), CLICKS, "--metrics hit@1").unwrap()),
            ["hit@1"]
        );
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let rated = "user,item,rating\nann,m3,4\nbob,m3,2\n";
        for (meaning, text, flags, wanted) in [
            (
                Meaning::Rank,
                CLICKS,
                "--metrics rmse",
                "an order of items, no ratings",
            ),
            (
                Meaning::Probability,
                rated,
                "--metrics mae",
                "predicts probabilities, no ratings",
            ),
            (
                Meaning::Rating,
                CLICKS,
                "--metrics mae",
                "the test file has no ratings",
            ),
            (Meaning::Rank, CLICKS, "--slices", "slices are of errors"),
            (
                Meaning::Rank,
                CLICKS,
                "--relevant 4",
                "every row of it is relevant",
            ),
            (
                Meaning::Rank,
                rated,
                "--metrics log_loss --relevant 3",
                "a model of probabilities",
            ),
            (
                Meaning::Probability,
                CLICKS,
                "--metrics label_auc",
                "both labels",
            ),
            (
                Meaning::Probability,
                rated,
                "--metrics log_loss",
                "both labels",
            ),
            (
                Meaning::Rating,
                rated,
                "--metrics log_loss",
                "predicts ratings",
            ),
            (Meaning::Rating, rated, "--relevant 3", "a metric of lists"),
            (Meaning::Rating, rated, "--sampled 3", "a metric of lists"),
        ] {
            let error = judged(&of(meaning), text, flags).err();
            let message = error
                .unwrap_or_else(|| panic!("{flags} of {text}"))
                .to_string();
            assert!(message.contains(wanted), "{flags}: {message}");
        }
    }

    #[test]
    fn probabilities_are_judged_by_labels_too() {
        let model = of(Meaning::Probability);
        let labelled = "user,item,rating\nann,m3,1\nann,m2,0\nbob,m3,1\nbob,m1,0\neve,m4,0\n";
        let found = judged(&model, labelled, "").unwrap();
        assert!(names(&found).ends_with(&["log_loss".to_owned(), "label_auc".into()]));
        // Only a yes is relevant: ann's m3 is second, bob's m3 first; eve has none.
        assert_eq!(found.ranking.as_ref().unwrap().relevant_from, Some(1.0));
        assert_eq!(value(&found, "mrr@20"), Some(0.75));
        // Scores: yes 3¾, 3¼; no 3¾, 2¾, 2¾.
        let p = |score: f64| 1.0 / (1.0 + (-score).exp());
        let loss = p(3.75).ln() + p(3.25).ln() + (1.0 - p(3.75)).ln() + 2.0 * (1.0 - p(2.75)).ln();
        // Predictions are of 32 bits: a relative error of 2⁻²⁴ of 1 − p, which is above 0.02.
        assert!((value(&found, "log_loss").unwrap() + loss / 5.0).abs() < 1e-5);
        assert_eq!(value(&found, "label_auc"), Some((0.5 + 2.0 + 2.0) / 6.0));
        // By a threshold likewise.
        let stars = labelled.replace(",1\n", ",4\n").replace(",0\n", ",2\n");
        let again = judged(&model, &stars, "--relevant 3").unwrap();
        assert_eq!(again.judged[0].values, found.judged[0].values);
        // Without labels there is nothing of the kind.
        assert!(!names(&judged(&model, CLICKS, "").unwrap()).contains(&"log_loss".into()));
    }

    #[test]
    fn sampled_figures_say_so() {
        let found = judged(
            &of(Meaning::Rank),
            CLICKS,
            "--metrics recall@1,coverage@1 --sampled 1",
        )
        .unwrap();
        assert_eq!(
            names(&found),
            ["recall@1", "coverage@1", "sampled_recall@1"]
        );
        let sampled = found.metrics[2];
        assert_eq!(sampled.label(), "recall@1 (sampled, 1 negatives)");
        assert!(
            found
                .judged
                .iter()
                .all(|judged| judged.values.get(sampled).is_some())
        );
        assert!(found.judged[0].values.get(sampled) > found.judged[0].values.get(found.metrics[0]));
    }
}
