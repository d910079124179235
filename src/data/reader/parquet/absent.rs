//! What does a program say that was built without Parquet?

use std::fs::File;
use std::path::Path;

use crate::{Error, Result};

/// The lines of a file.
pub(in crate::data::reader) fn text(_: File, path: &Path) -> Result<std::io::Empty> {
    Err(Error::File {
        path: path.into(),
        got: "a Parquet file".into(),
        wanted: "text, or a program that was built with --features parquet".into(),
    })
}
