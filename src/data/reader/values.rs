//! What number does a field say?
//!
//! A rating is a finite `f32`; a weight one that is not negative; a time is whole seconds, or a date.
//!
//! ```text
//! 881250949        seconds since 1970          881250949.7   rounded down
//! 1997-12-04T15:55:49Z,  1997-12-04 15:55:49+01:00,  1997-12-04      (ISO 8601; UTC where no offset stands)
//! ```

/// `text` as it stands in a message: in quotes, about 40 characters of it, control characters escaped.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

/// A finite number.
#[inline]
pub(super) fn rating(text: &str) -> Option<f32> {
    exact(text.as_bytes()).or_else(|| any_rating(text))
}

/// [`rating`] by its definition.
#[cold]
fn any_rating(text: &str) -> Option<f32> {
    let number: f32 = text.trim().parse().ok()?;
    number.is_finite().then_some(number)
}

/// What parsing gives for a number of at most 7 digits without exponent, `None` for any other text: both operands of the division are exact
/// (10⁷ < 2²⁴), so it rounds once.
#[inline]
fn exact(text: &[u8]) -> Option<f32> {
    const TENS: [f32; 8] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7];
    let (negative, number) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (mut digits, mut decimals, mut point) = (0u32, 0, 0);
    for &byte in number.get(..number.len().min(9))? {
        match byte {
            b'0'..=b'9' => {
                digits = 10 * digits + u32::from(byte - b'0');
                decimals += point;
            }
            b'.' if point == 0 => point = 1,
            _ => return None,
        }
    }
    let n_digits = number.len() - point;
    if !(1..=7).contains(&n_digits) {
        return None;
    }
    let value = digits as f32 / TENS[decimals];
    Some(if negative { -value } else { value })
}

/// What [`rating`] wants.
pub(super) fn rating_wanted(text: &str) -> String {
    let comma = text.contains(',') && rating(&text.replace(',', ".")).is_some();
    let hint = if comma { " (3.5, not 3,5)" } else { "" };
    format!("a finite number{hint}")
}

/// A finite number that is not negative.
#[inline]
pub(super) fn weight(text: &str) -> Option<f32> {
    rating(text).filter(|&weight| weight >= 0.0)
}

/// What [`timestamp`] wants.
pub(super) const TIMESTAMP_WANTED: &str =
    "a time: whole seconds such as 881250949, or a date such as 1997-12-04T15:55:49Z";

/// A time in seconds.
#[inline]
pub(super) fn timestamp(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| rare_timestamp(text.trim()))
}

#[cold]
fn rare_timestamp(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        // From 2⁶³ on the cast would saturate.
        let in_range = seconds.abs() < 9_223_372_036_854_775_808.0;
        return in_range.then(|| libm::floor(seconds) as i64);
    }
    iso_8601(text)
}

/// A date, or a date and a time of day.
fn iso_8601(text: &str) -> Option<i64> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let midnight = 86_400 * days_since_1970(year, month, day);
    if rest.is_empty() {
        return Some(midnight);
    }
    let (hour, rest) = digits(rest.strip_prefix(['T', 't', ' '])?, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 2)?,
        None => (0, rest),
    };
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (rest.len() < fraction.len()).then_some(rest)?
        }
        None => rest,
    };
    // Second 60 is a leap second.
    let valid = hour < 24 && minute < 60 && second <= 60;
    valid.then_some(midnight + 3600 * hour + 60 * minute + second - offset(rest)?)
}

/// Seconds east of Greenwich: nothing, `Z`, `+01`, `+0100`, `-01:00`.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "" | "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = match rest.strip_prefix(':').unwrap_or(rest) {
        "" => (0, ""),
        rest => digits(rest, 2)?,
    };
    let valid = rest.is_empty() && hours < 24 && minutes < 60;
    valid.then_some(sign * (3600 * hours + 60 * minutes))
}

/// Exactly `n` digits at the start, as a number, and what follows.
fn digits(text: &str, n: usize) -> Option<(i64, &str)> {
    let (head, rest) = text.split_at_checked(n)?;
    let all = head.bytes().all(|b| b.is_ascii_digit());
    Some((all.then(|| head.parse().ok())??, rest))
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar. The year starts in March, so that the leap day is its last
/// (Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`).
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_short_forms_of_ratings_are_parsed_like_all_others() {
        for tenths in 0..100 {
            let text = format!("{}.{}", tenths / 10, tenths % 10);
            assert_eq!(rating(&text), text.parse().ok(), "{text}");
        }
        for text in [
            "0", "9", "-1", "+2", ".5", "5.", "1e2", " 3 ", "3.25", "007",
        ] {
            assert_eq!(rating(text), text.trim().parse().ok(), "{text}");
        }
        // All of them are of the fast kind, and those are not.
        for text in ["0", "5.", ".5", "-4.5", "9999999", "0.000001", "16777.2"] {
            assert_eq!(exact(text.as_bytes()), text.parse().ok(), "{text}");
        }
        for text in [
            "",
            ".",
            "-",
            "-.",
            "1.2.3",
            "16777217",
            "0.1234567",
            "1e2",
            "+1",
        ] {
            assert_eq!(exact(text.as_bytes()), None, "{text}");
        }
        assert!(rating("-0").unwrap().is_sign_negative());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn numbers_are_those_of_the_standard_library(
            text in "-?[0-9]{0,8}\\.?[0-9]{0,8}|[-+.0-9e]{0,9}",
        ) {
            let wanted: Option<f32> = text.parse().ok().filter(|number: &f32| number.is_finite());
            prop_assert_eq!(rating(&text).map(f32::to_bits), wanted.map(f32::to_bits));
        }
    }

    #[test]
    fn what_is_no_finite_number_is_no_rating() {
        for text in [
            "", " ", "NaN", "nan", "inf", "-inf", "infinity", "1e40", "five", "3,5", "0x3",
            "1_000", "1 2", "५",
        ] {
            assert_eq!(rating(text), None, "{text:?}");
        }
        assert_eq!(rating("1e-50"), Some(0.0));
        assert!(rating_wanted("3,5").contains("3.5"));
        assert_eq!(weight("-0.1"), None);
        assert_eq!(weight("0"), Some(0.0));
    }

    #[test]
    fn times_are_seconds_rounded_down_or_dates() {
        let cases = [
            ("0", 0),
            ("-5", -5),
            (" 12 ", 12),
            ("881250949", 881_250_949),
            ("881250949.9", 881_250_949),
            ("-0.5", -1),
            ("8.8e8", 880_000_000),
            ("9223372036854775807", i64::MAX),
            ("1970-01-01", 0),
            ("1969-12-31", -86_400),
            ("2000-02-29", 951_782_400),
            ("1997-12-04T15:55:49Z", 881_250_949),
            ("1997-12-04 15:55:49", 881_250_949),
            ("1997-12-04 15:55", 881_250_900),
            ("1997-12-04T16:55:49.25+01:00", 881_250_949),
            ("1997-12-04T14:25:49-0130", 881_250_949),
            ("1997-12-04T15:55:49+00", 881_250_949),
        ];
        for (text, seconds) in cases {
            assert_eq!(timestamp(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "soon",
            "NaN",
            "inf",
            "1e30",
            "-1e30",
            "1997",
            "1997-13-01",
            "1900-02-29",
            "1997-12-00",
            "1997-12-4",
            "1997-12-04T",
            "1997-12-04T24:00:00",
            "1997-12-04T15:60",
            "1997-12-04T15:55:49.",
            "1997-12-04T15:55:49+1",
            "1997-12-04T15:55:49Zulu",
            "1997-12-04x",
            "19٩7-12-04",
        ] {
            // A year alone is a number of seconds.
            assert_eq!(timestamp(text).is_some(), text == "1997", "{text:?}");
        }
    }

    #[test]
    fn a_quoted_value_is_short_and_has_no_control_characters() {
        assert_eq!(shown("a\tb\u{1b}"), r#""a\tb\u{1b}""#);
        assert_eq!(shown(&"é".repeat(41)), format!("\"{}\"…", "é".repeat(40)));
        assert_eq!(shown(""), "\"\"");
    }
}
