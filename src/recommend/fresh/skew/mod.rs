//! Is the table what training saw, in the same units?
//!
//! Held against the [schema](crate::model::Schema), column by column, found by name; the order of columns does not matter.
//!
//! | found | refused by default |
//! |---|---|
//! | a column that is not there (a near name, or one of alike values, is named) | yes |
//! | numbers where categories were, text where categories were numbers | yes |
//! | text where numbers were | yes |
//! | several values where one was | yes |
//! | numbers in other units (see `scale`) | yes |
//! | numbers that lie elsewhere | no, they are used |
//! | categories that training never saw | no, their share is left out |
//! | more empty cells than training had | no, nothing is left out that was there |
//!
//! **Empty cells.** Training's share p and n rows: more than p + 3·√(p(1 − p)/n), the limit of a p-chart (Shewhart, 1931).

mod scale;

use crate::data::{Column, SideTable};
use crate::model::measure::number;
use crate::model::{ColumnSchema, ModelSide};
use crate::recommend::near;
use crate::{Error, Result};

/// What is done about a table that differs from what training saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnSkew {
    /// What makes predictions wrong is refused, what makes them rest on less is reported.
    #[default]
    Usual,
    /// Everything is refused.
    Error,
    /// Everything is reported, and the best made of it.
    Report,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkewKind {
    /// The column is not there.
    Missing,
    /// Numbers where categories were, or text where categories were numbers.
    Retyped,
    /// Cells that are no number where numbers were.
    NoNumber,
    /// Several values in a cell where one was.
    Several,
    /// Numbers in other units.
    Units,
    /// Numbers that lie elsewhere.
    Elsewhere,
    /// Categories that training never saw.
    Unknown,
    /// More empty cells than training had.
    Empty,
}

impl SkewKind {
    /// Whether predictions would be wrong, rather than rest on less.
    pub fn is_grave(self) -> bool {
        use SkewKind::{Elsewhere, Empty, Unknown};
        !matches!(self, Elsewhere | Unknown | Empty)
    }

    /// What is done where it is not refused, of a column of numbers or of categories.
    fn instead(self, of_numbers: bool) -> &'static str {
        match self {
            SkewKind::Missing => "rows that the model has keep what it knows, others go without",
            SkewKind::NoNumber => "such cells count as empty",
            SkewKind::Several if of_numbers => "such cells count as empty",
            SkewKind::Several => "every value counts",
            SkewKind::Units | SkewKind::Elsewhere => "they are used as they are",
            SkewKind::Retyped | SkewKind::Unknown => "their share is left out",
            SkewKind::Empty => "the rest of their features counts",
        }
    }
}

/// One way in which a table differs from what training saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Skew {
    /// The column of the schema.
    pub column: String,
    /// What differs.
    pub kind: SkewKind,
    /// How many rows of the table it is about; all, where the column is not there.
    pub rows: usize,
    /// What was found.
    pub got: String,
    /// What should be there.
    pub wanted: String,
    /// What is done where it is not refused.
    pub instead: &'static str,
}

impl OnSkew {
    /// Refuses what it refuses.
    pub(super) fn judge(self, table: &SideTable, found: &[Skew]) -> Result<()> {
        let refused = found.iter().filter(|skew| match self {
            OnSkew::Usual => skew.kind.is_grave(),
            OnSkew::Error => true,
            OnSkew::Report => false,
        });
        let (got, wanted): (Vec<&str>, Vec<&str>) = refused.map(|s| (&*s.got, &*s.wanted)).unzip();
        if got.is_empty() {
            return Ok(());
        }
        Err(Error::File {
            path: table.name.clone(),
            got: got.join("; and "),
            wanted: format!(
                "{}; --on-skew report takes it as it is",
                wanted.join("; and ")
            ),
        })
    }
}

/// Deviations of a share.
const DEVIATIONS: f64 = 3.0;

/// Everything in which `table` differs; `what` its rows are, `"user"` or `"item"`.
pub(super) fn find(
    side: &ModelSide,
    what: &'static str,
    columns: &[ColumnSchema<'_>],
    table: &SideTable,
) -> Vec<Skew> {
    let mut all = Vec::new();
    for schema in columns {
        let Some(column) = table.catalog.column(schema.name) else {
            all.push(missing(schema, columns, table));
            continue;
        };
        let about = About {
            schema,
            column,
            table,
            what,
        };
        all.extend(about.several());
        match &schema.measure {
            None => all.extend(about.categories()),
            Some(_) => {
                all.extend(about.no_number());
                all.extend(about.scale(side));
            }
        }
        all.extend(about.empty());
    }
    all
}

/// A column that is not there, with one that may be meant.
fn missing(schema: &ColumnSchema<'_>, all: &[ColumnSchema<'_>], table: &SideTable) -> Skew {
    let strangers = || {
        let columns = table.catalog.columns.iter();
        columns.filter(|column| all.iter().all(|schema| schema.name != column.name))
    };
    let mut hint = near::did_you_mean(schema.name, strangers().map(|column| &*column.name));
    if hint.is_empty()
        && let Some(alike) = strangers().find(|column| has_alike_values(schema, column))
    {
        hint = format!("did you mean {:?}, which has alike values?", alike.name);
    }
    let wanted = format!("the column {:?}, which training had", schema.name);
    Skew {
        column: schema.name.into(),
        kind: SkewKind::Missing,
        rows: table.ids.len(),
        got: format!("no column {:?}", schema.name),
        wanted: match hint.is_empty() {
            true => wanted,
            false => format!("{wanted} ({hint})"),
        },
        instead: SkewKind::Missing.instead(schema.measure.is_some()),
    }
}

/// Whether most values of a column under another name are known, or numbers within the range.
fn has_alike_values(schema: &ColumnSchema<'_>, column: &Column) -> bool {
    let names = column.values.names();
    let is_alike = |name: &&str| match (&schema.measure, schema.profile.range()) {
        (None, _) => schema.values.index(name).is_some(),
        (Some(_), Some((lo, hi))) => number(name).is_some_and(|x| lo <= x && x <= hi),
        (Some(_), None) => false,
    };
    2 * names.iter().filter(is_alike).count() > names.len()
}

/// A column of the table beside what training saw of it.
struct About<'a> {
    schema: &'a ColumnSchema<'a>,
    column: &'a Column,
    table: &'a SideTable,
    what: &'static str,
}

impl About<'_> {
    /// The rows with a cell like that.
    fn rows(&self, is_so: impl Fn(&[u32]) -> bool) -> Vec<u32> {
        let rows = 0..self.column.rows.n_rows() as u32;
        rows.filter(|&row| is_so(self.column.rows.row(row as usize)))
            .collect()
    }

    /// "3 of 40 items".
    fn share(&self, rows: &[u32]) -> String {
        let (n, of) = (rows.len(), self.column.rows.n_rows());
        let plural = if of == 1 { "" } else { "s" };
        format!("{n} of {of} {}{plural}", self.what)
    }

    /// "the item "7" has "soon"".
    fn such_as(&self, row: u32) -> String {
        let cell: Vec<&str> = self.column.of(row).collect();
        let id = self.table.ids.name(row);
        format!("the {} {id:?} has {:?}", self.what, cell.join("|"))
    }

    fn skew(&self, kind: SkewKind, rows: usize, got: String, wanted: String) -> Skew {
        Skew {
            column: self.schema.name.into(),
            kind,
            rows,
            got,
            wanted,
            instead: kind.instead(self.schema.measure.is_some()),
        }
    }

    fn several(&self) -> Option<Skew> {
        let several = self.rows(|cell| cell.len() > 1);
        let &first = several.first()?;
        let name = self.schema.name;
        if self.schema.profile.several && self.schema.measure.is_none() {
            return None;
        }
        let got = format!(
            "several values of {name} in a cell of {} ({})",
            self.share(&several),
            self.such_as(first)
        );
        let wanted = format!("one value of {name} a cell, as in training");
        Some(self.skew(SkewKind::Several, several.len(), got, wanted))
    }

    fn no_number(&self) -> Option<Skew> {
        let names = &self.column.values;
        let is_number = |v: u32| number(names.name(v)).is_some();
        let wrong = self.rows(|cell| matches!(cell, &[v] if !is_number(v)));
        let &first = wrong.first()?;
        let name = self.schema.name;
        let got = format!(
            "text for the number {name} in {} ({})",
            self.share(&wrong),
            self.such_as(first)
        );
        let wanted = match self.schema.profile.range() {
            Some((lo, hi)) => format!("numbers of {name} as in training, {lo} to {hi}"),
            None => format!("numbers of {name}"),
        };
        Some(self.skew(SkewKind::NoNumber, wrong.len(), got, wanted))
    }

    /// Categories that training never saw; where it saw none of them, perhaps because they are of another type.
    fn categories(&self) -> Option<Skew> {
        let (known, found) = (self.schema.values, &self.column.values);
        let is_known: Vec<bool> = found
            .names()
            .iter()
            .map(|name| known.index(name).is_some())
            .collect();
        let rows = self.rows(|cell| cell.iter().any(|&v| !is_known[v as usize]));
        let &first = rows.first()?;
        let name = self.schema.name;
        let numbers = |ids: &crate::data::Ids| {
            let numbers = ids.names().iter().filter(|name| number(name).is_some());
            2 * numbers.count() > ids.len()
        };
        if !is_known.contains(&true) && numbers(known) != numbers(found) && !known.is_empty() {
            let (is, was) = match numbers(found) {
                true => ("numbers", "categories"),
                false => ("text", "numbers"),
            };
            let got = format!("{is} for {name} ({})", self.such_as(first));
            let wanted = format!("{was}, as in training, such as {:?}", known.name(0));
            return Some(self.skew(SkewKind::Retyped, rows.len(), got, wanted));
        }
        let unknown: Vec<&str> = found
            .names()
            .iter()
            .zip(&is_known)
            .filter_map(|(name, known)| (!known).then_some(name))
            .collect();
        let got = format!(
            "values of {name} that training never saw in {}: {}",
            self.share(&rows),
            near::listed(unknown.iter().copied())
        );
        let hint = near::did_you_mean(unknown[0], known.names().iter());
        let wanted = match hint.is_empty() {
            true => format!("the {} values that it saw", known.len()),
            false => format!("the {} values that it saw ({hint})", known.len()),
        };
        Some(self.skew(SkewKind::Unknown, rows.len(), got, wanted))
    }

    fn empty(&self) -> Option<Skew> {
        let empty = self.rows(<[u32]>::is_empty);
        let (n, profile) = (self.column.rows.n_rows() as f64, self.schema.profile);
        let usual = profile.empty as f64 / (profile.rows as f64).max(1.0);
        let limit = usual + DEVIATIONS * (usual * (1.0 - usual) / n).sqrt();
        if empty.is_empty() || empty.len() as f64 <= limit * n {
            return None;
        }
        let name = self.schema.name;
        let got = format!("empty cells of {name} in {}", self.share(&empty));
        let wanted = format!(
            "about as few as in training, {} of {}",
            profile.empty, profile.rows
        );
        Some(self.skew(SkewKind::Empty, empty.len(), got, wanted))
    }
}
