//! One set of tables, or what is known of all of them?

/// How the tables are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// What suits the data: see [`Checked::settle`](crate::training::Checked::settle).
    Auto,
    /// The tables that minimise the objective, by the optimizer.
    #[default]
    Point,
    /// The tables that minimise squared errors over all cells, one side at a time in closed form: see `training::als`.
    Als,
    /// Their posterior, as the nearest of all distributions with independent rows: means and covariances in closed form, λ and the noise found along the way.
    Variational,
    /// So many draws of the posterior, averaged.
    Samples(usize),
    /// Several models, and the mean of what they say.
    Ensemble,
}

/// Sweeps of a sampler that are thrown away, because they still remember the start.
pub const BURN_IN: usize = 30;
/// Samples that are averaged unless something else is asked for.
pub const SAMPLES: usize = 300;

impl Method {
    /// Numbers of each embedding, unless something else is asked for: with the bias, whole registers of eight.
    pub(crate) fn factors(self) -> usize {
        match self {
            Method::Point | Method::Auto | Method::Als => 8,
            Method::Variational | Method::Ensemble => 15,
            Method::Samples(_) => 7,
        }
    }

    /// Passes over the ratings, unless something else is asked for.
    pub(crate) fn epochs(self) -> Option<usize> {
        match self {
            Method::Point | Method::Auto => None,
            Method::Als | Method::Variational => Some(12),
            // Each member has its own.
            Method::Ensemble => Some(1),
            Method::Samples(kept) => Some(BURN_IN + kept),
        }
    }
}
