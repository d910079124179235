//! What does `train` say, and when?
//!
//! Through the real binary: what is refused before any work, what is remarked, and how numbers are written.

use super::common::{Folder, fail, lowrank};

/// Every user rated every item.
fn ratings(n_users: usize, n_items: usize) -> String {
    let mut text = String::from("user_id,item_id,rating\n");
    for user in 0..n_users {
        for item in 0..n_items {
            text.push_str(&format!("u{user},i{item},{}\n", 1 + (user + item) % 5));
        }
    }
    text
}

/// What `train` remarks on, where it must succeed.
fn remarks(folder: &Folder, ratings: &str, run: &str, more: &[&str]) -> String {
    let ratings = folder.write("ratings.csv", ratings);
    let mut command = lowrank();
    command.arg("train").arg(ratings).arg("-o");
    command
        .arg(folder.path(run))
        .args(["--epochs", "40"])
        .args(more);
    let output = command.output().unwrap();
    let remarks = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{remarks}");
    remarks
}

#[test]
fn a_folder_in_the_way_is_noticed_before_the_ratings_are_read() {
    let folder = Folder::new("in-the-way");
    folder.write("thesis.txt", "do not touch");
    let train = |ratings: &str, run: &str| {
        let mut command = lowrank();
        command.arg("train").arg(folder.path(ratings));
        fail(command.arg("-o").arg(folder.path(run)))
    };
    let (code, message) = train("no-such-file.csv", "");
    assert_eq!(code, 1);
    assert!(message.contains("a folder that is not empty"), "{message}");

    // Bad ratings leave no run directory behind.
    folder.write("bad.csv", "user_id,item_id,rating\n1,2,good\n");
    let (_, message) = train("bad.csv", "run");
    assert!(message.contains("bad.csv: line 2, column 3"), "{message}");
    assert!(!folder.path("run").exists());
}

#[test]
fn numbers_are_grouped_and_one_thing_is_no_plural() {
    let folder = Folder::new("remarks");
    let text = remarks(&folder, &ratings(40, 30), "run", &["--threads", "1"]);
    assert!(
        text.contains("1,200 ratings of 40 users and 30 items\n"),
        "{text}"
    );
    assert!(text.contains("; 1 thread, "), "{text}");
    // Less than a second is left of so little work, and nobody needs to be told.
    assert!(
        text.contains("epoch   40/40  loss") && !text.contains(" left"),
        "{text}"
    );
    let text = remarks(&folder, &ratings(1, 2), "small", &[]);
    assert!(text.contains("2 ratings of 1 user and 2 items\n"), "{text}");
}

#[test]
fn patience_without_held_out_ratings_is_remarked_on() {
    let folder = Folder::new("patience");
    let text = ratings(20, 10);
    let alone = remarks(&folder, &text, "alone", &["--patience", "3"]);
    assert!(alone.contains("--patience does nothing"), "{alone}");
    let held_out = ["--patience", "3", "--valid-fraction", "0.2"];
    let held_out = remarks(&folder, &text, "held-out", &held_out);
    assert!(!held_out.contains("--patience"), "{held_out}");
}

#[test]
fn a_bad_key_is_found_in_its_line() {
    let folder = Folder::new("bad-key");
    let ratings = folder.write("ratings.csv", ratings(3, 3));
    for (config, place, got) in [
        ("factors = 4\nepoch = 3\n", "line 2, column 1", "`epoch`"),
        (
            "factors = 4\n\nepochs = \"x\"\n",
            "line 3, column 10",
            "\"x\"",
        ),
    ] {
        let config = folder.write("run.toml", config);
        let mut command = lowrank();
        command
            .arg("train")
            .arg(&ratings)
            .arg("--config")
            .arg(config);
        let (_, message) = fail(command.arg("-o").arg(folder.path("run")));
        assert!(
            message.contains(place) && message.contains(got),
            "{message}"
        );
        // The other forty keys would hide it.
        assert!(
            message.len() < 250 + folder.path("").as_os_str().len(),
            "{message}"
        );
    }
}
