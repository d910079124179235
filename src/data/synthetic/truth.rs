//! What do synthetic users really think of synthetic items?
//!
//! ```text
//! truth(u, i)  = m + b_u + b_i + ⟨p_u, q_i⟩,       m = lo + 0.6·(hi − lo)
//! q_i          = √½·(a row of its own) + √½·(Σ of its genres' rows) / √(how many)
//! ```
//!
//! Entries of rows are N(0, s²) with s⁴·n_factors = (0.2·(hi − lo))², biases N(0, (0.1·(hi − lo))²): taste is worth twice a bias.

use rand_distr::Distribution;
use rand_distr::weighted::WeightedAliasIndex;

use super::{SyntheticConfig, popularity};
use crate::data::{Catalog, Column, Csr, Strings};
use crate::random::Stream;

/// The standard deviation of each bias, as a share of the scale.
const BIAS: f64 = 0.1;
/// The standard deviation of ⟨p, q⟩, likewise.
const TASTE: f64 = 0.2;

/// The table behind the ratings, as its factors.
pub(super) struct Truth {
    n_factors: usize,
    mean: f64,
    user_biases: Vec<f64>,
    item_biases: Vec<f64>,
    user_factors: Vec<f32>,
    item_factors: Vec<f32>,
}

impl Truth {
    pub(super) fn new(config: &SyntheticConfig, genres: &Csr) -> Truth {
        let range = config.high - config.low;
        let n_factors = config.n_factors;
        let normals = |name: &str, n: usize, std: f64| -> Vec<f64> {
            let mut stream = Stream::new(config.seed, name);
            (0..n).map(|_| std * stream.normal()).collect()
        };
        // ⟨p, q⟩ of rows with entries of variance s² has the variance n_factors·s⁴.
        let std = libm::sqrt(TASTE * range / libm::sqrt(n_factors.max(1) as f64));
        let to_f32 = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
        let genre_factors = normals("synthetic.genre_factors", config.n_genres * n_factors, std);
        let mut item_factors = normals("synthetic.item_factors", config.n_items * n_factors, std);
        for (item, row) in item_factors.chunks_exact_mut(n_factors.max(1)).enumerate() {
            let own = genres.row(item);
            if own.is_empty() {
                continue;
            }
            // The sum of n rows over √n has the variance of one.
            let scale = libm::sqrt(0.5 / own.len() as f64);
            for (f, q) in row.iter_mut().enumerate() {
                let sum: f64 = own
                    .iter()
                    .map(|&genre| genre_factors[genre as usize * n_factors + f])
                    .sum();
                *q = libm::sqrt(0.5) * *q + scale * sum;
            }
        }
        Truth {
            n_factors,
            mean: config.low + 0.6 * range,
            user_biases: normals("synthetic.user_biases", config.n_users, BIAS * range),
            item_biases: normals("synthetic.item_biases", config.n_items, BIAS * range),
            user_factors: to_f32(normals(
                "synthetic.user_factors",
                config.n_users * n_factors,
                std,
            )),
            item_factors: to_f32(item_factors),
        }
    }

    pub(super) fn score(&self, user: usize, item: usize) -> f64 {
        let p = &self.user_factors[user * self.n_factors..(user + 1) * self.n_factors];
        let q = &self.item_factors[item * self.n_factors..(item + 1) * self.n_factors];
        let taste: f64 = p
            .iter()
            .zip(q)
            .map(|(p, q)| f64::from(*p) * f64::from(*q))
            .sum();
        self.mean + self.user_biases[user] + self.item_biases[item] + taste
    }
}

/// One to three genres for each item, some genres more often than others.
pub(super) fn genres_of_items(config: &SyntheticConfig) -> Csr {
    let n_genres = config.n_genres;
    let mut stream = Stream::new(config.seed, "synthetic.genres");
    if n_genres == 0 {
        return Csr::from_rows((0..config.n_items).map(|_| []));
    }
    let weights = popularity(n_genres, 1.0, &mut stream);
    let by_weight =
        WeightedAliasIndex::new(weights).expect("positive weights of a count that was checked");
    let rows = (0..config.n_items).map(|_| {
        let count = 1 + stream.below(3);
        let mut row: Vec<u32> = Vec::new();
        // A genre drawn again is one genre less.
        for _ in 0..count {
            let genre = by_weight.sample(stream.generator()) as u32;
            if !row.contains(&genre) {
                row.push(genre);
            }
        }
        row
    });
    Csr::from_rows(rows)
}

/// Titles and genres.
pub(super) fn catalog(config: &SyntheticConfig, rows: Csr) -> Catalog {
    const FIRST: [&str; 16] = [
        "Silent", "Last", "Hidden", "Golden", "Broken", "Distant", "Burning", "Quiet", "Lost",
        "Crimson", "Endless", "Winter", "Secret", "Hollow", "Bright", "Sleeping",
    ];
    const SECOND: [&str; 16] = [
        "River", "Garden", "Harbor", "Mirror", "Mountain", "Letter", "Station", "Orchard",
        "Island", "Voyage", "Lantern", "Bridge", "Forest", "Winner", "Witness", "Clock",
    ];
    const GENRES: [&str; 18] = [
        "Action",
        "Adventure",
        "Animation",
        "Children",
        "Comedy",
        "Crime",
        "Documentary",
        "Drama",
        "Fantasy",
        "Noir",
        "Horror",
        "Musical",
        "Mystery",
        "Romance",
        "Sci-Fi",
        "Thriller",
        "War",
        "Western",
    ];
    let title = |item: usize| {
        let (first, second) = (FIRST[item % 16], SECOND[(item / 16) % 16]);
        match item / 256 {
            0 => format!("The {first} {second}"),
            part => format!("The {first} {second} {}", part + 1),
        }
    };
    let genre = |n: usize| {
        GENRES
            .get(n)
            .map_or_else(|| format!("Genre {}", n + 1), |name| (*name).to_owned())
    };
    let columns = if config.n_genres == 0 {
        Vec::new()
    } else {
        vec![Column {
            name: "genres".into(),
            values: (0..config.n_genres).map(genre).collect(),
            multi_valued: (0..rows.n_rows()).any(|item| rows.row(item).len() > 1),
            rows,
        }]
    };
    Catalog {
        titles: Some((0..config.n_items).map(title).collect::<Strings>()),
        columns,
    }
}
