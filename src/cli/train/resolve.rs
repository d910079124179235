//! What do the settings mean?
//!
//! Text becomes values, presets fill what was left open, and the result is written out whole, so that `config.toml` says everything even when defaults change one day.

use std::str::FromStr;

use super::settings::Settings;
use crate::data::reader::moment;
use crate::gradient::L2Scale;
use crate::loss::LossKind;
use crate::model::{Bag, Link, Meaning, Similarity};
use crate::optimizer::{OptimizerKind, Schedule};
use crate::training::{
    Batch, ClipRule, Columns, Config, Implicit, Keep, KernelChoice, Method, Monitor, PerTable,
    Preset,
};
use crate::{Error, Result};

/// A choice among names.
fn choice<T: Copy>(flag: &str, text: &str, choices: &[(&str, T)]) -> Result<T> {
    let found = choices.iter().find(|(name, _)| *name == text);
    found.map(|&(_, value)| value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        Error::config(flag, format!("{text:?}"), names.join(", "))
    })
}

const PRESETS: [(&str, Preset); 3] = [
    ("rating", Preset::Rating),
    ("implicit", Preset::Implicit),
    ("notebook", Preset::Notebook),
];
const BAGS: [(&str, Bag); 3] = [("mean", Bag::Mean), ("sqrt", Bag::Sqrt), ("sum", Bag::Sum)];
const IMPLICITS: [(&str, Implicit); 4] = [
    ("none", Implicit::None),
    ("users", Implicit::Users),
    ("items", Implicit::Items),
    ("both", Implicit::Both),
];
const KEEPS: [(&str, Keep); 2] = [("best", Keep::Best), ("last", Keep::Last)];
const SIMILARITIES: [(&str, Similarity); 2] =
    [("dot", Similarity::Dot), ("cosine", Similarity::Cosine)];
const SCALES: [(&str, L2Scale); 2] = [("row", L2Scale::Row), ("rating", L2Scale::Rating)];
const KERNELS: [(&str, KernelChoice); 2] = [
    ("auto", KernelChoice::Auto),
    ("portable", KernelChoice::Portable),
];

fn name_of<T: PartialEq>(value: &T, choices: &[(&'static str, T)]) -> Option<String> {
    choices
        .iter()
        .find(|(_, choice)| choice == value)
        .map(|(name, _)| (*name).to_owned())
}

/// `LO..HI`.
fn range<T: FromStr>(text: &str) -> Option<(T, T)> {
    let (lo, hi) = text.split_once("..")?;
    Some((lo.trim().parse().ok()?, hi.trim().parse().ok()?))
}

fn link(text: &str) -> Result<Link> {
    let sigmoid = || {
        let (lo, hi) = range(text.strip_prefix("sigmoid:")?)?;
        Some(Link::Sigmoid { lo, hi })
    };
    match text {
        "identity" => Ok(Link::Identity),
        _ => sigmoid().ok_or_else(|| {
            Error::config(
                "link",
                format!("{text:?}"),
                "identity, or sigmoid:LO..HI as in sigmoid:1..5",
            )
        }),
    }
}

fn clip(text: &str) -> Result<ClipRule> {
    match text {
        "auto" => Ok(ClipRule::Auto),
        "none" => Ok(ClipRule::None),
        _ => {
            let (lo, hi) = range(text).ok_or_else(|| {
                Error::config(
                    "clip",
                    format!("{text:?}"),
                    "auto, none, or LO..HI as in 1..5",
                )
            })?;
            Ok(ClipRule::Range { lo, hi })
        }
    }
}

fn schedule(text: &str) -> Result<Schedule> {
    let step = || {
        let (every, factor) = text.strip_prefix("step:")?.split_once(':')?;
        let every = if every == "auto" {
            0
        } else {
            every.parse().ok().filter(|&n: &usize| n > 0)?
        };
        Some(Schedule::Step {
            every,
            factor: factor.parse().ok()?,
        })
    };
    match text {
        "constant" => Ok(Schedule::Constant),
        "cosine" => Ok(Schedule::Cosine),
        "one-cycle" => Ok(Schedule::OneCycle),
        "step" => Ok(Schedule::Step {
            every: 0,
            factor: 0.1,
        }),
        _ => step().ok_or_else(|| {
            let wanted =
                "constant, cosine, step, step:EPOCHS:FACTOR as in step:30:0.5, or one-cycle";
            Error::config("schedule", format!("{text:?}"), wanted)
        }),
    }
}

fn batch(text: &str) -> Result<Batch> {
    match text {
        "auto" => Ok(Batch::Auto),
        "full" => Ok(Batch::Full),
        "block" => Ok(Batch::Blocks),
        _ => text.parse().map(Batch::Size).map_err(|_| {
            Error::config(
                "batch",
                format!("{text:?}"),
                "auto, full, block, or a whole number of 1 or more",
            )
        }),
    }
}

/// `12` sets all tables; `bias=4` sets some. An entry for all does away with the preset's exceptions for factors, not for biases.
fn per_table(flag: &str, entries: &[String], preset: &PerTable) -> Result<PerTable> {
    let mut values = preset.clone();
    for entry in entries {
        let (key, number) = entry
            .split_once('=')
            .map_or((None, entry.as_str()), |(key, number)| {
                (Some(key.trim()), number)
            });
        let number: f64 = number.trim().parse().map_err(|_| {
            Error::config(
                flag,
                format!("{entry:?}"),
                "a number, or TABLE=NUMBER as in bias=4 or item.genres=3",
            )
        })?;
        match key {
            None => values = values.with_default(number),
            Some(key) => values = values.with(key, number),
        }
    }
    Ok(values)
}

/// What makes clicks of ratings.
const WHAT_CLICKS_ARE: [&str; 2] = ["threshold", "implicit-weight"];

impl Settings {
    /// The preset, and everything that differs from it.
    pub fn config(&self) -> Result<Config> {
        let loss = self
            .loss
            .as_deref()
            .map(str::parse::<LossKind>)
            .transpose()?;
        let preset = match (&self.preset, loss) {
            (Some(text), _) => choice("preset", text, &PRESETS)?,
            (None, Some(loss)) if loss.meaning() != Meaning::Rating => Preset::Implicit,
            (None, None) if self.names_clicks() => Preset::Implicit,
            (None, _) => Preset::Rating,
        };
        let mut c = match self.als {
            Some(true) => Config::als(),
            _ if preset == Preset::Implicit && loss == Some(LossKind::Bpr) => Config::pairs(),
            _ => Config::preset(preset),
        };
        c.loss = loss.unwrap_or(c.loss);
        c.threshold = self.threshold;
        c.similarity = match &self.similarity {
            Some(text) => Some(choice("similarity", text, &SIMILARITIES)?),
            None => None,
        };
        c.negatives = self.negatives.as_deref().map(str::parse).transpose()?;
        macro_rules! set {
            ($($field:ident $(= $parse:expr)?),* $(,)?) => {
                $(if let Some(value) = &self.$field { c.$field = set!(@ value $(, $parse)?); })*
            };
            (@ $value:ident) => { $value.clone() };
            (@ $value:ident, $parse:expr) => { ($parse)($value)? };
        }
        c.n_factors = self.factors.or(c.n_factors);
        c.method = self.method(preset)?;
        c.global_mean = self.mean.unwrap_or(c.global_mean);
        c.optimizer = match &self.optimizer {
            Some(text) => Some(choice(
                "optimizer",
                text,
                &OptimizerKind::ALL.map(|kind| (kind.name(), kind)),
            )?),
            None => None,
        };
        c.epsilon = self.epsilon;
        c.patience = self.patience;
        c.epochs = self.epochs.or(c.epochs);
        c.horizon = self.horizon;
        c.beta2 = self.beta2.or(c.beta2);
        c.learning_rate = self.learning_rate.or(c.learning_rate);
        let (l2_default, std_default) = (c.l2.clone(), c.init_std.clone());
        set!(
            shuffle,
            beta1,
            warmup,
            weight_decay,
            biases,
            group_biases,
            seed,
            threads,
            layers,
            unseen_negatives,
            batch = |text: &String| batch(text),
            schedule = |text: &String| schedule(text),
            link = |text: &String| link(text),
            clip = |text: &String| clip(text),
            bag = |text: &String| choice("bag", text, &BAGS),
            implicit = |text: &String| choice("implicit", text, &IMPLICITS),
            keep = |text: &String| choice("keep", text, &KEEPS),
            monitor = |text: &String| choice(
                "monitor",
                text,
                &Monitor::ALL.map(|monitor| (monitor.name(), Some(monitor)))
            ),
            l2_scale = |text: &String| choice("l2-scale", text, &SCALES),
            kernel = |text: &String| choice("kernel", text, &KERNELS),
            l2 = |entries: &Vec<String>| per_table("l2", entries, &l2_default),
            init_std = |entries: &Vec<String>| per_table("init-std", entries, &std_default),
            item_features = |text: &String| Columns::parse("item-features", text),
            user_features = |text: &String| Columns::parse("user-features", text),
        );
        if let Some(text) = &self.negative_sampling {
            c.sampling = text.parse()?;
        }
        if let Some(text) = &self.implicit_weight {
            c.strength = text.parse()?;
        }
        Ok(c)
    }

    /// These settings for pairs without a rating, where nothing else was asked for.
    #[must_use]
    pub fn of_clicks(self) -> Settings {
        let asked = self.preset.is_some() || self.loss.is_some() || self.names_a_method();
        Settings {
            preset: if asked {
                self.preset
            } else {
                Some(Preset::Implicit.name().into())
            },
            ..self
        }
    }

    /// These settings with every knob of the model and the training written out, as `config` and `optimizer` resolved them. Threads and kernel stay as they were asked for:
    /// they belong to the machine.
    #[must_use]
    pub fn resolved(self, config: &Config, optimizer: OptimizerKind) -> Settings {
        let entries = |values: &PerTable| {
            let exceptions = values
                .exceptions()
                .iter()
                .map(|(key, value)| format!("{key}={value}"));
            Some(
                std::iter::once(values.default().to_string())
                    .chain(exceptions)
                    .collect(),
            )
        };
        let c = config.clone();
        let all = Settings {
            bayes: (c.method == Method::Variational).then_some(true),
            als: (c.method == Method::Als).then_some(true),
            ensemble: (c.method == Method::Ensemble).then_some(true),
            average: match c.method {
                Method::Samples(kept) => Some(kept),
                _ => None,
            },
            // What it means today it means for ever.
            as_of: self.as_of.as_deref().map(|text| match moment(text) {
                Ok(seconds) => seconds.to_string(),
                Err(_) => text.to_owned(),
            }),
            preset: name_of(&c.preset, &PRESETS),
            factors: Some(c.factors()),
            loss: Some(c.loss.to_string()),
            similarity: name_of(&c.score_of(), &SIMILARITIES),
            threshold: c.threshold,
            implicit_weight: Some(c.strength.to_string()),
            negatives: c
                .loss
                .takes_negatives()
                .then(|| c.n_negatives().to_string()),
            negative_sampling: Some(c.sampling.to_string()),
            unseen_negatives: Some(c.unseen_negatives),
            layers: Some(c.layers),
            link: Some(match c.link {
                Link::Identity => "identity".into(),
                Link::Sigmoid { lo, hi } => format!("sigmoid:{lo}..{hi}"),
            }),
            clip: Some(match c.clip {
                ClipRule::Auto => "auto".into(),
                ClipRule::None => "none".into(),
                ClipRule::Range { lo, hi } => format!("{lo}..{hi}"),
            }),
            mean: Some(c.global_mean),
            biases: Some(c.biases),
            group_biases: Some(c.group_biases),
            item_features: c.item_features.text(),
            user_features: c.user_features.text(),
            implicit: name_of(&c.implicit, &IMPLICITS),
            bag: name_of(&c.bag, &BAGS),
            epochs: (c.method != Method::Ensemble).then(|| c.n_epochs()),
            batch: Some(match c.batch {
                Batch::Auto => "auto".into(),
                Batch::Full => "full".into(),
                Batch::Blocks => "block".into(),
                Batch::Size(size) => size.to_string(),
            }),
            shuffle: Some(c.shuffle),
            optimizer: Some(optimizer.name().into()),
            learning_rate: Some(c.base_rate()),
            schedule: Some(c.schedule.name()),
            warmup: Some(c.warmup),
            beta1: Some(c.beta1),
            beta2: Some(c.second_decay()),
            l2: entries(&c.l2),
            l2_scale: name_of(&c.l2_scale, &SCALES),
            weight_decay: Some(c.weight_decay),
            init_std: entries(&c.init_std),
            keep: name_of(&c.keep, &KEEPS),
            monitor: Some(c.monitored().name().into()),
            seed: Some(c.seed),
            ..self
        };
        match c.method {
            Method::Point | Method::Als | Method::Auto => all,
            _ => all.without_steps(),
        }
    }

    /// Whether nothing says how to train, so that what suits the data can be found out. What makes clicks of ratings says only what they are, and how long to train is
    /// no choice of a loss.
    fn is_open(&self, preset: Preset) -> bool {
        let of_clicks = preset == Preset::Implicit;
        let open = |flag: &String| of_clicks && WHAT_CLICKS_ARE.contains(&flag.as_str());
        (of_clicks || (self.preset.is_none() && self.epochs.is_none()))
            && self.steps().iter().all(open)
    }

    /// What is found: tables, or their posterior.
    fn method(&self, preset: Preset) -> Result<Method> {
        let ways = [
            self.als == Some(true),
            self.ensemble == Some(true),
            self.average.is_some(),
            self.bayes == Some(true),
        ];
        if ways.into_iter().filter(|&asked| asked).count() > 1 {
            let wanted = "one of --bayes, --average, --ensemble and --als";
            return Err(Error::config("method", "several", wanted));
        }
        if self.als == Some(true) {
            return Ok(Method::Als);
        }
        let method = match (self.ensemble, self.average, self.bayes) {
            (Some(true), ..) => Method::Ensemble,
            (_, Some(kept), _) => Method::Samples(kept),
            (.., Some(true)) => Method::Variational,
            _ if self.is_open(preset) => return Ok(Method::Auto),
            _ => return Ok(Method::Point),
        };
        let steps = self.steps();
        match steps.first() {
            Some(flag) => Err(Error::config(
                flag,
                "given",
                "nothing beside --bayes, --average or --ensemble: there are no steps, rows are solved for, and λ is found",
            )),
            None => Ok(method),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(settings: Settings) -> Settings {
        let config = settings.config().expect("a configuration");
        let checked = config.clone().check().expect("in range");
        settings.resolved(&config, checked.optimizer().kind)
    }

    #[test]
    fn what_is_resolved_resolves_to_itself() {
        for preset in ["rating", "notebook"] {
            let asked = Settings {
                preset: Some(preset.into()),
                schedule: Some("step:30:0.5".into()),
                link: Some("sigmoid:1..5".into()),
                batch: Some("64".into()),
                as_of: Some("2024-01-31".into()),
                l2: Some(vec!["3".into(), "item.genres=2".into()]),
                user_features: Some("age:bin,job,height:number".into()),
                ..Settings::default()
            };
            let once = resolve(asked);
            let again = resolve(once.clone());
            assert_eq!(once, again);
            assert_eq!(
                once.config().expect("a configuration"),
                again.config().expect("a configuration")
            );
        }
    }

    #[test]
    fn an_entry_for_all_tables_leaves_the_biases() {
        let settings = Settings {
            l2: Some(vec!["3".into()]),
            ..Settings::default()
        };
        let l2 = settings.config().expect("a configuration").l2;
        assert_eq!(
            (l2.factors("user", None), l2.biases("user", None)),
            (3.0, 4.0)
        );
    }

    #[test]
    fn nonsense_is_refused_with_what_is_possible() {
        let refused = |settings: Settings| settings.config().expect_err("nonsense").to_string();
        let some = |text: &str| Some(text.to_owned());
        for (error, wanted) in [
            (
                refused(Settings {
                    preset: some("movies"),
                    ..Settings::default()
                }),
                "rating, implicit, notebook",
            ),
            (
                refused(Settings {
                    link: some("sigmoid"),
                    ..Settings::default()
                }),
                "sigmoid:1..5",
            ),
            (
                refused(Settings {
                    clip: some("1-5"),
                    ..Settings::default()
                }),
                "1..5",
            ),
            (
                refused(Settings {
                    schedule: some("step:0:1"),
                    ..Settings::default()
                }),
                "step:30:0.5",
            ),
            (
                refused(Settings {
                    batch: some("-5"),
                    ..Settings::default()
                }),
                "1 or more",
            ),
            (
                refused(Settings {
                    l2: Some(vec!["bias".into()]),
                    ..Settings::default()
                }),
                "bias=4",
            ),
            (
                refused(Settings {
                    optimizer: some("Adam"),
                    ..Settings::default()
                }),
                "lazy-adam",
            ),
        ] {
            assert!(error.contains(wanted), "{error}");
        }
    }
}
