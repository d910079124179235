//! How is a training put down, so that it goes on as if nothing had happened?
//!
//! A file of [`sections`](crate::storage::sections) whose content is marked `chkp`: a small record, and every array of a [`State`] with its padding, as it is. Rows stand in their own order. What
//! the state belongs to (which ratings, which configuration) is a note of whoever wrote it, and no concern of this file.
//!
//! ```text
//! record     note: its length, u64, and its bytes
//!            epoch, u64; steps, u64
//!            best: u8 (0 absent, 1 of ratings, 2 of lists); if present its epoch, u64, two sums, f64 each, their count, u64, and u8: 1 where its parameters are kept
//!
//! section    elements           of table n = 0, 1, …: the users' identity and groups, then the items'
//! p.n        f32                parameters.       p.n.b    biases, where there are any
//! m.n.k      f32                moment k.         m.n.k.b  alike
//! t.n        u32                touches, where rows have clocks of their own
//! b.n        f32                parameters of the best epoch, where they are kept.       b.n.b alike
//! ```
//!
//! Random streams are no part of it: each epoch has one of its own name. Version 1 goes on for ever: `fixtures/checkpoint-v1.lowrank` is one, and a test does so.

use std::path::Path;

use super::run_directory::RunDirectory;
use crate::metrics::held_out::ListMeans;
use crate::metrics::{HeldOut, RatingErrors};
use crate::model::{Parameters, Table};
use crate::storage::sections::MAX_RECORD;
use crate::storage::{
    Container, Element, FileSource, FileSystem, Sections, Source, write_atomically,
};
use crate::training::State;
use crate::training::state::Best;
use crate::{Error, Result};

const CONTENT: [u8; 4] = *b"chkp";

/// (kind, epoch, sums, their count, whether parameters are kept) of the best epoch.
type BestRecord = (u8, u64, [f64; 2], u64, bool);
/// (note, epoch, steps, best)
type Record = (String, u64, u64, Option<BestRecord>);

fn config() -> impl bincode::config::Config {
    bincode::config::standard()
        .with_fixed_int_encoding()
        .with_limit::<MAX_RECORD>()
}

impl<F: FileSystem> RunDirectory<F> {
    /// Replaces the checkpoint of the run. The lines of `metrics.jsonl` are flushed before: a checkpoint that a power cut leaves without them could not go on.
    ///
    /// # Errors
    /// Where it cannot be written, or the note is longer than 1 MiB; the old one is untouched then.
    pub fn put_down(&self, note: &str, state: &State<f32>) -> Result<()> {
        self.flush_metrics()?;
        save_to(self.file_system(), &self.checkpoint(), note, state)
    }
}

fn save_to(
    file_system: &impl FileSystem,
    path: &Path,
    note: &str,
    state: &State<f32>,
) -> Result<()> {
    let best = state.best.as_ref().map(|best| {
        let (kind, (sums, count)) = match &best.valid {
            HeldOut::Ratings(errors) => (1, errors.parts()),
            HeldOut::Lists(means) => (2, means.parts()),
        };
        let kept = best.parameters.is_some();
        (kind, best.epoch as u64, sums, count, kept)
    });
    let record: Record = (note.to_owned(), state.epoch as u64, state.steps, best);
    let record = bincode::encode_to_vec(record, config()).map_err(|error| Error::File {
        path: path.into(),
        got: error.to_string(),
        wanted: "a checkpoint with a note of less than 1 MiB".into(),
    })?;
    let mut sections = Sections::new(CONTENT, record)?;
    arrays(state, &mut |name, array| match array {
        Array::Floats(values) => sections.add(name, 1, values),
        Array::Counts(values) => sections.add(name, 1, values),
    });
    write_atomically(file_system, path, |w| {
        sections.write_to(|piece| w.write_all(piece))
    })
}

/// An array of a state.
enum Array<'s> {
    Floats(&'s [f32]),
    Counts(&'s [u32]),
}

/// Every array of a state with its name, in the order of the file.
fn arrays<'s>(state: &'s State<f32>, each: &mut impl FnMut(String, Array<'s>)) {
    for (n, table) in tables(&state.parameters).enumerate() {
        of_table(format!("p.{n}"), table, each);
    }
    for (n, moments) in state.moments.iter().enumerate() {
        for (k, moment) in moments.iter().enumerate() {
            of_table(format!("m.{n}.{k}"), moment, each);
        }
    }
    for (n, touches) in state.touches.iter().enumerate() {
        each(format!("t.{n}"), Array::Counts(touches));
    }
    if let Some(parameters) = state
        .best
        .as_ref()
        .and_then(|best| best.parameters.as_ref())
    {
        for (n, table) in tables(parameters).enumerate() {
            of_table(format!("b.{n}"), table, each);
        }
    }
}

fn tables(parameters: &Parameters<f32>) -> impl Iterator<Item = &Table<f32>> {
    parameters.users.tables().chain(parameters.items.tables())
}

fn of_table<'s>(name: String, table: &'s Table<f32>, each: &mut impl FnMut(String, Array<'s>)) {
    if let Some(biases) = table.bias_slice() {
        each(format!("{name}.b"), Array::Floats(biases));
    }
    each(name, Array::Floats(table.as_slice()));
}

/// An open checkpoint: its record is read and checked, its arrays are read when a state is to be as it says.
#[derive(Debug)]
pub struct Checkpoint<S> {
    container: Container<S>,
    record: Record,
}

impl Checkpoint<FileSource> {
    /// Opens the checkpoint at `path`.
    ///
    /// # Errors
    /// Where it cannot be read, is no checkpoint, is damaged in its header or cut short.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Checkpoint::new(FileSource::open(path)?)
    }
}

impl<S: Source> Checkpoint<S> {
    /// Opens a checkpoint that lies anywhere.
    ///
    /// # Errors
    /// Where it is no checkpoint, is damaged in its header or cut short.
    pub fn new(source: S) -> Result<Checkpoint<S>> {
        let container = Container::open(source, CONTENT)?;
        let bytes = container.record();
        let corrupt = |got: String| {
            container.corrupt(container.record_offset(), got, "the record of a checkpoint")
        };
        let (record, read) = bincode::decode_from_slice::<Record, _>(bytes, config())
            .map_err(|error| corrupt(error.to_string()))?;
        if read != bytes.len() {
            return Err(corrupt(format!(
                "{} bytes after its end",
                bytes.len() - read
            )));
        }
        if let Some((kind, ..)) = record.3
            && !(1..=2).contains(&kind)
        {
            return Err(corrupt(format!("the kind {kind} of a best epoch")));
        }
        Ok(Checkpoint { container, record })
    }

    /// The note of whoever wrote it.
    pub fn note(&self) -> &str {
        &self.record.0
    }

    /// Epochs done.
    pub fn epoch(&self) -> usize {
        self.record.1 as usize
    }

    /// Makes `state`, that of the same training at its start, what it was.
    ///
    /// # Errors
    /// Where the file is damaged, or the state is of another training.
    pub fn restore(&self, state: &mut State<f32>) -> Result<()> {
        let (_, epoch, steps, best) = &self.record;
        for (n, table) in tables_mut(&mut state.parameters).enumerate() {
            self.table(&format!("p.{n}"), table)?;
        }
        for (n, moments) in state.moments.iter_mut().enumerate() {
            for (k, moment) in moments.iter_mut().enumerate() {
                self.table(&format!("m.{n}.{k}"), moment)?;
            }
        }
        for (n, touches) in state.touches.iter_mut().enumerate() {
            self.read(&format!("t.{n}"), touches)?;
        }
        state.best = match *best {
            None => None,
            Some((kind, epoch, sums, count, kept)) => Some(Best {
                epoch: epoch as usize,
                valid: match kind {
                    1 => HeldOut::Ratings(RatingErrors::of_parts(sums, count)),
                    _ => HeldOut::Lists(ListMeans::of_parts(sums, count)),
                },
                parameters: match kept {
                    false => None,
                    true => {
                        let mut parameters = state.parameters.clone();
                        for (n, table) in tables_mut(&mut parameters).enumerate() {
                            self.table(&format!("b.{n}"), table)?;
                        }
                        Some(parameters)
                    }
                },
            }),
        };
        (state.epoch, state.steps) = (*epoch as usize, *steps);
        Ok(())
    }

    fn table(&self, name: &str, table: &mut Table<f32>) -> Result<()> {
        let (factors, biases) = table.parts_mut();
        self.finite(name, factors)?;
        match biases {
            Some(biases) => self.finite(&format!("{name}.b"), biases),
            None => Ok(()),
        }
    }

    fn finite(&self, name: &str, values: &mut [f32]) -> Result<()> {
        self.read(name, values)?;
        match values.iter().find(|x| !x.is_finite()) {
            Some(bad) => Err(self.wrong(format!("{bad} in {name}"), "finite numbers")),
            None => Ok(()),
        }
    }

    /// Fills `values` with the section called `name`, which has as many.
    fn read<T: Element>(&self, name: &str, values: &mut [T]) -> Result<()> {
        let wanted = format!("a section {name} of {} elements", values.len());
        let section = self.container.section(name);
        let Some(section) = section.filter(|at| at.n_elements() == values.len() as u64) else {
            let got = match section {
                Some(section) => format!("{} elements", section.n_elements()),
                None => "none".to_owned(),
            };
            return Err(self.wrong(got, wanted + ", as this training has"));
        };
        values.copy_from_slice(&self.container.cursor(section).all()?);
        Ok(())
    }

    fn wrong(&self, got: String, wanted: impl Into<String>) -> Error {
        self.container.corrupt(0, got, wanted)
    }
}

fn tables_mut(parameters: &mut Parameters<f32>) -> impl Iterator<Item = &mut Table<f32>> {
    let Parameters { users, items, .. } = parameters;
    users.tables_mut().chain(items.tables_mut())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Split};
    use crate::random::Stream;
    use crate::storage::Disk;
    use crate::storage::file_system::folder::TestFolder;
    use crate::storage::lying_disk::LyingDisk;
    use crate::training::{Batch, Config, Trainer};
    use std::ops::ControlFlow;

    /// What `a_state` put down on the day the format was fixed.
    const FIXTURE: &[u8] = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/checkpoint-v1.lowrank"
    ));

    /// Two halves of 60 ratings.
    fn halves() -> [Dataset; 2] {
        let rows = (0..60u32).map(|n| {
            let (user, item) = (n * 7 % 11, n * n % 13);
            (
                format!("u{user}"),
                format!("i{item}"),
                1.0 + (user * item % 5) as f32,
            )
        });
        let data = Dataset::builder().rows(rows).expect("rows");
        let data = data.build().expect("data");
        let halves = data.split(&Split::random(0.2, 1)).expect("two halves");
        [halves.train, halves.valid]
    }

    fn trainer<'d>(halves: &'d [Dataset; 2], epochs: usize) -> Trainer<'d, f32> {
        let config = Config::rating().batch(Batch::Blocks).n_factors(3);
        let checked = config.epochs(epochs).check().expect("a configuration");
        let valid = &halves[1].interactions;
        checked.trainer(&halves[0], Some(valid)).expect("a trainer")
    }

    /// The state after some of nine epochs.
    fn a_state(halves: &[Dataset; 2], after: usize) -> State<f32> {
        let mut kept = None;
        trainer(halves, 9).run_keeping(&mut (), &mut |epoch, state| {
            if epoch.epoch == after {
                kept = Some(state());
            }
            ControlFlow::Continue(())
        });
        kept.expect("it came by")
    }

    #[test]
    fn what_is_put_down_comes_back_and_goes_on() {
        let (folder, halves) = (TestFolder::new("checkpoint"), halves());
        let path = folder.0.join("checkpoint.lowrank");
        let mut straight = trainer(&halves, 9);
        straight.run(&mut ());
        for after in [1, 5, 9] {
            let state = a_state(&halves, after);
            assert!(state.best.is_some() && state.touches[0].iter().any(|&n| n > 0));
            save_to(&Disk, &path, "a note", &state).expect("saved");
            let checkpoint = Checkpoint::open(&path).expect("a checkpoint");
            assert_eq!((checkpoint.note(), checkpoint.epoch()), ("a note", after));
            let mut going_on = trainer(&halves, 9);
            checkpoint.restore(going_on.state_mut()).expect("restored");
            assert_eq!(*going_on.state(), state);
            going_on.run(&mut ());
            assert_eq!(going_on.state(), straight.state());
        }
    }

    #[test]
    fn a_power_cut_leaves_the_old_checkpoint_or_the_new_one_with_its_lines() {
        let halves = halves();
        let states = [3, 4].map(|epoch| a_state(&halves, epoch));
        let empty = LyingDisk::new();
        let run = RunDirectory::create_on(empty.clone(), "runs/run", false).expect("a run");
        (0..3).for_each(|_| run.append_metrics("{}").expect("a line"));
        run.put_down("a note", &states[0]).expect("put down");
        let open = |disk: &LyingDisk| RunDirectory::open_on(disk.clone(), "runs/run");
        let goes_on = |disk: &LyingDisk, done: bool| {
            let run = open(disk).expect("a run");
            let bytes = disk.bytes(run.checkpoint());
            let checkpoint = Checkpoint::new(&bytes[..]).expect("a checkpoint");
            let mut trainer = trainer(&halves, 9);
            checkpoint.restore(trainer.state_mut()).expect("restored");
            assert!(*trainer.state() == states[1] || (*trainer.state() == states[0] && !done));
            run.keep_metrics(checkpoint.epoch()).expect("its lines");
        };
        let next = |disk: &LyingDisk| {
            let run = open(disk)?;
            run.append_metrics("{}")?;
            run.put_down("a note", &states[1])
        };
        empty.at_every_cut(next, goes_on);
    }

    #[test]
    fn the_checkpoint_of_version_1_goes_on_for_ever() {
        let halves = halves();
        let checkpoint = Checkpoint::new(FIXTURE).expect("a checkpoint");
        assert_eq!((checkpoint.note(), checkpoint.epoch()), ("version 1", 4));
        let mut trainer = trainer(&halves, 9);
        checkpoint.restore(trainer.state_mut()).expect("restored");
        assert!(trainer.state().best.is_some());
        assert_eq!(trainer.run(&mut ()).epochs, 9);
    }

    #[test]
    fn a_state_of_another_training_is_refused() {
        let halves = halves();
        let checkpoint = Checkpoint::new(FIXTURE).expect("a checkpoint");
        let config = Config::rating().batch(Batch::Blocks).n_factors(20);
        let checked = config.check().expect("a configuration");
        let mut other = checked.trainer::<f32>(&halves[0], None).expect("a trainer");
        let error = checkpoint
            .restore(other.state_mut())
            .expect_err("wider rows");
        assert!(
            error.to_string().contains("as this training has"),
            "{error}"
        );
    }

    /// Bytes flipped, cut, lengthened, and numbers forged: an error, or the very state.
    fn mutate(n: usize) {
        let halves = halves();
        let mut stream = Stream::new(3, "damage");
        let mut whole = trainer(&halves, 9);
        Checkpoint::new(FIXTURE)
            .and_then(|checkpoint| checkpoint.restore(whole.state_mut()))
            .expect("undamaged");
        let mut state = trainer(&halves, 9);
        for _ in 0..n {
            let mut bytes = FIXTURE.to_vec();
            let at = stream.below(bytes.len() as u64) as usize;
            match stream.below(4) {
                0 => bytes[at] ^= 1 << stream.below(8),
                1 => bytes.truncate(at),
                2 => bytes.extend(std::iter::repeat_n(0, 1 + at % 100)),
                _ => {
                    let at = at.min(bytes.len() - 8);
                    let forged = u64::MAX >> stream.below(64);
                    bytes[at..at + 8].copy_from_slice(&forged.to_le_bytes());
                }
            }
            let read = Checkpoint::new(&bytes[..]);
            let restored = read.and_then(|checkpoint| checkpoint.restore(state.state_mut()));
            assert!(restored.is_err() || state.state() == whole.state());
        }
    }

    #[test]
    fn damage_is_an_error() {
        mutate(2_000);
    }

    #[test]
    #[ignore = "takes minutes"]
    fn a_hundred_thousand_damages_are_errors() {
        mutate(100_000);
    }
}
