//! Which items come up as negatives?
//!
//! ```text
//! uniform        p_j = 1/n_items
//! popularity:β   p_j = n_j^β / Σ n^β            n_j training examples of item j; an item without any never comes up unless β is 0
//! in-batch       an item that another example of the step took
//! ```
//!
//! A sample that a step shares holds each item once. Drawn N times with probabilities p it holds item j with π_j = 1 − (1 − p_j)^N; ln π_j less the same of a uniform draw are
//! its *log odds*, which a softmax takes off. Every draw has a stream named after its epoch, its step and its place in it, so the number of threads changes nothing.

use super::alias::Alias;
use crate::data::Csr;
use crate::data::layout::Sample;
use crate::kernels::pool::Pool;
use crate::random::Stream;
use crate::training::config::Sampling;

/// Draws of a pair that fail before the negative is picked among what is left, all alike.
const TRIES: usize = 100;
/// Negatives of a task, from one stream.
const PER_TASK: usize = 4096;

/// What negatives are drawn from.
#[derive(Debug)]
pub(in crate::training) struct Sampler {
    kind: Sampling,
    seed: u64,
    /// The training examples of each item.
    counts: Vec<u32>,
    alias: Option<Alias>,
    /// The items of each user, rising, that are never its negatives.
    seen: Option<Csr>,
}

impl Sampler {
    /// Over items with so many examples each; `seen` are those that a user's negatives leave out.
    pub(super) fn new(kind: Sampling, counts: Vec<u32>, seen: Option<Csr>, seed: u64) -> Sampler {
        let alias = match kind {
            Sampling::Popularity { exponent } => {
                let weights: Vec<f64> = counts
                    .iter()
                    .map(|&n| libm::pow(f64::from(n), exponent))
                    .collect();
                Some(Alias::new(&weights))
            }
            Sampling::Uniform | Sampling::InBatch => None,
        };
        Sampler {
            kind,
            seed,
            counts,
            alias,
            seen,
        }
    }

    /// The items that are left out for each user.
    pub(super) fn seen(&self) -> Option<&Csr> {
        self.seen.as_ref()
    }

    /// `each` negatives for every one of `users`, who took `items`; `None` for one that has seen everything.
    pub(super) fn of_each(
        &self,
        (epoch, step): (usize, usize),
        users: &[u32],
        items: &[u32],
        each: usize,
        pool: &Pool,
    ) -> Vec<Option<u32>> {
        let tasks = (0..users.len().div_ceil(PER_TASK)).collect();
        let drawn = pool.map(tasks, |task: usize| {
            let mut stream = Stream::new(self.seed, &format!("negatives.{epoch}.{step}.{task}"));
            let users = &users[task * PER_TASK..];
            let users = &users[..PER_TASK.min(users.len())];
            let of_user = |&user: &u32| {
                let seen = self
                    .seen
                    .as_ref()
                    .map_or(&[][..], |seen| seen.row(user as usize));
                (0..each)
                    .map(|_| self.one(&mut stream, items, seen))
                    .collect::<Vec<_>>()
            };
            users.iter().flat_map(of_user).collect::<Vec<_>>()
        });
        drawn.concat()
    }

    /// One item that is not among `seen`.
    fn one(&self, stream: &mut Stream, of_step: &[u32], seen: &[u32]) -> Option<u32> {
        let n_items = self.counts.len();
        if seen.len() >= n_items {
            return None;
        }
        for _ in 0..TRIES {
            let item = match (&self.alias, self.kind) {
                (Some(alias), _) => alias.draw(stream),
                (None, Sampling::InBatch) => of_step[stream.below(of_step.len() as u64) as usize],
                (None, _) => stream.below(n_items as u64) as u32,
            };
            if seen.binary_search(&item).is_err() {
                return Some(item);
            }
        }
        // The n-th that is not seen: each seen one at or below it moves it on.
        let mut item = stream.below((n_items - seen.len()) as u64) as u32;
        for &other in seen {
            item += u32::from(other <= item);
        }
        Some(item)
    }

    /// About `n` items for all of a step, whose examples took `items`.
    pub(super) fn shared(&self, epoch: usize, step: usize, items: &[u32], n: usize) -> Sample {
        let n_items = self.counts.len();
        let mut stream = Stream::new(self.seed, &format!("negatives.{epoch}.{step}"));
        let mut drawn = vec![false; n_items];
        let mut draws = n;
        match (&self.alias, self.kind) {
            (Some(alias), _) => (0..n).for_each(|_| drawn[alias.draw(&mut stream) as usize] = true),
            (None, Sampling::InBatch) => {
                items.iter().for_each(|&item| drawn[item as usize] = true);
                draws = items.len();
            }
            // Floyd's way to a set of n: each of the last n, or what was drawn below it.
            (None, _) => {
                for last in n_items - n.min(n_items)..n_items {
                    let item = stream.below(last as u64 + 1) as usize;
                    let item = if drawn[item] { last } else { item };
                    drawn[item] = true;
                }
            }
        }
        let items: Vec<u32> = (0u32..)
            .zip(&drawn)
            .filter_map(|(item, &d)| d.then_some(item))
            .collect();
        let corrections = self.corrections(&items, draws);
        Sample { items, corrections }
    }

    /// ln π_j of each item, less that of a uniform sample as large.
    fn corrections(&self, items: &[u32], draws: usize) -> Vec<f32> {
        let total: f64 = self.counts.iter().map(|&n| f64::from(n)).sum();
        let p = |item: u32| match (&self.alias, self.kind) {
            (Some(alias), _) => Some(alias.probability(item)),
            (None, Sampling::InBatch) => Some(f64::from(self.counts[item as usize]) / total),
            _ => None,
        };
        let uniform = items.len() as f64 / self.counts.len() as f64;
        let odds = |&item: &u32| match p(item) {
            // 1 − (1 − p)^N, exact where p is small.
            Some(p) => {
                let chance = -libm::expm1(draws as f64 * libm::log1p(-p.min(1.0)));
                libm::log(chance.max(f64::MIN_POSITIVE) / uniform) as f32
            }
            None => 0.0,
        };
        items.iter().map(odds).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(kind: Sampling, seen: Option<Csr>) -> Sampler {
        Sampler::new(kind, vec![0, 1, 2, 3, 4, 0, 6, 7, 8, 9], seen, 1)
    }

    #[test]
    fn the_negatives_of_each_are_unseen_and_those_of_any_number_of_threads() {
        let seen = Csr::from_rows([vec![0, 1, 2, 3, 4, 5, 6, 7, 8], vec![3], (0..10).collect()]);
        let users: Vec<u32> = (0..9000).map(|n| n % 3).collect();
        let items: Vec<u32> = (0..9000).map(|n| n % 7).collect();
        for kind in [
            Sampling::Uniform,
            Sampling::Popularity { exponent: 0.5 },
            Sampling::InBatch,
        ] {
            let sampler = sampler(kind, Some(seen.clone()));
            let drawn = sampler.of_each((1, 2), &users, &items, 2, &Pool::new(1));
            assert_eq!(drawn.len(), 18_000);
            for (n, drawn) in drawn.iter().enumerate() {
                match n / 2 % 3 {
                    0 => assert_eq!(*drawn, Some(9), "the only one left"),
                    1 => assert!(drawn.is_some_and(|item| item != 3)),
                    _ => assert_eq!(*drawn, None, "nothing is left"),
                }
            }
            assert_eq!(
                drawn,
                sampler.of_each((1, 2), &users, &items, 2, &Pool::new(3))
            );
            assert_ne!(
                drawn,
                sampler.of_each((1, 3), &users, &items, 2, &Pool::new(1))
            );
            assert_ne!(
                drawn,
                sampler.of_each((2, 2), &users, &items, 2, &Pool::new(1))
            );
        }
    }

    #[test]
    fn items_come_up_as_often_as_they_should() {
        let users = vec![0; 60_000];
        let seen = Csr::from_rows([vec![]]);
        let often = |kind: Sampling| {
            let drawn =
                sampler(kind, Some(seen.clone())).of_each((1, 1), &users, &[8], 1, &Pool::new(1));
            let mut counts = [0.0f64; 10];
            drawn
                .iter()
                .flatten()
                .for_each(|&item| counts[item as usize] += 1.0 / 60_000.0);
            counts
        };
        // Four standard deviations of a share of 1/10 in 60,000 draws are 0.005.
        assert!(
            often(Sampling::Uniform)
                .iter()
                .all(|share| (share - 0.1).abs() < 0.005)
        );
        let popular = often(Sampling::Popularity { exponent: 1.0 });
        for (item, n) in [0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 6.0, 7.0, 8.0, 9.0]
            .into_iter()
            .enumerate()
        {
            assert!(
                (popular[item] - n / 40.0).abs() < 0.007,
                "{item}: {}",
                popular[item]
            );
        }
        assert!((often(Sampling::InBatch)[8] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_shared_sample_holds_each_item_once_with_its_odds() {
        let uniform = sampler(Sampling::Uniform, None);
        for n in [1, 4, 10, 30] {
            let sample = uniform.shared(1, 1, &[], n);
            assert_eq!(sample.items.len(), n.min(10));
            assert!(sample.items.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(sample.corrections.iter().all(|&odds| odds == 0.0));
        }
        assert_ne!(uniform.shared(1, 1, &[], 4), uniform.shared(1, 2, &[], 4));
        // Each of ten comes up in four of ten samples; four deviations of 2,000 samples are 0.044.
        let mut often = [0.0; 10];
        for step in 0..2000 {
            for item in uniform.shared(1, step, &[], 4).items {
                often[item as usize] += 1.0 / 2000.0;
            }
        }
        assert!(
            often.iter().all(|share: &f64| (share - 0.4).abs() < 0.044),
            "{often:?}"
        );

        let in_batch = sampler(Sampling::InBatch, None).shared(1, 1, &[9, 3, 9], 99);
        assert_eq!(in_batch.items, [3, 9]);
        // Three draws of p = 3/40 and 9/40, against 2 of 10.
        let odds = |p: f64| ((1.0 - (1.0 - p).powi(3)) / 0.2).ln();
        for (found, p) in in_batch.corrections.iter().zip([3.0 / 40.0, 9.0 / 40.0]) {
            assert!((f64::from(*found) - odds(p)).abs() < 1e-6, "{found}");
        }
    }
}
