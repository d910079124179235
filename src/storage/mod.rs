//! How do arrays reach a disk, and how does one know that they came back unhurt?
//!
//! A tool, at the level of bytes: it knows nothing of models.
//!
//! | file | question |
//! |---|---|
//! | [`sections`] | how are a record and many arrays laid out in one file? |
//! | [`container`] | how is such a file read, a part at a time, and every damage noticed? |
//! | [`source`] | where do the bytes come from? |
//! | [`file_system`] | how is a file replaced so that neither a crash nor a full disk leaves half of one? |
//!
//! What the arrays mean is chapter 11's.

pub mod container;
#[cfg(feature = "train")]
pub mod file_system;
pub mod sections;
pub mod source;

pub use container::{Container, Cursor, Section};
#[cfg(feature = "train")]
pub use file_system::{Disk, FileSystem, write_atomically};
pub use sections::{Data, Element, ElementType, Sections};
#[cfg(feature = "train")]
pub use source::FileSource;
pub use source::Source;
