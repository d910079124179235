//! Do statistics, beliefs, threads and kernels keep their rules?

use super::*;

#[test]
fn threads_and_kernels_change_no_bit() {
    let data = data();
    for method in [Method::Variational, Method::Samples(5)] {
        let run = |threads: usize, kernel: Kernel| {
            let pool = Pool::new(threads);
            let mut chain = chain(&data, &config(method, true), &pool);
            for _ in 0..8 {
                chain.sweep(kernel, &pool);
            }
            let bits = |side: &SideTables| {
                side.composed()
                    .iter()
                    .map(|x| x.to_bits())
                    .collect::<Vec<_>>()
            };
            (
                bits(&chain.users),
                bits(&chain.items),
                chain.noise.to_bits(),
            )
        };
        let one = run(1, Kernel::Portable);
        for threads in [1, 2, 3, 8] {
            assert!(
                run(threads, Kernel::detect()) == one,
                "{method:?}, {threads} threads"
            );
        }
    }
}

#[test]
fn statistics_are_sums_over_the_ratings() {
    let data = data();
    let pool = Pool::new(1);
    let chain = chain(&data, &config(Method::Samples(1), false), &pool);
    let ratings = &data.interactions;
    let by_user = RatingsOf::rows(
        data.n_users(),
        &ratings.users,
        &ratings.items,
        ratings,
        f64::from,
    );
    assert_eq!(
        by_user
            .tasks()
            .iter()
            .map(ExactSizeIterator::len)
            .sum::<usize>(),
        data.n_users()
    );
    let mut found = Statistics::new(chain.items.shape.stride);
    Kernel::Portable.run(Gather {
        row: 2,
        ratings: &by_user,
        other: &chain.items,
        into: &mut found,
    });
    let mine = (0..ratings.len()).filter(|&n| ratings.users[n] == 2);
    let c: f64 = mine
        .map(|n| f64::from(ratings.weights.as_ref().unwrap()[n]))
        .sum();
    let (stride, bias) = (chain.items.shape.stride, chain.items.shape.n_factors);
    assert_near(
        &[found.matrix[bias * stride + bias]],
        &[c],
        "the weight of all",
    );
}

#[test]
fn beliefs_of_two_rows_can_be_worked_by_hand() {
    let data = data();
    let mut block = chain(&data, &config(Method::Variational, false), &Pool::new(1))
        .users
        .own;
    block.touched.fill(false);
    (block.touched[0], block.touched[1]) = (true, true);
    let (stride, size) = (block.stride, block.stride * block.stride);
    (block.values[0], block.values[stride]) = (1.0, 2.0);
    (block.covariances[0], block.covariances[size]) = (0.25, 0.25);
    block.precision[0] = 2.0;
    priors::update(&mut block, Take::Mean);
    // m = 3/(2 + 1); squares 0 + 1 + 1 + 0.01; by the mean 3/(2.01 + 0.5), ahead (3 − 2·0.5)/2.01.
    assert_eq!(block.mean[0], 1.0);
    let wanted = 0.9 * 3.0 / 2.51 + 0.1 * 2.0 / 2.01;
    assert!(
        (block.precision[0] - wanted).abs() < 1e-12,
        "{}",
        block.precision[0]
    );
    // (10 + 1)/2 over (4 + 1)/2.
    assert_eq!(priors::noise(4.0, 10.0, Take::Mean), 2.2);
}
