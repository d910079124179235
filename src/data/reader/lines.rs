//! On which line of which file did a rating stand?

use std::path::{Path, PathBuf};

/// Where each rating stood, kept as the places where the distance between row and line changes: one for a file without blank lines.
#[derive(Clone, Debug, Default)]
pub(in crate::data) struct Lines {
    /// (first row, its line), rising.
    starts: Vec<(usize, u64)>,
    /// (first row, its file), rising.
    files: Vec<(usize, PathBuf)>,
}

impl Lines {
    /// Rows from `row` on are those of `path`.
    pub(in crate::data) fn file(&mut self, row: usize, path: &Path) {
        self.files.push((row, path.into()));
    }

    /// `row` stood on `line`.
    #[inline]
    pub(in crate::data) fn push(&mut self, row: usize, line: u64) {
        let next = self.starts.last().map(|&(r, l)| l + (row - r) as u64);
        if next != Some(line) {
            self.starts.push((row, line));
        }
    }

    /// (row, line) where the distance between the two changes.
    pub(super) fn starts(&self) -> &[(usize, u64)] {
        &self.starts
    }

    /// The line of the first row.
    pub(super) fn first(&self) -> Option<u64> {
        self.starts.first().map(|&(_, line)| line)
    }

    /// The file and line of `row`.
    pub(in crate::data) fn of(&self, row: usize) -> (&Path, u64) {
        let file = self.files.partition_point(|&(first, _)| first <= row);
        let start = self.starts.partition_point(|&(first, _)| first <= row);
        let path = file
            .checked_sub(1)
            .map_or(Path::new(""), |n| &self.files[n].1);
        let line = start.checked_sub(1).map_or(0, |n| {
            let (first, line) = self.starts[n];
            line + (row - first) as u64
        });
        (path, line)
    }
}
