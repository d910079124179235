//! Which examples does a step see?
//!
//! In full batch all of them, laid out once in blocks; by blocks, those of a block. In mini-batches some, laid out batch by batch, in an order that is drawn anew each epoch from a stream of that epoch's
//! name (so that going on from an epoch needs no generator to be saved). The last batch of an epoch may be smaller; it is never dropped.

use crate::data::Interactions;
use crate::data::layout::{Blocks, Examples};
use crate::gradient::Batch;
use crate::random::Stream;

/// The batches of a training set.
#[derive(Debug)]
pub(super) enum Batches<'d> {
    /// One batch: everything.
    Full(Blocks),
    /// A batch a block, a step of the schedule a stratum.
    Strata(Blocks),
    /// Batches of `size`, the last one what is left.
    Mini {
        ratings: &'d Interactions,
        size: usize,
        shuffle: bool,
        seed: u64,
    },
}

impl Batches<'_> {
    /// Steps of one epoch.
    pub(super) fn steps_per_epoch(&self) -> u64 {
        match self {
            Batches::Full(_) => 1,
            Batches::Strata(blocks) => blocks.n_blocks() as u64,
            Batches::Mini { ratings, size, .. } => ratings.len().div_ceil(*size) as u64,
        }
    }

    /// The blocks, where the ratings are cut into such.
    pub(super) fn blocks(&self) -> Option<&Blocks> {
        match self {
            Batches::Full(blocks) | Batches::Strata(blocks) => Some(blocks),
            Batches::Mini { .. } => None,
        }
    }

    /// Calls `step` with each batch of epoch `epoch`; with everything where there are blocks.
    pub(super) fn for_each(&self, epoch: usize, mut step: impl FnMut(Batch<'_>)) {
        match self {
            Batches::Full(blocks) | Batches::Strata(blocks) => step(Batch::Blocks(blocks)),
            Batches::Mini {
                ratings,
                size,
                shuffle,
                seed,
            } => {
                let mut order: Vec<u32> = (0..ratings.len() as u32).collect();
                if *shuffle {
                    Stream::new(*seed, &format!("epoch.{epoch}")).shuffle(&mut order);
                }
                for batch in order.chunks(*size) {
                    step(Batch::Examples(&Examples::batch(ratings, batch)));
                }
            }
        }
    }
}
