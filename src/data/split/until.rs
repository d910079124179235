//! Which ratings were there at a moment?
//!
//! Those whose time is not after it; users and items of later ratings alone are not there either. Asked before duplicates are settled, so that a later rating takes no earlier one's place.

use crate::data::{Interactions, Interner};
use crate::{Error, Result};

/// The ratings at `moment`, where they stood before, and the names that they need, numbered anew as they appear.
pub(in crate::data) fn until<'n>(
    interactions: &Interactions,
    moment: i64,
    user: impl Fn(u32) -> &'n str,
    item: impl Fn(u32) -> &'n str,
) -> Result<(Interactions, Vec<usize>, [Interner; 2])> {
    let refused = |got: &str, wanted: &str| Err(Error::config("as-of", got, wanted));
    let Some(times) = &interactions.timestamps else {
        return refused(
            "a moment, of ratings without times",
            "ratings with a timestamp column",
        );
    };
    let kept: Vec<usize> = (0..times.len()).filter(|&n| times[n] <= moment).collect();
    if kept.is_empty() {
        let least = times.iter().min().map_or(0, |&time| time);
        let wanted = format!("{least} or later, when the first rating was given");
        return refused(&moment.to_string(), &wanted);
    }
    let mut there = interactions.select(&kept);
    let users = renumbered(&mut there.users, user);
    let items = renumbered(&mut there.items, item);
    Ok((there, kept, [users, items]))
}

fn renumbered<'n>(rows: &mut [u32], name: impl Fn(u32) -> &'n str) -> Interner {
    let mut names = Interner::default();
    for row in rows {
        *row = names.intern(name(*row));
    }
    names
}
