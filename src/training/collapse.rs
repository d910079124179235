//! What is left of the tables when training is over?
//!
//! A [`Model`]: the tables in `f32`, the composed rows made of them, names, titles, and what each user has seen. The moments go.

use super::groups;
use super::validation::Predictions;
use crate::Result;
use crate::data::csr::Filling;
use crate::data::{Csr, Dataset};
use crate::gradient::{Objective, SidePenalty};
use crate::kernels::pool::Pool;
use crate::kernels::{Kernel, Real};
use crate::model::{
    Features, Model, ModelGroup, ModelSide, Parameters, Profile, Rows, Side, Similarity, Table,
};

/// The items that each user has rated, rising, whether they are examples or not.
pub(super) fn seen(data: &Dataset) -> Result<Csr> {
    let mut counts = vec![0; data.n_users()];
    data.for_each_piece(|piece| {
        piece
            .users
            .iter()
            .for_each(|&user| counts[user as usize] += 1)
    })?;
    let mut seen = Filling::new(&counts);
    data.for_each_piece(|piece| {
        for (&user, &item) in piece.users.iter().zip(&piece.items) {
            seen.put(user, item);
        }
    })?;
    Ok(seen.finish())
}

/// The model of `parameters`, trained on `data`; the objective says how often each row was touched. Where rows spread over a graph, the rows that spread are what is left, without features.
///
/// # Errors
/// Where ratings that are not in memory cannot be read.
pub(super) fn model<T: Real>(
    parameters: &Parameters<T>,
    data: &Dataset,
    predictions: Predictions,
    objective: &Objective,
) -> Result<Model> {
    let spread = parameters.graph.as_ref().map(|_| {
        let rows = parameters.scored_rows(objective.similarity, &Pool::new(0), Kernel::detect());
        rows.map(|identity| Side {
            identity,
            groups: Vec::new(),
        })
    });
    let [users, items] = match &spread {
        Some([users, items]) => [users, items],
        None => [&parameters.users, &parameters.items],
    };
    Ok(Model {
        n_factors: parameters.users.identity.n_factors(),
        global_mean: parameters.global_mean,
        training_mean: predictions.training_mean,
        n_training_ratings: data.n_ratings() as u64,
        link: parameters.link,
        clip: predictions.clip,
        users: side(users, "user", data, &objective.users, objective.similarity),
        items: side(items, "item", data, &objective.items, objective.similarity),
        seen: seen(data)?,
        baseline: None,
        posterior: None,
        purpose: objective.purpose(),
        reference: None,
    })
}

fn side<T: Real>(
    tables: &Side<T>,
    name: &str,
    dataset: &Dataset,
    penalty: &SidePenalty,
    similarity: Similarity,
) -> ModelSide {
    let data = match name {
        "user" => &dataset.users,
        _ => &dataset.items,
    };
    let mut of_groups = penalty.counts[1..].iter();
    let counts = &penalty.counts[0];
    let groups = tables.groups.iter().map(|group| {
        let values = groups::values(dataset, name, &group.name, group.values.as_deref());
        let values = values.cloned().unwrap_or_default();
        let column = data.catalog.column(&group.name);
        ModelGroup {
            name: group.name.clone(),
            profile: column.map(|column| Profile::of(column, &values, counts)),
            values,
            table: rows(&group.table),
            biases: biases(&group.table),
            counts: of_groups.next().cloned().unwrap_or_default(),
            features: Features::clone(&group.features),
            bag: group.bag,
        }
    });
    let mut side = ModelSide {
        ids: data.ids.clone(),
        catalog: data.catalog.clone(),
        counts: counts.clone(),
        identity: rows(&tables.identity),
        identity_biases: biases(&tables.identity),
        groups: groups.collect(),
        composed: None,
        composed_biases: None,
    };
    side.compose(similarity);
    side
}

fn rows<T: Real>(table: &Table<T>) -> Rows {
    let values = table.as_slice().iter().map(|x| x.to_f32()).collect();
    Rows::from_padded(table.n_rows(), table.n_factors(), values).expect("padding is never written")
}

fn biases<T: Real>(table: &Table<T>) -> Option<Vec<f32>> {
    table
        .bias_slice()
        .map(|biases| biases.iter().map(|x| x.to_f32()).collect())
}
