//! What do several models say together?
//!
//! The mean of their scores, which is one dot product again: rows side by side, those of users divided by the number of models.
//!
//! ```text
//! score = (1/M) Σ_m (μ_m + b_u^m + b_i^m + ⟨P_u^m, Q_i^m⟩) = μ̄ + b̄_u + b̄_i + ⟨[P_u¹ | … | P_u^M]/M, [Q_i¹ | … | Q_i^M]⟩
//! ```
//!
//! Models err in different ways where they were made in different ways; what they have in common stays, what each gets wrong alone shrinks. So an ensemble takes the posterior drawn with
//! many factors and with few, and a variational one that knows users by their ratings alone. Rows are composed: a blend predicts new rows by their features as its members do, but does not hold the features apart.

use std::ops::ControlFlow;

use super::Training;
use crate::data::{Dataset, Interactions};
use crate::model::{Model, ModelSide, Rows};
use crate::training::config::{Columns, Implicit, Method, SAMPLES};
use crate::training::observer::Epoch;
use crate::training::{Checked, Config, Ending, Event, Finish, Observer};
use crate::{Error, Result};

/// Factors of the second.
const FEW_FACTORS: usize = 7;

/// The members of an ensemble at their start, and as far as they have come.
#[derive(Debug)]
pub struct Ensemble<'d> {
    config: Config,
    members: Vec<Training<'d>>,
}

/// The configurations of the members.
fn members(config: &Config) -> Vec<Config> {
    let of = |method: Method| Config {
        method,
        ..config.clone()
    };
    let implicit = match config.implicit {
        Implicit::Both => Implicit::Items,
        Implicit::Users => Implicit::None,
        other => other,
    };
    vec![
        Config {
            n_factors: config.n_factors.or(Method::Variational.factors().into()),
            ..of(Method::Samples(SAMPLES))
        },
        Config {
            n_factors: Some(FEW_FACTORS),
            ..of(Method::Samples(SAMPLES))
        },
        Config {
            implicit,
            user_features: Columns::Named(Vec::new()),
            ..of(Method::Variational)
        },
    ]
}

impl<'d> Ensemble<'d> {
    pub(super) fn new(
        checked: &Checked,
        train: &'d Dataset,
        valid: Option<&'d Interactions>,
    ) -> Result<Ensemble<'d>> {
        let config = checked.config().clone();
        let members = members(&config)
            .into_iter()
            .map(|member| member.check()?.training(train, valid));
        Ok(Ensemble {
            members: members.collect::<Result<_>>()?,
            config,
        })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn first(&self) -> &Training<'d> {
        &self.members[0]
    }

    /// Trains one member after the other; the observer sees one row of epochs, and validation of the member at work.
    pub(super) fn run(&mut self, observer: &mut impl Observer) -> Finish {
        let epochs = |member: &Training<'_>| member.trainer().config().n_epochs();
        let total: usize = self.members.iter().map(epochs).sum();
        let mut done = Finish {
            ending: Ending::Completed,
            epochs: 0,
            kept: 0,
            valid: None,
        };
        let mut trained = 0;
        for (n, member) in self.members.iter_mut().enumerate() {
            let finish = member.run(&mut Part {
                whole: observer,
                first: n == 0,
                before: done.epochs,
                total,
            });
            trained += 1;
            done.epochs += finish.epochs;
            done.kept = done.epochs;
            if !matches!(finish.ending, Ending::Completed | Ending::Patience) {
                done.ending = finish.ending;
                break;
            }
        }
        // Who was not trained has nothing to say.
        self.members.truncate(trained);
        done
    }

    pub(super) fn into_model(self) -> Result<Model> {
        let models = self.members.into_iter().map(Training::with_baseline);
        blend(&models.collect::<Result<Vec<_>>>()?)
    }
}

/// Who watches the whole, watching a member.
struct Part<'o> {
    whole: &'o mut dyn Observer,
    first: bool,
    /// Epochs of the members before.
    before: usize,
    /// Epochs of all.
    total: usize,
}

impl Observer for Part<'_> {
    fn on_event(&mut self, event: &Event) -> ControlFlow<()> {
        let before = self.before;
        self.whole.on_event(&match event.clone() {
            Event::Started { .. } if !self.first => return ControlFlow::Continue(()),
            Event::Started {
                n_ratings,
                n_parameters,
                ..
            } => Event::Started {
                n_ratings,
                n_parameters,
                epochs: self.total,
            },
            Event::EpochStarted { epoch } => Event::EpochStarted {
                epoch: before + epoch,
            },
            Event::EpochTrained { epoch } => Event::EpochTrained {
                epoch: before + epoch,
            },
            Event::EpochEnded(epoch) => Event::EpochEnded(Epoch {
                epoch: before + epoch.epoch,
                ..epoch
            }),
        })
    }
}

/// The mean of models of the same users and items.
///
/// # Errors
/// [`Error::Config`] where there are none, where they differ in their users, items or scale, or have another link than the identity.
pub fn blend(models: &[Model]) -> Result<Model> {
    let Some(first) = models.first() else {
        return Err(Error::config("models", "none", "at least one to blend"));
    };
    let alike = |other: &Model| {
        other.users.ids == first.users.ids
            && other.items.ids == first.items.ids
            && other.clip == first.clip
            && other.link == crate::model::Link::Identity
            && other.global_mean.is_some()
    };
    if !models.iter().all(alike) {
        let wanted = "the same users, items and scale, a mean, and no link";
        return Err(Error::config(
            "models",
            "some that do not fit together",
            wanted,
        ));
    }
    let share = 1.0 / models.len() as f64;
    let side = |of: &dyn Fn(&Model) -> &ModelSide, scale: f64| {
        let sides: Vec<&ModelSide> = models.iter().map(of).collect();
        let n_rows = sides[0].ids.len();
        let width = sides.iter().map(|side| side.composed().stride()).sum();
        let row = |r: usize| {
            sides
                .iter()
                .flat_map(move |side| side.composed().padded_row(r))
        };
        let numbers = (0..n_rows)
            .flat_map(row)
            .map(|&x| (scale * f64::from(x)) as f32);
        let bias = |r: usize| {
            let sum: f64 = sides
                .iter()
                .map(|side| f64::from(side.bias(r as u32)))
                .sum();
            (share * sum) as f32
        };
        ModelSide {
            ids: sides[0].ids.clone(),
            catalog: sides[0].catalog.clone(),
            counts: sides[0].counts.clone(),
            identity: Rows::from_padded(n_rows, width, numbers.collect())
                .expect("rows of whole lanes"),
            identity_biases: Some((0..n_rows).map(bias).collect()),
            ..ModelSide::default()
        }
    };
    let means = models.iter().filter_map(|model| model.global_mean);
    let users = side(&|model| &model.users, share);
    Ok(Model {
        n_factors: users.identity.n_factors(),
        global_mean: Some(share * means.sum::<f64>()),
        users,
        items: side(&|model| &model.items, 1.0),
        posterior: None,
        purpose: None,
        reference: None,
        ..first.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example;

    #[test]
    fn a_blend_predicts_the_mean_of_its_members() {
        let mut one = example::model();
        (one.global_mean, one.clip) = (Some(3.0), None);
        let mut other = one.clone();
        other.global_mean = Some(2.5);
        let rows = &one.users.identity;
        let twice = rows.as_padded_slice().iter().map(|x| 2.0 * x).collect();
        other.users.identity =
            Rows::from_padded(rows.n_rows(), rows.n_factors(), twice).expect("as many numbers");
        other.users.compose(crate::model::Similarity::Dot);
        let blended = blend(&[one.clone(), other.clone()]).unwrap();
        for u in [None, Some(0), Some(1), Some(3)] {
            for i in [None, Some(0), Some(2)] {
                let value = |model: &Model| f64::from(model.predict_rows(u, i).value);
                let wanted = 0.5 * (value(&one) + value(&other));
                // Sums of a dozen f32 near 3, in two orders.
                assert!((value(&blended) - wanted).abs() < 2e-6, "{u:?} {i:?}");
            }
        }
    }

    #[test]
    fn models_of_other_users_are_refused() {
        let mut one = example::model();
        one.global_mean = Some(3.0);
        let mut other = one.clone();
        other.users.ids = other.items.ids.clone();
        assert!(blend(&[one.clone(), other]).is_err());
        let mut scaled = one.clone();
        scaled.clip = None;
        assert!(blend(&[one, scaled]).is_err());
        assert!(blend(&[]).is_err());
    }
}
