//! A certificate in words: for whom it is, and how long it lasts.

use std::time::{Duration, UNIX_EPOCH};

/// The first few of its names.
pub(crate) fn listed(names: &[String]) -> String {
    const FEW: usize = 4;
    if names.is_empty() {
        return "no host".to_owned();
    }
    let mut text = names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > FEW {
        text.push_str(&format!(" and {} more", names.len() - FEW));
    }
    text
}

/// Whole days from now on, rounded down; negative when it is past.
pub(crate) fn days_until(seconds: u64) -> i64 {
    let signed = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
    (signed(seconds) - signed(crate::clock::now())).div_euclid(24 * 60 * 60)
}

/// `1 day`, `2 days`.
pub(crate) fn days(count: i64) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

/// `2026-11-23`.
pub(crate) fn day(seconds: u64) -> String {
    let text = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_as_iso_8601_has_it() {
        assert_eq!(day(1_795_392_000), "2026-11-23");
    }

    #[test]
    fn only_the_first_names_are_listed() {
        let names = ["a", "b", "c", "d", "e", "f"].map(str::to_owned);
        assert_eq!(listed(&names), "a, b, c, d and 2 more");
        assert_eq!(listed(&[]), "no host");
    }
}
