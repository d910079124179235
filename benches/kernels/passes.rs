//! The passes over ratings, and the two loops that they are made of.

use std::hint::black_box;

use lowrank::data::layout::Examples;
use lowrank::kernels::block::{BlockRows, ScoreBlock};
use lowrank::kernels::lanes::LANES;
use lowrank::kernels::rows::{GatherRows, GradientRows, RowsView, ScoreRows};
use lowrank::kernels::{Job, Kernel, Lanes, naive};
use lowrank::model::Table;

use crate::data::{Data, ITEMS};

pub(crate) fn dot(data: &mut Data, kernel: Option<Kernel>) {
    struct Dot<'a>(&'a [f32], &'a [f32], &'a mut [f32]);
    impl Job for Dot<'_> {
        type Output = ();
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) {
            let p = self.0.as_chunks::<LANES>().0;
            for (q, dot) in self.1.chunks_exact(self.0.len()).zip(self.2) {
                *dot = lanes.dot(p, q.as_chunks::<LANES>().0);
            }
        }
    }
    let (p, dots) = (data.users.row(0), &mut data.user_gradient[..ITEMS]);
    match kernel {
        Some(kernel) => kernel.run(Dot(p, data.items.as_slice(), dots)),
        None => {
            for (r, there) in dots.iter_mut().enumerate() {
                *there = naive::dot(p, data.items.row(r));
            }
        }
    }
}

pub(crate) fn add_scaled(data: &mut Data, kernel: Option<Kernel>) {
    struct Add<'a>(&'a [f32], &'a mut [f32]);
    impl Job for Add<'_> {
        type Output = ();
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) {
            let x = self.0.as_chunks::<LANES>().0;
            for y in self.1.chunks_exact_mut(self.0.len()) {
                lanes.add_scaled(y.as_chunks_mut::<LANES>().0, 0.5, x);
            }
        }
    }
    let x = data.users.row(0);
    match kernel {
        Some(kernel) => kernel.run(Add(x, &mut data.item_gradient)),
        None => {
            for y in data.item_gradient.chunks_exact_mut(data.stride) {
                naive_add(y, 0.5, x);
            }
        }
    }
}

fn naive_add(y: &mut [f32], alpha: f32, x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += alpha * x;
    }
}

/// Squared error, whose slope is shrunk so that sums stay small.
fn chain(score: f64, target: f64) -> (f64, f64) {
    let error = score - target;
    (error * error, 1e-3 * error)
}

fn view(table: &Table<f32>) -> RowsView<'_, f32> {
    RowsView {
        values: table.as_slice(),
        stride: table.stride(),
    }
}

fn gradient(factors: &mut [f32]) -> GradientRows<'_, f32> {
    GradientRows {
        factors,
        biases: None,
    }
}

pub(crate) fn block_pass(data: &mut Data, kernel: Option<Kernel>) {
    let rows = |table| BlockRows {
        factors: view(table),
        biases: None,
    };
    let (examples, stride) = (data.blocks.block(0, 0), data.stride);
    match kernel {
        Some(kernel) => {
            black_box(kernel.run(ScoreBlock {
                examples,
                mean: 0.0,
                own: rows(&data.users),
                other: rows(&data.items),
                own_gradient: gradient(&mut data.user_gradient),
                other_gradient: gradient(&mut data.item_gradient),
                chain: |score: f32, target: f32| {
                    let (value, slope) = chain(score.into(), target.into());
                    (value, slope as f32)
                },
                share: 1.0,
                overwrite: false,
            }));
        }
        None => {
            let mut start = 0;
            for run in examples.runs {
                let user = run.row as usize;
                for e in start..run.end as usize {
                    let item = examples.others[e] as usize;
                    let (p, q) = (data.users.row(user), data.items.row(item));
                    let (_, slope) = chain(naive::dot(p, q).into(), examples.targets[e].into());
                    naive_add(
                        &mut data.user_gradient[user * stride..][..stride],
                        slope as f32,
                        q,
                    );
                    naive_add(
                        &mut data.item_gradient[item * stride..][..stride],
                        slope as f32,
                        p,
                    );
                }
                start = run.end as usize;
            }
        }
    }
}

pub(crate) fn two_passes(data: &mut Data, kernel: Option<Kernel>) {
    let (
        Examples {
            by_user,
            by_item,
            items,
            users,
            item_order,
            targets,
            ..
        },
        stride,
    ) = (&data.examples, data.stride);
    let slope = |e: usize, dot: f32| chain(dot.into(), targets[e].into()).1 as f32;
    match kernel {
        Some(kernel) => {
            kernel.run(ScoreRows {
                ranges: by_user,
                others: items,
                own: view(&data.users),
                other: view(&data.items),
                slopes: &mut data.slopes,
                gradient: gradient(&mut data.user_gradient),
                slope: |_, e, _, [dot]: [f32; 1]| [slope(e, dot)],
            });
            kernel.run(GatherRows {
                ranges: by_item,
                order: item_order,
                others: users,
                slopes: &data.slopes,
                other: view(&data.users),
                gradient: gradient(&mut data.item_gradient),
            });
        }
        None => {
            for (range, there) in by_user.iter().zip(data.user_gradient.chunks_mut(stride)) {
                let p = data.users.row(range.row as usize);
                let other = data.items.as_slice();
                let (row, _) =
                    naive::score_row(p, range.range(), items, other, slope, &mut data.slopes);
                there.copy_from_slice(&row);
            }
            for (range, there) in by_item.iter().zip(data.item_gradient.chunks_mut(stride)) {
                let order = &item_order[range.range()];
                let (row, _) =
                    naive::gather_row(order, users, &data.slopes, data.users.as_slice(), stride);
                there.copy_from_slice(&row);
            }
        }
    }
}
