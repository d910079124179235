//! What is the objective over all cells and its gradient, one cell at a time?
//!
//! The formula of the page before as a double loop over dense tables: the oracle of [`Gradient::all_cells`](crate::gradient::Gradient::all_cells), and what the gradient check differentiates.

use super::AllCells;
use crate::data::Interactions;
use crate::gradient::Objective;
use crate::gradient::naive::{composed, hand_on};
use crate::kernels::{Real, naive};
use crate::model::{Parameters, Side};

/// The touched rows of both sides, rising.
fn touched(ratings: &Interactions) -> [Vec<u32>; 2] {
    [&ratings.users, &ratings.items].map(|rows| {
        let mut rows = rows.clone();
        rows.sort_unstable();
        rows.dedup();
        rows
    })
}

/// λ·s_row of each row of each table, the users' tables first: counted cell by cell.
fn penalties<T: Real>(
    cells: &AllCells,
    objective: &Objective,
    parameters: &Parameters<T>,
    ratings: &Interactions,
) -> Vec<Vec<f64>> {
    let touched = touched(ratings);
    let mut all = Vec::new();
    for (side, penalty, rows, own, others) in [
        (
            &parameters.users,
            &objective.users,
            &ratings.users,
            &touched[0],
            &touched[1],
        ),
        (
            &parameters.items,
            &objective.items,
            &ratings.items,
            &touched[1],
            &touched[0],
        ),
    ] {
        for (n, (table, lambda)) in side.tables().zip(&penalty.tables).enumerate() {
            let has = |row: u32, f: usize| match n {
                0 => row as usize == f,
                n => {
                    let mut features = side.groups[n - 1].features.row(row as usize);
                    features.any(|(feature, weight)| feature as usize == f && weight != 0.0)
                }
            };
            let scale = |f: usize| {
                let examples = rows.iter().filter(|&&row| has(row, f)).count();
                let members = own.iter().filter(|&&row| has(row, f)).count();
                match examples {
                    0 => 0.0,
                    _ => {
                        let cells_of = (members * others.len()) as f64;
                        lambda.factors * cells.l2_scale(examples as f64, cells_of)
                    }
                }
            };
            all.push((0..table.n_rows()).map(scale).collect());
        }
    }
    all
}

/// J over `ratings`, the training set, and all cells.
pub fn value<T: Real>(
    cells: &AllCells,
    objective: &Objective,
    parameters: &Parameters<T>,
    ratings: &Interactions,
) -> f64 {
    let penalties = penalties(cells, objective, parameters, ratings);
    let tables = parameters.users.tables().chain(parameters.items.tables());
    let mut total = loss(cells, parameters, ratings);
    for (table, of_rows) in tables.zip(penalties) {
        for (r, scale) in of_rows.into_iter().enumerate() {
            let squares = table.row(r).iter().map(|x| x.to_f64() * x.to_f64());
            total += scale * squares.sum::<f64>();
        }
    }
    total / ratings.len() as f64
}

/// Σ c·(s − t)² + w₀·Σ s².
pub fn loss<T: Real>(cells: &AllCells, parameters: &Parameters<T>, ratings: &Interactions) -> f64 {
    let score = |u: u32, i: u32| {
        let (p, _) = composed(&parameters.users, u as usize);
        let (q, _) = composed(&parameters.items, i as usize);
        naive::dot(&p, &q).to_f64()
    };
    let mut total = 0.0;
    for e in 0..ratings.len() {
        let error = score(ratings.users[e], ratings.items[e]) - f64::from(ratings.ratings[e]);
        let weight = ratings.weights.as_ref().map_or(1.0, |c| f64::from(c[e]));
        total += weight * error * error;
    }
    let [users, items] = touched(ratings);
    for &u in &users {
        for &i in &items {
            let score = score(u, i);
            total += cells.unobserved_weight * score * score;
        }
    }
    total
}

/// ∂J, as tables of the parameters' shapes.
pub fn gradient<T: Real>(
    cells: &AllCells,
    objective: &Objective,
    parameters: &Parameters<T>,
    ratings: &Interactions,
) -> Parameters<T> {
    let n = ratings.len() as f64;
    let mut gradient = parameters.clone();
    for side in [&mut gradient.users, &mut gradient.items] {
        side.tables_mut()
            .for_each(|table| *table = table.zeros_like());
    }
    let row = |side: &Side<T>, r: u32| composed(side, r as usize).0;
    let mut add = |u: u32, i: u32, weight: f64, target: f64| {
        let (p, q) = (row(&parameters.users, u), row(&parameters.items, i));
        let error = naive::dot(&p, &q).to_f64() - target;
        let slope = T::from_f64(2.0 * weight * error / n);
        hand_on(&mut gradient.users, u as usize, slope, &q);
        hand_on(&mut gradient.items, i as usize, slope, &p);
    };
    for e in 0..ratings.len() {
        let weight = ratings.weights.as_ref().map_or(1.0, |c| f64::from(c[e]));
        let target = f64::from(ratings.ratings[e]);
        add(ratings.users[e], ratings.items[e], weight, target);
    }
    let [users, items] = touched(ratings);
    for &u in &users {
        for &i in &items {
            add(u, i, cells.unobserved_weight, 0.0);
        }
    }
    let tables = parameters.users.tables().chain(parameters.items.tables());
    let gradients = gradient.users.tables_mut();
    let gradients = gradients.chain(gradient.items.tables_mut());
    let penalties = penalties(cells, objective, parameters, ratings);
    for ((gradient, table), of_rows) in gradients.zip(tables).zip(penalties) {
        for (r, scale) in of_rows.into_iter().enumerate() {
            for (g, &x) in gradient.row_mut(r).iter_mut().zip(table.row(r)) {
                *g += T::from_f64(2.0 * scale / n) * x;
            }
        }
    }
    gradient
}
