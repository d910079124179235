//! How do sections become a model again?
//!
//! Every array is read once, into memory of exactly its size, and believed only after it was looked at: numbers finite, padding zero,
//! starts rising, columns in range, names valid UTF-8, unique and in order. With a [`Pick`] of rows the same is done for those rows alone.

use super::layout::{ColumnAt, CsrAt, GroupAt, IdsAt, SideAt, StringsAt};
use crate::data::{Catalog, Column, Csr, Ids, Strings};
use crate::model::{Bag, Features, ModelGroup, ModelSide, Rows};
use crate::storage::{Container, Element, Section, Source};
use crate::{Error, Result};

/// Which rows of a side are wanted: all, or some by number and in that order.
pub(super) type Pick<'p> = Option<&'p [u32]>;

/// Reads parts of a model.
pub(super) struct Decoder<'c, S> {
    pub(super) container: &'c Container<S>,
    pub(super) n_factors: usize,
}

impl<S: Source> Decoder<'_, S> {
    pub(super) fn side(&self, at: &SideAt, pick: Pick<'_>) -> Result<ModelSide> {
        let all_ids = || self.ids(&at.ids);
        let ids = match pick {
            None => all_ids()?,
            Some(_) => self.strings(&at.ids.names, pick)?.iter().collect(),
        };
        let titles = at.titles.as_ref().map(|at| self.strings(at, pick));
        let mut columns = Vec::new();
        let names = self.strings(&at.column_names, None)?;
        let multi_valued = self.flags(&at.multi_valued)?;
        for ((at, name), multi_valued) in at.columns.iter().zip(names.iter()).zip(multi_valued) {
            columns.push(self.column(at, name, multi_valued, pick)?);
        }
        let mut groups = Vec::new();
        let names = self.strings(&at.group_names, None)?;
        let bags = self.bags(&at.bags)?;
        for ((at, name), bag) in at.groups.iter().zip(names.iter()).zip(bags) {
            groups.push(self.group(at, name, bag, pick)?);
        }
        let n_rows = pick.map_or(at.n_rows() as usize, <[u32]>::len);
        Ok(ModelSide {
            ids,
            catalog: Catalog {
                titles: titles.transpose()?,
                columns,
            },
            counts: self.numbers(&at.counts, pick)?,
            identity: self.table(&at.factors, n_rows, pick)?,
            identity_biases: self.biases(at.biases.as_ref(), pick)?,
            groups,
            composed: match &at.composed {
                Some(at) => Some(self.table(at, n_rows, pick)?),
                None => None,
            },
            composed_biases: self.biases(at.composed_biases.as_ref(), pick)?,
        })
    }

    fn column(&self, at: &ColumnAt, name: &str, multi_valued: bool, pick: Pick) -> Result<Column> {
        let values = self.ids(&at.values)?;
        Ok(Column {
            name: name.to_owned(),
            rows: self.csr(&at.rows, values.len(), pick)?,
            values,
            multi_valued,
        })
    }

    fn group(&self, at: &GroupAt, name: &str, bag: Bag, pick: Pick<'_>) -> Result<ModelGroup> {
        let values = self.ids(&at.values)?;
        let rows = self.csr(&at.rows, values.len(), pick)?;
        let weights = match pick {
            None => self.floats(&at.weights, None)?,
            Some(picked) => self.picked_weights(at, picked)?,
        };
        let features = Features::from_parts(rows, weights)
            .ok_or_else(|| self.bad(&at.weights, "weights that do not fit", "one an entry"))?;
        Ok(ModelGroup {
            name: name.to_owned(),
            counts: self.numbers(&at.counts, None)?,
            table: self.table(&at.factors, values.len(), None)?,
            biases: self.biases(at.biases.as_ref(), None)?,
            values,
            features,
            bag,
            profile: None,
        })
    }

    /// How each group weighs its features.
    fn bags(&self, at: &Section) -> Result<Vec<Bag>> {
        let numbers = self.numbers::<u8>(at, None)?;
        let bags = numbers.into_iter().map(|number| match number {
            0 => Ok(Bag::Sum),
            1 => Ok(Bag::Mean),
            2 => Ok(Bag::Sqrt),
            _ => Err(self.bad(at, "a number that no bag has", "0, 1 or 2")),
        });
        bags.collect()
    }

    /// The error of a section as a whole.
    pub(super) fn bad(&self, at: &Section, got: &str, wanted: &str) -> Error {
        let got = format!("{} with {got}", at.name);
        self.container.corrupt(at.offset, got, wanted)
    }

    /// The elements of all rows, or of the rows picked.
    pub(super) fn numbers<T: Element>(&self, at: &Section, pick: Pick<'_>) -> Result<Vec<T>> {
        let mut cursor = self.container.cursor(at);
        let Some(picked) = pick else {
            return cursor.all();
        };
        let mut values = Vec::new();
        for &row in picked {
            let start = u64::from(row) * at.columns;
            cursor.append(start..start + at.columns, &mut values)?;
        }
        Ok(values)
    }

    /// Finite numbers.
    pub(super) fn floats(&self, at: &Section, pick: Pick<'_>) -> Result<Vec<f32>> {
        self.checked(at, pick, |x| x.is_finite(), "a finite number")
    }

    pub(super) fn checked(
        &self,
        at: &Section,
        pick: Pick<'_>,
        is_good: fn(f32) -> bool,
        wanted: &str,
    ) -> Result<Vec<f32>> {
        let values: Vec<f32> = self.numbers(at, pick)?;
        let Some(bad) = values.iter().position(|&x| !is_good(x)) else {
            return Ok(values);
        };
        let in_file = match pick {
            None => bad as u64,
            Some(picked) => {
                let columns = (at.columns as usize).max(1);
                u64::from(picked[bad / columns]) * at.columns + (bad % columns) as u64
            }
        };
        let got = format!("{} in {}", values[bad], at.name);
        Err(self.container.corrupt(at.offset_of(in_file), got, wanted))
    }

    fn biases(&self, at: Option<&Section>, pick: Pick<'_>) -> Result<Option<Vec<f32>>> {
        at.map(|at| self.floats(at, pick)).transpose()
    }

    fn table(&self, at: &Section, n_rows: usize, pick: Pick<'_>) -> Result<Rows> {
        self.rows(at, n_rows, self.n_factors, self.floats(at, pick)?)
    }

    pub(super) fn rows(
        &self,
        at: &Section,
        n_rows: usize,
        length: usize,
        values: Vec<f32>,
    ) -> Result<Rows> {
        Rows::from_padded(n_rows, length, values)
            .ok_or_else(|| self.bad(at, "padding that is not 0", "rows padded with zeros"))
    }

    pub(super) fn flags(&self, at: &Section) -> Result<Vec<bool>> {
        let flags: Vec<u8> = self.numbers(at, None)?;
        match flags.iter().position(|&flag| flag > 1) {
            Some(n) => {
                let got = format!("{} in {}", flags[n], at.name);
                Err(self
                    .container
                    .corrupt(at.offset_of(n as u64), got, "0 or 1"))
            }
            None => Ok(flags.into_iter().map(|flag| flag == 1).collect()),
        }
    }

    fn utf8(&self, at: &Section, first: u64, bytes: Vec<u8>) -> Result<String> {
        String::from_utf8(bytes).map_err(|error| {
            let utf8 = error.utf8_error();
            let offset = at.offset_of(first.saturating_add(utf8.valid_up_to() as u64));
            let got = format!("{} that is no UTF-8", at.name);
            self.container.corrupt(offset, got, "UTF-8")
        })
    }

    pub(super) fn strings(&self, at: &StringsAt, pick: Pick<'_>) -> Result<Strings> {
        if let Some(picked) = pick {
            return self.picked_strings(at, picked);
        }
        let bytes = self.utf8(&at.bytes, 0, self.numbers(&at.bytes, None)?)?;
        Strings::from_parts(bytes, self.numbers(&at.ends, None)?).ok_or_else(|| {
            let wanted = "ends that rise to the number of bytes, each after a whole character";
            self.bad(&at.ends, "ends that are none", wanted)
        })
    }

    fn picked_strings(&self, at: &StringsAt, picked: &[u32]) -> Result<Strings> {
        let mut reader = self.name_reader(at);
        let (mut strings, mut total) = (Strings::default(), 0);
        for &row in picked {
            let string = reader.get(row)?;
            total += string.len() as u64;
            self.check_total(&at.bytes, total)?;
            strings.push(&string);
        }
        Ok(strings)
    }

    /// Rows that overlap could ask for more than the file holds; rows of a true file do not.
    fn check_total(&self, at: &Section, total: u64) -> Result<()> {
        if total > at.n_elements() {
            return Err(self.bad(at, "rows that overlap", "rows one after the other"));
        }
        Ok(())
    }

    pub(super) fn ids(&self, at: &IdsAt) -> Result<Ids> {
        let names = self.strings(&at.names, None)?;
        Ids::from_parts(names, self.numbers(&at.sorted, None)?).ok_or_else(|| {
            let wanted = "every row once, in the byte order of unique names";
            self.bad(&at.sorted, "another order", wanted)
        })
    }

    pub(super) fn csr(&self, at: &CsrAt, n_columns: usize, pick: Pick<'_>) -> Result<Csr> {
        let (starts, entries) = match pick {
            None => (
                self.numbers(&at.starts, None)?,
                self.numbers(&at.entries, None)?,
            ),
            Some(picked) => {
                let (mut starts, mut entries) = (vec![0], Vec::new());
                let mut cursor = self.container.cursor(&at.entries);
                for range in self.ranges(at, picked)? {
                    cursor.append(range, &mut entries)?;
                    starts.push(entries.len() as u64);
                }
                (starts, entries)
            }
        };
        Csr::from_parts(starts, entries, n_columns).ok_or_else(|| {
            let wanted =
                format!("starts that rise from 0 to their number, and columns below {n_columns}");
            self.bad(&at.entries, "entries that do not fit", &wanted)
        })
    }

    fn picked_weights(&self, at: &GroupAt, picked: &[u32]) -> Result<Vec<f32>> {
        let mut weights = Vec::new();
        let mut cursor = self.container.cursor(&at.weights);
        for range in self.ranges(&at.rows, picked)? {
            cursor.append(range, &mut weights)?;
        }
        Ok(weights)
    }

    /// Where the entries of the picked rows stand.
    fn ranges(&self, at: &CsrAt, picked: &[u32]) -> Result<Vec<std::ops::Range<u64>>> {
        let mut cursor = self.container.cursor(&at.starts);
        let (mut ranges, mut total) = (Vec::with_capacity(picked.len()), 0u64);
        for &row in picked {
            let (start, end): (u64, u64) =
                (cursor.one(row.into())?, cursor.one(u64::from(row) + 1)?);
            if start > end || end > at.entries.rows {
                let got = format!("a row from {start} to {end} in {}", at.starts.name);
                let offset = at.starts.offset_of(row.into());
                let wanted = format!("a row within {} entries", at.entries.rows);
                return Err(self.container.corrupt(offset, got, wanted));
            }
            total += end - start;
            self.check_total(&at.entries, total)?;
            ranges.push(start..end);
        }
        Ok(ranges)
    }

    pub(super) fn name_reader<'n>(&'n self, at: &'n StringsAt) -> NameReader<'n, S> {
        NameReader {
            decoder: self,
            at,
            ends: self.container.cursor(&at.ends),
            bytes: self.container.cursor(&at.bytes),
        }
    }
}

/// Reads single strings.
pub(super) struct NameReader<'n, S> {
    decoder: &'n Decoder<'n, S>,
    at: &'n StringsAt,
    ends: crate::storage::Cursor<'n, S>,
    bytes: crate::storage::Cursor<'n, S>,
}

impl<S: Source> NameReader<'_, S> {
    pub(super) fn get(&mut self, row: u32) -> Result<String> {
        let start = match row.checked_sub(1) {
            Some(before) => self.ends.one(before.into())?,
            None => 0u64,
        };
        let end: u64 = self.ends.one(row.into())?;
        if start > end || end > self.at.bytes.rows {
            let got = format!("a name from {start} to {end} in {}", self.at.ends.name);
            let wanted = format!("a name within {} bytes", self.at.bytes.rows);
            let offset = self.at.ends.offset_of(row.into());
            return Err(self.decoder.container.corrupt(offset, got, wanted));
        }
        let mut bytes = Vec::new();
        self.bytes.append(start..end, &mut bytes)?;
        self.decoder.utf8(&self.at.bytes, start, bytes)
    }
}
