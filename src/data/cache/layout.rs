//! Which sections are there, and what do they say?
//!
//! The sections of the table in the module's page, in that order and no other. Names and texts are read here and believed only after they were looked at; of the columns, shape and type.

use std::path::PathBuf;

use super::record::Record;
use super::told::Told;
use crate::data::reader::{FileReport, Role, Separator};
use crate::data::{Ids, Strings};
use crate::storage::{Container, ElementType, Section, Source};
use crate::{Error, Result};

/// Where the columns are.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) users: Section,
    pub(super) items: Section,
    pub(super) ratings: Section,
    pub(super) weights: Option<Section>,
    pub(super) timestamps: Option<Section>,
}

/// What is no column.
pub(super) struct Texts {
    pub(super) source: PathBuf,
    pub(super) told: Told,
    pub(super) report: FileReport,
    pub(super) users: Ids,
    pub(super) items: Ids,
}

impl Layout {
    /// Reads all but the columns.
    pub(super) fn read<S: Source>(
        container: &Container<S>,
        record: &Record,
    ) -> Result<(Layout, Texts)> {
        let mut walk = Walk { container, next: 0 };
        let source = PathBuf::from(walk.text("source")?.1);
        let told = walk.told()?;
        let separator = walk.separator()?;
        let roles = walk.roles()?;
        let (_, ignored) = walk.strings("ignored")?;
        let users = walk.ids("users.ids")?;
        let items = walk.ids("items.ids")?;
        let column = |walk: &mut Walk<'_, S>, name, element, rows| {
            let at = walk.vector(name, element)?;
            match rows {
                Some(rows) if rows != at.rows => {
                    let wanted = format!("{rows}, as there are users");
                    Err(walk.bad(at, &format!("{} rows", at.rows), &wanted))
                }
                _ => Ok(at.clone()),
            }
        };
        let users_at = column(&mut walk, "users", ElementType::U32, None)?;
        let rows = Some(users_at.rows);
        let layout = Layout {
            items: column(&mut walk, "items", ElementType::U32, rows)?,
            ratings: column(&mut walk, "ratings", ElementType::F32, rows)?,
            weights: match has(&roles, Role::Weight) {
                true => Some(column(&mut walk, "weights", ElementType::F32, rows)?),
                false => None,
            },
            timestamps: match has(&roles, Role::Timestamp) {
                true => Some(column(&mut walk, "timestamps", ElementType::I64, rows)?),
                false => None,
            },
            users: users_at,
        };
        walk.end()?;
        let kept = record.rows.checked_sub(record.duplicates.dropped as u64);
        if kept != rows || rows == Some(0) {
            let got = format!("{} ratings", layout.users.rows);
            let (all, gone) = (record.rows, record.duplicates.dropped);
            let wanted = format!("one or more, and the {all} rows without {gone} duplicates");
            return Err(walk.bad(&layout.users, &got, &wanted));
        }
        let report = FileReport {
            path: source.clone(),
            rows: record.rows,
            separator,
            header: record.header,
            packed: record.packed,
            roles,
            ignored: ignored.iter().map(str::to_owned).collect(),
        };
        let texts = Texts {
            source,
            told,
            report,
            users,
            items,
        };
        Ok((layout, texts))
    }
}

fn has(roles: &[(&'static str, String)], role: Role) -> bool {
    roles.iter().any(|(name, _)| *name == role.name())
}

/// Goes through the sections, which must come in order.
struct Walk<'c, S> {
    container: &'c Container<S>,
    next: usize,
}

impl<'c, S: Source> Walk<'c, S> {
    fn bad(&self, at: &Section, got: &str, wanted: &str) -> Error {
        let got = format!("{} with {got}", at.name);
        self.container.corrupt(at.offset, got, wanted)
    }

    fn vector(&mut self, name: &str, element: ElementType) -> Result<&'c Section> {
        let at = self.container.sections().get(self.next);
        self.next += 1;
        let shape = |at: &Section| (at.columns == 1 || at.rows == 0) && at.element == element;
        match at {
            Some(at) if at.name == name && shape(at) => Ok(at),
            other => {
                let got = match other {
                    Some(at) => format!("{} of {} {}", at.name, at.columns, at.element.name()),
                    None => "no more sections".into(),
                };
                let offset = other.map_or(0, |at| at.offset);
                let wanted = format!("{name} of 1 {}", element.name());
                Err(self.container.corrupt(offset, got, wanted))
            }
        }
    }

    fn end(&self) -> Result<()> {
        match self.container.sections().get(self.next) {
            Some(at) => Err(self.container.corrupt(
                at.offset,
                format!("a section {}", at.name),
                "no more sections",
            )),
            None => Ok(()),
        }
    }

    fn text(&mut self, name: &str) -> Result<(&'c Section, String)> {
        let at = self.vector(name, ElementType::U8)?;
        match String::from_utf8(self.container.cursor(at).all()?) {
            Ok(text) => Ok((at, text)),
            Err(_) => Err(self.bad(at, "bytes that are no UTF-8", "UTF-8")),
        }
    }

    fn strings(&mut self, name: &str) -> Result<(&'c Section, Strings)> {
        let ends = self.vector(&format!("{name}.ends"), ElementType::U64)?;
        let (_, bytes) = self.text(&format!("{name}.bytes"))?;
        match Strings::from_parts(bytes, self.container.cursor(ends).all()?) {
            Some(strings) => Ok((ends, strings)),
            None => {
                let wanted = "ends that rise to the number of bytes, each after a whole character";
                Err(self.bad(ends, "ends that are none", wanted))
            }
        }
    }

    fn ids(&mut self, name: &str) -> Result<Ids> {
        let (_, names) = self.strings(name)?;
        let sorted = self.vector(&format!("{name}.sorted"), ElementType::U32)?;
        let rows = self.container.cursor(sorted).all()?;
        let ids = Ids::from_parts(names, rows);
        // An empty name would be the first of the byte order.
        let named = |ids: &Ids| {
            ids.sorted()
                .first()
                .is_none_or(|&n| !ids.name(n).is_empty())
        };
        ids.filter(named).ok_or_else(|| {
            let wanted = "every row once, in the byte order of unique names that are not empty";
            self.bad(sorted, "another order", wanted)
        })
    }

    fn told(&mut self) -> Result<Told> {
        let (at, texts) = self.strings("told")?;
        Told::from_texts(texts.iter())
            .ok_or_else(|| self.bad(at, "texts that are no options", "columns, sep, weight"))
    }

    fn separator(&mut self) -> Result<Separator> {
        let (at, text) = self.text("separator")?;
        let found = text.parse::<Separator>().ok();
        found
            .filter(|separator| separator.to_string() == text)
            .ok_or_else(|| self.bad(at, "another text", "a separator"))
    }

    fn roles(&mut self) -> Result<Vec<(&'static str, String)>> {
        let (at, texts) = self.strings("roles")?;
        let mut texts = texts.iter();
        let mut roles: Vec<(&'static str, String)> = Vec::new();
        while let Some(name) = texts.next() {
            let role = Role::of(name).map(Role::name);
            let twice = roles.iter().any(|(other, _)| Some(*other) == role);
            let (Some(role), Some(column), false) = (role, texts.next(), twice) else {
                let wanted = "each role once, with the name of its column";
                return Err(self.bad(at, "other texts", wanted));
            };
            roles.push((role, column.to_owned()));
        }
        Ok(roles)
    }
}
