//! What is written, and what of it is on the disk?

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Component, Path};

use super::After;
use crate::random::Stream;
use crate::storage::file_system::Kind;

type Names = BTreeMap<OsString, usize>;
/// One change of a folder's names: what each of some names leads to then.
type Change = Vec<(OsString, Option<usize>)>;

/// Files and folders by number; 0 is the root.
#[derive(Clone, PartialEq)]
pub(super) struct Nodes(Vec<Node>);

#[derive(Clone, PartialEq)]
enum Node {
    /// All bytes, and how many of them were flushed.
    File { bytes: Vec<u8>, flushed: usize },
    /// The names, those that were flushed, and the changes that lead from these to those.
    Folder {
        names: Names,
        flushed: Names,
        since: Vec<Change>,
    },
}

fn no<T>(kind: ErrorKind) -> io::Result<T> {
    Err(kind.into())
}

/// An empty folder.
fn folder() -> Node {
    Node::Folder {
        names: Names::new(),
        flushed: Names::new(),
        since: Vec::new(),
    }
}

fn apply(names: &mut Names, change: Change) {
    for (name, to) in change {
        match to {
            Some(node) => names.insert(name, node),
            None => names.remove(&name),
        };
    }
}

impl Nodes {
    pub(super) fn new() -> Nodes {
        Nodes(vec![folder()])
    }

    /// The node at a path.
    pub(super) fn find(&self, path: &Path) -> io::Result<usize> {
        let mut at = 0;
        for part in path.components() {
            match part {
                Component::Normal(name) => match self.folder(at)?.get(name) {
                    Some(&node) => at = node,
                    None => return no(ErrorKind::NotFound),
                },
                Component::RootDir | Component::CurDir => {}
                _ => return no(ErrorKind::Unsupported),
            }
        }
        Ok(at)
    }

    fn folder(&self, node: usize) -> io::Result<&Names> {
        match &self.0[node] {
            Node::Folder { names, .. } => Ok(names),
            Node::File { .. } => no(ErrorKind::NotADirectory),
        }
    }

    /// The folder of a path, and its last name.
    fn place(&self, path: &Path) -> io::Result<(usize, OsString)> {
        let Some(name) = path.file_name() else {
            return no(ErrorKind::InvalidInput);
        };
        let parent = self.find(path.parent().unwrap_or(Path::new("")))?;
        self.folder(parent)?;
        Ok((parent, name.to_owned()))
    }

    fn change(&mut self, node: usize, change: Change) {
        if let Node::Folder { names, since, .. } = &mut self.0[node] {
            apply(names, change.clone());
            since.push(change);
        }
    }

    fn create(&mut self, path: &Path, new: Node) -> io::Result<usize> {
        let (parent, name) = self.place(path)?;
        if self.folder(parent)?.contains_key(&name) {
            return no(ErrorKind::AlreadyExists);
        }
        self.0.push(new);
        let node = self.0.len() - 1;
        self.change(parent, vec![(name, Some(node))]);
        Ok(node)
    }

    pub(super) fn create_file(&mut self, path: &Path) -> io::Result<usize> {
        let (bytes, flushed) = (Vec::new(), 0);
        self.create(path, Node::File { bytes, flushed })
    }

    pub(super) fn create_folder(&mut self, path: &Path) -> io::Result<()> {
        self.create(path, folder()).map(drop)
    }

    /// The file at a path, created where it is not there.
    pub(super) fn file_at(&mut self, path: &Path) -> io::Result<usize> {
        match self.find(path) {
            Ok(node) => self.bytes(node).map(|_| node),
            Err(_) => self.create_file(path),
        }
    }

    pub(super) fn bytes(&self, node: usize) -> io::Result<&[u8]> {
        match &self.0[node] {
            Node::File { bytes, .. } => Ok(bytes),
            Node::Folder { .. } => no(ErrorKind::IsADirectory),
        }
    }

    pub(super) fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let names = self.folder(self.find(path)?)?;
        Ok(names.keys().cloned().collect())
    }

    pub(super) fn kind(&self, path: &Path) -> Option<Kind> {
        Some(match &self.0[self.find(path).ok()?] {
            Node::File { .. } => Kind::File,
            Node::Folder { .. } => Kind::Folder,
        })
    }

    pub(super) fn write(&mut self, node: usize, more: &[u8]) {
        if let Node::File { bytes, .. } = &mut self.0[node] {
            bytes.extend_from_slice(more);
        }
    }

    pub(super) fn sync(&mut self, node: usize) {
        match &mut self.0[node] {
            Node::File { bytes, flushed } => *flushed = bytes.len(),
            Node::Folder {
                names,
                flushed,
                since,
            } => {
                flushed.clone_from(names);
                since.clear();
            }
        }
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.find(from)?;
        let ((old, old_name), (new, new_name)) = (self.place(from)?, self.place(to)?);
        // Nothing here moves things between folders, so nothing says what a power cut makes of that.
        assert_eq!(old, new, "{} to another folder", from.display());
        if let Some(&there) = self.folder(new)?.get(&new_name) {
            match (&self.0[node], &self.0[there]) {
                (Node::File { .. }, Node::File { .. }) => {}
                (Node::Folder { .. }, Node::Folder { names, .. }) if names.is_empty() => {}
                (Node::Folder { .. }, Node::Folder { .. }) => {
                    return no(ErrorKind::DirectoryNotEmpty);
                }
                (Node::Folder { .. }, Node::File { .. }) => return no(ErrorKind::NotADirectory),
                (Node::File { .. }, Node::Folder { .. }) => return no(ErrorKind::IsADirectory),
            }
        }
        self.change(old, vec![(old_name, None), (new_name, Some(node))]);
        Ok(())
    }

    pub(super) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        let node = self.find(path)?;
        self.bytes(node)?;
        self.unlink(path)
    }

    pub(super) fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        if !self.names(path)?.is_empty() {
            return no(ErrorKind::DirectoryNotEmpty);
        }
        self.unlink(path)
    }

    fn unlink(&mut self, path: &Path) -> io::Result<()> {
        let (parent, name) = self.place(path)?;
        self.change(parent, vec![(name, None)]);
        Ok(())
    }

    /// What is found of all this.
    pub(super) fn after(&self, after: After) -> Nodes {
        let mut stream = Stream::new(
            match after {
                After::Drawn(n) | After::Torn(n) => n,
                _ => 0,
            },
            "what survives",
        );
        let found = self.0.iter().map(|node| match node {
            Node::File { bytes, flushed } => {
                let more = (bytes.len() - flushed) as u64;
                let length = match after {
                    After::Killed | After::Bytes => bytes.len(),
                    After::Flushed | After::Names => *flushed,
                    After::Drawn(_) | After::Torn(_) => flushed + stream.below(more + 1) as usize,
                };
                let mut bytes = bytes[..length].to_vec();
                if matches!(after, After::Torn(_)) && stream.below(2) == 0 {
                    // Some file systems give zeros for what was never written.
                    bytes[*flushed..].fill(0);
                }
                let flushed = bytes.len();
                Node::File { bytes, flushed }
            }
            Node::Folder {
                names,
                flushed,
                since,
            } => {
                let names = match after {
                    After::Killed | After::Names => names.clone(),
                    After::Flushed | After::Bytes => flushed.clone(),
                    After::Drawn(_) => {
                        let first = stream.below(since.len() as u64 + 1) as usize;
                        with(flushed, since[..first].iter())
                    }
                    After::Torn(_) => with(flushed, since.iter().filter(|_| stream.below(2) == 0)),
                };
                Node::Folder {
                    flushed: names.clone(),
                    names,
                    since: Vec::new(),
                }
            }
        });
        Nodes(found.collect())
    }
}

fn with<'c>(flushed: &Names, changes: impl Iterator<Item = &'c Change>) -> Names {
    let mut names = flushed.clone();
    changes.for_each(|change| apply(&mut names, change.clone()));
    names
}
