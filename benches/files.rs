//! How fast does a model reach the disk, and come back?
//!
//! A model of 64 factors with as many users and items as MovieLens 1M and a million seen pairs. Files lie in the system's folder for temporary files and are flushed to the disk, as always; reading them finds them in the
//! memory of the system. The naive twin writes and reads the same number of bytes as numbers, one after the other, without names, checksums or a flush. What is loaded must be what was saved.
//!
//! ```sh
//! cargo bench --bench files
//! ```
#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and is no library"
)]

mod common;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use common::{Clock, Way, medians};
use lowrank::artifact::ModelFile;
use lowrank::model::Model;
use lowrank::training::Config;

const REPEATS: usize = 7;

fn main() {
    if common::only_tested() {
        return;
    }
    let data = common::ratings(6040, 3706, 1_000_000);
    let config = Config::rating().n_factors(64).epochs(1);
    let model = config.check().expect("in range").fit(&data, None, &mut ());
    let model = model.expect("a model");
    let bytes = model.to_bytes().expect("finite numbers");
    let folder = Folder::new();
    let (path, plain) = (folder.0.join("model.lowrank"), folder.0.join("numbers"));
    let numbers = common::numbers(bytes.len() / 4, 1);
    model.save(&path).expect("saved");
    write_numbers(&plain, &numbers);
    let loaded = Model::load(&path).expect("loaded");
    assert!(loaded.to_bytes().expect("finite") == bytes, "another model");
    assert!(read_numbers(&plain) == numbers, "other numbers");
    println!(
        "a model of {} users, {} items, 64 factors: {:.1} MB; loaded as it was saved",
        model.users().ids().len(),
        model.items().ids().len(),
        bytes.len() as f64 / 1e6
    );
    let mut ways = [
        Way::new("naive: write number by number", || {
            write_numbers(&plain, &numbers)
        }),
        Way::new("save", || model.save(&path).expect("saved")),
        Way::new("to bytes", || drop(model.to_bytes())),
        Way::new("naive: read number by number", || {
            drop(read_numbers(&plain))
        }),
        Way::new("load", || drop(Model::load(&path))),
        Way::new("from bytes", || drop(Model::from_bytes(&bytes))),
        Way::new("open, one user's part", || {
            let file = ModelFile::open(&path).expect("a file");
            drop(file.model_for_users(&["7"]));
        }),
    ];
    let seconds = medians(Clock::Wall, REPEATS, &mut ways);
    for (n, (way, &seconds_of)) in ways.iter().zip(&seconds).enumerate() {
        let naive = seconds[if n < 3 { 0 } else { 3 }];
        println!(
            "{:<31} {:>8.2} ms  {:>7.0} MB/s  {:>5.1}× naive",
            way.name,
            seconds_of * 1e3,
            bytes.len() as f64 / seconds_of / 1e6,
            naive / seconds_of
        );
    }
}

fn write_numbers(path: &Path, numbers: &[f32]) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    for number in numbers {
        file.write_all(&number.to_le_bytes()).expect("written");
    }
    file.flush().expect("written");
}

fn read_numbers(path: &Path) -> Vec<f32> {
    let mut file = BufReader::new(File::open(path).expect("a file"));
    let (mut numbers, mut bytes) = (Vec::new(), [0; 4]);
    while file.read_exact(&mut bytes).is_ok() {
        numbers.push(f32::from_le_bytes(bytes));
    }
    numbers
}

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("lowrank-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
