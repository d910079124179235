//! Which version is an alias, and what was it before?
//!
//! `aliases.json` has the moves of each alias, the last one first to be undone, and a CRC-32 of them: a changed byte is an error, not another version. An alias remembers the
//! [`HISTORY`] versions that it was before the one that it is; what was before those is forgotten, so that it may be removed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ALIASES, Registry, is_file, names};
use crate::storage::{FileSystem, read_file, write_atomically};
use crate::{Error, Result};

/// How far an alias can go back.
pub const HISTORY: usize = 10;
/// Bytes of the file: some thousand aliases.
const MAX_BYTES: u64 = 1 << 20;

/// That an alias became a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The version.
    pub version: u64,
    /// When, in seconds since 1970.
    pub since: u64,
}

/// All aliases of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aliases(BTreeMap<String, Vec<Move>>);

#[derive(Serialize, Deserialize)]
struct File {
    aliases: Aliases,
    crc32: u32,
}

/// What a promotion or a rollback did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The version that the alias was, if it was any.
    pub was: Option<u64>,
    /// The version that it is.
    pub is: u64,
}

impl Aliases {
    /// The aliases, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The aliases that are `version`.
    pub fn of(&self, version: u64) -> impl Iterator<Item = &str> {
        self.names()
            .filter(move |alias| self.version(alias) == Some(version))
    }

    /// The version that an alias is.
    pub fn version(&self, alias: &str) -> Option<u64> {
        Some(self.moves(alias).last()?.version)
    }

    /// The moves of an alias that are remembered, from the first to the last.
    pub fn moves(&self, alias: &str) -> &[Move] {
        self.0.get(alias).map_or(&[], Vec::as_slice)
    }

    /// All versions that an alias is, or that a rollback could make it.
    pub(super) fn reachable(&self) -> impl Iterator<Item = (&str, u64)> {
        let all = self.0.iter();
        all.flat_map(|(alias, moves)| moves.iter().map(|at| (alias.as_str(), at.version)))
    }

    fn promote(&mut self, alias: &str, to: Move) -> Moved {
        let moves = self.0.entry(alias.into()).or_default();
        let was = moves.last().map(|at| at.version);
        if was != Some(to.version) {
            moves.push(to);
            moves.drain(..moves.len().saturating_sub(HISTORY + 1));
        }
        Moved {
            was,
            is: to.version,
        }
    }

    fn crc32(&self) -> u32 {
        crc32fast::hash(&serde_json::to_vec(self).expect("plain values"))
    }

    pub(super) fn to_json(&self) -> String {
        let file = File {
            aliases: self.clone(),
            crc32: self.crc32(),
        };
        serde_json::to_string_pretty(&file).expect("plain values") + "\n"
    }

    /// What `bytes` say, or what is wrong with them.
    pub(super) fn parse(bytes: &[u8]) -> Result<Aliases, String> {
        let file: File = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let (got, wanted) = (file.aliases.crc32(), file.crc32);
        if got != wanted {
            return Err(format!("aliases with the CRC-32 {got}, not {wanted}"));
        }
        Ok(file.aliases)
    }
}

impl<F: FileSystem> Registry<F> {
    /// The aliases of `name`; none where nothing was ever promoted.
    ///
    /// # Errors
    /// Where their file is damaged.
    pub fn aliases(&self, name: &str) -> Result<Aliases> {
        let path = self.root.join(name).join(ALIASES);
        if !is_file(&self.file_system, &path)? {
            return Ok(Aliases::default());
        }
        let bytes = read_file(&self.file_system, &path, MAX_BYTES)?;
        Aliases::parse(&bytes).map_err(|got| Error::File {
            path,
            got,
            wanted: "the aliases as `lowrank registry promote` wrote them".into(),
        })
    }

    /// Makes `alias` that version. Where it is already, nothing changes.
    ///
    /// # Errors
    /// Where there is no such version, the alias may not be called that, or the file cannot be replaced.
    pub fn promote(&self, name: &str, version: u64, alias: &str, now: u64) -> Result<Moved> {
        self.promote_from(name, version, alias, now, None)
    }

    /// [`promote`](Registry::promote), where the alias is still what it was when somebody looked: that version, or nothing.
    ///
    /// # Errors
    /// Also where somebody else has moved it since.
    pub fn promote_from(
        &self,
        name: &str,
        version: u64,
        alias: &str,
        now: u64,
        was: Option<Option<u64>>,
    ) -> Result<Moved> {
        names::check_alias(alias)?;
        self.versions(name)?;
        let _lock = self.lock(name)?;
        // Under the lock: nobody removes it now.
        let which = names::Which::Version(version);
        let name = name.to_owned();
        let reference = names::Reference { name, which };
        let version = self.resolve(&reference)?;
        let name = &reference.name;
        let mut aliases = self.aliases(name)?;
        if let Some(was) = was
            && aliases.version(alias) != was
        {
            let said = |version: Option<u64>| {
                version.map_or("nothing".into(), |version| format!("version {version}"))
            };
            return Err(Error::File {
                path: self.root.join(name).join(ALIASES),
                got: format!("{alias} is {} now", said(aliases.version(alias))),
                wanted: format!(
                    "{}, which it was compared with: compare with the new one, then promote",
                    said(was)
                ),
            });
        }
        let since = now;
        let moved = aliases.promote(alias, Move { version, since });
        if moved.was != Some(moved.is) {
            self.write(name, &aliases)?;
        }
        Ok(moved)
    }

    /// Makes `alias` what it was before; once more, what it was before that.
    ///
    /// # Errors
    /// Where there is no such alias, it was nothing before, or the file cannot be replaced.
    pub fn rollback(&self, name: &str, alias: &str) -> Result<Moved> {
        names::check_alias(alias)?;
        let which = names::Which::Alias(alias.into());
        let reference = names::Reference {
            name: name.into(),
            which,
        };
        self.versions(name)?;
        let _lock = self.lock(name)?;
        let was = self.resolve(&reference)?;
        let mut aliases = self.aliases(name)?;
        let moves = aliases.0.entry(alias.into()).or_default();
        moves.pop();
        let Some(before) = moves.last() else {
            return Err(Error::Unknown {
                what: "earlier version of",
                name: alias.into(),
                hint: format!("it is {was}, and nothing before that is remembered"),
            });
        };
        let is = before.version;
        self.write(name, &aliases)?;
        Ok(Moved { was: Some(was), is })
    }

    fn write(&self, name: &str, aliases: &Aliases) -> Result<()> {
        let path = self.root.join(name).join(ALIASES);
        let text = aliases.to_json();
        if text.len() as u64 > MAX_BYTES {
            let wanted = format!("so many that their file has at most {MAX_BYTES} bytes");
            return Err(Error::config("alias", "one more", wanted));
        }
        write_atomically(&self.file_system, &path, |w| w.write_all(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_remembers_what_it_was() {
        let mut aliases = Aliases::default();
        let mut promote = |version, since| aliases.promote("champion", Move { version, since });
        assert_eq!(promote(1, 5), Moved { was: None, is: 1 });
        assert_eq!(
            promote(1, 6),
            Moved {
                was: Some(1),
                is: 1
            }
        );
        assert_eq!(
            promote(2, 7),
            Moved {
                was: Some(1),
                is: 2
            }
        );
        assert_eq!(aliases.moves("champion").len(), 2);
        assert!(aliases.of(2).eq(["champion"]) && aliases.of(1).next().is_none());
        for version in 3..50 {
            let since = version;
            aliases.promote("champion", Move { version, since });
        }
        let kept: Vec<u64> = aliases.reachable().map(|(_, version)| version).collect();
        assert_eq!(kept, (39..50).collect::<Vec<u64>>());
        assert_eq!(Aliases::parse(aliases.to_json().as_bytes()), Ok(aliases));
    }
}
