//! Which items should these users see?

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use serde::Serialize;

use super::history::History;
use super::lists::Lists;
use super::meaning;
use super::stdin::Wishes;
use crate::cli::fresh::FreshItems;
use crate::cli::given::{ModelArgument, not_an_input, read_ids};
use crate::cli::output::{Cell, Column, Listing, Manner, Output, Set, counted};
use crate::kernels::pool::Pool;
use crate::recommend::Condition;
use crate::{Error, Model, Recommendation, Result};

/// List the items that a user would like best, best first
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("who").required(true).args(["user", "users", "all", "history", "stdin"]),
    after_help = "Examples:\n  \
    lowrank recommend run --user 196\n  \
    lowrank recommend run --user 196 -n 5 --where genres=Horror --where year!=1995\n  \
    lowrank recommend run --user 196 --where '(genre=Horror | genre=Crime) & year in 1990..1999'\n  \
    lowrank recommend run --user 196 --max-per genres=2 --popularity-penalty 0.1\n  \
    lowrank recommend run --history 50:5,172:4,288:1\n  \
    lowrank recommend run --all --format csv -o everyone.csv\n  \
    lowrank recommend run --user 196 --items movies.csv    # new items too, by their features\n  \
    echo '{\"user\": \"196\", \"n\": 5}' | lowrank recommend run --stdin\n\n\
    Items that the user rated in training are left out, unless --include-seen is given.\n\
    The score is the prediction that `lowrank predict` prints for the same pair.\n\n\
    A condition is COLUMN=VALUE, or with != < <= > >=, or COLUMN in VALUE,VALUE, or COLUMN in 1990..1999; conditions are joined by & (and), | (or), ! (not) and \
    brackets. Put it in quotes for the shell, and a value that has one of these signs in double quotes within.\n\
    A history is that of a user whom training never saw: the user's embedding is found from it as training would have found it, with the items as they are; \
    of cosines it is the mean of the items' embeddings.\n\n\
    With --stdin each line of standard input is a JSON object with a user, or with a history, {\"50\": 5} or [[\"50\", 5]]; n, unseen (true or false), where, max_per, \
    popularity_penalty, allow and deny (lists of ids) take the place of the flags; an id of any kind comes back in the answer, {\"user\", \"items\": [{\"rank\", \"item\", \
    \"title\", \"genres\", \"score\"}]} or {\"error\", \"line\"}, written at once. The end of the input ends it. --all writes the lists of any number of users with -o."
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
    /// What a user whom training never saw has rated; of a model that does not predict ratings, only the items
    #[arg(long, value_name = "ITEM:RATING,…")]
    history: Option<History>,
    /// Answer questions from standard input, a JSON object a line, until it ends
    #[arg(long, conflicts_with = "output")]
    stdin: bool,
    /// At most this many items a user
    #[arg(short, default_value_t = 10, value_name = "N", value_parser = at_least_one)]
    n: usize,
    /// Only items that meet a condition on their columns; several conditions must all hold
    #[arg(long = "where", value_name = "CONDITION", value_parser = condition)]
    conditions: Vec<Condition>,
    /// At most K items of each value of a column, as in genres=2
    #[arg(long, value_name = "COLUMN=K", value_parser = max_per)]
    max_per: Vec<(String, usize)>,
    /// Order by score - X * ln(1 + ratings of the item), so that what few have rated comes up; the score shown stays
    #[arg(
        long,
        default_value_t = 0.0,
        hide_default_value = true,
        value_name = "X"
    )]
    popularity_penalty: f64,
    /// Only the items of this file, an id a line; one that the model has not is counted
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
    /// None of the items of this file, an id a line
    #[arg(long, value_name = "FILE")]
    deny: Option<PathBuf>,
    #[command(flatten)]
    fresh: FreshItems,
    /// Newer features of users, and further users, who can be asked for then
    #[arg(long, value_name = "FILE")]
    user_table: Option<PathBuf>,
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

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|&n| n > 0);
    n.ok_or_else(|| "wanted a whole number, 1 or more".into())
}

pub(super) fn condition(text: &str) -> Result<Condition, String> {
    text.parse().map_err(|error: Error| error.to_string())
}

fn max_per(text: &str) -> Result<(String, usize), String> {
    let wanted = "wanted COLUMN=K with K 1 or more, as in genres=2";
    let (column, k) = text.rsplit_once('=').ok_or(wanted)?;
    let k = k.trim().parse().ok().filter(|&k| k > 0).ok_or(wanted)?;
    Ok((column.trim().into(), k))
}

/// One line of a list, as JSON shows it.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    rank: usize,
    item: &'a str,
    title: Option<&'a str>,
    genres: &'a [String],
    score: f32,
}

impl<'a> From<&'a Recommendation> for Line<'a> {
    fn from(line: &'a Recommendation) -> Line<'a> {
        Line {
            rank: line.rank,
            item: &line.item,
            title: line.title.as_deref(),
            genres: &line.genres,
            score: line.score,
        }
    }
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
        let lists = [&self.users, &self.allow, &self.deny];
        let read = lists.into_iter().flatten();
        let read = read.chain(self.fresh.files(&self.user_table));
        let file = self.model.file()?;
        not_an_input(
            self.output.as_deref(),
            read.chain([&file]).map(PathBuf::as_path),
        )?;
        let table = self.user_table.as_deref();
        let model = self.fresh.apply(self.load()?, table, manner)?;
        let wishes = self.wishes(&model)?;
        let recommender = model.recommender(&wishes.query())?;
        for (flag, n) in [
            ("--allow", recommender.n_unknown_allowed()),
            ("--deny", recommender.n_unknown_denied()),
        ] {
            if n > 0 {
                let ids = counted(n as u64, "id");
                manner.note(format_args!("note: {ids} of {flag} not in the model"));
            }
        }
        if self.stdin {
            return wishes.lines(&model, &recommender, manner);
        }
        let users = self.rows(&model)?;
        let newcomer = self
            .history
            .as_ref()
            .map(|history| model.fold_in(history.of(&model)?));
        let newcomer = newcomer.transpose()?;
        if let Some(n) = newcomer
            .as_ref()
            .map(|user| user.n_unknown())
            .filter(|&n| n > 0)
        {
            let ids = counted(n as u64, "item");
            manner.note(format_args!("note: {ids} of the history not in the model"));
        }
        let n_lines = manner.output(self.output.as_deref(), |out| {
            if let Some(user) = &newcomer {
                return one(out, &recommender.top_n_of(user));
            }
            if self.user.is_some() {
                return one(out, &recommender.top_n(users[0]));
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
        let n_users = users.len().max(usize::from(newcomer.is_some()));
        if let Some(file) = &self.output {
            manner.note(format_args!(
                "{}: {} for {}",
                file.display(),
                counted(n_lines, "line"),
                counted(n_users as u64, "user")
            ));
        }
        manner.note(self.meaning(&model));
        Ok(())
    }

    /// What the scores mean, and what orders them where they do not.
    fn meaning(&self, model: &Model) -> String {
        let mut line = meaning::line("score", model);
        if self.popularity_penalty > 0.0 {
            let x = self.popularity_penalty;
            line += &format!("; ordered by score - {x} * ln(1 + ratings of the item)");
        }
        line
    }

    /// All of the model, or what one user needs of it; an unknown user needs all, for a hint at near ids.
    fn load(&self) -> Result<Model> {
        if self.user_table.is_some() {
            return self.model.load();
        }
        if self.history.is_some() {
            return self.model.load_for(&[]);
        }
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
        if self.history.is_some() {
            return Ok(Vec::new());
        }
        let Some(file) = &self.users else {
            return Ok((0..ids.len() as u32).collect());
        };
        let users = read_ids(file, ids)?;
        let rows = users.iter().map(|user| model.known_user(user));
        rows.collect()
    }

    /// What the flags ask of every list.
    fn wishes(&self, model: &Model) -> Result<Wishes> {
        let read = |file: &PathBuf| read_ids(file, model.items().ids());
        Ok(Wishes {
            n: self.n,
            include_seen: self.include_seen,
            conditions: self.conditions.clone(),
            max_per: self.max_per.clone(),
            popularity_penalty: self.popularity_penalty,
            allow: self.allow.as_ref().map(read).transpose()?,
            deny: self.deny.as_ref().map_or_else(|| Ok(Vec::new()), read)?,
        })
    }
}

/// Writes one user's list and returns the number of lines.
fn one(out: &mut Output<'_>, list: &[Recommendation]) -> Result<u64> {
    let mut listing = out.listing(&COLUMNS[1..])?;
    for line in list {
        row(&mut listing, line)?;
    }
    listing.finish()?;
    Ok(list.len() as u64)
}

/// A row of a list whose user is known.
pub(super) fn row(listing: &mut Listing<'_>, line: &Recommendation) -> Result<()> {
    let cells = [
        Cell::Count(line.rank as u64),
        Cell::Text(&line.item),
        Cell::Text(line.title.as_deref().unwrap_or_default()),
        Cell::List(&line.genres),
        Cell::Score(line.score),
    ];
    listing.row(&Line::from(line), &cells)
}
