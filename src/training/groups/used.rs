//! How do the cells of a column become weights?
//!
//! ```text
//! category          a row of the table for each value; weights as the bag has them, n values in the cell
//! bins, number      the cell's number x, of which a Measure makes one row and one weight; nothing of an empty cell
//! ```
//!
//! A measure is fitted on the numbers of the rows that have training ratings, each row once: nothing of it comes from what is only predicted.

use std::borrow::Cow;
use std::fmt;

use crate::data::{Column, Ids};
use crate::model::measure::number;
use crate::model::{Bag, Features, Measure};
use crate::training::config::{Feature, FeatureKind};
use crate::{Error, Result};

/// A column that is a feature group.
#[derive(Clone, Debug, PartialEq)]
pub struct Used {
    feature: Feature,
    /// What becomes of a number; `None` for categories.
    measure: Option<Measure>,
}

/// A cell that is no number.
#[derive(Debug)]
pub(super) struct NoNumber {
    feature: Feature,
    row: usize,
    got: String,
}

impl NoNumber {
    /// The error, with the row's name.
    pub(super) fn of(self, side: &str, ids: &Ids) -> Error {
        let id = ids.name(self.row as u32);
        let NoNumber { feature, got, .. } = self;
        let plain = Feature::category(feature.column.as_str());
        Error::config(
            format!("{side}-features"),
            format!(
                "{got} in the column {} of the {side} {id:?}",
                feature.column
            ),
            format!(
                "for {feature} one number, or an empty cell; {plain} takes each value as a category"
            ),
        )
    }
}

/// The numbers of the values; the first row with a cell that is none otherwise.
fn numbers(column: &Column, feature: &Feature) -> Result<Vec<f64>, NoNumber> {
    let wrong = |row: usize, got: String| NoNumber {
        feature: feature.clone(),
        row,
        got,
    };
    let parsed: Vec<Option<f64>> = column.values.names().iter().map(number).collect();
    for row in 0..column.rows.n_rows() {
        match column.rows.row(row) {
            [] => {}
            &[value] if parsed[value as usize].is_some() => {}
            &[value] => return Err(wrong(row, format!("{:?}", column.values.name(value)))),
            several => return Err(wrong(row, format!("{} values", several.len()))),
        }
    }
    // A value that no row has is asked for by none.
    Ok(parsed.into_iter().map(Option::unwrap_or_default).collect())
}

impl Used {
    /// `column` as `feature` says; `counts` are the training ratings of each row.
    pub(super) fn new(feature: Feature, column: &Column, counts: &[u32]) -> Result<Used, NoNumber> {
        if feature.kind == FeatureKind::Category {
            let measure = None;
            return Ok(Used { feature, measure });
        }
        let numbers = numbers(column, &feature)?;
        let rated = (0..column.rows.n_rows()).filter(|&row| counts[row] > 0);
        let of_rows = rated.flat_map(|row| column.rows.row(row));
        let values: Vec<f64> = of_rows.map(|&value| numbers[value as usize]).collect();
        let measure = match feature.kind {
            FeatureKind::Category => None,
            FeatureKind::Bins(n) => Some(Measure::bins(values, n)),
            FeatureKind::Number => Some(Measure::standard(values)),
        };
        Ok(Used { feature, measure })
    }

    /// The name of the column, and of the group.
    pub fn name(&self) -> &str {
        &self.feature.column
    }

    /// Whether it is made of numbers.
    pub fn is_of_numbers(&self) -> bool {
        self.measure.is_some()
    }

    /// What the rows of the table are called.
    pub fn values<'c>(&self, column: &'c Column) -> Cow<'c, Ids> {
        match &self.measure {
            None => Cow::Borrowed(&column.values),
            Some(measure) => Cow::Owned(measure.names()),
        }
    }

    /// How the weights are made, where categories are weighed by `bag`.
    pub(super) fn bag(&self, bag: Bag) -> Bag {
        // A bin is alone in its bag, whose weight is 1 in any.
        match self.feature.kind {
            FeatureKind::Category => bag,
            FeatureKind::Bins(_) | FeatureKind::Number => Bag::Sum,
        }
    }

    /// The weights of all rows.
    pub(super) fn features(&self, column: &Column, bag: Bag) -> Features {
        let bag = self.bag(bag);
        Features::of_column(column, &self.values(column), self.measure.as_ref(), bag)
    }
}

/// `genres`, `year (10 bins)`, `age (number)`.
impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())?;
        match &self.measure {
            None => Ok(()),
            Some(Measure::Bins(edges)) if edges.is_empty() => {
                write!(f, " (1 bin: the rated rows do not differ)")
            }
            Some(Measure::Bins(edges)) => write!(f, " ({} bins)", edges.len() + 1),
            Some(Measure::Standard { deviation: 0.0, .. }) => {
                write!(f, " (number, without effect: the rated rows do not differ)")
            }
            Some(Measure::Standard { .. }) => write!(f, " (number)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Csr;

    fn column(cells: &[&str]) -> Column {
        let mut values = crate::data::Interner::default();
        let rows: Vec<Vec<u32>> = cells
            .iter()
            .map(|cell| {
                cell.split('|')
                    .filter(|v| !v.is_empty())
                    .map(|v| values.intern(v))
                    .collect()
            })
            .collect();
        Column {
            name: "year".into(),
            values: values.finish(),
            rows: Csr::from_rows(rows),
            multi_valued: false,
        }
    }

    fn feature(kind: FeatureKind) -> Feature {
        Feature {
            kind,
            ..Feature::category("year")
        }
    }

    fn rows(features: &Features) -> Vec<Vec<(u32, f32)>> {
        (0..features.n_rows())
            .map(|row| features.row(row).collect())
            .collect()
    }

    /// Six rows; the last two have no ratings.
    const CELLS: [&str; 6] = ["1990", "1980", "", "1990", "1700", "1985.5"];
    const COUNTS: [u32; 6] = [3, 1, 9, 1, 0, 0];

    #[test]
    fn bins_are_made_of_the_rows_that_have_ratings() {
        let column = column(&CELLS);
        let used = Used::new(feature(FeatureKind::Bins(10)), &column, &COUNTS).unwrap();
        let names: Vec<_> = used
            .values(&column)
            .names()
            .iter()
            .map(str::to_owned)
            .collect();
        assert_eq!(names, ["(-inf,1990)", "[1990,inf)"], "1980 and 1990 alone");
        let of_rows = rows(&used.features(&column, Bag::Mean));
        let wanted = [Some(1), Some(0), None, Some(1), Some(0), Some(0)];
        let wanted: Vec<Vec<_>> = wanted
            .iter()
            .map(|row| row.map(|r| (r, 1.0)).into_iter().collect())
            .collect();
        assert_eq!(of_rows, wanted);
        assert_eq!(used.to_string(), "year (2 bins)");
    }

    #[test]
    fn a_number_is_the_weight_of_a_single_row() {
        let column = column(&["30", "10", "", "20", "50", "20"]);
        let used = Used::new(feature(FeatureKind::Number), &column, &[1, 7, 1, 0, 0, 0]).unwrap();
        // The rated rows have 30 and 10: mean 20, deviation 10; each row once, however many ratings.
        assert_eq!(used.values(&column).name(0), "(x - 20)/10");
        let of_rows = rows(&used.features(&column, Bag::Mean));
        let weights = [&[1.0][..], &[-1.0], &[], &[0.0], &[3.0], &[0.0]];
        let wanted: Vec<Vec<_>> = weights
            .iter()
            .map(|w| w.iter().map(|&w| (0, w)).collect())
            .collect();
        assert_eq!(of_rows, wanted);
        assert_eq!(used.to_string(), "year (number)");
    }

    #[test]
    fn what_does_not_differ_is_said() {
        let column = column(&["7", "7", "9"]);
        let shown = |kind| {
            Used::new(feature(kind), &column, &[1, 1, 0])
                .unwrap()
                .to_string()
        };
        assert!(shown(FeatureKind::Bins(3)).contains("1 bin: the rated rows do not differ"));
        assert!(shown(FeatureKind::Number).contains("without effect"));
    }

    #[test]
    fn a_cell_that_is_no_number_is_named_with_its_row() {
        let ids: Ids = ["a", "b", "c"].into_iter().collect();
        let message = |cells: &[&str]| {
            let used = Used::new(feature(FeatureKind::Bins(5)), &column(cells), &[0; 3]);
            used.unwrap_err().of("item", &ids).to_string()
        };
        assert_eq!(
            message(&["1990", "soon", "later"]),
            "item-features: got \"soon\" in the column year of the item \"b\", wanted for year:bin5 one number, or an empty cell; \
             year takes each value as a category"
        );
        assert!(
            message(&["", "1", "1990|1991"])
                .contains("2 values in the column year of the item \"c\"")
        );
        for cell in ["nan", "inf", "1e101", "12-Jan-1995"] {
            assert!(
                message(&["1", "2", cell]).contains(&format!("{cell:?}")),
                "{cell}"
            );
        }
    }
}
