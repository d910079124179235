//! Which items should these users see?

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use serde::Serialize;

use super::lists::Lists;
use crate::cli::given::{ModelArgument, not_an_input, read_ids};
use crate::cli::output::{Cell, Column, Listing, Manner, Output, Set, counted};
use crate::kernels::pool::Pool;
use crate::recommend::{Condition, Recommender};
use crate::{Model, Query, Recommendation, Result};

/// List the items that a user would like best, best first
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("who").required(true).args(["user", "users", "all"]),
    after_help = "Examples:\n  \
    lowrank recommend run --user 196\n  \
    lowrank recommend run --user 196 -n 5 --where genres=Horror --where year!=1995\n  \
    lowrank recommend run --all --format csv -o everyone.csv\n\n\
    Items that the user rated in training are left out, unless --include-seen is given.\n\
    The score is the prediction that `lowrank predict` prints for the same pair."
)]
pub struct Recommend {
    #[command(flatten)]
    model: ModelArgument,
    /// The user's id
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// A file with a user's id a line
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Every user of the model
    #[arg(long)]
    all: bool,
    /// At most this many items a user
    #[arg(short, default_value_t = 10, value_name = "N", value_parser = at_least_one)]
    n: usize,
    /// Only items with this value in a column (or without it: COLUMN!=VALUE); several conditions must all hold
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = condition)]
    conditions: Vec<Condition>,
    /// Only the items of this file, an id a line; one that the model has not is counted
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
    /// None of the items of this file, an id a line
    #[arg(long, value_name = "FILE")]
    deny: Option<PathBuf>,
    /// List also what the user rated in training
    #[arg(long)]
    include_seen: bool,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Threads; they change speed alone [default: all cores]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "N")]
    threads: usize,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|&n| n > 0);
    n.ok_or_else(|| "wanted a whole number, 1 or more".into())
}

fn condition(text: &str) -> Result<Condition, String> {
    let parsed = text.parse();
    parsed.map_err(|_| "wanted COLUMN=VALUE or COLUMN!=VALUE, as in genres=Horror".into())
}

/// One line of a list, as JSON shows it.
#[derive(Serialize)]
struct Line<'a> {
    rank: usize,
    item: &'a str,
    title: Option<&'a str>,
    genres: &'a [String],
    score: f32,
}

/// The first, where there are several users; a table has a heading for each of them instead.
pub(super) const COLUMNS: [Column; 6] = [
    Column::new("user", Set::Left),
    Column::new("rank", Set::Right),
    Column::new("item", Set::Left),
    Column::new("title", Set::Cut),
    Column::new("genres", Set::Cut),
    Column::new("score", Set::Right),
];

impl Recommend {
    pub(in crate::cli) fn run(self, manner: Manner) -> Result<()> {
        let read = [&self.users, &self.allow, &self.deny].into_iter().flatten();
        let file = self.model.file()?;
        not_an_input(
            self.output.as_deref(),
            read.chain([&file]).map(PathBuf::as_path),
        )?;
        let model = self.load()?;
        let users = self.rows(&model)?;
        let recommender = model.recommender(&self.query(&model)?)?;
        for (flag, n) in [
            ("--allow", recommender.n_unknown_allowed()),
            ("--deny", recommender.n_unknown_denied()),
        ] {
            if n > 0 {
                let ids = counted(n as u64, "id");
                manner.note(format_args!("note: {ids} of {flag} not in the model"));
            }
        }
        let n_lines = manner.output(self.output.as_deref(), |out| {
            if self.user.is_some() {
                return one(out, &recommender, users[0]);
            }
            let lists = Lists {
                model: &model,
                recommender: &recommender,
                users: &users,
                pool: &Pool::new(self.threads),
            };
            lists.write(out)
        })?;
        if n_lines == 0 {
            manner.note("note: nothing to recommend: the filters leave no item, or everything is rated already");
        }
        if let Some(file) = &self.output {
            manner.note(format_args!(
                "{}: {} for {}",
                file.display(),
                counted(n_lines, "line"),
                counted(users.len() as u64, "user")
            ));
        }
        Ok(())
    }

    /// All of the model, or what one user needs of it; an unknown user needs all, for a hint at near ids.
    fn load(&self) -> Result<Model> {
        if let Some(user) = &self.user {
            let model = self.model.load_for(&[user])?;
            if model.users().ids().index(user).is_some() {
                return Ok(model);
            }
        }
        self.model.load()
    }

    /// The rows of the users asked for; an unknown one stops the command before anything is written.
    fn rows(&self, model: &Model) -> Result<Vec<u32>> {
        let ids = model.users().ids();
        if let Some(user) = &self.user {
            return Ok(vec![model.known_user(user)?]);
        }
        let Some(file) = &self.users else {
            return Ok((0..ids.len() as u32).collect());
        };
        let users = read_ids(file, ids)?;
        let rows = users.iter().map(|user| model.known_user(user));
        rows.collect()
    }

    fn query(&self, model: &Model) -> Result<Query> {
        let ids = model.items().ids();
        let mut query = Query::default().n(self.n);
        if self.include_seen {
            query = query.include_seen();
        }
        for condition in &self.conditions {
            query = query.condition(condition.clone());
        }
        if let Some(file) = &self.allow {
            query = query.allow(read_ids(file, ids)?);
        }
        if let Some(file) = &self.deny {
            query = query.deny(read_ids(file, ids)?);
        }
        Ok(query)
    }
}

/// Writes one user's list and returns the number of lines.
fn one(out: &mut Output<'_>, recommender: &Recommender<'_>, user: u32) -> Result<u64> {
    let mut listing = out.listing(&COLUMNS[1..])?;
    let list = recommender.top_n(user);
    for line in &list {
        row(&mut listing, line)?;
    }
    listing.finish()?;
    Ok(list.len() as u64)
}

/// A row of a list whose user is known.
pub(super) fn row(listing: &mut Listing<'_>, line: &Recommendation) -> Result<()> {
    let value = Line {
        rank: line.rank,
        item: &line.item,
        title: line.title.as_deref(),
        genres: &line.genres,
        score: line.score,
    };
    let cells = [
        Cell::Count(line.rank as u64),
        Cell::Text(&line.item),
        Cell::Text(line.title.as_deref().unwrap_or_default()),
        Cell::List(&line.genres),
        Cell::Score(line.score),
    ];
    listing.row(&value, &cells)
}
