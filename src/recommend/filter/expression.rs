//! How is a condition written?
//!
//! ```text
//! expression = all { "|" all }                             or
//! all        = one { "&" one }                             and; it binds more tightly than or
//! one        = "!" one | "(" expression ")" | test
//! test       = column ("=" | "!=" | "<" | "<=" | ">" | ">=") value
//!            | column "in" value { "," value } | column "in" number ".." number         both ends belong to the range
//! ```
//!
//! A column or a value in double quotes is taken as it is, `\"` and `\\` within. Without quotes a column ends at an operator, and a value at `&`, at `|`, at a bracket that it
//! did not open, in a list also at a comma; spaces around it are none of it, spaces within are. What the names mean is left to `apply`.

use std::str::FromStr;

use crate::model::measure::number;
use crate::{Error, Result};

/// Brackets and negations within each other: more are no condition that anybody wrote.
const DEEPEST: usize = 64;

/// A condition on the columns of the items (or of the users, where users are looked for).
///
/// ```
/// use lowrank::recommend::Condition;
/// let condition: Condition = "genre=Horror & (year in 1990..1999 | !director=Lang)".parse()?;
/// assert_eq!("genre=Horror".parse::<Condition>()?, Condition::having("genre", "Horror"));
/// let error = "genre=".parse::<Condition>().unwrap_err();
/// assert_eq!(error.to_string(), r#"where: got the end at character 7 of "genre=", wanted a value"#);
/// # Ok::<(), lowrank::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(pub(super) Node);

/// A part of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// At least one of these.
    Any(Vec<Node>),
    /// All of these.
    All(Vec<Node>),
    Not(Box<Node>),
    Test {
        column: String,
        test: Test,
    },
}

/// What is asked of the values of a row in a column: one that meets it is enough.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// One of these.
    Is(Vec<String>),
    Less(f64),
    AtMost(f64),
    Greater(f64),
    AtLeast(f64),
    /// Both ends belong to it.
    Within(f64, f64),
}

impl Condition {
    /// The row has `value` in `column`, perhaps among others.
    pub fn having(column: impl Into<String>, value: impl Into<String>) -> Condition {
        Condition(Node::Test {
            column: column.into(),
            test: Test::Is(vec![value.into()]),
        })
    }

    /// This condition does not hold.
    pub fn negated(self) -> Condition {
        Condition(Node::Not(Box::new(self.0)))
    }
}

impl FromStr for Condition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Condition> {
        let mut parser = Parser {
            text,
            at: 0,
            depth: 0,
        };
        let node = parser.expression()?;
        match parser.peek() {
            None => Ok(Condition(node)),
            Some(_) => Err(parser.wanted("& or | or the end")),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    /// The byte that is next.
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// The next character that is no space.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        self.rest().chars().next()
    }

    /// Takes `sign`, if it is next.
    fn take(&mut self, sign: &str) -> bool {
        self.peek();
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    /// The error of what stands here.
    fn wanted(&mut self, wanted: &str) -> Error {
        let got = match self.peek() {
            Some(c) => format!("{:?}", c.to_string()),
            None => "the end".into(),
        };
        self.wanted_at(self.at, got, wanted)
    }

    fn wanted_at(&self, at: usize, got: String, wanted: &str) -> Error {
        let place = self.text[..at].chars().count() + 1;
        let got = format!("{got} at character {place} of {:?}", self.text);
        Error::config("where", got, wanted)
    }

    fn expression(&mut self) -> Result<Node> {
        let mut any = vec![self.all()?];
        while self.take("|") {
            any.push(self.all()?);
        }
        Ok(single_or(any, Node::Any))
    }

    fn all(&mut self) -> Result<Node> {
        let mut all = vec![self.one()?];
        while self.take("&") {
            all.push(self.one()?);
        }
        Ok(single_or(all, Node::All))
    }

    fn one(&mut self) -> Result<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wanted("fewer brackets and negations within each other"));
        }
        let node = if self.take("!") {
            Node::Not(Box::new(self.one()?))
        } else if self.take("(") {
            let node = self.expression()?;
            if !self.take(")") {
                return Err(self.wanted("& or | or )"));
            }
            node
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn test(&mut self) -> Result<Node> {
        let column = self.column()?;
        let mut negated = false;
        let test = if self.take("!=") {
            negated = true;
            Test::Is(vec![self.value(false)?.0])
        } else if self.take("<=") {
            Test::AtMost(self.number()?)
        } else if self.take("<") {
            Test::Less(self.number()?)
        } else if self.take(">=") {
            Test::AtLeast(self.number()?)
        } else if self.take(">") {
            Test::Greater(self.number()?)
        } else if self.take("=") {
            Test::Is(vec![self.value(false)?.0])
        } else if self.word_in().is_some() {
            self.at += "in".len();
            self.list()?
        } else {
            return Err(self.wanted("one of = != < <= > >= in, as in genre=Horror"));
        };
        let node = Node::Test { column, test };
        Ok(match negated {
            true => Node::Not(Box::new(node)),
            false => node,
        })
    }

    /// Whether the word `in` is next.
    fn word_in(&mut self) -> Option<()> {
        self.peek();
        let after = self.rest().strip_prefix("in")?;
        after
            .starts_with(|c: char| c.is_whitespace() || c == '"')
            .then_some(())
    }

    fn column(&mut self) -> Result<String> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let start = self.at;
        while let Some(c) = self.rest().chars().next() {
            let space = c.is_whitespace() && {
                let before = self.at;
                let word = self.word_in().is_some();
                self.at = before;
                word
            };
            if space || "=!<>&|()\"".contains(c) {
                break;
            }
            self.at += c.len_utf8();
        }
        let name = self.text[start..self.at].trim();
        if name.is_empty() {
            return Err(self.wanted("the name of a column"));
        }
        Ok(name.into())
    }

    /// `"…"`, with `\"` and `\\` within.
    fn quoted(&mut self) -> Result<String> {
        let start = self.at;
        let mut value = String::new();
        let mut chars = self.text[start + 1..].char_indices();
        while let Some((n, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + 1 + n + 1;
                    return Ok(value);
                }
                '\\' => match chars.next() {
                    Some((_, c @ ('"' | '\\'))) => value.push(c),
                    Some((_, c)) => value.extend(['\\', c]),
                    None => break,
                },
                c => value.push(c),
            }
        }
        Err(self.wanted_at(start, "a quote".into(), "a second quote that ends it"))
    }

    /// A value, and the byte where it starts if it is not quoted.
    fn value(&mut self, in_list: bool) -> Result<(String, Option<usize>)> {
        if self.peek() == Some('"') {
            return Ok((self.quoted()?, None));
        }
        let (start, mut open) = (self.at, 0usize);
        while let Some(c) = self.rest().chars().next() {
            match c {
                '&' | '|' => break,
                ')' if open == 0 => break,
                ',' if in_list => break,
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            self.at += c.len_utf8();
        }
        let value = self.text[start..self.at].trim();
        if value.is_empty() {
            return Err(self.wanted("a value"));
        }
        Ok((value.into(), Some(start)))
    }

    fn number(&mut self) -> Result<f64> {
        self.peek();
        let start = self.at;
        let (text, _) = self.value(false)?;
        self.number_of(&text, start)
    }

    fn number_of(&self, text: &str, at: usize) -> Result<f64> {
        let wanted = "a number: < <= > >= and .. compare numbers";
        number(text).ok_or_else(|| self.wanted_at(at, format!("{text:?}"), wanted))
    }

    fn list(&mut self) -> Result<Test> {
        let mut values = Vec::new();
        loop {
            let (value, start) = self.value(true)?;
            if let (Some(start), Some((from, to)), true) =
                (start, value.split_once(".."), values.is_empty())
            {
                let (from, to) = (self.number_of(from, start)?, self.number_of(to, start)?);
                return match from <= to {
                    true => Ok(Test::Within(from, to)),
                    false => Err(self.wanted_at(start, value, "a range that does not fall")),
                };
            }
            values.push(value);
            if !self.take(",") {
                return Ok(Test::Is(values));
            }
        }
    }
}

fn single_or(mut nodes: Vec<Node>, several: fn(Vec<Node>) -> Node) -> Node {
    match nodes.len() {
        1 => nodes.remove(0),
        _ => several(nodes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Node {
        text.parse::<Condition>().unwrap().0
    }

    fn is(column: &str, value: &str) -> Node {
        Condition::having(column, value).0
    }

    fn not(node: Node) -> Node {
        Node::Not(Box::new(node))
    }

    fn test(column: &str, test: Test) -> Node {
        let column = column.into();
        Node::Test { column, test }
    }

    #[test]
    fn a_test_is_split_at_its_first_operator() {
        assert_eq!(parse("a=b"), is("a", "b"));
        assert_eq!(parse("a!=b"), not(is("a", "b")));
        assert_eq!(parse(" a = b=c "), is("a", "b=c"), "values may have one");
        assert_eq!(parse("a<=-1.5"), test("a", Test::AtMost(-1.5)));
        assert_eq!(parse("a < 3"), test("a", Test::Less(3.0)));
        assert_eq!(parse("a>=3"), test("a", Test::AtLeast(3.0)));
        assert_eq!(
            parse("release year>3"),
            test("release year", Test::Greater(3.0))
        );
        assert_eq!(
            parse("a=Sci-Fi, mostly (so to say)"),
            is("a", "Sci-Fi, mostly (so to say)")
        );
    }

    #[test]
    fn lists_and_ranges_follow_the_word_in() {
        let list = |values: &[&str]| Test::Is(values.iter().map(|&v| v.into()).collect());
        assert_eq!(parse("a in b, c d ,e"), test("a", list(&["b", "c d", "e"])));
        assert_eq!(parse("a in \"b, c\""), test("a", list(&["b, c"])));
        assert_eq!(
            parse("a in 1990..1999"),
            test("a", Test::Within(1990.0, 1999.0))
        );
        assert_eq!(parse("a in \"1..2\""), test("a", list(&["1..2"])));
        // A column whose name begins so.
        assert_eq!(parse("in index=3"), is("in index", "3"));
        assert_eq!(parse("a inner=3"), is("a inner", "3"));
    }

    #[test]
    fn and_binds_more_tightly_than_or_and_brackets_more_than_both() {
        let [a, b, c] = ["a", "b", "c"].map(|name| is(name, "1"));
        let (any, all) = (Node::Any, Node::All);
        assert_eq!(
            parse("a=1 | b=1 & c=1"),
            any(vec![a.clone(), all(vec![b.clone(), c.clone()])])
        );
        assert_eq!(
            parse("(a=1|b=1)&c=1"),
            all(vec![any(vec![a.clone(), b.clone()]), c.clone()])
        );
        assert_eq!(parse("!(a=1) & !!b=1"), all(vec![not(a), not(not(b))]));
    }

    #[test]
    fn quotes_hold_what_would_be_an_operator() {
        assert_eq!(
            parse(r#""a&b" = "c | \"d\" \\ \e""#),
            is("a&b", r#"c | "d" \ \e"#)
        );
    }

    #[test]
    fn an_error_says_where_what_and_what_was_wanted() {
        for (text, words) in [
            ("", "the end at character 1"),
            ("a", "the end at character 2"),
            ("=b", "\"=\" at character 1"),
            ("a=", "the end at character 3"),
            ("a!=", "a value"),
            ("a=1 &", "the name of a column"),
            ("ä=1 & b<x", "\"x\" at character 9"),
            ("a in 9..1", "a range that does not fall"),
            ("a in 1..", "compare numbers"),
            ("a<nan", "compare numbers"),
            ("(a=1", "& or | or )"),
            ("a=1)", "\")\" at character 4"),
            ("a=\"b", "a second quote"),
            ("a=\"b\\", "a second quote"),
            ("a=\"b\" c", "& or | or the end"),
        ] {
            let error = text.parse::<Condition>().unwrap_err();
            assert!(matches!(error, Error::Config { .. }), "{text:?}");
            assert!(error.to_string().contains(words), "{text:?}: {error}");
        }
        for deep in ["!", "("] {
            let text = deep.repeat(100_000) + "a=1";
            assert!(text.parse::<Condition>().is_err(), "no end of the stack");
        }
    }
}
