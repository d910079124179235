//! Where do ratings to try things on come from?

use std::path::PathBuf;

use clap::Args;

use super::write;
use crate::Result;
use crate::cli::output::{Manner, counted};
use crate::data::synthetic::{SyntheticConfig, generate};

/// Make up ratings with a known structure, to try things on
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  \
    lowrank data generate -o made-up\n  \
    lowrank data generate -o large --users 50000 --items 10000 --ratings 5000000\n\n\
    Ratings come from a table of low rank with noise on top, so the least possible error is known:\n\
    about the noise. Writes ratings.csv and items.csv; the same seed makes the same files."
)]
pub struct Generate {
    /// The folder to write to; it is made if it is not there
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// The number of users
    #[arg(long, default_value_t = SyntheticConfig::default().n_users)]
    users: usize,
    /// The number of items
    #[arg(long, default_value_t = SyntheticConfig::default().n_items)]
    items: usize,
    /// The number of ratings
    #[arg(long, default_value_t = SyntheticConfig::default().n_ratings)]
    ratings: usize,
    /// The rank of the table
    #[arg(long, default_value_t = SyntheticConfig::default().n_factors)]
    factors: usize,
    /// The standard deviation of the noise, in stars
    #[arg(long, default_value_t = SyntheticConfig::default().noise)]
    noise: f64,
    /// Another number makes other ratings
    #[arg(long, default_value_t = SyntheticConfig::default().seed)]
    seed: u64,
    /// Replace ratings.csv and items.csv where they exist
    #[arg(long)]
    force: bool,
}

impl Generate {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let [ratings, items] =
            write::places(&self.output, ["ratings.csv", "items.csv"], self.force)?;
        let data = generate(&SyntheticConfig {
            n_users: self.users,
            n_items: self.items,
            n_ratings: self.ratings,
            n_factors: self.factors,
            noise: self.noise,
            seed: self.seed,
            ..SyntheticConfig::default()
        })?;
        write::make(&self.output)?;
        write::ratings(&ratings, &data, true)?;
        write::items(&items, &data.items)?;
        for (path, n, thing) in [
            (&ratings, data.n_ratings(), "rating"),
            (&items, data.n_items(), "item"),
        ] {
            manner.note(format_args!(
                "{}: {}",
                path.display(),
                counted(n as u64, thing)
            ));
        }
        Ok(())
    }
}
