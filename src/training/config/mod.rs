//! Which knobs are there, and what are they set to?
//!
//! A [`Config`] is what somebody asked for; [`check`](Config::check) turns it into a [`Checked`], which alone can train. Every knob
//! with its flag, its range and what the presets set it to stands in the table of `presets`.

mod check;
mod columns;
mod fits;
mod implicit;
mod method;
mod monitor;
mod negatives;
mod per_table;
mod presets;

pub use check::{Checked, MANY_RATINGS};
pub use columns::{Columns, Feature, FeatureKind};
pub use implicit::Implicit;
pub use method::{BURN_IN, Method, SAMPLES};
pub use monitor::Monitor;
pub use negatives::{Count, Sampling, Strength};
pub use per_table::PerTable;
pub use presets::Preset;

use crate::gradient::L2Scale;
use crate::loss::{LossKind, LossShape};
use crate::model::{Bag, Link, Similarity};
use crate::optimizer::{OptimizerKind, Schedule};

/// How many examples a step sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Batch {
    /// What suits the data: all of them, or blocks where there are a million or more.
    Auto,
    /// All of them.
    Full,
    /// Those of one block: see [`layout`](crate::data::layout).
    Blocks,
    /// So many; the last of an epoch may be smaller.
    Size(usize),
}

/// What finished predictions are cut to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClipRule {
    /// The least and the greatest training rating.
    Auto,
    /// Nothing.
    None,
    /// A scale.
    Range {
        /// Its lower end.
        lo: f32,
        /// Its upper end.
        hi: f32,
    },
}

/// Which parameters are kept in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Those of the epoch that did best on what was held out; the last where nothing was.
    Best,
    /// Those of the last epoch.
    Last,
}

/// Which machine code runs; it changes speed alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelChoice {
    /// The fastest that the CPU has.
    Auto,
    /// The baseline.
    Portable,
}

/// Numbers that depend on how the ratings are batched.
struct Regime {
    epochs: usize,
    learning_rate: f64,
    beta2: f64,
}

/// One step an epoch, or a few.
const AT_ONCE: Regime = Regime {
    epochs: 300,
    learning_rate: 0.02,
    beta2: 0.999,
};
/// As many steps of each row an epoch as there are blocks of the other side.
const BY_BLOCKS: Regime = Regime {
    epochs: 20,
    learning_rate: 0.05,
    beta2: 0.99,
};

/// Factors of a model of clicks.
const FACTORS_OF_CLICKS: usize = 64;
/// Negatives of a click that is to become a probability.
const LABEL_NEGATIVES: usize = 4;

/// What somebody asks of a training. The fields stand in the table at the top of `presets`.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub(crate) preset: Preset,
    pub(crate) method: Method,
    pub(crate) n_factors: Option<usize>,
    pub(crate) epochs: Option<usize>,
    pub(crate) batch: Batch,
    pub(crate) shuffle: bool,
    pub(crate) optimizer: Option<OptimizerKind>,
    pub(crate) beta1: f64,
    pub(crate) beta2: Option<f64>,
    pub(crate) epsilon: Option<f64>,
    pub(crate) learning_rate: Option<f64>,
    pub(crate) schedule: Schedule,
    pub(crate) warmup: f64,
    pub(crate) horizon: Option<usize>,
    pub(crate) l2: PerTable,
    pub(crate) l2_scale: L2Scale,
    pub(crate) weight_decay: f64,
    pub(crate) init_std: PerTable,
    /// A group's deviation is this share of the default, unless it has one of its own.
    pub(crate) group_init_ratio: f64,
    pub(crate) loss: LossKind,
    pub(crate) similarity: Option<Similarity>,
    pub(crate) negatives: Option<Count>,
    pub(crate) sampling: Sampling,
    pub(crate) unseen_negatives: bool,
    pub(crate) threshold: Option<f64>,
    pub(crate) strength: Strength,
    pub(crate) link: Link,
    pub(crate) clip: ClipRule,
    pub(crate) global_mean: bool,
    pub(crate) biases: bool,
    pub(crate) group_biases: bool,
    pub(crate) bag: Bag,
    pub(crate) item_features: Columns,
    pub(crate) user_features: Columns,
    pub(crate) implicit: Implicit,
    pub(crate) layers: usize,
    pub(crate) untouched_rows_are_zero: bool,
    pub(crate) keep: Keep,
    pub(crate) monitor: Option<Monitor>,
    pub(crate) patience: Option<usize>,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) kernel: KernelChoice,
}

impl Config {
    /// The preset that it started from.
    pub fn preset_name(&self) -> &'static str {
        self.preset.name()
    }

    /// Passes over the ratings.
    pub fn n_epochs(&self) -> usize {
        let by_method = self.epochs.or(self.method.epochs());
        by_method.unwrap_or(self.regime().epochs)
    }

    /// Epochs that the learning rate changes over.
    pub(crate) fn schedule_epochs(&self) -> usize {
        self.horizon.unwrap_or(self.n_epochs())
    }

    /// Numbers of each embedding.
    pub fn factors(&self) -> usize {
        self.n_factors.unwrap_or(match self.preset {
            Preset::Implicit => FACTORS_OF_CLICKS,
            _ => self.method.factors(),
        })
    }

    /// How two rows make a score.
    pub fn score_of(&self) -> Similarity {
        self.similarity.unwrap_or(self.loss.usual_similarity())
    }

    /// How many negatives there are where the loss takes such: of a list all items, of labels four a positive.
    pub fn n_negatives(&self) -> Count {
        self.negatives.unwrap_or(match self.loss.shape() {
            LossShape::Pairwise => Count::Some(1),
            LossShape::Listwise => Count::All,
            _ => Count::Some(LABEL_NEGATIVES),
        })
    }

    /// η before any schedule.
    pub fn base_rate(&self) -> f64 {
        self.learning_rate.unwrap_or(self.regime().learning_rate)
    }

    /// β₂.
    pub(crate) fn second_decay(&self) -> f64 {
        self.beta2.unwrap_or(self.regime().beta2)
    }

    /// What suits the way of batching, where nothing was said.
    fn regime(&self) -> Regime {
        match self.batch {
            Batch::Blocks => BY_BLOCKS,
            _ => AT_ONCE,
        }
    }

    /// What early stopping and `Keep::Best` look at.
    pub(crate) fn monitored(&self) -> Monitor {
        self.monitor.unwrap_or(Monitor::usual(self.ranks()))
    }

    /// The seed of every draw.
    pub fn seed_number(&self) -> u64 {
        self.seed
    }
}

/// One setter a field: by value, so that they chain.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty => $value:expr;)*) => {
        impl Config {
            $($(#[$doc])* #[must_use] pub fn $name(mut self, $name: $type) -> Config { self.$name = $value; self })*
        }
    };
}

setters! {
    /// The number of factors of every row.
    n_factors: usize => Some(n_factors);
    /// One set of tables, or their posterior.
    method: Method => method;
    /// Passes over the ratings.
    epochs: usize => Some(epochs);
    /// How many ratings a step sees.
    batch: Batch => batch;
    /// Whether mini-batches are drawn anew each epoch; otherwise they follow the order of the ratings.
    shuffle: bool => shuffle;
    /// The rule of a step. Unless said: Adam, and lazy Adam in mini-batches.
    optimizer: OptimizerKind => Some(optimizer);
    /// How much of the first moment is kept at each step.
    beta1: f64 => beta1;
    /// How much of the second moment is kept at each step.
    beta2: f64 => Some(beta2);
    /// What keeps the denominator of a step above zero.
    epsilon: f64 => Some(epsilon);
    /// η.
    learning_rate: f64 => Some(learning_rate);
    /// How η changes over time.
    schedule: Schedule => schedule;
    /// Epochs until η is reached.
    warmup: f64 => warmup;
    /// Epochs that η changes over; the rest have its last value. Unless said, all.
    horizon: usize => Some(horizon);
    /// λ of each table.
    l2: PerTable => l2;
    /// Whether λ counts once a row or once a rating.
    l2_scale: L2Scale => l2_scale;
    /// PyTorch's weight decay.
    weight_decay: f64 => weight_decay;
    /// The standard deviation of the first values of each table.
    init_std: PerTable => init_std;
    /// The loss.
    loss: LossKind => loss;
    /// How two rows make a score; the loss says so otherwise.
    similarity: Similarity => Some(similarity);
    /// How many negatives there are, where the loss takes such.
    negatives: Count => Some(negatives);
    /// How likely each item is to be a negative.
    sampling: Sampling => sampling;
    /// Whether what a user took is never a negative.
    unseen_negatives: bool => unseen_negatives;
    /// The least rating that is a yes, where the loss wants yes and no.
    threshold: Option<f64> => threshold;
    /// What a rating says besides yes.
    strength: Strength => strength;
    /// From score to prediction.
    link: Link => link;
    /// What finished predictions are cut to.
    clip: ClipRule => clip;
    /// Whether the score has μ.
    global_mean: bool => global_mean;
    /// Whether users and items have biases.
    biases: bool => biases;
    /// Whether features have biases.
    group_biases: bool => group_biases;
    /// How the features of a row are weighed.
    bag: Bag => bag;
    /// Which columns of the items become features.
    item_features: Columns => item_features;
    /// Which columns of the users become features.
    user_features: Columns => user_features;
    /// Which sides have features that are made of the ratings: what a user rated, who rated an item.
    implicit: Implicit => implicit;
    /// Over how many layers of who took what rows spread; 0 for none.
    layers: usize => layers;
    /// Which parameters are kept in the end.
    keep: Keep => keep;
    /// What early stopping looks at. Unless said: RMSE, and NDCG@20 where the training is for an order.
    monitor: Monitor => Some(monitor);
    /// Epochs without a better one before training stops; `None` for never.
    patience: Option<usize> => patience;
    /// Every draw follows from it.
    seed: u64 => seed;
    /// Threads, 0 for all cores; they change speed alone.
    threads: usize => threads;
    /// Machine code; it changes speed alone.
    kernel: KernelChoice => kernel;
}
