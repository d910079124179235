//! The steps of the optimizers.

use lowrank::kernels::{Job, Kernel, Lanes, naive};
use lowrank::model::Table;
use lowrank::optimizer::block::{BlockAdam, BlockRule, RowAdam};
use lowrank::optimizer::sweep::Update;
use lowrank::optimizer::{Optimizer, OptimizerKind};

use crate::data::{Data, ITEMS};

const RATE: f64 = 0.01;

/// Adam as the formula has it, at the first step, number by number; with one second moment a row or one a number.
fn naive_adam(data: &mut Data, row_wise: bool) {
    let Optimizer {
        beta1,
        beta2,
        epsilon,
        ..
    } = Optimizer::new(OptimizerKind::Adam);
    let [b1, b2, eps, rate] = [beta1, beta2, epsilon, RATE].map(|x| x as f32);
    let (m, v) = data.moments.split_at_mut(1);
    let stride = data.stride;
    for r in 0..ITEMS {
        let g = &data.gradient.factors[r * stride..][..stride];
        let (row, m, v) = (data.items.row_mut(r), m[0].row_mut(r), v[0].row_mut(r));
        let squares = naive::dot(g, g) / stride as f32;
        for f in 0..stride {
            let square = if row_wise { squares } else { g[f] * g[f] };
            m[f] = b1 * m[f] + (1.0 - b1) * g[f];
            v[f] = b2 * v[f] + (1.0 - b2) * square;
            let (m_hat, v_hat) = (m[f] / (1.0 - b1), v[f] / (1.0 - b2));
            row[f] -= rate * m_hat / (v_hat.sqrt() + eps);
        }
    }
}

pub(crate) fn dense_adam(data: &mut Data, kernel: Option<Kernel>) {
    match kernel {
        Some(kernel) => {
            let update = Update {
                optimizer: Optimizer::new(OptimizerKind::Adam),
                learning_rate: RATE,
                t: 1,
            };
            let Data {
                items,
                moments,
                gradient,
                pool,
                ..
            } = data;
            update.apply(items, moments, gradient, pool, kernel);
        }
        None => naive_adam(data, false),
    }
}

/// One touch of every row.
struct Touch<'a, R>(&'a mut Table<f32>, &'a [f32], &'a mut [Table<f32>], R);

impl<R: BlockRule<f32>> Job for Touch<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) {
        let Touch(table, gradients, moments, rule) = self;
        let (n_factors, stride) = (table.n_factors(), table.stride());
        let (m, v) = moments.split_at_mut(1);
        let rows = table.as_mut_slice().chunks_exact_mut(stride);
        let m = m[0].as_mut_slice().chunks_exact_mut(stride);
        let v = v[0].as_mut_slice().chunks_exact_mut(stride);
        for (((row, g), m), v) in rows.zip(gradients.chunks_exact(stride)).zip(m).zip(v) {
            rule.update(1, n_factors, row, g, [m, v, &mut []]);
        }
    }
}

pub(crate) fn block_adam(data: &mut Data, kernel: Option<Kernel>) {
    let Some(kernel) = kernel else {
        return naive_adam(data, false);
    };
    let Data {
        items,
        moments,
        gradient,
        corrections,
        ..
    } = data;
    let rule = BlockAdam::new(&Optimizer::new(OptimizerKind::Adam), RATE, corrections);
    kernel.run(Touch(items, &gradient.factors, moments, rule));
}

pub(crate) fn row_adam(data: &mut Data, kernel: Option<Kernel>) {
    let Some(kernel) = kernel else {
        return naive_adam(data, true);
    };
    let Data {
        items,
        moments,
        gradient,
        corrections,
        ..
    } = data;
    let rule = RowAdam::new(&Optimizer::new(OptimizerKind::RowAdam), RATE, corrections);
    kernel.run(Touch(items, &gradient.factors, moments, rule));
}
