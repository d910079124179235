use std::cell::RefCell;

use super::*;
use crate::data::reader::{ColumnSpec, ReadOptions, Separator};
use crate::data::{Dataset, Dedupe};
use crate::storage::Sections;
use crate::storage::file_system::folder::TestFolder;

/// Rows of a text with everything in it: weights, times, duplicates, a column that is not used.
fn text(n_rows: usize) -> String {
    let mut text = String::from("who,user_id,item_id,rating,timestamp,c\n");
    for n in 0..n_rows {
        // Each fifth row has the pair of the one before it.
        let m = n - usize::from(n % 5 == 4);
        let (user, item) = (m * 7 % 611, m * m % 37 + m / 100);
        let (rating, time, weight) = (n % 9, 1000 - n as i64, n % 3);
        text.push_str(&format!("x,u{user},ü{item},{rating},{time},{weight}\n"));
    }
    text
}

fn options() -> ReadOptions {
    ReadOptions {
        weight: Some("c".into()),
        ..ReadOptions::default()
    }
}

fn data(text: &str, options: &ReadOptions, policy: Dedupe) -> Dataset {
    let builder = Dataset::builder().options(options.clone()).dedupe(policy);
    let read = builder.ratings_from(text.as_bytes(), "r.csv");
    read.and_then(|builder| builder.build()).unwrap()
}

fn source() -> CacheSource {
    CacheSource {
        path: "/far/r.csv".into(),
        stamp: Some(Stamp {
            bytes: 5,
            modified: 7,
            sha256: [9; 32],
        }),
    }
}

fn bytes(data: &Dataset) -> Vec<u8> {
    write::sections(data, &options(), &source())
        .unwrap()
        .to_bytes()
}

fn small() -> (Dataset, Vec<u8>) {
    let data = data(&text(40), &options(), Dedupe::Mean);
    let bytes = bytes(&data);
    (data, bytes)
}

#[test]
fn what_was_written_is_read_back_whole_and_in_pieces() {
    let columns: ColumnSpec = "_,user,item,rating".parse().unwrap();
    let without = ReadOptions {
        columns: Some(columns),
        ..ReadOptions::default()
    };
    for options in [options(), without] {
        for policy in [Dedupe::Last, Dedupe::Sum] {
            let data = data(&text(60_000), &options, policy);
            assert!(data.n_ratings() > 20_000, "several chunks of 16,384");
            let sections = write::sections(&data, &options, &source()).unwrap();
            let bytes = sections.to_bytes();
            let cache = RatingsCache::new(&bytes[..]).unwrap();
            assert_eq!(cache.n_ratings(), data.n_ratings() as u64);
            assert_eq!(cache.users(), &data.users.ids);
            assert_eq!(cache.items(), &data.items.ids);
            assert_eq!(cache.duplicates(), data.report.duplicates);
            assert!(cache.duplicates().dropped > 0);
            assert_eq!(cache.source(), &source());
            let report = FileReport {
                path: source().path,
                ..data.report.ratings[0].clone()
            };
            assert_eq!(cache.report(), &report);
            assert_eq!(cache.has_weights(), options.weight.is_some());
            assert_eq!(cache.has_timestamps(), options.columns.is_none());
            assert_eq!(cache.all().unwrap(), data.interactions);
            let n = data.n_ratings();
            for rows in [7, 8192, 16_384, 20_000, n, n + 1, usize::MAX] {
                let mut from = 0;
                for piece in cache.chunks(rows) {
                    let piece = piece.unwrap();
                    let positions: Vec<usize> = (from..from + piece.len()).collect();
                    assert_eq!(piece, data.interactions.select(&positions), "{rows}");
                    assert!(piece.len() == rows.min(n - from));
                    from += piece.len();
                }
                assert_eq!(from, n);
            }
        }
    }
}

#[test]
fn several_threads_may_read_at_once() {
    let (data, bytes) = small();
    let cache = RatingsCache::new(&bytes[..]).unwrap();
    let outcomes = crate::kernels::pool::Pool::new(2).map(vec![0..9, 9..32], |r| cache.read(r));
    let n: usize = outcomes.into_iter().map(|piece| piece.unwrap().len()).sum();
    assert_eq!(n, data.n_ratings());
    fn shared<T: Send + Sync>() {}
    shared::<RatingsCache>();
}

#[test]
fn rows_that_are_not_there_are_refused() {
    let (_, bytes) = small();
    let cache = RatingsCache::new(&bytes[..]).unwrap();
    let n = cache.n_ratings();
    assert!(cache.read(n..n).unwrap().is_empty());
    assert!(cache.read(0..0).unwrap().is_empty());
    #[allow(clippy::reversed_empty_ranges, reason = "it is what is refused")]
    for rows in [0..n + 1, n..n + 1, 2..1, u64::MAX - 1..u64::MAX] {
        let error = cache.read(rows).unwrap_err();
        assert!(matches!(error, Error::Config { .. }), "{error}");
    }
    assert_eq!(cache.chunks(0).count() as u64, n);
}

#[test]
fn a_cache_that_is_cut_or_flipped_anywhere_is_refused() {
    let (data, mut bytes) = small();
    let read = |bytes: &[u8]| RatingsCache::new(bytes)?.all();
    assert_eq!(read(&bytes).unwrap(), data.interactions);
    for length in 0..bytes.len() {
        let error = read(&bytes[..length]).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{length}: {error}");
    }
    for at in 0..bytes.len() {
        for bit in [1, 0x10, 0x80] {
            bytes[at] ^= bit;
            let error = read(&bytes).unwrap_err();
            assert!(matches!(error, Error::Corrupt { .. }), "{at}: {error}");
            bytes[at] ^= bit;
        }
    }
    bytes.push(0);
    assert!(read(&bytes).is_err(), "a byte more");
}

/// Bytes in memory that remember what was read of them.
struct Watched<'b> {
    bytes: &'b [u8],
    read: RefCell<Vec<(u64, u64)>>,
}

impl Source for &Watched<'_> {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let mut read = self.read.borrow_mut();
        read.push((offset, buffer.len() as u64));
        self.bytes.read_at(offset, buffer)
    }
}

#[test]
fn a_piece_reads_and_checks_the_chunks_that_it_touches_and_no_others() {
    let data = data(&text(90_000), &options(), Dedupe::Last);
    let mut bytes = bytes(&data);
    let at = RatingsCache::new(&bytes[..]).unwrap().at.ratings.clone();
    let damaged = at.offset_of(16_384 + 5);
    bytes[damaged as usize] ^= 1;
    let watched = Watched {
        bytes: &bytes,
        read: RefCell::default(),
    };
    let cache = RatingsCache::new(&watched).unwrap();
    let columns = cache.at.users.offset;
    let opening = watched.read.take();
    assert!(opening.iter().all(|(at, n)| at + n <= columns), "no column");

    assert_eq!(cache.read(100..200).unwrap().len(), 100);
    let read = watched.read.take();
    assert_eq!(read.len(), 5, "one chunk a column: {read:?}");
    assert!(read.iter().all(|&(_, n)| n <= CHUNK));
    cache.read(0..16_384).unwrap();
    let error = cache.read(16_000..16_400).unwrap_err().to_string();
    assert!(error.contains("of ratings with checksum"), "{error}");
    assert!(cache.all().is_err());
    let outcomes: Vec<bool> = cache.chunks(16_384).map(|piece| piece.is_ok()).collect();
    assert_eq!(outcomes, [true, false, true, true, true]);
}

/// What a forger wrote, with checksums that are right, and what the error says.
#[test]
fn arrays_that_are_no_ratings_are_refused_by_name() {
    let forged = |change: &dyn Fn(&mut Dataset)| {
        let (mut data, _) = small();
        change(&mut data);
        bytes(&data)
    };
    let names = |names: &[&str]| -> Ids { names.iter().collect() };
    let cases: [(&str, Vec<u8>); 11] = [
        ("users", forged(&|d| d.interactions.users[3] = 61)),
        ("items", forged(&|d| d.interactions.items[3] = u32::MAX)),
        (
            "ratings",
            forged(&|d| d.interactions.ratings[31] = f32::NAN),
        ),
        (
            "weights",
            forged(&|d| d.interactions.weights.as_mut().unwrap()[1] = -1.0),
        ),
        (
            "weights",
            forged(&|d| d.interactions.weights.as_mut().unwrap()[1] = f32::INFINITY),
        ),
        ("items", forged(&|d| _ = d.interactions.items.pop())),
        ("timestamps", forged(&|d| d.interactions.timestamps = None)),
        ("rows without", forged(&|d| d.report.rows += 1)),
        (
            "rows without",
            forged(&|d| d.report.duplicates.dropped = 1 << 40),
        ),
        (
            "users.ids.sorted",
            forged(&|d| {
                std::sync::Arc::make_mut(&mut d.users).ids = names(&["", "a"]);
            }),
        ),
        (
            "roles",
            forged(&|d| d.report.ratings[0].roles.push(("user", "again".into()))),
        ),
    ];
    for (word, bytes) in cases {
        let error = RatingsCache::new(&bytes[..])
            .and_then(|cache| cache.all())
            .unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{word}: {error}");
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
}

#[test]
fn sections_of_another_kind_are_refused() {
    let (_, own) = small();
    let open = |bytes: &[u8]| RatingsCache::new(bytes).unwrap_err().to_string();
    let file = Container::open(&own[..], CONTENT).unwrap();
    let record = || file.record().to_vec();
    let mut other = Sections::new(*b"modl", record()).unwrap();
    assert!(open(&other.to_bytes()).contains("content \"modl\""));
    other = Sections::new(CONTENT, record()).unwrap();
    assert!(open(&other.to_bytes()).contains("no more sections"));
    other.add("source", 1, &[1u32][..]);
    assert!(open(&other.to_bytes()).contains("source of 1 u32"));
    let mut newer = record();
    newer[0] = 2;
    let newer = Sections::new(CONTENT, newer).unwrap().to_bytes();
    assert!(open(&newer).contains("a cache of version 2"));

    let (data, _) = small();
    let mut longer = write::sections(&data, &options(), &source()).unwrap();
    longer.add("more", 1, &[1u8][..]);
    assert!(open(&longer.to_bytes()).contains("a section more"));
}

#[test]
fn a_cache_is_made_of_one_text_and_stands_alone() {
    let folder = TestFolder::new("cache-alone");
    let path = folder.0.join("c");
    let data = data(&text(40), &options(), Dedupe::Mean);
    let written = RatingsCache::write(&path, &data, &options(), &source()).unwrap();
    assert_eq!(written, std::fs::metadata(&path).unwrap().len());
    let read = |builder: crate::data::DatasetBuilder| builder.ratings(&path)?.build();
    let again = read(Dataset::builder()).unwrap();
    assert_eq!(again.interactions, data.interactions);
    assert_eq!((&again.users, &again.items), (&data.users, &data.items));
    assert_eq!(again.report.cache.as_ref(), Some(&path));
    assert_eq!(again.report.duplicates, data.report.duplicates);
    assert_eq!(again.report.rows, 40);

    let rows = [("a", "b", 1.0)];
    let beside = |outcome: Result<_>| outcome.unwrap_err().to_string();
    let before = Dataset::builder().rows(rows).unwrap().ratings(&path);
    assert!(beside(before.map(drop)).contains("beside other ratings"));
    let cached = || Dataset::builder().ratings(&path).unwrap();
    assert!(beside(cached().rows(rows).map(drop)).contains("beside those of a cache"));
    assert!(beside(cached().ratings(&path).map(drop)).contains("beside those of a cache"));
    let error = RatingsCache::write(&path, &again, &options(), &source()).unwrap_err();
    assert!(error.to_string().contains("got a cache"), "{error}");
    let rows = Dataset::builder().rows(rows).unwrap().build().unwrap();
    assert!(RatingsCache::write(&path, &rows, &options(), &source()).is_err());

    for (limits, word) in [((9, 99), "users"), ((99, 9), "ratings")] {
        let limits = Limits {
            max_ids: limits.0,
            max_rows: limits.1,
        };
        let error = read(Dataset::builder().limits(limits)).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(read(Dataset::builder().dedupe(Dedupe::Mean)).is_ok());
    let error = read(Dataset::builder().dedupe(Dedupe::Last)).unwrap_err();
    assert!(
        error.to_string().contains("made with --dedupe mean"),
        "{error}"
    );
    assert!(read(Dataset::builder().weight_column("c")).is_ok());
    let error = read(Dataset::builder().weight_column("d")).unwrap_err();
    let command = "lowrank data convert /far/r.csv --weight d --dedupe mean -o ";
    assert!(error.to_string().contains(command), "{error}");
    assert!(read(Dataset::builder().separator(Separator::COMMA)).is_ok());
    let error = read(Dataset::builder().separator(Separator::TAB)).unwrap_err();
    assert!(error.to_string().contains("sep: got tab"), "{error}");
}
