//! Which figures do gates ask for, and whose?
//!
//! Errors are taken row by row and lists user by user, so that two models can be compared on the same of them. Rows of newcomers are those of the model that is judged, for all.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::Evaluate;
use super::findings::Findings;
use super::lists::labels;
use super::of_model::{Side, clipped};
use crate::data::Interactions;
use crate::evaluation::baselines::Knn;
use crate::evaluation::comparison::by_first_row;
use crate::evaluation::gate::{Figure, Gate, Newcomers, Reference, Sample, Verdict};
use crate::evaluation::report::{cold, rows};
use crate::kernels::pool::Pool;
use crate::metrics::{Kind, Metric, log_loss};
use crate::model::Meaning;
use crate::{Error, Result};

impl Evaluate {
    /// Refuses gates whose figure a model of the kind cannot have; `no_errors` says why it has no errors, where it has none.
    pub(super) fn check_gates(&self, no_errors: Option<&str>, can_label: bool) -> Result<()> {
        for Gate { figure, text, .. } in &self.gates.gate {
            let of_labels = figure.metric().is_some_and(|of| of.kind.is_of_labels());
            let wanted = match no_errors {
                Some(why) if figure.is_of_errors() => format!("a metric of lists, as in ndcg@20: {why}"),
                _ if of_labels && !can_label => {
                    "another figure: that one needs a model of probabilities, and a test file with both labels".into()
                }
                _ => continue,
            };
            return Err(Error::config("gate", format!("{text:?}"), wanted));
        }
        Ok(())
    }

    /// Compares the model with the champion, and holds it against every gate.
    pub(super) fn pass(
        &self,
        side: &Side,
        champion: Option<&Side>,
        knn: Option<&Knn>,
        findings: &mut Findings,
        pool: &Pool,
    ) {
        let ground = Ground {
            evaluate: self,
            side,
            champion,
            knn,
            findings,
            pool,
            predicted: RefCell::default(),
        };
        let differences = match champion {
            Some(_) => ground.differences(),
            None => Vec::new(),
        };
        let verdicts = self.gates.gate.iter().map(|gate| ground.verdict(gate));
        let verdicts = verdicts.collect();
        findings.differences = differences;
        findings.gates.0 = verdicts;
    }
}

/// All that gates may ask about.
struct Ground<'a> {
    evaluate: &'a Evaluate,
    side: &'a Side,
    champion: Option<&'a Side>,
    knn: Option<&'a Knn>,
    findings: &'a Findings,
    pool: &'a Pool,
    /// What was predicted already: by whom, of which rows.
    predicted: RefCell<BTreeMap<WhoseRows, Rc<Vec<f64>>>>,
}

/// Whose predictions, by the reference's name, and of which rows.
type WhoseRows = (Option<&'static str>, Rows);

/// Which rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rows {
    Test,
    Training,
}

/// A figure, or why there is none.
type Found = Result<Sample, String>;

impl Ground<'_> {
    fn verdict(&self, gate: &Gate) -> Verdict {
        let figure = self.figure(gate.figure, None);
        if gate.names(Reference::Champion) && self.champion.is_none() {
            return Verdict::no_champion(gate, figure.ok().map(|of| of.value()));
        }
        let reference = gate.bound.reference;
        let reference = reference.map(|whose| self.figure(gate.figure, Some(whose)));
        Verdict::of(gate, self.evaluate.gates.rules(), figure, reference)
    }

    /// The model's figures less the champion's.
    fn differences(&self) -> Vec<(Metric, [f64; 2])> {
        let difference = |&metric: &Metric| {
            let of = |whose| self.figure(Figure::Of(metric), whose).ok();
            let found = of(None)?.beside(&of(Some(Reference::Champion))?, 1.0);
            Some((metric, found.difference?))
        };
        self.findings
            .metrics
            .iter()
            .filter_map(difference)
            .collect()
    }

    /// A figure of the model, or of a reference.
    fn figure(&self, figure: Figure, whose: Option<Reference>) -> Found {
        let test = &self.side.test.interactions;
        match figure {
            Figure::Of(Metric { kind, .. }) if matches!(kind, Kind::Rmse | Kind::Mae) => {
                self.errors(kind, whose, &(0..test.len()).collect::<Vec<usize>>())
            }
            Figure::Of(metric) if metric.kind == Kind::LogLoss => self.log_losses(whose),
            Figure::Of(metric) => self.of_lists(metric, whose),
            Figure::Cold(kind, newcomers) => {
                let rows = self.cold_rows(newcomers);
                if rows.is_empty() {
                    return Err(match newcomers {
                        Newcomers::Any => {
                            "training has seen every user and item of the test".into()
                        }
                        Newcomers::Users => "training has seen every user of the test".into(),
                        Newcomers::Items => "training has seen every item of the test".into(),
                    });
                }
                self.errors(kind, whose, &rows)
            }
            Figure::Train => {
                let train = rows_of(self.side, Rows::Training)?;
                let predictions = self.predictions(whose, Rows::Training)?;
                let all: Vec<usize> = (0..train.len()).collect();
                Ok(sample(Kind::Rmse, train, &predictions, &all))
            }
            Figure::Gap => {
                let of = |figure| self.figure(figure, whose);
                let test = of(Figure::Of(Metric::new(Kind::Rmse, None)))?;
                Ok(Sample::whole(test.value() - of(Figure::Train)?.value()))
            }
        }
    }

    /// Errors of some rows of the test.
    fn errors(&self, kind: Kind, whose: Option<Reference>, rows: &[usize]) -> Found {
        let predictions = self.predictions(whose, Rows::Test)?;
        Ok(sample(
            kind,
            &self.side.test.interactions,
            &predictions,
            rows,
        ))
    }

    /// What is predicted for each of the rows; several gates may ask for the same.
    fn predictions(&self, whose: Option<Reference>, rows: Rows) -> Result<Rc<Vec<f64>>, String> {
        let key = (whose.map(Reference::name), rows);
        if let Some(found) = self.predicted.borrow().get(&key) {
            return Ok(found.clone());
        }
        let made = Rc::new(self.predict(whose, rows)?);
        self.predicted.borrow_mut().insert(key, made.clone());
        Ok(made)
    }

    fn predict(&self, whose: Option<Reference>, which: Rows) -> Result<Vec<f64>, String> {
        let own = rows_of(self.side, which)?;
        let model = &self.side.model;
        let predictions = match whose {
            None => return Ok(rows::predictions(model, own, self.pool)),
            Some(Reference::Champion) => {
                let side = self.champion.ok_or("no champion")?;
                if side.model.meaning() != Meaning::Rating {
                    return Err("the champion predicts no ratings".into());
                }
                return Ok(rows::predictions(
                    &side.model,
                    rows_of(side, which)?,
                    self.pool,
                ));
            }
            Some(Reference::Biases) => {
                let biases = model.baseline().ok_or("the model file holds no biases")?;
                rows::of_baseline(biases, own)
            }
            Some(Reference::Knn) => self.knn.ok_or("no neighbours")?.predictions(own, self.pool),
            Some(_) => vec![model.training_mean(); own.len()],
        };
        Ok(clipped(model, predictions))
    }

    /// The rows of the test whose user or item the model's training never saw.
    fn cold_rows(&self, newcomers: Newcomers) -> Vec<usize> {
        let model = &self.side.model;
        let test = &self.side.test.interactions;
        let is_cold = |&n: &usize| {
            let user = cold(model.users(), test.users[n]);
            let item = cold(model.items(), test.items[n]);
            match newcomers {
                Newcomers::Any => user || item,
                Newcomers::Users => user,
                Newcomers::Items => item,
            }
        };
        (0..test.len()).filter(is_cold).collect()
    }

    /// A metric that was measured with the lists, user by user where it is a mean over them.
    fn of_lists(&self, metric: Metric, whose: Option<Reference>) -> Found {
        let key = whose.map_or(self.findings.judged[0].key, Reference::name);
        let judged = self.findings.judged.iter().find(|judged| judged.key == key);
        let value = judged.and_then(|judged| Some((judged, judged.values.get(metric)?)));
        let (judged, value) = value.ok_or_else(|| format!("{key} has no {metric}"))?;
        let lists = judged.lists.iter().find(|of| of.metric == metric);
        let Some(of_users) = lists.and_then(|of| of.of_users.as_ref()) else {
            return Ok(Sample::whole(value));
        };
        let side = match (whose, self.champion) {
            (Some(Reference::Champion), Some(champion)) => champion,
            _ => self.side,
        };
        Ok(Sample::of_users(by_first_row(
            &side.test.interactions,
            of_users,
        )))
    }

    fn log_losses(&self, whose: Option<Reference>) -> Found {
        let side = match whose {
            None => self.side,
            Some(_) => self.champion.ok_or("no champion")?,
        };
        if side.model.meaning() != Meaning::Probability {
            return Err(match whose {
                None => "the model predicts no probabilities".into(),
                Some(_) => "the champion predicts no probabilities".into(),
            });
        }
        let test = &side.test.interactions;
        let labels = labels(test, self.evaluate.relevant).ok_or("no labels")?;
        let predicted = rows::predictions(&side.model, test, self.pool);
        let pairs = predicted.iter().zip(&labels.of_rows);
        let losses = pairs.map(|(&p, &label)| log_loss(&[p], &[label]));
        let users = self.side.test.interactions.users.clone();
        Ok(Sample::mean(losses.collect(), users))
    }
}

fn rows_of(side: &Side, which: Rows) -> Result<&Interactions, String> {
    Ok(match which {
        Rows::Test => &side.test.interactions,
        Rows::Training => {
            &side
                .train
                .as_ref()
                .ok_or("no training ratings")?
                .interactions
        }
    })
}

/// RMSE or MAE of some rows.
fn sample(kind: Kind, test: &Interactions, predictions: &[f64], rows: &[usize]) -> Sample {
    let error = |&n: &usize| predictions[n] - f64::from(test.ratings[n]);
    let errors = rows.iter().map(error);
    let users = rows.iter().map(|&n| test.users[n]).collect();
    match kind {
        Kind::Mae => Sample::mean(errors.map(f64::abs).collect(), users),
        _ => Sample::root_mean(errors.map(|error| error * error).collect(), users),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::judge::gate::GateFlags;
    use crate::cli::output::Manner;
    use crate::model::example;
    use crate::storage::file_system::folder::TestFolder;

    /// Whoever releases a first model has no champion; whoever releases the next one asks the same.
    #[test]
    fn a_first_model_has_nobody_to_be_better_than() {
        let folder = TestFolder::new("gates");
        let (model, test) = (folder.0.join("model.lowrank"), folder.0.join("test.csv"));
        example::model().save(&model).unwrap();
        // ann on m2: 3¾ of 4; zoe on m1: 4½ of 3.
        std::fs::write(&test, "user,item,rating\nann,m2,4\nzoe,m1,3\n").unwrap();
        let gates = ["rmse < champion", "mae <= 0.875", "mae < 0.875"];
        let evaluate = Evaluate {
            test: Some(test),
            gates: GateFlags {
                gate: gates.map(|gate| gate.parse().unwrap()).into(),
                ..GateFlags::default()
            },
            ..Evaluate::default()
        };
        let manner = Manner {
            quiet: true,
            ..Manner::default()
        };
        let found = evaluate.judge(&model, None, manner).unwrap();
        let verdicts = &found.gates.0;
        let passed: Vec<bool> = verdicts.iter().map(|of| of.passed).collect();
        assert_eq!(passed, [true, true, false]);
        assert_eq!(verdicts[0].note.as_deref(), Some("no champion yet"));
        assert_eq!(verdicts[1].value, Some(0.875));
        let error = found.gates.check().unwrap_err();
        assert!(matches!(error, Error::Gate { failed: 1, .. }), "{error}");

        let found = evaluate.judge(&model, Some(&model), manner).unwrap();
        assert!(!found.gates.0[0].passed, "nobody is better than himself");
        assert_eq!(found.gates.0[0].difference, Some([0.0, 0.0]));
    }
}
