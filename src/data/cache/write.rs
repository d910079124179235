//! How does a data set become a cache?
//!
//! Its columns are borrowed, not copied. What a reader would refuse is refused here already.

use std::path::Path;

use super::record::Record;
use super::told::Told;
use super::{CONTENT, CacheSource, RatingsCache};
use crate::data::reader::ReadOptions;
use crate::data::{Dataset, Ids, Strings};
use crate::storage::{Disk, Sections, write_atomically};
use crate::{Error, Result};

impl RatingsCache {
    /// Writes the ratings and names of `data`, which were read from `source` with `options`, and replaces `path`. Titles and columns of users and items stay in
    /// their own files. Returns the bytes written.
    ///
    /// # Errors
    /// Where `data` was not read from one text file, its path is not UTF-8, or the cache cannot be written; an old one is untouched then.
    pub fn write(
        path: impl AsRef<Path>,
        data: &Dataset,
        options: &ReadOptions,
        source: &CacheSource,
    ) -> Result<u64> {
        let path = path.as_ref();
        let sections = sections(data, options, source)?;
        let mut bytes = 0;
        write_atomically(&Disk, path, |writer| {
            sections.write_to(|piece| {
                bytes += piece.len() as u64;
                writer.write_all(piece)
            })
        })?;
        Ok(bytes)
    }
}

/// The content of the cache's file.
pub(super) fn sections<'d>(
    data: &'d Dataset,
    options: &ReadOptions,
    source: &CacheSource,
) -> Result<Sections<'d>> {
    let refused = |got: String, wanted: &str| Error::File {
        path: source.path.clone(),
        got,
        wanted: wanted.into(),
    };
    let report = &data.report;
    let ([file], None) = (&report.ratings[..], &report.cache) else {
        let got = match &report.cache {
            Some(_) => "a cache".into(),
            None => format!("ratings of {} files", report.ratings.len()),
        };
        return Err(refused(got, "the ratings of one text file"));
    };
    let Some(name) = source.path.to_str() else {
        return Err(refused("a path that is not UTF-8".into(), "one that is"));
    };
    let record = Record {
        rows: report.rows,
        header: file.header,
        packed: file.packed,
        duplicates: report.duplicates,
        stamp: source.stamp,
    };
    let mut to = Sections::new(CONTENT, record.to_bytes())?;
    to.add("source", 1, name.as_bytes().to_vec());
    strings(&mut to, "told", Told::of(options).texts());
    let separator = file.separator.to_string();
    to.add("separator", 1, separator.into_bytes());
    let roles = file.roles.iter();
    let roles = roles.flat_map(|(role, column)| [*role, column.as_str()]);
    strings(&mut to, "roles", roles);
    strings(&mut to, "ignored", file.ignored.iter().map(String::as_str));
    ids(&mut to, "users.ids", &data.users.ids);
    ids(&mut to, "items.ids", &data.items.ids);
    let all = &data.interactions;
    to.add("users", 1, &all.users[..]);
    to.add("items", 1, &all.items[..]);
    to.add("ratings", 1, &all.ratings[..]);
    if let Some(weights) = &all.weights {
        to.add("weights", 1, &weights[..]);
    }
    if let Some(timestamps) = &all.timestamps {
        to.add("timestamps", 1, &timestamps[..]);
    }
    Ok(to)
}

fn strings<'t>(to: &mut Sections<'_>, name: &str, texts: impl Iterator<Item = &'t str>) {
    let strings: Strings = texts.collect();
    let (bytes, ends) = strings.parts();
    to.add(format!("{name}.ends"), 1, ends.to_vec());
    to.add(format!("{name}.bytes"), 1, bytes.as_bytes().to_vec());
}

fn ids<'d>(to: &mut Sections<'d>, name: &str, ids: &'d Ids) {
    let (bytes, ends) = ids.names().parts();
    to.add(format!("{name}.ends"), 1, ends);
    to.add(format!("{name}.bytes"), 1, bytes.as_bytes());
    to.add(format!("{name}.sorted"), 1, ids.sorted());
}
