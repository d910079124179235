//! How is a file of ratings kept so that the next commands read it at once?

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{SettledBy, refuse_existing};
use crate::cli::given::not_an_input;
use crate::cli::output::{Cell, Column, Format, Manner, Set, counted, grouped};
use crate::cli::{sources, table};
use crate::data::reader::{ColumnSpec, ReadOptions, Separator};
use crate::data::{CacheSource, Dataset, Dedupe, RatingsCache};
use crate::{Error, Result};

/// Write a binary cache of a file of ratings, which every command reads at once
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank data convert ratings.csv -o ratings.cache\n  \
    lowrank train ratings.cache -o run\n  \
    lowrank data convert clicks.tsv --columns user,item,_,rating --dedupe sum -o clicks.cache\n\n\
    The cache goes wherever a file of ratings goes, with the same result to the last byte.\n\
    Duplicates are settled when it is made. It remembers its source: when that has changed,\n\
    commands say so and stop.")]
pub struct Convert {
    /// The file of ratings
    file: PathBuf,
    /// The cache to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Which column is what: `user,item,rating,timestamp` in order, or `user=NAME,item=NAME,rating=3`
    #[arg(long, value_name = "COLUMNS")]
    columns: Option<ColumnSpec>,
    /// What stands between two fields: `,` `;` `tab` `::` … [default: found out]
    #[arg(long, value_name = "SEPARATOR")]
    sep: Option<Separator>,
    /// The column that says how much each rating counts [default: all count 1]
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,
    /// Threads; they change speed alone [default: all cores]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "N")]
    threads: usize,
    /// Which of two ratings of one item by one user counts: last, first, mean, sum, max, error
    #[arg(long, value_name = "RULE", default_value_t = Dedupe::Last)]
    dedupe: Dedupe,
    /// Replace the cache where it exists
    #[arg(long)]
    force: bool,
}

/// What was written; also its JSON.
#[derive(Serialize)]
struct Written {
    cache: String,
    source: String,
    /// Lines of the source.
    rows: u64,
    duplicates: Duplicates,
    ratings: u64,
    users: u64,
    items: u64,
    weights: bool,
    timestamps: bool,
    /// Of the cache.
    bytes: u64,
    /// Of the source; absent for a pipe.
    source_bytes: Option<u64>,
    source_sha256: Option<String>,
}

#[derive(Serialize)]
struct Duplicates {
    policy: String,
    pairs: u64,
    dropped: u64,
}

const COLUMNS: [Column; 2] = [
    Column::new("figure", Set::Left),
    Column::new("value", Set::Right),
];

impl Convert {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        not_an_input(Some(&self.output), [self.file.as_path()])?;
        refuse_existing(&self.output, self.force)?;
        if RatingsCache::at(&self.file)?.is_some() {
            return Err(Error::File {
                path: self.file,
                got: "a cache".into(),
                wanted: "a text file of ratings".into(),
            });
        }
        let written = self.convert()?;
        manner.output(None, |out| match out.format() {
            Format::Json | Format::JsonLines => out.json(&written),
            Format::Table => out.text(&written.text(self.dedupe)),
            Format::Csv => {
                let mut listing = out.listing(&COLUMNS)?;
                for (name, value) in written.figures() {
                    listing.row(&(), &[Cell::Text(name), Cell::Count(value)])?;
                }
                listing.finish()
            }
        })
    }

    fn convert(&self) -> Result<Written> {
        let path = std::path::absolute(&self.file).map_err(Error::io(&self.file, "open"))?;
        let options = ReadOptions {
            columns: self.columns.clone(),
            separator: self.sep,
            weight: self.weight.clone(),
            threads: self.threads,
            ..ReadOptions::default()
        };
        let hashing = {
            let path = path.clone();
            std::thread::spawn(move || sources::stamp(&path))
        };
        let builder = Dataset::builder().options(options.clone());
        let data = builder.dedupe(self.dedupe).ratings(&self.file)?.build()?;
        let stamp = hashing.join().expect("hashing does not panic")?;
        if let Some(stamp) = &stamp {
            sources::unchanged(&path, stamp)?;
        }
        let source = CacheSource { path, stamp };
        let bytes = RatingsCache::write(&self.output, &data, &options, &source)?;
        let duplicates = data.report.duplicates;
        Ok(Written {
            cache: self.output.display().to_string(),
            source: source.path.display().to_string(),
            rows: data.report.rows,
            duplicates: Duplicates {
                policy: duplicates.policy.to_string(),
                pairs: duplicates.pairs as u64,
                dropped: duplicates.dropped as u64,
            },
            ratings: data.n_ratings() as u64,
            users: data.n_users() as u64,
            items: data.n_items() as u64,
            weights: data.interactions.weights.is_some(),
            timestamps: data.interactions.timestamps.is_some(),
            bytes,
            source_bytes: stamp.map(|stamp| stamp.bytes),
            source_sha256: stamp.map(|stamp| sources::hex(&stamp.sha256)),
        })
    }
}

impl Written {
    fn figures(&self) -> [(&'static str, u64); 7] {
        [
            ("rows", self.rows),
            ("duplicate_pairs", self.duplicates.pairs),
            ("dropped", self.duplicates.dropped),
            ("ratings", self.ratings),
            ("users", self.users),
            ("items", self.items),
            ("bytes", self.bytes),
        ]
    }

    fn text(&self, policy: Dedupe) -> String {
        let duplicates = match self.duplicates.dropped {
            0 => "no duplicates".into(),
            n => format!(
                "{} dropped: {} rated more than once, {}",
                grouped(n),
                counted(self.duplicates.pairs, "pair"),
                SettledBy(policy)
            ),
        };
        let with = match (self.weights, self.timestamps) {
            (true, true) => ", with weights and times",
            (true, false) => ", with weights",
            (false, true) => ", with times",
            (false, false) => "",
        };
        format!(
            "{}: {}\n  {} of {} and {}{with}\n  from {} of {}, {duplicates}\n",
            table::safe(&self.cache),
            counted(self.bytes, "byte"),
            counted(self.ratings, "rating"),
            counted(self.users, "user"),
            counted(self.items, "item"),
            counted(self.rows, "row"),
            table::safe(&self.source),
        )
    }
}
