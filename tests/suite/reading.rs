//! Does the reader take what is odd but right, and say what is wrong with the rest?
//!
//! Two tables: inputs with what comes out of them, and inputs with the place and the words of the error.
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use lowrank::data::reader::{ColumnSpec, Limits, ReadOptions, Separator, read_pairs, read_test};
use lowrank::data::{Dataset, Dedupe, Split};
use lowrank::{Error, Result};
use proptest::prelude::*;

/// A rating as the file says it: user, item, rating, time, weight.
type Row = (&'static str, &'static str, f32, Option<i64>, Option<f32>);

fn row(user: &'static str, item: &'static str, rating: f32) -> Row {
    (user, item, rating, None, None)
}

fn timed(user: &'static str, item: &'static str, rating: f32, time: i64) -> Row {
    (user, item, rating, Some(time), None)
}

/// A rating of a data set, by name.
type Named = (String, String, f32, Option<i64>, Option<f32>);

/// The ratings of a data set.
fn rows(data: &Dataset) -> Vec<Named> {
    let all = &data.interactions;
    let row = |n: usize| {
        (
            data.users.ids.name(all.users[n]).to_owned(),
            data.items.ids.name(all.items[n]).to_owned(),
            all.ratings[n],
            all.timestamps.as_ref().map(|t| t[n]),
            all.weights.as_ref().map(|w| w[n]),
        )
    };
    (0..all.len()).map(row).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Options as flags say them: `--columns`, `--sep`, `--weight`; empty for none.
fn options(columns: &str, separator: &str, weight: &str) -> ReadOptions {
    ReadOptions {
        columns: (!columns.is_empty()).then(|| columns.parse().unwrap()),
        separator: (!separator.is_empty()).then(|| separator.parse().unwrap()),
        weight: (!weight.is_empty()).then(|| weight.to_owned()),
        limits: Limits::default(),
        threads: 0,
    }
}

fn read(bytes: &[u8], options: ReadOptions) -> Result<Dataset> {
    Dataset::builder()
        .options(options)
        .ratings_from(bytes, "r.csv")?
        .build()
}

/// What, the bytes, columns and separator and weight, and the rows that come out.
type Odd = (&'static str, Vec<u8>, [&'static str; 3], Vec<Row>);

#[rustfmt::skip]
fn odd_ratings() -> Vec<Odd> {
    let one = vec![row("u", "i", 3.0)];
    let two = vec![row("u", "i", 3.0), row("v", "j", 4.5)];
    let quoted = vec![row("a,b", "say \"hi\"", 3.0), row("two\nlines", " ", 1.0)];
    vec![
        ("a header", b"user_id,item_id,rating\nu,i,3\nv,j,4.5\n".into(), ["", "", ""], two.clone()),
        ("no header", b"u,i,3\nv,j,4.5\n".into(), ["", "", ""], two.clone()),
        ("tabs", b"u\ti\t3\nv\tj\t4.5\n".into(), ["", "", ""], two.clone()),
        ("semicolons", b"u;i;3\nv;j;4.5\n".into(), ["", "", ""], two.clone()),
        ("double colons", b"u::i::3::9\n".into(), ["", "", ""], vec![timed("u", "i", 3.0, 9)]),
        ("a bar", b"u|i|3\nv|j|4.5\n".into(), ["", "|", ""], two.clone()),
        ("a space", b"u i 3\nv j 4.5\n".into(), ["", "space", ""], two.clone()),
        ("CR LF", b"user,item,rating\r\nu,i,3\r\nv,j,4.5\r\n".into(), ["", "", ""], two.clone()),
        ("CR LF without the last", b"u,i,3\r\nv,j,4.5\r".into(), ["", "", ""], two.clone()),
        ("no final newline", b"u,i,3\nv,j,4.5".into(), ["", "", ""], two.clone()),
        ("a byte-order mark", b"\xEF\xBB\xBFuser,item,rating\nu,i,3\n".into(), ["", "", ""], one.clone()),
        ("a byte-order mark before data", b"\xEF\xBB\xBFu,i,3\n".into(), ["", "", ""], one.clone()),
        ("blank lines", b"\n\r\nu,i,3\n   \n\nv,j,4.5\n\n\n".into(), ["", "", ""], two.clone()),
        ("one rating", b"u,i,3".into(), ["", "", ""], one.clone()),
        ("one user", b"u,i,3\nu,j,4\n".into(), ["", "", ""], vec![row("u", "i", 3.0), row("u", "j", 4.0)]),
        ("leading zeros", b"007,0002844,9\n7,2844,1\n".into(), ["", "", ""], vec![row("007", "0002844", 9.0), row("7", "2844", 1.0)]),
        ("spaces in and around ids", b"Ann Lee, The Rink ,5\n".into(), ["", "", ""], vec![row("Ann Lee", " The Rink ", 5.0)]),
        ("any script", "Zoë,映画,5\nأحمد,Ёлки,4\n🦀,x,1\n".into(), ["", "", ""], vec![row("Zoë", "映画", 5.0), row("أحمد", "Ёлки", 4.0), row("🦀", "x", 1.0)]),
        ("quotes", b"user,item,rating\n\"a,b\",\"say \"\"hi\"\"\",3\n\"two\nlines\",\" \",\"1\"\r\n".into(), ["", "", ""], quoted),
        ("a quote that opens nothing", b"u,5\" disc,3\n".into(), ["", "", ""], vec![row("u", "5\" disc", 3.0)]),
        ("no quotes with ::", b"\"u::i\"::3\nv::j::4\n".into(), ["", "", ""], vec![row("\"u", "i\"", 3.0), row("v", "j", 4.0)]),
        ("single colons with ::", b"u:1::i:x::3\nv::j::4\n".into(), ["", "", ""], vec![row("u:1", "i:x", 3.0), row("v", "j", 4.0)]),
        ("other columns, any order", b"title,Rating,movieId,when,User ID,timestamp\nHeat,3,i,now,u,5\n".into(), ["", "", ""], vec![timed("u", "i", 3.0, 5)]),
        ("columns by name", b"who,what,points\nu,i,3\n".into(), ["user=who,item=what,rating=points", "", ""], one.clone()),
        ("columns by position", b"3,x,i,u\n".into(), ["user=4,item=3,rating=1", "", ""], one.clone()),
        ("columns in order", b"i,x,3,u\n".into(), ["item,_,rating,user", "", ""], one.clone()),
        ("a fifth column without a name", b"u,i,3,9,x\n".into(), ["", "", ""], vec![timed("u", "i", 3.0, 9)]),
        ("a fourth of five that is no time", b"u,i,3,soon,x\n".into(), ["", "", ""], one.clone()),
        ("a film called like a column", b"u,Time,3\nv,j,4.5\n".into(), ["", "", ""], vec![row("u", "Time", 3.0), row("v", "j", 4.5)]),
        ("clicks with names", b"user_id,item_id\nu,i\n".into(), ["", "", ""], vec![row("u", "i", 1.0)]),
        ("clicks without names", b"u,i\n".into(), ["user,item", "", ""], vec![row("u", "i", 1.0)]),
        ("negative times, and before 1970", b"u,i,3,-5\nv,j,4.5,-1000000000\nw,k,1,-0.5\n".into(), ["", "", ""], vec![timed("u", "i", 3.0, -5), timed("v", "j", 4.5, -1_000_000_000), timed("w", "k", 1.0, -1)]),
        ("dates", b"user,item,rating,date\nu,i,3,1970-01-02\nv,j,4.5,1970-01-01T00:00:07Z\n".into(), ["", "", ""], vec![timed("u", "i", 3.0, 86_400), timed("v", "j", 4.5, 7)]),
        ("weights", b"user,item,rating,w\nu,i,3,0.5\nv,j,4.5,0\n".into(), ["", "", "w"], vec![("u", "i", 3.0, None, Some(0.5)), ("v", "j", 4.5, None, Some(0.0))]),
        ("numbers in other forms", b"u,i,-1\nu,j,+2.50\nu,k, 3 \nu,l,1e-3\nu,m,0\n".into(), ["", "", ""], vec![row("u", "i", -1.0), row("u", "j", 2.5), row("u", "k", 3.0), row("u", "l", 0.001), row("u", "m", 0.0)]),
        ("gzip in members", [gzip(b"user,item,rating\nu,i"), gzip(b""), gzip(b",3\nv,j,4.5\n")].concat(), ["", "", ""], two.clone()),
        ("the last of two, in its own place", b"u,i,1,5\nu,j,2,6\nu,i,3,4\n".into(), ["", "", ""], vec![timed("u", "i", 1.0, 5), timed("u", "j", 2.0, 6)]),
    ]
}

#[test]
fn odd_files_that_are_right_are_read() {
    for (what, bytes, [columns, separator, weight], wanted) in odd_ratings() {
        let data = read(&bytes, options(columns, separator, weight))
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let wanted: Vec<_> = wanted
            .into_iter()
            .map(|(user, item, rating, time, weight)| {
                (user.into(), item.into(), rating, time, weight)
            })
            .collect();
        assert_eq!(rows(&data), wanted, "{what}");
    }
}

/// Where an error is to be: in a line and field, or in the file as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Line(u64, u64),
    File,
    Setting,
}

fn place(error: &Error) -> At {
    match error {
        Error::Line {
            path, line, column, ..
        } => {
            assert_eq!(path, Path::new("r.csv"));
            At::Line(*line, *column)
        }
        Error::File { path, .. } => {
            assert_eq!(path, Path::new("r.csv"));
            At::File
        }
        Error::Config { .. } => At::Setting,
        other => panic!("{other:?}"),
    }
}

/// What, the bytes, columns and separator and weight, where, and words of the message.
type Bad = (
    &'static str,
    Vec<u8>,
    [&'static str; 3],
    At,
    &'static [&'static str],
);

#[rustfmt::skip]
fn bad_ratings() -> Vec<Bad> {
    use At::{File, Line};
    let none = ["", "", ""];
    let header = |rest: &str| [b"user,item,rating\n", rest.as_bytes()].concat();
    let long = |n: usize| "x".repeat(n);
    vec![
        // Numbers.
        ("text", header("u,i,five\n"), none, Line(2, 3), &["got \"five\"", "a finite number"]),
        ("NaN", header("u,i,3\nu,j,NaN\n"), none, Line(3, 3), &["got \"NaN\""]),
        ("infinity", header("u,i,inf\n"), none, Line(2, 3), &["got \"inf\""]),
        ("too great", header("u,i,1e40\n"), none, Line(2, 3), &["got \"1e40\"", "finite"]),
        ("no rating", header("u,i,\n"), none, Line(2, 3), &["got nothing", "a rating"]),
        ("a decimal comma", b"u;i;3,5\n".into(), none, Line(1, 3), &["got \"3,5\"", "3.5, not 3,5"]),
        ("a hexadecimal", header("u,i,0x10\n"), none, Line(2, 3), &["0x10"]),
        ("control characters", header("u,i,\u{1b}[2J\n"), none, Line(2, 3), &["got \"\\u{1b}[2J\""]),
        ("a long value", header(&format!("u,i,{}\n", long(90))), none, Line(2, 3), &["xxx\"…, wanted"]),
        ("a time", b"u,i,3,9\nu,j,3,soon\n".into(), none, Line(2, 4), &["\"soon\"", "whole seconds"]),
        ("no time", b"u,i,3,9\nu,j,3,\n".into(), none, Line(2, 4), &["got nothing", "a time"]),
        ("a time too great", b"u,i,3,9\nu,j,3,1e30\n".into(), none, Line(2, 4), &["1e30"]),
        ("a day that is not", b"u,i,3,9\nu,j,3,2001-02-29\n".into(), none, Line(2, 4), &["2001-02-29"]),
        ("a negative weight", b"user,item,rating,w\nu,i,3,-1\n".into(), ["", "", "w"], Line(2, 4), &["\"-1\"", "not negative"]),
        ("a weight that is none", b"user,item,rating,w\nu,i,3,NaN\n".into(), ["", "", "w"], Line(2, 4), &["NaN"]),
        // Ids.
        ("an empty user", header(",i,3\n"), none, Line(2, 1), &["an empty user"]),
        ("an empty item", header("u,,3\n"), none, Line(2, 2), &["an empty item"]),
        ("an empty item in quotes", header("u,\"\",3\n"), none, Line(2, 2), &["an empty item"]),
        // Shapes of lines.
        ("a short line", header("u,i,3\nu,j\n"), none, Line(3, 3), &["2 fields", "wanted 3"]),
        ("a long line", header("u,i,3,4\n"), none, Line(2, 4), &["4 fields", "wanted 3"]),
        ("one field", header("u\n"), none, Line(2, 2), &["1 field,"]),
        ("a short line after blank ones", header("\n\nu,i\n"), none, Line(4, 3), &["2 fields"]),
        ("a short line after a long field", header("\"a\nb\nc\",i\n"), none, Line(4, 3), &["2 fields"]),
        ("a rating after a long field", header("\"a\nb\",i,x\n"), none, Line(3, 3), &["\"x\""]),
        ("a line too long", header(&format!("u,i{},3\n", long(65_536))), none, Line(2, 2), &["more than 65536 bytes"]),
        ("a line too long at the end", header(&format!("u,i,3{}", long(65_536))), none, Line(2, 3), &["more than 65536 bytes"]),
        ("no line at all", long(1 << 20).into(), none, Line(1, 1), &["more than 65536 bytes"]),
        ("a field too long", header(&format!("\"u{}\n\",i,3\n", "\n".repeat(65_536))), none, Line(2, 1), &["does not end within 65536 bytes"]),
        // Quotes.
        ("a quote that stays open", header("u,i,3\nv,\"j,4\nw,k,5\n"), none, Line(3, 2), &["does not end", "a closing quote"]),
        ("an open quote at the end", header("u,i,\""), none, Line(2, 3), &["does not end"]),
        ("text after a quote", header("\"u\"x,i,3\n"), none, Line(2, 1), &["got \"x,i,3\" after the closing quote"]),
        ("quotes that meet the next", header("\"u,i,3\n\"v\",j,4\n"), none, Line(3, 1), &["opened on line 2"]),
        // Bytes.
        ("Latin-1", header("u,i,3\nu,\u{1},3\n") .iter() .map(|&b| if b == 1 { 0xE9 } else { b }) .collect(), none, Line(3, 2), &["the byte 0xE9", "UTF-8"]),
        ("a cut character", b"u,i,3\nv,\xE6\x98,4\n".into(), none, Line(2, 2), &["0xE6"]),
        ("a NUL byte", header("u,i\0,3\n"), none, Line(2, 2), &["a NUL byte", "UTF-16"]),
        ("UTF-16", b"\xFF\xFEu\0,\0i\0,\x003\0\n\0".into(), none, Line(1, 1), &["a NUL byte"]),
        // Files.
        ("nothing", b"".into(), none, File, &["an empty file"]),
        ("a byte-order mark alone", b"\xEF\xBB\xBF".into(), none, File, &["an empty file"]),
        ("blank lines alone", b"\n\r\n \n".into(), none, File, &["an empty file"]),
        ("a header alone", b"user,item,rating\n".into(), none, File, &["a header and no rows"]),
        ("blank lines without end", vec![b'\n'; (1 << 24) + 2], none, File, &["blank lines in a row"]),
        ("gzip cut short", { let mut all = gzip(&header("u,i,3\n")); all.truncate(30); all }, none, File, &["cut short"]),
        ("gzip damaged", { let mut all = gzip(&header("u,i,3\n")); let n = all.len() - 8; all[n] ^= 1; all }, none, File, &["damaged"]),
        ("gzip and something else", [gzip(&header("u,i,3\n")), b"more".into()].concat(), none, File, &["gzip"]),
        ("gzip of nothing", gzip(b""), none, File, &["an empty file"]),
        // Columns.
        ("no user", b"who,item,rating\nu,i,3\n".into(), none, File, &["\"who\", \"item\", \"rating\"", "--columns user=NAME"]),
        ("no item", b"user,thing,rating\nu,i,3\n".into(), none, File, &["an item", "--columns"]),
        ("no rating", b"user,item,grade\nu,i,3\n".into(), none, File, &["\"grade\"", "a rating", "--columns"]),
        ("two ratings", b"user,item,rating,Rating\nu,i,3,4\n".into(), none, File, &["two columns that could be the rating", "(column 4)"]),
        ("two columns", b"u,i\n".into(), none, File, &["two columns without names", "--columns user,item"]),
        ("one column", b"u\nv\n".into(), none, File, &["one field", "--sep"]),
        ("an unknown column", header("u,i,3\n"), ["user=user,item=film", "", ""], File, &["\"user\", \"item\", \"rating\"", "called \"film\""]),
        ("a column too far", header("u,i,3\n"), ["user=1,item=9", "", ""], File, &["3 columns", "a column 9"]),
        ("an unknown weight", header("u,i,3\n"), ["", "", "w"], File, &["called \"w\""]),
        ("a weight that is the rating", header("u,i,3\n"), ["", "", "rating"], File, &["one column as rating and weight"]),
        ("a weight before the first", header("u,i,3\n"), ["", "", "0"], At::Setting, &["counted from 1"]),
        ("another separator", b"u;i;3\nv;j;4\n".into(), ["", ",", ""], File, &["one field", "\"u;i;3\""]),
        ("names that are not known", b"who,what,points\nu,i,3\n".into(), none, Line(1, 3), &["\"points\"", "if this line names the columns"]),
    ]
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let table = bad_ratings();
    assert!(table.len() >= 40);
    for (what, bytes, [columns, separator, weight], at, words) in table {
        let error = read(&bytes, options(columns, separator, weight))
            .expect_err(&format!("{what} was read"));
        assert_eq!(place(&error), at, "{what}: {error}");
        let message = error.to_string();
        for word in words {
            assert!(
                message.contains(word),
                "{what}: {word:?} is not in {message}"
            );
        }
        assert!(message.len() < 500, "{what}: {message}");
        assert!(
            !message.contains(|c: char| c.is_control()),
            "{what}: {message:?}"
        );
    }
}

#[test]
fn side_files_are_checked_as_well() {
    let wide = format!("id{}\n", ",x".repeat(1025));
    let table: [(&str, &[u8], At, &str); 11] = [
        (
            "more columns than a table can have",
            wide.as_bytes(),
            At::File,
            "1026 columns",
        ),
        (
            "an id again",
            b"id,title\n1,a\n2,b\n1,c\n",
            At::Line(4, 1),
            "first on line 2",
        ),
        (
            "an empty id",
            b"title,id\na,\n",
            At::Line(2, 2),
            "an empty id",
        ),
        ("a short line", b"id,title\n1\n", At::Line(2, 2), "1 field,"),
        (
            "a long line",
            b"id,title\n1,a,b\n",
            At::Line(2, 3),
            "3 fields",
        ),
        ("nothing", b"", At::File, "an empty file"),
        ("a header alone", b"item_id,title\n", At::File, "no rows"),
        (
            "two columns of a name",
            b"id,year,year\n1,2,3\n",
            At::File,
            "two columns called \"year\" (2 and 3)",
        ),
        ("Latin-1", b"id,title\n1,Caf\xE9\n", At::Line(2, 2), "0xE9"),
        (
            "an open quote",
            b"id,title\n1,\"a\n2,b\n",
            At::Line(2, 2),
            "does not end",
        ),
        ("NUL", b"id,title\n1,\0\n", At::Line(2, 2), "NUL"),
    ];
    for (what, bytes, at, words) in table {
        let data = Dataset::builder().rows([("u", "1", 3.0)]).unwrap();
        let error = data.items_from(bytes, "r.csv").expect_err(what);
        assert_eq!(place(&error), at, "{what}: {error}");
        assert!(error.to_string().contains(words), "{what}: {error}");
    }
}

/// A folder of this test's own, removed when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reading-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_path_that_is_no_file_is_named() {
    let folder = Folder::new("paths");
    let missing = folder.0.join("none.csv");
    let error = Dataset::builder().ratings(&missing).unwrap_err();
    assert!(
        matches!(&error, Error::Io { path, doing: "open", .. } if *path == missing),
        "{error}"
    );
    let error = Dataset::builder().ratings(&folder.0).unwrap_err();
    assert!(
        matches!(&error, Error::File { path, .. } if *path == folder.0),
        "{error}"
    );
    assert!(error.to_string().contains("got a folder"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("permission");
    let path = folder.file("r.csv", b"u,i,3\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    let error = Dataset::builder().ratings(&path).unwrap_err();
    assert!(matches!(&error, Error::Io { doing: "open", .. }), "{error}");
}

#[test]
fn the_report_says_what_was_found_out() {
    let folder = Folder::new("report");
    let ratings = folder.file(
        "r.tsv.gz",
        &gzip(b"when\tUserID\tMovieID\tRating\n\tu\ti\t3\n\tu\ti\t4\n"),
    );
    let items = folder.file(
        "movies.dat",
        "i::Fantômas (1913)::Crime|Drama\nj::Heat::Crime\n".as_bytes(),
    );
    let users = folder.file("users.csv", b"user_id,age\nx,7\nu,8\n");
    let data = Dataset::builder()
        .ratings(&ratings)
        .unwrap()
        .items(&items)
        .unwrap()
        .users(&users)
        .unwrap()
        .build()
        .unwrap();
    let file = &data.report.ratings[0];
    assert_eq!(
        (file.rows, file.separator, file.header, file.packed),
        (2, Separator::TAB, true, true)
    );
    let roles = [
        ("user", "UserID"),
        ("item", "MovieID"),
        ("rating", "Rating"),
    ]
    .map(|(role, name)| (role, name.to_owned()));
    assert_eq!(
        (&file.roles[..], &file.ignored[..]),
        (&roles[..], &["when".to_owned()][..])
    );
    assert_eq!(
        (
            data.report.rows,
            data.report.duplicates.pairs,
            data.report.duplicates.dropped
        ),
        (2, 1, 1)
    );
    assert_eq!((data.report.items_added, data.report.users_added), (1, 1));
    assert_eq!(
        data.report.items.as_ref().unwrap().separator,
        Separator::DOUBLE_COLON
    );
    assert_eq!(data.items.catalog.title(0), Some("Fantômas (1913)"));
    assert_eq!(
        data.items
            .catalog
            .column("genres")
            .unwrap()
            .of(0)
            .collect::<Vec<_>>(),
        ["Crime", "Drama"]
    );
    assert_eq!(
        data.users
            .catalog
            .column("age")
            .unwrap()
            .of(0)
            .collect::<Vec<_>>(),
        ["8"]
    );
    assert_eq!(data.users.ids.name(1), "x");
}

#[test]
fn a_test_set_extends_the_ids_and_keeps_every_row() {
    let folder = Folder::new("test-set");
    let data = Dataset::builder()
        .rows([("u", "i", 3.0), ("v", "j", 4.0)])
        .unwrap()
        .build()
        .unwrap();
    let path = folder.file("t.csv", b"v,i,1\nw,k,2\nv,i,1\nw,j,5\n");
    let test = read_test(
        &path,
        &ReadOptions::default(),
        &data.users.ids,
        &data.items.ids,
    )
    .unwrap();
    assert_eq!(test.interactions.users, [1, 2, 1, 2]);
    assert_eq!(test.interactions.items, [0, 2, 0, 1]);
    assert_eq!((test.users.name(2), test.items.name(2)), ("w", "k"));
    let halves = data
        .split(&Split::given(&path, ReadOptions::default()))
        .unwrap();
    assert_eq!((halves.train.n_ratings(), halves.train.n_users()), (2, 2));
    assert_eq!((halves.valid.n_ratings(), halves.valid.n_users()), (4, 3));
    let pairs = folder.file("p.csv", b"v,i\nw,i\n");
    let pairs = read_pairs(
        &pairs,
        &ReadOptions::default(),
        &data.users.ids,
        &data.items.ids,
    )
    .unwrap();
    assert_eq!(
        (&pairs.users[..], &pairs.items[..], pairs.user_ids.name(2)),
        (&[1, 2][..], &[0, 0][..], "w")
    );
}

/// A field as a CSV writer quotes it.
fn quoted(field: &str, always: bool) -> String {
    if always || field.starts_with('"') || field.contains([',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

proptest! {
    #[test]
    fn what_is_written_comes_back(
        rows in proptest::collection::vec(("[ -~é映\n]{1,6}", "[a-c\",;]{1,4}", -1000i32..1000, any::<i32>(), any::<bool>()), 1..40),
        crlf in any::<bool>(),
        packed in any::<bool>(),
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = format!("user,item,rating,timestamp{end}");
        for (user, item, rating, time, always) in &rows {
            let (user, item) = (quoted(user, *always), quoted(item, *always));
            text.push_str(&format!("{user},{item},{},{time}{end}", f64::from(*rating) / 8.0));
        }
        let bytes = if packed { gzip(text.as_bytes()) } else { text.into_bytes() };
        // Every pair is kept: their sums are not what this is about.
        let data = Dataset::builder().separator(Separator::COMMA).ratings_from(&bytes[..], "r.csv").unwrap();
        let all: std::collections::HashSet<(&str, &str)> = rows.iter().map(|r| (&r.0[..], &r.1[..])).collect();
        if all.len() < rows.len() {
            let data = data.build().unwrap();
            prop_assert_eq!(data.report.duplicates.dropped, rows.len() - all.len());
            return Ok(());
        }
        let data = data.dedupe(Dedupe::Error).build().unwrap();
        let read = self::rows(&data);
        for (read, written) in read.iter().zip(&rows) {
            prop_assert_eq!(&read.0, &written.0);
            prop_assert_eq!(&read.1, &written.1);
            prop_assert_eq!(read.2, written.2 as f32 / 8.0);
            prop_assert_eq!(read.3, Some(i64::from(written.3)));
        }
        prop_assert_eq!(read.len(), rows.len());
    }

    #[test]
    fn any_bytes_give_ratings_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200), packed in any::<bool>()) {
        let bytes = if packed { gzip(&bytes) } else { bytes };
        let _ = read(&bytes, ReadOptions::default());
        let _ = Dataset::builder().items_from(&bytes[..], "r.csv");
    }

    /// Random bytes seldom get past the first line; these are all but right.
    #[test]
    fn almost_ratings_give_ratings_or_an_error(
        text in "((u|v|\"u\"|\"|é|)(,|;|::|\t)(i|j|)(,|;|::)(3|4.5|-|NaN|)(,9|)(\n|\r\n|\r|\0|)){0,12}",
        spec in "((user|item|rating|weight|timestamp|_)(=[a1-3])?,?){0,4}",
    ) {
        let mut options = ReadOptions::default();
        let _ = read(text.as_bytes(), options.clone());
        if let Ok(columns) = spec.parse::<ColumnSpec>() {
            options.columns = Some(columns);
            let _ = read(text.as_bytes(), options);
        }
        let _ = Dataset::builder().users_from(text.as_bytes(), "r.csv");
    }
}

/// A reader that gives its bytes in small pieces of changing size.
struct Pieces<'a>(&'a [u8], usize);

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1 = self.1 % 7 + 1;
        let n = self.1.min(self.0.len()).min(buffer.len());
        buffer[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

#[test]
fn blocks_leave_no_seam() {
    // Lines of many lengths, so that some line lies across every edge of the reader's blocks; 3 MB of them.
    let mut text = String::from("user,item,rating\n");
    let mut wanted = Vec::new();
    for n in 0..60_000_usize {
        let (user, item) = (
            format!("u{}", n % 977),
            format!("i{n}{}", "é".repeat(n % 31)),
        );
        let rating = (n % 10) as f32 / 2.0;
        let line = if n % 5 == 0 {
            format!("\"{user}\",\"{item}\n\"\"\",{rating}\r\n")
        } else {
            format!("{user},{item},{rating}\n")
        };
        text.push_str(&line);
        let item = if n % 5 == 0 {
            format!("{item}\n\"")
        } else {
            item
        };
        wanted.push((user, item, rating, None, None));
    }
    let data = Dataset::builder()
        .ratings_from(Pieces(text.as_bytes(), 0), "r.csv")
        .unwrap()
        .build()
        .unwrap();
    assert!(rows(&data) == wanted);
    // The last line is wrong: its number counts them all.
    text.push_str("u,i\n");
    let lines = text.matches('\n').count() as u64;
    let error = read(text.as_bytes(), ReadOptions::default()).unwrap_err();
    assert!(
        matches!(error, Error::Line { line, column: 3, .. } if line == lines),
        "{error}"
    );
}

#[test]
fn the_real_sets_load_with_their_known_counts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    // Set, users, rated items, all items, ratings, genres.
    let sets = [
        ("ml-100k", 943, 1682, 1682, 100_000, 19),
        ("ml-latest-small", 610, 9724, 9742, 100_836, 19),
        ("movietweetings-10k", 3794, 3096, 3096, 10_000, 24),
    ];
    for (set, n_users, n_rated, n_items, n_ratings, n_genres) in sets {
        let folder = root.join(set);
        if !folder.is_dir() {
            eprintln!("skipped: {} is not there", folder.display());
            continue;
        }
        let data = Dataset::builder()
            .ratings(folder.join("ratings.csv"))
            .unwrap()
            .items(folder.join("items.csv"))
            .unwrap()
            .build()
            .unwrap();
        assert_eq!(
            (data.n_users(), data.n_items(), data.report.rows),
            (n_users, n_items, n_ratings),
            "{set}"
        );
        assert_eq!(data.n_items() - data.report.items_added, n_rated, "{set}");
        assert_eq!(
            data.n_ratings() + data.report.duplicates.dropped,
            n_ratings as usize,
            "{set}"
        );
        let genres = data.items.catalog.genres().unwrap();
        assert!(genres.multi_valued, "{set}");
        assert_eq!(genres.values.len(), n_genres, "{set}");
        assert!(
            (0..n_items as u32).all(|item| data.items.catalog.title(item).is_some()),
            "{set}"
        );
    }
}

#[test]
fn clicks_load_as_pairs_without_ratings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/gowalla");
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    }
    let train = Dataset::builder()
        .ratings(folder.join("train.csv"))
        .unwrap()
        .build()
        .unwrap();
    assert_eq!(
        (train.n_users(), train.n_items(), train.n_ratings()),
        (29_858, 40_981, 810_128)
    );
    assert!(!train.report.has_ratings());
    let test = read_test(
        folder.join("test.csv"),
        &ReadOptions::default(),
        &train.users.ids,
        &train.items.ids,
    )
    .unwrap();
    // Nobody is cold in this split.
    assert_eq!(
        (test.interactions.len(), test.users.len(), test.items.len()),
        (217_242, 29_858, 40_981)
    );
}
