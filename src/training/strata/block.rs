//! What does one block do?
//!
//! A pass over its examples at rows that stay as they are, what it owes the features, then a step of every row that it touches.

use super::features::{Debt, Owed};
use super::side::Share;
use crate::kernels::block::{BlockExamples, ScoreBlock};
use crate::kernels::{Job, Lanes, Real};
use crate::optimizer::block::BlockRule;

/// One block: the pass over its examples, then the steps of its rows.
pub(super) struct TrainBlock<'a, T, F, R> {
    pub(super) examples: BlockExamples<'a>,
    pub(super) mean: T,
    pub(super) users: Share<'a, T>,
    pub(super) items: Share<'a, T>,
    pub(super) chain: F,
    pub(super) rule: R,
}

impl<T, F, R> Job for TrainBlock<'_, T, F, R>
where
    T: Real,
    F: Fn(T, T) -> (f64, T),
    R: BlockRule<T>,
{
    /// Σ c·ℓ, and what the block owes the features of both sides.
    type Output = (f64, Vec<Debt<T>>, Vec<Debt<T>>);

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Self::Output {
        let TrainBlock {
            examples,
            mean,
            mut users,
            mut items,
            chain,
            rule,
        } = self;
        items.gradient.fill_with_zeros();
        let loss = ScoreBlock {
            examples,
            mean,
            own: users.part.scored(),
            other: items.part.scored(),
            own_gradient: users.gradient.reborrow(),
            other_gradient: items.gradient.reborrow(),
            chain,
            share: 1.0,
            overwrite: true,
        }
        .run(lanes);
        let mut start = 0;
        let of_users = examples.runs.iter().map(move |run| {
            let n_examples = run.end - std::mem::replace(&mut start, run.end);
            (run.row, n_examples)
        });
        let of_items = examples
            .touched
            .iter()
            .map(|item| (item.row, item.n_examples));
        let by_users = Owed::debts(&users.owed, of_users.clone(), &users.gradient);
        let by_items = Owed::debts(&items.owed, of_items.clone(), &items.gradient);
        users.part.step(lanes, rule, &users.gradient, of_users);
        items.part.step(lanes, rule, &items.gradient, of_items);
        (loss, by_users, by_items)
    }
}
