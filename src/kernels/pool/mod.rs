//! How is work shared between threads without changing its result?
//!
//! The caller cuts the work into tasks by the data alone, never by the number of threads, and gives every task its own rows to
//! write. Results come back in the order of the tasks. So one thread and eight do the same sums in the same order.
//!
//! Without the feature `threads`, the twin file runs the tasks one after the other.

/// More threads than this are a mistake: starting them takes longer than the work.
pub const MAX_THREADS: usize = 1024;

/// Work that is done once, on any thread.
pub type Task<'a> = Box<dyn FnOnce() + Send + 'a>;

#[cfg(not(feature = "threads"))]
mod serial;
#[cfg(feature = "threads")]
mod threads;

#[cfg(not(feature = "threads"))]
pub use serial::Pool;
#[cfg(feature = "threads")]
pub use threads::Pool;

#[cfg(test)]
mod tests {
    use super::{Pool, Task};

    #[test]
    fn results_come_back_in_the_order_of_the_tasks() {
        for threads in [1, 2, 3, 8] {
            let squares = Pool::new(threads).map((0..1000u64).collect(), |n| n * n);
            assert!(
                squares
                    .iter()
                    .enumerate()
                    .all(|(n, &square)| square == (n * n) as u64)
            );
        }
    }

    #[test]
    fn tasks_are_done_beside_the_callers_own_work() {
        for threads in [1, 2, 8] {
            let mut done = [0; 100];
            let task = |(n, place): (usize, &'_ mut usize)| *place = n;
            let own = {
                let places = done.iter_mut().enumerate();
                let tasks = places.map(|place| Box::new(move || task(place)) as Task<'_>);
                // What is not sent to another thread may stay here.
                let here = std::rc::Rc::new(7);
                Pool::new(threads).beside(tasks.collect(), || *here)
            };
            assert_eq!(own, 7);
            assert!(done.iter().enumerate().all(|(n, &place)| n == place));
        }
    }
}
