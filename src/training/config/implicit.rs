//! Who is also described by whom they were rated with?
//!
//! Which items a user rated says something even before the stars do (Koren, 2008: SVD++), and so does who rated an item ("flip"): a row is moved by a row for each of the others.

/// Which sides get a feature group that is made of the training ratings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Implicit {
    /// Neither.
    #[default]
    None,
    /// Users, by the items that they rated: the group `user.rated`.
    Users,
    /// Items, by the users who rated them: the group `item.raters`.
    Items,
    /// Both.
    Both,
}

impl Implicit {
    /// Whether users get one.
    pub fn of_users(self) -> bool {
        matches!(self, Implicit::Users | Implicit::Both)
    }

    /// Whether items get one.
    pub fn of_items(self) -> bool {
        matches!(self, Implicit::Items | Implicit::Both)
    }
}
