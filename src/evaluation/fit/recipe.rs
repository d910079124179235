//! What suits these ratings?
//!
//! Where nobody has said how to train, a tenth of the ratings is held out and what is promising is tried on the rest; then everything is trained on with what was best. Nothing is
//! tuned by hand: λ and the noise are found with the posterior (chapter 8).
//!
//! | ratings | what is done |
//! |---|---|
//! | up to 2.5 million, rows that fit into a gigabyte | the variational posterior, 15 factors; with and, where it is not clearly needed, without the users who rated an item as its features; the best epoch of 15 |
//! | more | one set of tables by blocks, λ = 12·σ/1.1: in units of the ratings' deviation σ, what suits stars |
//!
//! The first is the better prediction and the slower: a sweep costs N·d² where an epoch costs N·d.

use crate::Result;
use crate::bayes::bytes_of_a_row;
use crate::data::{Dataset, Interactions, Split};
use crate::metrics::RatingErrors;
use crate::model::Baseline;
use crate::training::config::{Implicit, Keep, Method, PerTable};
use crate::training::{Checked, Ending};

/// The share that is held out.
const HELD_OUT: f64 = 0.1;
/// Fewer ratings than this are not worth holding any out.
const FEW: usize = 200;
/// Multiplications of a sweep over one side, at most: some four seconds on two cores for all that is tried.
const MOST_WORK: usize = 640_000_000;
/// Ratings up to which features made of them are tried; they double the work.
const MOST_FOR_IMPLICIT: usize = 1_200_000;
/// Bytes of all rows, at most.
const MOST_BYTES: usize = 1 << 30;
/// Sweeps that are tried.
const EPOCHS: usize = 15;
/// Sweeps without a better one before a trial ends.
const PATIENCE: usize = 4;
/// Where the first trial is so much better than biases alone, its features are not doubted.
const CLEAR: f64 = 0.98;
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
        let n = train.n_ratings();
        let mut config = self.0.clone();
        config.method = Method::Variational;
        let d = config.factors() + 1;
        let rows = train.n_users() + train.n_items();
        let fits = train.stored.is_none() && d <= 32 && n.saturating_mul(d * d) <= MOST_WORK;
        if !fits || rows.saturating_mul(bytes_of_a_row(d - 1)) > MOST_BYTES {
            return self.by_blocks(train);
        }
        let stated = format!("{} factors, λ found with the posterior", d - 1);
        if n < FEW {
            let why = vec![format!("chosen: {stated}; too few ratings to hold any out")];
            return Ok(Recipe {
                checked: config.check()?,
                why,
            });
        }
        let halves = match valid {
            Some(_) => None,
            None => Some(train.split(&Split::random(HELD_OUT, config.seed))?),
        };
        let (fitted, judged) = match (&halves, valid) {
            (Some(halves), _) => (&halves.train, &halves.valid.interactions),
            (None, Some(valid)) => (train, valid),
            (None, None) => unreachable!("one of the two is there"),
        };
        let biases = of_biases(fitted, judged);
        let open = config.implicit == Implicit::None && n <= MOST_FOR_IMPLICIT;
        let with = Implicit::Items;
        let first = self.trial(fitted, judged, if open { with } else { config.implicit })?;
        let mut why = vec![format!(
            "{} held-out ratings: RMSE {biases:.4} by biases alone, {:.4} by the posterior{}",
            judged.len(),
            first.rmse,
            if open {
                " with item features made of who rated them"
            } else {
                ""
            }
        )];
        let mut best = first;
        if open && best.rmse > CLEAR * biases {
            let plain = self.trial(fitted, judged, Implicit::None)?;
            why.push(format!("and {:.4} without those features", plain.rmse));
            if plain.rmse <= best.rmse {
                best = plain;
            }
        }
        config.implicit = best.implicit;
        config.epochs = Some(config.epochs.unwrap_or(best.epochs));
        let features = if config.implicit == Implicit::None {
            "without"
        } else {
            "with"
        };
        let where_to = if valid.is_some() {
            "the held-out ratings stay held out"
        } else {
            "trained on all ratings"
        };
        why.push(format!(
            "chosen: {stated}, {features} features made of the ratings, {} sweeps; {where_to}",
            best.epochs
        ));
        Ok(Recipe {
            checked: config.check()?,
            why,
        })
    }

    /// What many ratings are trained with.
    fn by_blocks(&self, train: &Dataset) -> Result<Recipe> {
        let mut config = self.0.clone();
        config.method = Method::Point;
        let deviation = deviation(train)?;
        if deviation > 0.0 {
            let scale = deviation / STARS;
            config.l2 = PerTable::new(12.0 * scale).with("bias", 4.0);
            config.init_std = PerTable::new(0.1 * scale.sqrt()).with("bias", 0.0);
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
    fn trial(&self, train: &Dataset, judged: &Interactions, implicit: Implicit) -> Result<Trial> {
        let mut config = self.0.clone();
        config.method = Method::Variational;
        config.implicit = implicit;
        config.epochs = Some(config.epochs.unwrap_or(EPOCHS));
        config.patience = Some(PATIENCE);
        config.keep = Keep::Best;
        let mut training = config.check()?.training(train, Some(judged))?;
        let finish = training.run(&mut ());
        if let Ending::Diverged(error) | Ending::Failed(error) = finish.ending {
            return Err(error);
        }
        Ok(Trial {
            implicit,
            epochs: finish.kept,
            rmse: finish.valid.map_or(f64::INFINITY, |errors| errors.rmse()),
        })
    }
}

/// How something did.
struct Trial {
    implicit: Implicit,
    epochs: usize,
    rmse: f64,
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
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    train.for_each_piece(|piece| {
        for &rating in &piece.ratings {
            let r = f64::from(rating);
            (n, sum, squares) = (n + 1.0, sum + r, squares + r * r);
        }
    })?;
    let variance: f64 = squares / n - (sum / n) * (sum / n);
    Ok(variance.max(0.0).sqrt())
}
