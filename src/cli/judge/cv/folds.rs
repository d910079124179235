//! Where do the folds come from?
//!
//! Dealt from one file of ratings, by a rule or by a file of folds; or given, each as two files.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::output::Manner;
use crate::cli::sources::check_fresh;
use crate::cli::train::settings::Settings;
use crate::data::{Dataset, FoldRule, Folds, Halves, Split};
use crate::storage::read_at_most;
use crate::{Error, Result};

/// The flags that say where folds come from.
#[derive(Debug, Args)]
pub struct Folding {
    /// The number of folds [default: 5]
    #[arg(long, value_name = "N")]
    folds: Option<usize>,
    /// How ratings are dealt to folds [default: random]
    #[arg(long, value_enum, value_name = "RULE")]
    by: Option<By>,
    /// Which fold tests which rating: lines of `row,fold`, both from 0, rows in the order of RATINGS
    #[arg(long, value_name = "FILE", conflicts_with_all = ["folds", "by"])]
    fold_file: Option<PathBuf>,
    /// A fold as two files of ratings, to train on and to test, instead of RATINGS; may be repeated
    #[arg(long, value_name = "BASE:TEST", conflicts_with_all = ["ratings", "folds", "by", "fold_file"])]
    given: Vec<String>,
    /// A file of such pairs, one a line; as seen from its folder
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ratings", "folds", "by", "fold_file", "given"])]
    given_list: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// All ratings alike
    Random,
    /// Each user's ratings evenly
    User,
    /// In slices of time: a fold trains on all that is earlier; the first slice is tested by none
    Time,
}

/// Folds, each laid out when its turn comes.
pub(super) enum LaidOut {
    /// Of one data set.
    Dealt(Box<Dataset>, Folds),
    /// The files to train on and to test.
    Given(Vec<(PathBuf, PathBuf)>),
}

impl Folding {
    /// Reads `ratings`, or the list of given folds.
    pub(super) fn lay_out(
        &self,
        ratings: Option<&Path>,
        settings: &Settings,
        manner: Manner,
    ) -> Result<LaidOut> {
        let Some(ratings) = ratings else {
            return Ok(LaidOut::Given(self.pairs()?));
        };
        let builder = settings.gather_files(settings.builder()?, ratings, manner)?;
        if builder.is_versioned() && settings.as_of.is_none() {
            return Err(Error::config(
                "as-of",
                "none, with files of users or items whose rows have times",
                "a moment, as in --as-of 2024-01-31: the folds share one row for each",
            ));
        }
        let data = builder.build()?;
        let folds = match &self.fold_file {
            Some(file) => Folds::read(file, &data)?,
            None => {
                let rule = match self.by.unwrap_or(By::Random) {
                    By::Random => FoldRule::Random,
                    By::User => FoldRule::User,
                    By::Time => FoldRule::Time,
                };
                let seed = settings.seed.unwrap_or(42);
                Folds::deal(&data, rule, self.folds.unwrap_or(5), seed)?
            }
        };
        Ok(LaidOut::Dealt(Box::new(data), folds))
    }

    /// What the output calls the way of folding.
    pub(super) fn name(&self, laid_out: &LaidOut) -> &'static str {
        match (laid_out, &self.fold_file, self.by) {
            (LaidOut::Given(_), ..) => "given",
            (_, Some(_), _) => "file",
            (_, _, Some(By::User)) => "user",
            (_, _, Some(By::Time)) => "time",
            _ => "random",
        }
    }

    fn pairs(&self) -> Result<Vec<(PathBuf, PathBuf)>> {
        let pair = |text: &str| {
            let (base, test) = text.split_once(':')?;
            let both = !base.is_empty() && !test.is_empty();
            both.then(|| (PathBuf::from(base), PathBuf::from(test)))
        };
        let wanted = "two files of ratings, as in u1.base.csv:u1.test.csv";
        if let Some(path) = &self.given_list {
            let bytes = read_at_most(path, MAX_LIST)?;
            let text = String::from_utf8_lossy(&bytes);
            let folder = path.parent().unwrap_or(Path::new(""));
            let lines = (1..)
                .zip(text.lines())
                .filter(|(_, line)| !line.trim().is_empty());
            let pairs = lines.map(|(line, text)| {
                let found = pair(text.trim()).ok_or_else(|| Error::Line {
                    path: path.clone(),
                    line,
                    column: 1,
                    got: format!("{text:?}"),
                    wanted: wanted.into(),
                });
                found.map(|(base, test)| (folder.join(base), folder.join(test)))
            });
            let pairs = pairs.collect::<Result<Vec<_>>>()?;
            if pairs.is_empty() {
                return Err(Error::File {
                    path: path.clone(),
                    got: "no line".into(),
                    wanted: wanted.into(),
                });
            }
            return Ok(pairs);
        }
        let pairs = self.given.iter().map(|text| {
            pair(text).ok_or_else(|| Error::config("given", format!("{text:?}"), wanted))
        });
        pairs.collect()
    }
}

/// Bytes of a list of given folds.
const MAX_LIST: u64 = 1 << 20;

impl LaidOut {
    /// The number of folds.
    pub(super) fn len(&self) -> usize {
        match self {
            LaidOut::Dealt(_, folds) => folds.len(),
            LaidOut::Given(pairs) => pairs.len(),
        }
    }

    /// What fold `fold` trains on and tests.
    pub(super) fn halves(
        &self,
        fold: usize,
        settings: &Settings,
        manner: Manner,
    ) -> Result<Halves> {
        match self {
            LaidOut::Dealt(data, folds) => folds.halves(data, fold),
            LaidOut::Given(pairs) => {
                let (base, test) = &pairs[fold];
                check_fresh([test.as_path()], manner)?;
                let data = settings.gather(settings.builder()?, base, manner)?;
                data.split(&Split::given(test, settings.read_options()?))
            }
        }
    }
}
