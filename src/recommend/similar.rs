//! Which items, or users, are like this one?
//!
//! ```text
//! cosine    ⟨P_a, P_b⟩ / (‖P_a‖·‖P_b‖)         the angle alone
//! dot       ⟨P_a, P_b⟩                          long rows, those with much to say, come first
//! ```
//!
//! of composed rows, without biases; order: (score descending, index rising). A row of zeros, of which nothing is known, is like nothing. In a cosine model rows have length 1 already, and both are the same.
//! In a model of samples, blocks of a row stand side by side, and the sums run over all of them.

use super::filter::expression::Condition;
use super::filter::{Candidates, Filters, Whose};
use crate::kernels::lanes;
use crate::kernels::top_k::TopK;
use crate::model::purpose::normalise;
use crate::model::{ModelSide, Similarity};
use crate::{Error, Model, Result};

/// A question for [`Model::similar`]: which 10 are most like it, by the cosine, unless told otherwise.
///
/// ```
/// use lowrank::Similar;
/// let question = Similar::item("50").n(5).having("genre", "Horror");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Similar {
    whose: Whose,
    id: String,
    n: usize,
    by: Similarity,
    filters: Filters,
}

/// One line of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// 1 for the first.
    pub rank: usize,
    /// The id of the item, or the user.
    pub id: String,
    /// Its title, if it has one.
    pub title: Option<String>,
    /// Its values in the column that [`Catalog::genres`](crate::data::Catalog::genres) names.
    pub genres: Vec<String>,
    /// How like it is.
    pub score: f32,
}

impl Similar {
    /// Which items are like this one?
    pub fn item(id: impl Into<String>) -> Similar {
        Similar::new(Whose::Items, id.into())
    }

    /// Which users are like this one?
    pub fn user(id: impl Into<String>) -> Similar {
        Similar::new(Whose::Users, id.into())
    }

    fn new(whose: Whose, id: String) -> Similar {
        Similar {
            whose,
            id,
            n: 10,
            by: Similarity::Cosine,
            filters: Filters::default(),
        }
    }

    /// At most `n` of them.
    pub fn n(self, n: usize) -> Similar {
        Similar { n, ..self }
    }

    /// By the cosine, or by the dot product.
    pub fn by(self, by: Similarity) -> Similar {
        Similar { by, ..self }
    }

    /// Only those with `value` in `column`.
    pub fn having(self, column: impl Into<String>, value: impl Into<String>) -> Similar {
        self.condition(Condition::having(column, value))
    }

    /// Only those for which `condition` holds.
    pub fn condition(mut self, condition: Condition) -> Similar {
        self.filters.conditions.push(condition);
        self
    }

    /// Only these.
    pub fn allow<S: Into<String>>(mut self, ids: impl IntoIterator<Item = S>) -> Similar {
        let list = self.filters.allow.get_or_insert_default();
        list.extend(ids.into_iter().map(Into::into));
        self
    }

    /// None of these.
    pub fn deny<S: Into<String>>(mut self, ids: impl IntoIterator<Item = S>) -> Similar {
        self.filters.deny.extend(ids.into_iter().map(Into::into));
        self
    }
}

impl Model {
    /// The nearest neighbours of an item or a user, itself left out. Empty where nothing is known of it. Cost: n_rows · n_factors.
    ///
    /// # Errors
    /// [`Error::Unknown`] for an id, a column or a value that the model has not; [`Error::Config`] for n = 0.
    pub fn similar(&self, question: &Similar) -> Result<Vec<Neighbour>> {
        if question.n == 0 {
            return Err(Error::config("n", question.n, "1 or more"));
        }
        let side = question.whose.side(self);
        let Some(row) = side.ids().index(&question.id) else {
            return Err(question.whose.unknown(self, &question.id));
        };
        let candidates = Candidates::new(self, question.whose, &question.filters)?;
        let normalised = self.similarity() == Similarity::Cosine;
        let angle = question.by == Similarity::Cosine && !normalised;
        let nearest = nearest(side, row, &candidates.items, question.n, angle);
        let lines = nearest.into_iter().zip(1..);
        Ok(lines.map(|(near, rank)| line(side, near, rank)).collect())
    }

    /// The `n` items that are most like this one, by the cosine.
    ///
    /// # Errors
    /// As [`similar`](Model::similar).
    pub fn similar_items(&self, item_id: &str, n: usize) -> Result<Vec<Neighbour>> {
        self.similar(&Similar::item(item_id).n(n))
    }

    /// The `n` users who are most like this one, by the cosine.
    ///
    /// # Errors
    /// As [`similar`](Model::similar).
    pub fn similar_users(&self, user_id: &str, n: usize) -> Result<Vec<Neighbour>> {
        self.similar(&Similar::user(user_id).n(n))
    }
}

/// The best of `candidates` beside `row`.
fn nearest(
    side: &ModelSide,
    row: u32,
    candidates: &[u32],
    n: usize,
    angle: bool,
) -> Vec<(f32, u32)> {
    let rows = side.composed();
    let of_zeros = |row: &[f32]| row.iter().all(|&x| x == 0.0);
    let mut own = rows.padded_row(row as usize).to_vec();
    if angle {
        normalise(&mut own);
    }
    let mut top = TopK::new(n);
    let mut other = own.clone();
    for &candidate in candidates {
        other.copy_from_slice(rows.padded_row(candidate as usize));
        if candidate == row || of_zeros(&own) || of_zeros(&other) {
            continue;
        }
        if angle {
            normalise(&mut other);
        }
        top.push(lanes::dot(&own, &other), candidate);
    }
    top.into_sorted()
}

fn line(side: &ModelSide, (score, row): (f32, u32), rank: usize) -> Neighbour {
    let genres = side.catalog().genres();
    Neighbour {
        rank,
        id: side.ids().name(row).into(),
        title: side.catalog().title(row).map(Into::into),
        genres: genres.map_or_else(Vec::new, |g| g.of(row).map(Into::into).collect()),
        score,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example;

    fn ids(list: &[Neighbour]) -> String {
        let ids: Vec<&str> = list.iter().map(|line| line.id.as_str()).collect();
        ids.join(" ")
    }

    /// Q: m1 (1¼, ¼), m2 (0, 1½), m3 (¼, ¾), m4 (−½, −1).
    #[test]
    fn neighbours_are_those_on_paper() {
        let model = example::model();
        let list = model.similar_items("m2", 10).unwrap();
        assert_eq!(ids(&list), "m3 m1 m4");
        let wanted = [
            0.75 / 0.625f64.sqrt(),
            0.25 / 1.625f64.sqrt(),
            -1.0 / 1.25f64.sqrt(),
        ];
        for (line, wanted) in list.iter().zip(wanted) {
            assert!((f64::from(line.score) - wanted).abs() < 1e-7, "{line:?}");
        }
        assert_eq!((list[0].rank, list[0].title.as_deref()), (1, Some("Alien")));
        assert_eq!(list[0].genres, ["Horror", "Sci-Fi"]);
        let dot = |question: Similar| model.similar(&question.by(Similarity::Dot)).unwrap();
        let list = dot(Similar::item("m2").n(2));
        let scores: Vec<f32> = list.iter().map(|line| line.score).collect();
        assert_eq!(
            (ids(&list).as_str(), &scores[..]),
            ("m3 m1", &[1.125, 0.375][..])
        );
        // P: ann (1, 0), bob (0, 1), zoe (1, 1); eve has a row of zeros.
        assert_eq!(ids(&model.similar_users("ann", 10).unwrap()), "zoe bob");
        assert_eq!(model.similar_users("eve", 10).unwrap(), []);
    }

    #[test]
    fn filters_come_before_the_selection() {
        let model = example::model();
        let ask = |question: Similar| ids(&model.similar(&question).unwrap());
        assert_eq!(
            ask(Similar::item("m2").n(1).having("genre", "Action")),
            "m1"
        );
        assert_eq!(ask(Similar::item("m2").n(1).deny(["m3"])), "m1");
        assert_eq!(ask(Similar::item("m2").allow(["m4", "m2"])), "m4");
        let message = |question| model.similar(&question).unwrap_err().to_string();
        assert_eq!(
            message(Similar::item("ann")),
            r#"no item "ann"; there is a user with this id"#
        );
        assert!(message(Similar::user("ann").having("age", "3")).contains("of the users"));
        assert!(message(Similar::item("m1").n(0)).contains("1 or more"));
    }

    #[test]
    fn rows_of_length_1_are_not_divided_again() {
        let mut model = example::model();
        let by_dot = |model: &Model, by| model.similar(&Similar::item("m2").by(by)).unwrap();
        let before = by_dot(&model, Similarity::Cosine);
        (model.global_mean, model.items.identity_biases) = (None, None);
        model.items.compose(Similarity::Cosine);
        model.purpose = Some(crate::model::Purpose {
            meaning: crate::model::Meaning::Rank,
            similarity: Similarity::Cosine,
            loss: "cosine".into(),
            l2: 0.0,
            bias_l2: 0.0,
            l2_per_rating: false,
        });
        let after = by_dot(&model, Similarity::Cosine);
        assert_eq!(after, by_dot(&model, Similarity::Dot));
        assert_eq!(after, before, "the same rows, normalised once");
    }
}
