//! Are a version's files the ones that were pushed?
//!
//! `SHA256SUMS` has a line for each other file, sorted by name: 64 small hexadecimal digits, two blanks, the name. `sha256sum -c SHA256SUMS` checks the same. No other way of writing
//! it is read, so that a changed byte is an error or another fingerprint.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::names::is_name;
use crate::storage::{FileSystem, Source, read_file};
use crate::{Error, Result};

/// The manifest's file.
pub const MANIFEST: &str = "SHA256SUMS";
/// Bytes of a manifest.
const MAX_BYTES: u64 = 1 << 16;
/// Bytes read at a time.
const BLOCK: u64 = 1 << 18;

/// The fingerprint of each file, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest(BTreeMap<String, String>);

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.iter();
        lines.try_for_each(|(name, sha256)| writeln!(f, "{sha256}  {name}"))
    }
}

impl Manifest {
    /// Adds a file.
    pub(super) fn add(&mut self, name: &str, sha256: String) {
        self.0.insert(name.into(), sha256);
    }

    /// The files and their fingerprints.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.0.iter();
        files.map(|(name, sha256)| (name.as_str(), sha256.as_str()))
    }

    /// What `bytes` say; `None` where they are no manifest.
    pub(super) fn parse(bytes: &[u8]) -> Option<Manifest> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut manifest = Manifest::default();
        for line in text.lines() {
            let (sha256, name) = line.split_once("  ")?;
            let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
            if sha256.len() != 64 || !sha256.bytes().all(is_digit) || !is_name(name) {
                return None;
            }
            manifest.add(name, sha256.into());
        }
        (manifest.to_string() == text && !manifest.0.is_empty()).then_some(manifest)
    }

    /// Reads the manifest of the version in `folder`.
    ///
    /// # Errors
    /// Where it cannot be read, or is none.
    pub(super) fn read(file_system: &impl FileSystem, folder: &Path) -> Result<Manifest> {
        let path = folder.join(MANIFEST);
        let bytes = read_file(file_system, &path, MAX_BYTES)?;
        Manifest::parse(&bytes).ok_or_else(|| Error::File {
            path,
            got: "no manifest".into(),
            wanted: "lines of a SHA-256, two blanks and a name, sorted by name".into(),
        })
    }
}

/// Hands all bytes of a file to `each`, in order; gives their SHA-256.
pub(super) fn hash<S: Source>(
    source: &S,
    mut each: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<String> {
    let size = source.len().min(BLOCK) as usize;
    let (mut hasher, mut at, mut block) = (Sha256::new(), 0, vec![0; size]);
    while at < source.len() {
        let n = (source.len() - at).min(BLOCK) as usize;
        let read = source.read_at(at, &mut block[..n]);
        read.map_err(std::io::Error::other)?;
        hasher.update(&block[..n]);
        each(&block[..n])?;
        at += n as u64;
    }
    Ok(hex(&hasher.finalize()))
}

/// The SHA-256 of a file.
pub(super) fn hash_of(file_system: &impl FileSystem, path: &Path) -> Result<String> {
    let source = file_system.open(path)?;
    hash(&source, |_| Ok(())).map_err(Error::io(path, "read"))
}

/// In small letters, two a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let mut manifest = Manifest::default();
        manifest.add("model.lowrank", hex(&Sha256::digest(b"abc")));
        manifest.add("README.md", "0".repeat(64));
        let text = manifest.to_string();
        assert_eq!(
            text,
            format!(
                "{}  README.md\nba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  model.lowrank\n",
                "0".repeat(64)
            )
        );
        assert_eq!(Manifest::parse(text.as_bytes()), Some(manifest));
        let line = text.lines().next().expect("a line");
        for bad in [
            String::new(),
            line.to_owned(),
            format!("{line}\n{line}\n"),
            format!("{line}\r\n"),
            line.replace("  ", " *") + "\n",
            line.replace("README.md", "../README.md") + "\n",
            line.replace('0', "A") + "\n",
            line[1..].to_owned() + "\n",
        ] {
            assert_eq!(Manifest::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
