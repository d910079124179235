//! Is a test set fit to judge what was trained beside it?

use std::path::PathBuf;

use clap::Args;

use crate::Result;
use crate::cli::output::{Cell, Column, Format, Manner, Output, Set};
use crate::cli::sources::check_fresh;
use crate::data::Ids;
use crate::data::reader::{ColumnSpec, ReadOptions, Separator, read_test};
use crate::evaluation::SplitReport;

/// Look for what a test set should not share with its training set
#[derive(Debug, Args)]
#[command(
    name = "check-split",
    after_help = "Examples:\n  \
    lowrank data check-split halves/train.csv halves/test.csv\n  \
    lowrank data check-split train.csv test.csv --format json\n\n\
    Pairs in both files, pairs that stand twice, users and items that training never saw, and, where both files\n\
    have times, how much training knows of what came after the test."
)]
pub struct CheckSplit {
    /// The ratings for training, or their cache
    train: PathBuf,
    /// The ratings of the test, or their cache
    test: PathBuf,
    /// Which column is what: `user,item,rating,timestamp` in order, or `user=NAME,item=NAME,rating=3`
    #[arg(long, value_name = "COLUMNS")]
    columns: Option<ColumnSpec>,
    /// What stands between two fields: `,` `;` `tab` `::` … [default: found out]
    #[arg(long, value_name = "SEPARATOR")]
    sep: Option<Separator>,
}

const COLUMNS: [Column; 3] = [
    Column::new("figure", Set::Left),
    Column::new("value", Set::Right),
    Column::new("share", Set::Right),
];

impl CheckSplit {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let options = ReadOptions {
            columns: self.columns,
            separator: self.sep,
            ..ReadOptions::default()
        };
        check_fresh([self.train.as_path(), self.test.as_path()], manner)?;
        let train = read_test(&self.train, &options, &Ids::default(), &Ids::default())?;
        let test = read_test(&self.test, &options, &train.users, &train.items)?;
        let report = SplitReport::new(&train.interactions, &test.interactions);
        manner.output(None, |out| match out.format() {
            Format::Json | Format::JsonLines => out.json(&report),
            Format::Table | Format::Csv => rows(&report, out),
        })?;
        for warning in report.warnings() {
            manner.note(format_args!("warning: {warning}"));
        }
        if report.times.is_none() {
            manner.note("note: nothing about the future: the files do not both have timestamps");
        }
        Ok(())
    }
}

fn rows(report: &SplitReport, out: &mut Output<'_>) -> Result<()> {
    let (train, test) = (report.train_rows, report.test_rows);
    let mut figures = vec![
        ("train_rows", train, train),
        ("test_rows", test, test),
        ("leaked_rows", report.leaked_rows, test),
        ("train_duplicates", report.train_duplicates, train),
        ("test_duplicates", report.test_duplicates, test),
        ("cold_users", report.cold_users, report.test_users),
        ("cold_items", report.cold_items, report.test_items),
        ("cold_rows", report.cold_rows, test),
    ];
    if let Some(times) = &report.times {
        figures.extend([
            ("own_future_rows", times.own_future_rows, test),
            ("any_future_rows", times.any_future_rows, test),
            (
                "train_rows_after_test_begins",
                times.train_rows_after_test_begins,
                train,
            ),
        ]);
    }
    let mut listing = out.listing(&COLUMNS)?;
    for (name, value, of) in figures {
        let share = value as f64 / of as f64;
        let cells = [Cell::Text(name), Cell::Count(value), Cell::Metric(share)];
        listing.row(&(), &cells)?;
    }
    listing.finish()
}
