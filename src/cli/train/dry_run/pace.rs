//! How long will an epoch take on this machine, for this data?
//!
//! By trying. Some epochs of the training itself are run and timed, on all ratings where there are few, else on a sample, and the result is thrown away. What an epoch takes has two parts, one that grows with the
//! ratings and one with the tables (a look at every number, the sweep of Adam in full batch), so a sample is timed twice:
//!
//! ```text
//! t₁ = c·n + d·p        n ratings of the sample, p numbers of its tables
//! t₂ =       d·p        the same tables, one rating
//! epoch = (t₁ − t₂)·N/n + t₂·P/p
//! ```
//!
//! The sample of a training by blocks or in full batch keeps a share f of the users and of the items, and all ratings between them: about f²·N, in f·B blocks. Then a block has as many ratings and rows as
//! one of the whole, and a rating takes the time it will take there. The rows kept are every (1/f)-th by their number of ratings. Mini-batches are sampled as a share of the ratings, with all
//! tables, since a step of dense Adam visits every row whatever the batch.
//!
//! Assumed: that the machine is as busy later as it is now, and that nothing is swapped.

use std::ops::ControlFlow;
use std::time::Instant;

use crate::Result;
use crate::data::layout::order::count;
use crate::data::{Catalog, Column, Csr, Dataset, Interactions, SideData};
use crate::training::{Batch, Checked, Ending, Event, Observer};

/// Up to so many ratings are all tried; of more, a sample of at most as many.
const MOST: usize = 6_000_000;
/// Epochs are timed until so many seconds have passed,
const BUDGET: f64 = 0.25;
/// but at least so many: the first, which touches its memory for the first time, does not count.
const LEAST: usize = 4;
/// So many seconds are enough for less.
const ENOUGH: f64 = 1.0;
/// A sample of mini-batches grows until its epoch takes so many seconds.
const WORTH_TIMING: f64 = 0.05;

/// Seconds, and what they were measured on.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Ratings that were tried.
    pub sample: usize,
    /// To make everything ready: tables, layout.
    pub setup: f64,
    /// The steps of one epoch.
    pub epoch: f64,
    /// A look at the held-out ratings.
    pub validation: f64,
    /// To make the model of the tables: baselines, seen lists.
    pub finish: f64,
}

/// Tries a training of `data`, whose configuration leaves nothing to the data.
///
/// # Errors
/// Those of the training itself.
pub fn measure(checked: &Checked, data: &Dataset, valid: Option<&Interactions>) -> Result<Pace> {
    on_at_most(MOST, checked, data, valid)
}

/// [`measure`] on at most so many ratings.
fn on_at_most(
    most: usize,
    checked: &Checked,
    data: &Dataset,
    valid: Option<&Interactions>,
) -> Result<Pace> {
    if let Batch::Size(size) = checked.config().batch {
        return mini_batches(most, checked, data, valid, size);
    }
    if data.n_ratings() <= most {
        return Ok(trial(checked, data, valid)?.pace(data.n_ratings()));
    }
    let sample = Sample::between_some_rows(most, data, valid);
    let whole = trial(checked, &sample.data, sample.valid.as_ref())?;
    extrapolated(whole, checked, sample, data, valid)
}

/// A share of the mini-batches, large enough to be timed.
fn mini_batches(
    most: usize,
    checked: &Checked,
    data: &Dataset,
    valid: Option<&Interactions>,
    size: usize,
) -> Result<Pace> {
    let mut n = size.saturating_mul(4).max(1 << 10);
    loop {
        if n >= data.n_ratings() {
            return Ok(trial(checked, data, valid)?.pace(data.n_ratings()));
        }
        let share = |ratings: &Interactions, n: usize| {
            let all = ratings.len() as u64;
            let at = |k: usize| (k as u64 * all / n as u64) as usize;
            ratings.select(&(0..n).map(at).collect::<Vec<_>>())
        };
        let sample = Sample {
            data: data.with(share(&data.interactions, n)),
            valid: valid.map(|valid| share(valid, valid.len().min(most))),
        };
        let trial = trial(checked, &sample.data, sample.valid.as_ref())?;
        if trial.epoch >= WORTH_TIMING || n >= most {
            return extrapolated(trial, checked, sample, data, valid);
        }
        n *= 4;
    }
}

/// From a sample to the whole: the formula at the top of the file.
fn extrapolated(
    whole: Trial,
    checked: &Checked,
    sample: Sample,
    data: &Dataset,
    valid: Option<&Interactions>,
) -> Result<Pace> {
    let (n, n_valid) = (sample.data.n_ratings(), sample.n_valid());
    let one = sample.data.interactions.select(&[0]);
    let tables = trial(checked, &sample.data.with(one), None)?;
    let by_ratings = data.n_ratings() as f64 / n as f64;
    let by_rows = (data.n_users() + data.n_items()) as f64
        / (sample.data.n_users() + sample.data.n_items()) as f64;
    let scaled = |whole: f64, tables: f64| {
        let tables = tables.min(whole);
        (whole - tables) * by_ratings + tables * by_rows
    };
    let n_held_out = valid.map_or(0, Interactions::len) as f64;
    Ok(Pace {
        sample: n,
        setup: scaled(whole.setup, tables.setup),
        epoch: scaled(whole.epoch, tables.epoch),
        validation: whole.validation * n_held_out / n_valid.max(1) as f64,
        finish: scaled(whole.finish, tables.finish),
    })
}

/// Seconds of some epochs.
#[derive(Clone, Copy, Debug)]
struct Trial {
    setup: f64,
    epoch: f64,
    validation: f64,
    finish: f64,
}

impl Trial {
    fn pace(self, sample: usize) -> Pace {
        Pace {
            sample,
            setup: self.setup,
            epoch: self.epoch,
            validation: self.validation,
            finish: self.finish,
        }
    }
}

/// Trains for a moment.
fn trial(checked: &Checked, data: &Dataset, valid: Option<&Interactions>) -> Result<Trial> {
    let config = checked.config().clone();
    let (n_epochs, rate) = (config.n_epochs(), config.base_rate());
    // The time does not depend on the learning rate; small steps stay finite.
    let config = config.patience(None).learning_rate(rate.min(1e-4));
    let checked = config.epochs(n_epochs.max(LEAST)).check()?;
    let began = Instant::now();
    let mut trainer = checked.trainer::<f32>(data, valid)?;
    let setup = began.elapsed().as_secs_f64();
    let mut laps = Laps::new();
    if let Ending::Diverged(error) = trainer.run(&mut laps).ending {
        return Err(error);
    }
    let began = Instant::now();
    drop(trainer.into_model()?);
    Ok(Trial {
        setup,
        finish: began.elapsed().as_secs_f64(),
        epoch: typical(laps.epochs),
        validation: if valid.is_some() {
            typical(laps.validations)
        } else {
            0.0
        },
    })
}

/// The median of all but the first.
fn typical(mut laps: Vec<f64>) -> f64 {
    if laps.len() > 1 {
        laps.remove(0);
    }
    laps.sort_unstable_by(f64::total_cmp);
    laps.get(laps.len() / 2).copied().unwrap_or(0.0)
}

/// Takes the time of each epoch, and stops when there are enough.
struct Laps {
    began: Instant,
    mark: Instant,
    epochs: Vec<f64>,
    validations: Vec<f64>,
}

impl Laps {
    fn new() -> Laps {
        let now = Instant::now();
        Laps {
            began: now,
            mark: now,
            epochs: Vec::new(),
            validations: Vec::new(),
        }
    }

    /// Seconds since the last call.
    fn lap(&mut self) -> f64 {
        let seconds = self.mark.elapsed().as_secs_f64();
        self.mark = Instant::now();
        seconds
    }
}

impl Observer for Laps {
    fn on_event(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Started { .. } => self.began = Instant::now(),
            Event::EpochStarted { .. } => {
                self.lap();
            }
            Event::EpochTrained { .. } => {
                let seconds = self.lap();
                self.epochs.push(seconds);
            }
            Event::EpochEnded(_) => {
                let seconds = self.lap();
                self.validations.push(seconds);
                let passed = self.began.elapsed().as_secs_f64();
                let tried = self.epochs.len();
                if passed >= ENOUGH || (passed >= BUDGET && tried >= LEAST) {
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Ratings to try.
struct Sample {
    data: Dataset,
    valid: Option<Interactions>,
}

impl Sample {
    /// The ratings between a half, a quarter, … of the users and of the items.
    fn between_some_rows(most: usize, data: &Dataset, valid: Option<&Interactions>) -> Sample {
        let mut step = 1;
        while data.n_ratings() / (step * step) > most {
            step *= 2;
        }
        let ratings = &data.interactions;
        let users = Thinned::new(&ratings.users, data.n_users(), step);
        let items = Thinned::new(&ratings.items, data.n_items(), step);
        let between = |ratings: &Interactions| {
            let place = |rows: &[u32], kept: &Thinned, n: usize| kept.place(rows[n]);
            let both = |&n: &usize| {
                place(&ratings.users, &users, n).is_some()
                    && place(&ratings.items, &items, n).is_some()
            };
            let mut some = ratings.select(&(0..ratings.len()).filter(both).collect::<Vec<_>>());
            for (rows, kept) in [(&mut some.users, &users), (&mut some.items, &items)] {
                rows.iter_mut()
                    .for_each(|row| *row = kept.place(*row).unwrap_or(0));
            }
            some
        };
        Sample {
            data: Dataset {
                users: users.side(&data.users).into(),
                items: items.side(&data.items).into(),
                interactions: between(ratings),
                stored: None,
                report: data.report.clone(),
            },
            valid: valid.map(between),
        }
    }

    fn n_valid(&self) -> usize {
        self.valid.as_ref().map_or(0, Interactions::len)
    }
}

/// Some of the rows of a side.
struct Thinned {
    /// Rising.
    kept: Vec<u32>,
    /// By row.
    places: Vec<Option<u32>>,
}

impl Thinned {
    /// Every `step`-th of `n_rows` rows by their number of ratings.
    fn new(rows: &[u32], n_rows: usize, step: usize) -> Thinned {
        let counts = count(rows, n_rows);
        let mut by_count: Vec<u32> = (0..n_rows as u32).collect();
        by_count.sort_unstable_by_key(|&row| (counts[row as usize], row));
        let mut kept: Vec<u32> = by_count.into_iter().skip(step / 2).step_by(step).collect();
        kept.sort_unstable();
        let mut places = vec![None; n_rows];
        for (place, &row) in (0u32..).zip(&kept) {
            places[row as usize] = Some(place);
        }
        Thinned { kept, places }
    }

    fn place(&self, row: u32) -> Option<u32> {
        *self.places.get(row as usize)?
    }

    /// Their names and columns.
    fn side(&self, side: &SideData) -> SideData {
        let columns = side.catalog.columns.iter().map(|column| Column {
            rows: Csr::from_rows(self.kept.iter().map(|&row| column.rows.row(row as usize))),
            ..column.clone()
        });
        SideData {
            ids: self.kept.iter().map(|&row| side.ids.name(row)).collect(),
            catalog: Catalog {
                titles: None,
                columns: columns.collect(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Split;
    use crate::data::synthetic::{SyntheticConfig, generate};
    use crate::training::Config;
    use std::collections::HashSet;

    fn data() -> Dataset {
        let config = SyntheticConfig {
            n_users: 800,
            n_items: 500,
            n_ratings: 40_000,
            ..SyntheticConfig::default()
        };
        generate(&config).expect("a data set")
    }

    fn named(data: &Dataset, ratings: &Interactions) -> Vec<(String, String, u32)> {
        let name = |n: usize| {
            let (user, item) = (ratings.users[n], ratings.items[n]);
            let names = (data.users.ids.name(user), data.items.ids.name(item));
            (names.0.into(), names.1.into(), ratings.ratings[n].to_bits())
        };
        (0..ratings.len()).map(name).collect()
    }

    #[test]
    fn a_sample_holds_all_ratings_between_its_rows_and_as_dense_ones() {
        let halves = data().split(&Split::random(0.1, 1)).expect("two halves");
        let (data, valid) = (&halves.train, &halves.valid.interactions);
        // A half of the rows would leave some 9,000 ratings, a quarter leaves some 2,250.
        let sample = Sample::between_some_rows(4000, data, Some(valid));
        let small = &sample.data;
        assert_eq!((small.n_users(), small.n_items()), (200, 125));
        let share = data.n_ratings() as f64 / 16.0;
        let n = small.n_ratings() as f64;
        assert!((0.7 * share..1.4 * share).contains(&n), "{n} of {share}");
        let between = |ratings: &Interactions| {
            let mut all = named(data, ratings);
            all.retain(|(user, item, _)| {
                small.users.ids.index(user).is_some() && small.items.ids.index(item).is_some()
            });
            all
        };
        assert_eq!(
            named(small, &small.interactions),
            between(&data.interactions)
        );
        let held_out = sample.valid.as_ref().expect("held-out ratings");
        assert!(!held_out.is_empty());
        assert_eq!(named(small, held_out), between(valid));
        // Columns follow their rows.
        let genres = |data: &Dataset, item: &str| {
            let row = data.items.ids.index(item).expect("an item");
            let column = data.items.catalog.genres().expect("genres");
            column.of(row).map(str::to_owned).collect::<HashSet<_>>()
        };
        for item in small.items.ids.names().iter() {
            assert_eq!(genres(small, item), genres(data, item), "{item}");
        }
    }

    #[test]
    fn every_way_of_training_is_timed_on_a_sample_and_on_the_whole() {
        let halves = data().split(&Split::random(0.1, 1)).expect("two halves");
        let (data, valid) = (&halves.train, Some(&halves.valid.interactions));
        for batch in [Batch::Full, Batch::Blocks, Batch::Size(64)] {
            let config = Config::rating().batch(batch).epochs(1).threads(1);
            let checked = config.check().expect("in range");
            let part = on_at_most(4000, &checked, data, valid).expect("a pace");
            assert!(part.sample <= 4096, "{batch:?}: {}", part.sample);
            let whole = measure(&checked, data, valid).expect("a pace");
            assert!(whole.sample <= data.n_ratings());
            for seconds in [
                part.setup,
                part.epoch,
                part.validation,
                part.finish,
                whole.epoch,
            ] {
                assert!(seconds > 0.0 && seconds.is_finite(), "{batch:?}");
            }
        }
    }

    #[test]
    fn the_first_lap_does_not_count_unless_it_is_the_only_one() {
        assert_eq!(typical(vec![9.0, 1.0, 3.0, 2.0]), 2.0);
        assert_eq!(typical(vec![9.0]), 9.0);
        assert_eq!(typical(Vec::new()), 0.0);
    }
}
