//! How do trials run side by side and are told of in their order?
//!
//! A thread that is free takes the next number, under a lock and only while `go_on` says so: what was begun is always the first so many, without a gap, and what was begun is
//! finished. Results wait until it is their turn.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc;

use crate::Result;
use crate::kernels::pool::{Pool, Task};

/// The numbers that are still to be given out.
struct Tickets {
    next: usize,
    closed: bool,
}

/// Does `work` for 0, 1, … up to `n`, each number once, while `go_on` agrees to the next one, and hands the results to `each` in that order. Returns how many there were.
///
/// # Errors
/// The first of `each`; no further number is begun then.
pub fn in_order<T: Send>(
    pool: &Pool,
    n: usize,
    go_on: impl Fn(usize) -> bool + Sync,
    work: impl Fn(usize) -> T + Sync,
    mut each: impl FnMut(usize, T) -> Result<()>,
) -> Result<usize> {
    if pool.threads() == 1 {
        for number in 0..n {
            if !go_on(number) {
                return Ok(number);
            }
            each(number, work(number))?;
        }
        return Ok(n);
    }
    let tickets = Mutex::new(Tickets {
        next: 0,
        closed: false,
    });
    let take = || {
        let mut tickets = tickets.lock().expect("nothing panics under the lock");
        tickets.closed = tickets.closed || !go_on(tickets.next);
        let number = tickets.next;
        tickets.next += usize::from(!tickets.closed);
        (!tickets.closed).then_some(number)
    };
    let (sender, receiver) = mpsc::channel();
    let task = |sender: mpsc::Sender<(usize, T)>| {
        if let Some(number) = take() {
            // Nobody listens when `each` has failed.
            let _ = sender.send((number, work(number)));
        }
    };
    let task = &task;
    let tasks = (0..n).map(|_| {
        let sender = sender.clone();
        Box::new(move || task(sender)) as Task<'_>
    });
    let tasks = tasks.collect();
    drop(sender);
    pool.beside(tasks, || {
        let (mut waiting, mut told) = (BTreeMap::new(), 0);
        for (number, result) in receiver {
            waiting.insert(number, result);
            while let Some(result) = waiting.remove(&told) {
                if let Err(error) = each(told, result) {
                    tickets
                        .lock()
                        .expect("nothing panics under the lock")
                        .closed = true;
                    return Err(error);
                }
                told += 1;
            }
        }
        Ok(told)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_order_for_any_number_of_threads() {
        for threads in [1, 2, 3, 8] {
            let pool = Pool::new(threads);
            let mut found = Vec::new();
            // With two threads or more the first is done when three others are.
            let done = AtomicUsize::new(0);
            let beside = pool.threads() > 1;
            let slow_first = |n: usize| {
                while n == 0 && beside && done.load(Ordering::SeqCst) < 3 {
                    std::thread::yield_now();
                }
                done.fetch_add(1, Ordering::SeqCst);
                n * n
            };
            let told = in_order(
                &pool,
                50,
                |_| true,
                slow_first,
                |n, square| {
                    found.push((n, square));
                    Ok(())
                },
            );
            assert_eq!(told.unwrap(), 50);
            assert_eq!(found, (0..50).map(|n| (n, n * n)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_limit_cuts_the_list_short_without_a_gap() {
        for threads in [1, 2, 8] {
            let pool = Pool::new(threads);
            // Agrees 17 times, whoever asks.
            let asked = AtomicUsize::new(0);
            let go_on = |_| asked.fetch_add(1, Ordering::SeqCst) < 17;
            let mut found = Vec::new();
            let told = in_order(
                &pool,
                50,
                go_on,
                |n| n,
                |n, _| {
                    found.push(n);
                    Ok(())
                },
            );
            assert_eq!(told.unwrap(), 17);
            assert_eq!(found, (0..17).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_error_ends_it() {
        for threads in [1, 4] {
            let done = AtomicUsize::new(0);
            let work = |n| {
                done.fetch_add(1, Ordering::SeqCst);
                n
            };
            let each = |n, _| match n {
                3 => Err(Error::config("test", "3", "less")),
                _ => Ok(()),
            };
            let pool = Pool::new(threads);
            assert!(in_order(&pool, 100_000, |_| true, work, each).is_err());
            assert!(done.load(Ordering::SeqCst) < 100_000);
        }
    }
}
