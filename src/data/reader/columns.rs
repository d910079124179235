//! Which field is the user, which the item?
//!
//! Three answers, the first that applies:
//!
//! 1. the flag `--columns`: roles in order (`user,item,rating,_,timestamp`), or each by name or position (`user=uid,item=2,rating=score`);
//! 2. the names of the first line, if one of them is known (`user_id`, `MovieID`, `Book-Rating`, …); a name that says *id* goes before one that does not;
//! 3. the order: user, item, rating, and a fourth that is a time.
//!
//! Two columns without names could be clicks, or ratings that lost a column: they are an error.

use std::fmt::Write as _;
use std::path::Path;
use std::str::FromStr;

use super::records::count;
use super::{ReadOptions, shown, values};
use crate::{Error, Result};

/// What a column of a ratings file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who rates.
    User,
    /// What is rated.
    Item,
    /// The number.
    Rating,
    /// When.
    Timestamp,
    /// How much the rating counts.
    Weight,
}

impl Role {
    const ALL: [Role; 5] = [
        Role::User,
        Role::Item,
        Role::Rating,
        Role::Timestamp,
        Role::Weight,
    ];

    /// Its name in `--columns` and in reports.
    pub fn name(self) -> &'static str {
        ["user", "item", "rating", "timestamp", "weight"][self as usize]
    }
}

/// Names of columns, as [`plain`] makes them. Those of the first row outrank those of the second.
const USER: [&[&str]; 2] = [
    &[
        "userid",
        "uid",
        "customerid",
        "memberid",
        "reviewerid",
        "visitorid",
        "accountid",
        "profileid",
    ],
    &[
        "user", "customer", "member", "reviewer", "visitor", "account",
    ],
];
const ITEM: [&[&str]; 2] = [
    &[
        "itemid",
        "iid",
        "movieid",
        "filmid",
        "productid",
        "asin",
        "bookid",
        "isbn",
        "isbn10",
        "isbn13",
        "trackid",
        "songid",
        "albumid",
        "artistid",
        "gameid",
        "animeid",
        "businessid",
        "articleid",
        "venueid",
        "locationid",
    ],
    &[
        "item", "movie", "film", "product", "book", "track", "song", "album", "artist", "game",
        "anime", "business", "article", "venue", "location",
    ],
];
const RATING: [&[&str]; 2] = [
    &[
        "rating",
        "ratings",
        "userrating",
        "movierating",
        "bookrating",
        "itemrating",
    ],
    &["score", "stars", "star", "value", "overall"],
];
const TIMESTAMP: [&[&str]; 2] = [
    &["timestamp"],
    &["time", "date", "datetime", "unixtime", "unixreviewtime"],
];
/// In files of users and items.
const ID: [&[&str]; 1] = [&["id"]];
const TITLE: [&[&str]; 2] = [
    &[
        "title",
        "name",
        "movietitle",
        "itemtitle",
        "booktitle",
        "producttitle",
        "moviename",
        "itemname",
        "productname",
        "username",
    ],
    &[
        "movie", "film", "product", "book", "track", "song", "album", "artist", "game", "anime",
    ],
];
const FEATURE: [&[&str]; 1] = [&["genre", "genres"]];
/// Never taken for a role by its name alone, but a name all the same.
const WEIGHT: [&[&str]; 1] = [&["weight"]];

/// A name in small letters, without `_`, `-` and spaces.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-') && !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

fn is_any(name: &str, kinds: &[&[&[&str]]]) -> bool {
    let name = plain(name);
    kinds
        .iter()
        .flat_map(|ranks| ranks.iter())
        .any(|names| names.contains(&name.as_str()))
}

/// The columns of the best rank that `names` reach.
fn matching(header: &[String], ranks: &[&[&str]]) -> Vec<usize> {
    ranks
        .iter()
        .map(|names| {
            (0..header.len())
                .filter(|&n| names.contains(&plain(&header[n]).as_str()))
                .collect::<Vec<_>>()
        })
        .find(|columns| !columns.is_empty())
        .unwrap_or_default()
}

/// Which column is what, as `--columns` says it.
///
/// ```
/// use lowrank::data::reader::ColumnSpec;
/// let by_order: ColumnSpec = "item,user,_,rating".parse()?;
/// let by_name: ColumnSpec = "user=uid,item=2,rating=score".parse()?;
/// assert!("user,rating".parse::<ColumnSpec>().is_err());
/// # Ok::<(), lowrank::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    places: Vec<(Role, Place)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Counted from 0.
    Position(usize),
    Name(String),
}

impl Place {
    fn parse(text: &str) -> Result<Place> {
        match text.parse::<usize>() {
            Ok(0) => Err(spec_error("column 0", "columns counted from 1")),
            Ok(position) => Ok(Place::Position(position - 1)),
            Err(_) => Ok(Place::Name(text.to_owned())),
        }
    }
}

fn spec_error(got: impl Into<String>, wanted: &str) -> Error {
    Error::config("columns", got.into(), wanted)
}

impl FromStr for ColumnSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<ColumnSpec> {
        const FORMS: &str = "roles in order such as user,item,rating,_,timestamp or each by name or position such as user=uid,item=2,rating=score";
        let by_name = text.contains('=');
        let mut spec = ColumnSpec { places: Vec::new() };
        for (n, part) in text.split(',').enumerate() {
            let part = part.trim();
            let (role, place) = match part.split_once('=') {
                Some((role, place)) => (role.trim(), Place::parse(place.trim())?),
                None if by_name => return Err(spec_error(shown(part), FORMS)),
                None if matches!(part, "_" | "-" | "") => continue,
                None => (part, Place::Position(n)),
            };
            let Some(role) = Role::ALL
                .into_iter()
                .find(|r| r.name() == role || (*r == Role::Timestamp && role == "time"))
            else {
                return Err(spec_error(
                    shown(role),
                    "one of user, item, rating, timestamp, weight, or _ for a column to skip",
                ));
            };
            if place == Place::Name(String::new()) {
                return Err(spec_error(shown(part), FORMS));
            }
            spec.add(role, place)?;
        }
        for role in [Role::User, Role::Item] {
            if spec.places.iter().all(|(r, _)| *r != role) {
                let got = format!("{} without {}", shown(text), role.name());
                return Err(spec_error(got, FORMS));
            }
        }
        Ok(spec)
    }
}

impl ColumnSpec {
    fn add(&mut self, role: Role, place: Place) -> Result<()> {
        if self.places.iter().any(|(r, _)| *r == role) {
            let got = format!("two columns for {}", role.name());
            return Err(spec_error(got, "one"));
        }
        if let Some((other, _)) = self.places.iter().find(|(_, p)| *p == place) {
            let got = format!("one column as {} and {}", other.name(), role.name());
            return Err(spec_error(got, "a column of its own for each role"));
        }
        self.places.push((role, place));
        Ok(())
    }
}

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Ratings, or clicks where the file says so.
    Ratings,
    /// Users and items alone.
    Pairs,
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
            None if finder.has_known_name() => finder.of_names(purpose)?,
            None => finder.of_order(purpose)?,
        };
        let mut header = finder.has_known_name();
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
        Ok(Layout {
            user,
            item,
            rating: rating.filter(|_| !only_pairs),
            timestamp: timestamp.filter(|_| !only_pairs),
            weight: weight.filter(|_| !only_pairs),
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

    fn has_known_name(&self) -> bool {
        let kinds: [&[&[&str]]; 5] = [&USER, &ITEM, &RATING, &TIMESTAMP, &WEIGHT];
        self.first.iter().any(|name| is_any(name, &kinds))
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
        for (role, ranks) in [
            (Role::User, USER),
            (Role::Item, ITEM),
            (Role::Rating, RATING),
            (Role::Timestamp, TIMESTAMP),
        ] {
            let found = matching(self.first, &ranks);
            if purpose == Purpose::Pairs && role as usize >= Role::Rating as usize {
                continue;
            }
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

/// Which field of a side file is what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SideLayout {
    pub(super) id: usize,
    pub(super) title: Option<usize>,
    /// The other columns, with their names.
    pub(super) others: Vec<(usize, String)>,
    pub(super) n_fields: usize,
    pub(super) header: bool,
}

impl SideLayout {
    /// From the first record of a file of users (`users`) or items.
    pub(super) fn new(first: &[String], users: bool, path: &Path) -> Result<SideLayout> {
        let finder = Finder { first, path };
        let own = if users { USER } else { ITEM };
        let kinds: [&[&[&str]]; 4] = [&own, &ID, &TITLE[..1], &FEATURE];
        let header = first.iter().any(|name| is_any(name, &kinds));
        let (id, title) = if header {
            let at = |ranks: &[&[&str]]| matching(first, ranks).first().copied();
            let id = at(&own[..1]).or(at(&ID)).or(at(&own[1..])).unwrap_or(0);
            let titles = if users { &TITLE[..1] } else { &TITLE[..] };
            let title = titles
                .iter()
                .find_map(|names| at(&[names]).filter(|&n| n != id));
            (id, title)
        } else {
            // Of a file of users without names, all are columns.
            (0, (!users && first.len() > 1).then_some(1))
        };
        let others: Vec<(usize, String)> = (0..first.len())
            .filter(|&n| n != id && Some(n) != title)
            .map(|n| match first[n].trim() {
                name if header && !name.is_empty() => (n, name.to_owned()),
                _ => (n, format!("column{}", n + 1)),
            })
            .collect();
        for (n, (column, name)) in others.iter().enumerate() {
            if let Some((other, _)) = others[..n].iter().find(|(_, other)| other == name) {
                return Err(finder.error(
                    format!(
                        "two columns called {} ({} and {})",
                        shown(name),
                        other + 1,
                        column + 1
                    ),
                    "each name once".into(),
                ));
            }
        }
        Ok(SideLayout {
            id,
            title,
            others,
            n_fields: first.len(),
            header,
        })
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
    fn names_say_what_a_column_is() {
        let cases: [(&str, Found); 8] = [
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
        ];
        for (line, wanted) in cases {
            assert_eq!(found(line, None), wanted, "{line}");
        }
    }

    #[test]
    fn without_names_the_order_says_it() {
        assert_eq!(found("1,2,3", None), (0, 1, Some(2), None, false));
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

    #[test]
    fn a_flag_that_makes_no_sense_is_refused() {
        for text in [
            "",
            "user",
            "user,rating",
            "user,item,item",
            "user,item,stars",
            "user=1,item",
            "user=1,item=1",
            "user=0,item=1",
            "user=,item=2",
            "user=a,item=b,user=c",
            "=a,user=b,item=c",
        ] {
            let error = text.parse::<ColumnSpec>().unwrap_err();
            assert!(matches!(error, Error::Config { .. }), "{text:?}");
        }
    }

    #[test]
    fn side_files_have_an_id_a_title_and_the_rest() {
        let side = |line: &str, users: bool| {
            let first: Vec<String> = line.split(',').map(str::to_owned).collect();
            let l = SideLayout::new(&first, users, Path::new("s.csv")).unwrap();
            let others: Vec<String> = l.others.into_iter().map(|(_, name)| name).collect();
            (l.id, l.title, others.join(","), l.header)
        };
        let of = |id, title, others: &str, header| (id, title, others.to_owned(), header);
        assert_eq!(
            side("item_id,title,genres,year", false),
            of(0, Some(1), "genres,year", true)
        );
        assert_eq!(
            side("genres,name,movieId", false),
            of(2, Some(1), "genres", true)
        );
        assert_eq!(
            side("movie_id,movie,genre", false),
            of(0, Some(1), "genre", true)
        );
        assert_eq!(side("movie,id", false), of(1, Some(0), "", true));
        assert_eq!(side("code,genres", false), of(0, None, "genres", true));
        assert_eq!(
            side("1,Toy Story,Comedy", false),
            of(0, Some(1), "column3", false)
        );
        assert_eq!(side("1,F,25", true), of(0, None, "column2,column3", false));
        assert_eq!(side("user_id,age,", true), of(0, None, "age,column3", true));
    }
}
