//! Can a model be asked what a shop would ask it?
//!
//! Conditions, limits, penalties, neighbours and newcomers, through the real binary; the library beside it is the oracle, and the definition beside both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lowrank::data::Dataset;
use lowrank::training::Config;
use lowrank::training::config::Method;
use lowrank::{Model, Query, Similar};
use serde_json::Value;

use crate::common::{Folder, fail, fixture, generated, lowrank, succeed};

/// A model of made-up films with genres and years, and where it lies.
fn trained(folder: &Folder) -> (Model, PathBuf) {
    let ratings = generated(folder);
    let items = std::fs::read_to_string(folder.path("films/items.csv")).unwrap();
    let with_years: String = items
        .lines()
        .enumerate()
        .map(|(n, line)| match n {
            0 => format!("{line},year\n"),
            n => format!("{line},{}\n", 1980 + n * 7 % 40),
        })
        .collect();
    let items = folder.write("items.csv", with_years);
    let data = Dataset::builder().ratings(&ratings).unwrap().items(items);
    let data = data.unwrap().build().unwrap();
    let config = Config::rating().n_factors(4).epochs(40).seed(5);
    let model = config.check().unwrap().fit(&data, None, &mut ()).unwrap();
    let path = folder.path("model.lowrank");
    model.save(&path).unwrap();
    (model, path)
}

/// A small model of cosines that ranks.
fn ranking() -> PathBuf {
    fixture("model-v1-purpose.lowrank")
}

fn json(command: &str, path: &Path, more: &[&str]) -> Vec<Value> {
    let mut asked = lowrank();
    asked.arg(command).arg(path).args(more);
    let text = succeed(asked.args(["--format", "json"]));
    serde_json::from_str(&text).unwrap()
}

fn ids<'a>(lines: &'a [Value], key: &str) -> Vec<&'a str> {
    lines
        .iter()
        .map(|line| line[key].as_str().unwrap())
        .collect()
}

fn score(line: &Value) -> f32 {
    line["score"].to_string().parse().unwrap()
}

/// What it says beside its results.
fn said(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn a_condition_leaves_the_first_n_of_those_that_meet_it() {
    let folder = Folder::new("where");
    let (model, path) = trained(&folder);
    let user = model.users().ids().name(3).to_owned();
    let catalog = model.items().catalog();
    let has = |item: u32, column: &str, meets: &dyn Fn(&str) -> bool| {
        catalog.column(column).unwrap().of(item).any(meets)
    };
    let year =
        |item, meets: &dyn Fn(i32) -> bool| has(item, "year", &|year| meets(year.parse().unwrap()));
    let query = Query::user(&user).n(1000);
    let all = model.recommend(&query).unwrap();
    let best = model.items().ids().index(&all[0].item).unwrap();
    let best_year = catalog.column("year").unwrap().of(best).next().unwrap();
    let but_best = format!("\"year\" != \"{best_year}\"");
    let best_year: i32 = best_year.parse().unwrap();
    type Meets<'a> = &'a dyn Fn(u32) -> bool;
    let cases: [(&str, Meets<'_>); 4] = [
        ("genre=Horror & year>=1990", &|i| {
            has(i, "genres", &|g| g == "Horror") && year(i, &|y| y >= 1990)
        }),
        ("year in 1990..1999 | genre in Comedy,Drama", &|i| {
            year(i, &|y| (1990..=1999).contains(&y))
                || has(i, "genres", &|g| g == "Comedy" || g == "Drama")
        }),
        ("!(genres=Drama | year<2000)", &|i| {
            !has(i, "genres", &|g| g == "Drama") && year(i, &|y| y >= 2000)
        }),
        (&but_best, &|i| year(i, &|y| y != best_year)),
    ];
    for (condition, meets) in cases {
        let wanted: Vec<&str> = all
            .iter()
            .filter(|line| meets(model.items().ids().index(&line.item).unwrap()))
            .map(|line| line.item.as_str())
            .take(3)
            .collect();
        assert!(
            !wanted.is_empty() && wanted[..] != ids_of(&all)[..wanted.len()],
            "{condition}"
        );
        let lines = json(
            "recommend",
            &path,
            &["--user", &user, "-n", "3", "--where", condition],
        );
        assert_eq!(ids(&lines, "item"), wanted, "{condition}");
    }
    let both = [
        "--user",
        &user,
        "--where",
        "genre=Horror",
        "--where",
        "year>=1990",
    ];
    let once = ["--user", &user, "--where", "genre=Horror & year>=1990"];
    assert_eq!(
        json("recommend", &path, &both),
        json("recommend", &path, &once)
    );

    let ask = |condition: &str| {
        let mut command = lowrank();
        command.arg("recommend").arg(&path).args(["--user", &user]);
        fail(command.args(["--where", condition]))
    };
    for (condition, code, words) in [
        ("genre=", 2, "got the end at character 7"),
        ("genre=Horror year", 1, r#"no value "Horror year""#),
        ("(genre=Horror", 2, "wanted & or | or )"),
        ("genre=Horrer", 1, r#"did you mean "Horror"?"#),
        ("yaer>1990", 1, r#"did you mean "year"?"#),
        ("genres>1990", 2, "whose values are no numbers"),
        ("year>new", 2, r#""new" at character 6"#),
    ] {
        let (got, message) = ask(condition);
        assert!(message.contains(words), "{condition}: {message}");
        assert_eq!(got, code, "{condition}: {message}");
    }
}

fn ids_of(list: &[lowrank::Recommendation]) -> Vec<&str> {
    list.iter().map(|line| line.item.as_str()).collect()
}

#[test]
fn limits_and_penalties_order_lists_for_one_and_for_all_alike() {
    let folder = Folder::new("order");
    let (model, path) = trained(&folder);
    let flags: [&[&str]; 3] = [
        &["-n", "5", "--max-per", "genres=1"],
        &["-n", "6", "--popularity-penalty", "0.7"],
        &[
            "-n",
            "4",
            "--max-per",
            "genre=2",
            "--max-per",
            "year=1",
            "--popularity-penalty",
            "0.2",
            "--where",
            "year>1985",
        ],
    ];
    for flags in flags {
        let all = json(
            "recommend",
            &path,
            &[&["--all", "--threads", "2"][..], flags].concat(),
        );
        let mut by_user = BTreeMap::<&str, Vec<Value>>::new();
        for line in &all {
            let mut own = line.clone();
            let user = line["user"].as_str().unwrap();
            own.as_object_mut().unwrap().remove("user");
            by_user.entry(user).or_default().push(own);
        }
        assert_eq!(by_user.len(), model.users().ids().len());
        for (user, lines) in by_user.into_iter().step_by(7) {
            let alone = json("recommend", &path, &[&["--user", user][..], flags].concat());
            assert_eq!(alone, lines, "{user} {flags:?}");
            for line in &lines {
                let item = line["item"].as_str().unwrap();
                let predicted = model.predict(user, item).unwrap().value;
                assert_eq!(score(line), predicted, "the model's own number");
            }
        }
    }
    // At most one of each genre, and as many items as asked for.
    let user = model.users().ids().name(0);
    let lines = json(
        "recommend",
        &path,
        &["--user", user, "-n", "5", "--max-per", "genres=1"],
    );
    let genres: Vec<&str> = lines
        .iter()
        .flat_map(|line| line["genres"].as_array().unwrap())
        .map(|genre| genre.as_str().unwrap())
        .collect();
    let mut different = genres.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), genres.len(), "{genres:?}");
    // A penalty beyond all scores leaves the popularity alone.
    let far = ["--user", user, "-n", "50", "--popularity-penalty", "1e6"];
    let counts: Vec<u32> = ids(&json("recommend", &path, &far), "item")
        .iter()
        .map(|id| model.items().counts()[model.items().ids().index(id).unwrap() as usize])
        .collect();
    assert!(
        counts.is_sorted() && counts.first() < counts.last(),
        "{counts:?}"
    );

    let ask = |more: &[&str]| {
        fail(
            lowrank()
                .arg("recommend")
                .arg(&path)
                .arg("--all")
                .args(more),
        )
    };
    for (more, code, words) in [
        (["--max-per", "genres=0"], 2, "K 1 or more"),
        (["--max-per", "gnre=1"], 1, "did you mean"),
        (["--popularity-penalty=-1", "--quiet"], 2, "not negative"),
        (["--popularity-penalty", "nan"], 2, "a finite number"),
    ] {
        let (got, message) = ask(&more);
        assert_eq!(got, code, "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn neighbours_are_the_librarys_in_every_format() {
    let folder = Folder::new("similar");
    let (model, path) = trained(&folder);
    let item = model.items().ids().name(5);
    let wanted = model
        .similar(&Similar::item(item).n(4).having("genre", "Drama"))
        .unwrap();
    let lines = json(
        "similar",
        &path,
        &["--item", item, "-n", "4", "--where", "genre=Drama"],
    );
    assert_eq!(lines.len(), wanted.len());
    for (line, wanted) in lines.iter().zip(&wanted) {
        let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 5, "{keys:?}");
        assert_eq!(line["item"], wanted.id);
        assert_eq!(line["rank"], wanted.rank);
        assert_eq!(line["title"].as_str(), wanted.title.as_deref());
        assert_eq!(score(line).to_bits(), wanted.score.to_bits());
        assert!((-1.0..=1.0).contains(&wanted.score) && wanted.id != item);
    }
    let user = model.users().ids().name(1);
    let by_dot = json("similar", &path, &["--user", user, "--by", "dot"]);
    let wanted = model
        .similar(&Similar::user(user).by(lowrank::model::Similarity::Dot))
        .unwrap();
    let wanted: Vec<&str> = wanted.iter().map(|line| line.id.as_str()).collect();
    assert_eq!(ids(&by_dot, "user"), wanted);
    let file = folder.path("near.csv");
    let mut command = lowrank();
    command
        .arg("similar")
        .arg(&path)
        .args(["--item", item, "-n", "2", "-o"]);
    let said = said(command.arg(&file));
    assert!(
        said.contains("near.csv: 2 lines") && said.contains("score: cosine"),
        "{said}"
    );
    let csv = std::fs::read_to_string(file).unwrap();
    assert_eq!(csv.lines().next(), Some("rank,item,title,genres,score"));
    assert_eq!(csv.lines().count(), 3);
    let ask = |more: &[&str]| fail(lowrank().arg("similar").arg(&path).args(more));
    assert!(ask(&["--item", "no such"]).1.contains("no item"));
    assert_eq!(ask(&["--item", item, "--user", user]).0, 2);
    assert_eq!(ask(&[]).0, 2);
    // u2 of the small model is the row called so; a model of cosines is asked alike.
    let lines = json("similar", &ranking(), &["--user", "u2"]);
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_newcomer_is_served_in_every_format() {
    let folder = Folder::new("history");
    let (model, path) = trained(&folder);
    let name = |item: u32| model.items().ids().name(item);
    let history = [(name(3), 5.0), (name(8), 1.5), (name(20), 4.0)];
    let text: Vec<String> = history.iter().map(|(id, r)| format!("{id}:{r}")).collect();
    let text = text.join(",");
    let user = model.fold_in(history).unwrap();
    let wanted = user
        .recommend(&Query::default().n(7).max_per("genres", 2))
        .unwrap();
    let more = ["--history", &text, "-n", "7", "--max-per", "genres=2"];
    let lines = json("recommend", &path, &more);
    assert_eq!(ids(&lines, "item"), ids_of(&wanted));
    for (line, wanted) in lines.iter().zip(&wanted) {
        assert_eq!(score(line).to_bits(), wanted.score.to_bits());
        assert!(history.iter().all(|(id, _)| *id != wanted.item), "seen");
        assert_eq!(user.predict(&wanted.item).unwrap().value, wanted.score);
    }
    let in_format = |format: &str| {
        let mut command = lowrank();
        command.arg("recommend").arg(&path).args(more);
        succeed(command.args(["--format", format]))
    };
    let csv = in_format("csv");
    assert_eq!(csv.lines().next(), Some("rank,item,title,genres,score"));
    assert_eq!(
        (csv.lines().count(), in_format("jsonl").lines().count()),
        (8, 7)
    );
    assert_eq!(in_format("table").lines().count(), 8);

    let ask = |history: &str| {
        let mut command = lowrank();
        command.arg("recommend").arg(&path);
        fail(command.args(["--history", history]))
    };
    for (history, code, words) in [
        ("nothing:3,none:4", 1, "no item \"nothing\""),
        (name(3), 2, "a rating of each item"),
        (&format!("{}:50", name(3)), 2, "wanted a rating from"),
        (",", 2, "wanted ITEM:RATING"),
    ] {
        let (got, message) = ask(history);
        assert_eq!(got, code, "{history}: {message}");
        assert!(message.contains(words), "{history}: {message}");
    }
    let partly = format!("{text},nothing:3");
    let mut command = lowrank();
    command
        .arg("recommend")
        .arg(&path)
        .args(["--history", &partly]);
    let said = said(&mut command);
    assert!(
        said.contains("1 item of the history not in the model"),
        "{said}"
    );
    // Where nothing is a rating, items are enough.
    let lines = json("recommend", &ranking(), &["--history", "i1,i3"]);
    let mut rest = ids(&lines, "item");
    rest.sort_unstable();
    assert_eq!(rest, ["i0", "i2"]);
}

/// The posterior's own row for a user of training, found anew from the ratings alone.
#[test]
fn a_user_of_training_comes_back_from_the_ratings() {
    let folder = Folder::new("fold-in");
    let ratings = generated(&folder);
    let data = Dataset::builder()
        .ratings(&ratings)
        .unwrap()
        .build()
        .unwrap();
    for (method, most) in [(Method::Variational, 1e-3), (Method::Samples(30), 0.1)] {
        let config = Config::rating().method(method).seed(3);
        let model = config.check().unwrap().fit(&data, None, &mut ()).unwrap();
        let rows = &data.interactions;
        let (mut apart, mut n) = (0.0, 0.0);
        for user in (0..model.users().ids().len() as u32).step_by(5) {
            let own = rows.users.iter().zip(&rows.items).zip(&rows.ratings);
            let own = own.filter(|((u, _), _)| **u == user);
            let history = own.map(|((_, &item), &r)| (model.items().ids().name(item), r));
            let folded = model.fold_in(history).unwrap();
            for item in 0..model.items().ids().len() as u32 {
                let trained = model.predict_rows(Some(user), Some(item));
                let again = folded.predict(model.items().ids().name(item)).unwrap();
                apart += f64::from((trained.value - again.value).abs());
                assert_eq!(again.kind, trained.kind);
                assert!(again.std.unwrap() > 0.0);
                n += 1.0;
            }
        }
        // Sweeps end where they stand still. A sample's user was drawn, not the most probable one, and thirty draws scatter.
        assert!(apart / n < most, "{method:?}: {} on average", apart / n);
    }
}

#[test]
fn what_a_score_means_is_said_and_quiet_leaves_it_out() {
    let folder = Folder::new("meaning");
    let (model, path) = trained(&folder);
    let (user, item) = (model.users().ids().name(0), model.items().ids().name(0));
    let rank = "rank only: compare scores of one user, nothing else";
    let rating = "predicted rating, 1 to 5";
    for (path, user, item, meaning) in [(&path, user, item, rating), (&ranking(), "u1", "i2", rank)]
    {
        let asks: [(&str, &[&str]); 3] = [
            ("recommend", &["--user", user]),
            ("recommend", &["--all"]),
            ("predict", &["--user", user, "--item", item]),
        ];
        for (command, more) in asks {
            let mut ask = lowrank();
            let line = said(ask.arg(command).arg(path).args(more));
            let name = if command == "predict" {
                "prediction"
            } else {
                "score"
            };
            assert!(line.contains(&format!("{name}: {meaning}\n")), "{line}");
            assert_eq!(said(ask.arg("--quiet")), "");
        }
    }
    let one = ["--user", "u1", "--item", "i2", "--format", "json"];
    let text = succeed(lowrank().arg("predict").arg(ranking()).args(one));
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["meaning"], "rank");
    // Nothing is known of either, and 3.25, the mean of the ratings, is no rank.
    let none = ["--user", "nobody", "--item", "nothing", "--format", "json"];
    let text = succeed(lowrank().arg("predict").arg(ranking()).args(none));
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["prediction"], 0.0);
}
