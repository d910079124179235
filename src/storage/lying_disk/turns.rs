//! Whose turn is it, where several write?
//!
//! Each writer is a thread of its own and does a step when it is told to, so that one order of steps gives one history, however the threads are scheduled.

use std::io;
use std::sync::MutexGuard;

use super::{LyingDisk, State};

/// Who has gone, and who goes next.
pub(super) struct Turns {
    /// Who is to do each step; when it is used up, the first that can.
    order: Vec<usize>,
    next: usize,
    writers: Vec<Writer>,
}

#[derive(Clone, Copy, PartialEq)]
enum Writer {
    Running,
    /// For a lock that another one has.
    Waiting,
    Done,
}

impl Turns {
    /// Who does the next step; `None` where nobody can.
    fn whose(&self) -> Option<usize> {
        let runs = |writer: &usize| self.writers[*writer] == Writer::Running;
        let wanted = self.order.get(self.next).copied().filter(runs);
        wanted.or_else(|| (0..self.writers.len()).find(runs))
    }

    /// A step is done.
    pub(super) fn passed(&mut self) {
        self.next += 1;
    }

    /// A writer goes on when a lock is given back.
    pub(super) fn waits(&mut self, writer: usize) {
        self.writers[writer] = Writer::Waiting;
    }

    /// A lock was given back.
    pub(super) fn unlocked(&mut self) {
        for writer in &mut self.writers {
            if *writer == Writer::Waiting {
                *writer = Writer::Running;
            }
        }
    }
}

impl LyingDisk {
    /// Lets each of `writers` work on this disk; `order` says whose steps come when.
    pub(crate) fn interleaved<T: Send>(
        &self,
        order: Vec<usize>,
        writers: Vec<Box<dyn FnOnce(LyingDisk) -> T + Send + '_>>,
    ) -> Vec<T> {
        self.state().turns = Some(Turns {
            order,
            next: 0,
            writers: vec![Writer::Running; writers.len()],
        });
        let results = std::thread::scope(|scope| {
            let threads: Vec<_> = writers
                .into_iter()
                .enumerate()
                .map(|(writer, work)| {
                    let disk = LyingDisk {
                        writer,
                        ..self.clone()
                    };
                    scope.spawn(move || {
                        let done = Done(&disk);
                        let result = work(disk.clone());
                        drop(done);
                        result
                    })
                })
                .collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, T>| {
                let result = thread.join();
                result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(join).collect()
        });
        self.state().turns = None;
        results
    }

    /// Waits until it is this writer's turn.
    pub(super) fn turn(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        loop {
            match state.turns.as_ref().map(Turns::whose) {
                None => return Ok(state),
                Some(Some(writer)) if writer == self.writer => return Ok(state),
                Some(None) => return Err(io::Error::other("everybody waits for a lock")),
                Some(Some(_)) => {
                    let woken = self.shared.1.wait(state);
                    state = woken.unwrap_or_else(std::sync::PoisonError::into_inner);
                }
            }
        }
    }
}

/// Says that a writer is done, also where it failed.
struct Done<'d>(&'d LyingDisk);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if let Some(turns) = &mut state.turns {
            turns.writers[self.0.writer] = Writer::Done;
        }
        drop(state);
        self.0.shared.1.notify_all();
    }
}
