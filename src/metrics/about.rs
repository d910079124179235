//! What does the number of a metric mean?
//!
//! [`ABOUT`] is what `--explain` prints: question, formula, range, edges and ties of every [`Kind`].

use super::Kind;

/// What one metric means.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Which.
    pub kind: Kind,
    /// Its name, without a cut-off.
    pub name: &'static str,
    /// Whether it has a cut-off.
    pub has_cutoff: bool,
    /// What it asks.
    pub question: &'static str,
    /// How it is computed.
    pub formula: &'static [&'static str],
    /// Which numbers are possible, and which are good.
    pub range: &'static str,
    /// What happens at the edges.
    pub edges: &'static [&'static str],
    /// What happens between equals.
    pub ties: &'static str,
}

const NO_TIES: &str = "nothing is ordered";
const BY_INDEX: &str =
    "equal scores are ordered by item index: the order of first appearance in the training file";
const NO_RELEVANT: &str =
    "a user without a relevant test item is left out of the mean, and counted";
const SHORT: &str = "places beyond the end of a short list are misses; a relevant item that training never saw is missed";
const NO_ENTRY: &str = "without any entry in any list: no number";

/// All metrics, in the order of their chapters.
pub const ABOUT: [About; 15] = [
    About {
        kind: Kind::Rmse,
        name: "rmse",
        has_cutoff: false,
        question: "How far is a predicted rating from the rating, large errors counting more?",
        formula: &["RMSE = √( (1/n) Σ (prediction − rating)² )          over all n test rows"],
        range: "0 (right) … ∞, in stars",
        edges: &["every test row counts, cold ones too; without a row: an error"],
        ties: NO_TIES,
    },
    About {
        kind: Kind::Mae,
        name: "mae",
        has_cutoff: false,
        question: "How far is a predicted rating from the rating?",
        formula: &["MAE = (1/n) Σ |prediction − rating|          over all n test rows"],
        range: "0 (right) … ∞, in stars; never above RMSE",
        edges: &["every test row counts, cold ones too; without a row: an error"],
        ties: NO_TIES,
    },
    About {
        kind: Kind::Precision,
        name: "precision",
        has_cutoff: true,
        question: "Which share of the first n places is relevant?",
        formula: &[
            "precision@n = |relevant items in the first n places| / n          mean over users",
        ],
        range: "0 … 1; a user with fewer than n relevant items cannot reach 1",
        edges: &[NO_RELEVANT, SHORT],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Recall,
        name: "recall",
        has_cutoff: true,
        question: "Which share of the relevant items is in the first n places?",
        formula: &[
            "recall@n = |relevant items in the first n places| / |relevant items|          mean over users",
        ],
        range: "0 … 1; a user with more than n relevant items cannot reach 1",
        edges: &[
            "divided by all relevant items, not by min(n, |relevant|): what papers on Gowalla, Yelp and Amazon books report",
            NO_RELEVANT,
            SHORT,
        ],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Ndcg,
        name: "ndcg",
        has_cutoff: true,
        question: "How near to the front are the relevant items?",
        formula: &[
            "DCG@n  = Σ 1/log₂(rank + 1)          over the relevant items in the first n places",
            "NDCG@n = DCG@n / the DCG@n of a list with min(n, |relevant|) relevant items in front          mean over users",
        ],
        range: "0 … 1 (all relevant items in front)",
        edges: &[
            "gains are binary: relevant or not",
            "the best list has min(n, |relevant|) relevant items in front: what papers on Gowalla, Yelp and Amazon books report",
            NO_RELEVANT,
            SHORT,
        ],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Map,
        name: "map",
        has_cutoff: true,
        question: "How pure is the list down to each relevant item?",
        formula: &[
            "AP@n  = (1 / min(n, |relevant|)) Σ precision@rank          over the ranks ≤ n of relevant items",
            "MAP@n = mean of AP@n over users",
        ],
        range: "0 … 1 (all relevant items in front)",
        edges: &[NO_RELEVANT, SHORT],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Mrr,
        name: "mrr",
        has_cutoff: true,
        question: "How far down is the first relevant item?",
        formula: &[
            "MRR@n = mean over users of 1 / rank of the first relevant item, 0 where it is beyond n",
        ],
        range: "0 (none in the first n) … 1 (always in front)",
        edges: &[NO_RELEVANT, SHORT],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Hit,
        name: "hit",
        has_cutoff: true,
        question: "How many users have anything relevant in the first n places?",
        formula: &["hit@n = |users with a relevant item in the first n places| / |users|"],
        range: "0 … 1",
        edges: &[NO_RELEVANT, SHORT],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Auc,
        name: "auc",
        has_cutoff: false,
        question: "How often does a relevant item stand before one that is not?",
        formula: &[
            "AUC = |pairs (relevant, other) in the right order| / |pairs|, over all unseen items          mean over users",
        ],
        range: "0 … 1; ½ by chance. The whole ranking counts, most of which nobody sees",
        edges: &[
            "a user without such a pair is left out of the mean, and counted",
            "a relevant item that training never saw has no score: left out",
        ],
        ties: "equal scores count as half a pair",
    },
    About {
        kind: Kind::LogLoss,
        name: "log_loss",
        has_cutoff: false,
        question: "How far is a predicted probability from what happened?",
        formula: &[
            "log loss = −(1/n) Σ ln p of a yes, ln(1 − p) of a no          over all n test rows",
        ],
        range: "0 (right) … ∞; ln 2 = 0.693 by always saying ½",
        edges: &[
            "for models of probabilities, and a test file with both labels: 1 and 0, or ratings and --relevant",
            "p is kept within 10⁻⁷ of 0 and 1; every row counts, cold ones too",
        ],
        ties: NO_TIES,
    },
    About {
        kind: Kind::LabelAuc,
        name: "label_auc",
        has_cutoff: false,
        question: "How often has a test row that is a yes a higher probability than one that is a no?",
        formula: &["|pairs (yes, no) of test rows in the right order| / |pairs|"],
        range: "0 … 1; ½ by chance. Over all users at once; auc is over all items of each",
        edges: &[
            "for models of probabilities, and a test file with both labels: 1 and 0, or ratings and --relevant",
        ],
        ties: "equal probabilities count as half a pair",
    },
    About {
        kind: Kind::Coverage,
        name: "coverage",
        has_cutoff: true,
        question: "How much of the catalogue is ever shown?",
        formula: &["coverage@n = |items in any list of n| / |items of the model|"],
        range: "0 … 1",
        edges: &["the lists of all users of the test set count"],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Novelty,
        name: "novelty",
        has_cutoff: true,
        question: "How little known are the items that are shown?",
        formula: &[
            "novelty@n = mean over all list entries of −log₂(training ratings of the item / all training ratings)",
        ],
        range: "bits, 0 … log₂(training ratings); one bit more is half as popular",
        edges: &[
            "an item without a training rating counts as if it had one",
            NO_ENTRY,
        ],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Gini,
        name: "gini",
        has_cutoff: true,
        question: "How unevenly are items shown?",
        formula: &[
            "gini@n = Σ_i Σ_j |E_i − E_j| / (2·items·Σ E)          E_i = lists of n that show item i",
        ],
        range: "0 (all alike) … 1 − 1/items (one item has every place)",
        edges: &["items that are never shown count", NO_ENTRY],
        ties: BY_INDEX,
    },
    About {
        kind: Kind::Overlap,
        name: "overlap",
        has_cutoff: true,
        question: "How much of a list would the most rated items have given?",
        formula: &[
            "overlap@n = mean over users of |list ∩ popularity list| / |list|          both without what the user rated in training",
        ],
        range: "0 … 1 (nothing but the most popular items)",
        edges: &["a user with an empty list is left out", NO_ENTRY],
        ties: BY_INDEX,
    },
];
