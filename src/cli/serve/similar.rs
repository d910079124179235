//! Which items, or users, are like this one?

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use serde::Serialize;

use super::recommend::{at_least_one, condition};
use crate::cli::given::{ModelArgument, not_an_input, read_ids};
use crate::cli::output::{Cell, Column, Manner, Set, counted};
use crate::model::Similarity;
use crate::recommend::{Condition, Neighbour};
use crate::{Result, Similar as Question};

/// List the items that are most like an item, or the users most like a user
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("whom").required(true).args(["item", "user"]),
    after_help = "Examples:\n  \
    lowrank similar run --item 50\n  \
    lowrank similar run --item 50 -n 5 --where 'genres=Horror & year>=1990'\n  \
    lowrank similar run --user 196 --by dot\n\n\
    The score is the cosine of the two embeddings, from -1 to 1; with --by dot it is their dot product, which favours long ones. Biases do not count.\n\
    An item or a user of whom nothing is known is like nothing."
)]
pub struct Similar {
    #[command(flatten)]
    model: ModelArgument,
    /// The item's id
    #[arg(long, value_name = "ID")]
    item: Option<String>,
    /// The user's id
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// At most this many
    #[arg(short, default_value_t = 10, value_name = "N", value_parser = at_least_one)]
    n: usize,
    /// What makes two embeddings alike
    #[arg(long, value_enum, default_value_t = By::Cosine)]
    by: By,
    /// Only those that meet a condition on their columns, as for `recommend`; several must all hold
    #[arg(long = "where", value_name = "CONDITION", value_parser = condition)]
    conditions: Vec<Condition>,
    /// Only those of this file, an id a line; one that the model has not is left out
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
    /// None of those of this file, an id a line
    #[arg(long, value_name = "FILE")]
    deny: Option<PathBuf>,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What makes two rows alike.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// The angle between them
    Cosine,
    /// Their dot product
    Dot,
}

/// One neighbour, as JSON shows it: an item or a user.
#[derive(Serialize)]
struct Line<'a> {
    rank: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    title: Option<&'a str>,
    genres: &'a [String],
    score: f32,
}

impl Similar {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let file = self.model.file()?;
        let read = [&self.allow, &self.deny].into_iter().flatten();
        not_an_input(
            self.output.as_deref(),
            read.chain([&file]).map(PathBuf::as_path),
        )?;
        let model = self.model.load()?;
        let (mut question, ids, what) = match (&self.item, &self.user) {
            (Some(item), _) => (Question::item(item), model.items().ids(), "item"),
            (None, user) => {
                let user = user.as_deref().unwrap_or_default();
                (Question::user(user), model.users().ids(), "user")
            }
        };
        question = question.n(self.n).by(match self.by {
            By::Cosine => Similarity::Cosine,
            By::Dot => Similarity::Dot,
        });
        for condition in &self.conditions {
            question = question.condition(condition.clone());
        }
        if let Some(file) = &self.allow {
            question = question.allow(read_ids(file, ids)?);
        }
        if let Some(file) = &self.deny {
            question = question.deny(read_ids(file, ids)?);
        }
        let list = model.similar(&question)?;
        manner.output(self.output.as_deref(), |out| {
            let columns = columns(what);
            let mut listing = out.listing(&columns)?;
            for line in &list {
                listing.row(&of_json(line, what), &cells(line))?;
            }
            listing.finish()
        })?;
        if list.is_empty() {
            manner.note(format_args!(
                "note: nothing is like it: the filters leave no {what}, or nothing is known of this one"
            ));
        }
        if let Some(file) = &self.output {
            let n = counted(list.len() as u64, "line");
            manner.note(format_args!("{}: {n}", file.display()));
        }
        manner.note(match self.by {
            By::Cosine => "score: cosine of the two embeddings, -1 to 1",
            By::Dot => {
                "score: dot product of the two embeddings; compare scores of one list, nothing else"
            }
        });
        Ok(())
    }
}

fn columns(what: &'static str) -> [Column; 5] {
    [
        Column::new("rank", Set::Right),
        Column::new(what, Set::Left),
        Column::new("title", Set::Cut),
        Column::new("genres", Set::Cut),
        Column::new("score", Set::Right),
    ]
}

fn of_json<'a>(line: &'a Neighbour, what: &str) -> Line<'a> {
    let id = |wanted| (what == wanted).then_some(line.id.as_str());
    Line {
        rank: line.rank,
        item: id("item"),
        user: id("user"),
        title: line.title.as_deref(),
        genres: &line.genres,
        score: line.score,
    }
}

fn cells(line: &Neighbour) -> [Cell<'_>; 5] {
    [
        Cell::Count(line.rank as u64),
        Cell::Text(&line.id),
        Cell::Text(line.title.as_deref().unwrap_or_default()),
        Cell::List(&line.genres),
        Cell::Score(line.score),
    ]
}
