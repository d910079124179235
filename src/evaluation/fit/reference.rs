//! What does a training look like, in a few hundred bytes?
//!
//! One pass over the ratings counts them and takes the sample; the sample is predicted. One thread does it, in the order of the ratings, so the numbers are the same for any number of
//! threads, with every kernel, and for ratings that stay in their file. Cost: a comparison or two a rating, and the predictions of the sample.

use crate::data::{Dataset, Interactions};
use crate::metrics::RatingErrors;
use crate::model::reference::{BINS, Histogram, SAMPLE};
use crate::model::{Meaning, Reference, Scorer};
use crate::random::Stream;
use crate::{Model, Result};

/// What one pass over the ratings finds.
struct Pass {
    counted: Counted,
    /// Which ratings are in the sample, rising.
    places: Vec<usize>,
    sample: Interactions,
    /// Ratings passed.
    n: usize,
}

impl Reference {
    /// What the training of `model` on `data` looks like.
    ///
    /// # Errors
    /// Where ratings that are not in memory cannot be read.
    pub fn of(model: &Model, data: &Dataset) -> Result<Reference> {
        let pass = Pass::over(data)?;
        let (ratings, rating_std) = pass.ratings();
        let sample = &pass.sample;
        // Names beyond the model's, as a file to compare with may have, are unknown.
        let known = |row: u32, n: usize| ((row as usize) < n).then_some(row);
        let (n_users, n_items) = (model.users().ids().len(), model.items().ids().len());
        let predict = |n: usize| {
            let user = known(sample.users[n], n_users);
            Scorer::new(model, user).value(known(sample.items[n], n_items))
        };
        let predictions: Vec<f32> = (0..sample.len()).map(predict).collect();
        let pairs = predictions.iter().zip(&sample.ratings);
        let pairs = pairs.map(|(&p, &r)| (f64::from(p), f64::from(r)));
        let train_rmse = pairs.collect::<RatingErrors>().rmse();
        let of_ratings = model.meaning() == Meaning::Rating;
        // What overflowed has no place, and must not keep the model from being saved.
        let finite = predictions.into_iter().filter(|p| p.is_finite()).collect();
        Ok(Reference {
            ratings,
            rating_std,
            scores: Histogram::of_quantiles(finite, BINS),
            train_rmse: Some(train_rmse).filter(|rmse| of_ratings && rmse.is_finite()),
        })
    }

    /// The part that does not need a model: how the ratings of `data` are distributed.
    ///
    /// # Errors
    /// Where ratings that are not in memory cannot be read.
    pub fn ratings_of(data: &Dataset) -> Result<Histogram> {
        Ok(Pass::over(data)?.ratings().0)
    }
}

impl Pass {
    fn over(data: &Dataset) -> Result<Pass> {
        let mut pass = Pass {
            counted: Counted::new(),
            places: places(data.n_ratings()),
            sample: Interactions::default(),
            n: 0,
        };
        data.for_each_piece(|piece| pass.piece(piece))?;
        Ok(pass)
    }

    fn piece(&mut self, piece: &Interactions) {
        for &rating in &piece.ratings {
            self.counted.push(rating);
        }
        let end = self.n + piece.len();
        let taken = self.sample.len();
        let inside = self.places[taken..].partition_point(|&place| place < end);
        for &place in &self.places[taken..taken + inside] {
            let n = place - self.n;
            self.sample.users.push(piece.users[n]);
            self.sample.items.push(piece.items[n]);
            self.sample.ratings.push(piece.ratings[n]);
        }
        self.n = end;
    }

    /// How the ratings are distributed, and their standard deviation: of all of them where there are few different ones, else of the sample.
    fn ratings(&self) -> (Histogram, f64) {
        if let Some(counted) = self.counted.few() {
            let histogram = Histogram::of_values(counted);
            let counted = histogram.marks().iter().zip(histogram.counts());
            let counted = counted.map(|(&value, &n)| (f64::from(value), n as f64));
            let std = deviation(counted);
            return (histogram, std);
        }
        let sample = &self.sample.ratings;
        let std = deviation(sample.iter().map(|&rating| (f64::from(rating), 1.0)));
        (Histogram::of_quantiles(sample.clone(), BINS), std)
    }
}

/// Slots of a table of different ratings: three times as many as are counted, so that nearly every rating is found where its hash says.
const SLOTS: usize = 64;
/// No finite number has these bits.
const EMPTY: u32 = u32::MAX;

/// How often each of a few different ratings occurs.
struct Counted {
    /// The bits of a rating, and how often it occurs.
    slots: [(u32, u64); SLOTS],
    /// Different ratings; more than [`BINS`] are too many to be counted.
    n: usize,
}

impl Counted {
    fn new() -> Counted {
        Counted {
            slots: [(EMPTY, 0); SLOTS],
            n: 0,
        }
    }

    /// This runs once a rating of perhaps a billion: a multiplication, a comparison, and no branch that is hard to foretell.
    #[inline]
    fn push(&mut self, rating: f32) {
        // −0 is 0.
        let bits = (rating + 0.0).to_bits();
        let mut at = (bits.wrapping_mul(0x9e37_79b1) >> 26) as usize % SLOTS;
        while self.n <= BINS {
            let (own, count) = &mut self.slots[at];
            if *own == bits {
                *count += 1;
                return;
            }
            if *own == EMPTY {
                (*own, *count) = (bits, 1);
                self.n += 1;
                return;
            }
            at = (at + 1) % SLOTS;
        }
    }

    /// The ratings and how often each occurs; `None` where they are too many.
    fn few(&self) -> Option<Vec<(f32, u64)>> {
        let used = self.slots.iter().filter(|(bits, _)| *bits != EMPTY);
        let counted = used.map(|&(bits, n)| (f32::from_bits(bits), n));
        (self.n <= BINS).then(|| counted.collect())
    }
}

/// The standard deviation of values, each so often; 0 of none.
fn deviation(counted: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let n: f64 = counted.clone().map(|(_, n)| n).sum();
    let mean = counted.clone().map(|(x, n)| x * n).sum::<f64>() / n;
    let squares: f64 = counted.map(|(x, n)| n * (x - mean) * (x - mean)).sum();
    if n > 0.0 { (squares / n).sqrt() } else { 0.0 }
}

/// Of each of [`SAMPLE`] runs that are as long as each other, one rating; the draws are always the same.
fn places(n: usize) -> Vec<usize> {
    if n <= SAMPLE {
        return (0..n).collect();
    }
    let mut stream = Stream::new(0, "reference.sample");
    let start = |run: usize| (run as u128 * n as u128 / SAMPLE as u128) as usize;
    let drawn = (0..SAMPLE).map(|run| {
        let length = start(run + 1) - start(run);
        start(run) + stream.below(length as u64) as usize
    });
    drawn.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Config;

    fn data(rows: impl IntoIterator<Item = (u32, u32, f32)>) -> Dataset {
        let rows = rows.into_iter();
        let rows = rows.map(|(user, item, rating)| (user.to_string(), item.to_string(), rating));
        let builder = Dataset::builder().rows(rows).expect("rows");
        builder.build().expect("data")
    }

    #[test]
    fn few_values_are_counted_and_their_deviation_is_theirs() {
        // 1 1 5 5 and -0: mean 2.4; deviations 1.4² + 1.4² + 2.6² + 2.6² + 2.4² = 23.2.
        let data = data([
            (0, 0, 5.0),
            (0, 1, 1.0),
            (1, 0, 1.0),
            (1, 1, 5.0),
            (2, 1, -0.0),
        ]);
        let pass = Pass::over(&data).unwrap();
        let (histogram, std) = pass.ratings();
        assert_eq!(histogram.marks(), [0.0, 1.0, 5.0]);
        assert_eq!(histogram.counts(), [1, 2, 2]);
        assert!((std - (23.2f64 / 5.0).sqrt()).abs() < 1e-15);
        assert_eq!(Reference::ratings_of(&data).unwrap(), histogram);
    }

    #[test]
    fn many_values_are_put_into_bins() {
        let data = data((0..400).map(|n| (n / 20, n % 20, n as f32 / 8.0)));
        let (histogram, std) = Pass::over(&data).unwrap().ratings();
        assert!(!histogram.is_of_values());
        assert_eq!(histogram.counts(), [20; BINS]);
        // Of 0, 1, …, 399 it is √((400² − 1)/12).
        assert!((std - (159_999.0f64 / 12.0).sqrt() / 8.0).abs() < 1e-12);
    }

    #[test]
    fn twenty_values_are_few_and_one_more_is_many() {
        for n_values in [BINS, BINS + 1] {
            let mut counted = Counted::new();
            for n in 0..3 * n_values {
                let value = (n % n_values) as f32 / 8.0 - 1.0;
                // −0 is 0.
                counted.push(if value == 0.0 && n > 20 { -0.0 } else { value });
            }
            let few = counted.few().map(Histogram::of_values);
            assert_eq!(few.is_some(), n_values == BINS);
            if let Some(histogram) = few {
                assert_eq!(histogram.counts(), [3; BINS]);
                assert_eq!((histogram.marks()[0], histogram.marks()[8]), (-1.0, 0.0));
            }
        }
    }

    #[test]
    fn the_sample_is_one_rating_of_each_run() {
        assert_eq!(places(7), [0, 1, 2, 3, 4, 5, 6]);
        let n = 3 * SAMPLE + 5;
        let drawn = places(n);
        assert_eq!(drawn.len(), SAMPLE);
        for (run, &place) in drawn.iter().enumerate() {
            let start = |run: usize| run * n / SAMPLE;
            assert!((start(run)..start(run + 1)).contains(&place), "{run}");
        }
        assert!(
            drawn
                .iter()
                .enumerate()
                .any(|(run, &p)| p != run * n / SAMPLE)
        );
    }

    #[test]
    fn pieces_make_the_whole() {
        let all = data((0..300).map(|n| (n / 20, n % 20, (n % 5) as f32)));
        let whole = Pass::over(&all).unwrap();
        let mut parts = Pass {
            counted: Counted::new(),
            places: places(300),
            sample: Interactions::default(),
            n: 0,
        };
        for range in [0..7, 7..7, 7..250, 250..300] {
            let piece = all.interactions.select(&range.collect::<Vec<_>>());
            parts.piece(&piece);
        }
        assert_eq!(parts.sample, whole.sample);
        assert_eq!(parts.ratings(), whole.ratings());
    }

    #[test]
    fn a_fitted_model_knows_its_training() {
        let data = data((0..60).map(|n| (n % 12, n / 12, (1 + n * 7 % 5) as f32)));
        let config = Config::rating().n_factors(2).epochs(5);
        let model = config.check().unwrap().fit(&data, None, &mut ()).unwrap();
        let reference = model.reference().expect("a reference");
        assert_eq!(reference.ratings().total(), 60);
        assert_eq!(reference.scores().total(), 60);
        assert_eq!(reference.scores().counts().len(), BINS);
        let pairs = (0..60).map(|n| {
            let at = &data.interactions;
            let value = model.predict_rows(Some(at.users[n]), Some(at.items[n]));
            (f64::from(value.value), f64::from(at.ratings[n]))
        });
        let rmse = crate::metrics::rmse(pairs);
        assert_eq!(reference.train_rmse(), Some(rmse));
        assert!(rmse < reference.rating_std());

        let clicks = Config::clicks().epochs(2);
        let mut taken = data.clone();
        taken.interactions.ratings = vec![1.0; 60];
        let model = clicks.check().unwrap().fit(&taken, None, &mut ()).unwrap();
        let reference = model.reference().expect("a reference");
        assert_eq!(reference.train_rmse(), None);
        assert_eq!(reference.ratings().marks(), [1.0]);
        assert_eq!(reference.scores().total(), 60);
    }
}
