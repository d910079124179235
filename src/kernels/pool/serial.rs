//! The tasks of a [`Pool`], one after the other.

use super::Task;

/// One thread.
#[derive(Debug, Default)]
pub struct Pool;

impl Pool {
    /// A pool; the number of threads is one whatever was asked for.
    pub fn new(_threads: usize) -> Pool {
        Pool
    }

    /// 1.
    pub fn threads(&self) -> usize {
        1
    }

    /// Does `work` on every task and returns the results in the order of the tasks.
    pub fn map<I: Send, O: Send>(
        &self,
        tasks: Vec<I>,
        work: impl Fn(I) -> O + Sync + Send,
    ) -> Vec<O> {
        tasks.into_iter().map(work).collect()
    }

    /// Does all `tasks`, then `own`.
    pub fn beside<R>(&self, tasks: Vec<Task<'_>>, own: impl FnOnce() -> R) -> R {
        tasks.into_iter().for_each(|task| task());
        own()
    }
}
