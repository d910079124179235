//! Which day is a number of seconds since 1970?

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, now.
pub(super) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |passed| passed.as_secs())
}

/// Its day in UTC: `1997-12-04`.
pub(super) fn day(seconds: u64) -> String {
    // Days to year, month, day: Hinnant, chrono-compatible low-level date algorithms (2021), for years that begin in March.
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{}-{month:02}-{day:02}", era * 400 + year + carry)
}

/// Its minute in UTC: `1997-12-04 15:55`.
pub(super) fn minute(seconds: u64) -> String {
    let of_day = seconds % 86_400;
    let (hour, minute) = (of_day / 3600, of_day / 60 % 60);
    format!("{} {hour:02}:{minute:02}", day(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_days_and_minutes() {
        assert_eq!(minute(881_250_949), "1997-12-04 15:55");
        assert_eq!(minute(0), "1970-01-01 00:00");
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(951_868_800), "2000-03-01");
        assert_eq!(minute(1_735_689_599), "2024-12-31 23:59");
        assert_eq!(day(4_107_542_400), "2100-03-01");
        assert!(!day(u64::MAX).is_empty());
    }
}
