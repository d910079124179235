//! Which features does a model expect, and what did training see of them?
//!
//! A feature is the same in training and ever after if the column, what becomes of a cell, and the names of the table's rows are the same: that is the **schema**, and what the
//! fingerprint is of. Beside it stands a **profile** of the cells that training saw, those of the rows with training ratings, each row once: enough to notice later that
//! a column came in other units.
//!
//! ```text
//! category    how many rows have each value
//! number      q_k, the least number with at least k tenths of the numbers at or below it; q_0 is the least of all, q_10 the greatest
//! ```
//!
//! The **fingerprint** is FNV-1a of 128 bits (Fowler, Noll and Vo; draft-eastlake-fnv) over the schema in one spelling: columns by name, values in byte order, numbers by their bits. So the order of rows and
//! of columns does not count. It tells schemas apart that differ by accident; it is no seal against somebody who wants two to look alike.

use super::Bag;
use crate::data::{Column, Ids};
use crate::model::measure::number;
use crate::model::{Measure, Model, ModelGroup, ModelSide};

/// The features that a model expects.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema<'m> {
    /// Those of the users, in the order of their groups.
    pub users: Vec<ColumnSchema<'m>>,
    /// Those of the items.
    pub items: Vec<ColumnSchema<'m>>,
}

/// What becomes of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSchema<'m> {
    /// Its name in the file.
    pub name: &'m str,
    /// What becomes of a number; `None` of categories.
    pub measure: Option<Measure>,
    /// How the values of a cell are weighed.
    pub bag: Bag,
    /// The rows of the table: the categories that are known, or the names that the measure gave.
    pub values: &'m Ids,
    /// What training saw.
    pub profile: &'m Profile,
}

/// What training saw of a column: the cells of the rows that have training ratings, each row once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Whether some cell of the file had several values.
    pub several: bool,
    /// The rows.
    pub rows: u64,
    /// How many of them have an empty cell.
    pub empty: u64,
    /// How the others differ.
    pub spread: CellSpread,
}

/// How the cells of a column differ.
#[derive(Clone, Debug, PartialEq)]
pub enum CellSpread {
    /// Of categories: how many rows have each value, in the order of the values.
    Rows(Vec<u32>),
    /// Of numbers: the least, the tenths, the greatest, eleven that do not fall; none where no row has a number.
    Tenths(Vec<f64>),
}

impl Default for CellSpread {
    fn default() -> CellSpread {
        CellSpread::Rows(Vec::new())
    }
}

impl Profile {
    /// Of a column whose table has the rows `values`; `counts` are the training ratings of each row.
    ///
    /// # Panics
    /// Where there are fewer counts than rows.
    pub fn of(column: &Column, values: &Ids, counts: &[u32]) -> Profile {
        let rated = || (0..column.rows.n_rows()).filter(|&row| counts[row] > 0);
        let cells = || rated().map(|row| column.rows.row(row));
        let spread = match Measure::from_names(values) {
            None => {
                let mut rows = vec![0; values.len()];
                cells().flatten().for_each(|&v| rows[v as usize] += 1);
                CellSpread::Rows(rows)
            }
            Some(_) => {
                let of_cell = |&v: &u32| number(column.values.name(v));
                CellSpread::Tenths(tenths(cells().flatten().filter_map(of_cell).collect()))
            }
        };
        Profile {
            several: column.multi_valued,
            rows: rated().count() as u64,
            empty: cells().filter(|cell| cell.is_empty()).count() as u64,
            spread,
        }
    }

    /// The least and the greatest number of training.
    pub fn range(&self) -> Option<(f64, f64)> {
        match &self.spread {
            CellSpread::Tenths(tenths) => Some((*tenths.first()?, *tenths.last()?)),
            CellSpread::Rows(_) => None,
        }
    }
}

/// q_0 to q_10: q_k is number ⌈k·n/10⌉ of n, counted from 1 as they rise.
fn tenths(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let n = numbers.len();
    let place = |k: usize| (k * n).div_ceil(10).saturating_sub(1);
    match n {
        0 => Vec::new(),
        _ => (0..=10).map(|k| numbers[place(k)]).collect(),
    }
}

impl Model {
    /// The features that it expects; `None` of a model without, and of a file from before models knew.
    pub fn schema(&self) -> Option<Schema<'_>> {
        let schema = Schema {
            users: self.users.columns(),
            items: self.items.columns(),
        };
        (!schema.users.is_empty() || !schema.items.is_empty()).then_some(schema)
    }
}

impl ModelSide {
    /// The schema of the groups that are made of columns.
    pub(crate) fn columns(&self) -> Vec<ColumnSchema<'_>> {
        let groups = self.groups.iter();
        groups.filter_map(ModelGroup::column).collect()
    }
}

impl ModelGroup {
    /// What becomes of its column; `None` of a group that is made of the ratings.
    pub(crate) fn column(&self) -> Option<ColumnSchema<'_>> {
        Some(ColumnSchema {
            name: &self.name,
            measure: Measure::from_names(&self.values),
            bag: self.bag,
            values: &self.values,
            profile: self.profile.as_ref()?,
        })
    }
}

impl Schema<'_> {
    /// What it is known by: equal schemas have equal fingerprints, whatever was rated how often.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Fnv::default();
        hash.text("lowrank schema 1");
        for (side, columns) in [("users", &self.users), ("items", &self.items)] {
            hash.text(side);
            hash.number(columns.len() as u64);
            let mut columns: Vec<_> = columns.iter().collect();
            columns.sort_unstable_by_key(|column| column.name);
            columns
                .into_iter()
                .for_each(|column| column.spell(&mut hash));
        }
        Fingerprint(hash.0)
    }
}

impl ColumnSchema<'_> {
    /// `category`, `bins` or `number`.
    pub fn kind(&self) -> &'static str {
        match self.measure {
            None => "category",
            Some(Measure::Bins(_)) => "bins",
            Some(Measure::Standard { .. }) => "number",
        }
    }

    fn spell(&self, hash: &mut Fnv) {
        hash.text(self.name);
        hash.text(self.kind());
        hash.text(if self.profile.several {
            "several"
        } else {
            "one"
        });
        hash.text(self.bag.name());
        match &self.measure {
            None => {
                hash.number(self.values.len() as u64);
                for &value in self.values.sorted() {
                    hash.text(self.values.name(value));
                }
            }
            Some(Measure::Bins(edges)) => {
                hash.number(edges.len() as u64);
                edges.iter().for_each(|edge| hash.number(edge.to_bits()));
            }
            Some(Measure::Standard { mean, deviation }) => {
                hash.number(mean.to_bits());
                hash.number(deviation.to_bits());
            }
        }
    }
}

/// What a schema is known by; shown as `fnv1a-128:` and 32 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub(crate) u128);

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "fnv1a-128:{:032x}", self.0)
    }
}

/// FNV-1a, 128 bits.
struct Fnv(u128);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let mixed = self.0 ^ u128::from(byte);
            self.0 = mixed.wrapping_mul((1 << 88) + 0x13b);
        }
    }

    fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// Its length first: no two lists of texts are one spelling.
    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Csr;
    use crate::model::example;

    #[test]
    fn the_hash_is_the_published_one() {
        // draft-eastlake-fnv: of nothing, of "a" and of "foobar".
        for (text, wanted) in [
            ("", 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128),
            ("a", 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964),
            ("foobar", 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18),
        ] {
            let mut hash = Fnv::default();
            hash.bytes(text.as_bytes());
            assert_eq!(hash.0, wanted, "{text}");
        }
    }

    #[test]
    fn tenths_are_numbers_that_were_there() {
        assert_eq!(tenths(vec![]), [0.0; 0]);
        assert_eq!(tenths(vec![7.0]), [7.0; 11]);
        let twenty: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        let wanted = [1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0];
        assert_eq!(tenths(twenty), wanted);
    }

    /// A model whose genres have a profile.
    fn model() -> Model {
        let mut model = example::model();
        let items = &mut model.items;
        items.groups[0].profile = Some(Profile::of(
            &items.catalog.columns[0],
            &items.groups[0].values,
            &items.counts,
        ));
        model
    }

    #[test]
    fn a_profile_is_of_the_rows_with_ratings() {
        let model = model();
        let schema = model.schema().unwrap();
        let [genres] = &schema.items[..] else {
            panic!()
        };
        assert_eq!((genres.name, genres.kind()), ("genres", "category"));
        let wanted = Profile {
            several: true,
            rows: 4,
            empty: 0,
            spread: CellSpread::Rows(vec![1, 3, 2]),
        };
        assert_eq!(genres.profile, &wanted);
        let year = &model.items.catalog.columns[1];
        let names = Measure::Bins(vec![1990.0]).names();
        let profile = Profile::of(year, &names, &[1, 1, 0, 0]);
        assert_eq!((profile.rows, profile.range()), (2, Some((1999.0, 2010.0))));
        assert_eq!(example::model().schema(), None);
    }

    #[test]
    fn the_fingerprint_is_of_the_schema_alone() {
        let of = |change: fn(&mut ModelGroup)| {
            let mut model = model();
            change(&mut model.items.groups[0]);
            model.schema().unwrap().fingerprint().0
        };
        let same = of(|_| ());
        assert_eq!(
            of(|group| group.values = ["Horror", "Action", "Sci-Fi"].into_iter().collect()),
            same,
            "in another order of rows"
        );
        let seen = of(|group| {
            group.profile.as_mut().unwrap().rows = 9;
            group.counts[0] = 1;
            group.features = super::super::Features::new(Csr::default(), Bag::Sum);
        });
        assert_eq!(seen, same, "of other rows");
        let others: [fn(&mut ModelGroup); 6] = [
            |group| group.name = "genre".into(),
            |group| group.bag = Bag::Sum,
            |group| group.profile.as_mut().unwrap().several = false,
            |group| group.values = ["Action", "Sci-Fi"].into_iter().collect(),
            |group| group.values = Measure::Bins(vec![1.0]).names(),
            |group| group.values = Measure::standard(vec![1.0, 2.0]).names(),
        ];
        let mut all: Vec<u128> = others.into_iter().map(of).collect();
        all.push(same);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 7, "each another");
        let shown = Fingerprint(0xab).to_string();
        assert_eq!(shown, "fnv1a-128:000000000000000000000000000000ab");
    }
}
