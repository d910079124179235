//! What does a model make of features that are newer than its training?
//!
//! A table of users or items meets the model's [schema](crate::model::Schema): columns are found by name, cells become weights by the very code that training used, and rows are composed anew.
//!
//! ```text
//! a row that the model has         q_i + Σ w'·y        its own row, with the features of the table
//! one that it has not                  Σ w'·y          its features alone, without bias of its own
//! one that the table has not       as it was
//! ```
//!
//! Before that, [`skew`] holds the table against what training saw. A row that the model has not, and of whose features it knows none, stays unknown.
//!
//! | file | question |
//! |---|---|
//! | [`skew`] | is the table what training saw, in the same units? |

pub mod skew;

pub use skew::{OnSkew, Skew, SkewKind};

use crate::data::{Catalog, Column, Csr, Ids, Interner, SideTable, Strings};
use crate::model::{Features, ModelGroup, ModelSide, Posterior, Rows, Similarity, Spread};
use crate::{Error, Model, Result};

/// A model with newer features, and what was found on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Fresh {
    /// The model; its schema is the one of training.
    pub model: Model,
    /// Rows of the table that the model has.
    pub known: usize,
    /// How many of them have other features now.
    pub changed: usize,
    /// Rows that the model has only now; they follow its own.
    pub added: usize,
    /// Rows that it still has not, because it knows none of their features.
    pub unplaced: usize,
    /// How the table differs from what training saw.
    pub skew: Vec<Skew>,
}

impl Model {
    /// The model with the features, titles and further rows of a table of items.
    ///
    /// # Errors
    /// [`Error::File`] where the table differs from the schema in what `policy` refuses; [`Error::Config`] of a model whose items have no features.
    pub fn with_items(&self, table: &SideTable, policy: OnSkew) -> Result<Fresh> {
        let met = Met::new(&self.items, "item", self.similarity(), table, policy)?;
        let mut model = self.clone();
        if let Some(baseline) = &mut model.baseline {
            baseline.item_biases.resize(met.side.ids.len(), 0.0);
        }
        if let Some(Posterior { spread, .. }) = &mut model.posterior {
            let (Spread::Samples { items, .. } | Spread::Variances { items, .. }) = spread;
            *items = lengthened(items, met.side.ids.len());
        }
        Ok(met.into_fresh(model, |model, side| model.items = side))
    }

    /// [`with_items`](Model::with_items) of users. The model has to be a whole one: of [a few users](crate::artifact::ModelFile::model_for_users) all others would seem new.
    ///
    /// # Errors
    /// As `with_items`.
    pub fn with_users(&self, table: &SideTable, policy: OnSkew) -> Result<Fresh> {
        let met = Met::new(&self.users, "user", self.similarity(), table, policy)?;
        let mut model = self.clone();
        let n_rows = met.side.ids.len();
        if let Some(baseline) = &mut model.baseline {
            baseline.user_biases.resize(n_rows, 0.0);
        }
        if let Some(Posterior { spread, .. }) = &mut model.posterior {
            let (Spread::Samples { users, .. } | Spread::Variances { users, .. }) = spread;
            *users = lengthened(users, n_rows);
        }
        (model.seen.n_rows()..n_rows).for_each(|_| model.seen.push_row(&[]));
        Ok(met.into_fresh(model, |model, side| model.users = side))
    }
}

/// A side that has met a table.
struct Met {
    side: ModelSide,
    known: usize,
    changed: usize,
    added: usize,
    unplaced: usize,
    skew: Vec<Skew>,
}

impl Met {
    fn new(
        side: &ModelSide,
        what: &'static str,
        similarity: Similarity,
        table: &SideTable,
        policy: OnSkew,
    ) -> Result<Met> {
        let columns = side.columns();
        if columns.is_empty() {
            return Err(Error::config(
                format!("{what}s"),
                table.name.display(),
                format!(
                    "no file: the model has no features of {what}s that it could be read for (or was trained before models kept a schema)"
                ),
            ));
        }
        let skew = skew::find(side, what, &columns, table);
        policy.judge(table, &skew)?;

        let fresh = |group: &ModelGroup| {
            let schema = group.column()?;
            let column = table.catalog.column(schema.name)?;
            let measure = schema.measure.as_ref();
            Some(Features::of_column(
                column,
                schema.values,
                measure,
                schema.bag,
            ))
        };
        let fresh: Vec<Option<Features>> = side.groups.iter().map(fresh).collect();
        let places = Places::new(side, table, &fresh);
        let same = |group: &ModelGroup, fresh: &Features, old: usize, new: u32| {
            let (old, new) = (group.features.row(old), fresh.row(new as usize));
            old.eq(new)
        };
        let groups = || side.groups.iter().zip(&fresh);
        let changes = |(old, new): (usize, u32)| {
            groups().any(|(group, fresh)| {
                fresh
                    .as_ref()
                    .is_some_and(|fresh| !same(group, fresh, old, new))
            })
        };
        let known = places.rows.iter().take(side.ids.len()).enumerate();
        let known = known.filter_map(|(old, &new)| Some((old, new?)));
        let changed = known.clone().filter(|&pair| changes(pair)).count();
        Ok(Met {
            known: known.count(),
            changed,
            added: places.rows.len() - side.ids.len(),
            unplaced: places.unplaced,
            skew,
            side: places.side(side, similarity, table, &fresh),
        })
    }

    fn into_fresh(self, mut model: Model, put: impl FnOnce(&mut Model, ModelSide)) -> Fresh {
        put(&mut model, self.side);
        Fresh {
            model,
            known: self.known,
            changed: self.changed,
            added: self.added,
            unplaced: self.unplaced,
            skew: self.skew,
        }
    }
}

/// Which row of the table each row of the new side has, its own rows first.
struct Places {
    rows: Vec<Option<u32>>,
    ids: Ids,
    unplaced: usize,
}

impl Places {
    fn new(side: &ModelSide, table: &SideTable, fresh: &[Option<Features>]) -> Places {
        let mut ids = Interner::from_ids(&side.ids);
        let (mut rows, mut unplaced) = (vec![None; side.ids.len()], 0);
        let says_something = |row: u32| {
            side.groups.iter().zip(fresh).any(|(group, fresh)| {
                fresh.as_ref().is_some_and(|fresh| {
                    let mut features = fresh.row(row as usize);
                    features.any(|(f, w)| w != 0.0 && group.counts[f as usize] > 0)
                })
            })
        };
        for (id, row) in table.ids.names().iter().zip(0..) {
            match ids.get(id) {
                Some(known) => rows[known as usize] = Some(row),
                None if says_something(row) => {
                    ids.intern(id);
                    rows.push(Some(row));
                }
                None => unplaced += 1,
            }
        }
        Places {
            rows,
            ids: ids.finish(),
            unplaced,
        }
    }

    /// (row of the side, if it has one; row of the table, if it has one), row by row.
    fn pairs(&self, n_own: usize) -> impl Iterator<Item = (Option<usize>, Option<u32>)> + '_ {
        let own = (0..n_own).map(Some).chain(std::iter::repeat(None));
        own.zip(self.rows.iter().copied())
    }

    fn side(
        self,
        side: &ModelSide,
        similarity: Similarity,
        table: &SideTable,
        fresh: &[Option<Features>],
    ) -> ModelSide {
        let (n_own, n_rows) = (side.ids.len(), self.rows.len());
        let lengthen = |biases: &Vec<f32>| {
            let mut biases = biases.clone();
            biases.resize(n_rows, 0.0);
            biases
        };
        let mut counts = side.counts.clone();
        counts.resize(n_rows, 0);
        let groups = side.groups.iter().zip(fresh);
        let groups = groups.map(|(group, fresh)| ModelGroup {
            features: self.features(n_own, &group.features, fresh.as_ref()),
            ..group.clone()
        });
        let mut met = ModelSide {
            catalog: Catalog {
                titles: self.titles(n_own, side, table),
                columns: {
                    let columns = side.catalog.columns.iter();
                    columns.map(|own| self.column(n_own, own, table)).collect()
                },
            },
            counts,
            identity: lengthened(&side.identity, n_rows),
            identity_biases: side.identity_biases.as_ref().map(lengthen),
            groups: groups.collect(),
            composed: None,
            composed_biases: None,
            ids: self.ids,
        };
        met.compose(similarity);
        met
    }

    /// Of the table where it has them, else the row's own.
    fn features(&self, n_own: usize, own: &Features, fresh: Option<&Features>) -> Features {
        let mut all = Features::default();
        for pair in self.pairs(n_own) {
            match (pair, fresh) {
                ((_, Some(row)), Some(fresh)) => all.push_row(fresh, row as usize),
                ((Some(row), _), _) => all.push_row(own, row),
                ((None, _), _) => all.push_empty(),
            }
        }
        all
    }

    fn titles(&self, n_own: usize, side: &ModelSide, table: &SideTable) -> Option<Strings> {
        if side.catalog.titles.is_none() && table.catalog.titles.is_none() {
            return None;
        }
        let titles = self.pairs(n_own).map(|(own, fresh)| {
            let own = own.and_then(|row| side.catalog.title(row as u32));
            fresh.and_then(|row| table.catalog.title(row)).or(own)
        });
        Some(titles.map(Option::unwrap_or_default).collect())
    }

    /// The cells of a column of the catalog, which conditions ask for.
    fn column(&self, n_own: usize, own: &Column, table: &SideTable) -> Column {
        let mut values = Interner::from_ids(&own.values);
        let fresh = table.catalog.column(&own.name);
        let mut rows = Csr::default();
        for pair in self.pairs(n_own) {
            match (pair, fresh) {
                ((_, Some(row)), Some(fresh)) => {
                    let cell: Vec<u32> = fresh.of(row).map(|value| values.intern(value)).collect();
                    rows.push_row(&cell);
                }
                ((Some(row), _), _) => rows.push_row(own.rows.row(row)),
                ((None, _), _) => rows.push_row(&[]),
            }
        }
        Column {
            name: own.name.clone(),
            values: values.finish(),
            rows,
            multi_valued: own.multi_valued || fresh.is_some_and(|fresh| fresh.multi_valued),
        }
    }
}

/// The rows, and zeros after them.
fn lengthened(rows: &Rows, n_rows: usize) -> Rows {
    let mut values = rows.as_padded_slice().to_vec();
    values.resize(n_rows * rows.stride(), 0.0);
    Rows::from_padded(n_rows, rows.n_factors(), values).expect("rows of zeros are whole rows")
}

#[cfg(test)]
mod tests;
