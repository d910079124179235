//! Which n items come first?
//!
//! ```text
//! score(u, i) = ((μ + b_u) + b_i) + ⟨P_u, Q_i⟩        of every candidate, through the lane dot
//! ```
//!
//! Cost: n_candidates · n_factors, and no allocation per candidate.

use super::filter::{Candidates, Whose};
use super::order::Order;
use super::query::Query;
use crate::kernels::top_k::TopK;
use crate::kernels::{Job, Kernel, Lanes};
use crate::model::Scorer;
use crate::{Error, Model, Result};

/// One line of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommendation {
    /// 1 for the first.
    pub rank: usize,
    /// The item's id.
    pub item: String,
    /// Its title, if it has one.
    pub title: Option<String>,
    /// Its values in the column that [`Catalog::genres`](crate::data::Catalog::genres) names.
    pub genres: Vec<String>,
    /// The predicted rating, after link and clipping: what [`Model::predict`] gives for the pair.
    pub score: f32,
}

/// An entry of a list, by its row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// The row of the item.
    pub item: u32,
    /// The predicted rating, after link and clipping.
    pub score: f32,
}

/// A query whose filters are resolved, to be asked for many users.
#[derive(Clone, Debug)]
pub struct Recommender<'m> {
    pub(super) model: &'m Model,
    pub(super) candidates: Candidates,
    pub(super) n: usize,
    pub(super) include_seen: bool,
    pub(super) order: Order<'m>,
    pub(super) kernel: Kernel,
}

impl<'m> Recommender<'m> {
    /// The same filters and order for lists of another length, with or without what users have rated.
    ///
    /// # Errors
    /// [`Error::Config`] for n = 0.
    pub fn for_lists_of(&self, n: usize, include_seen: bool) -> Result<Recommender<'m>> {
        if n == 0 {
            return Err(Error::config("n", n, "1 or more"));
        }
        Ok(Recommender {
            n,
            include_seen,
            ..self.clone()
        })
    }
}

impl Model {
    /// The list for the user of `query`. Empty where the filters leave nothing, or the user has rated everything.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a user, a column or a value that the model has not, or a list of allowed items of which it has none, with near names;
    /// [`Error::Config`] for a query without a user or with n = 0.
    pub fn recommend(&self, query: &Query) -> Result<Vec<Recommendation>> {
        let Some(user_id) = &query.user_id else {
            return Err(Error::config("user", "none", "a user id"));
        };
        let recommender = self.recommender(query)?;
        Ok(recommender.top_n(self.known_user(user_id)?))
    }

    /// The filters of `query`, resolved once for any number of users; its own user is not looked at.
    ///
    /// # Errors
    /// As [`recommend`](Model::recommend), but for the user.
    pub fn recommender(&self, query: &Query) -> Result<Recommender<'_>> {
        if query.n == 0 {
            return Err(Error::config("n", query.n, "1 or more"));
        }
        Ok(Recommender {
            model: self,
            candidates: Candidates::new(self, Whose::Items, &query.filters)?,
            n: query.n,
            include_seen: query.include_seen,
            order: Order::new(self, query)?,
            kernel: Kernel::detect(),
        })
    }

    /// The row of a user that must be there.
    ///
    /// # Errors
    /// [`Error::Unknown`] with a near id, or the remark that an item is called so.
    pub fn known_user(&self, user_id: &str) -> Result<u32> {
        let row = self.users().ids().index(user_id);
        row.ok_or_else(|| Whose::Users.unknown(self, user_id))
    }
}

impl Recommender<'_> {
    /// The list for the user of row `user`.
    ///
    /// # Panics
    /// Where the model has no such row.
    pub fn top_n(&self, user: u32) -> Vec<Recommendation> {
        let scorer = Scorer::new(self.model, Some(user));
        self.lines(self.list(&scorer, self.left_out(user), self.depth()))
    }

    /// A list with its names.
    pub(super) fn lines(&self, list: Vec<Ranked>) -> Vec<Recommendation> {
        let ranked = list.into_iter().zip(1..);
        ranked
            .map(|(ranked, rank)| self.line(ranked, rank))
            .collect()
    }

    /// How many of the best candidates are looked at first.
    pub(super) fn depth(&self) -> usize {
        self.order.depth(self.n)
    }

    /// The list of a scorer's user, without the items `left_out`, which rise; from the best `depth` candidates, or from more where the limits leave too few.
    pub(super) fn list(&self, scorer: &Scorer<'_>, left_out: &[u32], depth: usize) -> Vec<Ranked> {
        let mut depth = depth;
        loop {
            let best = self.kernel.run(Select {
                scorer,
                order: &self.order,
                candidates: &self.candidates.items,
                seen: left_out,
                n: depth,
            });
            if let Some(list) = self.finish(best, depth, scorer) {
                return list;
            }
            depth = depth.saturating_mul(4);
        }
    }

    /// The list from the best `depth` candidates by key; `None` where it is short and more candidates might follow.
    pub(super) fn finish(
        &self,
        best: Vec<(f32, u32)>,
        depth: usize,
        scorer: &Scorer<'_>,
    ) -> Option<Vec<Ranked>> {
        let all = best.len() < depth;
        let list = self.order.pick(best, self.n);
        if list.len() < self.n && !all {
            return None;
        }
        let ranked = |(key, item)| Ranked {
            item,
            score: self.model.prediction_of(match self.order.offsets {
                Some(_) => scorer.score(item),
                None => key,
            }),
        };
        Some(list.into_iter().map(ranked).collect())
    }

    /// The items that are left out because `user` has rated them, rising.
    pub(super) fn left_out(&self, user: u32) -> &[u32] {
        match self.include_seen {
            true => &[],
            false => self.model.seen(user),
        }
    }

    /// The length that no list exceeds.
    pub fn longest(&self) -> usize {
        self.n.min(self.candidates.items.len())
    }

    /// How many ids of the list of allowed items the model has not.
    pub fn n_unknown_allowed(&self) -> usize {
        self.candidates.n_unknown_allowed
    }

    /// How many ids of the deny list the model has not.
    pub fn n_unknown_denied(&self) -> usize {
        self.candidates.n_unknown_denied
    }

    /// An entry of a list with its names; `rank` is 1 for the first.
    pub fn line(&self, ranked: Ranked, rank: usize) -> Recommendation {
        let items = self.model.items();
        let genres = items.catalog().genres();
        let Ranked { item, score } = ranked;
        Recommendation {
            rank,
            item: items.ids().name(item).into(),
            title: items.catalog().title(item).map(Into::into),
            genres: genres.map_or_else(Vec::new, |g| g.of(item).map(Into::into).collect()),
            score,
        }
    }
}

/// The selection among the candidates that are not seen; both lists rise.
struct Select<'a> {
    scorer: &'a Scorer<'a>,
    order: &'a Order<'a>,
    candidates: &'a [u32],
    seen: &'a [u32],
    n: usize,
}

impl Job for Select<'_> {
    type Output = Vec<(f32, u32)>;

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) -> Vec<(f32, u32)> {
        let mut top = TopK::new(self.n);
        let mut seen = self.seen.iter().copied().peekable();
        for &item in self.candidates {
            while seen.next_if(|&s| s < item).is_some() {}
            if seen.peek() != Some(&item) {
                top.push(self.order.key(self.scorer.score(item), item), item);
            }
        }
        top.into_sorted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::top_k::naive;
    use crate::model::{Clip, Link, example};

    fn ids(list: &[Recommendation]) -> Vec<&str> {
        list.iter().map(|line| line.item.as_str()).collect()
    }

    /// What the list must be, in the fewest words.
    fn oracle(model: &Model, user: u32, n: usize) -> Vec<u32> {
        let scorer = Scorer::new(model, Some(user));
        let unseen: Vec<(f32, u32)> = (0..model.items().ids().len() as u32)
            .filter(|item| !model.seen(user).contains(item))
            .map(|item| (scorer.score(item), item))
            .collect();
        naive(&unseen, n)
            .into_iter()
            .map(|(_, item)| item)
            .collect()
    }

    #[test]
    fn lists_are_those_of_the_example() {
        let model = example::model();
        let list = model.recommend(&Query::user("ann").unseen()).unwrap();
        // m2 and m3 are equal for ann, so the index decides.
        assert_eq!(ids(&list), ["m2", "m3", "m4"]);
        assert_eq!(
            list[1],
            Recommendation {
                rank: 2,
                item: "m3".into(),
                title: Some("Alien".into()),
                genres: vec!["Horror".into(), "Sci-Fi".into()],
                score: 3.75,
            }
        );
        let list = model.recommend(&Query::user("bob").include_seen()).unwrap();
        assert_eq!(ids(&list), ["m2", "m3", "m1", "m4"]);
    }

    #[test]
    fn every_list_is_the_oracles() {
        let model = example::model();
        for user in 0..4 {
            for n in [1, 2, 3, 10] {
                let query = Query::user(model.users().ids().name(user)).n(n);
                let list = model.recommend(&query).unwrap();
                let wanted = oracle(&model, user, n);
                let wanted: Vec<&str> = wanted
                    .iter()
                    .map(|&item| model.items().ids().name(item))
                    .collect();
                assert_eq!(ids(&list), wanted);
            }
        }
    }

    #[test]
    fn a_list_shows_what_predict_gives() {
        // Scores and predictions must differ, or showing the wrong one would go unnoticed.
        let mut model = example::model();
        model.link = Link::Sigmoid { lo: 1.0, hi: 5.0 };
        for user in ["ann", "bob", "eve", "zoe"] {
            for line in model.recommend(&Query::user(user).include_seen()).unwrap() {
                let prediction = model.predict(user, &line.item).unwrap();
                assert_eq!(line.score.to_bits(), prediction.value.to_bits());
            }
        }
    }

    #[test]
    fn clipping_makes_equal_what_the_order_keeps_apart() {
        let mut model = example::model();
        model.clip = Some(Clip { lo: 1.0, hi: 4.0 });
        // zoe's scores are 4½, 4¾, 4, 1¼: by predictions alone m1 would come before m2.
        let list = model.recommend(&Query::user("zoe").include_seen()).unwrap();
        assert_eq!(ids(&list), ["m2", "m1", "m3", "m4"]);
        let scores: Vec<f32> = list.iter().map(|line| line.score).collect();
        assert_eq!(scores, [4.0, 4.0, 4.0, 1.25]);
    }

    #[test]
    fn filters_come_before_the_selection() {
        let model = example::model();
        let ask = |query: Query| {
            let list = model.recommend(&query).unwrap();
            ids(&list).join(" ")
        };
        let ann = || Query::user("ann");
        assert_eq!(ask(ann().n(1).having("genres", "Horror")), "m3");
        assert_eq!(
            ask(ann().having("GENRE", "horror").having("year", "1960")),
            "m4"
        );
        assert_eq!(
            ask(ann().condition("genres!=Horror".parse().unwrap())),
            "m2"
        );
        let either = "genre=Action | year in 1960..1979";
        assert_eq!(ask(ann().condition(either.parse().unwrap())), "m3 m4");
        assert_eq!(ask(ann().n(2).allow(["m4", "m3", "m1"])), "m3 m4");
        assert_eq!(ask(ann().allow(["m4", "m3"]).deny(["m3", "gone"])), "m4");
        assert_eq!(ask(ann().allow([""; 0])), "");
        let query = Query::default().allow(["gone", "m3", "lost"]);
        let recommender = model.recommender(&query).unwrap();
        assert_eq!(
            (recommender.n_unknown_allowed(), recommender.longest()),
            (2, 1)
        );
        let query = Query::default().deny(["m3", "gone"]);
        assert_eq!(model.recommender(&query).unwrap().n_unknown_denied(), 1);
    }

    #[test]
    fn an_unknown_user_is_not_a_user_who_has_seen_everything() {
        let model = example::model();
        assert_eq!(model.recommend(&Query::user("zoe")).unwrap(), []);
        let message = |query| model.recommend(&query).unwrap_err().to_string();
        assert_eq!(
            message(Query::user("anm")),
            r#"no user "anm"; did you mean "ann"?"#
        );
        assert_eq!(
            message(Query::user("m1")),
            r#"no user "m1"; there is an item with this id"#
        );
        assert_eq!(
            message(Query::user("quite another")),
            r#"no user "quite another"; the model has 4 users, such as "ann", "bob", "eve""#
        );
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is_near() {
        let model = example::model();
        let message = |query| model.recommend(&query).unwrap_err().to_string();
        let ann = || Query::user("ann");
        assert_eq!(
            message(ann().having("director", "Lang")),
            r#"no column "director"; the columns of the items are "genres", "year""#
        );
        assert_eq!(
            message(ann().having("genre", "Horor")),
            r#"no value "Horor"; did you mean "Horror"?"#
        );
        assert_eq!(
            message(ann().having("genre", "Western")),
            r#"no value "Western"; the values of genres are "Action", "Sci-Fi", "Horror""#
        );
        assert_eq!(
            message(ann().allow(["bob", "gone"])),
            r#"no item "bob"; there is a user with this id"#
        );
        assert!(matches!(
            model.recommend(&ann().n(0)),
            Err(Error::Config { .. })
        ));
        assert!(matches!(
            model.recommend(&Query::default()),
            Err(Error::Config { .. })
        ));
    }
}
