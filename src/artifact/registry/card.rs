//! What should somebody know who is given the model?
//!
//! A model card in the form of the model hubs: Markdown after a head of YAML. It says what the run's record says, and nothing of the machine: inputs by role and fingerprint, never by path.

use std::fmt::Write;

use serde_json::Value;

use super::about::{About, figures};
use super::names::is_name;
use crate::model::Meaning;

/// What the card says beside the push.
pub(super) struct Facts {
    pub(super) n_users: usize,
    pub(super) n_items: usize,
    pub(super) n_factors: usize,
    pub(super) meaning: Meaning,
    /// The run's record, or null.
    pub(super) record: Value,
}

/// The settings that are paths.
const PATHS: [&str; 6] = ["add", "init", "items", "users", "valid", "warm-start"];

/// The card.
pub(super) fn text(about: &About, facts: &Facts) -> String {
    let parts = [
        head(facts),
        what(about, facts),
        trained_on(facts),
        how(facts),
        measured(facts),
        use_and_limits(facts),
        commands(about),
    ];
    parts.join("\n")
}

fn head(facts: &Facts) -> String {
    let mut text = String::from("---\nlibrary_name: lowrank\ntags:\n");
    for tag in [
        "recommender-system",
        "collaborative-filtering",
        "matrix-factorization",
    ] {
        let _ = writeln!(text, "- {tag}");
    }
    let figures = figures(&facts.record["result"]["valid"]);
    if !figures.is_empty() {
        text.push_str("metrics:\n");
    }
    for (metric, _) in figures {
        // In quotes: YAML has its own ideas of `@`.
        let _ = writeln!(text, "- \"{}\"", plain(metric));
    }
    text + "---\n"
}

fn what(about: &About, facts: &Facts) -> String {
    let score = match facts.meaning {
        Meaning::Rating => "a predicted rating",
        Meaning::Probability => "a probability",
        _ => "a rank: it compares the items of one user, nothing else",
    };
    let made = facts.record["version"].as_str().unwrap_or(&about.lowrank);
    format!(
        "# {}, version {}\n\n\
        Matrix factorization of {} users and {} items with {} factors, by [lowrank](https://crates.io/crates/lowrank) {}. Its score is {score}.\n",
        about.name,
        about.version,
        facts.n_users,
        facts.n_items,
        facts.n_factors,
        plain(made)
    )
}

fn trained_on(facts: &Facts) -> String {
    let mut text = String::from("## Trained on\n\n");
    let record = &facts.record;
    let inputs = record["inputs"].as_array();
    if let Some(inputs) = inputs.filter(|inputs| !inputs.is_empty()) {
        text.push_str("| input | bytes | SHA-256 |\n|---|---|---|\n");
        for input in inputs {
            // A cache is what its text is.
            let source = Some(&input["source"]).filter(|source| !source.is_null());
            let file = source.unwrap_or(input);
            let _ = writeln!(
                text,
                "| {} | {} | {} |",
                word(&input["role"]),
                word(&file["bytes"]),
                word(&file["sha256"])
            );
        }
        text.push('\n');
    }
    let counts = record["counts"].as_object().into_iter().flatten();
    let counts: Vec<String> = counts
        .map(|(name, value)| format!("{} {}", plain(name), word(value)))
        .collect();
    match counts.is_empty() {
        true => text.push_str("The run left no record of what it was trained on.\n"),
        false => {
            let _ = writeln!(text, "Counts: {}.", counts.join(", "));
        }
    }
    for side in ["items", "users"] {
        let names = record["features"][side].as_array().into_iter().flatten();
        let names: Vec<String> = names.map(word).collect();
        if !names.is_empty() {
            let _ = writeln!(text, "\nFeatures of the {side}: {}.", names.join(", "));
        }
    }
    text
}

fn how(facts: &Facts) -> String {
    let mut text = String::from("## How\n\n");
    for line in facts.record["recipe"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "- {}", word(line));
    }
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
    text.push_str("```toml\n");
    let config = facts.record["config"].as_object().into_iter().flatten();
    for (key, value) in config.filter(|(key, _)| is_name(key)) {
        let _ = writeln!(text, "{key} = {}", setting(key, value));
    }
    text + "```\n"
}

/// A setting as TOML has it; of a path its last name.
fn setting(key: &str, value: &Value) -> String {
    if let Some(all) = value.as_array() {
        let all: Vec<String> = all.iter().map(|value| setting(key, value)).collect();
        return format!("[{}]", all.join(", "));
    }
    let is_path = |text: &str| {
        let drive = text.as_bytes().get(1) == Some(&b':') && text.contains('\\');
        PATHS.contains(&key) || text.starts_with('/') || text.starts_with("\\\\") || drive
    };
    match value.as_str() {
        Some(text) if is_path(text) => {
            let last = text.rsplit(['/', '\\']).find(|part| !part.is_empty());
            Value::from(last.unwrap_or(text)).to_string()
        }
        _ => value.to_string(),
    }
}

fn measured(facts: &Facts) -> String {
    let result = &facts.record["result"];
    let own = figures(&result["valid"]);
    if own.is_empty() {
        return "## Figures\n\nNothing was held out from the training of this model. `lowrank evaluate` measures it on a test file, beside simple baselines.\n".into();
    }
    let names: Vec<String> = own.iter().map(|(name, _)| plain(name)).collect();
    let mut text = format!(
        "## Figures\n\nOn what was held out ({} rows), beside models without factors:\n\n| model | {} |\n|---|{}\n",
        word(&facts.record["counts"]["valid"]),
        names.join(" | "),
        "---|".repeat(names.len())
    );
    let mut line = |model: &str, figures: &[(&str, f64)]| {
        let value = |(name, _): &(&str, f64)| {
            let found = figures.iter().find(|(other, _)| other == name);
            found.map_or(String::new(), |(_, value)| format!("{value:.4}"))
        };
        let values: Vec<String> = own.iter().map(value).collect();
        let _ = writeln!(text, "| {} | {} |", plain(model), values.join(" | "));
    };
    line("this model", &own);
    for (name, baseline) in result["baselines"].as_object().into_iter().flatten() {
        line(name, &figures(baseline));
    }
    text
}

fn use_and_limits(facts: &Facts) -> String {
    let cold = match facts.meaning {
        Meaning::Rating => {
            "Users that training never saw get what the mean, the item's bias and their features say, and nothing of their own taste"
        }
        _ => "Users that training never saw get the same order as any other newcomer",
    };
    format!(
        "## Intended use\n\n\
        Ranking these {} items for people like these {} users, finding similar items, and study. \
        It was judged, if at all, on ratings of the kind it was trained on; measure it on your own before you rely on it.\n\n\
        ## Limits\n\n\
        - {cold}; `recommend --history` finds a row for them from a few ratings.\n\
        - Items that training never saw have their features alone; items that are not in the model are never recommended.\n\
        - What is rated often is learnt best and recommended most: lists lean towards it.\n\
        - The model knows the taste of the time in which its ratings were given.\n\
        - The file holds the ids of its users and which items they rated: give it to nobody who may not see them.\n",
        facts.n_items, facts.n_users
    )
}

fn commands(about: &About) -> String {
    let About { name, version, .. } = about;
    format!(
        "## How to use it\n\n```sh\n\
        lowrank registry pull REGISTRY/{name}@{version} -o {name}\n\
        lowrank recommend {name} --user USER -n 10\n\
        lowrank predict {name} --user USER --item ITEM\n```\n"
    )
}

/// A value as text: without the quotes of JSON.
fn word(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => plain(text),
        other => plain(&other.to_string()),
    }
}

/// Text that is nothing but text in Markdown and in a YAML string.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '|' | '<' | '>' | '`' | '*' | '[' | ']' | '\\' | '"' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_card_says_what_the_record_says_and_no_path() {
        let about = About {
            name: "movies".into(),
            version: 8,
            pushed: 0,
            run: "/home/ann/run".into(),
            lowrank: "9".into(),
        };
        let record = json!({
            "version": "0.1.0",
            "inputs": [{"role": "ratings", "path": "/home/ann/r.csv", "bytes": 5, "sha256": "ab"},
                {"role": "valid", "path": "/home/ann/v", "bytes": 1, "sha256": "x", "source": {"path": "/home/ann/v.csv", "bytes": 7, "sha256": "cd"}}],
            "config": {"add": ["/home/ann/a.csv", "ann/b.csv"], "warm-start": "ann/run", "items": "/home/ann/items.csv", "valid": "C:\\Users\\ann\\v.csv", "other": "/home/ann/x", "factors": 8, "l2": ["12"], "b\n```": 1},
            "counts": {"train": 9, "valid": 3},
            "features": {"items": ["a|b\n# c"]},
            "result": {"valid": {"ndcg@20": 0.25, "rmse": 1.5}, "baselines": {"biases": {"rmse": 2.0}}},
        });
        let mut facts = Facts {
            n_users: 60,
            n_items: 40,
            n_factors: 8,
            meaning: Meaning::Rating,
            record,
        };
        let card = text(&about, &facts);
        for wanted in [
            "---\nlibrary_name: lowrank\n",
            "metrics:\n- \"ndcg@20\"\n- \"rmse\"\n---\n\n# movies, version 8\n",
            "| ratings | 5 | ab |\n| valid | 7 | cd |\n",
            "Counts: train 9, valid 3.",
            "Features of the items: a&#124;b # c.",
            "```toml\nadd = [\"a.csv\", \"b.csv\"]\nfactors = 8\nitems = \"items.csv\"\nl2 = [\"12\"]\nother = \"x\"\nvalid = \"v.csv\"\nwarm-start = \"run\"\n```\n",
            "| this model | 0.2500 | 1.5000 |\n| biases |  | 2.0000 |\n",
            "lowrank registry pull REGISTRY/movies@8 -o movies\n",
        ] {
            assert!(card.contains(wanted), "no {wanted} in\n{card}");
        }
        assert!(!card.contains("ann"), "{card}");
        facts.record = Value::Null;
        let card = text(&about, &facts);
        assert!(card.contains("left no record") && card.contains("Nothing was held out"));
        assert!(!card.contains("metrics:"));
    }
}
