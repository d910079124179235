//! What do several commands take alike?
//!
//! A model, how a file of ratings is read, and lists of ids.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::artifact::{ModelFile, resolve_model};
use crate::data::Ids;
use crate::data::reader::{ColumnSpec, ReadOptions, Separator};
use crate::kernels::pool::Pool;
use crate::storage::FileSource;
use crate::storage::read_at_most;
use crate::{Error, Model, Result};

/// A trained model.
#[derive(Debug, Args)]
pub(super) struct ModelArgument {
    /// A model file, the folder that `train -o` wrote, or REGISTRY/NAME[@ALIAS|@VERSION]
    model: PathBuf,
    /// Check every byte of the model file, not only those that are needed
    #[arg(long)]
    verify: bool,
}

impl ModelArgument {
    /// One that was given otherwise.
    pub(super) fn new(model: &Path, verify: bool) -> ModelArgument {
        ModelArgument {
            model: model.into(),
            verify,
        }
    }

    /// The model file.
    pub(super) fn file(&self) -> Result<PathBuf> {
        resolve_model(&self.model)
    }

    /// Loads the model.
    pub(super) fn load(&self) -> Result<Model> {
        self.open()?.model()
    }

    /// Loads what is needed to ask for these users.
    pub(super) fn load_for(&self, user_ids: &[&str]) -> Result<Model> {
        self.open()?.model_for_users(user_ids)
    }

    fn open(&self) -> Result<ModelFile<FileSource>> {
        let file = ModelFile::open(self.file()?)?;
        if self.verify {
            file.verify()?;
        }
        Ok(file)
    }
}

/// How a file of ratings is read that a model is held against.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Reading {
    /// Which column is what: `user,item,rating,timestamp` in order, or `user=NAME,item=NAME,rating=3`
    #[arg(long, value_name = "COLUMNS")]
    pub(super) columns: Option<ColumnSpec>,
    /// What stands between two fields: `,` `;` `tab` `::` … [default: found out]
    #[arg(long, value_name = "SEPARATOR")]
    pub(super) sep: Option<Separator>,
    /// Threads; they change speed alone [default: all cores]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "N")]
    pub(super) threads: usize,
}

impl Reading {
    /// What the reader is told.
    pub(super) fn options(&self) -> ReadOptions {
        ReadOptions {
            columns: self.columns.clone(),
            separator: self.sep,
            threads: self.threads,
            ..ReadOptions::default()
        }
    }

    /// The threads that work.
    pub(super) fn pool(&self) -> Pool {
        Pool::new(self.threads)
    }
}

/// Bytes of a list of ids: more than a hundred million short ones do not fit.
const MAX_LIST: u64 = 1 << 28;

/// Refuses to write over a file that the command reads.
pub(super) fn not_an_input<'p>(
    output: Option<&Path>,
    inputs: impl IntoIterator<Item = &'p Path>,
) -> Result<()> {
    let Some((output, place)) = output.and_then(|path| Some((path, path.canonicalize().ok()?)))
    else {
        return Ok(());
    };
    let same = |input: &Path| input.canonicalize().is_ok_and(|input| input == place);
    if inputs.into_iter().any(same) {
        return Err(Error::File {
            path: output.into(),
            got: "a file that the command reads".into(),
            wanted: "another file to write to".into(),
        });
    }
    Ok(())
}

/// The names of a first line that is no id.
const HEADERS: [&str; 8] = [
    "user_id", "user", "userid", "item_id", "item", "itemid", "movie_id", "movieid",
];

/// The ids of a file, one a line. Blank lines are left out, and a first line that is the name of a column and no id of `known`.
pub(super) fn read_ids(path: &Path, known: &Ids) -> Result<Vec<String>> {
    let bytes = read_at_most(path, MAX_LIST)?;
    let text = String::from_utf8(bytes).map_err(|bad| {
        let valid = &bad.as_bytes()[..bad.utf8_error().valid_up_to()];
        Error::Line {
            path: path.into(),
            line: 1 + valid.iter().filter(|&&byte| byte == b'\n').count() as u64,
            column: 1,
            got: "bytes that are not UTF-8".into(),
            wanted: "an id".into(),
        }
    })?;
    let lines = text.trim_start_matches('\u{feff}').lines();
    let ids = lines.enumerate().filter(|(n, line)| {
        let header = *n == 0 && HEADERS.contains(&line.to_lowercase().as_str());
        !(line.is_empty() || header && known.index(line).is_none())
    });
    Ok(ids.map(|(_, line)| line.to_owned()).collect())
}
