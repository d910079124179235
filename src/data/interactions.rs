//! What is a rating?
//!
//! A user, an item and a number; perhaps a weight and a time. [`Interactions`] holds many, a column each.

/// Ratings, one per position of the columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interactions {
    /// The row of each rating's user, in the ids. In a test set a number beyond the ids' length is a row that the
    /// ids do not have; training never sees one.
    pub users: Vec<u32>,
    /// The row of each rating's item, likewise.
    pub items: Vec<u32>,
    /// The rating, a finite number.
    pub ratings: Vec<f32>,
    /// The weight c ≥ 0 of each rating in the objective; 1 each where absent.
    pub weights: Option<Vec<f32>>,
    /// Seconds since 1970, or whatever rises with time.
    pub timestamps: Option<Vec<i64>>,
}

#[cfg(all(test, feature = "train"))]
impl Interactions {
    /// Ratings from ½ to 1½ of so many users and items, the pair of item i with `chance(i)`, perhaps with weights below 3.
    pub(crate) fn drawn(
        stream: &mut crate::random::Stream,
        (n_users, n_items): (u32, u32),
        chance: impl Fn(u32) -> f64,
        with_weights: bool,
    ) -> Interactions {
        let mut ratings = Interactions::default();
        for user in 0..n_users {
            for item in 0..n_items {
                if stream.uniform() < chance(item) {
                    ratings.users.push(user);
                    ratings.items.push(item);
                    ratings.ratings.push(0.5 + stream.uniform() as f32);
                }
            }
        }
        let n = ratings.len();
        let weights = (0..n).map(|_| stream.uniform() as f32 * 3.0);
        ratings.weights = with_weights.then(|| weights.collect());
        ratings
    }
}

impl Interactions {
    /// The number of ratings.
    pub fn len(&self) -> usize {
        self.ratings.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ratings.is_empty()
    }

    /// The ratings at `positions`, in that order.
    pub fn select(&self, positions: &[usize]) -> Interactions {
        fn pick<T: Copy>(values: &[T], positions: &[usize]) -> Vec<T> {
            positions.iter().map(|&p| values[p]).collect()
        }
        Interactions {
            users: pick(&self.users, positions),
            items: pick(&self.items, positions),
            ratings: pick(&self.ratings, positions),
            weights: self.weights.as_ref().map(|w| pick(w, positions)),
            timestamps: self.timestamps.as_ref().map(|t| pick(t, positions)),
        }
    }

    /// The least and the greatest rating, or `None` where there is no rating.
    pub fn scale(&self) -> Option<(f32, f32)> {
        let first = *self.ratings.first()?;
        Some(
            self.ratings
                .iter()
                .fold((first, first), |(low, high), &r| (low.min(r), high.max(r))),
        )
    }

    /// Σ (r − mean)² in `f64`, every rating counted once.
    #[cfg(feature = "train")]
    pub(crate) fn squares_around(&self, mean: f64) -> f64 {
        let away = |&r: &f32| (f64::from(r) - mean) * (f64::from(r) - mean);
        self.ratings.iter().map(away).sum()
    }

    /// The mean rating, each counted by its weight: Σ c·r / Σ c in `f64`; 0 where nothing counts.
    pub fn mean(&self) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for (position, &rating) in self.ratings.iter().enumerate() {
            let weight = self
                .weights
                .as_ref()
                .map_or(1.0, |w| f64::from(w[position]));
            sum += weight * f64::from(rating);
            count += weight;
        }
        if count > 0.0 { sum / count } else { 0.0 }
    }
}
