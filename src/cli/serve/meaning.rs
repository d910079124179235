//! What does a score mean?
//!
//! One line beside the results, because a rank that is taken for a rating misleads.

use crate::Model;
use crate::model::{Link, Meaning};

/// `score: predicted rating, 1 to 5` and its like; `name` is the column.
pub(super) fn line(name: &str, model: &Model) -> String {
    let scale = match (model.clip(), model.link()) {
        (Some(clip), _) => format!(", {} to {}", clip.lo, clip.hi),
        (None, Link::Sigmoid { lo, hi }) => format!(", {lo} to {hi}"),
        _ => String::new(),
    };
    match model.meaning() {
        Meaning::Rating => format!("{name}: predicted rating{scale}"),
        Meaning::Probability => format!("{name}: probability"),
        _ => format!("{name}: rank only: compare scores of one user, nothing else"),
    }
}
