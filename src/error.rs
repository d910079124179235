//! What can go wrong, and what to do about it?
//!
//! One error for the whole crate. Every variant names the place, what was found there and what was wanted instead,
//! because the reader of the message has the file open in another window and wants to know where to look.

use std::fmt;
use std::path::PathBuf;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong.
///
/// | variant | who meets it | exit code of the command line |
/// |---|---|---|
/// | [`Io`](Error::Io) | a file that cannot be opened, read or written | 1 |
/// | [`Line`](Error::Line), [`File`](Error::File) | a text file that is not what it should be | 1 |
/// | [`Corrupt`](Error::Corrupt) | a model file or a cache of ratings that is damaged | 1 |
/// | [`Config`](Error::Config) | a setting out of its range | 2 |
/// | [`Unknown`](Error::Unknown) | an id, column or value that the model or the data has not | 1 |
/// | [`Gate`](Error::Gate) | a model that was measured, and found wanting | 3 |
/// | [`Diverged`](Error::Diverged) | training that left the finite numbers | 4 |
/// | [`Interrupted`](Error::Interrupted) | training that was put down to go on later | 130 |
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done: "open", "read", "write", …
        doing: &'static str,
        /// The operating system's own error.
        source: std::io::Error,
    },
    /// A line of a text file is not what it should be.
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1 as editors do.
        line: u64,
        /// The field of that line, counted from 1.
        column: u64,
        /// What stands there.
        got: String,
        /// What should stand there.
        wanted: String,
    },
    /// A file as a whole is not what it should be.
    File {
        /// The file.
        path: PathBuf,
        /// What it is.
        got: String,
        /// What it should be.
        wanted: String,
    },
    /// A model file or a cache of ratings is damaged, or is none.
    Corrupt {
        /// The file; empty where the bytes came from memory.
        path: PathBuf,
        /// The byte at which the reader noticed.
        offset: u64,
        /// What stands there.
        got: String,
        /// What should stand there.
        wanted: String,
    },
    /// A setting is out of its range.
    Config {
        /// The setting, as the command line calls it, without dashes.
        name: String,
        /// The value given.
        got: String,
        /// The values that are allowed.
        wanted: String,
    },
    /// A name that is not there.
    Unknown {
        /// "user", "item", "column", "value", …
        what: &'static str,
        /// The name asked for.
        name: String,
        /// A near name, or where to look.
        hint: String,
    },
    /// What was demanded of a model or its data does not hold. The results were given all the same.
    Gate {
        /// How many demands failed.
        failed: usize,
        /// Which, and by what figures.
        what: String,
    },
    /// Training left the finite numbers.
    Diverged {
        /// The epoch, counted from 1, after which the first number was not finite.
        epoch: usize,
        /// The table: `user_factors`, `item.genres.biases`, …
        table: String,
        /// Its first bad row, by its id.
        row: String,
    },
    /// Training was asked to stop, and its state was put down.
    Interrupted {
        /// Epochs done.
        epoch: usize,
        /// The folder that holds the checkpoint.
        run: PathBuf,
    },
}

impl Error {
    /// For `map_err`: the operating system's error with the path and the deed.
    #[cfg(any(feature = "train", test))]
    pub(crate) fn io(
        path: impl Into<PathBuf>,
        doing: &'static str,
    ) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io {
            path,
            doing,
            source,
        }
    }

    pub(crate) fn config(
        name: impl Into<String>,
        got: impl fmt::Display,
        wanted: impl Into<String>,
    ) -> Error {
        Error::Config {
            name: name.into(),
            got: got.to_string(),
            wanted: wanted.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io {
                path,
                doing,
                source,
            } => write!(f, "{}: cannot {doing}: {source}", path.display()),
            Error::Line {
                path,
                line,
                column,
                got,
                wanted,
            } => write!(
                f,
                "{}: line {line}, column {column}: got {got}, wanted {wanted}",
                path.display()
            ),
            Error::File { path, got, wanted } => {
                write!(f, "{}: got {got}, wanted {wanted}", path.display())
            }
            Error::Corrupt {
                path,
                offset,
                got,
                wanted,
            } => {
                if path.as_os_str().is_empty() {
                    write!(f, "bytes in memory")?;
                } else {
                    write!(f, "{}", path.display())?;
                }
                write!(f, ": byte {offset}: got {got}, wanted {wanted}")
            }
            Error::Config { name, got, wanted } => write!(f, "{name}: got {got}, wanted {wanted}"),
            Error::Unknown { what, name, hint } => {
                write!(f, "no {what} {name:?}")?;
                if !hint.is_empty() {
                    write!(f, "; {hint}")?;
                }
                Ok(())
            }
            Error::Gate { failed, what } => write!(f, "{failed} failed: {what}"),
            Error::Interrupted { epoch, run } => write!(
                f,
                "interrupted after epoch {epoch}; go on with: lowrank resume {}",
                run.display()
            ),
            Error::Diverged { epoch, table, row } => write!(
                f,
                "training diverged in epoch {epoch}: {table} of {row:?} is not a finite number; \
                 try a smaller --learning-rate"
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_io_error_names_the_path_and_keeps_its_source() {
        let error = Error::io("a.csv", "open")(std::io::Error::other("no luck"));
        assert_eq!(error.to_string(), "a.csv: cannot open: no luck");
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn an_error_stays_small_enough_for_hot_results() {
        assert!(size_of::<Error>() <= 128);
    }
}
