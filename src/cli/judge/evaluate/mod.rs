//! How far are a model's predictions from ratings that it never saw, and how good are its lists?

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::fresh::FreshItems;
use crate::cli::given::Reading;
use crate::cli::judge::gate::GateFlags;
use crate::cli::output::Manner;
use crate::cli::sources::check_fresh;
use crate::data::Ids;
use crate::data::reader::{TestSet, read_test};
use crate::evaluation::report::bootstrap::{FEWEST_DRAWS, MOST_DRAWS, USUAL_DRAWS};
use crate::metrics::Metric;
use crate::metrics::named::MAX_CUTOFF;
use crate::{Error, Result};

mod champion;
mod explain;
mod findings;
mod foreign;
mod gates;
mod lists;
mod of_model;
mod tables;

pub(in crate::cli) use findings::Findings;

/// Measure a model on ratings that it never saw, beside simple baselines
#[derive(Debug, Default, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  \
    lowrank evaluate run --test test.csv\n  \
    lowrank evaluate run --test test.csv --metrics ndcg@10,recall@20,auc --relevant 4 --intervals\n  \
    lowrank evaluate run --test test.csv --train train.csv --baselines knn --slices\n  \
    lowrank evaluate --predictions theirs.csv --test test.csv --train train.csv\n  \
    lowrank evaluate run --test clicks.csv --metrics recall@20,ndcg@20 --sampled 100\n  \
    lowrank evaluate run --test test.csv --items movies.csv\n  \
    lowrank evaluate run --test test.csv --against old --gate \"rmse <= champion + 0.002\" --gate \"rmse_cold <= 1.1\"\n  \
    lowrank evaluate --explain ndcg\n\n\
    Every row of the test file counts, also those of users and items that training never saw (\"cold\").\n\
    Lists rank all items but those that the user rated in training, as `lowrank recommend --all` does.\n\
    Baselines: the mean of the training ratings, mean + user bias + item bias, and for lists the most rated items.\n\
    A model of an order or of probabilities has no errors on ratings, and neither has a test file of two columns, user and item: lists are\n\
    measured then, recall@20, ndcg@20 and others; every row of such a file is relevant. Recall divides by all relevant items of a user,\n\
    as papers on Gowalla, Yelp and Amazon books do; the means are over users with a relevant item.\n\n\
    A gate is FIGURE <=|<|>=|> [NUMBER *] NUMBER|REFERENCE [+|- NUMBER]. A figure is any metric, rmse_cold, mae_cold, rmse_cold_users,\n\
    rmse_cold_items (rows of newcomers), rmse_train or rmse_gap (rmse less that of --train). A reference is champion (the model of\n\
    --against), biases, global_mean, popularity or knn. The estimates decide; beside them stands the 95 % interval of the difference,\n\
    clustered by user. When a gate fails, the exit code is 3."
)]
pub struct Evaluate {
    /// A model file, or the folder that `train -o` wrote
    #[arg(required_unless_present_any = ["explain", "predictions"])]
    model: Option<PathBuf>,
    /// Check every byte of the model file, not only those that are needed
    #[arg(long, requires = "model")]
    pub(in crate::cli) verify: bool,
    /// A file of ratings, or its cache
    #[arg(long, value_name = "FILE", required_unless_present = "explain")]
    pub(in crate::cli) test: Option<PathBuf>,
    /// Another model, the champion: its figures on the same rows stand beside, with 95 % intervals of the difference
    #[arg(long, value_name = "MODEL", requires = "model")]
    against: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) gates: GateFlags,
    /// What to measure beside rmse and mae, or instead of what is usual for lists: ndcg@10, recall@20, precision, map, mrr, hit, auc, coverage, novelty, gini, overlap, log_loss, label_auc; without @N at 10
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = metric)]
    metrics: Vec<Metric>,
    /// The rating from which a test row is relevant to a ranking [default: every test row is]
    #[arg(long, value_name = "RATING", value_parser = number)]
    pub(in crate::cli) relevant: Option<f32>,
    /// Measure lists also among N drawn items beside each relevant one, to compare with papers that do so; such figures are far greater, and are called sampled
    #[arg(long, value_name = "N", value_parser = negatives, requires = "model")]
    sampled: Option<usize>,
    /// The ratings that the model was trained on, for the baselines and gates that need them
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) train: Option<PathBuf>,
    #[command(flatten)]
    fresh: FreshItems,
    /// Newer features of users, and further users
    #[arg(long, value_name = "FILE", requires = "model")]
    users: Option<PathBuf>,
    /// Further baselines: knn, the nearest neighbours among items
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "train")]
    baselines: Vec<Further>,
    /// Show 95 % intervals: the test users drawn anew, 1000 times
    #[arg(long)]
    intervals: bool,
    /// Draws of the intervals
    #[arg(long, value_name = "N", value_parser = draws)]
    bootstrap: Option<usize>,
    /// Another number draws other users for the intervals, and other items for --sampled
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Show errors by popularity, activity, time, and for cold users and items
    #[arg(long)]
    slices: bool,
    /// Judge somebody's predictions instead of a model: a file with user, item, prediction
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "items", "on_skew", "as_of"])]
    predictions: Option<PathBuf>,
    /// What a test row without a prediction is
    #[arg(long, value_enum, default_value_t = Missing::Error, requires = "predictions")]
    missing: Missing,
    /// Say what a metric means, or `all`; nothing is measured
    #[arg(long, value_name = "NAME", conflicts_with_all = ["model", "test", "predictions"])]
    explain: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) reading: Reading,
}

/// A baseline that is not always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Further {
    Knn,
}

/// What is done about a test row without a prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Missing {
    /// An error, with their number and the first of them
    #[default]
    Error,
    /// It is left out, and counted
    Skip,
}

fn metric(text: &str) -> Result<Metric, String> {
    text.parse().map_err(|error: Error| match error {
        Error::Config { wanted, .. } => format!("wanted {wanted}"),
        other => other.to_string(),
    })
}

fn number(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number: &f32| number.is_finite());
    number.ok_or_else(|| "wanted a rating, as in 4 or 3.5".into())
}

fn negatives(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|n| (1..=MAX_CUTOFF).contains(n));
    number.ok_or_else(|| format!("wanted a whole number from 1 to {MAX_CUTOFF}"))
}

fn draws(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    let number = number.filter(|n| (FEWEST_DRAWS..=MOST_DRAWS).contains(n));
    number.ok_or_else(|| format!("wanted a whole number from {FEWEST_DRAWS} to {MOST_DRAWS}"))
}

impl Evaluate {
    /// One that another command makes: these gates, and what `set` sets beside.
    pub(in crate::cli) fn by_gates(gates: GateFlags, set: impl FnOnce(&mut Evaluate)) -> Evaluate {
        let mut evaluate = Evaluate {
            gates,
            ..Evaluate::default()
        };
        set(&mut evaluate);
        evaluate
    }

    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        if let Some(name) = &self.explain {
            return explain::run(name, manner);
        }
        let findings = match (&self.model, &self.predictions) {
            (Some(model), None) => {
                self.gates.check_reference(self.against.is_some())?;
                self.judge(model, self.against.as_deref(), manner)?
            }
            (None, Some(file)) => {
                self.gates.refuse("no model, but predictions")?;
                self.foreign(file, &self.reading.pool(), manner)?
            }
            // clap lets nothing else through.
            _ => return Err(Error::config("model", "none", "a model, or --predictions")),
        };
        manner.output(None, |out| findings.write(out))?;
        findings.remark(manner);
        findings.gates.check()
    }

    /// Judges `model` as these flags say, beside `champion` where there is one: the one way to ask whether a model passes gates. Where there is none, gates that name it pass, and say so.
    ///
    /// What has not passed stands in the findings; nothing is printed but remarks on the input.
    pub(in crate::cli) fn judge(
        &self,
        model: &Path,
        champion: Option<&Path>,
        manner: Manner,
    ) -> Result<Findings> {
        self.check_train()?;
        let pool = self.reading.pool();
        let side = self.side(model, manner)?;
        // Its lists have a warning of their own.
        if self
            .gates
            .gate
            .iter()
            .any(|gate| gate.figure.is_of_errors())
            || champion.is_some()
        {
            side.warn_of_what_it_remembers("model", manner);
        }
        let champion = champion.map(|path| self.champion(path, manner));
        let champion = champion.transpose()?;
        let knn = self.knn(&side, manner)?;
        let mut findings = self.judged(&side.model, &side.test, knn.as_ref(), &pool)?;
        if let Some(champion) = &champion {
            self.beside(champion, &mut findings, &pool, manner)?;
        }
        self.pass(&side, champion.as_ref(), knn.as_ref(), &mut findings, &pool);
        Ok(findings)
    }

    /// The test file.
    fn test(&self) -> Result<&PathBuf> {
        let test = self.test.as_ref();
        test.ok_or_else(|| Error::config("test", "none", "a file of ratings"))
    }

    /// Reads a file of ratings for users and items that are numbered already.
    fn read(&self, file: &Path, users: &Ids, items: &Ids, manner: Manner) -> Result<TestSet> {
        check_fresh([file], manner)?;
        read_test(file, &self.reading.options(), users, items)
    }

    /// How often users are drawn, where intervals are asked for.
    fn draws(&self) -> Option<usize> {
        self.bootstrap
            .or_else(|| self.intervals.then_some(USUAL_DRAWS))
    }

    /// What is measured: errors always, then what was asked for, each once.
    fn all_metrics(&self) -> Result<Vec<Metric>> {
        let mut all = Vec::new();
        let always = ["rmse".parse()?, "mae".parse()?];
        let asked = self.metrics.iter().copied().chain(self.gates.metrics());
        for metric in always.into_iter().chain(asked) {
            if !all.contains(&metric) {
                all.push(metric);
            }
        }
        Ok(self.with_sampled(all))
    }
}
