//! How is the baseline fitted on all threads?
//!
//! Where ratings are cut into blocks for training, a task owns a block of rows and adds up their residuals from all blocks that hold them: the steps of
//! [`biases`](super::biases), each sum in the order of the blocks. The plain loops there are the oracle.

use super::biases::{MAX_SWEEPS, Side, TOLERANCE, balance, change};
use super::choose::{Sampled, Share, choose};
use crate::Result;
use crate::data::layout::{Blocks, Order};
use crate::kernels::pool::Pool;
use crate::model::Baseline;

impl Baseline {
    /// [`fit`](Baseline::fit) of ratings in blocks: the same λ and the same steps, each side's rows in the order of the blocks, on all threads.
    ///
    /// # Errors
    /// Where ratings that are not in memory cannot be read.
    pub fn fit_blocks(blocks: &Blocks, pool: &Pool) -> Result<Baseline> {
        let n = blocks.n_blocks();
        let share = Share::of(blocks.len());
        let cells = (0..n * n).collect();
        let parts = pool.map(cells, |cell| Part::of(blocks, cell, share));
        let (mut count, mut sum) = (0.0, 0.0);
        let (mut lo, mut hi) = (f32::INFINITY, f32::NEG_INFINITY);
        let mut sample = Vec::new();
        for part in parts {
            let part = part?;
            (count, sum) = (count + part.count, sum + part.sum);
            (lo, hi) = (lo.min(part.lo), hi.max(part.hi));
            sample.extend(part.sample);
        }
        let mean = if count > 0.0 { sum / count } else { 0.0 };
        let enough = TOLERANCE * f64::from(hi - lo);
        let l2 = choose(blocks.len(), sample);
        let mut users = Side::at_rest(blocks.user_counts.len(), l2.users);
        let mut items = Side::at_rest(blocks.item_counts.len(), l2.items);
        for sweep in 0..MAX_SWEEPS {
            let before = (users.biases.clone(), items.biases.clone());
            solve_items(blocks, mean, &users, &mut items, pool)?;
            solve_users(blocks, mean, &mut users, &items, pool)?;
            balance(&mut users, &mut items);
            let moved = change(&before.0, &users.biases).max(change(&before.1, &items.biases));
            if sweep > 0 && moved <= enough {
                break;
            }
        }
        let in_rows = |biases: &[f64], order: &Order| {
            let at = order.place_of.iter();
            at.map(|&place| biases[place as usize] as f32).collect()
        };
        Ok(Baseline {
            global_mean: mean,
            user_biases: in_rows(&users.biases, &blocks.users),
            item_biases: in_rows(&items.biases, &blocks.items),
        })
    }
}

/// What is asked of each block once: Σ c, Σ c·r, the ends of the scale, and the ratings by which λ is chosen.
struct Part {
    count: f64,
    sum: f64,
    lo: f32,
    hi: f32,
    sample: Vec<Sampled>,
}

impl Part {
    fn of(blocks: &Blocks, cell: usize, share: Share) -> Result<Part> {
        let (a, b) = (cell / blocks.n_blocks(), cell % blocks.n_blocks());
        let fetched = blocks.fetch(a, b)?;
        let block = fetched.examples();
        let mut part = Part {
            count: 0.0,
            sum: 0.0,
            lo: f32::INFINITY,
            hi: f32::NEG_INFINITY,
            sample: Vec::new(),
        };
        for (e, &target) in block.targets.iter().enumerate() {
            let c = block.weight(e);
            part.count += c;
            part.sum += c * f64::from(target);
            (part.lo, part.hi) = (part.lo.min(target), part.hi.max(target));
        }
        let row = |order: &Order, block: usize, within: u32| {
            order.row_at[(order.cuts[block] + within) as usize]
        };
        let mut start = 0;
        for run in block.runs {
            let user = row(&blocks.users, a, run.row);
            if share.takes(user) {
                part.sample.extend((start..run.end as usize).map(|e| {
                    let item = row(&blocks.items, b, block.others[e]);
                    (user, item, block.targets[e], block.weight(e) as f32)
                }));
            }
            start = run.end as usize;
        }
        Ok(part)
    }
}

/// The sums of a block's rows: Σ c·residual and Σ c.
type Sums = (Vec<f64>, Vec<f64>);

/// Sets the items' biases to their exact solution for those of the users; each task owns a block of items.
fn solve_items(
    blocks: &Blocks,
    mean: f64,
    users: &Side<'_>,
    items: &mut Side<'_>,
    pool: &Pool,
) -> Result<()> {
    let (user_cuts, item_cuts) = (&blocks.users.cuts, &blocks.items.cuts);
    let sums = pool.map((0..blocks.n_blocks()).collect(), |b| {
        let n_rows = (item_cuts[b + 1] - item_cuts[b]) as usize;
        let (mut sums, mut counts) = (vec![0.0; n_rows], vec![0.0; n_rows]);
        for (a, &first_user) in user_cuts[..blocks.n_blocks()].iter().enumerate() {
            let fetched = blocks.fetch(a, b)?;
            let block = fetched.examples();
            let mut start = 0;
            for run in block.runs {
                let base = mean + users.biases[(first_user + run.row) as usize];
                for e in start..run.end as usize {
                    let (item, c) = (block.others[e] as usize, block.weight(e));
                    sums[item] += c * (f64::from(block.targets[e]) - base);
                    counts[item] += c;
                }
                start = run.end as usize;
            }
        }
        Ok((sums, counts))
    });
    items.set(sums)
}

/// Sets the users' biases to their exact solution for those of the items; each task owns a block of users.
fn solve_users(
    blocks: &Blocks,
    mean: f64,
    users: &mut Side<'_>,
    items: &Side<'_>,
    pool: &Pool,
) -> Result<()> {
    let (user_cuts, item_cuts) = (&blocks.users.cuts, &blocks.items.cuts);
    let sums = pool.map((0..blocks.n_blocks()).collect(), |a| {
        let n_rows = (user_cuts[a + 1] - user_cuts[a]) as usize;
        let (mut sums, mut counts) = (vec![0.0; n_rows], vec![0.0; n_rows]);
        for b in 0..blocks.n_blocks() {
            let fetched = blocks.fetch(a, b)?;
            let block = fetched.examples();
            let of_items = &items.biases[item_cuts[b] as usize..item_cuts[b + 1] as usize];
            let mut start = 0;
            for run in block.runs {
                let (mut sum, mut count) = (0.0, 0.0);
                for e in start..run.end as usize {
                    let c = block.weight(e);
                    let base = mean + of_items[block.others[e] as usize];
                    sum += c * (f64::from(block.targets[e]) - base);
                    count += c;
                }
                sums[run.row as usize] += sum;
                counts[run.row as usize] += count;
                start = run.end as usize;
            }
        }
        Ok((sums, counts))
    });
    users.set(sums)
}

impl Side<'_> {
    /// Nothing known of the ratings yet.
    fn at_rest(n_rows: usize, l2: f64) -> Side<'static> {
        Side {
            biases: vec![0.0; n_rows],
            counts: vec![0.0; n_rows],
            l2,
            rows: &[],
        }
    }

    /// Solves for the biases of all blocks, in their order.
    fn set(&mut self, sums: Vec<Result<Sums>>) -> Result<()> {
        let mut row = 0;
        for sums in sums {
            let (sums, counts) = sums?;
            for (sum, count) in sums.into_iter().zip(counts) {
                self.counts[row] = count;
                self.biases[row] = if count > 0.0 {
                    sum / (count + self.l2)
                } else {
                    0.0
                };
                row += 1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Interactions;
    use crate::evaluation::baselines::Penalties;

    #[test]
    fn blocks_give_the_baseline_of_the_plain_loops() {
        let pair = |n: usize| (n * 7919) % (60 * 40);
        // Enough for λ to be chosen.
        for weights in [None, Some((0..1900).map(|n| (n % 3) as f32).collect())] {
            let ratings = Interactions {
                users: (0..1900).map(|n| (pair(n) / 40) as u32).collect(),
                items: (0..1900).map(|n| (pair(n) % 40) as u32).collect(),
                ratings: (0..1900).map(|n| (n * 31 % 9) as f32 / 2.0).collect(),
                weights,
                timestamps: None,
            };
            // One row of each side has no rating.
            let count = |rows: &[u32], n| {
                let mut counts = vec![0; n];
                rows.iter().for_each(|&row| counts[row as usize] += 1);
                counts
            };
            let (users, items) = (count(&ratings.users, 61), count(&ratings.items, 41));
            let wanted = Baseline::fit(&ratings, 61, 41);
            assert_ne!(Penalties::chosen_for(&ratings), Penalties::default());
            for n_blocks in [1, 4] {
                let blocks = Blocks::cut(&ratings, (&users, &items), n_blocks, &Pool::new(2));
                let got = Baseline::fit_blocks(&blocks, &Pool::new(2)).expect("in memory");
                assert!((got.global_mean - wanted.global_mean).abs() < 1e-12);
                // Both end where no bias moves by more than this share of the scale, a little before or after.
                let close =
                    |(a, b): (&f32, &f32)| f64::from((a - b).abs()) < 10.0 * 4.0 * TOLERANCE;
                assert!(got.user_biases.iter().zip(&wanted.user_biases).all(close));
                assert!(got.item_biases.iter().zip(&wanted.item_biases).all(close));
            }
        }
    }
}
