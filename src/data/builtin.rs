//! Which ratings come with the crate?
//!
//! Those of the notebook that this crate grew from: 20 users, 50 films with a genre each, 200 ratings, 13 of which rate a pair again.

use super::Dataset;
use crate::Result;

/// The films of the notebook: id, title, genre.
pub const MOVIES: &str = include_str!("../../fixtures/notebook/movies.csv");
/// The ratings of the notebook, as they were drawn.
pub const RATINGS: &str = include_str!("../../fixtures/notebook/ratings_raw.csv");

/// The notebook's data: the last of each pair's ratings.
///
/// # Errors
/// None that a released crate can have: the files are part of it.
pub fn notebook() -> Result<Dataset> {
    Dataset::builder()
        .ratings_from(RATINGS.as_bytes(), "ratings_raw.csv")?
        .items_from(MOVIES.as_bytes(), "movies.csv")?
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_duplicates_go_as_in_the_notebook() {
        let data = notebook().unwrap();
        assert_eq!(
            (data.n_users(), data.n_items(), data.n_ratings()),
            (20, 50, 187)
        );
        assert_eq!(
            (data.report.rows, data.report.duplicates.dropped),
            (200, 13)
        );
        // The maker's own list of what is left, in its order.
        let golden = include_str!("../../fixtures/golden/ratings_deduplicated.csv");
        let ours = (0..data.n_ratings()).map(|n| {
            let all = &data.interactions;
            let (user, item) = (
                data.users.ids.name(all.users[n]),
                data.items.ids.name(all.items[n]),
            );
            format!("{user},{item},{}", all.ratings[n])
        });
        let theirs = golden
            .lines()
            .skip(1)
            .map(|line| line.rsplit_once(',').unwrap().0);
        assert_eq!(ours.collect::<Vec<_>>(), theirs.collect::<Vec<_>>());
    }

    #[test]
    fn every_film_has_a_title_and_a_genre() {
        let data = notebook().unwrap();
        let matrix = data.items.ids.index("0").unwrap();
        assert_eq!(data.items.catalog.title(matrix), Some("The Matrix"));
        let genre = data.items.catalog.genres().unwrap();
        assert_eq!(genre.name, "genre");
        assert_eq!((genre.values.len(), genre.multi_valued), (14, false));
        assert!((0..50).all(|item| genre.of(item).len() == 1));
    }
}
