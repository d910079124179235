//! How does a model become sections?
//!
//! In the order and shapes of the table in `layout`. Arrays are borrowed, not copied. What a reader would refuse is refused here already:
//! better no file than one that never loads.

use std::path::PathBuf;

use super::record::Record;
use super::{CONTENT, of_training, posterior};
use crate::data::{Csr, Ids, Strings};
use crate::model::{Bag, Model, ModelGroup, ModelSide, Rows};
use crate::storage::{Data, Sections};
use crate::{Error, Result};

/// The content of the model's file.
pub(super) fn sections(model: &Model) -> Result<Sections<'_>> {
    let record = Record::of(model);
    if let Some((got, wanted)) = record.problem() {
        return Err(refused(got, wanted));
    }
    let sides = [&model.users, &model.items];
    let has_biases = |side: &&ModelSide| {
        side.identity_biases.is_some() || side.groups.iter().any(|group| group.biases.is_some())
    };
    if record.is_cosine() && sides.iter().any(has_biases) {
        let got = "biases beside cosines".into();
        return Err(refused(got, "a model of cosines, without biases"));
    }
    let bytes = record
        .to_bytes()
        .map_err(|error| refused(error, "numbers that can be encoded"))?;
    let mut sections = Sections::new(CONTENT, bytes)?;
    fill(&mut sections, model)?;
    Ok(sections)
}

/// The arrays, after the record.
pub(super) fn fill<'m>(sections: &mut Sections<'m>, model: &'m Model) -> Result<()> {
    side(sections, "users", &model.users);
    side(sections, "items", &model.items);
    csr(sections, "seen.starts", "seen.items", &model.seen);
    if let Some(baseline) = &model.baseline {
        sections.add("baseline.user_biases", 1, &baseline.user_biases[..]);
        sections.add("baseline.item_biases", 1, &baseline.item_biases[..]);
    }
    if let Some(of_model) = &model.posterior {
        posterior::spread(sections, &of_model.spread)?;
    }
    if model.schema().is_some() {
        of_training::profiles(sections, "users", &model.users);
        of_training::profiles(sections, "items", &model.items);
    }
    if let Some(reference) = &model.reference {
        of_training::histogram(sections, "reference.rating", &reference.ratings);
        of_training::histogram(sections, "reference.score", &reference.scores);
    }
    for (name, data) in sections.iter() {
        if let Data::F32(values) = data
            && let Some(bad) = values.iter().find(|x| !x.is_finite())
        {
            return Err(refused(format!("{bad} in {name}"), "finite numbers"));
        }
    }
    Ok(())
}

pub(super) fn refused(got: String, wanted: &str) -> Error {
    Error::File {
        path: PathBuf::from("model"),
        got,
        wanted: wanted.into(),
    }
}

fn side<'m>(to: &mut Sections<'m>, name: &str, side: &'m ModelSide) {
    ids(to, &format!("{name}.ids"), &side.ids);
    if let Some(titles) = &side.catalog.titles {
        strings(to, &format!("{name}.titles"), titles);
    }
    let columns = &side.catalog.columns;
    let names: Strings = columns.iter().map(|column| &column.name).collect();
    own_strings(to, &format!("{name}.columns"), &names);
    let multi_valued: Vec<u8> = columns.iter().map(|c| u8::from(c.multi_valued)).collect();
    to.add(format!("{name}.columns.multi_valued"), 1, multi_valued);
    for (k, column) in columns.iter().enumerate() {
        let column_name = format!("{name}.column.{k}");
        ids(to, &format!("{column_name}.values"), &column.values);
        let (starts, entries) = (
            format!("{column_name}.starts"),
            format!("{column_name}.entries"),
        );
        csr(to, &starts, &entries, &column.rows);
    }
    to.add(format!("{name}.counts"), 1, &side.counts[..]);
    table(to, &format!("{name}.factors"), &side.identity);
    biases(
        to,
        &format!("{name}.biases"),
        side.identity_biases.as_deref(),
    );
    let names: Strings = side.groups.iter().map(|group| &group.name).collect();
    own_strings(to, &format!("{name}.groups"), &names);
    let bags: Vec<u8> = side.groups.iter().map(|g| number_of(g.bag)).collect();
    to.add(format!("{name}.groups.bags"), 1, bags);
    for (k, one) in side.groups.iter().enumerate() {
        group(to, &format!("{name}.group.{k}"), one);
    }
    if let Some(composed) = &side.composed {
        table(to, &format!("{name}.composed"), composed);
    }
    let composed_biases = side.composed_biases.as_deref();
    biases(to, &format!("{name}.composed_biases"), composed_biases);
}

/// What the file calls a bag.
fn number_of(bag: Bag) -> u8 {
    match bag {
        Bag::Sum => 0,
        Bag::Mean => 1,
        Bag::Sqrt => 2,
    }
}

fn group<'m>(to: &mut Sections<'m>, name: &str, group: &'m ModelGroup) {
    ids(to, &format!("{name}.values"), &group.values);
    to.add(format!("{name}.counts"), 1, &group.counts[..]);
    table(to, &format!("{name}.factors"), &group.table);
    biases(to, &format!("{name}.biases"), group.biases.as_deref());
    let (rows, weights) = group.features.parts();
    csr(
        to,
        &format!("{name}.starts"),
        &format!("{name}.entries"),
        rows,
    );
    to.add(format!("{name}.weights"), 1, weights);
}

fn ids<'m>(to: &mut Sections<'m>, name: &str, ids: &'m Ids) {
    strings(to, name, ids.names());
    to.add(format!("{name}.sorted"), 1, ids.sorted());
}

fn strings<'m>(to: &mut Sections<'m>, name: &str, strings: &'m Strings) {
    let (bytes, ends) = strings.parts();
    to.add(format!("{name}.ends"), 1, ends);
    to.add(format!("{name}.bytes"), 1, bytes.as_bytes());
}

fn own_strings(to: &mut Sections<'_>, name: &str, strings: &Strings) {
    let (bytes, ends) = strings.parts();
    to.add(format!("{name}.ends"), 1, ends.to_vec());
    to.add(format!("{name}.bytes"), 1, bytes.as_bytes().to_vec());
}

fn csr<'m>(to: &mut Sections<'m>, starts: &str, entries: &str, matrix: &'m Csr) {
    let (first, columns) = matrix.parts();
    to.add(starts, 1, first);
    to.add(entries, 1, columns);
}

pub(super) fn table<'m>(to: &mut Sections<'m>, name: &str, rows: &'m Rows) {
    to.add(name, rows.stride(), rows.as_padded_slice());
}

fn biases<'m>(to: &mut Sections<'m>, name: &str, biases: Option<&'m [f32]>) {
    if let Some(biases) = biases {
        to.add(name, 1, biases);
    }
}
