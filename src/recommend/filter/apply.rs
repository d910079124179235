//! Which rows meet a condition?
//!
//! ```text
//! column = v    some value of the row is called v, or is the same number
//! column < x    some value of the row is a number, and less than x
//! ! c           c does not hold, whatever the reason: a row without values meets `year!=1995`
//! ```
//!
//! A test is looked at once for every value of the column, not for every row.

use super::super::near;
use super::expression::{Condition, Node, Test};
use super::find;
use crate::data::{Catalog, Column};
use crate::model::measure::number;
use crate::{Error, Result};

impl Condition {
    /// Whether each of the `n_rows` rows of `catalog` meets it; `what` they are, for errors.
    pub(super) fn rows(&self, catalog: &Catalog, n_rows: usize, what: &str) -> Result<Vec<bool>> {
        rows(&self.0, catalog, n_rows, what)
    }
}

fn rows(node: &Node, catalog: &Catalog, n_rows: usize, what: &str) -> Result<Vec<bool>> {
    let of = |node: &Node| rows(node, catalog, n_rows, what);
    match node {
        Node::Any(nodes) => joined(nodes, of, |a, b| a | b),
        Node::All(nodes) => joined(nodes, of, |a, b| a & b),
        Node::Not(node) => Ok(of(node)?.into_iter().map(|holds| !holds).collect()),
        Node::Test { column, test } => {
            let column = column_called(column, catalog, what)?;
            let meets = values(column, test)?;
            let row = |row: usize| column.rows.row(row).iter().any(|&v| meets[v as usize]);
            Ok((0..n_rows).map(row).collect())
        }
    }
}

fn joined(
    nodes: &[Node],
    of: impl Fn(&Node) -> Result<Vec<bool>>,
    join: fn(bool, bool) -> bool,
) -> Result<Vec<bool>> {
    let mut all: Option<Vec<bool>> = None;
    for node in nodes {
        let rows = of(node)?;
        all = Some(match all {
            None => rows,
            Some(all) => all.into_iter().zip(rows).map(|(a, b)| join(a, b)).collect(),
        });
    }
    Ok(all.unwrap_or_default())
}

/// The column called `name`; near names otherwise.
pub(in crate::recommend) fn column_called<'c>(
    name: &str,
    catalog: &'c Catalog,
    what: &str,
) -> Result<&'c Column> {
    let names = catalog.columns.iter().map(|column| column.name.as_str());
    match find(name, names.clone()) {
        Some(position) => Ok(&catalog.columns[position]),
        None => Err(Error::Unknown {
            what: "column",
            name: name.into(),
            hint: near::near_or_all(name, &format!("columns of the {what}"), names),
        }),
    }
}

/// Whether each value of the column meets the test.
fn values(column: &Column, test: &Test) -> Result<Vec<bool>> {
    let wanted: &dyn Fn(f64) -> bool = match test {
        Test::Is(names) => {
            let mut meets = vec![false; column.values.len()];
            for name in names {
                mark(column, name, &mut meets)?;
            }
            return Ok(meets);
        }
        Test::Less(x) => &|value| value < *x,
        Test::AtMost(x) => &|value| value <= *x,
        Test::Greater(x) => &|value| value > *x,
        Test::AtLeast(x) => &|value| value >= *x,
        Test::Within(from, to) => &|value| value >= *from && value <= *to,
    };
    let numbers: Vec<Option<f64>> = column.values.names().iter().map(number).collect();
    if !numbers.is_empty() && numbers.iter().all(Option::is_none) {
        let got = format!("{}, whose values are no numbers", column.name);
        let wanted = "a column of numbers for < <= > >= and ..";
        return Err(Error::config("where", got, wanted));
    }
    let meets = |number: Option<f64>| number.is_some_and(wanted);
    Ok(numbers.into_iter().map(meets).collect())
}

/// Marks the values called `name`, or equal to it as numbers; those like it where there are none.
fn mark(column: &Column, name: &str, meets: &mut [bool]) -> Result<()> {
    let names = column.values.names();
    let mut found = column.values.index(name);
    if let Some(wanted) = number(name) {
        for (value, text) in (0u32..).zip(names.iter()) {
            if number(text) == Some(wanted) {
                meets[value as usize] = true;
                found = Some(value);
            }
        }
    }
    let like = || Some(find(name, names.iter())? as u32);
    let Some(value) = found.or_else(like) else {
        let what = format!("values of {}", column.name);
        return Err(Error::Unknown {
            what: "value",
            name: name.into(),
            hint: near::near_or_all(name, &what, names.iter()),
        });
    };
    meets[value as usize] = true;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Csr;

    /// Genres A, B|A, none, B; years 1990, 01995.0, none, "old".
    fn catalog() -> Catalog {
        let column = |name: &str, values: &[&str], rows: [Vec<u32>; 4]| Column {
            name: name.into(),
            values: values.iter().collect(),
            rows: Csr::from_rows(rows),
            multi_valued: false,
        };
        Catalog {
            titles: None,
            columns: vec![
                column(
                    "genres",
                    &["A", "B"],
                    [vec![0], vec![1, 0], vec![], vec![1]],
                ),
                column(
                    "year",
                    &["1990", "01995.0", "old"],
                    [vec![0], vec![1], vec![], vec![2]],
                ),
            ],
        }
    }

    fn rows(text: &str) -> Vec<usize> {
        let condition: Condition = text.parse().unwrap();
        let rows = condition.rows(&catalog(), 4, "items").unwrap();
        (0..4).filter(|&row| rows[row]).collect()
    }

    #[test]
    fn rows_are_those_that_the_words_say() {
        for (text, wanted) in [
            ("genre=a", &[0, 1][..]),
            ("genres!=A", &[2, 3]),
            ("genres in A,B", &[0, 1, 3]),
            ("!genres in A,B", &[2]),
            ("year=1995", &[1]),
            ("year=old", &[3]),
            ("year>=1990", &[0, 1]),
            ("year>1990", &[1]),
            ("year<1995", &[0]),
            ("year<=1995", &[0, 1]),
            ("!(year<1995)", &[1, 2, 3]),
            ("year in 1991..1995", &[1]),
            ("year in 1990,old", &[0, 3]),
            ("genre=A & year>1990 | year=old", &[1, 3]),
            ("genre=A & (year>1990 | year=old)", &[1]),
        ] {
            assert_eq!(rows(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is_near() {
        for (text, words) in [
            (
                "genre=A & yaer=1990",
                r#"no column "yaer"; did you mean "year"?"#,
            ),
            (
                "genre in A,C",
                r#"no value "C"; the values of genres are "A", "B""#,
            ),
            ("year=1991", r#"no value "1991""#),
            ("genre<3", "genres, whose values are no numbers"),
        ] {
            let condition: Condition = text.parse().unwrap();
            let error = condition.rows(&catalog(), 4, "items").unwrap_err();
            assert!(error.to_string().contains(words), "{text}: {error}");
        }
    }
}
