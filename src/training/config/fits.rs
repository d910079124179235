//! Which knobs go together with which loss?
//!
//! Each loss comes with what its score means and how it is trained; what contradicts that is refused with what to do instead.

use super::check::demand;
use super::{Batch, Config, Method, Sampling};
use crate::Result;
use crate::loss::{LossKind, LossShape};
use crate::model::{Link, Meaning, Similarity};

/// More layers than this make all rows alike.
const MOST_LAYERS: usize = 16;

impl Config {
    /// Whether training goes through ratings or labels as they stand in the file, so that they can be cut into blocks.
    pub(crate) fn goes_by_ratings(&self) -> bool {
        self.loss.meaning() == Meaning::Rating && self.layers == 0
    }

    /// Whether it trains for an order of items, or a probability, instead of ratings: what is held out is judged by lists.
    pub fn ranks(&self) -> bool {
        self.loss.meaning() != Meaning::Rating
    }
}

/// Refuses what does not go with the loss.
pub(super) fn check(c: &Config) -> Result<()> {
    let loss = c.loss.name();
    let with = |wanted: &str| format!("{wanted} with the loss {loss}");
    let point = matches!(c.method, Method::Point | Method::Auto);
    demand(
        "loss",
        loss,
        c.method != Method::Als || c.loss.shape() == LossShape::Everything,
        "all-cells with --als",
    )?;
    let point = point || c.method == Method::Als;
    demand(
        "loss",
        loss,
        point || c.loss == LossKind::Squared,
        "squared with --bayes, --average or --ensemble",
    )?;
    let cosine = c.score_of() == Similarity::Cosine;
    demand(
        "similarity",
        "dot",
        cosine || !c.loss.needs_cosine(),
        &with("cosine"),
    )?;
    let angular =
        c.loss.needs_cosine() || matches!(c.loss, LossKind::Softmax { .. } | LossKind::Bpr);
    demand("similarity", "cosine", !cosine || angular, &with("dot"))?;
    demand(
        "mean and biases",
        "yes",
        !cosine || !(c.global_mean || c.biases || c.group_biases),
        "--no-mean --no-biases: the score of a cosine model is the angle alone",
    )?;
    let everything = c.loss.shape() == LossShape::Everything;
    demand("layers", c.layers, !everything || c.layers == 0, &with("0"))?;
    demand(
        "biases",
        "yes",
        !everything || !(c.biases || c.group_biases),
        &with("--no-biases"),
    )?;
    demand(
        "batch",
        "a number",
        !everything || matches!(c.batch, Batch::Auto | Batch::Full),
        &with("auto or full"),
    )?;
    if c.ranks() {
        demand("mean", "yes", !c.global_mean, &with("--no-mean"))?;
        demand(
            "link",
            "sigmoid",
            c.link == Link::Identity,
            &with("identity"),
        )?;
        demand(
            "batch",
            "block",
            c.batch != Batch::Blocks,
            &with("auto, full or a number"),
        )?;
    }
    demand(
        "layers",
        c.layers,
        c.layers == 0 || (point && c.batch != Batch::Blocks),
        "0 with training by blocks and with a posterior",
    )?;
    demand("layers", c.layers, c.layers <= MOST_LAYERS, "at most 16")?;
    demand(
        "biases",
        "yes",
        c.layers == 0 || !(c.biases || c.group_biases),
        "--no-biases with --layers: it is rows that spread",
    )?;
    let listwise = c.loss.shape() == LossShape::Listwise;
    demand(
        "negative-sampling",
        c.sampling,
        c.sampling != Sampling::InBatch || c.loss.takes_negatives(),
        &with("uniform or popularity"),
    )?;
    let count = c.n_negatives();
    demand(
        "negatives",
        count,
        listwise || count != super::Count::All,
        &with("a number"),
    )?;
    demand(
        "negatives",
        count,
        c.loss.shape() != LossShape::Pairwise || count == super::Count::Some(1),
        &with("1: each positive is compared with one other item at a time"),
    )?;
    if let Some(threshold) = c.threshold {
        demand("threshold", threshold, threshold.is_finite(), "a number")?;
    }
    Ok(())
}
