//! Which column of a file of users or items is what?

use std::collections::HashMap;
use std::path::Path;

use super::Side;
use super::versions;
use crate::data::reader::columns::{ITEM, Names, USER, any_known, any_number, matching};
use crate::data::reader::shown;
use crate::{Error, Result};

/// Names of columns, as in `columns`.
const ID: [&str; 1] = ["id"];
const TITLE: [&str; 2] = [
    "title name movietitle itemtitle booktitle producttitle moviename itemname productname username",
    "movie film product book track song album artist game anime",
];
const FEATURE: [&str; 1] = ["genre genres"];

/// The greatest number of columns: a line of 64 KiB can name 30,000, and each has a place for every row of the ratings.
const MAX_COLUMNS: usize = 1024;

/// Which field of a side file is what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SideLayout {
    pub(super) id: usize,
    pub(super) title: Option<usize>,
    /// Since when the row holds.
    pub(super) time: Option<usize>,
    /// The other columns, with their names.
    pub(super) others: Vec<(usize, String)>,
    pub(super) n_fields: usize,
    pub(super) header: bool,
}

impl SideLayout {
    /// From the first record of a file.
    pub(super) fn new(first: &[String], side: Side, path: &Path) -> Result<SideLayout> {
        let users = side == Side::Users;
        let own: &Names = if users { &USER } else { &ITEM };
        // As for ratings: a film may be called "Name".
        let header = any_known(first, &[&own[..1], &ID])
            || any_known(first, &[own, &TITLE[..1], &FEATURE]) && !any_number(first);
        let (id, title) = if header {
            let at = |ranks: &Names| matching(first, ranks).first().copied();
            let id = at(&own[..1]).or(at(&ID)).or(at(&own[1..])).unwrap_or(0);
            let titles = if users { &TITLE[..1] } else { &TITLE[..] };
            let title = titles
                .iter()
                .find_map(|&names| at(&[names]).filter(|&n| n != id));
            (id, title)
        } else {
            // Of a file of users without names, all are columns.
            (0, (!users && first.len() > 1).then_some(1))
        };
        let times = if header {
            matching(first, &versions::TIME)
        } else {
            Vec::new()
        };
        let time = times.into_iter().find(|&n| n != id && Some(n) != title);
        let others: Vec<(usize, String)> = (0..first.len())
            .filter(|&n| n != id && Some(n) != title && Some(n) != time)
            .map(|n| match first[n].trim() {
                name if header && !name.is_empty() => (n, name.to_owned()),
                _ => (n, format!("column{}", n + 1)),
            })
            .collect();
        if others.len() > MAX_COLUMNS {
            return Err(Error::File {
                path: path.into(),
                got: format!("{} columns", first.len()),
                wanted: format!("at most {MAX_COLUMNS} beside id and title"),
            });
        }
        let mut seen = HashMap::new();
        for (column, name) in &others {
            if let Some(other) = seen.insert(name, column) {
                return Err(Error::File {
                    path: path.into(),
                    got: format!(
                        "two columns called {} ({} and {})",
                        shown(name),
                        other + 1,
                        column + 1
                    ),
                    wanted: "each name once".into(),
                });
            }
        }
        Ok(SideLayout {
            id,
            title,
            time,
            others,
            n_fields: first.len(),
            header,
        })
    }
}
