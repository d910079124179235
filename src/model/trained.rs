//! What is left when training is over?
//!
//! The tables, the composed rows made of them, and the names: enough to predict and recommend anywhere. No array library,
//! no threads, no files.

use super::{
    Bag, Clip, Features, Link, Meaning, Posterior, Prediction, Profile, Purpose, Reference, Rows,
    Scorer, Similarity, forward, purpose::normalise,
};
use crate::data::{Catalog, Csr, Ids};
use crate::kernels::lanes;

/// A trained model.
///
/// Its rows are `f32`. It is `Send + Sync + Clone`, and nothing in it changes after training.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub(crate) n_factors: usize,
    /// μ; `None` in a model without.
    pub(crate) global_mean: Option<f64>,
    /// The mean of the training ratings, with or without μ in the model.
    pub(crate) training_mean: f64,
    pub(crate) n_training_ratings: u64,
    pub(crate) link: Link,
    pub(crate) clip: Option<Clip>,
    pub(crate) users: ModelSide,
    pub(crate) items: ModelSide,
    /// The items that each user rated in training, rising.
    pub(crate) seen: Csr,
    /// What a model without factors makes of the same ratings; evaluation prints it beside the model's own figures.
    pub(crate) baseline: Option<Baseline>,
    /// How uncertain the scores are, where training found out.
    pub(crate) posterior: Option<Posterior>,
    /// What it was trained for; `None` of a file that does not say, which predicts ratings by dot products.
    pub(crate) purpose: Option<Purpose>,
    /// What its training looked like, where its file says so.
    pub(crate) reference: Option<Reference>,
}

/// One side of a [`Model`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelSide {
    pub(crate) ids: Ids,
    pub(crate) catalog: Catalog,
    /// How many training ratings touch each row.
    pub(crate) counts: Vec<u32>,
    /// p_u or q_i.
    pub(crate) identity: Rows,
    pub(crate) identity_biases: Option<Vec<f32>>,
    pub(crate) groups: Vec<ModelGroup>,
    /// P_u or Q_i; `None` where it is the identity, because there are no groups and rows are not normalised.
    pub(crate) composed: Option<Rows>,
    pub(crate) composed_biases: Option<Vec<f32>>,
}

/// One feature group of a [`ModelSide`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelGroup {
    /// The column it was made from.
    pub(crate) name: String,
    /// The names of the table's rows.
    pub(crate) values: Ids,
    /// x_f or y_f.
    pub(crate) table: Rows,
    pub(crate) biases: Option<Vec<f32>>,
    /// How many training ratings touch each row.
    pub(crate) counts: Vec<u32>,
    /// w_uf or w_if.
    pub(crate) features: Features,
    /// How those weights were made; a prediction for other features weighs them alike.
    pub(crate) bag: Bag,
    /// What training saw of the column; `None` of a group that is made of the ratings, and of a file from before models knew.
    pub(crate) profile: Option<Profile>,
}

/// μ + b_u + b_i, fitted by ridge regression on the training ratings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    /// The mean of the training ratings.
    pub global_mean: f64,
    /// One a user.
    pub user_biases: Vec<f32>,
    /// One an item.
    pub item_biases: Vec<f32>,
}

impl Baseline {
    /// μ + b_u + b_i; the term of an unknown user or item is 0.
    pub fn predict(&self, user: Option<u32>, item: Option<u32>) -> f64 {
        let bias = |biases: &[f32], row: Option<u32>| {
            row.map_or(0.0, |row| f64::from(biases[row as usize]))
        };
        self.global_mean + bias(&self.user_biases, user) + bias(&self.item_biases, item)
    }
}

impl Model {
    /// The number of factors of every row.
    pub fn n_factors(&self) -> usize {
        self.n_factors
    }

    /// μ, where the model has it.
    pub fn global_mean(&self) -> Option<f64> {
        self.global_mean
    }

    /// The mean of the ratings that it was trained on.
    pub fn training_mean(&self) -> f64 {
        self.training_mean
    }

    /// The number of ratings that it was trained on.
    pub fn n_training_ratings(&self) -> u64 {
        self.n_training_ratings
    }

    /// The function from score to prediction.
    pub fn link(&self) -> Link {
        self.link
    }

    /// The scale that predictions are cut to.
    pub fn clip(&self) -> Option<Clip> {
        self.clip
    }

    /// The users.
    pub fn users(&self) -> &ModelSide {
        &self.users
    }

    /// The items.
    pub fn items(&self) -> &ModelSide {
        &self.items
    }

    /// The items that `user` rated in training, rising.
    pub fn seen(&self, user: u32) -> &[u32] {
        self.seen.row(user as usize)
    }

    /// The baseline μ + b_u + b_i of the same training ratings.
    pub fn baseline(&self) -> Option<&Baseline> {
        self.baseline.as_ref()
    }

    /// What it was trained for, where its file says so.
    pub fn purpose(&self) -> Option<&Purpose> {
        self.purpose.as_ref()
    }

    /// What its training looked like, where its file says so: every model that [`fit`](crate::training::Checked::fit) and `lowrank train` make does.
    pub fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    /// What a score means: a rating, unless the model says otherwise.
    pub fn meaning(&self) -> Meaning {
        self.purpose
            .as_ref()
            .map_or(Meaning::default(), |purpose| purpose.meaning)
    }

    /// How two rows make a score: by their dot product, unless the model says otherwise.
    pub fn similarity(&self) -> Similarity {
        self.purpose
            .as_ref()
            .map_or(Similarity::default(), |purpose| purpose.similarity)
    }

    /// How uncertain the scores are, where training found out.
    pub fn posterior(&self) -> Option<&Posterior> {
        self.posterior.as_ref()
    }

    /// The predicted rating of a pair, by external ids.
    ///
    /// An id that the model does not have is no error: the prediction rests on less, and says so in its `kind`. The terms of an unknown row are 0;
    /// a model
    /// of ratings without μ predicts their mean where a row is unknown, because its terms have nothing to stand on. A probability or a rank is never the mean of some ratings: there it is
    /// the link of what terms there are, of 0 where nothing is known.
    ///
    /// # Errors
    /// None today; the signature leaves room for models that refuse a pair.
    pub fn predict(&self, user_id: &str, item_id: &str) -> crate::Result<Prediction> {
        Ok(self.predict_rows(self.users.ids.index(user_id), self.items.ids.index(item_id)))
    }

    /// [`predict`](Model::predict) by row numbers, `None` for an unknown row.
    pub fn predict_rows(&self, user: Option<u32>, item: Option<u32>) -> Prediction {
        Scorer::new(self, user).prediction(item)
    }

    /// The prediction for a score: link, then clipping.
    pub(crate) fn prediction_of(&self, score: f32) -> f32 {
        let prediction = self.link.value(f64::from(score)) as f32;
        self.clip.map_or(prediction, |clip| clip.apply(prediction))
    }
}

impl ModelSide {
    /// The names of the rows.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Titles and columns.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// How many training ratings touch each row.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// The identity table: p_u or q_i.
    pub fn identity(&self) -> &Rows {
        &self.identity
    }

    /// The biases of the identity table.
    pub fn identity_biases(&self) -> Option<&[f32]> {
        self.identity_biases.as_deref()
    }

    /// The feature groups.
    pub fn groups(&self) -> &[ModelGroup] {
        &self.groups
    }

    /// The composed rows: P_u or Q_i.
    pub fn composed(&self) -> &Rows {
        self.composed.as_ref().unwrap_or(&self.identity)
    }

    /// The composed bias of a row; 0 in a model without biases.
    pub fn bias(&self, row: u32) -> f32 {
        let biases = self
            .composed_biases
            .as_ref()
            .or(self.identity_biases.as_ref());
        biases.map_or(0.0, |biases| biases[row as usize])
    }

    /// Whether training ratings touch the row, or a feature that it has.
    pub fn known(&self, row: u32) -> bool {
        self.counts[row as usize] > 0
            || self.groups.iter().any(|group| {
                group
                    .features
                    .row(row as usize)
                    .any(|(f, w)| w != 0.0 && group.counts[f as usize] > 0)
            })
    }

    /// Fills the composed rows from the tables.
    ///
    /// ```text
    /// P_r = p_r + Σ_groups Σ_f w_rf · x_f,      groups and features in their order; divided by its length in a cosine model
    /// ```
    ///
    /// Without groups the identity is the composed table, unless rows are normalised.
    pub(crate) fn compose(&mut self, similarity: Similarity) {
        if self.groups.is_empty() && similarity == Similarity::Dot {
            (self.composed, self.composed_biases) = (None, None);
            return;
        }
        let n_rows = self.identity.n_rows();
        let mut rows = Vec::with_capacity(self.identity.as_padded_slice().len());
        let mut biases = Vec::with_capacity(n_rows);
        for r in 0..n_rows {
            let features = self
                .groups
                .iter()
                .map(|group| (group, group.features.row(r)));
            let (row, bias) = self.composed_row(similarity, r, features);
            rows.extend_from_slice(&row);
            biases.push(bias);
        }
        self.composed = Rows::from_padded(n_rows, self.identity.n_factors(), rows);
        self.composed_biases = (self.identity_biases.is_some()
            || self.groups.iter().any(|g| g.biases.is_some()))
        .then_some(biases);
    }

    /// Row `r` with these features instead of its own, and its bias; `None` for a row of which the features alone are known.
    pub(crate) fn composed_row<'a>(
        &self,
        similarity: Similarity,
        r: impl Into<Option<usize>>,
        features: impl Iterator<Item = (&'a ModelGroup, impl Iterator<Item = (u32, f32)>)>,
    ) -> (Vec<f32>, f32) {
        let r = r.into();
        let mut row = r.map_or_else(
            || vec![0.0; self.identity.stride()],
            |r| self.identity.padded_row(r).to_vec(),
        );
        let mut bias = match (r, &self.identity_biases) {
            (Some(r), Some(biases)) => biases[r],
            _ => 0.0,
        };
        for (group, features) in features {
            for (f, weight) in features {
                lanes::add_scaled(&mut row, weight, group.table.padded_row(f as usize));
                bias += group
                    .biases
                    .as_ref()
                    .map_or(0.0, |biases| weight * biases[f as usize]);
            }
        }
        if similarity == Similarity::Cosine {
            normalise(&mut row);
        }
        (row, bias)
    }
}

impl ModelGroup {
    /// The column that the group was made from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of the table's rows: the distinct values of the column.
    pub fn values(&self) -> &Ids {
        &self.values
    }

    /// The table: one row a value.
    pub fn table(&self) -> &Rows {
        &self.table
    }

    /// The biases of the values.
    pub fn biases(&self) -> Option<&[f32]> {
        self.biases.as_deref()
    }

    /// How many training ratings touch each value.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// The weights.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// How the weights were made.
    pub fn bag(&self) -> Bag {
        self.bag
    }
}

impl Model {
    /// The score of composed rows and biases.
    #[inline(always)]
    pub(crate) fn score(&self, user_bias: f32, item_bias: f32, p_u: &[f32], q_i: &[f32]) -> f32 {
        forward::score(
            self.global_mean.unwrap_or(0.0) as f32,
            user_bias,
            item_bias,
            p_u,
            q_i,
        )
    }
}
