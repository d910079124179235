//! What does a file of ratings hold, and what looks wrong with it?

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::SettledBy;
use super::summary::{Bar, Quantiles, Summary};
use crate::Result;
use crate::cli::calendar;
use crate::cli::output::{Cell, Column, Format, Manner, Set, counted, grouped};
use crate::cli::sources::check_fresh;
use crate::cli::table;
use crate::data::reader::{ColumnSpec, FileReport, Separator};
use crate::data::{Dataset, LoadReport};

/// Show what a file of ratings holds, and what looks wrong with it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank data inspect ratings.csv\n  \
    lowrank data inspect ratings.csv --items movies.csv --format json")]
pub struct Inspect {
    /// The file of ratings, or its cache
    file: PathBuf,
    /// A file with titles and columns of the items
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    /// A file with columns of the users
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Which column is what: `user,item,rating,timestamp` in order, or `user=NAME,item=NAME,rating=3`
    #[arg(long, value_name = "COLUMNS")]
    columns: Option<ColumnSpec>,
    /// What stands between two fields: `,` `;` `tab` `::` … [default: found out]
    #[arg(long, value_name = "SEPARATOR")]
    sep: Option<Separator>,
}

/// The JSON: what was read, and what it holds.
#[derive(Serialize)]
struct Document<'a> {
    /// The cache that was read instead of the first file.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<String>,
    files: Vec<File<'a>>,
    #[serde(flatten)]
    summary: &'a Summary,
}

#[derive(Serialize)]
struct File<'a> {
    path: String,
    rows: u64,
    separator: String,
    header: bool,
    packed: bool,
    columns: Vec<Role<'a>>,
    ignored: &'a [String],
}

/// What one column is.
#[derive(Serialize)]
struct Role<'a> {
    role: &'a str,
    name: &'a str,
}

const COLUMNS: [Column; 2] = [
    Column::new("figure", Set::Left),
    Column::new("value", Set::Right),
];

impl Inspect {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        check_fresh([self.file.as_path()], manner)?;
        let data = self.read()?;
        let summary = Summary::of(&data);
        manner.output(None, |out| match out.format() {
            Format::Json | Format::JsonLines => out.json(&Document {
                cache: data.report.cache.as_ref().map(|c| c.display().to_string()),
                files: files(&data.report).map(File::from).collect(),
                summary: &summary,
            }),
            Format::Table => out.text(&text(&data, &summary)),
            Format::Csv => {
                let mut listing = out.listing(&COLUMNS)?;
                for (name, value) in figures(&summary) {
                    listing.row(&(), &[Cell::Text(name), value])?;
                }
                listing.finish()
            }
        })?;
        for warning in &summary.warnings {
            manner.note(table::safe(&format!("warning: {warning}")));
        }
        Ok(())
    }

    fn read(&self) -> Result<Dataset> {
        let mut builder = Dataset::builder();
        if let Some(columns) = &self.columns {
            builder = builder.columns(columns.clone());
        }
        if let Some(separator) = self.sep {
            builder = builder.separator(separator);
        }
        builder = builder.ratings(&self.file)?;
        if let Some(items) = &self.items {
            builder = builder.items(items)?;
        }
        if let Some(users) = &self.users {
            builder = builder.users(users)?;
        }
        builder.build()
    }
}

fn files(report: &LoadReport) -> impl Iterator<Item = &FileReport> {
    report
        .ratings
        .iter()
        .chain(&report.users)
        .chain(&report.items)
}

impl<'a> From<&'a FileReport> for File<'a> {
    fn from(file: &'a FileReport) -> File<'a> {
        let role = |(role, name): &'a (&'static str, String)| Role { role, name };
        File {
            path: file.path.display().to_string(),
            rows: file.rows,
            separator: file.separator.to_string(),
            header: file.header,
            packed: file.packed,
            columns: file.roles.iter().map(role).collect(),
            ignored: &file.ignored,
        }
    }
}

fn figures(summary: &Summary) -> [(&'static str, Cell<'static>); 10] {
    [
        ("ratings", Cell::Count(summary.ratings)),
        ("users", Cell::Count(summary.users)),
        ("items", Cell::Count(summary.items)),
        ("density", Cell::Metric(summary.density)),
        ("duplicate_pairs", Cell::Count(summary.duplicates.pairs)),
        ("dropped", Cell::Count(summary.duplicates.dropped)),
        ("least", Cell::Score(summary.scale[0])),
        ("greatest", Cell::Score(summary.scale[1])),
        ("mean", Cell::Metric(summary.mean)),
        (
            "standard_deviation",
            Cell::Metric(summary.standard_deviation),
        ),
    ]
}

/// All of it, to be read.
fn text(data: &Dataset, summary: &Summary) -> String {
    let mut text = String::new();
    if let Some(cache) = &data.report.cache {
        let cache = table::safe(&cache.display().to_string());
        let _ = writeln!(text, "{cache}, a cache of");
    }
    for file in files(&data.report) {
        text.push_str(&about(file));
        text.push('\n');
    }
    let mut line = |name: &str, value: String, remark: String| {
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "{}",
            format!("{name:<9}{value:>12}  {remark}").trim_end()
        );
    };
    let duplicates = &summary.duplicates;
    let dropped = match duplicates.dropped {
        0 => "no duplicates".into(),
        n => format!(
            "{} dropped: {} rated more than once, {}",
            grouped(n),
            counted(duplicates.pairs, "pair"),
            SettledBy(data.report.duplicates.policy)
        ),
    };
    line("ratings", grouped(summary.ratings), dropped);
    line(
        "users",
        grouped(summary.users),
        only(data.report.users_added, "--users"),
    );
    line(
        "items",
        grouped(summary.items),
        only(data.report.items_added, "--items"),
    );
    line(
        "density",
        format!("{:.3} %", 100.0 * summary.density),
        "of all pairs have a rating".into(),
    );
    let [lo, hi] = summary.scale;
    line(
        "mean",
        format!("{:.4}", summary.mean),
        format!(
            "from {lo} to {hi}, standard deviation {:.4}",
            summary.standard_deviation
        ),
    );
    if let Some([first, last]) = summary.timestamps {
        line(
            "time",
            String::new(),
            format!("{} to {}", time(first), time(last)),
        );
    }
    text.push_str("\nratings per  least  quarter  median  three quarters  greatest\n");
    for (name, q) in [
        ("user", &summary.ratings_per_user),
        ("item", &summary.ratings_per_item),
    ] {
        text.push_str(&per(name, q));
    }
    text.push('\n');
    text.push_str(&bars(&summary.histogram));
    text
}

fn about(file: &FileReport) -> String {
    let roles: Vec<String> = file
        .roles
        .iter()
        .map(|(role, name)| format!("{role} = {name}"))
        .collect();
    let separator = match file.separator.to_string().as_str() {
        "," => "commas".into(),
        "tab" => "tabs".into(),
        other => format!("{other:?}"),
    };
    let header = if file.header {
        "with a header"
    } else {
        "without a header"
    };
    let mut text = format!(
        "{}\n  {}, separated by {separator}, {header}\n  {}\n",
        table::safe(&file.path.display().to_string()),
        counted(file.rows, "row"),
        table::safe(&roles.join(", "))
    );
    if !file.ignored.is_empty() {
        let _ = writeln!(
            text,
            "  not used: {}",
            table::safe(&file.ignored.join(", "))
        );
    }
    text
}

fn only(added: usize, file: &str) -> String {
    match added {
        0 => String::new(),
        n => format!("and {} without a rating, from {file}", grouped(n as u64)),
    }
}

fn per(name: &str, q: &Quantiles) -> String {
    let [least, quarter, median, three, greatest] =
        [q.least, q.quarter, q.median, q.three_quarters, q.greatest].map(grouped);
    format!("{name:<11}{least:>7}{quarter:>9}{median:>8}{three:>16}{greatest:>10}\n")
}

/// The histogram; the longest bar is 40 signs.
fn bars(bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    let names: Vec<String> = bars
        .iter()
        .map(|bar| match bar.from == bar.to {
            true => bar.from.to_string(),
            false => format!("{} to {}", bar.from, bar.to),
        })
        .collect();
    let wide = names
        .iter()
        .map(String::len)
        .max()
        .unwrap_or(0)
        .max("rating".len());
    let mut text = format!("{:>wide$}  {:>11}\n", "rating", "count");
    for (name, bar) in names.iter().zip(bars) {
        let signs = "#".repeat((40 * bar.count).div_ceil(most) as usize);
        let line = format!("{name:>wide$}  {:>11}  {signs}", grouped(bar.count));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// Seconds since 1970 as a day where they look like it, otherwise the number.
fn time(timestamp: i64) -> String {
    // 1980 to 2100: numbers outside are counters, or other units.
    if !(315_532_800..4_102_444_800).contains(&timestamp) {
        return timestamp.to_string();
    }
    calendar::day(timestamp.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_days_where_they_look_like_it() {
        let texts = [881_250_949, 951_782_400, 951_868_800, 1_704_067_199, 1, -5].map(time);
        assert_eq!(
            texts,
            [
                "1997-12-04",
                "2000-02-29",
                "2000-03-01",
                "2023-12-31",
                "1",
                "-5"
            ]
        );
    }

    #[test]
    fn the_text_is_readable_in_80_columns() {
        let rows = (0..500).map(|n| {
            (
                format!("u{}", n % 20),
                format!("i{n}"),
                (n * 7 % 50) as f32 + 0.123,
            )
        });
        let data = Dataset::builder().rows(rows).unwrap().build().unwrap();
        let text = text(&data, &Summary::of(&data));
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert!(text.contains("of all pairs have a rating"));
    }
}
