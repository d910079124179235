//! Does a sweep find what goes from the definition, rating by rating?
//!
//! The twin forms every row's equations anew, with nothing shared, kept or cut into tasks.

use super::*;

/// What a row is, by the plain definition: M, b and their solution. `weight` says how much of it each row of the side has.
#[expect(
    clippy::too_many_arguments,
    reason = "everything that the definition names"
)]
fn twin(
    side: &SideTables,
    other: &SideTables,
    ratings: &Interactions,
    of_users: bool,
    (block, row): (&Block, usize),
    weight: &dyn Fn(usize) -> f64,
    noise: f64,
    target: &dyn Fn(f32) -> f64,
) -> (Vec<f64>, Vec<f64>) {
    let (stride, bias) = (side.shape.stride, side.shape.n_factors);
    let mut matrix = vec![0.0; stride * stride];
    let mut right = vec![0.0; stride];
    for n in 0..ratings.len() {
        let (u, i) = (ratings.users[n] as usize, ratings.items[n] as usize);
        let (own, others) = if of_users { (u, i) } else { (i, u) };
        let (w, c) = (weight(own), f64::from(ratings.weights.as_ref().unwrap()[n]));
        if w == 0.0 {
            continue;
        }
        let mut a = other.row(others).to_vec();
        let y = target(ratings.ratings[n]) - a[bias];
        a[bias] = 1.0;
        let s = |x: usize, y: usize| {
            other
                .covariance(others)
                .get(x * stride + y)
                .copied()
                .unwrap_or(0.0)
        };
        // E[a·aᵀ] and E[a·(r − μ − B)]: only the factors of a are uncertain.
        let second =
            |x: usize, z: usize| a[x] * a[z] + if x < bias && z < bias { s(x, z) } else { 0.0 };
        let first = |x: usize| a[x] * y - if x < bias { s(x, bias) } else { 0.0 };
        let theta = block.row(row);
        for x in 0..=bias {
            let without = |z: usize| side.row(own)[z] - w * theta[z];
            let explained: f64 = (0..=bias).map(|z| second(x, z) * without(z)).sum();
            right[x] += noise * c * w * (first(x) - explained);
            for z in 0..=bias {
                matrix[x * stride + z] += noise * c * w * w * second(x, z);
            }
        }
    }
    for x in 0..block.free {
        matrix[x * stride + x] += block.precision[x];
        right[x] += block.precision[x] * block.mean[x];
    }
    let mut factor = Cholesky::new(stride);
    assert!(factor.factorize(block.free, stride, &matrix));
    let mut solution = right[..block.free].to_vec();
    factor.solve(&mut solution);
    let mut covariance = vec![0.0; stride * stride];
    factor.inverse(stride, &mut covariance);
    solution.resize(stride, 0.0);
    (solution, covariance)
}

#[test]
fn a_sweep_over_a_side_is_the_twin_row_after_row() {
    let data = data();
    let ratings = &data.interactions;
    for with_groups in [false, true] {
        let pool = Pool::new(2);
        let mut chain = chain(&data, &config(Method::Variational, with_groups), &pool);
        // Beliefs and covariances that are not those of the start.
        for _ in 0..7 {
            chain.sweep(Kernel::detect(), &pool);
        }
        let units = chain.units;
        let target = |r: f32| (f64::from(r) - units.mean) / units.width;
        let by_item = RatingsOf::rows(
            data.n_items(),
            &ratings.items,
            &ratings.users,
            ratings,
            target,
        );
        let mut wanted = chain.items.clone();
        for g in 0..wanted.groups.len() {
            let block = &mut wanted.groups[g].0;
            let stride = block.stride;
            // A feature of which no rating tells is what features of its kind are.
            for f in (0..block.n_rows()).filter(|&f| !block.touched[f]) {
                for a in 0..block.free {
                    block.values[f * stride + a] = block.mean[a];
                    block.covariances[(f * stride + a) * stride + a] = 1.0 / block.precision[a];
                }
            }
            for f in
                (0..wanted.groups[g].0.n_rows()).filter(|&f| chain.items.groups[g].0.touched[f])
            {
                let (block, members) = &wanted.groups[g];
                let weight = |row: usize| {
                    let member = members.of(f).iter().find(|&&(r, _)| r as usize == row);
                    member.map_or(0.0, |&(_, w)| w)
                };
                let (values, covariance) = twin(
                    &wanted,
                    &chain.users,
                    ratings,
                    false,
                    (block, f),
                    &weight,
                    chain.noise,
                    &target,
                );
                let (block, stride) = (&mut wanted.groups[g].0, wanted.shape.stride);
                block.values[f * stride..][..stride].copy_from_slice(&values);
                block.covariances[f * stride * stride..][..stride * stride]
                    .copy_from_slice(&covariance);
                wanted.compose(&pool);
            }
        }
        for row in (0..data.n_items()).filter(|&row| chain.items.own.touched[row]) {
            let weight = |other: usize| f64::from(u8::from(other == row));
            let (values, covariance) = twin(
                &wanted,
                &chain.users,
                ratings,
                false,
                (&wanted.own, row),
                &weight,
                chain.noise,
                &target,
            );
            let stride = wanted.shape.stride;
            wanted.own.values[row * stride..][..stride].copy_from_slice(&values);
            wanted.own.covariances[row * stride * stride..][..stride * stride]
                .copy_from_slice(&covariance);
        }
        wanted.compose(&pool);
        let sweep = Sweep {
            take: Take::Mean,
            noise: chain.noise,
            kernel: Kernel::detect(),
            pool: &pool,
        };
        let squares = update::side(&sweep, &mut chain.items, &chain.users, &by_item);
        for (got, wanted) in chain.items.blocks().zip(wanted.blocks()) {
            assert_near(&got.values, &wanted.values, &got.name);
            assert_near(&got.covariances, &wanted.covariances, &got.name);
        }
        assert_near(chain.items.composed(), wanted.composed(), "composed");
        assert_near(
            chain.items.covariances(),
            wanted.covariances(),
            "composed covariances",
        );
        assert_near(
            &[squares],
            &[expected_squares(&chain, ratings, &target)],
            "squares",
        );
    }
}

/// Σ c·E[(r − ŷ)²], pair by pair: the error of the means, and the variance of B_u + B_i + ⟨P_u, Q_i⟩ for independent rows.
fn expected_squares(chain: &Chain, ratings: &Interactions, target: &dyn Fn(f32) -> f64) -> f64 {
    let (stride, bias) = (chain.users.shape.stride, chain.users.shape.n_factors);
    let pair = |n: usize| {
        let (u, i) = (ratings.users[n] as usize, ratings.items[n] as usize);
        let (z, w) = (chain.users.row(u), chain.items.row(i));
        let (s, t) = (chain.users.covariance(u), chain.items.covariance(i));
        let one = |row: &[f64], a: usize| if a == bias { 1.0 } else { row[a] };
        let dot: f64 = (0..bias).map(|a| z[a] * w[a]).sum();
        let error = target(ratings.ratings[n]) - z[bias] - w[bias] - dot;
        let mut variance = 0.0;
        for a in 0..=bias {
            for b in 0..=bias {
                let (s, t) = (s[a * stride + b], t[a * stride + b]);
                variance += one(w, a) * one(w, b) * s + one(z, a) * one(z, b) * t;
                if a < bias && b < bias {
                    variance += s * t;
                }
            }
        }
        f64::from(ratings.weights.as_ref().unwrap()[n]) * (error * error + variance)
    };
    (0..ratings.len()).map(pair).sum()
}

#[test]
fn draws_have_the_mean_and_the_covariance_of_the_posterior() {
    let data = data();
    let pool = Pool::new(1);
    let mut chain = chain(&data, &config(Method::Samples(1), false), &pool);
    for _ in 0..6 {
        chain.sweep(Kernel::Portable, &pool);
    }
    let ratings = &data.interactions;
    let units = chain.units;
    let target = |r: f32| (f64::from(r) - units.mean) / units.width;
    let by_item = RatingsOf::rows(
        data.n_items(),
        &ratings.items,
        &ratings.users,
        ratings,
        target,
    );
    let weight = |other: usize| f64::from(u8::from(other == 0));
    let (mean, covariance) = twin(
        &chain.items,
        &chain.users,
        ratings,
        false,
        (&chain.items.own, 0),
        &weight,
        chain.noise,
        &target,
    );
    let (stride, d) = (chain.items.shape.stride, chain.items.own.free);
    let n = 20_000;
    let mut draws = Vec::new();
    for sweep in 0..n {
        let sweep = Sweep {
            take: Take::Draw { seed: 1, sweep },
            noise: chain.noise,
            kernel: Kernel::Portable,
            pool: &pool,
        };
        update::side(&sweep, &mut chain.items, &chain.users, &by_item);
        draws.push(chain.items.row(0)[..d].to_vec());
    }
    let average = |f: &dyn Fn(&[f64]) -> f64| draws.iter().map(|x| f(x)).sum::<f64>() / n as f64;
    for a in 0..d {
        let deviation = covariance[a * stride + a].sqrt();
        // Five standard errors: σ/√n of a mean, at most √2·σ_a·σ_b/√n of a covariance.
        let off = average(&|x| x[a]) - mean[a];
        assert!(
            off.abs() < 5.0 * deviation / (n as f64).sqrt(),
            "mean {a}: {off}"
        );
        for b in 0..=a {
            let found = average(&|x| (x[a] - mean[a]) * (x[b] - mean[b]));
            let bound =
                5.0 * 1.5 * deviation * covariance[b * stride + b].sqrt() / (n as f64).sqrt();
            assert!(
                (found - covariance[a * stride + b]).abs() < bound,
                "covariance {a} {b}: {found}"
            );
        }
    }
}
