//! In which order do the rows of a side stand, and where is it cut?
//!
//! A constant hash of the row numbers: it has nothing to do with the file, so neighbours in the file (who tend to be alike) are scattered. The cuts then give every block about equally many
//! ratings. One block keeps the order of the rows.

/// B is the cube root of the number of ratings over this. More blocks mean more steps of each row an epoch, which converges in fewer epochs that cost more; a growing set wants more of both.
const ROOT_SHARE: u64 = 11;
/// Where rows step once a block, B is at least this for so few ratings: fewer would be too few steps an epoch. With more ratings the root takes over.
const FEWEST_STEPS: usize = 16;
/// See [`FEWEST_STEPS`].
const FEW_RATINGS: usize = 1 << 19;
/// Ratings per block that this must leave.
const LEAST_RATINGS: usize = 64;
/// The most blocks of a side.
const MAX_BLOCKS: usize = 256;

/// The rows of a side in block order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The place of each row.
    pub place_of: Vec<u32>,
    /// The row at each place.
    pub row_at: Vec<u32>,
    /// Block b holds the places `cuts[b] .. cuts[b + 1]`.
    pub cuts: Vec<u32>,
}

/// B where all blocks are taken at the same parameters: about ∛ratings/11, a power of two: 8 for a million ratings, 16 for twenty million.
pub fn blocks_for_tasks(n_ratings: usize, n_users: usize, n_items: usize) -> usize {
    bounded(root_share(n_ratings), n_users, n_items)
}

/// B where each block is a step of its rows: the same, but 16 for less than half a million ratings if that leaves 64 of them in a block.
pub fn blocks_for_steps(n_ratings: usize, n_users: usize, n_items: usize) -> usize {
    let fewest = match n_ratings < FEW_RATINGS {
        true => FEWEST_STEPS.min((n_ratings / LEAST_RATINGS).isqrt()),
        false => 1,
    };
    let wanted = root_share(n_ratings).max(fewest);
    bounded(wanted, n_users, n_items)
}

/// ∛n over [`ROOT_SHARE`], rounded down: the greatest b with (b·share)³ ≤ n.
fn root_share(n: usize) -> usize {
    let fits = |b: u64| (b * ROOT_SHARE).pow(3) <= n as u64;
    (1..=MAX_BLOCKS as u64)
        .take_while(|&b| fits(b))
        .last()
        .unwrap_or(0) as usize
}

/// The greatest power of two that is not above `wanted`, and leaves no block without a row.
fn bounded(wanted: usize, n_users: usize, n_items: usize) -> usize {
    let most = wanted.min(MAX_BLOCKS).min(n_users).min(n_items).max(1);
    1 << most.ilog2()
}

/// How many of `rows` are each row.
pub fn count(rows: &[u32], n_rows: usize) -> Vec<u32> {
    let mut counts = vec![0; n_rows];
    for &row in rows {
        counts[row as usize] += 1;
    }
    counts
}

impl Order {
    /// Rows with `counts[row]` ratings each, in `n_blocks` blocks. One block keeps the order of the rows.
    pub fn new(counts: &[u32], n_blocks: usize) -> Order {
        let n_rows = counts.len() as u32;
        let mut row_at: Vec<u32> = (0..n_rows).collect();
        if n_blocks > 1 {
            row_at.sort_unstable_by_key(|&row| (mixed(row), row));
        }
        let mut place_of = vec![0; counts.len()];
        for (place, &row) in (0u32..).zip(&row_at) {
            place_of[row as usize] = place;
        }
        let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        let mut cuts = vec![0];
        let mut before = 0;
        for (place, &row) in (0u32..).zip(&row_at) {
            // The first place at which b B-ths of the ratings have passed.
            while cuts.len() < n_blocks && before * n_blocks as u64 >= total * cuts.len() as u64 {
                cuts.push(place);
            }
            before += u64::from(counts[row as usize]);
        }
        cuts.resize(n_blocks, n_rows);
        cuts.push(n_rows);
        Order {
            place_of,
            row_at,
            cuts,
        }
    }

    /// The number of blocks.
    pub fn n_blocks(&self) -> usize {
        self.cuts.len() - 1
    }

    /// Whether every row stands at its own place.
    pub fn is_identity(&self) -> bool {
        self.n_blocks() == 1
    }
}

/// A constant, well-mixed number of a row (the finaliser of SplitMix64: Steele, Lea and Flood, 2014).
fn mixed(row: u32) -> u64 {
    let mut z = (u64::from(row) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_about_equally_many_ratings_whoever_is_popular() {
        // The first rows have most of the ratings.
        let counts: Vec<u32> = (0..4000).map(|row| 100_000 / (row + 10)).collect();
        let order = Order::new(&counts, 8);
        let total: u32 = counts.iter().sum();
        // A cut lies where a share has passed, so it is off by the row that stands there at most.
        let mut before = 0;
        for (block, cut) in order.cuts.windows(2).enumerate() {
            let share = f64::from(total) * block as f64 / 8.0;
            let at_cut = order.row_at[..cut[0] as usize].last();
            let off = f64::from(before) - share;
            let last = at_cut.map_or(0, |&row| counts[row as usize]);
            assert!(
                (0.0..=f64::from(last)).contains(&off),
                "block {block}: {off}"
            );
            let of_block = &order.row_at[cut[0] as usize..cut[1] as usize];
            before += of_block
                .iter()
                .map(|&row| counts[row as usize])
                .sum::<u32>();
        }
        assert_eq!(before, total);
        assert_eq!(order.cuts.last(), Some(&4000));
    }

    #[test]
    fn the_number_of_blocks_follows_the_data() {
        for (n_ratings, n_users, n_items, tasks, steps) in [
            (90_000, 943, 1682, 4, 16),
            (1_000_000, 6040, 3706, 8, 8),
            (20_000_000, 138_000, 27_000, 16, 16),
            (20_000_000, 138_000, 5, 4, 4),
            (1000, 50, 60, 1, 2),
            (0, 0, 0, 1, 1),
        ] {
            assert_eq!(blocks_for_tasks(n_ratings, n_users, n_items), tasks);
            assert_eq!(blocks_for_steps(n_ratings, n_users, n_items), steps);
        }
    }
}
