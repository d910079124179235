//! How is work shared between threads without changing its result?
//!
//! The caller cuts the work into tasks by the data alone, never by the number of threads, and gives every task its own rows to
//! write. Results come back in the order of the tasks. So one thread and eight do the same sums in the same order.
//!
//! Without the feature `threads`, the twin file runs the tasks one after the other.

/// More threads than this are a mistake: starting them takes longer than the work.
pub const MAX_THREADS: usize = 1024;

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
    use super::Pool;

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
}
