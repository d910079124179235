//! What if somebody else is at it at the same time, and the power goes as well?

use super::*;
use crate::random::Stream;
use crate::storage::lying_disk::Fault;

type Work<'w> = &'w (dyn Fn(&LyingDisk) -> Result<u64> + Sync);

/// Both at once, in that order of steps.
fn both(disk: &LyingDisk, order: Vec<usize>, works: [Work<'_>; 2]) -> Vec<Result<u64>> {
    let writers = works.map(
        |work| -> Box<dyn FnOnce(LyingDisk) -> Result<u64> + Send + '_> {
            Box::new(move |disk| work(&disk))
        },
    );
    disk.interleaved(order, writers.into())
}

fn steps(base: &LyingDisk, work: Work<'_>) -> usize {
    let disk = base.copy();
    disk.steps_of(|disk| {
        work(disk).expect("alone");
    })
}

/// The numbers that were given, whatever became of the others.
fn given(results: &[Result<u64>]) -> Vec<u64> {
    results
        .iter()
        .filter_map(|result| result.as_ref().ok())
        .copied()
        .collect()
}

#[test]
fn two_pushes_get_two_numbers_wherever_they_meet() {
    let base = with_versions(1);
    let n = steps(&base, &push);
    // The first goes so far, then the second so far, then the first to its end.
    for (first, second) in (0..n).flat_map(|i| (0..n).step_by(3).map(move |j| (i, j))) {
        let disk = base.copy();
        let order = [vec![0; first], vec![1; second]].concat();
        let results = both(&disk, order, [&push, &push]);
        let mut numbers = given(&results);
        numbers.sort_unstable();
        assert_eq!(numbers, [2, 3], "{first} {second} {results:?}");
        assert_eq!(versions(&disk), [1, 2, 3]);
        is_whole(&disk);
    }
}

#[test]
fn a_first_push_makes_the_registry_though_another_one_does_too() {
    let base = with_run();
    let n = steps(&base, &push);
    for first in 0..n {
        let disk = base.copy();
        let results = both(&disk, [vec![0; first], vec![1; n]].concat(), [&push, &push]);
        assert_eq!(given(&results).len(), 2, "{first} {results:?}");
        is_whole(&disk);
    }
}

#[test]
fn two_interleaved_pushes_survive_a_power_cut_at_every_step() {
    let base = with_versions(1);
    let n = 2 * steps(&base, &push);
    for seed in 0..3 {
        let mut stream = Stream::new(seed, "turns");
        let order: Vec<usize> = (0..n).map(|_| stream.below(2) as usize).collect();
        for step in 0..=n {
            let disk = base.copy().with(Fault::PowerCut(step));
            let results = both(&disk, order.clone(), [&push, &push]);
            let given = given(&results);
            for (_, found) in disk.restarts() {
                is_whole(&found);
                let now = versions(&found);
                assert!(now.contains(&1) && given.iter().all(|number| now.contains(number)));
                push(&found).expect("it can be done again");
                is_whole(&found);
            }
        }
    }
}

#[test]
fn whoever_comes_in_between_loses_nothing() {
    let base = with_versions(4);
    let promote_2 = |disk: &LyingDisk| promote(disk, 2).map(|()| 0);
    let promote_4 = |disk: &LyingDisk| promote(disk, 4).map(|()| 0);
    let back = |disk: &LyingDisk| Ok(open(disk)?.rollback(NAME, "champion")?.is);
    let collect = |disk: &LyingDisk| Ok(open(disk)?.collect(1, false)?.len() as u64);
    let works: [Work<'_>; 5] = [&push, &promote_2, &promote_4, &back, &collect];
    for (a, b) in (0..5).flat_map(|a| (0..5).map(move |b| (a, b))) {
        let works = [works[a], works[b]];
        let (n, m) = (steps(&base, works[0]), steps(&base, works[1]));
        for first in 0..n {
            let disk = base.copy();
            let results = both(&disk, [vec![0; first], vec![1; m]].concat(), works);
            // Nobody can be promoted to what was removed, or go back further than there is.
            let may_fail = [a, b].iter().any(|work| [3, 4].contains(work));
            assert!(
                may_fail || given(&results).len() == 2,
                "{a} {b} {first} {results:?}"
            );
            is_whole(&disk);
            if [1, 2].contains(&a) && [1, 2].contains(&b) {
                // Neither forgets what the other one did.
                let aliases = open(&disk).and_then(|registry| registry.aliases(NAME));
                let moves = aliases.expect("aliases").moves("champion").len();
                assert_eq!(moves, if a == b { 3 } else { 4 }, "{a} {b} {first}");
            }
            let pushes = [a, b].iter().filter(|work| **work == 0).count();
            assert!(versions(&disk).contains(&(4 + pushes as u64)));
            assert!(versions(&disk).contains(&champion(&disk).expect("a champion")));
        }
    }
}

/// A push that a gate refuses takes its own lock away, while somebody may be looking for leftovers.
#[test]
fn what_is_dropped_is_in_nobodys_way() {
    let base = with_versions(2);
    let dropped = |disk: &LyingDisk| {
        let (root, run) = (Path::new(ROOT), Path::new("run"));
        Candidate::prepare(disk.clone(), root, NAME, run).map(drop)?;
        Ok(0)
    };
    let collect = |disk: &LyingDisk| Ok(open(disk)?.collect(1, false)?.len() as u64);
    let works: [Work<'_>; 2] = [&dropped, &collect];
    let (n, m) = (steps(&base, works[0]), steps(&base, works[1]));
    for (first, second) in (0..n).flat_map(|i| (0..m).map(move |j| (i, j))) {
        let disk = base.copy();
        let order = [vec![0; first], vec![1; second]].concat();
        let results = both(&disk, order, works);
        assert!(given(&results).len() == 2, "{first} {second} {results:?}");
        is_whole(&disk);
    }
}
