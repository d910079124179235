//! Are numbers in the units of training, and where training saw numbers?
//!
//! **Other units.** [lo, hi] is what training saw. A number is *far* beyond the range's own width from it, or below a tenth of a least number that is positive: no unit that people mix up (minutes and hours, years and
//! seconds, shares and percent) is as near as that, and next year's films are. More than half of the numbers far: other units. And of three or more rows
//! that the model has with another number: where the median of new/old is 10 or more, 1/10 or less. The median of both makes a few wrong cells no matter.
//!
//! **Elsewhere.** F_n, the shares of the table's numbers at or below the tenths of training, is off by D, the statistic of Kolmogorov and Smirnov. By chance D exceeds √(ln(2/α)/2n) with a probability of at most α
//! (Massart, Annals of Probability 18, 1990); a remark is made from that bound for α = 1/1000 on, 1.95/√n, which leaves small tables in peace, and from 0.3, for a table is no sample: it may have only what is new.

use super::{About, Skew, SkewKind};
use crate::model::measure::number;
use crate::model::{CellSpread, ModelSide};

/// A number is far from where training saw numbers beyond this many widths of their range…
const WIDTHS: f64 = 1.0;
/// … and a positive one below this share of the least. Rows that the model has differ by so much where the unit is another.
const TIMES: f64 = 10.0;
/// Rows that the model has, at least, for their quotients to say something.
const FEW: usize = 3;
/// Of the statistic of Kolmogorov and Smirnov: √(ln(2/α)/2) for α = 1/1000, and the least that is worth a remark.
const CHANCE: f64 = 1.95;
const APART: f64 = 0.3;

impl About<'_> {
    /// Numbers in other units, or elsewhere.
    pub(super) fn scale(&self, side: &ModelSide) -> Option<Skew> {
        let (lo, hi) = self.schema.profile.range()?;
        let of_values: Vec<Option<f64>> = self.column.values.names().iter().map(number).collect();
        let of_row = |row: u32| match self.column.rows.row(row as usize) {
            &[value] => of_values[value as usize],
            _ => None,
        };
        let numbers: Vec<(u32, f64)> = (0..self.column.rows.n_rows() as u32)
            .filter_map(|row| Some((row, of_row(row)?)))
            .collect();
        let width = WIDTHS * (hi - lo);
        let is_far =
            |x: f64| hi > lo && (x > hi + width || x < lo - width || lo > 0.0 && x < lo / TIMES);
        let far: Vec<u32> = numbers
            .iter()
            .filter_map(|&(row, x)| is_far(x).then_some(row))
            .collect();
        let name = self.schema.name;
        let wanted = format!("numbers of {name} in the units of training, which saw {lo} to {hi}");
        let quotient = self.quotient(side, &numbers);
        if 2 * far.len() > numbers.len() {
            let got = format!(
                "numbers of {name} far from all that training saw in {} ({})",
                self.share(&far),
                self.such_as(far[0])
            );
            return Some(self.skew(SkewKind::Units, far.len(), got, wanted));
        }
        let rows = numbers.len();
        // Written so that a sign that changed is another unit too.
        if let Some(times) = quotient.filter(|&times| !(1.0 / TIMES < times && times < TIMES)) {
            let got = format!(
                "numbers of {name} that are {times:.4} times what they were, in the median of the {}s that the model has",
                self.what
            );
            return Some(self.skew(SkewKind::Units, rows, got, wanted));
        }
        let apart = apart(&self.schema.profile.spread, &numbers);
        let limit = (CHANCE / (rows as f64).sqrt()).max(APART);
        let got = match (far.first(), quotient) {
            (Some(&first), _) => format!(
                "numbers of {name} far from all that training saw in {} ({})",
                self.share(&far),
                self.such_as(first)
            ),
            (None, Some(times)) if !(0.5..=2.0).contains(&times) => {
                format!("numbers of {name} that are {times:.4} times what they were, in the median")
            }
            _ if apart > limit => format!(
                "numbers of {name} that lie elsewhere: their shares differ from those of training by {apart:.2}"
            ),
            _ => return None,
        };
        Some(self.skew(SkewKind::Elsewhere, rows, got, wanted))
    }

    /// The median of new/old over the rows that the model has with another number than 0; `None` of too few, and where at least half are as they were.
    fn quotient(&self, side: &ModelSide, numbers: &[(u32, f64)]) -> Option<f64> {
        let before = side.catalog.column(self.schema.name)?;
        let old = |id: &str| {
            let row = side.ids.index(id)?;
            match before.rows.row(row as usize) {
                &[value] => number(before.values.name(value)).filter(|&x| x != 0.0),
                _ => None,
            }
        };
        let mut quotients: Vec<f64> = numbers
            .iter()
            .filter_map(|&(row, x)| Some(x / old(self.table.ids.name(row))?))
            .collect();
        quotients.sort_unstable_by(f64::total_cmp);
        let median = *quotients.get(quotients.len() / 2)?;
        (quotients.len() >= FEW && median != 1.0).then_some(median)
    }
}

/// How far the shares of the numbers at or below the tenths of training are from tenths. Of equal tenths the first says what may lie below, the last what must lie at or below.
fn apart(spread: &CellSpread, numbers: &[(u32, f64)]) -> f64 {
    let CellSpread::Tenths(tenths) = spread else {
        return 0.0;
    };
    let n = numbers.len() as f64;
    let share =
        |is_in: &dyn Fn(f64) -> bool| numbers.iter().filter(|&&(_, x)| is_in(x)).count() as f64 / n;
    let off = |(k, &q): (usize, &f64)| {
        let wanted = k as f64 / 10.0;
        (share(&|x| x < q) - wanted).max(wanted - share(&|x| x <= q))
    };
    tenths.iter().enumerate().map(off).fold(0.0, f64::max)
}
