//! What does a file say of the training that made it?
//!
//! What training saw of the columns, which newer features are held against, and what it looked like, which what comes later is compared with. Both stand at the end of the file, after all that predictions need.

use super::decode::Decoder;
use super::layout::{SideAt, Walk};
use super::record::ReferenceRecord;
use crate::Result;
use crate::model::reference::Histogram;
use crate::model::{CellSpread, Measure, ModelSide, Profile, Reference};
use crate::storage::{ElementType, Section, Sections, Source};

/// What training saw of the columns of a side.
#[derive(Debug)]
pub(super) struct ProfilesAt {
    pub(super) several: Section,
    pub(super) rows: Section,
    /// Of each group; `None` of one that is made of the ratings.
    pub(super) spreads: Vec<Option<Section>>,
}

/// What training looked like.
#[derive(Debug)]
pub(super) struct ReferenceAt {
    pub(super) ratings: HistogramAt,
    pub(super) scores: HistogramAt,
}

/// Counted numbers.
#[derive(Debug)]
pub(super) struct HistogramAt {
    pub(super) marks: Section,
    pub(super) counts: Section,
}

impl<S: Source> Walk<'_, S> {
    pub(super) fn profiles(&mut self, side: &str, of: &SideAt) -> Result<ProfilesAt> {
        let n = of.groups.len() as u64;
        let several = self.vector(&format!("schema.{side}.several"), ElementType::U8, Some(n))?;
        let rows = self.take(&format!("schema.{side}.rows"), ElementType::U64)?;
        let rows = self.check_shape(rows, n, 2)?;
        let mut spreads = Vec::new();
        for (k, group) in of.groups.iter().enumerate() {
            let (of_values, of_numbers) = (
                format!("schema.{side}.{k}.rows"),
                format!("schema.{side}.{k}.tenths"),
            );
            let n_values = Some(group.values.sorted.rows);
            spreads.push(if self.is_next(&of_values) {
                Some(self.vector(&of_values, ElementType::U32, n_values)?)
            } else if self.is_next(&of_numbers) {
                Some(self.vector(&of_numbers, ElementType::F64, None)?)
            } else {
                None
            });
        }
        Ok(ProfilesAt {
            several,
            rows,
            spreads,
        })
    }

    pub(super) fn histogram(&mut self, name: &str) -> Result<HistogramAt> {
        Ok(HistogramAt {
            marks: self.vector(&format!("{name}.marks"), ElementType::F32, None)?,
            counts: self.vector(&format!("{name}.counts"), ElementType::U64, None)?,
        })
    }
}

impl<S: Source> Decoder<'_, S> {
    /// Puts what training saw of the columns beside the groups of `side`.
    pub(super) fn profiles(&self, at: &ProfilesAt, side: &mut ModelSide) -> Result<()> {
        let several = self.flags(&at.several)?;
        let rows = self.numbers::<u64>(&at.rows, None)?;
        let of_groups = several
            .into_iter()
            .zip(rows.chunks_exact(2))
            .zip(&at.spreads);
        for (group, ((several, rows), spread)) in side.groups.iter_mut().zip(of_groups) {
            let (&[rows, empty], Some(spread_at)) = (rows, spread) else {
                match (several, rows) {
                    (false, &[0, 0]) => continue,
                    _ => return Err(self.bad(&at.rows, "rows of no column", "0")),
                }
            };
            let spread = match spread_at.element {
                ElementType::U32 => CellSpread::Rows(self.numbers(spread_at, None)?),
                _ => CellSpread::Tenths(self.numbers(spread_at, None)?),
            };
            let of_numbers = Measure::from_names(&group.values).is_some();
            let good = empty <= rows
                && match &spread {
                    CellSpread::Rows(of_values) => {
                        !of_numbers && of_values.iter().all(|&n| u64::from(n) <= rows - empty)
                    }
                    CellSpread::Tenths(tenths) => {
                        let rising = tenths.windows(2).all(|pair| pair[0] <= pair[1]);
                        let finite = tenths.iter().all(|x| x.is_finite());
                        of_numbers && [0, 11].contains(&tenths.len()) && rising && finite
                    }
                };
            if !good {
                let wanted =
                    "at most as many rows as there are, or eleven numbers that do not fall";
                return Err(self.bad(spread_at, "what training cannot have seen", wanted));
            }
            group.profile = Some(Profile {
                several,
                rows,
                empty,
                spread,
            });
        }
        Ok(())
    }

    /// What training looked like.
    pub(super) fn reference(&self, at: &ReferenceAt, record: ReferenceRecord) -> Result<Reference> {
        Ok(Reference {
            ratings: self.histogram(&at.ratings)?,
            rating_std: record.rating_std,
            scores: self.histogram(&at.scores)?,
            train_rmse: record.train_rmse,
        })
    }

    fn histogram(&self, at: &HistogramAt) -> Result<Histogram> {
        let (marks, counts) = (
            self.floats(&at.marks, None)?,
            self.numbers(&at.counts, None)?,
        );
        Histogram::from_parts(marks, counts).ok_or_else(|| {
            let wanted =
                "rising values with a count each, or edges that do not fall and one count more";
            self.bad(&at.marks, "marks that its counts do not fit", wanted)
        })
    }
}

/// Counted numbers as sections.
pub(super) fn histogram<'m>(to: &mut Sections<'m>, name: &str, histogram: &'m Histogram) {
    to.add(format!("{name}.marks"), 1, histogram.marks());
    to.add(format!("{name}.counts"), 1, histogram.counts());
}

/// What training saw of the columns of a side.
pub(super) fn profiles<'m>(to: &mut Sections<'m>, side: &str, of: &'m ModelSide) {
    let profiles = || of.groups.iter().map(|group| group.profile.as_ref());
    let several = profiles().map(|p| u8::from(p.is_some_and(|p| p.several)));
    to.add(
        format!("schema.{side}.several"),
        1,
        several.collect::<Vec<u8>>(),
    );
    let rows = profiles().flat_map(|p| p.map_or([0, 0], |p| [p.rows, p.empty]));
    to.add(format!("schema.{side}.rows"), 2, rows.collect::<Vec<u64>>());
    for (k, profile) in profiles().enumerate() {
        match profile.map(|profile| &profile.spread) {
            Some(CellSpread::Rows(rows)) => to.add(format!("schema.{side}.{k}.rows"), 1, &rows[..]),
            Some(CellSpread::Tenths(tenths)) => {
                to.add(format!("schema.{side}.{k}.tenths"), 1, &tenths[..]);
            }
            None => {}
        }
    }
}
