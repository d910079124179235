//! Which flags set which knobs?
//!
//! One list serves three purposes: the flags of `train`, the keys of `--config run.toml`, and the file `config.toml` that a run leaves behind. Every field is optional:
//! a flag that was given wins, then the file's key, then the preset's default. Here is only what was typed; what it means stands in `resolve`.

use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::cli::toml_text::TomlText;

/// Defines the struct and how two of them are laid over each other, from one list of fields.
macro_rules! settings {
    ($($(#[$attribute:meta])* $name:ident: Option<$type:ty>,)*) => {
        /// What was asked for, by flags or by a file.
        #[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub struct Settings {
            $($(#[$attribute])* #[serde(skip_serializing_if = "Option::is_none")] pub $name: Option<$type>,)*
        }

        impl Settings {
            /// These, and the `others` where these say nothing.
            #[must_use]
            pub fn or(self, others: Settings) -> Settings {
                let others = if self.names_a_method() { others.without_method() } else { others };
                Settings { $($name: self.$name.or(others.$name),)* }
            }
        }
    };
}

settings! {
    /// Further files of ratings, read after the first; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    add: Option<Vec<PathBuf>>,
    /// Items with their titles and features: id, title and any columns; several values of a cell are separated by |
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    items: Option<PathBuf>,
    /// Users with their features: id and any columns
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    users: Option<PathBuf>,
    /// The data as they were at a moment, seconds since 1970 or a date such as 2024-01-31 (its first second, UTC): ratings that are not later, and of items and users with times the latest row that is not [default: all ratings; of such rows those of the last training rating]
    #[arg(long, value_name = "TIME", help_heading = "Data")]
    #[serde(deserialize_with = "text")]
    as_of: Option<String>,
    /// Which column is what: `user,item,rating,timestamp` in order, or `user=NAME,item=NAME,rating=3`
    #[arg(long, value_name = "COLUMNS", help_heading = "Data")]
    columns: Option<String>,
    /// What stands between two fields: `,` `;` `tab` `::` … [default: found out]
    #[arg(long, value_name = "SEPARATOR", help_heading = "Data")]
    sep: Option<String>,
    /// The column that says how much each rating counts [default: all count 1]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    weight: Option<String>,
    /// Which of two ratings of one item by one user counts: last, first, mean, sum, max, error [default: last]
    #[arg(long, value_name = "RULE", help_heading = "Data")]
    dedupe: Option<String>,

    /// Ratings to hold out, in a file of their own
    #[arg(long, value_name = "FILE", help_heading = "Validation")]
    valid: Option<PathBuf>,
    /// The share of the ratings to hold out, above 0 and below 1
    #[arg(long, value_name = "SHARE", help_heading = "Validation")]
    valid_fraction: Option<f64>,
    /// Which ratings are held out: random, user (a share of each user's), leave-last, time (the latest) [default: random]
    #[arg(long, value_name = "RULE", help_heading = "Validation")]
    valid_by: Option<String>,
    /// Stop after this many epochs without a better one
    #[arg(long, value_name = "EPOCHS", help_heading = "Validation")]
    patience: Option<usize>,
    /// What a better epoch is: valid_rmse or valid_mae, of a training for an order valid_ndcg@20 or valid_recall@20 [default: the first]
    #[arg(long, value_name = "METRIC", help_heading = "Validation")]
    monitor: Option<String>,
    /// Which epoch's parameters are kept: best (where ratings are held out) or last
    #[arg(long, value_name = "EPOCH", help_heading = "Validation")]
    keep: Option<String>,

    /// The set of defaults: rating (one set of tables by Adam), implicit (clicks, plays, purchases: the right order) or notebook (the PyTorch notebook that many courses begin with, reproduced) [default: implicit where there are no ratings, otherwise what suits them, and rating where a knob of a method is given]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    preset: Option<String>,
    /// Find the posterior of the tables instead of one set: means and variances in closed form; λ is found too
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Model")]
    bayes: Option<bool>,
    /// Draw the posterior and average so many samples [without a number: 300]; the best predictions, a larger model
    #[arg(long, value_name = "SAMPLES", num_args = 0..=1, default_missing_value = "300", help_heading = "Model")]
    average: Option<usize>,
    /// Train three models in different ways and blend them: two averages of samples, one variational
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Model")]
    ensemble: Option<bool>,
    /// Fit clicks in closed form, one side at a time: squared errors over all cells (iALS); no learning rate, a dozen sweeps
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Model")]
    als: Option<bool>,
    /// Numbers in each embedding [default: 8; implicit 64; notebook 16; --bayes 15, --average 7]
    #[arg(long, value_name = "N", help_heading = "Model")]
    factors: Option<usize>,
    /// The loss, perhaps with parameters: squared, absolute, huber:WIDTH for ratings; logistic for yes and no; bpr, softmax:TEMPERATURE, cosine-contrastive:MARGIN:WEIGHT, cosine-embedding:MARGIN, all-cells:WEIGHT for clicks [default: squared; implicit cosine-contrastive]
    #[arg(long, value_name = "LOSS", help_heading = "Model")]
    loss: Option<String>,
    /// What a score is made of: dot (the dot product of two rows) or cosine (their angle alone) [default: dot; of softmax and the cosine losses cosine]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    similarity: Option<String>,
    /// Ratings of this or more are a yes, for losses of yes and no or of clicks
    #[arg(long, value_name = "RATING", help_heading = "Clicks")]
    threshold: Option<f64>,
    /// What a rating says besides yes: none, linear:ALPHA (it counts 1 + α·r) or log:ALPHA (1 + α·ln(1 + r)) [default: none]
    #[arg(long, value_name = "RULE", help_heading = "Clicks")]
    implicit_weight: Option<String>,
    /// Items that a user did not take, to compare with: how many a click, how many all users of a step share, or all [default: of a softmax and of cosine-contrastive all; logistic 4, bpr 1]
    #[arg(long, value_name = "N", help_heading = "Clicks")]
    #[serde(deserialize_with = "text")]
    negatives: Option<String>,
    /// How likely each item is to be one of them: uniform, popularity:EXPONENT, in-batch [default: uniform]
    #[arg(long, value_name = "RULE", help_heading = "Clicks")]
    negative_sampling: Option<String>,
    /// Whether what a user took is never one of them [default: yes]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Clicks")]
    unseen_negatives: Option<bool>,
    /// Over how many layers of who took what rows spread before they are scored; 0 for none [default: 0; implicit 2]
    #[arg(long, value_name = "N", help_heading = "Clicks")]
    layers: Option<usize>,
    /// From score to prediction: identity, or sigmoid:LO..HI [default: identity]
    #[arg(long, value_name = "LINK", help_heading = "Model")]
    link: Option<String>,
    /// The scale that predictions are cut to: auto (that of the ratings), none, or LO..HI [default: auto; notebook none]
    #[arg(long, value_name = "SCALE", help_heading = "Model")]
    clip: Option<String>,
    /// Whether the score has the mean rating in it [default: yes; notebook no]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Model")]
    mean: Option<bool>,
    /// Whether users and items have biases [default: yes; notebook no]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Model")]
    biases: Option<bool>,
    /// Whether features have biases [default: yes; notebook no]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Model")]
    group_biases: Option<bool>,
    /// Columns of the items that become features: names, all, or none; `year:bin5` makes 5 bins of a number (`year:bin` at most 10), `year:number` standardises it [default: those with | in a cell; notebook all]
    #[arg(long, value_name = "NAMES", help_heading = "Model")]
    item_features: Option<String>,
    /// Columns of the users that become features, written alike [default: none]
    #[arg(long, value_name = "NAMES", help_heading = "Model")]
    user_features: Option<String>,
    /// Features made of the training ratings: users (by what they rated), items (by who rated them), both, or none [default: none]
    #[arg(long, value_name = "SIDES", help_heading = "Model")]
    implicit: Option<String>,
    /// How the features of a row are weighed: mean (1/n), sqrt (1/√n), sum (1) [default: sqrt; notebook mean]
    #[arg(long, value_name = "RULE", help_heading = "Model")]
    bag: Option<String>,

    /// Passes over the ratings [default: 300, by blocks 20; implicit 18; notebook 200; --bayes 12; --average 30 more than the samples]
    #[arg(long, value_name = "N", help_heading = "Training")]
    epochs: Option<usize>,
    /// Ratings per step: auto, full (all), block (blocks that share no row, trained in parallel), or a number [default: auto, which is full and from a million ratings on block; notebook full]
    #[arg(long, value_name = "N", help_heading = "Training")]
    #[serde(deserialize_with = "text")]
    batch: Option<String>,
    /// Whether mini-batches are drawn anew each epoch [default: yes]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Training")]
    shuffle: Option<bool>,
    /// adam, lazy-adam, adamw, amsgrad, row-adam (one second moment a row; by blocks), sgd, adagrad [default: adam; in mini-batches lazy-adam]
    #[arg(long, value_name = "NAME", help_heading = "Training")]
    optimizer: Option<String>,
    /// How far a step goes [default: 0.02, by blocks 0.05; implicit 0.03, bpr 0.01; notebook 0.01]
    #[arg(long, value_name = "RATE", help_heading = "Training")]
    learning_rate: Option<f64>,
    /// How that changes: constant, cosine, step, step:EPOCHS:FACTOR, one-cycle [default: cosine; notebook constant]
    #[arg(long, value_name = "SCHEDULE", help_heading = "Training")]
    schedule: Option<String>,
    /// Epochs that the schedule is made for; beyond, the rate stays where it ends [default: all]
    #[arg(long, value_name = "EPOCHS", help_heading = "Training")]
    horizon: Option<usize>,
    /// Epochs until the learning rate is reached [default: 0]
    #[arg(long, value_name = "EPOCHS", help_heading = "Training")]
    warmup: Option<f64>,
    /// Adam's β₁ [default: 0.9]
    #[arg(long, value_name = "BETA", help_heading = "Training")]
    beta1: Option<f64>,
    /// Adam's β₂ [default: 0.999, by blocks 0.99]
    #[arg(long, value_name = "BETA", help_heading = "Training")]
    beta2: Option<f64>,
    /// Adam's ε [default: 1e-8; adagrad 1e-10]
    #[arg(long, value_name = "EPSILON", help_heading = "Training")]
    epsilon: Option<f64>,
    /// λ of all tables, or of some: `12`, `bias=4`, `item.genres=3`; may be repeated [default: 12, bias=4; implicit and notebook 0]
    #[arg(long, value_name = "[TABLE=]LAMBDA", help_heading = "Training")]
    #[serde(deserialize_with = "entries")]
    l2: Option<Vec<String>>,
    /// Whether λ counts once a row, or once a rating of the row: row, rating [default: row]
    #[arg(long, value_name = "SCALE", help_heading = "Training")]
    l2_scale: Option<String>,
    /// PyTorch's weight decay, which is 2λ/N [default: 0]
    #[arg(long, value_name = "DECAY", help_heading = "Training")]
    weight_decay: Option<f64>,
    /// Standard deviation of the first values, of all tables or of some: `0.1`, `item.genres=0.01` [default: 0.1, features a tenth; implicit 0.02, bpr 0.1; notebook 1]
    #[arg(long, value_name = "[TABLE=]STD", help_heading = "Training")]
    #[serde(deserialize_with = "entries")]
    init_std: Option<Vec<String>>,
    /// First values from a folder that `export --to npy` writes; rows are matched by id, missing ones are drawn
    #[arg(long, value_name = "DIR", help_heading = "Training")]
    init: Option<PathBuf>,
    /// Start from a trained model: its rows are matched by id, new ones are folded in; `lowrank update` does so with fewer epochs
    #[arg(long, value_name = "MODEL", conflicts_with = "init", help_heading = "Training")]
    warm_start: Option<PathBuf>,
    /// Every draw follows from it [default: 42]
    #[arg(long, value_name = "N", help_heading = "Training")]
    seed: Option<u64>,

    /// Threads; they change speed alone [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Machine")]
    threads: Option<usize>,
    /// How much memory may be used, as in 2g or 500m: a cache of ratings (`data convert`) that would take more stays on disk, and training goes by blocks [default: no bound]
    #[arg(long, value_name = "SIZE", help_heading = "Machine")]
    max_memory: Option<String>,
    /// Machine code: auto or portable; it changes speed alone [default: auto]
    #[arg(long, value_name = "KERNEL", help_heading = "Machine")]
    kernel: Option<String>,
}

impl Settings {
    /// Whether a posterior or an ensemble is asked for, or refused.
    pub fn names_a_method(&self) -> bool {
        self.bayes.is_some()
            || self.average.is_some()
            || self.ensemble.is_some()
            || self.als.is_some()
    }

    /// Whether a knob is set that only trainings on clicks have.
    pub fn names_clicks(&self) -> bool {
        self.layers.is_some_and(|layers| layers > 0)
            || self.negatives.is_some()
            || self.negative_sampling.is_some()
            || self.threshold.is_some()
            || self.implicit_weight.is_some()
    }

    /// These, with the files that they name in `folder` where they do not say from where.
    #[must_use]
    pub fn within(&self, folder: &Path) -> Settings {
        let within = |path: &Option<PathBuf>| path.as_ref().map(|path| folder.join(path));
        Settings {
            items: within(&self.items),
            users: within(&self.users),
            valid: within(&self.valid),
            init: within(&self.init),
            warm_start: within(&self.warm_start),
            add: self
                .add
                .as_ref()
                .map(|files| files.iter().map(|path| folder.join(path)).collect()),
            ..self.clone()
        }
    }

    /// These without that: of several methods the one asked for first counts.
    fn without_method(self) -> Settings {
        Settings {
            bayes: None,
            average: None,
            ensemble: None,
            als: None,
            ..self
        }
    }
}

/// The knobs of an optimizer's steps.
macro_rules! steps {
    ($($name:ident)*) => {
        impl Settings {
            /// The flags of those that were given.
            pub fn steps(&self) -> Vec<String> {
                let given = [$((stringify!($name), self.$name.is_some())),*];
                let given = given.into_iter().filter(|&(_, given)| given);
                given.map(|(name, _)| name.replace('_', "-")).collect()
            }

            /// These without them.
            #[must_use]
            pub fn without_steps(self) -> Settings {
                Settings { $($name: None,)* ..self }
            }
        }
    };
}

steps! {
    shuffle optimizer learning_rate schedule warmup horizon beta1 beta2 epsilon l2 l2_scale weight_decay init_std init loss similarity threshold implicit_weight
    negatives negative_sampling unseen_negatives layers link batch mean biases
}

/// A TOML value that may be written as text or as a number: `batch = "full"`, `batch = 1024`.
fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    one(&toml::Value::deserialize(value)?)
        .map(Some)
        .ok_or_else(|| D::Error::custom("wanted text or a number"))
}

/// Entries of several tables: `l2 = 12`, `l2 = ["12", "bias=4"]`, or `l2 = { default = 12, bias = 4, "item.genres" = 3 }`.
fn entries<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Vec<String>>, D::Error> {
    let entries = match toml::Value::deserialize(value)? {
        toml::Value::Array(values) => values.iter().map(one).collect(),
        toml::Value::Table(table) => table
            .iter()
            .map(|(key, value)| match key.as_str() {
                "default" => one(value),
                _ => Some(format!("{key}={}", one(value)?)),
            })
            .collect(),
        value => one(&value).map(|entry| vec![entry]),
    };
    let wanted = "wanted a number, a list of entries like \"bias=4\", or a table of numbers";
    entries.map(Some).ok_or_else(|| D::Error::custom(wanted))
}

fn one(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Settings {
    /// The settings of a `--config` file.
    ///
    /// # Errors
    /// With the line of a key that is no knob, or whose value is of another kind.
    pub fn read(path: &Path) -> crate::Result<Settings> {
        let file = TomlText::read(path)?;
        let wanted = "the flags of `train` as keys, as in `factors = 16`";
        toml::from_str(&file.text).map_err(|error| file.refused(&error, wanted))
    }
}

/// `--no-mean` and its like, the short ways to say no.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Refusals {
    /// No mean rating in the score
    #[arg(long, conflicts_with = "mean", help_heading = "Model")]
    no_mean: bool,
    /// No biases, neither of users and items nor of features
    #[arg(long, conflicts_with_all = ["biases", "group_biases"], help_heading = "Model")]
    no_biases: bool,
    /// Mini-batches in the order of the ratings
    #[arg(long, conflicts_with = "shuffle", help_heading = "Training")]
    no_shuffle: bool,
}

impl Refusals {
    /// As settings.
    pub fn settings(self) -> Settings {
        Settings {
            mean: self.no_mean.then_some(false),
            biases: self.no_biases.then_some(false),
            group_biases: self.no_biases.then_some(false),
            shuffle: self.no_shuffle.then_some(false),
            ..Settings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file() {
        let flags = Settings {
            factors: Some(32),
            ..Settings::default()
        };
        let file: Settings = toml::from_str(
            "factors = 8\nepochs = 5\nbatch = 1024\nl2 = { default = 12, bias = 4 }",
        )
        .expect("TOML");
        let both = flags.or(file);
        assert_eq!((both.factors, both.epochs), (Some(32), Some(5)));
        assert_eq!(both.batch.as_deref(), Some("1024"));
        let mut l2 = both.l2.expect("entries");
        l2.sort();
        assert_eq!(l2, ["12", "bias=4"]);
    }

    #[test]
    fn the_method_of_a_flag_puts_that_of_a_file_aside() {
        let file: Settings = toml::from_str("bayes = true\nfactors = 9").expect("TOML");
        let flags = Settings {
            average: Some(50),
            ..Settings::default()
        };
        let both = flags.or(file.clone());
        assert_eq!((both.bayes, both.average), (None, Some(50)));
        assert_eq!(both.factors, Some(9));
        assert_eq!(Settings::default().or(file).bayes, Some(true));
    }

    #[test]
    fn a_key_that_is_no_knob_is_refused() {
        let error = toml::from_str::<Settings>("factor = 8")
            .expect_err("no such key")
            .to_string();
        assert!(
            error.contains("factor") && error.contains("factors"),
            "{error}"
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let settings = Settings {
            preset: Some("notebook".into()),
            l2: Some(vec!["0.5".into(), "bias=4".into()]),
            batch: Some("32".into()),
            mean: Some(false),
            learning_rate: Some(0.01),
            ..Settings::default()
        };
        let text = toml::to_string(&settings).expect("TOML");
        assert_eq!(
            toml::from_str::<Settings>(&text).expect("TOML"),
            settings,
            "{text}"
        );
    }
}
