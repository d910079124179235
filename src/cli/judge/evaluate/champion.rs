//! What is measured of the champion, the model that is compared with?
//!
//! The same rows and the same metrics; ids are matched by name, and what is in its own training is left out of its own lists.

use super::Evaluate;
use super::findings::{CHAMPION, Findings, Judged};
use super::lists::labels;
use super::of_model::Side;
use crate::Result;
use crate::cli::output::{Manner, counted};
use crate::evaluation::evaluate;
use crate::evaluation::report::ranking::TestUsers;
use crate::evaluation::report::rows;
use crate::kernels::pool::Pool;
use crate::model::Meaning;

impl Evaluate {
    /// Puts the champion beside the model.
    pub(super) fn beside(
        &self,
        champion: &Side,
        findings: &mut Findings,
        pool: &Pool,
        manner: Manner,
    ) -> Result<()> {
        let Side {
            model, test: set, ..
        } = champion;
        let test = &set.interactions;
        let mut judged = Judged::new(CHAMPION, [CHAMPION; 2]);
        if findings.no_errors.is_none() && model.meaning() == Meaning::Rating {
            judged = judged.with(evaluate(model, test, pool)?.model);
        }
        if let Some(ranked) = &findings.ranking {
            let users = TestUsers::new(model, test, ranked.relevant_from);
            judged.add(self.lists_of(model, &users, &findings.metrics, None, pool)?);
        }
        let has_labels = findings
            .metrics
            .iter()
            .any(|metric| metric.kind.is_of_labels());
        if has_labels
            && model.meaning() == Meaning::Probability
            && let Some(labels) = labels(test, self.relevant)
        {
            let predicted = rows::predictions(model, test, pool);
            let values = labels.figures(&predicted, &findings.metrics);
            judged.values.0.extend(values);
        }
        champion.warn_of_what_it_remembers("champion", manner);
        findings.judged.insert(1, judged);
        Ok(())
    }
}

impl Side {
    /// Warns where the test has pairs that the model was trained on.
    pub(super) fn warn_of_what_it_remembers(&self, who: &str, manner: Manner) {
        let remembered = self.remembered();
        if remembered > 0 {
            manner.note(format_args!(
                "warning: the {who} was trained on {} of the test: it remembers their ratings, and its lists cannot hold them",
                counted(remembered, "pair")
            ));
        }
    }

    /// Rows whose pair is in the model's training.
    fn remembered(&self) -> u64 {
        let test = &self.test.interactions;
        let n_users = self.model.users().ids().len();
        let pairs = test.users.iter().zip(&test.items);
        let known = pairs.filter(|(user, item)| {
            (**user as usize) < n_users && self.model.seen(**user).binary_search(item).is_ok()
        });
        known.count() as u64
    }
}
