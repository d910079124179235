//! Does a model pass?
//!
//! | there is | the gate |
//! |---|---|
//! | a figure and a bound | passes where the estimate is on the right side; with [`clearly`](Rules::clearly) and a reference, where the whole interval of the difference is |
//! | no such figure, as of newcomers where the test has none | fails: nobody has looked. [`allow_unmeasured`](Rules::allow_unmeasured) lets it pass |
//! | no champion yet | passes: the first model has nobody to be better than |

use super::grammar::{Gate, Operator};
use super::sample::Sample;

/// How strict gates are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// A difference from a reference must be more than chance.
    pub clearly: bool,
    /// What cannot be measured passes.
    pub allow_unmeasured: bool,
}

/// What became of a gate.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize))]
pub struct Verdict {
    /// As it was written.
    pub gate: String,
    /// Whether the model passed.
    pub passed: bool,
    /// The model's figure, over what the reference has too.
    pub value: Option<f64>,
    /// What it was compared with.
    pub bound: Option<f64>,
    /// The 95 % interval of `value − bound`, where the bound is made of a reference.
    #[cfg_attr(feature = "cli", serde(skip_serializing_if = "Option::is_none"))]
    pub difference: Option<[f64; 2]>,
    /// Whether 0 is outside that interval.
    #[cfg_attr(feature = "cli", serde(skip_serializing_if = "Option::is_none"))]
    pub clear: Option<bool>,
    /// What decided, where it was not the two numbers.
    #[cfg_attr(feature = "cli", serde(skip_serializing_if = "Option::is_none"))]
    pub note: Option<String>,
}

impl Verdict {
    /// Of a gate, with the model's figure and, where the gate names one, the reference's; or why there is none.
    pub fn of(
        gate: &Gate,
        rules: Rules,
        figure: Result<Sample, String>,
        reference: Option<Result<Sample, String>>,
    ) -> Verdict {
        let number = figure.as_ref().ok().map(Sample::value);
        let both = figure.and_then(|figure| Ok((figure, reference.transpose()?)));
        let (figure, reference) = match both {
            Ok((figure, _)) if figure.value().is_nan() => {
                return Verdict::unmeasured(gate, rules, None, "there is nothing to measure it by");
            }
            Ok((_, Some(reference))) if reference.value().is_nan() => {
                let why = "the reference has nothing to be measured by";
                return Verdict::unmeasured(gate, rules, number, why);
            }
            Ok(both) => both,
            Err(why) => return Verdict::unmeasured(gate, rules, number, &why),
        };
        let bound = gate.bound;
        let Some(reference) = reference else {
            let passed = gate.operator.holds(figure.value(), bound.offset);
            return Verdict {
                value: Some(figure.value()),
                bound: Some(bound.offset),
                ..Verdict::bare(gate, passed)
            };
        };
        let found = figure.beside(&reference, bound.factor);
        let limit = bound.factor * found.reference + bound.offset;
        let difference = found
            .difference
            .map(|ends| ends.map(|end| end - bound.offset));
        let holds = gate.operator.holds(found.value, limit);
        let surely = difference.is_some_and(|ends| is_beyond(gate.operator, ends));
        let note = match (rules.clearly && holds && !surely, difference) {
            (false, _) => None,
            (true, Some(_)) => Some("not clearly: the difference may be chance"),
            (true, None) => Some("not clearly: the difference has no interval"),
        };
        Verdict {
            value: Some(found.value),
            bound: Some(limit),
            clear: difference.map(|[low, high]| low > 0.0 || high < 0.0),
            difference,
            note: note.map(str::to_owned),
            ..Verdict::bare(gate, holds && (surely || !rules.clearly))
        }
    }

    /// Of a gate that names the champion, where there is none yet.
    pub fn no_champion(gate: &Gate, value: Option<f64>) -> Verdict {
        Verdict {
            value: value.filter(|value| !value.is_nan()),
            note: Some("no champion yet".into()),
            ..Verdict::bare(gate, true)
        }
    }

    fn unmeasured(gate: &Gate, rules: Rules, value: Option<f64>, why: &str) -> Verdict {
        Verdict {
            value,
            note: Some(format!("not measurable: {why}")),
            ..Verdict::bare(gate, rules.allow_unmeasured)
        }
    }

    fn bare(gate: &Gate, passed: bool) -> Verdict {
        Verdict {
            gate: gate.text.clone(),
            passed,
            value: None,
            bound: None,
            difference: None,
            clear: None,
            note: None,
        }
    }
}

/// Whether the whole interval of `value − bound` is on the right side.
fn is_beyond(operator: Operator, [low, high]: [f64; 2]) -> bool {
    match operator {
        Operator::AtMost | Operator::Below => operator.holds(high, 0.0),
        Operator::AtLeast | Operator::Above => operator.holds(low, 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(gate: &str, rules: Rules, values: [&[f64]; 2]) -> Verdict {
        let gate: Gate = gate.parse().expect("a gate");
        let [figure, reference] = values.map(|values| Ok(Sample::of_users(values.to_vec())));
        let reference = gate.bound.reference.map(|_| reference);
        Verdict::of(&gate, rules, figure, reference)
    }

    const CLEARLY: Rules = Rules {
        clearly: true,
        allow_unmeasured: false,
    };
    const PLAIN: Rules = Rules {
        clearly: false,
        allow_unmeasured: false,
    };

    #[test]
    fn a_number_decides_by_the_estimate() {
        // Equality is on the right side of <= and >=, on the wrong one of < and >.
        for (gate, passed) in [
            ("mae <= 0.5", true),
            ("mae < 0.5", false),
            ("mae >= 0.5", true),
            ("mae > 0.5", false),
            ("mae > 0.49", true),
        ] {
            // A number needs no interval to be clear of.
            for rules in [PLAIN, CLEARLY] {
                let found = verdict(gate, rules, [&[0.25, 0.75], &[]]);
                assert_eq!((found.passed, found.value), (passed, Some(0.5)), "{gate}");
                assert_eq!((found.difference, found.clear), (None, None));
            }
        }
    }

    #[test]
    fn a_reference_decides_by_the_estimate_or_by_the_interval() {
        let (few, more): (&[f64], &[f64]) = (&[0.50, 0.60, 0.55, 0.65], &[0.61, 0.70, 0.64, 0.76]);
        let noisy: &[f64] = &[0.9, 0.2, 0.9, 0.4];
        for (gate, values, plain, clearly) in [
            // Differences −0.11, −0.10, −0.09, −0.11: clearly below.
            ("mae < champion", [few, more], true, true),
            ("mae > champion", [few, more], false, false),
            ("recall@5 >= champion", [more, few], true, true),
            // By 0.1025 less, which is not clearly 0.1 less but clearly 0.08 less.
            ("mae <= champion - 0.1", [few, more], true, false),
            ("mae <= champion - 0.08", [few, more], true, true),
            ("mae <= champion - 0.11", [few, more], false, false),
            ("recall@5 >= 1.1 * champion", [more, few], true, true),
            ("recall@5 >= 1.3 * champion", [more, few], false, false),
            // 0.575 and 0.6, all over the place.
            ("mae < champion", [few, noisy], true, false),
            // Nobody is clearly below himself, but clearly not above.
            ("mae < champion", [few, few], false, false),
            ("mae <= champion", [few, few], true, true),
        ] {
            assert_eq!(verdict(gate, PLAIN, values).passed, plain, "{gate}");
            let strict = verdict(gate, CLEARLY, values);
            assert_eq!(strict.passed, clearly, "{gate} clearly");
            assert_eq!(strict.note.is_some(), plain && !clearly, "{gate}");
            let [low, high] = strict.difference.expect("four users");
            let middle = strict.value.unwrap() - strict.bound.unwrap();
            assert!((f64::midpoint(low, high) - middle).abs() < 1e-12, "{gate}");
            assert_eq!(strict.clear, Some(low > 0.0 || high < 0.0));
        }
    }

    #[test]
    fn what_nobody_measured_fails_unless_that_is_allowed() {
        let gate: Gate = "rmse_cold <= champion".parse().expect("a gate");
        let lenient = Rules {
            allow_unmeasured: true,
            ..PLAIN
        };
        let some = || Ok(Sample::of_users(vec![1.0]));
        let none = || Err("no cold rows".to_owned());
        let nothing = || Ok(Sample::of_users(Vec::new()));
        for (figure, reference, value) in [
            (none(), Some(some()), None),
            (some(), Some(none()), Some(1.0)),
            (nothing(), Some(some()), None),
            (some(), Some(nothing()), Some(1.0)),
        ] {
            for (rules, passed) in [(PLAIN, false), (lenient, true)] {
                let found = Verdict::of(&gate, rules, figure.clone(), reference.clone());
                assert_eq!((found.passed, found.value), (passed, value), "{found:?}");
                assert!(found.note.expect("why").starts_with("not measurable: "));
            }
        }
        let first = Verdict::no_champion(&gate, Some(f64::NAN));
        assert!(first.passed && first.value.is_none());
        assert_eq!(first.note.as_deref(), Some("no champion yet"));
    }
}
