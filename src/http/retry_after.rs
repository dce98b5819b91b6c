//! `Retry-After` (RFC 9110, section 10.2.3): how long a server asks to be left alone. Pure.

use std::time::Duration;

use mail_parser::DateTime;

/// Reads seconds, or a date. `now` is the time in seconds since 1970; a date that has passed asks for nothing more.
pub(super) fn read(value: &str, now: u64) -> Option<Duration> {
    let value = value.trim();
    let seconds = value.parse().ok().or_else(|| {
        let date = DateTime::parse_rfc822(value).filter(DateTime::is_valid)?;
        Some(u64::try_from(date.to_timestamp()).ok()?.saturating_sub(now))
    });
    seconds.map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_nothing_else() {
        let now = 784_111_700;
        for (value, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(77)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1960 08:00:00 GMT", None),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(read(value, now), expected.map(Duration::from_secs), "{value:?}");
        }
    }
}
