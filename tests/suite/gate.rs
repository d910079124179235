//! Do gates let the right models through, and no others?
//!
//! Figures are held against those of `evaluate`, `compare` and `predict` without gates.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::common::{Folder, fail, lowrank, succeed};

/// Made-up ratings with a truth in them, a test with newcomers, a model of some use and one of none.
struct Ground {
    folder: Folder,
    train: PathBuf,
    test: PathBuf,
}

fn ground() -> Ground {
    let folder = Folder::new("gate");
    let sizes = ["--users", "80", "--items", "50", "--ratings", "2000"];
    let mut command = lowrank();
    command.args(["data", "generate", "--seed", "3", "--quiet", "-o"]);
    succeed(command.arg(folder.path("films")).args(sizes));
    let text = std::fs::read_to_string(folder.path("films/ratings.csv")).unwrap();
    let (mut train, mut test) = (String::new(), String::new());
    for (n, line) in text.lines().skip(1).enumerate() {
        let half = if n % 5 == 0 { &mut test } else { &mut train };
        *half += &format!(
            "{}\n",
            line.split(',').take(3).collect::<Vec<_>>().join(",")
        );
    }
    test += "nobody,1,4\nnobody,2,3\nsomebody,3,5\n1,nothing,2\n2,nothing,4\n";
    let head = "user,item,rating\n";
    let ground = Ground {
        train: folder.write("train.csv", format!("{head}{train}")),
        test: folder.write("test.csv", format!("{head}{test}")),
        folder,
    };
    ground.train("good", &["--bayes", "--factors", "2"]);
    let poor = [
        "--preset",
        "rating",
        "--epochs",
        "3",
        "--l2",
        "500",
        "--learning-rate",
        "0.001",
    ];
    ground.train("poor", &poor);
    ground
}

impl Ground {
    fn train(&self, run: &str, more: &[&str]) {
        let mut command = lowrank();
        command
            .arg("train")
            .arg(&self.train)
            .args(["--quiet", "-o"]);
        succeed(command.arg(self.folder.path(run)).args(more));
    }

    /// A model of the same ratings in another order and one of a user more: it numbers users and items otherwise, and ids meet by name.
    fn turned(&self) -> PathBuf {
        let text = std::fs::read_to_string(&self.train).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.push("late,7,3");
        lines[1..].reverse();
        let turned = self.folder.write("turned.csv", lines.join("\n") + "\n");
        let mut command = lowrank();
        command
            .arg("train")
            .arg(&turned)
            .args(["--quiet", "--bayes", "--factors", "1", "-o"]);
        succeed(command.arg(self.folder.path("turned")));
        self.folder.path("turned")
    }

    fn evaluate(&self, run: &str, more: &[&str]) -> Command {
        let mut command = lowrank();
        command
            .arg("evaluate")
            .arg(self.folder.path(run))
            .args(["--quiet", "--test"]);
        command.arg(&self.test).args(more);
        command
    }

    fn with_train<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [more, &["--train", self.train.to_str().unwrap()]].concat()
    }

    /// Against the other one.
    fn against<'a>(&self, other: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [more, &["--against", other]].concat()
    }
}

/// The exit code, and the JSON that is printed whatever the code.
fn judged(command: &mut Command) -> (i32, Value) {
    let output = command.args(["--format", "json"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains("panicked"), "{text}");
    let document = serde_json::from_slice(&output.stdout);
    (
        output.status.code().unwrap(),
        document.unwrap_or_else(|_| panic!("{text}")),
    )
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

/// Sums of some hundred numbers in two orders.
const TOLERANCE: f64 = 1e-12;

fn close(found: &Value, wanted: f64, what: &str) {
    let found = number(found);
    assert!(
        (found - wanted).abs() < TOLERANCE,
        "{what}: {found}, not {wanted}"
    );
}

/// RMSE of the rows of a file that `wanted` picks, by `predict`.
fn rmse(run: &Path, file: &Path, wanted: impl Fn(&str, &str) -> bool) -> f64 {
    let mut command = lowrank();
    command.arg("predict").arg(run).arg("--pairs").arg(file);
    let text = succeed(command.args(["--format", "json", "--quiet"]));
    let predicted: Value = serde_json::from_str(&text).unwrap();
    let rows = std::fs::read_to_string(file).unwrap();
    let (mut sum, mut n) = (0.0, 0.0);
    for (line, row) in rows.lines().skip(1).zip(predicted.as_array().unwrap()) {
        let fields: Vec<&str> = line.split(',').collect();
        if wanted(fields[0], fields[1]) {
            let error = number(&row["prediction"]) - fields[2].parse::<f64>().unwrap();
            (sum, n) = (sum + error * error, n + 1.0);
        }
    }
    f64::sqrt(sum / n)
}

#[test]
fn every_kind_of_gate_passes_and_fails() {
    let ground = ground();
    let poor = ground.folder.path("poor");
    let poor = poor.to_str().unwrap();
    for (passes, fails) in [
        ("rmse <= 3", "rmse <= 0.01"),
        ("mae < champion", "mae > champion"),
        ("rmse <= champion - 0.001", "rmse <= 0.2 * champion"),
        ("rmse < biases", "rmse < 0.1 * biases"),
        ("mae <= 0.95 * global_mean", "mae <= global_mean - 3"),
        ("rmse < 2 * knn", "rmse < 0.1 * knn"),
        ("rmse_cold <= 3", "rmse_cold <= 0.1"),
        ("mae_cold <= 1.5 * global_mean", "mae_cold < 0.1 * champion"),
        ("rmse_cold_users <= 3", "rmse_cold_users >= 3"),
        ("rmse_cold_items <= 3", "rmse_cold_items < 0.1 * biases"),
        ("rmse_train <= champion", "rmse_train > champion"),
        ("rmse_gap <= 2", "rmse_gap <= 0"),
        ("ndcg@10 >= 0.0001", "ndcg@10 >= 0.99"),
        (
            "recall@20 >= 0.1 * popularity",
            "recall@20 >= 99 * popularity",
        ),
        ("auc > 0.1 * knn", "auc > 9 * knn"),
        ("coverage@10 >= 0.01", "coverage@10 > 1 * popularity + 1"),
    ] {
        let mut more = ground.against(poor, &["--gate", passes]);
        if ["knn", "train", "gap"]
            .iter()
            .any(|word| passes.contains(word))
        {
            more = ground.with_train(&more);
        }
        let (code, found) = judged(&mut ground.evaluate("good", &more));
        assert_eq!(
            (code, &found["gates"][0]["passed"]),
            (0, &true.into()),
            "{passes}: {found}"
        );
        // One that fails among others is enough, and all are judged.
        let both = [&more[..], &["--gate", fails]].concat();
        let (code, found) = judged(&mut ground.evaluate("good", &both));
        assert_eq!(
            (code, &found["gates"][1]["passed"]),
            (3, &false.into()),
            "{fails}: {found}"
        );
        assert_eq!(found["gates"][0]["passed"], true, "{passes}");
    }
    let (code, message) =
        fail(&mut ground.evaluate("good", &["--gate", "rmse <= 0.01", "--gate", "mae <= 9"]));
    assert_eq!(code, 3);
    assert!(
        message.contains("a gate failed: rmse <= 0.01 (it is"),
        "{message}"
    );
}

#[test]
fn the_better_of_two_passes_against_the_other() {
    let ground = ground();
    let [good, poor] =
        ["good", "poor"].map(|run| ground.folder.path(run).to_str().unwrap().to_owned());
    let gates = ["--gate", "rmse <= champion"];
    for (run, other, clearly, wanted) in [
        ("good", &poor, false, 0),
        ("good", &poor, true, 0),
        ("poor", &good, false, 3),
        // Itself is no worse, and not better.
        ("good", &good, true, 0),
    ] {
        let mut more = ground.against(other, &gates);
        more.extend(clearly.then_some("--clearly"));
        let (code, found) = judged(&mut ground.evaluate(run, &more));
        assert_eq!(code, wanted, "{run} against {other}: {found}");
        close(&found["gates"][0]["value"], number(&found["rmse"]), "value");
        close(
            &found["gates"][0]["bound"],
            number(&found["champion"]["rmse"]),
            "bound",
        );
    }
    // By a hair: the estimate is on the right side, the interval is not.
    let (_, found) = judged(&mut ground.evaluate("good", &ground.against(&poor, &gates)));
    let [low, high] = [0, 1].map(|end| number(&found["gates"][0]["difference"][end]));
    let hair = format!(
        "rmse <= champion - {}",
        -(0.7 * high + 0.3 * (low + high) / 2.0)
    );
    for (clearly, wanted) in [(false, 0), (true, 3)] {
        let mut more = ground.against(&poor, &["--gate", &hair]);
        more.extend(clearly.then_some("--clearly"));
        let (code, found) = judged(&mut ground.evaluate("good", &more));
        assert_eq!(
            (code, &found["gates"][0]["clear"]),
            (wanted, &false.into()),
            "{hair}"
        );
    }
}

#[test]
fn figures_and_intervals_are_those_of_the_other_commands() {
    let ground = ground();
    let runs = ["poor", "good"].map(|run| ground.folder.path(run));
    ground.turned();
    for other in ["poor", "turned"] {
        let other = ground.folder.path(other);
        let mut command = lowrank();
        command
            .arg("compare")
            .arg(&other)
            .arg(&runs[1])
            .arg("--test")
            .arg(&ground.test);
        let by_compare = command.args(["--format", "json", "--quiet"]);
        let by_compare: Value = serde_json::from_str(&succeed(by_compare)).unwrap();
        let more = ground.against(
            other.to_str().unwrap(),
            &["--gate", "rmse < 1 * champion + 0.5"],
        );
        let (_, found) = judged(&mut ground.evaluate("good", &more));
        let wanted = &by_compare["test"]["rmse"];
        for (end, name) in ["low", "high"].into_iter().enumerate() {
            close(
                &found["champion"]["difference"]["rmse"][end],
                number(&wanted[name]),
                name,
            );
            close(
                &found["gates"][0]["difference"][end],
                number(&wanted[name]) - 0.5,
                name,
            );
        }
        close(
            &found["champion"]["rmse"],
            number(&by_compare["test"]["first"]["rmse"]),
            "champion",
        );
    }

    // Predictions are printed with the digits of an f32.
    let near = |found: &Value, wanted: f64, what: &str| {
        assert!(
            (number(found) - wanted).abs() < 1e-6,
            "{what}: {found}, not {wanted}"
        );
    };
    let new_user = |user: &str, _: &str| ["nobody", "somebody"].contains(&user);
    let new_item = |_: &str, item: &str| item == "nothing";
    let gates = [
        "rmse_cold < 1",
        "rmse_cold_users < 1",
        "rmse_cold_items < 1",
        "rmse_train < 1",
        "rmse_gap < 1",
        "rmse_gap < champion",
    ];
    let gates: Vec<&str> = gates.iter().flat_map(|gate| ["--gate", gate]).collect();
    let turned = ground.folder.path("turned");
    let more = ground.with_train(&ground.against(turned.to_str().unwrap(), &gates));
    let (_, found) = judged(&mut ground.evaluate("good", &more));
    let value = |n: usize| &found["gates"][n]["value"];
    let test = |wanted: &dyn Fn(&str, &str) -> bool| rmse(&runs[1], &ground.test, wanted);
    near(
        value(0),
        test(&|user, item| new_user(user, item) || new_item(user, item)),
        "cold",
    );
    near(value(1), test(&new_user), "new users");
    near(value(2), test(&new_item), "new items");
    let gap = |run: &Path| {
        [
            rmse(run, &ground.train, |_, _| true),
            rmse(run, &ground.test, |_, _| true),
        ]
    };
    let [train, whole] = gap(&runs[1]);
    near(value(3), train, "training");
    near(value(4), whole - train, "gap");
    let [train, whole] = gap(&turned);
    near(
        &found["gates"][5]["bound"],
        whole - train,
        "the champion's gap",
    );
}

#[test]
fn lists_are_compared_over_the_users_of_both() {
    let ground = ground();
    let other = ground.turned();
    let mut command = lowrank();
    command
        .arg("compare")
        .arg(&other)
        .arg(ground.folder.path("good"));
    // Without ratings there are only lists.
    let text = std::fs::read_to_string(&ground.test).unwrap();
    let pairs: Vec<String> = text
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0.to_owned())
        .collect();
    let pairs = ground.folder.write("pairs.csv", pairs.join("\n") + "\n");
    let by_compare = command
        .arg("--test")
        .arg(&pairs)
        .args(["--format", "json", "--quiet"]);
    let by_compare: Value = serde_json::from_str(&succeed(by_compare)).unwrap();
    let mut command = lowrank();
    command
        .arg("evaluate")
        .arg(ground.folder.path("good"))
        .args(["--quiet", "--against"])
        .arg(&other);
    command.arg("--test").arg(&pairs).args([
        "--gate",
        "ndcg@20 >= champion",
        "--gate",
        "recall@5 > popularity",
    ]);
    let (_, found) = judged(&mut command);
    let wanted = &by_compare["test"];
    close(
        &found["gates"][0]["value"],
        number(&wanted["second"]["ndcg@20"]),
        "ndcg@20",
    );
    close(
        &found["gates"][0]["bound"],
        number(&wanted["first"]["ndcg@20"]),
        "of the champion",
    );
    for (end, name) in ["low", "high"].into_iter().enumerate() {
        close(
            &found["gates"][0]["difference"][end],
            number(&wanted["ndcg@20"][name]),
            name,
        );
    }
    // A metric of a gate is measured beside the usual ones.
    assert!(
        found["recall@5"].is_number() && found["recall@20"].is_number(),
        "{found}"
    );
    let (code, message) = fail(command.args(["--gate", "rmse < 1"]));
    assert!(
        code == 2 && message.contains("the test file has no ratings"),
        "{message}"
    );
}

#[test]
fn what_cannot_be_measured_fails_and_what_cannot_be_asked_is_refused() {
    let ground = ground();
    let known: Vec<String> = std::fs::read_to_string(&ground.test)
        .unwrap()
        .lines()
        .filter(|line| !line.contains("body") && !line.contains("nothing"))
        .map(str::to_owned)
        .collect();
    let known = ground.folder.write("known.csv", known.join("\n") + "\n");
    let mut command = lowrank();
    command
        .arg("evaluate")
        .arg(ground.folder.path("good"))
        .args(["--quiet", "--gate", "rmse_cold <= 9"]);
    command.arg("--test").arg(&known);
    let (code, found) = judged(&mut command);
    assert_eq!((code, &found["gates"][0]["value"]), (3, &Value::Null));
    let note = found["gates"][0]["note"].as_str().unwrap();
    assert!(
        note.contains("not measurable") && note.contains("every user and item"),
        "{note}"
    );
    succeed(command.arg("--allow-unmeasured"));

    let test = ground.test.to_str().unwrap();
    for (more, wanted) in [
        (
            &["--gate", "rmse <= champoin"][..],
            "\"champoin\" at character 9",
        ),
        (&["--gate", "rmse <= champion"], "--against MODEL"),
        (&["--gate", "rmse <= popularity"], "not measured"),
        (&["--gate", "rmse_gap <= 1"], "--train FILE"),
        (&["--gate", "rmse <= knn"], "--train FILE"),
        (&["--gate", "log_loss <= 1"], "a model of probabilities"),
        (&["--clearly"], "--gate"),
        (&["--allow-unmeasured"], "--gate"),
    ] {
        let (code, message) = fail(&mut ground.evaluate("good", more));
        assert!(code == 2 && message.contains(wanted), "{more:?}: {message}");
    }
    let mut command = lowrank();
    command.args([
        "evaluate",
        "--predictions",
        test,
        "--test",
        test,
        "--gate",
        "rmse <= 1",
    ]);
    let (code, message) = fail(&mut command);
    assert!(
        code == 2 && message.contains("gates are about one"),
        "{message}"
    );
    let (code, _) = fail(&mut ground.evaluate("good", &["--against", "no-such-model"]));
    assert_eq!(code, 1);
}

#[test]
fn a_champion_that_remembers_the_test_is_warned_of_and_tables_say_all() {
    let ground = ground();
    let both = std::fs::read_to_string(&ground.train).unwrap()
        + std::fs::read_to_string(&ground.test)
            .unwrap()
            .split_once('\n')
            .unwrap()
            .1;
    let both = ground.folder.write("both.csv", both);
    let mut command = lowrank();
    command
        .arg("train")
        .arg(both)
        .args(["--quiet", "--bayes", "--factors", "2", "-o"]);
    succeed(command.arg(ground.folder.path("cheat")));
    let mut command = lowrank();
    command
        .arg("evaluate")
        .arg(ground.folder.path("good"))
        .arg("--against")
        .arg(ground.folder.path("cheat"));
    let gates = ["--gate", "rmse <= 2 * champion", "--gate", "rmse <= 9"];
    let output = command
        .arg("--test")
        .arg(&ground.test)
        .args(gates)
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        message.contains("the champion was trained on 405 pairs of the test"),
        "{message}"
    );
    let table = String::from_utf8(output.stdout).unwrap();
    for wanted in [
        "champion  diff from",
        "rmse <= 2 * champion  passed",
        "clear",
        "rmse <= 9",
    ] {
        assert!(table.contains(wanted), "{table}");
    }
    let csv = succeed(command.args(["--quiet", "--format", "csv"]));
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("gate,verdict,value,bound,diff from,diff to,remark")
    );
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("rmse <= 2 * champion,passed,"),
        "{csv}"
    );
    assert_eq!(lines.count(), 1);
}
