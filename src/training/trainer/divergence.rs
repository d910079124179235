//! Has a number run away?
//!
//! After each epoch every table is looked through; the first number that is not finite is named by its table and by the id of its row.

use super::Trainer;
use crate::kernels::Real;
use crate::model::Parameters;
use crate::training::groups;
use crate::{Error, Result};

impl<T: Real> Trainer<'_, T> {
    /// Whether every number of every table is finite; if not, where the first bad one is.
    pub(super) fn finite(&self, epoch: usize) -> Result<()> {
        let Parameters { users, items, .. } = &self.state.parameters;
        let blocks = self.batches.blocks();
        for (side, name, data, order) in [
            (users, "user", &self.data.users, blocks.map(|b| &b.users)),
            (items, "item", &self.data.items, blocks.map(|b| &b.items)),
        ] {
            let Some((table, (row, in_bias))) = side
                .tables()
                .enumerate()
                .find_map(|(n, table)| Some((n, table.first_not_finite()?)))
            else {
                continue;
            };
            let what = if in_bias { "biases" } else { "factors" };
            let (table, row) = match table {
                0 => {
                    let row = order.map_or(row as u32, |order| order.row_at[row]);
                    (format!("{name}_{what}"), data.ids.name(row).to_owned())
                }
                n => {
                    let group = &side.groups[n - 1];
                    let value =
                        groups::values(self.data, name, &group.name, group.values.as_deref())
                            .map(|values| values.name(row as u32).to_owned());
                    (
                        format!("{name}.{}.{what}", group.name),
                        value.unwrap_or_else(|| row.to_string()),
                    )
                }
            };
            return Err(Error::Diverged { epoch, table, row });
        }
        Ok(())
    }
}
