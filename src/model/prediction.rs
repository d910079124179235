//! What does a prediction say, and what does it rest on?

/// What a prediction rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Ratings that touch the user and ratings that touch the item (or its features).
    Full,
    /// The user alone: nothing is known of the item.
    UserOnly,
    /// The item alone: nothing is known of the user.
    ItemOnly,
    /// Neither: it is what every unknown pair gets.
    Prior,
}

impl Kind {
    /// From what is known of each side.
    pub fn new(user_known: bool, item_known: bool) -> Kind {
        match (user_known, item_known) {
            (true, true) => Kind::Full,
            (true, false) => Kind::UserOnly,
            (false, true) => Kind::ItemOnly,
            (false, false) => Kind::Prior,
        }
    }

    /// `full`, `user_only`, `item_only` or `prior`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Full => "full",
            Kind::UserOnly => "user_only",
            Kind::ItemOnly => "item_only",
            Kind::Prior => "prior",
        }
    }
}

/// A predicted rating, and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The rating, after the link and clipping.
    pub value: f32,
    /// What it rests on.
    pub kind: Kind,
    /// The standard deviation of a rating around it, before clipping; `None` of a model that has no [`Posterior`](super::Posterior).
    pub std: Option<f32>,
}
