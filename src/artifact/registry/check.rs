//! Is everything as it was pushed?
//!
//! Every file of every version against its manifest, every model to its last byte, every alias. What is wrong is a line; nothing stops at the first.

use std::collections::BTreeSet;
use std::path::Path;

use super::about::about;
use super::manifest::{MANIFEST, Manifest, hash_of};
use super::{ALIASES, Registry};
use crate::Result;
use crate::artifact::ModelFile;
use crate::artifact::run_directory::MODEL;
use crate::storage::FileSystem;

/// What was looked at, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Models.
    pub names: usize,
    /// Their versions.
    pub versions: usize,
    /// Files that were hashed.
    pub files: usize,
    /// What is wrong, a line each.
    pub problems: Vec<String>,
}

impl<F: FileSystem> Registry<F> {
    /// Looks at everything.
    ///
    /// # Errors
    /// Where a folder cannot be listed; what is wrong below is in the report.
    pub fn verify(&self) -> Result<Report> {
        let mut report = Report::default();
        for name in self.names()? {
            report.names += 1;
            // First the aliases: what they are is there when they are read, and stays.
            let aliases = self.aliases(&name);
            for version in self.versions_in(&name)? {
                report.versions += 1;
                let (files, problems) = self.problems_of(&name, version);
                report.files += files;
                report.problems.extend(problems);
            }
            match aliases {
                Err(error) => report.problems.push(error.to_string()),
                Ok(aliases) => {
                    for (alias, version) in aliases.reachable() {
                        // What was rolled back in the meantime may have been removed since.
                        let is_needed = || {
                            let now = self.aliases(&name);
                            now.is_ok_and(|now| now.reachable().any(|of| of == (alias, version)))
                        };
                        if !self.is_there(&name, version) && is_needed() {
                            let path = self.root.join(&name).join(ALIASES);
                            report.problems.push(format!(
                                "{}: {alias} is or was version {version}, which is not there",
                                path.display()
                            ));
                        }
                    }
                }
            }
        }
        Ok(report)
    }

    fn is_there(&self, name: &str, version: u64) -> bool {
        let kind = self.file_system.kind(&self.folder(name, version));
        !matches!(kind, Ok(None))
    }

    /// The files hashed of a version, and what is wrong with it.
    fn problems_of(&self, name: &str, version: u64) -> (usize, Vec<String>) {
        let folder = self.folder(name, version);
        let (files, mut problems) = self.problems_of_files(&folder);
        match about(&self.file_system, &folder) {
            Err(error) => problems.push(error.to_string()),
            Ok(about) if (about.name.as_str(), about.version) != (name, version) => {
                let (name, version) = (&about.name, about.version);
                problems.push(format!(
                    "{}: it was pushed as {name}@{version}",
                    folder.display()
                ));
            }
            Ok(_) => {}
        }
        let model = self.file_system.open(&folder.join(MODEL));
        let model = model.and_then(ModelFile::new);
        if let Err(error) = model.and_then(|model| model.verify()) {
            let problem = error.to_string();
            // A model that cannot be opened could not be hashed either.
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        // A version that is removed in the meantime is no problem.
        if !problems.is_empty() && !self.is_there(name, version) {
            problems.clear();
        }
        (files, problems)
    }

    fn problems_of_files(&self, folder: &Path) -> (usize, Vec<String>) {
        let manifest = match Manifest::read(&self.file_system, folder) {
            Ok(manifest) => manifest,
            Err(error) => return (0, vec![error.to_string()]),
        };
        let mut problems = Vec::new();
        for (name, wanted) in manifest.files() {
            let path = folder.join(name);
            match hash_of(&self.file_system, &path) {
                Err(error) => problems.push(error.to_string()),
                Ok(got) if got != wanted => problems.push(format!(
                    "{}: got SHA-256 {got}, wanted {wanted}, as {MANIFEST} says",
                    path.display()
                )),
                Ok(_) => {}
            }
        }
        let known: BTreeSet<&str> = manifest.files().map(|(name, _)| name).collect();
        let names = self.file_system.read_dir(folder).unwrap_or_default();
        for name in names {
            let is_known = name == MANIFEST || name.to_str().is_some_and(|n| known.contains(n));
            if !is_known {
                let path = folder.join(name);
                problems.push(format!("{}: not in {MANIFEST}", path.display()));
            }
        }
        (known.len(), problems)
    }
}
