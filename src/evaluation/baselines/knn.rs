//! Who liked this, liked that: what do an item's neighbours say?
//!
//! For ratings, on what the biases leave over (e = r − μ − b_u − b_i):
//!
//! ```text
//! s_ij   = (n − 1)/(n − 1 + 100) · Σ e_ui·e_uj / √(Σ e_ui² · Σ e_uj²)            sums over the n users of both; Pearson's correlation around the biases, shrunk
//! r̂_ui   = μ + b_u + b_i + Σ_j s_ij·e_uj / Σ_j s_ij                               j: of what u rated, the 40 nearest to i with s_ij > 0
//! ```
//!
//! For lists, where only who rated what counts:
//!
//! ```text
//! c_ij   = n / √(n_i·n_j)                                                        the cosine of the two columns of ones
//! score  = Σ_j c_ij                                                              j: of what u rated, those among the 100 nearest to i
//! ```
//!
//! | edge | rule |
//! |---|---|
//! | no neighbour | the biases alone; score 0 |
//! | equal similarities | by item index |
//! | a pair twice | its last rating |
//!
//! Cost: Σ_u n_u² for the similarities, each item's row on its own: no matrix is kept. 100,000 ratings take a blink, 20 million some minutes.
//!
//! Source: Koren, *Factor in the Neighbors* (2010), equations 2 and 3; Sarwar and others, *Item-Based Collaborative Filtering* (2001).

use crate::data::Interactions;
use crate::kernels::pool::Pool;
use crate::kernels::top_k::TopK;
use crate::metrics::PairCount;
use crate::model::Baseline;

/// Common users of which a similarity keeps half, less one.
pub const SHRINKAGE: f64 = 100.0;
/// Neighbours behind a predicted rating.
pub const NEIGHBOURS: usize = 40;
/// Neighbours of an item behind the score of a list.
pub const LIST_NEIGHBOURS: usize = 100;
/// Items of a task.
const ITEMS: usize = 32;

/// Training ratings by user and by item, less what their biases explain.
#[derive(Clone, Debug)]
pub struct Knn {
    baseline: Baseline,
    by_user: Lines,
    by_item: Lines,
}

/// Rows of (column, residual), columns rising.
#[derive(Clone, Debug, Default)]
struct Lines {
    starts: Vec<usize>,
    entries: Vec<(u32, f32)>,
}

impl Lines {
    /// Of (row, column, value), sorted.
    fn new(n_rows: usize, sorted: &[(u32, u32, f32)]) -> Lines {
        let mut starts = vec![0; n_rows + 1];
        for &(row, ..) in sorted {
            starts[row as usize + 1] += 1;
        }
        for row in 0..n_rows {
            starts[row + 1] += starts[row];
        }
        Lines {
            starts,
            entries: sorted.iter().map(|&(_, column, e)| (column, e)).collect(),
        }
    }

    /// Empty beyond the last.
    fn row(&self, row: u32) -> &[(u32, f32)] {
        let ends = self.starts.get(row as usize..row as usize + 2);
        ends.map_or(&[], |ends| &self.entries[ends[0]..ends[1]])
    }

    fn n_rows(&self) -> usize {
        self.starts.len() - 1
    }
}

impl Knn {
    /// Of training ratings.
    ///
    /// # Panics
    /// Where a user or item is not below `n_users` or `n_items`.
    pub fn new(train: &Interactions, n_users: usize, n_items: usize) -> Knn {
        let baseline = Baseline::fit(train, n_users, n_items);
        // Stable: of equal pairs the last in the file comes last.
        let mut order: Vec<u32> = (0..train.len() as u32).collect();
        let pair = |&n: &u32| (train.users[n as usize], train.items[n as usize]);
        order.sort_by_key(pair);
        let last = order.iter().enumerate().filter(|(at, n)| {
            let next = order.get(at + 1);
            next.is_none_or(|next| pair(next) != pair(n))
        });
        let mut entries: Vec<(u32, u32, f32)> = last
            .map(|(_, &n)| {
                let (user, item) = pair(&n);
                let rating = f64::from(train.ratings[n as usize]);
                let residual = rating - baseline.predict(Some(user), Some(item));
                (user, item, residual as f32)
            })
            .collect();
        let by_user = Lines::new(n_users, &entries);
        entries.iter_mut().for_each(|e| *e = (e.1, e.0, e.2));
        entries.sort_unstable_by_key(|e| (e.0, e.1));
        Knn {
            baseline,
            by_user,
            by_item: Lines::new(n_items, &entries),
        }
    }

    /// The predicted rating of every row of `test`, in its order. The result is the same for any number of threads.
    pub fn predictions(&self, test: &Interactions, pool: &Pool) -> Vec<f64> {
        let mut by_item: Vec<u32> = (0..test.len() as u32).collect();
        by_item.sort_by_key(|&n| test.items[n as usize]);
        let groups = by_item.chunk_by(|&a, &b| test.items[a as usize] == test.items[b as usize]);
        let groups: Vec<&[u32]> = groups.collect();
        let tasks = groups.chunks(ITEMS).collect();
        let found = pool.map(tasks, |groups: &[&[u32]]| {
            let mut near = Near::new(self.by_item.n_rows());
            let mut found = Vec::new();
            for rows in groups {
                let item = test.items[rows[0] as usize];
                near.look(self, item);
                found.extend(rows.iter().map(|&n| {
                    let user = test.users[n as usize];
                    (n, self.rating(&near, user, item))
                }));
                near.forget();
            }
            found
        });
        let mut all = vec![0.0; test.len()];
        for (n, prediction) in found.into_iter().flatten() {
            all[n as usize] = prediction;
        }
        all
    }

    fn rating(&self, near: &Near, user: u32, item: u32) -> f64 {
        let known = |row: u32, n: usize| Some(row).filter(|&row| (row as usize) < n);
        let base = self.baseline.predict(
            known(user, self.by_user.n_rows()),
            known(item, self.by_item.n_rows()),
        );
        let mut rated: Vec<(f64, u32, f32)> = self
            .by_user
            .row(user)
            .iter()
            .map(|&(j, e)| (near.correlation(j), j, e))
            .filter(|&(s, j, _)| s > 0.0 && j != item)
            .collect();
        rated.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        rated.truncate(NEIGHBOURS);
        let weights: f64 = rated.iter().map(|r| r.0).sum();
        let sum: f64 = rated.iter().map(|r| r.0 * f64::from(r.2)).sum();
        base + if weights > 0.0 { sum / weights } else { 0.0 }
    }

    /// The neighbours that lists are made of.
    pub fn neighbours(&self, pool: &Pool) -> Neighbours<'_> {
        let items: Vec<u32> = (0..self.by_item.n_rows() as u32).collect();
        let tasks = items.chunks(ITEMS).collect();
        let found = pool.map(tasks, |items: &[u32]| {
            let mut near = Near::new(self.by_item.n_rows());
            let mut found = Vec::new();
            for &item in items {
                near.look(self, item);
                found.extend(
                    near.nearest(self, item)
                        .into_iter()
                        .map(|(c, j)| (j, item, c)),
                );
                near.forget();
            }
            found
        });
        let mut entries = found.concat();
        entries.sort_unstable_by_key(|&(j, item, _)| (j, item));
        Neighbours {
            knn: self,
            of: Lines::new(items.len(), &entries),
        }
    }
}

/// For every item j the items i that have it among their nearest, with c_ij.
#[derive(Clone, Debug)]
pub struct Neighbours<'k> {
    knn: &'k Knn,
    of: Lines,
}

impl Neighbours<'_> {
    /// The scores of the first `n_items` items for a user; one that training did not see has zeros.
    pub fn scores(&self, user: u32, n_items: usize) -> Vec<f32> {
        let mut scores = vec![0.0; n_items];
        for &(j, _) in self.knn.by_user.row(user) {
            for &(item, c) in self.of.row(j) {
                if let Some(score) = scores.get_mut(item as usize) {
                    *score += c;
                }
            }
        }
        scores
    }

    /// The best n of the first `n_items` items that are not `seen`, which rises.
    pub fn list(&self, user: u32, n_items: usize, seen: &[u32], n: usize) -> Vec<u32> {
        let mut top = TopK::new(n);
        let scores = self.scores(user, n_items);
        for (item, score) in (0u32..).zip(scores) {
            if seen.binary_search(&item).is_err() {
                top.push(score, item);
            }
        }
        top.into_sorted()
            .into_iter()
            .map(|(_, item)| item)
            .collect()
    }

    /// The AUC among the first `n_items` items that are not `seen`; `seen` and `relevant` rise.
    pub fn auc(&self, user: u32, n_items: usize, seen: &[u32], relevant: &[u32]) -> Option<f64> {
        let scores = self.scores(user, n_items);
        let candidates = relevant
            .iter()
            .filter(|item| seen.binary_search(item).is_err());
        let score = |item: &u32| scores.get(*item as usize).copied();
        let mut pairs = PairCount::new(candidates.filter_map(score).collect());
        scores.iter().for_each(|&score| pairs.push(score));
        seen.iter()
            .filter_map(score)
            .for_each(|score| pairs.take_back(score));
        pairs.auc()
    }
}

/// The sums of one item with all others.
struct Near {
    of: Vec<Common>,
    touched: Vec<u32>,
}

/// What two items have in common.
#[derive(Clone, Copy, Default)]
struct Common {
    n: u32,
    product: f64,
    of_item: f64,
    of_other: f64,
}

impl Near {
    fn new(n_items: usize) -> Near {
        Near {
            of: vec![Common::default(); n_items],
            touched: Vec::new(),
        }
    }

    fn look(&mut self, knn: &Knn, item: u32) {
        for &(user, e) in knn.by_item.row(item) {
            let e = f64::from(e);
            for &(j, other) in knn.by_user.row(user) {
                let common = &mut self.of[j as usize];
                if common.n == 0 {
                    self.touched.push(j);
                }
                let other = f64::from(other);
                common.n += 1;
                common.product += e * other;
                common.of_item += e * e;
                common.of_other += other * other;
            }
        }
    }

    fn forget(&mut self) {
        for j in self.touched.drain(..) {
            self.of[j as usize] = Common::default();
        }
    }

    /// s_ij.
    fn correlation(&self, j: u32) -> f64 {
        let common = self.of[j as usize];
        let norm = (common.of_item * common.of_other).sqrt();
        let others = f64::from(common.n.max(1) - 1);
        match norm > 0.0 {
            true => others / (others + SHRINKAGE) * common.product / norm,
            false => 0.0,
        }
    }

    /// The items with the greatest c_ij, which are positive.
    fn nearest(&self, knn: &Knn, item: u32) -> Vec<(f32, u32)> {
        let count = |row: u32| knn.by_item.row(row).len() as f64;
        let mut top = TopK::new(LIST_NEIGHBOURS);
        for &j in self.touched.iter().filter(|&&j| j != item) {
            let cosine = f64::from(self.of[j as usize].n) / (count(item) * count(j)).sqrt();
            top.push(cosine as f32, j);
        }
        top.into_sorted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N_USERS: u32 = 60;
    const N_ITEMS: u32 = 150;

    /// Pairs of items have more or fewer users in common.
    fn rated(user: u32, item: u32) -> bool {
        (user * 31 + item * 17).is_multiple_of(3) || user * item % 5 == 1
    }

    /// Two tastes: a user likes the items of their own parity.
    fn train() -> Interactions {
        let mut train = Interactions::default();
        for user in 0..N_USERS {
            for item in (0..N_ITEMS).filter(|&item| rated(user, item)) {
                train.users.push(user);
                train.items.push(item);
                let noise = ((user * 7 + item * 5) % 4) as f32 / 4.0;
                let own = user % 2 == item % 2;
                train.ratings.push(if own { 4.0 } else { 2.0 } + noise);
            }
        }
        train
    }

    /// The formulas of the page, pair by pair.
    struct Naive<'a> {
        train: &'a Interactions,
        baseline: Baseline,
    }

    impl Naive<'_> {
        fn residual(&self, user: u32, item: u32) -> Option<f64> {
            let both = |n: &usize| self.train.users[*n] == user && self.train.items[*n] == item;
            let n = (0..self.train.len()).rev().find(both)?;
            let base = self.baseline.predict(Some(user), Some(item));
            // Kept as f32.
            Some(f64::from((f64::from(self.train.ratings[n]) - base) as f32))
        }

        fn common(&self, i: u32, j: u32) -> Vec<(f64, f64)> {
            let users = 0..N_USERS;
            users
                .filter_map(|u| Some((self.residual(u, i)?, self.residual(u, j)?)))
                .collect()
        }

        fn similarity(&self, i: u32, j: u32) -> f64 {
            let common = self.common(i, j);
            let n = common.len() as f64;
            let sum = |of: fn(&(f64, f64)) -> f64| common.iter().map(of).sum::<f64>();
            let norm = (sum(|c| c.0 * c.0) * sum(|c| c.1 * c.1)).sqrt();
            if norm == 0.0 {
                0.0
            } else {
                (n - 1.0) / (n - 1.0 + SHRINKAGE) * sum(|c| c.0 * c.1) / norm
            }
        }

        fn prediction(&self, user: u32, item: u32) -> f64 {
            let mut near: Vec<(f64, f64)> = (0..N_ITEMS)
                .filter(|&j| j != item)
                .filter_map(|j| Some((self.similarity(item, j), self.residual(user, j)?)))
                .filter(|n| n.0 > 0.0)
                .collect();
            near.sort_by(|a, b| b.0.total_cmp(&a.0));
            near.truncate(NEIGHBOURS);
            let weights: f64 = near.iter().map(|n| n.0).sum();
            let base = self.baseline.predict(Some(user), Some(item));
            base + if weights > 0.0 {
                near.iter().map(|n| n.0 * n.1).sum::<f64>() / weights
            } else {
                0.0
            }
        }
    }

    #[test]
    fn predictions_are_those_of_the_formula() {
        let train = train();
        let knn = Knn::new(&train, N_USERS as usize, N_ITEMS as usize);
        let naive = Naive {
            train: &train,
            baseline: Baseline::fit(&train, N_USERS as usize, N_ITEMS as usize),
        };
        let test = Interactions {
            users: vec![3, 3, 8, 59, 0],
            items: vec![3, 6, 1, 149, 77],
            ratings: vec![0.0; 5],
            ..Interactions::default()
        };
        let found = knn.predictions(&test, &Pool::new(1));
        for (n, &prediction) in found.iter().enumerate() {
            let wanted = naive.prediction(test.users[n], test.items[n]);
            // Sums of at most 60 terms in one order or another.
            assert!(
                (prediction - wanted).abs() < 1e-9,
                "row {n}: {prediction}, not {wanted}"
            );
        }
        assert_eq!(knn.predictions(&test, &Pool::new(3)), found);
        // Both items are about as good; only the neighbours see that user 3 likes one kind.
        let biases = |item| naive.baseline.predict(Some(3), Some(item));
        assert!((biases(3) - biases(6)).abs() < 0.4);
        assert!(found[0] - found[1] > 1.0, "{found:?}");
    }

    #[test]
    fn lists_and_areas_are_those_of_the_formula() {
        let train = train();
        let knn = Knn::new(&train, N_USERS as usize, N_ITEMS as usize);
        let cosine = |i: u32, j: u32| {
            let n = |of: &dyn Fn(u32) -> bool| (0..N_USERS).filter(|&u| of(u)).count() as f64;
            let both = n(&|u| rated(u, i) && rated(u, j));
            (both / (n(&|u| rated(u, i)) * n(&|u| rated(u, j))).sqrt()) as f32
        };
        let neighbours = knn.neighbours(&Pool::new(2));
        for user in [0, 7, 59] {
            let score = |i: u32| {
                let mut near: Vec<(f32, u32)> = (0..N_ITEMS)
                    .filter(|&j| j != i)
                    .map(|j| (cosine(i, j), j))
                    .collect();
                near.retain(|n| n.0 > 0.0);
                let near = crate::kernels::top_k::naive(&near, LIST_NEIGHBOURS);
                let mut of_user: Vec<(u32, f32)> = near
                    .iter()
                    .filter(|n| rated(user, n.1))
                    .map(|n| (n.1, n.0))
                    .collect();
                of_user.sort_by_key(|n| n.0);
                of_user.iter().map(|n| n.1).sum::<f32>()
            };
            let seen: Vec<u32> = (0..N_ITEMS).filter(|&i| rated(user, i)).collect();
            let scores: Vec<(f32, u32)> = (0..N_ITEMS)
                .filter(|i| !seen.contains(i))
                .map(|i| (score(i), i))
                .collect();
            let wanted = crate::kernels::top_k::naive(&scores, 12);
            let wanted: Vec<u32> = wanted.iter().map(|s| s.1).collect();
            assert_eq!(neighbours.list(user, N_ITEMS as usize, &seen, 12), wanted);
            let relevant: Vec<u32> = wanted[..3].to_vec();
            let relevant = {
                let mut r = relevant;
                r.sort_unstable();
                r
            };
            let mut pairs = PairCount::new(relevant.iter().map(|&i| score(i)).collect());
            scores.iter().for_each(|s| pairs.push(s.0));
            assert_eq!(
                neighbours.auc(user, N_ITEMS as usize, &seen, &relevant),
                pairs.auc()
            );
        }
        assert_eq!(
            neighbours.list(999, 5, &[1], 3),
            [0, 2, 3],
            "a stranger: by index"
        );
    }

    #[test]
    fn of_a_pair_that_stands_twice_the_last_counts() {
        let mut twice = train();
        let (user, item) = (twice.users[5], twice.items[5]);
        twice.users.push(user);
        twice.items.push(item);
        twice.ratings.push(1.0);
        let knn = Knn::new(&twice, N_USERS as usize, N_ITEMS as usize);
        assert_eq!(knn.by_user.entries.len(), train().len());
        let entry = knn.by_user.row(user).iter().find(|e| e.0 == item).unwrap();
        let base = knn.baseline.predict(Some(user), Some(item));
        assert_eq!(entry.1, (1.0 - base) as f32);
    }
}
