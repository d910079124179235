//! What may be a name, and which version does `movies@champion` mean?
//!
//! ```text
//! name, alias     1 to 64 of A–Z a–z 0–9 . _ -    not beginning with a dot or a dash; an alias is no plain number
//! movies          the newest version
//! movies@7        version 7
//! movies@champion the version that the alias is now
//! ```
//!
//! So no name leads out of its folder.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

const LONGEST: usize = 64;

/// Which of the versions of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one with the greatest number.
    Newest,
    /// That one.
    Version(u64),
    /// The one that an alias is.
    Alias(String),
}

/// A name, and which of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The name.
    pub name: String,
    /// Which version.
    pub which: Which,
}

impl Reference {
    /// Reads `movies`, `movies@7`, `movies@champion`.
    ///
    /// # Errors
    /// Where it is none of them.
    pub fn parse(text: &str) -> Result<Reference> {
        let (name, which) = match text.split_once('@') {
            None => (text, Which::Newest),
            Some((name, which)) => match as_version(which) {
                Some(version) => (name, Which::Version(version)),
                None => {
                    check_alias(which)?;
                    (name, Which::Alias(which.into()))
                }
            },
        };
        check("name", name)?;
        let name = name.into();
        Ok(Reference { name, which })
    }
}

/// The registry and what of it is meant by `REGISTRY/name@which`; `None` where a path has no last name in UTF-8.
pub fn split(path: &Path) -> Option<(PathBuf, Result<Reference>)> {
    let reference = Reference::parse(path.file_name()?.to_str()?);
    let root = path.parent().filter(|root| !root.as_os_str().is_empty());
    Some((root.unwrap_or(Path::new(".")).into(), reference))
}

/// Whether a name is one.
pub(super) fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with(['.', '-'])
}

/// Refuses what is no name; `what` is the flag.
///
/// # Errors
/// [`Error::Config`]
pub fn check(what: &str, text: &str) -> Result<()> {
    if is_name(text) {
        return Ok(());
    }
    let wanted = format!(
        "1 to {LONGEST} letters (A to Z, a to z), digits, dots, underscores and dashes, neither a dot nor a dash first"
    );
    Err(Error::config(what, format_args!("{text:?}"), wanted))
}

/// Refuses what is no alias.
///
/// # Errors
/// [`Error::Config`]
pub fn check_alias(text: &str) -> Result<()> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let wanted = "a version is 1 or more, without zeros before it; an alias has a letter";
        return Err(Error::config("alias", format_args!("{text:?}"), wanted));
    }
    check("alias", text)
}

/// The version that a folder is called after.
pub(super) fn as_version(text: &str) -> Option<u64> {
    let version: u64 = text.parse().ok()?;
    (version > 0 && version.to_string() == text).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_meant_by_number_by_alias_or_by_being_the_newest() {
        let parse = |text: &str| Reference::parse(text).expect(text);
        assert_eq!(parse("movies").which, Which::Newest);
        assert_eq!(parse("movies@7").which, Which::Version(7));
        assert_eq!(
            parse("m.1_x-2@champion").which,
            Which::Alias("champion".into())
        );
        let (root, reference) = split(Path::new("a/b/movies@7/")).expect("a name");
        assert_eq!(
            (root, reference.expect("one")),
            ("a/b".into(), parse("movies@7"))
        );
        assert_eq!(
            split(Path::new("movies")).expect("a name").0,
            Path::new(".")
        );
        assert!(split(Path::new("..")).is_none());
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        let long = "a".repeat(65);
        for bad in [
            "",
            ".",
            "..",
            ".lock",
            "-x",
            "a/b",
            "a\\b",
            "a b",
            "ü",
            "a\0",
            "a:b",
            &long,
            "a@",
            "a@1/2",
            "a@..",
            "a@b@c",
            "a@0",
            "a@007",
            "a@18446744073709551616",
            "@champion",
        ] {
            assert!(Reference::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Reference::parse(&long[..64]).is_ok());
        for bad in ["7", "007", "", ".a"] {
            assert!(check_alias(bad).is_err(), "{bad}");
        }
        assert!(check_alias("7a").is_ok());
    }
}
