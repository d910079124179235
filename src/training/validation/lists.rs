//! Where do held-out items stand in the lists that the tables make?
//!
//! ```text
//! for each user with held-out items:    all items ranked by score, the user's training items left out, equals by item index
//!     recall@20 and NDCG@20 of the held-out items                                          metrics::held_out
//! ```
//!
//! The lists are those of the finished model, to the last bit: the same scores, and rows keep their own numbers while training goes by blocks. Users and items that training never saw have rows
//! of zeros; a held-out item beyond the table is a miss, and a held-out pair that is in training too counts for nothing.
//! Blocks of users are tasks; a run of items at a time ([`sweep`]). For 30,000 users, 41,000 items and 64 factors that are 79·10⁹ products.

use super::Predictions;
use crate::Result;
use crate::data::layout::Blocks;
use crate::data::{Csr, Dataset, Interactions};
use crate::kernels::pool::Pool;
use crate::kernels::rows::RowsView;
use crate::kernels::sweep::{BLOCK, Best, sweep};
use crate::kernels::tiles::{ITEMS, Packed, USERS};
use crate::kernels::{Kernel, Real};
use crate::metrics::Hits;
use crate::metrics::held_out::{CUTOFF, ListMeans};
use crate::model::purpose::normalise;
use crate::model::{Parameters, Similarity, Table};
use crate::training::collapse;

/// The held-out items of each user, and what the user has in training. Rows have their own numbers, also while the tables are in block order.
#[derive(Clone, Debug)]
pub(in crate::training) struct Lists {
    /// Users with held-out items, rising.
    users: Vec<u32>,
    /// Those items, rising.
    relevant: Csr,
    /// What each user of the data has in training, rising.
    seen: Csr,
}

impl Lists {
    /// Of `data` and what was held out of it, as far as it has ratings of `least` or more.
    pub(in crate::training) fn new(
        data: &Dataset,
        held_out: &Interactions,
        least: f64,
    ) -> Result<Lists> {
        let seen = collapse::seen(data)?;
        let liked = (0..held_out.len()).filter(|&n| f64::from(held_out.ratings[n]) >= least);
        let mut pairs: Vec<(u32, u32)> = liked
            .map(|n| (held_out.users[n], held_out.items[n]))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs.retain(|(user, item)| row_of(&seen, *user).binary_search(item).is_err());
        let (mut users, mut relevant) = (Vec::new(), Csr::default());
        for own in pairs.chunk_by(|a, b| a.0 == b.0) {
            users.push(own[0].0);
            relevant.push_row(&own.iter().map(|pair| pair.1).collect::<Vec<u32>>());
        }
        Ok(Lists {
            users,
            relevant,
            seen,
        })
    }

    /// How the lists of these parameters hold them; `blocks` where rows stand at their places.
    pub(in crate::training) fn judge<T: Real>(
        &self,
        parameters: &Parameters<T>,
        predictions: Predictions,
        blocks: Option<&Blocks>,
        kernel: Kernel,
        pool: &Pool,
    ) -> ListMeans {
        let spread = parameters.graph.as_ref();
        let spread = spread.map(|_| parameters.scored_rows(predictions.similarity, pool, kernel));
        let (mut of_users, mut of_items) = (None, None);
        let (users, items) = match &spread {
            Some([users, items]) => (users, items),
            None => (
                parameters.users.compose_all(&mut of_users),
                parameters.items.compose_all(&mut of_items),
            ),
        };
        let of = |table, place_of| Rows::of(table, place_of, predictions.similarity);
        let users = of(users, blocks.map(|b| &b.users.place_of[..]));
        let items = of(items, blocks.map(|b| &b.items.place_of[..]));
        let mean = parameters.global_mean.unwrap_or(0.0) as f32;
        let numbers: Vec<u32> = (0..parameters.items.identity.n_rows() as u32).collect();
        let packed = Packed::<ITEMS>::new(items.view(), &numbers, |item| items.bias(item));
        let tasks: Vec<usize> = (0..self.users.len()).step_by(BLOCK).collect();
        let parts = pool.map(tasks, |start: usize| {
            let places = start..(start + BLOCK).min(self.users.len());
            let chosen = &self.users[places.clone()];
            // A stranger's row is behind the last.
            let last = users.n_rows as u32;
            let rows: Vec<u32> = chosen.iter().map(|&user| user.min(last)).collect();
            let of_block =
                Packed::<USERS>::new(users.view(), &rows, |user| mean + users.bias(user));
            let list = |&user: &u32| Best::new(CUTOFF, row_of(&self.seen, user));
            let mut lists: Vec<Best<'_>> = chosen.iter().map(list).collect();
            sweep(&of_block, (&packed, &numbers), &mut lists, kernel);
            let mut means = ListMeans::default();
            for (place, list) in places.zip(lists) {
                let best = list.into_sorted();
                let list: Vec<u32> = best.iter().map(|entry| entry.1).collect();
                if let Some(hits) = Hits::of(&list, self.relevant.row(place)) {
                    means.push(&hits);
                }
            }
            means
        });
        let mut means = ListMeans::default();
        parts.iter().for_each(|part| means.merge(part));
        means
    }
}

/// The items of a user; none of a stranger.
fn row_of(seen: &Csr, user: u32) -> &[u32] {
    match (user as usize) < seen.n_rows() {
        true => seen.row(user as usize),
        false => &[],
    }
}

/// The composed rows of a side as the finished model has them, and a row of zeros behind the last.
struct Rows {
    values: Vec<f32>,
    biases: Vec<f32>,
    stride: usize,
    n_rows: usize,
}

impl Rows {
    fn of<T: Real>(table: &Table<T>, place_of: Option<&[u32]>, similarity: Similarity) -> Rows {
        let (n_rows, stride) = (table.n_rows(), table.stride());
        let mut values = vec![0.0; (n_rows + 1) * stride];
        let mut biases = vec![0.0; n_rows + 1];
        for row in 0..n_rows {
            let place = place_of.map_or(row, |places| places[row] as usize);
            let to = &mut values[row * stride..][..stride];
            for (to, from) in to.iter_mut().zip(table.row(place)) {
                *to = from.to_f32();
            }
            if similarity == Similarity::Cosine {
                normalise(to);
            }
            biases[row] = table.bias_slice().map_or(0.0, |b| b[place].to_f32());
        }
        Rows {
            values,
            biases,
            stride,
            n_rows,
        }
    }

    fn view(&self) -> RowsView<'_, f32> {
        RowsView {
            values: &self.values,
            stride: self.stride,
        }
    }

    fn bias(&self, row: u32) -> f32 {
        self.biases[row as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Model;
    use crate::data::{Halves, Split};
    use crate::evaluation::report::ranking::{OfModel, TestUsers, everybody, measure};
    use crate::kernels::top_k;
    use crate::metrics::HeldOut;
    use crate::model::Scorer;
    use crate::training::{Batch, Config, Event, Implicit, Keep, Monitor, Trainer};
    use std::ops::ControlFlow;

    /// 3000 ratings with a truth in them, a fifth held out; users and items that training never saw among those.
    fn halves() -> Halves {
        let rows = (0..3000u32).filter_map(|n| {
            let (user, item) = (n * 7 % 90, n * n % 211 % 70);
            let rating = 1.0 + ((user % 5) * (item % 7) % 5) as f32;
            (n % 3 != 0 || user % 2 == item % 2)
                .then(|| (format!("u{user}"), format!("i{item}"), rating))
        });
        let data = Dataset::builder().rows(rows).unwrap().build().unwrap();
        let mut halves = data.split(&Split::random(0.2, 3)).unwrap();
        let valid = &mut halves.valid.interactions;
        for (user, item) in [(5000, 3), (5000, 4), (7, 6000)] {
            valid.users.push(user);
            valid.items.push(item);
            valid.ratings.push(3.0);
        }
        // What is in training too counts for nothing.
        let train = &halves.train.interactions;
        valid.users.push(train.users[0]);
        valid.items.push(train.items[0]);
        valid.ratings.push(3.0);
        halves
    }

    /// A trainer that is judged by lists, whatever its loss is.
    fn trainer<'d>(
        config: Config,
        train: &'d Dataset,
        valid: &'d Interactions,
    ) -> Trainer<'d, f32> {
        let checked = config.check().unwrap();
        let mut trainer = checked.trainer::<f32>(train, Some(valid)).unwrap();
        trainer.lists = Some(Lists::new(train, valid, f64::NEG_INFINITY).unwrap());
        trainer
    }

    /// Recall and NDCG as `evaluate` finds them of a finished model.
    fn of_model(model: &Model, valid: &Interactions) -> [f64; 2] {
        let users = TestUsers::new(model, valid, None);
        let recommender = everybody(model, CUTOFF).unwrap();
        let metrics = ["recall@20", "ndcg@20"].map(|name| name.parse().unwrap());
        let ranking = OfModel::new(model, &recommender);
        let found = measure(&ranking, model, &users, &metrics, &Pool::new(1));
        [found[0].value, found[1].value]
    }

    /// The same by sorting everything.
    fn naive(model: &Model, valid: &Interactions) -> [f64; 2] {
        let n_users = model.users().ids().len() as u32;
        let mut means = ListMeans::default();
        for user in valid
            .users
            .iter()
            .copied()
            .collect::<std::collections::BTreeSet<_>>()
        {
            let known = Some(user).filter(|&user| user < n_users);
            let seen = known.map_or(&[][..], |user| model.seen(user));
            let scorer = Scorer::new(model, known);
            let all: Vec<(f32, u32)> = (0..model.items().ids().len() as u32)
                .filter(|item| !seen.contains(item))
                .map(|item| (scorer.score(item), item))
                .collect();
            let list: Vec<u32> = top_k::naive(&all, CUTOFF).iter().map(|e| e.1).collect();
            let own = (0..valid.len()).filter(|&n| valid.users[n] == user);
            let mut relevant: Vec<u32> = own.map(|n| valid.items[n]).collect();
            relevant.retain(|item| !seen.contains(item));
            relevant.sort_unstable();
            relevant.dedup();
            Hits::of(&list, &relevant)
                .iter()
                .for_each(|hits| means.push(hits));
        }
        [means.recall(), means.ndcg()]
    }

    #[test]
    fn held_out_items_are_found_where_the_finished_model_lists_them() {
        let Halves { train, valid } = halves();
        let valid = &valid.interactions;
        for (batch, biases) in [
            (Batch::Full, true),
            (Batch::Blocks, true),
            (Batch::Blocks, false),
            (Batch::Size(256), false),
        ] {
            for threads in [1, 3] {
                let config = Config::rating()
                    .batch(batch)
                    .n_factors(5)
                    .epochs(4)
                    .learning_rate(0.05)
                    .global_mean(biases)
                    .biases(biases)
                    .implicit(Implicit::Items)
                    .keep(Keep::Last)
                    .threads(threads);
                let mut trainer = trainer(config, &train, valid);
                assert!(batch != Batch::Blocks || trainer.n_blocks() > Some(1));
                let mut epochs = Vec::new();
                let mut watch = |event: &Event| {
                    if let Event::EpochEnded(epoch) = event {
                        epochs.push(*epoch.valid.as_ref().unwrap().lists().unwrap());
                    }
                    ControlFlow::Continue(())
                };
                let finish = trainer.run(&mut watch);
                let model = trainer.model().unwrap();
                let found = *finish.valid.as_ref().unwrap().lists().unwrap();
                assert_eq!(epochs.last(), Some(&found));
                assert_eq!(
                    trainer.held_out(),
                    finish.valid,
                    "in the order of the rows too"
                );
                let found = [found.recall(), found.ndcg()];
                for wanted in [of_model(&model, valid), naive(&model, valid)] {
                    for (found, wanted) in found.iter().zip(wanted) {
                        // Two orders of a hundred terms below 1.
                        assert!(
                            (found - wanted).abs() < 1e-13,
                            "{batch:?}: {found}, {wanted}"
                        );
                    }
                }
                assert!(found[0] > 0.0 && found[1] > 0.0);
            }
        }
    }

    #[test]
    fn what_is_no_yes_counts_for_nothing() {
        let Halves { train, valid } = halves();
        let mut valid = valid.interactions;
        let mut lists = |least| {
            let lists = Lists::new(&train, &valid, least).unwrap();
            let liked = (0..valid.len()).filter(|&n| f64::from(valid.ratings[n]) >= 3.0);
            valid = valid.select(&liked.collect::<Vec<_>>());
            (lists.users, lists.relevant)
        };
        // All, then those of 3 or more by the threshold and because there are no others.
        let all = lists(f64::NEG_INFINITY);
        let by_selection = lists(f64::NEG_INFINITY);
        assert_ne!(all, by_selection);
        let valid = halves().valid.interactions;
        let by_threshold = Lists::new(&train, &valid, 3.0).unwrap();
        assert_eq!((by_threshold.users, by_threshold.relevant), by_selection);
    }

    #[test]
    fn the_best_epoch_is_the_one_of_the_greatest_figure() {
        let Halves { train, valid } = halves();
        let valid = &valid.interactions;
        for monitor in [Monitor::ValidNdcg, Monitor::ValidRecall] {
            let config = Config::rating().n_factors(5).epochs(12).learning_rate(0.3);
            let mut trainer = trainer(config.keep(Keep::Best), &train, valid);
            trainer.checked.0.monitor = Some(monitor);
            let mut figures = Vec::new();
            let mut watch = |event: &Event| {
                if let Event::EpochEnded(epoch) = event {
                    let means = epoch.valid.as_ref().unwrap().lists().unwrap();
                    let figure = match monitor {
                        Monitor::ValidNdcg => means.ndcg(),
                        _ => means.recall(),
                    };
                    let best = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    assert_eq!(epoch.improved, figure > best);
                    figures.push(figure);
                }
                ControlFlow::Continue(())
            };
            let finish = trainer.run(&mut watch);
            let best = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert_eq!(figures[finish.kept - 1], best);
            assert!(
                figures.last() < Some(&best),
                "a best epoch that is not the last: {figures:?}"
            );
            let model = trainer.model().unwrap();
            let place = usize::from(monitor == Monitor::ValidNdcg);
            assert!((of_model(&model, valid)[place] - best).abs() < 1e-13);
        }
    }

    #[test]
    fn lengths_do_not_count_for_a_cosine() {
        let Halves { train, valid } = halves();
        let valid = &valid.interactions;
        let config = Config::rating()
            .n_factors(5)
            .epochs(3)
            .biases(false)
            .global_mean(false);
        let mut trainer = trainer(config, &train, valid);
        trainer.predictions.similarity = Similarity::Cosine;
        trainer.run(&mut ());
        let before = trainer.held_out();
        let mut factors = trainer.parameters_mut().items.identity.factors_mut();
        for (n, mut row) in factors.rows_mut().into_iter().enumerate() {
            // Powers of two change no digit of a direction.
            row *= [0.5f32, 4.0, 1.0][n % 3];
        }
        assert_eq!(trainer.held_out(), before);
        trainer.predictions.similarity = Similarity::Dot;
        assert_ne!(trainer.held_out(), before);
        assert!(matches!(before, Some(HeldOut::Lists(_))));
    }
}
