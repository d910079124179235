//! What suits these clicks?
//!
//! Where nobody has said how to train, a tenth of the clicks is held out, what is promising is tried on the rest for a few epochs, and then everything is trained on with what put
//! the held-out items highest.
//!
//! | candidate | where it is at home |
//! |---|---|
//! | a softmax of dot products with biases, 16 factors, λ 3 | few clicks: it falls back to what is popular |
//! | a softmax of cosines, temperature 0.2, rows spread over two layers | items with many clicks each |
//! | cosine-contrastive:0.9:150 against all items, rows spread over two layers | very many items with few clicks each |
//!
//! Losses over all items cost N·n_items·d an epoch. Where that is too much the clicks are fitted in closed form, at N·d² a sweep.

use super::Recipe;
use super::recipe::{FEW, held_out};
use crate::Result;
use crate::data::{Dataset, Interactions};
use crate::loss::LossKind;
use crate::metrics::HeldOut;
use crate::metrics::held_out::ListMeans;
use crate::model::Similarity;
use crate::training::config::{Keep, Method, Monitor, PerTable};
use crate::training::{Checked, Config, Ending};

/// Clicks up to which a trial is as long as `LONG`.
const MOST_FOR_LONG: usize = 200_000;
/// Epochs of a trial.
const LONG: usize = 8;
const SHORT: usize = 3;
/// Multiplications of an epoch over all items, at most.
const MOST_WORK: usize = 6_000_000_000_000;
/// Factors where λ and biases do what cosines do elsewhere.
const FEWER_FACTORS: usize = 16;

impl Checked {
    /// What suits the clicks of `train`: see [`settle`](Checked::settle).
    pub(super) fn settle_clicks(
        &self,
        train: &Dataset,
        valid: Option<&Interactions>,
    ) -> Result<Recipe> {
        let config = self.config();
        let n = train.n_ratings();
        let work = n
            .saturating_mul(train.n_items())
            .saturating_mul(config.factors());
        if work > MOST_WORK {
            let chosen = in_closed_form(config);
            let why = vec![format!(
                "chosen for many clicks: {}; losses over all items take longer, see --loss",
                what(&chosen)
            )];
            let checked = chosen.check()?;
            return Ok(Recipe { checked, why });
        }
        let candidates = [popular(config), dense(config), sparse(config)];
        if valid.is_none() && n < FEW {
            let [chosen, ..] = candidates;
            let why = vec![format!(
                "chosen: {}; too few clicks to hold any out",
                what(&chosen)
            )];
            let checked = chosen.check()?;
            return Ok(Recipe { checked, why });
        }
        let (fitted, judged) = held_out(train, valid, config.seed)?;
        let epochs = if n <= MOST_FOR_LONG { LONG } else { SHORT };
        let mut tried = Vec::new();
        for candidate in candidates {
            let found = trial(&candidate, &fitted, &judged, epochs)?;
            tried.push((found, candidate));
        }
        let said: Vec<String> = tried
            .iter()
            .map(|(found, config)| format!("{found:.4} {}", what(config)))
            .collect();
        // The simplest of those that are equal.
        let better = |best: (f64, Config), next: (f64, Config)| {
            if next.0 > best.0 { next } else { best }
        };
        let (_, chosen) = tried
            .into_iter()
            .reduce(better)
            .expect("there are candidates");
        let why = vec![
            format!(
                "NDCG@20 on {} held-out clicks after {epochs} epochs: {}",
                judged.len(),
                said.join(", ")
            ),
            format!(
                "chosen: {}, {} epochs; {}",
                what(&chosen),
                chosen.n_epochs(),
                match valid {
                    Some(_) => "the held-out clicks stay held out",
                    None => "trained on all clicks",
                }
            ),
        ];
        let checked = chosen.check()?;
        Ok(Recipe { checked, why })
    }
}

/// These settings, for one way of training.
fn of(config: &Config) -> Config {
    Config {
        method: Method::Point,
        ..config.clone()
    }
}

/// The first candidate.
fn popular(config: &Config) -> Config {
    Config {
        loss: LossKind::Softmax { temperature: 1.0 },
        similarity: Some(Similarity::Dot),
        biases: true,
        layers: 0,
        l2: PerTable::new(3.0).with("bias", 0.0),
        n_factors: config.n_factors.or(Some(FEWER_FACTORS)),
        ..of(config)
    }
}

/// The second.
fn dense(config: &Config) -> Config {
    Config {
        loss: LossKind::Softmax { temperature: 0.2 },
        ..of(config)
    }
}

/// The third, which is the preset's.
fn sparse(config: &Config) -> Config {
    of(config)
}

/// Where losses over all items are too much.
fn in_closed_form(config: &Config) -> Config {
    let als = Config::als();
    let default = config.epochs == Config::clicks().epochs;
    Config {
        method: als.method,
        loss: als.loss,
        epochs: if default { als.epochs } else { config.epochs },
        layers: als.layers,
        l2: als.l2,
        l2_scale: als.l2_scale,
        ..config.clone()
    }
}

/// NDCG@20 on what is held out.
fn trial(config: &Config, train: &Dataset, judged: &Interactions, epochs: usize) -> Result<f64> {
    let mut config = config.clone();
    config.epochs = Some(epochs.min(config.n_epochs()));
    config.patience = None;
    config.monitor = Some(Monitor::ValidNdcg);
    config.keep = Keep::Last;
    let mut training = config.check()?.training(train, Some(judged))?;
    let finish = training.run(&mut ());
    if let Ending::Diverged(error) | Ending::Failed(error) = finish.ending {
        return Err(error);
    }
    let means = finish.valid.as_ref().and_then(HeldOut::lists);
    Ok(means.map_or(0.0, ListMeans::ndcg))
}

/// The loss and what its scores are made of.
fn what(config: &Config) -> String {
    let similarity = match config.score_of() {
        Similarity::Cosine => "cosines",
        Similarity::Dot => "dot products",
    };
    let spread = match config.layers {
        0 => String::new(),
        n => format!(" spread over {n} layers"),
    };
    format!("{} of {similarity}{spread}", config.loss)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Split;
    use crate::random::Stream;

    /// 150 users who take 10 of 100 items: of the quarter of the items that is theirs, or of all items the first ones rather than the last.
    fn clicks(of_kinds: bool) -> Dataset {
        let mut stream = Stream::new(7, "clicks");
        let mut rows = Vec::new();
        for user in 0..150u64 {
            for _ in 0..10 {
                let item = match of_kinds {
                    true => stream.below(25) * 4 + user % 4,
                    false => (100.0 * stream.uniform().powi(4)) as u64,
                };
                rows.push((format!("u{user}"), format!("i{item}"), 1.0));
            }
        }
        let builder = Dataset::builder().rows(rows).expect("rows");
        builder.build().expect("data")
    }

    fn open() -> Checked {
        let config = Config::clicks().method(Method::Auto).n_factors(8);
        config.check().expect("a configuration")
    }

    #[test]
    fn what_did_best_is_chosen_and_said() {
        for (of_kinds, wanted) in [
            (true, "of cosines spread over 2 layers"),
            (false, "softmax:1 of dot products"),
        ] {
            let data = clicks(of_kinds);
            let Recipe { checked, why } = open().settle(&data, None).expect("a recipe");
            let [tried, chosen] = &why[..] else {
                panic!("two lines: {why:?}");
            };
            let chosen = chosen.strip_prefix("chosen: ").expect("what was chosen");
            let (chosen, rest) = chosen.split_once(',').expect("its epochs");
            assert!(chosen.ends_with(wanted), "{why:?}");
            assert!(rest.contains("18 epochs; trained on all clicks"), "{why:?}");
            assert_eq!(what(checked.config()), chosen);
            assert_eq!(checked.config().method, Method::Point);
            // The line of trials has one figure each, and no greater one than that of what was chosen.
            let (_, trials) = tried.split_once(": ").expect("trials");
            let trials: Vec<(f64, &str)> = trials
                .split(", ")
                .map(|trial| trial.split_once(' ').expect("a figure and a name"))
                .map(|(figure, name)| (figure.parse().expect("a figure"), name))
                .collect();
            assert_eq!(trials.len(), 3);
            let best = trials.iter().max_by(|a, b| a.0.total_cmp(&b.0));
            assert_eq!(best.expect("trials").1, chosen, "{why:?}");
        }
    }

    #[test]
    fn held_out_clicks_that_are_given_are_those_judged_on() {
        let halves = clicks(true)
            .split(&Split::random(0.2, 3))
            .expect("two halves");
        let valid = &halves.valid.interactions;
        let why = open()
            .settle(&halves.train, Some(valid))
            .expect("a recipe")
            .why;
        let judged = format!("on {} held-out clicks", valid.len());
        assert!(why[0].contains(&judged), "{why:?}");
        assert!(
            why[1].ends_with("the held-out clicks stay held out"),
            "{why:?}"
        );
    }

    #[test]
    fn a_few_clicks_and_too_many_are_not_tried() {
        let rows = [
            ("ann", "Heat", 1.0),
            ("bob", "Up", 1.0),
            ("bob", "Heat", 1.0),
        ];
        let data = Dataset::builder().rows(rows).expect("rows");
        let data = data.build().expect("data");
        let recipe = open().settle(&data, None).expect("a recipe");
        assert!(recipe.why[0].contains("too few clicks"), "{:?}", recipe.why);
        recipe.checked.fit(&data, None, &mut ()).expect("a model");

        for asked in [None, Some(5)] {
            let mut config = Config::clicks();
            config.epochs = asked.or(config.epochs);
            let checked = in_closed_form(&config).check().expect("a configuration");
            assert_eq!(checked.config().n_epochs(), asked.unwrap_or(12));
            checked.fit(&data, None, &mut ()).expect("a model");
        }
    }
}
