//! How does a file say how uncertain its tables are?
//!
//! Of samples the deviations of the biases, of means a variance of every number; of both the variances of a row without ratings. See [`Posterior`].

use super::decode::{Decoder, Pick};
use super::encode::{refused, table};
use super::layout::Walk;
use super::record::PosteriorRecord;
use crate::Result;
use crate::kernels::lanes::padded;
use crate::model::{Posterior, Rows, Spread};
use crate::storage::{ElementType, Section, Sections, Source};

/// How uncertain the tables are.
#[derive(Debug)]
pub(super) struct SpreadAt {
    pub(super) users: Section,
    pub(super) items: Section,
    pub(super) user_prior: Section,
    pub(super) item_prior: Section,
}

impl<S: Source> Walk<'_, S> {
    /// Where all of it stands.
    pub(super) fn spread(
        &mut self,
        posterior: PosteriorRecord,
        n_factors: u64,
        [n_users, n_items]: [u64; 2],
    ) -> Result<SpreadAt> {
        // The record was looked at: both are at most `MAX_FACTORS`.
        let (length, of_prior) = match posterior.samples {
            Some(count) => (u64::from(count), n_factors + u64::from(count)),
            None => (n_factors + 1, n_factors + 1),
        };
        let stride = padded(length as usize) as u64;
        let mut rows = |name, n_rows| {
            let section = self.take(name, ElementType::F32)?;
            self.check_shape(section, n_rows, stride)
        };
        let (users, items) = (
            rows("spread.users", n_users)?,
            rows("spread.items", n_items)?,
        );
        let mut prior = |name| self.vector(name, ElementType::F32, Some(of_prior));
        Ok(SpreadAt {
            users,
            items,
            user_prior: prior("spread.user_prior")?,
            item_prior: prior("spread.item_prior")?,
        })
    }
}

impl<S: Source> Decoder<'_, S> {
    /// How uncertain the tables are; of the users those of `pick`.
    pub(super) fn posterior(
        &self,
        at: &SpreadAt,
        record: PosteriorRecord,
        pick: Pick<'_>,
    ) -> Result<Posterior> {
        let n_users = pick.map_or(at.users.rows as usize, <[u32]>::len);
        let n_items = at.items.rows as usize;
        let user_prior = self.variances(&at.user_prior, None)?;
        let item_prior = self.variances(&at.item_prior, None)?;
        let spread = match record.samples {
            Some(count) => {
                let count = count as usize;
                let (users, items) = (self.floats(&at.users, pick)?, self.floats(&at.items, None)?);
                Spread::Samples {
                    count,
                    users: self.rows(&at.users, n_users, count, users)?,
                    items: self.rows(&at.items, n_items, count, items)?,
                    user_prior,
                    item_prior,
                }
            }
            None => {
                let length = self.n_factors + 1;
                let users = self.variances(&at.users, pick)?;
                let items = self.variances(&at.items, None)?;
                Spread::Variances {
                    users: self.rows(&at.users, n_users, length, users)?,
                    items: self.rows(&at.items, n_items, length, items)?,
                    user_prior,
                    item_prior,
                }
            }
        };
        Ok(Posterior {
            noise: record.noise,
            spread,
        })
    }

    /// Finite numbers, none of them negative.
    fn variances(&self, at: &Section, pick: Pick<'_>) -> Result<Vec<f32>> {
        let wanted = "a finite number that is not negative";
        self.checked(at, pick, |x| x.is_finite() && x >= 0.0, wanted)
    }
}

/// All of it as sections.
///
/// # Errors
/// Where a variance is negative.
pub(super) fn spread<'m>(to: &mut Sections<'m>, spread: &'m Spread) -> Result<()> {
    let (Spread::Samples {
        users,
        items,
        user_prior,
        item_prior,
        ..
    }
    | Spread::Variances {
        users,
        items,
        user_prior,
        item_prior,
    }) = spread;
    let mut variances = vec![&user_prior[..], item_prior];
    if let Spread::Variances { .. } = spread {
        variances.extend([users, items].map(Rows::as_padded_slice));
    }
    if let Some(negative) = variances.into_iter().flatten().find(|v| **v < 0.0) {
        let got = format!("a variance of {negative}");
        return Err(refused(got, "variances that are not negative"));
    }
    table(to, "spread.users", users);
    table(to, "spread.items", items);
    to.add("spread.user_prior", 1, &user_prior[..]);
    to.add("spread.item_prior", 1, &item_prior[..]);
    Ok(())
}
