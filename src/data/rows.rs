//! How do ratings from memory come in?
//!
//! Like lines of a file: an empty id or a number that is not finite is an error with the number of its row.

use std::path::Path;

use super::reader::{Limits, RatingsReader, shown};
use crate::{Error, Result};

impl RatingsReader {
    /// Adds ratings from memory.
    pub(super) fn add<U, I>(
        &mut self,
        rows: impl IntoIterator<Item = (U, I, f32)>,
        limits: Limits,
    ) -> Result<()>
    where
        U: AsRef<str>,
        I: AsRef<str>,
    {
        let path = Path::new("rows");
        let all = &mut self.interactions;
        if all.timestamps.is_some() || all.weights.is_some() {
            return Err(Error::File {
                path: path.into(),
                got: "rows without times and weights".into(),
                wanted: "times and weights, as the ratings before".into(),
            });
        }
        self.lines.file(all.len(), path);
        for (line, (user, item, rating)) in (1u64..).zip(rows) {
            let (user, item) = (user.as_ref(), item.as_ref());
            let bad = |column, got: String, wanted: &str| Error::Line {
                path: path.into(),
                line,
                column,
                got,
                wanted: wanted.into(),
            };
            if all.len() >= limits.max_rows as usize {
                return Err(bad(1, "one more rating".into(), "fewer ratings"));
            }
            for (column, name, names) in [(1, user, &self.users), (2, item, &self.items)] {
                if name.is_empty() {
                    return Err(bad(column, "an empty id".into(), "an id"));
                }
                if names.len() >= limits.max_ids as usize && names.get(name).is_none() {
                    return Err(bad(
                        column,
                        format!("one more id, {}", shown(name)),
                        "fewer ids",
                    ));
                }
            }
            if !rating.is_finite() {
                return Err(bad(3, rating.to_string(), "a finite number"));
            }
            self.lines.push(all.len(), line);
            all.users.push(self.users.intern(user));
            all.items.push(self.items.intern(item));
            all.ratings.push(rating);
        }
        Ok(())
    }
}
