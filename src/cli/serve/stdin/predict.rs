//! `predict --stdin`: what would a user give an item, question after question?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::asked::{Id, Values};
use crate::cli::output::Manner;
use crate::cli::serve::predict::{Predict, line, predict};
use crate::{Model, Prediction, Result};

/// A question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    user: Id,
    item: Id,
    with: Option<BTreeMap<String, Values>>,
}

/// The pair and what is predicted of it.
struct Answer<'m> {
    model: &'m Model,
    user: String,
    item: String,
    prediction: Prediction,
}

impl Serialize for Answer<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        line(self.model, &self.user, &self.item, self.prediction).serialize(serializer)
    }
}

impl Predict {
    /// Answers lines to the end of standard input.
    pub(in crate::cli::serve) fn lines(&self, model: &Model, manner: Manner) -> Result<()> {
        // Flags that make no sense are an error now, not in every answer.
        if !self.with.is_empty() {
            predict(model, "", "", &self.with)?;
        }
        super::serve(model, manner, |asked: Asked| {
            let (user, item) = (asked.user.into_text(), asked.item.into_text());
            let own = asked.with.map(|with| {
                let with = with.into_iter();
                with.map(|(column, values)| (column, values.into_text()))
                    .collect::<Vec<_>>()
            });
            let with = own.as_ref().unwrap_or(&self.with);
            let prediction = predict(model, &user, &item, with)?;
            Ok(Answer {
                model,
                user,
                item,
                prediction,
            })
        })
    }
}
