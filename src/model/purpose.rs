//! What was the model trained for, and what does its score mean?
//!
//! ```text
//! rating         a prediction in the units of the ratings
//! probability    σ(score): how likely the user takes the item
//! rank           an order: the greater the better for the same user, nothing more
//! ```
//!
//! A cosine model scores by the angle alone: its composed rows are normalised once, when training is over, and it has no μ and no biases, so that
//! ⟨P_u, Q_i⟩ of what is stored is the cosine.

use crate::kernels::lanes;

/// What a score means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Meaning {
    /// A prediction in the units of the ratings.
    #[default]
    Rating,
    /// A probability, between 0 and 1.
    Probability,
    /// An order among the items of one user.
    Rank,
}

/// How two composed rows make a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Similarity {
    /// ⟨P, Q⟩.
    #[default]
    Dot,
    /// ⟨P, Q⟩ / (‖P‖·‖Q‖).
    Cosine,
}

/// What a model was trained for, as far as its use depends on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Purpose {
    /// What a score means.
    pub meaning: Meaning,
    /// How two rows make a score.
    pub similarity: Similarity,
    /// The loss by its name on the command line, with its parameters: `squared`, `softmax:0.1`, `all-cells:0.01`.
    pub loss: String,
    /// λ of the users' identity rows.
    pub l2: f64,
    /// λ of the users' biases.
    pub bias_l2: f64,
    /// Whether λ counts once a rating of the row, instead of once a row.
    pub l2_per_rating: bool,
}

impl Meaning {
    /// `rating`, `probability` or `rank`.
    pub fn name(self) -> &'static str {
        match self {
            Meaning::Rating => "rating",
            Meaning::Probability => "probability",
            Meaning::Rank => "rank",
        }
    }
}

/// Divides a padded row by its length ‖row‖, which is a lane dot in `f64`: no row of `f32` is too short or too long for it. A row of zeros stays zeros.
pub(crate) fn normalise(row: &mut [f32]) {
    let wide: Vec<f64> = row.iter().map(|&x| x.into()).collect();
    let length = lanes::dot(&wide, &wide).sqrt();
    if length > 0.0 {
        for (to, x) in row.iter_mut().zip(wide) {
            *to = (x / length) as f32;
        }
    }
}
