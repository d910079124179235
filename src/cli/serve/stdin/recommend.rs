//! `recommend --stdin`: which items should a user see, question after question?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::asked::{History, Id};
use crate::cli::output::Manner;
use crate::cli::serve::recommend::Line;
use crate::recommend::{Condition, Recommender};
use crate::{Error, Model, Query, Recommendation, Result};

/// What a list should be like, whoever it is for.
#[derive(Clone, Debug, Default)]
pub(in crate::cli::serve) struct Wishes {
    pub(in crate::cli::serve) n: usize,
    pub(in crate::cli::serve) include_seen: bool,
    pub(in crate::cli::serve) conditions: Vec<Condition>,
    pub(in crate::cli::serve) max_per: Vec<(String, usize)>,
    pub(in crate::cli::serve) popularity_penalty: f64,
    pub(in crate::cli::serve) allow: Option<Vec<String>>,
    pub(in crate::cli::serve) deny: Vec<String>,
}

/// A question: for whom, and what takes the place of flags.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    user: Option<Id>,
    history: Option<History>,
    n: Option<usize>,
    unseen: Option<bool>,
    #[serde(rename = "where")]
    conditions: Option<Conditions>,
    max_per: Option<BTreeMap<String, usize>>,
    popularity_penalty: Option<f64>,
    allow: Option<Vec<Id>>,
    deny: Option<Vec<Id>>,
}

/// One condition or several that must all hold.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "wanted a condition, as in \"genres=Horror\", or a list of them"
)]
enum Conditions {
    One(String),
    All(Vec<String>),
}

/// A list.
#[derive(Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// Items of the history that the model has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<usize>,
    #[serde(serialize_with = "lines")]
    items: Vec<Recommendation>,
}

fn lines<S: serde::Serializer>(items: &[Recommendation], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(items.iter().map(Line::from))
}

impl Wishes {
    /// As the library wants them.
    pub(in crate::cli::serve) fn query(&self) -> Query {
        let mut query = Query::default()
            .n(self.n)
            .popularity_penalty(self.popularity_penalty)
            .deny(self.deny.iter().cloned());
        for (column, k) in &self.max_per {
            query = query.max_per(column, *k);
        }
        if self.include_seen {
            query = query.include_seen();
        }
        for condition in &self.conditions {
            query = query.condition(condition.clone());
        }
        match &self.allow {
            Some(allow) => query.allow(allow.iter().cloned()),
            None => query,
        }
    }

    /// Answers lines to the end of standard input; `usual` is made of these wishes.
    pub(in crate::cli::serve) fn lines(
        &self,
        model: &Model,
        usual: &Recommender<'_>,
        manner: Manner,
    ) -> Result<()> {
        super::serve(model, manner, |asked: Asked| {
            let own = match self.changed(&asked)? {
                Some(wishes) => Some(model.recommender(&wishes.query())?),
                // The filters stay as they are.
                None if asked.n.is_some() || asked.unseen.is_some() => {
                    let include_seen = asked.unseen.map_or(self.include_seen, |unseen| !unseen);
                    Some(usual.for_lists_of(asked.n.unwrap_or(self.n), include_seen)?)
                }
                None => None,
            };
            answer(model, own.as_ref().unwrap_or(usual), asked)
        })
    }

    /// With what a question filters or orders otherwise; `None` where it does not.
    fn changed(&self, asked: &Asked) -> Result<Option<Wishes>> {
        let Asked {
            n,
            unseen,
            conditions,
            max_per,
            popularity_penalty,
            allow,
            deny,
            ..
        } = asked;
        let ids = |ids: &Option<Vec<Id>>| {
            let ids = ids.as_ref()?.iter();
            Some(ids.map(|id| id.clone().into_text()).collect::<Vec<_>>())
        };
        let (allow, deny) = (ids(allow), ids(deny));
        let of_filters = conditions.is_some() || allow.is_some() || deny.is_some();
        let of_order = max_per.is_some() || popularity_penalty.is_some();
        if !of_filters && !of_order {
            return Ok(None);
        }
        let conditions = conditions.as_ref().map(Conditions::parse).transpose()?;
        let pairs = |max_per: &BTreeMap<String, usize>| {
            let pairs = max_per.iter();
            pairs.map(|(column, &k)| (column.clone(), k)).collect()
        };
        Ok(Some(Wishes {
            n: n.unwrap_or(self.n),
            include_seen: unseen.map_or(self.include_seen, |unseen| !unseen),
            conditions: conditions.unwrap_or_else(|| self.conditions.clone()),
            max_per: max_per.as_ref().map_or_else(|| self.max_per.clone(), pairs),
            popularity_penalty: popularity_penalty.unwrap_or(self.popularity_penalty),
            allow: allow.or_else(|| self.allow.clone()),
            deny: deny.unwrap_or_else(|| self.deny.clone()),
        }))
    }
}

impl Conditions {
    fn parse(&self) -> Result<Vec<Condition>> {
        let texts = match self {
            Conditions::One(text) => std::slice::from_ref(text),
            Conditions::All(texts) => texts,
        };
        texts.iter().map(|text| text.parse()).collect()
    }
}

fn answer(model: &Model, recommender: &Recommender<'_>, asked: Asked) -> Result<Answer> {
    match (asked.user, asked.history) {
        (Some(user), None) => {
            let user = user.into_text();
            let items = recommender.top_n(model.known_user(&user)?);
            Ok(Answer {
                user: Some(user),
                unknown: None,
                items,
            })
        }
        (None, Some(history)) => {
            let newcomer = model.fold_in(history.of(model)?)?;
            Ok(Answer {
                user: None,
                unknown: Some(newcomer.n_unknown()).filter(|&n| n > 0),
                items: recommender.top_n_of(&newcomer),
            })
        }
        (user, _) => {
            let got = if user.is_some() { "both" } else { "neither" };
            Err(Error::config("user or history", got, "one of them"))
        }
    }
}
