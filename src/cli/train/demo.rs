//! `demo`: what does matrix factorization do, seen once from start to end?
//!
//! The notebook that this design comes from, on its own data: 200 ratings of 50 films by 20 people. The model is far too large for them, so it learns them by heart and predicts 15 stars of five
//! for films that nobody rated: that is the notebook's behaviour, and the first lesson. The preset `rating` is the answer to it.

use std::path::PathBuf;

use clap::Args;

use crate::artifact::InitTables;
use crate::cli::output::{Manner, Output};
use crate::cli::table;
use crate::data::{Dataset, builtin};
use crate::recommend::Query;
use crate::training::{Config, Event, Trainer};
use crate::{Model, Result};
use std::ops::ControlFlow;

/// Watch a matrix factorization train and recommend, on built-in data
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lowrank demo\n  lowrank demo --seed 7")]
pub struct Demo {
    /// First values from a folder in the layout of `export --to npy`; drawn from the seed otherwise
    #[arg(long, value_name = "DIR")]
    init: Option<PathBuf>,
    /// Every draw follows from it
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
}

/// Losses shown: of the first epoch, and of every 20th.
const EVERY: usize = 20;
/// Rows of a table shown.
const HEAD: usize = 5;

impl Demo {
    /// Runs the command.
    pub fn run(self, manner: Manner) -> Result<()> {
        let data = builtin::notebook()?;
        let config = Config::notebook().seed(self.seed);
        let checked = config.check()?;
        let mut trainer = checked.trainer::<f32>(&data, None)?;
        if let Some(folder) = &self.init {
            manner.note(InitTables::read(folder)?.apply(&mut trainer)?);
        }
        manner.output(None, |out| {
            show_data(&data, out)?;
            show_shape(&trainer, out)?;
            train(&mut trainer, out)?;
            let model = trainer.model();
            show_recommendations(&model, out)?;
            show_ratings(&data, out)?;
            show_offline_check(&model, out)
        })
    }
}

fn show_data(data: &Dataset, out: &mut Output<'_>) -> Result<()> {
    let genres = data.items.catalog.genres().map(|column| column.values.names().iter().collect::<Vec<_>>()).unwrap_or_default();
    out.text("Genres\n")?;
    out.text(&table::plain(&["id", "genre"], &[2], genres.iter().enumerate().map(|(id, genre)| vec![id.to_string(), (*genre).to_owned()])))?;
    out.text(&format!("\nMovies (the first {HEAD} of {})\n", data.n_items()))?;
    out.text(&table::plain(&["movie_id", "title", "genre"], &[1], (0..HEAD).map(|n| movie(data, &n.to_string()))))?;
    let duplicates = &data.report.duplicates;
    out.text(&format!("\nRatings (the first {HEAD} of {}; {} of {} were a second opinion, and the last counts)\n", data.n_ratings(), duplicates.n_dropped, data.report.rows))?;
    let ratings = &data.interactions;
    let rows = (0..HEAD).map(|n| vec![data.users.ids.name(ratings.users[n]).to_owned(), data.items.ids.name(ratings.items[n]).to_owned(), ratings.ratings[n].to_string()]);
    out.text(&table::plain(&["user_id", "movie_id", "rating"], &[1, 1, 1], rows))?;
    out.text(&format!("\nUnique ratings: {}\n", data.n_ratings()))
}

/// Id, title and genre of a movie.
fn movie(data: &Dataset, id: &str) -> Vec<String> {
    let row = data.items.ids.index(id).expect("a movie of the built-in data");
    let catalog = &data.items.catalog;
    let genre = catalog.genres().map(|column| column.of(row).collect::<Vec<_>>().join("|"));
    vec![id.to_owned(), catalog.title(row).unwrap_or_default().to_owned(), genre.unwrap_or_default()]
}
