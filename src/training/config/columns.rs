//! Which columns become features, and how?
//!
//! ```text
//! genres           each value a row of the table; a cell may have several, between |
//! year:bin5        a number; a row for each of 5 bins, and `bin` for at most 10
//! year:number      a number; a single row, weighed by (x − mean)/deviation
//! a:b:category     as without a kind; so is written what has a colon in its name
//! ```

use std::fmt;

use crate::{Error, Result};

/// Which columns of a side become feature groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Columns {
    /// All of them, as categories.
    All,
    /// Those with `|` in some cell, as categories.
    MultiValued,
    /// These.
    Named(Vec<Feature>),
}

/// A column that becomes a feature group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its name.
    pub column: String,
    /// What becomes of a cell.
    pub kind: FeatureKind,
}

/// What becomes of a cell of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureKind {
    /// Each value is a row of the table.
    Category,
    /// At most so many bins, with about as many of the trained rows in each.
    Bins(usize),
    /// A single row, weighed by the standardised number.
    Number,
}

/// The bins of `bin`.
const BINS: usize = 10;
/// As many as anyone needs.
const MOST_BINS: usize = 1000;

impl Columns {
    /// `all`, `none`, or features separated by commas; `flag` is what an error calls them.
    ///
    /// ```
    /// use lowrank::training::Columns;
    /// let columns = Columns::parse("item-features", "genres, year:bin5")?;
    /// assert_eq!(columns.text().as_deref(), Some("genres,year:bin5"));
    /// # Ok::<(), lowrank::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for a kind that there is not, and for a column that stands there twice.
    pub fn parse(flag: &str, text: &str) -> Result<Columns> {
        let mut features: Vec<Feature> = Vec::new();
        match text {
            "all" => return Ok(Columns::All),
            "none" | "" => return Ok(Columns::Named(features)),
            _ => {}
        }
        for text in text.split(',') {
            let feature = Feature::parse(flag, text.trim())?;
            if features.iter().any(|other| other.column == feature.column) {
                let got = format!("the column {:?} twice", feature.column);
                return Err(Error::config(flag, got, "each column once"));
            }
            features.push(feature);
        }
        Ok(Columns::Named(features))
    }

    /// What [`parse`](Columns::parse) reads as these; `None` for the columns with several values, which no text stands for.
    pub fn text(&self) -> Option<String> {
        match self {
            Columns::All => Some("all".into()),
            Columns::MultiValued => None,
            Columns::Named(features) if features.is_empty() => Some("none".into()),
            Columns::Named(features) => {
                let texts: Vec<String> = features.iter().map(Feature::to_string).collect();
                Some(texts.join(","))
            }
        }
    }

    /// The feature that a column becomes, if it becomes one.
    pub(in crate::training) fn feature(&self, name: &str, multi_valued: bool) -> Option<Feature> {
        match self {
            Columns::All => Some(Feature::category(name)),
            Columns::MultiValued => multi_valued.then(|| Feature::category(name)),
            Columns::Named(features) => features.iter().find(|f| f.column == name).cloned(),
        }
    }
}

impl Feature {
    /// A column, each value of which is a feature.
    pub fn category(column: impl Into<String>) -> Feature {
        Feature {
            column: column.into(),
            kind: FeatureKind::Category,
        }
    }

    fn parse(flag: &str, text: &str) -> Result<Feature> {
        let (column, kind) = text.rsplit_once(':').unwrap_or((text, "category"));
        let column = column.trim();
        let error = |wanted: &str| Error::config(flag, format!("{text:?}"), wanted);
        if column.is_empty() {
            return Err(error("the name of a column, as in genres,year:bin5"));
        }
        let kind = match kind.trim() {
            "category" => FeatureKind::Category,
            "bin" => FeatureKind::Bins(BINS),
            "number" => FeatureKind::Number,
            other => {
                let n = other.strip_prefix("bin").and_then(|n| n.parse().ok());
                match n {
                    Some(n) if (2..=MOST_BINS).contains(&n) => FeatureKind::Bins(n),
                    Some(_) => return Err(error("from 2 to 1000 bins, as in year:bin5")),
                    None => {
                        return Err(error(
                            "category, bin, binN (as in year:bin5) or number after the colon; \
                             a column with a colon in its name is written NAME:category",
                        ));
                    }
                }
            }
        };
        Ok(Feature {
            column: column.to_owned(),
            kind,
        })
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.column)?;
        // A name that means something else alone.
        let plain = !self.column.contains(':') && !["all", "none"].contains(&self.column.as_str());
        match self.kind {
            FeatureKind::Category if plain => Ok(()),
            FeatureKind::Category => write!(f, ":category"),
            FeatureKind::Bins(n) => write!(f, ":bin{n}"),
            FeatureKind::Number => write!(f, ":number"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let parse = |text: &str| Columns::parse("item-features", text).unwrap();
        let Columns::Named(features) = parse("genres, year : bin ,age:number,a:b:category,n:bin3")
        else {
            panic!("columns by name");
        };
        let kinds: Vec<_> = features.iter().map(|f| (&f.column[..], f.kind)).collect();
        assert_eq!(
            kinds,
            [
                ("genres", FeatureKind::Category),
                ("year", FeatureKind::Bins(10)),
                ("age", FeatureKind::Number),
                ("a:b", FeatureKind::Category),
                ("n", FeatureKind::Bins(3)),
            ]
        );
        let written = Columns::Named(features).text().unwrap();
        assert_eq!(written, "genres,year:bin10,age:number,a:b:category,n:bin3");
        assert_eq!(parse(&written).text(), Some(written));
        let all = Columns::Named(vec![Feature::category("all")]);
        assert_eq!(parse(&all.text().unwrap()), all);
        assert_eq!(parse("all"), Columns::All);
        assert_eq!(
            (parse("none"), parse("")),
            (parse(""), Columns::Named(vec![]))
        );
    }

    #[test]
    fn what_is_none_is_told_what_there_is() {
        let message = |text: &str| {
            let parsed = Columns::parse("user-features", text);
            parsed.unwrap_err().to_string()
        };
        for text in ["age:bins", "age:", "age:Number", "job,age:bin-2"] {
            let message = message(text);
            assert!(message.starts_with("user-features: got \""), "{message}");
            assert!(message.contains("category, bin, binN"), "{message}");
            assert!(message.contains("number"), "{message}");
        }
        for text in ["age:bin0", "age:bin1", "age:bin1001"] {
            assert!(message(text).contains("from 2 to 1000"), "{text}");
        }
        assert!(message("age:bin,age:number").contains("the column \"age\" twice"));
        assert!(message("age,,job").contains("the name of a column"));
    }
}
