//! How do arrays reach a disk, and how does one know that they came back unhurt?
//!
//! A tool, at the level of bytes: it knows nothing of models.
//!
//! | file | question |
//! |---|---|
//! | [`sections`] | how are a record and many arrays laid out in one file? |
//! | [`element`] | which numbers can a section hold? |
//! | [`header`] | what does the header of a file say, and is it true? |
//! | [`container`] | how is such a file read, a part at a time, and every damage noticed? |
//! | [`source`] | where do the bytes come from? |
//! | [`scratch`] | where does work lie that is too large for memory? |
//! | [`file_system`] | what does keeping files need of an operating system? |
//! | [`replace`] | how is a file replaced so that neither a crash nor a full disk leaves half of one? |
//! | `lying_disk` | for tests: what if the disk lies, fills up, fails, or somebody else writes too? |
//!
//! What the arrays mean is said by chapter 1 (a cache of ratings) and chapter 11 (a model).

pub mod container;
pub mod element;
#[cfg(feature = "train")]
pub mod file_system;
pub mod header;
#[cfg(all(test, feature = "train"))]
pub(crate) mod lying_disk;
#[cfg(feature = "train")]
pub mod replace;
#[cfg(feature = "train")]
pub mod scratch;
pub mod sections;
pub mod source;

pub use container::{Container, Cursor};
pub use element::{Data, Element, ElementType};
#[cfg(feature = "train")]
pub use file_system::{Disk, FileSystem, Kind, create_folders, read_at_most, read_file};
pub use header::Section;
#[cfg(feature = "train")]
pub use replace::write_atomically;
#[cfg(feature = "train")]
pub use scratch::Scratch;
pub use sections::Sections;
#[cfg(feature = "train")]
pub use source::FileSource;
pub use source::Source;
