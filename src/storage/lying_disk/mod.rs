//! What if the disk lies, fills up, fails, or somebody else writes at the same time?
//!
//! A file system in memory, for tests. What was written and what was flushed are kept apart: [`LyingDisk::restart`] gives the disk as it may be found when the power comes
//! back. A file has the bytes that were flushed and as many of the others as [`After`] says; a folder has the names that were flushed, and of the changes since (each whole: a renaming is one)
//! those that it says. A name may survive without the bytes, and the bytes without the name.
//!
//! | file | question |
//! |---|---|
//! | here | what can go wrong, and how does a test ask for it? |
//! | `nodes` | what is written, and what of it is on the disk? |
//! | `turns` | whose turn is it, where several write? |

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::file_system::{FileSystem, Kind};
use super::source::Source;
use crate::{Error, Result};

mod nodes;
mod turns;

use nodes::Nodes;
use turns::Turns;

/// What goes wrong. Steps are counted from 0: whatever the disk is asked is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// That step fails, and no other.
    Once(usize),
    /// From that step on nothing may be changed.
    Forbidden(usize),
    /// The disk takes that many bytes and no more.
    FullAfter(u64),
    /// That step is never done, nor any after it.
    PowerCut(usize),
}

/// What is found when the power comes back, or a process is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Everything: it was the process that ended, not the power.
    Killed,
    /// What was flushed, and nothing else.
    Flushed,
    /// All names; of the bytes only those that were flushed.
    Names,
    /// All bytes; of the names only those that were flushed.
    Bytes,
    /// The first of the changes of each folder, some of the bytes of each file, drawn.
    Drawn(u64),
    /// Any of the changes of each folder, whatever came before them, some of the bytes, drawn.
    Torn(u64),
}

impl After {
    /// Each kind, the drawn ones a few times.
    pub(crate) fn all() -> impl Iterator<Item = After> {
        let sure = [After::Killed, After::Flushed, After::Names, After::Bytes];
        let drawn = (0..3).flat_map(|n| [After::Drawn(n), After::Torn(n)]);
        sure.into_iter().chain(drawn)
    }
}

/// A disk in memory; clones are handles to the same.
#[derive(Clone)]
pub(crate) struct LyingDisk {
    shared: Arc<(Mutex<State>, Condvar)>,
    /// Which of several writers this handle is of.
    writer: usize,
}

struct State {
    nodes: Nodes,
    fault: Option<Fault>,
    steps: usize,
    changed: usize,
    /// Bytes written since the fault was set.
    written: u64,
    locked: Vec<usize>,
    turns: Option<Turns>,
}

/// Whether a step changes anything.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Looks,
    Changes,
}

impl LyingDisk {
    /// An empty one.
    pub(crate) fn new() -> LyingDisk {
        LyingDisk::of(Nodes::new())
    }

    fn of(nodes: Nodes) -> LyingDisk {
        let state = State {
            nodes,
            fault: None,
            steps: 0,
            changed: 0,
            written: 0,
            locked: Vec::new(),
            turns: None,
        };
        LyingDisk {
            shared: Arc::new((Mutex::new(state), Condvar::new())),
            writer: 0,
        }
    }

    /// Another disk with the same on it.
    pub(crate) fn copy(&self) -> LyingDisk {
        LyingDisk::of(self.state().nodes.clone())
    }

    /// The same disk, where this goes wrong from now on.
    pub(crate) fn with(self, fault: Fault) -> LyingDisk {
        let mut state = self.state();
        (state.fault, state.steps, state.written) = (Some(fault), 0, 0);
        drop(state);
        self
    }

    /// The steps that `work` takes.
    pub(crate) fn steps_of(&self, work: impl FnOnce(&LyingDisk)) -> usize {
        let before = self.state().steps;
        work(self);
        self.state().steps - before
    }

    /// What is found of this disk; it is left as it is.
    pub(crate) fn restart(&self, after: After) -> LyingDisk {
        LyingDisk::of(self.state().nodes.after(after))
    }

    /// All that may be found of it, each but once.
    pub(crate) fn restarts(&self) -> Vec<(After, LyingDisk)> {
        let mut found: Vec<(After, Nodes)> = Vec::new();
        for after in After::all() {
            let nodes = self.state().nodes.after(after);
            if found.iter().all(|(_, other)| *other != nodes) {
                found.push((after, nodes));
            }
        }
        let disks = found.into_iter();
        disks
            .map(|(after, nodes)| (after, LyingDisk::of(nodes)))
            .collect()
    }

    /// Cuts the power after every step of `work`, and looks at whatever may be found then: `check` is told whether the work had said that it was done. Then it is done again.
    pub(crate) fn at_every_cut(
        &self,
        work: impl Fn(&LyingDisk) -> Result<()>,
        check: impl Fn(&LyingDisk, bool),
    ) {
        let whole = self.copy();
        let steps = whole.steps_of(|disk| work(disk).expect("without faults"));
        assert!(steps > 3, "{steps}");
        let mut changed = None;
        for step in 0..=steps {
            let disk = self.copy().with(Fault::PowerCut(step));
            let outcome = work(&disk);
            // The last steps may be tidying up, which nobody waits for.
            assert!(outcome.is_err() || step + 3 > steps, "{step} of {steps}");
            let now = Some(disk.state().changed);
            if outcome.is_err() && std::mem::replace(&mut changed, now) == now {
                // Nothing but looking came after the last cut.
                continue;
            }
            for (_, found) in disk.restarts() {
                check(&found, outcome.is_ok());
                work(&found).expect("it can be done again");
                check(&found, true);
            }
        }
    }

    /// The bytes of a file, looked at from outside.
    pub(crate) fn bytes(&self, path: impl AsRef<Path>) -> Vec<u8> {
        let state = self.state();
        let node = state.nodes.find(path.as_ref()).expect("it is there");
        state.nodes.bytes(node).expect("a file").to_vec()
    }

    /// The names in a folder, sorted, looked at from outside.
    pub(crate) fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        let state = self.state();
        let names = state.nodes.names(path.as_ref()).expect("a folder");
        let text = |name: OsString| name.into_string().expect("a name in UTF-8");
        names.into_iter().map(text).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that failed while it held the lock has said so already.
        let lock = self.shared.0.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for this writer's turn, and counts the step.
    fn step(&self, step: Step) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.turn()?;
        let at = state.steps;
        state.steps += 1;
        if let Some(turns) = &mut state.turns {
            turns.passed();
            self.shared.1.notify_all();
        }
        match state.fault {
            Some(Fault::PowerCut(n)) if at >= n => Err(io::Error::other("the power is gone")),
            Some(Fault::Once(n)) if at == n => Err(io::ErrorKind::PermissionDenied.into()),
            Some(Fault::Forbidden(n)) if at >= n && step == Step::Changes => {
                Err(io::ErrorKind::PermissionDenied.into())
            }
            _ => {
                state.changed += usize::from(step == Step::Changes);
                Ok(state)
            }
        }
    }

    /// The lock of a file, where nobody has it.
    fn take(&self, state: &mut State, node: usize) -> Option<LyingLock> {
        if state.locked.contains(&node) {
            return None;
        }
        state.locked.push(node);
        let disk = self.clone();
        Some(LyingLock { disk, node })
    }

    fn looks(&self) -> io::Result<MutexGuard<'_, State>> {
        self.step(Step::Looks)
    }

    fn changes(&self) -> io::Result<MutexGuard<'_, State>> {
        self.step(Step::Changes)
    }
}

/// A file that is being written: at its end, whatever was there.
pub(crate) struct LyingFile {
    disk: LyingDisk,
    node: usize,
}

impl Write for LyingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.changes()?;
        let room = match state.fault {
            Some(Fault::FullAfter(room)) => room.saturating_sub(state.written),
            _ => u64::MAX,
        };
        let n = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        if n == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.written += n as u64;
        state.nodes.write(self.node, &bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is being read, as it was when it was opened.
pub(crate) struct LyingSource {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Source for LyingSource {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        (&self.bytes[..]).read_at(offset, buffer)
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// A lock that is held.
pub(crate) struct LyingLock {
    disk: LyingDisk,
    node: usize,
}

impl Drop for LyingLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        state.locked.retain(|&node| node != self.node);
        if let Some(turns) = &mut state.turns {
            turns.unlocked();
        }
        drop(state);
        self.disk.shared.1.notify_all();
    }
}

impl FileSystem for LyingDisk {
    type File = LyingFile;
    type Source = LyingSource;
    type Lock = LyingLock;

    fn create_new(&self, path: &Path) -> io::Result<LyingFile> {
        let node = self.changes()?.nodes.create_file(path)?;
        let disk = self.clone();
        Ok(LyingFile { disk, node })
    }

    fn append(&self, path: &Path) -> io::Result<LyingFile> {
        let node = self.changes()?.nodes.file_at(path)?;
        let disk = self.clone();
        Ok(LyingFile { disk, node })
    }

    fn sync(&self, file: &mut LyingFile) -> io::Result<()> {
        self.changes()?.nodes.sync(file.node);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.changes()?.nodes.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.changes()?;
        let node = state.nodes.find(folder)?;
        state.nodes.sync(node);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.changes()?.nodes.remove_file(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.changes()?.nodes.create_folder(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.changes()?.nodes.remove_folder(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.looks()?.nodes.names(path)
    }

    fn kind(&self, path: &Path) -> io::Result<Option<Kind>> {
        Ok(self.looks()?.nodes.kind(path))
    }

    fn open(&self, path: &Path) -> Result<LyingSource> {
        let bytes = || {
            let state = self.looks()?;
            let node = state.nodes.find(path)?;
            Ok(state.nodes.bytes(node)?.to_vec())
        };
        let bytes = bytes().map_err(Error::io(path, "open"))?;
        let path = path.into();
        Ok(LyingSource { path, bytes })
    }

    fn lock(&self, path: &Path) -> io::Result<LyingLock> {
        loop {
            let mut state = self.changes()?;
            let node = state.nodes.file_at(path)?;
            if let Some(lock) = self.take(&mut state, node) {
                return Ok(lock);
            }
            // Before anybody else can give it back.
            let Some(turns) = &mut state.turns else {
                return Err(io::Error::other("nobody would give the lock back"));
            };
            turns.waits(self.writer);
            self.shared.1.notify_all();
        }
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<LyingLock>> {
        let mut state = self.changes()?;
        let node = state.nodes.file_at(path)?;
        Ok(self.take(&mut state, node))
    }
}

#[cfg(test)]
mod tests;
