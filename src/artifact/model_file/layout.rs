//! Which sections does a model file have, in which order, and of which shapes?
//!
//! With S for `users` and `items`, n for the rows of the side, k for a group or column from 0, v for its values, d for n_factors rounded up to a
//! multiple of 8; a section in brackets may be absent:
//!
//! ```text
//! S.ids.ends  S.ids.bytes  S.ids.sorted            u64 n, u8, u32 n     names, one after the other; rows in the byte order of their names
//! [S.titles.ends  S.titles.bytes]                  u64 n, u8            empty where a row has none
//! S.columns.ends  S.columns.bytes                  u64, u8              the names of the columns of the catalog
//! S.columns.multi_valued                           u8                   1 where some cell has several values
//! S.column.k.values.ends  .bytes  .sorted          u64 v, u8, u32 v     vocabulary
//! S.column.k.starts  S.column.k.entries            u64 n + 1, u32       the values of each row (CSR)
//! S.counts                                         u32 n                training ratings of each row
//! S.factors  [S.biases]                            f32 n × d, f32 n     the identity table
//! S.groups.ends  S.groups.bytes                    u64, u8              the names of the feature groups
//! S.groups.bags                                    u8                   how each weighs its features: 0 sum, 1 mean, 2 sqrt
//! S.group.k.values.ends  .bytes  .sorted           u64 v, u8, u32 v     what the rows of its table are called
//! S.group.k.counts                                 u32 v                training ratings of each value
//! S.group.k.factors  [S.group.k.biases]            f32 v × d, f32 v     its table
//! S.group.k.starts  .entries  .weights             u64 n + 1, u32, f32  the features of each row (CSR)
//! [S.composed]                                     f32 n × d            where there are groups, or rows are normalised (cosine)
//! [S.composed_biases]                              f32 n                where there are groups, and the side has biases at all; a cosine model has none
//!
//! then, after both sides
//! seen.starts  seen.items                          u64 n_users + 1, u32 the items that each user rated, rising (CSR)
//! [baseline.user_biases  baseline.item_biases]     f32 n_users, n_items where the record has the baseline's mean
//! [spread.users  spread.items]                     f32 n × e            where the record has a posterior: of s samples the deviations of the biases,
//!                                                                       e = s; otherwise variances, e = n_factors + 1; rounded up like d
//! [spread.user_prior  spread.item_prior]           f32 d + s or n_factors + 1     the variances of a row without ratings
//!
//! where the record has a schema, for both sides, g for their groups: what training saw of the columns
//! schema.S.several                                 u8 g                 1 where some cell had several values
//! schema.S.rows                                    u64 g × 2            rows with training ratings; those of them whose cell is empty
//! [schema.S.k.rows]                                u32 v                of categories: the rows with each value
//! [schema.S.k.tenths]                              f64 11 or 0          of numbers: the least, the tenths, the greatest; a group of the ratings has neither
//! [reference.rating.marks  .counts]                f32 m, u64 m or m + 1          where the record has a reference: values and how often each occurs, or edges and bins
//! [reference.score.marks  .counts]                 f32 m, u64 m + 1               likewise, of predictions
//! ```
//!
//! What a posterior costs, in bytes: samples of f factors each make d = s·⌈f/8⌉·8, so the tables take 4·(n_users + n_items)·d, s times those of one
//! model, and the deviations 4·(n_users + n_items)·⌈s/8⌉·8. Variances double the tables: 4·(n_users + n_items)·⌈(n_factors + 1)/8⌉·8.
//!
//! The order is fixed and nothing else may stand between: one model has one file. Here the directory alone is walked, so shapes are known to
//! agree before a byte of a section is read.

use crate::kernels::lanes::{LANES, padded};
use crate::storage::{Container, ElementType, Section, Source};
use crate::{Error, Result};

use super::of_training::{ProfilesAt, ReferenceAt};
use super::posterior::SpreadAt;
use super::record::Record;

// The width of the rows in the file; should the kernels ever want another one, the reader has to pad anew.
const _: () = assert!(LANES == 8);

/// Strings, one after the other.
#[derive(Debug)]
pub(super) struct StringsAt {
    pub(super) ends: Section,
    pub(super) bytes: Section,
}

/// Strings with their byte order.
#[derive(Debug)]
pub(super) struct IdsAt {
    pub(super) names: StringsAt,
    pub(super) sorted: Section,
}

/// A sparse matrix.
#[derive(Debug)]
pub(super) struct CsrAt {
    pub(super) starts: Section,
    pub(super) entries: Section,
}

/// A column of the catalog.
#[derive(Debug)]
pub(super) struct ColumnAt {
    pub(super) values: IdsAt,
    pub(super) rows: CsrAt,
}

/// A feature group.
#[derive(Debug)]
pub(super) struct GroupAt {
    pub(super) values: IdsAt,
    pub(super) counts: Section,
    pub(super) factors: Section,
    pub(super) biases: Option<Section>,
    pub(super) rows: CsrAt,
    pub(super) weights: Section,
}

/// Users or items.
#[derive(Debug)]
pub(super) struct SideAt {
    pub(super) ids: IdsAt,
    pub(super) titles: Option<StringsAt>,
    pub(super) column_names: StringsAt,
    pub(super) multi_valued: Section,
    pub(super) columns: Vec<ColumnAt>,
    pub(super) counts: Section,
    pub(super) factors: Section,
    pub(super) biases: Option<Section>,
    pub(super) group_names: StringsAt,
    pub(super) bags: Section,
    pub(super) groups: Vec<GroupAt>,
    pub(super) composed: Option<Section>,
    pub(super) composed_biases: Option<Section>,
}

/// All sections of a model file.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) users: SideAt,
    pub(super) items: SideAt,
    pub(super) seen: CsrAt,
    pub(super) baseline: Option<(Section, Section)>,
    pub(super) spread: Option<SpreadAt>,
    /// Users, items.
    pub(super) schema: Option<[ProfilesAt; 2]>,
    pub(super) reference: Option<ReferenceAt>,
}

impl SideAt {
    pub(super) fn n_rows(&self) -> u64 {
        self.ids.sorted.rows
    }
}

/// Walks along the directory.
pub(super) struct Walk<'c, S> {
    container: &'c Container<S>,
    next: usize,
    /// The length of a row of factors in the file.
    stride: u64,
    /// Whether rows are normalised.
    cosine: bool,
}

impl Layout {
    pub(super) fn of<S: Source>(container: &Container<S>, record: &Record) -> Result<Layout> {
        let mut walk = Walk {
            container,
            next: 0,
            stride: padded(record.n_factors as usize) as u64,
            cosine: record.is_cosine(),
        };
        let users = walk.side("users")?;
        let items = walk.side("items")?;
        let seen = walk.csr("seen.starts", "seen.items", users.n_rows())?;
        let baseline = match record.baseline_mean {
            Some(_) => Some((
                walk.vector(
                    "baseline.user_biases",
                    ElementType::F32,
                    Some(users.n_rows()),
                )?,
                walk.vector(
                    "baseline.item_biases",
                    ElementType::F32,
                    Some(items.n_rows()),
                )?,
            )),
            None => None,
        };
        let n_rows = [users.n_rows(), items.n_rows()];
        let spread = match record.posterior {
            Some(posterior) => Some(walk.spread(posterior, record.n_factors.into(), n_rows)?),
            None => None,
        };
        let schema = match record.schema {
            Some(_) => Some([
                walk.profiles("users", &users)?,
                walk.profiles("items", &items)?,
            ]),
            None => None,
        };
        let reference = match record.reference {
            Some(_) => Some(ReferenceAt {
                ratings: walk.histogram("reference.rating")?,
                scores: walk.histogram("reference.score")?,
            }),
            None => None,
        };
        if let Some(section) = container.sections().get(walk.next) {
            return Err(walk.unexpected(section, "the end of the directory"));
        }
        Ok(Layout {
            users,
            items,
            seen,
            baseline,
            spread,
            schema,
            reference,
        })
    }
}

impl<S: Source> Walk<'_, S> {
    fn side(&mut self, side: &str) -> Result<SideAt> {
        let ids = self.ids(&format!("{side}.ids"))?;
        let n_rows = ids.sorted.rows;
        let titles = match self.is_next(&format!("{side}.titles.ends")) {
            true => Some(self.strings(&format!("{side}.titles"), Some(n_rows))?),
            false => None,
        };
        let column_names = self.strings(&format!("{side}.columns"), None)?;
        let n_columns = column_names.ends.rows;
        let multi_valued = format!("{side}.columns.multi_valued");
        let multi_valued = self.vector(&multi_valued, ElementType::U8, Some(n_columns))?;
        let mut columns = Vec::new();
        for k in 0..n_columns {
            columns.push(self.column(&format!("{side}.column.{k}"), n_rows)?);
        }
        let counts = self.vector(&format!("{side}.counts"), ElementType::U32, Some(n_rows))?;
        let factors = self.table(&format!("{side}.factors"), n_rows)?;
        let biases = self.biases(&format!("{side}.biases"), n_rows)?;
        let group_names = self.strings(&format!("{side}.groups"), None)?;
        let n_groups = group_names.ends.rows;
        let bags = self.vector(
            &format!("{side}.groups.bags"),
            ElementType::U8,
            Some(n_groups),
        )?;
        let mut groups = Vec::new();
        for k in 0..n_groups {
            groups.push(self.group(&format!("{side}.group.{k}"), n_rows)?);
        }
        let (mut composed, mut composed_biases) = (None, None);
        let group_biases = groups.iter().find_map(|group| group.biases.as_ref());
        if let (true, Some(section)) = (self.cosine, biases.as_ref().or(group_biases)) {
            return Err(self.unexpected(section, "a model of cosines, without biases"));
        }
        if self.cosine || !groups.is_empty() {
            composed = Some(self.table(&format!("{side}.composed"), n_rows)?);
            if biases.is_some() || group_biases.is_some() {
                let name = format!("{side}.composed_biases");
                composed_biases = Some(self.vector(&name, ElementType::F32, Some(n_rows))?);
            }
        }
        Ok(SideAt {
            ids,
            titles,
            column_names,
            multi_valued,
            columns,
            counts,
            factors,
            biases,
            group_names,
            bags,
            groups,
            composed,
            composed_biases,
        })
    }

    fn column(&mut self, column: &str, n_rows: u64) -> Result<ColumnAt> {
        Ok(ColumnAt {
            values: self.ids(&format!("{column}.values"))?,
            rows: self.csr(
                &format!("{column}.starts"),
                &format!("{column}.entries"),
                n_rows,
            )?,
        })
    }

    fn group(&mut self, group: &str, n_rows: u64) -> Result<GroupAt> {
        let values = self.ids(&format!("{group}.values"))?;
        let n_values = values.sorted.rows;
        let counts = self.vector(&format!("{group}.counts"), ElementType::U32, Some(n_values))?;
        let factors = self.table(&format!("{group}.factors"), n_values)?;
        let biases = self.biases(&format!("{group}.biases"), n_values)?;
        let rows = self.csr(
            &format!("{group}.starts"),
            &format!("{group}.entries"),
            n_rows,
        )?;
        let n_entries = Some(rows.entries.rows);
        let weights = self.vector(&format!("{group}.weights"), ElementType::F32, n_entries)?;
        Ok(GroupAt {
            values,
            counts,
            factors,
            biases,
            rows,
            weights,
        })
    }

    fn ids(&mut self, name: &str) -> Result<IdsAt> {
        let names = self.strings(name, None)?;
        let n = names.ends.rows;
        if n > u64::from(u32::MAX) {
            let got = format!("{n} names");
            return Err(self
                .container
                .corrupt(names.ends.offset, got, "fewer than 2³²"));
        }
        let sorted = self.vector(&format!("{name}.sorted"), ElementType::U32, Some(n))?;
        Ok(IdsAt { names, sorted })
    }

    fn strings(&mut self, name: &str, n: Option<u64>) -> Result<StringsAt> {
        Ok(StringsAt {
            ends: self.vector(&format!("{name}.ends"), ElementType::U64, n)?,
            bytes: self.vector(&format!("{name}.bytes"), ElementType::U8, None)?,
        })
    }

    fn csr(&mut self, starts: &str, entries: &str, n_rows: u64) -> Result<CsrAt> {
        // n_rows counts names that lie in the file, so it is far from the greatest u64.
        Ok(CsrAt {
            starts: self.vector(starts, ElementType::U64, Some(n_rows + 1))?,
            entries: self.vector(entries, ElementType::U32, None)?,
        })
    }

    fn biases(&mut self, name: &str, n: u64) -> Result<Option<Section>> {
        match self.is_next(name) {
            true => self.vector(name, ElementType::F32, Some(n)).map(Some),
            false => Ok(None),
        }
    }

    fn table(&mut self, name: &str, n_rows: u64) -> Result<Section> {
        let section = self.take(name, ElementType::F32)?;
        // A table without columns has no bytes to tell its rows by.
        let rows = if self.stride == 0 { 0 } else { n_rows };
        self.check_shape(section, rows, self.stride)
    }

    pub(super) fn vector(
        &mut self,
        name: &str,
        element: ElementType,
        n: Option<u64>,
    ) -> Result<Section> {
        let section = self.take(name, element)?;
        let n = n.unwrap_or(section.rows);
        self.check_shape(section, n, 1)
    }

    pub(super) fn is_next(&self, name: &str) -> bool {
        let next = self.container.sections().get(self.next);
        next.is_some_and(|section| section.name == name)
    }

    pub(super) fn take(&mut self, name: &str, element: ElementType) -> Result<Section> {
        let Some(section) = self.container.sections().get(self.next) else {
            let got = "the end of the directory";
            let at = self.container.record_offset();
            return Err(self.container.corrupt(at, got, format!("section {name}")));
        };
        if section.name != name {
            return Err(self.unexpected(section, &format!("section {name}")));
        }
        if section.element != element {
            let got = format!("{name} of {}", section.element.name());
            return Err(self.container.corrupt(section.offset, got, element.name()));
        }
        self.next += 1;
        Ok(section.clone())
    }

    pub(super) fn check_shape(&self, section: Section, rows: u64, columns: u64) -> Result<Section> {
        if (section.rows, section.columns) != (rows, columns) {
            let got = format!("{} of {} × {}", section.name, section.rows, section.columns);
            let wanted = format!("{rows} × {columns}");
            return Err(self.container.corrupt(section.offset, got, wanted));
        }
        Ok(section)
    }

    fn unexpected(&self, section: &Section, wanted: &str) -> Error {
        let got = format!("section {}", section.name);
        self.container.corrupt(section.offset, got, wanted)
    }
}
