//! `demo`: what does matrix factorization do, seen once from start to end?
//!
//! The notebook that this design comes from, on its own data: 200 ratings of 50 films by 20 people. The model is far too large for them, so it learns them by heart and predicts 15 stars of five
//! for films that nobody rated: that is the notebook's behaviour, and the first lesson. The preset `rating` is the answer to it.

use std::path::PathBuf;

use clap::Args;

use crate::artifact::InitTables;
use crate::cli::output::{Column, Manner, Output, Set, counted};
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
            let model = trainer.model()?;
            show_recommendations(&model, out)?;
            show_ratings(&data, out)?;
            show_offline_check(&model, out)
        })
    }
}

fn show_data(data: &Dataset, out: &mut Output<'_>) -> Result<()> {
    let genres = data
        .items
        .catalog
        .genres()
        .map_or(Vec::new(), |column| column.values.names().iter().collect());
    out.text("Genres\n")?;
    let rows = genres
        .iter()
        .enumerate()
        .map(|(id, genre)| vec![id.to_string(), (*genre).to_owned()]);
    out.text(&listing(&["genre_id", "genre"], rows))?;
    out.text(&format!(
        "\nMovies: the first {HEAD} of {}\n",
        data.n_items()
    ))?;
    let rows = (0..HEAD).map(|n| movie(data, &n.to_string()).into());
    out.text(&listing(&["movie_id", "title", "genre"], rows))?;
    let ratings = &data.interactions;
    out.text(&format!(
        "\nRatings: the first {HEAD} of {}\n",
        ratings.len()
    ))?;
    let rows = (0..HEAD).map(|n| {
        let user = data.users.ids.name(ratings.users[n]);
        let item = data.items.ids.name(ratings.items[n]);
        vec![
            user.to_owned(),
            item.to_owned(),
            ratings.ratings[n].to_string(),
        ]
    });
    out.text(&listing(&["user_id", "movie_id", "rating"], rows))?;
    out.text(&format!(
        "\nUnique ratings: {} of {} (of two by one user for one movie, the last)\n",
        ratings.len(),
        data.report.rows
    ))
}

/// Id, title and genre of a movie.
fn movie(data: &Dataset, id: &str) -> [String; 3] {
    let catalog = &data.items.catalog;
    let row = data.items.ids.index(id);
    let title = row.and_then(|row| catalog.title(row)).unwrap_or_default();
    let genre = row
        .zip(catalog.genres())
        .map(|(row, genres)| genres.of(row).collect::<Vec<_>>().join("|"));
    [id.to_owned(), title.to_owned(), genre.unwrap_or_default()]
}

fn show_shape(trainer: &Trainer<'_, f32>, out: &mut Output<'_>) -> Result<()> {
    let parameters = &trainer.state().parameters;
    let (users, items) = (&parameters.users.identity, &parameters.items.identity);
    out.text("\nModel: score(user, movie) = ⟨p_user, q_movie + g_genre⟩\n")?;
    let tables = [("users", users), ("movies", items)].into_iter();
    let tables = tables.chain(
        parameters
            .items
            .groups
            .iter()
            .map(|group| ("genres", &group.table)),
    );
    let rows = tables.map(|(name, table)| {
        vec![
            name.to_owned(),
            table.n_rows().to_string(),
            table.n_factors().to_string(),
        ]
    });
    out.text(&listing(&["table", "rows", "factors"], rows))?;
    out.text(&format!(
        "{} to learn from {}\n",
        counted(trainer.n_parameters() as u64, "number"),
        counted(trainer.n_ratings() as u64, "rating")
    ))
}

fn train(trainer: &mut Trainer<'_, f32>, out: &mut Output<'_>) -> Result<()> {
    out.text("\nTraining: mean squared error before the epoch's step\n")?;
    let mut rows = Vec::new();
    trainer.run(&mut |event: &Event| {
        if let Event::EpochEnded(epoch) = event
            && (epoch.epoch == 1 || epoch.epoch % EVERY == 0)
        {
            rows.push(vec![epoch.epoch.to_string(), loss(epoch.train_loss)]);
        }
        ControlFlow::Continue(())
    });
    out.text(&listing(&["epoch", "loss"], rows.into_iter()))
}

fn show_recommendations(model: &Model, out: &mut Output<'_>) -> Result<()> {
    out.text("\nFor user 0: the 3 movies with the highest predictions among those not rated\n")?;
    let top = model.recommend(&Query::user("0").n(3).unseen())?;
    if top.is_empty() {
        return out.text("No movies left to recommend\n");
    }
    let highest = top[0].score;
    let rows = top.into_iter().map(|movie| {
        vec![
            movie.rank.to_string(),
            movie.title.unwrap_or_default(),
            movie.genres.join("|"),
            format!("{:.4}", movie.score),
        ]
    });
    out.text(&listing(&["rank", "title", "genre", "prediction"], rows))?;
    let beyond = "Predictions beyond 5: with more numbers than ratings the model learns these by\n\
                  heart and guesses wildly elsewhere. `lowrank train` with its own preset, rating,\n\
                  starts small, has biases and a penalty, and stays on the scale.\n";
    if highest > 5.0 {
        out.text(beyond)
    } else {
        Ok(())
    }
}

fn show_ratings(data: &Dataset, out: &mut Output<'_>) -> Result<()> {
    out.text("\nUser 0's own ratings\n")?;
    let ratings = &data.interactions;
    let user = data.users.ids.index("0");
    let genres = data.items.catalog.genres();
    let rows = (0..ratings.len())
        .filter(|&n| Some(ratings.users[n]) == user)
        .map(|n| {
            let [id, title, genre] = movie(data, data.items.ids.name(ratings.items[n]));
            let genre_id = genres
                .and_then(|column| column.values.index(&genre))
                .map(|id| id.to_string());
            vec![
                id,
                title,
                genre,
                genre_id.unwrap_or_default(),
                ratings.ratings[n].to_string(),
            ]
        });
    out.text(&listing(
        &["movie_id", "title", "genre", "genre_id", "rating"],
        rows,
    ))
}

fn show_offline_check(model: &Model, out: &mut Output<'_>) -> Result<()> {
    let prediction = model.predict_with("1", "0", &[("genre", "8")])?;
    let genre = model
        .items()
        .groups()
        .first()
        .map_or("", |group| group.values().name(8));
    out.text(&format!(
        "\nOffline check: user 1, movie 0 as if its genre were 8 ({genre}): {:.4}\n",
        prediction.value
    ))
}

/// Six decimals, or as many digits as a small loss needs.
fn loss(value: f64) -> String {
    if value >= 1e-4 {
        format!("{value:.6}")
    } else {
        format!("{value:.3e}")
    }
}

/// Rows under their names; the text may be cut, numbers stand on the right.
fn listing(names: &[&'static str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let set = |name: &str| match name {
        "title" => Set::Cut,
        "genre" | "table" => Set::Left,
        _ => Set::Right,
    };
    let columns: Vec<Column> = names
        .iter()
        .map(|&name| Column {
            name,
            set: set(name),
        })
        .collect();
    table::render(&columns, &rows.collect::<Vec<_>>())
}
