//! Where in a TOML file is something wrong?
//!
//! The parser says bytes; a person wants lines and columns, and not the forty keys that would have been right.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::storage::read_at_most;
use crate::{Error, Result};

/// Bytes of a file of settings: all keys take less than a hundredth.
const MAX_BYTES: u64 = 1 << 20;

/// The text of a TOML file, and its name for errors.
#[derive(Debug)]
pub(super) struct TomlText {
    path: PathBuf,
    /// What stands in it.
    pub(super) text: String,
}

impl TomlText {
    /// Reads `path`.
    pub(super) fn read(path: &Path) -> Result<TomlText> {
        let text = String::from_utf8(read_at_most(path, MAX_BYTES)?).map_err(|_| Error::File {
            path: path.into(),
            got: "bytes that are not UTF-8".into(),
            wanted: "TOML".into(),
        })?;
        let path = path.into();
        Ok(TomlText { path, text })
    }

    /// The parser's error, with its line.
    pub(super) fn refused(&self, error: &toml::de::Error, wanted: &str) -> Error {
        // All the keys that there are would fill the screen.
        let message = error.message().trim().replace('\n', " ");
        let got = message
            .split_once(", expected one of `")
            .map_or(message.as_str(), |(got, _)| got);
        self.wrong(error.span().unwrap_or(0..0), got, wanted)
    }

    /// What stands at the bytes of `span` is not what was wanted.
    pub(super) fn wrong(&self, span: Range<usize>, got: &str, wanted: &str) -> Error {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Error::Line {
            path: self.path.clone(),
            line: 1 + before.matches('\n').count() as u64,
            column: 1 + before[line_start..].chars().count() as u64,
            got: got.into(),
            wanted: wanted.into(),
        }
    }
}
