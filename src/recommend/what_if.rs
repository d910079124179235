//! What if the item had another feature?
//!
//! ```text
//! Q = q_i + Σ_groups Σ_f w · y_f          where an overridden group has the given values instead of the item's own,
//!                                         each weighed as the group's bag weighs that many
//! ```
//!
//! In a group that is made of numbers the value is a number, and becomes what the number of an item becomes: its bin, or its weight.
//!
//! With an unknown item q_i is 0: what is predicted is an item of which the given features alone are known.

use super::filter::find;
use super::near;
use crate::model::measure::number;
use crate::model::{Measure, ModelGroup, Scorer};
use crate::{Error, Model, Prediction, Result};

/// The features of each group: (value, weight).
type Features = Vec<Vec<(u32, f32)>>;

impl Model {
    /// [`predict`](Model::predict), with other values in some feature groups of the item.
    ///
    /// An override is a column with its new values, several separated by `|`; an empty text stands for no value. A value is found by its name; a
    /// whole number that is no name is the value of that number, counted from 0 in order of first appearance. In a group of bins a number falls into its bin, in one of
    /// standardised numbers it is the number.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a column that is no feature group of the items, or a value that the group has not; [`Error::Config`] for a group that is made of the training
    /// ratings (who rated the item is no property of it that one could set), or what is no number where one is wanted.
    pub fn predict_with(
        &self,
        user_id: &str,
        item_id: &str,
        overrides: &[(&str, &str)],
    ) -> Result<Prediction> {
        let items = self.items();
        let item = items.ids().index(item_id);
        let mut features: Features = items
            .groups()
            .iter()
            .map(|group| item.map_or_else(Vec::new, |i| group.features().row(i as usize).collect()))
            .collect();
        for &(column, values) in overrides {
            let position = self.item_group(column)?;
            features[position] = weighed(&items.groups()[position], values)?;
        }
        let known = item.is_some_and(|item| items.counts()[item as usize] > 0)
            || items
                .groups()
                .iter()
                .zip(&features)
                .any(|(group, features)| {
                    let counts = group.counts();
                    features
                        .iter()
                        .any(|&(f, w)| w != 0.0 && counts[f as usize] > 0)
                });
        let scorer = Scorer::new(self, self.users().ids().index(user_id));
        if item.is_none() && features.iter().all(Vec::is_empty) {
            return Ok(scorer.prediction(None));
        }
        let features = features.into_iter().map(Vec::into_iter);
        let (row, bias) = items.composed_row(
            self.similarity(),
            item.map(|item| item as usize),
            items.groups().iter().zip(features),
        );
        Ok(scorer.prediction_row(&row, bias, known, item))
    }

    /// The position of the items' feature group called `column`.
    fn item_group(&self, column: &str) -> Result<usize> {
        let items = self.items();
        let of_column = |group: &&ModelGroup| items.catalog().column(group.name()).is_some();
        let names = items
            .groups()
            .iter()
            .filter(of_column)
            .map(ModelGroup::name);
        let all_names = items.groups().iter().map(ModelGroup::name);
        if let Some(position) = find(column, all_names) {
            let group = &items.groups()[position];
            return match of_column(&group) {
                true => Ok(position),
                false => Err(Error::config(
                    "with",
                    format!("{column:?}"),
                    "a column of the items; this group is made of the training ratings",
                )),
            };
        }
        let mut hint = near::near_or_all(column, "feature groups of the items", names);
        if items.catalog().column(column).is_some() {
            hint = format!("the model does not use this column; {hint}");
        }
        Err(Error::Unknown {
            what: "feature group",
            name: column.into(),
            hint,
        })
    }
}

/// The values of an override with their weights, each once, in the order given.
fn weighed(group: &ModelGroup, values: &str) -> Result<Vec<(u32, f32)>> {
    let names = values.split('|').map(str::trim).filter(|v| !v.is_empty());
    if let Some(measure) = Measure::from_names(group.values()) {
        return measured(group, &measure, &names.collect::<Vec<_>>());
    }
    let mut numbers = Vec::new();
    for name in names {
        let number = value_of(group, name)?;
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    let weight = group.bag().weight(numbers.len());
    Ok(numbers.into_iter().map(|number| (number, weight)).collect())
}

/// The bin or the weight of the number that stands there; a bin may be named too.
fn measured(group: &ModelGroup, measure: &Measure, names: &[&str]) -> Result<Vec<(u32, f32)>> {
    let [name] = names else {
        return match names.len() {
            0 => Ok(Vec::new()),
            n => Err(Error::config(
                "with",
                format!("{n} values of {}", group.name()),
                "one number, or nothing",
            )),
        };
    };
    let bin = || match measure {
        Measure::Bins(_) => Some((group.values().index(name)?, 1.0)),
        Measure::Standard { .. } => None,
    };
    let of_number = number(name).map(|x| measure.feature(x));
    let feature = of_number.or_else(bin).ok_or_else(|| {
        let got = format!("{}={name}", group.name());
        Error::config("with", got, "a number, as in year=1995")
    });
    Ok(vec![feature?])
}

fn value_of(group: &ModelGroup, name: &str) -> Result<u32> {
    let values = group.values();
    let by_number = || {
        let number: u32 = name.parse().ok()?;
        ((number as usize) < values.len()).then_some(number)
    };
    let by_likeness = || Some(find(name, values.names().iter())? as u32);
    values
        .index(name)
        .or_else(by_number)
        .or_else(by_likeness)
        .ok_or_else(|| Error::Unknown {
            what: "value",
            name: name.into(),
            hint: near::near_or_all(
                name,
                &format!("values of {}", group.name()),
                values.names().iter(),
            ),
        })
}

#[cfg(test)]
mod tests {
    use crate::Kind;
    use crate::model::{Bag, Measure, example};

    fn value(user: &str, item: &str, overrides: &[(&str, &str)]) -> f32 {
        let prediction = example::model().predict_with(user, item, overrides);
        prediction.unwrap().value
    }

    #[test]
    fn an_override_replaces_the_items_own_features() {
        // m1 of ann with Horror alone: q = (1 − ½, 0), 3½ + ½.
        assert_eq!(value("ann", "m1", &[("genres", "Horror")]), 4.0);
        assert_eq!(
            value("ann", "m1", &[("genre", "2")]),
            4.0,
            "Horror is value 2"
        );
        // Action and Horror, a half each: q = (1 + ¼ − ¼, 0).
        assert_eq!(value("ann", "m1", &[("genres", "Action | Horror")]), 4.5);
        assert_eq!(
            value("ann", "m1", &[("genres", "Action|Horror|Action")]),
            4.5
        );
        // Without any genre: q = (1, 0).
        assert_eq!(value("ann", "m1", &[("genres", "")]), 4.5);
    }

    #[test]
    fn the_items_own_features_change_nothing() {
        let model = example::model();
        for user in ["ann", "bob", "nobody"] {
            for (item, genres) in [("m1", "Action|Sci-Fi"), ("m4", "Horror")] {
                let plain = model.predict(user, item).unwrap();
                assert_eq!(model.predict_with(user, item, &[]).unwrap(), plain);
                let with = model.predict_with(user, item, &[("genres", genres)]);
                assert_eq!(with.unwrap(), plain);
            }
            let unknown = model.predict(user, "gone").unwrap();
            assert_eq!(model.predict_with(user, "gone", &[]).unwrap(), unknown);
        }
    }

    #[test]
    fn features_alone_make_an_item_known() {
        let model = example::model();
        let prediction = model.predict_with("ann", "gone", &[("genres", "Action")]);
        // 3½ + ½
        let prediction = prediction.unwrap();
        assert_eq!((prediction.value, prediction.kind), (4.0, Kind::Full));
    }

    #[test]
    fn the_bag_decides_what_several_values_weigh() {
        let mut model = example::model();
        model.items.groups[0].bag = Bag::Sum;
        let prediction = model.predict_with("ann", "m1", &[("genres", "Action|Horror")]);
        // (1 + ½ − ½, 0), the same as the mean's; with Sci-Fi and Action the sum differs: (1 + ½, ½).
        assert_eq!(prediction.unwrap().value, 4.5);
        let prediction = model.predict_with("ann", "m1", &[("genres", "Action|Sci-Fi")]);
        assert_eq!(prediction.unwrap().value, 5.0);
    }

    #[test]
    fn a_number_finds_its_bin_or_is_the_weight() {
        let mut model = example::model();
        let group = &mut model.items.groups[0];
        // The rows (½, 0), (0, ½) and (−½, 0).
        group.values = Measure::Bins(vec![1990.0, 2000.0]).names();
        let value = |model: &crate::Model, values: &str| {
            let with = [("genres", values)];
            model.predict_with("ann", "m1", &with).map(|p| p.value)
        };
        // Of ann with m1: 3½ + the first number of the row.
        for (number, wanted) in [
            ("1989.5", 5.0),
            ("1990", 4.5),
            ("1", 5.0),
            ("2525", 4.0),
            ("[2000,inf)", 4.0),
            ("", 4.5),
        ] {
            assert_eq!(value(&model, number).unwrap(), wanted, "{number}");
        }
        for (values, wanted) in [
            ("1990|1991", "2 values"),
            ("new", "a number"),
            ("nan", "a number"),
        ] {
            let message = value(&model, values).unwrap_err().to_string();
            assert!(message.contains(wanted), "{message}");
        }
        // One row, (½, 0), weighed by (x − 40)/10, whatever the bag.
        let group = &mut model.items.groups[0];
        let standard = Measure::Standard {
            mean: 40.0,
            deviation: 10.0,
        };
        group.values = standard.names();
        for (number, wanted) in [("40", 4.5), ("50", 5.0), ("35", 4.25), ("", 4.5)] {
            assert_eq!(value(&model, number).unwrap(), wanted, "{number}");
        }
        let by_name = value(&model, "(x - 40)/10").unwrap_err().to_string();
        assert!(by_name.contains("a number"), "{by_name}");
    }

    #[test]
    fn a_group_that_is_made_of_the_ratings_is_not_overridden() {
        let mut model = example::model();
        let mut raters = model.items.groups[0].clone();
        raters.name = "raters".into();
        model.items.groups.push(raters);
        let message = |column| {
            let result = model.predict_with("ann", "m1", &[(column, "0")]);
            result.unwrap_err().to_string()
        };
        for column in ["raters", "Rater"] {
            assert!(message(column).contains("made of the training ratings"));
        }
        assert!(!message("year").contains("raters"), "{}", message("year"));
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is() {
        let model = example::model();
        let message = |column, value| {
            let result = model.predict_with("ann", "m1", &[(column, value)]);
            result.unwrap_err().to_string()
        };
        assert_eq!(
            message("year", "1999"),
            r#"no feature group "year"; the model does not use this column; the feature groups of the items are "genres""#
        );
        assert_eq!(
            message("genres", "3"),
            r#"no value "3"; the values of genres are "Action", "Sci-Fi", "Horror""#
        );
    }
}
