//! Is every damage of a model file noticed, without a panic and without an allocation that the file does not warrant?
//!
//! The victims are `fixtures/model-v1.lowrank`, which has one of everything, and its siblings with either posterior. A damaged file is tried as it is, and **resealed**: with all checksums made to
//! fit, so that the damage reaches the checks behind them.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use lowrank::artifact::ModelFile;
use lowrank::random::Stream;
use lowrank::{Error, Kind, Model, Result};

const FIXTURE: &[u8] = include_bytes!("../../fixtures/model-v1.lowrank");
const SAMPLES: &[u8] = include_bytes!("../../fixtures/model-v1-samples.lowrank");
const VARIANCES: &[u8] = include_bytes!("../../fixtures/model-v1-variances.lowrank");
const VICTIMS: [&[u8]; 3] = [FIXTURE, SAMPLES, VARIANCES];

/// What every load may allocate, whatever the file: one chunk for each of a few cursors of 64 KiB, error messages, small tables.
const CONSTANT: usize = 512 * 1024;

/// Counts what each thread of the tests has allocated.
struct Counting;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn count(plus: usize, minus: usize) {
    // A thread that is ending has no cells any more, and nobody asks.
    let _ = NOW.try_with(|now| {
        now.set(now.get().saturating_add(plus).saturating_sub(minus));
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now.get())));
    });
}

// SAFETY: every call is the system allocator's own; counting touches two cells of the thread and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the pointer came from `System`, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What `job` gives, and the most that this thread had allocated beside what it had before.
fn peak_of<T>(job: impl FnOnce() -> T) -> (T, usize) {
    let before = NOW.get();
    PEAK.set(before);
    let outcome = job();
    (outcome, PEAK.get() - before)
}

/// Does to `bytes` what a service and the command line would, within the memory that the file warrants.
fn load(bytes: &[u8]) -> Result<Model> {
    let (outcome, peak) = peak_of(|| {
        let file = ModelFile::new(bytes)?;
        let whole = file.model();
        let _ = file.model_for_users(&["u0", "u2", "nobody"]);
        whole
    });
    // Header and directory are held beside the model, and one section twice while it is looked at.
    assert!(
        peak <= 4 * bytes.len() + CONSTANT,
        "{peak} bytes for a file of {}",
        bytes.len()
    );
    outcome
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let own = bytes.get(at..at.checked_add(8)?)?.try_into().ok()?;
    usize::try_from(u64::from_le_bytes(own)).ok()
}

/// Makes all checksums fit, by the layout that the documentation of `storage::sections` gives; as far as the file still has one.
fn reseal(bytes: &mut [u8]) -> Option<()> {
    let [header, n_sections, n_checksums] = [16, 24, 32].map(|at| number(bytes, at));
    let (header, n_sections) = (header?, n_sections?);
    let table = 80usize.checked_mul(n_sections)?.checked_add(64)?;
    let table_end = table.checked_add(n_checksums?.checked_mul(4)?)?;
    if header > bytes.len() || header < 64 || table_end > header {
        return None;
    }
    let mut checksums = Vec::new();
    for n in 0..n_sections {
        let (offset, length) = (
            number(bytes, 64 + 80 * n + 64)?,
            number(bytes, 64 + 80 * n + 72)?,
        );
        let end = offset.checked_add(length.checked_next_multiple_of(64)?)?;
        // A section that does not lie in the file has no bytes to seal; the header is sealed nevertheless.
        let section = bytes.get(offset..end).unwrap_or_default();
        checksums.extend(
            section
                .chunks(64 * 1024)
                .flat_map(|c| crc32fast::hash(c).to_le_bytes()),
        );
    }
    let n = checksums.len().min(table_end - table);
    bytes[table..table + n].copy_from_slice(&checksums[..n]);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..60]);
    hasher.update(&bytes[64..header]);
    bytes[60..64].copy_from_slice(&hasher.finalize().to_le_bytes());
    Some(())
}

fn header_length(file: &[u8]) -> usize {
    number(file, 16).unwrap()
}

/// The entry of a section in the directory of a file.
fn entry(file: &[u8], name: &str) -> usize {
    (0..number(file, 24).unwrap())
        .map(|n| 64 + 80 * n)
        .find(|&at| file[at..at + 44].split(|&b| b == 0).next() == Some(name.as_bytes()))
        .unwrap()
}

/// Uses a model in every way that reads its arrays by numbers of the file.
fn use_it(model: &Model) {
    for user in 0..model.users().ids().len() as u32 {
        assert!(
            model
                .seen(user)
                .iter()
                .all(|&i| (i as usize) < model.items().ids().len())
        );
        for item in 0..model.items().ids().len() as u32 {
            let prediction = model.predict_rows(Some(user), Some(item));
            assert_eq!(prediction.std.is_some(), model.posterior().is_some());
            assert!(!prediction.std.is_some_and(f32::is_nan));
            let _ = model.baseline().map(|b| b.predict(Some(user), Some(item)));
        }
        let _ = model.users().known(user);
    }
    for item in 0..model.items().ids().len() as u32 {
        let _ = model.items().catalog().title(item);
        for column in &model.items().catalog().columns {
            let _ = column.of(item).count();
        }
        assert!(!model.items().ids().name(item).contains('\u{fffd}'));
    }
}

/// What stands in the fixture, in numbers that were read off it once and never change.
#[test]
fn the_file_of_version_1_says_what_it_always_said() {
    let model = Model::from_bytes(FIXTURE).unwrap();
    assert_eq!((model.n_factors(), model.n_training_ratings()), (3, 9));
    assert_eq!(model.global_mean(), Some(3.25));
    let users: Vec<&str> = model.users().ids().names().iter().collect();
    assert_eq!(users, ["u2", "u1", "u0"]);
    assert_eq!(model.items().catalog().title(2), Some("Título 2"));
    assert_eq!(model.items().catalog().title(1), None);
    let genres = &model.items().groups()[0];
    assert_eq!(
        (genres.name(), genres.values().name(2)),
        ("genres", "Sci-Fi")
    );
    assert_eq!(model.seen(1), [1, 3]);
    let prediction = model.predict("u1", "i3").unwrap();
    assert_eq!(prediction.kind, Kind::Full);
    assert_eq!(prediction.value.to_bits(), GOLDEN_PREDICTION.to_bits());
    ModelFile::new(FIXTURE).unwrap().verify().unwrap();
    assert_eq!(model.to_bytes().unwrap(), FIXTURE);
}
/// 0.5 + 5·σ(μ + b_u + b_i + ⟨P_u, Q_i⟩), which numpy makes of the exported tables too, to seven digits.
const GOLDEN_PREDICTION: f32 = 4.91899;

#[test]
fn a_file_cut_anywhere_is_refused() {
    let mut stream = Stream::new(1, "cuts");
    for victim in VICTIMS {
        let header = header_length(victim);
        let beyond = (victim.len() - header) as u64;
        let cuts = (0..500).map(|_| header + stream.below(beyond) as usize);
        for length in (0..header).chain(cuts) {
            let error = load(&victim[..length]).unwrap_err();
            assert!(matches!(error, Error::Corrupt { .. }), "{length}: {error}");
        }
    }
}

#[test]
fn a_flipped_byte_of_the_header_or_bit_beyond_is_refused() {
    let mut bytes = FIXTURE.to_vec();
    for at in 0..header_length(FIXTURE) {
        bytes[at] ^= 0xff;
        assert!(load(&bytes).is_err(), "byte {at}");
        bytes[at] ^= 0xff;
    }
    let mut stream = Stream::new(2, "flips");
    for _ in 0..2000 {
        let header = header_length(FIXTURE);
        let at = header + stream.below((FIXTURE.len() - header) as u64) as usize;
        let bit = 1 << stream.below(8);
        bytes[at] ^= bit;
        assert!(load(&bytes).is_err(), "byte {at}, {bit:#010b}");
        bytes[at] ^= bit;
    }
}

#[test]
fn verify_notices_every_single_bit() {
    let mut bytes = FIXTURE.to_vec();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            let outcome = ModelFile::new(&bytes[..]).and_then(|file| file.verify());
            assert!(outcome.is_err(), "byte {at}, bit {bit}");
            bytes[at] ^= 1 << bit;
        }
    }
}

/// Lengths, counts and offsets that promise more than there is, under checksums that fit.
#[test]
fn forged_lengths_are_refused_without_an_allocation() {
    let directory = [
        "users.ids.ends",
        "users.factors",
        "seen.items",
        "items.composed",
    ];
    let fields = [48, 56, 64, 72];
    let entries = directory
        .iter()
        .flat_map(|name| fields.map(|field| entry(FIXTURE, name) + field));
    let places: Vec<usize> = [16, 24, 32, 40].into_iter().chain(entries).collect();
    let values = [
        0,
        1,
        63,
        1 << 20,
        1 << 32,
        1 << 40,
        (1 << 62) - 1,
        u64::MAX - 63,
        u64::MAX,
    ];
    let mut n_refused = 0;
    for at in places {
        for value in values {
            let mut bytes = FIXTURE.to_vec();
            bytes[at..at + 8].copy_from_slice(&u64::to_le_bytes(value));
            if bytes == FIXTURE {
                continue;
            }
            let sealed = reseal(&mut bytes);
            let (outcome, peak) = peak_of(|| Model::from_bytes(&bytes).map(drop));
            assert!(
                matches!(outcome, Err(Error::Corrupt { .. })),
                "byte {at}, {value}"
            );
            // Header, directory, message.
            assert!(peak <= 4 * FIXTURE.len(), "byte {at}, {value}: {peak}");
            n_refused += usize::from(sealed.is_some());
        }
    }
    assert!(
        n_refused > 100,
        "only {n_refused} of them had a checksum that fits"
    );
}

/// A header that agrees with itself, and is longer than the file.
#[test]
fn a_forged_header_that_adds_up_is_refused_without_an_allocation() {
    let [n_sections, record] = [24, 40].map(|at| number(FIXTURE, at).unwrap() as u64);
    for n_checksums in [10_000u64, 1 << 24, 1 << 30, 1 << 61] {
        let mut bytes = FIXTURE.to_vec();
        let header = (64 + 80 * n_sections + 4 * n_checksums + record).next_multiple_of(64);
        bytes[16..24].copy_from_slice(&header.to_le_bytes());
        bytes[32..40].copy_from_slice(&n_checksums.to_le_bytes());
        let (outcome, peak) = peak_of(|| Model::from_bytes(&bytes).map(drop));
        assert!(
            matches!(outcome, Err(Error::Corrupt { offset: 16, .. })),
            "{n_checksums}"
        );
        assert!(peak <= FIXTURE.len(), "{n_checksums}: {peak}");
    }
}

/// A number of factors that the tables do not have, in a record under a checksum that fits.
#[test]
fn a_forged_record_is_refused() {
    let [n_sections, n_checksums] = [24, 32].map(|at| number(FIXTURE, at).unwrap());
    let record = 64 + 80 * n_sections + 4 * n_checksums;
    assert_eq!(
        FIXTURE[record..record + 4],
        [3, 0, 0, 0],
        "n_factors stands there"
    );
    for n_factors in [0, 9, 16, 1 << 20, (1 << 20) + 1, u32::MAX] {
        let mut bytes = FIXTURE.to_vec();
        bytes[record..record + 4].copy_from_slice(&n_factors.to_le_bytes());
        reseal(&mut bytes).unwrap();
        assert!(load(&bytes).is_err(), "{n_factors}");
    }
}

/// Numbers of the posterior that the file, or another part of it, does not agree with, under checksums that fit.
#[test]
fn a_forged_posterior_is_refused() {
    for victim in [SAMPLES, VARIANCES] {
        let [n_sections, n_checksums] = [24, 32].map(|at| number(victim, at).unwrap());
        let record = 64 + 80 * n_sections + 4 * n_checksums;
        let length = number(victim, 40).unwrap();
        // Its last bytes: kind, noise, the number of samples.
        let tail = if victim == SAMPLES { 13 } else { 9 };
        let kind = record + length - tail;
        let forged = |at: usize, with: &[u8]| {
            let mut bytes = victim.to_vec();
            assert_ne!(bytes[at..at + with.len()], *with);
            bytes[at..at + with.len()].copy_from_slice(with);
            reseal(&mut bytes).unwrap();
            load(&bytes)
        };
        assert!(load(victim).is_ok());
        for number in [0, 3, 3 - victim[kind]] {
            assert!(forged(kind, &[number]).is_err(), "kind {number}");
        }
        for noise in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(forged(kind + 1, &noise.to_le_bytes()).is_err(), "{noise}");
        }
        if victim == SAMPLES {
            for count in [0, 1, 3, 16, 1 << 20, u32::MAX] {
                assert!(forged(kind + 9, &count.to_le_bytes()).is_err(), "{count}");
            }
        }
        let sections: &[&str] = match victim == SAMPLES {
            true => &["spread.user_prior", "spread.item_prior"],
            false => &[
                "spread.users",
                "spread.items",
                "spread.user_prior",
                "spread.item_prior",
            ],
        };
        for name in sections {
            let offset = number(victim, entry(victim, name) + 64).unwrap();
            let error = forged(offset, &(-0.25f32).to_le_bytes()).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}

/// A place in the header, or, four times of five, in the elements of some section.
fn place(stream: &mut Stream, victim: &[u8], length: usize) -> usize {
    let at = if stream.below(5) == 0 {
        stream.below(header_length(victim) as u64) as usize
    } else {
        let entry = 64 + 80 * stream.below(number(victim, 24).unwrap() as u64) as usize;
        let [offset, length] = [64, 72].map(|field| number(victim, entry + field).unwrap());
        offset + stream.below(length.max(1) as u64) as usize
    };
    at.min(length - 8)
}

/// Damages a file in one to four places, by bits, by telling numbers, by moving bytes about; seldom by a cut.
fn mutate(stream: &mut Stream, victim: &[u8]) -> Vec<u8> {
    let mut bytes = victim.to_vec();
    for _ in 0..1 + stream.below(4) {
        let at = place(stream, victim, bytes.len());
        match stream.below(20) {
            0..7 => bytes[at] ^= 1 << stream.below(8),
            7..12 => bytes[at] = stream.below(256) as u8,
            12..16 => {
                // Ends of ranges as f32, u32 or u64; NaN and ∞ among them.
                let telling = [
                    0,
                    1,
                    u64::MAX,
                    1 << 31,
                    1 << 32,
                    1 << 63,
                    64,
                    0x7fc0_0000,
                    0x7f80_0000,
                ];
                let value = telling[stream.below(telling.len() as u64) as usize];
                let (at, n) = (at / 4 * 4, if stream.below(2) == 0 { 4 } else { 8 });
                bytes[at..at + n].copy_from_slice(&value.to_le_bytes()[..n]);
            }
            16..19 => {
                let from = stream.below(bytes.len() as u64 - 8) as usize;
                bytes.copy_within(from..from + 8, at);
            }
            _ => {
                bytes.truncate(header_length(victim) + stream.below(4096) as usize);
                break;
            }
        }
    }
    bytes
}

fn mutated_inputs(victim: &[u8], n: usize, seed: u64) -> usize {
    let mut stream = Stream::new(seed, "mutations");
    let mut n_loaded = 0;
    for n in 0..n {
        let mut bytes = mutate(&mut stream, victim);
        if n % 4 != 0 {
            let _ = reseal(&mut bytes);
        }
        if let Ok(model) = load(&bytes) {
            // One model has one file: what loads is saved as the same bytes.
            assert!(
                model.to_bytes().unwrap() == bytes,
                "input {n} of seed {seed}"
            );
            use_it(&model);
            let _ = ModelFile::new(&bytes[..]).unwrap().verify();
            n_loaded += 1;
        }
    }
    n_loaded
}

#[test]
fn a_thousand_mutated_inputs_are_refused_or_used_without_a_panic() {
    for victim in VICTIMS {
        let n_loaded = mutated_inputs(victim, 1000, 1);
        assert!(
            n_loaded > 50,
            "only {n_loaded} mutations got past the checksums and the checks"
        );
    }
}

#[test]
#[ignore = "takes some minutes; run it after a change of the format or its reader"]
fn a_hundred_thousand_mutated_inputs_are_refused_or_used_without_a_panic() {
    for victim in VICTIMS {
        mutated_inputs(victim, 100_000, 2);
    }
}
