//! Which examples does a step see?
//!
//! In full batch all of them, laid out once. By blocks those of one block, many at a time. In mini-batches some; where shuffled, the order is drawn anew each epoch from a stream of that epoch's
//! name (so that going on from an epoch needs no generator to be saved). The last batch of an epoch may be smaller; it is never dropped.
//!
//! | loss | a step sees |
//! |---|---|
//! | of ratings or labels | examples; of clicks, each with some negatives |
//! | of pairs | positives, each with a negative |
//! | of lists | users with all their positives, against every item or a sample that they share |
//!
//! | file | question |
//! |---|---|
//! | `laying` | how are the examples laid out before the first step? |
//! | `positives` | what does a row of the file say: how much, yes or no, or only yes? |
//! | `sampler` | which items come up as negatives? |
//! | `alias` | how is one of many drawn by weight? |

mod alias;
pub(super) mod laying;
pub(super) mod positives;
pub(super) mod sampler;

use std::borrow::Cow;

use crate::data::Interactions;
use crate::data::layout::{Blocks, Candidates, Examples, Lists, Pairs};
use crate::gradient::Batch;
use crate::kernels::pool::Pool;
use crate::random::Stream;
use crate::training::config::Count;
use sampler::Sampler;

/// The batches of a training set.
#[derive(Debug)]
pub(super) enum Batches<'d> {
    /// One batch: everything.
    Full(Blocks),
    /// A batch a block, a step of the schedule a stratum.
    Strata(Blocks),
    /// Batches that are laid out when their step comes.
    Mini(Mini<'d>),
}

/// Batches of some examples, or of some users.
#[derive(Debug)]
pub(super) struct Mini<'d> {
    pub(super) ratings: Cow<'d, Interactions>,
    /// Examples a step; of lists users a step.
    pub(super) size: usize,
    pub(super) shuffle: bool,
    pub(super) seed: u64,
    pub(super) kind: Kind,
}

/// What a mini-batch is made of.
#[derive(Debug)]
pub(super) enum Kind {
    /// Ratings or labels.
    Examples,
    /// Clicks, each with so many negatives with a label of 0.
    Labels { sampler: Sampler, each: usize },
    /// Positives, each with a negative.
    Pairs(Sampler),
    /// Users with all their positives, by the positions of each; rising.
    Lists {
        sampler: Sampler,
        count: Count,
        users: Vec<Vec<u32>>,
    },
}

impl Batches<'_> {
    /// Steps of one epoch.
    pub(super) fn steps_per_epoch(&self) -> u64 {
        match self {
            Batches::Full(_) => 1,
            Batches::Strata(blocks) => blocks.n_blocks() as u64,
            Batches::Mini(mini) => mini.n_units().div_ceil(mini.size) as u64,
        }
    }

    /// The blocks, where the ratings are cut into such.
    pub(super) fn blocks(&self) -> Option<&Blocks> {
        match self {
            Batches::Full(blocks) | Batches::Strata(blocks) => Some(blocks),
            Batches::Mini(_) => None,
        }
    }

    /// Examples of an epoch: what its loss is divided by.
    pub(super) fn n_examples(&self) -> usize {
        match self {
            Batches::Full(blocks) | Batches::Strata(blocks) => blocks.len(),
            Batches::Mini(mini) => match &mini.kind {
                Kind::Labels { each, .. } => mini.ratings.len() * (1 + each),
                _ => mini.ratings.len(),
            },
        }
    }

    /// Calls `step` with each batch of epoch `epoch`; with everything where there are blocks. Returns the negatives that were drawn.
    pub(super) fn for_each(
        &self,
        epoch: usize,
        pool: &Pool,
        mut step: impl FnMut(Batch<'_>),
    ) -> u64 {
        match self {
            Batches::Full(blocks) | Batches::Strata(blocks) => {
                step(Batch::Blocks(blocks));
                0
            }
            Batches::Mini(mini) => mini.for_each(epoch, pool, step),
        }
    }
}

/// Positions of each user's examples; users without any are left out.
pub(super) fn by_user(ratings: &Interactions, n_users: usize) -> Vec<Vec<u32>> {
    let mut users = vec![Vec::new(); n_users];
    for (position, &user) in (0u32..).zip(&ratings.users) {
        users[user as usize].push(position);
    }
    users.retain(|positions| !positions.is_empty());
    users
}

impl Mini<'_> {
    /// What is shuffled: examples, or users.
    fn n_units(&self) -> usize {
        match &self.kind {
            Kind::Lists { users, .. } => users.len(),
            _ => self.ratings.len(),
        }
    }

    fn for_each(&self, epoch: usize, pool: &Pool, mut step: impl FnMut(Batch<'_>)) -> u64 {
        let mut order: Vec<u32> = (0..self.n_units() as u32).collect();
        if self.shuffle {
            Stream::new(self.seed, &format!("epoch.{epoch}")).shuffle(&mut order);
        }
        let mut drawn = 0;
        for (n, batch) in order.chunks(self.size).enumerate() {
            drawn += self.batch((epoch, n), batch, pool, &mut step);
        }
        drawn
    }

    /// One batch; returns the negatives that were drawn for it.
    fn batch(
        &self,
        at: (usize, usize),
        batch: &[u32],
        pool: &Pool,
        step: &mut impl FnMut(Batch<'_>),
    ) -> u64 {
        let ratings = &*self.ratings;
        let of = |column: &[u32]| {
            batch
                .iter()
                .map(|&p| column[p as usize])
                .collect::<Vec<u32>>()
        };
        match &self.kind {
            Kind::Examples => {
                step(Batch::Examples(&Examples::batch(ratings, batch)));
                0
            }
            Kind::Labels { sampler, each } => {
                let (users, items) = (of(&ratings.users), of(&ratings.items));
                let negatives = sampler.of_each(at, &users, &items, *each, pool);
                let (labels, drawn) = with_negatives(ratings, batch, &negatives, *each);
                let all: Vec<u32> = (0..labels.len() as u32).collect();
                step(Batch::Examples(&Examples::batch(&labels, &all)));
                drawn
            }
            Kind::Pairs(sampler) => {
                let (users, items) = (of(&ratings.users), of(&ratings.items));
                let negatives = sampler.of_each(at, &users, &items, 1, pool);
                let pairs = pairs(ratings, batch, (&users, &items), &negatives);
                if !pairs.is_empty() {
                    step(Batch::Pairs(&pairs));
                }
                pairs.len() as u64
            }
            Kind::Lists {
                sampler,
                count,
                users,
            } => {
                let mut chosen: Vec<&[u32]> =
                    batch.iter().map(|&u| &users[u as usize][..]).collect();
                chosen.sort_unstable_by_key(|positions| ratings.users[positions[0] as usize]);
                let positives = Examples::batch(ratings, &chosen.concat());
                let candidates = match count {
                    Count::All => Candidates::Everything,
                    Count::Some(n) => {
                        Candidates::Sample(sampler.shared(at.0, at.1, &positives.items, *n))
                    }
                };
                let drawn = match &candidates {
                    Candidates::Everything => 0,
                    Candidates::Sample(sample) => sample.items.len() as u64,
                };
                let left_out = sampler.seen();
                step(Batch::Lists(&Lists {
                    positives,
                    candidates,
                    left_out,
                }));
                drawn
            }
        }
    }
}

/// The examples of a batch, and their negatives with a label of 0 and the weight of the example.
fn with_negatives(
    ratings: &Interactions,
    batch: &[u32],
    negatives: &[Option<u32>],
    each: usize,
) -> (Interactions, u64) {
    let positions: Vec<usize> = batch.iter().map(|&p| p as usize).collect();
    let mut all = ratings.select(&positions);
    all.timestamps = None;
    for (n, item) in negatives.iter().enumerate() {
        let Some(item) = *item else { continue };
        all.users.push(all.users[n / each]);
        all.items.push(item);
        all.ratings.push(0.0);
        if let Some(weights) = &mut all.weights {
            weights.push(weights[n / each]);
        }
    }
    let drawn = (all.len() - batch.len()) as u64;
    (all, drawn)
}

/// The positives of a batch with their negatives; those without one are left out.
fn pairs(
    ratings: &Interactions,
    batch: &[u32],
    (users, items): (&[u32], &[u32]),
    negatives: &[Option<u32>],
) -> Pairs {
    let kept: Vec<usize> = (0..batch.len())
        .filter(|&n| negatives[n].is_some())
        .collect();
    let of = |column: &[u32]| kept.iter().map(|&n| column[n]).collect::<Vec<u32>>();
    let weights = ratings.weights.as_ref().map(|weights| {
        kept.iter()
            .map(|&n| weights[batch[n] as usize])
            .collect::<Vec<f32>>()
    });
    let negatives: Vec<u32> = negatives.iter().flatten().copied().collect();
    Pairs::new(&of(users), &of(items), &negatives, weights.as_deref())
}
