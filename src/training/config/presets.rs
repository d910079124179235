//! Which defaults go together?
//!
//! | field | flag | `notebook` | `rating` | `implicit` | range |
//! |---|---|---|---|---|---|
//! | `method` | `--bayes`, `--average` | point | point | point, on the command line what suits the data; `--als` | |
//! | `n_factors` | `--factors` | 16 | 8; posterior 15, samples 7 | 64 | 1 … 4096; posterior 1 … 255 |
//! | `epochs` | `--epochs` | 200 | 300; by blocks 20; posterior 12, samples 330 | 18; `--als` 12 | ≥ 1 |
//! | `batch` | `--batch` | full | auto: full, from a million ratings on by blocks | auto | `auto`, `full`, `block`, ≥ 1 |
//! | `optimizer` | `--optimizer` | adam | adam | lazy-adam | mini-batches: `lazy-adam` |
//! | `learning_rate` | `--learning-rate` | 0.01 | 0.02; by blocks 0.05 | 0.03; `bpr` 0.01 | > 0 |
//! | `beta2` | `--beta2` | 0.999 | 0.999; by blocks 0.99 | 0.999 | [0, 1) |
//! | `schedule` | `--schedule` | constant | cosine | cosine | |
//! | `warmup` | `--warmup` | 0 | 0 | 0 | ≥ 0 epochs |
//! | `horizon` | `--horizon` | `epochs` | `epochs` | `epochs` | ≥ 1 epochs |
//! | `l2` | `--l2` | 0 | 12, bias 4 | 0; `--als` 0.003, `bpr` 0.001 | ≥ 0 |
//! | `l2_scale` | `--l2-scale` | row | row | row; `--als`, `bpr` rating | |
//! | `weight_decay` | `--weight-decay` | 0 | 0 | 0 | ≥ 0 |
//! | `init_std` | `--init-std` | 1, biases 0 | 0.1, groups a tenth of it, biases 0 | 0.02; `bpr` 0.1 | ≥ 0 |
//! | `link` | `--link` | identity | identity | identity | sigmoid: lo < hi |
//! | `clip` | `--clip` | none | auto: the scale of the training ratings | none | lo < hi |
//! | `global_mean` | `--no-mean` | no | yes | no | |
//! | `biases`, `group_biases` | `--no-biases` | no | yes | no | |
//! | `bag` | `--bag` | mean | sqrt | mean | |
//! | `item_features` | `--item-features` | every column | columns with `\|` | none | names, each with or without a kind |
//! | `user_features` | `--user-features` | none | none | none | alike |
//! | `implicit` | `--implicit` | none | none | none | none, users, items, both |
//! | `keep` | `--keep` | last | best, where there is validation | best, where there is validation | |
//! | `untouched_rows` | | keep their draw | zero | zero | |
//! | `shuffle` | `--no-shuffle` | yes | yes | yes | mini-batches only |
//! | `loss` | `--loss` | squared | squared | cosine-contrastive:0.9:150; `--als` all-cells:0.01 | see [`LossKind`] |
//! | `similarity` | `--similarity` | dot | dot | cosine; `--als` dot | dot, cosine; what the loss is made for |
//! | `threshold` | `--threshold` | | | none | a number |
//! | `strength` | `--implicit-weight` | | | none | linear:α, log:α |
//! | `negatives` | `--negatives` | | | all | all, ≥ 1; of labels 4, of pairs 1 |
//! | `sampling` | `--negative-sampling` | | | uniform | popularity:β, in-batch |
//! | `unseen_negatives` | `--unseen-negatives` | | | yes | |
//! | `layers` | `--layers` | 0 | 0 | 2; `--als` 0 | 0 … 16 |
//!
//! `notebook` is the PyTorch notebook that this design comes from, to the last digit; `rating` is for ratings; `implicit` is for clicks, plays and purchases, where the right order is wanted.

use super::{
    Batch, ClipRule, Columns, Config, Implicit, Keep, KernelChoice, Method, PerTable, Sampling,
    Strength,
};
use crate::gradient::L2Scale;
use crate::loss::LossKind;
use crate::model::{Bag, Link};
use crate::optimizer::Schedule;

/// A set of defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// The seed design: no mean, no biases, no penalty.
    Notebook,
    /// For ratings: mean, biases, penalties, cosine schedule, clipping.
    Rating,
    /// For clicks, plays, purchases: cosines of rows that spread, against all items.
    Implicit,
}

impl Preset {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Notebook => "notebook",
            Preset::Rating => "rating",
            Preset::Implicit => "implicit",
        }
    }
}

impl Config {
    /// The defaults of a preset.
    pub fn preset(preset: Preset) -> Config {
        match preset {
            Preset::Notebook => Config::notebook(),
            Preset::Rating => Config::rating(),
            Preset::Implicit => Config::clicks(),
        }
    }

    /// The seed design.
    pub fn notebook() -> Config {
        Config {
            preset: Preset::Notebook,
            method: Method::Point,
            n_factors: Some(16),
            epochs: Some(200),
            batch: Batch::Full,
            shuffle: true,
            optimizer: None,
            beta1: 0.9,
            beta2: Some(0.999),
            epsilon: None,
            learning_rate: Some(0.01),
            schedule: Schedule::Constant,
            warmup: 0.0,
            horizon: None,
            l2: PerTable::new(0.0),
            l2_scale: L2Scale::Row,
            weight_decay: 0.0,
            init_std: PerTable::new(1.0).with("bias", 0.0),
            group_init_ratio: 1.0,
            loss: LossKind::Squared,
            similarity: None,
            negatives: None,
            sampling: Sampling::Uniform,
            unseen_negatives: true,
            threshold: None,
            strength: Strength::None,
            link: Link::Identity,
            clip: ClipRule::None,
            global_mean: false,
            biases: false,
            group_biases: false,
            bag: Bag::Mean,
            item_features: Columns::All,
            user_features: Columns::Named(Vec::new()),
            implicit: Implicit::None,
            layers: 0,
            untouched_rows_are_zero: false,
            keep: Keep::Last,
            monitor: None,
            patience: None,
            seed: 42,
            threads: 0,
            kernel: KernelChoice::Auto,
        }
    }

    /// For clicks, plays and purchases.
    pub fn clicks() -> Config {
        Config {
            preset: Preset::Implicit,
            n_factors: None,
            epochs: Some(18),
            beta2: None,
            batch: Batch::Auto,
            learning_rate: Some(0.03),
            schedule: Schedule::Cosine,
            init_std: PerTable::new(0.02).with("bias", 0.0),
            group_init_ratio: 0.1,
            loss: LossKind::CosineContrastive {
                margin: 0.9,
                negative_weight: 150.0,
            },
            item_features: Columns::Named(Vec::new()),
            layers: 2,
            bag: Bag::Mean,
            untouched_rows_are_zero: true,
            keep: Keep::Best,
            ..Config::notebook()
        }
    }

    /// For clicks, plays and purchases, by pairs: what a user took above what the user did not.
    pub fn pairs() -> Config {
        Config {
            loss: LossKind::Bpr,
            learning_rate: Some(0.01),
            init_std: PerTable::new(0.1).with("bias", 0.0),
            l2: PerTable::new(0.001),
            l2_scale: L2Scale::Rating,
            ..Config::clicks()
        }
    }

    /// For clicks, plays and purchases, in closed form: weighted squares over all cells.
    pub fn als() -> Config {
        Config {
            method: Method::Als,
            epochs: Some(12),
            loss: LossKind::AllCells {
                unobserved_weight: 0.01,
            },
            layers: 0,
            l2: PerTable::new(0.003),
            l2_scale: L2Scale::Rating,
            ..Config::clicks()
        }
    }

    /// For ratings.
    pub fn rating() -> Config {
        Config {
            preset: Preset::Rating,
            n_factors: None,
            epochs: None,
            beta2: None,
            batch: Batch::Auto,
            learning_rate: None,
            schedule: Schedule::Cosine,
            l2: PerTable::new(12.0).with("bias", 4.0),
            init_std: PerTable::new(0.1).with("bias", 0.0),
            group_init_ratio: 0.1,
            clip: ClipRule::Auto,
            global_mean: true,
            biases: true,
            group_biases: true,
            bag: Bag::Sqrt,
            item_features: Columns::MultiValued,
            untouched_rows_are_zero: true,
            keep: Keep::Best,
            ..Config::notebook()
        }
    }
}
