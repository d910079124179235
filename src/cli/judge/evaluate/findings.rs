//! What did an evaluation find, and what is its JSON?

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::cli::judge::gate::GateReport;
use crate::cli::output::{Manner, counted, grouped};
use crate::cli::table::safe;
use crate::data::Interactions;
use crate::evaluation::report::bootstrap::{self, Interval};
use crate::evaluation::report::ranking::Measured;
use crate::evaluation::report::slices::{errors_of, slices};
use crate::evaluation::{Cold, Errors, Figures};
use crate::kernels::pool::Pool;
use crate::metrics::{Kind, Metric, RatingErrors};

/// Above this share of the most rated items a model's lists say little about the user.
const TOO_POPULAR: f64 = 0.5;

/// All that an evaluation found.
pub(in crate::cli) struct Findings {
    /// What was asked for, in the order it is shown.
    pub(super) metrics: Vec<Metric>,
    /// The model, the champion where there is one, then the baselines.
    pub(super) judged: Vec<Judged>,
    /// Of each metric that has one, the 95 % interval of the model's less the champion's.
    pub(super) differences: Vec<(Metric, [f64; 2])>,
    pub(super) rows: u64,
    /// `None` where nothing is known of the training.
    pub(super) cold: Option<Cold>,
    /// Test rows without a prediction.
    pub(super) missing: Option<u64>,
    pub(super) ranking: Option<Ranked>,
    /// Of each metric of the model that has one.
    pub(super) intervals: Option<Intervals>,
    pub(super) slices: Option<Vec<SliceErrors>>,
    /// Why there are no errors, where there are none.
    pub(super) no_errors: Option<&'static str>,
    /// What was demanded.
    pub(in crate::cli) gates: GateReport,
}

/// A model, or a baseline.
pub(super) struct Judged {
    /// Its name in JSON.
    pub(super) key: &'static str,
    /// Its name elsewhere, whole and short.
    pub(super) names: [&'static str; 2],
    /// Of the metrics that apply to it.
    pub(super) values: Figures,
    /// The same of lists, user by user.
    pub(super) lists: Vec<Measured>,
}

/// The key of the champion.
pub(super) const CHAMPION: &str = "champion";

impl Judged {
    /// Nothing measured yet.
    pub(super) fn new(key: &'static str, names: [&'static str; 2]) -> Judged {
        Judged {
            key,
            names,
            values: Figures::default(),
            lists: Vec::new(),
        }
    }

    /// With errors on ratings.
    pub(super) fn with(self, errors: Errors) -> Judged {
        Judged {
            values: errors.into(),
            ..self
        }
    }

    /// Adds what was measured of lists.
    pub(super) fn add(&mut self, lists: Vec<Measured>) {
        let values = lists.iter().map(|of| (of.metric, of.value));
        self.values.0.extend(values);
        self.lists.extend(lists);
    }
}

/// How rankings were judged.
#[derive(Serialize)]
pub(super) struct Ranked {
    /// The least relevant rating; every test row is relevant without.
    pub(super) relevant_from: Option<f32>,
    /// Users that the means over relevant items are made of.
    pub(super) users: u64,
    /// Those for whom nothing is relevant.
    pub(super) users_without_relevant: u64,
    /// Relevant pairs that are in training too.
    pub(super) pairs_in_training: u64,
    /// Drawn items beside each relevant one, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) negatives: Option<usize>,
    /// Users that the AUC is a mean of, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) auc_users: Option<u64>,
    /// How much of the lists is in the popularity lists, and at which cut-off.
    #[serde(skip)]
    pub(super) overlap: Option<(Metric, f64)>,
}

/// Intervals by metric.
pub(super) struct Intervals {
    pub(super) draws: usize,
    pub(super) of: Vec<(Metric, Interval)>,
}

/// The errors on some of the rows.
#[derive(Serialize)]
pub(super) struct SliceErrors {
    pub(super) by: &'static str,
    pub(super) slice: &'static str,
    pub(super) rows: u64,
    #[serde(flatten)]
    pub(super) model: Errors,
    /// μ + b_u + b_i on the same rows.
    pub(super) biases: Option<Errors>,
}

impl Serialize for Intervals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.of.len() + 1))?;
        map.serialize_entry("draws", &self.draws)?;
        for (metric, Interval { low, high }) in &self.of {
            map.serialize_entry(&metric.to_string(), &[low, high])?;
        }
        map.end()
    }
}

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (metric, value) in &self.judged[0].values.0 {
            map.serialize_entry(&metric.to_string(), value)?;
        }
        map.serialize_entry("rows", &self.rows)?;
        if let Some(missing) = self.missing {
            map.serialize_entry("missing", &missing)?;
        }
        if let Some(ranking) = &self.ranking {
            map.serialize_entry("users", &ranking.users)?;
            map.serialize_entry("ranking", ranking)?;
        }
        if let Some(Cold { users, items, rows }) = self.cold {
            let cold = [("users", users), ("items", items), ("rows", rows)];
            map.serialize_entry("cold", &Map(&cold))?;
        }
        if let Some(champion) = self.champion() {
            let differences = Differences(&self.differences);
            map.serialize_entry(
                CHAMPION,
                &Champion {
                    values: &champion.values,
                    differences,
                },
            )?;
        }
        let baselines = self.judged[1..].iter().filter(|of| of.key != CHAMPION);
        let baselines: Vec<_> = baselines
            .map(|judged| (judged.key, &judged.values))
            .collect();
        map.serialize_entry("baselines", &Map(&baselines))?;
        if let Some(intervals) = &self.intervals {
            map.serialize_entry("intervals", intervals)?;
        }
        if let Some(slices) = &self.slices {
            map.serialize_entry("slices", slices)?;
        }
        if !self.gates.is_empty() {
            map.serialize_entry("gates", &self.gates)?;
        }
        map.end()
    }
}

/// The champion, as JSON shows it.
#[derive(Serialize)]
struct Champion<'a> {
    #[serde(flatten)]
    values: &'a Figures,
    #[serde(rename = "difference")]
    differences: Differences<'a>,
}

struct Differences<'a>(&'a [(Metric, [f64; 2])]);

impl Serialize for Differences<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .map(|(metric, ends)| (metric.to_string(), ends)),
        )
    }
}

/// Names and what they stand for, in order.
struct Map<'a, V>(&'a [(&'static str, V)]);

impl<V: Serialize> Serialize for Map<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The intervals of RMSE and MAE.
pub(super) fn error_intervals(
    test: &Interactions,
    predictions: &[f64],
    draws: usize,
    seed: u64,
    pool: &Pool,
) -> Intervals {
    let users = bootstrap::users_of(test);
    let errors = bootstrap::errors_by_user(&users, &test.ratings, |n| predictions[n]);
    let intervals = bootstrap::of_errors(&errors, draws, seed, pool);
    let kinds = [Kind::Rmse, Kind::Mae].into_iter();
    let metrics = kinds.map(|kind| Metric::new(kind, None));
    Intervals {
        draws,
        of: metrics.zip(intervals).collect(),
    }
}

/// The errors of every slice.
pub(super) fn slice_errors(
    test: &Interactions,
    counts: (&[u32], &[u32]),
    predictions: &[f64],
    biases: Option<&[f64]>,
) -> Vec<SliceErrors> {
    let slices = slices(test, counts.0, counts.1);
    let errors = slices.iter().map(|slice| {
        let of =
            |values: &[f64]| -> Errors { errors_of(slice, &test.ratings, |n| values[n]).into() };
        SliceErrors {
            by: slice.by,
            slice: slice.name,
            rows: slice.rows.len() as u64,
            model: of(predictions),
            biases: biases.map(of),
        }
    });
    errors.collect()
}

/// The errors of predictions, one a row.
pub(super) fn errors_of_rows(test: &Interactions, predictions: &[f64]) -> Errors {
    let ratings = test.ratings.iter().map(|&rating| f64::from(rating));
    RatingErrors::from_iter(predictions.iter().copied().zip(ratings)).into()
}

impl Findings {
    /// The champion, where there is one.
    pub(super) fn champion(&self) -> Option<&Judged> {
        self.judged.iter().find(|of| of.key == CHAMPION)
    }

    /// What is to be known beside the numbers.
    pub(super) fn remark(&self, manner: Manner) {
        let rows = match self.no_errors {
            None => counted(self.rows, "test rating"),
            Some(_) => counted(self.rows, "test row"),
        };
        match self.cold {
            Some(cold) => manner.note(format_args!(
                "{rows}, {} of them cold: {} and {} that training never saw",
                grouped(cold.rows),
                counted(cold.users, "user"),
                counted(cold.items, "item"),
            )),
            None => manner.note(format_args!(
                "{rows}; with --train FILE also baselines and cold rows"
            )),
        }
        if let Some(missing) = self.missing.filter(|&missing| missing > 0) {
            let skipped = counted(missing, "test rating");
            manner.note(format_args!(
                "note: {skipped} without a prediction left out"
            ));
        }
        if let Some(why) = self.no_errors {
            manner.note(format_args!("no rmse: {why}"));
        }
        if let Some(cold) = self
            .cold
            .filter(|cold| self.no_errors.is_some() && cold.rows > 0)
        {
            let users = match cold.users {
                0 => "",
                _ => "a user that training never saw gets the list of any stranger; ",
            };
            manner.note(format_args!(
                "{users}a relevant item that training never saw is missed where the model has no such item"
            ));
        }
        if let Some(ranking) = &self.ranking {
            ranking.remark(self.no_errors.is_none(), manner);
            self.compare(manner);
        }
        let no_times = |slices: &Vec<SliceErrors>| slices.iter().all(|slice| slice.by != "time");
        if self.slices.as_ref().is_some_and(no_times) {
            manner.note("note: no slices by time: the test file has no timestamps");
        }
    }
}

impl Findings {
    /// Says so where the most rated items make the better lists, by the first metric of that kind.
    fn compare(&self, manner: Manner) {
        let popular = self.judged.iter().find(|of| of.key == "popularity");
        let about_lists = |metric: &&Metric| {
            metric.kind.is_ranking()
                && !matches!(
                    metric.kind,
                    Kind::Coverage | Kind::Novelty | Kind::Gini | Kind::Overlap
                )
        };
        let first = self.metrics.iter().find(about_lists);
        let Some((popular, &metric)) = popular.zip(first) else {
            return;
        };
        let both = (
            self.judged[0].values.get(metric),
            popular.values.get(metric),
        );
        if let (Some(model), Some(popular)) = both
            && popular > model
        {
            let moral = match self.no_errors {
                None => "; a small error on ratings is no good order",
                Some(_) => "",
            };
            manner.note(format_args!(
                "note: the most rated items make better lists by {metric} ({popular:.4}, the model {model:.4}){moral}"
            ));
        }
    }
}

impl Ranked {
    fn remark(&self, rated: bool, manner: Manner) {
        let what = match self.relevant_from {
            Some(least) => format!("test ratings of {least} or more are relevant"),
            None if rated => "every test rating is relevant".into(),
            None => "every test row is relevant".into(),
        };
        manner.note(format_args!(
            "rankings: {what}; means over {}, {} without a relevant item left out",
            counted(self.users, "user"),
            grouped(self.users_without_relevant),
        ));
        if self.pairs_in_training > 0 {
            manner.note(format_args!(
                "warning: {} in training too: no list can hold them, and they count for nothing",
                match self.pairs_in_training {
                    1 => "1 relevant pair is".to_owned(),
                    n => format!("{} relevant pairs are", grouped(n)),
                }
            ));
        }
        if let Some((metric, share)) = self.overlap.filter(|(_, share)| *share > TOO_POPULAR) {
            let text = format!(
                "warning: {:.0} % of the lists' first {} items are simply the most rated ones (more than {:.0} %): little in them is personal",
                100.0 * share,
                metric.cutoff.unwrap_or_default(),
                100.0 * TOO_POPULAR
            );
            manner.note(safe(&text));
        }
    }
}
