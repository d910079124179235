//! What does training by blocks compute, in the fewest words?
//!
//! One block after the other, one example after the other, sums in maps, and the rule of the optimizer as its page writes it: the oracle of the fast loops.

use std::collections::BTreeMap;

use crate::data::layout::{Blocks, Order};
use crate::gradient::{L2Scale, Objective, SidePenalty};
use crate::loss::{Pointwise, Squared};
use crate::model::{Side, Table};
use crate::optimizer::{Optimizer, OptimizerKind};
use crate::training::State;

/// Σ g·(the other row), Σ g, and the number of examples of a row.
type Sums = BTreeMap<usize, (Vec<f64>, f64, usize)>;

/// One epoch; returns Σ c·ℓ.
pub(super) fn epoch(
    state: &mut State<f64>,
    blocks: &Blocks,
    objective: &Objective,
    optimizer: &Optimizer,
    rates: impl Fn(u64) -> f64,
) -> f64 {
    let n_blocks = blocks.n_blocks();
    let mut loss = 0.0;
    let mut of_epoch = [Sums::new(), Sums::new()];
    for s in 0..n_blocks {
        let eta = rates(state.steps);
        state.steps += 1;
        let offsets = [
            offsets(&state.parameters.users),
            offsets(&state.parameters.items),
        ];
        let mut of_stratum = [Sums::new(), Sums::new()];
        for a in 0..n_blocks {
            let b = (a + s) % n_blocks;
            let (of_block, sums) = pass(state, blocks, (a, b), &offsets);
            loss += of_block;
            for (side, sums) in sums.into_iter().enumerate() {
                for (row, (factors, bias, n)) in sums {
                    add(&mut of_stratum[side], row, 1.0, &factors, bias, n);
                    add(&mut of_epoch[side], row, 1.0, &factors, bias, n);
                    step(
                        state,
                        objective,
                        optimizer,
                        eta,
                        (side, 0, row),
                        (&factors, bias, n),
                        n_blocks,
                    );
                }
            }
        }
        for side in 0..2 {
            for group in 0..sides(state)[side].groups.len() {
                let n_entries = sides(state)[side].groups[group].features.n_entries();
                let (sums, n_steps) = match n_entries <= blocks.len() / n_blocks {
                    true => (&of_stratum[side], n_blocks),
                    false if s + 1 == n_blocks => (&of_epoch[side], 1),
                    false => continue,
                };
                let mut owed = Sums::new();
                for (&row, (factors, bias, n)) in sums {
                    let features = &sides(state)[side].groups[group].features;
                    for (f, w) in features.row(row) {
                        add(&mut owed, f as usize, f64::from(w), factors, *bias, *n);
                    }
                }
                for (f, (factors, bias, n)) in owed {
                    step(
                        state,
                        objective,
                        optimizer,
                        eta,
                        (side, group + 1, f),
                        (&factors, bias, n),
                        n_steps,
                    );
                }
            }
        }
    }
    loss
}

fn sides(state: &State<f64>) -> [&Side<f64>; 2] {
    [&state.parameters.users, &state.parameters.items]
}

/// Σ w·x and Σ w·bias of every row.
fn offsets(side: &Side<f64>) -> Vec<(Vec<f64>, f64)> {
    let of = |row: usize| {
        let (mut factors, mut bias) = (vec![0.0; side.identity.stride()], 0.0);
        for group in &side.groups {
            for (f, w) in group.features.row(row) {
                let w = f64::from(w);
                for (to, x) in factors.iter_mut().zip(group.table.row(f as usize)) {
                    *to += w * x;
                }
                bias += w * group.table.bias_slice().map_or(0.0, |b| b[f as usize]);
            }
        }
        (factors, bias)
    };
    (0..side.identity.n_rows()).map(of).collect()
}

/// The loss of a block, and the sums of its users and items.
fn pass(
    state: &State<f64>,
    blocks: &Blocks,
    (a, b): (usize, usize),
    offsets: &[Vec<(Vec<f64>, f64)>; 2],
) -> (f64, [Sums; 2]) {
    let parameters = &state.parameters;
    let composed = |side: &Side<f64>, offsets: &[(Vec<f64>, f64)], row: usize| {
        let own = side.identity.row(row).iter();
        let factors: Vec<f64> = own.zip(&offsets[row].0).map(|(x, o)| x + o).collect();
        let bias = side.identity.bias_slice().map_or(0.0, |b| b[row]) + offsets[row].1;
        (factors, bias)
    };
    let block = blocks.block(a, b);
    let (mut loss, mut sums, mut start) = (0.0, [Sums::new(), Sums::new()], 0);
    let first = |order: &Order, block: usize| order.cuts[block] as usize;
    for run in block.runs {
        for e in start..run.end as usize {
            let user = first(&blocks.users, a) + run.row as usize;
            let item = first(&blocks.items, b) + block.others[e] as usize;
            let (p, b_u) = composed(&parameters.users, &offsets[0], user);
            let (q, b_i) = composed(&parameters.items, &offsets[1], item);
            let dot: f64 = p.iter().zip(&q).map(|(p, q)| p * q).sum();
            let score = parameters.global_mean.unwrap_or(0.0) + b_u + b_i + dot;
            let prediction = parameters.link.value(score);
            let target = f64::from(block.targets[e]);
            let c = block.weights.map_or(1.0, |w| f64::from(w[e]));
            loss += c * Squared.value(prediction, target);
            let g = c * Squared.slope(prediction, target) * parameters.link.slope(score);
            add(&mut sums[0], user, g, &q, 1.0, 1);
            add(&mut sums[1], item, g, &p, 1.0, 1);
        }
        start = run.end as usize;
    }
    (loss, sums)
}

fn add(sums: &mut Sums, row: usize, by: f64, factors: &[f64], bias: f64, n: usize) {
    let zero = || (vec![0.0; factors.len()], 0.0, 0);
    let sum = sums.entry(row).or_insert_with(zero);
    for (to, x) in sum.0.iter_mut().zip(factors) {
        *to += by * x;
    }
    sum.1 += by * bias;
    sum.2 += n;
}

/// One step of one row of one table of one side.
fn step(
    state: &mut State<f64>,
    objective: &Objective,
    optimizer: &Optimizer,
    eta: f64,
    (side, table, row): (usize, usize, usize),
    (factors, bias, n): (&[f64], f64, usize),
    n_steps: usize,
) {
    let n_user_tables = state.parameters.users.tables().count();
    let number = side * n_user_tables + table;
    let penalty: &SidePenalty = [&objective.users, &objective.items][side];
    let n_row = f64::from(penalty.counts[table][row]);
    // From a sum over n examples to n_row/n_steps of them, the number that a step has on average.
    let scale = n_steps as f64 / n_row;
    let share = match objective.l2_scale {
        L2Scale::Row => n as f64 / n_row,
        L2Scale::Rating => n as f64,
    };
    state.touches[number][row] += 1;
    let t = state.touches[number][row];
    let tables = match side {
        0 => &mut state.parameters.users,
        _ => &mut state.parameters.items,
    };
    let of_table: &mut Table<f64> = tables.tables_mut().nth(table).expect("a table");
    let moments = &mut state.moments[number];
    let lambda = penalty.tables[table];
    let n_factors = of_table.n_factors();
    let x = &mut of_table.row_mut(row)[..n_factors];
    let mean = x
        .iter()
        .zip(factors)
        .map(|(x, sum)| scale * (sum + 2.0 * lambda.factors * share * x));
    let mean: Vec<f64> = mean.collect();
    let wide = |table: &mut Table<f64>| table.row(row).to_vec();
    let mut of_row: Vec<Vec<f64>> = moments.iter_mut().map(wide).collect();
    rule(optimizer, eta, t, x, &mean, &mut of_row);
    for (moment, row_of) in moments.iter_mut().zip(&of_row) {
        moment.row_mut(row).copy_from_slice(row_of);
    }
    if let Some(biases) = of_table.bias_slice_mut() {
        let mean = scale * (bias + 2.0 * lambda.biases * share * biases[row]);
        let number = |table: &mut Table<f64>| vec![table.bias_slice().expect("biases")[row]];
        let mut of_bias: Vec<Vec<f64>> = moments.iter_mut().map(number).collect();
        rule(
            optimizer,
            eta,
            t,
            &mut biases[row..=row],
            &[mean],
            &mut of_bias,
        );
        for (moment, of_bias) in moments.iter_mut().zip(&of_bias) {
            moment.bias_slice_mut().expect("biases")[row] = of_bias[0];
        }
    }
}

/// The rule as chapter 6 writes it.
fn rule(o: &Optimizer, eta: f64, t: u32, x: &mut [f64], g: &[f64], moments: &mut [Vec<f64>]) {
    let mean_square = g.iter().map(|g| g * g).sum::<f64>() / g.len() as f64;
    for f in 0..x.len() {
        x[f] -= match o.kind {
            OptimizerKind::Sgd => eta * g[f],
            OptimizerKind::Adagrad => {
                moments[0][f] += g[f] * g[f];
                eta * g[f] / (moments[0][f].sqrt() + o.epsilon)
            }
            kind => {
                let row_wise = kind == OptimizerKind::RowAdam;
                moments[0][f] = o.beta1 * moments[0][f] + (1.0 - o.beta1) * g[f];
                let at = if row_wise { 0 } else { f };
                if f == 0 || !row_wise {
                    let square = if row_wise { mean_square } else { g[f] * g[f] };
                    moments[1][at] = o.beta2 * moments[1][at] + (1.0 - o.beta2) * square;
                }
                let m = moments[0][f] / (1.0 - libm::pow(o.beta1, f64::from(t)));
                let v = moments[1][at] / (1.0 - libm::pow(o.beta2, f64::from(t)));
                let decay = if kind == OptimizerKind::AdamW {
                    o.weight_decay
                } else {
                    0.0
                };
                eta * decay * x[f] + eta * m / (v.sqrt() + o.epsilon)
            }
        };
    }
}
