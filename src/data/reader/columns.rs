//! Which field is the user, which the item?
//!
//! Three answers, the first that applies:
//!
//! 1. the flag `--columns`: roles in order (`user,item,rating,_,timestamp`), or each by name or position (`user=uid,item=2,rating=score`);
//! 2. the names of the first line, if one of them is known (`user_id`, `MovieID`, `Book-Rating`, …) and none is a number; a name that says *id* goes before one that does not;
//! 3. the order: user, item, rating, and a fourth that is a time.
//!
//! Two columns without names could be clicks, or ratings that lost a column: they are an error.

use std::fmt::Write as _;
use std::path::Path;

use super::record::count;
use super::{ColumnSpec, Place, ReadOptions, Role, shown, values};
use crate::{Error, Result};

/// Names of columns, as [`plain`] makes them. Those of the first row outrank those of the second.
pub(super) type Names = [&'static str];
pub(super) const USER: [&str; 2] = [
    "userid uid customerid memberid reviewerid visitorid accountid profileid",
    "user customer member reviewer visitor account",
];
pub(super) const ITEM: [&str; 2] = [
    "itemid iid movieid filmid productid asin bookid isbn isbn10 isbn13 trackid songid albumid artistid gameid animeid \
     businessid articleid venueid locationid",
    "item movie film product book track song album artist game anime business article venue location",
];
const RATING: [&str; 2] = [
    "rating ratings userrating movierating bookrating itemrating",
    "score stars star value overall",
];
/// A file of predictions may hold the ratings too.
const PREDICTION: [&str; 3] = [
    "prediction predicted predictedrating pred estimate est",
    RATING[0],
    RATING[1],
];
const TIMESTAMP: [&str; 2] = ["timestamp", "time date datetime unixtime unixreviewtime"];
/// Never taken for a role by its name alone, but a name all the same.
const WEIGHT: [&str; 1] = ["weight"];

/// A name in small letters, without `_`, `-` and spaces.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-') && !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

fn is_one_of(name: &str, names: &str) -> bool {
    names.split(' ').any(|known| known == name)
}

/// Whether one of `header` is known.
pub(super) fn any_known(header: &[String], kinds: &[&Names]) -> bool {
    header.iter().map(|name| plain(name)).any(|name| {
        let mut ranks = kinds.iter().flat_map(|ranks| ranks.iter());
        ranks.any(|names| is_one_of(&name, names))
    })
}

/// Whether one of `fields` is a number, which no column is called.
pub(super) fn any_number(fields: &[String]) -> bool {
    fields.iter().any(|field| values::rating(field).is_some())
}

/// The columns of the best rank that `header` reaches.
pub(super) fn matching(header: &[String], ranks: &Names) -> Vec<usize> {
    let header: Vec<String> = header.iter().map(|name| plain(name)).collect();
    ranks
        .iter()
        .map(|names| {
            (0..header.len())
                .filter(|&n| is_one_of(&header[n], names))
                .collect::<Vec<_>>()
        })
        .find(|columns| !columns.is_empty())
        .unwrap_or_default()
}

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Ratings, or clicks where the file says so.
    Ratings,
    /// Users and items alone.
    Pairs,
    /// Users, items, and what somebody thinks of the pair in the rating's place.
    Predictions,
}

/// Which field of a record is what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) user: usize,
    pub(super) item: usize,
    pub(super) rating: Option<usize>,
    pub(super) timestamp: Option<usize>,
    pub(super) weight: Option<usize>,
    /// Fields of every record.
    pub(super) n_fields: usize,
    /// Whether the first record holds names.
    pub(super) header: bool,
}

impl Layout {
    /// From the first record of a file.
    pub(super) fn new(
        first: &[String],
        options: &ReadOptions,
        purpose: Purpose,
        path: &Path,
    ) -> Result<Layout> {
        let finder = Finder { first, path };
        let mut columns = match &options.columns {
            Some(spec) => finder.of_spec(spec)?,
            None if finder.are_names() => finder.of_names(purpose)?,
            None => finder.of_order(purpose)?,
        };
        let mut header = finder.are_names();
        if let Some(spec) = &options.columns {
            header |= spec.places.iter().any(|(_, p)| matches!(p, Place::Name(_)));
        }
        if let Some(name) = &options.weight {
            let place = Place::parse(name)?;
            header |= matches!(place, Place::Name(_));
            columns[Role::Weight as usize] = Some(finder.find(&place)?);
        }
        for (n, role) in Role::ALL.into_iter().enumerate() {
            let same =
                |other: &Role| columns[n].is_some() && columns[n] == columns[*other as usize];
            if let Some(other) = Role::ALL[..n].iter().find(|other| same(other)) {
                return Err(finder.error(
                    format!("one column as {} and {}", other.name(), role.name()),
                    "a column of its own for each role".into(),
                ));
            }
        }
        let [Some(user), Some(item), rating, timestamp, weight] = columns else {
            return Err(finder.missing("a user and an item"));
        };
        let only_pairs = purpose == Purpose::Pairs;
        let is_ratings = purpose == Purpose::Ratings;
        Ok(Layout {
            user,
            item,
            rating: rating.filter(|_| !only_pairs),
            timestamp: timestamp.filter(|_| is_ratings),
            weight: weight.filter(|_| is_ratings),
            n_fields: first.len(),
            header,
        })
    }

    /// The column of each role.
    pub(super) fn roles(&self) -> impl Iterator<Item = (Role, usize)> {
        let columns = [
            Some(self.user),
            Some(self.item),
            self.rating,
            self.timestamp,
            self.weight,
        ];
        Role::ALL
            .into_iter()
            .zip(columns)
            .filter_map(|(role, column)| Some((role, column?)))
    }
}

/// A column for each of [`Role::ALL`].
type Columns = [Option<usize>; 5];

/// Looks for columns in the first record of a file.
struct Finder<'a> {
    first: &'a [String],
    path: &'a Path,
}

impl Finder<'_> {
    fn error(&self, got: String, wanted: String) -> Error {
        Error::File {
            path: self.path.into(),
            got,
            wanted,
        }
    }

    fn missing(&self, what: &str) -> Error {
        self.error(
            format!("the columns {}", list(self.first)),
            format!("{what}: say which columns, --columns user=NAME,item=NAME,rating=NAME"),
        )
    }

    /// Whether these are names: two that can only be, or one and no number. (A film may be called "Time".)
    fn are_names(&self) -> bool {
        let both = any_known(self.first, &[&USER]) && any_known(self.first, &[&ITEM]);
        let kinds: [&Names; 5] = [&USER, &ITEM, &RATING, &TIMESTAMP, &WEIGHT];
        both || any_known(self.first, &kinds) && !any_number(self.first)
    }

    fn find(&self, place: &Place) -> Result<usize> {
        match place {
            Place::Position(n) if *n < self.first.len() => Ok(*n),
            Place::Position(n) => Err(self.error(
                format!(
                    "{} ({})",
                    count(self.first.len(), "column"),
                    list(self.first)
                ),
                format!("a column {}", n + 1),
            )),
            Place::Name(name) => {
                let exact = self.first.iter().position(|column| column == name);
                exact
                    .or_else(|| self.first.iter().position(|c| plain(c) == plain(name)))
                    .ok_or_else(|| {
                        self.error(
                            format!("the columns {}", list(self.first)),
                            format!("a column called {}", shown(name)),
                        )
                    })
            }
        }
    }

    fn of_spec(&self, spec: &ColumnSpec) -> Result<Columns> {
        let mut columns = [None; 5];
        for (role, place) in &spec.places {
            columns[*role as usize] = Some(self.find(place)?);
        }
        Ok(columns)
    }

    fn of_names(&self, purpose: Purpose) -> Result<Columns> {
        let mut columns = [None; 5];
        let rating: (Role, &Names) = match purpose {
            Purpose::Predictions => (Role::Rating, &PREDICTION),
            _ => (Role::Rating, &RATING),
        };
        let roles: [(Role, &Names); 4] = [
            (Role::User, &USER),
            (Role::Item, &ITEM),
            rating,
            (Role::Timestamp, &TIMESTAMP),
        ];
        let wanted = match purpose {
            Purpose::Pairs => 2,
            Purpose::Predictions => 3,
            Purpose::Ratings => 4,
        };
        for (role, ranks) in &roles[..wanted] {
            let role = *role;
            let found = matching(self.first, ranks);
            if let [a, b, ..] = found[..] {
                let name = role.name();
                return Err(self.error(
                    format!(
                        "two columns that could be the {name}: {} (column {}) and {} (column {})",
                        shown(&self.first[a]),
                        a + 1,
                        shown(&self.first[b]),
                        b + 1
                    ),
                    format!(
                        "one: say which, --columns user=NAME,item=NAME,rating=NAME{}",
                        if role == Role::Timestamp {
                            ",timestamp=NAME"
                        } else {
                            ""
                        }
                    ),
                ));
            }
            columns[role as usize] = found.first().copied();
        }
        let lacks = |role: Role| columns[role as usize].is_none();
        if lacks(Role::User) {
            return Err(self.missing("a user"));
        }
        if lacks(Role::Item) {
            return Err(self.missing("an item"));
        }
        if lacks(Role::Rating) && purpose == Purpose::Predictions {
            return Err(self.missing("a prediction (the rating's place)"));
        }
        // Clicks have no rating. But where a column has an unknown name, that may be the rating.
        let unknown =
            |n: &usize| !columns.contains(&Some(*n)) && plain(&self.first[*n]) != "weight";
        if lacks(Role::Rating)
            && purpose == Purpose::Ratings
            && (0..self.first.len()).any(|n| unknown(&n))
        {
            return Err(self.missing("a rating (or leave rating=NAME out if these are clicks)"));
        }
        Ok(columns)
    }

    fn of_order(&self, purpose: Purpose) -> Result<Columns> {
        let n = self.first.len();
        let unsplit = || {
            self.error(
                format!("a line of one field, {}", shown(&self.first[0])),
                "a user, an item and a rating, separated by a comma, a tab, a semicolon or ::; anything else with --sep".into(),
            )
        };
        match (purpose, n) {
            (_, 0 | 1) => Err(unsplit()),
            (Purpose::Pairs, _) => Ok([Some(0), Some(1), None, None, None]),
            (Purpose::Predictions, 2) => Err(self.error(
                format!("two columns without names, {}", list(self.first)),
                "a user, an item and a prediction".into(),
            )),
            (Purpose::Predictions, _) => Ok([Some(0), Some(1), Some(2), None, None]),
            (Purpose::Ratings, 2) => Err(self.error(
                format!("two columns without names, {}", list(self.first)),
                "a user, an item and a rating; or --columns user,item if these are clicks".into(),
            )),
            (Purpose::Ratings, 3) => Ok([Some(0), Some(1), Some(2), None, None]),
            (Purpose::Ratings, _) => {
                let time = n == 4 || values::timestamp(&self.first[3]).is_some();
                Ok([Some(0), Some(1), Some(2), time.then_some(3), None])
            }
        }
    }
}

/// Names in a message, about 200 characters of them.
fn list(names: &[String]) -> String {
    let mut text = String::new();
    for (n, name) in names.iter().enumerate() {
        if text.len() > 200 {
            let _ = write!(text, ", … ({} in all)", names.len());
            break;
        }
        let comma = if n > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{}", shown(name));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(line: &str, options: &ReadOptions, purpose: Purpose) -> Result<Layout> {
        let first: Vec<String> = line.split(',').map(str::to_owned).collect();
        Layout::new(&first, options, purpose, Path::new("r.csv"))
    }

    /// (user, item, rating, timestamp, header)
    type Found = (usize, usize, Option<usize>, Option<usize>, bool);

    fn found(line: &str, spec: Option<&str>) -> Found {
        let options = ReadOptions {
            columns: spec.map(|spec| spec.parse().unwrap()),
            ..ReadOptions::default()
        };
        let l = layout(line, &options, Purpose::Ratings).unwrap();
        (l.user, l.item, l.rating, l.timestamp, l.header)
    }

    #[test]
    fn a_prediction_goes_before_a_rating_where_predictions_are_read() {
        let plain = ReadOptions::default();
        let of = |line| layout(line, &plain, Purpose::Predictions).map(|l| (l.rating, l.header));
        assert_eq!(
            of("user,item,rating,prediction,time").unwrap(),
            (Some(3), true)
        );
        assert_eq!(of("user,item,score").unwrap(), (Some(2), true));
        assert_eq!(of("1,2,3.5,full").unwrap(), (Some(2), false));
        assert!(of("user,item,kind").is_err() && of("1,2").is_err());
    }

    #[test]
    fn names_say_what_a_column_is() {
        let cases: [(&str, Found); 9] = [
            ("user_id,movie_id,rating", (0, 1, Some(2), None, true)),
            (
                "Rating,UserID,timestamp,Movie Id",
                (1, 3, Some(0), Some(2), true),
            ),
            ("User-ID,ISBN,Book-Rating", (0, 1, Some(2), None, true)),
            ("userId,movieId,movie,rating", (0, 1, Some(3), None, true)),
            (",user,item,score", (1, 2, Some(3), None, true)),
            ("user,item", (0, 1, None, None, true)),
            ("user,item,time", (0, 1, None, Some(2), true)),
            ("user,item,weight", (0, 1, None, None, true)),
            ("user,item,rating,0", (0, 1, Some(2), None, true)),
        ];
        for (line, wanted) in cases {
            assert_eq!(found(line, None), wanted, "{line}");
        }
    }

    #[test]
    fn without_names_the_order_says_it() {
        assert_eq!(found("1,2,3", None), (0, 1, Some(2), None, false));
        assert_eq!(found("1,Time,3", None), (0, 1, Some(2), None, false));
        assert_eq!(found("1,2,3,4", None), (0, 1, Some(2), Some(3), false));
        assert_eq!(found("1,2,3,4,x", None), (0, 1, Some(2), Some(3), false));
        assert_eq!(found("1,2,3,x,4", None), (0, 1, Some(2), None, false));
        let pairs = layout("1,2,3", &ReadOptions::default(), Purpose::Pairs).unwrap();
        assert_eq!((pairs.user, pairs.item, pairs.rating), (0, 1, None));
    }

    #[test]
    fn the_flag_outranks_both() {
        let spec = Some("item,user,_,rating");
        assert_eq!(found("a,b,c,d", spec), (1, 0, Some(3), None, false));
        assert_eq!(
            found("user,item,x,rating", spec),
            (1, 0, Some(3), None, true)
        );
        let spec = Some("user=who,item=2,rating=What Ever");
        assert_eq!(
            found("what_ever,thing,who", spec),
            (2, 1, Some(0), None, true)
        );
        assert_eq!(found("7,8", Some("user,item")), (0, 1, None, None, false));
        assert_eq!(
            found("7,8", Some("user=2,item=1")),
            (1, 0, None, None, false)
        );
    }

    #[test]
    fn weights_are_taken_only_when_asked_for() {
        let weighted = |weight: &str, line: &str| {
            let options = ReadOptions {
                weight: Some(weight.into()),
                ..ReadOptions::default()
            };
            layout(line, &options, Purpose::Ratings)
        };
        assert_eq!(weighted("w", "user,item,rating,w").unwrap().weight, Some(3));
        assert_eq!(
            weighted("4", "1,2,3,9,0.5").unwrap_err().to_string(),
            "r.csv: got one column as timestamp and weight, wanted a column of its own for each role"
        );
        assert!(weighted("rating", "user,item,rating").is_err());
        assert!(weighted("x", "user,item,rating").is_err());
    }

    #[test]
    fn what_cannot_be_decided_is_an_error_that_shows_the_header() {
        let cases = [
            ("user,thing,rating", "an item"),
            ("who,movie,rating", "a user"),
            ("user,item,grade", "a rating"),
            (
                "user,item,rating,Rating",
                "two columns that could be the rating",
            ),
            (
                "user_id,movie_id,item_id,rating",
                "\"movie_id\" (column 2) and \"item_id\" (column 3)",
            ),
            ("1,2", "--columns user,item"),
            ("1", "one field"),
        ];
        for (line, words) in cases {
            let error = layout(line, &ReadOptions::default(), Purpose::Ratings).unwrap_err();
            let error = error.to_string();
            assert!(
                error.starts_with("r.csv: got") && error.contains(words),
                "{line}: {error}"
            );
        }
    }
}
