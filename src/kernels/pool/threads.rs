//! The tasks of a [`Pool`] on rayon's threads.

use std::sync::Mutex;

use rayon::prelude::*;

use super::Task;

/// Threads of one training's own: two trainings in one process do not disturb each other.
#[derive(Debug, Default)]
pub struct Pool(Option<rayon::ThreadPool>);

impl Pool {
    /// `threads` threads, 0 for as many as there are cores. Where the system gives no threads, the caller's own does the work.
    pub fn new(threads: usize) -> Pool {
        let threads = match threads {
            0 => std::thread::available_parallelism().map_or(1, |n| n.get()),
            n => n.min(super::MAX_THREADS),
        };
        if threads == 1 {
            return Pool(None);
        }
        Pool(
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .ok(),
        )
    }

    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.0
            .as_ref()
            .map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// Does `work` on every task and returns the results in the order of the tasks.
    pub fn map<I: Send, O: Send>(
        &self,
        tasks: Vec<I>,
        work: impl Fn(I) -> O + Sync + Send,
    ) -> Vec<O> {
        let wait = |task| Mutex::new((Some(task), None));
        let places: Vec<Mutex<(Option<I>, Option<O>)>> = tasks.into_iter().map(wait).collect();
        self.each(places.len(), &|n| {
            let mut place = places[n].lock().expect("a place has one visitor");
            let task = place.0.take().expect("and is visited once");
            place.1 = Some(work(task));
        });
        let done = |place: Mutex<(Option<I>, Option<O>)>| {
            let place = place.into_inner().expect("nobody holds it");
            place.1.expect("every place was visited")
        };
        places.into_iter().map(done).collect()
    }

    /// Calls `work` with every number below `n`. It takes any closure by reference, so that all the ways of sharing work are compiled once.
    fn each(&self, n: usize, work: &(dyn Fn(usize) + Sync)) {
        match &self.0 {
            // Tasks are large, so each may go to another thread.
            Some(pool) if n > 1 => {
                let numbers = (0..n).into_par_iter().with_max_len(1);
                pool.install(|| numbers.for_each(work));
            }
            _ => (0..n).for_each(work),
        }
    }

    /// Does all `tasks`, each started in its turn, while the caller's own thread does `own`.
    pub fn beside<R>(&self, tasks: Vec<Task<'_>>, own: impl FnOnce() -> R) -> R {
        match &self.0 {
            Some(pool) => pool.in_place_scope(|scope| {
                for task in tasks {
                    scope.spawn(|_| task());
                }
                own()
            }),
            None => {
                tasks.into_iter().for_each(|task| task());
                own()
            }
        }
    }
}
