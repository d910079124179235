//! What would this user give that item?

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::meaning;
use crate::cli::fresh::FreshItems;
use crate::cli::given::{ModelArgument, not_an_input};
use crate::cli::output::{Cell, Column, Format, Listing, Manner, Set, counted, grouped};
use crate::cli::sources::check_fresh;
use crate::data::reader::{ReadOptions, Separator, read_pairs};
use crate::model::Meaning;
use crate::{Kind, Model, Prediction, Result};

/// Predict what a user would give an item
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lowrank predict run --user 196 --item 242\n  \
    lowrank predict run --user 196 --item 242 --with genres=Horror    # if it were a horror film\n  \
    lowrank predict run --pairs pairs.csv -o predictions.csv\n  \
    lowrank predict run --pairs pairs.csv --items movies.csv    # with the features of today\n  \
    echo '{\"user\": \"196\", \"item\": \"242\"}' | lowrank predict run --stdin\n\n\
    The kind says what a prediction rests on: full (user and item), user_only, item_only, or prior (neither is known). A model that knows how \
    uncertain it is has a std too: the standard deviation of the rating around its score, before clipping.\n\n\
    With --stdin each line of standard input is a JSON object with user and item (strings or whole numbers), perhaps with {\"genres\": \"Horror\"} as \
    \"with\", and an id of any kind that comes back in the answer: a line that is what --format jsonl prints, or {\"error\", \"line\"}, written \
    at once. The end of the input ends it. --pairs takes a file of any length and writes one with -o.")]
pub struct Predict {
    #[command(flatten)]
    model: ModelArgument,
    /// The user's id
    #[arg(
        long,
        value_name = "ID",
        requires = "item",
        required_unless_present_any = ["pairs", "stdin"]
    )]
    user: Option<String>,
    /// The item's id
    #[arg(
        long,
        value_name = "ID",
        requires = "user",
        required_unless_present_any = ["pairs", "stdin"]
    )]
    item: Option<String>,
    /// Another value for a feature of the item: its name, or its number counted from 0; several separated by |
    #[arg(long, value_name = "FEATURE=VALUE", value_parser = feature)]
    pub(super) with: Vec<(String, String)>,
    /// A file with a user and an item a line, instead of --user and --item
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "item"])]
    pairs: Option<PathBuf>,
    /// Answer questions from standard input, a JSON object a line, until it ends
    #[arg(long, conflicts_with_all = ["user", "item", "pairs", "output"])]
    stdin: bool,
    #[command(flatten)]
    fresh: FreshItems,
    /// Newer features of users, and further users
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// What stands between two fields of that file: `,` `;` `tab` `::` … [default: found out]
    #[arg(long, value_name = "SEPARATOR", requires = "pairs")]
    sep: Option<Separator>,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// `column=value`, split at the first equals sign.
fn feature(text: &str) -> Result<(String, String), String> {
    let split = text
        .split_once('=')
        .filter(|(column, _)| !column.trim().is_empty());
    let (column, value) = split.ok_or("wanted FEATURE=VALUE, as in genres=Horror")?;
    Ok((column.trim().into(), value.trim().into()))
}

/// One prediction, as JSON shows it.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    user: &'a str,
    item: &'a str,
    prediction: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    std: Option<f32>,
    kind: &'static str,
    /// What the prediction is, where it is no rating.
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<&'static str>,
}

/// The columns of a listing; `std` where the model has it.
fn columns(model: &Model) -> Vec<Column> {
    let std = model.posterior().map(|_| Column::new("std", Set::Right));
    let before = [
        Column::new("user", Set::Left),
        Column::new("item", Set::Left),
        Column::new("prediction", Set::Right),
    ];
    let kind = Column::new("kind", Set::Left);
    before.into_iter().chain(std).chain([kind]).collect()
}

impl Predict {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let file = self.model.file()?;
        let read = self.fresh.files(&self.users).chain(&self.pairs);
        let inputs = read.chain([&file]).map(PathBuf::as_path);
        not_an_input(self.output.as_deref(), inputs)?;
        if self.stdin {
            let model = self.model.load()?;
            let model = self.fresh.apply(model, self.users.as_deref(), manner)?;
            return self.lines(&model, manner);
        }
        match (&self.pairs, &self.user, &self.item) {
            (None, Some(user), Some(item)) => self.one(manner, user, item),
            (Some(file), ..) => self.many(manner, file),
            // clap lets nothing else through.
            _ => Err(crate::Error::config(
                "user",
                "none",
                "--user and --item, --pairs, or --stdin",
            )),
        }
    }

    fn one(&self, manner: Manner, user: &str, item: &str) -> Result<()> {
        // Beside users of a file all users of the model are needed: the file's others are not new.
        let model = match self.users {
            Some(_) => self.model.load()?,
            None => self.model.load_for(&[user])?,
        };
        let model = self.fresh.apply(model, self.users.as_deref(), manner)?;
        let prediction = predict(&model, user, item, &self.with)?;
        manner.output(self.output.as_deref(), |out| {
            if matches!(out.format(), Format::Json | Format::JsonLines) {
                return out.json(&line(&model, user, item, prediction));
            }
            let columns = columns(&model);
            let mut listing = out.listing(&columns)?;
            row(&mut listing, &model, user, item, prediction)?;
            listing.finish()
        })?;
        self.say_where(1, manner);
        if let Some(remark) = remark(prediction.kind) {
            manner.note(format_args!("note: {remark}"));
        }
        manner.note(meaning::line("prediction", &model));
        Ok(())
    }

    fn many(&self, manner: Manner, file: &std::path::Path) -> Result<()> {
        let model = self.model.load()?;
        let model = self.fresh.apply(model, self.users.as_deref(), manner)?;
        let options = ReadOptions {
            separator: self.sep,
            ..ReadOptions::default()
        };
        check_fresh([file], manner)?;
        let pairs = read_pairs(file, &options, model.users().ids(), model.items().ids())?;
        let mut not_full = 0;
        manner.output(self.output.as_deref(), |out| {
            let columns = columns(&model);
            let mut listing = out.listing(&columns)?;
            for (&user, &item) in pairs.users.iter().zip(&pairs.items) {
                let (user, item) = (pairs.user_ids.name(user), pairs.item_ids.name(item));
                let prediction = predict(&model, user, item, &self.with)?;
                not_full += u64::from(prediction.kind != Kind::Full);
                row(&mut listing, &model, user, item, prediction)?;
            }
            listing.finish()
        })?;
        self.say_where(pairs.users.len(), manner);
        if not_full > 0 {
            manner.note(format_args!(
                "note: {} of {} predictions rest on less than user and item; see their kind",
                grouped(not_full),
                grouped(pairs.users.len() as u64)
            ));
        }
        manner.note(meaning::line("prediction", &model));
        Ok(())
    }

    fn say_where(&self, n: usize, manner: Manner) {
        if let Some(file) = &self.output {
            let n = counted(n as u64, "prediction");
            manner.note(format_args!("{}: {n}", file.display()));
        }
    }
}

/// What is predicted of a pair with these features of the item.
pub(super) fn predict(
    model: &Model,
    user: &str,
    item: &str,
    with: &[(String, String)],
) -> Result<Prediction> {
    if with.is_empty() {
        return model.predict(user, item);
    }
    let overrides: Vec<(&str, &str)> = with
        .iter()
        .map(|(column, value)| (column.as_str(), value.as_str()))
        .collect();
    model.predict_with(user, item, &overrides)
}

pub(super) fn line<'a>(
    model: &Model,
    user: &'a str,
    item: &'a str,
    prediction: Prediction,
) -> Line<'a> {
    let meaning = model.meaning();
    Line {
        meaning: (meaning != Meaning::Rating).then(|| meaning.name()),
        user,
        item,
        prediction: prediction.value,
        std: prediction.std,
        kind: prediction.kind.name(),
    }
}

fn row(
    listing: &mut Listing<'_>,
    model: &Model,
    user: &str,
    item: &str,
    prediction: Prediction,
) -> Result<()> {
    let mut cells = vec![
        Cell::Text(user),
        Cell::Text(item),
        Cell::Score(prediction.value),
    ];
    cells.extend(prediction.std.map(Cell::Score));
    cells.push(Cell::Text(prediction.kind.name()));
    listing.row(&line(model, user, item, prediction), &cells)
}

fn remark(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Full => None,
        Kind::UserOnly => Some(
            "no training rating touches the item or its features; the prediction rests on the user alone",
        ),
        Kind::ItemOnly => {
            Some("no training rating touches the user; the prediction rests on the item alone")
        }
        Kind::Prior => Some(
            "no training rating touches the user or the item; every such pair gets this prediction",
        ),
    }
}
