//! Do numbers become features, and do they say something of items that nobody rated?
//!
//! Through the real binary: films of twenty years, of which the new ones are liked and the old ones are not.

use super::common::{Folder, fail, lowrank, succeed};

/// 40 films of 1980 to 1999, two a year, and two more that nobody rated; the last of them has no year.
fn items() -> String {
    let mut text = String::from("item_id,title,genres,year,studio\n");
    for item in 0..40 {
        let (genre, year) = (["Drama", "Drama|Crime"][item % 2], 1980 + item / 2);
        text.push_str(&format!(
            "i{item},Film {item},{genre},{year},s{}\n",
            item % 3
        ));
    }
    text + "early,Early,Drama,1902,s1\nlate,Late,Drama,2024,s1\nnone,None,,,\n"
}

fn users() -> String {
    let mut text = String::from("user_id,age,job\n");
    for user in 0..30 {
        let age = if user == 7 {
            String::new()
        } else {
            (20 + user).to_string()
        };
        text.push_str(&format!("u{user},{age},j{}\n", user % 4));
    }
    text + "young,18,j1\nold,90,j1\n"
}

/// Films of the nineties have 4 or 5, older ones 1 or 2.
pub fn ratings(of: impl Fn(usize, usize) -> bool) -> String {
    let mut text = String::from("user_id,item_id,rating\n");
    for user in 0..30 {
        for item in (0..40).filter(|&item| of(user, item)) {
            let rating = if item < 20 { 1 } else { 4 } + (user * 7 + item * 3) % 2;
            text.push_str(&format!("u{user},i{item},{rating}\n"));
        }
    }
    text
}

struct House {
    folder: Folder,
}

impl House {
    fn new(name: &str) -> House {
        let folder = Folder::new(name);
        folder.write("items.csv", items());
        folder.write("users.csv", users());
        folder.write("ratings.csv", ratings(|user, item| (user + item) % 3 != 0));
        House { folder }
    }

    fn train(&self, run: &str, more: &[&str]) -> std::process::Command {
        let mut command = lowrank();
        command.arg("train").arg(self.folder.path("ratings.csv"));
        for side in ["items", "users"] {
            let file = self.folder.path(&format!("{side}.csv"));
            command.arg(format!("--{side}")).arg(file);
        }
        command.args(["--factors", "4", "--epochs", "60", "--l2", "2"]);
        command.args(more).arg("-o").arg(self.folder.path(run));
        command
    }

    /// What it remarked on.
    fn trained(&self, run: &str, more: &[&str]) -> String {
        let output = self.train(run, more).output().unwrap();
        let remarks = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{remarks}");
        remarks
    }

    /// (prediction, kind) of a pair.
    fn predict(&self, run: &str, user: &str, item: &str, more: &[&str]) -> (f64, String) {
        let mut command = lowrank();
        command.arg("predict").arg(self.folder.path(run));
        command.args(["--user", user, "--item", item, "--format", "json"]);
        let json = succeed(command.args(more));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let kind = json["kind"].as_str().unwrap().to_owned();
        (json["prediction"].as_f64().unwrap(), kind)
    }

    /// The names of the rows of a group's table.
    fn names(&self, run: &str, group: &str) -> Vec<String> {
        let tables = self.folder.path(&format!("{run}-tables"));
        if !tables.exists() {
            let mut command = lowrank();
            command.arg("export").arg(self.folder.path(run));
            succeed(command.args(["--to", "npy"]).arg(&tables));
        }
        let text = std::fs::read_to_string(tables.join(format!("{group}.ids.txt"))).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn model(&self, run: &str) -> Vec<u8> {
        std::fs::read(self.folder.path(run).join("model.lowrank")).unwrap()
    }
}

#[test]
fn the_year_of_a_film_that_nobody_rated_is_known() {
    let house = House::new("bins");
    let flags = [
        "--item-features",
        "genres,year:bin5",
        "--l2",
        "item.year=0.5",
    ];
    let remarks = house.trained("run", &flags);
    for said in [
        "item features used: genres, year (5 bins)\n",
        "item features not used: studio\n",
        "user features not used: age, job\n",
    ] {
        assert!(remarks.contains(said), "{remarks}");
    }
    // Every film has ratings, so a bin holds four years.
    let names = [
        "(-inf,1984)",
        "[1984,1988)",
        "[1988,1992)",
        "[1992,1996)",
        "[1996,inf)",
    ];
    assert_eq!(house.names("run", "item.year"), names);
    let (early, kind) = house.predict("run", "u1", "early", &[]);
    let (late, _) = house.predict("run", "u1", "late", &[]);
    assert_eq!(kind, "full");
    assert!(late > early + 1.5, "{early} and {late}");
    let (none, kind) = house.predict("run", "u1", "none", &[]);
    assert_eq!(kind, "user_only");
    assert!(early < none && none < late, "{early}, {none}, {late}");

    // What if: any year of the bin is as good as another, and a bin may be named.
    let with = |item: &str, year: &str| {
        let year = format!("year={year}");
        house.predict("run", "u1", item, &["--with", &year]).0
    };
    assert_eq!(with("early", "1997"), late);
    assert_eq!(with("early", "[1996,inf)"), late);
    assert_eq!(with("late", "3"), early, "the year 3, not the third value");
    assert_eq!(
        with("i39", "1999"),
        house.predict("run", "u1", "i39", &[]).0
    );
    let mut command = lowrank();
    command.arg("predict").arg(house.folder.path("run"));
    command.args(["--user", "u1", "--item", "early", "--with", "year=soon"]);
    let (_, message) = fail(&mut command);
    assert!(
        message.contains("year=soon") && message.contains("a number"),
        "{message}"
    );
    // Conditions are about the file's own values.
    let mut command = lowrank();
    command.arg("recommend").arg(house.folder.path("run"));
    command.args(["--user", "u1", "--where", "year=2024", "--format", "csv"]);
    assert!(succeed(&mut command).contains("late"));
}

#[test]
fn a_number_extrapolates_and_stands_in_a_single_row() {
    let house = House::new("number");
    let flags = [
        "--item-features",
        "year:number",
        "--user-features",
        "age:number,job",
        "--bag",
        "mean",
    ];
    let remarks = house.trained("run", &flags);
    assert!(
        remarks.contains("user features used: age (number), job\n"),
        "{remarks}"
    );
    assert!(
        remarks.contains("item features used: year (number)\n"),
        "{remarks}"
    );
    // Two of each of 1980 … 1999: the mean is 1989½, the variance (20² − 1)/12 = 33¼.
    let names = house.names("run", "item.year");
    assert_eq!(names, [format!("(x - 1989.5)/{}", 33.25f64.sqrt())]);
    let value = |year: &str| {
        house
            .predict("run", "u1", "none", &["--with", &format!("year={year}")])
            .0
    };
    let (at_mean, one, two) = (value("1989.5"), value("1992.5"), value("1995.5"));
    assert_eq!(
        at_mean,
        house.predict("run", "u1", "none", &[]).0,
        "weight 0"
    );
    assert!(
        (two - at_mean - 2.0 * (one - at_mean)).abs() < 1e-5,
        "{at_mean}, {one}, {two}"
    );
    assert!(one > at_mean + 0.05, "{at_mean}, {one}");
    // Nobody knows old but by age and job.
    let (_, kind) = house.predict("run", "old", "i3", &[]);
    assert_eq!(kind, "full");
}

#[test]
fn bins_come_from_the_training_ratings_alone() {
    let house = House::new("fitted");
    let flags = [
        "--item-features",
        "year:bin4",
        "--user-features",
        "age:number",
    ];
    // Films of 1980 to 1989 alone are trained on; the others are in the test file.
    house
        .folder
        .write("ratings.csv", ratings(|_, item| item < 20));
    house.trained("without", &flags);
    let valid = house
        .folder
        .write("valid.csv", ratings(|_, item| item >= 20));
    let held_out = [
        &flags[..],
        &["--keep", "last", "--valid", valid.to_str().unwrap()],
    ]
    .concat();
    house.trained("with", &held_out);
    // Ten years, two films each: quarters at 5, 10, 15 of 20; places to part are even, the lower of two.
    let names = ["(-inf,1982)", "[1982,1985)", "[1985,1987)", "[1987,inf)"];
    assert_eq!(house.names("without", "item.year"), names);
    let same = house.model("without") == house.model("with");
    assert!(same, "a test file changes nothing");

    // Held out from the same file: as if the held-out rows were not there. The last film of every user is one of the newest.
    let mut text = String::from("user_id,item_id,rating,timestamp\n");
    for line in ratings(|_, item| item < 20).lines().skip(1) {
        text.push_str(&format!("{line},1\n"));
    }
    for user in 0..30 {
        text.push_str(&format!("u{user},i{},5,2\n", 20 + user % 20));
    }
    house.folder.write("ratings.csv", text);
    house.trained(
        "split",
        &[&flags[..], &["--valid-by", "leave-last"]].concat(),
    );
    assert_eq!(house.names("split", "item.year"), names);
    assert_eq!(
        house.names("split", "user.age"),
        house.names("without", "user.age")
    );
}

#[test]
fn a_run_remembers_what_it_was_asked() {
    let house = House::new("round-trip");
    let flags = [
        "--item-features",
        "year:bin,genres:category",
        "--user-features",
        "age:number",
    ];
    house.trained("run", &flags);
    let config = house.folder.path("run").join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(
        text.contains("item-features = \"year:bin10,genres\""),
        "{text}"
    );
    assert!(text.contains("user-features = \"age:number\""), "{text}");
    house.trained("again", &["--config", config.to_str().unwrap()]);
    assert!(house.model("run") == house.model("again"), "the same bytes");

    // Tables that were exported are found again by the names of the bins.
    house.names("run", "item.year");
    let tables = house.folder.path("run-tables");
    let init = ["--init", tables.to_str().unwrap()];
    let remarks = house.trained("init", &[&flags[..], &init].concat());
    assert!(remarks.contains("item.year 10 rows"), "{remarks}");
    assert!(remarks.contains("user.age 1 rows"), "{remarks}");
    assert!(
        !remarks.contains("unknown") && !remarks.contains("drawn"),
        "{remarks}"
    );
}

#[test]
fn a_dry_run_counts_the_rows_of_bins() {
    let house = House::new("dry");
    let flags = [
        "--item-features",
        "year:bin5",
        "--user-features",
        "age:number",
    ];
    let dry = [&flags[..], &["--dry-run", "--format", "json"]].concat();
    let plan: serde_json::Value =
        serde_json::from_str(&succeed(&mut house.train("run", &dry))).unwrap();
    house.trained("run", &flags);
    assert_eq!(plan["model_file_bytes"], house.model("run").len());
    // 32 users and 43 items of 4 factors and a bias, 5 bins, 1 row of age.
    assert_eq!(plan["counts"]["parameters"], (32 + 43 + 5 + 1) * 5);
}

#[test]
fn blocks_and_threads_change_nothing_of_it() {
    let house = House::new("threads");
    let flags = [
        "--item-features",
        "year:number,genres",
        "--user-features",
        "age:bin4",
    ];
    for batch in ["full", "block", "64"] {
        let run = |threads: &str, kernel: &str| {
            let run = format!("{batch}-{threads}-{kernel}");
            let more = ["--batch", batch, "--threads", threads, "--kernel", kernel];
            house.trained(&run, &[&flags[..], &more].concat());
            house.model(&run)
        };
        let same = run("1", "portable") == run("3", "auto");
        assert!(same, "{batch}");
    }
}

#[test]
fn what_is_no_number_is_refused_by_name() {
    let house = House::new("no-number");
    for (flags, words) in [
        (
            ["--item-features", "year:bins"],
            &["item-features", "year:bins", "category, bin, binN"][..],
        ),
        (
            ["--item-features", "studio:bin"],
            &[
                "studio:bin10",
                "\"s1\" in the column studio of the item \"i1\"",
                "one number, or an empty cell",
            ],
        ),
        (
            ["--item-features", "genres:number"],
            &["genres:number", "2 values in the column genres"],
        ),
        (["--user-features", "years:bin"], &["\"years\"", "age, job"]),
        (["--user-features", "age:bin1"], &["from 2 to 1000"]),
        (["--user-features", "age:bin,age"], &["\"age\" twice"]),
    ] {
        let (code, message) = fail(&mut house.train("run", &flags));
        assert!(code == 1 || code == 2, "{message}");
        for word in words {
            assert!(message.contains(word), "{word}: {message}");
        }
        assert!(!house.folder.path("run").join("model.lowrank").exists());
    }
}
