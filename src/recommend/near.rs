//! Which name was meant?
//!
//! The names at the least edit distance (Levenshtein, 1966): the number of characters to insert, delete or replace, where case does not
//! count. A number is near to itself with other leading zeros and to nothing else: 941 is no misspelling of 942. Only for the text of an error; cost: the length of the name squared, for every name there is.

use std::collections::BTreeSet;

/// Names longer than this are not compared: nobody types them, and the cost is their square.
const MAX_LENGTH: usize = 48;
/// How many names a hint shows.
const MAX_NAMES: usize = 3;
/// How many names are listed where none is near.
const MAX_LISTED: usize = 12;

/// "did you mean …?", or "" where no name is near.
pub(super) fn did_you_mean<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> String {
    let near = near(wanted, names);
    match near.is_empty() {
        true => String::new(),
        false => format!("did you mean {}?", quoted(near.into_iter())),
    }
}

/// "did you mean …?", or what there is.
pub(super) fn near_or_all<'a>(
    wanted: &str,
    what: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let hint = did_you_mean(wanted, names.clone());
    if !hint.is_empty() {
        return hint;
    }
    let n = names.clone().count();
    match n {
        0 => format!("there are no {what}"),
        n if n > MAX_LISTED => format!(
            "there are {n} {what}: {}, …",
            quoted(names.take(MAX_LISTED))
        ),
        _ => format!("the {what} are {}", quoted(names)),
    }
}

/// The first names, and that there are more.
pub(super) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = if names.len() > MAX_NAMES { ", …" } else { "" };
    format!("{}{more}", quoted(names.take(MAX_NAMES)))
}

/// What an id looks like: "the model has 943 users, such as …".
pub(super) fn such_as<'a>(what: &str, names: impl ExactSizeIterator<Item = &'a str>) -> String {
    match names.len() {
        0 => format!("the model has no {what}"),
        n => format!(
            "the model has {n} {what}, such as {}",
            quoted(names.take(MAX_NAMES))
        ),
    }
}

/// The nearest names within the allowed distance, nearest first, equal distances in their order.
fn near<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = folded(wanted);
    if wanted.len() > MAX_LENGTH {
        return Vec::new();
    }
    let allowed = wanted.len().div_ceil(3).clamp(1, 3);
    let number = is_number(&wanted);
    let mut best: BTreeSet<(usize, usize, &str)> = BTreeSet::new();
    for (position, name) in names.enumerate() {
        if name.len().abs_diff(wanted.len()) > 4 * allowed || name.len() > 4 * MAX_LENGTH {
            continue;
        }
        let folded = folded(name);
        let distance = match (number, is_number(&folded)) {
            (true, true) if without_zeros(&wanted) == without_zeros(&folded) => 0,
            (false, false) => distance(&wanted, &folded),
            _ => continue,
        };
        if distance <= allowed && distance < wanted.len() {
            best.insert((distance, position, name));
            if best.len() > MAX_NAMES {
                best.pop_last();
            }
        }
    }
    best.into_iter().map(|(_, _, name)| name).collect()
}

fn is_number(name: &[char]) -> bool {
    name.iter().all(char::is_ascii_digit)
}

fn without_zeros(name: &[char]) -> &[char] {
    let zeros = name.iter().take_while(|&&c| c == '0').count();
    &name[zeros..]
}

fn folded(name: &str) -> Vec<char> {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// Wagner and Fischer's table (1974), one row at a time.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replace = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("{name:?}")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_levenshteins() {
        let of = |a: &str, b: &str| distance(&folded(a), &folded(b));
        assert_eq!(of("kitten", "sitting"), 3);
        assert_eq!(of("", "abc"), 3);
        assert_eq!(of("Horror", "horror"), 0);
        assert_eq!(of("Horor", "horror"), 1);
    }

    #[test]
    fn the_nearest_come_first_and_strangers_not_at_all() {
        let names = ["Drama", "Horror", "Honor", "Sci-Fi"];
        assert_eq!(near("Horor", names.into_iter()), ["Horror", "Honor"]);
        assert_eq!(
            near("x", names.into_iter()),
            [""; 0],
            "one letter is near nothing"
        );
        assert_eq!(
            near_or_all("western", "values", names.into_iter()),
            r#"the values are "Drama", "Horror", "Honor", "Sci-Fi""#
        );
        assert_eq!(did_you_mean("western", names.into_iter()), "");
        assert_eq!(near("gnre", ["genres", "year"].into_iter()), ["genres"]);
        let numbers = ["2844", "0002844", "2845", "x2844"];
        assert_eq!(near("02844", numbers.into_iter()), ["2844", "0002844"]);
        assert_eq!(near(&"x".repeat(1000), names.into_iter()), [""; 0]);
    }
}
