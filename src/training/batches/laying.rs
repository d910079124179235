//! How are the examples laid out before the first step?
//!
//! Ratings in blocks, where all are seen at once or block by block; everything else stays as it is and is laid out batch by batch.
//!
//! | batch | auto |
//! |---|---|
//! | ratings, labels in a file | full; from a million ratings on by blocks |
//! | clicks and pairs | 1/64 of them, from 1,024 to 65,536 |
//! | lists | 1/64 of the users, from 16 to 512, and so many that their scores fit into 256 MiB |

use std::borrow::Cow;

use super::sampler::Sampler;
use super::{Batches, Kind, Mini, by_user};
use crate::data::layout::{Blocks, order};
use crate::data::{Dataset, Interactions};
use crate::kernels::pool::Pool;
use crate::loss::{LossKind, LossShape};
use crate::training::collapse;
use crate::training::config::{Batch, Config, Count};
use crate::{Error, Result};

/// Steps of an epoch, about.
const STEPS: usize = 64;
/// Numbers of a matrix of scores, at most.
const MOST_SCORES: usize = 1 << 26;

/// What the layout depends on.
pub(in crate::training) struct Laying<'a, 'd> {
    pub(in crate::training) config: &'a Config,
    pub(in crate::training) train: &'d Dataset,
    /// Whether no example says no.
    pub(in crate::training) only_positives: bool,
    /// Examples of each user, of each item.
    pub(in crate::training) counts: (&'a [u32], &'a [u32]),
    pub(in crate::training) pool: &'a Pool,
}

impl<'d> Laying<'_, 'd> {
    /// The batches of `examples`.
    ///
    /// # Errors
    /// Where ratings that are not in memory are to be seen at once, and where a step would hold too many scores.
    pub(in crate::training) fn batches(
        self,
        examples: Cow<'d, Interactions>,
    ) -> Result<Batches<'d>> {
        let Laying {
            config,
            train,
            counts,
            pool,
            ..
        } = self;
        let of_clicks = config.loss.takes_labels() && self.only_positives;
        let drawn = of_clicks || config.loss.takes_negatives();
        if drawn {
            return self.with_negatives(examples);
        }
        // Blocks have an order of rows of their own, which a graph does not know.
        let batch = match config.batch {
            Batch::Auto | Batch::Full if config.layers > 0 => Batch::Size(examples.len()),
            batch => batch,
        };
        Ok(match batch {
            Batch::Auto | Batch::Full => {
                train.in_memory("full batch")?;
                let n = order::blocks_for_tasks(examples.len(), counts.0.len(), counts.1.len());
                Batches::Full(Blocks::cut(&examples, counts, n, pool))
            }
            Batch::Blocks => Batches::Strata(match &train.stored {
                Some(stored) => Blocks::stored(&stored.cache, counts, &stored.folder, pool)?,
                None => {
                    let n = order::blocks_for_steps(examples.len(), counts.0.len(), counts.1.len());
                    Blocks::cut(&examples, counts, n, pool)
                }
            }),
            Batch::Size(size) => {
                train.in_memory("training in mini-batches")?;
                Batches::Mini(Mini {
                    ratings: examples,
                    size,
                    shuffle: config.shuffle,
                    seed: config.seed,
                    kind: Kind::Examples,
                })
            }
        })
    }

    /// Batches that negatives are drawn for.
    fn with_negatives(self, examples: Cow<'d, Interactions>) -> Result<Batches<'d>> {
        let Laying {
            config,
            train,
            counts,
            ..
        } = self;
        let count = config.n_negatives();
        // The sum under a softmax over all items has the positives in it.
        let whole = matches!(config.loss, LossKind::Softmax { .. }) && count == Count::All;
        let seen = (config.unseen_negatives && !whole).then(|| collapse::seen(train));
        let seen = seen.transpose()?;
        let sampler = Sampler::new(config.sampling, counts.1.to_vec(), seen, config.seed);
        let kind = match (config.loss.shape(), count) {
            (LossShape::Pairwise, _) => Kind::Pairs(sampler),
            (LossShape::Listwise, count) => Kind::Lists {
                sampler,
                count,
                users: by_user(&examples, train.n_users()),
            },
            (_, Count::Some(each)) => Kind::Labels { sampler, each },
            (_, Count::All) => unreachable!("only lists take all items"),
        };
        let size = self.size(&kind, examples.len())?;
        Ok(Batches::Mini(Mini {
            ratings: examples,
            size,
            shuffle: config.shuffle && config.batch != Batch::Full,
            seed: config.seed,
            kind,
        }))
    }

    /// Examples a step, or users a step.
    fn size(&self, kind: &Kind, n_examples: usize) -> Result<usize> {
        let Kind::Lists { count, users, .. } = kind else {
            return Ok(match self.config.batch {
                Batch::Size(size) => size,
                Batch::Full => n_examples,
                _ => (n_examples / STEPS).clamp(1024, 65_536),
            });
        };
        let n_items = self.counts.1.len();
        let candidates = match count {
            Count::All => n_items,
            Count::Some(n) => (*n).min(n_items),
        };
        let most = (MOST_SCORES / candidates.max(1)).max(1);
        let size = match self.config.batch {
            Batch::Size(size) => size,
            Batch::Full => users.len(),
            _ => (users.len() / STEPS).clamp(16, 512).min(most),
        };
        if size.min(users.len()) > most {
            return Err(Error::config(
                "batch",
                format!("{size} users against {candidates} items a step"),
                format!("at most {most} users a step: their scores must fit into memory"),
            ));
        }
        Ok(size)
    }
}
