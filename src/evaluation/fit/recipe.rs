//! What suits these ratings?
//!
//! Where nobody has said how to train, a tenth of the ratings is held out and what is promising is tried on the rest; then everything is trained on with what was best. Nothing is
//! tuned by hand: λ and the noise are found with the posterior (chapter 8).
//!
//! | ratings | what is done |
//! |---|---|
//! | N·d² + 2·rows·d³ up to 640 million, d = 16 or else 8, and rows that fit into a gigabyte: some two million ratings | the variational posterior with who rated the items as their features; where that is not clearly better than biases, also without those features, and with one factor: the simplest that is not clearly beaten; about the best epoch of 15 |
//! | more | one set of tables by blocks, λ = 12·σ/1.1: in units of the ratings' deviation σ, what suits stars |
//!
//! The first is the better prediction and the slower: a sweep costs N·d² where an epoch costs N·d.

use std::borrow::Cow;

use crate::Result;
use crate::bayes::bytes_of_a_row;
use crate::data::{Dataset, Halves, Interactions, Split};
use crate::metrics::{HeldOut, RatingErrors};
use crate::model::Baseline;
use crate::training::config::{Implicit, Keep, Method};
use crate::training::{Checked, Config, Ending};

/// The share that is held out.
const HELD_OUT: f64 = 0.1;
/// Fewer ratings than this are not worth holding any out.
pub(super) const FEW: usize = 200;
/// Multiplications of a sweep, at most: N·d² for the ratings and 2·d³ for the rows.
const MOST_WORK: usize = 640_000_000;
/// Ratings up to which features made of them are tried; they double the work.
const MOST_FOR_IMPLICIT: usize = 1_200_000;
/// Bytes of all rows, at most.
const MOST_BYTES: usize = 1 << 30;
/// Sweeps that are tried.
const EPOCHS: usize = 15;
/// Sweeps without a better one before a trial ends.
const PATIENCE: usize = 4;
/// Where the first trial is so much better than biases alone, it is not doubted.
const CLEAR: f64 = 0.98;
/// What has more to it must be so much better, or the difference may be luck.
const WORTH_IT: f64 = 0.997;
/// Factors where rows are so many that their cubes are too much.
const FEWER_FACTORS: usize = 7;
/// Sweeps at least: the best of a few held-out ratings may come too early.
const LEAST: usize = 12;
const LEAST_OF_IMPLICIT: usize = 8;
/// The deviation of stars, for which the defaults of λ were made.
const STARS: f64 = 1.1;

/// What was chosen, and why.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Settled in every knob.
    pub checked: Checked,
    /// What was tried and chosen, in a few lines.
    pub why: Vec<String>,
}

impl Checked {
    /// What suits `train`, where it was left open; everything else stays as it is. Judged on `valid`, or on a tenth that is held out for the purpose.
    ///
    /// # Errors
    /// What training says.
    pub fn settle(&self, train: &Dataset, valid: Option<&Interactions>) -> Result<Recipe> {
        if self.0.method != Method::Auto {
            let checked = self.clone();
            return Ok(Recipe {
                checked,
                why: Vec::new(),
            });
        }
        if self.0.ranks() {
            return self.settle_clicks(train, valid);
        }
        let n = train.n_ratings();
        let mut config = self.0.clone();
        config.method = Method::Variational;
        if config.n_factors.is_none() && !fits(&config, train) {
            config.n_factors = Some(FEWER_FACTORS);
        }
        if !fits(&config, train) {
            return self.by_blocks(train);
        }
        if n < FEW {
            let stated = "the variational posterior; too few ratings to hold any out";
            let why = vec![format!("chosen: {stated}")];
            let checked = config.check()?;
            return Ok(Recipe { checked, why });
        }
        let (fitted, judged) = held_out(train, valid, config.seed)?;
        let (fitted, judged) = (&*fitted, &*judged);
        let biases = of_biases(fitted, judged);
        let trial =
            |implicit, factors| Checked(config.clone()).trial(fitted, judged, implicit, factors);
        let factors = config.factors();
        let open = config.implicit == Implicit::None && n <= MOST_FOR_IMPLICIT;
        let first = trial(
            if open {
                Implicit::Items
            } else {
                config.implicit
            },
            factors,
        )?;
        let mut tried = vec![first];
        if first.rmse > CLEAR * biases {
            if open {
                tried.insert(0, trial(Implicit::None, factors)?);
            }
            tried.insert(0, trial(config.implicit, 1)?);
        }
        // The simplest that is not clearly beaten.
        let simpler = |best: Trial, next: &Trial| {
            if next.rmse < WORTH_IT * best.rmse {
                *next
            } else {
                best
            }
        };
        let best = tried[1..].iter().fold(tried[0], simpler);
        config.implicit = best.implicit;
        config.n_factors = Some(best.factors);
        let least = if best.implicit == Implicit::None {
            LEAST
        } else {
            LEAST_OF_IMPLICIT
        };
        config.epochs = Some(config.epochs.unwrap_or(best.epochs.max(least)));
        let said: Vec<String> = tried
            .iter()
            .map(|trial| format!("{:.4} {}", trial.rmse, trial.what()))
            .collect();
        let why = vec![
            format!(
                "RMSE on {} held-out ratings: {biases:.4} by biases alone, {}",
                judged.len(),
                said.join(", ")
            ),
            format!(
                "chosen: the variational posterior {}, {} sweeps, λ found with it; {}",
                best.what(),
                config.n_epochs(),
                match valid {
                    Some(_) => "the held-out ratings stay held out",
                    None => "trained on all ratings",
                }
            ),
        ];
        let checked = config.check()?;
        Ok(Recipe { checked, why })
    }

    /// What many ratings are trained with.
    fn by_blocks(&self, train: &Dataset) -> Result<Recipe> {
        let mut config = self.0.clone();
        config.method = Method::Point;
        let deviation = deviation(train)?;
        if deviation > 0.0 {
            let scale = deviation / STARS;
            let (l2, std) = (config.l2.default(), config.init_std.default());
            config.l2 = config.l2.with_default(l2 * scale);
            config.init_std = config.init_std.with_default(std * scale.sqrt());
        }
        let l2 = config.l2.default();
        let why = vec![format!(
            "chosen for many ratings: one set of tables by blocks, λ {l2:.1} (the ratings deviate by {deviation:.2}); --bayes predicts better and takes longer"
        )];
        Ok(Recipe {
            checked: config.check()?,
            why,
        })
    }

    /// Tries the posterior.
    fn trial(
        &self,
        train: &Dataset,
        judged: &Interactions,
        implicit: Implicit,
        factors: usize,
    ) -> Result<Trial> {
        let mut config = self.0.clone();
        config.method = Method::Variational;
        config.implicit = implicit;
        config.n_factors = Some(factors);
        config.epochs = Some(config.epochs.unwrap_or(EPOCHS));
        config.patience = Some(PATIENCE);
        config.keep = Keep::Best;
        let mut training = config.check()?.training(train, Some(judged))?;
        let finish = training.run(&mut ());
        if let Ending::Diverged(error) | Ending::Failed(error) = finish.ending {
            return Err(error);
        }
        let errors = finish.valid.as_ref().and_then(HeldOut::errors);
        let rmse = errors.map_or(f64::INFINITY, RatingErrors::rmse);
        Ok(Trial {
            implicit,
            factors,
            epochs: finish.kept,
            rmse,
        })
    }
}

/// What is tried on, and what it is judged by: what was held out already, or a tenth.
pub(super) fn held_out<'d>(
    train: &'d Dataset,
    valid: Option<&'d Interactions>,
    seed: u64,
) -> Result<(Cow<'d, Dataset>, Cow<'d, Interactions>)> {
    Ok(match valid {
        Some(valid) => (Cow::Borrowed(train), Cow::Borrowed(valid)),
        None => {
            let Halves { train, valid } = train.split(&Split::random(HELD_OUT, seed))?;
            (Cow::Owned(train), Cow::Owned(valid.interactions))
        }
    })
}

/// How something did.
#[derive(Clone, Copy, Debug)]
struct Trial {
    implicit: Implicit,
    factors: usize,
    epochs: usize,
    rmse: f64,
}

impl Trial {
    fn what(&self) -> String {
        let features = match self.implicit {
            Implicit::None => "",
            Implicit::Users => " and what users rated",
            Implicit::Items => " and who rated the items",
            Implicit::Both => " and who rated what",
        };
        match self.factors {
            1 => format!("with 1 factor{features}"),
            n => format!("with {n} factors{features}"),
        }
    }
}

/// Whether a posterior of so many rows and ratings is found in seconds and in memory.
fn fits(config: &Config, train: &Dataset) -> bool {
    let (n, d) = (train.n_ratings(), config.factors() + 1);
    let rows = train.n_users() + train.n_items();
    let work = n
        .saturating_mul(d * d)
        .saturating_add(rows.saturating_mul(2 * d * d * d));
    let bytes = rows.saturating_mul(bytes_of_a_row(config.factors()));
    train.stored.is_none() && work <= MOST_WORK && bytes <= MOST_BYTES
}

/// The RMSE of μ + b_u + b_i.
fn of_biases(train: &Dataset, judged: &Interactions) -> f64 {
    let baseline = Baseline::fit(&train.interactions, train.n_users(), train.n_items());
    let (lo, hi) = train.interactions.scale().unwrap_or((0.0, 0.0));
    let known = |row: u32, n: usize| ((row as usize) < n).then_some(row);
    let pairs = (0..judged.len()).map(|n| {
        let user = known(judged.users[n], train.n_users());
        let item = known(judged.items[n], train.n_items());
        let value = baseline
            .predict(user, item)
            .clamp(f64::from(lo), f64::from(hi));
        (value, f64::from(judged.ratings[n]))
    });
    pairs.collect::<RatingErrors>().rmse()
}

/// The standard deviation of the ratings.
fn deviation(train: &Dataset) -> Result<f64> {
    let mean = train.survey()?.mean;
    let mut squares = 0.0;
    train.for_each_piece(|piece| squares += piece.squares_around(mean))?;
    Ok((squares / train.n_ratings() as f64).sqrt())
}
