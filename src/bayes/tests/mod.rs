//! Do the sweeps find what the formulae say?
//!
//! | file | question |
//! |---|---|
//! | `twin` | does a sweep find what goes from the definition, rating by rating? |
//! | `rules` | do statistics, beliefs, threads and kernels keep their rules? |
//! | `models` | does the model say what the chain says, and is it the one that was kept? |

mod models;
mod rules;
mod twin;

use super::chain::Chain;
use super::statistics::{Gather, RatingsOf, Statistics};
use super::tables::{Block, SideTables};
use super::update::{self, Sweep, Take};
use super::{Inference, priors};
use crate::Model;
use crate::data::{Dataset, Interactions, Split};
use crate::kernels::Kernel;
use crate::kernels::pool::Pool;
use crate::linalg::Cholesky;
use crate::random::Stream;
use crate::storage::file_system::folder::TestFolder;
use crate::training::{Columns, Config, Feature, Implicit, Method};

const N_USERS: u32 = 13;
const N_ITEMS: u32 = 9;

/// Ratings with a structure of rank 2, noise, weights, genres, and an item that nobody rated, of a genre that no other has.
fn data() -> Dataset {
    let mut stream = Stream::new(3, "test");
    let mut rows = Vec::new();
    for u in 0..N_USERS - 1 {
        for i in (0..N_ITEMS - 1).filter(|i| (u * 3 + i * 5) % 4 != 0) {
            let taste = if (u % 2 == 0) == (i % 3 == 0) {
                1.0
            } else {
                -1.0
            };
            let rating = 3.0 + taste + 0.3 * f64::from(u % 3) + 0.2 * stream.normal();
            rows.push((format!("u{u}"), format!("i{i}"), rating as f32));
        }
    }
    let folder = TestFolder::new("bayes");
    let items = folder.0.join("items.csv");
    let genres = ["a|b", "b", "a|c", "", "c", "a", "b|c", "d", "a|e"];
    let lines: Vec<String> = (0..N_ITEMS)
        .map(|i| format!("i{i},title {i},{}", genres[i as usize]))
        .collect();
    std::fs::write(
        &items,
        format!("item_id,title,genres\n{}\n", lines.join("\n")),
    )
    .unwrap();
    let mut data = Dataset::builder()
        .rows(rows)
        .unwrap()
        .items(&items)
        .unwrap()
        .build()
        .unwrap();
    let n = data.interactions.len();
    data.interactions.weights = Some((0..n).map(|n| [1.0, 0.5, 2.0][n % 3]).collect());
    data
}

fn config(method: Method, with_groups: bool) -> Config {
    let columns = Columns::Named(if with_groups {
        vec![Feature::category("genres")]
    } else {
        Vec::new()
    });
    let implicit = if with_groups {
        Implicit::Both
    } else {
        Implicit::None
    };
    let config = Config::rating().n_factors(3).seed(5).method(method);
    config.item_features(columns).implicit(implicit).threads(1)
}

fn chain(data: &Dataset, config: &Config, pool: &Pool) -> Chain {
    let trainer = config
        .clone()
        .check()
        .unwrap()
        .trainer::<f32>(data, None)
        .unwrap();
    let counts = trainer.objective();
    let counts = [&counts.users.counts[0][..], &counts.items.counts[0][..]];
    Chain::new(
        data,
        &trainer.state().parameters,
        config.method,
        5,
        counts,
        pool,
    )
}

/// Two orders of a few hundred products of numbers near 1, through equations of a condition below 1e4.
const SAME: f64 = 1e-9;

fn assert_near(got: &[f64], wanted: &[f64], what: &str) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    for (got, wanted) in got.iter().zip(wanted) {
        assert!(
            (got - wanted).abs() <= SAME * wanted.abs().max(1.0),
            "{what}: {got}, wanted {wanted}"
        );
    }
}
