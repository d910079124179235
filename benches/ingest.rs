//! How many rows of ratings are read in a second?
//!
//! A million rows as text in memory (plain, with quoted ids, packed with gzip), each to the end: ids numbered, duplicates settled. Reading text is the work of one thread. Then the binary cache of the same
//! ratings, on one thread and on all, and with its names as a data set. The naive twin splits lines, parses numbers and keeps a map of ids. All of them must find the same ratings. Medians of interleaved
//! repeats, in seconds that pass.
//!
//! ```sh
//! cargo bench --bench ingest
//! ```
#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and is no library"
)]

mod common;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;

use common::{Clock, Way, cores, medians, millions};
use flate2::Compression;
use flate2::write::GzEncoder;
use lowrank::data::{CacheSource, Dataset, Interactions, RatingsCache};
use lowrank::kernels::pool::Pool;

const REPEATS: usize = 5;
/// Rows that a thread reads of the cache at once.
const ROWS_PER_TASK: u64 = 1 << 16;

fn main() {
    if common::only_tested() {
        return;
    }
    let ratings = common::ratings(6040, 3706, 1_000_000).interactions;
    let plain = text(&ratings, "");
    let quoted = text(&ratings, "\"");
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(plain.as_bytes()).expect("packed");
    let packed = packer.finish().expect("packed");
    let data = read(plain.as_bytes());
    let path = std::env::temp_dir().join(format!("lowrank-bench-{}.cache", std::process::id()));
    let source = CacheSource {
        path: "/ratings.csv".into(),
        stamp: None,
    };
    RatingsCache::write(&path, &data, &Default::default(), &source).expect("a cache");
    let cache = RatingsCache::open(&path).expect("a cache");

    let (users, items, values) = naive(&plain);
    let found = &data.interactions;
    assert!(
        found.users == users && found.items == items && found.ratings == values,
        "other ratings than the naive reader's"
    );
    for bytes in [quoted.as_bytes(), &packed] {
        assert!(read(bytes).interactions == *found, "other ratings");
    }
    for threads in common::thread_counts() {
        assert!(
            joined(pieces(&cache, &Pool::new(threads))) == *found,
            "other ratings"
        );
    }
    let n = found.len();
    println!(
        "{n} rows, {} users, {} items; {:.1} MB of text, {:.1} packed; {} cores; all ways find the same",
        data.n_users(),
        data.n_items(),
        plain.len() as f64 / 1e6,
        packed.len() as f64 / 1e6,
        cores()
    );
    let mut ways = vec![
        Way::new("naive: split, parse, map", || drop(naive(&plain))),
        Way::new("text", || drop(read(plain.as_bytes()))),
        Way::new("text, quoted", || drop(read(quoted.as_bytes()))),
        Way::new("text, gzip", || drop(read(&packed))),
        Way::new("cache as a data set", || {
            let builder = Dataset::builder().ratings(&path).expect("a cache");
            drop(builder.build());
        }),
    ];
    for threads in common::thread_counts() {
        let (pool, cache) = (Pool::new(threads), &cache);
        let name = format!("cache, ratings, {threads} thread(s)");
        ways.push(Way::new(name, move || drop(pieces(cache, &pool))));
    }
    let seconds = medians(Clock::Wall, REPEATS, &mut ways);
    for (way, &seconds_of) in ways.iter().zip(&seconds) {
        println!(
            "{:<29} {:>8.1} ms  {:>6.1} M rows/s  {:>6.1}× naive",
            way.name,
            seconds_of * 1e3,
            millions(n, seconds_of),
            seconds[0] / seconds_of
        );
    }
    drop(ways);
    let _ = std::fs::remove_file(&path);
}

/// Lines of user, item and rating, with `quote` around the ids.
fn text(ratings: &Interactions, quote: &str) -> String {
    let mut text = String::from("user_id,item_id,rating\n");
    for n in 0..ratings.len() {
        let (user, item) = (ratings.users[n], ratings.items[n]);
        let rating = ratings.ratings[n];
        writeln!(text, "{quote}{user}{quote},{quote}{item}{quote},{rating}").expect("a string");
    }
    text
}

fn read(bytes: &[u8]) -> Dataset {
    let builder = Dataset::builder().ratings_from(bytes, "ratings.csv");
    builder.expect("ratings").build().expect("a data set")
}

/// The whole cache, in pieces that threads share.
fn pieces(cache: &RatingsCache, pool: &Pool) -> Vec<Interactions> {
    let n = cache.n_ratings();
    let starts: Vec<u64> = (0..n).step_by(ROWS_PER_TASK as usize).collect();
    let read = |start: u64| cache.read(start..n.min(start + ROWS_PER_TASK));
    let pieces = pool.map(starts, read).into_iter();
    pieces.map(|piece| piece.expect("ratings")).collect()
}

/// The pieces, one after the other.
fn joined(pieces: Vec<Interactions>) -> Interactions {
    let mut all = Interactions::default();
    for piece in pieces {
        all.users.extend(piece.users);
        all.items.extend(piece.items);
        all.ratings.extend(piece.ratings);
    }
    all
}

/// User, item and rating of every line.
fn naive(text: &str) -> (Vec<u32>, Vec<u32>, Vec<f32>) {
    fn number(ids: &mut HashMap<String, u32>, id: &str) -> u32 {
        let next = ids.len() as u32;
        *ids.entry(id.to_owned()).or_insert(next)
    }
    let (mut users, mut items, mut ratings) = (Vec::new(), Vec::new(), Vec::new());
    let (mut user_ids, mut item_ids) = (HashMap::new(), HashMap::new());
    for line in text.lines().skip(1) {
        let mut fields = line.split(',');
        let mut field = || fields.next().expect("three fields");
        users.push(number(&mut user_ids, field()));
        items.push(number(&mut item_ids, field()));
        ratings.push(field().parse().expect("a number"));
    }
    (users, items, ratings)
}
