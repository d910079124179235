//! The tasks of a [`Pool`] on rayon's threads.

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
        match &self.0 {
            Some(pool) if tasks.len() > 1 => {
                pool.install(|| tasks.into_par_iter().map(work).collect())
            }
            _ => tasks.into_iter().map(work).collect(),
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
