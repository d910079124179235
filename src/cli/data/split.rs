//! Which ratings are for training, and which for the test?

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{SettledBy, write};
use crate::cli::given::not_an_input;
use crate::cli::output::{Manner, counted, grouped};
use crate::cli::sources::check_fresh;
use crate::data::reader::{ColumnSpec, Separator};
use crate::data::{Dataset, Split as How};
use crate::{Error, Result};

/// Split a file of ratings into train.csv and test.csv
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  \
    lowrank data split ratings.csv -o parts\n  \
    lowrank data split ratings.csv -o parts --by time --fraction 0.2\n  \
    lowrank data split ratings.csv -o parts --by leave-last\n\n\
    Where a user rated an item more than once, the last rating counts and the others go: otherwise\n\
    one pair could stand on both sides."
)]
pub struct Split {
    /// The file of ratings, or its cache
    file: PathBuf,
    /// The folder to write train.csv and test.csv to; it is made if it is not there
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// The share of the ratings that goes to the test, between 0 and 1
    #[arg(long, default_value_t = 0.1, value_name = "SHARE")]
    fraction: f64,
    /// How the test is chosen
    #[arg(long, value_enum, default_value_t = By::Random)]
    by: By,
    /// Another number draws other ratings; random and user draw
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Which column is what: `user,item,rating,timestamp` in order, or `user=NAME,item=NAME,rating=3`
    #[arg(long, value_name = "COLUMNS")]
    columns: Option<ColumnSpec>,
    /// What stands between two fields: `,` `;` `tab` `::` … [default: found out]
    #[arg(long, value_name = "SEPARATOR")]
    sep: Option<Separator>,
    /// Replace train.csv and test.csv where they exist
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// A share of all ratings, each equally likely
    Random,
    /// The same share of each user's ratings
    User,
    /// The last rating of each user who has two or more; --fraction has no say
    LeaveLast,
    /// The latest ratings of all
    Time,
}

impl Split {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let [train, test] = write::places(&self.output, ["train.csv", "test.csv"], self.force)?;
        for place in [&train, &test] {
            not_an_input(Some(place), [self.file.as_path()])?;
        }
        check_fresh([self.file.as_path()], manner)?;
        let mut builder = Dataset::builder();
        if let Some(columns) = self.columns {
            builder = builder.columns(columns);
        }
        if let Some(separator) = self.sep {
            builder = builder.separator(separator);
        }
        let data = builder.ratings(&self.file)?.build()?;
        let split = match self.by {
            By::Random => How::random(self.fraction, self.seed),
            By::User => How::by_user(self.fraction, self.seed),
            By::LeaveLast => How::leave_last(),
            By::Time => How::by_time(self.fraction),
        };
        let halves = data.split(&split).map_err(of_this_command)?;
        write::make(&self.output)?;
        let rated = data.report.has_ratings();
        write::ratings(&train, &halves.train, rated)?;
        write::ratings(&test, &halves.valid, rated)?;
        let duplicates = &data.report.duplicates;
        if duplicates.dropped > 0 {
            manner.note(format_args!(
                "note: {} dropped: {} rated more than once, {}",
                grouped(duplicates.dropped as u64),
                counted(duplicates.pairs as u64, "pair"),
                SettledBy(duplicates.policy)
            ));
        }
        for (path, half) in [(&train, &halves.train), (&test, &halves.valid)] {
            let n = counted(half.n_ratings() as u64, "rating");
            manner.note(format_args!("{}: {n}", path.display()));
        }
        Ok(())
    }
}

/// The library names its settings after the flags of `train`.
fn of_this_command(error: Error) -> Error {
    match error {
        Error::Config { name, got, wanted } => {
            let name = match name.as_str() {
                "valid-fraction" => "fraction".into(),
                "valid-by" => "by".into(),
                _ => name,
            };
            Error::Config { name, got, wanted }
        }
        other => other,
    }
}
