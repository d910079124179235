//! How much memory will a training take, and for what?
//!
//! Counted from the data and the configuration, before anything is allocated:
//!
//! | kind | bytes |
//! |---|---|
//! | `ratings` | 12 a rating, held-out ones too; 4 more with weights, 8 more with times |
//! | `names` | names, titles and columns of users and items |
//! | `layout` | in blocks 8 a rating (4 more with weights), 8 for every row of every block that it occurs in, and 20 a row; in mini-batches 4 a rating, and the batch |
//! | `tables` | 4 a number of a row, which is padded to a multiple of 8 factors, and a bias |
//! | `moments` | as the tables, once or more, as the optimizer needs; clocks of the rows |
//! | `gradients` | of the rows that a step touches, and what features add to the rows |
//! | `last_good` | the tables once more, to go back to where an epoch diverges |
//! | `best_epoch` | the tables once more, where ratings are held out and the best epoch is kept |
//! | `seen` | when all is done: 4 a rating, 8 a user |
//! | `model` | when all is done: what is saved, but for the seen lists |
//!
//! In how many blocks a row occurs is taken as if its n ratings were spread at random: B·(1 − (1 − 1/B)ⁿ). All other figures are those of the arrays themselves; what an allocator adds, and what is held for a
//! moment only (while the ratings are read, split or sorted), is not counted. A way of training that does not hold all ratings puts its buffers in the place of `ratings` and `layout`, in [`Memory::of`].

use serde::Serialize;

use crate::artifact::model_file::{Shape, SideShape};
use crate::cli::train::inputs::Inputs;
use crate::data::layout::order::{blocks_for_steps, blocks_for_tasks, count};
use crate::data::{Catalog, Ids, Interactions, SideData, Strings};
use crate::gradient::Objective;
use crate::kernels::lanes::padded;
use crate::model::Reference;
use crate::optimizer::OptimizerKind;
use crate::training::groups::Chosen;
use crate::training::{Batch, Checked, ClipRule, Config, Keep};

/// Bytes of each kind; see the table at the top of the file.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Memory {
    ratings: u64,
    names: u64,
    layout: u64,
    tables: u64,
    moments: u64,
    gradients: u64,
    last_good: u64,
    best_epoch: u64,
    seen: u64,
    model: u64,
    /// All of them.
    total: u64,
}

/// What the figures are counted from.
pub struct Sizes<'a> {
    /// What is trained on.
    pub inputs: &'a Inputs,
    /// With nothing left to the data.
    pub checked: &'a Checked,
    /// Of the users, of the items.
    pub columns: &'a [Chosen; 2],
}

/// Rows of a table, and whether they have biases.
#[derive(Clone, Copy)]
struct TableSize {
    n_rows: usize,
    biases: bool,
}

impl TableSize {
    fn bytes(self, n_factors: usize) -> u64 {
        let a_row = 4 * padded(n_factors) + 4 * usize::from(self.biases);
        (self.n_rows * a_row) as u64
    }
}

impl Sizes<'_> {
    fn config(&self) -> &Config {
        self.checked.config()
    }

    fn sides(&self) -> [(&SideData, &Chosen, &[u32]); 2] {
        let (train, [users, items]) = (&self.inputs.train, self.columns);
        let ratings = &train.interactions;
        [
            (&train.users, users, &ratings.users),
            (&train.items, items, &ratings.items),
        ]
    }

    /// The tables of a side: its own, then those of its features.
    fn tables(&self, side: &SideData, chosen: &Chosen) -> Vec<TableSize> {
        let own = TableSize {
            n_rows: side.ids.len(),
            biases: self.config().biases,
        };
        let groups = chosen.used.iter().filter_map(|used| {
            let column = side.catalog.column(used.name())?;
            Some(TableSize {
                n_rows: used.values(column).len(),
                biases: self.config().group_biases,
            })
        });
        std::iter::once(own).chain(groups).collect()
    }

    fn all_tables(&self) -> Vec<TableSize> {
        let sides = self.sides();
        let tables = sides
            .iter()
            .map(|(side, chosen, _)| self.tables(side, chosen));
        tables.collect::<Vec<_>>().concat()
    }

    /// B, where ratings are cut into blocks.
    pub fn n_blocks(&self) -> Option<usize> {
        let data = &self.inputs.train;
        let (n, n_users, n_items) = (data.n_ratings(), data.n_users(), data.n_items());
        match self.config().batch {
            Batch::Size(_) => None,
            Batch::Blocks => Some(blocks_for_steps(n, n_users, n_items)),
            _ => Some(blocks_for_tasks(n, n_users, n_items)),
        }
    }

    /// Numbers to learn, padding not counted.
    pub fn n_parameters(&self) -> usize {
        let n_factors = self.config().factors();
        let numbers = |table: &TableSize| table.n_rows * (n_factors + usize::from(table.biases));
        self.all_tables().iter().map(numbers).sum()
    }

    /// The bytes of the model's file.
    pub fn model_file(&self) -> u64 {
        let config = self.config();
        let [users, items] = self.sides().map(|(side, chosen, _)| SideShape {
            ids: &side.ids,
            catalog: &side.catalog,
            used: &chosen.used,
            biases: config.biases,
            group_biases: config.group_biases,
        });
        // Numbers take their eight bytes, whatever they are.
        let purpose = Objective {
            loss: config.loss,
            similarity: config.score_of(),
            ..Objective::default()
        }
        .purpose();
        // Ratings are in memory here.
        let ratings = Reference::ratings_of(&self.inputs.train).ok();
        let shape = Shape {
            n_factors: config.factors(),
            users,
            items,
            n_seen: self.inputs.train.n_ratings(),
            global_mean: config.global_mean,
            link: config.link,
            clipped: config.clip != ClipRule::None,
            spread: None,
            purpose: purpose.as_ref(),
            ratings: ratings.as_ref(),
        };
        shape.file_bytes()
    }

    fn layout(&self) -> u64 {
        let ratings = &self.inputs.train.interactions;
        let n = ratings.len();
        let weight = 4 * usize::from(ratings.weights.is_some());
        match (self.config().batch, self.n_blocks()) {
            (Batch::Size(size), _) => (4 * n + (24 + weight) * size.min(n)) as u64,
            (_, blocks) => {
                let n_blocks = blocks.unwrap_or(1) as f64;
                let of_rows = self.sides().map(|(side, _, rows)| {
                    let counts = count(rows, side.ids.len());
                    let occurs = |&count: &u32| {
                        n_blocks * (1.0 - (1.0 - 1.0 / n_blocks).powf(f64::from(count)))
                    };
                    let cells: f64 = counts.iter().map(occurs).sum();
                    8 * cells as u64 + 20 * counts.len() as u64
                });
                ((8 + weight) * n) as u64 + of_rows.iter().sum::<u64>()
            }
        }
    }

    fn moments(&self) -> u64 {
        let (n_factors, kind) = (self.config().factors(), self.checked.optimizer().kind);
        let clock = 4 * u64::from(self.config().batch == Batch::Blocks);
        let of = |table: &TableSize| {
            let moments = match kind {
                // The second moment is one number a row.
                OptimizerKind::RowAdam => table.bytes(n_factors) + table.bytes(1),
                kind => kind.n_moments() as u64 * table.bytes(n_factors),
            };
            moments + clock * table.n_rows as u64
        };
        self.all_tables().iter().map(of).sum()
    }

    /// Gradients, and the composed rows of a side with features.
    fn gradients(&self) -> u64 {
        let n_factors = self.config().factors();
        let n = self.inputs.train.n_ratings();
        let n_stratum = n / self.n_blocks().unwrap_or(1);
        let of = |(side, chosen, _): (&SideData, &Chosen, &[u32])| {
            let tables = self.tables(side, chosen);
            let own = TableSize {
                biases: tables.iter().any(|table| table.biases),
                ..tables[0]
            };
            let groups: u64 = tables[1..]
                .iter()
                .map(|t| t.bytes(n_factors) + 8 * t.n_rows as u64)
                .sum();
            let composed = own.bytes(n_factors) * u64::from(tables.len() > 1);
            match self.config().batch {
                Batch::Blocks => {
                    let columns = chosen.used.iter();
                    let mut columns = columns.filter_map(|used| side.catalog.column(used.name()));
                    let each_epoch = columns.any(|c| c.rows.n_entries() > n_stratum);
                    own.bytes(n_factors) + composed * (2 + u64::from(each_epoch)) + groups
                }
                Batch::Size(size) => {
                    let touched = size.min(own.n_rows);
                    let touched = TableSize {
                        n_rows: touched,
                        ..own
                    };
                    touched.bytes(n_factors) + 8 * touched.n_rows as u64 + composed + groups
                }
                _ => own.bytes(n_factors) + 8 * own.n_rows as u64 + composed + groups,
            }
        };
        self.sides().into_iter().map(of).sum()
    }
}

impl Memory {
    /// What a training of `sizes` takes.
    pub fn of(sizes: &Sizes<'_>) -> Memory {
        let Inputs { train, valid, .. } = sizes.inputs;
        let config = sizes.config();
        let tables: u64 = sizes
            .all_tables()
            .iter()
            .map(|t| t.bytes(config.factors()))
            .sum();
        let seen = (4 * train.n_ratings() + 8 * (train.n_users() + 1)) as u64;
        let keeps = config.keep == Keep::Best && valid.as_ref().is_some_and(|v| !v.is_empty());
        let of_side =
            |(side, ..): (&SideData, &Chosen, &[u32])| names(&side.ids) + catalog(&side.catalog);
        let memory = Memory {
            ratings: ratings(&train.interactions) + valid.as_ref().map_or(0, ratings),
            names: sizes.sides().into_iter().map(of_side).sum(),
            layout: sizes.layout(),
            tables,
            moments: sizes.moments(),
            gradients: sizes.gradients(),
            last_good: tables,
            best_epoch: if keeps { tables } else { 0 },
            seen,
            model: sizes.model_file().saturating_sub(seen),
            total: 0,
        };
        let total = memory.kinds().iter().map(|(_, bytes)| bytes).sum();
        Memory { total, ..memory }
    }

    /// Each kind by its name.
    pub fn kinds(&self) -> [(&'static str, u64); 10] {
        [
            ("ratings", self.ratings),
            ("names", self.names),
            ("layout", self.layout),
            ("tables", self.tables),
            ("moments", self.moments),
            ("gradients", self.gradients),
            ("last_good", self.last_good),
            ("best_epoch", self.best_epoch),
            ("seen", self.seen),
            ("model", self.model),
        ]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.total
    }
}

fn ratings(ratings: &Interactions) -> u64 {
    let weight = 4 * u64::from(ratings.weights.is_some());
    let time = 8 * u64::from(ratings.timestamps.is_some());
    ratings.len() as u64 * (12 + weight + time)
}

fn strings(strings: &Strings) -> u64 {
    let (bytes, ends) = strings.parts();
    (bytes.len() + 8 * ends.len()) as u64
}

fn names(ids: &Ids) -> u64 {
    strings(ids.names()) + 4 * ids.len() as u64
}

fn catalog(catalog: &Catalog) -> u64 {
    let columns = catalog.columns.iter().map(|column| {
        let rows = 8 * (column.rows.n_rows() + 1) + 4 * column.rows.n_entries();
        names(&column.values) + rows as u64
    });
    catalog.titles.as_ref().map_or(0, strings) + columns.sum::<u64>()
}
