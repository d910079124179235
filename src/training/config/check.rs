//! What may a knob be?
//!
//! Every range is tested by what is allowed, so that NaN, which fails every comparison, is refused like any other nonsense.

use std::fmt::Display;

use super::PerTable;
use super::{Batch, ClipRule, Config, Method};
use crate::kernels::pool::MAX_THREADS;
use crate::model::Link;
use crate::optimizer::{Optimizer, OptimizerKind, Schedule};
use crate::{Error, Result};

/// A configuration whose every number is in its range.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked(pub(crate) Config);

/// From so many ratings on, training goes by blocks unless something else is asked for.
pub const MANY_RATINGS: usize = 1_000_000;
/// More factors than this are a mistake, and would overflow no sum but much memory.
const MAX_FACTORS: usize = 4096;
/// More factors than this make a row's covariance half a megabyte.
const MAX_OF_POSTERIOR: usize = 255;
/// More samples than this are a mistake.
const MAX_SAMPLES: usize = 4096;
/// More epochs than this cannot be counted by a schedule.
const MAX_EPOCHS: usize = 1 << 32;

impl Config {
    /// The configuration, if every knob is in its range.
    ///
    /// ```
    /// use lowrank::training::Config;
    /// let error = Config::rating().learning_rate(-1.0).check().unwrap_err();
    /// assert_eq!(error.to_string(), "learning-rate: got -1, wanted a number above 0");
    /// assert!(Config::rating().learning_rate(f64::NAN).check().is_err());
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] with the first knob that is not.
    pub fn check(self) -> Result<Checked> {
        let positive = "a number above 0";
        let not_negative = "a number of 0 or more";
        let share = "a number of 0 or more, below 1";
        let c = &self;
        demand(
            "factors",
            c.factors(),
            (1..=MAX_FACTORS).contains(&c.factors()),
            "a whole number from 1 to 4096",
        )?;
        if !matches!(c.method, Method::Point | Method::Als | Method::Auto) {
            posterior(c)?;
        }
        let epochs = c.n_epochs();
        demand(
            "epochs",
            epochs,
            (1..=MAX_EPOCHS).contains(&epochs),
            "a whole number of 1 or more",
        )?;
        if let Batch::Size(size) = c.batch {
            demand(
                "batch",
                size,
                size > 0,
                "auto, full, block, or a whole number of 1 or more",
            )?;
        }
        if let Some(kind) = c.optimizer {
            let (ok, wanted) = match c.batch {
                Batch::Blocks => (
                    kind.goes_by_blocks(),
                    "adam, adamw, row-adam, sgd or adagrad with --batch block",
                ),
                Batch::Auto => (true, ""),
                _ => (
                    kind.goes_by_batches(),
                    "--batch block with row-adam, or another optimizer",
                ),
            };
            demand("optimizer", kind.name(), ok, wanted)?;
        }
        let learning_rate = c.base_rate();
        demand(
            "learning-rate",
            learning_rate,
            learning_rate > 0.0 && learning_rate < f64::INFINITY,
            positive,
        )?;
        demand("beta1", c.beta1, (0.0..1.0).contains(&c.beta1), share)?;
        let beta2 = c.second_decay();
        demand("beta2", beta2, (0.0..1.0).contains(&beta2), share)?;
        if let Some(epsilon) = c.epsilon {
            demand(
                "epsilon",
                epsilon,
                epsilon > 0.0 && epsilon < f64::INFINITY,
                positive,
            )?;
        }
        demand(
            "warmup",
            c.warmup,
            (0.0..=c.n_epochs() as f64).contains(&c.warmup),
            "a number of epochs from 0 to --epochs",
        )?;
        demand(
            "horizon",
            "one beside a closed form",
            c.horizon.is_none() || c.method != Method::Als,
            "none with --als: sweeps have no learning rate",
        )?;
        demand(
            "horizon",
            c.schedule_epochs(),
            (1..=MAX_EPOCHS).contains(&c.schedule_epochs()),
            "a whole number of epochs, 1 or more",
        )?;
        if let Schedule::Step { factor, .. } = c.schedule {
            demand(
                "schedule",
                c.schedule.name(),
                factor > 0.0 && factor <= 1.0,
                "a factor above 0 and at most 1",
            )?;
        }
        if let Some(monitor) = c.monitor {
            let wanted = match c.ranks() {
                false => "valid_rmse or valid_mae: the training is for ratings",
                true => "valid_ndcg@20 or valid_recall@20: the training is for an order of items",
            };
            let name = monitor.name();
            demand("monitor", name, monitor.is_of_lists() == c.ranks(), wanted)?;
        }
        demand(
            "weight-decay",
            c.weight_decay,
            in_range(c.weight_decay),
            not_negative,
        )?;
        per_table("l2", &c.l2)?;
        per_table("init-std", &c.init_std)?;
        if let Link::Sigmoid { lo, hi } = c.link {
            let ok = lo < hi && lo.is_finite() && hi.is_finite();
            demand(
                "link",
                format!("sigmoid:{lo}..{hi}"),
                ok,
                "sigmoid:LO..HI with LO below HI",
            )?;
        }
        if let ClipRule::Range { lo, hi } = c.clip {
            let ok = lo < hi && lo.is_finite() && hi.is_finite();
            demand("clip", format!("{lo}..{hi}"), ok, "LO..HI with LO below HI")?;
        }
        demand(
            "threads",
            c.threads,
            c.threads <= MAX_THREADS,
            "at most 1024, or 0 for all cores",
        )?;
        super::fits::check(c)?;
        if let Some(patience) = c.patience {
            demand(
                "patience",
                patience,
                patience > 0,
                "a whole number of 1 or more",
            )?;
        }
        Ok(Checked(self))
    }
}

impl Checked {
    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0
    }

    /// The configuration for so many ratings, in memory or stored: what was left to the data is settled.
    ///
    /// # Errors
    /// [`Error::Config`] for a warm-up longer than the training, or an optimizer that does not go with it.
    pub fn for_data(&self, n_ratings: usize, stored: bool) -> Result<Checked> {
        let mut config = self.0.clone();
        if config.batch == Batch::Auto && config.goes_by_ratings() {
            let can = config.optimizer.is_none_or(OptimizerKind::goes_by_blocks);
            let must = !config.optimizer.is_none_or(OptimizerKind::goes_by_batches);
            let by_blocks = must || (can && (stored || n_ratings >= MANY_RATINGS));
            config.batch = if by_blocks && matches!(config.method, Method::Point | Method::Auto) {
                Batch::Blocks
            } else {
                Batch::Full
            };
        }
        config.check()
    }

    /// The optimizer: Adam, in mini-batches lazy Adam, unless one was asked for.
    pub fn optimizer(&self) -> Optimizer {
        let unless_asked = match self.0.batch {
            Batch::Size(_) => OptimizerKind::LazyAdam,
            Batch::Auto if !self.0.goes_by_ratings() => OptimizerKind::LazyAdam,
            _ => OptimizerKind::Adam,
        };
        let base = Optimizer::new(self.0.optimizer.unwrap_or(unless_asked));
        Optimizer {
            beta1: self.0.beta1,
            beta2: self.0.second_decay(),
            epsilon: self.0.epsilon.unwrap_or(base.epsilon),
            weight_decay: self.0.weight_decay,
            ..base
        }
    }
}

/// What a posterior is found for: squared errors around μ + biases + dot product.
fn posterior(c: &Config) -> Result<()> {
    demand(
        "factors",
        c.factors(),
        c.factors() <= MAX_OF_POSTERIOR,
        "at most 255 with --bayes or --average: a row costs their square in memory and their cube in time",
    )?;
    if let Method::Samples(kept) = c.method {
        demand(
            "average",
            kept,
            (1..=MAX_SAMPLES).contains(&kept),
            "a whole number from 1 to 4096",
        )?;
    }
    if c.method == Method::Ensemble {
        let epochs = c.epochs.unwrap_or(0);
        demand(
            "epochs",
            epochs,
            c.epochs.is_none(),
            "nothing with --ensemble: each member has its own",
        )?;
    }
    demand(
        "link",
        "sigmoid",
        c.link == Link::Identity,
        "identity with --bayes or --average",
    )?;
    demand(
        "mean and biases",
        "no",
        c.global_mean && c.biases,
        "yes with --bayes or --average",
    )?;
    demand(
        "weight-decay",
        c.weight_decay,
        c.weight_decay == 0.0,
        "0 with --bayes or --average: λ is found",
    )?;
    let batch = matches!(c.batch, Batch::Auto | Batch::Full);
    demand(
        "batch",
        "not full",
        batch,
        "auto or full with --bayes or --average",
    )?;
    let optimizer = c.optimizer.map_or("", OptimizerKind::name);
    demand(
        "optimizer",
        optimizer,
        c.optimizer.is_none(),
        "none with --bayes or --average: rows are solved for",
    )
}

fn in_range(value: f64) -> bool {
    (0.0..f64::INFINITY).contains(&value)
}

pub(super) fn demand(name: &str, got: impl Display, ok: bool, wanted: &str) -> Result<()> {
    if ok {
        Ok(())
    } else {
        Err(Error::config(name, got, wanted))
    }
}

fn per_table(name: &str, values: &PerTable) -> Result<()> {
    let all = values
        .exceptions
        .iter()
        .map(|(_, value)| value)
        .chain([&values.default]);
    for &value in all {
        demand(name, value, in_range(value), "a number of 0 or more")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Preset;

    #[test]
    fn every_preset_passes() {
        for preset in [Preset::Notebook, Preset::Rating] {
            assert!(Config::preset(preset).check().is_ok());
        }
    }

    #[test]
    fn nonsense_is_refused_in_every_knob() {
        type Set = fn(Config, f64) -> Config;
        let knobs: [(&str, Set); 9] = [
            ("learning-rate", Config::learning_rate),
            ("beta1", Config::beta1),
            ("beta2", Config::beta2),
            ("epsilon", Config::epsilon),
            ("warmup", Config::warmup),
            ("weight-decay", Config::weight_decay),
            ("l2", |c, x| c.l2(PerTable::new(1.0).with("item", x))),
            ("init-std", |c, x| c.init_std(PerTable::new(x))),
            ("link", |c, x| c.link(Link::Sigmoid { lo: x, hi: x })),
        ];
        for (name, set) in knobs {
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
                let error = set(Config::rating(), value).check().expect_err(name);
                assert!(error.to_string().starts_with(name), "{error}");
            }
        }
        assert!(Config::rating().n_factors(0).check().is_err());
        assert!(Config::rating().epochs(0).check().is_err());
        assert!(Config::rating().batch(Batch::Size(0)).check().is_err());
        assert!(Config::rating().patience(Some(0)).check().is_err());
        assert!(
            Config::rating()
                .clip(ClipRule::Range { lo: 5.0, hi: 1.0 })
                .check()
                .is_err()
        );
    }

    #[test]
    fn the_optimizer_follows_the_batch_unless_asked() {
        let kind = |config: Config| config.check().expect("in range").optimizer().kind;
        assert_eq!(kind(Config::notebook()), OptimizerKind::Adam);
        assert_eq!(
            kind(Config::notebook().batch(Batch::Size(32))),
            OptimizerKind::LazyAdam
        );
        let asked = Config::notebook()
            .batch(Batch::Size(32))
            .optimizer(OptimizerKind::Adam);
        assert_eq!(kind(asked), OptimizerKind::Adam);
    }
}
